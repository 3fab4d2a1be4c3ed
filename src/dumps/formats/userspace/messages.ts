// What programs other than QEMU print about VFIO: DPDK (EAL, vDPA drivers), SPDK, and monitors in Rust that use the VFIO
// crates of rust-vmm or crosvm (Cloud Hypervisor, Kata with it, crosvm). Messages with a range:
//
//   "dma_map vaddr: " a ", iova: " a ", size: " n ", ret: " r | "ret=-1, errno was set to " name       also dma_unmap
//   "Couldn't map user memory for DMA: va: " a " iova: " a " len: 0x" decimal        EAL; see `lengthOf`
//   "Failed to map region region vaddr=" a " phys_addr=" iova " len=" n              SPDK 17
//   "DMA map region " n ": HVA " a ", GPA " iova ["," " HPA " a] ", size " n          vDPA; also "DMA unmap"
//   "Could not map mmio region to vfio container: iova " a ", size " n ": " error     Cloud Hypervisor; also "unmap … from"
//   action "DMA region [" iova "," end ")" … [":" error]                              libvfio-user: the end exclusive
//   "DMA map" | "DMA unmap" … "region [" iova "," end ")" …                           SPDK, likewise; also "0x" a "-0x" b
//   ["iommufd IOAS"] "DMA map failed: iova=" iova " user_va=" a " length=" n … error    OpenVMM
//
// The error of the second and third is in the line before. Messages without a range: failures.ts.
// (lib/eal/linux/eal_vfio.c, DPDK 16 to 25; lib/env_dpdk/memory.c of SPDK; vfio-ioctls of rust-vmm; pci/src/vfio.rs of
// Cloud Hypervisor.)
import { type Iova, iova, isIova } from '../../../iova/iova.ts';
import { quote } from '../../diagnostic-rule.ts';
import type { DiagnosticCode } from '../../diagnostics.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { normalizeLoggedDevice } from '../../fields/device-name.ts';
import { type CallResult, errnoName, errnoOfText } from '../../fields/errno.ts';
import { rangeOfSize } from '../../fields/range-of.ts';
import {
  type DumpLine,
  type DumpSource,
  type FactSink,
  type LineParser,
  type LineReader,
  LOOKAHEAD,
  type Lookahead,
} from '../../format.ts';
import { HEX_REST, matchLongest } from '../../text/match-longest.ts';
import { readMessage } from '../message-table.ts';
import { printedSeverity, USERSPACE_FAILURES } from './failures.ts';

const PAGE = 4096n;
/** Lines between an error and the range that it is about. */
const DISTANCE_MAX = 2;
const OS_ERROR = /\(os error (\d{1,4})\)|Error\((\d{1,4})\)/;

/** A hexadecimal number as a named group, with or without `0x`. */
function hex(name: string): string {
  return `(?:0x)?(?<${name}>[0-9a-fA-F]{1,64})`;
}

const LENGTH = '(?<length>(?:0x)?[0-9a-fA-F]{1,64})';
const MMIO = `Could not (?<op>map|unmap) mmio region (?:to|from) vfio container: {1,40}iova ${hex('iova')}, ?size ${hex('size')}: ?`;
const FAILED = `(?<ioas>IOAS )?DMA (?<op>map|unmap) failed: iova=${hex('iova')},? (?:(?:user_va|vaddr|host_va)=${hex('vaddr')},? )?(?:length|size)=${hex('size')}`;

/** A message about one request or mapping. All patterns have the groups `iova` and `size` or `length`; see `#take`. */
interface Form {
  readonly start: RegExp;
  /** From the fullest to the shortest. */
  readonly patterns: readonly RegExp[];
  /** What the next line is if the last number of this one was broken. */
  readonly rest?: RegExp;
  /** What the message is about: a request that it says was refused (or not), or a mapping that was made. */
  readonly kind: 'request' | 'mapping';
}

const FORMS: readonly Form[] = [
  {
    kind: 'request',
    start: /\bdma_(?:un)?map\b/,
    patterns: [
      new RegExp(
        `\\bdma_(?<op>map|unmap) (?:vaddr: ?${hex('vaddr')}, ?)?iova: ?${hex('iova')}, ?size: ?${hex('size')}, ?ret ?[=:]? ?(?<ret>-?\\d{1,9}), ?errno was set to (?<errno>[A-Z][A-Z0-9]{2,16})`,
      ),
      new RegExp(
        `\\bdma_(?<op>map|unmap) (?:vaddr: ?${hex('vaddr')}, ?)?iova: ?${hex('iova')}, ?size: ?${hex('size')}, ?ret ?[=:]? ?(?<ret>-?\\d{1,9})(?!\\w)`,
      ),
    ],
    rest: /^\d{1,3}$/,
  },
  {
    kind: 'request',
    start: /map user memory for DMA|Failed to map region/,
    patterns: [
      new RegExp(`map user memory for DMA: va: ?${hex('vaddr')} iova: ?${hex('iova')} len: ?${LENGTH}(?!\\w)`),
      new RegExp(
        `Failed to map region (?:region )?vaddr=? ?${hex('vaddr')} phys_addr=? ?${hex('iova')} len=? ?${LENGTH}(?!\\w)`,
      ),
    ],
    rest: HEX_REST,
  },
  {
    kind: 'mapping',
    start: /\bDMA (?:un)?map,? region/,
    patterns: [
      new RegExp(
        `\\bDMA (?<op>map|unmap),? region ?\\d{0,6}: ?HVA ${hex('vaddr')}, ?GPA ${hex('iova')},(?: ?HPA (?:0x)?[0-9a-fA-F]{1,64},)? ?size ${hex('size')}(?!\\w)`,
      ),
    ],
    rest: /^[0-9a-f]{1,15}\.?$/i,
  },
  {
    kind: 'request',
    start: /Could not (?:un)?map mmio/,
    patterns: [
      new RegExp(`${MMIO}(?<reason>.{1,400}(?:${OS_ERROR.source}).{0,300})`),
      new RegExp(`${MMIO}(?<reason>.{0,400})`),
    ],
  },
  {
    kind: 'request',
    start: /\bDMA (?:un)?map failed/,
    patterns: [new RegExp(`${FAILED}(?!\\w)(?<error>.{0,400}(?:${OS_ERROR.source}))`), new RegExp(`${FAILED}(?!\\w)`)],
  },
];

/** The end is exclusive: a parenthesis closes the range. Numbers are hexadecimal with `0x`, else decimal. */
const HALF_OPEN = '\\[ ?(?<from>0x[0-9a-f]{1,64}|\\d{1,20}) ?, ?(?<to>0x[0-9a-f]{1,64}|\\d{1,20}) ?\\)';
const REGION = new RegExp(
  `(?<action>(?:failed|unable|could not|cannot|can't) (?:to )?(?:add|map|register|remove|unmap|unregister|delete)|(?:add|mapp?|register|remov|unmapp?|unregister|delet)(?:ing|ed|e)?|new|overlapping|existing)(?: (?:new|existing|the|a|vfio-user))*(?: (?:DMA|memory|guest|region|memory region|DMA region|mem)){1,3}:? ?${HALF_OPEN}(?<rest>.{0,300})$`,
  'i',
);
const REGION_START = /\[ ?(?:0x[0-9a-f]{1,16}|\d{1,20}) ?, ?(?:0x[0-9a-f]{1,16}|\d{1,20}) ?\)/i;
const OVERLAP = /overlap/i;

/** Recognized, without facts. */
const OTHER =
  /try initializing EAL with --iova-mode|VFIO support initialized|Probing VFIO support|using IOMMU type \d|Selected IOVA mode '|Memory segment is already mapped, skipping|^\s{0,8}(?:EAL: )?using dma mask/;

/** Where EAL places memory: its IOVAs are not below this if they are equal to virtual addresses. */
const BASE = /--base-virtaddr[= ](0x[0-9a-f]{1,16})(?![\w.])/i;
/** Messages about memory whose place may be the reason. */
const PLACED: ReadonlySet<DiagnosticCode> = new Set<DiagnosticCode>([
  'dpdk-dma-map-failed',
  'dpdk-device-dma-failed',
  'dpdk-iova-above-mask',
]);

class UserspaceMessagesReader implements LineReader {
  readonly #sink: FactSink;
  /** The same, with the base address in messages that depend on it. */
  readonly #messages: FactSink;
  #base: Iova | undefined;
  /** The error that was printed last. */
  #error: { readonly result: CallResult; readonly index: number } | undefined;

  constructor(sink: FactSink) {
    this.#sink = sink;
    this.#messages = {
      fact: (...args) => sink.fact(...args),
      group: (...args) => sink.group(...args),
      recognized: () => sink.recognized(),
      diagnostic: (code, parameters, ...rest) =>
        sink.diagnostic(code, PLACED.has(code) ? { ...parameters, base: this.#base } : parameters, ...rest),
    };
  }

  line(line: DumpLine, ahead: Lookahead): number {
    // The command line of the program, or what EAL prints of it in brackets.
    const base = BASE.exec(line.raw)?.[1];
    if (base !== undefined) this.#base = parseHexAddress(base);
    if (line.elision || line.prompt) return 0;
    const number = /DMA (?:re)?mapping, error (\d{1,4})/.exec(line.text)?.[1];
    const name = number === undefined ? undefined : errnoName(Number(number));
    if (name !== undefined) this.#error = { result: `-${name}`, index: line.index };
    const taken =
      this.#form(line, ahead) ||
      this.#region(line, ahead) ||
      readMessage(USERSPACE_FAILURES, line, ahead, this.#messages, printedSeverity);
    if (taken > 0) return taken;
    if (base === undefined && !OTHER.test(line.text)) return 0;
    this.#sink.recognized();
    return 1;
  }

  #form(line: DumpLine, ahead: Lookahead): number {
    for (const { kind, start, patterns, rest } of FORMS) {
      const found = matchLongest(line, ahead, start, patterns, rest);
      if (!found) continue;
      this.#take(kind, found.match.groups ?? {}, line);
      return found.lines;
    }
    return 0;
  }

  /** A half-open range that a device in another process is given or loses. */
  #region(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, REGION_START, [REGION]);
    const { action = '', from, to, rest = '' } = found?.match.groups ?? {};
    const start = numberOf(from);
    const end = numberOf(to);
    if (!found || start === undefined || end === undefined) return 0;
    if (end <= start) {
      this.#sink.diagnostic('empty-range', { what: quote(line.text), start }, line.number, 'warning');
      return found.lines;
    }
    const range = { start, last: iova(end - 1n) };
    const op = /remov|unmap|unregister|delet/i.test(action) ? 'unmap' : 'map';
    const overlap = OVERLAP.test(action + rest);
    const isRefused = /^(?:failed|unable|could not|cannot|can't)/i.test(action) || overlap;
    if (!isRefused) {
      // What is only begun counts if it does not fail below.
      if (!isFailed(found.match[0], ahead, found.lines)) {
        this.#sink.fact({ kind: op, ...range, origin: 'vfio-user' }, line.number);
      } else this.#sink.recognized();
      return found.lines;
    }
    const text = /: ?([A-Z][A-Za-z/ ]{2,48}?)\.?$/.exec(rest)?.[1];
    const number = /\b(?:ret|err|errno|rc)[ =:]{1,3}-?(\d{1,4})(?!\w)/.exec(rest)?.[1];
    const name = (number === undefined ? undefined : errnoName(Number(number))) ?? errnoOfText(text ?? '');
    if (name === undefined && !overlap) this.#sink.diagnostic('request-error-unknown', {}, line.number);
    const result: CallResult | 'unknown' = name === undefined ? 'unknown' : `-${name}`;
    this.#sink.fact(
      { kind: 'request', op, api: 'vfio', ...range, result, origin: 'vfio-user', ...(overlap ? { overlap } : {}) },
      line.number,
    );
    return found.lines;
  }

  #take(kind: Form['kind'], groups: Readonly<Record<string, string>>, line: DumpLine): void {
    const { vaddr: pointer, iova, length, size = lengthOf(length), ret, reason, ioas } = groups;
    const op = groups.op === 'unmap' ? 'unmap' : 'map';
    if (ret !== undefined && op === 'unmap' && parseHexAddress(size) === 0n) {
      this.#sink.recognized();
      this.#sink.diagnostic('dpdk-partial-unmap', { start: parseHexAddress(iova) }, line.number, 'warning');
      return;
    }
    const range = rangeOfSize(iova, size, line, this.#sink);
    if (!range) return;
    const vaddr = parseHexAddress(pointer);
    if (kind === 'mapping') {
      const memory = vaddr === undefined || vaddr === 0n ? {} : { vaddr };
      this.#sink.fact({ kind: op, start: range.start, last: range.last, ...memory, origin: 'dpdk' }, line.number);
      return;
    }
    const device = /for device (?:\S{0,200}\/)?([\w.:-]{1,60})/.exec(reason ?? '')?.[1];
    const result = this.#resultOf(ret, groups.errno ?? osErrorOf(reason ?? groups.error), line);
    this.#sink.fact(
      {
        kind: 'request',
        op,
        api: ioas === undefined ? 'vfio' : 'iommufd',
        start: range.start,
        last: range.last,
        ...(vaddr === undefined ? {} : { vaddr }),
        result,
        ...(device === undefined ? {} : { device: normalizeLoggedDevice(device) }),
      },
      line.number,
    );
  }

  /** The result of a call: by the name of its error, by the error printed just before, or by its number. */
  #resultOf(ret: string | undefined, errno: string | undefined, line: DumpLine): CallResult | 'unknown' {
    if (ret !== undefined && Number(ret) === 0) return 0;
    if (errno !== undefined) return `-${errnoOfText(errno) ?? errno}`;
    if (this.#error && line.index - this.#error.index <= DISTANCE_MAX) return this.#error.result;
    const name = ret === undefined || ret === '-1' ? undefined : errnoName(Number(ret));
    if (name !== undefined) return `-${name}`;
    this.#sink.diagnostic('request-error-unknown', {}, line.number);
    return 'unknown';
  }
}

/** A number with `0x`, else in decimal; undefined above 64 bits. */
function numberOf(text: string | undefined): Iova | undefined {
  if (text === undefined) return undefined;
  const value = BigInt(text);
  return isIova(value) ? value : undefined;
}

/** True if a message below says that what this one begins did not work. */
function isFailed(text: string, ahead: Lookahead, from: number): boolean {
  const range = REGION_START.exec(text)?.[0];
  for (let n = from; n <= LOOKAHEAD; n++) {
    const next = ahead(n)?.text ?? '';
    if (range !== undefined && next.includes(range)) return /fail|unable|cannot|could not/i.test(next);
  }
  return false;
}

/** The name of an error of Rust's standard library, `(os error 22)` or `Error(22)`. */
function osErrorOf(text: string | undefined): string | undefined {
  const [, first, second = first] = OS_ERROR.exec(text ?? '') ?? [];
  return second === undefined ? undefined : errnoName(Number(second));
}

/**
 * EAL prints a decimal length after `0x`. Lengths are whole pages: if the digits give whole pages in decimal, they are.
 */
function lengthOf(text: string | undefined): string | undefined {
  if (text === undefined || !/^0x\d{1,20}$/.test(text)) return text;
  const decimal = BigInt(text.slice(2));
  return decimal % PAGE === 0n ? `0x${decimal.toString(16)}` : text;
}

export const USERSPACE_MESSAGES: LineParser = {
  open: (_source: DumpSource, sink) => new UserspaceMessagesReader(sink),
};
