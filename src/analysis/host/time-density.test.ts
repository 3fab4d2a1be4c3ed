import fc from 'fast-check';
import { expect, test } from 'vitest';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import { spanOf, TimeTable } from './time-density.ts';

const time = fc.oneof(
  fc.double({ min: 0, max: 100, noNaN: true }),
  fc.double({ min: 0, max: 4e9, noNaN: true }),
  fc.nat(20).map((n) => n / 1e6),
  fc.double({ min: -1000, max: 1000, noNaN: true }),
);

test('every event is counted in the span of its time, and the spans are as short as they can be', () => {
  assertProperty(
    fc.property(fc.array(time, { minLength: 1, maxLength: 200 }), (times) => {
      const table = new TimeTable();
      for (const one of times) table.add(one);
      const { density } = table;
      if (!density) throw new Error('nothing was counted');
      const { start, length, counts } = density;
      const expected = Array.from(counts, () => 0);
      for (const one of times) {
        const span = spanOf(density, one);
        expect(one).toBeGreaterThanOrEqual(start + span * length);
        expect(one).toBeLessThan(start + (span + 1) * length);
        expected[span] = (expected[span] ?? 0) + 1;
      }
      expect(counts).toEqual(expected);
      expect(counts.length).toBeLessThanOrEqual(512);
      const spans = (of: number) => Math.floor(Math.max(...times) / of) - Math.floor(Math.min(...times) / of) + 1;
      expect(length === 2 ** -20 || spans(length / 2) > 512).toBe(true);
    }),
  );
});

test.each([1e308, -1e308, 2 ** 32, Number.POSITIVE_INFINITY, Number.NaN])('a time of %s is not counted', (wrong) => {
  const table = new TimeTable();
  for (const one of [wrong, 4, wrong, 4.5]) table.add(one);
  expect(table.density?.counts.reduce((sum, count) => sum + count, 0)).toBe(2);
});

test('of no events nothing is known', () => {
  expect(new TimeTable().density).toBeUndefined();
});
