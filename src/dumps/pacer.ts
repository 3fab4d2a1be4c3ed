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

  // A timer would do, but browsers stretch repeated ones to 4 ms.
  #turn(): Promise<void> {
    this.#channel ??= new MessageChannel();
    const { port1, port2 } = this.#channel;
    return new Promise((resolve) => {
      port1.onmessage = () => {
        this.#since = performance.now();
        this.#turning = undefined;
        resolve();
      };
      port2.postMessage(undefined);
    });
  }

  /** Must be called at the end: an open channel keeps Node alive. */
  close(): void {
    this.#channel?.port1.close();
    this.#channel = undefined;
  }
}
