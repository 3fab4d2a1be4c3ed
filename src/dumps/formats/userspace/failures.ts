// What DPDK, SPDK and monitors in Rust report without a range that could be drawn: each message becomes a diagnostic.
import { rangeOfLength } from '../../../iova/range.ts';
import type { Severity } from '../../diagnostic-rule.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { normalizeLoggedDevice } from '../../fields/device-name.ts';
import { errorOf } from '../../fields/errno.ts';
import { PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import type { Message } from '../message-table.ts';

const HEX = '(?:0x)?([0-9a-fA-F]{1,64})';
/** A device anywhere in a message. */
const DEVICE = new RegExp(`(?:\\bBDF:|(?<![\\w.:]))(${PCI_ADDRESS_PATTERN})(?![\\w.])`);
const DEVICE_BEFORE = `(?:(${PCI_ADDRESS_PATTERN})[: ] ?)?`;

const nameOf = (device: string | undefined) => (device === undefined ? undefined : normalizeLoggedDevice(device));

export const USERSPACE_FAILURES: readonly Message[] = [
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
    code: 'dpdk-region-not-mapped',
    start: /Memory region (?:un)?register/,
    pattern: /Memory region (?:un)?register 0x[0-9a-f]{1,16}-0x[0-9a-f]{1,16} failed/,
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

/** The severity that SPDK and others print with a message; undefined if they print none. */
export function printedSeverity(text: string): Severity | undefined {
  if (/\*NOTICE\*|\*INFO\*|, ignored/.test(text)) return 'info';
  return /\*WARNING\*|\bWARN(?:ING)?:/.test(text) ? 'warning' : undefined;
}
