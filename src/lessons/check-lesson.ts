// Holds a lesson against its model: every expected answer, every prediction, every question.
import type { KernelModel } from '../kernel/model.ts';
import { createModel } from '../kernel/models.ts';
import { answerOf, runEvent } from '../kernel/replay/replay.ts';
import { printAnswer } from '../operation-lines/answers.ts';
import { isFact, type OperationName } from '../session/events.ts';
import { compileLesson } from './compile.ts';
import { type CheckedLine, choiceAnswer, differs, hasPlaces, judge, outcomeText, runCheck } from './judge.ts';
import {
  ALL_SPACES,
  type Choice,
  type Lesson,
  type LessonProblem,
  type LessonStep,
  type Question,
  SHOWN_KEYS,
  type ShownLines,
} from './lesson.ts';
import { hint, readLesson } from './read-lesson.ts';
import { eventCount } from './reading.ts';

export interface LessonReport {
  readonly lesson: Lesson;
  /** By line. */
  readonly problems: readonly LessonProblem[];
  /** Operations that were run, without those of checks. */
  readonly operations: number;
}

/** Reads a lesson, runs it, and compares. Never throws for any text. */
export function checkLesson(text: string): LessonReport {
  const { lesson, problems: read } = readLesson(text);
  const problems = [...read];
  const add = (line: number, message: string) => problems.push({ line, message });
  const { session, steps } = compileLesson(lesson);
  const made = createModel(session.header);
  if (!made.ok) return { lesson, problems: [...problems, { line: 1, message: made.message }], operations: 0 };
  const { model } = made;
  for (const note of made.notes) add(1, note);
  let operations = 0;
  let groups: readonly string[] = [];
  for (const [i, step] of lesson.steps.entries()) {
    const { from = 0, to = 0 } = steps[i] ?? {};
    let last: LastOperation | undefined;
    let at = from;
    for (const block of step.blocks) {
      for (const end = Math.min(at + eventCount(block), to); at < end; at++) {
        const ran = runEvent(model, session, at);
        if (!ran?.operation) continue;
        operations++;
        const { outcome, line, mismatch, operation } = ran;
        const answer = answerOf(outcome);
        last = { op: operation.op, answer };
        if (!answer) add(line, `the model cannot run this: ${outcomeText(outcome).reason ?? ''}`);
        else if (mismatch?.expected) add(line, mismatchText(printAnswer(mismatch.expected), outcomeText(outcome)));
      }
      if (block.kind === 'check') for (const problem of checkProblems(runCheck(model, block.check))) add(...problem);
      if (block.kind === 'question') for (const problem of questionProblems(model, block.question)) add(...problem);
    }
    for (const problem of predictionProblems(step, last)) add(...problem);
    groups = [...new Set([...groups, ...groupsIn(step)])];
    const spaces = model.spaces().map(({ id }) => id);
    for (const problem of shownProblems(step, { spaces, groups })) add(...problem);
  }
  problems.sort((a, b) => a.line - b.line);
  return { lesson, problems, operations };
}

interface LastOperation {
  readonly op: OperationName;
  readonly answer: ReturnType<typeof answerOf>;
}

type Problem = readonly [line: number, message: string];

function mismatchText(expected: string, { got, reason }: { got: string; reason?: string | undefined }): string {
  return `expected ${expected}, the model answers ${got}${reason === undefined ? '' : `: ${reason}`}`;
}

function checkProblems(lines: readonly CheckedLine[]): Problem[] {
  return lines.flatMap(({ line, problem, isAsExpected, expected, got, reason }): Problem[] => {
    if (problem !== undefined) return [[line, problem]];
    return isAsExpected === false ? [[line, mismatchText(expected ?? '', { got, reason })]] : [];
  });
}

/** Choices of which the model or the lesson says which are right; `verdictOf`: what the model says, if it can. */
function choiceProblems(
  line: number,
  choices: readonly Choice[],
  what: string,
  verdictOf: (choice: Choice) => boolean | undefined,
): Problem[] {
  const problems: Problem[] = [];
  let right = 0;
  const isMarked = choices.some(({ marked }) => marked === true);
  for (const choice of choices) {
    const verdict = verdictOf(choice);
    const marked = isMarked ? choice.marked === true : undefined;
    if (marked ?? verdict) right++;
    if (marked === true && verdict === false) {
      problems.push([choice.line, `'${choice.text}' is marked as right, but the model does not answer so`]);
    }
    if (marked === false && verdict === true) {
      problems.push([choice.line, `'${choice.text}' is marked as wrong, but the model answers so`]);
    }
  }
  if (right === 0 && choices.length > 0) {
    problems.push([line, `${what} without a right choice: mark it with [x], or write what the model answers`]);
  }
  if (right > 0 && right === choices.length && choices.length > 1)
    problems.push([line, `${what} without a wrong choice`]);
  const texts = choices.map(({ text }) => text);
  for (const [i, text] of texts.entries()) {
    if (texts.indexOf(text) < i) problems.push([choices[i]?.line ?? line, `the choice '${text}' is there twice`]);
  }
  return problems;
}

function questionProblems(model: KernelModel, question: Question): Problem[] {
  const { line, choices, answer, check = [] } = question;
  if (!answer) {
    const problems = choiceProblems(line, choices, 'a question', ({ text }) => judge(model, question, text).isRight);
    return hasPlaces(check) ? problems : [...problems, ...checkProblems(runCheck(model, check))];
  }
  if (check.length === 0 && answer.kind !== 'operation') {
    return [[line, `the model cannot decide about an answer without a block 'check' after the question`]];
  }
  const problems = hasPlaces(check) || answer.kind === 'operation' ? [] : checkProblems(runCheck(model, check));
  if (answer.sample === undefined) return problems;
  const { isRight, mistake, lines } = judge(model, question, answer.sample);
  if (isRight === true) return problems;
  // An operation that was typed has no line of its own, and a check without places was looked at above.
  const unexpected = checkProblems(lines).filter(([at]) => at > 0);
  const failed = lines.find(({ answer: given }) => given && typeof given.ret === 'string');
  const why =
    mistake ??
    unexpected[0]?.[1] ??
    (failed ? `the model answers ${failed.got} to '${failed.text}'` : 'it has another result');
  const wrong: Problem = [answer.line, `the sample answer '${answer.sample}' is not right: ${why}`];
  return [...problems, wrong, ...(hasPlaces(check) || answer.kind === 'operation' ? unexpected : [])];
}

/** The names in the views of a step that choose what is shown. Both sets of names: as known after the step. */
function shownProblems(
  { blocks }: LessonStep,
  known: Readonly<Record<keyof ShownLines, readonly string[]>>,
): Problem[] {
  return blocks.flatMap((block): Problem[] => {
    if (block.kind !== 'view') return [];
    const { view, shownLines } = block;
    return SHOWN_KEYS.flatMap((key) =>
      (view[key] ?? [])
        .filter((name) => !known[key].includes(name) && !(key === 'spaces' && name === ALL_SPACES))
        .map((name): Problem => {
          const what =
            key === 'spaces' ? `the session has no address space '${name}'` : `no fact names group '${name}'`;
          const which = known[key].length === 0 ? '; there are none' : hint(name, known[key]);
          return [shownLines?.[key] ?? 1, `view: ${what} up to the end of this step${which}`];
        }),
    );
  });
}

/** The groups that the facts of a step name. */
function groupsIn({ blocks }: LessonStep): string[] {
  return blocks.flatMap((block) => {
    if (block.kind !== 'facts') return [];
    return block.events.flatMap(({ event }) => {
      return isFact(event) && 'group' in event && typeof event.group === 'string' ? [event.group] : [];
    });
  });
}

function predictionProblems({ blocks }: LessonStep, last: LastOperation | undefined): Problem[] {
  return blocks.flatMap((block): Problem[] => {
    if (block.kind !== 'predict') return [];
    if (!last) return [[block.line, 'a prediction needs an operation in its step']];
    return choiceProblems(block.line, block.choices, 'a prediction', ({ text }) => {
      const answer = choiceAnswer(text, last.op);
      return answer && last.answer ? !differs(answer, last.answer) : undefined;
    });
  });
}
