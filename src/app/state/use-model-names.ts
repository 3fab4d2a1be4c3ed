import { useAnswer } from './use-answer.ts';

/** Names of the models that can run a session; empty until the engine has answered. */
export function useModelNames(): readonly string[] {
  return useAnswer('models', null).value ?? [];
}
