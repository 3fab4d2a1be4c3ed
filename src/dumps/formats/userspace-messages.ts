// What programs other than QEMU say about VFIO: DPDK (EAL, vDPA drivers), SPDK, and monitors in Rust that use rust-vmm's
// or crosvm's VFIO (Cloud Hypervisor, Kata with it, crosvm). Ranges first:
//
//   "dma_map vaddr: " a ", iova: " a ", size: " n ", ret: " r | "ret=-1, errno was set to " name       also dma_unmap
//   "Couldn't map user memory for DMA: va: " a " iova: " a " len: 0x" decimal        EAL prints it so; see `lengthOf`
//   "Failed to map region region vaddr=" a " phys_addr=" iova " len=" n              SPDK 17
//   "DMA map region " n ": HVA " a ", GPA " iova ["," " HPA " a] ", size " n          vDPA; also "DMA unmap"
//   "Could not map mmio region to vfio container: iova " a ", size " n ": " error     Cloud Hypervisor; also "unmap … from"
//   ["iommufd IOAS"] "DMA map failed: iova=" iova " user_va=" a " length=" n … error    OpenVMM
//
// The error of the second and third stands in the line before. Messages without a range are diagnostics.
// (lib/eal/linux/eal_vfio.c, DPDK 16 to 25; lib/env_dpdk/memory.c of SPDK; vfio-ioctls of rust-vmm; pci/src/vfio.rs of
// Cloud Hypervisor.)

import { hex } from '../../iova/format.ts';
import { type IovaRange, rangeOfLength } from '../../iova/range.ts';
import type { Severity } from '../diagnostics.ts';
import { parseHexAddress } from '../fields/address.ts';
import { normalizeLoggedDevice } from '../fields/device-name.ts';
import { errnoName, errnoOfText } from '../fields/errno.ts';
import { PCI_ADDRESS_PATTERN } from '../fields/pci-address.ts';
import { rangeOfSize } from '../fields/range-of.ts';
import type { DumpLine, DumpSource, FactSink, LineFormat, LineReader, Lookahead } from '../format.ts';
import { matchLongest } from '../text/match-longest.ts';
import { errorOf, type Message, readMessage } from './message-table.ts';

const HEX = '(?:0x)?([0-9a-fA-F]{1,64})';
const DEVICE = new RegExp(`(?:\\bBDF:|(?<![\\w.:]))(${PCI_ADDRESS_PATTERN})(?![\\w.])`);
const DEVICE_BEFORE = `(?:(${PCI_ADDRESS_PATTERN})[: ] ?)?`;
const OS_ERROR = /\(os error (\d{1,4})\)|Error\((\d{1,4})\)/;

const DMA_START = /\bdma_(?:un)?map\b/;
const DMA: readonly RegExp[] = [
  new RegExp(
    `\\bdma_(map|unmap) (?:vaddr: ?${HEX}, ?)?iova: ?${HEX}, ?size: ?${HEX}, ?ret ?[=:]? ?(-?\\d{1,9}), ?errno was set to ([A-Z][A-Z0-9]{2,16})`,
  ),
  new RegExp(
    `\\bdma_(map|unmap) (?:vaddr: ?${HEX}, ?)?iova: ?${HEX}, ?size: ?${HEX}, ?ret ?[=:]? ?(-?\\d{1,9})(?!\\w)`,
  ),
];
const USER_START = /map user memory for DMA|Failed to map region/;
const USER: readonly RegExp[] = [
  new RegExp(`map user memory for DMA: va: ?${HEX} iova: ?${HEX} len: ?((?:0x)?[0-9a-fA-F]{1,64})(?!\\w)`),
  new RegExp(
    `Failed to map region (?:region )?vaddr=? ?${HEX} phys_addr=? ?${HEX} len=? ?((?:0x)?[0-9a-fA-F]{1,64})(?!\\w)`,
  ),
];
const VDPA_START = /\bDMA (?:un)?map,? region/;
const VDPA: readonly RegExp[] = [
  new RegExp(`\\bDMA (map|unmap),? region ?\\d{0,6}: ?HVA ${HEX}, ?GPA ${HEX},(?: ?HPA ${HEX},)? ?size ${HEX}(?!\\w)`),
];
const MMIO_START = /Could not (?:un)?map mmio/;
const MMIO: readonly RegExp[] = [
  new RegExp(
    `Could not (map|unmap) mmio region (?:to|from) vfio container: {1,40}iova ${HEX}, ?size ${HEX}: ?(.{1,400}(?:\\(os error \\d{1,4}\\)|Error\\(\\d{1,4}\\)).{0,300})`,
  ),
  new RegExp(
    `Could not (map|unmap) mmio region (?:to|from) vfio container: {1,40}iova ${HEX}, ?size ${HEX}: ?(.{0,400})`,
  ),
];
const FAILED_START = /\bDMA (?:un)?map failed/;
const FAILED: readonly RegExp[] = [
  new RegExp(
    `(IOAS )?DMA (map|unmap) failed: iova=${HEX},? (?:(?:user_va|vaddr|host_va)=${HEX},? )?(?:length|size)=${HEX}(?!\\w)(.{0,400}(?:\\(os error \\d{1,4}\\)|Error\\(\\d{1,4}\\)))`,
  ),
  new RegExp(
    `(IOAS )?DMA (map|unmap) failed: iova=${HEX},? (?:(?:user_va|vaddr|host_va)=${HEX},? )?(?:length|size)=${HEX}(?!\\w)`,
  ),
];
/** Lines between an error and the range that it was about. */
const BESIDE = 2;

const nameOf = (device: string | undefined) => (device === undefined ? undefined : normalizeLoggedDevice(device));

const MESSAGES: readonly Message[] = [
  {
    code: 'dpdk-iova-above-mask',
    start: /IOVA exceeding/,
    pattern: /IOVA exceeding limits of current DMA mask/,
    read: () => ({}),
  },
  {
    code: 'dpdk-iova-above-mask',
    start: /memseg iova/,
    pattern: new RegExp(`memseg iova ${HEX}, ?len ${HEX}, ?out of range`),
    read: ([, from, length]) => {
      const start = parseHexAddress(from);
      const size = parseHexAddress(length);
      return start !== undefined && size !== undefined ? rangeOfLength(start, size) : undefined;
    },
  },
  {
    code: 'dpdk-iova-mode',
    start: /Expecting '/,
    pattern: /Expecting '(\w{2,8})' IOVA mode but current mode is '(\w{2,8})'/,
    read: ([, expected = '', current = '']) => ({ expected, current }),
  },
  {
    code: 'dpdk-dma-map-failed',
    start: /annot set up DMA/,
    pattern: /annot set up DMA (?:re)?mapping(?:, error (\d{1,4})(?: \(([^()]{1,60})\))?)?/,
    read: ([, errno, text]) => ({ error: errorOf(errno, text) }),
  },
  {
    code: 'dpdk-dma-unmap-failed',
    start: /annot clear DMA/,
    pattern: /annot clear DMA (?:re)?mapping(?:, error (\d{1,4})(?: \(([^()]{1,60})\))?)?/,
    read: ([, errno, text]) => ({ error: errorOf(errno, text) }),
  },
  {
    code: 'dpdk-device-dma-failed',
    start: /DMA remapping failed/,
    pattern: new RegExp(`${DEVICE_BEFORE}DMA remapping failed(?:, error (\\d{1,4})(?: \\(([^()]{1,60})\\))?)?`),
    read: ([, device, errno, text]) => ({ device: nameOf(device), error: errorOf(errno, text) }),
  },
  {
    code: 'dpdk-partial-unmap',
    start: /Unexpected size/,
    pattern:
      /Unexpected size (0x[0-9a-f]{1,16}|\d{1,20}) of DMA remapping cleared instead of (0x[0-9a-f]{1,16}|\d{1,20})(?!\w)/,
    read: ([, freed = '0', requested = '0']) => ({ requested: BigInt(requested), freed: BigInt(freed) }),
  },
  {
    code: 'dpdk-device-not-attached',
    start: /cannot attach the device|Requested device/,
    pattern: /Driver cannot attach the device(?: \(([^()\s]{1,60})\))?|Requested device (\S{1,60}) cannot be used/,
    read: ([, device, other = device]) => ({ device: nameOf(other) }),
  },
  {
    code: 'dpdk-group-not-viable',
    start: /VFIO group is not/,
    pattern: new RegExp(`${DEVICE_BEFORE}VFIO group is not viable`),
    read: ([, device]) => ({ device: nameOf(device) }),
  },
  {
    code: 'dpdk-not-vfio',
    start: /not managed by VFIO/,
    pattern: new RegExp(`${DEVICE_BEFORE}not managed by VFIO driver`),
    read: ([, device]) => ({ device: nameOf(device) }),
  },
  {
    code: 'dpdk-region-not-mapped',
    start: /map new region/,
    pattern: /Couldn't map new region for DMA/,
    read: () => ({}),
  },
  {
    code: 'dpdk-outside-window',
    start: /DMA map attempt outside/,
    pattern: /DMA map attempt outside DMA window/,
    read: () => ({}),
  },
  {
    code: 'dpdk-no-iommu-type',
    start: /failed to select IOMMU type/,
    pattern: new RegExp(`${DEVICE_BEFORE}failed to select IOMMU type`),
    read: ([, device]) => ({ device: nameOf(device) }),
  },
  {
    code: 'vmm-dma-map-failed',
    start: /IommuDmaMap|guest memory map into iommu|map an IOVA range to/,
    pattern:
      /IommuDmaMap(?:\(Error\((\d{1,4})\)|\([^()]{0,80}\(os error (\d{1,4})\))?|failed to (?:add guest memory map into iommu table|map an IOVA range to the IOAS)(?:: ([A-Za-z][\w ,]{1,60}))?(?: ?\(os error (\d{1,4})\))?/,
    read: ({ 1: first, 2: second, 3: text, 4: third, input }) => ({
      device: nameOf(DEVICE.exec(input)?.[1]),
      error: errorOf(first ?? second ?? third, text),
    }),
  },
  {
    code: 'vmm-dma-unmap-failed',
    start: /IommuDmaUnmap|guest memory (?:map|regions) from iommu|unmap an IOVA range/,
    pattern:
      /IommuDmaUnmap(?:\(Error\((\d{1,4})\)|\([^()]{0,80}\(os error (\d{1,4})\))?|failed to (?:remove (?:all )?guest memory (?:map|regions) from iommu table|unmap an IOVA range from the IOAS)(?:: ([A-Za-z][\w ,]{1,60}))?(?: ?\(os error (\d{1,4})\))?/,
    read: ({ 1: first, 2: second, 3: text, 4: third, input }) => ({
      device: nameOf(DEVICE.exec(input)?.[1]),
      error: errorOf(first ?? second ?? third, text),
    }),
  },
];

/** Understood, and nothing to tell. */
const OTHER =
  /try initializing EAL with --iova-mode|VFIO support initialized|Probing VFIO support|using IOMMU type \d|Selected IOVA mode '|Memory segment is already mapped, skipping|^\s{0,8}(?:EAL: )?using dma mask/;

class UserspaceMessagesReader implements LineReader {
  readonly #sink: FactSink;
  /** The error that was told last. */
  #error: { readonly name: string; readonly index: number } | undefined;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    const told = /DMA (?:re)?mapping, error (\d{1,4})/.exec(line.text);
    const name = told ? errnoName(Number(told[1])) : undefined;
    if (name !== undefined) this.#error = { name: `-${name}`, index: line.index };
    const taken =
      this.#dma(line, ahead) ||
      this.#user(line, ahead) ||
      this.#vdpa(line, ahead) ||
      this.#mmio(line, ahead) ||
      this.#failed(line, ahead) ||
      readMessage(MESSAGES, line, ahead, this.#sink, severityOf);
    if (taken > 0) return taken;
    if (!OTHER.test(line.text)) return 0;
    this.#sink.recognized();
    return 1;
  }

  #dma(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, DMA_START, DMA, /^\d{1,3}$/);
    if (!found) return 0;
    const [, what, pointer, from, size, ret, errno] = found.match;
    const op = what === 'map' ? 'map' : 'unmap';
    if (op === 'unmap' && parseHexAddress(size) === 0n) {
      this.#sink.recognized();
      this.#sink.diagnostic('dpdk-partial-unmap', { start: parseHexAddress(from) }, line.number, 'warning');
      return found.lines;
    }
    const range = rangeOfSize(from, size, line, this.#sink);
    if (range) this.#request(op, range, this.#resultOf(ret, errno, line), line, { pointer });
    return found.lines;
  }

  #user(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, USER_START, USER, /^[0-9a-f]{1,15}$/i);
    if (!found) return 0;
    const [, pointer, from, length] = found.match;
    const range = rangeOfSize(from, lengthOf(length), line, this.#sink);
    if (range) this.#request('map', range, this.#resultOf(undefined, undefined, line), line, { pointer });
    return found.lines;
  }

  #vdpa(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, VDPA_START, VDPA, /^[0-9a-f]{1,15}\.?$/i);
    if (!found) return 0;
    const [, what, host, from, , size] = found.match;
    const range = rangeOfSize(from, size, line, this.#sink);
    const vaddr = parseHexAddress(host);
    if (range) {
      const memory = vaddr === undefined || vaddr === 0n ? {} : { vaddr };
      const kind = what === 'map' ? 'map' : 'unmap';
      this.#sink.fact({ kind, start: range.start, last: range.last, ...memory, origin: 'dpdk' }, line.number);
    }
    return found.lines;
  }

  #mmio(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, MMIO_START, MMIO);
    if (!found) return 0;
    const [, what, from, size, why = ''] = found.match;
    const range = rangeOfSize(from, size, line, this.#sink);
    const [, first, second = first] = OS_ERROR.exec(why) ?? [];
    const device = /for device (?:\S{0,200}\/)?([\w.:-]{1,60})/.exec(why)?.[1];
    const errno = second === undefined ? undefined : errnoName(Number(second));
    if (range) {
      const result = this.#resultOf(undefined, errno, line);
      this.#request(what === 'map' ? 'map' : 'unmap', range, result, line, { device });
    }
    return found.lines;
  }

  #failed(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, FAILED_START, FAILED);
    if (!found) return 0;
    const [, ioas, what, from, pointer, size, why = ''] = found.match;
    const range = rangeOfSize(from, size, line, this.#sink);
    const [, first, second = first] = OS_ERROR.exec(why) ?? [];
    const errno = second === undefined ? undefined : errnoName(Number(second));
    if (range) {
      const result = this.#resultOf(undefined, errno, line);
      const api = ioas === undefined ? 'vfio' : 'iommufd';
      this.#request(what === 'map' ? 'map' : 'unmap', range, result, line, { pointer, api });
    }
    return found.lines;
  }

  #request(
    op: 'map' | 'unmap',
    range: IovaRange,
    result: string | 0,
    line: DumpLine,
    {
      pointer,
      device,
      api = 'vfio',
    }: {
      readonly pointer?: string | undefined;
      readonly device?: string | undefined;
      readonly api?: 'vfio' | 'iommufd';
    },
  ): void {
    const vaddr = parseHexAddress(pointer);
    this.#sink.fact(
      {
        kind: 'request',
        op,
        api,
        start: range.start,
        last: range.last,
        ...(vaddr === undefined ? {} : { vaddr }),
        result,
        ...(device === undefined ? {} : { device: normalizeLoggedDevice(device) }),
      },
      line.number,
    );
  }

  /** What a call returned: by the name of its error, by its number, or by what was told just before. */
  #resultOf(ret: string | undefined, errno: string | undefined, line: DumpLine): string | 0 {
    if (ret !== undefined && Number(ret) === 0) return 0;
    const named = errno === undefined ? undefined : (errnoOfText(errno) ?? errno);
    if (named !== undefined) return `-${named}`;
    const before = this.#error && line.index - this.#error.index <= BESIDE ? this.#error.name : undefined;
    if (before !== undefined) return before;
    const name = ret === undefined || ret === '-1' ? undefined : errnoName(Number(ret));
    if (name !== undefined) return `-${name}`;
    this.#sink.diagnostic('request-error-unknown', {}, line.number);
    return 'unknown';
  }
}

/**
 * EAL prints a decimal length behind `0x`. Lengths are whole pages: of the two ways to read the digits the one that
 * gives some is right.
 */
function lengthOf(text: string | undefined): string | undefined {
  if (text === undefined || !/^0x\d{1,20}$/.test(text)) return text;
  const decimal = BigInt(text.slice(2));
  return decimal % 4096n === 0n ? hex(decimal) : text;
}

/** The severity that SPDK and others print. */
function severityOf(text: string): Severity | undefined {
  if (/\*NOTICE\*|\*INFO\*|, ignored/.test(text)) return 'info';
  return /\*WARNING\*|\bWARN(?:ING)?:/.test(text) ? 'warning' : undefined;
}

export const USERSPACE_MESSAGES: LineFormat = {
  kind: 'lines',
  name: 'userspace-messages',
  title: 'DPDK, SPDK, Cloud Hypervisor: messages',
  interest: {
    words: [
      ...[
        'dma_map',
        'dma_unmap',
        'DMA map',
        'DMA unmap',
        'map user memory',
        'map region',
        'map mmio',
        'map new region',
      ],
      ...['IOVA exceeding', 'IOVA mode', 'iova-mode', 'IOVA range', 'memseg iova', "Expecting '", 'DMA remapping'],
      ...['annot set up DMA', 'annot clear DMA', 'cannot attach the device', 'Requested device', 'VFIO', 'IOMMU type'],
      ...['IommuDma', 'iommu table', 'already mapped', 'dma mask'],
    ],
  },
  open: (_source: DumpSource, sink) => new UserspaceMessagesReader(sink),
};
