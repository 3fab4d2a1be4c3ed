// Inserts and removes events of a session, and adjusts whatever refers to events by index.
import { unpackedEntries } from './event-list.ts';
import { isFact, type SessionEvent } from './events.ts';
import type { Session } from './session.ts';

/** Replaces `removed` events from `index` on (0 to the number of events) by the added ones. */
export interface Splice {
  readonly index: number;
  readonly removed: number;
  readonly added: readonly SessionEvent[];
}

/**
 * Changes the session in place. Added events have line 0 and no verbatim text. `hasGone`: false if the session is known to
 * have no fact of kind `gone`; the search for such facts is then skipped.
 */
export function spliceEvents(
  { events, lines, verbatim }: Pick<Session, 'events' | 'lines' | 'verbatim'>,
  { index, removed, added }: Splice,
  hasGone = true,
): void {
  events.splice(index, removed, ...added);
  if (lines.length > 0) lines.splice(index, removed, ...added.map(() => 0));
  const by = added.length - removed;
  /** Index after the change; undefined for a removed event. */
  const moved = (at: number) => (at < index ? at : at < index + removed ? undefined : at + by);
  const texts = [...verbatim.events];
  verbatim.events.clear();
  for (const [at, text] of texts) {
    const place = moved(at);
    if (place !== undefined) verbatim.events.set(place, text);
  }
  if (!hasGone || by === 0) return;
  for (const [i, event] of unpackedEntries(events)) {
    if (!isFact(event) || event.kind !== 'gone') continue;
    // `gone` refers to an event by its number, counted from 1.
    const place = moved(event.event - 1);
    if (place !== undefined && place !== event.event - 1) events.splice(i, 1, { ...event, event: place + 1 });
  }
}
