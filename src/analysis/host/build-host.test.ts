import { beforeAll, describe, expect, test } from 'vitest';
import { loadLaterDiagnostics } from '../../dumps/diagnostics.ts';
import { iova } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { SessionEvent } from '../../session/events.ts';
import { buildHost, eventsAt } from './build-host.ts';
import { compareNames, groupTitle } from './host.ts';

// As the dumps that such facts come from do.
beforeAll(loadLaterDiagnostics);

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

describe('each kind of fact', () => {
  test('the host: the first value of each field counts', () => {
    const first: SessionEvent = { kind: 'host', name: 'a', kernel: '6.1', ...at('x') };
    const { about } = host(first, { kind: 'host', name: 'b', arch: 'x86_64', ...at('y') });
    expect(about).toEqual({ name: 'a', kernel: '6.1', arch: 'x86_64' });
  });

  test('address widths of the host: 1 to 64 bits, each once', () => {
    const bits = (...widths: number[]) =>
      host(...widths.map((address_width): SessionEvent => ({ kind: 'host', address_width, ...at('x') }))).apertures.map(
        ({ last }) => last,
      );
    expect(bits(1, 64)).toEqual([1n, 0xffff_ffff_ffff_ffffn]);
    expect(bits(0, 65)).toEqual([]);
    expect(bits(39, 39)).toEqual([0x7f_ffff_ffffn]);
  });

  test('one contradiction for each further width of the host', () => {
    const widths = [39, 39, 48, 48, 39, 52].map(
      (address_width): SessionEvent => ({ kind: 'host', address_width, ...at('x', address_width) }),
    );
    expect(host(...widths).contradictions.map(({ message, provenance }) => [message, provenance])).toEqual([
      ['address width of the host: 39 vs 48 bits', [at('x', 39), at('x', 48)]],
      ['address width of the host: 39 vs 52 bits', [at('x', 39), at('x', 52)]],
    ]);
  });

  test('an IOMMU: an unknown driver is filled in, another one is a contradiction', () => {
    const iommu = (driver: string, more: object = {}): SessionEvent =>
      ({ kind: 'iommu', name: 'i', driver, ...at(driver), ...more }) as SessionEvent;
    const known = host(iommu('unknown'), iommu('intel'), iommu('unknown'));
    expect([known.iommus[0]?.driver, known.contradictions]).toEqual(['intel', []]);
    const two = host(
      iommu('intel', { address_width: 39, ecap: iova(1n) }),
      iommu('amd', { address_width: 48, ecap: iova(2n) }),
    );
    expect(two.contradictions.map(({ about, message }) => [about, message])).toEqual([
      ['i', 'driver of i: intel vs amd'],
      ['i', 'address width of i: 39 vs 48 bits'],
      ['i', 'ecap register of i: 0x1 vs 0x2'],
    ]);
    expect(two.iommus).toMatchObject([{ driver: 'intel', addressWidth: 39, ecap: 1n }]);
    const later = host(iommu('intel'), iommu('intel', { address_width: 39, cap: iova(5n), ecap: iova(6n) }));
    expect(later.iommus).toMatchObject([{ addressWidth: 39, cap: 5n, ecap: 6n }]);
    expect(host(iommu('intel', { address_width: 39 }), iommu('intel', { address_width: 39 })).contradictions).toEqual(
      [],
    );
  });

  test('apertures: by IOMMU, group, container; the same one twice has two places', () => {
    const aperture = (more: object): SessionEvent =>
      ({ kind: 'aperture', ...range(0n, 0xffffn), ...at('x'), ...more }) as SessionEvent;
    const { apertures } = host(
      aperture({ iommu: 'dmar0', group: '7', pgsize_bitmap: iova(0x1000n) }),
      aperture({ group: '7' }),
      aperture({ container: 'c' }),
      aperture({}),
      aperture({ source: 'y' }),
      aperture({ last: iova(0xfffen) }),
    );
    expect(
      apertures.map(({ message, group, space, pageSizes, provenance }) => [
        message,
        group,
        space,
        pageSizes,
        provenance.length,
      ]),
    ).toEqual([
      ['dmar0', '7', undefined, 0x1000n, 1],
      ['group 7', '7', undefined, undefined, 1],
      ['c', undefined, 'c', undefined, 1],
      ['aperture', undefined, undefined, undefined, 2],
      ['aperture', undefined, undefined, undefined, 1],
    ]);
  });

  test('valid ranges: of a container, an IOAS, or unnamed; with what the kernel reported besides', () => {
    const valid = (more: object): SessionEvent =>
      ({ kind: 'valid_range', ...range(0n, 0xffffn), ...at('x'), ...more }) as SessionEvent;
    const { validRanges } = host(
      valid({ container: 'c', pid: 7, process: 'qemu', guest: 'vm', mappings_left: 3, pgsize_bitmap: iova(0x1000n) }),
      valid({ ioas: 'i' }),
      valid({}),
    );
    expect(validRanges).toMatchObject([
      { space: 'c', message: 'c', pid: 7, process: 'qemu', guest: 'vm', mappingsLeft: 3, pageSizes: 0x1000n },
      { space: 'i' },
      { space: 'the container' },
    ]);
  });

  test('windows: an unknown type is other; the same one twice is one', () => {
    const window = (type: string, source = 'x'): SessionEvent => ({
      kind: 'window',
      ...range(0n, 0xfffn),
      name: 'n',
      depth: 1,
      type,
      ...at(source),
    });
    expect(host(window('ram')).windows).toMatchObject([{ type: 'ram', name: 'n', depth: 1 }]);
    expect(host(window('strange')).windows[0]?.type).toBe('other');
    const twice = host(window('pci'), window('pci', 'y')).windows;
    expect(twice.map(({ provenance }) => provenance)).toEqual([[at('x'), at('y')]]);
  });

  test('MSI messages: not of disabled ones, each address of a device once', () => {
    const message = (enabled: boolean | undefined, line: number): SessionEvent =>
      ({ kind: 'msi_message', device: 'd', address: iova(0xfee0_0000n), enabled, ...at('x', line) }) as SessionEvent;
    expect(host(message(false, 1)).msiMessages).toEqual([]);
    expect(host(message(true, 1), message(undefined, 2)).msiMessages).toEqual([
      { device: 'd', address: 0xfee0_0000n, provenance: [at('x', 1), at('x', 2)] },
    ]);
  });

  test('faults: those that differ in anything are different', () => {
    const fault = (more: object): SessionEvent =>
      ({
        kind: 'fault',
        address: iova(1n),
        device: 'd',
        access: 'read',
        reason: 'r',
        driver: 'intel',
        ...at('x'),
        ...more,
      }) as SessionEvent;
    const { faults } = host(
      fault({}),
      fault({}),
      fault({ address: iova(2n) }),
      fault({ device: 'e' }),
      fault({ access: 'write' }),
      fault({ reason: 's' }),
    );
    expect(
      faults.map(({ address, device, access, reason, count }) => [address, device, access, reason, count]),
    ).toEqual([
      [1n, 'd', 'read', 'r', 2],
      [2n, 'd', 'read', 'r', 1],
      [1n, 'e', 'read', 'r', 1],
      [1n, 'd', 'write', 'r', 1],
      [1n, 'd', 'read', 's', 1],
    ]);
    expect(faults[0]?.driver).toBe('intel');
  });

  test('complaints: warnings and errors that pass on a problem, known codes only', () => {
    const diagnostic = (code: string, severity: 'info' | 'warning' | 'error'): SessionEvent => ({
      kind: 'diagnostic',
      code,
      severity,
      message: 'm',
      ...at('x'),
    });
    const { complaints } = host(
      diagnostic('qemu-no-iommu', 'error'),
      diagnostic('qemu-no-iommu', 'error'),
      diagnostic('qemu-no-iommu', 'info'),
      diagnostic('damaged-rmrr', 'warning'),
      diagnostic('qemu-of-another-version', 'error'),
    );
    expect(complaints.map(({ code, severity, provenance }) => [code, severity, provenance.length])).toEqual([
      ['qemu-no-iommu', 'error', 1],
    ]);
  });

  test('BARs: another address in the same source is another moment, no contradiction', () => {
    const bar = (start: bigint, source: string, more: object = {}): SessionEvent =>
      ({ kind: 'bar', ...range(start, start + 0xfffn), device: 'd', index: 0, ...at(source), ...more }) as SessionEvent;
    expect(host(bar(0x1000n, 'a'), bar(0x2000n, 'a')).contradictions).toEqual([]);
    expect(host(bar(0x1000n, 'a'), bar(0x1000n, 'b')).contradictions).toEqual([]);
    expect(host(bar(0x1000n, 'a'), bar(0x1000n, 'b', { index: 1 })).bars).toHaveLength(2);
    expect(host(bar(0x1000n, 'a', { prefetchable: true, bits: 64 })).bars).toMatchObject([
      { prefetchable: true, bits: 64, index: 0 },
    ]);
  });

  test('what two sources say about the same thing in the same line is one place', () => {
    const twice = host(region(0n, 0xfffn, 'msi', { group: '1' }), region(0n, 0xfffn, 'msi', { group: '1' }));
    expect(twice.groups[0]?.regions[0]?.provenance).toEqual([at('regions')]);
  });
});

describe('firmware regions and groups', () => {
  const rmrr = (more: object = {}) => region(0x1000n, 0x1fffn, 'direct', { origin: 'rmrr', ...at('acpi'), ...more });

  test('a device in no group keeps its region; the group list gets it once it is known', () => {
    const alone = host(rmrr({ device: '0000:00:14.0' }));
    expect(alone.groups.map((g) => [groupTitle(g), g.group, g.regions.length])).toEqual([
      ['0000:00:14.0', undefined, 1],
    ]);
    expect(alone.firmwareRegions).toHaveLength(1);
  });

  test('a span of devices: both ends belong to it, other forms are one device', () => {
    const span = rmrr({ device: '0000:40:00.0-0000:40:1f.7' });
    const members = (device: string) =>
      host(span, group('1', [device])).groups.find((g) => g.group === '1')?.regions.length;
    expect(members('0000:40:00.0')).toBe(1);
    expect(members('0000:40:1f.7')).toBe(1);
    expect(members('0000:3f:1f.7')).toBe(0);
    expect(members('0000:41:00.0')).toBe(0);
    const odd = host(rmrr({ device: '40:00.0-40:1f.7' }), group('1', ['0000:40:03.0']));
    expect(odd.groups.find((g) => g.group === '1')?.regions).toEqual([]);
  });

  test('a type that is not direct is another region', () => {
    const { groups } = host(
      group('5', []),
      region(0x1000n, 0x1fffn, 'reserved', { origin: 'sysfs', group: '5' }),
      rmrr(),
    );
    expect(groups.map((g) => [groupTitle(g), g.regions.length])).toEqual([
      ['group 5', 1],
      ['unknown group', 1],
    ]);
  });

  test('every group that lists it gets the place; the same region twice is one region', () => {
    const listed = (name: string) => region(0x1000n, 0x1fffn, 'direct', { origin: 'sysfs', group: name });
    const { groups, contradictions } = host(listed('1'), listed('2'), rmrr(), rmrr({ line: 9 }));
    expect(groups.map((g) => g.regions[0]?.provenance)).toEqual([
      [at('regions'), at('acpi'), at('acpi', 9)],
      [at('regions'), at('acpi'), at('acpi', 9)],
    ]);
    expect(contradictions).toEqual([]);
    const twice = host(rmrr(), rmrr({ type: 'direct', origin: 'ivmd', line: 3 }));
    expect(twice.groups.map((g) => g.regions.map((r) => r.provenance.length))).toEqual([[2]]);
  });
});

describe('regions of devices', () => {
  test('go to the group that has all devices of the region’s list; the others keep their key', () => {
    const built = host(
      region(0n, 0xfffn, 'msi', { device: 'a' }),
      region(0n, 0xfffn, 'msi', { group: '7' }),
      group('7', ['a', 'b']),
      region(0n, 0xfffn, 'msi', { device: 'c' }),
    );
    expect(built.groups.map((g) => [g.key, g.regions.map((r) => r.provenance.length)])).toEqual([
      ['h/device c', [1]],
      ['h/group 7', [2]],
    ]);
  });

  test('a group whose regions name devices has them, sorted; regions ascend', () => {
    const [only] = host(
      region(0x5000n, 0x5fffn, 'msi', { group: '1', device: '0000:00:1f.0' }),
      region(0n, 0xfffn, 'msi', { group: '1', device: '0000:00:02.0' }),
      region(0n, 0x7ffn, 'msi', { group: '1' }),
    ).groups;
    expect(only?.devices).toEqual(['0000:00:02.0', '0000:00:1f.0']);
    expect(only?.regions.map(({ start, last }) => [start, last])).toEqual([
      [0n, 0x7ffn],
      [0n, 0xfffn],
      [0x5000n, 0x5fffn],
    ]);
  });
});

describe('events at a position', () => {
  const gone = (event: number): SessionEvent => ({ kind: 'gone', event });
  const all = [group('1', []), group('2', []), gone(1), group('3', []), gone(2)];
  const names = (position: number) =>
    eventsAt(all, position).flatMap((event) => ('group' in event ? [event.group] : []));

  test('what is gone by then does not count, what goes later does', () => {
    expect(names(0)).toEqual([]);
    expect(names(2)).toEqual(['1', '2']);
    expect(names(3)).toEqual(['2']);
    expect(names(4)).toEqual(['2', '3']);
    expect(names(5)).toEqual(['3']);
  });

  test('without anything gone the list itself is used at its end', () => {
    const plain = [group('1', []), group('2', [])];
    expect(eventsAt(plain, 2)).toBe(plain);
    expect(eventsAt(plain, 9)).toBe(plain);
    expect(eventsAt(plain, 1)).toEqual([plain[0]]);
  });
});

test('names are in natural order, PCI addresses in that of their hexadecimal numbers', () => {
  expect(['group 10', 'group 2', 'a'].sort(compareNames)).toEqual(['a', 'group 2', 'group 10']);
  const addresses = ['0000:00:1f.0', '0000:00:02.0', '0000:0a:00.0', '0000:00:0a.1', '0000:00:0a.0', '0000:00:10.0'];
  expect(addresses.toSorted(compareNames)).toEqual(addresses.toSorted());
  expect(compareNames('0000:00:1f.0', '0000:00:1f.0')).toBe(0);
});

describe('what is no contradiction, and what almost is the same', () => {
  const messages = (...events: SessionEvent[]) => host(...events).contradictions.map((c) => c.message);
  const iommu = (more: object): SessionEvent =>
    ({ kind: 'iommu', name: 'i', driver: 'intel', ...at('x'), ...more }) as SessionEvent;

  test('a source that does not say a thing does not deny it', () => {
    const full = { address_width: 39, cap: iova(1n), ecap: iova(2n) };
    expect(messages(iommu({}), iommu(full))).toEqual([]);
    expect(messages(iommu(full), iommu({}))).toEqual([]);
    expect(messages(group('1', []), group('1', [], { type: 'DMA' }))).toEqual([]);
    expect(messages(group('1', [], { type: 'DMA' }), group('1', []))).toEqual([]);
    expect(messages(group('1', ['a']), group('1', ['a']))).toEqual([]);
    expect(messages(region(0n, 1n, 'msi', { device: 'a' }), group('1', ['a']))).toEqual([]);
  });

  test('a BAR that only ends elsewhere is at another place', () => {
    const bar = (last: bigint, source: string): SessionEvent => ({
      kind: 'bar',
      ...range(0x1000n, last),
      device: 'd',
      index: 0,
      ...at(source),
    });
    expect(messages(bar(0x1fffn, 'a'), bar(0x2fffn, 'b'))).toHaveLength(1);
  });

  test('ranges that share one bound are not the same region', () => {
    const of = (start: bigint, last: bigint, type: string, source: string) =>
      region(start, last, type, { group: '1', source });
    expect(messages(of(0n, 5n, 'msi', 'a'), of(0n, 6n, 'reserved', 'b'))).toEqual([]);
    expect(messages(of(0n, 5n, 'msi', 'a'), of(1n, 5n, 'reserved', 'b'))).toEqual([]);
    // Of a device without a group two types in two sources are no contradiction of a group.
    expect(
      messages(
        region(0n, 5n, 'msi', { device: 'x', source: 'a' }),
        region(0n, 5n, 'reserved', { device: 'x', source: 'b' }),
      ),
    ).toEqual([]);
    // One source with both types among those that read it.
    expect(messages(of(0n, 5n, 'msi', 'a'), of(0n, 5n, 'msi', 'b'), of(0n, 5n, 'reserved', 'b'))).toEqual([]);
  });

  test('apertures that differ in one thing are different', () => {
    const aperture = (start: bigint, last: bigint, more: object = {}): SessionEvent =>
      ({
        kind: 'aperture',
        ...range(start, last),
        iommu: 'i',
        group: '1',
        container: 'c',
        ...at('x'),
        ...more,
      }) as SessionEvent;
    const base = aperture(0n, 9n);
    const others = [
      aperture(1n, 9n),
      aperture(0n, 8n),
      aperture(0n, 9n, { iommu: 'j' }),
      aperture(0n, 9n, { group: '2' }),
      aperture(0n, 9n, { container: 'd' }),
    ];
    for (const other of others) expect(host(base, other).apertures).toHaveLength(2);
    expect(host(base, base).apertures).toHaveLength(1);
  });

  test('a width of the host is no aperture once any IOMMU has one, also if another has none', () => {
    const width: SessionEvent = { kind: 'host', address_width: 48, ...at('log') };
    expect(
      host(width, iommu({}), iommu({ name: 'j', address_width: 39 })).apertures.map(({ message }) => message),
    ).toEqual(['j, 39 bits']);
    expect(host(width, iommu({})).apertures.map(({ message }) => message)).toEqual(['host address width, 48 bits']);
  });

  test('the place of a contradiction: the first of each side', () => {
    const { contradictions } = host(
      group('5', ['0000:00:14.0']),
      region(0n, 0xfffn, 'msi', { origin: 'sysfs', group: '5', ...at('sysfs', 1) }),
      region(0n, 0xfffn, 'msi', { origin: 'sysfs', group: '5', ...at('sysfs', 2) }),
      region(0x1000n, 0x1fffn, 'direct', { origin: 'rmrr', device: '0000:00:14.0', ...at('acpi', 3) }),
      region(0x1000n, 0x1fffn, 'direct', { origin: 'rmrr', device: '0000:00:14.0', ...at('acpi', 4) }),
    );
    expect(contradictions).toMatchObject([{ about: 'group 5', provenance: [at('acpi', 3), at('sysfs', 1)] }]);
  });

  test('guests: identical ranges in another order are one', () => {
    const ram = (start: bigint, source: string): SessionEvent => ({
      kind: 'guest',
      ...range(start, start + 9n),
      name: 'ram',
      type: 'ram',
      ...at(source),
    });
    expect(host(ram(0n, 'a'), ram(100n, 'a'), ram(100n, 'b'), ram(0n, 'b')).guests.map(({ source }) => source)).toEqual(
      ['a'],
    );
    expect(host(ram(0n, 'a'), ram(100n, 'b')).guests).toHaveLength(2);
  });

  test('a span of devices needs full addresses on both sides', () => {
    const span = (device: string) =>
      host(region(0n, 9n, 'direct', { origin: 'ivmd', device }), group('1', ['0000:40:03.0'])).groups.find(
        (g) => g.group === '1',
      );
    expect(span('0000:40:00.0-0000:40:1f.7')?.regions).toHaveLength(1);
    expect(span('x0000:40:00.0-0000:40:1f.7')?.regions).toHaveLength(0);
    expect(span('0000:40:00.0-0000:40:1f.7x')?.regions).toHaveLength(0);
    expect(span('0000:40:03.0')?.regions).toHaveLength(1);
  });
});
