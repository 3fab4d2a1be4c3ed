// A live host.

/** Something that changed on a live host. */
export interface LiveChange {
  /** How many events of the session there are up to and including it. */
  readonly position: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly labels: readonly string[];
  /** Events that happened here and are not in the session. It is no change then. */
  readonly lost?: number;
}

/** How a live host is connected, and what happened lately. */
export interface LiveState {
  readonly connection: 'connecting' | 'live' | 'waiting' | 'ended';
  /** Why it is not live, or what is wrong with the probe; empty if nothing is. */
  readonly message: string;
  /** The host's name, once it is known. */
  readonly name: string;
  /** Number of the last message. */
  readonly sequence: number;
  /** Facts that could not be carried. */
  readonly lost: number;
  readonly changes: readonly LiveChange[];
}
