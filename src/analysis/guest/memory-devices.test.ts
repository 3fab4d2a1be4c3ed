import { expect, test } from 'vitest';
import { hex } from '../../iova/format.ts';
import { iova } from '../../iova/iova.ts';
import type { FactOf } from '../../session/events.ts';
import { layoutOf } from './guest-memory.ts';

const GIB = 1n << 30n;
type Device = NonNullable<FactOf<'machine'>['memory_devices']>[number];
const device = (kind: string, size: bigint, more: Partial<Device> = {}): Device => ({
  kind,
  size: iova(size),
  ...more,
});

/** The ranges above 4 GiB of a q35 with 4 GiB of RAM and room for 8 more. */
function above(devices: readonly Device[], more: object = {}) {
  const result = layoutOf({
    monitor: 'qemu',
    machine: 'pc-q35-7.2',
    vendor: 'intel',
    ram: iova(4n * GIB),
    max_ram: iova(12n * GIB),
    slots: 1,
    memory_devices: devices.map((one) => ({ ...one })),
    ...more,
  });
  if (!result.ok) throw new Error(result.message);
  return {
    ranges: result.memory.ranges
      .filter(({ start }) => start >= 4n * GIB)
      .map(({ start, last, name, type }) => `${hex(start)}-${hex(last)} ${type} ${name}`),
    codes: result.memory.notes.map(({ code }) => code),
  };
}

test('a DIMM without an address is at the start of the room, the next one behind it', () => {
  expect(above([device('dimm', 2n * GIB), device('nvdimm', GIB)]).ranges).toEqual([
    '0x100000000-0x17fffffff ram pc.ram',
    '0x180000000-0x1ffffffff ram dimm 0',
    '0x200000000-0x23fffffff ram nvdimm 1',
    '0x240000000-0x3bfffffff hotplug room for hotplug',
  ]);
});

test('an address that is given counts; a gap before it is filled by what has none', () => {
  const { ranges } = above([
    device('dimm', GIB, { address: iova(0x200000000n) }),
    device('dimm', GIB),
    device('dimm', 2n * GIB),
  ]);
  expect(ranges).toEqual([
    '0x100000000-0x17fffffff ram pc.ram',
    '0x180000000-0x1bfffffff ram dimm 1',
    '0x1c0000000-0x1ffffffff hotplug room for hotplug',
    '0x200000000-0x23fffffff ram dimm 0',
    '0x240000000-0x2bfffffff ram dimm 2',
    '0x2c0000000-0x3bfffffff hotplug room for hotplug',
  ]);
});

test('of virtio-mem, what is plugged is memory', () => {
  expect(above([device('virtio-mem', 4n * GIB, { plugged: iova(GIB) })]).ranges.slice(1, 3)).toEqual([
    '0x180000000-0x1bfffffff ram virtio-mem 0',
    '0x1c0000000-0x27fffffff hotplug virtio-mem 0, not plugged',
  ]);
});

test('what has no room is said', () => {
  expect(above([device('dimm', 64n * GIB)]).codes).toContain('memory-device-not-placed');
  expect(above([device('dimm', GIB)], { max_ram: undefined, slots: undefined })).toEqual({
    ranges: ['0x100000000-0x17fffffff ram pc.ram'],
    codes: ['memory-device-not-placed'],
  });
  expect(above([device('dimm', GIB, { address: iova(0x1000n) })]).codes).toContain('memory-device-not-placed');
});
