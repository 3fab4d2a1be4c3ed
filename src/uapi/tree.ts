// Builds trees that show every byte of a buffer, and turns them back into bytes.
import type { Endian, UapiNode, UapiProblem } from './node.ts';
import { isWidth, toHex, writeNumber } from './numbers.ts';

/** A named group of fields, from its first to its last byte. */
export function group(
  name: string,
  offset: number,
  end: number,
  children: readonly UapiNode[],
  problems: readonly UapiProblem[] = [],
  meaning?: string,
): UapiNode {
  return { name, offset, size: end - offset, ...(meaning === undefined ? {} : { meaning }), problems, children };
}

/** Digits of whole buffers: each is decoded as many structures, which differ little in the bytes that belong to no field. */
const digits = new WeakMap<Uint8Array, string>();

function digitsOf(bytes: Uint8Array): string {
  const known = digits.get(bytes);
  if (known !== undefined) return known;
  const text = toHex(bytes);
  digits.set(bytes, text);
  return text;
}

/** Bytes offset … end − 1 that belong to no field; `bytes` is not changed afterwards. */
export function rawBytes(name: string, bytes: Uint8Array, offset: number, end: number, meaning?: string): UapiNode {
  return {
    name,
    offset,
    size: end - offset,
    value: digitsOf(bytes).slice(2 * offset, 2 * end),
    ...(meaning === undefined ? {} : { meaning }),
    problems: [],
    children: [],
  };
}

/** Bytes after the last field: fewer than 8 zeros are padding, anything else is unknown. */
export function remainder(bytes: Uint8Array, offset: number, end: number): UapiNode[] {
  if (offset >= end) return [];
  const isPadding = end - offset < 8 && bytes.subarray(offset, end).every((byte) => byte === 0);
  const meaning = isPadding ? undefined : 'unknown';
  return [rawBytes(isPadding ? 'padding' : 'bytes', bytes, offset, end, meaning)];
}

/** The parts of a tree that are bytes and no bit fields. */
function* leaves(node: UapiNode): Generator<UapiNode> {
  if (node.bits) return;
  const parts = node.children.filter((child) => !child.bits);
  if (parts.length === 0) yield node;
  else for (const child of parts) yield* leaves(child);
}

/** The root of a buffer: `children`, and nodes of raw bytes for what is between and after them. */
export function root(
  name: string,
  bytes: Uint8Array,
  children: readonly UapiNode[],
  problems: readonly UapiProblem[] = [],
  meaning?: string,
): UapiNode {
  const claimed = children
    .flatMap((child) => [...leaves(child)])
    .map(({ offset, size }) => ({ offset, end: offset + size }))
    .sort((a, b) => a.offset - b.offset);
  const all = [...children];
  let next = 0;
  for (const { offset, end } of [...claimed, { offset: bytes.length, end: bytes.length }]) {
    if (offset > next) all.push(rawBytes('bytes', bytes, next, offset, 'not part of any field'));
    if (end > next) next = end;
  }
  all.sort((a, b) => a.offset - b.offset);
  return group(name, 0, bytes.length, all, problems, meaning);
}

/** The bytes of a buffer, encoded from the values of its tree. */
export function encodeTree(tree: UapiNode, endian: Endian): Uint8Array {
  const bytes = new Uint8Array(tree.size);
  for (const leaf of leaves(tree)) {
    if (leaf.raw !== undefined && isWidth(leaf.size)) writeNumber(bytes, leaf.offset, leaf.size, endian, leaf.raw);
    else for (let i = 0; i < leaf.size; i++) bytes[leaf.offset + i] = Number.parseInt(byteText(leaf, i), 16);
  }
  return bytes;
}

function byteText({ value = '' }: UapiNode, i: number): string {
  return value.slice(i * 2, i * 2 + 2);
}
