// Answers and refusals as the page shows them.
import { IOVA_MAX } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { StepOutcome } from '../../kernel/replay/replay.ts';
import { describeObstacle, type Refusal } from '../../kernel/shared/refusal.ts';
import type { EventRow, Reason } from '../protocol/sessions.ts';
import { answerLabel } from './event-label.ts';

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
export function outcomeText(outcome: StepOutcome): Pick<EventRow, 'answer' | 'refused' | 'hazard'> {
  if (outcome.ok) {
    const { answer, hazard } = outcome;
    return {
      answer: answerLabel(answer),
      ...(hazard ? { hazard: `${hazard.message}. (${hazard.source})` } : {}),
    };
  }
  if (outcome.refusal) return { answer: `-${outcome.refusal.errno}`, refused: reasonOf(outcome.refusal) };
  return { refused: { message: outcome.invalid.message } };
}
