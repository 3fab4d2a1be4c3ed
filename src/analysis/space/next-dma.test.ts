import { describe, expect, test } from 'vitest';
import { hex } from '../../iova/format.ts';
import type { SessionEvent } from '../../session/events.ts';
import { aperture, group, MSI, reserved, spaceOf, width, window } from '../testing/facts.ts';
import { allocatorStepText, type DmaQuestion, nextDmaAddresses } from './next-dma.ts';

const NIC = '0000:01:00.0';
const MASK_64 = (1n << 64n) - 1n;
const MASK_32 = 0xffff_ffffn;
const ask = (events: readonly SessionEvent[], more: Partial<DmaQuestion> = {}) =>
  nextDmaAddresses(spaceOf(events), { device: NIC, mask: MASK_64, size: 0x1000n, count: 2, ...more });
const places = (events: readonly SessionEvent[], more: Partial<DmaQuestion> = {}) =>
  ask(events, more).addresses.map(hex);

describe('where the next page of a device goes', () => {
  const host = [group('1', [NIC]), MSI, width(48)];

  test('a PCI device: just below 4 GiB, whatever its mask', () => {
    expect(places(host)).toEqual(['0xfffff000', '0xffffe000']);
    expect(places(host, { mask: MASK_32, size: 0x3000n })).toEqual(['0xffffc000', '0xffff8000']);
  });

  test('past windows of the host bridge and reserved regions', () => {
    const bridge = window(0xfec0_0000n, MASK_32, 'pci', 'PCI Bus 0000:00');
    expect(places([...host, bridge])).toEqual(['0xfebff000', '0xfebfe000']);
    expect(places([...host, reserved(0xffff_f000n, MASK_32, 'reserved')])).toEqual(['0xffffe000', '0xffffd000']);
  });

  test('a platform device, forcedac, and a device whose 32 bits ran out: the top of the aperture', () => {
    const top = ['0xfffffffff000', '0xffffffffe000'];
    expect(places(host, { device: 'fd5d0000.usb' })).toEqual(top);
    expect(places([...host, { kind: 'host', options: 'iommu.forcedac=1', source: 'log' }])).toEqual(top);
    const wide: SessionEvent = { kind: 'device', device: NIC, dma_bits: 48, source: 'log' };
    expect(places([...host, wide])).toEqual(top);
    expect(ask([...host, wide]).assumed).toContain(
      'the log says "Using 48-bit DMA addresses", so 32 bits are not tried',
    );
  });

  test('in pages of the IOMMU, and no further than there is room', () => {
    const small = aperture(0n, 0x3_ffffn, { pgsize_bitmap: 0x1_0000n as never });
    expect(places([group('1', [NIC]), small], { count: 9 })).toEqual(['0x30000', '0x20000', '0x10000']);
  });

  test('says what is assumed', () => {
    expect(ask([group('1', [NIC], { type: 'identity' }), MSI]).assumed).toEqual([
      'nothing is mapped in its domain yet, strict mode, one CPU',
      'its default domain is "identity": then its DMA addresses are physical ones instead',
      'the width of the IOMMU is not in these dumps',
      'the windows of the PCI host bridge (/proc/iomem) are not in these dumps',
    ]);
  });

  test('and how it was found', () => {
    expect(ask(host).steps.map(allocatorStepText)).toEqual([
      'PCI device: addresses below 4 GiB are tried first',
      'no freed range of this size is kept',
      'search down from the 32-bit cursor at 0x100000000',
      'found 0xfffff000-0xffffffff',
    ]);
  });
});
