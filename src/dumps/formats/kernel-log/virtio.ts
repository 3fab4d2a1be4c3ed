// A virtio-iommu in the kernel log of its guest.
//
//   prefix reason "fault from EP" number ["PASID" number] ["at" address "[" ["R"] ["W"] ["X"] "]"]
//   "virtio_iommu" name ": input address:" bits "bits"                what it can translate, at the start; below it
//   "virtio_iommu" name ": page mask:" hex                            a bit for each page size
//
// reason = "domain" | "page" | "unknown"; address = "0x" hex | "0". The endpoint is a decimal number; the firmware of the
// guest knows which device it is. Without an address there is no fact.
// (viommu_fault_handler and viommu_probe in drivers/iommu/virtio-iommu.c, Linux 5.3 to 6.12.)

import { rangeOfBits } from '../../../iova/range.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { faultAccess } from '../../fields/fault-access.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { LOWER_HEX_REST, matchLongest } from '../../text/match-longest.ts';
import { type FaultLine, FaultLineReader } from './fault-line.ts';

const REASONS: ReadonlyMap<string | undefined, string> = new Map([
  ['domain', 'the endpoint has no domain'],
  ['page', 'page fault'],
  ['unknown', 'fault of unknown reason'],
]);

const FAULT: FaultLine = {
  start: /\b(?:domain|page|unknown) fault(?: from EP\b|(?: from)?$)/,
  pattern:
    /\b(domain|page|unknown) fault from EP (\d{1,10})(?: PASID (\d{1,10}))? at (0x[0-9a-f]{1,64}|0) \[(R?)(W?)X?\]/,
  shorter: /\b(domain|page|unknown) fault from EP (\d{1,10})(?: PASID (\d{1,10}))?$/,
  read: ([, reason, endpoint, pasid, place, reads, writes]) => {
    const text = REASONS.get(reason) ?? 'fault';
    if (place === undefined) return `endpoint ${endpoint}: ${text}; the address was not printed`;
    const address = parseHexAddress(place);
    if (address === undefined) return undefined;
    const access = writes === 'W' || reads === 'R' ? faultAccess(writes === 'W') : undefined;
    return {
      kind: 'fault',
      address,
      device: `ep:${endpoint}`,
      ...(access === undefined ? {} : { access }),
      reason: text,
      driver: 'virtio',
      ...(pasid === undefined ? {} : { pasid: Number(pasid) }),
    };
  },
};

const WIDTH = /virtio_iommu (\w{1,40}): input address: (\d{1,2}) bits$/;
const PAGES = /virtio_iommu (\w{1,40}): page mask: 0x([0-9a-f]{1,16})$/;

class KernelLogVirtioReader implements LineReader {
  readonly #sink: FactSink;
  readonly #faults: LineReader;
  /** Of the IOMMU that was named last. */
  #bits: { readonly name: string; readonly bits: number } | undefined;

  constructor(sink: FactSink) {
    this.#sink = sink;
    this.#faults = new FaultLineReader([FAULT], sink);
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    return this.#width(line, ahead) || this.#faults.line(line, ahead);
  }

  #width(line: DumpLine, ahead: Lookahead): number {
    const [, name, digits] = WIDTH.exec(line.text) ?? [];
    const bits = Number(digits);
    if (name !== undefined && bits >= 1 && bits <= 64) {
      this.#bits = { name, bits };
      this.#sink.fact({ kind: 'iommu', name, driver: 'virtio', address_width: bits }, line.number);
      return 1;
    }
    const found = matchLongest(line, ahead, PAGES, [PAGES], LOWER_HEX_REST);
    const [, owner, mask] = found?.match ?? [];
    const pages = parseHexAddress(mask);
    const known = this.#bits;
    if (!found || pages === undefined || pages === 0n || !known || known.name !== owner) return 0;
    const whole = rangeOfBits(known.bits);
    this.#sink.fact({ kind: 'aperture', ...whole, pgsize_bitmap: pages, iommu: known.name }, line.number);
    return found.lines;
  }
}

export const KERNEL_LOG_VIRTIO: LineParser = {
  open: (_source: DumpSource, sink) => new KernelLogVirtioReader(sink),
};
