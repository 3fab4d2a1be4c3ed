// A decoded buffer: a tree of named byte ranges.

/** Byte order: the kernel's structures have that of the machine. */
export type Endian = 'little' | 'big';

export type UapiProblemCode =
  /** The buffer ends inside a structure. */
  | 'short'
  /** A size field does not match its structure. */
  | 'wrong-size'
  /** A field has a value that is not defined. */
  | 'bad-value'
  /** A link of a capability chain points outside the buffer, or into the structure before the chain. */
  | 'link-outside'
  | 'link-unaligned'
  /** A link points to a capability that is already in the chain. */
  | 'link-loop'
  /** Two capabilities share bytes. */
  | 'capability-overlap'
  | 'unknown-capability'
  | 'unknown-version'
  /** A capability is too small for its fields or for the entries that it announces. */
  | 'capability-too-small';

/** Something that is wrong in a buffer, and where. The rest is decoded as far as possible. */
export interface UapiProblem {
  readonly code: UapiProblemCode;
  /** Of the first byte that is wrong, counted from the start of the buffer. */
  readonly offset: number;
  /** One sentence for people, without its full stop. */
  readonly message: string;
}

/** A field, a bit field, or a group of fields. */
export interface UapiNode {
  /** As in the kernel's header; a group has the name of its structure. */
  readonly name: string;
  /** Of its first byte, counted from the start of the buffer. */
  readonly offset: number;
  /** Bytes; 0 only for a group that is not in the buffer at all. */
  readonly size: number;
  /** Of a bit field: its highest and lowest bit in the number of the parent. */
  readonly bits?: { readonly high: number; readonly low: number };
  /** The number of a field. Groups and raw bytes have none. */
  readonly raw?: bigint;
  /** The value for people; absent for groups. */
  readonly value?: string;
  /** What the value means. */
  readonly meaning?: string;
  /** Problems of this node itself, without those of its children. */
  readonly problems: readonly UapiProblem[];
  readonly children: readonly UapiNode[];
}

/** Every problem of a tree, in the order of the tree. */
export function problemsOf(node: UapiNode): UapiProblem[] {
  return [...node.problems, ...node.children.flatMap(problemsOf)];
}

/** The node at a path of names below `node`; the first one if names repeat. */
export function findNode(node: UapiNode, ...path: readonly string[]): UapiNode | undefined {
  let at: UapiNode | undefined = node;
  for (const name of path) at = at?.children.find((child) => child.name === name);
  return at;
}
