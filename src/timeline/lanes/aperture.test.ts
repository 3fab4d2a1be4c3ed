import { describe, expect, test } from 'vitest';
import { hostSource, modelSource, reportedSource, rowsOf } from '../testing/sources.ts';
import { apertureOfHost, apertureOfModel, apertureOfReported, pageSizeLabel } from './aperture.ts';

const GROUP = { kind: 'reserved', start: '0xfee00000', last: '0xfeefffff', type: 'msi', group: '1' };
const BITS_39 = { kind: 'aperture', start: '0x0', last: '0x7fffffffff', pgsize_bitmap: '0x40201000', iommu: 'a' };
const BITS_32 = { kind: 'aperture', start: '0x1000', last: '0xffffffff', pgsize_bitmap: '0x1000', iommu: 'b' };

describe('page sizes', () => {
  test('all of up to three, else the smallest and the largest', () => {
    expect(pageSizeLabel(0x1000n)).toBe('4 KiB');
    expect(pageSizeLabel(0x40201000n)).toBe('4 KiB · 2 MiB · 1 GiB');
    expect(pageSizeLabel(0x8040201000n)).toBe('4 KiB to 512 GiB');
    expect(pageSizeLabel(1n << 63n)).toBe('8 EiB');
    expect(pageSizeLabel(1n)).toBe('1 byte');
  });
});

describe('the aperture of a host', () => {
  test('is unknown over the whole space if the dumps do not contain it', () => {
    const [lane] = apertureOfHost(hostSource([GROUP]));
    expect(rowsOf(lane)).toEqual([['0x0-0xffffffffffffffff unknown unknown: not in these dumps']]);
    expect(lane).toMatchObject({
      id: 'h#aperture',
      kind: 'aperture',
      subtitle: 'not in these dumps',
      expandable: false,
    });
    expect(lane?.describe(0, 0).sentence).toContain('Host address width');
  });

  test('has its width, its page sizes, and what is outside of it', () => {
    const [lane] = apertureOfHost(hostSource([GROUP, BITS_39]));
    expect(rowsOf(lane)).toEqual([
      [
        '0x0-0x7fffffffff aperture 39 bits, 4 KiB · 2 MiB · 1 GiB pages',
        '0x8000000000-0xffffffffffffffff beyond outside the aperture',
      ],
    ]);
    expect(lane?.describe(0, 0)).toMatchObject({
      title: 'aperture',
      values: { 'page size bitmap': '0x4020_1000' },
      parts: [{ range: { start: 0n, last: 0x7fffffffffn }, provenance: [{ source: 'dump', line: 2 }] }],
    });
    expect(lane?.expandable).toBe(false);
  });

  test('of several is their intersection; expanded it has a row for each', () => {
    const [merged] = apertureOfHost(hostSource([GROUP, BITS_39, BITS_32]));
    expect(merged).toMatchObject({ subtitle: 'common to 2', expandable: true, expanded: false });
    expect(rowsOf(merged)).toEqual([
      [
        '0x0-0xfff beyond outside the aperture',
        '0x1000-0xffffffff aperture 4 KiB pages',
        '0x100000000-0xffffffffffffffff beyond outside the aperture',
      ],
    ]);
    const [expanded] = apertureOfHost(hostSource([GROUP, BITS_39, BITS_32], { expanded: ['aperture'] }));
    expect(expanded).toMatchObject({ subtitle: '2 apertures', expandable: true, expanded: true });
    expect(rowsOf(expanded).map(([title, ...ranges]) => [title, ranges.length])).toEqual([
      [expect.stringMatching(/:$/), 2],
      [expect.stringMatching(/:$/), 3],
    ]);
  });

  test('an aperture without page sizes does not limit those of the others', () => {
    const { pgsize_bitmap: _, ...unknown } = BITS_32;
    const [lane] = apertureOfHost(hostSource([GROUP, BITS_39, unknown]));
    expect(rowsOf(lane)[0]).toContain('0x1000-0xffffffff aperture 4 KiB · 2 MiB · 1 GiB pages');
    const [single] = apertureOfHost(hostSource([GROUP, unknown]));
    expect(rowsOf(single)[0]?.[1]).toBe('0x1000-0xffffffff aperture aperture');
    expect(single?.describe(0, 1).values).toBeUndefined();
  });
});

describe('the aperture of other spaces', () => {
  const VALID = { kind: 'valid_range', start: '0x0', last: '0xffff', container: 'c' };

  test('a reported space has one only if the kernel reported it', () => {
    expect(apertureOfReported(reportedSource([VALID]))).toEqual([]);
    const [lane] = apertureOfReported(
      reportedSource([VALID, { kind: 'aperture', start: '0x0', last: '0xffff', container: 'c' }]),
    );
    expect(rowsOf(lane)[0]?.[0]).toBe('0x0-0xffff aperture 16 bits');
  });

  test('a model has those of its domains, or says that there are none', () => {
    const [none] = apertureOfModel(modelSource('iommufd', [{ op: 'ioas.alloc', ioas: 'a' }]));
    expect(rowsOf(none)).toEqual([['0x0-0xffffffffffffffff aperture no domain attached']]);
    const [lane] = apertureOfModel(
      modelSource('iommufd', [
        { op: 'ioas.alloc', ioas: 'a' },
        {
          op: 'device.attach',
          device: 'd',
          ioas: 'a',
          domain: { iommu: 'vtd', aperture: ['0x0', '0xffffffff'], pgsize_bitmap: '0x1000' },
          reserved: [],
        },
      ]),
    );
    expect(lane?.subtitle).toBe('vtd');
    expect(rowsOf(lane)[0]?.[0]).toBe('0x0-0xffffffff aperture 32 bits, 4 KiB pages');
    expect(lane?.describe(0, 0).parts[0]?.provenance).toEqual([{ source: 'device d' }]);
  });
});
