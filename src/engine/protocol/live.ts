// A live host.

/** Something that changed on a live host. */
export interface LiveChange {
  /** Number of session events up to and including this change. */
  readonly position: number;
  /** Seconds since 1970. */
  readonly time: number;
  readonly labels: readonly string[];
  /** Number of events that were lost here and are not in the session. The entry is then not a change. */
  readonly lost?: number;
}

/** The state of a live host's connection, and recent changes. */
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
