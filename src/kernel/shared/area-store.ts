import { fromWords, highWord, lowWord } from '../../iova/address-halves.ts';
import { IntervalTree } from '../../iova/interval-tree/tree.ts';
import type { EntryMaker, IntervalEntry } from '../../iova/interval-tree/types.ts';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { grown } from '../../iova/typed-arrays.ts';
import type { AreaView } from '../model.ts';
import type { PreparedMap, WordRange, Words } from './prepared.ts';

const READ = 1;
const WRITE = 2;
const PAGES_WRITABLE = 4;
const FIRST_CAPACITY = 4;
const NO_WORDS = new Uint32Array(0);
const NO_FLAGS = new Uint8Array(0);
const NO_EVENTS = new Int32Array(0);

/** What is mapped in an area. */
export interface Mapping {
  /** Address of the first byte in the user's memory. */
  readonly userVa: bigint;
  /** Number of the shared pages; below 2^32. */
  readonly pages: number;
  readonly read: boolean;
  readonly write: boolean;
  /** True if the pages were first mapped with write permission: a copy may request it again. */
  readonly pagesWritable: boolean;
  /** Index of the event that made the area, or −1. */
  readonly origin: number;
}

export interface Area extends AreaView {
  readonly pagesWritable: boolean;
  readonly handle: number;
}

/** Two words are an address, whatever they hold. */
function addressOf(high: number, low: number): Iova {
  return fromWords(high, low) as Iova;
}

/** The entry of a column. Handles come from the tree, so every one of them has an entry. */
function entryAt(column: Uint32Array | Int32Array | Uint8Array, index: number): number {
  return column[index] ?? 0;
}

/** The areas of an address space: their ranges in a tree, what is mapped there in columns by handle. */
export class AreaStore {
  readonly tree: IntervalTree;
  /** Two words per handle: high, low. */
  #userVa = NO_WORDS;
  #pages = NO_WORDS;
  #flags = NO_FLAGS;
  #origin = NO_EVENTS;
  /** Number of handles ever used. */
  #used = 0;
  #free: number[] = [];

  constructor(tree = new IntervalTree()) {
    this.tree = tree;
  }

  get size(): number {
    return this.tree.size;
  }

  clone(): AreaStore {
    const copy = new AreaStore(this.tree.clone());
    const capacity = this.#used;
    if (capacity === 0) return copy;
    copy.#userVa = this.#userVa.slice(0, capacity * 2);
    copy.#pages = this.#pages.slice(0, capacity);
    copy.#flags = this.#flags.slice(0, capacity);
    copy.#origin = this.#origin.slice(0, capacity);
    copy.#used = this.#used;
    copy.#free = this.#free.slice();
    return copy;
  }

  /**
   * Adds an area; returns its handle. It may overlap another: the caller checks that, and some versions of the kernel
   * permit it.
   */
  add(start: bigint, last: bigint, mapping: Mapping): number {
    const flags =
      (mapping.read ? READ : 0) | (mapping.write ? WRITE : 0) | (mapping.pagesWritable ? PAGES_WRITABLE : 0);
    const { userVa, pages, origin } = mapping;
    const handle = this.#newHandle(highWord(userVa), lowWord(userVa), pages, flags, origin);
    this.tree.insert(start, last, handle);
    return handle;
  }

  /** Adds the area of a prepared map whose range is known. Its handle; −1, and nothing is changed, if an area overlaps it. */
  addPrepared(map: PreparedMap, words: Words, range: WordRange, pages: number, origin: number): number {
    const { startHigh, startLow, lastHigh, lastLow } = range;
    const handle = this.#free[this.#free.length - 1] ?? this.#used;
    if (!this.tree.insertFree(startHigh, startLow, lastHigh, lastLow, handle)) return -1;
    const { userVa, read, write } = map;
    const flags = (read ? READ : 0) | (write ? WRITE | PAGES_WRITABLE : 0);
    // Takes that handle.
    return this.#newHandle(words[userVa * 2] as number, words[userVa * 2 + 1] as number, pages, flags, origin);
  }

  #newHandle(userVaHigh: number, userVaLow: number, pages: number, flags: number, origin: number): number {
    const handle = this.#free.pop() ?? this.#used++;
    if (handle >= this.#flags.length) {
      const capacity = Math.max(FIRST_CAPACITY, this.#flags.length * 2);
      this.#userVa = grown(this.#userVa, capacity * 2);
      this.#pages = grown(this.#pages, capacity);
      this.#flags = grown(this.#flags, capacity);
      this.#origin = grown(this.#origin, capacity);
    }
    this.#userVa[handle * 2] = userVaHigh;
    this.#userVa[handle * 2 + 1] = userVaLow;
    this.#pages[handle] = pages;
    this.#flags[handle] = flags;
    this.#origin[handle] = origin;
    return handle;
  }

  /** The area of a handle whose range is known. */
  areaOf(handle: number, { start, last }: IovaRange): Area {
    return this.#area(handle, start, last);
  }

  /** Removes an area of this store. Throws if it is not here. */
  remove(area: IntervalEntry): void {
    if (!this.tree.remove(area.start, area.last, area.value)) throw new Error('the area to remove does not exist');
    this.#free.push(area.value);
  }

  /** Removes the area that is exactly this range. Its handle; −1 if there is none, or if areas may overlap. */
  removeExactly({ startHigh, startLow, lastHigh, lastLow }: WordRange): number {
    if (!this.tree.isDisjoint) return -1;
    const handle = this.tree.removeWords(startHigh, startLow, lastHigh, lastLow);
    if (handle >= 0) this.#free.push(handle);
    return handle;
  }

  clear(): void {
    this.tree.clear();
    this.#used = 0;
    this.#free = [];
  }

  /** Areas that share an address with first…last (inclusive), by ascending start. */
  overlapping(first = 0n, last: bigint = IOVA_MAX): Generator<Area> {
    return this.tree.overlapsAs(first, last, this.#make);
  }

  firstOverlapping(first: bigint, last: bigint): Area | undefined {
    const entry = this.tree.firstOverlap(first, last);
    return entry && this.#area(entry.value, entry.start, entry.last);
  }

  /**
   * The first area whose iova or length, or with `memory` whose user address, is not a multiple of `alignment` (a power of
   * two, at most 2^32). Visits every area at worst.
   */
  firstUnaligned(alignment: bigint, memory: boolean): Area | undefined {
    const mask = Number(alignment - 1n);
    if (mask === 0) return undefined;
    let found: Area | undefined;
    // If start and start + length are aligned, the length is too: the low bits of both ends and of the memory decide.
    this.tree.visitOverlaps(0n, IOVA_MAX, (handle, startHigh, startLow, lastHigh, lastLow) => {
      const broken = startLow | (lastLow + 1) | (memory ? entryAt(this.#userVa, handle * 2 + 1) : 0);
      if ((broken & mask) === 0) return false;
      found = this.#make(handle, startHigh, startLow, lastHigh, lastLow);
      return true;
    });
    return found;
  }

  readonly #make: EntryMaker<Area> = (handle, startHigh, startLow, lastHigh, lastLow) =>
    this.#area(handle, addressOf(startHigh, startLow), addressOf(lastHigh, lastLow));

  #area(handle: number, start: Iova, last: Iova): Area {
    const flags = entryAt(this.#flags, handle);
    return {
      start,
      last,
      userVa: addressOf(entryAt(this.#userVa, handle * 2), entryAt(this.#userVa, handle * 2 + 1)),
      pages: entryAt(this.#pages, handle),
      read: (flags & READ) !== 0,
      write: (flags & WRITE) !== 0,
      pagesWritable: (flags & PAGES_WRITABLE) !== 0,
      origin: entryAt(this.#origin, handle),
      handle,
    };
  }
}
