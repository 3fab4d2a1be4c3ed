// The text of acpidump: each table as rows of bytes, in the order of the system's list of tables (XSDT).
//
//   signature " @ 0x" address
//   *(blanks offset ":" 16*(" " byte) blanks text)         offset and bytes in hexadecimal; the last row is shorter
//
// Only DMAR, IVRS and IORT are read. Of several with one signature Linux takes the first.
// (acpidump of ACPICA, and of pmtools before it, whose rows look alike.)
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader } from '../../format.ts';
import { HEADER, LENGTH_MAX, TABLE_NAMES, type TableName, tableNameOf } from './signature.ts';
import { readAcpiTable } from './table.ts';

const START = /^\s{0,8}([A-Z0-9_!]{4}) @ 0x[0-9A-Fa-f]{1,16}$/;
const ROW = /^\s{0,16}([0-9A-Fa-f]{4,8}):((?: [0-9A-Fa-f]{2}){1,16})(?:\s|$)/;
const ROW_BYTES = 16;

class AcpiDumpReader implements LineReader {
  readonly #sink: FactSink;
  /** The table whose rows are being read; `name` is undefined for one that is not read. */
  #table: { readonly name: TableName | undefined; readonly bytes: number[]; readonly line: number } | undefined;
  readonly #seen = new Set<TableName>();

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine): number {
    if (line.elision || line.prompt) return 0;
    const signature = START.exec(line.text)?.[1];
    if (signature !== undefined) {
      this.#finish();
      const name = TABLE_NAMES.find((known) => known === signature);
      this.#table = { name, bytes: [], line: line.number };
      this.#sink.recognized();
      return 1;
    }
    const table = this.#table;
    const [, offset, cells = ''] = ROW.exec(line.text) ?? [];
    if (!table || offset === undefined) return 0;
    if (table.name === undefined) return 1;
    const at = Number.parseInt(offset, 16);
    const row = cells
      .trim()
      .split(' ')
      .map((cell) => Number.parseInt(cell, 16));
    // The text beside the bytes may look like more of them: there are never more than the table has.
    if (at !== table.bytes.length || at > LENGTH_MAX) {
      this.#sink.diagnostic(
        'damaged-hex-dump',
        { reason: `expected the row of offset 0x${table.bytes.length.toString(16)} of ${table.name}` },
        line.number,
      );
      this.#finish();
      return 1;
    }
    table.bytes.push(...row);
    if (row.length < ROW_BYTES) this.#finish();
    return 1;
  }

  end(): void {
    this.#finish();
  }

  #finish(): void {
    const table = this.#table;
    this.#table = undefined;
    if (table?.name === undefined || table.bytes.length === 0) return;
    const bytes = Uint8Array.from(table.bytes);
    if (bytes.length < HEADER || tableNameOf(bytes) !== table.name) {
      this.#sink.diagnostic('acpi-incomplete', { table: table.name }, table.line);
      return;
    }
    if (this.#seen.has(table.name)) {
      this.#sink.diagnostic('acpi-second-table', { table: table.name }, table.line);
      return;
    }
    this.#seen.add(table.name);
    const length = new DataView(bytes.buffer).getUint32(4, true);
    // The last row may have been filled up by text that looks like bytes.
    const whole = bytes.length - length < ROW_BYTES ? bytes.subarray(0, Math.max(length, HEADER)) : bytes;
    readAcpiTable(whole, 0, withLine(this.#sink, table.line));
  }
}

/** The sink, for what has no line of its own. */
function withLine(sink: FactSink, line: number): FactSink {
  return {
    fact: (fact, at) => sink.fact(fact, at ?? line),
    group: (group, about, at) => sink.group(group, about, at ?? line),
    diagnostic: (code, parameters, at, severity) => sink.diagnostic(code, parameters, at ?? line, severity),
    recognized: () => sink.recognized(),
  };
}

export const ACPI_DUMP: LineParser = { open: (_source: DumpSource, sink) => new AcpiDumpReader(sink) };
