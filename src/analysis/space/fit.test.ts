import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_MAX } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import { rangeSet } from '../../iova/range-set.ts';
import { findPlaces, fitInSpace, HoleCounter, largestAligned } from './fit.ts';
import { usableAsReported } from './usable-ranges.ts';

const FREE = [range(0x1000n, 0x4fffn), range(0x10_0000n, 0x3f_ffffn), range(0xffff_ffff_ffff_0000n, IOVA_MAX)];

describe('findPlaces', () => {
  test('every place of a size and alignment', () => {
    const answer = findPlaces(FREE, { size: 0x2000n, alignment: 0x2000n });
    expect(answer.fits).toBe(true);
    expect(answer.places.map(({ first, last }) => [first, last])).toEqual([
      [0x2000n, 0x2000n],
      [0x10_0000n, 0x3f_e000n],
      [0xffff_ffff_ffff_0000n, 0xffff_ffff_ffff_e000n],
    ]);
  });

  test('what fits nowhere: the largest that does', () => {
    const answer = findPlaces(FREE, { size: 0x40_0000n, alignment: 0x20_0000n });
    expect(answer).toMatchObject({ fits: false, places: [], largest: { size: 0x20_0000n, start: 0x20_0000n } });
  });

  test('a fixed address', () => {
    expect(findPlaces(FREE, { size: 0x1000n, alignment: 1n, at: 0x4000n }).fits).toBe(true);
    const over = findPlaces(FREE, { size: 0x2000n, alignment: 1n, at: 0x4000n });
    expect(over).toMatchObject({
      fits: false,
      largest: { size: 0x1000n },
      blocked: [{ start: 0x5000n, last: 0x5fffn }],
    });
    expect(findPlaces(FREE, { size: 1n, alignment: 0x1000n, at: 0x1001n }).startError).toBe('misaligned');
    expect(findPlaces(FREE, { size: 2n, alignment: 1n, at: IOVA_MAX }).startError).toBe('past-the-end');
    expect(findPlaces(FREE, { size: 1n, alignment: 1n, at: IOVA_MAX }).fits).toBe(true);
  });

  test('of four BARs of 128 GiB three fit into 39 bits', () => {
    const free = [range(0n, 0xfedf_ffffn), range(0xfef0_0000n, 0x7f_ffff_ffffn)];
    const size = 128n << 30n;
    expect(findPlaces(free, { size, alignment: size }).together).toBe(3n);
    expect(findPlaces(free, { size, alignment: size, at: size }).together).toBe(1n);
    expect(findPlaces(free, { size, alignment: size, at: 0n }).together).toBe(0n);
  });

  test('2^64 bytes fit into the empty space, and into nothing smaller', () => {
    const whole = [range(0n, IOVA_MAX)];
    expect(findPlaces(whole, { size: 1n << 64n, alignment: 1n << 63n }).places).toEqual([
      { first: 0n, last: 0n, free: whole[0] },
    ]);
    expect(findPlaces([range(1n, IOVA_MAX)], { size: 1n << 64n, alignment: 1n }).fits).toBe(false);
  });

  test('answers are those of looking at every address', () => {
    const small = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 12 }));
    fc.assert(
      fc.property(
        fc.array(small, { maxLength: 4 }),
        fc.integer({ min: 1, max: 20 }),
        fc.constantFrom(1, 2, 4, 8),
        (list, size, alignment) => {
          const free = rangeSet(list.map(([start, more]) => range(BigInt(start), BigInt(start + more))));
          const isFree = (n: number) => free.some((r) => r.start <= BigInt(n) && BigInt(n) <= r.last);
          const wanted: bigint[] = [];
          for (let at = 0; at < 80; at += alignment) {
            let fits = true;
            for (let n = at; n < at + size; n++) fits &&= isFree(n);
            if (fits) wanted.push(BigInt(at));
          }
          const { places, together } = findPlaces(free, { size: BigInt(size), alignment: BigInt(alignment) });
          const got: bigint[] = [];
          for (const { first, last } of places) for (let at = first; at <= last; at += BigInt(alignment)) got.push(at);
          expect(got).toEqual(wanted);
          // As many as when each takes the first place behind the one before it.
          let [count, end] = [0n, 0n];
          for (const at of wanted) if (at >= end) [count, end] = [count + 1n, at + BigInt(size)];
          expect(together).toBe(count);
          const largest = largestAligned(free, BigInt(alignment));
          expect(largest === undefined || largest.size >= BigInt(size)).toBe(
            wanted.length > 0 || largest === undefined,
          );
        },
      ),
    );
  });
});

test('one address space: what blocks a fixed range, and only where it does not fit', () => {
  const valid = { ...range(0x1000n, 0x4fffn), space: 'c', message: 'c', provenance: [] };
  const space = usableAsReported({ name: 'c', apertures: [], validRanges: [valid] });
  const at = (start: bigint, size: bigint) => fitInSpace(space, { size, alignment: 0x1000n, at: start });
  expect(at(0x4000n, 0x1000n)).toMatchObject({ fits: true, obstacles: [] });
  expect(at(0x4000n, 0x2000n)).toMatchObject({
    fits: false,
    blocked: [range(0x5000n, 0x5fffn)],
    obstacles: [{ kind: 'not-valid', ...range(0x5000n, IOVA_MAX) }],
  });
  expect(at(0x4800n, 0x1000n)).toMatchObject({ fits: false, startError: 'misaligned' });
  expect(at(IOVA_MAX, 2n)).toMatchObject({ fits: false, startError: 'past-the-end', obstacles: [] });
  expect(fitInSpace(space, { size: 0x8000n, alignment: 1n })).toMatchObject({ fits: false, obstacles: [] });
  expect(fitInSpace(space, { size: 0x9000n, alignment: 1n, at: 0n }, 1).obstacles).toHaveLength(1);
});

test('holes in numbers', () => {
  const counter = new HoleCounter([0x1000n, 0x20_0000n]);
  for (const hole of [range(0x800n, 0x1fffn), range(0x3000n, 0x3fffn), range(0x4000_0000n, 0x407f_ffffn)])
    counter.add(hole);
  const { count, total, largest, aligned, histogram } = counter.result;
  expect([count, total, largest]).toEqual([3, 0x1800n + 0x1000n + 0x80_0000n, range(0x4000_0000n, 0x407f_ffffn)]);
  expect(aligned).toEqual([
    { alignment: 0x1000n, largest: { size: 0x80_0000n, start: 0x4000_0000n } },
    { alignment: 0x20_0000n, largest: { size: 0x80_0000n, start: 0x4000_0000n } },
  ]);
  expect(histogram).toEqual([
    { exponent: 12, count: 2, total: 0x2800n },
    { exponent: 23, count: 1, total: 0x80_0000n },
  ]);
});

test('holes: of equal size the lowest counts as the largest; sizes at both ends of a bin', () => {
  const counter = new HoleCounter([1n, 0x1000n]);
  for (const hole of [range(0n, 0xfffn), range(0x3000n, 0x3fffn), range(0x5800n, 0x67fen), range(0x8001n, 0x8001n)]) {
    counter.add(hole);
  }
  const { count, total, largest, aligned, histogram } = counter.result;
  expect([count, total, largest]).toEqual([4, 0x2fffn + 1n, range(0n, 0xfffn)]);
  expect(aligned).toEqual([
    { alignment: 1n, largest: { size: 0x1000n, start: 0n } },
    { alignment: 0x1000n, largest: { size: 0x1000n, start: 0n } },
  ]);
  expect(histogram).toEqual([
    { exponent: 0, count: 1, total: 1n },
    { exponent: 11, count: 1, total: 0xfffn },
    { exponent: 12, count: 2, total: 0x2000n },
  ]);
  expect(new HoleCounter([1n]).result).toEqual({
    count: 0,
    total: 0n,
    largest: undefined,
    aligned: [{ alignment: 1n, largest: undefined }],
    histogram: [],
  });
});

test('a hole that holds no multiple of the alignment has no aligned range', () => {
  const counter = new HoleCounter([0x1000n]);
  counter.add(range(0x1001n, 0x1fffn));
  expect(counter.result.aligned[0]?.largest).toBeUndefined();
  counter.add(range(0x1001n, 0x2000n));
  expect(counter.result.aligned[0]?.largest).toEqual({ size: 1n, start: 0x2000n });
});

test('the largest of free ranges: the lowest of equals, from its aligned start', () => {
  expect(largestAligned([], 1n)).toBeUndefined();
  expect(largestAligned([range(0x1001n, 0x1fffn)], 0x1000n)).toBeUndefined();
  expect(largestAligned([range(0x1001n, 0x2000n)], 0x1000n)).toEqual({ size: 1n, start: 0x2000n });
  expect(largestAligned([range(0n, 0xfffn), range(0x2000n, 0x2fffn)], 1n)).toEqual({ size: 0x1000n, start: 0n });
});

test('at a fixed address: what is free from there, also where it does not fit', () => {
  const at = (start: bigint, size: bigint, alignment = 1n) => findPlaces(FREE, { size, alignment, at: start });
  expect(at(0x1000n, 0x4000n)).toMatchObject({ fits: true, together: 1n, blocked: [] });
  expect(at(0x1000n, 0x4001n)).toMatchObject({ fits: false, together: 0n, blocked: [range(0x5000n, 0x5000n)] });
  expect(at(0xfffn, 2n)).toMatchObject({ fits: false, blocked: [range(0xfffn, 0xfffn)] });
  expect(at(0xfffn, 2n).largest).toBeUndefined();
  expect(at(0x4fffn, 1n)).toMatchObject({ fits: true, largest: { size: 1n, start: 0x4fffn } });
  expect(at(0x1800n, 0x800n, 0x1000n)).toMatchObject({ fits: false, startError: 'misaligned', blocked: [] });
  expect(at(0x1800n, 0x800n, 0x1000n).largest).toBeUndefined();
  expect(at(0x1000n, 1n, 0x1000n).startError).toBeUndefined();
  expect(at(IOVA_MAX, 2n)).toMatchObject({ startError: 'past-the-end', blocked: [], largest: { size: 1n } });
});
