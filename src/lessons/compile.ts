// A lesson as a session: the facts and operations of its steps in order, each operation with what is expected.
import { iova } from '../iova/iova.ts';
import { newSession, type Session } from '../session/session.ts';
import type { Lesson } from './lesson.ts';

/** Where a step is in the session of its lesson. */
export interface StepEvents {
  /** Events before the step … */
  readonly from: number;
  /** … and after it: both are positions in the session. */
  readonly to: number;
}

export interface CompiledLesson {
  readonly session: Session;
  /** One for each step. */
  readonly steps: readonly StepEvents[];
}

/** The session of a lesson. `lines` of the session are those of the lesson. */
export function compileLesson({ head, steps }: Lesson): CompiledLesson {
  const { title, model, kernel, memlock, page_size, huge_page_size } = head;
  const session = newSession({
    ...(model === undefined ? {} : { model }),
    ...(page_size === undefined ? {} : { page_size: iova(page_size) }),
    ...(huge_page_size === undefined ? {} : { huge_page_size: iova(huge_page_size) }),
    ...(kernel === undefined ? {} : { kernel }),
    ...(memlock === undefined ? {} : { memlock: iova(memlock) }),
    title,
  });
  const places: StepEvents[] = [];
  for (const { blocks } of steps) {
    const from = session.events.length;
    for (const block of blocks) {
      if (block.kind === 'facts') {
        for (const { line, event } of block.events) {
          session.events.push(event);
          session.lines.push(line);
        }
      } else if (block.kind === 'ops') {
        for (const { line, operation, expect } of block.operations) {
          session.events.push(expect ? { ...operation, expect } : operation);
          session.lines.push(line);
        }
      }
    }
    places.push({ from, to: session.events.length });
  }
  return { session, steps: places };
}
