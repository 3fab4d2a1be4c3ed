// Whether an answer to a question is right: the model decides, on a copy of its state.
import { hex } from '../iova/format.ts';
import type { Iova } from '../iova/iova.ts';
import { parseAddress, parseRange } from '../iova/parse.ts';
import type { KernelModel } from '../kernel/model.ts';
import { answerOf, missedFields, type StepOutcome } from '../kernel/replay/replay.ts';
import type { Refusal } from '../kernel/shared/refusal.ts';
import { parseAnswer, printAnswer } from '../operation-lines/answers.ts';
import { parseOperationLine } from '../operation-lines/parse.ts';
import type { Answer, OperationName } from '../session/events.ts';
import type { AnswerKind, CheckLine, Question } from './lesson.ts';
import { readOperation } from './read-lesson.ts';

/** One line of a check, run. */
export interface CheckedLine {
  readonly line: number;
  /** The operation as it was run. */
  readonly text: string;
  readonly op: OperationName | undefined;
  /** What the model answered, in words; why it could not be run, if that is so. */
  readonly got: string;
  readonly answer: Answer | undefined;
  /** Why it was refused. */
  readonly reason: string | undefined;
  readonly refusal: Refusal | undefined;
  /** Undefined if nothing was expected. */
  readonly isAsExpected: boolean | undefined;
  /** What was expected, in words. */
  readonly expected: string | undefined;
  /** A mistake in the line itself, or an operation that no model can run. */
  readonly problem: string | undefined;
}

/** True if the model's answer does not have every field of the expected one. */
export function differs(expected: Answer, got: Answer): boolean {
  return missedFields(expected, got).length > 0;
}

/** What a model answered, in words, and why it refused. */
export function outcomeText(outcome: StepOutcome): { readonly got: string; readonly reason: string | undefined } {
  const answer = answerOf(outcome);
  if (!answer) return { got: 'cannot be run', reason: outcome.ok ? undefined : outcome.invalid?.message };
  const refusal = outcome.ok ? undefined : outcome.refusal;
  return { got: printAnswer(answer), reason: refusal && `${refusal.message} (${refusal.rule})` };
}

/** Runs the lines of a check on a copy of `model`, in order; `values` replace `$answer`, `$start` and the others. */
export function runCheck(
  model: KernelModel,
  check: readonly CheckLine[],
  values: Readonly<Record<string, string>> = {},
): CheckedLine[] {
  const copy = model.clone();
  return check.map(({ line, text }, i): CheckedLine => {
    const filled = text.replace(/\$([a-z]+)/g, (all, name: string) =>
      Object.hasOwn(values, name) ? (values[name] ?? all) : all,
    );
    const read = readOperation(filled, copy.name);
    const { operation, problems } = read;
    const blank = {
      line,
      answer: undefined,
      reason: undefined,
      refusal: undefined,
      isAsExpected: undefined,
      expected: undefined,
    };
    if (!operation) return { ...blank, text: filled.trim(), op: undefined, got: '', problem: problems[0] };
    const outcome = copy.apply(operation.operation, i);
    const answer = answerOf(outcome);
    const { got, reason } = outcomeText(outcome);
    const { expect } = operation;
    return {
      line,
      text: operation.text,
      op: operation.operation.op,
      got,
      answer,
      reason,
      refusal: outcome.ok ? undefined : outcome.refusal,
      isAsExpected: expect && (answer ? !differs(expect, answer) : false),
      expected: expect && printAnswer(expect),
      problem: problems[0] ?? (answer ? undefined : reason),
    };
  });
}

/** True if a check has places for an answer. */
export function hasPlaces(check: readonly CheckLine[]): boolean {
  return check.some(({ text }) => /\$(?:answer|start|last|size)\b/.test(text));
}

/** A choice as an answer of the kernel; undefined if it is only text. A plain number is one only if calls return such. */
export function choiceAnswer(text: string, op: OperationName | undefined): Answer | undefined {
  const body = text.replace(/\s*\(.*\)$/, '');
  if (/^\d+$/.test(body) && body !== '0' && op !== 'container.check_extension') return undefined;
  const parsed = parseAnswer(body, op);
  return parsed.ok ? parsed.answer : undefined;
}

export interface Judgement {
  /** Undefined if the model cannot decide: a choice that is only text. */
  readonly isRight: boolean | undefined;
  /** What is wrong with the answer itself, such as a mistake in an operation. */
  readonly mistake?: string;
  /** What was run to decide, with what the model answered. */
  readonly lines: readonly CheckedLine[];
}

/** The values of an answer that was typed; a string says what is wrong with it. */
function typedValues(kind: AnswerKind, text: string, model: string): Readonly<Record<string, string>> | string {
  if (kind === 'address') {
    const address = parseAddress(text);
    return address.ok ? { answer: hex(address.value) } : address.error.message;
  }
  if (kind === 'range') {
    const range = parseRange(text);
    if (!range.ok) return range.error.message;
    const { start, last } = range.value;
    // A range of the whole space has a size that no operation can name.
    return { answer: `${hex(start)}-${hex(last)}`, start: hex(start), last: hex(last), size: hex(last - start + 1n) };
  }
  const operation = parseOperationLine(text, { model });
  return operation.ok ? { answer: text.trim() } : operation.mistake.message;
}

/** The number that an answer is about: where something was mapped, or how much was unmapped. */
function resultOf({ iova, unmapped, dma_addr }: Answer): Iova | undefined {
  return iova ?? dma_addr ?? unmapped;
}

function allAsExpected(lines: readonly CheckedLine[]): boolean {
  return lines.every(({ isAsExpected, problem }) => problem === undefined && isAsExpected !== false);
}

/**
 * Decides about an answer, a choice's text or what was typed, in the state of `model`, which is not changed. With `$answer`
 * in the check, the answer is right if everything in it is as expected; a choice without it, if the last operation of the
 * check answers so; an address, if it is that operation's result; an operation, if it succeeds and the check that follows
 * is as expected.
 */
export function judge(model: KernelModel, question: Pick<Question, 'answer' | 'check'>, text: string): Judgement {
  const check = question.check ?? [];
  const kind = question.answer?.kind;
  if (kind === undefined) {
    const lines = runCheck(model, check, { answer: text });
    if (hasPlaces(check)) return { isRight: allAsExpected(lines), lines };
    const last = lines.at(-1);
    const answer = choiceAnswer(text, last?.op);
    return { isRight: answer && last?.answer ? !differs(answer, last.answer) : undefined, lines };
  }
  const values = typedValues(kind, text, model.name);
  if (typeof values === 'string') return { isRight: false, mistake: values, lines: [] };
  if (hasPlaces(check)) {
    const lines = runCheck(model, check, values);
    return { isRight: allAsExpected(lines), lines };
  }
  if (kind === 'operation') {
    const lines = runCheck(model, [{ line: 0, text }, ...check]);
    const [first, ...rest] = lines;
    const isDone = typeof first?.answer?.ret === 'number' && first.answer.ret >= 0;
    return { isRight: isDone && allAsExpected(rest), lines };
  }
  const lines = runCheck(model, check);
  const answer = lines.at(-1)?.answer;
  if (!answer) return { isRight: undefined, lines };
  if (kind === 'address') {
    const result = resultOf(answer);
    return { isRight: result === undefined ? undefined : hex(result) === values.answer, lines };
  }
  const isListed = answer.ranges?.some(([start, last]) => `${hex(start)}-${hex(last)}` === values.answer);
  return { isRight: isListed, lines };
}
