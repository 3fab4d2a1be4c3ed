// A list for millions of objects that are alike. Most of them differ from an earlier one only in their addresses: of those
// only the addresses are kept, in typed arrays, and an equal object is made each time one is read.
import { HIGH, LOW } from '../iova/address-halves.ts';
import { IOVA_MAX } from '../iova/iova.ts';
import { grown } from '../iova/typed-arrays.ts';
import { makerOf, type Value } from './makers.ts';

/** Maximum number of shapes. An object that has none of them is kept as it is. */
const SHAPES_MAX = 32;
/** Numbers in a block. */
const BLOCK = 1 << 15;
const FIRST_ROOM = 1024;
/** Maximum number of addresses of an object: much less than a block. */
const ADDRESSES_MAX = BLOCK / 64;
/** Maximum number of words that `readWords` copies. */
export const WORDS_MAX = ADDRESSES_MAX * 2;

/** Place of an address in a pattern. */
const ADDRESS = Symbol('address');

/** What an object of a shape must be like: its keys in their order, and for each what must be there. */
interface Pattern {
  readonly keys: readonly string[];
  readonly parts: readonly (typeof ADDRESS | Part)[];
  readonly isArray: boolean;
}

/** This value, or, if it is an object, one with this pattern. */
interface Part {
  readonly constant: unknown;
  readonly pattern: Pattern | undefined;
}

interface Block {
  readonly numbers: BigUint64Array;
  /** The same memory in words. */
  readonly words: Uint32Array;
}

function blockOf(numbers: BigUint64Array): Block {
  return { numbers, words: new Uint32Array(numbers.buffer) };
}

/** All objects that are equal except for their addresses. */
interface Shape<T> {
  readonly pattern: Pattern;
  /** Number of addresses. */
  readonly count: number;
  readonly make: (numbers: BigUint64Array, from: number) => T;
}

/**
 * Has the methods of an array that lists of events need, with the same results, except that reading an object twice may give
 * two equal ones, which share what is constant: do not modify them. Which objects keep their identity: those that were not
 * packed, because they have no address, or because there are too many shapes, or because `isPacked` says so.
 */
export class PackedList<T extends object | undefined> {
  readonly #isPacked: (item: T) => boolean;
  readonly #shapes: Shape<T>[] = [];
  /** By index: the number of the shape, counted from 1; 0: an object of its own. */
  #shapeOf = new Uint8Array(0);
  /** By index: where its addresses begin, or the place in `#objects`. */
  #places = new Uint32Array(0);
  #length = 0;
  /** Addresses in blocks, which never move: those of one object are in one block. */
  readonly #blocks: Block[] = [];
  #used = 0;
  readonly #objects: T[] = [];
  readonly #addresses = new Addresses();

  constructor(items: Iterable<T> = [], isPacked: (item: T) => boolean = () => true) {
    this.#isPacked = isPacked;
    for (const item of items) this.push(item);
  }

  get length(): number {
    return this.#length;
  }

  at(index: number): T | undefined {
    const i = index < 0 ? index + this.#length : index;
    return i >= 0 && i < this.#length ? this.#read(i) : undefined;
  }

  *[Symbol.iterator](): Generator<T, undefined> {
    for (let i = 0; i < this.#length; i++) yield this.#read(i);
  }

  *entries(): Generator<[number, T], undefined> {
    for (let i = 0; i < this.#length; i++) yield [i, this.#read(i)];
  }

  /** The items that keep their identity, with their indices: for callers that know that they need no others. */
  *unpacked(): Generator<[number, T], undefined> {
    for (let i = this.#shapeOf.indexOf(0); i >= 0 && i < this.#length; i = this.#shapeOf.indexOf(0, i + 1)) {
      yield [i, this.#read(i)];
    }
  }

  /** The number of the shape of an item that exists; 0 if it keeps its identity. Shapes never change. */
  shapeAt(index: number): number {
    return this.#shapeOf[index] ?? 0;
  }

  /** An item of a shape whose addresses are 0n, 1n, 2n …: each is its own place. Undefined for 0. */
  exampleOf(shape: number): T | undefined {
    const { count = 0, make } = this.#shapes[shape - 1] ?? {};
    return make?.(
      BigUint64Array.from({ length: count }, (_, i) => BigInt(i)),
      0,
    );
  }

  /** Copies the addresses of an item that has a shape: two words each, first the upper one. At most `WORDS_MAX` words. */
  readWords(index: number, to: Uint32Array): void {
    const place = this.#places[index] as number;
    const { count = 0 } = this.#shapes[(this.#shapeOf[index] as number) - 1] ?? {};
    const { words } = this.#blocks[Math.floor(place / BLOCK)] as Block;
    const from = (place % BLOCK) * 2;
    for (let i = 0; i < count * 2; i += 2) {
      to[i] = words[from + i + HIGH] as number;
      to[i + 1] = words[from + i + LOW] as number;
    }
  }

  /** The number of the shape that an item has in this list; 0 if it would keep its identity. */
  shapeNumberOf(item: T): number {
    return item !== undefined && this.#isPacked(item) ? this.#shapeNumber(item) : 0;
  }

  /** Adds an item of a shape by its addresses: `order` has the place of each in `words`, which is as `readWords` gives them. */
  pushWords(shape: number, words: Uint32Array, order: readonly number[]): void {
    const index = this.#length;
    this.#makeRoom(index + 1);
    const at = this.#takeRoom(order.length);
    const { words: to } = this.#blocks[Math.floor(at / BLOCK)] as Block;
    const from = (at % BLOCK) * 2;
    for (let i = 0; i < order.length; i++) {
      const place = (order[i] as number) * 2;
      to[from + i * 2 + HIGH] = words[place] as number;
      to[from + i * 2 + LOW] = words[place + 1] as number;
    }
    this.#shapeOf[index] = shape;
    this.#places[index] = at;
    this.#length = index + 1;
  }

  push(...items: T[]): number {
    for (const item of items) {
      this.#makeRoom(this.#length + 1);
      this.#write(this.#length++, item);
    }
    return this.#length;
  }

  slice(start = 0, end = this.#length): T[] {
    const [from, to] = [this.#clamped(start), this.#clamped(end)];
    return Array.from({ length: Math.max(0, to - from) }, (_, i) => this.#read(from + i));
  }

  splice(start: number, deleteCount = this.#length, ...items: T[]): T[] {
    const from = this.#clamped(start);
    const removed = Math.min(Math.max(0, deleteCount), this.#length - from);
    const gone = this.slice(from, from + removed);
    const length = this.#length - removed + items.length;
    this.#makeRoom(length);
    for (const column of [this.#shapeOf, this.#places]) {
      column.copyWithin(from + items.length, from + removed, this.#length);
    }
    this.#length = length;
    for (const [i, item] of items.entries()) this.#write(from + i, item);
    // What is removed elsewhere than at the end stays in memory: it is little.
    if (removed > 0 && from === length) this.#reclaim();
    return gone;
  }

  /** Removes the items from an index on. */
  truncate(length: number): void {
    if (length >= this.#length) return;
    this.#length = Math.max(0, length);
    this.#reclaim();
  }

  some(test: (item: T, index: number) => boolean): boolean {
    for (let i = 0; i < this.#length; i++) if (test(this.#read(i), i)) return true;
    return false;
  }

  every(test: (item: T, index: number) => boolean): boolean {
    return !this.some((item, i) => !test(item, i));
  }

  find<S extends T>(test: (item: T, index: number) => item is S): S | undefined;
  find(test: (item: T, index: number) => boolean): T | undefined;
  find(test: (item: T, index: number) => boolean): T | undefined {
    for (let i = 0; i < this.#length; i++) {
      const item = this.#read(i);
      if (test(item, i)) return item;
    }
    return undefined;
  }

  findIndex(test: (item: T, index: number) => boolean): number {
    for (let i = 0; i < this.#length; i++) if (test(this.#read(i), i)) return i;
    return -1;
  }

  filter<S extends T>(test: (item: T, index: number) => item is S): S[];
  filter(test: (item: T, index: number) => boolean): T[];
  filter(test: (item: T, index: number) => boolean): T[] {
    const out: T[] = [];
    for (let i = 0; i < this.#length; i++) {
      const item = this.#read(i);
      if (test(item, i)) out.push(item);
    }
    return out;
  }

  map<U>(make: (item: T, index: number) => U): U[] {
    return Array.from({ length: this.#length }, (_, i) => make(this.#read(i), i));
  }

  flatMap<U>(make: (item: T, index: number) => U | readonly U[]): U[] {
    const out: U[] = [];
    for (let i = 0; i < this.#length; i++) {
      const made = make(this.#read(i), i);
      if (Array.isArray(made)) out.push(...made);
      else out.push(made as U);
    }
    return out;
  }

  /** The index of an item that keeps its identity; −1 for another one, as for an object that is only equal. */
  indexOf(item: T): number {
    const place = this.#objects.indexOf(item);
    if (place < 0) return -1;
    for (const [i, other] of this.unpacked()) if (other === item) return i;
    return -1;
  }

  /** An independent list of the same items. */
  copy(): PackedList<T> {
    const copy = new PackedList<T>([], this.#isPacked);
    copy.#shapes.push(...this.#shapes);
    copy.#shapeOf = this.#shapeOf.slice(0, this.#length);
    copy.#places = this.#places.slice(0, this.#length);
    copy.#length = this.#length;
    copy.#blocks.push(...this.#blocks.map(({ numbers }) => blockOf(numbers.slice())));
    copy.#used = this.#used;
    for (const item of this.#objects) copy.#objects.push(item);
    return copy;
  }

  /** Frees the room for more items. */
  trim(): void {
    this.#shapeOf = this.#shapeOf.slice(0, this.#length);
    this.#places = this.#places.slice(0, this.#length);
  }

  /** Bytes of the arrays. */
  get bytes(): number {
    return this.#shapeOf.byteLength + this.#places.byteLength + this.#blocks.length * BLOCK * 8;
  }

  /** Frees the memory after the last addresses and objects that are in use. */
  #reclaim(): void {
    let used = 0;
    let objects = 0;
    for (let i = 0; i < this.#length; i++) {
      const place = this.#places[i] as number;
      const shape = this.#shapes[(this.#shapeOf[i] as number) - 1];
      if (shape) used = Math.max(used, place + shape.count);
      else objects = Math.max(objects, place + 1);
    }
    this.#used = used;
    this.#blocks.length = Math.ceil(used / BLOCK);
    this.#objects.length = objects;
  }

  #clamped(index: number): number {
    const i = index < 0 ? index + this.#length : index;
    return Math.min(Math.max(0, i), this.#length);
  }

  #makeRoom(length: number): void {
    if (length <= this.#shapeOf.length) return;
    const room = Math.max(FIRST_ROOM, Math.ceil(length * 1.5));
    this.#shapeOf = grown(this.#shapeOf, room);
    this.#places = grown(this.#places, room);
  }

  /** The item at an index that exists. */
  #read(index: number): T {
    const place = this.#places[index] as number;
    const shape = this.#shapes[(this.#shapeOf[index] as number) - 1];
    if (!shape) return this.#objects[place] as T;
    return shape.make((this.#blocks[Math.floor(place / BLOCK)] as Block).numbers, place % BLOCK);
  }

  /** Sets the item at an index for which there is room. */
  #write(index: number, item: T): void {
    // Runs of one object, which has no shape.
    const isSame = this.#objects.length > 0 && this.#objects[this.#objects.length - 1] === item;
    const number = isSame ? 0 : this.shapeNumberOf(item);
    this.#shapeOf[index] = number;
    this.#places[index] = number === 0 ? this.#keep(item) : this.#addFound();
  }

  #keep(item: T): number {
    const latest = this.#objects.length - 1;
    // Runs of one object: of `undefined`, or of a constant answer.
    if (latest >= 0 && this.#objects[latest] === item) return latest;
    return this.#objects.push(item) - 1;
  }

  /** Adds the addresses of the object whose shape was found; returns where. */
  #addFound(): number {
    const { found, count: length } = this.#addresses;
    const at = this.#takeRoom(length);
    const { numbers } = this.#blocks[Math.floor(at / BLOCK)] as Block;
    const from = at % BLOCK;
    for (let i = 0; i < length; i++) numbers[from + i] = found[i] as bigint;
    return at;
  }

  /** Room for addresses in one block; returns where. */
  #takeRoom(length: number): number {
    if (BLOCK - (this.#used % BLOCK) < length) this.#used += BLOCK - (this.#used % BLOCK);
    const at = this.#used;
    this.#blocks[Math.floor(at / BLOCK)] ??= blockOf(new BigUint64Array(BLOCK));
    this.#used = at + length;
    return at;
  }

  /** The number of the shape that an object has, which sets `#addresses`; 0 if it has none. */
  #shapeNumber(item: object): number {
    const addresses = this.#addresses;
    for (let number = 1; number <= this.#shapes.length; number++) {
      const shape = this.#shapes[number - 1];
      addresses.count = 0;
      if (shape && addresses.read(item, shape.pattern)) return number;
    }
    if (this.#shapes.length >= SHAPES_MAX) return 0;
    const shape = shapeOf<T>(item);
    if (!shape) return 0;
    this.#shapes.push(shape);
    addresses.count = 0;
    return addresses.read(item, shape.pattern) ? this.#shapes.length : 0;
  }
}

/** The shape of an object; undefined if it has no address, or something that cannot be made again. */
function shapeOf<T>(item: object): Shape<T> | undefined {
  const places = new Map<Value, number>();
  const sample = sampleOf(item, places);
  if (sample === undefined || places.size === 0 || places.size > ADDRESSES_MAX) return undefined;
  const make = makerOf(sample, places, []);
  return make && { pattern: patternOf(sample as object), count: places.size, make: make as Shape<T>['make'] };
}

/**
 * A copy in which every address is another one, its key in `places`; parts without addresses are shared. Undefined if the
 * value cannot be made again.
 */
function sampleOf(value: unknown, places: Map<Value, number>): unknown {
  if (typeof value === 'bigint') {
    if (value < 0n || value > IOVA_MAX) return undefined;
    const address = BigInt(places.size);
    places.set(address, places.size);
    return address;
  }
  if (typeof value !== 'object' || value === null) return value;
  const isArray = Array.isArray(value);
  if (isArray ? Object.keys(value).length !== value.length : Object.getPrototypeOf(value) !== Object.prototype)
    return undefined;
  const before = places.size;
  const copy: Record<string, unknown> | unknown[] = isArray ? [] : {};
  for (const [key, part] of Object.entries(value)) {
    const sample = sampleOf(part, places);
    if (key === '__proto__' || sample === undefined) return undefined;
    copy[key as never] = sample as never;
  }
  return places.size === before ? value : copy;
}

function patternOf(value: object): Pattern {
  const entries: [string, unknown][] = Object.entries(value);
  return {
    keys: entries.map(([key]) => key),
    parts: entries.map(([, part]) => {
      if (typeof part === 'bigint') return ADDRESS;
      return typeof part === 'object' && part !== null
        ? { constant: part, pattern: patternOf(part) }
        : { constant: part, pattern: undefined };
    }),
    isArray: Array.isArray(value),
  };
}

/** The addresses of an object. */
class Addresses {
  readonly found: bigint[] = [];
  count = 0;

  /** True if the value has the pattern; adds its addresses. */
  read(value: unknown, { keys, parts, isArray }: Pattern): boolean {
    if (typeof value !== 'object' || value === null || Array.isArray(value) !== isArray) return false;
    // A loop over `in` takes five times as long in browsers of today.
    const names = Object.keys(value);
    const count = keys.length;
    if (names.length !== count) return false;
    for (let i = 0; i < count; i++) {
      const name = names[i] as string;
      if (name !== keys[i]) return false;
      const part: unknown = value[name as never];
      const expected = parts[i];
      if (expected === ADDRESS) {
        if (typeof part !== 'bigint' || part < 0n || part > IOVA_MAX) return false;
        this.found[this.count++] = part;
      } else if (!expected) return false;
      // Events that were read together share what is constant.
      else if (Object.is(part, expected.constant)) continue;
      else if (!expected.pattern || !this.read(part, expected.pattern)) return false;
    }
    return true;
  }
}
