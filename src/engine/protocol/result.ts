// What a call of the engine resolves to. Failures are data, never exceptions.

export interface EngineError {
  readonly code:
    | 'cancelled'
    | 'not-recognized'
    | 'unknown-document'
    | 'no-such-range'
    | 'unusable'
    | 'outdated'
    | 'engine-restarted'
    /** A part of the engine could not be loaded from the page's server. */
    | 'not-loaded'
    | 'bug';
  readonly message: string;
  /** The lines of the message, if it has several parts; they are then shown instead of it. */
  readonly lines?: readonly string[];
  /** The first unrecognized lines, where that helps. */
  readonly samples?: readonly { readonly source: string; readonly line: number; readonly text: string }[];
}

export type EngineResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: EngineError };

export function failure(code: EngineError['code'], message: string, more: Partial<EngineError> = {}) {
  return { ok: false as const, error: { code, message, ...more } };
}

export function success<T>(value: T) {
  return { ok: true as const, value };
}
