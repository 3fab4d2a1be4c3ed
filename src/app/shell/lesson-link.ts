// Lessons of links, `#lesson=NAME&step=N`: the session that a lesson compiles to, as it is after a step. Loaded when used.
import { LESSON_NAMES, lessonText } from '../../lessons/built-in.ts';
import { compileLesson } from '../../lessons/compile.ts';
import type { LessonView } from '../../lessons/lesson.ts';
import { readLesson } from '../../lessons/read-lesson.ts';
import type { LinkView } from '../../session/sharing/link.ts';
import { writeSession } from '../../session/write.ts';

export interface LessonOfLink {
  readonly title: string;
  /** Of the session's file. */
  readonly file: string;
  readonly text: string;
  /** The moment after the step, and what the steps up to it show. */
  readonly view: LinkView;
  /** What is wrong with the step. */
  readonly problem: string | undefined;
}

/** `step` counts from 1; the first if left out, and if there is none such. A string says why there is no lesson. */
export async function lessonOfLink(name: string, step: number | undefined): Promise<LessonOfLink | string> {
  const text = await lessonText(name);
  if (text === undefined) return `there is no lesson "${name}"; known: ${LESSON_NAMES.join(', ')}`;
  const { lesson } = readLesson(text);
  const { session, steps } = compileLesson(lesson);
  const isThere = step === undefined || (step >= 1 && step <= steps.length);
  const number = step === undefined || !isThere ? 1 : step;
  const views = lesson.steps
    .slice(0, number)
    .flatMap(({ blocks }) => blocks.map((b) => (b.kind === 'view' ? b.view : {})));
  const { selection: _selection, ...shown }: LessonView = Object.assign({}, ...views);
  return {
    title: lesson.head.title,
    file: `${name}.iova.jsonl`,
    text: writeSession(session),
    view: { at: steps[number - 1]?.to ?? 0, ...shown },
    problem: isThere ? undefined : `the lesson "${name}" has steps 1 to ${steps.length}: step 1 is shown`,
  };
}
