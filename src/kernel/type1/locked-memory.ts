// The account of locked pages of a process that uses type1: each mapping's pages count, again for every mapping and
// container that holds them. Source: Linux 6.12, vfio_pin_pages_remote and vfio_lock_acct.
import type { Pinning } from '../shared/memory.ts';
import type { MemoryRule } from '../shared/memory-rules.ts';

const BYTES_MAX = 2 ** 45;
/** With another `BYTES_MAX`, a number is still exact. */
const MORE_MAX = 2 ** 52;

/** Counts bytes; pages are all of one size. Shared by the containers of a model. */
export class LockedMemory {
  /** RLIMIT_MEMLOCK in bytes, rounded down to a page; `undefined`: no limit. */
  readonly limit: bigint | undefined;
  #used: bigint;
  /** Bytes that are locked and not in `#used` yet: a number, because most calls have small ones. */
  #more = 0;

  constructor(limit: bigint | undefined, pageSize: bigint, used = 0n) {
    this.limit = limit === undefined ? undefined : limit - (limit % pageSize);
    this.#used = used;
  }

  /** Bytes that are locked now, those of mappings that the kernel forgot to unlock included. */
  get used(): bigint {
    return this.#used + BigInt(this.#more);
  }

  clone(pageSize: bigint): LockedMemory {
    return new LockedMemory(this.limit, pageSize, this.used);
  }

  /**
   * Locks `size` bytes; returns how many count. Pages are counted as they are pinned: if those that can be pinned are too
   * many, that is the reason. A failure locks nothing.
   */
  lock(size: bigint, { end, counted }: Pinning): { readonly counted: bigint } | { readonly refused: MemoryRule } {
    const pinned = end && end.at < size ? end.at : size;
    if (counted && this.limit !== undefined && this.used + pinned > this.limit) return { refused: 'memory-limit' };
    if (end && end.at < size) return { refused: end.rule };
    if (!counted) return { counted: 0n };
    this.#used += size;
    return { counted: size };
  }

  unlock(bytes: bigint): void {
    this.#used -= bytes;
  }

  /**
   * Locks, or with a negative number unlocks, bytes that all count and can all be pinned. False, and nothing is changed, if the
   * limit does not permit it or if there are 2^45 or more: `lock` and `unlock` take those.
   */
  change(bytes: number): boolean {
    if (Math.abs(bytes) >= BYTES_MAX) return false;
    if (this.limit !== undefined && bytes > 0 && this.used + BigInt(bytes) > this.limit) return false;
    this.#more += bytes;
    if (Math.abs(this.#more) < MORE_MAX) return true;
    this.#used += BigInt(this.#more);
    this.#more = 0;
    return true;
  }
}
