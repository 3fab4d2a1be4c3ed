// What a decoded buffer looks like: a tree of named stretches of bytes, for people and for programs.

/** The order of a number's bytes: the kernel's structures have the machine's. */
export type Endian = 'little' | 'big';

export type UapiProblemCode =
  /** The buffer ends inside a structure. */
  | 'short'
  /** A size field says something else than its structure has. */
  | 'wrong-size'
  /** A field holds a value that has no meaning there. */
  | 'bad-value'
  /** A link of a capability chain leads outside the buffer, or into the structure that it starts from. */
  | 'link-outside'
  | 'link-unaligned'
  /** A link leads to a capability that was there before. */
  | 'link-loop'
  /** Two capabilities share bytes. */
  | 'capability-overlap'
  | 'unknown-capability'
  | 'unknown-version'
  /** A capability has not the room for the fields or entries that it announces. */
  | 'capability-too-small';

/** Something wrong in a buffer, and where. The rest is decoded as far as it holds. */
export interface UapiProblem {
  readonly code: UapiProblemCode;
  /** Of the first byte that is wrong, counted from the start of the buffer. */
  readonly offset: number;
  /** One sentence for people, without its full stop. */
  readonly message: string;
}

/** A field, a bit field, or a group of fields. */
export interface UapiNode {
  /** As the kernel's header calls it; a group has the name of its structure. */
  readonly name: string;
  /** Of its first byte, counted from the start of the buffer. */
  readonly offset: number;
  /** Bytes, 0 only for a group of which the buffer holds nothing. */
  readonly size: number;
  /** Of a bit field: highest and lowest bit of the number that the parent is. */
  readonly bits?: { readonly high: number; readonly low: number };
  /** The number of a field. Groups and stretches of raw bytes have none. */
  readonly raw?: bigint;
  /** The value for people; absent for groups. */
  readonly value?: string;
  /** What the value says. */
  readonly meaning?: string;
  /** Problems of this very field; those below are found below. */
  readonly problems: readonly UapiProblem[];
  readonly children: readonly UapiNode[];
}

/** Every problem of a tree, in the order of the tree. */
export function problemsOf(node: UapiNode): UapiProblem[] {
  return [...node.problems, ...node.children.flatMap(problemsOf)];
}

/** The node at a path of names below `node`; the first where names repeat. */
export function findNode(node: UapiNode, ...path: readonly string[]): UapiNode | undefined {
  let at: UapiNode | undefined = node;
  for (const name of path) at = at?.children.find((child) => child.name === name);
  return at;
}
