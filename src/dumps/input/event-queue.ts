// The order of what is found. Events leave in the order of their places in the source. A place can be held open: a
// `group` fact stands where its group was first seen, but its devices may come much later.
import type { Fact, Operation, UnknownEvent } from '../../session/events.ts';

/** A line of a session file that this version does not know, or cannot read, with its text. */
export interface PassedThrough extends UnknownEvent {
  /** The line as it was, without the line end. */
  readonly text: string;
  readonly source: string;
  /** Counted from 1. */
  readonly line: number;
}

export type DumpEvent = Fact | Operation | PassedThrough;

/** True for what is neither a fact nor an operation. */
export function isPassedThrough(event: DumpEvent): event is PassedThrough {
  return !('kind' in event) && !('op' in event);
}

const BATCH = 512;
/** Events that may wait behind a held place. Beyond it the place is settled with what is known: memory stays bounded. */
const WAITING = 20_000;

type Entry = { readonly event: DumpEvent } | { readonly make: () => DumpEvent; readonly closed: () => void };

export class EventQueue {
  #waiting: Entry[] = [];
  #batch: DumpEvent[] = [];
  readonly #deliver: (batch: readonly DumpEvent[]) => void;

  constructor(deliver: (batch: readonly DumpEvent[]) => void) {
    this.#deliver = deliver;
  }

  push(event: DumpEvent): void {
    if (this.#waiting.length === 0) this.#out(event);
    else {
      this.#waiting.push({ event });
      if (this.#waiting.length > WAITING) this.settleAll();
    }
  }

  /**
   * Holds a place until `settleAll`. `make` gives the event that belongs there; `closed` is told that it has been
   * asked, so that what comes later needs a place of its own.
   */
  hold(make: () => DumpEvent, closed: () => void): void {
    this.#waiting.push({ make, closed });
  }

  /** Settles every held place: everything pushed so far may leave. */
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

  /** Delivers what may leave. */
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
