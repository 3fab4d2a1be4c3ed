/** Work in milliseconds after which the event loop gets its turn. */
const TURN_MS = 8;

/** Keeps long work cooperative: gives way to the event loop now and then, and notices an abort. */
export class Pacer {
  #since = performance.now();
  readonly #signal: AbortSignal | undefined;
  #channel: MessageChannel | undefined;
  /** Shared: a stream and its consumer may both pause. */
  #turning: Promise<void> | undefined;

  constructor(signal?: AbortSignal) {
    this.#signal = signal;
  }

  throwIfAborted(): void {
    this.#signal?.throwIfAborted();
  }

  /** To be awaited between pieces of work. Throws the signal's reason if it was aborted. */
  async pause(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (performance.now() - this.#since < TURN_MS) return;
    this.#turning ??= this.#turn();
    await this.#turning;
    this.#signal?.throwIfAborted();
  }

  // A timer would do, but browsers stretch repeated ones to 4 ms. Node has setImmediate, and needs it: it hands out
  // up to a thousand messages of a port before it looks at anything else.
  #turn(): Promise<void> {
    return new Promise((resolve) => {
      const done = () => {
        this.#since = performance.now();
        this.#turning = undefined;
        resolve();
      };
      if (typeof globalThis.setImmediate === 'function') {
        globalThis.setImmediate(done);
        return;
      }
      this.#channel ??= new MessageChannel();
      const { port1, port2 } = this.#channel;
      port1.onmessage = done;
      port2.postMessage(undefined);
    });
  }

  /** Must be called at the end: an open channel is never collected. */
  close(): void {
    this.#channel?.port1.close();
    this.#channel = undefined;
  }
}
