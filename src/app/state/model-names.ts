import { useEffect, useState } from 'react';
import { ask } from './store.ts';

/** Names of the models that a session can be run under; empty until the engine has answered. */
export function useModelNames(): readonly string[] {
  const [names, setNames] = useState<readonly string[]>([]);
  useEffect(() => {
    void ask()
      .call('models', null)
      .then((answer) => answer.ok && setNames(answer.value));
  }, []);
  return names;
}
