import type { Request, Response } from '../protocol/messages.ts';
import type { CallOptions, Engine, Method, Params, Value } from '../protocol/methods.ts';
import { type EngineError, type EngineResult, failure } from '../protocol/result.ts';
import { Journal, type JournalEntry } from './journal.ts';

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
  /** Timer of a cancelled call: when it fires, the engine is restarted. */
  cancelTimer?: ReturnType<typeof setTimeout>;
}

/** Time for a cancelled call to stop before the worker is restarted, in milliseconds. */
const CANCEL_TIMEOUT = 4000;

/**
 * The engine behind a worker. Successful calls that change what is open (`open`, `close`, `undo`, …) are kept in a
 * journal. When the worker dies, or does not stop a cancelled call, a new one is started and the journal is replayed in
 * order, so that documents stay open; calls made during the replay wait for it. Pending calls fail with
 * `engine-restarted` and are not repeated: one of them may have caused the crash.
 */
export class EngineClient implements Engine {
  readonly #start: () => EnginePort;
  readonly #onRestart: (reason: string) => void;
  #port: EnginePort;
  #nextId = 1;
  readonly #pending = new Map<number, Pending>();
  readonly #journal = new Journal();
  /** Calls that are still to be replayed in a new engine; the first may be pending. */
  #replay: JournalEntry[] = [];
  /** Starts the calls that were made during the replay, in order: they refer to the restored case. */
  #waiting: (() => void)[] = [];

  /** `onRestart` gets the reason of a restart, after the journal has been replayed. */
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
    port.onmessageerror = () => this.restart('an answer from the engine could not be read');
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
    clearTimeout(pending.cancelTimer);
    if (result.ok) this.#journal.record(pending);
    pending.resolve(result);
  }

  call<M extends Method>(method: M, params: Params<M>, options: CallOptions = {}): Promise<EngineResult<Value<M>>> {
    if (options.signal?.aborted) return Promise.resolve(failure('cancelled', 'cancelled'));
    return this.#replay.length === 0 ? this.#post(method, params, options) : this.#postLater(method, params, options);
  }

  #postLater<M extends Method>(method: M, params: Params<M>, options: CallOptions): Promise<EngineResult<Value<M>>> {
    return new Promise((resolve) => {
      const start = () => resolve(this.call(method, params, options));
      this.#waiting.push(start);
      options.signal?.addEventListener(
        'abort',
        () => {
          if (!this.#waiting.includes(start)) return;
          this.#waiting = this.#waiting.filter((other) => other !== start);
          resolve(failure('cancelled', 'cancelled'));
        },
        { once: true },
      );
    });
  }

  #post<M extends Method>(method: M, params: Params<M>, options: CallOptions = {}): Promise<EngineResult<Value<M>>> {
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
    // The engine answers a method with its own value: ids keep the answers apart.
    return answer as Promise<EngineResult<Value<M>>>;
  }

  #cancel(id: number): void {
    const pending = this.#pending.get(id);
    if (!pending) return;
    this.#port.postMessage({ type: 'cancel', id });
    pending.cancelTimer = setTimeout(() => {
      this.#settle(id, pending, failure('cancelled', 'cancelled'));
      this.restart('a cancelled call did not stop');
    }, CANCEL_TIMEOUT);
  }

  /** Replaces the worker by a new one with the same documents open. */
  restart(reason: string): void {
    this.#port.onmessage = null;
    this.#port.onerror = null;
    this.#port.terminate();
    const lost: EngineError = { code: 'engine-restarted', message: `the engine was restarted: ${reason}` };
    const interrupted = [...this.#pending.values()];
    this.#pending.clear();
    // The first call of a replay that was interrupted crashed the engine again: it is dropped.
    this.#replay = [...this.#journal.takeAll(), ...this.#replay.slice(1)];
    this.#port = this.#connect();
    for (const pending of interrupted) {
      clearTimeout(pending.cancelTimer);
      pending.resolve({ ok: false, error: lost });
    }
    void this.#replayJournal(reason);
  }

  async #replayJournal(reason: string): Promise<void> {
    const port = this.#port;
    for (let next = this.#replay[0]; next; next = this.#replay[0]) {
      // Method and parameters were recorded together.
      await this.#post(next.method, next.params as never);
      if (port !== this.#port) return;
      this.#replay.shift();
    }
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const start of waiting) start();
    this.#onRestart(reason);
  }

  /** Stops the worker. */
  dispose(): void {
    this.#port.terminate();
    for (const [, pending] of this.#pending) clearTimeout(pending.cancelTimer);
    this.#pending.clear();
  }
}
