import { PartNotLoaded } from '../load-part.ts';
import type { Request, Response } from '../protocol/messages.ts';
import type { CallContext, Handlers, Method, Params, Progress, Value } from '../protocol/methods.ts';
import { type EngineResult, failure } from '../protocol/result.ts';

/** The side of a message channel that the engine listens on. A worker's global scope is one. */
export interface ServicePort {
  postMessage(message: Response): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
}

/** Minimum time between two progress messages, in milliseconds: more messages would only keep the page busy. */
const PROGRESS_INTERVAL = 80;

/** Runs one method. Whatever it throws becomes an error with code `bug` (or `cancelled`), never an exception. */
export async function run<M extends Method>(
  handlers: Handlers,
  method: M,
  params: Params<M>,
  context: CallContext,
): Promise<EngineResult<Value<M>>> {
  if (!Object.hasOwn(handlers, method)) return failure('bug', `the engine has no method "${String(method)}"`);
  const handler: Handlers[M] = handlers[method];
  try {
    return await handler(params, context);
  } catch (error) {
    if (context.signal.aborted) return failure('cancelled', 'cancelled');
    if (error instanceof PartNotLoaded) return failure('not-loaded', error.message);
    return failure('bug', error instanceof Error ? `${error.name}: ${error.message}` : String(error));
  }
}

function isRequest(data: unknown): data is Request {
  if (typeof data !== 'object' || data === null || !('type' in data) || !('id' in data)) return false;
  return typeof data.id === 'number' && (data.type === 'cancel' || (data.type === 'call' && 'method' in data));
}

/** Answers the calls that arrive on a port. Other messages are ignored. */
export function serve(port: ServicePort, handlers: Handlers): void {
  const running = new Map<number, AbortController>();
  port.addEventListener('message', ({ data }) => {
    if (!isRequest(data)) return;
    if (data.type === 'cancel') {
      running.get(data.id)?.abort();
      return;
    }
    const { id, method, params } = data;
    const controller = new AbortController();
    running.set(id, controller);
    let sentAt = Number.NEGATIVE_INFINITY;
    const progress = (state: Progress) => {
      const now = performance.now();
      if (now - sentAt < PROGRESS_INTERVAL) return;
      sentAt = now;
      port.postMessage({ type: 'progress', id, progress: state });
    };
    // Page and worker are built together: the parameters are those of the method.
    void run(handlers, method, params as never, { signal: controller.signal, progress }).then((result) => {
      running.delete(id);
      port.postMessage({ type: 'result', id, result });
    });
  });
}
