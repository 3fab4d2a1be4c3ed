import { describe, expect, test } from 'vitest';
import type { Lane } from '../../timeline/lanes/lane.ts';
import { styleIndex } from '../../timeline/scene/styles.ts';
import { testLane, testSpace } from '../../timeline/testing/lanes.ts';
import { lanesOf } from '../picture/lane-walk.ts';
import { sessionDocument } from '../testing/documents.ts';
import { findEverything } from './find.ts';

const lanes = lanesOf([
  testSpace(
    testLane([
      [
        { start: 0x1000n, last: 0x1fffn, caption: 'MSI' },
        { start: 0x3000n, last: 0x3fffn, caption: 'RMRR' },
      ],
    ]),
    testLane([[{ start: 0x0n, last: 0xffffn, caption: 'all' }]], 'usable'),
  ),
]);
const captions = (text: string, limit = 10) => findEverything(lanes, [], text, limit).map(({ caption }) => caption);

describe('ranges of the picture', () => {
  test('are found by any of their addresses', () => {
    expect(captions('0x1000')).toEqual(['title MSI', 'title all']);
    expect(captions('0x1fff')).toEqual(['title MSI', 'title all']);
    expect(captions('0x2000')).toEqual(['title all']);
    expect(captions('0x3fff')).toEqual(['title RMRR', 'title all']);
    expect(captions('0x10000')).toEqual([]);
  });

  test('are found by their title, their lane and row, in any case', () => {
    expect(captions('rmrr')).toEqual(['title RMRR']);
    expect(captions(' Usable ')).toEqual(['title all']);
    expect(captions('reserved')).toEqual(['title MSI', 'title RMRR']);
    expect(captions('nothing')).toEqual([]);
  });

  test('are found by the owners of their parts', () => {
    const owned: Lane = {
      ...testLane([[{ start: 0n, last: 9n }]]),
      rows: [{ ...testLane([[{ start: 0n, last: 9n }]]).rows[0], title: 'group 4' } as Lane['rows'][number]],
      describe: () => ({
        title: 'x',
        sentence: 'y',
        parts: [{ owner: 'vfio-pci', range: { start: 0n, last: 9n } as never, provenance: [] }],
      }),
    };
    const found = findEverything(lanesOf([testSpace(owned)]), [], 'VFIO', 5);
    expect(found).toEqual([
      { caption: 'x', where: 'group 4 · space', target: expect.objectContaining({ start: 0n, last: 9n, row: 0 }) },
    ]);
    expect(findEverything(lanesOf([testSpace(owned)]), [], 'group 4', 5)).toHaveLength(1);
  });

  test('name their lane and space', () => {
    expect(findEverything(lanes, [], 'rmrr', 5)[0]?.where).toBe('reserved · space');
  });

  test('at most as many as asked for', () => {
    expect(captions('title', 2)).toEqual(['title MSI', 'title RMRR']);
    expect(captions('0x1000', 1)).toEqual(['title MSI']);
  });

  test('a lane of very many ranges is searched by address only', () => {
    const lane = (n: number): Lane => ({
      ...testLane([[]]),
      rows: [
        {
          starts: BigUint64Array.from({ length: n }, (_, i) => BigInt(i) * 16n),
          lasts: BigUint64Array.from({ length: n }, (_, i) => BigInt(i) * 16n + 7n),
          styles: new Uint8Array(n).fill(styleIndex('area')),
        },
      ],
      describe: (_, index) => ({ title: `area ${index}`, sentence: '', parts: [] }),
    });
    const find = (n: number, text: string) => findEverything(lanesOf([testSpace(lane(n))]), [], text, 5).length;
    expect([find(20_000, 'area'), find(20_001, 'area'), find(20_001, '0x20')]).toEqual([5, 0, 1]);
  });

  test('nothing is found for nothing', () => {
    expect(captions('  ')).toEqual([]);
  });
});

describe('facts', () => {
  const lines = [
    { kind: 'iommu', name: 'dmar7', driver: 'intel', cap: '0xd2008c', source: 'dmesg', line: 4 },
    { kind: 'group', group: '3', devices: ['0000:01:00.0', '0000:01:00.1'], source: 'groups', line: 1 },
    { kind: 'host', name: 'maple' },
  ];

  test('are found by any value, with the line where they were read', async () => {
    const document = await sessionDocument('d', lines);
    const find = (text: string, limit = 10) => findEverything([], [document], text, limit);
    expect(find('DMAR7')).toEqual([
      {
        location: { id: 'd', source: 'dmesg', line: 4 },
        caption: 'iommu: iommu dmar7 intel 0xd2008c dmesg 4',
        where: 'dmesg:4 · d',
      },
    ]);
    expect(find('d2008c')).toHaveLength(1);
    expect(find('01:00.1').map(({ location }) => location?.line)).toEqual([1]);
    expect(find('0').length).toBe(2);
    expect(find('0', 1)).toHaveLength(1);
  });

  test('come after what is drawn, and not beyond the limit', async () => {
    const document = await sessionDocument('d', [
      { kind: 'iommu', name: 'RMRR', driver: 'intel', source: 'x', line: 1 },
    ]);
    const found = (limit: number) =>
      findEverything(lanes, [document], 'rmrr', limit).map(({ target }) => target !== undefined);
    expect([found(2), found(1)]).toEqual([[true, false], [true]]);
  });
});
