// Lessons, as the page gets them.
import type { StepEvents } from '../../lessons/compile.ts';
import type { Lesson, LessonProblem } from '../../lessons/lesson.ts';
import type { Reason } from './sessions.ts';

export interface OpenedLesson {
  readonly lesson: Lesson;
  /** What is wrong with it, by line. The rest of it works. */
  readonly problems: readonly LessonProblem[];
  /** Where each step is in the session. */
  readonly steps: readonly StepEvents[];
  /** The text of the session file that it compiles to. */
  readonly session: string;
}

/** An operation that was run to decide about an answer. */
export interface JudgedLine {
  readonly text: string;
  /** What the model answered, or why it could not be run. */
  readonly answer: string;
  readonly refused?: Reason | undefined;
}

export interface Judged {
  /** Undefined if the model cannot decide. */
  readonly isRight: boolean | undefined;
  /** What is wrong with the answer itself, such as a mistake in an operation. */
  readonly mistake?: string | undefined;
  readonly lines: readonly JudgedLine[];
}
