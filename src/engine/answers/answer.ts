// The answer to the case, with its conflicts; conflicts of the same kind are one item.

import { type AnsweredSession, answerCase } from '../../analysis/answer/answer.ts';
import { foldConflicts } from '../../analysis/answer/items.ts';
import { hexRange, plainHex } from '../../iova/format.ts';
import { requestedRange } from '../../kernel/shared/refusal.ts';
import { unpackedEntries } from '../../session/event-list.ts';
import { isOperation } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { Documents } from '../picture/spaces.ts';
import type { Answered, Trial } from '../protocol/answers.ts';
import { checkDocuments, rowsOf } from './conflict-list.ts';
import { refusalAt } from './refusals.ts';

/** The answer about everything that is selected, with the chosen guest. `unread`: names of inputs that could not be read. */
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

/** The operations of a session that its model refused, up to the current position. */
function sessionOf(document: EngineDocument): AnsweredSession[] {
  const { states, session, position, title, model = 'iommufd' } = document;
  if (!states) return [];
  let operations = position;
  for (const [index, event] of unpackedEntries(session.events)) {
    if (index >= position) break;
    if (!isOperation(event)) operations--;
  }
  let refused = 0;
  let first: number | undefined;
  for (const { index, operation, outcome } of states.exceptionsBefore(position)) {
    if (!operation || outcome.ok || !outcome.refusal) continue;
    refused++;
    first ??= index;
  }
  if (operations === 0) return [];
  const current = first === position - 1 ? undefined : refusedText(document, position - 1);
  const firstText = first === undefined ? undefined : refusedText(document, first);
  return [{ name: title, model, operations, refused, first: firstText ?? '', current }];
}

/** What was refused at an index, and why; undefined if nothing was. */
function refusedText(document: EngineDocument, index: number): string | undefined {
  const found = refusalAt(document, index);
  if (!found) return undefined;
  const { operation, refusal } = found;
  const requested = requestedRange(refusal);
  const what = requested ? `${operation.op} of ${hexRange(requested)}` : operation.op;
  return `event ${index + 1} (${what}: ${refusal.errno}). ${plainHex(refusal.message)}`;
}
