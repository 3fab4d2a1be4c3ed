// Which operations of a session its model refused.
import type { Refusal } from '../../kernel/shared/refusal.ts';
import { isOperation, type Operation } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';

/** The operation at an index of a session with the reason why it was refused; undefined if it was not. */
export function refusalAt(
  { states, session }: Pick<EngineDocument, 'states' | 'session'>,
  index: number,
): { readonly operation: Operation; readonly refusal: Refusal } | undefined {
  const operation = session.events.at(index);
  if (!operation || !isOperation(operation)) return undefined;
  const outcome = states?.stepAt(index)?.outcome;
  return outcome && !outcome.ok && outcome.refusal ? { operation, refusal: outcome.refusal } : undefined;
}
