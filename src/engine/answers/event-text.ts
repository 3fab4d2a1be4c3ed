// Formats answers and refusals for the page, and finds the range of an operation.
import { type IovaRange, range, rangeOfLength } from '../../iova/range.ts';
import type { StepOutcome } from '../../kernel/replay/replay.ts';
import { describeObstacle, type Refusal, requestedRange } from '../../kernel/shared/refusal.ts';
import type { Answer, Operation } from '../../session/events.ts';
import type { EventRow, Reason } from '../protocol/sessions.ts';
import { answerLabel } from './event-label.ts';

/** Formats a refusal. Ranges that wrap around or have no start are left out. */
export function reasonOf(refusal: Refusal): Reason {
  const { message, rule, source, obstacle } = refusal;
  const requested = requestedRange(refusal);
  return {
    message,
    rule,
    source,
    ...(requested ? { requested } : {}),
    ...(obstacle?.start !== undefined && obstacle.last !== undefined
      ? { obstacle: { ...range(obstacle.start, obstacle.last), message: describeObstacle(obstacle) } }
      : {}),
  };
}

/** A model's answer to an operation, and the reason if it was refused. */
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

/** The range of an operation, if it has one: the requested one, or the one that the kernel chose. */
export function rangeOfOperation(operation: Operation, answer: Answer | undefined): IovaRange | undefined {
  const fields: Readonly<Record<string, unknown>> = { ...operation };
  const start = answer?.iova ?? answer?.dma_addr ?? fields.iova ?? fields.dst_iova ?? fields.dma_addr ?? fields.start;
  const length = fields.length ?? fields.size;
  return typeof start === 'bigint' && typeof length === 'bigint' ? rangeOfLength(start, length) : undefined;
}
