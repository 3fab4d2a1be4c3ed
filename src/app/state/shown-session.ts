import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { AppState } from './app-state.ts';

/** The document whose events are shown: the chosen one, otherwise the last one with a history, otherwise the first one. */
export function shownSession({
  documents,
  session,
}: Pick<AppState, 'documents' | 'session'>): DocumentNode | undefined {
  return (
    documents.find(({ id }) => id === session) ?? documents.findLast(({ hasHistory }) => hasHistory) ?? documents[0]
  );
}
