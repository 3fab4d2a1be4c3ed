// QEMU's trace events, with whatever the trace backend prints before them:
//
//   event = [pid "@" seconds ":"] name " " text
//
// An event is recognized by its text where that is enough, since names changed more often than texts:
//
//   "region_add [ram] " start " - " last [" [" pointer "]"]             given to VFIO: a mapping
//   "region_del " start " - " last
//   "SKIPPING region_add " start " - " last                             part of the guest's memory, not for VFIO
//   "Region " name " " start " size=" size " is not aligned to " …      too small a piece of a BAR
//   "iommu " ("map" | "unmap") " @ " start " - " last                   a guest's IOMMU, in either case of letters
//   "iommufd_backend_map_dma" "iommufd=" n "ioas=" n "iova=" iova "size=" size "addr=" pointer "readonly=" n "(" ret ")"
//   "iommufd_backend_map_file_dma" … "fd=" n "start=" decimal "readonly=" n "(" ret ")"
//   "iommufd_backend_unmap_dma" ["_non_exist"] … "iova=" iova "size=" size "(" ret ")"
//   "virtio_iommu_map" "domain=" n "virt_start=" start "virt_end=" last "phys_start=" address …    also _unmap
//   "virtio_iommu_notify_map" "mr=" name "virt_start=" … "phys_start=" …                            also _unmap, _remap
//   "virtio_iommu_fill_resv_property" "dev=" n ", type=" n "start=" start "end=" last                reserved
//   "virtio_iommu_host_resv_regions" "mr=" name "host-resv-reg[" n "] = [" start "," last "]"        reserved
//   "virtio_iommu_report_fault" "FAULT reason=" n "flags=" n "endpoint=" n "address =" hex           a fault
//   "virtio_iommu_translate no mapping for" hex "for sid=" n                                         a fault (a message)
//   "virtio_iommu_translate permission error on" hex "(" wanted "): allowed=" n                     likewise
//   "virtio_iommu_translate_out" hex "->" hex "for sid=" n                                           at least a page is mapped
//   "vfio_user_dma_map" … ("iova" | "address") iova "size" size …                                   also _unmap
//   "vfu: registering GPA" iova "," decimal "bytes"                                                  of a device in another process
//   "vfio_device_dirty_tracking_start" "nr_ranges" n "32:[" start " - " last "], 64:[" … "]" [", pci64:[" … "]"]
//                                    the lowest and the highest address of memory below and above 4 GiB, and of 64-bit BARs: holes
//                                    are in between, so that they are a finding and no mapping; unused ones start above their end
//   "vhost_vdpa_get_iova_range" … "first: " start "last: " last                                      what a device can use
//   "vhost_vdpa_dma_map" … "iova: " iova "size: " size "uaddr: " pointer …                          also _unmap
//
// Ends are inclusive, addresses hexadecimal, with `0x` except in the oldest versions. `ret` is the ioctl's: -1 only says
// that there is an error; the error message after it says which one. Other events of VFIO and iommufd have no addresses
// that a device uses (offsets in a BAR, addresses of the process): they are recognized without facts.
// (trace-events in hw/vfio, hw/virtio and backends, QEMU 1.3 to 10; the simple backend's `iova_start=0x…` as well.)

import { bitLength, type Iova, iova } from '../../../iova/iova.ts';
import type { IovaRange } from '../../../iova/range.ts';
import { parseHexAddress, parsePointer } from '../../fields/address.ts';
import { type CallResult, callResult, errnoName, errnoOfText } from '../../fields/errno.ts';
import { faultAccess } from '../../fields/fault-access.ts';
import { rangeOfEnds, rangeOfSize } from '../../fields/range-of.ts';
import { isRedacted } from '../../fields/redacted.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { type Matched, matchLongest } from '../../text/match-longest.ts';

const NUMBER = '(?:0x)?[0-9a-fA-F]{1,64}';

/** A hexadecimal number as a named group, with or without `0x`. */
function hex(name: string): string {
  return `(?:0x)?(?<${name}>[0-9a-fA-F]{1,64})`;
}

// An `=` at the end of a line may have been removed as quoted-printable: it is optional.
const POINTER = '(?<pointer>(?:0x)?[0-9a-fA-F]{1,64}|\\(nil\\))';
const ENDS = `${hex('from')} ?- ?${hex('to')}(?!\\w)`;
const SIZED = `iova=? ?${hex('from')} size=? ?${hex('size')}`;
const RET = '\\((?<ret>-?\\d{1,9})(?:\\)|$)';
const SIMPLE_RET = 'ret=(?<ret>0x[0-9a-f]{1,16}|-?\\d{1,9})(?!\\w)';
const DOMAIN = 'domain(?:_id)?=(?<domain>\\w{1,16})';

/** What an event says about its range. */
type EventKind =
  /** It was mapped or unmapped. */
  | 'mapping'
  /** A request to iommufd to map or unmap it, with what the ioctl returned. */
  | 'request'
  /** It is in the guest's memory, and VFIO does not map it. */
  | 'skipped'
  /** It is a part of a BAR that is smaller than a page. */
  | 'unaligned'
  /** A virtual IOMMU reports it as reserved. */
  | 'reserved'
  /** A device of vDPA can use it. */
  | 'usable';

/**
 * An event with a range: named groups `from` and `to`, or `from` and `size`, and those that `#take` reads.
 * Patterns are listed from the fullest to the shortest.
 */
interface EventForm {
  readonly kind: EventKind;
  /** Undefined if the pattern has it as group `op`, or if the kind needs none. */
  readonly op?: 'map' | 'unmap';
  readonly start: RegExp;
  readonly patterns: readonly RegExp[];
}

const EVENTS: readonly EventForm[] = [
  {
    kind: 'mapping',
    op: 'map',
    start: /region_add \[ram\]|region_add$|vfio_listener_region_add_ram/,
    patterns: [
      new RegExp(`region_add \\[ram\\] ?${ENDS} ?\\[${POINTER}\\]`),
      new RegExp(`region_add_ram .{0,60}?iova_start=${hex('from')} iova_end=${hex('to')} vaddr=${POINTER}`),
      // At the end of a line, a pointer of fewer digits was cut.
      new RegExp(`region_add \\[ram\\] ?${ENDS} ?\\[(?<pointer>0x[0-9a-f]{12})$`),
      new RegExp(`region_add \\[ram\\] ?${ENDS}(?= ?\\[)`),
    ],
  },
  {
    kind: 'skipped',
    start: /SKIPPING|region_add_skip/,
    patterns: [
      new RegExp(`SKIPPING region_add ${ENDS}`),
      new RegExp(`region_add_skip .{0,60}?start=${hex('from')} end=${hex('to')}`),
    ],
  },
  {
    kind: 'mapping',
    op: 'unmap',
    start: /(?<!SKIPPING )region_del (?!\[|skip)|region_del$|vfio_listener_region_del /,
    patterns: [
      new RegExp(`(?<!SKIPPING )region_del ${ENDS}`),
      new RegExp(`region_del \\d.{0,60}?start=${hex('from')} end=${hex('to')}`),
    ],
  },
  {
    kind: 'unaligned',
    start: /region_add_no_dma_map|is not aligned to/,
    patterns: [
      new RegExp(
        `(?:Region |no_dma_map )"(?<name>[^"]{1,200})" ${hex('from')} size ?= ?${hex('size')} is not aligned to (?:0x)?[0-9a-f]{1,16}(?: and cannot be mapped for DMA)?`,
      ),
      new RegExp(`(?:Region |no_dma_map )"(?<name>[^"]{1,200})" ${hex('from')} size ?=? ?${hex('size')}(?=[ ,;])`),
    ],
  },
  {
    kind: 'mapping',
    start: /iommu (?:un)?map @|vfio_iommu_map_notify/i,
    patterns: [new RegExp(`iommu (?<op>map|unmap) @ ${ENDS}`, 'i')],
  },
  {
    kind: 'request',
    op: 'map',
    start: /iommufd_backend_map_dma/,
    patterns: [
      new RegExp(`map_dma {1,4}iommufd=?.{1,60}?${SIZED} addr=? ?${POINTER} readonly=? ?\\d ?${RET}`),
      new RegExp(
        `map_dma .{1,100}?iova=${hex('from')} size=${hex('size')} v?addr=${POINTER} readonly=(?:0x)?\\d ${SIMPLE_RET}`,
      ),
    ],
  },
  {
    kind: 'request',
    op: 'map',
    start: /iommufd_backend_map_file_dma/,
    patterns: [
      new RegExp(
        `map_file_dma {1,4}iommufd=?.{1,60}?${SIZED} fd=? ?\\d{1,9} start=? ?\\d{1,20} readonly=? ?\\d ?${RET}`,
      ),
      new RegExp(`map_file_dma .{1,100}?iova=${hex('from')} size=${hex('size')} .{1,80}?${SIMPLE_RET}`),
    ],
  },
  {
    kind: 'request',
    op: 'unmap',
    start: /iommufd_backend_unmap_dma/,
    patterns: [
      new RegExp(
        `unmap_dma(?<absent>_non_exist)? {1,4}(?:Unmap nonexistent mapping: )?iommufd=?.{1,60}?${SIZED} ?${RET}`,
      ),
      new RegExp(`unmap_dma(?<absent>_non_exist)? .{1,100}?iova=${hex('from')} size=${hex('size')} ${SIMPLE_RET}`),
    ],
  },
  {
    kind: 'mapping',
    op: 'map',
    start: /virtio_iommu_map /,
    patterns: [
      new RegExp(
        `virtio_iommu_map .{0,60}?${DOMAIN} virt_start=? ?${hex('from')} virt_end=? ?${hex('to')} phys_start=? ?${hex('paddr')} flags`,
      ),
    ],
  },
  {
    kind: 'mapping',
    op: 'unmap',
    start: /virtio_iommu_unmap(?:_done)? /,
    patterns: [
      new RegExp(
        `virtio_iommu_unmap_(?<done>done) .{0,60}?${DOMAIN} virt_start=? ?${hex('from')} virt_end=? ?${hex('to')}(?!\\w)`,
      ),
      new RegExp(`virtio_iommu_unmap .{0,60}?${DOMAIN} virt_start=? ?${hex('from')} virt_end=? ?${hex('to')}(?!\\w)`),
    ],
  },
  {
    kind: 'mapping',
    op: 'map',
    start: /virtio_iommu_(?:notify_map|remap) /,
    patterns: [
      new RegExp(
        `virtio_iommu_notify_map mr=? ?\\S{1,120} virt_start=? ?${hex('from')} virt_end=? ?${hex('to')} phys_start=? ?${hex('paddr')} flags`,
      ),
      new RegExp(
        `virtio_iommu_remap mr=? ?\\S{1,120} virt_start=? ?${hex('from')} virt_end=? ?${hex('to')} phys_start=? ?${hex('paddr')}(?!\\w)`,
      ),
    ],
  },
  {
    kind: 'mapping',
    op: 'unmap',
    start: /virtio_iommu_notify_unmap /,
    patterns: [
      new RegExp(
        `virtio_iommu_notify_unmap mr=? ?\\S{1,120} virt_start=? ?${hex('from')} virt_end=? ?${hex('to')}(?!\\w)`,
      ),
    ],
  },
  {
    kind: 'reserved',
    start: /virtio_iommu_(?:fill_resv_property|host_resv_regions) /,
    patterns: [
      new RegExp(
        `fill_resv_property dev= ?(?<endpoint>\\d{1,10}), type=? ?(?<type>\\d{1,3}) start=? ?${hex('from')} end=? ?${hex('to')}(?!\\w)`,
      ),
      new RegExp(
        `host_resv_regions mr=? ?\\S{1,120} host-resv-reg\\[\\d{1,6}\\] = \\[ ?${hex('from')} ?, ?${hex('to')} ?\\]`,
      ),
    ],
  },
  {
    kind: 'usable',
    start: /vhost_vdpa_get_iova_range /,
    patterns: [new RegExp(`vhost_vdpa_get_iova_range .{1,60}?first: ?${hex('from')} last: ?${hex('to')}(?!\\w)`)],
  },
  {
    kind: 'mapping',
    op: 'map',
    start: /vhost_vdpa_dma_map /,
    patterns: [
      new RegExp(`vhost_vdpa_dma_map .{1,120}?iova: ${hex('from')} size: ${hex('size')} uaddr: ${POINTER} perm`),
      new RegExp(`vhost_vdpa_dma_map .{1,120}?iova: ${hex('from')} size: ${hex('size')} uaddr: ${POINTER}(?!\\w)`),
    ],
  },
  {
    kind: 'mapping',
    start: /vfio_user_dma_(?:un)?map /,
    patterns: [
      new RegExp(
        `vfio_user_dma_(?<op>map|unmap) .{0,60}?(?:iova|address) ${hex('from')},? size ${hex('size')}(?=[ ,])`,
      ),
      new RegExp(`vfio_user_dma_(?<op>map|unmap) .{0,60}?(?:iova|address) ${hex('from')},? size ${hex('size')}(?!\\w)`),
    ],
  },
  {
    kind: 'mapping',
    op: 'map',
    start: /vfu: registering GPA/,
    patterns: [new RegExp(`vfu: registering GPA ${hex('from')}, (?<bytes>\\d{1,20}) bytes`)],
  },
  {
    kind: 'mapping',
    op: 'map',
    start: /virtio_iommu_translate_out /,
    patterns: [
      new RegExp(
        `virtio_iommu_translate_out .{0,20}?virt_addr=? ?${hex('at')} phys_addr=? ?${hex('to')} sid=? ?(?<endpoint>\\d{1,10})(?!\\w)`,
      ),
      new RegExp(`virtio_iommu_translate_out ${hex('at')} ?-> ?${hex('to')} for sid=? ?(?<endpoint>\\d{1,10})(?!\\w)`),
    ],
  },
  {
    kind: 'mapping',
    op: 'unmap',
    start: /vhost_vdpa_dma_unmap /,
    patterns: [new RegExp(`vhost_vdpa_dma_unmap .{1,120}?iova: ${hex('from')} size: ${hex('size')}(?!\\w)`)],
  },
];

/** The beginning of a number, or of one that was masked. */
const NUMBERS = /0x|[\s=[](?:[0-9a-f]{2}|[\ue020-\ue07f])/i;
/** Faults of virtio-iommu, by the device's trace and by its messages. */
const FAULT_START = /virtio_iommu_report_fault |virtio_iommu_translate (?:no mapping for|permission error on)/;
const FAULTS: readonly RegExp[] = [
  new RegExp(
    `virtio_iommu_report_fault FAULT reason=? ?(?<reason>\\d{1,3}) flags=? ?(?<flags>\\d{1,9}) endpoint=? ?(?<endpoint>\\d{1,10}) address ?=? ?${hex('address')}(?!\\w)`,
  ),
  new RegExp(
    `virtio_iommu_translate (?<refusal>no mapping) for ${hex('address')} for sid= ?(?<endpoint>\\d{1,10})(?!\\w)`,
  ),
  new RegExp(
    `virtio_iommu_translate (?<refusal>permission error) on ${hex('address')} ?\\((?:flags= ?)?(?<wanted>[0-3])(?:\\): ?allowed=| vs )`,
  ),
];
const REST = /^[0-9a-f]{1,15}\)?$/i;
const TIME = /(?:^|[\s>])\d{1,10}@(\d{1,12}\.\d{1,9}):|\s(\d{1,9}\.\d{6}): tracing_mark_write:/;

/**
 * Events of VFIO and iommufd whose addresses are none that a device uses (offsets in a BAR, memory of the process), or
 * repeat those of other events.
 */
const OTHER =
  /(?:^|[\s:])(?:vfio_(?:region|msix?|intx|pci|quirk|prereg|populate)[a-z_]{0,48}|vfio_device_dirty_tracking_update) +(?:[\w"([/]|-)|region_(?:add|del) \[iommu\]|SKIPPING region_del|SKIPPING tracking_update/;
/** Any other event of them: if it has an address it is counted as not recognized. */
const UNKNOWN =
  /(?:^|[\s:])(?:vfio_(?:device_dirty|listener|legacy_dma|get_dirty|known_safe|iommu_map|attach|detach|put|get_dev)[a-z_]{0,48}|iommufd_(?:backend|cdev|viommu|change)[a-z_]{0,48}|virtio_iommu_[a-z_]{1,48}) +(?:[\w"([/]|-)/;
const ADDRESS = /0x[0-9a-f]{3}/i;
const NO_ADDRESS = /vfio_region_mmap|vfio_region_dmabuf|vfio_region_setup|vfio_device_dirty_tracking/;
const WHOLE_OTHER: readonly RegExp[] = [
  new RegExp(`vfio_region_mmap Region \\S.{0,100}?\\[${NUMBER} ?- ?${NUMBER}\\]`),
  /vfio_region_dmabuf Device \S.{1,160}, size: 0x[0-9a-f]{1,16}/,
  /vfio_region_setup Device \S.{1,160}, size: 0x[0-9a-f]{1,16}/,
  /vfio_device_dirty_tracking_update section \S.{1,160}\]/,
];

const BOUNDS = (name: string) => `\\b${name}: ?\\[ ?(${NUMBER}) ?- ?(${NUMBER}) ?\\]`;
const TRACKED: readonly RegExp[] = [
  new RegExp(`tracking_start .{0,40}?${BOUNDS('32')}, ?${BOUNDS('64')}, ?${BOUNDS('pci64')}`),
  new RegExp(`tracking_start .{0,40}?${BOUNDS('32')}, ?${BOUNDS('64')}(?=$|[^,\\w])`),
];

class QemuTraceReader implements LineReader {
  readonly #sink: FactSink;
  #unmapped: IovaRange | undefined;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision || line.prompt) return 0;
    const fault = this.#fault(line, ahead);
    if (fault > 0) return fault;
    for (const form of EVENTS) {
      const found = matchLongest(line, ahead, form.start, form.patterns, REST);
      if (!found) continue;
      this.#take(form, found, line, ahead);
      return found.lines;
    }
    const tracked = this.#tracked(line, ahead);
    if (tracked > 0) return tracked;
    const other = matchLongest(line, ahead, NO_ADDRESS, WHOLE_OTHER);
    if (other || OTHER.test(line.text)) {
      this.#sink.recognized();
      return other?.lines ?? 1;
    }
    if (!EVENTS.some((form) => isEvent(form, line.text))) return this.#unknown(line.text);
    this.#sink.diagnostic('damaged-event', { what: 'trace event', text: line.text }, line.number);
    return 1;
  }

  /** An access that a virtual IOMMU refused. */
  #fault(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, FAULT_START, FAULTS, REST);
    if (!found)
      return FAULT_START.test(line.text) && (NUMBERS.test(line.text) || isRedacted(line.text))
        ? this.#damagedFault(line)
        : 0;
    const { reason, flags, endpoint, address, refusal, wanted } = found.match.groups ?? {};
    const bits = flags === undefined ? undefined : BigInt(flags);
    if (bits !== undefined && (bits & ADDRESS_VALID) === 0n) {
      const what = `endpoint ${endpoint}: ${FAULT_REASONS[Number(reason)] ?? 'fault'}; the address was not printed`;
      this.#sink.recognized();
      this.#sink.diagnostic('fault-without-address', { what }, line.number);
      return found.lines;
    }
    const at = parseHexAddress(address);
    if (at === undefined) return this.#damagedFault(line);
    this.#sink.fact(
      {
        kind: 'fault',
        address: at,
        ...(endpoint === undefined ? {} : { device: `ep:${endpoint}` }),
        ...(bits === undefined ? {} : { access: faultAccess((bits & WRITE) !== 0n) }),
        ...(wanted === undefined ? {} : { access: faultAccess(wanted !== '1') }),
        reason: `virtual IOMMU: ${refusal ?? FAULT_REASONS[Number(reason)] ?? 'fault'}`,
        driver: 'virtio',
      },
      line.number,
    );
    return found.lines;
  }

  /** The ranges in which dirty pages are tracked. */
  #tracked(line: DumpLine, ahead: Lookahead): number {
    const found = matchLongest(line, ahead, /dirty_tracking_start /, TRACKED);
    if (!found) return 0;
    const ends = found.match.slice(1).map((text) => parseHexAddress(text));
    const ranges: IovaRange[] = [];
    for (let i = 0; i + 1 < ends.length; i += 2) {
      const [start, last] = [ends[i], ends[i + 1]];
      if (start === undefined || last === undefined) return 0;
      if (start <= last) ranges.push({ start, last });
    }
    this.#sink.recognized();
    const highest = ranges.reduce((max, { last }) => (last > max ? last : max), 0n);
    if (ranges.length > 0) {
      this.#sink.diagnostic('dirty-tracking', { ranges, bits: bitLength(highest) }, line.number);
    }
    return found.lines;
  }

  #damagedFault(line: DumpLine): number {
    this.#sink.diagnostic('damaged-fault', { text: line.text }, line.number);
    return 1;
  }

  #unknown(text: string): number {
    if (!UNKNOWN.test(text)) return 0;
    this.#sink.recognized();
    return ADDRESS.test(text) ? 0 : 1;
  }

  #take(form: EventForm, { match, lines }: Matched, line: DumpLine, ahead: Lookahead): void {
    const { from, to, size, name = '', ...groups } = match.groups ?? {};
    const range =
      groups.at !== undefined
        ? pageOf(groups.at)
        : groups.bytes !== undefined
          ? rangeOfSize(from, BigInt(groups.bytes).toString(16), line, this.#sink)
          : size === undefined
            ? rangeOfEnds(from, to, line, this.#sink)
            : rangeOfSize(from, size, line, this.#sink);
    if (!range) return;
    const op = form.op ?? (groups.op?.toLowerCase() === 'unmap' ? 'unmap' : 'map');
    switch (form.kind) {
      case 'mapping':
        if (groups.done !== undefined && this.#isUnmapped(range)) this.#sink.recognized();
        else if (groups.at === undefined) this.#mapping(op, range, groups, line);
        else {
          const physical = pageOf(to);
          const device = { device: `ep:${groups.endpoint}` };
          if (physical) {
            const page = { start: range.start, last: range.last, paddr: physical.start };
            this.#sink.fact({ kind: 'map', ...page, ...device, origin: 'qemu' }, line.number);
          }
        }
        break;
      case 'request': {
        const { absent, ret } = groups;
        const result = resultOf(absent && ret !== '0' ? '-2' : ret) ?? errorAfter(op, range.start, ahead, lines);
        this.#request(op, range, groups, result, line);
        break;
      }
      case 'skipped':
        this.#sink.fact({ kind: 'guest', ...range, name: 'skipped by the VFIO listener', type: 'i/o' }, line.number);
        break;
      case 'unaligned':
        this.#sink.fact({ kind: 'guest', ...range, name, type: 'ram' }, line.number);
        break;
      case 'usable':
        this.#sink.fact({ kind: 'valid_range', ...range }, line.number);
        break;
      case 'reserved': {
        const type = REGION_TYPES[Number(groups.type ?? 0)] ?? `type ${groups.type}`;
        const device = groups.endpoint === undefined ? {} : { device: `ep:${groups.endpoint}` };
        this.#sink.fact({ kind: 'reserved', ...range, type, origin: 'qemu', ...device }, line.number);
        break;
      }
    }
  }

  /** True if the last unmap has the range: then the event only says that it was done. */
  #isUnmapped({ start, last }: IovaRange): boolean {
    const unmap = this.#unmapped;
    return unmap !== undefined && unmap.start <= start && last <= unmap.last;
  }

  #mapping(kind: 'map' | 'unmap', { start, last }: IovaRange, groups: Groups, line: DumpLine): void {
    const paddr = parseHexAddress(groups.paddr);
    const vaddr = parsePointer(groups.pointer);
    const { domain } = groups;
    if (kind === 'unmap') this.#unmapped = { start, last };
    const [, stamp, mark] = TIME.exec(line.raw) ?? [];
    const seconds = stamp ?? mark;
    this.#sink.fact(
      {
        kind,
        start,
        last,
        ...(domain === undefined ? {} : { domain }),
        ...(paddr === undefined ? {} : { paddr }),
        ...(vaddr === undefined ? {} : { vaddr }),
        ...(seconds === undefined ? {} : { time: Number(seconds) }),
        origin: 'qemu',
      },
      line.number,
    );
  }

  #request(
    op: 'map' | 'unmap',
    range: IovaRange,
    groups: Groups,
    result: CallResult | undefined,
    line: DumpLine,
  ): void {
    const vaddr = parsePointer(groups.pointer);
    if (result === undefined) this.#sink.diagnostic('qemu-error-unknown', { op }, line.number);
    this.#sink.fact(
      {
        kind: 'request',
        op,
        api: 'iommufd',
        ...range,
        ...(vaddr === undefined ? {} : { vaddr }),
        result: result ?? 'unknown',
      },
      line.number,
    );
  }
}

/** True for a line that has the numbers of such an event, or what is left of them. */
function isEvent({ start }: EventForm, text: string): boolean {
  const found = start.exec(text);
  return found !== null && NUMBERS.test(text.slice(found.index + found[0].length));
}

/** The page of 4 KiB around an address that was translated: at least that much is mapped. */
function pageOf(text: string | undefined): IovaRange | undefined {
  const address = parseHexAddress(text);
  return address === undefined ? undefined : { start: iova(address & ~0xfffn), last: iova(address | 0xfffn) };
}

/** The reasons of virtio-iommu for a fault, by their number in the device's specification. */
const FAULT_REASONS: readonly string[] = ['fault of unknown reason', 'the endpoint has no domain', 'page fault'];
/** Types of reserved regions of virtio-iommu. */
const REGION_TYPES: readonly string[] = ['reserved', 'msi'];
const ADDRESS_VALID = 1n << 8n;
const WRITE = 1n << 1n;

type Groups = Readonly<Partial<Record<string, string>>>;

/** What a trace says was returned; undefined for -1, which only says that there is an error. */
function resultOf(ret: string | undefined): CallResult | undefined {
  if (ret === undefined) return undefined;
  // The simple backend prints 32 bits in hexadecimal.
  const number = ret.startsWith('0x') ? Number(BigInt.asIntN(32, BigInt(ret))) : Number(ret);
  return number === -1 ? undefined : callResult(number);
}

/** The error in the message that follows a trace line, before the next trace line of a request. */
function errorAfter(op: 'map' | 'unmap', iova: Iova, ahead: Lookahead, lines: number): CallResult | undefined {
  let text = '';
  for (let n = lines; n <= lines + 3; n++) {
    const next = ahead(n);
    if (!next || /iommufd_backend_(?:un)?map/.test(next.text)) break;
    text += ` ${next.text.trim()}`;
  }
  const ioctl =
    op === 'map'
      ? /IOMMU_IOAS_MAP(?:_FILE)? failed: ([A-Za-z/ ]{3,48})/
      : /IOMMU_IOAS_UNMAP failed: ([A-Za-z/ ]{3,48})/;
  const call =
    /dma_(map|unmap) ?\([^,()]{1,40}(?:\(nil\))?, ?(?:0x)?([0-9a-f]{1,64}) ?,[^=]{1,120}= ?-(\d{1,4})(?!\w)/i.exec(
      text,
    );
  const [, what, at, number] = call ?? [];
  if (what === op && parseHexAddress(at) === iova) {
    const name = errnoName(Number(number));
    if (name !== undefined) return `-${name}`;
  }
  const said = ioctl.exec(text)?.[1] ?? '';
  // The next message may follow directly: the longest beginning that is an error counts.
  const words = said.trim().split(/\s+/);
  for (let n = Math.min(words.length, 8); n > 0; n--) {
    const name = errnoOfText(words.slice(0, n).join(' '));
    if (name !== undefined) return `-${name}`;
  }
  return undefined;
}

export const QEMU_TRACE: LineParser = {
  open: (_source: DumpSource, sink) => new QemuTraceReader(sink),
};
