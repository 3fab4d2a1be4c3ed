// What was read from nothing. Separate, because most sources are files.
import { newSession } from '../../session/session.ts';
import type { ReadInputs } from './read-document.ts';

/** An empty result, filled in later by live events or notes. */
export function nothingRead(title: string): ReadInputs {
  return {
    title,
    session: newSession({ title }),
    hasGone: false,
    sources: [],
    texts: [],
    operations: 0,
    states: undefined,
    model: undefined,
    diagnostics: [],
    diagnosticsMore: 0,
  };
}
