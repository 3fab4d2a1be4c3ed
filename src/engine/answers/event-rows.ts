// Rows for a document's events, and what changed between two positions.
import { eventsAt } from '../../analysis/host/build-host.ts';
import type { ReadonlyEventList } from '../../session/event-list.ts';
import { isFact, type SessionEvent } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { EventRow } from '../protocol/sessions.ts';
import { answerLabel, eventLabel, eventObjects, eventTime } from './event-label.ts';
import { outcomeText } from './event-text.ts';

/** Facts that hold at only one of two positions, as lines: removed ones (`− …`), then new ones (`+ …`). */
export function difference(events: ReadonlyEventList, from: number, to: number): string[] {
  const textsAt = (position: number) =>
    new Set(
      eventsAt(events, position).flatMap((event) => {
        if (!isFact(event) || event.kind === 'map' || event.kind === 'unmap' || event.kind === 'gone') return [];
        // A fact that was observed again at another time is the same fact.
        return [eventLabel(event, ['seen'])];
      }),
    );
  const [before, after] = [textsAt(from), textsAt(to)];
  return [
    ...[...before].filter((text) => !after.has(text)).map((text) => `− ${text}`),
    ...[...after].filter((text) => !before.has(text)).map((text) => `+ ${text}`),
  ];
}

/** True for a request from a log that was refused. */
export function isRefusedRequest(event: SessionEvent): boolean {
  return isFact(event) && event.kind === 'request' && event.result !== 0;
}

/** The result of an event: the model's answer to an operation, or the kernel's answer to a request from a log. */
function resultOf({ states }: Pick<EngineDocument, 'states'>, event: SessionEvent, index: number): Partial<EventRow> {
  if (isFact(event) && event.kind === 'request') {
    const answer = String(event.result);
    if (event.result === 0) return { answer };
    const requested = { start: event.start, last: event.last };
    return { answer, refused: { message: 'Refused by the kernel, as the log reports.', requested } };
  }
  const step = states?.stepAt(index);
  if (!step) return {};
  const expected = step.mismatch?.expected;
  return { ...outcomeText(step.outcome), ...(expected ? { expected: answerLabel(expected) } : {}) };
}

/** The event at an index of a document's session, with its result. */
export function eventRow(document: Pick<EngineDocument, 'session' | 'states'>, index: number): EventRow | undefined {
  const event = document.session.events.at(index);
  if (!event) return undefined;
  const [object] = eventObjects(event);
  const time = eventTime(event);
  const { source, line } = isFact(event) ? event : {};
  return {
    position: index + 1,
    ...(time === undefined ? {} : { time }),
    ...(object === undefined ? {} : { object }),
    text: eventLabel(event),
    ...resultOf(document, event, index),
    ...(source === undefined ? {} : { source }),
    ...(line === undefined ? {} : { line }),
  };
}
