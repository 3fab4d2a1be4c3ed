// Results of model code: a value or a refusal inside a model, an outcome for its callers.
import type { Answer, DomainDescription, ReservedRegion } from '../../session/events.ts';
import type { InvalidOperation, Outcome } from '../model.ts';
import type { Refusal } from './refusal.ts';

/** A value, or the reason why there is none. */
export type Decision<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly refusal: Refusal };

export interface Permissions {
  readonly read: boolean;
  readonly write: boolean;
}

/** Success without a value. */
export const DONE = { ok: true, value: undefined } as const;

/** The outcome of an operation that only returns 0. */
export const SUCCESS: Outcome = { ok: true, answer: { ret: 0 } };

/** The outcome of an operation that no kernel could be asked to do. */
export function invalid(code: InvalidOperation['code'], message: string): Outcome {
  return { ok: false, invalid: { code, message } };
}

/** The operation names an object that does not exist; `what` is its kind: `IOAS`. */
export function unknownObject(what: string, name: string): Outcome {
  return invalid('unknown-object', `no ${what} '${name}'`);
}

/** The operation creates an object whose name is in use; `what` includes the article: `an IOAS`. */
export function nameInUse(what: string, name: string): Outcome {
  return invalid('name-in-use', `${what} '${name}' already exists`);
}

/** A decision as an outcome; `answer` makes the answer of a success, which is 0 otherwise. */
export function outcome<T>(result: Decision<T>, answer?: (value: T) => Answer): Outcome {
  if (!result.ok) return result;
  return answer ? { ok: true, answer: answer(result.value) } : SUCCESS;
}

/** The permissions among the flags of a mapping. */
export function permissionsOf(flags: readonly string[]): Permissions {
  return { read: flags.includes('read'), write: flags.includes('write') };
}

/** What is wrong with the description of a device to attach, if anything: a kernel would never see such values. */
export function badAttach(domain: DomainDescription, regions: readonly ReservedRegion[]): Outcome | undefined {
  if (domain.aperture[0] > domain.aperture[1])
    return invalid('bad-argument', 'the start of the aperture is above its end');
  if (domain.pgsize_bitmap === 0n) return invalid('bad-argument', 'the page size bitmap is empty');
  if (regions.some(({ start, last }) => start > last)) {
    return invalid('bad-argument', 'the start of a reserved region is above its end');
  }
  return undefined;
}
