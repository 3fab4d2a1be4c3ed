import { expect, test } from 'vitest';
import type { Fact } from '../../session/events.ts';
import { buildHost } from '../host/build-host.ts';
import { commonSpace } from '../space/common-space.ts';
import { cpuWidthConflicts } from './cpu-width.ts';

function conflictsOf(cpu: number, iommu: number) {
  const facts: Fact[] = [
    { kind: 'host', cpu_physical_bits: cpu, cpu_virtual_bits: 48 },
    { kind: 'iommu', name: 'dmar0', driver: 'intel', address_width: iommu },
  ];
  const host = buildHost('a', 'a', facts);
  return cpuWidthConflicts(commonSpace(host, host.groups));
}

test('a processor with more bits than the IOMMU is noted, with the limit for guests', () => {
  const [conflict] = conflictsOf(46, 39);
  expect(conflict).toMatchObject({ rule: 'cpu-wider-than-iommu', severity: 'note' });
  expect(conflict?.answer).toContain('0x7fffffffff');
  expect(conflict?.remedies?.[0]?.copy).toBe('-cpu host,host-phys-bits-limit=39');
});

test('the width of the processor is no aperture', () => {
  const host = buildHost('a', 'a', [{ kind: 'host', cpu_physical_bits: 39, cpu_virtual_bits: 48 }]);
  expect(host.apertures).toEqual([]);
  expect(conflictsOf(39, 39)).toEqual([]);
  expect(conflictsOf(39, 48)).toEqual([]);
});
