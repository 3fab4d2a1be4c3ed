// The answer to the case, with its conflicts and those of one kind as one item.
import { type AnsweredSession, answerCase } from '../../analysis/answer/answer.ts';
import { foldConflicts } from '../../analysis/answer/items.ts';
import { hexRange, plainHex } from '../../iova/format.ts';
import { requestedRange } from '../../kernel/shared/refusal.ts';
import { isOperation } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { Documents } from '../picture/spaces.ts';
import type { Answered, Trial } from '../protocol/answers.ts';
import { checkDocuments, rowsOf } from './conflict-list.ts';

/** The answer about everything that is selected, with the chosen guest. `unread`: names of inputs that it cannot cover. */
export function answerFor(documents: Documents, trial: Trial, unread: readonly string[] = []): Answered {
  const { checked, problem } = checkDocuments(documents, trial);
  const answer = answerCase({
    // A session without conflicts has only its operations to mention.
    hosts: checked.filter(({ document, conflicts }) => document.kind === 'host' || conflicts.length > 0),
    sessions: [...documents.values()].flatMap(sessionOf),
    isGuestChosen: trial.guest !== undefined && trial.guest.kind !== 'none',
    unread,
  });
  const { rows, more } = rowsOf(checked);
  return {
    answer,
    items: foldConflicts(rows, ({ document }) => document),
    rows,
    more,
    ...(problem === undefined ? {} : { problem }),
  };
}

/** What the model refused of a session's operations, up to the moment that is shown. */
function sessionOf(document: EngineDocument): AnsweredSession[] {
  const { states, session, position, title, model = 'iommufd' } = document;
  if (!states) return [];
  let operations = 0;
  let refused = 0;
  let first = '';
  let current: string | undefined;
  for (let index = 0; index < position; index++) {
    const event = session.events[index];
    if (!event || !isOperation(event)) continue;
    operations++;
    const outcome = states.stepAt(index)?.outcome;
    if (!outcome || outcome.ok || !outcome.refusal) continue;
    const isFirst = refused++ === 0;
    if (!isFirst && index + 1 < position) continue;
    const { refusal } = outcome;
    const requested = requestedRange(refusal);
    const what = requested ? `${event.op} of ${hexRange(requested)}` : event.op;
    const text = `event ${index + 1} (${what}: ${refusal.errno}). ${plainHex(refusal.message)}`;
    if (isFirst) first = text;
    else current = text;
  }
  return operations === 0 ? [] : [{ name: title, model, operations, refused, first, current }];
}
