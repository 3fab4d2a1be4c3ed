// Reading a lesson step by step: what of a step may be shown, and the moment of its session. What a prediction or a question
// is about stays hidden until it is answered, and so does what comes after it.
import type { StepEvents } from './compile.ts';
import type { Choice, Lesson, LessonBlock, LessonOperation, Question } from './lesson.ts';

/** What has to be answered before the lesson goes on; its line in the file tells it from all others. */
export type Gate =
  | { readonly kind: 'predict'; readonly block: Extract<LessonBlock, { kind: 'predict' }>; readonly operation: string }
  | { readonly kind: 'question'; readonly question: Question };

export interface ShownOperation extends LessonOperation {
  /** Events of the session up to and with it. */
  readonly position: number;
  /** True if its answer may not be shown yet. */
  readonly isHidden: boolean;
}

/** A block as it is shown. Views, facts and checks without a question are not. */
export type ShownBlock =
  | Extract<LessonBlock, { kind: 'text' | 'code' }>
  | { readonly kind: 'ops'; readonly operations: readonly ShownOperation[] }
  | { readonly kind: 'gate'; readonly gate: Gate };

export interface Reading {
  readonly blocks: readonly ShownBlock[];
  /** The moment of the session: events up to here have happened, all others are hidden. */
  readonly position: number;
  /** What has to be answered next; undefined if the step is done. */
  readonly open: Gate | undefined;
}

/** Choices in the order in which they are shown, which says nothing about which of them are right. */
export function shownChoices(choices: readonly Choice[]): readonly Choice[] {
  return choices.toSorted((a, b) => (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
}

/** The line of the lesson that a gate begins in. */
export function gateLine(gate: Gate): number {
  return gate.kind === 'predict' ? gate.block.line : gate.question.line;
}

/** How many events of the session a block makes. */
export function eventCount(block: LessonBlock): number {
  return block.kind === 'ops' ? block.operations.length : block.kind === 'facts' ? block.events.length : 0;
}

/** The last operation of a step, which its prediction is about. */
export function lastOperation(blocks: readonly LessonBlock[]): LessonOperation | undefined {
  return blocks.flatMap((block) => (block.kind === 'ops' ? block.operations : [])).at(-1);
}

/** The predictions and questions of a step, in order. */
export function gatesOf(blocks: readonly LessonBlock[]): Gate[] {
  const operation = lastOperation(blocks)?.text;
  return blocks.flatMap((block): Gate[] => {
    if (block.kind === 'question') return [{ kind: 'question', question: block.question }];
    // Without an operation there is nothing to predict: the check reports it.
    return block.kind === 'predict' && operation !== undefined ? [{ kind: 'predict', block, operation }] : [];
  });
}

/**
 * The step `index` (from 0) as it is shown; `steps` are those of `compileLesson`. `isAnswered`: whether the prediction or
 * question that begins in a line was answered.
 */
export function readingOf(
  { steps: all }: Lesson,
  steps: readonly StepEvents[],
  index: number,
  isAnswered: (line: number) => boolean,
): Reading {
  const step = all[index];
  const events = steps[index];
  if (!step || !events) return { blocks: [], position: 0, open: undefined };
  const gates = gatesOf(step.blocks);
  const open = gates.find((gate) => !isAnswered(gateLine(gate)));
  const last = lastOperation(step.blocks);
  const predicted = open?.kind === 'predict' ? last : undefined;
  const blocks: ShownBlock[] = [];
  let at = events.from;
  let position = events.to;
  /** False behind what has to be answered. */
  let isShown = true;
  for (const block of step.blocks) {
    const first = at;
    at += eventCount(block);
    if (block.kind === 'ops') {
      const operations = block.operations.map((one, i): ShownOperation => {
        return { ...one, position: first + i + 1, isHidden: one === predicted };
      });
      if (predicted && block.operations.includes(predicted)) position = at - 1;
      // The operation of a prediction is part of the question.
      if (isShown || predicted) blocks.push({ kind: 'ops', operations });
    } else if (block.kind === 'text' || block.kind === 'code') {
      if (isShown) blocks.push(block);
    } else if (block.kind === 'predict' || block.kind === 'question') {
      const line = block.kind === 'predict' ? block.line : block.question.line;
      const gate = gates.find((one) => gateLine(one) === line);
      if (!gate || !isShown) continue;
      blocks.push({ kind: 'gate', gate });
      if (open && gateLine(open) === line) {
        isShown = false;
        if (open.kind === 'question') position = at;
      }
    }
  }
  return { blocks, position: Math.min(position, events.to), open };
}
