// Events, answers and refusals as text.
import { hex } from '../../iova/format.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { StepOutcome } from '../../kernel/replay/replay.ts';
import { describeObstacle, type Refusal } from '../../kernel/shared/refusal.ts';
import { isFact, isUnknownEvent, type SessionEvent } from '../../session/events.ts';
import type { EventRow, Reason } from '../protocol/sessions.ts';

const LENGTH_MAX = 300;
/** Fields that tell where an event was read and what was expected: not part of its text. */
const LEFT_OUT: readonly string[] = ['source', 'line', 'expect'];

function valueText(value: unknown): string {
  if (typeof value === 'string') return value;
  if (typeof value === 'bigint') return hex(value);
  return JSON.stringify(value, (_, inner: unknown) => (typeof inner === 'bigint' ? hex(inner) : inner));
}

/** `name=value` for each field, addresses in hex. */
function fieldTexts(fields: object, leftOut: readonly string[]): string[] {
  return Object.entries(fields)
    .filter(([name, value]) => value !== undefined && !leftOut.includes(name))
    .map(([name, value]) => `${name}=${valueText(value)}`);
}

/** The event in one line: its name, then its fields as `name=value`. `leftOut`: further fields to omit. */
export function eventText(event: SessionEvent, leftOut: readonly string[] = []): string {
  if (isUnknownEvent(event)) return `unknown event: ${event.name}`;
  const [name, nameField] = isFact(event) ? [event.kind, 'kind'] : [event.op, 'op'];
  const text = [name, ...fieldTexts(event, [...LEFT_OUT, nameField, ...leftOut])].join(' ');
  return text.length > LENGTH_MAX ? `${text.slice(0, LENGTH_MAX)}…` : text;
}

/** An answer in one line: what the call returned, then the other fields as `name=value`. */
export function answerText(answer: { readonly ret?: unknown }): string {
  return [valueText(answer.ret), ...fieldTexts(answer, ['ret'])].join(' ');
}

/** A refusal as the page shows it. Ranges that wrap around or have no start are left out. */
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

/** What a model answered to an operation, and why it refused it. */
export function outcomeText(outcome: StepOutcome): Pick<EventRow, 'answer' | 'refused'> {
  if (outcome.ok) return { answer: answerText(outcome.answer) };
  if (outcome.refusal) return { answer: `-${outcome.refusal.errno}`, refused: reasonOf(outcome.refusal) };
  return { refused: { message: outcome.invalid.message } };
}
