import { fromWords, highWord, lowWord } from '../../iova/address-halves.ts';
import { IntervalTree } from '../../iova/interval-tree/tree.ts';
import type { EntryMaker, IntervalEntry } from '../../iova/interval-tree/types.ts';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { AreaView } from '../model.ts';

const READ = 1;
const WRITE = 2;
const PAGES_WRITABLE = 4;
const FIRST_ROOM = 16;

/** What is mapped in an area. */
export interface Mapping {
  /** Address of the first byte in the user's memory. */
  readonly userVa: bigint;
  /** Number of the shared pages; below 2^32. */
  readonly pages: number;
  readonly read: boolean;
  readonly write: boolean;
  /** True if the pages were first mapped with write permission: a copy may ask for it again. */
  readonly pagesWritable: boolean;
  /** Index of the event that made the area, or −1. */
  readonly origin: number;
}

export interface Area extends AreaView {
  readonly pagesWritable: boolean;
  readonly handle: number;
}

function grown<T extends Uint32Array | Int32Array | Uint8Array>(array: T, length: number): T {
  const larger = new (array.constructor as new (n: number) => T)(length);
  larger.set(array);
  return larger;
}

/** The areas of an address space: ranges in a tree, and what is mapped there in columns by handle. */
export class AreaStore {
  readonly tree: IntervalTree;
  /** Two words a handle: high, low. */
  #userVa = new Uint32Array(FIRST_ROOM * 2);
  #pages = new Uint32Array(FIRST_ROOM);
  #flags = new Uint8Array(FIRST_ROOM);
  #origin = new Int32Array(FIRST_ROOM);
  /** Handles ever given out. */
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
    const room = Math.max(this.#used, FIRST_ROOM);
    copy.#userVa = this.#userVa.slice(0, room * 2);
    copy.#pages = this.#pages.slice(0, room);
    copy.#flags = this.#flags.slice(0, room);
    copy.#origin = this.#origin.slice(0, room);
    copy.#used = this.#used;
    copy.#free = this.#free.slice();
    return copy;
  }

  /** Adds an area. That it overlaps no other is the caller's concern: one version of the kernel lets it happen. */
  add(start: bigint, last: bigint, mapping: Mapping): void {
    const handle = this.#free.pop() ?? this.#used++;
    if (handle >= this.#flags.length) {
      const room = this.#flags.length * 2;
      this.#userVa = grown(this.#userVa, room * 2);
      this.#pages = grown(this.#pages, room);
      this.#flags = grown(this.#flags, room);
      this.#origin = grown(this.#origin, room);
    }
    this.#userVa[handle * 2] = highWord(mapping.userVa);
    this.#userVa[handle * 2 + 1] = lowWord(mapping.userVa);
    this.#pages[handle] = mapping.pages;
    this.#flags[handle] =
      (mapping.read ? READ : 0) | (mapping.write ? WRITE : 0) | (mapping.pagesWritable ? PAGES_WRITABLE : 0);
    this.#origin[handle] = mapping.origin;
    this.tree.insert(start, last, handle);
  }

  /** Removes an area that was found here. */
  remove(area: IntervalEntry): void {
    if (!this.tree.remove(area.start, area.last, area.value)) throw new Error('removed an area that is not there');
    this.#free.push(area.value);
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
   * The first area whose iova or length is no multiple of `alignment` (a power of two, at most 2^32), or with `memory`
   * whose address in the user's memory is none. Visits every area at worst.
   */
  firstUnaligned(alignment: bigint, memory: boolean): Area | undefined {
    const mask = Number(alignment - 1n);
    if (mask === 0) return undefined;
    let found: Area | undefined;
    // With start and start + length aligned the length is too, so the low bits of both ends and of the memory decide.
    this.tree.visitOverlaps(0n, IOVA_MAX, (handle, startHigh, startLow, lastHigh, lastLow) => {
      const broken = startLow | (lastLow + 1) | (memory ? (this.#userVa[handle * 2 + 1] as number) : 0);
      if ((broken & mask) === 0) return false;
      found = this.#make(handle, startHigh, startLow, lastHigh, lastLow);
      return true;
    });
    return found;
  }

  readonly #make: EntryMaker<Area> = (handle, startHigh, startLow, lastHigh, lastLow) =>
    this.#area(handle, fromWords(startHigh, startLow), fromWords(lastHigh, lastLow));

  #area(handle: number, start: bigint, last: bigint): Area {
    const flags = this.#flags[handle] as number;
    return {
      start: start as Iova,
      last: last as Iova,
      userVa: fromWords(this.#userVa[handle * 2] as number, this.#userVa[handle * 2 + 1] as number) as Iova,
      pages: this.#pages[handle] as number,
      read: (flags & READ) !== 0,
      write: (flags & WRITE) !== 0,
      pagesWritable: (flags & PAGES_WRITABLE) !== 0,
      origin: this.#origin[handle] as number,
      handle,
    };
  }
}
