// Messages of VFIO in kernel logs. They have no range that VFIO refused: each is a diagnostic.
//
//   function ": RLIMIT_MEMLOCK (" bytes ") exceeded"
//   function ": No interrupt remapping support. Use the module param …"
//   "MSI interrupts are not secure, they cannot be isolated by the platform." …            iommufd
//   "vfio-pci" device ": BAR" n ": can't reserve [mem" start "-" last …
//
// and how many messages about faults the kernel left out:
//
//   function ":" n "callbacks suppressed"           the function is of an IOMMU driver
//
// (drivers/vfio/vfio_iommu_type1.c, drivers/pci/pci.c, Linux 3.6 to 6.12.)
import { parseHexAddress } from '../../fields/address.ts';
import { normalizeLoggedDevice } from '../../fields/device-name.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { type Message, readMessage } from '../message-table.ts';

const MESSAGES: readonly Message[] = [
  {
    code: 'memlock-limit',
    start: /RLIMIT_MEMLOCK|vfio_pin\w{0,40}:$/,
    pattern: /(?:vfio_\w{1,40}: ?)?RLIMIT_MEMLOCK \((-?\d{1,20})\) exceeded/,
    read: ([, limit = '']) => ({ limit }),
  },
  {
    code: 'faults-suppressed',
    start: /callbacks suppressed/,
    pattern: /\b\w{0,40}(?:dmar|iommu|smmu)\w{0,60}: (\d{1,9}) callbacks suppressed/,
    read: ([, count = '']) => ({ count: Number(count) }),
  },
  {
    code: 'no-interrupt-remapping',
    start: /No interrupt remapping|MSI interrupts are/,
    pattern: /vfio_\w{1,60}: No interrupt remapping|MSI interrupts are not secure/,
    read: () => ({}),
  },
  {
    code: 'bar-not-reserved',
    start: /vfio-pci .{4,40}: BAR \d/,
    pattern: /vfio-pci ([0-9a-f:.]{7,20}): BAR (\d): can't reserve \[mem 0x([0-9a-f]{1,16})-0x([0-9a-f]{1,16})/,
    read: ([, device = '', bar = '', from, to]) => {
      const start = parseHexAddress(from);
      const last = parseHexAddress(to);
      if (start === undefined || last === undefined) return undefined;
      return { bar, device: normalizeLoggedDevice(device), start, last };
    },
  },
];

class KernelLogVfioReader implements LineReader {
  readonly #sink: FactSink;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    return line.elision || line.prompt ? 0 : readMessage(MESSAGES, line, ahead, this.#sink);
  }
}

export const KERNEL_LOG_VFIO: LineParser = {
  open: (_source: DumpSource, sink) => new KernelLogVfioReader(sink),
};
