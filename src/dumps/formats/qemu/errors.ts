// QEMU's errors about VFIO and iommufd. A refused request, anywhere in the message:
//
//   call   = name "(" pointer "," iova "," size ["," vaddr] ")" "=" ["-"] errno ["(" text ")"]
//   name   = "vfio_dma_map" | "vfio_dma_unmap", since QEMU 8.2 "vfio_container_dma_map" | "vfio_container_dma_unmap"
//   before = … "host=" device … "vfio" device ":" … "Region" name ":"          all optional; long lines are wrapped
//
// iova and size in hexadecimal with `0x`, pointers as `%p`; iova + size may be 2^64. The line before or after it may have
// the error of the ioctl, without a range:
//
//   ("VFIO_MAP_DMA" | "VFIO_UNMAP_DMA" | "IOMMU_IOAS_MAP" | "IOMMU_IOAS_UNMAP" …) (":" "-" errno | "failed:" text)
//
// Without a call it becomes a diagnostic. The call is the same for VFIO and iommufd: it is iommufd's if an ioctl or a trace
// line of iommufd comes directly before it, or if the device or the program has that name. Messages without a range:
// failures.ts.
// (hw/vfio, hw/virtio/virtio-iommu.c, hw/i386/pc.c, QEMU 1.3 to 10.)

import type { Severity } from '../../diagnostic-rule.ts';
import { parsePointer } from '../../fields/address.ts';
import { type CallResult, callResult, errnoName, errnoOfText } from '../../fields/errno.ts';
import { normalizePciAddress, PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import { rangeOfSize } from '../../fields/range-of.ts';
import { groupName } from '../../fields/sysfs-path.ts';
import {
  type DumpLine,
  type DumpSource,
  type FactSink,
  type LineParser,
  type LineReader,
  LOOKAHEAD,
  type Lookahead,
} from '../../format.ts';
import { matchLongest } from '../../text/match-longest.ts';
import { readMessage } from '../message-table.ts';
import { QEMU_FAILURES } from './failures.ts';

const NUMBER = '(?:0x)?[0-9a-fA-F]{1,64}';
const POINTER = `(?:${NUMBER}|\\(nil\\))`;
const NAME = 'vfio_(?:container_|legacy_)?dma_(map|unmap)';
const ARGUMENTS = `${NAME} ?\\( ?${POINTER} ?, ?(${NUMBER}) ?, ?(${NUMBER})(?: ?, ?(${POINTER}))? ?`;
// The text may be quoted-printable without any other sign of it; at the end of a line, the `=` was already removed.
const RESULT = '\\) ?(?:=(?:3D)? ?|(?=-))(-?\\d{1,9})(?!\\w)';
const CALLS: readonly RegExp[] = [
  new RegExp(`${ARGUMENTS}${RESULT} ?\\(([^()]{1,80})\\)`),
  new RegExp(`${ARGUMENTS}${RESULT} ?\\(([^()]{1,80})$`),
  new RegExp(`${ARGUMENTS}${RESULT}`),
  new RegExp(`${ARGUMENTS}\\)`),
];
/** Without the parenthesis, the last number may have been cut, unless the result is on the same line. */
const UNCLOSED = new RegExp(`${ARGUMENTS} = ?(-?\\d{1,9})(?!\\w)(?: ?\\(([^()]{1,80})\\))?`);
/** The name of the call, or the part of it that is left on a broken line. */
const CALL_START =
  /vfio_(?:container_|legacy_)?dma_(?:un)?map ?\(|\bv(?:f(?:i(?:o(?:_[a-z]{0,9}(?:_d?m?a?)?(?:_[unmap]{0,5})?)?)?)?)?$|vfio_(?:container_|legacy_)?dma_(?:un)?map$/;
const CALL_HERE = /vfio_(?:container_|legacy_)?dma_(?:un)?map ?\( ?(?:0x|\(nil)/;

const IOCTL_NAME = '(VFIO_MAP_DMA|VFIO_UNMAP_DMA|IOMMU_IOAS_MAP(?:_FILE)?|IOMMU_IOAS_UNMAP)';
const IOCTLS: readonly RegExp[] = [
  new RegExp(`${IOCTL_NAME}()(?: with DIRTY_BITMAP)?(?: failed)? ?: {0,2}([A-Z][A-Za-z/ ]{2,48}?)(?:, PCI BAR\\?|$)`),
  new RegExp(`${IOCTL_NAME}(?: failed)? ?: {0,2}(-?\\d{1,4})(?!\\w)`),
  new RegExp(`${IOCTL_NAME}()()(?: with DIRTY_BITMAP)?(?: failed)? ?:?$`),
];
const IOCTL_START = /VFIO_(?:UN)?MAP_DMA|IOMMU_IOAS_(?:UN)?MAP/;
/** Lines between an ioctl and its call: long ones are wrapped. */
const DISTANCE_MAX = 8;
/** Lines between a trace line of iommufd and the error that it led to. */
const AFTER_TRACE = 5;

/** Where a message starts: devices named before it belong to another message. */
const MESSAGE_START = /(?:^|[\s:])qemu[\w.-]{0,60}(?:\[\d{1,10}\])?: |^\s{0,8}-device |internal error: /;
const DEVICE = new RegExp(
  `(?:\\bhost=(?:3D)?|"host": ?"|\\bvfio |sysfsdev=\\S{0,120}/)(${PCI_ADDRESS_PATTERN})(?![\\w.])(?!.*(?:\\bhost=(?:3D)?|"host": ?"|\\bvfio |sysfsdev=\\S{0,120}/)${PCI_ADDRESS_PATTERN}(?![\\w.]))`,
);
/** The group whose container was set up, the last one that is named. */
const GROUP = /failed to setup container for group (\d{1,9}):(?!.*failed to setup container for group \d)/;
const REGION = /Region (\S(?:(?!Region ).){0,100}?): ?$/;
const IOMMUFD = /qemu[\w.-]{0,40}iommufd|\biommufd=|iommufd_backend_/;
/** Parts of a wrapped message that carry no information of their own. */
const MIDDLE =
  /^\s{0,16}(?:initialization failed: ?)?Region [^:]{1,100}:$|-device vfio-\S{1,400}: (?:warning: )?vfio(?: [0-9a-f:.]{7,16}: ?)?$|^vfio [0-9a-f:.]{7,16}:$|failed to setup container for group \d{1,9}: ?memory\b|^memory listener|: Region \S.{0,100}$|^\s{0,16}initialization failed:(?: Region)?$/;

interface Ioctl {
  readonly op: 'map' | 'unmap';
  readonly iommufd: boolean;
  /** Undefined if the error was not printed. */
  readonly result: CallResult | undefined;
  readonly severity: Severity;
  readonly line: number;
  readonly index: number;
  /** True once a trace line of another request followed. */
  isPast?: boolean;
}

class QemuErrorsReader implements LineReader {
  readonly #sink: FactSink;
  /** The end of the message so far: the device and the region are named before the call. */
  #before = '';
  #index = -100;
  /** An ioctl that failed; its call is expected to follow. */
  #waiting: Ioctl | undefined;
  /** The last call, while the line of its ioctl may still follow. */
  #answered: { readonly op: 'map' | 'unmap'; readonly result: CallResult; readonly index: number } | undefined;
  #traceIndex = -100;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    if (line.text.includes('iommufd_backend_')) {
      this.#traceIndex = line.index;
      if (this.#waiting) this.#waiting.isPast = true;
      return 0;
    }
    if (line.index - this.#index > 4 || MESSAGE_START.test(line.raw)) this.#before = '';
    this.#index = line.index;
    const taken =
      this.#call(line, ahead) ||
      this.#ioctl(line, ahead) ||
      readMessage(QEMU_FAILURES, line, ahead, this.#sink) ||
      (MIDDLE.test(line.text) ? 1 : 0);
    // The name of the program may have been removed with a time stamp.
    const program = /qemu[\w.-]{0,40}iommufd/.exec(line.raw)?.[0] ?? '';
    this.#before = `${this.#before}\n${program} ${line.text.trim()}`.slice(-400);
    return taken;
  }

  end(): void {
    this.#flush();
  }

  #call(line: DumpLine, ahead: Lookahead): number {
    const unclosed = line.text.includes('dma_') ? UNCLOSED.exec(line.text) : null;
    const found = unclosed ? { match: unclosed, lines: 1 } : matchLongest(line, ahead, CALL_START, CALLS, /^\d{1,3}\b/);
    if (!found) return CALL_HERE.test(line.text) ? this.#damaged(line) : 0;
    const { match, lines } = found;
    const [, name, from, size, pointer, number, text] = match;
    const op = name === 'map' ? 'map' : 'unmap';
    const waiting =
      this.#waiting?.op === op && line.index - this.#waiting.index <= DISTANCE_MAX ? this.#waiting : undefined;
    const printed = number === undefined ? undefined : callResult(Number(number), text);
    // What the ioctl failed with. Printing that changes errno before the call returns it.
    const reported = waiting?.isPast && printed !== undefined ? undefined : waiting?.result;
    const result = reported !== undefined && printed !== 0 ? reported : printed;
    if (result === undefined) return this.#damaged(line);
    if (printed !== undefined && printed !== result) {
      this.#sink.diagnostic('request-errors-differ', { first: `${result}`, second: `${printed}` }, line.number);
    }
    if (result === 0 && text !== undefined && isRepeated(match[0], ahead, lines)) {
      // Printed before the call returned, with the text of an unrelated error.
      this.#sink.recognized();
      return lines;
    }
    const broken = `${this.#before}\n${match.input.slice(0, match.index)}`;
    const before = broken.replace(/\s{1,8}/g, ' ');
    const iommufd =
      waiting?.iommufd === true ||
      line.index - this.#traceIndex <= AFTER_TRACE ||
      IOMMUFD.test(before) ||
      IOMMUFD.test(line.raw);
    const range = rangeOfSize(from, size, line, this.#sink);
    const vaddr = parsePointer(pointer);
    const device = normalizePciAddress(DEVICE.exec(before)?.[1] ?? '');
    const group = groupName(GROUP.exec(before)?.[1]);
    const region = regionOf(broken);
    if (range) {
      this.#sink.fact(
        {
          kind: 'request',
          op,
          api: iommufd ? 'iommufd' : 'vfio',
          ...range,
          ...(vaddr === undefined ? {} : { vaddr }),
          result,
          ...(region === undefined ? {} : { name: region }),
          ...(device === undefined ? {} : { device }),
          ...(group === undefined ? {} : { group }),
        },
        line.number,
      );
    }
    if (waiting) this.#waiting = undefined;
    else this.#answered = { op, result, index: line.index + lines - 1 };
    return lines;
  }

  #ioctl(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, IOCTL_START, IOCTLS);
    if (!found) return 0;
    const [whole, name = '', number, text] = found.match;
    const op = name.includes('UNMAP') ? 'unmap' : 'map';
    // A mail program may have broken the text after its first word, which is not an error text by itself.
    const broken = text === undefined || number ? undefined : ahead(found.lines)?.text.trim();
    const longer = broken === undefined ? undefined : errnoOfText(`${text} ${/^[a-z ]{1,40}/.exec(broken)?.[0] ?? ''}`);
    const known = number ? errnoName(Number(number)) : errnoOfText(text ?? '');
    const errno = known ?? longer;
    const lines = known === undefined && longer !== undefined ? found.lines + 1 : found.lines;
    const answered = this.#answered;
    this.#answered = undefined;
    this.#flush();
    const result: CallResult | undefined = errno === undefined ? undefined : `-${errno}`;
    if (
      answered?.op === op &&
      line.index - answered.index <= 2 &&
      (result === undefined || result === answered.result)
    ) {
      return lines;
    }
    this.#waiting = {
      op,
      iommufd: whole.startsWith('IOMMU'),
      result,
      severity: /\bwarning:/.test(line.text) ? 'warning' : 'error',
      line: line.number,
      index: line.index,
    };
    return lines;
  }

  /** An ioctl whose call did not follow is reported by itself. */
  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!waiting) return;
    const api = waiting.iommufd ? 'iommufd' : 'VFIO';
    this.#sink.recognized();
    this.#sink.diagnostic(
      `qemu-${waiting.op}-failed`,
      { api, error: waiting.result || undefined },
      waiting.line,
      waiting.severity,
    );
  }

  #damaged(line: DumpLine): number {
    this.#sink.diagnostic('damaged-request', { text: line.text }, line.number);
    return 1;
  }
}

/** True if one of the next lines has the same call with another result. */
function isRepeated(call: string, ahead: Lookahead, from: number): boolean {
  const open = call.slice(0, call.indexOf(')'));
  for (let n = from; n <= LOOKAHEAD; n++) {
    const text = ahead(n)?.text ?? '';
    const at = text.indexOf(open);
    if (at >= 0) return /^\) ?= ?-?[1-9]/.test(text.slice(at + open.length));
  }
  return false;
}

/** The region named before a call. Only names of BARs have blanks: in other names, a line break is inside a word. */
function regionOf(before: string): string | undefined {
  const spaced = REGION.exec(before.replaceAll('\n', ' '))?.[1];
  if (spaced !== undefined && /\bBAR \d/.test(spaced)) return spaced;
  return REGION.exec(before.replace(/\n ?/g, ''))?.[1] ?? spaced;
}

export const QEMU_ERRORS: LineParser = {
  open: (_source: DumpSource, sink) => new QemuErrorsReader(sink),
};
