import type { CallOptions, Engine, Handlers, Method, Params } from '../protocol/methods.ts';
import { run } from './service.ts';

/** The engine in the same thread: for tests and the command line. */
export function inProcessEngine(handlers: Handlers): Engine {
  return {
    async call<M extends Method>(method: M, params: Params<M>, options: CallOptions = {}) {
      const signal = options.signal ?? new AbortController().signal;
      const progress = options.onProgress ?? (() => undefined);
      return run(handlers, method, params, { signal, progress });
    },
  };
}
