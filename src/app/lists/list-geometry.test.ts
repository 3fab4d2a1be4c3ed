import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  centredOffset,
  isUniform,
  type ListGeometry,
  nextRow,
  rowTop,
  scrollHeight,
  scrollOffsetFor,
  slotHeight,
  topRow,
} from './list-geometry.ts';

const anyList: fc.Arbitrary<ListGeometry> = fc.record({
  count: fc.integer({ min: 1, max: 50_000_000 }),
  rowHeight: fc.integer({ min: 10, max: 60 }),
  viewHeight: fc.integer({ min: 60, max: 2000 }),
});
const anyListAndRow = anyList.chain((list) => fc.tuple(fc.constant(list), fc.nat({ max: list.count - 1 })));

/** How far a list can be scrolled. */
const scrollMax = (list: ListGeometry) => Math.max(0, scrollHeight(list) - list.viewHeight);

/** Where a row is in the visible part. */
function rowInView(list: ListGeometry, offset: number, index: number): { top: number; bottom: number } {
  const top = rowTop(list, offset, index) - offset;
  return { top, bottom: top + list.rowHeight };
}

describe('a long list', () => {
  test('a short list scrolls like any other', () => {
    const list = { count: 1000, rowHeight: 20, viewHeight: 300 };
    expect(slotHeight(list)).toBe(20);
    expect(scrollHeight(list)).toBe(20_000);
    expect(topRow(list, 210)).toBe(10.5);
    expect(rowTop(list, 210, 12)).toBeCloseTo(240);
    expect(isUniform(list.count)).toBe(false);
  });

  test('its height stays below what browsers lay out, whatever its length', () => {
    fc.assert(fc.property(anyList, (list) => scrollHeight(list) <= 10_000_000 + list.viewHeight));
    expect(isUniform(1_000_000)).toBe(true);
  });

  test('at its two ends the first and the last row are wholly visible', () => {
    fc.assert(
      fc.property(anyList, (list) => {
        expect(rowInView(list, 0, 0).top).toBeCloseTo(0, 3);
        const end = rowInView(list, scrollMax(list), list.count - 1);
        expect(end.bottom).toBeLessThanOrEqual(list.viewHeight + 0.01);
        expect(end.top).toBeGreaterThanOrEqual(-0.01);
      }),
    );
  });

  test('rows follow each other without gaps, and later rows are at the top when scrolled further', () => {
    fc.assert(
      fc.property(anyListAndRow, fc.double({ min: 0, max: 1, noNaN: true }), ([list, row], share) => {
        const offset = share * scrollMax(list);
        expect(rowTop(list, offset, row + 1) - rowTop(list, offset, row)).toBeCloseTo(list.rowHeight, 3);
        expect(topRow(list, offset + 100)).toBeGreaterThanOrEqual(topRow(list, offset));
      }),
    );
  });

  test('a row is scrolled into view from anywhere, and not scrolled at all if it is visible', () => {
    fc.assert(
      fc.property(anyListAndRow, fc.double({ min: 0, max: 1, noNaN: true }), ([list, row], share) => {
        const offset = scrollOffsetFor(list, share * scrollMax(list), row);
        const { top, bottom } = rowInView(list, offset, row);
        expect(top).toBeGreaterThanOrEqual(-0.01);
        expect(bottom).toBeLessThanOrEqual(list.viewHeight + 0.01);
        expect(scrollOffsetFor(list, offset, row)).toBeCloseTo(offset, 3);
      }),
    );
  });

  test('a header covers nothing of a row that is scrolled to', () => {
    const list = { count: 2_000_000, rowHeight: 27, viewHeight: 270 };
    const offset = scrollOffsetFor(list, scrollMax(list), 1_000_000, 32);
    expect(rowInView(list, offset, 1_000_000).top).toBeCloseTo(32, 1);
  });

  test('a row is centred', () => {
    const list = { count: 2_000_000, rowHeight: 20, viewHeight: 400 };
    const { top, bottom } = rowInView(list, centredOffset(list, 1_000_000), 1_000_000);
    expect((top + bottom) / 2).toBeCloseTo(200, 1);
    expect(centredOffset(list, 0)).toBe(0);
  });
});

test('keys move from row to row and stop at the ends', () => {
  expect(nextRow('ArrowDown', 4, 10, 5)).toBe(5);
  expect(nextRow('ArrowDown', 9, 10, 5)).toBe(9);
  expect(nextRow('ArrowUp', 0, 10, 5)).toBe(0);
  expect(nextRow('PageDown', 2, 100, 10)).toBe(11);
  expect(nextRow('PageUp', 50, 100, 10)).toBe(41);
  expect(nextRow('PageUp', 5, 100, 10)).toBe(0);
  expect(nextRow('PageDown', 5, 100, 0)).toBe(6);
  expect(nextRow('Home', 50, 100, 10)).toBe(0);
  expect(nextRow('End', 50, 100, 10)).toBe(99);
  expect(nextRow('Enter', 50, 100, 10)).toBeUndefined();
});
