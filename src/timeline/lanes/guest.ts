import type { GuestLayout } from '../../analysis/conflicts/guest.ts';
import { isGuestDeviceMemory, isGuestMemory } from '../../analysis/guest/layout.ts';
import { compareRanges } from '../../iova/range.ts';
import { type DescribedRange, describedLane, type LaneContent, stackRows } from './lane.ts';
import type { HostSource, ModelSource, ReportedSource } from './sources.ts';

type LayoutRange = GuestLayout['ranges'][number];

type GuestStyle = 'guest-ram' | 'guest-device' | 'guest-io';

function styleOf(type: string): GuestStyle {
  if (isGuestMemory(type)) return 'guest-ram';
  return isGuestDeviceMemory(type) ? 'guest-device' : 'guest-io';
}

const SENTENCES: Readonly<Record<GuestStyle, string>> = {
  'guest-ram': 'Guest memory. The VMM maps all of it for DMA; if that fails, the device does not start.',
  'guest-device': 'Memory of a passed-through device. The VMM maps it for peer-to-peer DMA if possible.',
  'guest-io': 'Guest I/O: never mapped for DMA.',
};

function described(range: LayoutRange, title: string): DescribedRange {
  const style = styleOf(range.type);
  return {
    start: range.start,
    last: range.last,
    style,
    caption: range.name,
    info: {
      title: `${range.name} (${range.type})`,
      sentence: SENTENCES[style],
      parts: [{ owner: title, range: { start: range.start, last: range.last }, provenance: range.provenance ?? [] }],
    },
  };
}

/** The guest physical address space: RAM and device memory, and when expanded I/O too. */
function guestLane(id: string, guest: GuestLayout, isOpened: boolean): LaneContent<'guest'> {
  const memory = guest.ranges.filter((r) => styleOf(r.type) !== 'guest-io');
  const expandable = memory.length < guest.ranges.length && memory.length > 0;
  const expanded = expandable && isOpened;
  const shown = expandable && !expanded ? memory : guest.ranges;
  const rows = stackRows(shown.toSorted(compareRanges).map((range) => described(range, guest.title)));
  return describedLane(
    { id, kind: 'guest', title: 'guest', subtitle: guest.title, expandable, expanded },
    rows.map((ranges) => (expanded ? { title: guest.title, ranges } : { ranges })),
  );
}

export function guestsOf({ guests, laneId, isExpanded }: HostSource | ReportedSource): LaneContent<'guest'>[] {
  return guests.map((guest, i) => guestLane(laneId(`guest ${i}`), guest, isExpanded(`guest ${i}`)));
}

export function guestOfModel({ guest, laneId, isExpanded }: ModelSource): LaneContent<'guest'>[] {
  return guest ? [guestLane(laneId('guest'), guest, isExpanded('guest'))] : [];
}
