// What the start of a kernel's log says about physical addresses: the memory map of the firmware, and the windows and BARs
// of PCI. Both ends of `[mem …]` are inclusive.
//
//   "BIOS-e820: [mem 0x" hex "-0x" hex "]" type           before Linux 3.7 "BIOS-e820:" hex "-" hex "(" type ")": the end exclusive
//   "efi: mem" n ": [" type "|" attributes "]" "range=[0x" hex "-0x" hex "]" …      older "type=" n … "range=[" … ")": exclusive
//   "pci_bus" bus ": root bus resource [mem 0x" hex "-0x" hex ["window"] "]" ["(bus address [0x" hex "-0x" hex "])"]
//   name ": " ["MEM"|"IO"|"IB MEM"] "0x" hex "..0x" hex "-> 0x" hex           of a device tree; the CPU's, then the bus address
//   "pci" device ": reg 0x" offset ": [mem …" flags "]"     "pci" device ": BAR" n ["[mem …]"] [": assigned" ["[mem …]"]]
//   "pci" device ": " "bridge window [mem …" flags "]"      without a device: of the bridge in the line before it
//   "pci" device ": BAR" n ": " ("no space for" | "failed to assign") "[mem size" …
//
// flags = ["64bit"] ["pref"]. A BAR that moves keeps its last address. Windows of ports are not read, nor are BARs of
// virtual functions (reg 0x160 and up), of which the kernel prints one for all.
// (e820__print_table, efi_md_typeattr_format, pci_register_host_bridge, pci_std_update_resource; Linux 2.6.30 to 6.12.)
import { iova } from '../../../iova/iova.ts';
import type { IovaRange } from '../../../iova/range.ts';
import { quote } from '../../diagnostic-rule.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { normalizePciAddress, PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import { orderedRange } from '../../fields/range-of.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { LOWER_HEX_REST, type Matched, matchLongest } from '../../text/match-longest.ts';

type WindowType = 'ram' | 'pci' | 'mmio' | 'reserved' | 'other';

const ENDS = '0x([0-9a-f]{1,64})-0x([0-9a-f]{1,64})';
const MEM = `\\[mem ${ENDS}((?: [a-z0-9]{2,12}){0,4})\\]`;

const E820 = new RegExp(`BIOS-e820: \\[mem ${ENDS}\\] ([A-Za-z][\\w .()-]{1,40})$`);
const OLD_E820 = /BIOS-e820: ([0-9a-f]{8,16}) - ([0-9a-f]{8,16}) \(([A-Za-z][\w .-]{1,40})\)$/;
const E820_START = /BIOS-e820: /;
const E820_TYPES: readonly (readonly [type: WindowType, names: RegExp])[] = [
  ['ram', /^usable$/i],
  ['reserved', /^reserved$/i],
];

const EFI = new RegExp(
  `efi: mem\\d{1,4}: \\[([A-Z][A-Za-z ]{2,24}?) {0,12}\\|[^\\]]{0,80}\\] range=\\[${ENDS}([\\])])`,
);
const OLD_EFI = new RegExp(
  `(?:efi|EFI): mem\\d{1,4}: type=(\\d{1,3}), attr=0x[0-9a-f]{1,16}, range=\\[${ENDS}([\\])])`,
);
const EFI_START = /efi: mem\d/i;
/** By their numbers in the UEFI specification. */
const EFI_NAMES: readonly string[] = [
  'Reserved',
  'Loader Code',
  'Loader Data',
  'Boot Code',
  'Boot Data',
  'Runtime Code',
  'Runtime Data',
  'Conventional Memory',
  'Unusable Memory',
  'ACPI Reclaim Memory',
  'ACPI Memory NVS',
  'Memory Mapped I/O',
  'MMIO Port Space',
  'PAL Code',
  'Persistent Memory',
  'Unaccepted Memory',
];
/** Free for the kernel once it has left the firmware's boot services. */
const EFI_RAM = /^(?:Loader|Boot|Conventional)/;

const ROOT = new RegExp(`pci_bus ([0-9a-f]{4,8}:[0-9a-f]{2}): root bus resource ${MEM}`);
const TRANSLATED_ROOT = new RegExp(`${ROOT.source} ?\\(bus address \\[0x([0-9a-f]{1,64})-0x([0-9a-f]{1,64})\\]\\)`);
/** Behind the range: the other one, which cannot be read as a whole. */
const BUS_START = /^ {0,4}\(bus\b(?: {1,4}address)? {0,4}\[?([^\]\n]{0,40})/;
const ROOT_START = /root bus resource\b/;
const TREE =
  /(?:^|[ :])(MEM|IB MEM|IO|ECAM|err) {0,4}0x([0-9a-f]{1,64})\.\.0x([0-9a-f]{1,64}) -> 0x([0-9a-f]{1,64})(?!\w)/;
/** Digits of numbers with zeros in front, by kernel; and of those that print the fewest. */
const TREE_DIGITS: readonly number[] = [8, 10, 16];
const TREE_DIGITS_MIN = 8;
const TREE_START = /\.\.0x[0-9a-f]{1,16}(?: ->|$)/;

const DEVICE = `(?:^|[ \\t])(?:pci|[a-z][\\w-]{1,40}) (${PCI_ADDRESS_PATTERN}): {1,4}`;
const REGISTER = new RegExp(`${DEVICE}reg 0x([0-9a-f]{2,3}): ${MEM}`);
const BAR = new RegExp(
  `${DEVICE}(?:(VF) )?(?:BAR (\\d{1,2})|(ROM))(?::)? ${MEM}(: (?:assigned|releasing|error|can't claim|disabling)?)?`,
);
const ASSIGNED = new RegExp(`${DEVICE}(?:(VF) )?BAR (\\d{1,2}): (?:assigned|set to) ${MEM}`);
const REFUSED = new RegExp(
  `${DEVICE}BAR (\\d{1,2})(?: \\[mem size 0x([0-9a-f]{1,16})[^\\]]{0,40}\\])?: (?:no space for|failed to assign|can't assign)(?: \\[mem size 0x([0-9a-f]{1,16})[^\\]]{0,40}\\]| ?;|$)`,
);
const WHOLE_BAR_START = /: {1,4}(?:reg 0x|(?:VF )?BAR \d|ROM \[mem)/;
const CUT_BAR = new RegExp(
  `${DEVICE}(?:VF )?BAR \\d{1,2}:? (?:assigned )?\\[mem (0x[0-9a-f]{1,16}(?:-(?:0x[0-9a-f]{0,16})?)?)$`,
);
const BRIDGE = new RegExp(`(?:${DEVICE})?(?:PCI )?[Bb]ridge window ${MEM}`);
const BRIDGE_START = /[Bb]ridge window \[/;

/** Windows with numbers of ports, and lines without a range. */
const OTHER =
  /BIOS-provided physical RAM map:|root bus resource \[(?:io|bus) |[Bb]ridge window \[io |: reg 0x[0-9a-f]{2,3}: \[io |BAR \d{1,2}:? (?:assigned )?\[io |PCI host bridge to bus|: PCI bridge to \[bus/;

const BARS = 6;
const ROM = 6;
const FIRST_BAR = 0x10;
const ROM_REGISTER = 0x30;
/** Numbers of a bridge's windows and of virtual functions. */
const DEVICES_MAX = 10_000;

interface FoundBar extends IovaRange {
  readonly device: string;
  readonly index: number;
  readonly flags: string;
  readonly line: number;
}

/** Digits of each number of a window at least: those that do not fill them up begin with zeros. */
function widthOf(...numbers: readonly string[]): number {
  const padded = numbers.filter((digits) => digits.startsWith('0'));
  return Math.max(TREE_DIGITS_MIN, ...padded.map(({ length }) => length));
}

class KernelLogBootReader implements LineReader {
  readonly #sink: FactSink;
  readonly #bars = new Map<string, FoundBar>();
  /** BARs without an address: the kernel tries several times. */
  readonly #refused = new Map<
    string,
    { readonly device: string; readonly index: number; readonly size: bigint | undefined; readonly line: number }
  >();

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    const lines =
      this.#memory(line, ahead) ||
      this.#root(line, ahead) ||
      this.#tree(line, ahead) ||
      this.#bar(line, ahead) ||
      this.#bridge(line, ahead);
    if (lines > 0) return lines;
    if (!OTHER.test(line.text)) return 0;
    this.#sink.recognized();
    return 1;
  }

  end(): void {
    for (const { device, index, start, last, flags, line } of this.#bars.values()) {
      const bits = flags.includes('64bit') ? 64 : 32;
      const prefetchable = flags.includes('pref');
      this.#sink.fact({ kind: 'bar', start: iova(start), last: iova(last), device, index, prefetchable, bits }, line);
    }
    for (const [key, { device, index, size, line }] of this.#refused) {
      if (!this.#bars.has(key)) this.#sink.diagnostic('bar-without-address', { device, index, size }, line);
    }
  }

  /** A range of the firmware's memory map. */
  #memory(line: DumpLine, ahead: Lookahead): number {
    const e820 = matchLongest(line, ahead, E820_START, [E820, OLD_E820]);
    if (e820) {
      const [whole, from, to, name = ''] = e820.match;
      const type = E820_TYPES.find(([, names]) => names.test(name))?.[0] ?? 'other';
      return this.#window(from, to, !whole.includes('[mem'), `e820: ${name}`, type, line) * e820.lines;
    }
    const efi = matchLongest(line, ahead, EFI_START, [EFI, OLD_EFI]);
    if (!efi) return 0;
    const [, word = '', from, to, end] = efi.match;
    const name = /^\d/.test(word) ? (EFI_NAMES[Number(word)] ?? `type ${word}`) : word;
    const type = EFI_RAM.test(name)
      ? 'ram'
      : /^Reserved/.test(name)
        ? 'reserved'
        : /I\/O|MMIO/.test(name)
          ? 'mmio'
          : 'other';
    return this.#window(from, to, end === ')', `EFI: ${name}`, type, line) * efi.lines;
  }

  /** The memory window of a host bridge; with its addresses on the bus if they differ. */
  #root(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, ROOT_START, [TRANSLATED_ROOT, ROOT]);
    if (!found) return 0;
    const [, bus = '', from, to, , busFrom, busTo] = found.match;
    const name = `PCI Bus ${bus}`;
    const taken = this.#window(from, to, false, name, 'pci', line);
    if (busFrom !== undefined) this.#window(busFrom, busTo, false, `${name}, addresses on the bus`, 'pci', line);
    const { input, index } = found.match;
    const damaged = busFrom === undefined ? BUS_START.exec(input.slice(index + found.match[0].length)) : null;
    if (damaged)
      this.#sink.diagnostic('damaged-number', { numbers: [damaged[1] || damaged[0].trim()], text: input }, line.number);
    return taken * found.lines;
  }

  #tree(line: DumpLine, ahead: Lookahead): number {
    const alone = matchLongest(line, ahead, TREE_START, [TREE]);
    if (!alone) return 0;
    const found = this.#withRest(alone, line, ahead);
    const [, kind = '', from = '', to = '', bus = ''] = found.match;
    const cut = [from, to, bus].filter(({ length }) => length < widthOf(from, to));
    if (cut.length > 0) {
      const numbers = cut.map((digits) => `0x${digits}`);
      this.#sink.diagnostic('damaged-number', { numbers, text: line.text }, line.number);
      return found.lines;
    }
    // Inbound ranges are RAM as the devices see it; ports have no addresses of memory.
    if (kind === 'IO' || kind === 'err') return found.lines;
    const start = parseHexAddress(from);
    const last = parseHexAddress(to);
    const onBus = parseHexAddress(bus);
    if (start === undefined || last === undefined || onBus === undefined || start > last) return 0;
    const isInbound = kind === 'IB MEM';
    const name = isInbound ? 'PCI: memory that devices reach' : 'PCI host bridge';
    const type = isInbound ? 'other' : kind === 'ECAM' ? 'mmio' : 'pci';
    this.#window(from, to, false, name, type, line);
    const end = onBus + (last - start);
    if (onBus !== start && end < 1n << 64n) {
      const ends = { start: onBus, last: iova(end) };
      this.#sink.fact({ kind: 'window', ...ends, name: `${name}, addresses on the bus`, depth: 0, type }, line.number);
    }
    return found.lines;
  }

  /** The window with the digits of its last number that are on the next line. */
  #withRest(found: Matched, line: DumpLine, ahead: Lookahead): Matched {
    const [, , from = '', to = '', bus = ''] = found.match;
    const width = widthOf(from, to);
    if (bus.length >= width) return found;
    const longer = matchLongest(line, ahead, TREE_START, [TREE], LOWER_HEX_REST);
    const whole = longer?.match[4] ?? '';
    const isWhole = whole.length >= width && (TREE_DIGITS.includes(whole.length) || !whole.startsWith('0'));
    return longer && isWhole ? longer : found;
  }

  #bar(line: DumpLine, ahead: Lookahead): number {
    if (!WHOLE_BAR_START.test(line.text)) return 0;
    // What is whole is not a part of something longer: a line below may be about another device.
    const whole = [REFUSED, REGISTER, ASSIGNED, BAR].find((pattern) => pattern.test(line.text));
    const find = (pattern: RegExp) =>
      whole === undefined || whole === pattern ? matchLongest(line, ahead, WHOLE_BAR_START, [pattern]) : undefined;
    const refused = find(REFUSED);
    if (refused) {
      const [, address = '', number = '', first, digits = first] = refused.match;
      const device = normalizePciAddress(address);
      const index = Number(number);
      const key = `${device} ${index}`;
      if (device !== undefined && index <= ROM && this.#refused.size < DEVICES_MAX) {
        this.#refused.set(key, { device, index, size: parseHexAddress(digits), line: line.number });
        // What it had before is not where it is.
        this.#bars.delete(key);
      }
      this.#sink.recognized();
      return refused.lines;
    }
    const register = find(REGISTER);
    if (register) {
      const [, address, offset = '', from, to, flags] = register.match;
      const at = Number.parseInt(offset, 16);
      const index = at === ROM_REGISTER ? ROM : (at - FIRST_BAR) / 4;
      return this.#place(address, index, from, to, flags, line) * register.lines;
    }
    const assigned = find(ASSIGNED);
    if (assigned) {
      const [, address, virtual, number, from, to, flags] = assigned.match;
      return this.#place(address, virtual ? -1 : Number(number), from, to, flags, line) * assigned.lines;
    }
    const bar = find(BAR);
    if (!bar) return this.#cutBar(line);
    const [, address, virtual, number, rom, from, to, flags, fate = ''] = bar.match;
    const index = rom ? ROM : Number(number);
    // A BAR that is given back, or in the way of something, is nowhere until it is assigned.
    if (/releasing|error|claim|disabling/.test(fate)) return bar.lines;
    return this.#place(address, virtual ? -1 : index, from, to, flags, line) * bar.lines;
  }

  /** A BAR of memory whose range is cut. */
  #cutBar(line: DumpLine): 0 | 1 {
    const [, digits] = CUT_BAR.exec(line.text) ?? [];
    if (digits === undefined) return 0;
    this.#sink.diagnostic('damaged-number', { numbers: [digits], text: line.text }, line.number);
    return 1;
  }

  /** Keeps a BAR. Numbers above those of BARs are a bridge's windows. Returns 1. */
  #place(
    address: string | undefined,
    index: number,
    from: string | undefined,
    to: string | undefined,
    flags: string | undefined,
    line: DumpLine,
  ): 0 | 1 {
    const device = normalizePciAddress(address ?? '');
    const start = parseHexAddress(from);
    const last = parseHexAddress(to);
    if (device === undefined || start === undefined || last === undefined) return 0;
    this.#sink.recognized();
    if (!Number.isInteger(index) || index < 0 || index > BARS) return 1;
    const place = orderedRange(start, last, quote(line.text), line.number, this.#sink);
    const key = `${device} ${index}`;
    // The firmware gave it no address.
    if (!place || start === 0n || (this.#bars.size >= DEVICES_MAX && !this.#bars.has(key))) return 1;
    this.#bars.set(key, { ...place, device, index, flags: flags ?? '', line: line.number });
    return 1;
  }

  #bridge(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, BRIDGE_START, [BRIDGE]);
    if (!found) return 0;
    const [, address, from, to] = found.match;
    const device = address === undefined ? undefined : normalizePciAddress(address);
    const name = device === undefined ? 'PCI bridge window' : `PCI bridge ${device}`;
    return this.#window(from, to, false, name, 'pci', line, 1) * found.lines;
  }

  /** Emits a window. Returns 1, or 0 if the numbers are none. */
  #window(
    from: string | undefined,
    to: string | undefined,
    isExclusive: boolean,
    name: string,
    type: WindowType,
    line: DumpLine,
    depth = 0,
  ): 0 | 1 {
    const start = parseHexAddress(from);
    const end = parseHexAddress(to);
    if (start === undefined || end === undefined) {
      this.#sink.diagnostic('too-many-digits', { text: line.text }, line.number);
      return 1;
    }
    if (isExclusive && end <= start) {
      this.#sink.diagnostic('empty-range', { what: quote(line.text), start }, line.number);
      return 1;
    }
    const window = orderedRange(start, isExclusive ? iova(end - 1n) : end, quote(line.text), line.number, this.#sink);
    if (window) this.#sink.fact({ kind: 'window', ...window, name, depth, type }, line.number);
    return 1;
  }
}

export const KERNEL_LOG_BOOT: LineParser = {
  open: (_source: DumpSource, sink) => new KernelLogBootReader(sink),
};
