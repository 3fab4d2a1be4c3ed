// Operations that are run by their numbers. Long sessions consist of maps and unmaps that differ only in their addresses. What
// those have in common is looked at once, and what succeeds without a question is done in words: no bigint, no object.
import { fromWords, TWO_32 } from '../../iova/address-halves.ts';
import type { Iova } from '../../iova/iova.ts';
import type { Answer, Operation, OperationOf } from '../../session/events.ts';

/**
 * Addresses of an operation in words, the upper and the lower one of each. The numbers of a prepared operation are places of
 * addresses: the words of place `p` are at `2 * p` and `2 * p + 1`.
 */
export type Words = Uint32Array;

interface Common {
  /** Name of the IOAS or container. */
  readonly space: string;
  /** Place of the first address. */
  readonly start: number;
  /** Place of the number of bytes. */
  readonly length: number;
  /** The answer if it succeeds; an address in it is a place. */
  readonly answer: Answer;
  /** Pairs of places that must have the same address, so that the answer is as recorded. */
  readonly expected: readonly (readonly [number, number])[];
}

/** A map of RAM, with a permission and no flag that is unknown. */
export interface PreparedMap extends Common {
  readonly kind: 'map';
  /** True if the kernel chooses the address: its place is behind those of the operation, for `choosePrepared` to fill in. */
  readonly isChosen: boolean;
  /** Place of the address in the user's memory. */
  readonly userVa: number;
  readonly read: boolean;
  readonly write: boolean;
}

/** An unmap of a range. */
export interface PreparedUnmap extends Common {
  readonly kind: 'unmap';
}

export type PreparedOperation = PreparedMap | PreparedUnmap;

const PLAIN_FLAGS: readonly string[] = ['fixed', 'read', 'write'];

/** True if the flags are known and grant something. */
function arePlain(flags: readonly string[]): boolean {
  return flags.every((flag) => PLAIN_FLAGS.includes(flag)) && flags.some((flag) => flag !== 'fixed');
}

/**
 * The pairs of addresses of a recorded answer and of the answer that must be equal; undefined if the recorded one has anything
 * else that would have to be compared.
 */
function comparisons(recorded: Answer | undefined, answer: Answer): [number, number][] | undefined {
  const pairs: [number, number][] = [];
  for (const [name, value] of Object.entries(recorded ?? {})) {
    const own = answer[name];
    if (typeof value === 'bigint' && typeof own === 'bigint') pairs.push([Number(value), Number(own)]);
    else if (value !== own) return undefined;
  }
  return pairs;
}

type Unmeasured = Omit<PreparedMap, 'expected'> | Omit<PreparedUnmap, 'expected'>;

/** Number of addresses in an operation and its recorded answer. */
function placesIn({ expect, ...rest }: Operation): number {
  return [...Object.values(rest), ...Object.values(expect ?? {})].filter((value) => typeof value === 'bigint').length;
}

function mapOf(operation: OperationOf<'ioas.map'> | OperationOf<'container.map_dma'>): Unmeasured | undefined {
  const { flags, memory, present } = operation;
  const isFixed = flags.includes('fixed');
  // VFIO's call has no such flag, and refuses it. An address that is not used is refused if it is too large.
  if (operation.op === 'container.map_dma' ? isFixed : isFixed !== (operation.iova !== undefined)) return undefined;
  if (memory !== undefined || present !== undefined || !arePlain(flags)) return undefined;
  const iova = operation.iova ?? (BigInt(placesIn(operation)) as Iova);
  const [userVa, length] =
    operation.op === 'ioas.map' ? [operation.user_va, operation.length] : [operation.vaddr, operation.size];
  return {
    kind: 'map',
    space: operation.op === 'ioas.map' ? operation.ioas : operation.container,
    isChosen: operation.iova === undefined,
    start: Number(iova),
    length: Number(length),
    userVa: Number(userVa),
    read: flags.includes('read'),
    write: flags.includes('write'),
    answer: operation.op === 'ioas.map' ? { ret: 0, iova } : { ret: 0 },
  };
}

function unmapOf(operation: OperationOf<'ioas.unmap'> | OperationOf<'container.unmap_dma'>): Unmeasured | undefined {
  if (operation.op === 'container.unmap_dma' && operation.flags.length > 0) return undefined;
  const [space, length] =
    operation.op === 'ioas.unmap' ? [operation.ioas, operation.length] : [operation.container, operation.size];
  return {
    kind: 'unmap',
    space,
    start: Number(operation.iova),
    length: Number(length),
    answer: { ret: 0, unmapped: length },
  };
}

function unmeasured(operation: Operation): Unmeasured | undefined {
  switch (operation.op) {
    case 'ioas.map':
    case 'container.map_dma':
      return mapOf(operation);
    case 'ioas.unmap':
    case 'container.unmap_dma':
      return unmapOf(operation);
    default:
      return undefined;
  }
}

/**
 * What operations like `example` have in common: its addresses are 0n, 1n, 2n …, the places of theirs. Undefined if they are not
 * maps or unmaps, or if their arguments have to be looked at one by one.
 */
export function preparedOf(example: Operation): PreparedOperation | undefined {
  const made = unmeasured(example);
  const expected = made && comparisons(example.expect, made.answer);
  return expected && { ...made, expected };
}

/** True if the answer of an operation with these numbers is the recorded one. */
export function isAsRecorded({ expected }: PreparedOperation, words: Words): boolean {
  for (let i = 0; i < expected.length; i++) {
    const [a, b] = expected[i] as readonly [number, number];
    if (words[a * 2] !== words[b * 2] || words[a * 2 + 1] !== words[b * 2 + 1]) return false;
  }
  return true;
}

const TWO_31 = 0x8000_0000;

/** A range in words. */
export interface WordRange {
  startHigh: number;
  startLow: number;
  lastHigh: number;
  lastLow: number;
}

/**
 * Sets `range` to the range of an operation. False if it is empty, or if its start or length is 2^63 or more: such numbers have
 * rules of their own. Its last address is then below 2^64 − 1.
 */
export function readRange(operation: PreparedOperation, words: Words, range: WordRange): boolean {
  const { start, length } = operation;
  const startHigh = words[start * 2] as number;
  const startLow = words[start * 2 + 1] as number;
  const lengthHigh = words[length * 2] as number;
  const lengthLow = words[length * 2 + 1] as number;
  if (startHigh >= TWO_31 || !hasPlainLength(operation, words)) return false;
  let lastHigh = startHigh + lengthHigh;
  let lastLow = startLow + lengthLow - 1;
  if (lastLow < 0) {
    lastLow += TWO_32;
    lastHigh--;
  } else if (lastLow >= TWO_32) {
    lastLow -= TWO_32;
    lastHigh++;
  }
  range.startHigh = startHigh;
  range.startLow = startLow;
  range.lastHigh = lastHigh;
  range.lastLow = lastLow;
  return true;
}

/** The address at a place. */
export function addressAt(words: Words, place: number): bigint {
  return fromWords(words[place * 2] as number, words[place * 2 + 1] as number);
}

/** Addresses of an operation that are not in the list of events: the one that is chosen. */
export const CHOSEN_MAX = 1;

/** True if the length of an operation is neither 0 nor 2^63 or more. */
export function hasPlainLength({ length }: PreparedOperation, words: Words): boolean {
  const high = words[length * 2] as number;
  return high < TWO_31 && (high !== 0 || words[length * 2 + 1] !== 0);
}

/** The number of bytes of an operation: exact below 2^53. */
export function lengthOf({ length }: PreparedOperation, words: Words): number {
  return (words[length * 2] as number) * TWO_32 + (words[length * 2 + 1] as number);
}

/** The bits that must be zero in the lower word of an address that is a multiple of `alignment`; −1 if that has more of them. */
export function alignmentMask(alignment: bigint): number {
  const mask = alignment - 1n;
  return mask > 0x7fff_ffffn ? -1 : Number(mask);
}

/** True if the start and the length of an operation are multiples of an alignment, which is `mask` + 1. */
export function isAlignedRange({ start, length }: PreparedOperation, words: Words, mask: number): boolean {
  return (((words[start * 2 + 1] as number) | (words[length * 2 + 1] as number)) & mask) === 0;
}

/** True if the user's memory of a map is below 2^63. Its end does not wrap then. */
export function isLowMemory({ userVa }: PreparedMap, words: Words): boolean {
  return (words[userVa * 2] as number) < TWO_31;
}

/** True if the start, the length and the user's memory of a map are multiples of an alignment, which is `mask` + 1. */
export function isAlignedMap(map: PreparedMap, words: Words, mask: number): boolean {
  return isAlignedRange(map, words, mask) && ((words[map.userVa * 2 + 1] as number) & mask) === 0;
}
