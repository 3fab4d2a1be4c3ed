import type { Endian, UapiNode } from './node.ts';

/** A structure of the UAPI that can be decoded. */
export interface UapiStructure {
  /** As the kernel's header calls it, without `struct`; a year behind it for what was only proposed. */
  readonly name: string;
  /** One line for lists. */
  readonly title: string;
  /** What the ranges in it are; absent if it has none. */
  readonly ranges?: 'valid' | 'reserved';
  /** The whole buffer as a tree: every byte belongs to a field, or to a stretch of raw bytes. Never throws. */
  decode(bytes: Uint8Array, endian: Endian): UapiNode;
  /** True if a tree without problems is likely to be this structure, and not just bytes read as such. */
  fits(tree: UapiNode): boolean;
  /** True if a tree with problems may be this structure, cut or damaged. Absent: it cannot be told then. */
  resembles?(tree: UapiNode): boolean;
}
