// The kernel's DMA API in kernel logs:
//
//   driver device ":" "Using" number "-bit DMA addresses"
//
// The addresses below 4 GiB ran out for a PCI device, which from then on is given addresses of its whole mask.
// (iommu_dma_alloc_iova in drivers/iommu/dma-iommu.c, Linux 6.5 and newer.)
import { DEVICE_NAME_PATTERN, normalizeLoggedDevice } from '../../fields/device-name.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { matchLongest } from '../../text/match-longest.ts';

const WIDE = new RegExp(`(?<![\\w.:@-])(${DEVICE_NAME_PATTERN}?): ?Using (\\d{2})-bit DMA addresses(?!\\w)`);
const START = /: ?Using \d\d-bit/;

class KernelLogDmaReader implements LineReader {
  readonly #sink: FactSink;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    const found = matchLongest(line, ahead, START, [WIDE]);
    const [, device, digits] = found?.match ?? [];
    const bits = Number(digits);
    if (!found || device === undefined || !(bits > 32 && bits <= 64)) return 0;
    this.#sink.fact({ kind: 'device', device: normalizeLoggedDevice(device), dma_bits: bits }, line.number);
    return found.lines;
  }
}

export const KERNEL_LOG_DMA: LineParser = {
  open: (_source: DumpSource, sink) => new KernelLogDmaReader(sink),
};
