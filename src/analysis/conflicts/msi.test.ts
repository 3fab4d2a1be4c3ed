import { describe, expect, test } from 'vitest';
import { iova } from '../../iova/iova.ts';
import type { SessionEvent } from '../../session/events.ts';
import { conflictsOf, MSI, markBounds, onlyConflict, reserved, SW_MSI, window } from '../testing/facts.ts';

const message = (address: bigint, device = '0000:05:00.0', line = 3): SessionEvent => ({
  kind: 'msi_message',
  device,
  address: iova(address),
  enabled: true,
  source: 'lspci',
  line,
});
const rules = (...events: SessionEvent[]) => conflictsOf(events).map(({ rule }) => rule);

describe('two kinds of MSI windows', () => {
  test('the software window at its default address, and a hardware one', () => {
    const found = onlyConflict([SW_MSI, reserved(0xc601_0000n, 0xc601_ffffn, 'msi', '2', { line: 2 })]);
    expect(found).toMatchObject({
      id: 'two-msi-kinds',
      rule: 'two-msi-kinds',
      severity: 'warning',
      source: 'Linux 6.12, vfio_iommu_has_sw_msi',
    });
    expect(found.errno).toBeUndefined();
    expect(markBounds(found)).toEqual([
      ['requested', 0x800_0000n, 0x80f_ffffn],
      ['obstacle', 0xc601_0000n, 0xc601_ffffn],
    ]);
    expect(found.provenance).toEqual([
      { source: 'host', line: 1 },
      { source: 'host', line: 2 },
    ]);
  });

  test('one kind alone is fine, and so are other types', () => {
    expect(rules(SW_MSI)).toEqual([]);
    expect(rules(MSI, reserved(0xc601_0000n, 0xc601_ffffn, 'msi', '2'))).toEqual([]);
    expect(rules(SW_MSI, reserved(0xc601_0000n, 0xc601_ffffn, 'reserved', '2'))).toEqual([]);
    expect(rules(reserved(0x800_0000n, 0x80f_fffen, 'msi'), MSI)).toEqual([]);
    expect(rules(reserved(0x800_0001n, 0x80f_ffffn, 'msi'), MSI)).toEqual([]);
  });
});

describe('interrupts outside of every window', () => {
  test('both bounds of a window count', () => {
    expect(rules(MSI, message(0xfee0_0000n), message(0xfeef_ffffn))).toEqual([]);
    expect(rules(MSI, message(0xfedf_fffcn))).toEqual(['msi-outside-window']);
    expect(rules(MSI, message(0xfef0_0000n))).toEqual(['msi-outside-window']);
  });

  test('devices with the same address are one conflict, others are their own', () => {
    const found = conflictsOf([
      MSI,
      message(0x1000n, 'a', 3),
      message(0x1000n, 'b', 4),
      message(0x2000n, 'a', 5),
      message(0xfee0_0000n, 'c', 6),
    ]);
    expect(found.map(({ title, severity }) => [title, severity])).toEqual([
      ['a and b: interrupts are written to 0x1000, outside every MSI window', 'warning'],
      ['a: interrupts are written to 0x2000, outside every MSI window', 'warning'],
    ]);
    expect(found[0]?.provenance).toEqual([
      { source: 'lspci', line: 3 },
      { source: 'lspci', line: 4 },
    ]);
    expect(found[0] && markBounds(found[0])).toEqual([
      ['requested', 0x1000n, 0x1000n],
      ['obstacle', 0xfee0_0000n, 0xfeef_ffffn],
    ]);
    expect(found[0]?.message).toContain('0xfee00000-0xfeefffff (1 MiB)');
  });

  test('without listed windows that of x86 counts, if the host is one; else nothing is known', () => {
    const x86: SessionEvent = { kind: 'host', arch: 'x86_64', source: 'log' };
    const arm: SessionEvent = { kind: 'host', arch: 'aarch64', source: 'log' };
    expect(rules(x86, message(0x1000n))).toEqual(['msi-outside-window']);
    expect(rules(x86, message(0xfee0_0000n))).toEqual([]);
    expect(rules(arm, message(0x1000n))).toEqual([]);
    expect(rules(message(0x1000n))).toEqual([]);
    // A listed window replaces it.
    expect(rules(x86, reserved(0x2000n, 0x2fffn, 'msi'), message(0xfee0_0000n))).toEqual(['msi-outside-window']);
  });

  test('at most two windows are marked', () => {
    const windows = [1n, 2n, 3n].map((n) => reserved(n << 20n, (n << 20n) + 0xffffn, 'msi'));
    expect(onlyConflict([...windows, message(0x1000n)]).marks).toHaveLength(3);
  });
});

describe('a software window over a PCI window of the host', () => {
  const pci = window(0x800_0000n, 0x3eff_ffffn, 'pci', 'PCI Bus 0000:00');

  test('with places where it would fit, aligned to its size', () => {
    const found = onlyConflict([SW_MSI, pci]);
    expect(found).toMatchObject({
      id: 'msi-window-over-pci 134217728-135266303',
      rule: 'msi-window-over-pci',
      severity: 'warning',
      source: 'Linux 6.12, iommu_dma_get_resv_regions',
      title: 'The MSI window 0x8000000-0x80fffff overlaps "PCI Bus 0000:00" of the host',
      remedy: 'A window of 1 MiB would fit at 0x100000 and 0x3f000000; iommu-addresses in the device tree can move it.',
    });
    expect(found.errno).toBeUndefined();
    expect(markBounds(found)).toEqual([
      ['requested', 0x800_0000n, 0x80f_ffffn],
      ['obstacle', 0x800_0000n, 0x3eff_ffffn],
    ]);
    expect(found.provenance).toEqual([
      { source: 'host', line: 1 },
      { source: 'iomem', line: 8 },
    ]);
  });

  test('what else is there is not free: windows that are known, other regions', () => {
    const events = [
      SW_MSI,
      pci,
      window(0x10_0000n, 0x7ff_ffffn, 'ram', 'System RAM'),
      window(0x3f00_0000n, 0xffff_ffffn, 'mmio', 'device'),
      window(0n, 0xffff_ffffn, 'other', 'unknown'),
    ];
    expect(onlyConflict(events).remedy).toBe('These dumps show no free place for a window of this size below 4 GiB.');
    const withRegion = [SW_MSI, pci, reserved(0x10_0000n, 0x7ff_ffffn, 'reserved')];
    expect(onlyConflict(withRegion).remedy).toContain('would fit at 0x3f000000;');
  });

  test('ECAM counts too; RAM, a window beside it, and a hardware window do not', () => {
    expect(rules(SW_MSI, window(0x80f_ffffn, 0x8ff_ffffn, 'ecam', 'ECAM'))).toEqual(['msi-window-over-pci']);
    expect(rules(SW_MSI, window(0x810_0000n, 0x8ff_ffffn, 'pci', 'PCI'))).toEqual([]);
    expect(rules(SW_MSI, window(0x800_0000n, 0x8ff_ffffn, 'ram', 'RAM'))).toEqual([]);
    expect(rules(MSI, window(0xfee0_0000n, 0xfeef_ffffn, 'pci', 'PCI'))).toEqual([]);
    expect(rules(reserved(0x800_0000n, 0x80f_ffffn, 'reserved'), pci)).toEqual([]);
    // A part of the default window is one as well.
    expect(rules(reserved(0x800_0000n, 0x800_ffffn, 'msi'), pci)).toEqual(['msi-window-over-pci']);
  });
});
