// The lanes of a model's address space, one describe each.
import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import { modelSource, rowsOf } from '../testing/sources.ts';
import { cursorsOfModel, keptOfModel } from './allocator.ts';
import { allowedOfModel } from './allowed.ts';
import { areasOfModel } from './areas.ts';
import { guestOfModel } from './guest.ts';
import { holesOfModel } from './holes.ts';
import { reservedOfModel } from './reserved.ts';
import { usableOfModel } from './usable.ts';

const ALLOC = { op: 'ioas.alloc', ioas: 'a' };
const map = (iova: string, length: string, flags: readonly string[] = ['read', 'write']) => ({
  ...{ op: 'ioas.map', ioas: 'a', flags: ['fixed', ...flags], user_va: '0x70000', length, iova },
});
const attach = (device: string, reserved: readonly object[], aperture = ['0x0', '0xffffffff']) => ({
  op: 'device.attach',
  device,
  ioas: 'a',
  domain: { iommu: 'vtd', aperture, pgsize_bitmap: '0x1000' },
  reserved,
});
const MSI = { start: '0xfee00000', last: '0xfeefffff', type: 'msi' };
const OPEN = { op: 'container.open', container: 'c', model: 'type1v2' };
const ATTACH_GROUP = {
  op: 'container.attach_group',
  container: 'c',
  group: '1',
  domain: { iommu: 'vtd', aperture: ['0x0', '0xffffffff'], pgsize_bitmap: '0x1000', enforce_cache_coherency: true },
  reserved: [MSI],
};
const MAP_DMA = {
  ...{ op: 'container.map_dma', container: 'c', flags: ['read'], vaddr: '0x1000', size: '0x1000', iova: '0x0' },
};

describe('areas', () => {
  test('have their access as style, and the event that made them', () => {
    const [lane] = areasOfModel(
      modelSource('iommufd', [
        ALLOC,
        map('0x1000', '0x2000'),
        map('0x4000', '0x1000', ['read']),
        map('0x6000', '0x1000', ['write']),
      ]),
    );
    expect(lane).toMatchObject({ id: 'm#areas', kind: 'areas', title: 'areas', subtitle: '3' });
    expect(rowsOf(lane)).toEqual([
      [
        '0x1000-0x2fff area va 0x7_0000',
        '0x4000-0x4fff area-read-only va 0x7_0000',
        '0x6000-0x6fff area-write-only va 0x7_0000',
      ],
    ]);
    expect(lane?.rows[0]?.uniform).toBe(false);
    expect(lane?.describe(0, 1)).toEqual({
      title: 'area',
      sentence: 'Mapped to user memory.',
      parts: [
        { owner: 'event 3', range: { start: 0x4000n, last: 0x4fffn }, provenance: [{ source: 'trace', line: 4 }] },
      ],
      values: { 'user address': '0x7_0000', access: 'read', pages: expect.stringMatching(/^object \d+$/) },
    });
    expect([0, 2].map((i) => lane?.describe(0, i).values?.access)).toEqual(['read and write', 'write']);
    expect(() => lane?.describe(0, 3)).toThrow(RangeError);
  });

  test('equal styles are known to be equal', () => {
    const [lane] = areasOfModel(modelSource('iommufd', [ALLOC, map('0x1000', '0x1000'), map('0x4000', '0x1000')]));
    expect(lane?.rows[0]?.uniform).toBe(true);
  });

  test('of a container are mappings, with how many are left', () => {
    const [lane] = areasOfModel(modelSource('type1', [OPEN, ATTACH_GROUP, MAP_DMA]));
    expect(lane?.title).toBe('mappings');
    expect(lane?.subtitle).toMatch(/^1, [\d,]+ left$/);
    expect(lane?.describe(0, 0).title).toBe('mapping');
  });
});

describe('the allocator of the DMA API', () => {
  const DMA_ATTACH = {
    ...{ op: 'dma.attach', device: 'nic', domain: 'd', aperture: ['0x0', '0xffffffffffff'], force_aperture: true },
    ...{ pgsize_bitmap: '0x1000', pci: true, forcedac: false, windows: [['0x80000000', '0x8fffffff']] },
    reserved: [MSI],
  };
  const dmaMap = (size: string, mask = '0xffffffff') => ({
    ...{ op: 'dma.map', device: 'nic', phys: '0x12345000', size, dma_mask: mask },
  });
  const dmaUnmap = (address: string, size: string) => ({ op: 'dma.unmap', device: 'nic', dma_addr: address, size });

  test('shows mappings with their memory, windows, cursors and what is kept', () => {
    const source = modelSource('dma-iommu', [
      DMA_ATTACH,
      dmaMap('0x1000'),
      dmaMap('0x2000'),
      dmaMap('0x1000'),
      dmaUnmap('0xfffff000', '0x1000'),
    ]);
    const [areas] = areasOfModel(source);
    expect(areas).toMatchObject({ title: 'mappings', subtitle: '2' });
    expect(rowsOf(areas)).toEqual([
      ['0xffffb000-0xffffbfff area pa 0x1234_5000', '0xffffc000-0xffffdfff area pa 0x1234_5000'],
    ]);
    expect(areas?.describe(0, 0).values).toEqual({ 'physical address': '0x1234_5000' });
    const [kept] = keptOfModel(source);
    expect(kept).toMatchObject({ title: 'caches', subtitle: '1 range, free but kept (4 KiB)' });
    expect(rowsOf(kept)).toEqual([['0xfffff000-0xffffffff kept 4 KiB']]);
    expect(kept?.describe(0, 0).sentence).toMatch(/kept for the next mapping of 4 KiB/);
    const [cursors] = cursorsOfModel(source);
    expect(cursors?.subtitle).toBe('32-bit 0xffff_b000 · 64-bit at the limit');
    expect(rowsOf(cursors)).toEqual([['0xffffb000-0xffffb000 cursor 32-bit cursor']]);
    const [reserved] = reservedOfModel(source);
    expect(rowsOf(reserved)).toEqual([
      ['0x80000000-0x8fffffff window-pci PCI window', '0xfee00000-0xfeefffff msi MSI window'],
    ]);
  });

  test('has two cursors once addresses above 4 GiB are used', () => {
    const [cursors] = cursorsOfModel(
      modelSource('dma-iommu', [{ ...DMA_ATTACH, pci: false }, dmaMap('0x1000', '0xffffffffffff'), dmaMap('0x1000')]),
    );
    expect(rowsOf(cursors)).toEqual([
      ['0xfffff000-0xfffff000 cursor 32-bit cursor', '0xfffffffff000-0xfffffffff000 cursor 64-bit cursor'],
    ]);
  });

  test('is of no other model', () => {
    const source = modelSource('iommufd', [ALLOC]);
    expect([...keptOfModel(source), ...cursorsOfModel(source)]).toEqual([]);
  });
});

describe('holes', () => {
  test('are between areas and reserved ranges', () => {
    const [lane] = holesOfModel(modelSource('iommufd', [ALLOC, attach('d', [MSI]), map('0x1000', '0x1000')]));
    expect(lane).toMatchObject({ id: 'm#holes', kind: 'holes' });
    expect(lane?.subtitle).toMatch(/^3 holes, /);
    expect(rowsOf(lane)).toEqual([['0x0-0xfff hole', '0x2000-0xfedfffff hole', '0xfef00000-0xffffffff hole']]);
    expect(lane?.rows[0]?.uniform).toBe(true);
    expect(lane?.describe(0, 0).title).toBe('hole');
  });

  test('no lane while nothing is mapped', () => {
    expect(holesOfModel(modelSource('iommufd', [ALLOC]))).toEqual([]);
  });
});

describe('usable ranges', () => {
  test('of an IOAS are what is not reserved, areas or not', () => {
    const [lane] = usableOfModel(modelSource('iommufd', [ALLOC, attach('d', [MSI]), map('0x1000', '0x1000')]));
    expect(rowsOf(lane)).toEqual([['0x0-0xfedfffff usable', '0xfef00000-0xffffffff usable']]);
    expect(lane?.subtitle).toBe('2 ranges, alignment 4 KiB');
    expect(lane?.describe(0, 0).sentence).toContain('IOMMU_IOAS_IOVA_RANGES');
  });

  test('of a container are its valid ranges', () => {
    const [lane] = usableOfModel(modelSource('type1', [OPEN, ATTACH_GROUP]));
    expect(rowsOf(lane)).toEqual([['0x0-0xfedfffff usable', '0xfef00000-0xffffffff usable']]);
    expect(lane?.describe(0, 0).sentence).toContain('VFIO_IOMMU_GET_INFO');
  });
});

describe('allowed ranges', () => {
  test('are shown if the choice of addresses is limited', () => {
    const allow = {
      op: 'ioas.allow_iovas',
      ioas: 'a',
      ranges: [
        ['0x10000', '0x1ffff'],
        ['0x40000', '0x4ffff'],
      ],
    };
    const [lane] = allowedOfModel(modelSource('iommufd', [ALLOC, allow]));
    expect(lane).toMatchObject({ id: 'm#allowed', subtitle: '2 ranges' });
    expect(rowsOf(lane)).toEqual([['0x10000-0x1ffff allowed allowed', '0x40000-0x4ffff allowed allowed']]);
    expect(lane?.describe(0, 0).title).toBe('allowed');
    expect(allowedOfModel(modelSource('iommufd', [ALLOC]))).toEqual([]);
  });
});

describe('reserved ranges', () => {
  const operations = [
    ALLOC,
    attach('nic', [MSI, { start: '0x3f000000', last: '0x3f7fffff', type: 'odd' }]),
    attach('disk', [MSI]),
    { op: 'ioas.reserve', ioas: 'a', start: '0x1000', length: '0x1000' },
  ];

  test('are merged by type, each with its owners', () => {
    const [lane] = reservedOfModel(modelSource('iommufd', operations));
    expect(lane).toMatchObject({ id: 'm#reserved', expandable: true, expanded: false });
    expect(lane?.subtitle).toMatch(/^\d owners$/);
    expect(rowsOf(lane)).toEqual([
      [
        '0x1000-0x1fff reserved reserved',
        '0x3f000000-0x3f7fffff reserved-other odd',
        '0xfee00000-0xfeefffff msi MSI window',
        '0x100000000-0xffffffffffffffff beyond outside the aperture',
      ],
    ]);
    const info = (index: number) => lane?.describe(0, index);
    expect(info(0)).toMatchObject({ title: 'reserved by request', parts: [{ owner: 'no owner' }] });
    expect(info(2)).toMatchObject({ title: 'MSI window', parts: [{ owner: 'device nic' }, { owner: 'device disk' }] });
    expect(info(3)?.sentence).toMatch(/^domain \S+.* cannot translate these addresses\.$/);
  });

  test('expanded each owner has its row', () => {
    const [lane] = reservedOfModel(modelSource('iommufd', operations, { expanded: ['reserved'] }));
    expect(lane?.expanded).toBe(true);
    const rows = rowsOf(lane);
    expect(rows).toContainEqual(['no owner:', '0x1000-0x1fff reserved reserved']);
    expect(rows).toContainEqual(['device disk:', '0xfee00000-0xfeefffff msi MSI window']);
  });

  test('of one owner cannot be expanded; without any the lane is empty', () => {
    const [one] = reservedOfModel(modelSource('iommufd', [ALLOC, operations[3] ?? {}], { expanded: ['reserved'] }));
    expect([one?.expandable, one?.expanded, one?.subtitle]).toEqual([false, false, 'no owner']);
    const [none] = reservedOfModel(modelSource('iommufd', [ALLOC]));
    expect([none?.subtitle, none?.rows.length]).toEqual(['none', 0]);
  });
});

describe('a guest', () => {
  test('is shown if one is chosen', () => {
    const guest = { title: 'vm', ranges: [{ ...range(0n, 0xffffn), name: 'ram', type: 'ram' }] };
    const [lane] = guestOfModel(modelSource('iommufd', [ALLOC], { guest }));
    expect(lane).toMatchObject({ id: 'm#guest', subtitle: 'vm' });
    expect(guestOfModel(modelSource('iommufd', [ALLOC]))).toEqual([]);
  });
});
