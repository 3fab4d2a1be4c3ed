// What QEMU reports about VFIO and iommufd without a requested range: each message becomes a diagnostic.
// (hw/vfio, hw/virtio/virtio-iommu.c, hw/i386/pc.c, QEMU 1.3 to 10.)
import { rangeOfLength } from '../../../iova/range.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { errorOf } from '../../fields/errno.ts';
import { normalizePciAddress, PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import type { Message } from '../message-table.ts';

const NUMBER = '(?:0x)?[0-9a-fA-F]{1,64}';

/** In front of a message about a group: `vfio 0000:0b:00.0: `, once `-device vfio-pci,host=0b:00.0,…: vfio: error, `. */
const DEVICE = `(?:(?:(${PCI_ADDRESS_PATTERN}): |host=(${PCI_ADDRESS_PATTERN})(?![\\w.])\\S{0,200}: vfio: )(?:error[:,] )?)?`;
const deviceOf = (named: string | undefined, host: string | undefined) => normalizePciAddress(named ?? host ?? '');

const HOST = new RegExp(`\\bhost=(${PCI_ADDRESS_PATTERN})(?![\\w.])`);

export const QEMU_FAILURES: readonly Message[] = [
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
    read: ({ 1: count = '', input }) => ({ count, device: deviceOf(HOST.exec(input)?.[1], undefined) }),
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
    pattern: new RegExp(
      `${DEVICE}failed to setup container for group (\\d{1,9}): (?!memory\\b)(?:[^:]{1,80}: )?([^:]{1,80})$`,
    ),
    read: ([, named, host, group = '', why]) => ({
      device: deviceOf(named, host),
      group,
      error: errorOf(undefined, why),
    }),
  },
  {
    code: 'qemu-group-not-viable',
    start: /not viable|\bgroup \d{1,9} is(?: not)?$/,
    pattern: new RegExp(`${DEVICE}group (\\d{1,9}) is not viable`),
    read: ([, named, host, group = '']) => ({ device: deviceOf(named, host), group }),
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
    code: 'qemu-page-mask-mismatch',
    start: /page (?:size )?mask 0x/,
    pattern: new RegExp(
      `page (?:size )?mask (${NUMBER})(?: is| which is)? (?:incompatible|not compatible) with (?:currently supported |the )?(?:frozen )?mask(?: (${NUMBER}))?(?!\\w)`,
    ),
    read: ([, wanted, has]) => ({ wanted: parseHexAddress(wanted), has: parseHexAddress(has) }),
  },
  {
    code: 'qemu-page-mask-mismatch',
    start: /frozen granule|granularity incompatible/,
    pattern: new RegExp(
      `(?:does not support|incompatible with) frozen granule(?: (${NUMBER}))?|granularity incompatible with`,
    ),
    read: ([, has]) => ({ has: parseHexAddress(has) }),
  },
  {
    code: 'qemu-dirty-bitmap-failed',
    start: /DIRTY_BITMAP ?\(|dirty bitmap for iova/,
    pattern: new RegExp(
      `(?:DIRTY_BITMAP ?\\(|dirty bitmap for )iova: ?(${NUMBER}),? size: ?(${NUMBER})(?:\\) failed: ?([A-Z][A-Za-z/ ]{2,48})|,? err: ?-?(\\d{1,4}))`,
    ),
    read: ([, from, size, text, number]) => {
      const start = parseHexAddress(from);
      const length = parseHexAddress(size);
      const range = start === undefined || length === undefined ? undefined : rangeOfLength(start, length);
      return range && { start: range.start, last: range.last, error: errorOf(number, text) };
    },
  },
  {
    code: 'iommufd-device-not-attached',
    start: /error attach\b/,
    pattern: /error attach (\S{1,80}) \(\d{1,9}\) to id=(\d{1,9}): ?([A-Z][A-Za-z/ ]{2,48})/,
    read: ([, device = '', id = '', why]) => ({
      device: normalizePciAddress(device) ?? device,
      id,
      error: errorOf(undefined, why),
    }),
  },
  {
    code: 'viommu-device-unknown',
    start: /is not known!!/,
    pattern: /virtio_iommu_translate sid= ?(\d{1,10}) is not known!!/,
    read: ([, endpoint = '']) => ({ device: `endpoint ${endpoint}` }),
  },
  {
    code: 'qemu-no-iommu',
    start: /No available IOMMU/i,
    pattern: /No available IOMMU models/i,
    read: () => ({}),
  },
  {
    code: 'qemu-memory-not-allocated',
    start: /guest RAM|guest memory '/,
    pattern:
      /(?:unable to map backing store for guest RAM|can't open backing store \S{1,200} for guest RAM|cannot set up guest memory '[^']{1,80}'): ([A-Z][\w ]{2,60})|(Insufficient free host memory pages available to allocate guest RAM)/,
    read: ([, why, insufficient]) => ({ error: insufficient === undefined ? errorOf(undefined, why) : 'ENOMEM' }),
  },
  {
    code: 'qemu-iommu-not-set',
    start: /ailed to set (?:group container|iommu for container)/,
    pattern: new RegExp(`${DEVICE}[Ff]ailed to set (?:group container|iommu for container): ([^:]{1,80})$`),
    read: ([, named, host, why]) => ({ device: deviceOf(named, host), error: errorOf(undefined, why) }),
  },
  {
    code: 'qemu-unmap-failed',
    start: /dma_unmap\(\)/,
    pattern: /dma_unmap\(\) failed: ([^:]{1,80})$/,
    read: ([, why]) => ({ error: errorOf(undefined, why) }),
  },
];
