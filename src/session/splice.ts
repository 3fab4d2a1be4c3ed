// Puts events into a session and takes others out. What names events by their place follows.
import { isFact, type SessionEvent } from './events.ts';
import type { Session } from './session.ts';

/** `removed` events from `index` on (0 to the number of events) give way to those that are added. */
export interface Splice {
  readonly index: number;
  readonly removed: number;
  readonly added: readonly SessionEvent[];
}

/**
 * Changes the session in place. What is added has no line of its own (0) and is written anew. `hasGone`: false if it is
 * known to have no fact of kind `gone`, which is then not looked for.
 */
export function spliceEvents(
  { events, lines, verbatim }: Pick<Session, 'events' | 'lines' | 'verbatim'>,
  { index, removed, added }: Splice,
  hasGone = true,
): void {
  events.splice(index, removed, ...added);
  if (lines.length > 0) lines.splice(index, removed, ...added.map(() => 0));
  const by = added.length - removed;
  /** Index after the change; undefined for what was removed. */
  const moved = (at: number) => (at < index ? at : at < index + removed ? undefined : at + by);
  const texts = [...verbatim.events];
  verbatim.events.clear();
  for (const [at, text] of texts) {
    const place = moved(at);
    if (place !== undefined) verbatim.events.set(place, text);
  }
  if (!hasGone || by === 0) return;
  for (const [i, event] of events.entries()) {
    if (!isFact(event) || event.kind !== 'gone') continue;
    // The event that it names is counted from 1.
    const place = moved(event.event - 1);
    if (place !== undefined && place !== event.event - 1) events[i] = { ...event, event: place + 1 };
  }
}
