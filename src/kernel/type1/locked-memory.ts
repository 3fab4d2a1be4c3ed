// The account of locked pages of a process that uses type1: each mapping's pages count, again for every mapping and
// container that holds them. Source: Linux 6.12, vfio_pin_pages_remote and vfio_lock_acct.
import type { Pinning } from '../shared/memory.ts';
import type { MemoryRule } from '../shared/memory-rules.ts';

/** Counts bytes; pages are all of one size. Shared by the containers of a model. */
export class LockedMemory {
  /** RLIMIT_MEMLOCK in bytes, rounded down to a page; `undefined`: no limit. */
  readonly limit: bigint | undefined;
  #used: bigint;

  constructor(limit: bigint | undefined, pageSize: bigint, used = 0n) {
    this.limit = limit === undefined ? undefined : limit - (limit % pageSize);
    this.#used = used;
  }

  /** Bytes that are locked now, those of mappings that the kernel forgot to unlock included. */
  get used(): bigint {
    return this.#used;
  }

  clone(pageSize: bigint): LockedMemory {
    return new LockedMemory(this.limit, pageSize, this.#used);
  }

  /**
   * Locks `size` bytes; returns how many count. Pages are counted as they are pinned: if those that can be pinned are too
   * many, that is the reason. A failure locks nothing.
   */
  lock(size: bigint, { end, counted }: Pinning): { readonly counted: bigint } | { readonly refused: MemoryRule } {
    const pinned = end && end.at < size ? end.at : size;
    if (counted && this.limit !== undefined && this.#used + pinned > this.limit) return { refused: 'memory-limit' };
    if (end && end.at < size) return { refused: end.rule };
    if (!counted) return { counted: 0n };
    this.#used += size;
    return { counted: size };
  }

  unlock(bytes: bigint): void {
    this.#used -= bytes;
  }
}
