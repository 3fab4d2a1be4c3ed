import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import { containsRange, range } from '../../iova/range.ts';
import { find } from '../../iova/range-set.ts';
import type { AddressSpaceView, KernelModel } from '../model.ts';
import { createModel } from '../models.ts';
import { anyOperation } from '../testing/any-operation.ts';
import { Script } from '../testing/run.ts';
import { freeRanges, obstaclesIn, usableRanges } from './usable-ranges.ts';

function modelOf(name: string): KernelModel {
  const made = createModel({}, name);
  if (!made.ok) throw new Error(made.message);
  return made.model;
}

function spaceOf(model: KernelModel, id = 'a'): AddressSpaceView {
  const space = model.space(id);
  if (!space) throw new Error(`no space ${id}`);
  return space;
}

const MSI = [0xfee0_0000n, 0xfeef_ffffn, 'msi'] as const;

describe('an IOAS', () => {
  const script = new Script(modelOf('iommufd'));
  script.alloc();
  script.attach('nic', { iommu: 'vtd', aperture: [0x1000n, 0x7f_ffff_ffffn], regions: [MSI] });
  script.map(0n, 0x2000n, 0x10_0000n);
  script.map(0n, 0x1000n, 0x10_2000n);
  const space = spaceOf(script.model);

  it('is usable inside the aperture and outside of reserved regions, whatever is mapped', () => {
    expect(usableRanges(space)).toEqual([range(0x1000n, 0xfedf_ffffn), range(0xfef0_0000n, 0x7f_ffff_ffffn)]);
  });

  it('is free where nothing is mapped', () => {
    expect(freeRanges(space)).toEqual([
      range(0x1000n, 0xf_ffffn),
      range(0x10_3000n, 0xfedf_ffffn),
      range(0xfef0_0000n, 0x7f_ffff_ffffn),
    ]);
  });

  it('says what blocks a range, each with its own bounds and its holder', () => {
    expect(obstaclesIn(space, range(0n, 0xfee0_0000n))).toEqual([
      { kind: 'aperture', ...range(0n, 0xfffn), type: 'aperture', owner: 'vtd' },
      { kind: 'reserved', ...range(0xfee0_0000n, 0xfeef_ffffn), type: 'msi', owner: 'nic' },
      { kind: 'area', ...range(0x10_0000n, 0x10_1fffn), origin: 2 },
      { kind: 'area', ...range(0x10_2000n, 0x10_2fffn), origin: 3 },
    ]);
    expect(obstaclesIn(space, range(0n, 0xfee0_0000n), 3)).toHaveLength(3);
    expect(obstaclesIn(space, range(0n, 0xfee0_0000n), 1)).toHaveLength(1);
  });

  it('counts an obstacle that shares one address, and none that is beside', () => {
    const kinds = (start: bigint, last: bigint) => obstaclesIn(space, range(start, last)).map(({ kind }) => kind);
    expect(kinds(0xfed0_0000n, 0xfedf_ffffn)).toEqual([]);
    expect(kinds(0xfed0_0000n, 0xfee0_0000n)).toEqual(['reserved']);
    expect(kinds(0xfef0_0000n, 0xfef0_0fffn)).toEqual([]);
    expect(kinds(0xfeef_ffffn, 0xfef0_0fffn)).toEqual(['reserved']);
    expect(kinds(0x7f_ffff_f000n, 0x7f_ffff_ffffn)).toEqual([]);
    expect(kinds(0x7f_ffff_f000n, 0x80_0000_0000n)).toEqual(['aperture']);
  });
});

describe('free ranges', () => {
  const freeOf = (...maps: readonly (readonly [bigint, bigint])[]) => {
    const script = new Script(modelOf('iommufd'));
    script.alloc();
    script.reserve(0x1000n, 0x1000n);
    script.reserve(0x4000n, IOVA_MAX - 0x3fffn);
    for (const [start, length] of maps) script.map(0n, length, start);
    return freeRanges(spaceOf(script.model));
  };

  it('end where an area or the usable range ends', () => {
    expect(freeOf()).toEqual([range(0n, 0xfffn), range(0x2000n, 0x3fffn)]);
    expect(freeOf([0x3000n, 0x1000n])).toEqual([range(0n, 0xfffn), range(0x2000n, 0x2fffn)]);
    expect(freeOf([0x2000n, 0x1000n])).toEqual([range(0n, 0xfffn), range(0x3000n, 0x3fffn)]);
    expect(freeOf([0x2000n, 0x2000n])).toEqual([range(0n, 0xfffn)]);
    expect(freeOf([0n, 0x1000n], [0x2000n, 0x2000n])).toEqual([]);
  });

  it('may have a single byte, beside areas of a single byte', () => {
    expect(freeOf([0x2000n, 0x1fffn])).toEqual([range(0n, 0xfffn), range(0x3fffn, 0x3fffn)]);
    expect(freeOf([0x2000n, 1n])).toEqual([range(0n, 0xfffn), range(0x2001n, 0x3fffn)]);
    expect(freeOf([0x3fffn, 1n])).toEqual([range(0n, 0xfffn), range(0x2000n, 0x3ffen)]);
    expect(freeOf([0x2001n, 1n], [0x2002n, 1n])).toEqual([
      range(0n, 0xfffn),
      range(0x2000n, 0x2000n),
      range(0x2003n, 0x3fffn),
    ]);
  });
});

describe('a container', () => {
  it('without a group has no usable range, and says that it is not valid', () => {
    const model = modelOf('type1');
    model.apply({ op: 'container.open', container: 'a', model: 'type1v2' }, 0);
    const space = spaceOf(model);
    expect(usableRanges(space)).toEqual([]);
    expect(freeRanges(space)).toEqual([]);
    expect(obstaclesIn(space, range(0x1000n, 0x1fffn))).toEqual([{ kind: 'not-valid', ...range(0n, IOVA_MAX) }]);
  });

  it('is usable where its valid ranges are', () => {
    const model = modelOf('type1');
    const [start, last] = MSI;
    model.apply({ op: 'container.open', container: 'a', model: 'type1v2' }, 0);
    model.apply(
      {
        op: 'container.attach_group',
        container: 'a',
        group: '7',
        domain: {
          iommu: 'vtd',
          aperture: [range(0n, 0n).start, range(0n, 0xffff_ffffn).last],
          pgsize_bitmap: range(0x1000n, 0x1000n).start,
        },
        reserved: [{ ...range(start, last), type: 'msi' }],
      },
      1,
    );
    const space = spaceOf(model);
    expect(usableRanges(space)).toEqual([range(0n, 0xfedf_ffffn), range(0xfef0_0000n, 0xffff_ffffn)]);
    expect(obstaclesIn(space, range(0xfeef_f000n, 0xfef0_0fffn))).toEqual([
      { kind: 'reserved', ...range(start, last), type: 'msi', owner: '7' },
    ]);
  });
});

describe('any state of an IOAS', () => {
  const place = fc.oneof(fc.bigInt(0n, 0x1_8000n), fc.bigInt(IOVA_MAX - 0x3000n, IOVA_MAX), fc.bigInt(0n, IOVA_MAX));
  for (const name of ['iommufd', 'iommufd-rfc']) {
    it(`blocks a range exactly if it is not inside a free one: ${name}`, () => {
      fc.assert(
        fc.property(fc.array(anyOperation, { maxLength: 60 }), place, place, (operations, a, b) => {
          const model = modelOf(name);
          for (const [i, operation] of operations.entries()) model.apply(operation, i);
          const wanted = a < b ? range(a, b) : range(b, a);
          for (const space of model.spaces()) {
            const free = freeRanges(space);
            const holder = find(free, wanted.start);
            const fits = holder !== undefined && containsRange(holder, wanted);
            const obstacles = obstaclesIn(space, wanted);
            expect(obstacles.length === 0).toBe(fits);
            for (const obstacle of obstacles) {
              expect(obstacle.start <= wanted.last && wanted.start <= obstacle.last).toBe(true);
            }
            const mapped = [...space.areas(wanted.start, wanted.start)].length > 0;
            const usable = find(usableRanges(space), wanted.start) !== undefined;
            expect(holder !== undefined).toBe(usable && !mapped);
          }
        }),
      );
    });
  }
});
