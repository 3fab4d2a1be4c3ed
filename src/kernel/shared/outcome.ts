// What model code hands around: a value or a refusal inside a model, an outcome at its door.
import type { Answer, DomainDescription, ReservedRegion } from '../../session/events.ts';
import type { InvalidOperation, Outcome } from '../model.ts';
import type { Refusal } from './refusal.ts';

/** A value, or the reason why there is none. */
export type Decision<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export interface Permissions {
  readonly read: boolean;
  readonly write: boolean;
}

/** Success of what gives no value. */
export const DONE = { ok: true, value: undefined } as const;

/** The outcome of an operation that answers nothing but 0. */
export const SUCCESS: Outcome = { ok: true, answer: { ret: 0 } };

/** The outcome of an operation that cannot be put to the model. */
export function invalid(code: InvalidOperation['code'], message: string): Outcome {
  return { ok: false, invalid: { code, message } };
}

/** The operation names an object that is not there; `what` is such as `IOAS`. */
export function unknownObject(what: string, name: string): Outcome {
  return invalid('unknown-object', `there is no ${what} '${name}'`);
}

/** The operation makes an object of a name that is taken; `what` has its article, such as `an IOAS`. */
export function nameInUse(what: string, name: string): Outcome {
  return invalid('name-in-use', `there is already ${what} '${name}'`);
}

/** A result as an outcome; `answer` makes the answer of a success that has more to say than 0. */
export function outcome<T>(result: Decision<T>, answer?: (value: T) => Answer): Outcome {
  if (!result.ok) return result;
  return answer ? { ok: true, answer: answer(result.value) } : SUCCESS;
}

/** The permissions among the flags of a mapping. */
export function permissionsOf(flags: readonly string[]): Permissions {
  return { read: flags.includes('read'), write: flags.includes('write') };
}

/** What is wrong with the description of a device that is to be attached, if anything: no kernel would come to see it. */
export function badAttach(domain: DomainDescription, regions: readonly ReservedRegion[]): Outcome | undefined {
  if (domain.aperture[0] > domain.aperture[1]) return invalid('bad-argument', 'the aperture ends before it starts');
  if (domain.pgsize_bitmap === 0n) return invalid('bad-argument', 'the page size bitmap is empty');
  if (regions.some(({ start, last }) => start > last)) {
    return invalid('bad-argument', 'a reserved region ends before it starts');
  }
  return undefined;
}
