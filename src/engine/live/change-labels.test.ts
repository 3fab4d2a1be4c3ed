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
