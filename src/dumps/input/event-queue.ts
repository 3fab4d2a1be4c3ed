// Keeps events in the order of their positions in the source. A position can be held open: a `group` fact belongs where
// its group was first seen, but its devices may come much later.
import type { AlikeOperations } from '../../session/event-lines.ts';
import type { Fact, Operation, UnknownEvent } from '../../session/events.ts';

/** A line of a session file that this version does not know, or cannot read, with its text. */
export interface PassedThrough extends UnknownEvent {
  /** The line unchanged, without the line end. */
  readonly text: string;
  readonly source: string;
  /** Counted from 1. */
  readonly line: number;
}

export type DumpEvent = Fact | Operation | PassedThrough;

/** True for an event that is neither a fact nor an operation. */
export function isPassedThrough(event: DumpEvent): event is PassedThrough {
  return !('kind' in event) && !('op' in event);
}

const BATCH = 512;
/** Events that may wait after a held position. Beyond that it is filled with what is known, to bound the memory. */
const WAITING = 20_000;

type Entry = { readonly event: DumpEvent } | { readonly make: () => DumpEvent; readonly closed: () => void };

export class EventQueue {
  #waiting: Entry[] = [];
  #batch: DumpEvent[] = [];
  readonly #deliver: (batch: readonly DumpEvent[]) => void;
  readonly #deliverAlike: ((operations: AlikeOperations, words: Uint32Array) => boolean) | undefined;

  /** `deliverAlike`: takes an operation by its addresses; false: it has to be delivered as an event. */
  constructor(
    deliver: (batch: readonly DumpEvent[]) => void,
    deliverAlike?: (operations: AlikeOperations, words: Uint32Array) => boolean,
  ) {
    this.#deliver = deliver;
    this.#deliverAlike = deliverAlike;
  }

  /** Adds an operation by its addresses. */
  pushAlike(operations: AlikeOperations, words: Uint32Array): void {
    if (this.#deliverAlike && this.#waiting.length === 0) {
      this.flush();
      if (this.#deliverAlike(operations, words)) return;
    }
    this.push(operations.make(words));
  }

  push(event: DumpEvent): void {
    if (this.#waiting.length === 0) this.#out(event);
    else {
      this.#waiting.push({ event });
      if (this.#waiting.length > WAITING) this.settleAll();
    }
  }

  /**
   * Holds a position until `settleAll`. `make` returns the event that belongs there; `closed` is called after it, because
   * what comes later needs a position of its own.
   */
  hold(make: () => DumpEvent, closed: () => void): void {
    this.#waiting.push({ make, closed });
  }

  /** Fills every held position, which releases everything pushed so far. */
  settleAll(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const entry of waiting) {
      if ('event' in entry) this.#out(entry.event);
      else {
        this.#out(entry.make());
        entry.closed();
      }
    }
  }

  /** Delivers the events that are released. */
  flush(): void {
    if (this.#batch.length === 0) return;
    const batch = this.#batch;
    this.#batch = [];
    this.#deliver(batch);
  }

  #out(event: DumpEvent): void {
    this.#batch.push(event);
    if (this.#batch.length >= BATCH) this.flush();
  }
}
