// The lanes of an address space that a kernel model holds (an IOAS), at one moment of a session.

import type { GuestLayout } from '../../analysis/conflicts/guest.ts';
import type { Aperture, Provenance } from '../../analysis/host/host.ts';
import { meaningOf } from '../../analysis/host/region-types.ts';
import { type MergedRegion, mergeByType } from '../../analysis/space/common-space.ts';
import { counted, formatSize, groupedDecimal, hex } from '../../iova/format.ts';
import type { IovaRange } from '../../iova/range.ts';
import { complement, type RangeSet, rangeSet, totalSize } from '../../iova/range-set.ts';
import type { AddressSpaceView, AreaView, ReservedView } from '../../kernel/model.ts';
import { type StyleName, styleIndex } from '../scene/theme.ts';
import { apertureLane, type NoAperture } from './aperture.ts';
import { guestLane } from './guest.ts';
import {
  type DescribedRange,
  describedLane,
  type Lane,
  laneRow,
  type Part,
  type SpaceLanes,
  stackRows,
} from './lane.ts';
import { reservedStyle } from './reserved.ts';

/** Where an event of the session stands, for "where it comes from". */
export type EventProvenance = (index: number) => Part['provenance'];

const NO_DOMAIN: NoAperture = {
  subtitle: 'no domain',
  style: 'aperture',
  caption: 'no domain attached',
  title: 'no domain attached',
  sentence: 'No device is attached, so no IOMMU limits the addresses.',
};

function apertures(space: AddressSpaceView): Aperture[] {
  return space.domains.map((domain) => ({
    ...domain.aperture,
    message: domain.iommu,
    pageSizes: domain.pgsizeBitmap,
    provenance: [
      ...domain.devices.map((device): Provenance => ({ source: `device ${device}` })),
      ...(domain.groups ?? []).map((group): Provenance => ({ source: `group ${group}` })),
    ],
  }));
}

/** Where a reserved range comes from, in words. */
function ownerLabel({ owner }: ReservedView): string {
  return owner ? `${owner.kind} ${owner.name}` : 'nobody';
}

function describeReserved({ start, last, type, parts }: MergedRegion): DescribedRange {
  const range = { start, last };
  const who = parts.map((part) => part.owner).join(', ');
  if (type === 'aperture') {
    const info = { title: 'outside the aperture', sentence: `${who} cannot translate these addresses.`, parts };
    return { ...range, style: styleIndex('beyond'), caption: 'outside the aperture', info };
  }
  if (type === 'manual') {
    const sentence = 'Reserved by request, without an owner: no mapping may overlap it.';
    const info = { title: 'reserved by request', sentence, parts };
    return { ...range, style: styleIndex('reserved'), caption: 'reserved', info };
  }
  const { title, sentence } = meaningOf(type);
  return { ...range, style: reservedStyle(type), caption: title, info: { title, sentence, parts } };
}

/** What is reserved, joined by type, or a row for each owner when opened. */
function reservedLane(id: string, space: AddressSpaceView, isOpened: boolean): Lane {
  const regions = space.reserved.map((r) => ({
    type: r.type,
    owner: ownerLabel(r),
    range: { start: r.start, last: r.last },
    provenance: [],
  }));
  const owners = [...new Set(regions.map((r) => r.owner))];
  const expandable = owners.length > 1;
  const expanded = expandable && isOpened;
  const subtitle = owners.length > 2 ? `${owners.length} owners` : owners.join(', ') || 'nothing';
  const rowsOf = (of: typeof regions) => stackRows(mergeByType(of).map(describeReserved));
  const rows = expanded
    ? owners.flatMap((title) => rowsOf(regions.filter((r) => r.owner === title)).map((ranges) => ({ title, ranges })))
    : rowsOf(regions).map((ranges) => ({ ranges }));
  return describedLane({ id, kind: 'reserved', title: 'reserved', subtitle, expandable, expanded }, rows);
}

function areaStyle({ read, write }: AreaView): StyleName {
  if (read) return write ? 'area' : 'area-read-only';
  return write ? 'area-write-only' : 'area-no-access';
}

function accessLabel({ read, write }: AreaView): string {
  return [read ? 'read' : '', write ? 'write' : ''].filter(Boolean).join(' and ') || 'none';
}

/** The areas as columns. What one of them is made of is looked up in the model when it is asked for. */
function areasLane(id: string, space: AddressSpaceView, eventProvenance: EventProvenance): Lane {
  const count = space.areaCount;
  const starts = new BigUint64Array(count);
  const lasts = new BigUint64Array(count);
  const styles = new Uint8Array(count);
  let i = 0;
  let uniform = true;
  for (const area of space.areas()) {
    starts[i] = area.start;
    lasts[i] = area.last;
    styles[i] = styleIndex(areaStyle(area));
    uniform &&= styles[i] === styles[0];
    i++;
  }
  const areaAt = (index: number): AreaView => {
    const start = starts[index];
    for (const area of space.areas(start, start)) return area;
    throw new RangeError(`lane ${id} has no area ${index}`);
  };
  return {
    id,
    kind: 'areas',
    title: space.validRanges ? 'mappings' : 'areas',
    subtitle: `${groupedDecimal(BigInt(count))}${space.mappingsLeft === undefined ? '' : `, ${groupedDecimal(BigInt(space.mappingsLeft))} left`}`,
    expandable: false,
    expanded: false,
    rows: [{ starts, lasts, styles, uniform }],
    caption: (_row, index) => `va ${hex(areaAt(index).userVa)}`,
    describe: (_row, index) => {
      const area = areaAt(index);
      return {
        title: space.validRanges ? 'mapping' : 'area',
        sentence: 'Mapped: these addresses lead to the user’s memory.',
        parts: [
          {
            owner: `event ${area.origin + 1}`,
            range: { start: area.start, last: area.last },
            provenance: eventProvenance(area.origin),
          },
        ],
        values: {
          'user address': hex(area.userVa),
          access: accessLabel(area),
          pages: `object ${area.pages}`,
        },
      };
    },
  };
}

/** Where a mapping may lie: a container keeps a list of its own, elsewhere it is what nothing reserves. */
export function usableRanges(space: AddressSpaceView): RangeSet {
  return space.validRanges ? rangeSet(space.validRanges) : complement(rangeSet(space.reserved));
}

function usableLane(id: string, space: AddressSpaceView): Lane {
  const usable = usableRanges(space);
  const subtitle = `${counted(usable.length, 'range')}, alignment ${formatSize(space.alignment)}`;
  const info = {
    title: 'usable',
    sentence: space.validRanges
      ? 'A valid range of the container, as VFIO_IOMMU_GET_INFO answers: it must hold a mapping whole.'
      : 'Outside every reserved range: what IOMMU_IOAS_IOVA_RANGES answers. Areas in it do not matter here.',
    parts: [],
  };
  return describedLane({ id, kind: 'usable', title: 'usable', subtitle }, [
    { ranges: usable.map((r) => ({ ...r, style: styleIndex('usable'), caption: '', info })) },
  ]);
}

/** The stretches that are neither reserved nor mapped. O(areas + reserved). */
function holesLane(id: string, space: AddressSpaceView, areas: Lane): Lane {
  const holes: IovaRange[] = [];
  const usable = usableRanges(space);
  const row = areas.rows[0];
  let i = 0;
  for (const r of usable) {
    let next: bigint = r.start;
    for (; row && i < row.starts.length && (row.starts[i] as bigint) <= r.last; i++) {
      const [start, last] = [row.starts[i] as bigint, row.lasts[i] as bigint];
      if (start > next) holes.push({ start: next, last: start - 1n } as IovaRange);
      next = last + 1n;
    }
    if (next <= r.last) holes.push({ start: next, last: r.last } as IovaRange);
  }
  const subtitle = `${counted(holes.length, 'hole')}, ${formatSize(totalSize(holes))}`;
  const info = {
    title: 'hole',
    sentence: 'Neither reserved nor mapped: a mapping of the right alignment fits here.',
    parts: [],
  };
  return {
    id,
    kind: 'holes',
    title: 'holes',
    subtitle,
    expandable: false,
    expanded: false,
    rows: [{ ...laneRow(holes.map((r) => ({ ...r, style: styleIndex('hole') }))), uniform: true }],
    caption: () => '',
    describe: () => info,
  };
}

function allowedLane(id: string, space: AddressSpaceView): Lane[] {
  if (space.allowed.length === 0) return [];
  const info = {
    title: 'allowed',
    sentence: 'Where the kernel may choose an address by itself. Fixed mappings may lie elsewhere.',
    parts: [],
  };
  const ranges = space.allowed.map((r) => ({
    start: r.start,
    last: r.last,
    style: styleIndex('allowed'),
    caption: 'allowed',
    info,
  }));
  const subtitle = counted(ranges.length, 'range');
  return [describedLane({ id, kind: 'allowed', title: 'allowed', subtitle }, [{ ranges }])];
}

/** The lanes of one address space of a model. `key` is unique in the picture, `title` what people call the session. */
export function modelSpace(
  key: string,
  title: string,
  space: AddressSpaceView,
  expanded: ReadonlySet<string>,
  eventProvenance: EventProvenance,
  guest?: GuestLayout,
): SpaceLanes {
  const lane = (name: string) => `${key}#${name}`;
  const areas = areasLane(lane('areas'), space, eventProvenance);
  return {
    id: key,
    title: `${title}: ${space.id}`,
    subtitle: `${counted(space.domains.length, 'domain')}, ${counted(space.areaCount, space.validRanges ? 'mapping' : 'area')}`,
    lanes: [
      apertureLane(lane('aperture'), apertures(space), NO_DOMAIN, expanded.has(lane('aperture'))),
      reservedLane(lane('reserved'), space, expanded.has(lane('reserved'))),
      ...allowedLane(lane('allowed'), space),
      ...(guest ? [guestLane(lane('guest'), guest, expanded.has(lane('guest')))] : []),
      areas,
      ...(space.areaCount > 0 ? [holesLane(lane('holes'), space, areas)] : []),
      usableLane(lane('usable'), space),
    ],
  };
}
