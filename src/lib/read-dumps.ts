import type { DumpInput } from '../dumps/input/open.ts';
import type { Dumps } from './dumps.ts';
import { openDumps } from './opened.ts';

/** A dump in memory: text, or the bytes of a file, packed (gzip, xz, zstd) or an archive (tar, zip) too. */
export interface DumpData {
  /** Becomes the `source` of the facts; folders are separated by `/`. */
  readonly name: string;
  readonly data: string | Uint8Array;
}

/**
 * Reads dumps of any known format. Inputs that are read together describe one host unless they
 * contradict each other. Nothing throws for what an input
 * contains: what is malformed is a diagnostic of its source. Rejects with the signal's reason if that is aborted.
 */
export function readDumps(
  input: string | Uint8Array | DumpData | readonly DumpData[],
  options: { readonly signal?: AbortSignal } = {},
): Promise<Dumps> {
  const inputs = (Array.isArray(input) ? input : [input]).map(dumpInput);
  return openDumps(inputs, { signal: options.signal });
}

function dumpInput(input: string | Uint8Array | DumpData): DumpInput {
  const { name, data } =
    typeof input === 'string' || input instanceof Uint8Array ? { name: 'dump', data: input } : input;
  const bytes = typeof data === 'string' ? new TextEncoder().encode(data) : data;
  return {
    name,
    size: bytes.length,
    async *stream() {
      yield bytes;
    },
  };
}
