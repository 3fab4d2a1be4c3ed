import { expect, test } from 'vitest';
import type { Iova } from '../../iova/iova.ts';
import type { Fact } from '../../session/events.ts';
import { ChangeLabels } from './change-labels.ts';

function range(start: number, more: Partial<Extract<Fact, { kind: 'valid_range' }>> = {}): Fact {
  const bounds = { start: BigInt(start) as Iova, last: BigInt(start + 0xfff) as Iova };
  return { kind: 'valid_range', ...bounds, container: 'pid 7 fd 3', source: '/proc/7/fd/3', ...more };
}

function labels(gone: readonly Fact[], added: readonly Fact[]): string[] {
  const changes = new ChangeLabels();
  for (const fact of gone) changes.gone(fact);
  for (const fact of added) changes.added(fact);
  return changes.labels();
}

test('what came, what went, and what is another than before', () => {
  const guest = { guest: 'birch' };
  expect(labels([range(0), range(0x2000)], [range(0x1000, guest), range(0x2000, guest)])).toEqual([
    '− range 0x0-0xfff of pid 7 fd 3',
    '+ range 0x1000-0x1fff of pid 7 fd 3 (guest birch)',
    '~ range 0x2000-0x2fff of pid 7 fd 3 (guest birch)',
  ]);
});

test('another line, another time, another number of mappings left: not worth a word', () => {
  expect(
    labels([range(0, { line: 3, mappings_left: 65_535 })], [range(0, { line: 4, mappings_left: 65_531 })]),
  ).toEqual([]);
});

test('of many changes of one kind only the number is said', () => {
  const many = Array.from({ length: 6 }, (_, i) => range(0x1000 * i));
  expect(labels([], many)).toEqual(['6 valid ranges changed']);
});

test('five changes of one kind are listed; eight labels in all', () => {
  const fives = Array.from({ length: 5 }, (_, i) => range(0x1000 * i));
  expect(labels([], fives)).toHaveLength(5);
  const group = (name: string): Fact => ({ kind: 'group', group: name, devices: [] });
  const groups = ['1', '2', '3'].map(group);
  expect(labels([], [...fives, ...groups])).toHaveLength(8);
  const nine = labels([], [...fives, ...groups, { kind: 'iommu', name: 'dmar0', driver: 'intel' }]);
  expect([nine.length, nine.at(-1)]).toEqual([9, 'and 1 more']);
});

test('what matters most comes first', () => {
  const bounds = { start: 0n as Iova, last: 0xfffn as Iova };
  const facts: Fact[] = [
    { kind: 'host', name: 'maple' },
    { kind: 'map', ...bounds, origin: 'page-table' },
    { kind: 'reserved', ...bounds, type: 'msi', group: '1' },
    { kind: 'reserved', ...bounds, type: 'direct' },
    { kind: 'window', ...bounds, name: 'RAM', depth: 0, type: 'ram' },
    range(0, { container: undefined, ioas: 'a' }),
    { kind: 'group', group: '1', devices: ['x', 'y'] },
  ];
  expect(labels([], facts)).toEqual([
    '+ group 1: x, y',
    '+ range 0x0-0xfff of a',
    '+ msi region 0x0-0xfff of group 1',
    '+ direct region 0x0-0xfff',
    '+ mapping 0x0-0xfff',
    '+ host maple',
    '+ "RAM" 0x0-0xfff',
  ]);
});

test('other kinds are named, and a diagnostic is its message', () => {
  expect(labels([], [{ kind: 'diagnostic', severity: 'info', code: 'x', message: 'tracing is off' }])).toEqual([
    '+ tracing is off',
  ]);
  expect(labels([{ kind: 'iommu', name: 'dmar0', driver: 'intel' }], [])).toEqual(['− IOMMU dmar0']);
  expect(labels([], [{ kind: 'fault', address: 0n as Iova }])).toEqual(['+ fault']);
  expect(labels([], [range(0, { container: undefined })])).toEqual(['+ range 0x0-0xfff of a container']);
});

test('events that are no facts do not count', () => {
  const changes = new ChangeLabels();
  changes.added({ unknown: 'kind', name: 'x' });
  changes.gone({ unknown: 'kind', name: 'x' });
  expect(changes.labels()).toEqual([]);
});
