import { describe, expect, test } from 'vitest';
import { IOVA_MAX, IOVA_SPACE } from '../../iova/iova.ts';
import { foldScale, linearScale, logScale, segmentAt, toAddress, toWorld, unitsPerByte } from './scale.ts';

describe('the linear scale', () => {
  const scale = linearScale();

  test('halves stay halves', () => {
    expect(scale.kind).toBe('linear');
    expect(toWorld(scale, IOVA_SPACE / 2n) * 2n).toBe(scale.length);
    expect(toAddress(scale, scale.length / 2n)).toBe(1n << 63n);
    expect(toAddress(scale, scale.length - 1n)).toBe(IOVA_MAX);
    expect(toAddress(scale, 1n)).toBe(0n);
  });

  test('takes more than one world unit per byte', () => {
    expect(unitsPerByte(scale, 0n)).toBe(1280 * 16);
    expect(unitsPerByte(scale, scale.length + 5n)).toBe(1280 * 16);
  });
});

describe('the logarithmic scale', () => {
  const scale = logScale();

  test('gives every power of two the same distance, from a page up', () => {
    const positions = Array.from({ length: 53 }, (_, i) => toWorld(scale, 1n << BigInt(12 + i)));
    const steps = new Set(positions.slice(1).map((position, i) => position - (positions[i] ?? 0n)));
    expect(steps.size).toBe(1);
    expect(positions[0]).toBe([...steps][0]);
    expect(positions.at(-1)).toBe(scale.length);
  });

  test('is linear inside an octave and below the first', () => {
    const middle = (toWorld(scale, 1n << 20n) + toWorld(scale, 1n << 21n)) / 2n;
    expect(toAddress(scale, middle)).toBe(3n << 19n);
    expect(toWorld(scale, 0x800n) * 2n).toBe(toWorld(scale, 0x1000n));
    expect(logScale(1n << 16n).segments[0]).toMatchObject({ start: 0n, end: 0x10000n });
  });
});

describe('segments', () => {
  const scale = foldScale({ edges: [0x1000n, 0x2000n, 0x1000n], isOccupied: (start) => start === 0x1000n });

  test('an edge is in the segment that begins there', () => {
    expect([0n, 0xfffn, 0x1000n, 0x1fffn, 0x2000n, IOVA_SPACE].map((edge) => segmentAt(scale, edge))).toEqual([
      0, 0, 1, 1, 2, 2,
    ]);
  });

  test('follow each other without a gap', () => {
    for (const [i, segment] of scale.segments.slice(1).entries()) {
      const before = scale.segments[i];
      expect(segment.base).toBe((before?.base ?? 0n) + (before?.length ?? 0n));
      expect(segment.start).toBe(before?.end);
    }
  });

  test('the density at a world position is that of its segment', () => {
    const [first, second] = scale.segments;
    expect(unitsPerByte(scale, (second?.base ?? 0n) - 1n)).toBe(Number(first?.length) / 0x1000);
    expect(unitsPerByte(scale, second?.base ?? 0n)).toBe(Number(second?.length) / 0x1000);
  });

  test('in a fold a larger empty range is wider, but much less than a larger occupied one', () => {
    const width = (bits: bigint, isOccupied: boolean) => {
      const edges = [1n << 50n, (1n << 50n) + (1n << bits)];
      const folded = foldScale({ edges, isOccupied: (start) => isOccupied && start === 1n << 50n });
      return folded.segments[1]?.length ?? 0n;
    };
    expect(width(20n, false)).toBeGreaterThan(width(16n, false));
    expect(width(11n, false)).toBe(width(4n, false));
    const growth = (isOccupied: boolean) => width(40n, isOccupied) - width(20n, isOccupied);
    expect(growth(true)).toBeGreaterThan(2n * growth(false));
    expect(width(12n, true)).toBeGreaterThan(width(12n, false));
  });

  test('an empty range is a break if it has four times the bytes per pixel of what is typical', () => {
    const isBreak = (bits: bigint) => {
      const edges = [0x100000n, 0x200000n, 0x200000n + (1n << bits)];
      return foldScale({ edges, isOccupied: (start) => start === 0x100000n }).segments[2]?.isAxisBreak;
    };
    // Occupied: 1 MiB at weight 111, 9.2 KiB per unit. Empty: 2 MiB at weight 60 (34 KiB), 4 MiB at 61.6 (66 KiB).
    expect([isBreak(20n), isBreak(21n), isBreak(22n)]).toEqual([false, false, true]);
  });
});
