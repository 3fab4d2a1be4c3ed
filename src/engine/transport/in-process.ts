import type { CallOptions, Engine, Handlers, Method, Params, Value } from '../protocol/methods.ts';
import type { EngineResult } from '../protocol/result.ts';
import { run } from './service.ts';

/** The engine in the same thread: for tests and the command line. */
export function inProcessEngine(handlers: Handlers): Engine {
  return {
    async call<M extends Method>(method: M, params: Params<M>, options: CallOptions = {}) {
      const signal = options.signal ?? new AbortController().signal;
      const progress = options.onProgress ?? (() => undefined);
      return (await run(handlers, method, params, { signal, progress })) as EngineResult<Value<M>>;
    },
  };
}
