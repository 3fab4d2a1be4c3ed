// `lspci -v` and more: what a device has in the host's address space, and the messages that it was programmed to send.
//
//   device = address " " class ": " name                          "-s" address of a command, where the line is missing
//   BAR    = ["Region " n ": "] ["[virtual] "] "Memory at " (hex | "<unassigned>" …)
//            " (" ("32-bit" | "64-bit" | "low-1M" | "type 3") ", " ["non-"] "prefetchable)" *(" [" flag "]") [" [size=" size "]"]
//   ROM    = ["[virtual] "] "Expansion ROM at " hex *(" [" flag "]") [" [size=" size "]"]
//   size   = decimal ["K" | "M" | "G" | "T"]
//   bridge = ["Prefetchable m" | "M"] "emory behind bridge: " (hex "-" hex | "None" | "[disabled]") …      both ends inclusive
//   group  = "IOMMU group: " n
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
import type { DumpLine, DumpSource, FactSink, LineFormat, LineReader, Lookahead } from '../../format.ts';
import { matchLongest } from '../../text/match-longest.ts';

const ADDRESS = '(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\\.[0-7]';
const DEVICE = new RegExp(
  `^\\s{0,16}(${ADDRESS}) (?:"?[A-Z][\\w /.,()&+-]{1,80}(?: \\[[0-9a-f]{4}\\])?"?:? ?|(?:Class )?[0-9a-f]{4}: [0-9a-f]{4}:[0-9a-f]{4}|Class [0-9a-f]{4})`,
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
const ROM = 'Expansion ROM at ([0-9a-f]{1,64}|<[\\w -]{1,40}>)';
const ROMS: readonly RegExp[] = [new RegExp(`${ROM}${FLAGS}${SIZE}`, 'i'), new RegExp(`${ROM}${FLAGS}`, 'i')];
const PORTS = /^\s{0,32}(?:Region (\d{1,2}): )?(?:\[virtual\] )?I\/O ports at /i;
const BRIDGE =
  /(Prefetchable m|\bM)emory behind bridge: ?(?:([0-9a-f]{4,64})-([0-9a-f]{4,64})(?![0-9a-f])([^\n]{0,60})|\S.{0,60})$/;
const BRIDGE_START = /emory behind bridge:/;
const GROUP = /^\s{0,16}IOMMU group: ?(\d{1,9})$/;
const MSI = /\bMSI: Enable([+-])|Message Signall?ed Interrupts: .{0,60}Enable([+-])/;
const MESSAGE_START = /^\s{0,32}Address: ?[0-9a-f]{8}/i;
const MESSAGE = /Address: ?([0-9a-f]{8,64}) {1,4}Data: ?([0-9a-f]{4,8})(?![0-9a-f])/i;
const MSIX = /\bMSI-X: Enable[+-] .{0,24}?(?:Count|TabSize)=(\d{1,5})/;
const TABLE = /Vector table: BAR=(\d) offset=([0-9a-f]{1,16})(?![0-9a-f])/i;
const TABLE_START = /Vector table: BAR/;
const CAPABILITY = /^\s{0,32}Capabilities: /;
const VIRTUAL_FUNCTIONS = /Single Root I\/O Virtualization/;
/** Understood, and nothing to tell. */
const OTHER =
  /^\s{0,32}(?:Capabilities: |PBA: BAR=|I\/O behind bridge: |Kernel (?:driver in use|modules): |Subsystem: |Control: I\/O|Status: Cap|Flags: |Bus: primary=|Masking: [0-9a-f]|DeviceName: )/;

const UNIT: Readonly<Record<string, bigint>> = { '': 0n, K: 10n, M: 20n, G: 30n, T: 40n, P: 50n };
/** The kernel's number of the ROM among a device's resources. */
const ROM_INDEX = 6;
/** Bytes of an entry in an MSI-X table. */
const ENTRY = 16n;
const UNKNOWN = 'unknown device';

class LspciReader implements LineReader {
  readonly #sink: FactSink;
  #device = UNKNOWN;
  /** Of this device: its BARs by number, the number of the next that has none, and what its capabilities said last. */
  #bars = new Map<number, IovaRange>();
  #next = 0;
  #virtualFunctions = false;
  #msi: { readonly enabled: boolean; readonly line: number; readonly index: number } | undefined;
  #entries: { readonly count: bigint; readonly index: number } | undefined;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision) return 0;
    if (line.prompt || COMMAND.test(line.text)) {
      this.#open(selected(line.text) ?? UNKNOWN);
      return COMMAND.test(line.text) ? 1 : 0;
    }
    const device = normalizePciAddress(DEVICE.exec(line.text)?.[1] ?? '');
    if (device !== undefined) {
      this.#open(device);
      if (!NAMED.test(line.text)) return 0;
      // Such a line further in may stand in another list, of groups for example.
      if (/^\S/.test(line.text)) this.#sink.recognized();
      return 1;
    }
    if (CAPABILITY.test(line.text)) this.#virtualFunctions = VIRTUAL_FUNCTIONS.test(line.text);
    return (
      this.#bar(line, ahead) ||
      this.#rom(line, ahead) ||
      this.#ports(line) ||
      this.#bridge(line, ahead) ||
      this.#group(line) ||
      this.#interrupts(line, ahead) ||
      (OTHER.test(line.text) ? 1 : 0)
    );
  }

  #open(device: string): void {
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
    if (from === undefined || to === undefined || rest.includes('[disabled]')) return found.lines;
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

export const LSPCI: LineFormat = {
  kind: 'lines',
  name: 'lspci',
  title: 'lspci -v',
  interest: {
    words: [
      ...['emory at ', 'emory at\n', 'I/O ports at', 'behind bridge', 'Expansion ROM', 'Region ', 'IOMMU group:'],
      ...['MSI:', 'MSI-X:', 'Message Signal', 'Address:', 'Masking: ', 'Vector table', 'PBA: ', 'Capabilities: '],
      ...['Kernel driver', 'Kernel modules', 'Subsystem: ', 'Control: I/O', 'Status: Cap', 'Flags: ', 'Bus: primary'],
      ...['DeviceName: ', 'lspci'],
    ],
    shapes: [/^\s{0,16}(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7] /i],
  },
  open: (_source: DumpSource, sink) => new LspciReader(sink),
};
