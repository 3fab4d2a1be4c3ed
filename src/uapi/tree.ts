// Building trees that show every byte of a buffer, and getting the bytes back.
import type { Endian, UapiNode, UapiProblem } from './node.ts';
import { toHex, type Width, writeNumber } from './numbers.ts';

/** A named group of fields. It reaches from its first to its last byte. */
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

/** Bytes offset … end − 1 that no field claims, as they are. */
export function rawBytes(name: string, bytes: Uint8Array, offset: number, end: number, meaning?: string): UapiNode {
  return {
    name,
    offset,
    size: end - offset,
    value: toHex(bytes.subarray(offset, end)),
    ...(meaning === undefined ? {} : { meaning }),
    problems: [],
    children: [],
  };
}

/** Zeros up to the next multiple of 8 are padding; anything else says something that is not known. */
export function remainder(bytes: Uint8Array, offset: number, end: number): UapiNode[] {
  if (offset >= end) return [];
  const isPadding = end - offset < 8 && bytes.subarray(offset, end).every((byte) => byte === 0);
  const meaning = isPadding ? undefined : 'not known here';
  return [rawBytes(isPadding ? 'padding' : 'bytes', bytes, offset, end, meaning)];
}

/** The parts of a tree that are bytes and no bit fields. */
function* leaves(node: UapiNode): Generator<UapiNode> {
  if (node.bits) return;
  const parts = node.children.filter((child) => !child.bits);
  if (parts.length === 0) yield node;
  else for (const child of parts) yield* leaves(child);
}

/** A buffer's root: `children`, and between and behind them the bytes that they leave. */
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
    if (offset > next) all.push(rawBytes('bytes', bytes, next, offset, 'part of no field'));
    if (end > next) next = end;
  }
  all.sort((a, b) => a.offset - b.offset);
  return group(name, 0, bytes.length, all, problems, meaning);
}

/** The bytes that a buffer's tree was decoded from, written anew from the values of its fields. */
export function encodeTree(tree: UapiNode, endian: Endian): Uint8Array {
  const bytes = new Uint8Array(tree.size);
  for (const leaf of leaves(tree)) {
    if (leaf.raw !== undefined) writeNumber(bytes, leaf.offset, leaf.size as Width, endian, leaf.raw);
    else for (let i = 0; i < leaf.size; i++) bytes[leaf.offset + i] = Number.parseInt(byteText(leaf, i), 16);
  }
  return bytes;
}

function byteText({ value = '' }: UapiNode, i: number): string {
  return value.slice(i * 2, i * 2 + 2);
}
