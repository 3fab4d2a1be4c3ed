import { describe, expect, test } from 'vitest';
import { iova } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { SessionEvent } from '../../session/events.ts';
import { fault, MSI, reserved, width } from '../testing/facts.ts';
import { buildHost } from './build-host.ts';
import { likelyObstacles } from './platform-ranges.ts';
import { architectureOf } from './platforms.ts';
import { isRegionType, meaningOf } from './region-types.ts';

const host = (...events: SessionEvent[]) => buildHost('h', 'host', events);
const A = iova;
const arch = (name: string): SessionEvent => ({ kind: 'host', arch: name, source: 'log' });

describe('the architecture', () => {
  test.each([
    ['x86_64', 'x86'],
    ['i686', 'x86'],
    ['amd64', 'x86'],
    ['aarch64', 'arm'],
    ['armv7l', 'arm'],
    ['riscv64', undefined],
    ['i786', undefined],
  ])('%s', (name, expected) => {
    expect(architectureOf(host(arch(name)))).toBe(expected);
  });

  test('by the IOMMU, by who reported faults, by the MSI window; in this order', () => {
    expect(architectureOf(host(width(39)))).toBe('x86');
    expect(architectureOf(host(width(48, { driver: 'amd' })))).toBe('x86');
    expect(architectureOf(host(width(48, { driver: 'smmu-v3' })))).toBe('arm');
    expect(architectureOf(host(width(48, { driver: 'virtio' })))).toBeUndefined();
    for (const driver of ['intel', 'amd', 'amd_iommu']) expect(architectureOf(host(fault(1n, { driver })))).toBe('x86');
    expect(architectureOf(host(fault(1n, { driver: 'arm-smmu-v3' })))).toBe('arm');
    expect(architectureOf(host(fault(1n, { driver: undefined })))).toBeUndefined();
    expect(architectureOf(host(MSI))).toBe('x86');
    expect(architectureOf(host(reserved(0xfee0_0000n, 0xfee0_ffffn, 'msi')))).toBe('x86');
    expect(architectureOf(host(reserved(0xfee0_0000n, 0xfef0_0000n, 'msi')))).toBe('arm');
    expect(architectureOf(host(reserved(0x800_0000n, 0x80f_ffffn, 'msi')))).toBe('arm');
    expect(architectureOf(host(reserved(0x800_0000n, 0x80f_ffffn, 'reserved')))).toBeUndefined();
    expect(architectureOf(host(arch('riscv64'), width(39)))).toBe('x86');
    expect(architectureOf(host(arch('aarch64'), width(39)))).toBe('arm');
    expect(architectureOf(host(width(39), reserved(0x800_0000n, 0x80f_ffffn, 'msi')))).toBe('x86');
  });
});

describe('what a platform is known to reserve', () => {
  const starts = (events: SessionEvent[], first: bigint, last: bigint) =>
    likelyObstacles(host(...events), range(first, last)).map(({ platform, type, start, last: end }) => [
      platform,
      type,
      start,
      end,
    ]);
  const X86 = ['x86', 'msi', 0xfee0_0000n, 0xfeef_ffffn];
  const AMD = ['AMD', 'reserved', 0xfd_0000_0000n, 0xff_ffff_ffffn];
  const ARM = ['ARM', 'msi', 0x800_0000n, 0x80f_ffffn];

  test('of every platform that the host may be', () => {
    expect(starts([], 0n, 0xffff_ffff_ffffn)).toEqual([X86, AMD, ARM]);
    expect(starts([arch('x86_64')], 0n, 0xffff_ffff_ffffn)).toEqual([X86, AMD]);
    expect(starts([arch('aarch64')], 0n, 0xffff_ffff_ffffn)).toEqual([ARM]);
  });

  test('only what overlaps, at both bounds', () => {
    expect(starts([], 0xfeef_ffffn, 0xffff_ffffn)).toEqual([X86]);
    expect(starts([], 0xfef0_0000n, 0xfc_ffff_ffffn)).toEqual([]);
    expect(starts([], 0xfef0_0000n, 0xfd_0000_0000n)).toEqual([AMD]);
    expect(starts([], 0x810_0000n, 0xfedf_ffffn)).toEqual([]);
  });

  test('no HyperTransport range where the IVRS table says so, since Linux 6.16', () => {
    const features: SessionEvent = { kind: 'host', arch: 'x86_64', efr: A(0n), efr2: A(1n << 11n), source: 'log' };
    const kernel = (version: string): SessionEvent => ({ kind: 'host', kernel: version, source: 'log' });
    const both = (...events: SessionEvent[]) => starts(events, 0xfd_0000_0000n, 0xff_ffff_ffffn);
    expect(both(features, kernel('6.12'))).toEqual([AMD]);
    expect(both(features, kernel('6.16.12'))).toEqual([]);
    expect(both(features)).toEqual([]);
    expect(both(arch('x86_64'), kernel('6.16.12'))).toEqual([AMD]);
  });

  test('nothing where the dumps list regions', () => {
    expect(starts([reserved(0x1000n, 0x1fffn, 'reserved')], 0n, 0xffff_ffff_ffffn)).toEqual([]);
    expect(starts([{ kind: 'group', group: '1', devices: [], source: 'g' }], 0n, 0xffff_ffffn)).toEqual([X86, ARM]);
  });
});

describe('region types', () => {
  test.each([
    ['msi', 'MSI window', true],
    ['sw-msi', 'MSI window', true],
    ['direct', 'direct', true],
    ['direct-relaxable', 'direct-relaxable', false],
    ['reserved', 'reserved', true],
  ])('%s', (type, title, blocksMappings) => {
    expect(isRegionType(type)).toBe(true);
    expect(meaningOf(type)).toMatchObject({ title, blocksMappings });
  });

  test('an unknown word blocks, and is named', () => {
    expect(isRegionType('odd')).toBe(false);
    expect(meaningOf('odd')).toEqual({
      title: 'odd',
      sentence: "Unknown region type 'odd', treated like a reserved region. No memory can be mapped.",
      blocksMappings: true,
    });
    expect(meaningOf('toString').title).toBe('toString');
  });
});
