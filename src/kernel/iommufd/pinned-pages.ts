// The memory behind areas: what can be pinned of it, and how much of it is pinned and counts as locked memory. Each map
// makes an object; copies share it. A page of an object counts once, whoever pins it.
import type { IovaRange } from '../../iova/range.ts';
import { rangeSet, subtract } from '../../iova/range-set.ts';
import { type Backing, pinningOf } from '../shared/memory.ts';
import type { MemoryRule } from '../shared/memory-rules.ts';
import { asRange } from '../shared/obstacles.ts';
import type { KernelRules } from '../version-changes.ts';

/** Why pages cannot be pinned: a rule of iommufd. */
export type PinRule = MemoryRule | 'file-past-eof' | 'file-not-memfd';

/** A part of the memory of an object, by the address in the user's memory or in the file. */
export interface PinRequest {
  /** Number of the object. */
  readonly pages: number;
  readonly userVa: bigint;
  /** Bytes, 1 or more. */
  readonly length: bigint;
}

interface PinLimit {
  readonly base: bigint;
  readonly end: { readonly at: bigint; readonly rule: PinRule };
}

/** The objects of one file descriptor. */
export class PinnedPages {
  /** RLIMIT_MEMLOCK in bytes, of whole pages; `undefined`: no limit, and nothing is counted. */
  readonly limit: bigint | undefined;
  readonly #page: bigint;
  readonly #rules: KernelRules;
  /** Objects of which something cannot be pinned. */
  readonly #limits = new Map<number, PinLimit>();
  /** With a limit: the pinned ranges of each object, one for each pin, in whole pages. */
  readonly #pinned = new Map<number, IovaRange[]>();
  #used = 0n;

  constructor(memlock: bigint | undefined, page: bigint, rules: KernelRules) {
    this.limit = memlock === undefined ? undefined : memlock - (memlock % page);
    this.#page = page;
    this.#rules = rules;
  }

  /** True if nothing is ever refused or counted, so that pins need not be told. */
  get isIdle(): boolean {
    return this.limit === undefined && this.#limits.size === 0;
  }

  clone(): PinnedPages {
    const copy = new PinnedPages(this.limit, this.#page, this.#rules);
    for (const [pages, limit] of this.#limits) copy.#limits.set(pages, limit);
    for (const [pages, ranges] of this.#pinned) copy.#pinned.set(pages, [...ranges]);
    copy.#used = this.#used;
    return copy;
  }

  /** Adds an object: memory that a map describes, whose first byte is at `base`. `write`: mapped for writing. */
  describe(pages: number, base: bigint, backing: Backing, write: boolean, isFile: boolean): void {
    // The number of a map that was refused is used again.
    this.#limits.delete(pages);
    if (backing.memory === undefined) return;
    if (isFile && (backing.memory === 'other-file' || backing.memory === 'disk-file')) {
      this.#limits.set(pages, { base, end: { at: 0n, rule: 'file-not-memfd' } });
      return;
    }
    // How the file is open is not looked at.
    if (isFile && backing.memory === 'read-only') return;
    const { end } = pinningOf(backing, write, 'iommufd', this.#rules);
    if (!end) return;
    const rule = isFile && end.rule === 'memory-past-eof' ? 'file-past-eof' : end.rule;
    this.#limits.set(pages, { base, end: { at: end.at, rule } });
  }

  /** Pins a part of an object, or says why not: what is behind it comes before the limit. */
  pin({ pages, userVa, length }: PinRequest): PinRule | undefined {
    const limit = this.#limits.get(pages);
    if (limit && userVa + length > limit.base + limit.end.at) return limit.end.rule;
    if (this.limit === undefined) return undefined;
    const range = this.#pagesOf(userVa, length);
    const held = this.#pinned.get(pages) ?? [];
    const more = bytesOf(subtract([range], rangeSet(held)));
    if (this.#used + more > this.limit) return 'memory-limit';
    this.#used += more;
    this.#pinned.set(pages, [...held, range]);
    return undefined;
  }

  /** Takes back one pin of exactly this part. */
  unpin({ pages, userVa, length }: PinRequest): void {
    if (this.limit === undefined) return;
    const range = this.#pagesOf(userVa, length);
    const held = this.#pinned.get(pages) ?? [];
    const at = held.findIndex(({ start, last }) => start === range.start && last === range.last);
    if (at < 0) return;
    const rest = held.toSpliced(at, 1);
    this.#used -= bytesOf(subtract([range], rangeSet(rest)));
    if (rest.length > 0) this.#pinned.set(pages, rest);
    else this.#pinned.delete(pages);
  }

  /** Pins several parts, or none: then it says which one is refused and why. */
  pinAll(requests: Iterable<PinRequest>): { readonly rule: PinRule; readonly index: number } | undefined {
    const done: PinRequest[] = [];
    for (const request of requests) {
      const rule = this.pin(request);
      if (rule === undefined) {
        done.push(request);
        continue;
      }
      for (const pinned of done) this.unpin(pinned);
      return { rule, index: done.length };
    }
    return undefined;
  }

  /** The whole pages that a part touches. */
  #pagesOf(userVa: bigint, length: bigint): IovaRange {
    const last = userVa + length - 1n;
    return asRange(userVa - (userVa % this.#page), last - (last % this.#page) + this.#page - 1n);
  }
}

function bytesOf(ranges: readonly IovaRange[]): bigint {
  return ranges.reduce((sum, { start, last }) => sum + (last - start + 1n), 0n);
}
