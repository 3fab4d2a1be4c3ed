// Search: ranges of the picture, by address and text, and facts that were read, drawn or not.
import { hex } from '../../iova/format.ts';
import { parseAddress } from '../../iova/parse.ts';
import { isFact, type SessionEvent } from '../../session/events.ts';
import { firstEndingAtOrAfter } from '../../timeline/lanes/columns.ts';
import type { EngineDocument } from '../documents/document.ts';
import { type LaneInSpace, targetAt } from '../picture/lane-walk.ts';
import type { Found } from '../protocol/picture.ts';

/** Lanes with more ranges than this are searched by address only. */
const TEXT_SEARCH_MAX = 20_000;
/** Events of a document that are searched. */
const FACTS_MAX = 300_000;

/** Ranges of the picture that contain the address, or whose descriptions contain the text. */
function findRanges(places: readonly LaneInSpace[], text: string, limit: number): Found[] {
  const found: Found[] = [];
  const address = parseAddress(text);
  const message = text.trim().toLowerCase();
  for (const { space, lane } of places) {
    for (const [row, columns] of lane.rows.entries()) {
      const add = (index: number) => {
        const target = targetAt(lane, row, index);
        if (!target) return;
        const caption = lane.describe(row, index).title;
        found.push({ target, caption, where: `${columns.title ?? lane.title} · ${space.title}` });
      };
      if (address.ok) {
        const index = firstEndingAtOrAfter(columns, address.value);
        const start = columns.starts[index];
        if (start !== undefined && start <= address.value) add(index);
      }
      if (columns.starts.length > TEXT_SEARCH_MAX) continue;
      for (let index = 0; index < columns.starts.length && found.length < limit; index++) {
        const info = lane.describe(row, index);
        const owners = info.parts.map((part) => part.owner).join(' ');
        const all = `${lane.title} ${columns.title ?? ''} ${info.title} ${owners}`.toLowerCase();
        if (all.includes(message)) add(index);
      }
    }
  }
  return found;
}

/** All values of a fact as text. */
function factLabel(event: SessionEvent): string {
  return Object.values(event)
    .map((value) =>
      typeof value === 'bigint'
        ? hex(value)
        : typeof value === 'object'
          ? Array.isArray(value)
            ? value.join(' ')
            : ''
          : String(value),
    )
    .join(' ');
}

/** Facts that contain the text, with the line where they were read. */
function findFacts(documents: Iterable<EngineDocument>, text: string, limit: number): Found[] {
  const message = text.trim().toLowerCase();
  const found: Found[] = [];
  for (const { id, session, title } of documents) {
    let looked = 0;
    for (const event of session.events) {
      if (found.length >= limit || ++looked > FACTS_MAX) break;
      if (!isFact(event) || event.line === undefined || event.source === undefined) continue;
      const all = factLabel(event);
      if (!all.toLowerCase().includes(message)) continue;
      found.push({
        location: { id, source: event.source, line: event.line },
        caption: `${event.kind}: ${all.slice(0, 120)}`,
        where: `${event.source}:${event.line} · ${title}`,
      });
    }
  }
  return found;
}

/** What the text is found in: first what is drawn, then lines of the sources. At most `limit` in all. */
export function findEverything(
  places: readonly LaneInSpace[],
  documents: Iterable<EngineDocument>,
  text: string,
  limit: number,
): Found[] {
  if (text.trim() === '') return [];
  const drawn = findRanges(places, text, limit).slice(0, limit);
  return drawn.length < limit ? [...drawn, ...findFacts(documents, text, limit - drawn.length)] : drawn;
}
