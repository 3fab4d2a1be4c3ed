import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { numberRuns, runLabel } from './number-runs.ts';
import { assertProperty } from './testing/arbitraries.ts';

test('numbers next to each other are one run', () => {
  expect(numberRuns([]).map(runLabel)).toEqual([]);
  expect(numberRuns([3, 1, 2, 7, 7, 9]).map(runLabel)).toEqual(['1-3', '7', '9']);
});

test('runs have all numbers, ascending, with a gap between two of them', () => {
  assertProperty(
    fc.property(fc.array(fc.nat({ max: 30 })), (numbers) => {
      const runs = numberRuns(numbers);
      const listed = runs.flatMap(({ first, last }) => Array.from({ length: last - first + 1 }, (_, i) => first + i));
      expect(listed).toEqual([...new Set(numbers)].sort((a, b) => a - b));
      for (const [i, run] of runs.entries()) {
        const next = runs[i + 1];
        if (next) expect(next.first).toBeGreaterThan(run.last + 1);
      }
    }),
  );
});
