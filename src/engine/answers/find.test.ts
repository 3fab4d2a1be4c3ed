import { describe, expect, test } from 'vitest';
import type { Lane } from '../../timeline/lanes/lane.ts';
import { styleIndex } from '../../timeline/scene/style-names.ts';
import { testLane, testSpace } from '../../timeline/testing/lanes.ts';
import { lanesOf } from '../picture/picture.ts';
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
const captions = async (text: string, limit = 10) =>
  (await findEverything(lanes, [], text, limit)).map(({ caption }) => caption);

describe('ranges of the picture', () => {
  test('are found by any of their addresses', async () => {
    expect(await captions('0x1000')).toEqual(['title MSI', 'title all']);
    expect(await captions('0x1fff')).toEqual(['title MSI', 'title all']);
    expect(await captions('0x2000')).toEqual(['title all']);
    expect(await captions('0x3fff')).toEqual(['title RMRR', 'title all']);
    expect(await captions('0x10000')).toEqual([]);
  });

  test('are found by their title, their lane and row, in any case', async () => {
    expect(await captions('rmrr')).toEqual(['title RMRR']);
    expect(await captions(' Usable ')).toEqual(['title all']);
    expect(await captions('reserved')).toEqual(['title MSI', 'title RMRR']);
    expect(await captions('nothing')).toEqual([]);
  });

  test('are found by the owners of their parts', async () => {
    const owned: Lane = {
      ...testLane([[{ start: 0n, last: 9n }]]),
      rows: [{ ...testLane([[{ start: 0n, last: 9n }]]).rows[0], title: 'group 4' } as Lane['rows'][number]],
      describe: () => ({
        title: 'x',
        sentence: 'y',
        parts: [{ owner: 'vfio-pci', range: { start: 0n, last: 9n } as never, provenance: [] }],
      }),
    };
    const found = await findEverything(lanesOf([testSpace(owned)]), [], 'VFIO', 5);
    expect(found).toEqual([
      { caption: 'x', where: 'group 4 · space', target: expect.objectContaining({ start: 0n, last: 9n, row: 0 }) },
    ]);
    expect(await findEverything(lanesOf([testSpace(owned)]), [], 'group 4', 5)).toHaveLength(1);
  });

  test('name their lane and space', async () => {
    expect((await findEverything(lanes, [], 'rmrr', 5))[0]?.where).toBe('reserved · space');
  });

  test('at most as many as asked for', async () => {
    expect(await captions('title', 2)).toEqual(['title MSI', 'title RMRR']);
    expect(await captions('0x1000', 1)).toEqual(['title MSI']);
  });

  test('a lane of very many ranges is searched by address only', async () => {
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
    const find = async (n: number, text: string) =>
      (await findEverything(lanesOf([testSpace(lane(n))]), [], text, 5)).length;
    expect(await Promise.all([find(20_000, 'area'), find(20_001, 'area'), find(20_001, '0x20')])).toEqual([5, 0, 1]);
  });

  test('nothing is found for nothing', async () => {
    expect(await captions('  ')).toEqual([]);
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
    expect(await find('DMAR7')).toEqual([
      {
        location: { id: 'd', source: 'dmesg', line: 4 },
        caption: 'iommu dmar7, driver intel, cap 0xd2_008c',
        where: 'dmesg:4 · d',
      },
    ]);
    expect(await find('d2008c')).toHaveLength(1);
    expect(await find('0x00d2_008c')).toHaveLength(1);
    expect((await find('0')).filter(({ location }) => location)).toHaveLength(2);
    expect(await find('0', 1)).toHaveLength(1);
  });

  test('come after what is drawn, and not beyond the limit', async () => {
    const document = await sessionDocument('d', [
      { kind: 'iommu', name: 'RMRR', driver: 'intel', source: 'x', line: 1 },
    ]);
    const found = async (limit: number) =>
      (await findEverything(lanes, [document], 'rmrr', limit)).map(({ target }) => target !== undefined);
    expect(await Promise.all([found(2), found(1)])).toEqual([[true, false], [true]]);
  });
});

describe('what a text most likely means', () => {
  const found = async (text: string) => {
    const space = testSpace(
      testLane([[{ start: 0n, last: 0xffff_ffffn, caption: 'aperture' }]], 'usable'),
      testLane([[{ start: 0xfee0_0000n, last: 0xfee0_0fffn, caption: 'doorbell' }]], 'usable'),
      testLane([
        [
          { start: 0x4000_0000n, last: 0xbfff_ffffn, caption: 'RMRR' },
          { start: 0xfee0_0000n, last: 0xfeef_ffffn, caption: 'MSI' },
        ],
      ]),
    );
    return (await findEverything(lanesOf([space]), [], text, 10)).map(({ caption }) => caption.replace('title ', ''));
  };

  test.each([
    'fee00',
    '0xfee00',
    'fee00000',
    'FEE0_0000',
    '0xfee00000',
    '00000000fee00000',
    '4276092928',
    '4,276,092,928',
  ])('the MSI window comes first for %s', async (text) => {
    expect((await found(text))[0]).toBe('MSI');
  });

  test('an address inside is found in the narrowest range first', async () => {
    expect(await found('0xfee00123')).toEqual(['doorbell', 'MSI', 'aperture']);
  });

  test('a size finds the ranges that have it', async () => {
    expect(await found('1M')).toEqual(['MSI', 'aperture']);
    expect((await found('2 GiB'))[0]).toBe('RMRR');
    expect((await found('2G'))[0]).toBe('RMRR');
  });

  test('a range finds itself, then what overlaps it', async () => {
    expect(await found('0xfee00000-0xfeefffff')).toEqual(['MSI', 'doorbell', 'aperture']);
  });
});

describe('groups and devices', () => {
  const lines = [
    { kind: 'group', group: '28', devices: ['0000:0b:00.0', '0000:0b:00.1'] },
    { kind: 'group', group: '2', devices: ['0000:00:02.0'] },
    { kind: 'device', device: '0000:0b:00.0', name: 'GA104', ids: '10de:2484', driver: 'vfio-pci' },
  ];

  test('are found by address, name, driver and ids, with their place in the tree', async () => {
    const document = await sessionDocument('d', lines);
    const find = async (text: string) => (await findEverything([], [document], text, 10)).filter(({ place }) => place);
    for (const text of ['0b:00.0', 'ga104', 'VFIO-PCI', '10de:2484']) {
      expect(
        (await find(text)).map(({ place }) => place?.device),
        text,
      ).toEqual(['0000:0b:00.0']);
    }
    expect((await find('ga104'))[0]).toEqual({
      place: { documentId: 'd', groupKey: expect.any(String), device: '0000:0b:00.0' },
      caption: '0000:0b:00.0 GA104 (vfio-pci)',
      where: 'group 28 · d',
    });
    // The group itself before those whose names contain it.
    expect((await find('group 2'))[0]?.caption).toBe('group 2');
  });
});
