// lspci in all its forms: what a device is, its driver, its ranges in the host's address space, and its MSI messages. The
// tree (-t) is in lspci-tree.ts.
//
//   device = address " " class ": " name                          "-s" address of a command, where the line is missing
//   BAR    = ["Region " n ": "] ["[virtual] "] "Memory at " (hex | "<unassigned>" …)
//            " (" ("32-bit" | "64-bit" | "low-1M" | "type 3") ", " ["non-"] "prefetchable)" *(" [" flag "]") [" [size=" size "]"]
//   ROM    = ["[virtual] "] "Expansion ROM at " hex *(" [" flag "]") [" [size=" size "]"]
//   size   = decimal ["K" | "M" | "G" | "T"]
//   bridge = ["Prefetchable m" | "M"] "emory behind bridge: " (hex "-" hex | "None" | "[disabled]") …
//                                both ends inclusive, with the same number of digits
//   group  = "IOMMU group: " n
//   about  = "Subsystem: " name [" [" ids "]"] | "Kernel driver in use: " name | "NUMA node: " n
//            | "Flags: " … ["NUMA node " n] … ["IOMMU group " n]
//   record = "Slot:" address 1*(NL field ":" value)                 -vmm; text after an address: device-label.ts
//   MSI    = "MSI: Enable" ("+" | "-") …, once "Message Signalled Interrupts: " … "Enable" ("+" | "-")
//            "Address: " hex "  Data: " hex                        the next line, from -vv on
//   MSI-X  = "MSI-X: Enable" ("+" | "-") (" Count=" | " Mask" … "TabSize=") n …
//            "Vector table: BAR=" n " offset=" hex                 the next line, from -vv on
//
// With one -v the number of a BAR is not printed: they are counted, a 64-bit one for two. Regions in the capability
// "Single Root I/O Virtualization" belong to virtual functions and have no size: no facts. A closed window of a bridge
// starts above its end. (show_bases, show_rom, show_htype1 in lspci.c, cap_msi, cap_msix in ls-caps.c; pciutils 2.1 to 3.13.)
import { type IovaRange, rangeOfLength } from '../../../iova/range.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { normalizePciAddress } from '../../fields/pci-address.ts';
import { sizedRange } from '../../fields/range-of.ts';
import { groupName } from '../../fields/sysfs-path.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { matchLongest } from '../../text/match-longest.ts';
import { type AboutDevice, deviceFact } from './device-fact.ts';
import { deviceLabel, splitName } from './device-label.ts';

const ADDRESS = '(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]';
const DEVICE = new RegExp(
  `^\\s{0,16}(${ADDRESS}) (?:"?\\d?[A-Z][\\w /.,()&+-]{1,80}(?: \\[[0-9a-f]{4}\\])?"?:? ?|(?:Class )?[0-9a-f]{4}: [0-9a-f]{4}:[0-9a-f]{4}|Class [0-9a-f]{4})`,
  'i',
);
const NAMED = new RegExp(`^\\s{0,16}${ADDRESS} .{2,90}: |^\\s{0,16}${ADDRESS} (?:Class )?[0-9a-f]{4}: `, 'i');
const COMMAND = /(?:^|[\s;|&(/])lspci(?:\s|$)/;
const SELECTED =
  /(?:^|[\s/])lspci\s.{0,80}?-[a-zA-Z]{0,8}s ?['"]?(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})\.([0-9a-f]{1,2})(?![\w.:])/gi;

const FLAGS = '(?: \\[(?:disabled|virtual|enhanced|ignored|32-bit|64-bit)\\]){0,4}';
const SIZE = ' ?\\[size=(\\d{1,20})([KMGTP]?)B?\\]';
const BAR = `(?:Region (\\d{1,2}): ?)?(?:\\[(?:virtual|enhanced)\\] )?Memory at ([0-9a-f]{1,64}|<[\\w -]{1,40}>) ?\\((low-1M|(?:32|64)-bit|type \\d), ?(non-)?prefetchable\\)`;
const BARS: readonly RegExp[] = [new RegExp(`${BAR}${FLAGS}${SIZE}`, 'i'), new RegExp(`${BAR}${FLAGS}`, 'i')];
const BAR_START = /Memory at [0-9a-f<]|Memory at$|Region \d{1,2}:(?: Memory)?$/i;
/** Digits of an address, at least. */
const DIGITS_MIN = 8;
const ROM = 'Expansion ROM at ([0-9a-f]{1,64}|<[\\w -]{1,40}>)';
const ROMS: readonly RegExp[] = [new RegExp(`${ROM}${FLAGS}${SIZE}`, 'i'), new RegExp(`${ROM}${FLAGS}`, 'i')];
const PORTS = /^\s{0,32}(?:Region (\d{1,2}): )?(?:\[virtual\] )?I\/O ports at /i;
const BRIDGE =
  /(Prefetchable m|\bM)emory behind bridge: ?(?:([0-9a-f]{4,64})-([0-9a-f]{4,64})(?![0-9a-f])([^\n]{0,60})|\S.{0,60})$/;
const BRIDGE_START = /emory behind bridge:/;
const GROUP = /^\s{0,16}IOMMU group: ?(\d{1,9})$/;
const SUBSYSTEM = /^\s{0,32}Subsystem: ?(\S.{0,300})$/;
const DRIVER = /^\s{0,32}Kernel driver in use: ?([\w.-]{1,60})/;
const NODE = /^\s{0,32}NUMA node: ?(\d{1,4})$/;
const DETAIL = /^\s{0,32}(?:Subsystem: ?\S|Kernel driver in use: ?\S|NUMA node: ?\d)/;
const FLAGS_LINE = /^\s{0,32}Flags: /;
/** A list of groups: the devices on the lines below are read with their group by that format. */
const GROUP_HEADER = /^[^\p{L}\p{N}/]{0,20}(?:iommu[ _-]?)?group[ \t#:]{0,8}\d{1,9}[ \t:]{0,12}$/iu;
/** Verbose and for machines (-vmm): one field a line. Without the second `m` the address is called `Device` too. */
const FIELD =
  /^\s{0,16}(Slot|Class|Vendor|Device|SVendor|SDevice|Rev|ProgIf|PhySlot|Driver|Module|NUMANode|IOMMUGroup|DTNode):\s{1,8}(\S.{0,300})$/;
const MSI = /\bMSI: Enable([+-])|Message Signall?ed Interrupts: .{0,60}Enable([+-])/;
const MESSAGE_START = /^\s{0,32}Address: ?[0-9a-f]{8}/i;
const MESSAGE = /Address: ?([0-9a-f]{8,64}) {1,4}Data: ?([0-9a-f]{4,8})(?![0-9a-f])/i;
const MSIX = /\bMSI-X: Enable[+-] .{0,24}?(?:Count|TabSize)=(\d{1,5})/;
const TABLE = /Vector table: BAR=(\d) offset=([0-9a-f]{1,16})(?![0-9a-f])/i;
const TABLE_START = /Vector table: BAR/;
const CAPABILITY = /^\s{0,32}Capabilities: /;
const BUSES = /^\s{0,32}Bus: primary=[0-9a-f]{2}, secondary=([0-9a-f]{2}), subordinate=[0-9a-f]{2}/i;
const VIRTUAL_FUNCTIONS = /Single Root I\/O Virtualization/;
/** Recognized, without facts. */
const OTHER =
  /^\s{0,32}(?:Capabilities: |PBA: BAR=|I\/O behind bridge: |Kernel (?:driver in use|modules): |Subsystem: |Control: I\/O|Status: Cap|Flags: |Bus: primary=|Masking: [0-9a-f]|DeviceName: )/;

const UNIT: Readonly<Record<string, bigint>> = { '': 0n, K: 10n, M: 20n, G: 30n, T: 40n, P: 50n };
/** The kernel's number of the ROM among a device's resources. */
const ROM_INDEX = 6;
/** Bytes of an entry in an MSI-X table. */
const ENTRY = 16n;
const UNKNOWN = 'unknown device';
/** Facts of one device that are held back; no device has so many. */
const HELD_MAX = 1000;

/** `0000:05` of `0000:05:00.0`. */
const busOf = (device: string): string => device.slice(0, -':00.0'.length);

class LspciReader implements LineReader {
  readonly #out: FactSink;
  /** Holds facts back until the device is complete. */
  readonly #sink: FactSink;
  #device = UNKNOWN;
  /** The BARs of this device by number, the number of the next BAR without one, and its last capabilities. */
  #bars = new Map<number, IovaRange>();
  #next = 0;
  #virtualFunctions = false;
  #msi: { readonly enabled: boolean; readonly line: number; readonly index: number } | undefined;
  #entries: { readonly count: bigint; readonly index: number } | undefined;
  /** What this device is. Emitted before everything that is read below its first line. */
  #about: { -readonly [K in keyof AboutDevice]: AboutDevice[K] } | undefined;
  #first = 0;
  #held: (() => void)[] = [];
  /** Bridges of this source by the bus directly below them, with its domain: `0000:05`. */
  readonly #bridges = new Map<string, string>();
  /** The last line of a list of groups. */
  #listed = -2;
  /** Fields of a record of -vmm. */
  #fields: Map<string, string> | undefined;

  constructor(sink: FactSink) {
    this.#out = sink;
    this.#sink = {
      fact: (fact, line) => this.#hold(() => sink.fact(fact, line)),
      group: (group, about, line) => this.#hold(() => sink.group(group, about, line)),
      diagnostic: (...args) => this.#hold(() => sink.diagnostic(...args)),
      recognized: () => sink.recognized(),
    };
  }

  #hold(put: () => void): void {
    if (this.#held.length >= HELD_MAX) this.#flush();
    this.#held.push(put);
  }

  /** Emits the device, then the facts that were held back. */
  #flush(): void {
    const about = this.#about;
    this.#about = undefined;
    if (about && this.#device !== UNKNOWN) this.#out.fact(deviceFact(this.#device, about), this.#first);
    for (const put of this.#held) put();
    this.#held = [];
  }

  end(): void {
    this.#record();
    this.#flush();
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision) return 0;
    if (this.#fields && line.blanksBefore > 0) this.#record();
    if (line.prompt || COMMAND.test(line.text)) {
      this.#record();
      this.#open(selected(line.text) ?? UNKNOWN);
      return COMMAND.test(line.text) ? 1 : 0;
    }
    if (GROUP_HEADER.test(line.text)) this.#listed = line.index;
    const match = DEVICE.exec(line.text);
    const device = normalizePciAddress(match?.[1] ?? '');
    if (match && device !== undefined) {
      this.#open(device);
      const about = deviceLabel(line.text.trimStart().slice((match[1] ?? '').length));
      const isListed = line.index === this.#listed + 1;
      if (isListed) this.#listed = line.index;
      if (about && !isListed) {
        this.#about = { ...about, parent: this.#bridges.get(busOf(device)) };
        this.#first = line.number;
      }
      if (!about && !NAMED.test(line.text)) return 0;
      // Such a line further in may stand in another list, of groups for example.
      if (/^\S/.test(line.text)) this.#sink.recognized();
      return 1;
    }
    const field = FIELD.exec(line.text);
    if (field) return this.#field(field[1] ?? '', field[2] ?? '', line);
    const bus = BUSES.exec(line.text)?.[1];
    if (bus !== undefined && this.#device !== UNKNOWN) {
      this.#bridges.set(`${this.#device.slice(0, -'00:00.0'.length)}${bus.toLowerCase()}`, this.#device);
    }
    if (CAPABILITY.test(line.text)) this.#virtualFunctions = VIRTUAL_FUNCTIONS.test(line.text);
    return (
      this.#bar(line, ahead) ||
      this.#rom(line, ahead) ||
      this.#ports(line) ||
      this.#bridge(line, ahead) ||
      this.#group(line) ||
      this.#interrupts(line, ahead) ||
      this.#detail(line) ||
      (OTHER.test(line.text) ? 1 : 0)
    );
  }

  /** Fields of the device itself. */
  #detail(line: DumpLine): number {
    if (!this.#about && (this.#device === UNKNOWN || !DETAIL.test(line.text))) return 0;
    if (!this.#about) {
      // The command named the device, or a list of groups: its own line is missing, or was read there.
      this.#about = {};
      this.#first = line.number;
    }
    const about = this.#about;
    const subsystem = SUBSYSTEM.exec(line.text)?.[1];
    if (subsystem !== undefined) {
      const { name, ids } = splitName(subsystem);
      about.subsystem ??= ids ?? name;
      return 1;
    }
    const driver = DRIVER.exec(line.text)?.[1];
    const node =
      NODE.exec(line.text)?.[1] ??
      (FLAGS_LINE.test(line.text) ? /NUMA node (\d{1,4})/.exec(line.text)?.[1] : undefined);
    const group = FLAGS_LINE.test(line.text) ? /IOMMU group (\d{1,9})/.exec(line.text)?.[1] : undefined;
    if (driver !== undefined) about.driver ??= driver;
    if (node !== undefined) about.numa_node ??= Number(node);
    if (group !== undefined) {
      about.group ??= group;
      this.#sink.group(group, { devices: [this.#device] }, line.number);
    }
    return driver !== undefined || node !== undefined || group !== undefined ? 1 : 0;
  }

  #field(name: string, value: string, line: DumpLine): number {
    const isAddress = normalizePciAddress(value) !== undefined;
    if (isAddress && (name === 'Slot' || name === 'Device')) {
      this.#record();
      this.#open(normalizePciAddress(value) ?? UNKNOWN);
      this.#fields = new Map();
      this.#first = line.number;
      this.#sink.recognized();
      return 1;
    }
    if (!this.#fields) return 0;
    if (!this.#fields.has(name)) this.#fields.set(name, value.trim());
    return 1;
  }

  /** Ends a record of -vmm. */
  #record(): void {
    const fields = this.#fields;
    this.#fields = undefined;
    if (!fields) return;
    const text = (name: string) => `"${(fields.get(name) ?? '').replaceAll('"', "'")}"`;
    const label = ['Class', 'Vendor', 'Device', 'SVendor', 'SDevice'].map(text).join(' ');
    const node = fields.get('NUMANode');
    const group = groupName(fields.get('IOMMUGroup'));
    this.#about = {
      ...deviceLabel(label),
      driver: fields.get('Driver'),
      group,
      numa_node: node !== undefined && /^\d{1,4}$/.test(node) ? Number(node) : undefined,
    };
    if (group !== undefined) this.#sink.group(group, { devices: [this.#device] }, this.#first);
    this.#flush();
  }

  #open(device: string): void {
    this.#flush();
    this.#device = device;
    this.#bars = new Map();
    this.#next = 0;
    this.#virtualFunctions = false;
    this.#msi = undefined;
    this.#entries = undefined;
  }

  #bar(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, BAR_START, BARS);
    if (!found) return 0;
    const [, number, address = '', width = '', non, size, unit] = found.match;
    const bits = width === '64-bit' ? 64 : 32;
    const index = number === undefined ? this.#next : Number(number);
    this.#next = index + bits / 32;
    if (this.#virtualFunctions) return found.lines;
    const range = this.#range(address, size, unit, line);
    if (!range) return found.lines;
    this.#bars.set(index, range);
    this.#sink.fact(
      { kind: 'bar', ...range, device: this.#device, index, prefetchable: non === undefined, bits },
      line.number,
    );
    return found.lines;
  }

  #rom(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, /Expansion ROM at/, ROMS);
    if (!found) return 0;
    const [, address = '', size, unit] = found.match;
    const range = this.#range(address, size, unit, line);
    if (range) this.#sink.fact({ kind: 'bar', ...range, device: this.#device, index: ROM_INDEX }, line.number);
    return found.lines;
  }

  #range(address: string, size: string | undefined, unit: string | undefined, line: DumpLine): IovaRange | undefined {
    // `<unassigned>`, or a register that is still zero.
    if (/^(?:<|0+$)/.test(address)) {
      this.#sink.recognized();
      return undefined;
    }
    const start = parseHexAddress(address);
    if (start === undefined) {
      this.#sink.diagnostic('too-many-digits', { text: line.text }, line.number);
      return undefined;
    }
    if (address.length < DIGITS_MIN) {
      this.#sink.diagnostic('damaged-number', { numbers: [address], text: line.text }, line.number);
      return undefined;
    }
    if (size === undefined) {
      this.#sink.recognized();
      this.#sink.diagnostic('bar-without-size', { device: this.#device, start }, line.number);
      return undefined;
    }
    return sizedRange(start, BigInt(size) << (UNIT[(unit ?? '').toUpperCase()] ?? 0n), line, this.#sink);
  }

  #ports(line: DumpLine): number {
    const match = PORTS.exec(line.text);
    if (!match) return 0;
    this.#next = (match[1] === undefined ? this.#next : Number(match[1])) + 1;
    return 1;
  }

  #bridge(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, BRIDGE_START, [BRIDGE], /^[0-9a-f]{1,15}(?: |$)/i);
    if (!found) return 0;
    const [, kind = '', from, to, rest = ''] = found.match;
    this.#sink.recognized();
    if (from === undefined || to === undefined) {
      const [number] = /(?<=bridge: ?)[0-9a-f\ue030-\ue066]\S*/i.exec(found.match[0]) ?? [];
      if (number !== undefined)
        this.#sink.diagnostic('damaged-number', { numbers: [number], text: line.text }, line.number);
      return found.lines;
    }
    if (rest.includes('[disabled]')) return found.lines;
    // lspci prints both ends with the same number of digits.
    if (from.length !== to.length) {
      const shorter = from.length < to.length ? from : to;
      this.#sink.diagnostic('damaged-number', { numbers: [shorter], text: line.text }, line.number);
      return found.lines;
    }
    const start = parseHexAddress(from);
    const last = parseHexAddress(to);
    if (start === undefined || last === undefined) {
      this.#sink.diagnostic('too-many-digits', { text: line.text }, line.number);
      return found.lines;
    }
    const name = `bridge ${this.#device}${kind.startsWith('P') ? ', prefetchable' : ''}`;
    if (start <= last) this.#sink.fact({ kind: 'window', start, last, name, depth: 0, type: 'pci' }, line.number);
    return found.lines;
  }

  #group(line: DumpLine): number {
    const group = groupName(GROUP.exec(line.text)?.[1]);
    if (group === undefined) return 0;
    if (this.#device === UNKNOWN) this.#sink.recognized();
    else this.#sink.group(group, { devices: [this.#device] }, line.number);
    if (this.#about) this.#about.group ??= group;
    return 1;
  }

  #interrupts(line: DumpLine, ahead: Lookahead): number {
    const msi = MSI.exec(line.text);
    if (msi) {
      this.#msi = { enabled: (msi[1] ?? msi[2]) === '+', line: line.number, index: line.index };
      this.#sink.recognized();
      return 1;
    }
    const message = matchLongest(line, ahead, MESSAGE_START, [MESSAGE], /^[0-9a-f]{1,3}$/i);
    if (message) {
      const above = this.#msi && line.index - this.#msi.index <= 2 ? this.#msi : undefined;
      this.#msi = undefined;
      const address = parseHexAddress(message.match[1]);
      const data = parseHexAddress(message.match[2]);
      if (address === undefined || data === undefined) {
        this.#sink.diagnostic('too-many-digits', { text: line.text }, line.number);
        return message.lines;
      }
      const enabled = above ? { enabled: above.enabled } : {};
      this.#sink.fact(
        { kind: 'msi_message', device: this.#device, address, data, ...enabled },
        above?.line ?? line.number,
      );
      return message.lines;
    }
    const msix = MSIX.exec(line.text);
    if (msix) {
      this.#entries = { count: BigInt(msix[1] ?? 0), index: line.index };
      this.#sink.recognized();
      return 1;
    }
    return this.#table(line, ahead);
  }

  #table(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, TABLE_START, [TABLE], /^[0-9a-f]{1,7}$/i);
    if (!found) return 0;
    const entries = this.#entries && line.index - this.#entries.index <= 2 ? this.#entries.count : 0n;
    this.#entries = undefined;
    const bar = this.#bars.get(Number(found.match[1]));
    const offset = parseHexAddress(found.match[2]);
    const range = bar && offset !== undefined && rangeOfLength(bar.start + offset, entries * ENTRY);
    this.#sink.recognized();
    if (range) {
      const name = `MSI-X table of ${this.#device}`;
      this.#sink.fact({ kind: 'window', ...range, name, depth: 1, type: 'mmio' }, line.number);
    }
    return found.lines;
  }
}

/** The device that a command selects with -s, if it is one and all of its parts are named. */
function selected(command: string): string | undefined {
  const all = [...command.matchAll(SELECTED)];
  const [, domain = '0', bus, slot, part] = all.length === 1 ? (all[0] ?? []) : [];
  if (bus === undefined || slot === undefined || part === undefined) return undefined;
  const padded = (text: string, digits: number) => Number.parseInt(text, 16).toString(16).padStart(digits, '0');
  return normalizePciAddress(`${padded(domain, 4)}:${padded(bus, 2)}:${padded(slot, 2)}.${padded(part, 1)}`);
}

export const LSPCI: LineParser = {
  open: (_source: DumpSource, sink) => new LspciReader(sink),
};
