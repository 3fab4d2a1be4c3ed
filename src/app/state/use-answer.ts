import { useEffect, useState } from 'react';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { Method, Params, Value } from '../../engine/protocol/methods.ts';
import { useApp } from './app-state.ts';
import { engine } from './engine.ts';
import { type Answer, LatestAnswer } from './latest-answer.ts';

/** What answers about a document's events depend on, for the `since` of `useAnswer` and `usePages`. */
export function sinceOf(document: Pick<DocumentNode, 'events' | 'model' | 'changes'> | undefined): readonly unknown[] {
  return [document?.events, document?.model, document?.changes?.made];
}

/**
 * The engine's answer to a call; the previous answer stays until the new one arrives. The call is made again when a
 * parameter or one of `since` changes, and after a restart of the engine. `params` undefined: no call, no answer.
 */
export function useAnswer<M extends Method>(
  method: M,
  params: Params<M> | undefined,
  ...since: readonly unknown[]
): Answer<Value<M>> {
  const restarts = useApp((s) => s.engineRestarts);
  const [answer, setAnswer] = useState<Answer<Value<M>>>({ value: undefined, error: undefined });
  const [latest] = useState(
    () => new LatestAnswer<M>((latestParams, signal) => engine().call(method, latestParams, { signal }), setAnswer),
  );
  // After each rendering: `request` compares the parameters itself.
  useEffect(() => latest.request(params, restarts, ...since));
  useEffect(() => () => latest.stop(), [latest]);
  return answer;
}
