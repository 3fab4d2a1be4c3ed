// The kernel's DMA API in kernel logs:
//
//   driver device ":" "Using" number "-bit DMA addresses"
//   [driver] device ":" ["DMA addr"] "overflow" hex "+" size "of DMA mask" hex ["bus" ("mask" | "limit") hex]
//   [driver] device ":" "DMA addr" hex "+" size "overflow (mask" hex ", bus limit" hex ")"                Linux 5.8 and newer
//   [driver] device ":" "swiotlb buffer is full" ["(sz:" n "bytes)" …]
//   "DMA-API:" driver device ":" what ["[device address=" hex "]"] ["[size=" n "bytes]"] …               a check (DMA_API_DEBUG)
//   "One of leaked entries details:" "[device address=" hex "] [size=" n "bytes]" …                       of the line before it
//
// The first: the addresses below 4 GiB ran out for a PCI device, which from then on is given addresses of its whole mask.
// The next ones: without an IOMMU the device cannot reach the memory, or there is no bounce buffer for it. Sizes are
// decimal; addresses have `0x`, masks have not.
// (iommu_dma_alloc_iova in drivers/iommu/dma-iommu.c, kernel/dma/direct.h, swiotlb.c and debug.c; Linux 4.19 to 6.12.)
import { type IovaRange, rangeOfLength } from '../../../iova/range.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { DEVICE_NAME_PATTERN, normalizeLoggedDevice } from '../../fields/device-name.ts';
import { normalizePciAddress } from '../../fields/pci-address.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { matchLongest } from '../../text/match-longest.ts';
import { continuation } from '../../text/wrapped.ts';

const WIDE = new RegExp(`(?<![\\w.:@-])(${DEVICE_NAME_PATTERN}?): ?Using (\\d{2})-bit DMA addresses(?!\\w)`);
const START = /: ?Using \d\d-bit/;

const DEVICE = `(?<![\\w.:@-])(${DEVICE_NAME_PATTERN}?): {1,4}`;
const HEX = '(?:0x)?([0-9a-f]{1,64})';
const BUFFER = `${HEX} ?\\+ ?(\\d{1,20})`;
const OVERFLOWS: readonly RegExp[] = [
  new RegExp(`${DEVICE}(?:DMA addr )?overflow ${BUFFER} of DMA mask ${HEX}(?: bus (?:mask|limit) ${HEX})(?!\\w)`),
  new RegExp(`${DEVICE}DMA addr ${BUFFER} overflow \\(mask ${HEX}, bus limit ${HEX}\\)`),
  new RegExp(`${DEVICE}(?:DMA addr )?overflow ${BUFFER} of (?:DMA|device) mask ${HEX}(?!\\w)`),
];
const OVERFLOW_START = /overflow (?:0x)?[0-9a-f]|DMA addr (?:0x)?[0-9a-f]{4}|: overflow$/;

const FULL = new RegExp(
  `${DEVICE}swiotlb buffer is full(?: \\(sz: ?(\\d{1,20}) bytes\\))?(?:, total (\\d{1,12}) \\(slots\\), used (\\d{1,12}) \\(slots\\))?`,
);
const FULL_START = /swiotlb buffer is/;

const ADDRESS = `\\[device address=${HEX}\\]`;
const DEBUG: readonly RegExp[] = [
  /(?:DMA-API: (?<driver>[\w-]{1,40}) (?<device>[\w.:@-]{3,80}): |(?<deviceBefore>[\w.:@-]{3,80}): DMA-API: )(?<what>(?:device driver|mapping sg|dma_)[^[]{3,160}?) ?(?<rest>\[.{1,400})$/,
  /(?:DMA-API: (?<driver>[\w-]{1,40}) (?<device>[\w.:@-]{3,80}): |(?<deviceBefore>[\w.:@-]{3,80}): DMA-API: )(?<what>(?:device driver|mapping sg|dma_)[^[]{3,160}?)$/,
  /DMA-API: (?<what>exceeded \d{1,4} overlapping mappings of cacheline)/,
];
const DEBUG_START = /DMA-API: /;
const LEAKED = new RegExp(`leaked entries details: ?${ADDRESS} ?\\[size= ?(\\d{1,20}) bytes\\]`);
const LEAKED_START = /leaked entries/;

class KernelLogDmaReader implements LineReader {
  readonly #sink: FactSink;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    return (
      this.#wide(line, ahead) ||
      this.#overflow(line, ahead) ||
      this.#full(line, ahead) ||
      this.#check(line, ahead) ||
      this.#leaked(line, ahead)
    );
  }

  #wide(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, START, [WIDE]);
    const [, device, digits] = found?.match ?? [];
    const bits = Number(digits);
    if (!found || device === undefined || !(bits > 32 && bits <= 64)) return 0;
    this.#sink.fact({ kind: 'device', device: normalizeLoggedDevice(device), dma_bits: bits }, line.number);
    return found.lines;
  }

  /** Memory that the device cannot reach. */
  #overflow(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, OVERFLOW_START, OVERFLOWS);
    const [, device, from, size, digits, limit] = found?.match ?? [];
    const mask = parseHexAddress(digits);
    if (!found || device === undefined || mask === undefined) return 0;
    const buffer = bufferOf(from, size);
    if (!buffer) {
      this.#sink.diagnostic('damaged-event', { what: 'message of the DMA API', text: line.text }, line.number);
      return found.lines;
    }
    // Zero: the bus has none.
    const bus = parseHexAddress(limit) || undefined;
    this.#sink.recognized();
    this.#sink.diagnostic(
      'dma-mask-overflow',
      { device: normalizeLoggedDevice(device), ...buffer, mask, ...(bus === undefined ? {} : { bus }) },
      line.number,
    );
    return found.lines;
  }

  #full(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, FULL_START, [FULL]);
    const [, device, size, total, used] = found?.match ?? [];
    if (!found || device === undefined) return 0;
    this.#sink.recognized();
    this.#sink.diagnostic(
      'swiotlb-full',
      {
        device: normalizeLoggedDevice(device),
        size: size === undefined ? undefined : BigInt(size),
        total: total === undefined ? undefined : Number(total),
        used: used === undefined ? undefined : Number(used),
      },
      line.number,
    );
    return found.lines;
  }

  /** What DMA_API_DEBUG found. */
  #check(line: DumpLine, ahead: Lookahead): number {
    if (!DEBUG_START.test(line.text)) return 0;
    const found = matchLongest(line, ahead, DEBUG_START, DEBUG);
    const { device, deviceBefore, driver, what, rest = '' } = found?.match.groups ?? {};
    if (!found || what === undefined) return 0;
    const name = device ?? deviceBefore;
    const isLeak = /pending DMA allocations/.test(what);
    // The range of a leak is in the line below.
    const below = isLeak ? LEAKED.exec(continuation(line, ahead, found.lines)?.text ?? '') : null;
    const address = below?.[1] ?? new RegExp(ADDRESS).exec(rest)?.[1];
    const size = below?.[2] ?? /\[(?:size|map size|allocation size)= ?(\d{1,20}) bytes\]/.exec(rest)?.[1];
    const count = /\[count= ?(\d{1,9})\]/.exec(rest)?.[1];
    const place = address === undefined ? undefined : bufferOf(address, size ?? '1');
    this.#sink.recognized();
    this.#sink.diagnostic(
      'dma-api-debug',
      {
        device: name === undefined ? undefined : (normalizePciAddress(name) ?? name),
        driver,
        what:
          isLeak && count !== undefined ? `${count} mappings are left after the driver has released the device` : what,
        range: place,
      },
      line.number,
    );
    return found.lines + (below ? 1 : 0);
  }

  /** The details of a leak whose first line is missing. */
  #leaked(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, LEAKED_START, [LEAKED]);
    const range = found && bufferOf(found.match[1], found.match[2]);
    if (!found || !range) return 0;
    this.#sink.recognized();
    const what = 'a mapping is left after the driver has released the device';
    this.#sink.diagnostic('dma-api-debug', { device: undefined, driver: undefined, what, range }, line.number);
    return found.lines;
  }
}

/** From an address in hexadecimal and a size in decimal; undefined if it is no range. */
function bufferOf(from: string | undefined, size: string | undefined): IovaRange | undefined {
  const start = parseHexAddress(from);
  return start === undefined || size === undefined ? undefined : rangeOfLength(start, BigInt(size));
}

export const KERNEL_LOG_DMA: LineParser = {
  open: (_source: DumpSource, sink) => new KernelLogDmaReader(sink),
};
