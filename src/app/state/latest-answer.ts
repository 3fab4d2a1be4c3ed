import type { Method, Params, Value } from '../../engine/protocol/methods.ts';
import type { EngineError, EngineResult } from '../../engine/protocol/result.ts';

/** The last answer to a call, or why there is none. */
export interface Answer<T> {
  readonly value: T | undefined;
  readonly error: EngineError | undefined;
}

type Call<M extends Method> = (params: Params<M>, signal: AbortSignal) => Promise<EngineResult<Value<M>>>;

function sameValues(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  const [left, right] = [Object.entries(a), Object.entries(b)];
  const other = new Map(right);
  return (
    left.length === right.length && left.every(([key, value]) => other.has(key) && Object.is(value, other.get(key)))
  );
}

/**
 * The answer to a call whose parameters keep changing. Only the answer to the latest call is used; until it arrives, the
 * previous answer stays, so that nothing flickers.
 */
export class LatestAnswer<M extends Method> {
  readonly #call: Call<M>;
  readonly #onChange: (answer: Answer<Value<M>>) => void;
  #turn = 0;
  /** Cancels the pending call. */
  #under = new AbortController();
  #params: Params<M> | undefined;
  #since: readonly unknown[] | undefined;

  constructor(call: Call<M>, onChange: (answer: Answer<Value<M>>) => void) {
    this.#call = call;
    this.#onChange = onChange;
  }

  /**
   * Makes the call unless it equals the last one: the same parameters, compared one by one, and the same `since`, which is
   * everything else that the answer depends on. `params` undefined: no call, no answer.
   */
  request(params: Params<M> | undefined, ...since: readonly unknown[]): void {
    if (this.#since !== undefined && sameValues(params, this.#params) && sameValues(since, this.#since)) return;
    this.#params = params;
    this.#since = since;
    const turn = this.#next();
    if (params === undefined) {
      this.#onChange({ value: undefined, error: undefined });
      return;
    }
    void this.#call(params, this.#under.signal).then((result) => {
      if (turn !== this.#turn) return;
      // The last answer is still valid; the call is repeated with the restarted engine.
      if (!result.ok && result.error.code === 'engine-restarted') return;
      this.#onChange(result.ok ? { value: result.value, error: undefined } : { value: undefined, error: result.error });
    });
  }

  #next(): number {
    this.#under.abort();
    this.#under = new AbortController();
    return ++this.#turn;
  }

  /** Drops the pending answer. The next call is made even if it is the same. */
  stop(): void {
    this.#next();
    this.#since = undefined;
  }
}
