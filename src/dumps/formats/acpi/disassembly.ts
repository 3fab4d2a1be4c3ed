// ACPI's tables about IOMMUs (DMAR, IVRS, IORT) as iasl disassembles them, one field a line:
//
//   [place] name ":" value ["[" what it means "]"]        value: hex digits; PCI Path: device "," function
//   place = "[" hex "h" decimal size "]"                  `[024h 0036   1]`, `[024h 0036 001h]`; template: `[0001]`; none
//
// Structures begin with these fields:
//   DMAR  "Signature", "Host Address Width", "Subtable Type : 000n [Hardware Unit Definition]" …; in a unit or a region
//         "Device Scope Type" (older: "Device Scope Entry Type"), and a "PCI Path" for every hop
//   IVRS  "Subtable Type : nn": 10, 11, 40 hardware, 20 to 22 memory; others are entries of the hardware before them
//   IORT  "Type : nn": 3 and 4 SMMU, 6 reserved memory; the latter is known by its fields too if its beginning is missing
// Numbers are as they are stored: the address width less one, limits inclusive. Fields without a place count only below
// a beginning that shows which table it is. Behind "Raw Table Data" come the same bytes in hex.
// (ACPICA's dmtbdump and dmtbinfo, versions of 2011 to 2024.)
import { type Iova, isIova } from '../../../iova/iova.ts';
import type { DumpLine, DumpSource, FactSink, LineFormat, LineReader, Lookahead } from '../../format.ts';
import { continuation } from '../../text/wrapped.ts';
import { AcpiFacts, scopeDevice } from './facts.ts';

const PLACE = '\\[(?:[0-9A-Fa-f]{3,6}h {1,2}\\d{1,7} {1,6}[0-9A-Fa-f]{1,5}h?|\\d{4})\\]';
const FIELD = new RegExp(`^\\s{0,60}(?:(${PLACE})\\s{0,60})?([A-Za-z][\\w ()/.-]{0,46}?) ?: ?(.{0,400})$`);
const NUMBER = /^([0-9a-f]{1,64})(?![\w,.])/i;
const PATH = /([0-9a-f]{2}),([0-9a-f]{1,2})(?![\w,])/gi;
const RAW = /^\s{0,16}[0-9a-f]{3,6}:(?: [0-9a-f]{2}){1,16}(?:\s|$)/i;
const COMMENT =
  /^\s{0,8}\*? ?(?:Intel ACPI Component Architecture|AML\/ASL\+ Disassembler|Copyright \(c\) \d{4} - \d{4} Intel|Disassembly of |ACPI Data Table \[|Format: \[HexOffset)/;
const SIGNATURES: readonly string[] = ['DMAR', 'IVRS', 'IORT'];

/** Kinds of structures by their number and the text behind it, whose words at the end changed or were broken off. */
const DMAR_KINDS = /^000[0-9] \[(?:Hardware|Reserved|Root|Remapping|ACPI|S)/;
const IVRS_KINDS = /^(?:(?:1[01]|2[0-2]|40) \[(?:Hardware|Memory)|[0-9a-f]{2} \[Device Entry)/i;
const RMR_FIELDS: readonly string[] = ['Number of RMR Descriptors', 'RMR Descriptor Offset', 'Base Address of RMR'];

/** Field names of the structures; without a place, others are text that happens to hold a colon. */
const NAMES = new Set(
  [
    'Signature|Table Length|Revision|Checksum|Oem ID|Oem Table ID|Oem Revision|Asl Compiler ID|Asl Compiler Revision',
    'Host Address Width|Flags|Flags (decoded below)|Reserved|Length|Subtable Type|PCI Segment Number|Size|DeviceID Valid',
    'Register Base Address|Device Scope Type|Device Scope Entry Type|Entry Length|Enumeration ID|PCI Bus Number|PCI Path',
    'Base Address|End Address (limit)|Proximity Domain|Device Number|Device Name|Size (decoded below)|DeviceId',
    'Virtualization Info|Capability Offset|PCI Segment Group|Attributes|EFR Image|Feature Reporting|Entry Type|Device ID',
    'Data Setting|Data Setting (decoded below)|Extended Data|Source Used Device ID|Handle|Variety|Auxiliary Data',
    'Start Address|Memory Length|Unity|Readable|Writeable|Exclusion Range|HtTunEn|PassPW|ResPassPW|Isoc Control',
    'Iotlb Support|Coherent|Prefetch Support|PPR Support|INITPass|EIntPass|NMIPass|System MGMT|LINT0 Pass|LINT1 Pass',
    'Node Count|Node Offset|Type|Identifier|Mapping Count|Mapping Offset|Number of RMR Descriptors|RMR Descriptor Offset',
    'Remapping Permitted|Access Privileged|Access Attributes|Base Address of RMR|Length of RMR|Input base|ID Count',
    'Output Base|Output Reference|Single Mapping|COHACC Override|HTTU Override|Proximity Domain Valid|VATOS Address',
    'Model|Event GSIV|PRI GSIV|GERR GSIV|Sync GSIV|Device ID Mapping Index|Span|ItsCount|Identifiers|Memory Properties',
    'Cache Coherency|Hints|Memory Flags|ATS Attribute|PCI Segment|Memory Size Limit|IOMMU Info|HID|CID|UID Format',
  ].flatMap((names) => names.split('|')),
);

type Kind = 'unit' | 'region' | 'hardware' | 'memory' | 'smmu-v2' | 'smmu-v3' | 'rmr' | 'other';

interface Scope {
  bus: number | undefined;
  readonly path: { readonly device: number; readonly function: number }[];
}

/** The structure at hand. */
interface Structure {
  readonly kind: Kind;
  readonly line: number;
  readonly type: number;
  /** Numbers by the names of their fields, the first of each. */
  readonly fields: Map<string, Iova>;
  readonly scopes: Scope[];
  readonly ranges: { readonly base: Iova; readonly line: number; length: Iova | undefined }[];
  readonly streams: number[];
  /** False for an IVHD's entries: their fields are not the structure's. */
  own: boolean;
}

interface Field {
  readonly name: string;
  readonly value: string;
  readonly placed: boolean;
}

/** What a mail program broke off: the value, or words behind it. */
const REST_OF_VALUE = /^(?:[0-9a-f]{1,64}|[0-9a-f]{2},[0-9a-f]{1,2})(?=\s|$)/i;
const REST_OF_WORDS = /^[^[\]:]{0,60}\]$/;

/** The field of a line, with its value or the words behind it from the next one. */
function wholeField(line: DumpLine, ahead: Lookahead): { readonly field: Field; readonly lines: number } | undefined {
  const field = fieldOf(line.text);
  if (!field) return undefined;
  const open = field.value.includes('[') && !field.value.includes(']');
  const rest = field.value === '' || open ? continuation(line, ahead)?.text.trim() : undefined;
  if (rest === undefined || !(open ? REST_OF_WORDS : REST_OF_VALUE).test(rest)) return { field, lines: 1 };
  return { field: { ...field, value: `${field.value} ${rest}`.trim() }, lines: 2 };
}

/** False for text that happens to hold a colon. */
function isKnown({ placed, name }: Field): boolean {
  return placed || NAMES.has(name);
}

function fieldOf(text: string): Field | undefined {
  const [, place, name, value] = FIELD.exec(text) ?? [];
  return name === undefined || value === undefined ? undefined : { name, value, placed: place !== undefined };
}

class AcpiDisassemblyReader implements LineReader {
  readonly #sink: FactSink;
  readonly #facts: AcpiFacts;
  /** The table; `other` for one that is not about IOMMUs. */
  #table: string | undefined;
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
    // Facts stand in the order of their lines: a structure ends where other text begins.
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

  /** What iasl writes around the fields. */
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
    const known = SIGNATURES.includes(table) ? table : 'other';
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

  #number({ name, value }: Field, line: DumpLine): Iova | undefined {
    const digits = NUMBER.exec(value)?.[1];
    if (digits === undefined) return undefined;
    const number = BigInt(`0x${digits}`);
    if (isIova(number)) return number;
    if (this.#structure) {
      this.#sink.diagnostic('damaged-acpi-field', { name, text: line.text }, line.number);
    }
    return undefined;
  }

  /** Notices the beginning of a structure, of any of the tables. */
  #begins({ name, value }: Field, number: Iova | undefined, line: DumpLine, ahead: Lookahead): boolean {
    if (name === 'Host Address Width') {
      this.#know('DMAR');
      if (number !== undefined) this.#facts.hostWidth(Number(number), line.number);
      return true;
    }
    if (name === 'Subtable Type' && number !== undefined) {
      const dmar = DMAR_KINDS.test(value);
      if (dmar || IVRS_KINDS.test(value)) this.#know(dmar ? 'DMAR' : 'IVRS');
      if (this.#table === 'DMAR') this.#open(dmarKind(Number(number)), Number(number), line);
      else if (this.#table === 'IVRS') this.#openVirtualization(Number(number), line);
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

  /** True if such a field of reserved memory belongs to the structure at hand, not to another one without its beginning. */
  #inNode(name: string): boolean {
    const structure = this.#structure;
    return structure?.kind === 'rmr' && !structure.fields.has(name) && structure.streams.length === 0;
  }

  /** The table shows in one of its fields: its beginning may be missing. */
  #know(table: string): void {
    if (this.#table !== table) this.#enter(table);
  }

  #openVirtualization(type: number, line: DumpLine): void {
    if (type === 0x10 || type === 0x11 || type === 0x40) this.#open('hardware', type, line);
    else if (type >= 0x20 && type <= 0x22) this.#open('memory', type, line);
    else if (this.#structure) this.#structure.own = false;
  }

  #open(kind: Kind, type: number, line: DumpLine): void {
    this.#close();
    this.#begun = true;
    const fields = new Map<string, Iova>();
    this.#structure = { kind, line: line.number, type, fields, scopes: [], ranges: [], streams: [], own: true };
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
    } else if (!structure.fields.has(name.replace(' (decoded below)', ''))) {
      structure.fields.set(name.replace(' (decoded below)', ''), number);
    }
  }

  #close(): void {
    const structure = this.#structure;
    this.#structure = undefined;
    if (structure && !this.#tell(structure)) {
      this.#sink.diagnostic('acpi-incomplete', { table: this.#table }, structure.line);
    }
  }

  /** False if fields are missing. */
  #tell({ kind, line, type, fields, scopes, ranges, streams }: Structure): boolean {
    const small = (name: string) => Number(fields.get(name) ?? 0n);
    switch (kind) {
      case 'unit': {
        const base = fields.get('Register Base Address');
        if (base !== undefined) this.#facts.remappingUnit(base, line);
        return base !== undefined;
      }
      case 'region': {
        const base = fields.get('Base Address');
        const limit = fields.get('End Address (limit)');
        if (base === undefined || limit === undefined) return false;
        const devices = scopes.flatMap(({ bus, path }) => {
          const device = bus === undefined ? undefined : scopeDevice(small('PCI Segment Number'), bus, path);
          return device === undefined ? [] : [device];
        });
        this.#facts.reservedRegion(base, limit, devices, line);
        return true;
      }
      case 'hardware': {
        const base = fields.get('Base Address');
        if (base !== undefined) this.#facts.hardware(small('PCI Segment Group'), small('DeviceId'), base, line);
        return base !== undefined;
      }
      case 'memory': {
        const start = fields.get('Start Address');
        const length = fields.get('Memory Length');
        if (start === undefined || length === undefined) return false;
        // The segment is the first half of what was reserved when iasl learned of the structure.
        const segment = Number((fields.get('Reserved') ?? 0n) & 0xffffn);
        const [device, lastDevice] = [small('DeviceId'), small('Auxiliary Data')];
        this.#facts.memory({ type, flags: small('Flags'), segment, device, lastDevice, start, length }, line);
        return true;
      }
      case 'smmu-v2':
      case 'smmu-v3': {
        const base = fields.get('Base Address');
        if (base !== undefined) this.#facts.smmu(kind, base, line);
        return base !== undefined;
      }
      case 'rmr': {
        const whole = ranges.flatMap(({ base, length, line: at }) =>
          length === undefined ? [] : [{ base, length, line: at }],
        );
        const permitted = fields.get('Remapping Permitted');
        const remapping = permitted === undefined ? (small('Flags') & 1) !== 0 : permitted !== 0n;
        this.#facts.reservedMemory({ remapping, ranges: whole, streams });
        return whole.length > 0 && whole.length === ranges.length;
      }
      default:
        return true;
    }
  }
}

function dmarKind(type: number): Kind {
  return type === 0 ? 'unit' : type === 1 ? 'region' : 'other';
}

function nodeKind(type: number): Kind {
  return type === 3 ? 'smmu-v2' : type === 4 ? 'smmu-v3' : type === 6 ? 'rmr' : 'other';
}

/** True if what follows a `Type` are the first fields of a node of an IORT. */
function isNode(ahead: Lookahead): boolean {
  const names = [1, 2, 4].map((n) => fieldOf(ahead(n)?.text ?? '')?.name);
  return names[0] === 'Length' && names[1] === 'Revision' && names[2] === 'Mapping Count';
}

export const ACPI_DISASSEMBLY: LineFormat = {
  kind: 'lines',
  name: 'acpi-disassembly',
  title: 'ACPI table DMAR, IVRS or IORT, disassembled',
  interest: {
    words: ['Raw Table Data', 'ACPI Data Table'],
    shapes: [
      new RegExp(`^\\s{0,60}${PLACE}`),
      /^\s{0,60}[A-Z][A-Za-z0-9 ()/.-]{0,46} ?:(?:$| ?(?:[0-9A-Fa-f]{1,64}|"\w{4}"|[0-9A-Fa-f]{2},[0-9A-Fa-f]{1,2})(?:\s|$))/,
      RAW,
      COMMENT,
    ],
  },
  open: (_source: DumpSource, sink) => new AcpiDisassemblyReader(sink),
};
