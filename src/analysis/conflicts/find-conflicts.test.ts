import { beforeAll, describe, expect, test } from 'vitest';
import { loadLaterDiagnostics } from '../../dumps/diagnostics.ts';
import { iova } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { SessionEvent } from '../../session/events.ts';
import { MACHINES, type MachineName } from '../guest/layouts.ts';
import { buildHost } from '../host/build-host.ts';
import { MappingState } from '../host/mapping-state.ts';
import { mappingSets } from '../host/mappings.ts';
import { commonSpace } from '../space/common-space.ts';
import type { Conflict } from './conflict.ts';
import { findConflicts } from './find-conflicts.ts';
import type { GuestLayout } from './guest.ts';

// As the dumps that such facts come from do.
beforeAll(loadLaterDiagnostics);

const GIB = 1n << 30n;
const reserved = (start: bigint, last: bigint, type: string, group = '1', more: object = {}): SessionEvent =>
  ({
    kind: 'reserved',
    ...range(start, last),
    type,
    origin: 'sysfs',
    group,
    source: 'host',
    line: 1,
    ...more,
  }) as SessionEvent;
const MSI = reserved(0xfee0_0000n, 0xfeef_ffffn, 'msi');
const width = (bits: number): SessionEvent => ({ kind: 'iommu', name: 'dmar0', driver: 'intel', address_width: bits });
const fault = (address: bigint, more: object = {}): SessionEvent =>
  ({
    kind: 'fault',
    address: iova(address),
    device: '0000:03:00.0',
    access: 'write',
    source: 'log',
    line: 7,
    ...more,
  }) as SessionEvent;
const map = (start: bigint, last: bigint): SessionEvent => ({
  kind: 'map',
  ...range(start, last),
  origin: 'ftrace',
  source: 'trace',
  line: 3,
});
const request = (start: bigint, last: bigint, result: 0 | string, more: object = {}): SessionEvent =>
  ({
    kind: 'request',
    op: 'map',
    api: 'vfio',
    ...range(start, last),
    result,
    source: 'qemu',
    line: 2,
    ...more,
  }) as SessionEvent;

function machine(name: MachineName, ram: bigint): GuestLayout {
  return { title: name, ranges: MACHINES[name].layout(ram), machine: { machine: MACHINES[name], ram } };
}

function conflictsOf(events: readonly SessionEvent[], guest?: GuestLayout, pageSize?: bigint): Conflict[] {
  const host = buildHost('h', 'host', events);
  const mappings = mappingSets(events).map((set) => {
    const state = new MappingState(set);
    state.seek(events.length);
    return state;
  });
  return findConflicts({ space: commonSpace(host, host.groups), mappings, guests: guest ? [guest] : [], pageSize });
}

const short = (conflicts: readonly Conflict[]) => conflicts.map(({ rule, severity, errno }) => [rule, severity, errno]);

/** The only conflict of these facts. */
function only(events: readonly SessionEvent[], guest?: GuestLayout, pageSize?: bigint): Conflict {
  const conflicts = conflictsOf(events, guest, pageSize);
  const [first] = conflicts;
  expect(short(conflicts)).toHaveLength(1);
  if (!first) throw new Error('no conflict');
  return first;
}

describe('a guest on a host', () => {
  test('four gigabytes from 0x40000000 on hit the MSI window of x86', () => {
    const conflict = only([MSI], machine('virt', 4n * GIB));
    expect(conflict).toMatchObject({ rule: 'guest-over-reserved', severity: 'fatal', errno: 'EINVAL' });
    expect(conflict.remedy).toContain('up to ≈ 2.98 GiB');
    expect(conflict.marks.map(({ role, start, last }) => [role, start, last])).toEqual([
      ['requested', 0x4000_0000n, 0x1_3fff_ffffn],
      ['obstacle', 0xfee0_0000n, 0xfeef_ffffn],
    ]);
    expect(conflict.provenance).toEqual([{ source: 'host', line: 1 }]);
    expect(conflictsOf([MSI], machine('q35', 4n * GIB))).toEqual([]);
  });

  test('RAM at 0 hits the window of ARM at 128 MiB', () => {
    const conflict = only([reserved(0x800_0000n, 0x80f_ffffn, 'msi')], machine('q35', GIB));
    expect(conflict.remedy).toContain('up to 128 MiB');
  });

  test('the hole below 1 TiB: refused where it stands, fits when moved, and how many bits that needs', () => {
    const hole = reserved(0xfd_0000_0000n, 0xff_ffff_ffffn, 'reserved');
    const conflict = only([hole], machine('q35', 1100n * GIB));
    expect(conflict.remedy).toContain('up to 1010 GiB');
    expect(conflict.remedy).toContain('phys-bits=42');
    expect(conflictsOf([hole], machine('q35-amd', 1100n * GIB))).toEqual([]);
  });

  test('beyond the aperture: the bits it needs and the bits there are', () => {
    const conflict = only([width(39)], machine('q35', 600n * GIB));
    expect(conflict).toMatchObject({ rule: 'guest-beyond-aperture', severity: 'fatal' });
    expect(conflict.title).toContain('needs 40 bits, the IOMMU has 39');
  });

  test('device memory over a region is refused and harmless, a device is not looked at, relaxable regions do not count', () => {
    const ranges = [
      { ...range(0xfee0_0000n, 0xfee0_ffffn), name: 'bar', type: 'ramd' },
      { ...range(0xfee1_0000n, 0xfee1_ffffn), name: 'uart', type: 'i/o' },
      { ...range(0n, 0xf_ffffn), name: 'ram', type: 'ram' },
    ];
    const relaxed = reserved(0n, 0xff_ffffn, 'direct-relaxable');
    expect(short(conflictsOf([MSI, relaxed], { title: 'g', ranges }))).toEqual([
      ['guest-over-reserved', 'note', 'EINVAL'],
    ]);
  });

  test('ends that are no pages of the host, and a BAR that is smaller than one', () => {
    const ranges = [
      { ...range(0n, 0x1_3fffn), name: 'ram', type: 'ram' },
      { ...range(0x8001_0000n, 0x8001_3fffn), name: 'bar', type: 'ramd' },
    ];
    const found = conflictsOf([MSI], { title: 'g', ranges }, 0x1_0000n);
    expect(short(found)).toEqual([
      ['misaligned', 'warning', 'EINVAL'],
      ['misaligned', 'note', 'EINVAL'],
    ]);
    expect(found[0]?.message).toContain('Only 0x0-0xffff can be mapped');
    expect(found[1]?.message).toContain('nothing of it can be mapped');
    expect(conflictsOf([MSI], { title: 'g', ranges })).toEqual([]);
  });

  test('a device’s BAR that is smaller than a page, where pages are large', () => {
    const bar = (start: bigint, last: bigint): SessionEvent => ({
      kind: 'bar',
      ...range(start, last),
      device: '0000:00:02.0',
      index: 0,
      source: 'lspci',
    });
    expect(conflictsOf([MSI, bar(0x8000_4000n, 0x8000_40ffn)])).toEqual([]);
    expect(conflictsOf([MSI, bar(0x8000_4000n, 0x8000_7fffn)], undefined, 0x4000n)).toEqual([]);
    const found = only([MSI, bar(0x8000_4000n, 0x8000_7fffn)], undefined, 0x1_0000n);
    expect(short([found])).toEqual([['misaligned', 'note', 'EINVAL']]);
    expect(found.title).toBe('BAR 0 of 0000:00:02.0 (16 KiB) is not aligned to pages of 64 KiB');
  });
});

describe('devices and groups', () => {
  test('an ineligible device with its region', () => {
    const conflict = only([
      { kind: 'group', group: '3', devices: ['0000:00:05.0'] },
      reserved(0x3f00_0000n, 0x3f7f_ffffn, 'direct', '3'),
      {
        kind: 'ineligible',
        device: '0000:00:05.0',
        reason: 'Device is ineligible … due to platform RMRR requirement',
        source: 'log',
        line: 9,
      },
    ]);
    expect(conflict).toMatchObject({ rule: 'device-ineligible', severity: 'fatal', errno: 'EPERM' });
    expect(conflict.marks).toMatchObject([{ start: 0x3f00_0000n, last: 0x3f7f_ffffn }]);
  });

  test('a direct region takes all devices of the group with it, and says whose it is', () => {
    const conflict = only([
      { kind: 'group', group: '3', devices: ['0000:00:05.0', '0000:00:06.0'] },
      reserved(0x1000n, 0x1fffn, 'direct', '3'),
      {
        kind: 'reserved',
        ...range(0x1000n, 0x1fffn),
        type: 'direct',
        origin: 'rmrr',
        device: '0000:00:06.0',
        source: 'acpi',
      },
    ]);
    expect(conflict.rule).toBe('group-has-direct');
    expect(conflict.message).toContain('It belongs to 0000:00:06.0');
    expect(conflict.message).toContain('The other devices of the group share it: 0000:00:05.0.');
  });

  test('a region of firmware that the memory map leaves to the kernel', () => {
    const rmrr: SessionEvent = {
      kind: 'reserved',
      ...range(0x1000_0000n, 0x1000_ffffn),
      type: 'direct',
      origin: 'rmrr',
      source: 'log',
    };
    const ram: SessionEvent = {
      kind: 'window',
      ...range(0x10_0000n, 0x7fff_ffffn),
      name: 'System RAM',
      depth: 0,
      type: 'ram',
      source: 'iomem',
    };
    const kept: SessionEvent = {
      kind: 'window',
      ...range(0x1000_0000n, 0x1000_ffffn),
      name: 'Reserved',
      depth: 0,
      type: 'reserved',
      source: 'iomem',
    };
    expect(short(conflictsOf([rmrr, ram]))).toEqual([['firmware-region-not-reserved', 'warning', undefined]]);
    expect(conflictsOf([rmrr, ram, kept])).toEqual([]);
    expect(conflictsOf([rmrr])).toEqual([]);
  });

  test('software and hardware MSI windows together', () => {
    const found = conflictsOf([
      reserved(0x800_0000n, 0x80f_ffffn, 'msi'),
      reserved(0xc601_0000n, 0xc601_ffffn, 'msi', '2'),
    ]);
    expect(short(found)).toEqual([['two-msi-kinds', 'warning', undefined]]);
  });

  test('interrupts outside every window', () => {
    const message = (address: bigint, enabled: boolean): SessionEvent => ({
      kind: 'msi_message',
      device: '0000:05:00.0',
      address: iova(address),
      enabled,
    });
    expect(short(conflictsOf([MSI, message(0xfee0_1000n, true), message(0n, false)]))).toEqual([]);
    expect(only([MSI, message(0x1234_5000n, true)]).rule).toBe('msi-outside-window');
  });

  test('the window of ARM over a PCI window of the host, with places where it could be', () => {
    const pci: SessionEvent = {
      kind: 'window',
      ...range(0x800_0000n, 0x3eff_ffffn),
      name: 'PCI Bus 0000:00',
      depth: 0,
      type: 'pci',
      source: 'iomem',
    };
    const conflict = only([reserved(0x800_0000n, 0x80f_ffffn, 'msi'), pci]);
    expect(conflict.rule).toBe('msi-window-over-pci');
    expect(conflict.remedy).toContain('0x100000');
  });

  test('a BAR above the aperture', () => {
    const bar: SessionEvent = {
      kind: 'bar',
      ...range(0x3800_0000_0000n, 0x3800_00ff_ffffn),
      device: '0000:01:00.0',
      index: 0,
    };
    const conflict = only([width(39), bar]);
    expect(conflict).toMatchObject({ rule: 'bar-beyond-aperture', severity: 'note' });
    expect(conflict.title).toContain('needs 46 bits, the IOMMU has 39');
  });

  test('sources that contradict each other', () => {
    const conflict = only([width(39), { ...width(48), source: 'other' } as SessionEvent]);
    expect(conflict).toMatchObject({ rule: 'contradiction', severity: 'warning' });
    expect(conflict.message).toContain('39 vs 48');
  });
});

describe('requests', () => {
  test('refused over a region, with what would fit', () => {
    const conflict = only([MSI, request(0x4000_0000n, 0x1_3fff_ffffn, '-EINVAL', { name: 'mach-virt.ram' })]);
    expect(conflict).toMatchObject({ rule: 'request-refused', severity: 'fatal', errno: 'EINVAL' });
    expect(conflict.message).toContain('0xfee00000-0xfeefffff');
    expect(conflict.remedy).toContain('The first ≈ 2.98 GiB');
  });

  test('nothing else is known: what x86 is known to reserve is named as a guess', () => {
    const conflict = only([request(0x4000_0000n, 0x1_3fff_ffffn, '-EINVAL', { name: 'mach-virt.ram' })]);
    expect(conflict.message).toContain('on x86 it overlaps 0xfee00000-0xfeefffff');
    expect(conflict.marks[1]?.message).toContain('if this is x86');
  });

  test('a BAR is told apart from RAM', () => {
    const high = only([width(39), request(0x3800_0000_1000n, 0x3800_0000_3fffn, '-EINVAL')]);
    expect(high).toMatchObject({ severity: 'note' });
    expect(high.message).toContain('needs 46 bits, the IOMMU has 39');
    expect(only([request(0xfebd_0000n, 0xfebd_1fffn, '-EFAULT')]).severity).toBe('note');
    expect(only([request(0n, 0x7fff_ffffn, '-ENOMEM', { name: 'pc.ram' })])).toMatchObject({
      severity: 'fatal',
      errno: 'ENOMEM',
    });
  });

  test('over a mapping that is there: which, and from where', () => {
    const conflict = only([
      request(0x20_0000n, 0x3f_ffffn, 0, { line: 1 }),
      request(0x30_0000n, 0x4f_ffffn, '-EEXIST'),
    ]);
    expect(conflict.message).toContain('0x200000-0x3fffff');
    expect(conflict.provenance).toEqual([
      { source: 'qemu', line: 2 },
      { source: 'qemu', line: 1 },
    ]);
  });

  test('an unmap that cuts a mapping, and one that took less than was asked', () => {
    const cut = only([request(0n, 0x3fffn, 0), { ...request(0x1000n, 0x1fffn, 0), op: 'unmap' } as SessionEvent]);
    expect(cut).toMatchObject({ rule: 'unmap-cuts-mapping', severity: 'warning' });
    const less = only([
      { kind: 'unmap', ...range(0n, 0x1fffn), unmapped: iova(0x1000n), origin: 'ftrace', source: 't', line: 4 },
    ]);
    expect(less).toMatchObject({ rule: 'unmap-short', severity: 'warning' });
  });

  test('a group that could not join the container now, because something is mapped over its region', () => {
    const found = conflictsOf([
      MSI,
      width(39),
      request(0xfee0_0000n, 0xfee0_0fffn, 0),
      request(0x80_0000_0000n, 0x80_0000_0fffn, 0),
    ]);
    expect(found.map(({ rule, errno, marks }) => [rule, errno, marks.map(({ start }) => start)])).toEqual([
      ['attach-over-mapping', 'EINVAL', [0xfee0_0000n, 0xfee0_0000n]],
      ['attach-over-mapping', 'EINVAL', [0x80_0000_0000n, 0x80_0000_0000n]],
    ]);
  });

  test('the mappings of a container against its limit', () => {
    const many = Array.from({ length: 65_535 }, (_, i) =>
      request(BigInt(i) * 0x2000n, BigInt(i) * 0x2000n + 0xfffn, 0),
    );
    expect(short(conflictsOf(many))).toEqual([['mapping-limit', 'fatal', 'ENOSPC']]);
    expect(short(conflictsOf(many.slice(0, 60_000)))).toEqual([['mapping-limit', 'warning', 'ENOSPC']]);
    expect(conflictsOf(many.slice(0, 59_999))).toEqual([]);
  });
});

describe('faults', () => {
  test('just past the end of a mapping', () => {
    const conflict = only([map(0x40_0000n, 0x5f_ffffn), fault(0x60_1000n)]);
    expect(conflict.message).toContain('just past the end of 0x400000-0x5fffff (2 MiB), 4 KiB after it');
    expect(conflict.provenance).toEqual([
      { source: 'log', line: 7 },
      { source: 'trace', line: 3 },
    ]);
  });

  test('an address that lost its high bits, and one that has too many', () => {
    const high = map(0x12_3456_0000n, 0x12_3457_ffffn);
    expect(only([high, fault(0x3456_1000n)]).message).toContain('looks truncated to 32 bits: 0x1234561000');
    expect(only([map(0xf800_0000n, 0xf800_ffffn), fault(0xffff_ffff_f800_0040n)]).message).toContain(
      '0xf8000040, which is mapped',
    );
  });

  test('inside a reserved region, beyond the aperture, far from everything', () => {
    expect(only([MSI, fault(0xfee0_1234n)]).message).toContain('MSI window (msi)');
    expect(only([width(39), fault(0x80_0000_0000n)]).message).toContain('needs 40 bits, the IOMMU has 39');
    expect(only([map(0x1000n, 0x1fffn), fault(0x7000_0000n)]).message).toContain(
      'The nearest mapping, 0x1000-0x1fff (4 KiB), ends',
    );
    expect(only([fault(0x40n, { driver: 'arm-smmu' })]).message).toContain('doorbell');
  });

  test('an interrupt that was refused is compared with no mapping', () => {
    const refused = fault(0xffff_fffd_f803_0000n, { driver: 'amd', reason: 'IO_PAGE_FAULT flags=0x0008 (interrupt)' });
    const conflict = only([map(0xf803_0000n, 0xf803_ffffn), refused]);
    expect(conflict.message).toContain('The request was an interrupt');
    expect(conflict.marks.filter(({ role }) => role === 'obstacle')).toEqual([]);
  });

  test('the same fault again is one with a count', () => {
    const conflict = only([fault(0x1000n), fault(0x1000n, { line: 8 }), fault(0x1000n, { line: 9 })]);
    expect(conflict.title).toContain('3 times');
    expect(conflict.provenance).toHaveLength(3);
  });
});

describe('what others complained of', () => {
  const said = (code: string, severity: 'info' | 'warning' | 'error', line = 1): SessionEvent => ({
    kind: 'diagnostic',
    severity,
    code,
    message: `said ${code}`,
    source: 'log',
    line,
  });

  test('is told once, with what helps; what was wrong with reading is not', () => {
    const found = conflictsOf([
      said('qemu-few-dma-mappings', 'warning'),
      said('qemu-few-dma-mappings', 'warning', 9),
      said('vmm-dma-map-failed', 'error'),
      said('damaged-rmrr', 'warning'),
      said('qemu-no-iommu', 'info'),
    ]);
    expect(short(found)).toEqual([
      ['vmm-dma-map-failed', 'fatal', undefined],
      ['qemu-few-dma-mappings', 'warning', undefined],
    ]);
    expect(found[1]?.remedy).toContain('dma_entry_limit');
    expect(found[1]?.provenance).toEqual([
      { source: 'log', line: 1 },
      { source: 'log', line: 9 },
    ]);
  });

  test('memory that cannot be pinned is told apart from BARs by where it is', () => {
    expect(only([request(0xc_0000n, 0xc_afffn, '-EFAULT')]).severity).toBe('fatal');
    expect(only([request(0x2000_0a40_0000n, 0x2000_0a7f_ffffn, '-EEXIST')]).severity).toBe('fatal');
  });

  test('a fault in a range that the platform is known to keep', () => {
    expect(only([fault(0xff_fffd_e000n, { driver: 'amd' })]).message).toContain('HyperTransport');
    expect(only([fault(0x809_0040n, { driver: 'smmu-v3' })]).message).toContain('the ARM software MSI window');
  });
});

test('fatal things come first, and identities are unique', () => {
  const found = conflictsOf(
    [MSI, width(39), fault(0n), fault(0x10n), request(0n, 0xfffn, '-EINVAL')],
    machine('virt', 600n * GIB),
  );
  const order = found.map(({ severity }) => severity);
  expect(order).toEqual(
    order.toSorted((a, b) => ['fatal', 'warning', 'note'].indexOf(a) - ['fatal', 'note', 'warning'].indexOf(b)),
  );
  expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
  for (const conflict of found) expect(conflict.remedy).not.toBe('');
});
