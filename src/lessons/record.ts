// What was done in a session, as a lesson to go on from: a step for each operation, with the answers that the model gives,
// and a prediction where it refuses. `checkLesson` finds nothing wrong with it.
import { hex, hexRange } from '../iova/format.ts';
import type { KernelModel } from '../kernel/model.ts';
import { answerOf } from '../kernel/replay/replay.ts';
import { parseKernelVersion } from '../kernel/versions.ts';
import { printAnswer } from '../operation-lines/answers.ts';
import { parseOperationLine } from '../operation-lines/parse.ts';
import { printOperation } from '../operation-lines/print.ts';
import { isFact, isOperation, type Operation } from '../session/events.ts';
import type { Session } from '../session/session.ts';
import { writeEvent } from '../session/write.ts';
import { outcomeText } from './judge.ts';
import type { LessonView } from './lesson.ts';

export interface RecordOptions {
  readonly title: string;
  /** How the last step is shown. */
  readonly view?: LessonView | undefined;
}

const fenced = (language: string, lines: readonly string[]) => [`\`\`\`${language}`, ...lines, '```'];

function viewLine({ range, scale, lanes, tab, spaces }: LessonView): string[] {
  const parts = [
    ...(range ? [`range ${hexRange(range)}`] : []),
    ...(scale === undefined ? [] : [`scale ${scale}`]),
    ...(lanes && lanes.length > 0 ? [`lanes ${lanes.join(' ')}`] : []),
    ...(tab === undefined ? [] : [`tab ${tab}`]),
    ...(spaces && spaces.length > 0 ? [`spaces ${spaces.join(' ')}`] : []),
  ];
  return parts.length === 0 ? [] : [`view: ${parts.join(', ')}`, ''];
}

/** A value of the front matter: in one line, and quoted if quotes would be taken off. */
function headText(text: string): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return /^(["']).*\1$/.test(line) ? `"${line}"` : line;
}

/** A prediction about a refusal: what the model answers, and a success. */
function prediction(answer: string, reason: string | undefined): string[] {
  const because = reason === undefined ? '' : `: ${reason.replace(/\s+/g, ' ').trim()}`;
  return ['predict:', '', `- ${answer}${because}`, '- 0: the kernel refuses it', ''];
}

/** An operation as a line, and as it is read back from there; undefined if operation lines have no words for it. */
function writtenOperation(operation: Operation, model: string): { line: string; read: Operation } | undefined {
  const line = printOperation(operation, { model });
  const back = parseOperationLine(line, { model });
  return back.ok ? { line, read: back.operation } : undefined;
}

/**
 * The text of a lesson from the first `position` events of a session. `model` is that of the session in its initial state;
 * it is not changed. What cannot be written as a line of a lesson is left out and counted in the text of its step.
 */
export function recordLesson(
  { header, events }: Pick<Session, 'header' | 'events'>,
  position: number,
  empty: KernelModel,
  { title, view = {} }: RecordOptions,
): string {
  const { kernel, memlock, page_size, huge_page_size } = header;
  const model = empty.clone();
  const head = [
    '---',
    `title: ${headText(title) || 'A recorded lesson'}`,
    `model: ${model.name}`,
    ...(kernel === undefined || !parseKernelVersion(kernel) ? [] : [`kernel: ${kernel}`]),
    ...(memlock === undefined ? [] : [`memlock: ${hex(memlock)}`]),
    ...(page_size === undefined ? [] : [`page_size: ${hex(page_size)}`]),
    ...(huge_page_size === undefined ? [] : [`huge_page_size: ${hex(huge_page_size)}`]),
    '---',
    '',
  ];
  const body: string[] = [];
  let steps = 0;
  let facts: string[] = [];
  let leftOut = 0;
  const heading = (text: string) => body.push(`## ${++steps}. ${text}`, '');
  const flushFacts = () => {
    if (facts.length === 0) return;
    heading('What is known');
    body.push(...fenced('facts', facts), '');
    facts = [];
  };
  const flushLeftOut = () => {
    if (leftOut > 0) body.push(`(${leftOut} ${leftOut === 1 ? 'event' : 'events'} left out here.)`, '');
    leftOut = 0;
  };
  for (const [index, event] of events.slice(0, position).entries()) {
    if (isFact(event)) {
      facts.push(writeEvent(event));
      continue;
    }
    if (!isOperation(event)) {
      leftOut++;
      continue;
    }
    const written = writtenOperation(event, model.name);
    const outcome = written && model.apply(written.read, index);
    const answer = outcome && answerOf(outcome);
    if (!answer) {
      leftOut++;
      continue;
    }
    flushFacts();
    const { line } = written;
    heading(line.split(' ').slice(0, 2).join(' '));
    flushLeftOut();
    if (typeof answer.ret === 'string') body.push(...prediction(printAnswer(answer), outcomeText(outcome).reason));
    body.push(...fenced('ops', [`${line} => ${printAnswer(answer)}`]), '');
  }
  flushFacts();
  flushLeftOut();
  if (steps === 0) {
    heading('Nothing was done yet');
    body.push('The session has no operations.', '');
  }
  body.push(...viewLine(view));
  return `${[...head, ...body].join('\n').trimEnd()}\n`;
}
