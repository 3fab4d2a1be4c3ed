// What is behind the memory of a mapping, and whether its pages can be pinned.

import type { KernelRules } from '../version-changes.ts';
import type { MemoryRule } from './memory-rules.ts';

/** Memory as an operation describes it; RAM if `memory` is left out. */
export interface Backing {
  /** A word of the session format: `hole`, `pfnmap` …; an unknown one counts as RAM. */
  readonly memory?: string | undefined;
  /** Bytes from the first byte of the range that exist, with `tail-hole` and `past-eof`. */
  readonly present?: bigint | undefined;
}

/** Which pages of a range can be pinned. */
export interface Pinning {
  /** Bytes from the first byte of the range that can be pinned, and why the rest cannot; `undefined`: all can. */
  readonly end?: { readonly at: bigint; readonly rule: MemoryRule } | undefined;
  /** False if the pages do not count as locked memory. */
  readonly counted: boolean;
}

const ALL: Pinning = { counted: true };

function upTo(at: bigint, rule: MemoryRule): Pinning {
  return { end: { at, rule }, counted: true };
}

/** Which interface pins: only type1 can pin the pages of a device (its BAR). */
export type PinningApi = 'type1' | 'iommufd';

/**
 * Which pages can be pinned, read-only or for writing.
 * Measured on 6.1.192, 6.12.117 and 7.3.4 with type1, on the last two with iommufd.
 */
export function pinningOf(
  { memory, present = 0n }: Backing,
  write: boolean,
  api: PinningApi,
  rules: KernelRules,
): Pinning {
  switch (memory) {
    case 'hole':
      return upTo(0n, 'memory-hole');
    case 'tail-hole':
      return upTo(present, 'memory-hole');
    case 'past-eof':
      return upTo(present, 'memory-past-eof');
    case 'read-only':
      return write ? upTo(0n, 'memory-read-only') : ALL;
    case 'pfnmap':
      return api === 'type1' ? { counted: false } : upTo(0n, 'memory-device');
    case 'pfnmap-off':
      return upTo(0n, 'memory-device-off');
    case 'disk-file':
      return write && rules.has('disk-file-not-pinned') ? upTo(0n, 'memory-disk-file') : ALL;
    default:
      return ALL;
  }
}
