import { eventsAt } from '../../analysis/host/build-host.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { StepOutcome } from '../../kernel/replay/replay.ts';
import { describeObstacle, type Refusal } from '../../kernel/shared/refusal.ts';
import { isFact, isUnknownEvent, type SessionEvent } from '../../session/events.ts';
import { writeEvent } from '../../session/write.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { EventRow, Reason } from '../protocol/sessions.ts';

const TEXT_MAX = 300;

/** Facts that hold at only one of two moments, as lines: removed ones (`− …`), then new ones (`+ …`). */
export function difference(events: readonly SessionEvent[], from: number, to: number): string[] {
  const textsAt = (position: number) =>
    new Set(
      eventsAt(events, position).flatMap((event) => {
        if (!isFact(event) || event.kind === 'map' || event.kind === 'unmap' || event.kind === 'gone') return [];
        // When it was seen, and in which line, does not make it another fact.
        const { seen: _seen, line: _line, ...rest } = event as typeof event & { readonly seen?: unknown };
        return [eventText(rest as SessionEvent)];
      }),
    );
  const [before, after] = [textsAt(from), textsAt(to)];
  return [
    ...[...before].filter((text) => !after.has(text)).map((text) => `− ${text}`),
    ...[...after].filter((text) => !before.has(text)).map((text) => `+ ${text}`),
  ];
}

function argumentText([name, value]: readonly [string, unknown]): string {
  return `${name}=${typeof value === 'string' ? value : JSON.stringify(value)}`;
}

/** The event in one line: its name, then its arguments as `name=value`. */
export function eventText(event: SessionEvent): string {
  if (isUnknownEvent(event)) return `unknown event: ${event.name}`;
  const {
    source: _source,
    line: _line,
    expect: _expect,
    ...rest
  } = JSON.parse(writeEvent(event)) as Record<string, unknown>;
  const name = isFact(event) ? event.kind : event.op;
  const message = Object.entries(rest)
    .filter(([key, value]) => !(key === (isFact(event) ? 'kind' : 'op') && value === name))
    .map(argumentText);
  const text = [name, ...message].join(' ');
  return text.length > TEXT_MAX ? `${text.slice(0, TEXT_MAX)}…` : text;
}

/** A refusal as the page shows it. */
export function reasonOf({ message, rule, source, requested, obstacle }: Refusal): Reason {
  const last = requested?.start === undefined ? undefined : requested.start + requested.length - 1n;
  return {
    message,
    rule,
    source,
    ...(requested?.start !== undefined && last !== undefined && last >= requested.start
      ? { requested: range(requested.start, last > IOVA_MAX ? IOVA_MAX : last) }
      : {}),
    ...(obstacle?.start !== undefined && obstacle.last !== undefined
      ? { obstacle: { ...range(obstacle.start, obstacle.last), message: describeObstacle(obstacle) } }
      : {}),
  };
}

/** What a model answered to an operation, as text. */
export function outcomeText(outcome: StepOutcome): Pick<EventRow, 'answer' | 'refused'> {
  if (outcome.ok) return { answer: answerText(outcome.answer) };
  if (outcome.refusal) return { answer: `-${outcome.refusal.errno}`, refused: reasonOf(outcome.refusal) };
  return { refused: { message: outcome.invalid.message } };
}

/** A page of a document's events, with what the model answered to each operation. */
export function eventRows(document: EngineDocument, offset: number, limit: number): EventRow[] {
  const { events } = document.session;
  const rows: EventRow[] = [];
  for (let index = Math.max(0, offset); index < Math.min(events.length, offset + limit); index++) {
    const event = events[index] as SessionEvent;
    const step = document.states?.stepAt(index);
    const row: EventRow = { position: index + 1, text: eventText(event) };
    if (!step) {
      rows.push(row);
      continue;
    }
    const { outcome, mismatch } = step;
    rows.push({
      ...row,
      ...outcomeText(outcome),
      ...(mismatch?.expected ? { expected: answerText(mismatch.expected) } : {}),
    });
  }
  return rows;
}

function answerText(answer: Readonly<Record<string, unknown>>): string {
  const { ret, ...rest } = JSON.parse(writeEvent(answer as never)) as Record<string, unknown>;
  return [String(ret), ...Object.entries(rest).map(argumentText)].join(' ');
}
