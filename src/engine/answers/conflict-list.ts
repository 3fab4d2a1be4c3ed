// The conflicts of everything that is selected, as the list beside the picture shows them.

import type { Conflict } from '../../analysis/conflicts/conflict.ts';
import { findConflicts } from '../../analysis/conflicts/find-conflicts.ts';
import { type GuestLayout, outsideConflicts } from '../../analysis/conflicts/guest.ts';
import type { Provenance } from '../../analysis/host/host.ts';
import { reportedSpaces } from '../../analysis/space/common-space.ts';
import { rangeSet } from '../../iova/range-set.ts';
import { usableRanges } from '../../kernel/shared/usable-ranges.ts';
import { type EngineDocument, stateOf } from '../documents/document.ts';
import { mappingKey, reportedKey, spaceKey } from '../documents/keys.ts';
import { finalMappingState } from '../documents/mapping-states.ts';
import { guestsHolding } from '../picture/guests.ts';
import { type Documents, guestOf, guestsOn, selectedHosts } from '../picture/spaces.ts';
import type { ConflictList, ConflictRow, GuestChoice, Trial } from '../protocol/answers.ts';
import { eventText, reasonOf } from './event-text.ts';

/** Conflicts that are listed; a hundred is more than a person reads. */
const LISTED_MAX = 400;
/** Refused operations of a session that are listed. */
const REFUSED_MAX = 100;

/** What the model refused of a session's operations, up to the moment that is shown. */
function refusedOperations(document: EngineDocument): Conflict<string>[] {
  const found: Conflict<string>[] = [];
  const { states } = document;
  if (!states) return found;
  for (let index = 0; index < document.position && found.length < REFUSED_MAX; index++) {
    const outcome = states.stepAt(index)?.outcome;
    const event = document.session.events[index];
    if (!event || !outcome || outcome.ok || !outcome.refusal) continue;
    const { refusal } = outcome;
    const { requested, obstacle } = reasonOf(refusal);
    found.push({
      id: `operation ${index}`,
      rule: refusal.rule,
      severity: 'warning',
      title: `event ${index + 1} was refused: ${eventText(event).slice(0, 120)}`,
      message: refusal.message,
      errno: refusal.errno,
      source: refusal.source,
      remedy:
        'Open the event in the event list to see the state at that moment, or run the session with another model.',
      marks: [
        ...(requested ? [{ ...requested, role: 'requested' as const, message: 'requested' }] : []),
        ...(obstacle
          ? [{ start: obstacle.start, last: obstacle.last, role: 'obstacle' as const, message: obstacle.message }]
          : []),
      ],
      provenance: [{ source: document.title }],
    });
  }
  return found;
}

/** Guests on reported spaces: the chosen one, and the one whose process owns the space. */
function onReportedSpaces(
  document: EngineDocument,
  selectedGroups: ReadonlySet<string>,
  choice: GuestChoice | undefined,
  chosen: GuestLayout | undefined,
): Conflict[] {
  const { host } = document;
  return reportedSpaces(host)
    .filter((space) => selectedGroups.has(reportedKey(document, space.name)))
    .flatMap((space) => {
      const provenance = space.validRanges.flatMap((range) => range.provenance);
      const listed = { name: space.name, usable: rangeSet(space.validRanges), provenance };
      return guestsOn(guestsHolding(space, host.guests), choice, document.id, chosen).flatMap((guest) =>
        outsideConflicts(listed, guest),
      );
    });
}

/** A guest on the address spaces of models. */
function onModels(document: EngineDocument, selectedGroups: ReadonlySet<string>, guest: GuestLayout): Conflict[] {
  return (stateOf(document)?.spaces() ?? [])
    .filter((space) => selectedGroups.has(spaceKey(document, space.id)))
    .flatMap((space) =>
      outsideConflicts(
        { name: space.id, usable: usableRanges(space), provenance: [{ source: document.title }] },
        guest,
      ),
    );
}

/** Each place once, in their order. */
function distinct(places: readonly Provenance[]): Provenance[] {
  return [...new Map(places.map((place) => [`${place.source}:${place.line}`, place])).values()];
}

/** All conflicts of the selected hosts with the chosen guest, numbered from 1. */
export function conflictList(documents: Documents, { selectedGroups, guest: choice, pageSize }: Trial): ConflictList {
  const keys = new Set(selectedGroups);
  const { guest: chosen, problem } = guestOf(documents, choice);
  const hosts = new Map(selectedHosts(documents, keys).map((host) => [host.document, host]));
  const rows: ConflictRow[] = [];
  let more = 0;
  for (const document of documents.values()) {
    const shown = hosts.get(document);
    const found: Conflict<string>[] = [];
    if (shown) {
      const sets = document.mappings.filter((set) => keys.has(mappingKey(document, set)));
      found.push(
        ...findConflicts({
          space: shown.space,
          mappings: sets.map(finalMappingState),
          guests: guestsOn(shown.guests, choice, document.id, chosen),
          pageSize,
        }),
      );
    }
    found.push(...onReportedSpaces(document, keys, choice, chosen));
    if (chosen) found.push(...onModels(document, keys, chosen));
    found.push(...refusedOperations(document));
    for (const conflict of found) {
      if (rows.length >= LISTED_MAX) more++;
      else {
        const provenance = distinct(conflict.provenance);
        rows.push({ ...conflict, provenance, number: rows.length + 1, document: document.id, host: document.title });
      }
    }
  }
  return { rows, more, ...(problem === undefined ? {} : { problem }) };
}
