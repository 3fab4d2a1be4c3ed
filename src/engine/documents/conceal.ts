// Hides the events of a session after a position: nothing that queries the session can see them.
import { type EngineDocument, momentIn, moveTo } from './document.ts';

/**
 * Hides the events after the first `from`; earlier events that were hidden are shown again. `null` shows all events. The
 * position moves back if it would be after the last visible event.
 */
export function conceal(document: EngineDocument, from: number | null): void {
  const { session, concealed } = document;
  const { events, lines } = session;
  const before = events.length;
  for (const event of concealed?.events ?? []) events.push(event);
  for (const line of concealed?.lines ?? []) lines.push(line);
  document.concealed = undefined;
  const end = from === null ? events.length : momentIn(document, from);
  if (end === events.length) return;
  document.concealed = { events: events.splice(end), lines: lines.splice(end) };
  if (end < before) {
    document.states?.truncate(end);
    document.cuts = (document.cuts ?? 0) + 1;
  }
  if (document.position > end) moveTo(document, end);
}
