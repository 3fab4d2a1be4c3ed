// The conflicts of everything that is selected, for the list beside the picture.

import type { AnsweredHost } from '../../analysis/answer/answer.ts';
import { CONFLICT_SEVERITIES, type Conflict } from '../../analysis/conflicts/conflict.ts';
import { isOnlyFirmware } from '../../analysis/conflicts/devices.ts';
import { findConflicts } from '../../analysis/conflicts/find-conflicts.ts';
import { type GuestLayout, outsideConflicts } from '../../analysis/conflicts/guest.ts';
import { sortConflicts } from '../../analysis/conflicts/order.ts';
import type { Provenance } from '../../analysis/host/host.ts';
import type { MappingState } from '../../analysis/host/mapping-state.ts';
import { commonSpace, reportedSpaces } from '../../analysis/space/common-space.ts';
import { rangeSet } from '../../iova/range-set.ts';
import { usableRanges } from '../../kernel/shared/usable-ranges.ts';
import { type EngineDocument, stateOf } from '../documents/document.ts';
import { mappingKey, reportedKey, spaceKey } from '../documents/keys.ts';
import { finalMappingState } from '../documents/mapping-states.ts';
import { describedGuest } from '../picture/defined-guests.ts';
import { guestOf } from '../picture/guests.ts';
import { guestsHolding } from '../picture/own-guests.ts';
import { type Documents, guestsOn, selectedHosts } from '../picture/spaces.ts';
import type { ConflictList, ConflictRow, GuestChoice, Trial } from '../protocol/answers.ts';

/** Maximum number of listed conflicts; a hundred is more than anybody reads. */
const LISTED_MAX = 400;
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

/** Removes duplicate places; keeps their order. */
function distinct(places: readonly Provenance[]): Provenance[] {
  return [...new Map(places.map((place) => [`${place.source}:${place.line}`, place])).values()];
}

/** Devices and groups that an error names and the host's dump does not have. */
function notInDump({ missing = [] }: EngineDocument): Conflict[] {
  return missing.map(({ what, message, provenance }) => ({
    id: `not-in-dump ${what}`,
    rule: 'not-in-dump',
    severity: 'warning',
    title: `Not in the dump of the host: ${what}`,
    message,
    remedy: 'Add a dump of the host on which it happened.',
    marks: [],
    provenance: [provenance],
    answer: message,
  }));
}

/** A document with its conflicts, in order, and the guest that was tried on it. */
export interface CheckedDocument extends AnsweredHost {
  readonly document: EngineDocument;
}

/** Checks everything that is selected. Documents without a selection or anything to report are left out. */
export function checkDocuments(
  documents: Documents,
  { selectedGroups, guest: choice, pageSize }: Trial,
): { readonly checked: readonly CheckedDocument[]; readonly problem?: string } {
  const keys = new Set(selectedGroups);
  const { guest: chosen, problem } = guestOf(documents, choice);
  const hosts = new Map(selectedHosts(documents, keys).map((host) => [host.document, host]));
  const checked: CheckedDocument[] = [];
  for (const document of documents.values()) {
    const shown = hosts.get(document);
    const found: Conflict<string>[] = [];
    const focus = document.assigned;
    const groups = (shown?.space.groups ?? []).filter((group) => !isOnlyFirmware(group, focus));
    const space = commonSpace(document.host, groups);
    let guests: readonly GuestLayout[] = chosen ? [chosen] : [];
    let otherGuests: readonly string[] = [];
    let mappings: readonly MappingState[] = [];
    if (shown) {
      const sets = document.mappings.filter((set) => keys.has(mappingKey(document, set)));
      // A guest chosen by the user replaces those that the sources define.
      const described = choice ? undefined : describedGuest(document);
      if (described?.guest) otherGuests = described.others;
      guests = [...guestsOn(shown.guests, choice, document.id, chosen), ...(described?.guest ? [described.guest] : [])];
      mappings = sets.map(finalMappingState);
      found.push(...findConflicts({ space, mappings, guests, pageSize, focus }));
      found.push(...notInDump(document));
    }
    found.push(...onReportedSpaces(document, keys, choice, chosen));
    if (chosen) found.push(...onModels(document, keys, chosen));
    if (!shown && found.length === 0) continue;
    const conflicts = sortConflicts(found, focus);
    const count = (document.alike?.others.length ?? 0) + 1;
    checked.push({ document, name: document.title, count, space, guests, otherGuests, conflicts, mappings });
  }
  return { checked, ...(problem === undefined ? {} : { problem }) };
}

/** All conflicts of the selected hosts with the chosen guest, numbered from 1. */
export function conflictList(documents: Documents, trial: Trial): ConflictList {
  const { checked, problem } = checkDocuments(documents, trial);
  return { ...rowsOf(checked), ...(problem === undefined ? {} : { problem }) };
}

/** The conflicts of all documents, most severe first; those of one document keep their order. */
function* merged(checked: readonly CheckedDocument[]): Generator<readonly [EngineDocument, Conflict<string>]> {
  const queues = checked.map(({ document, conflicts }) => ({ document, conflicts, at: 0 }));
  for (;;) {
    const heads = queues.flatMap((queue) => {
      const conflict = queue.conflicts[queue.at];
      return conflict ? [{ queue, conflict, severity: CONFLICT_SEVERITIES.indexOf(conflict.severity) }] : [];
    });
    const [first, ...others] = heads;
    if (!first) return;
    const next = others.reduce((best, head) => (head.severity < best.severity ? head : best), first);
    next.queue.at++;
    yield [next.queue.document, next.conflict];
  }
}

/** The conflicts of checked documents as rows; those beyond the limit are only counted. */
export function rowsOf(checked: readonly CheckedDocument[]): Pick<ConflictList, 'rows' | 'more'> {
  const rows: ConflictRow[] = [];
  let more = 0;
  for (const [document, conflict] of merged(checked)) {
    if (rows.length >= LISTED_MAX) more++;
    else {
      const provenance = distinct(conflict.provenance);
      rows.push({ ...conflict, provenance, number: rows.length + 1, document: document.id, host: document.title });
    }
  }
  return { rows, more };
}
