// Mapping facts in typed arrays: a trace has millions of them, and objects of that number take most of the time to collect.
import { fromWords, highWord, lowWord } from '../../iova/address-halves.ts';
import type { Iova } from '../../iova/iova.ts';
import { doubleAt, grown, wordAt } from '../../iova/typed-arrays.ts';
import type { FactOf } from '../../session/events.ts';

export type TraceFact = FactOf<'map'> | FactOf<'unmap'>;

/** Words of a fact, of 32 bits: start, last, and the physical address or the bytes unmapped, two each. */
const STRIDE = 6;
const UNMAP = 1;
const HAS_EXTRA = 2;
const HAS_TIME = 4;
const HAS_LINE = 8;
/** A fact that has fields of other kinds, which is kept as an object. */
const IS_OBJECT = 16;

/** What many facts have in common. */
interface FactHead {
  readonly origin: string | undefined;
  readonly source: string | undefined;
  readonly device: string | undefined;
  readonly domain: string | undefined;
}

/** The heads of facts, numbered from 0. */
export class FactHeads {
  readonly #heads: FactHead[] = [];
  /** By their parts. */
  readonly #ids = new Map<string, number>();
  /** The last two that were looked for: events of a mapping often alternate between them. */
  #recent = -1;
  #earlier = -1;

  idOf(fact: TraceFact): number {
    if (this.#isOf(this.#recent, fact)) return this.#recent;
    const id = this.#isOf(this.#earlier, fact) ? this.#earlier : this.#look(fact);
    this.#earlier = this.#recent;
    this.#recent = id;
    return id;
  }

  at(id: number): FactHead {
    return this.#heads[id] as FactHead;
  }

  #isOf(id: number, { origin, source, device, domain }: TraceFact): boolean {
    const head = this.#heads[id];
    return (
      head !== undefined &&
      head.source === source &&
      head.device === device &&
      head.origin === origin &&
      head.domain === domain
    );
  }

  #look({ origin, source, device, domain }: TraceFact): number {
    const key = JSON.stringify([origin ?? null, source ?? null, device ?? null, domain ?? null]);
    const known = this.#ids.get(key);
    if (known !== undefined) return known;
    this.#ids.set(key, this.#heads.length);
    return this.#heads.push({ origin, source, device, domain }) - 1;
  }
}

/** Facts of later lines are kept as they are. */
const LINE_MAX = 0xffff_ffff;

/** Facts by slot. What a slot holds is changed by writing to it again. */
export class TraceColumns {
  readonly #headTable: FactHeads;
  #words: Uint32Array;
  #lines: Uint32Array;
  #times: Float64Array;
  #flags: Uint8Array;
  #heads: Uint32Array;
  readonly #objects = new Map<number, TraceFact>();

  /** Columns with the same `heads` may copy from each other. */
  constructor(slots: number, heads: FactHeads) {
    this.#headTable = heads;
    this.#words = new Uint32Array(slots * STRIDE);
    this.#lines = new Uint32Array(slots);
    this.#times = new Float64Array(slots);
    this.#flags = new Uint8Array(slots);
    this.#heads = new Uint32Array(slots);
  }

  get slots(): number {
    return this.#flags.length;
  }

  /** Makes room for more; `slots` must not be less than there are. */
  grow(slots: number): void {
    this.#words = grown(this.#words, slots * STRIDE);
    this.#lines = grown(this.#lines, slots);
    this.#times = grown(this.#times, slots);
    this.#flags = grown(this.#flags, slots);
    this.#heads = grown(this.#heads, slots);
  }

  write(slot: number, fact: TraceFact): void {
    if (this.#objects.size > 0) this.#objects.delete(slot);
    const { start, last, time, line } = fact;
    const words = this.#words;
    const at = slot * STRIDE;
    words[at] = highWord(start);
    words[at + 1] = lowWord(start);
    words[at + 2] = highWord(last);
    words[at + 3] = lowWord(last);
    let flags = fact.kind === 'unmap' ? UNMAP : 0;
    // Kind, start and last.
    let fields = 3;
    const extra = fact.kind === 'unmap' ? fact.unmapped : fact.paddr;
    if (extra !== undefined) {
      words[at + 4] = highWord(extra);
      words[at + 5] = lowWord(extra);
      flags |= HAS_EXTRA;
      fields++;
    }
    if (time !== undefined) {
      this.#times[slot] = time;
      flags |= HAS_TIME;
      fields++;
    }
    if (line !== undefined && line <= LINE_MAX) {
      this.#lines[slot] = line;
      flags |= HAS_LINE;
      fields++;
    }
    if (fact.origin !== undefined) fields++;
    if (fact.source !== undefined) fields++;
    if (fact.device !== undefined) fields++;
    if (fact.domain !== undefined) fields++;
    // Other fields, or such that are there and undefined.
    for (const _ in fact) fields--;
    if (fields !== 0) {
      flags |= IS_OBJECT;
      this.#objects.set(slot, fact);
    }
    this.#flags[slot] = flags;
    this.#heads[slot] = this.#headTable.idOf(fact);
  }

  /** A fact that is equal to the one that was written. */
  read(slot: number): TraceFact {
    const flags = this.#flags[slot] as number;
    const kept = (flags & IS_OBJECT) === 0 ? undefined : this.#objects.get(slot);
    if (kept) return kept;
    const start = this.#address(slot, 0);
    const last = this.#address(slot, 2);
    const extra = (flags & HAS_EXTRA) === 0 ? undefined : this.#address(slot, 4);
    const fact: TraceFact =
      (flags & UNMAP) !== 0
        ? { kind: 'unmap', start, last, ...(extra === undefined ? {} : { unmapped: extra }) }
        : { kind: 'map', start, last, ...(extra === undefined ? {} : { paddr: extra }) };
    const { origin, source, device, domain } = this.#headTable.at(this.headAt(slot));
    if (origin !== undefined) fact.origin = origin;
    if ((flags & HAS_TIME) !== 0) fact.time = doubleAt(this.#times, slot);
    if (source !== undefined) fact.source = source;
    if ((flags & HAS_LINE) !== 0) fact.line = wordAt(this.#lines, slot);
    if (device !== undefined) fact.device = device;
    if (domain !== undefined) fact.domain = domain;
    return fact;
  }

  /** Writes what is in a slot of other columns. */
  copy(slot: number, from: TraceColumns, source: number): void {
    if (this.#objects.size > 0) this.#objects.delete(slot);
    const words = this.#words;
    const others = from.#words;
    const at = slot * STRIDE;
    const other = source * STRIDE;
    for (let i = 0; i < STRIDE; i++) words[at + i] = others[other + i] as number;
    this.#lines[slot] = from.#lines[source] as number;
    this.#times[slot] = from.#times[source] as number;
    const flags = from.#flags[source] as number;
    this.#flags[slot] = flags;
    this.#heads[slot] = from.#heads[source] as number;
    const object = (flags & IS_OBJECT) === 0 ? undefined : from.#objects.get(source);
    if (object) this.#objects.set(slot, object);
  }

  /** Number of the head of the fact. */
  headAt(slot: number): number {
    return this.#heads[slot] as number;
  }

  isUnmap(slot: number): boolean {
    return ((this.#flags[slot] as number) & UNMAP) !== 0;
  }

  /** Seconds; undefined if the fact has no time. */
  timeAt(slot: number): number | undefined {
    return ((this.#flags[slot] as number) & HAS_TIME) === 0 ? undefined : this.#times[slot];
  }

  /** A word of the bounds: 0 and 1 are those of the start, the high one first, 2 and 3 those of the last address. */
  word(slot: number, which: 0 | 1 | 2 | 3): number {
    return this.#words[slot * STRIDE + which] as number;
  }

  /** True for an unmap that says that it unmapped less than its range. */
  isShort(slot: number): boolean {
    const flags = this.#flags[slot] as number;
    if ((flags & (UNMAP | HAS_EXTRA)) !== (UNMAP | HAS_EXTRA)) return false;
    const words = this.#words;
    const at = slot * STRIDE;
    const extraHigh = words[at + 4] as number;
    const extraLow = words[at + 5] as number;
    const low = ((words[at + 3] as number) - (words[at + 1] as number)) >>> 0;
    const borrow = (words[at + 3] as number) < (words[at + 1] as number) ? 1 : 0;
    const high = (words[at + 2] as number) - (words[at] as number) - borrow;
    // Less by one than the size: of the whole space, that has 65 bits.
    return extraHigh < high || (extraHigh === high && extraLow <= low);
  }

  #address(slot: number, word: number): Iova {
    const at = slot * STRIDE + word;
    return fromWords(wordAt(this.#words, at), wordAt(this.#words, at + 1)) as Iova;
  }
}
