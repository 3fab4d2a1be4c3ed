// Lessons: reading and running them, deciding about answers, and making one of a session.
import { createModel } from '../../kernel/models.ts';
import { checkLesson } from '../../lessons/check-lesson.ts';
import { compileLesson } from '../../lessons/compile.ts';
import { judge } from '../../lessons/judge.ts';
import { recordLesson } from '../../lessons/record.ts';
import { writeSession } from '../../session/write.ts';
import { type EngineDocument, momentIn } from '../documents/document.ts';
import type { Judged, OpenedLesson } from '../protocol/lessons.ts';
import type { Params } from '../protocol/methods.ts';
import { type EngineResult, failure, success } from '../protocol/result.ts';
import { reasonOf } from './event-text.ts';

/** Events of a session that a lesson can be made of: each is a step that somebody has to explain. */
const RECORDED_MAX = 500;

/** Reads a lesson and runs it. */
export function openLesson(text: string): OpenedLesson {
  const { lesson, problems } = checkLesson(text);
  const { session, steps } = compileLesson(lesson);
  return { lesson, problems, steps, session: writeSession(session) };
}

/** Decides about an answer in the state of a session after `position` events. */
export function judgeIn(
  document: EngineDocument,
  { position, question, text }: Omit<Params<'judge'>, 'id'>,
): EngineResult<Judged> {
  const { states, title } = document;
  if (!states) return failure('unusable', `${title} has no operations that a model could answer`);
  const { isRight, mistake, lines } = judge(states.modelAt(momentIn(document, position)), question, text);
  return success({
    isRight,
    mistake: mistake ?? lines.find(({ problem }) => problem !== undefined)?.problem,
    lines: lines.map(({ text: line, got, refusal }) => ({
      text: line,
      answer: got,
      ...(refusal ? { refused: reasonOf(refusal) } : {}),
    })),
  });
}

/** A lesson of the first `position` events of a session, by the rules of the kernel that was chosen for it. */
export function recordedLesson(
  { session, kernel, title: name }: EngineDocument,
  { position, ...options }: Omit<Params<'recordLesson'>, 'id'>,
): EngineResult<string> {
  if (position > RECORDED_MAX) {
    return failure(
      'unusable',
      `a lesson is made of at most ${RECORDED_MAX} events, and ${name} is at event ${position}`,
    );
  }
  const header = kernel === undefined ? session.header : { ...session.header, kernel };
  const made = createModel(header);
  if (!made.ok) return failure('unusable', made.message);
  return success(recordLesson({ header, events: session.events }, position, made.model, options));
}
