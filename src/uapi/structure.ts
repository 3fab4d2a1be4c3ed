import type { Endian, UapiNode } from './node.ts';

/** A structure of the UAPI that can be decoded. */
export interface UapiStructure {
  /** As in the kernel's header, without `struct`; with a year for what was only proposed. */
  readonly name: string;
  /** One line for lists. */
  readonly title: string;
  /** What its ranges are; absent if it has none. */
  readonly ranges?: 'valid' | 'reserved';
  /** The buffer as a tree: every byte belongs to a field, or to a node of raw bytes. Never throws. */
  decode(bytes: Uint8Array, endian: Endian): UapiNode;
  /** True if a tree without problems is plausible: the buffer is likely to be this structure. */
  fits(tree: UapiNode): boolean;
  /** True if a tree with problems may be this structure, truncated or corrupt. Absent if that cannot be decided. */
  resembles?(tree: UapiNode): boolean;
}
