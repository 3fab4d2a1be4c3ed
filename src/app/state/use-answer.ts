import { useEffect, useState } from 'react';
import type { Method, Params, Value } from '../../engine/protocol/methods.ts';
import { useApp } from './app-state.ts';
import { engine } from './engine.ts';
import { type Answer, LatestAnswer } from './latest-answer.ts';

/**
 * The engine's answer to a question; the answer before stays until the new one is there. The question is asked again when
 * a parameter or one of `since` changes, and after a restart of the engine. `params` undefined: nothing is asked.
 */
export function useAnswer<M extends Method>(
  method: M,
  params: Params<M> | undefined,
  ...since: readonly unknown[]
): Answer<Value<M>> {
  const restarts = useApp((s) => s.engineRestarts);
  const [answer, setAnswer] = useState<Answer<Value<M>>>({ value: undefined, error: undefined });
  const [latest] = useState(() => new LatestAnswer<M>((asked) => engine().call(method, asked), setAnswer));
  // At each rendering: `ask` compares the question itself.
  useEffect(() => latest.ask(params, restarts, ...since));
  useEffect(() => () => latest.stop(), [latest]);
  return answer;
}
