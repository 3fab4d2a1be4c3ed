// Memory that is plugged in above the RAM: DIMMs, NVDIMMs, virtio-mem, virtio-pmem.
//
//   place   the address that the definition gives, else the lowest free one in the room for hotplug at a multiple of 2 MiB,
//           in the order of the definition (memory_device_get_free_addr in hw/mem/memory-device.c, QEMU 2.1 to 10.1)
//   memory  all of it; of virtio-mem, whose blocks guests plug one by one, what is plugged, from its start on
import { alignUp } from '../../iova/iova.ts';
import { containsRange, type IovaRange, overlaps, rangeOfLength } from '../../iova/range.ts';
import type { FactOf } from '../../session/events.ts';
import { type LayoutRange, MIB } from './layout.ts';

type MemoryDevice = NonNullable<FactOf<'machine'>['memory_devices']>[number];

/** Alignment of memory that QEMU allocates itself, on both x86-64 and arm64. */
const ALIGNMENT = 2n * MIB;

/** A layout with memory devices, and those for which it has no room. Ranges ascend. */
export function placeMemoryDevices(
  layout: readonly LayoutRange[],
  devices: readonly MemoryDevice[],
): { readonly ranges: readonly LayoutRange[]; readonly left: readonly MemoryDevice[] } {
  const room = layout.find(({ type }) => type === 'hotplug');
  if (!room) return { ranges: layout, left: devices };
  const placed: { readonly place: IovaRange; readonly device: MemoryDevice; readonly index: number }[] = [];
  const left: MemoryDevice[] = [];
  for (const [index, device] of devices.entries()) {
    const place = placeOf(
      device,
      room,
      placed.map((other) => other.place),
    );
    if (place) placed.push({ place, device, index });
    else left.push(device);
  }
  placed.sort((a, b) => (a.place.start < b.place.start ? -1 : 1));
  const inRoom: LayoutRange[] = [];
  let next: bigint = room.start;
  const free = (end: bigint) => {
    const rest = end > next ? rangeOfLength(next, end - next) : undefined;
    if (rest) inRoom.push({ ...rest, name: room.name, type: room.type });
  };
  for (const { place, device, index } of placed) {
    free(place.start);
    const { kind, size, plugged = size } = device;
    const memory = plugged > size ? size : plugged;
    const there = rangeOfLength(place.start, memory);
    const rest = rangeOfLength(place.start + memory, size - memory);
    if (there) inRoom.push({ ...there, name: `${kind} ${index}`, type: 'ram' });
    if (rest) inRoom.push({ ...rest, name: `${kind} ${index}, not plugged`, type: 'hotplug' });
    next = place.last + 1n;
  }
  free(room.last + 1n);
  return { ranges: layout.flatMap((range) => (range === room ? inRoom : [range])), left };
}

/** Where a device goes next to the existing ones; undefined if there is no room. */
function placeOf({ size, address }: MemoryDevice, room: IovaRange, taken: readonly IovaRange[]): IovaRange | undefined {
  if (address !== undefined) {
    const given = rangeOfLength(address, size);
    return given && containsRange(room, given) && !taken.some((other) => overlaps(other, given)) ? given : undefined;
  }
  let start = alignUp(room.start, ALIGNMENT);
  for (const other of [...taken].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    const here = rangeOfLength(start, size);
    if (here && overlaps(other, here)) start = alignUp(other.last + 1n, ALIGNMENT);
  }
  const found = rangeOfLength(start, size);
  return found && containsRange(room, found) ? found : undefined;
}
