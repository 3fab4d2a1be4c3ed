/**
 * Numbers the requests of one kind, so that an answer can be dropped if a later request was made: answers may arrive in any
 * order.
 */
export class Turns {
  #latest = 0;

  /** Starts a request; every earlier turn is outdated from now on. */
  next(): number {
    return ++this.#latest;
  }

  /** The turn of the latest request. */
  get current(): number {
    return this.#latest;
  }

  isCurrent(turn: number): boolean {
    return turn === this.#latest;
  }
}
