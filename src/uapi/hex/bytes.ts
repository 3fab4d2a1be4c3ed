// Shared by the readers of hex dumps: bytes with their positions, lines, problems.
import type { Endian } from '../node.ts';

export type HexDumpForm =
  /** Lines that start with an address: xxd, hexdump, od, debuggers. */
  | 'addressed'
  /** A C array, or a C string with \x escapes. */
  | 'c-array'
  /** Only digits, with or without separators. */
  | 'plain';

export interface HexDumpProblem {
  readonly code: 'not-hex' | 'odd-digits' | 'address-jumps' | 'repeat-without-line' | 'too-large' | 'nothing-read';
  /** Both counted from 1. */
  readonly line: number;
  readonly column: number;
  /** One sentence without its full stop. */
  readonly message: string;
}

export interface HexDump {
  readonly form: HexDumpForm;
  readonly bytes: Uint8Array;
  /** Line of each byte in the text, counted from 1; 0 for bytes that are missing in the text. */
  readonly lines: Uint32Array;
  /** Column of the first digit of each byte, counted from 1; 0 as above. */
  readonly columns: Uint32Array;
  /** Address of the first byte, if the text has addresses. */
  readonly address: bigint | undefined;
  readonly problems: readonly HexDumpProblem[];
}

export interface HexDumpOptions {
  /** Byte order of words of more than one byte, as gdb's `x/8xw` and `od -t x4` print; little if left out. */
  readonly endian?: Endian;
}

/** At most this many bytes are read; the largest buffers of the UAPI, lists of ranges, have some 64 KiB. */
export const MAX_BYTES = 1 << 18;

/** Bytes with their positions, in order. */
export class Collected {
  #bytes = new Uint8Array(256);
  #lines = new Uint32Array(256);
  #columns = new Uint32Array(256);
  size = 0;

  /** False if the limit is reached. */
  push(byte: number, line: number, column: number): boolean {
    if (this.size >= MAX_BYTES) return false;
    if (this.size === this.#bytes.length) {
      const room = this.size * 2;
      this.#bytes = grow(this.#bytes, new Uint8Array(room));
      this.#lines = grow(this.#lines, new Uint32Array(room));
      this.#columns = grow(this.#columns, new Uint32Array(room));
    }
    this.#bytes[this.size] = byte;
    this.#lines[this.size] = line;
    this.#columns[this.size] = column;
    this.size++;
    return true;
  }

  /** Keeps the first `size` bytes. */
  truncate(size: number): void {
    if (size < this.size) this.size = size;
  }

  /** The byte at an index that was pushed. */
  at(index: number): number {
    return this.#bytes[index] ?? 0;
  }

  finish(form: HexDumpForm, address: bigint | undefined, problems: readonly HexDumpProblem[]): HexDump {
    return {
      form,
      bytes: this.#bytes.slice(0, this.size),
      lines: this.#lines.slice(0, this.size),
      columns: this.#columns.slice(0, this.size),
      address,
      problems,
    };
  }
}

function grow<T extends Uint8Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

/** Pushes the bytes of one number as written; `column` is that of its first digit. False if the limit is reached. */
export function pushDigits(to: Collected, digits: string, line: number, column: number, reversed: boolean): boolean {
  const count = digits.length / 2;
  for (let i = 0; i < count; i++) {
    const at = reversed ? digits.length - 2 * (i + 1) : 2 * i;
    if (!to.push(Number.parseInt(digits.slice(at, at + 2), 16), line, column + at)) return false;
  }
  return true;
}

/** Quote marks of mails before a line: not part of it, but counted by columns. */
const QUOTE = /^(?:(?:\s*[>|](?=\s|[>|]))+\s?)?/;

export interface Line {
  /** From 1. */
  readonly number: number;
  readonly text: string;
  /** Characters before `text` in the line. */
  readonly skipped: number;
}

export function linesOf(text: string): Line[] {
  return text.split(/\r\n|\n|\r/).map((full, i) => {
    const skipped = QUOTE.exec(full)?.[0].length ?? 0;
    return { number: i + 1, text: full.slice(skipped).trimEnd(), skipped };
  });
}

/** True for the shell or debugger command that printed the dump. */
export function isCommand(text: string): boolean {
  return /^\s*(?:\(gdb\)|[^\s#$%]*[#$%]\s|\$\s|(?:xxd|hexdump|od|hd)\s)/.test(text);
}
