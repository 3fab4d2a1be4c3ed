// Faults of the ARM SMMU in kernel logs.
//
// Version 3, raw: four quadwords of the event, each on a line with the same prefix.
//   prefix "event 0x" nn " received:"        prefix = driver name ":" | "SMMUv3: /node:" (Xen)
//   4*(prefix "0x" 16*hexdigit)              event and stream; flags; input address; intermediate address
// and, in newer kernels, decoded. Directly below its quadwords it is the same fault:
//   prefix "event:" name "client:" device "sid:" hex "ssid:" hex ["iova:" hex "ipa:" hex]
//   prefix priv type access stage …          access = "read" | "write"
// Version 2:
//   prefix "Unhandled context fault:" [key "=" value ","] …      keys: fsr, iova, fsynr, cbfrsynra, cb
// and its registers, below that or below "Unhandled context fault from" device, or alone, of older and of Qualcomm's drivers:
//   [prefix] name "=" hex ["[" flag … "]"] …                     names: FAR, PAR, FSR, FSYNR0, FSYNR1, TTBR0 …; FAR is the address
//
// Events with other numbers than those below have no input address: no fact.
// (arm_smmu_handle_event and arm_smmu_context_fault in drivers/iommu/arm; SMMU architecture, IHI 0070, event records.)

import type { Iova } from '../../../iova/iova.ts';
import { rangeOfBits } from '../../../iova/range.ts';
import type { FactOf } from '../../../session/events.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { normalizeLoggedDevice } from '../../fields/device-name.ts';
import { faultAccess } from '../../fields/fault-access.ts';
import {
  type DumpLine,
  type DumpSource,
  type FactSink,
  type LineParser,
  type LineReader,
  LOOKAHEAD,
  type Lookahead,
} from '../../format.ts';
import { timeOf } from '../../text/log-time.ts';
import { HEX_REST, LOWER_HEX_REST, type Matched, matchLongest } from '../../text/match-longest.ts';
import { continuation } from '../../text/wrapped.ts';

const HEX = '0x[0-9a-fA-F]{1,64}';
const RAW = /\bevent 0x([0-9a-f]{1,4}) received:?$/i;
const QUADWORD = /(?:^|[\s:])0x([0-9a-f]{1,16})$/i;
/** Copied out of a page that broke it at a blank. */
const SPLIT_QUADWORD = /(?:^|[\s:])0x([0-9a-f]{8}) ([0-9a-f]{8})$/i;
const DECODED = new RegExp(
  `\\bevent: ([A-Z][A-Z0-9_]{2,40}) client: (\\([^)]{1,40}\\)|[^\\s()]{1,80}) sid: ?(${HEX}) ssid: ?(${HEX})(?: iova: ?(${HEX}) ipa:)?`,
);
const DECODED_ADDRESS = new RegExp(DECODED.source.replace(/\?$/, ''));
const EVENT = /\bevent: [A-Z]/;
/** An address that was cut, or is no number. */
const NO_ADDRESS = /\bssid: \S{1,40} iova\b/;
const ADDRESSED = /^F_(?:UUT|TRANSL_FORBIDDEN|WALK_EABT|TRANSLATION|ADDR_SIZE|ACCESS|PERMISSION|TLB_CONFLICT)$/;
const ACCESS = /\b(?:un)?priv (?:data|instr?u?c?t?i?o?n?) (read|write)\b/;
const CONTEXT = new RegExp(
  `Unhandled context fault: ?((?:[a-z0-9]{1,12}= ?${HEX}, ?)?)iova= ?(${HEX}), ?fsynr0?= ?(${HEX})(?!\\w)`,
);
const SHORT_CONTEXT = new RegExp(`Unhandled context fault: ?((?:[a-z0-9]{1,12}= ?${HEX}, ?)?)iova= ?(${HEX}),()`);

/** Events with an input address. */
const EVENTS = new Map([
  [0x01, 'F_UUT'],
  [0x07, 'F_TRANSL_FORBIDDEN'],
  [0x0b, 'F_WALK_EABT'],
  [0x10, 'F_TRANSLATION'],
  [0x11, 'F_ADDR_SIZE'],
  [0x12, 'F_ACCESS'],
  [0x13, 'F_PERMISSION'],
  [0x20, 'F_TLB_CONFLICT'],
]);
/** Events without one: what is wrong with the entry of the stream. */
const ENTRIES: ReadonlyMap<string, string> = new Map([
  ['C_BAD_STREAMID', 'there is no stream table entry for it'],
  ['F_STE_FETCH', 'its stream table entry cannot be read'],
  ['C_BAD_STE', 'its stream table entry is not valid'],
  ['F_STREAM_DISABLED', 'its stream table entry blocks it'],
  ['C_BAD_SUBSTREAMID', 'there is no context descriptor for its process (PASID)'],
  ['F_CD_FETCH', 'its context descriptor cannot be read'],
  ['C_BAD_CD', 'its context descriptor is not valid'],
  ['F_BAD_ATS_TREQ', 'it asks for translations (ATS) that are not enabled for it'],
  ['F_CFG_CONFLICT', 'the entries of the IOMMU for it contradict each other'],
  ['F_VMS_FETCH', 'the virtual machine structure of its stream cannot be read'],
]);
const ENTRY_NUMBERS: ReadonlyMap<number, string> = new Map([
  [0x02, 'C_BAD_STREAMID'],
  [0x03, 'F_STE_FETCH'],
  [0x04, 'C_BAD_STE'],
  [0x05, 'F_BAD_ATS_TREQ'],
  [0x06, 'F_STREAM_DISABLED'],
  [0x08, 'C_BAD_SUBSTREAMID'],
  [0x09, 'F_CD_FETCH'],
  [0x0a, 'C_BAD_CD'],
  [0x21, 'F_CFG_CONFLICT'],
  [0x25, 'F_VMS_FETCH'],
]);
const UNKNOWN_STREAM = /Blocked unknown Stream ID (0x[0-9a-f]{1,8})(?!\w)/i;
const GLOBAL_FAULT = /Unexpected global fault/;
const GLOBAL_STATUS = /\bGFSR (0x[0-9a-f]{1,8}), GFSYNR0 0x[0-9a-f]{1,8}, GFSYNR1 (0x[0-9a-f]{1,8})(?!\w)/i;
/** In GFSR: the stream is unknown. */
const UNIDENTIFIED = 1n << 1n;

const FROM_DEVICE = /Unhandled (?:arm-smmu )?context fault from ([\w.,:@-]{2,80}?)!?$/;
const REGISTER =
  /\b(FAR|PAR|FSR|FSYNR[01]|CBFRSYNRA[01]?|CONTEXTIDR|SCTLR|ACTLR|TTBR[01]|MAIR[01])\s{0,8}= ?(?:0x)?([0-9a-fA-F]{1,16})(?!\w)/g;
/** The IOMMU in front of its registers. */
const REGISTER_OWNER = /(?<![\w.,@-])(?=\S{0,59}[.\d])([\w.,@-]{3,60}):\s{1,8}(?:FAR|FSR|FSYNR0)\s{0,8}=/;
const STREAM = /\bSID\s{0,8}= ?(0x[0-9a-f]{1,8})(?!\w)/i;
/** Where another message may begin: facts are emitted in their order. */
const OTHER_MESSAGE = /\bevent\b|fault|Stream ID|page sizes|-bit/;
/** Lines between two registers of one fault, others of it included. */
const REGISTERS_GAP = 6;

const PAGE_SIZES = /smmu[^:]{0,60}: {0,12}Supported page sizes: (0x[0-9a-f]{1,16})(?!\w)/i;
const STAGE_1 = /(?:(?<name>[\w.@-]{3,60}): {1,12})?Stage-1: (?<bits>\d{2})-bit VA -> \d{2}-bit IPA(?!\w)/;
const INPUT_SIZE =
  /(?:(?<name>[\w.@-]{3,60}): {1,4})?ias (?<bits>\d{2})-bit, oas \d{2}-bit \(features 0x(?<features>[0-9a-f]{1,16})\)/;
const TRANS_S1 = 1n << 9n;
const VAX = 1n << 14n;
const MINOR =
  /SMMUv[12] with:|\bprobing hardware configuration|(?:smmu[^:]{0,60}: {1,12})(?:stage [12] translation|nested translation|address translation ops|coherent table walk|non-coherent table walk|stream matching with|\d{1,4} context banks|Stage-2: \d{2}-bit IPA)/;

/** In the first quadword: there is a substream; in the second: the access was a read. */
const SUBSTREAM_VALID = 1n << 11n;
const READ = 1n << 35n;
/** In fsynr of version 2: the access was a write. */
const NOT_READ = 1n << 4n;
/** Bits of fsr of version 2. */
const STATUS: readonly [bit: bigint, text: string, flag: string][] = [
  [1n << 1n, 'translation fault', 'TF'],
  [1n << 2n, 'access flag fault', 'AFF'],
  [1n << 3n, 'permission fault', 'PF'],
  [1n << 4n, 'external fault', 'EF'],
];

/** Registers of a context fault. */
interface Registers {
  /** Undefined if no message names it. */
  device: string | undefined;
  readonly values: Map<string, string>;
  /** What the decoded status says: `TF`, `W` … */
  flags: readonly string[];
  stream: string | undefined;
  readonly line: DumpLine;
  /** Index of the last line. */
  index: number;
}

/** An event that says what is wrong with the entry of a stream. */
interface BadEntry {
  readonly sid: bigint;
  readonly what: string;
}

class KernelLogSmmuReader implements LineReader {
  readonly #sink: FactSink;
  /** The last event in quadwords, and the index of the line below them. */
  #raw: { readonly sid: bigint; readonly address?: bigint; readonly below: number } | undefined;

  /** An event whose last quadword follows. */
  #pending: { readonly event: FactOf<'fault'> | BadEntry; readonly line: number; readonly index: number } | undefined;
  /** Of the SMMU whose features are being listed. */
  #pageSizes: Iova | undefined;
  /** Of a fault that has not been emitted. */
  #registers: Registers | undefined;
  /** Index of the last line of a fault that has its address: registers below it are its own. */
  #decodedAbove = -100;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    const registers = this.#register(line, ahead);
    if (registers > 0) return registers;
    if (this.#registers && OTHER_MESSAGE.test(line.text)) this.#closeRegisters();
    return (
      this.#last(line, ahead) ||
      this.#recorded(line, ahead) ||
      this.#decoded(line, ahead) ||
      this.#fromDevice(line) ||
      this.#context(line, ahead) ||
      this.#unknownStream(line, ahead) ||
      this.#width(line, ahead)
    );
  }

  end(): void {
    this.#closeRegisters();
  }

  /** A context fault in the registers below it. */
  #fromDevice(line: DumpLine): number {
    const device = FROM_DEVICE.exec(line.text)?.[1];
    if (device === undefined) return 0;
    this.#openRegisters(line, device);
    return 1;
  }

  #openRegisters(line: DumpLine, device: string | undefined): Registers {
    this.#closeRegisters();
    this.#registers = { device, values: new Map(), flags: [], stream: undefined, line, index: line.index };
    return this.#registers;
  }

  #register(line: DumpLine, ahead: Lookahead): number {
    const found = [...line.text.matchAll(REGISTER)].map(
      ([, name = '', value = '']) => [name.toUpperCase(), value] as const,
    );
    const open = this.#registers;
    const isNear = open !== undefined && line.index - open.index <= REGISTERS_GAP;
    if (open && !isNear) this.#closeRegisters();
    const stream = isNear ? STREAM.exec(line.text)?.[1] : undefined;
    if (found.length === 0) {
      if (stream === undefined || !open) return 0;
      open.stream = stream;
      open.index = line.index;
      return 1;
    }
    if (line.index - this.#decodedAbove <= REGISTERS_GAP) {
      this.#decodedAbove = line.index;
      return 1;
    }
    if (!isNear && !isOfIommu(line, ahead)) return 0;
    const isAgain = open !== undefined && found.some(([name]) => open.values.has(name));
    const registers = open && isNear && !isAgain ? open : this.#openRegisters(line, undefined);
    registers.index = line.index;
    const below = continuation(line, ahead)?.text.trim() ?? '';
    for (const [name, value] of found) {
      const isBroken = line.text.endsWith(value) && HEX_REST.test(below) && value.length + below.length === 16;
      registers.values.set(name, name === 'FAR' && (isBroken || isCut(value)) ? '' : value);
    }
    registers.device ??= REGISTER_OWNER.exec(line.text)?.[1];
    registers.stream ??= STREAM.exec(line.text)?.[1];
    const [, flags] = /\bFSR\s{0,8}=[^[]{1,24}\[ ?(.{0,60}?) ?\]/.exec(line.text) ?? [];
    if (flags !== undefined) registers.flags = flags.split(/\s{1,4}/);
    return 1;
  }

  /** Emits the fault whose registers were read. */
  #closeRegisters(): void {
    const registers = this.#registers;
    this.#registers = undefined;
    if (!registers) return;
    const { device: named, values, flags, stream, line } = registers;
    const status = parseHexAddress(values.get('FSR')) ?? 0n;
    const address = parseHexAddress(values.get('FAR'));
    const isFault = values.has('FSR') || values.has('FSYNR0') || values.has('FAR') || values.size === 0;
    if (!isFault) return;
    const sid = parseHexAddress(stream ?? values.get('CBFRSYNRA'));
    const isNamed = FROM_DEVICE.test(line.text) || sid === undefined;
    const device = isNamed ? named && normalizeLoggedDevice(named) : `sid:0x${sid.toString(16)}`;
    const names = STATUS.filter(([bit, , flag]) => flags.includes(flag) || (status & bit) !== 0n).map(
      ([, text]) => text,
    );
    const reason = names.join(', ') || 'context fault';
    if (address === undefined) {
      this.#sink.recognized();
      const what = `${device === undefined ? '' : `${device}: `}${reason}; its address ${values.has('FAR') ? 'cannot be read' : 'is not in the log'}`;
      this.#sink.diagnostic('fault-without-address', { what }, line.number);
      return;
    }
    const syndrome = parseHexAddress(values.get('FSYNR0'));
    const access = flags.includes('W')
      ? faultAccess(true)
      : flags.includes('R')
        ? faultAccess(false)
        : syndrome === undefined
          ? undefined
          : faultAccess((syndrome & NOT_READ) !== 0n);
    this.#sink.fact(
      {
        kind: 'fault',
        address,
        ...(device === undefined ? {} : { device }),
        ...(access === undefined ? {} : { access }),
        reason,
        driver: 'smmu-v2',
        ...timeOf(line),
      },
      line.number,
    );
  }

  /** Accesses of a stream that the SMMU does not know. */
  #unknownStream(line: DumpLine, ahead: Lookahead): number {
    const direct = UNKNOWN_STREAM.exec(line.text)?.[1];
    const isGlobal = GLOBAL_FAULT.test(line.text);
    if (direct === undefined && !isGlobal) return GLOBAL_STATUS.test(line.text) ? 1 : 0;
    const below = isGlobal ? continuation(line, ahead)?.text : undefined;
    const [, status, stream] = GLOBAL_STATUS.exec(below ?? '') ?? [];
    const isUnknown = ((parseHexAddress(status) ?? 0n) & UNIDENTIFIED) !== 0n;
    const sid = parseHexAddress(direct ?? (isUnknown ? stream : undefined));
    this.#sink.recognized();
    if (sid === undefined) {
      const what = `a global fault of the SMMU${status === undefined ? '' : `, GFSR ${status}`}; its address was not printed`;
      this.#sink.diagnostic('fault-without-address', { what }, line.number);
    } else this.#badEntry({ sid, what: 'the SMMU does not know the stream' }, undefined, line.number);
    return status === undefined ? 1 : 2;
  }

  /** What the SMMU can translate. */
  #width(line: DumpLine, ahead: Lookahead): number {
    const listed = matchLongest(line, ahead, PAGE_SIZES, [PAGE_SIZES], LOWER_HEX_REST);
    const sizes = parseHexAddress(listed?.match[1]);
    if (listed && sizes !== undefined) {
      this.#pageSizes = sizes;
      return listed.lines;
    }
    const [second, third] = [STAGE_1.exec(line.text), INPUT_SIZE.exec(line.text)];
    const { name, bits: digits, features } = (second ?? third)?.groups ?? {};
    if (digits === undefined) {
      if (!MINOR.test(line.text)) return 0;
      this.#sink.recognized();
      return 1;
    }
    const has = parseHexAddress(features) ?? 0n;
    const bits = second || (has & TRANS_S1) === 0n ? Number(digits) : (has & VAX) === 0n ? 48 : 52;
    const driver = second ? 'smmu-v2' : 'smmu-v3';
    const sizesOf = this.#pageSizes;
    this.#pageSizes = undefined;
    if (bits < 1 || bits > 64) return 1;
    const known = name === undefined || /^arm-smmu/.test(name) ? (name ?? driver) : name;
    this.#sink.fact({ kind: 'iommu', name: known, driver, address_width: bits }, line.number);
    if (second && sizesOf !== undefined && sizesOf !== 0n) {
      const whole = rangeOfBits(bits);
      this.#sink.fact({ kind: 'aperture', ...whole, pgsize_bitmap: sizesOf, iommu: known }, line.number);
    }
    return 1;
  }

  #badEntry({ sid, what }: BadEntry, client: string | undefined, line: number): void {
    const stream = `stream 0x${sid.toString(16)}`;
    const device =
      client === undefined || client.startsWith('(') ? stream : `${normalizeLoggedDevice(client)} (${stream})`;
    this.#sink.recognized();
    this.#sink.diagnostic('iommu-entry-invalid', { device, what }, line);
  }

  #recorded(line: DumpLine, ahead: Lookahead): number {
    const event = RAW.exec(line.text)?.[1];
    if (event === undefined) return 0;
    const read = readQuadwords(line, ahead);
    const [first, second, address] = read.words;
    if (first === undefined || second === undefined || address === undefined) {
      this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
      return read.lines;
    }
    const number = Number.parseInt(event, 16);
    const name = EVENTS.get(number);
    const sid = first >> 32n;
    if (name === undefined) {
      const entry = ENTRY_NUMBERS.get(number) ?? `event 0x${event}`;
      const bad = { sid, what: `${ENTRIES.get(entry) ?? 'event'} (${entry})` };
      if (read.words.length < 4 || read.lines !== 5) {
        this.#badEntry(bad, undefined, line.number);
        return read.lines;
      }
      this.#raw = { sid, below: line.index + read.lines };
      this.#pending = { event: bad, line: line.number, index: line.index + 4 };
      return 4;
    }
    const fact: FactOf<'fault'> = {
      kind: 'fault',
      address,
      device: `sid:0x${sid.toString(16)}`,
      access: faultAccess((second & READ) === 0n),
      reason: name,
      driver: 'smmu-v3',
      ...((first & SUBSTREAM_VALID) === 0n ? {} : { pasid: Number((first >> 12n) & 0xfffffn) }),
      ...timeOf(line),
    };
    this.#raw = { sid, address, below: line.index + read.lines };
    if (read.words.length < 4 || read.lines !== 5) {
      this.#sink.fact(fact, line.number);
      return read.lines;
    }
    // The decoded form is too far ahead: it can be seen from the last quadword.
    this.#pending = { event: fact, line: line.number, index: line.index + 4 };
    return 4;
  }

  #last(line: DumpLine, ahead: Lookahead): number {
    const pending = this.#pending;
    this.#pending = undefined;
    if (pending?.index !== line.index) return 0;
    const found = matchDecoded(ahead(1), (n) => ahead(n + 1));
    const [, , client = '(', stream, , iova] = found?.match ?? [];
    const { event } = pending;
    const isStream = parseHexAddress(stream) === this.#raw?.sid;
    if (!('kind' in event)) {
      this.#badEntry(event, isStream ? client : undefined, pending.line);
      return 1;
    }
    const same = parseHexAddress(iova) === event.address && isStream;
    if (same && !client.startsWith('(')) event.device = normalizeLoggedDevice(client);
    this.#sink.fact(event, pending.line);
    return 1;
  }

  #decoded(line: DumpLine, ahead: Lookahead): number {
    const found = matchDecoded(line, ahead);
    if (!found) return 0;
    const [, name = '', client = '', stream, substream, iova] = found.match;
    const address = parseHexAddress(iova);
    const sid = parseHexAddress(stream);
    if (address === undefined && ADDRESSED.test(name) && NO_ADDRESS.test(found.match.input)) {
      this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
    }
    const raw = this.#raw;
    this.#raw = undefined;
    if (sid !== undefined && !ADDRESSED.test(name)) {
      if (raw?.below === line.index && raw.sid === sid && raw.address === undefined) return found.lines;
      this.#badEntry({ sid, what: `${ENTRIES.get(name) ?? 'event'} (${name})` }, client, line.number);
      return found.lines;
    }
    if (address === undefined || sid === undefined) return found.lines;
    if (raw?.below === line.index && raw.sid === sid && raw.address === address) return found.lines;
    let access: string | undefined;
    for (let n = found.lines; n <= found.lines + 1; n++) access ??= ACCESS.exec(ahead(n)?.text ?? '')?.[1];
    const pasid = parseHexAddress(substream) ?? 0n;
    this.#sink.fact(
      {
        kind: 'fault',
        address,
        device: client.startsWith('(') ? `sid:0x${sid.toString(16)}` : normalizeLoggedDevice(client),
        ...(access === undefined ? {} : { access }),
        reason: name,
        driver: 'smmu-v3',
        // The kernel also prints zero if there is none.
        ...(pasid === 0n ? {} : { pasid: Number(pasid) }),
        ...timeOf(line),
      },
      line.number,
    );
    return found.lines;
  }

  #context(line: DumpLine, ahead: Lookahead): number {
    const lines = this.#contextFault(line, ahead);
    if (lines > 0) this.#decodedAbove = line.index + lines - 1;
    return lines;
  }

  #contextFault(line: DumpLine, ahead: Lookahead): number {
    const start = /Unhandled(?: context)?$|context fault/;
    const found =
      matchLongest(line, ahead, start, [CONTEXT], HEX_REST) ?? matchLongest(line, ahead, start, [SHORT_CONTEXT]);
    const address = parseHexAddress(found?.match[2]);
    if (!found || address === undefined) {
      if (!/context fault:.{0,60}\biova= ?\S/.test(line.text)) return 0;
      this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
      return 1;
    }
    const joined = found.match.input;
    // The fields after the address may be on the next line.
    const rest = /cb= ?\w+/.test(joined) ? '' : (continuation(line, ahead, found.lines)?.text.trim() ?? '');
    const more = /^(?:[a-z0-9]{0,12}=?\w{1,20},? ?){1,4}$/i.test(rest) && /\bcb=/.test(rest);
    const status = /\bfsr= ?(0x[0-9a-f]{1,8})/i.exec(joined)?.[1];
    const bits = parseHexAddress(status) ?? 0n;
    const syndrome = parseHexAddress(found.match[3] === '' ? undefined : found.match[3]);
    const names = STATUS.filter(([bit]) => (bits & bit) !== 0n).map(([, text]) => text);
    const reason = [...names, ...(status === undefined ? [] : [`fsr=${status}`])].join(', ');
    const sid = parseHexAddress(/cbfrsynra= ?(0x[0-9a-f]{1,8})/i.exec(`${joined} ${rest}`)?.[1]);
    this.#sink.fact(
      {
        kind: 'fault',
        address,
        ...(sid === undefined ? {} : { device: `sid:0x${sid.toString(16)}` }),
        ...(syndrome === undefined ? {} : { access: faultAccess((syndrome & NOT_READ) !== 0n) }),
        reason: reason || 'context fault',
        driver: 'smmu-v2',
        ...timeOf(line),
      },
      line.number,
    );
    return found.lines + (more ? 1 : 0);
  }
}

/** True for registers of an IOMMU: processors have some with the same names. */
function isOfIommu(line: DumpLine, ahead: Lookahead): boolean {
  if (/s?mmu/i.test(line.text)) return true;
  for (let n = 0; n <= LOOKAHEAD; n++) {
    if (/\bFSYNR0\s{0,8}=/.test((n === 0 ? line : ahead(n))?.text ?? '')) return true;
  }
  return false;
}

function matchDecoded(line: DumpLine | undefined, ahead: Lookahead): Matched | undefined {
  if (!line || !EVENT.test(line.text)) return undefined;
  return matchLongest(line, ahead, EVENT, [DECODED_ADDRESS], HEX_REST) ?? matchLongest(line, ahead, EVENT, [DECODED]);
}

/** True for some of the digits of a register of 32 or 64 bits: the first of them are zeros. */
function isCut(digits: string): boolean {
  return /^0[0-9a-f]/i.test(digits) && digits.length !== 8 && digits.length !== 16;
}

/** The quadwords below an event, up to four; one that a mail program broke is joined. */
function readQuadwords(line: DumpLine, ahead: Lookahead): { words: Iova[]; lines: number } {
  const words: Iova[] = [];
  let lines = 1;
  while (words.length < 4) {
    const next = continuation(line, ahead, lines);
    const [, high, low] = SPLIT_QUADWORD.exec(next?.text ?? '') ?? [];
    let digits = high !== undefined && low !== undefined ? high + low : QUADWORD.exec(next?.text ?? '')?.[1];
    if (digits === undefined) break;
    lines++;
    const rest = digits.length < 16 ? continuation(line, ahead, lines)?.text.trim() : undefined;
    if (rest !== undefined && /^[0-9a-f]+$/i.test(rest) && digits.length + rest.length === 16) {
      digits += rest;
      lines++;
    }
    // All digits are printed: fewer are a part of them.
    if (digits.length !== 16) break;
    const word = parseHexAddress(digits);
    if (word !== undefined) words.push(word);
  }
  return { words, lines };
}

export const KERNEL_LOG_SMMU: LineParser = {
  open: (_source: DumpSource, sink) => new KernelLogSmmuReader(sink),
};
