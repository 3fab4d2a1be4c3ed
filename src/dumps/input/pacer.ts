/** Milliseconds of work after which the event loop gets its turn. */
const TURN_MS = 8;

/** Keeps long work cooperative: yields to the event loop regularly, and throws after an abort. */
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

  /** True if `pause` has something to do: to await it where that is not so takes longer than small pieces of work. */
  get isDue(): boolean {
    return this.#signal?.aborted === true || performance.now() - this.#since >= TURN_MS;
  }

  /** Await it between pieces of work. Throws the signal's reason if it was aborted. */
  async pause(): Promise<void> {
    this.#signal?.throwIfAborted();
    if (!this.isDue) return;
    this.#turning ??= this.#turn();
    await this.#turning;
    this.#signal?.throwIfAborted();
  }

  // Not a timer: browsers delay repeated ones to 4 ms. Node has setImmediate, and needs it: it delivers up to a thousand
  // messages of a port before anything else.
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

  /** Must be called at the end: an open channel is never garbage collected. */
  close(): void {
    this.#channel?.port1.close();
    this.#channel = undefined;
  }
}
