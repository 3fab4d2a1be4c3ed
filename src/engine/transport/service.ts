import type { Request, Response } from '../protocol/messages.ts';
import type { Handlers, Method } from '../protocol/methods.ts';
import { type EngineResult, failure } from '../protocol/result.ts';

/** The side of a message channel that the engine listens on. A worker's global scope is one. */
export interface ServicePort {
  postMessage(message: Response): void;
  addEventListener(type: 'message', listener: (event: { data: unknown }) => void): void;
}

/** Least time between two progress messages, in milliseconds: more would only keep the page busy. */
const PROGRESS_INTERVAL = 80;

type AnyHandler = (
  params: unknown,
  context: { signal: AbortSignal; progress: (p: unknown) => void },
) => EngineResult<unknown> | Promise<EngineResult<unknown>>;

/** Runs one method. Whatever it throws becomes an error with code `bug` (or `cancelled`), never an exception. */
export async function run(
  handlers: Handlers,
  method: Method,
  params: unknown,
  context: { signal: AbortSignal; progress: (p: never) => void },
): Promise<EngineResult<unknown>> {
  if (!Object.hasOwn(handlers, method)) return failure('bug', `the engine has no method "${String(method)}"`);
  const handler = handlers[method] as AnyHandler;
  try {
    return await handler(params, context as Parameters<AnyHandler>[1]);
  } catch (error) {
    if (context.signal.aborted) return failure('cancelled', 'cancelled');
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
    const progress = (p: never) => {
      const now = performance.now();
      if (now - sentAt < PROGRESS_INTERVAL) return;
      sentAt = now;
      port.postMessage({ type: 'progress', id, progress: p });
    };
    void run(handlers, method, params, { signal: controller.signal, progress }).then((result) => {
      running.delete(id);
      port.postMessage({ type: 'result', id, result });
    });
  });
}
