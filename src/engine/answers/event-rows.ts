// The list of a document's events, and what changed between two moments.
import { eventsAt } from '../../analysis/host/build-host.ts';
import { isFact, type SessionEvent } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { EventRow } from '../protocol/sessions.ts';
import { answerText, eventText, outcomeText } from './event-text.ts';

/** Facts that hold at only one of two moments, as lines: removed ones (`− …`), then new ones (`+ …`). */
export function difference(events: readonly SessionEvent[], from: number, to: number): string[] {
  const textsAt = (position: number) =>
    new Set(
      eventsAt(events, position).flatMap((event) => {
        if (!isFact(event) || event.kind === 'map' || event.kind === 'unmap' || event.kind === 'gone') return [];
        // A fact that was seen again at another time is the same fact.
        return [eventText(event, ['seen'])];
      }),
    );
  const [before, after] = [textsAt(from), textsAt(to)];
  return [
    ...[...before].filter((text) => !after.has(text)).map((text) => `− ${text}`),
    ...[...after].filter((text) => !before.has(text)).map((text) => `+ ${text}`),
  ];
}

/** `limit` of a document's events from index `offset` on, with what the model answered to each operation. */
export function eventRows({ session, states }: EngineDocument, offset: number, limit: number): EventRow[] {
  const first = Math.max(0, offset);
  return session.events.slice(first, Math.max(first, offset + limit)).map((event, i): EventRow => {
    const step = states?.stepAt(first + i);
    return {
      position: first + i + 1,
      text: eventText(event),
      ...(step ? outcomeText(step.outcome) : {}),
      ...(step?.mismatch?.expected ? { expected: answerText(step.mismatch.expected) } : {}),
    };
  });
}
