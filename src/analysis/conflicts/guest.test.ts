import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import { rangeSet } from '../../iova/range-set.ts';
import {
  aperture,
  conflictsOf,
  GIB,
  guest,
  MSI,
  machine,
  markBounds,
  onlyConflict,
  reserved,
  spaceOf,
  width,
} from '../testing/facts.ts';
import { findConflicts } from './find-conflicts.ts';
import { blockedOf, outsideConflicts } from './guest.ts';

const rules = (...args: Parameters<typeof conflictsOf>) => conflictsOf(...args).map(({ rule }) => rule);

describe('guest memory over a reserved region', () => {
  test('one shared address is enough, at either bound; the addresses beside it are free', () => {
    expect(rules([MSI], guest(0xfed0_0000n, 0xfee0_0fffn))).toEqual(['guest-over-reserved']);
    expect(rules([MSI], guest(0xfeef_f000n, 0xfeff_ffffn))).toEqual(['guest-over-reserved']);
    expect(rules([MSI], guest(0xfed0_0000n, 0xfedf_ffffn))).toEqual([]);
    expect(rules([MSI], guest(0xfef0_0000n, 0xfeff_ffffn))).toEqual([]);
  });

  test('the groups to leave out are all that reserve any of it, in their order, and no others', () => {
    const found = conflictsOf(
      [
        reserved(0x9000_0000n, 0x9000_0fffn, 'reserved', '7'),
        reserved(0x1_0000_0000n, 0x1_0000_0fffn, 'reserved', '2'),
        // Of another type, so it is a conflict of its own; it begins long before the next one, and ends behind it.
        reserved(0x4000_0000n, 0x9fff_ffffn, 'msi', '5'),
      ],
      guest(0x9000_0000n, 0x9000_ffffn),
    );
    expect(found.map(({ remedies = [] }) => remedies.at(-1)?.action)).toEqual([
      { kind: 'leave-out-groups', groups: ['5', '7'] },
      { kind: 'leave-out-groups', groups: ['5', '7'] },
    ]);
  });

  test('says what, why, by whom and from where', () => {
    const found = onlyConflict([MSI], guest(0xfe00_0000n, 0xfee0_0fffn));
    expect(found).toEqual({
      id: 'guest-over-reserved 4261412864-4276097023 4276092928-4277141503 msi',
      rule: 'guest-over-reserved',
      severity: 'fatal',
      title: 'Guest memory "pc.ram" overlaps the MSI window 0xfee00000-0xfeefffff',
      message:
        '0xfee00000-0xfee00fff (4 KiB) of 0xfe000000-0xfee00fff (≈ 14 MiB) is MSI window of group 1: no mapping may overlap it. The VMM maps all guest memory, so the guest does not start with an assigned device.',
      errno: 'EINVAL',
      source: 'Linux 6.12, vfio_iommu_iova_dma_valid; iopt_check_iova',
      remedy: 'A range of this size would fit at 0x0.',
      marks: [
        { role: 'requested', ...range(0xfe00_0000n, 0xfee0_0fffn), message: 'guest: pc.ram' },
        { role: 'obstacle', ...range(0xfee0_0000n, 0xfeef_ffffn), message: 'MSI window of group 1' },
      ],
      provenance: [
        { source: 'mtree', line: 4 },
        { source: 'host', line: 1 },
      ],
      answer:
        'guest does not fit: its RAM 0xfe000000-0xfee00fff (≈ 14 MiB) ("pc.ram") overlaps 0xfee00000-0xfeefffff, the MSI window of group 1 (EINVAL on Linux 6.12).',
      remedies: [],
      kind: 'guest guest over msi fatal',
      kindLabel: { unit: 'overlap', text: 'guest memory over MSI window' },
    });
  });

  test('names the type of a region that is not an MSI window, and each owner once', () => {
    const region = (name: string) => reserved(0x1000_0000n, 0x1000_ffffn, 'reserved', name);
    const found = onlyConflict([region('1'), region('2'), region('2')], guest(0x1000_0000n, 0x1fff_ffffn));
    expect(found.title).toBe('Guest memory "pc.ram" overlaps the reserved region 0x10000000-0x1000ffff (reserved)');
    expect(found.message).toContain('is reserved of group 1 and group 2:');
  });

  test('a direct region: the group cannot be assigned, so exclude it; a relaxable one does not block', () => {
    const direct = [reserved(0x1000_0000n, 0x1000_ffffn, 'direct')];
    const found = conflictsOf(direct, guest(0x1000_0000n, 0x1fff_ffffn));
    expect(found.map(({ rule }) => rule).sort()).toEqual(['group-has-direct', 'guest-over-reserved']);
    const over = found.find(({ rule }) => rule === 'guest-over-reserved');
    expect(over?.remedy).toMatch(
      /^Devices of group 1 cannot be assigned, regardless of the RAM size: exclude group 1\.$/,
    );
    expect(rules([reserved(0n, 0xff_ffffn, 'direct-relaxable')], guest(0n, 0xff_ffffn))).toEqual([]);
  });

  test('memory of a device is a note, a device itself does not count', () => {
    const device = onlyConflict([MSI], guest(0xfee0_0000n, 0xfee0_0fffn, 'ramd', 'BAR 0'));
    expect(device).toMatchObject({ severity: 'note', errno: 'EINVAL' });
    expect(device.title).toContain('Device memory "BAR 0" overlaps');
    expect(device.message).toContain('Only peer-to-peer DMA needs this mapping');
    expect(rules([MSI], guest(0xfee0_0000n, 0xfee0_0fffn, 'i/o'))).toEqual([]);
    expect(rules([MSI], guest(0xfee0_0000n, 0xfee0_0fffn, 'rom'))).toEqual(['guest-over-reserved']);
  });

  test('a size that fits nowhere: the largest free range, or none', () => {
    const events = [reserved(0x1000_0000n, 0x1000_ffffn, 'reserved'), width(30)];
    const large = conflictsOf(events, guest(0n, 0x3fff_ffffn));
    expect(large[0]?.remedy).toBe('No free range is large enough; the largest has 766 MiB at 0x10200000.');
    const nothing = conflictsOf([reserved(0n, 0x3fff_ffffn, 'reserved'), width(30)], guest(0n, 0xfffn));
    expect(nothing[0]?.remedy).toBe('No free range.');
  });
});

describe('a machine', () => {
  const hole = reserved(0xfd_0000_0000n, 0xff_ffff_ffffn, 'reserved');

  test('which sizes of RAM fit', () => {
    expect(onlyConflict([MSI], machine('virt', 4n * GIB)).remedy).toBe('RAM sizes of virt that fit: up to ≈ 2.98 GiB.');
  });

  test('over the HyperTransport range: QEMU moves the memory above 1 TiB, if that fits', () => {
    const fits = onlyConflict([hole], machine('q35', 1100n * GIB)).remedy;
    expect(fits).toContain('RAM sizes of q35 that fit: up to 1010 GiB');
    expect(fits).toContain('moves this memory above 1 TiB (q35-amd): that fits and needs phys-bits=42 or more.');
    const pc = onlyConflict([hole], machine('pc', 1100n * GIB)).remedy;
    expect(pc).toContain('(pc-amd): that fits and needs phys-bits=42 or more.');
    const beyond = conflictsOf([hole, width(40)], machine('q35', 1100n * GIB));
    const over = beyond.find(({ rule }) => rule === 'guest-over-reserved');
    expect(over?.remedy).toContain('(q35-amd): that does not fit on this host either.');
  });

  test('one that is already moved, or not over that range, gets no such advice', () => {
    const above = [reserved(0x100_0000_0000n, 0x1ff_ffff_ffffn, 'reserved')];
    expect(onlyConflict(above, machine('q35-amd', 1100n * GIB)).remedy).not.toContain('QEMU 7.1');
    expect(onlyConflict(above, machine('q35', 1100n * GIB)).remedy).not.toContain('QEMU 7.1');
    expect(onlyConflict([hole], machine('virt', 1100n * GIB)).remedy).not.toContain('QEMU 7.1');
  });
});

describe('guest memory beyond the aperture', () => {
  test('from the first address above it; the last one below is free', () => {
    // An IOMMU that does not show the platform: nothing is assumed to be reserved.
    const aperture = [width(39, { driver: 'virtio' })];
    expect(rules(aperture, guest(0n, 0x7f_ffff_ffffn))).toEqual([]);
    const found = onlyConflict(aperture, guest(0n, 0x80_0000_0fffn));
    expect(found).toMatchObject({
      rule: 'guest-beyond-aperture',
      severity: 'fatal',
      errno: 'EINVAL',
      source: 'Linux 6.12, vfio_iommu_iova_dma_valid; iopt_check_iova',
      title: 'Guest memory "pc.ram" needs 40 bits, the IOMMU has 39',
    });
    expect(markBounds(found)).toEqual([
      ['requested', 0n, 0x80_0000_0fffn],
      ['obstacle', 0x80_0000_0000n, 0x80_0000_0fffn],
    ]);
    expect(found.message).toContain('0x8000000000-0x8000000fff (4 KiB) of');
    expect(found.message).toContain('is outside the aperture (dmar0, 39 bits)');
    expect(found.provenance).toEqual([
      { source: 'mtree', line: 4 },
      { source: 'log', line: 5 },
    ]);
    expect(found.remedy).not.toContain('BARs');
  });

  test('an aperture that does not start at 0: its bounds, and no widths', () => {
    const events = [MSI, aperture(0x10_0000n, 0x7f_ffff_ffffn, { group: '1' })];
    const found = onlyConflict(events, guest(0n, 0xf_ffffn));
    expect(found.title).toBe('Guest memory "pc.ram" is below the aperture 0x100000-0x7fffffffff');
  });

  test('memory of a device: where BARs must be', () => {
    const found = onlyConflict([width(39)], guest(0x80_0000_0000n, 0x80_0000_0fffn, 'ramd'));
    expect(found.severity).toBe('note');
    expect(found.remedy).toContain('Place BARs below 0x8000000000, for example by limiting the guest to phys-bits=39.');
    const odd = [MSI, aperture(0x10_0000n, 0x7f_ffff_ffffn, { group: '1' })];
    expect(onlyConflict(odd, guest(0n, 0xfffn, 'ramd')).remedy).toContain('Place BARs inside 0x100000-0x7fffffffff.');
    const apart = [MSI, aperture(0n, 0xffffn, { group: '1' }), aperture(0x1_0000n, 0x1_ffffn, { group: '1' })];
    expect(onlyConflict(apart, guest(0n, 0xfffn, 'ramd')).remedy).toBe('No free range.');
  });
});

describe('guest memory that is not aligned', () => {
  test('RAM with whole pages is a warning: which part can be mapped', () => {
    const found = onlyConflict([MSI], guest(0x800n, 0x3fffn));
    expect(found).toMatchObject({
      rule: 'misaligned',
      severity: 'warning',
      errno: 'EINVAL',
      source: 'Linux 6.12, vfio_dma_do_map; iopt_alloc_area_pages',
      title: 'Guest memory "pc.ram" is not aligned to pages of 4 KiB',
      remedy: 'Align it to 4 KiB, or use a host kernel with smaller pages.',
    });
    expect(found.message).toContain('Only 0x1000-0x3fff can be mapped.');
    expect(onlyConflict([MSI], guest(0x1000n, 0x37ffn)).message).toContain('Only 0x1000-0x2fff can be mapped.');
  });

  test('less than a page, or of a device, is a note', () => {
    const small = onlyConflict([MSI], guest(0x1800n, 0x27ffn));
    expect([small.severity, small.message.includes('no whole page')]).toEqual(['note', true]);
    expect(onlyConflict([MSI], guest(0x800n, 0x3fffn, 'ramd')).severity).toBe('note');
  });

  test('the page size is the largest of the IOMMUs, or the one that is given', () => {
    const pages = (bitmap: bigint) =>
      aperture(0n, 0xffff_ffffn, { group: '1', pgsize_bitmap: range(bitmap, bitmap).start });
    const tried = guest(0n, 0x3fffn);
    expect(rules([MSI, pages(0x1000n)], tried)).toEqual([]);
    expect(rules([MSI, pages(0x1_0000n), pages(0x1000n)], tried)).toEqual(['misaligned']);
    expect(rules([MSI, pages(0x2020_0000n | 0x4000n)], tried)).toEqual([]);
    expect(rules([MSI, pages(0x1_0000n)], tried, 0x1000n)).toEqual([]);
    expect(rules([MSI, pages(0x100n)], guest(0n, 0x7ffn))).toEqual(['misaligned']);
  });
});

describe('a guest on listed ranges', () => {
  const usable = rangeSet([range(0n, 0xfedf_ffffn), range(0xfef0_0000n, 0x7f_ffff_ffffn)]);
  const listed = { name: 'pid 7', usable, provenance: [{ source: 'info', line: 3 }] };

  test('what is outside of them, and by whose rule', () => {
    const [found, ...more] = outsideConflicts(listed, guest(0xfe00_0000n, 0xffff_ffffn));
    expect(more).toEqual([]);
    expect(found).toMatchObject({
      id: 'guest-outside-ranges pid 7 4261412864-4294967295',
      rule: 'guest-outside-ranges',
      severity: 'fatal',
      errno: 'EINVAL',
      title: 'Guest memory "pc.ram" is not inside the valid ranges of pid 7',
      remedy: 'Move it into one of the valid ranges.',
      provenance: [
        { source: 'mtree', line: 4 },
        { source: 'info', line: 3 },
      ],
    });
    expect(found?.message).toMatch(/^0xfee00000-0xfeefffff \(1 MiB\) of 0xfe000000-0xffffffff/);
    expect(found && markBounds(found)).toEqual([
      ['requested', 0xfe00_0000n, 0xffff_ffffn],
      ['obstacle', 0xfee0_0000n, 0xfeef_ffffn],
    ]);
    expect(outsideConflicts({ ...listed, api: 'iommufd' }, guest(0xfee0_0000n, 0xfee0_0fffn))[0]?.source).toBe(
      'Linux 6.12, iopt_check_iova',
    );
  });

  test('nothing where all memory is inside, devices are notes, a machine gets sizes', () => {
    expect(outsideConflicts(listed, guest(0n, 0xfedf_ffffn))).toEqual([]);
    expect(outsideConflicts(listed, guest(0xfee0_0000n, 0xfee0_0fffn, 'i/o'))).toEqual([]);
    expect(outsideConflicts(listed, guest(0xfee0_0000n, 0xfee0_0fffn, 'ramd'))[0]?.severity).toBe('note');
    expect(outsideConflicts(listed, machine('virt', 4n * GIB))[0]?.remedy).toContain('RAM sizes of virt that fit:');
  });

  test('at most three gaps and three places are shown', () => {
    const holes = rangeSet([0n, 2n, 4n, 6n, 8n].map((n) => range(n * 0x1000n, n * 0x1000n + 0xfffn)));
    const places = [1, 2, 3, 4, 5].map((line) => ({ source: 'info', line }));
    const [found] = outsideConflicts({ name: 'c', usable: holes, provenance: places }, guest(0n, 0x9fffn));
    expect(found?.marks).toHaveLength(4);
    expect(found?.provenance).toHaveLength(4);
  });
});

test('several guests: the conflicts of each have their own ids', () => {
  const tried = guest(0xfee0_0000n, 0xfee0_0fffn);
  const found = findConflicts({ space: spaceOf([MSI]), mappings: [], guests: [tried, tried, tried] });
  const [id] = found.map((conflict) => conflict.id);
  expect(found.map((conflict) => conflict.id)).toEqual([id, `${id} of guest 2`, `${id} of guest 3`]);
});

test('what blocks mappings is everything that is not usable', () => {
  expect(blockedOf(spaceOf([MSI]))).toEqual([range(0xfee0_0000n, 0xfeef_ffffn)]);
});
