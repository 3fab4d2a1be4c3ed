import { describe, expect, test } from 'vitest';
import { iova } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { SessionEvent } from '../../session/events.ts';
import { buildHost } from './build-host.ts';
import { groupTitle } from './host.ts';

const at = (source: string, line = 1) => ({ source, line });
const host = (...events: SessionEvent[]) => buildHost('h', 'host', events);
const group = (name: string, devices: string[], more: object = {}): SessionEvent =>
  ({ kind: 'group', group: name, devices, ...at('groups'), ...more }) as SessionEvent;
const region = (start: bigint, last: bigint, type: string, more: object): SessionEvent =>
  ({ kind: 'reserved', ...range(start, last), type, ...at('regions'), ...more }) as SessionEvent;

describe('several sources, one picture', () => {
  test('an IOMMU of a log and of a register dump is one, with what each adds', () => {
    const { iommus, apertures } = host(
      { kind: 'iommu', name: 'dmar0', driver: 'intel', cap: iova(0xd2008c22260286n), ...at('dmesg') },
      { kind: 'iommu', name: 'dmar0', driver: 'intel', address_width: 39, ...at('registers') },
    );
    expect(iommus).toMatchObject([{ name: 'dmar0', addressWidth: 39, cap: 0xd2008c22260286n }]);
    expect(iommus[0]?.provenance).toEqual([at('dmesg'), at('registers')]);
    expect(apertures.map(({ message, last }) => [message, last])).toEqual([['dmar0, 39 bits', 0x7f_ffff_ffffn]]);
  });

  test('how far the host’s memory reaches is no aperture where the IOMMU says its own width', () => {
    const width: SessionEvent = { kind: 'host', address_width: 48, ...at('dmesg') };
    expect(host(width).apertures.map(({ message }) => message)).toEqual(['host address width, 48 bits']);
    const both = host(width, { kind: 'iommu', name: 'dmar0', driver: 'intel', address_width: 39, ...at('dmesg') });
    expect(both.apertures.map(({ message }) => message)).toEqual(['dmar0, 39 bits']);
  });

  test('a region of firmware goes to the group of the device that it names', () => {
    const { groups } = host(
      region(0x1000n, 0x1fffn, 'direct', { origin: 'rmrr', device: '0000:00:14.0' }),
      group('5', ['0000:00:14.0']),
    );
    expect(groups.map((g) => [groupTitle(g), g.regions.length])).toEqual([['group 5', 1]]);
  });

  test('a span of devices is that of each known device in it', () => {
    const span = region(0x1000n, 0x1fffn, 'direct', { origin: 'ivmd', device: '0000:40:00.0-0000:40:1f.7' });
    const { groups } = host(span, group('1', ['0000:40:03.0']), group('2', ['0000:41:00.0']));
    expect(groups.map((g) => [g.group, g.regions.length])).toEqual([
      ['1', 1],
      ['2', 0],
    ]);
  });

  test('direct of firmware and direct-relaxable of the kernel are the same region', () => {
    const { groups, contradictions } = host(
      group('5', ['0000:00:14.0']),
      region(0x1000n, 0x1fffn, 'direct-relaxable', { origin: 'sysfs', group: '5' }),
      region(0x1000n, 0x1fffn, 'direct', { origin: 'rmrr', device: '0000:00:14.0', source: 'acpi' }),
    );
    expect(groups[0]?.regions).toMatchObject([{ type: 'direct-relaxable', provenance: [at('regions'), at('acpi')] }]);
    expect(contradictions).toEqual([]);
  });

  test('what one file says of a device and another of its group comes together', () => {
    const { groups } = host(
      region(0xfee0_0000n, 0xfeef_ffffn, 'msi', { device: '0000:05:00.0' }),
      group('7', ['0000:05:00.0'], at('other')),
    );
    expect(groups.map((g) => [groupTitle(g), g.regions.length])).toEqual([['group 7', 1]]);
  });

  test('a fault that is logged again and again is one, with its first places', () => {
    const fault = (line: number): SessionEvent => ({
      kind: 'fault',
      address: iova(0x40n),
      device: 'a',
      ...at('log', line),
    });
    const { faults } = host(...Array.from({ length: 100 }, (_, i) => fault(i + 1)));
    expect(faults).toHaveLength(1);
    expect([faults[0]?.count, faults[0]?.provenance.length]).toEqual([100, 20]);
  });
});

describe('contradictions', () => {
  const message = (...events: SessionEvent[]) => host(...events).contradictions.map((c) => c.message);

  test('a device in two groups, a group of two types', () => {
    expect(message(group('1', ['a']), group('2', ['a'], at('b')))).toEqual(['group of a: 1 vs 2']);
    expect(message(group('1', [], { type: 'DMA' }), group('1', [], { type: 'identity' }))).toEqual([
      'domain type of group 1: DMA vs identity',
    ]);
  });

  test('guests: one for each source, but sources with the same ranges tell of one', () => {
    const ram = (last: bigint, source: string): SessionEvent => ({
      kind: 'guest',
      ...range(0n, last),
      name: 'ram',
      type: 'ram',
      ...at(source),
    });
    const host = buildHost('h', 'h', [ram(0xfffn, 'a'), ram(0x1fffn, 'b'), ram(0xfffn, 'c'), ram(0xfffn, 'a')]);
    expect(host.guests.map(({ source, ranges }) => [source, ranges.map(({ last }) => last)])).toEqual([
      ['a', [0xfffn]],
      ['b', [0x1fffn]],
    ]);
    expect(host.guests[0]?.ranges[0]?.provenance.map(({ source }) => source)).toEqual(['a', 'c']);
  });

  test('one range with two types in two sources; twice in one source is the kernel’s own', () => {
    const first = region(0n, 0xfffn, 'msi', { group: '1', source: 'a' });
    expect(message(first, region(0n, 0xfffn, 'reserved', { group: '1', source: 'b' }))).toEqual([
      'type of 0x0-0xfff of group 1: msi vs reserved',
    ]);
    expect(message(first, region(0n, 0xfffn, 'reserved', { group: '1', source: 'a' }))).toEqual([]);
  });

  test('a region of firmware that the kernel does not list for the group', () => {
    expect(
      message(
        group('5', ['0000:00:14.0']),
        region(0xfee0_0000n, 0xfeef_ffffn, 'msi', { origin: 'sysfs', group: '5' }),
        region(0x1000n, 0x1fffn, 'direct', { origin: 'rmrr', device: '0000:00:14.0', source: 'acpi' }),
      ),
    ).toEqual([
      'firmware declares 0x1000-0x1fff (direct) for 0000:00:14.0, but the kernel does not list it for group 5',
    ]);
  });

  test('a BAR in two places, a register with two values', () => {
    const bar = (start: bigint, source: string): SessionEvent => ({
      kind: 'bar',
      ...range(start, start + 0xfffn),
      device: 'd',
      index: 2,
      ...at(source),
    });
    expect(message(bar(0x1000n, 'host'), bar(0x8000n, 'later'))).toEqual(['address of BAR 2 of d: 0x1000 vs 0x8000']);
    const cap = (value: bigint): SessionEvent => ({ kind: 'iommu', name: 'dmar0', driver: 'intel', cap: iova(value) });
    expect(message(cap(1n), cap(2n))).toEqual(['cap register of dmar0: 0x1 vs 0x2']);
  });
});
