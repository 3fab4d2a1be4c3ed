import type { ConflictRow } from '../../engine/protocol/answers.ts';
import type { AppState } from './app-state.ts';

/** A key for a conflict that is unique across documents and stable from one list to the next. */
export function conflictKey({ document, id }: Pick<ConflictRow, 'document' | 'id'>): string {
  return `${document} ${id}`;
}

/** The conflict that the picture shows, if the list still has it. */
export function shownConflict({
  conflicts,
  conflict,
}: Pick<AppState, 'conflicts' | 'conflict'>): ConflictRow | undefined {
  return conflict === undefined ? undefined : conflicts?.rows.find((row) => conflictKey(row) === conflict);
}
