import type { GuestLayout } from '../../analysis/conflicts/guest.ts';
import { isGuestDeviceMemory, isGuestMemory } from '../../analysis/guest/layouts.ts';
import { compareRanges } from '../../iova/range.ts';
import { type StyleName, styleIndex } from '../scene/theme.ts';
import { type DescribedRange, describedLane, type Lane, stackRows } from './lane.ts';

type LayoutRange = GuestLayout['ranges'][number];

function styleOf(type: string): StyleName {
  if (isGuestMemory(type)) return 'guest-ram';
  return isGuestDeviceMemory(type) ? 'guest-device' : 'guest-io';
}

const SENTENCES = {
  'guest-ram': 'Memory of the guest: a monitor maps all of it for DMA, or the device does not start.',
  'guest-device': 'Memory of a passed-through device: mapped for DMA from device to device, if it can be.',
  'guest-io': 'A device of the guest: never mapped for DMA.',
} as const;

function described(range: LayoutRange, title: string): DescribedRange {
  const style = styleOf(range.type) as keyof typeof SENTENCES;
  return {
    start: range.start,
    last: range.last,
    style: styleIndex(style),
    caption: range.name,
    info: {
      title: `${range.name} (${range.type})`,
      sentence: SENTENCES[style],
      parts: [{ owner: title, range: { start: range.start, last: range.last }, provenance: range.provenance ?? [] }],
    },
  };
}

/** A guest's physical addresses: its memory, and when opened its devices too. */
export function guestLane(id: string, guest: GuestLayout, isOpened: boolean): Lane {
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
