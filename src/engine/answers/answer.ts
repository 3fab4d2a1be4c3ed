// The answer to the case, with its conflicts and those of one kind as one item.
import { answerCase } from '../../analysis/answer/answer.ts';
import { foldConflicts } from '../../analysis/answer/items.ts';
import type { Documents } from '../picture/spaces.ts';
import type { Answered, Trial } from '../protocol/answers.ts';
import { checkDocuments, rowsOf } from './conflict-list.ts';

/** The answer about everything that is selected, with the chosen guest. `unread`: inputs that could not be read. */
export function answerFor(documents: Documents, trial: Trial, unread = 0): Answered {
  const { checked, problem } = checkDocuments(documents, trial);
  const answer = answerCase({ hosts: checked, isGuestChosen: trial.guest !== undefined, unread });
  const { rows, more } = rowsOf(checked);
  return {
    answer,
    items: foldConflicts(rows, ({ document }) => document),
    rows,
    more,
    ...(problem === undefined ? {} : { problem }),
  };
}
