import { describe, expect, test } from 'vitest';
import type { SessionEvent } from '../../session/events.ts';
import { isAssignable } from '../case/device.ts';
import { buildHost } from '../host/build-host.ts';
import { underKernel } from '../host/iommu-aperture.ts';
import { commonSpace } from '../space/common-space.ts';
import {
  aperture,
  bar,
  conflictsOf,
  group,
  guest,
  ineligible,
  MSI,
  markBounds,
  onlyConflict,
  reserved,
  spaceOf,
  width,
  window,
} from '../testing/facts.ts';
import { findConflicts } from './find-conflicts.ts';

const rmrr = (start: bigint, last: bigint, device?: string): SessionEvent => ({
  ...reserved(start, last, 'direct'),
  origin: 'rmrr',
  group: undefined,
  device,
  source: 'acpi',
  line: 12,
});
const rules = (events: readonly SessionEvent[], pageSize?: bigint) =>
  conflictsOf(events, undefined, pageSize).map(({ rule }) => rule);

const OLD = 'Device is ineligible for IOMMU domain attach due to platform RMRR requirement';
const NEW = 'Firmware has requested this device have a 1:1 IOMMU mapping, rejecting it';

describe('a device that the kernel refused to assign', () => {
  const members = group('3', ['0000:00:05.0', '0000:00:06.0']);

  test('with the direct region of its group: one conflict for both', () => {
    const found = onlyConflict([
      members,
      reserved(0x3f00_0000n, 0x3f7f_ffffn, 'direct', '3'),
      reserved(0xfee0_0000n, 0xfeef_ffffn, 'msi', '3'),
      ineligible('0000:00:05.0', NEW),
    ]);
    expect(found).toMatchObject({
      id: 'device-ineligible 0000:00:05.0',
      rule: 'device-ineligible',
      severity: 'fatal',
      errno: 'EINVAL',
      source: 'Linux 6.12, __iommu_device_set_domain',
      title: '0000:00:05.0 cannot be assigned: firmware requires memory to be mapped for it',
      message: `The kernel reported: ${NEW}. The region is 0x3f000000-0x3f7fffff.`,
    });
    expect(markBounds(found)).toEqual([['obstacle', 0x3f00_0000n, 0x3f7f_ffffn]]);
    expect(found.provenance).toEqual([
      { source: 'log', line: 9 },
      { source: 'host', line: 1 },
    ]);
  });

  test('the older check answered with another errno, in another function', () => {
    expect(onlyConflict([ineligible('0000:00:05.0', OLD)])).toMatchObject({
      errno: 'EPERM',
      source: 'Linux before 6.6, intel_iommu_attach_device',
    });
  });

  test('another kernel that is chosen decides by its own rule, not by what this one logged', () => {
    const direct = reserved(0x3f00_0000n, 0x3f7f_ffffn, 'direct', '3');
    const foundUnder = (kernel: string | undefined, iommu: SessionEvent) => {
      const events = [iommu, group('3', ['0000:00:05.0']), direct, ineligible('0000:00:05.0', NEW)];
      const host = underKernel(buildHost('h', 'host', events), kernel);
      return findConflicts({ space: commonSpace(host, host.groups), mappings: [], guests: [] });
    };
    const under = (kernel: string | undefined, iommu: SessionEvent) =>
      foundUnder(kernel, iommu).map(({ rule, severity, errno }) => [rule, severity, errno]);
    // The log message is that of the chosen kernel.
    expect(foundUnder('6.12', width(39))[0]?.message).toContain(`The kernel reported: ${NEW}.`);
    expect(foundUnder('6.1', width(39))[0]?.message).toContain(`The kernel log then has: "${OLD}.`);
    const amd = width(48, { name: 'ivhd0', driver: 'amd' });
    expect(under(undefined, width(39))).toEqual([['device-ineligible', 'fatal', 'EINVAL']]);
    expect(under('6.12', width(39))).toEqual([['device-ineligible', 'fatal', 'EINVAL']]);
    expect(under('6.1', width(39))).toEqual([['device-ineligible', 'fatal', 'EPERM']]);
    expect(under('6.12', amd)).toEqual([['device-ineligible', 'fatal', 'EINVAL']]);
    expect(under('6.1', amd)).not.toContainEqual(expect.arrayContaining(['device-ineligible']));
    expect(under('6.1', amd)).toHaveLength(1);
  });

  test('with a firmware region of its own, which the group does not list', () => {
    const found = conflictsOf([ineligible('0000:00:05.0', NEW), rmrr(0x1000n, 0x1fffn, '0000:00:05.0')]);
    expect(found).toHaveLength(1);
    expect(found[0]?.message).toContain('The region is 0x1000-0x1fff.');
    // The same region in both lists is one.
    const listed = onlyConflict([
      members,
      reserved(0x1000n, 0x1fffn, 'direct', '3'),
      rmrr(0x1000n, 0x1fffn, '0000:00:05.0'),
      ineligible('0000:00:05.0', NEW),
    ]);
    expect(listed.message).toContain('The region is 0x1000-0x1fff.');
    expect(listed.marks).toHaveLength(1);
  });

  test('with firmware regions that name no device: possible ones', () => {
    const found = conflictsOf([ineligible('0000:00:05.0', NEW), rmrr(0x1000n, 0x1fffn), rmrr(0x5000n, 0x5fffn)]);
    expect(found[0]?.message).toContain(
      'The log does not say which region; these dumps have 0x1000-0x1fff and 0x5000-0x5fff.',
    );
    expect(found[0]?.marks).toHaveLength(2);
    const other = conflictsOf([ineligible('0000:00:05.0', NEW), rmrr(0x1000n, 0x1fffn, '0000:00:07.0')]);
    expect(other[0]?.message).toContain('These dumps do not contain the region');
    expect(other[0]?.marks).toEqual([]);
  });
});

describe('a group with a direct region', () => {
  test('cannot be assigned: by the version of the host’s kernel', () => {
    const events = [group('3', ['0000:00:05.0']), reserved(0x1000n, 0x1fffn, 'direct', '3')];
    const found = onlyConflict(events);
    expect(found).toMatchObject({
      rule: 'group-has-direct',
      severity: 'fatal',
      errno: 'EINVAL',
      source: 'Linux 6.12, __iommu_device_set_domain',
      title: 'group 3 (0000:00:05.0) cannot be assigned: it has a direct region',
      message: expect.stringContaining(
        'group 3 has the direct region 0x1000-0x1fff: firmware requires this memory to be mapped one to one at all times.',
      ),
    });
    expect(markBounds(found)).toEqual([['obstacle', 0x1000n, 0x1fffn]]);
    const kernel: SessionEvent = { kind: 'host', kernel: '6.1.0-18-amd64', source: 'log' };
    const unit: SessionEvent = { kind: 'iommu', name: 'dmar0', driver: 'intel', source: 'log' };
    const amd: SessionEvent = { ...unit, name: 'ivhd0', driver: 'amd' };
    const unknown: SessionEvent = { ...unit, name: 'iommu1', driver: 'unknown' };
    const errno = (...more: SessionEvent[]) => onlyConflict([...events, ...more]).errno;
    expect(errno(kernel, unit)).toBe('EPERM');
    expect(errno(kernel, unit, unknown)).toBe('EPERM');
    expect(errno(kernel, unit, amd)).toBe('EINVAL');
    // With AMD's alone such a kernel accepts the group.
    expect(errno(kernel, amd)).toBeUndefined();
    expect(errno(unit)).toBe('EINVAL');
  });

  test('whose it is, and who shares it', () => {
    const regions = [reserved(0x1000n, 0x1fffn, 'direct', '3')];
    const three = group('3', ['0000:00:05.0', '0000:00:06.0', '0000:00:07.0']);
    expect(onlyConflict([three, ...regions]).message).toContain(
      'All 3 devices of the group share it: 0000:00:05.0, 0000:00:06.0 and 0000:00:07.0.',
    );
    const held = onlyConflict([three, ...regions, rmrr(0x1000n, 0x1fffn, '0000:00:06.0')]).message;
    expect(held).toContain('It belongs to 0000:00:06.0.');
    expect(held).toContain('The other devices of the group share it: 0000:00:05.0 and 0000:00:07.0.');
    const alone = group('3', ['0000:00:06.0']);
    expect(onlyConflict([alone, ...regions, rmrr(0x1000n, 0x1fffn, '0000:00:06.0')]).message).not.toContain('share');
    const elsewhere = onlyConflict([alone, ...regions, rmrr(0x1000n, 0x2fffn)]);
    expect(elsewhere.message).not.toContain('It belongs to');
  });

  test('only direct regions count, and only groups with a number', () => {
    expect(rules([reserved(0x1000n, 0x1fffn, 'direct-relaxable', '3')])).toEqual([]);
    expect(rules([rmrr(0x1000n, 0x1fffn)])).toEqual([]);
    expect(rules([reserved(0x1000n, 0x1fffn, 'direct', '3'), reserved(0x1000n, 0x1fffn, 'direct', '4')])).toEqual([
      'group-has-direct',
      'group-has-direct',
    ]);
  });
});

describe('a firmware region that the memory map does not reserve', () => {
  const region = rmrr(0x1000_0000n, 0x1000_ffffn);
  const ram = window(0x10_0000n, 0x7fff_ffffn, 'ram', 'System RAM');

  test('is reported with the RAM that it overlaps', () => {
    const found = onlyConflict([region, ram]);
    expect(found).toMatchObject({
      rule: 'firmware-region-not-reserved',
      severity: 'warning',
      source: 'Linux 6.12, arch_rmrr_sanity_check',
      title: 'The firmware memory map does not reserve the RMRR 0x10000000-0x1000ffff',
    });
    expect(found.errno).toBeUndefined();
    expect(found.message).toContain('may use 0x10000000-0x1000ffff (64 KiB) as ordinary memory');
    expect(markBounds(found)).toEqual([
      ['requested', 0x1000_0000n, 0x1000_ffffn],
      ['obstacle', 0x10_0000n, 0x7fff_ffffn],
    ]);
    expect(found.provenance).toEqual([
      { source: 'acpi', line: 12 },
      { source: 'iomem', line: 8 },
    ]);
  });

  test('only the part that is not reserved counts; all of it reserved is fine', () => {
    const half = window(0x1000_0000n, 0x1000_7fffn, 'reserved', 'Reserved');
    expect(onlyConflict([region, ram, half]).message).toContain('0x10008000-0x1000ffff (32 KiB)');
    expect(rules([region, ram, window(0x1000_0000n, 0x1000_ffffn, 'reserved', 'x')])).toEqual([]);
    for (const name of ['ACPI Tables', 'ACPI Non-volatile Storage', 'Some NVS', 'Graphics Stolen Memory', 'Reserved']) {
      expect(rules([region, ram, window(0x1000_0000n, 0x1000_ffffn, 'other', name)])).toEqual([]);
    }
    expect(rules([region, ram, window(0x1000_0000n, 0x1000_ffffn, 'other', 'Kernel code')])).toHaveLength(1);
  });

  test('without RAM in the map, or beside it, nothing can be concluded', () => {
    expect(rules([region])).toEqual([]);
    expect(rules([region, window(0n, 0xffff_ffffn, 'pci', 'PCI Bus')])).toEqual([]);
    expect(rules([region, window(0x10_0000n, 0xfff_ffffn, 'ram', 'System RAM')])).toEqual([]);
    expect(rules([region, window(0x10_0000n, 0x1000_0000n, 'ram', 'System RAM')])).toHaveLength(1);
  });

  test('at most three ranges of RAM are marked', () => {
    const many = [0n, 1n, 2n, 3n, 4n].map((n) =>
      window(0x1000_0000n + n * 0x2000n, 0x1000_0fffn + n * 0x2000n, 'ram', `RAM ${n}`),
    );
    expect(onlyConflict([region, ...many]).marks).toHaveLength(4);
  });
});

describe('BARs', () => {
  test('beyond the aperture: a note with the place for BARs', () => {
    const found = onlyConflict([width(39), bar(0x80_0000_0000n, 0x80_0000_ffffn, { index: 2 })]);
    expect(found).toMatchObject({
      id: 'bar-beyond-aperture 0000:01:00.0 2',
      rule: 'bar-beyond-aperture',
      severity: 'note',
      errno: 'EINVAL',
      title: 'BAR 2 of 0000:01:00.0 needs 40 bits, the IOMMU has 39',
      remedy:
        'Place BARs below 0x8000000000: limit the guest to phys-bits=39, or set the 64-bit MMIO window of the firmware.',
    });
    expect(markBounds(found)).toEqual([
      ['requested', 0x80_0000_0000n, 0x80_0000_ffffn],
      ['obstacle', 0x80_0000_0000n, 0x80_0000_ffffn],
    ]);
    expect(found.provenance).toEqual([
      { source: 'lspci', line: 6 },
      { source: 'log', line: 5 },
    ]);
    expect(rules([width(39), bar(0x7f_ffff_0000n, 0x7f_ffff_ffffn)])).toEqual([]);
  });

  test('beyond an aperture with other bounds', () => {
    const odd = [MSI, aperture(0x1000n, 0xfff_ffffn, { group: '1' }), bar(0x1000_0000n, 0x1000_ffffn)];
    expect(onlyConflict(odd).remedy).toBe('Place BARs inside 0x1000-0xfffffff.');
    const apart = [MSI, aperture(0n, 0xfffn, { group: '1' }), aperture(0x1000n, 0x1fffn, { group: '1' })];
    expect(onlyConflict([...apart, bar(0x1000_0000n, 0x1000_ffffn)]).remedy).toContain('Usually none is needed');
  });

  test('over a window or a reserved region, at either bound; not over a direct one', () => {
    const found = onlyConflict([MSI, bar(0xfeef_f000n, 0xfeff_ffffn)]);
    expect(found).toMatchObject({
      id: 'bar-over-reserved 0000:01:00.0 0',
      rule: 'bar-over-reserved',
      severity: 'note',
      errno: 'EINVAL',
      title: 'BAR 0 of 0000:01:00.0 overlaps the MSI window 0xfee00000-0xfeefffff',
    });
    expect(markBounds(found)).toEqual([
      ['requested', 0xfeef_f000n, 0xfeff_ffffn],
      ['obstacle', 0xfee0_0000n, 0xfeef_ffffn],
    ]);
    expect(found.provenance).toEqual([
      { source: 'lspci', line: 6 },
      { source: 'host', line: 1 },
    ]);
    expect(rules([MSI, bar(0xfef0_0000n, 0xfeff_ffffn)])).toEqual([]);
    expect(onlyConflict([reserved(0x5000n, 0x5fffn, 'reserved'), bar(0x5000n, 0x5fffn)]).title).toContain(
      'overlaps the reserved region 0x5000-0x5fff',
    );
    expect(rules([reserved(0x5000n, 0x5fffn, 'direct-relaxable'), bar(0x5000n, 0x5fffn)])).toEqual([]);
  });

  test('that are not aligned to large pages; with pages of 4 KiB that is normal', () => {
    const small = bar(0x8000_4000n, 0x8000_7fffn);
    const found = onlyConflict([MSI, small], undefined, 0x1_0000n);
    expect(found).toMatchObject({ id: 'misaligned 0000:01:00.0 0', rule: 'misaligned', severity: 'note' });
    expect(markBounds(found)).toEqual([['requested', 0x8000_4000n, 0x8000_7fffn]]);
    expect(rules([MSI, small], 0x4000n)).toEqual([]);
    expect(rules([MSI, bar(0x8000_0000n, 0x8000_00ffn)], 0x1000n)).toEqual([]);
    expect(rules([MSI, bar(0x8000_0000n, 0x8000_00ffn)], 0x2000n)).toEqual(['misaligned']);
    // Only the first of its conflicts is reported.
    expect(rules([MSI, bar(0xfee0_0000n, 0xfee0_00ffn)], 0x1_0000n)).toEqual(['bar-over-reserved']);
  });
});

test('sources that disagree: one conflict each', () => {
  const found = conflictsOf([
    group('1', ['a'], { type: 'DMA' }),
    group('1', ['a'], { type: 'identity', source: 'other' }),
    group('2', ['a']),
  ]);
  expect(found.map(({ id, title, message }) => [id, title, message])).toEqual([
    [
      'contradiction 0 group 1',
      'Sources disagree about group 1',
      'Domain type of group 1: DMA vs identity. Both are shown.',
    ],
    ['contradiction 1 a', 'Sources disagree about a', 'Group of a: 1 vs 2. Both are shown.'],
  ]);
  expect(found[0]?.provenance).toEqual([
    { source: 'groups', line: 1 },
    { source: 'other', line: 1 },
  ]);
});

describe('a group with a direct region, by the kernel and the IOMMU', () => {
  const direct = [group('3', ['0000:00:05.0']), reserved(0x3f00_0000n, 0x3f7f_ffffn, 'direct', '3')];
  const amd: SessionEvent = { kind: 'iommu', name: 'ivhd0', driver: 'amd', source: 'log' };
  const on = (kernel: string): SessionEvent => ({ kind: 'host', kernel, source: 'log' });

  test.each<[string, SessionEvent, string, string | undefined, RegExp]>([
    ['Intel, 5.10', width(39), '5.10.223', 'EPERM', /log then has: "Device is ineligible for IOMMU domain attach/],
    ['Intel, 6.1', width(39), '6.1.0-18-amd64', 'EPERM', /log then has: "Device is ineligible for IOMMU domain attach/],
    ['Intel, 6.12', width(39), '6.12', 'EINVAL', /log then has: "Firmware has requested this device have a 1:1/],
    ['AMD, 6.1', amd, '6.1', undefined, /on Linux 6\.1 accepts it .* map over it is refused \(EINVAL\)/],
    ['AMD, 6.12', amd, '6.12', 'EINVAL', /log then has: "Firmware has requested this device have a 1:1/],
  ])('%s', (_name, iommu, kernel, errno, message) => {
    const found = onlyConflict([iommu, on(kernel), ...direct]);
    expect(found).toMatchObject({ rule: 'group-has-direct', severity: errno === undefined ? 'note' : 'fatal' });
    expect(found.errno).toBe(errno);
    expect(found.message).toMatch(message);
  });

  test('an unknown IOMMU or kernel is one that refuses', () => {
    expect(onlyConflict([on('6.1'), ...direct])).toMatchObject({ severity: 'fatal', errno: 'EINVAL' });
    expect(onlyConflict([amd, ...direct])).toMatchObject({ severity: 'fatal', errno: 'EINVAL' });
  });

  test('what is accepted is assignable, and RAM over it is refused', () => {
    const hostOf = (kernel: string) => spaceOf([amd, on(kernel), ...direct, group('4', ['0000:00:06.0'])]).host;
    const assignable = (kernel: string) => {
      const host = hostOf(kernel);
      return host.groups.filter((one) => isAssignable(host, one)).map((one) => one.group);
    };
    expect(assignable('6.1')).toEqual(['3', '4']);
    expect(assignable('6.12')).toEqual(['4']);
    const refused = conflictsOf([amd, on('6.1'), ...direct], guest(0n, 0x7fff_ffffn));
    expect(refused[0]).toMatchObject({ severity: 'fatal', errno: 'EINVAL' });
  });
});
