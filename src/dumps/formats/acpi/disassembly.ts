// ACPI tables about IOMMUs (DMAR, IVRS, IORT) as iasl disassembles them, one field per line:
//
//   [place] name ":" value ["[" meaning "]"]              value: hex digits; PCI Path: device "," function
//   place = "[" hex "h" decimal size "]"                  `[024h 0036   1]`, `[024h 0036 001h]`; template: `[0001]`; none
//
// Structures begin with these fields:
//   DMAR  "Signature", "Host Address Width", "Subtable Type : 000n [Hardware Unit Definition]" …; in a unit or a region
//         "Device Scope Type" (older: "Device Scope Entry Type"), and a "PCI Path" for every hop
//   IVRS  "Subtable Type : nn": 10, 11, 40 hardware, 20 to 22 memory; others are entries of the hardware before them
//   IORT  "Type : nn": 2 root complex, 3 and 4 SMMU, 6 reserved memory, which is also recognized by its fields if its beginning is missing
// Numbers are as stored: the address width minus one, limits inclusive. Fields without a place count only after a field
// that shows which table it is. After "Raw Table Data", the same bytes follow in hex.
// (ACPICA's dmtbdump and dmtbinfo, versions of 2011 to 2024.)
import { type Iova, isIova } from '../../../iova/iova.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { AcpiFacts } from './facts.ts';
import { type Field, fieldOf, isKnown, wholeField } from './field-line.ts';
import { TABLE_NAMES, type TableName } from './signature.ts';
import { dmarKind, emitStructure, ivrsKind, nodeKind, type Structure, type StructureKind } from './structure.ts';

const NUMBER = /^([0-9a-f]{1,64})(?=$|\s+[[("])/i;
/** What a field with a number begins with, however malformed. */
const NUMBER_START = /^[0-9a-f\ue030-\ue066][0-9a-f_'’.…\ue030-\ue066](?!,)/i;
const PATH = /([0-9a-f]{2}),([0-9a-f]{1,2})(?![\w,])/gi;
const RAW = /^\s{0,16}[0-9a-f]{3,6}:(?: [0-9a-f]{2}){1,16}(?:\s|$)/i;
const COMMENT =
  /^\s{0,8}\*? ?(?:Intel ACPI Component Architecture|AML\/ASL\+ Disassembler|Copyright \(c\) \d{4} - \d{4} Intel|Disassembly of |ACPI Data Table \[|Format: \[HexOffset)/;

/** Structures by their number and the start of the text after it, whose end varies between versions or is cut. */
const DMAR_KINDS = /^000[0-9] \[(?:Hardware|Reserved|Root|Remapping|ACPI|S)/;
const IVRS_KINDS = /^(?:(?:1[01]|2[0-2]|40) \[(?:Hardware|Memory)|[0-9a-f]{2} \[Device Entry)/i;
/** Fields whose numbers become a fact. */
const RANGE_FIELDS: ReadonlySet<string> = new Set([
  'Base Address',
  'End Address (limit)',
  'PCI Bus Number',
  'Start Address',
  'Memory Length',
  'Device ID',
  'Base Address of RMR',
  'Length of RMR',
  'Output Base',
  'Host Address Width',
  'Virtualization Info',
]);
/** Those outside of structures. */
const TABLE_FIELDS: ReadonlySet<string> = new Set(['Host Address Width', 'Virtualization Info']);
/** Those of 64 bits, of which all digits are printed. */
const WIDE_FIELDS: ReadonlySet<string> = new Set([
  'Base Address',
  'End Address (limit)',
  'Start Address',
  'Memory Length',
  'Base Address of RMR',
  'Length of RMR',
]);
const RMR_FIELDS: readonly string[] = ['Number of RMR Descriptors', 'RMR Descriptor Offset', 'Base Address of RMR'];

class AcpiDisassemblyReader implements LineReader {
  readonly #sink: FactSink;
  readonly #facts: AcpiFacts;
  /** `other`: a table that is not about IOMMUs. */
  #table: TableName | 'other' | undefined;
  #begun = false;
  #structure: Structure | undefined;
  #raw = false;

  constructor(sink: FactSink) {
    this.#sink = sink;
    this.#facts = new AcpiFacts(sink);
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision) return 0;
    if (line.prompt) {
      this.#leave();
      return 0;
    }
    const taken = this.#comment(line) || this.#field(line, ahead);
    // Facts are emitted in the order of their lines: a structure ends where other text starts.
    if (taken > 0 && !this.#goesOn(ahead(taken)) && !this.#goesOn(ahead(taken + 1))) this.#close();
    return taken;
  }

  end(): void {
    this.#close();
  }

  #goesOn(next: DumpLine | undefined): boolean {
    if (!next || next.prompt) return false;
    const field = fieldOf(next.text);
    return next.elision || (field !== undefined && isKnown(field));
  }

  #leave(): void {
    this.#close();
    this.#table = undefined;
    this.#raw = false;
  }

  /** Text that iasl prints around the fields. */
  #comment(line: DumpLine): number {
    if (/^\s{0,16}Raw Table Data\b/.test(line.text)) {
      this.#close();
      if (this.#table === undefined || this.#table === 'other') return 0;
      this.#raw = true;
      return 1;
    }
    if (this.#raw && RAW.test(line.text)) return 1;
    if (!COMMENT.test(line.text)) return 0;
    const table = /ACPI Data Table \[(\w{4})\]/.exec(line.text)?.[1];
    if (table !== undefined) this.#enter(table);
    return 1;
  }

  #enter(table: string): void {
    const known = TABLE_NAMES.find((name) => name === table) ?? 'other';
    if (known === this.#table && !this.#begun) return;
    this.#close();
    this.#table = known;
    this.#begun = false;
    this.#raw = false;
    if (known !== 'other') this.#facts.begin();
  }

  #field(line: DumpLine, ahead: Lookahead): number {
    const { field, lines } = wholeField(line, ahead) ?? {};
    if (!field || lines === undefined || !isKnown(field)) return 0;
    if (field.name === 'Signature') {
      const table = /^"?(\w{4})"?/.exec(field.value)?.[1];
      if (table === undefined) return 0;
      this.#enter(table);
      return this.#table === 'other' ? 0 : lines;
    }
    if (this.#table === 'other') return 0;
    const number = this.#number(field, line);
    if (this.#begins(field, number, line, ahead)) return lines;
    if (this.#structure) {
      this.#keep(this.#structure, field, number, line.number);
      return lines;
    }
    return this.#table === undefined ? 0 : lines;
  }

  #number({ name, value, bytes }: Field, line: DumpLine): Iova | undefined {
    const digits = NUMBER.exec(value)?.[1];
    const isCut = WIDE_FIELDS.has(name) && bytes !== undefined && digits !== undefined && digits.length < 16;
    const number = digits === undefined || isCut ? undefined : BigInt(`0x${digits}`);
    if (number !== undefined && isIova(number)) return number;
    const isOfTable = this.#structure !== undefined || TABLE_FIELDS.has(name);
    if (isOfTable && (number !== undefined || (RANGE_FIELDS.has(name) && NUMBER_START.test(value)))) {
      this.#sink.diagnostic('damaged-acpi-field', { name, text: line.text }, line.number);
    }
    return undefined;
  }

  /** Handles the first field of a structure, of any table. */
  #begins({ name, value }: Field, number: Iova | undefined, line: DumpLine, ahead: Lookahead): boolean {
    if (name === 'Host Address Width') {
      this.#know('DMAR');
      if (number !== undefined) this.#facts.hostWidth(Number(number), line.number);
      return true;
    }
    if (name === 'Virtualization Info' && this.#table === 'IVRS' && !this.#structure) {
      if (number !== undefined) this.#facts.virtualizationInfo(number, line.number);
      return true;
    }
    const isType = name === 'Subtable Type' || (name === 'Type' && this.#table === 'IORT');
    if (isType && number === undefined && this.#table !== undefined && NUMBER_START.test(value)) {
      // Of what kind the structure is that begins here is not known: its fields are no other's.
      this.#sink.diagnostic('damaged-acpi-field', { name, text: line.text }, line.number);
      this.#close();
      return true;
    }
    if (name === 'Subtable Type' && number !== undefined) {
      const dmar = DMAR_KINDS.test(value);
      if (dmar || IVRS_KINDS.test(value)) this.#know(dmar ? 'DMAR' : 'IVRS');
      if (this.#table === 'DMAR') this.#open(dmarKind(Number(number)), Number(number), line);
      if (this.#table === 'IVRS') {
        const kind = ivrsKind(Number(number));
        if (kind) this.#open(kind, Number(number), line);
        else if (this.#structure) this.#structure.own = false;
      }
      return this.#table !== undefined;
    }
    if (name === 'Entry Type' && this.#table === 'IVRS' && this.#structure) {
      this.#structure.own = false;
      return true;
    }
    if (name === 'Type' && number !== undefined) {
      if (this.#table === undefined && isNode(ahead)) this.#know('IORT');
      if (this.#table !== 'IORT') return false;
      this.#open(nodeKind(Number(number)), Number(number), line);
      return true;
    }
    if (RMR_FIELDS.includes(name) && !this.#inNode(name)) {
      this.#know('IORT');
      this.#open('rmr', 6, line);
    }
    return false;
  }

  /** True if a field of reserved memory belongs to the current structure, not to another one whose beginning is missing. */
  #inNode(name: string): boolean {
    const structure = this.#structure;
    return structure?.kind === 'rmr' && !structure.fields.has(name) && structure.streams.length === 0;
  }

  /** A field shows which table it is, even if its beginning is missing. */
  #know(table: TableName): void {
    if (this.#table !== table) this.#enter(table);
  }

  #open(kind: StructureKind, type: number, line: DumpLine): void {
    this.#close();
    this.#begun = true;
    const fields = new Map<string, Iova>();
    this.#structure = {
      kind,
      line: line.number,
      type,
      fields,
      scopes: [],
      ranges: [],
      streams: [],
      inputs: [],
      counts: [],
      own: true,
    };
  }

  #keep(structure: Structure, { name, value }: Field, number: Iova | undefined, line: number): void {
    if (!structure.own) return;
    const scope = structure.scopes.at(-1);
    if (name === 'Device Scope Type' || name === 'Device Scope Entry Type') {
      structure.scopes.push({ bus: undefined, path: [] });
    } else if (name === 'PCI Path') {
      for (const [, device, part] of value.matchAll(PATH)) {
        scope?.path.push({ device: Number.parseInt(device ?? '', 16), function: Number.parseInt(part ?? '', 16) });
      }
    } else if (number === undefined) {
      return;
    } else if (name === 'PCI Bus Number' && scope) {
      scope.bus = Number(number);
    } else if (name === 'Base Address of RMR') {
      structure.ranges.push({ base: number, line, length: undefined });
    } else if (name === 'Length of RMR') {
      const range = structure.ranges.at(-1);
      if (range) range.length ??= number;
    } else if (name === 'Output Base') {
      structure.streams.push(Number(number));
    } else if (name === 'Input base') {
      structure.inputs.push(Number(number));
    } else if (name === 'ID Count') {
      structure.counts.push(Number(number));
    } else if (!structure.fields.has(name.replace(' (decoded below)', ''))) {
      structure.fields.set(name.replace(' (decoded below)', ''), number);
    }
  }

  #close(): void {
    const structure = this.#structure;
    this.#structure = undefined;
    if (structure && !emitStructure(structure, this.#facts)) {
      this.#sink.diagnostic('acpi-incomplete', { table: this.#table }, structure.line);
    }
  }
}

/** True if the fields after a `Type` are those of a node of an IORT. */
function isNode(ahead: Lookahead): boolean {
  const nameOf = (n: number) => fieldOf(ahead(n)?.text ?? '')?.name;
  return nameOf(1) === 'Length' && nameOf(2) === 'Revision' && nameOf(4) === 'Mapping Count';
}

export const ACPI_DISASSEMBLY: LineParser = {
  open: (_source: DumpSource, sink) => new AcpiDisassemblyReader(sink),
};
