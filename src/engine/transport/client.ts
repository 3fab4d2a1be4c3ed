import type { Request, Response } from '../protocol/messages.ts';
import type { CallOptions, Engine, Method, Params, Value } from '../protocol/methods.ts';
import { type EngineError, type EngineResult, failure } from '../protocol/result.ts';

/** The page's end of a worker. `Worker` is one. */
export interface EnginePort {
  postMessage(message: Request): void;
  onmessage: ((event: MessageEvent<Response>) => void) | null;
  onerror: ((event: ErrorEvent) => void) | null;
  onmessageerror: ((event: MessageEvent) => void) | null;
  terminate(): void;
}

interface Pending {
  readonly method: Method;
  readonly params: unknown;
  readonly resolve: (result: EngineResult<unknown>) => void;
  readonly onProgress?: CallOptions['onProgress'];
  /** Running out: a cancelled call that the engine does not give up. */
  giveUp?: ReturnType<typeof setTimeout>;
}

/** Methods that change what is open. */
const CHANGING: ReadonlySet<Method> = new Set(['open', 'close', 'seek', 'run']);

interface Remembered {
  readonly method: Method;
  readonly params: unknown;
}

/** How long a cancelled call may go on before the worker is ended for it, in milliseconds. */
const CANCEL_PATIENCE = 4000;

/**
 * The engine behind a worker. Calls that change what is open (`open`, `close`, `seek`, `run`) are remembered when they have
 * succeeded; when the worker dies, or does not let go of a cancelled call, a new one is started and given them again in
 * order, so that what was open stays open. Calls that were under way fail with `engine-restarted`: the one that killed
 * the engine is not tried again.
 */
export class EngineClient implements Engine {
  readonly #start: () => EnginePort;
  readonly #onRestart: (reason: string) => void;
  #port: EnginePort;
  #nextId = 1;
  readonly #pending = new Map<number, Pending>();
  /** Document id to the calls that made it what it is. */
  readonly #journal = new Map<string, Remembered[]>();
  /** Calls that a new engine has yet to be given; the first of them may be under way. */
  #replay: Remembered[] = [];

  /** `onRestart` is told why the engine had to be started again, after what was open has been asked for again. */
  constructor(start: () => EnginePort, onRestart: (reason: string) => void = () => undefined) {
    this.#start = start;
    this.#onRestart = onRestart;
    this.#port = this.#connect();
  }

  #connect(): EnginePort {
    const port = this.#start();
    port.onmessage = ({ data }) => this.#receive(data);
    port.onerror = (event) => {
      event.preventDefault();
      this.restart(event.message || 'the engine stopped');
    };
    port.onmessageerror = () => this.restart('an answer of the engine could not be read');
    return port;
  }

  #receive(message: Response): void {
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    if (message.type === 'progress') {
      pending.onProgress?.(message.progress);
      return;
    }
    this.#settle(message.id, pending, message.result);
  }

  #settle(id: number, pending: Pending, result: EngineResult<unknown>): void {
    this.#pending.delete(id);
    clearTimeout(pending.giveUp);
    if (result.ok) this.#remember(pending);
    pending.resolve(result);
  }

  #remember({ method, params }: Pending): void {
    if (!CHANGING.has(method)) return;
    const document = (params as { id: string }).id;
    if (method === 'close') {
      this.#journal.delete(document);
      return;
    }
    // The latest of each method is enough; a new opening makes the earlier ones void.
    const earlier =
      method === 'open' ? [] : (this.#journal.get(document) ?? []).filter((call) => call.method !== method);
    this.#journal.set(document, [...earlier, { method, params }]);
  }

  call<M extends Method>(method: M, params: Params<M>, options: CallOptions = {}): Promise<EngineResult<Value<M>>> {
    if (options.signal?.aborted) return Promise.resolve(failure('cancelled', 'cancelled'));
    const id = this.#nextId++;
    const answer = new Promise<EngineResult<unknown>>((resolve) => {
      this.#pending.set(id, {
        method,
        params,
        resolve,
        ...(options.onProgress ? { onProgress: options.onProgress } : {}),
      });
    });
    this.#port.postMessage({ type: 'call', id, method, params });
    options.signal?.addEventListener('abort', () => this.#cancel(id), { once: true });
    return answer as Promise<EngineResult<Value<M>>>;
  }

  #cancel(id: number): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#port.postMessage({ type: 'cancel', id });
    pending.giveUp = setTimeout(() => {
      this.#settle(id, pending, failure('cancelled', 'cancelled'));
      this.restart('a cancelled call did not stop');
    }, CANCEL_PATIENCE);
  }

  /** Ends the worker and starts another with the same documents open. */
  restart(reason: string): void {
    this.#port.onmessage = null;
    this.#port.onerror = null;
    this.#port.terminate();
    const lost: EngineError = { code: 'engine-restarted', message: `the engine was started again: ${reason}` };
    const interrupted = [...this.#pending.values()];
    this.#pending.clear();
    // A call that was being given again and brought the engine down once more is not given a third time.
    this.#replay = [...[...this.#journal.values()].flat(), ...this.#replay.slice(1)];
    this.#journal.clear();
    this.#port = this.#connect();
    for (const pending of interrupted) {
      clearTimeout(pending.giveUp);
      pending.resolve({ ok: false, error: lost });
    }
    void this.#giveAgain(reason);
  }

  async #giveAgain(reason: string): Promise<void> {
    const port = this.#port;
    for (let next = this.#replay[0]; next; next = this.#replay[0]) {
      await this.call(next.method, next.params as never);
      if (port !== this.#port) return;
      this.#replay.shift();
    }
    this.#onRestart(reason);
  }

  /** Ends the worker for good. */
  dispose(): void {
    this.#port.terminate();
    for (const [, pending] of this.#pending) clearTimeout(pending.giveUp);
    this.#pending.clear();
  }
}
