import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import { styleIndex } from '../scene/style-names.ts';
import { describedRange } from '../testing/lanes.ts';
import { describedLane, laneRow, stackRows } from './lane.ts';

describe('rows', () => {
  test('have a column for starts, lasts and styles, and their title', () => {
    const row = laneRow(
      [
        { ...range(0n, 9n), style: 'msi' },
        { ...range(10n, 19n), style: 'hole' },
      ],
      { title: 't', note: 'n' },
    );
    expect(row).toEqual({
      title: 't',
      note: 'n',
      starts: new BigUint64Array([0n, 10n]),
      lasts: new BigUint64Array([9n, 19n]),
      styles: new Uint8Array([styleIndex('msi'), styleIndex('hole')]),
    });
  });

  test('overlapping ranges are spread over as few rows as possible; touching ones share a row', () => {
    const [a, b, c, d, e] = [range(0n, 9n), range(5n, 14n), range(9n, 20n), range(10n, 11n), range(15n, 16n)];
    expect(stackRows([a, b, c, d, e])).toEqual([[a, d, e], [b], [c]]);
    expect(stackRows([])).toEqual([]);
  });
});

describe('a lane of described ranges', () => {
  const lane = describedLane({ id: 'x#y', kind: 'reserved', title: 'reserved', subtitle: 's' }, [
    { ranges: [describedRange({ start: 0n, last: 9n, caption: 'first' })] },
    { title: 'second', ranges: [describedRange({ start: 0n, last: 9n, caption: 'other' })] },
  ]);

  test('answers for each range of each row', () => {
    expect([lane.caption(0, 0), lane.caption(1, 0), lane.describe(1, 0).title]).toEqual([
      'first',
      'other',
      'title other',
    ]);
    expect(lane.rows.map(({ title }) => title)).toEqual([undefined, 'second']);
    expect([lane.expandable, lane.expanded]).toEqual([false, false]);
  });

  test('throws for a range that it does not have', () => {
    expect(() => lane.caption(0, 1)).toThrow('lane x#y has no range 1 in row 0');
    expect(() => lane.describe(2, 0)).toThrow(RangeError);
  });
});
