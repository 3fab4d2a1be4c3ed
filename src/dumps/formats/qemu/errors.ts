// Errors of QEMU about VFIO and iommufd. A request that was refused, wherever it stands in the message:
//
//   call   = name "(" pointer "," iova "," size ["," vaddr] ")" "=" ["-"] errno ["(" text ")"]
//   name   = "vfio_dma_map" | "vfio_dma_unmap", since QEMU 8.2 "vfio_container_dma_map" | "vfio_container_dma_unmap"
//   before = … "host=" device … "vfio" device ":" … "Region" name ":"          each if it is there; long ones are wrapped
//
// iova and size in hexadecimal with `0x`, pointers as `%p`; iova + size may be 2^64. Beside such a line, before or
// behind it, stands what the ioctl said, without a range:
//
//   ("VFIO_MAP_DMA" | "VFIO_UNMAP_DMA" | "IOMMU_IOAS_MAP" | "IOMMU_IOAS_UNMAP" …) (":" "-" errno | "failed:" text)
//
// Alone it is a diagnostic. A call is iommufd's if an ioctl or a trace line of iommufd stands directly before it, or if
// the device or the program is named for it; the call itself is the same for both.
// (hw/vfio, hw/virtio/virtio-iommu.c, hw/i386/pc.c, QEMU 1.3 to 10.)

import type { Severity } from '../../diagnostics.ts';
import { parseHexAddress, parsePointer } from '../../fields/address.ts';
import { errnoName, errnoOfText } from '../../fields/errno.ts';
import { normalizePciAddress, PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import { rangeOfSize } from '../../fields/range-of.ts';
import type { DumpLine, DumpSource, FactSink, LineFormat, LineReader, Lookahead } from '../../format.ts';
import { matchLongest } from '../../text/match-longest.ts';
import { errorOf, type Message, readMessage } from '../message-table.ts';

const NUMBER = '(?:0x)?[0-9a-fA-F]{1,64}';
const POINTER = `(?:${NUMBER}|\\(nil\\))`;
const NAME = 'vfio_(?:container_|legacy_)?dma_(map|unmap)';
const ARGUMENTS = `${NAME} ?\\( ?${POINTER} ?, ?(${NUMBER}) ?, ?(${NUMBER})(?: ?, ?(${POINTER}))? ?`;
// The text may be quoted-printable that nothing else shows to be it.
const RESULT = '\\)? ?=(?:3D)? ?(-?\\d{1,9})(?!\\w)';
const CALLS: readonly RegExp[] = [
  new RegExp(`${ARGUMENTS}${RESULT} ?\\(([^()]{1,80})\\)`),
  new RegExp(`${ARGUMENTS}${RESULT} ?\\(([^()]{1,80})$`),
  new RegExp(`${ARGUMENTS}${RESULT}`),
  new RegExp(`${ARGUMENTS}\\)`),
];
/** The name of the call, or what a broken line may have left of it. */
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
/** Lines between the two halves of one report: long ones are wrapped. */
const BESIDE = 8;
/** Lines between a trace line of iommufd and the error that it led to. */
const AFTER_TRACE = 5;

/** Where a message starts: everything said of a device before it was about another. */
const MESSAGE_START = /(?:^|[\s:])qemu[\w.-]{0,60}(?:\[\d{1,10}\])?: |^\s{0,8}-device |internal error: /;
const DEVICE = new RegExp(
  `(?:\\bhost=(?:3D)?|\\bvfio |sysfsdev=\\S{0,120}/)(${PCI_ADDRESS_PATTERN})(?![\\w.])(?!.*(?:\\bhost=(?:3D)?|\\bvfio |sysfsdev=\\S{0,120}/)${PCI_ADDRESS_PATTERN}(?![\\w.]))`,
);
const REGION = /Region (\S(?:(?!Region ).){0,100}?): ?$/;
const IOMMUFD = /qemu[\w.-]{0,40}iommufd|\biommufd=|iommufd_backend_/;
/** Parts of a wrapped message that say nothing more. */
const MIDDLE =
  /^\s{0,16}(?:initialization failed: ?)?Region [^:]{1,100}:$|-device vfio-\S{1,400}: (?:warning: )?vfio(?: [0-9a-f:.]{7,16}: ?)?$|^vfio [0-9a-f:.]{7,16}:$|failed to setup container for group \d{1,9}: ?memory\b|^memory listener|: Region \S.{0,100}$|^\s{0,16}initialization failed:(?: Region)?$/;

/** Messages without a requested range. */
const MESSAGES: readonly Message[] = [
  {
    code: 'qemu-phys-bits-too-low',
    start: /Address space limit|Address space$|Address$/,
    pattern: new RegExp(
      `Address space limit (${NUMBER}) < (${NUMBER})[ ,](?:\\(max configured memory\\), )?\\s?phys-bits too low \\((\\d{1,3})\\)`,
    ),
    read: ([, from, to, width = '']) => {
      const limit = parseHexAddress(from);
      const needed = parseHexAddress(to);
      return limit === undefined || needed === undefined ? undefined : { limit, needed, width };
    },
  },
  {
    code: 'qemu-few-dma-mappings',
    start: /running out of DMA|possibly running|Maximum possible DMA/,
    pattern: /Maximum possible DMA mappings: (\d{1,12})/,
    read: ([, count = '']) => ({ count }),
  },
  {
    code: 'qemu-late-reserved-regions',
    start: /Notified about|Notified$/,
    pattern: /Notified about new host reserved regions after probe/,
    read: () => ({}),
  },
  {
    code: 'qemu-conflicting-reserved-regions',
    start: /Conflicting host|Conflicting$/,
    pattern: /Conflicting host reserved ranges set/,
    read: () => ({}),
  },
  {
    code: 'qemu-reserved-region-invalid',
    start: /[Rr]eserved region|reserved-regions/,
    pattern: /(?:[Ii]nvalid reserved region|reserved region[s ]{1,2}(?:overlap|is invalid|\[.{1,60}overlap).{0,80})/,
    read: () => ({}),
  },
  {
    code: 'qemu-no-peer-to-peer',
    start: /PCI peer-to-peer|: PCI$/,
    pattern: new RegExp(
      `(?:(${PCI_ADDRESS_PATTERN}|[\\w.:-]{1,60}): )?PCI peer-to-peer transactions? ?(?:on BARs)?(?: are not supported|$)`,
    ),
    read: ([, device]) => ({ device: device === undefined ? undefined : (normalizePciAddress(device) ?? device) }),
  },
  {
    code: 'qemu-dma-mapping-fatal',
    start: /DMA mapping failed|DMA mapping$/,
    pattern: /DMA mapping failed, unable to continue/,
    read: () => ({}),
  },
  {
    code: 'qemu-container-setup-failed',
    start: /failed to setup container/,
    pattern: /failed to setup container for group (\d{1,9}): (?!memory\b)(?:[^:]{1,80}: )?([^:]{1,80})$/,
    read: ([, group = '', why]) => ({ group, error: errorOf(undefined, why) }),
  },
  {
    code: 'qemu-group-not-viable',
    start: /not viable|\bgroup \d{1,9} is(?: not)?$/,
    pattern: /group (\d{1,9}) is not viable/,
    read: ([, group = '']) => ({ group }),
  },
  {
    code: 'qemu-several-address-spaces',
    start: /used in multiple/,
    pattern: /group (\d{1,9}) used in multiple address spaces/,
    read: ([, group = '']) => ({ group }),
  },
  {
    code: 'qemu-outside-host-window',
    start: /can't map(?: guest)?\b/,
    pattern: new RegExp(`can't map (?:guest )?IOVA region (${NUMBER}) ?\\. ?\\. ?(${NUMBER})`),
    read: ([, from, to]) => {
      const start = parseHexAddress(from);
      const last = parseHexAddress(to);
      return start === undefined || last === undefined ? undefined : { start, last };
    },
  },
  {
    code: 'qemu-unaligned-region',
    start: /received unaligned region/,
    pattern: new RegExp(`received unaligned region(?: (\\S.{0,100}?) iova=(${NUMBER}))?`),
    read: ([, name, address]) => ({ name, start: parseHexAddress(address) }),
  },
  {
    code: 'qemu-address-width-mismatch',
    start: /aw[-_ ]bits/,
    pattern: /aw[-_ ]bits:? (\d{1,3}) > host aw[-_ ]bits:? (\d{1,3})/,
    read: ([, guest = '', host = '']) => ({ guest, host }),
  },
  {
    code: 'qemu-no-iommu',
    start: /No available IOMMU/i,
    pattern: /No available IOMMU models/i,
    read: () => ({}),
  },
  {
    code: 'qemu-iommu-not-set',
    start: /ailed to set (?:group container|iommu for container)/,
    pattern: /ailed to set (?:group container|iommu for container): ([^:]{1,80})$/,
    read: ([, why]) => ({ error: errorOf(undefined, why) }),
  },
  {
    code: 'qemu-unmap-failed',
    start: /dma_unmap\(\)/,
    pattern: /dma_unmap\(\) failed: ([^:]{1,80})$/,
    read: ([, why]) => ({ error: errorOf(undefined, why) }),
  },
];

interface Ioctl {
  readonly op: 'map' | 'unmap';
  readonly iommufd: boolean;
  readonly errno: string | undefined;
  readonly severity: Severity;
  readonly line: number;
  readonly index: number;
}

class QemuErrorsReader implements LineReader {
  readonly #sink: FactSink;
  /** The end of the message so far, cut: the device and the region are named before the call. */
  #before = '';
  #index = -100;
  /** What an ioctl said that waits for its call. */
  #waiting: Ioctl | undefined;
  /** The call before, as long as what its ioctl said may still follow. */
  #answered: { readonly op: 'map' | 'unmap'; readonly result: string | 0; readonly index: number } | undefined;
  #traceIndex = -100;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    if (line.text.includes('iommufd_backend_')) {
      this.#traceIndex = line.index;
      return 0;
    }
    if (line.index - this.#index > 4 || MESSAGE_START.test(line.raw)) this.#before = '';
    this.#index = line.index;
    const taken =
      this.#call(line, ahead) ||
      this.#ioctl(line, ahead) ||
      readMessage(MESSAGES, line, ahead, this.#sink) ||
      (MIDDLE.test(line.text) ? 1 : 0);
    // What names the program may have been taken off with a time stamp.
    const program = /qemu[\w.-]{0,40}iommufd/.exec(line.raw)?.[0] ?? '';
    this.#before = `${this.#before}\n${program} ${line.text.trim()}`.slice(-400);
    return taken;
  }

  end(): void {
    this.#flush();
  }

  #call(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, CALL_START, CALLS, /^\d{1,3}\b/);
    if (!found) return CALL_HERE.test(line.text) ? this.#damaged(line) : 0;
    const { match, lines } = found;
    const [, name, from, size, pointer, number, text] = match;
    const op = name === 'map' ? 'map' : 'unmap';
    const waiting = this.#waiting?.op === op && line.index - this.#waiting.index <= BESIDE ? this.#waiting : undefined;
    const result = resultOf(number, text) ?? waiting?.errno;
    if (result === undefined) return this.#damaged(line);
    const broken = `${this.#before}\n${match.input.slice(0, match.index)}`;
    const before = broken.replaceAll('\n', ' ');
    const iommufd =
      waiting?.iommufd === true ||
      line.index - this.#traceIndex <= AFTER_TRACE ||
      IOMMUFD.test(before) ||
      IOMMUFD.test(line.raw);
    const range = rangeOfSize(from, size, line, this.#sink);
    const vaddr = parsePointer(pointer);
    const device = normalizePciAddress(DEVICE.exec(before)?.[1] ?? '');
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
    // A text that a mail program broke behind its first word is none that is known.
    const broken = text === undefined || number ? undefined : ahead(found.lines)?.text.trim();
    const longer = broken === undefined ? undefined : errnoOfText(`${text} ${/^[a-z ]{1,40}/.exec(broken)?.[0] ?? ''}`);
    const known = number ? errnoName(Number(number)) : errnoOfText(text ?? '');
    const errno = known ?? longer;
    const lines = known === undefined && longer !== undefined ? found.lines + 1 : found.lines;
    const answered = this.#answered;
    this.#answered = undefined;
    this.#flush();
    const said = errno === undefined ? undefined : `-${errno}`;
    if (answered?.op === op && line.index - answered.index <= 2 && (said === undefined || said === answered.result)) {
      return lines;
    }
    this.#waiting = {
      op,
      iommufd: whole.startsWith('IOMMU'),
      errno: said,
      severity: /\bwarning:/.test(line.text) ? 'warning' : 'error',
      line: line.number,
      index: line.index,
    };
    return lines;
  }

  /** What waited for a call that did not come is told by itself. */
  #flush(): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (!waiting) return;
    const api = waiting.iommufd ? 'iommufd' : 'VFIO';
    this.#sink.recognized();
    this.#sink.diagnostic(`qemu-${waiting.op}-failed`, { api, error: waiting.errno }, waiting.line, waiting.severity);
  }

  #damaged(line: DumpLine): number {
    this.#sink.diagnostic('damaged-request', { text: line.text }, line.number);
    return 1;
  }
}

/** `-22 (Invalid argument)` as `-EINVAL`; 0 stays 0. A number that Linux does not know stays a number. */
function resultOf(number: string | undefined, text: string | undefined): string | 0 | undefined {
  if (number === undefined) return undefined;
  if (Number(number) === 0) return 0;
  const name = errnoName(Number(number)) ?? errnoOfText(text ?? '');
  return name === undefined ? `-${number.replace('-', '')}` : `-${name}`;
}

/** The region before a call. Of the names only those of BARs hold blanks, so that other breaks are inside a word. */
function regionOf(before: string): string | undefined {
  const spaced = REGION.exec(before.replaceAll('\n', ' '))?.[1];
  if (spaced !== undefined && /\bBAR \d/.test(spaced)) return spaced;
  return REGION.exec(before.replace(/\n ?/g, ''))?.[1] ?? spaced;
}

export const QEMU_ERRORS: LineFormat = {
  kind: 'lines',
  name: 'qemu-errors',
  title: 'QEMU: errors',
  interest: {
    words: [
      ...[
        'vfio',
        'v\n',
        'vf\n',
        'vfi\n',
        'iommufd',
        'IOMMU ',
        'IOMMU_',
        'IOMMU\n',
        'Region ',
        'IOVA region',
        'phys-bits',
      ],
      ...['Address limit', 'Address space limit', 'Address\n', 'Address space\n', 'PCI peer', ': PCI\n', 'eserved r'],
      ...[
        'eserved-r',
        'Notified',
        'Conflicting',
        'aw-bits',
        'aw_bits',
        'aw bits',
        'DMA mapping',
        'initialization failed',
      ],
      ...['to setup container', 'not viable', 'used in multiple', 'is\n', 'is not\n'],
    ],
  },
  open: (_source: DumpSource, sink) => new QemuErrorsReader(sink),
};
