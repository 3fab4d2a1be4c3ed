// The contents of a session: a header, then facts (`kind`) and operations (`op`) in the order in which they happened.
// In memory every address is a bigint; in a file it is a lower-case hex string (see read.ts and write.ts).
import type * as v from 'valibot';
import type { domain, expectation, FACTS, HEADER, OPERATIONS, region } from './schema.ts';

export type SessionHeader = v.InferOutput<typeof HEADER>;

export type FactKind = keyof typeof FACTS;
export type FactOf<K extends FactKind> = v.InferOutput<(typeof FACTS)[K]>;
export type Fact = { [K in FactKind]: FactOf<K> }[FactKind];

export type Answer = v.InferOutput<typeof expectation>;

export type DomainDescription = v.InferOutput<typeof domain>;
export type ReservedRegion = v.InferOutput<typeof region>;
export type OperationName = keyof typeof OPERATIONS;
export type OperationOf<O extends OperationName> = v.InferOutput<(typeof OPERATIONS)[O]>;
export type Operation = { [O in OperationName]: OperationOf<O> }[OperationName];

/** A line that this version does not know. It is kept, written back unchanged, and reported. */
export interface UnknownEvent {
  readonly unknown: 'kind' | 'op' | 'line';
  /** The kind or op as written; for a line that cannot be read, the reason. */
  readonly name: string;
}

export type SessionEvent = Fact | Operation | UnknownEvent;

export function isFact(event: SessionEvent): event is Fact {
  return 'kind' in event;
}

export function isOperation(event: SessionEvent): event is Operation {
  return 'op' in event && !('kind' in event);
}

/** Facts and operations may have any other field, so `in` alone does not distinguish them. */
export function isUnknownEvent<E extends SessionEvent>(event: E): event is Extract<E, UnknownEvent> {
  return !('kind' in event) && !('op' in event);
}
