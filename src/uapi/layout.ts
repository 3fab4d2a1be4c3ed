// Structures of fixed layout: described once; decoded, annotated and encoded from the same description.
import { counted, hex } from '../iova/format.ts';
import type { Endian, UapiNode, UapiProblem } from './node.ts';
import { readNumber, type Width, writeNumber } from './numbers.ts';

/** Part of a field: bits low … high, both inclusive, bit 0 the lowest of the number. */
export interface BitField {
  readonly name: string;
  readonly high: number;
  readonly low: number;
  /** What a value means; a text applies if the value is not 0. */
  readonly meaning?: string | ((value: bigint) => string | undefined);
}

/** One number of a structure. Fields follow each other without gaps: padding is a field. */
export interface FieldLayout<N extends string = string> {
  /** As in the kernel's header. */
  readonly name: N;
  readonly width: Width;
  /** How it is shown: `hex` if left out. */
  readonly format?: 'hex' | 'decimal';
  /** What a value means. `values` are the fields before it and the field itself. */
  readonly meaning?: string | ((value: bigint, values: Partial<Record<N, bigint>>) => string | undefined);
  readonly bits?: readonly BitField[];
  /** What is wrong with a value: one sentence without its full stop. `undefined`: nothing. */
  readonly check?: (value: bigint, values: Partial<Record<N, bigint>>) => string | undefined;
  /** Code of the problem that `check` finds; `bad-value` if left out. */
  readonly problemCode?: UapiProblem['code'];
}

export interface StructLayout<N extends string = string> {
  /** As in the kernel's header, without `struct`. */
  readonly name: string;
  readonly fields: readonly FieldLayout<N>[];
}

export interface DecodedStruct<N extends string> {
  /** Fields that are completely in the buffer. */
  readonly values: Partial<Record<N, bigint>>;
  readonly nodes: readonly UapiNode[];
  /** Offset after the last complete field. */
  readonly end: number;
  /** Set if `limit` truncates the structure. */
  readonly problem: UapiProblem | undefined;
}

/** A reserved field, which should be 0. */
export function reserved<const N extends string>(name: N, width: Width): FieldLayout<N> {
  return { name, width, check: (value) => (value === 0n ? undefined : `${name} should be 0`) };
}

/** A check for flags: only the bits in `known` are defined. */
export function onlyBits(known: bigint): (value: bigint) => string | undefined {
  return (value) => {
    const unknown = value & ~known;
    return unknown === 0n ? undefined : `undefined bits ${hex(unknown)}`;
  };
}

/** Bytes of a structure. */
export function sizeOfLayout(layout: StructLayout): number {
  return layout.fields.reduce((sum, { width }) => sum + width, 0);
}

function bitNodes(field: FieldLayout, offset: number, number: bigint): UapiNode[] {
  return (field.bits ?? []).map(({ name, high, low, meaning }) => {
    const raw = (number >> BigInt(low)) & ((1n << BigInt(high - low + 1)) - 1n);
    const message = typeof meaning === 'string' ? (raw === 0n ? undefined : meaning) : meaning?.(raw);
    return {
      name,
      offset,
      size: field.width,
      bits: { high, low },
      raw,
      value: high - low >= 8 ? hex(raw) : raw.toString(),
      ...(message === undefined ? {} : { meaning: message }),
      problems: [],
      children: [],
    };
  });
}

/**
 * Decodes the part of a structure at `offset` that is before `limit` (exclusive). Never throws for
 * 0 ≤ offset and limit ≤ bytes.length.
 */
export function decodeStruct<N extends string>(
  layout: StructLayout<N>,
  bytes: Uint8Array,
  offset: number,
  endian: Endian,
  limit: number = bytes.length,
): DecodedStruct<N> {
  const values: Partial<Record<N, bigint>> = {};
  const nodes: UapiNode[] = [];
  let at = offset;
  for (const field of layout.fields) {
    if (at + field.width > limit) {
      const missing = offset + sizeOfLayout(layout) - Math.max(limit, at);
      const message = `${layout.name} ends inside or before ${field.name}: ${counted(missing, 'byte')} missing`;
      return { values, nodes, end: at, problem: { code: 'short', offset: at, message } };
    }
    const raw = readNumber(bytes, at, field.width, endian);
    values[field.name] = raw;
    const meaning = typeof field.meaning === 'string' ? field.meaning : field.meaning?.(raw, values);
    const wrong = field.check?.(raw, values);
    nodes.push({
      name: field.name,
      offset: at,
      size: field.width,
      raw,
      value: field.format === 'decimal' ? raw.toString() : hex(raw),
      ...(meaning === undefined ? {} : { meaning }),
      problems: wrong === undefined ? [] : [{ code: field.problemCode ?? 'bad-value', offset: at, message: wrong }],
      children: bitNodes(field, at, raw),
    });
    at += field.width;
  }
  return { values, nodes, end: at, problem: undefined };
}

/** The bytes of a structure. Fields left out are 0; values are taken modulo their width. */
export function encodeStruct<N extends string>(
  layout: StructLayout<N>,
  values: Partial<Record<N, bigint>>,
  endian: Endian = 'little',
): Uint8Array {
  const bytes = new Uint8Array(sizeOfLayout(layout));
  let at = 0;
  for (const { name, width } of layout.fields) {
    writeNumber(bytes, at, width, endian, values[name] ?? 0n);
    at += width;
  }
  return bytes;
}
