import { expect, test } from 'vitest';
import type { ConflictMark } from '../../analysis/conflicts/conflict.ts';
import { range } from '../../iova/range.ts';
import type { ConflictRow } from '../protocol/answers.ts';
import { numberedBands } from './numbered-bands.ts';

const mark = (role: ConflictMark['role'], start: bigint, last: bigint): ConflictMark => ({
  ...range(start, last),
  role,
  message: role,
});

function row(marks: readonly ConflictMark[], more: Partial<ConflictRow> = {}): ConflictRow {
  const text = { title: 'title', message: '', remedy: '' };
  const place = { id: '', number: 7, document: 'd', host: 'h', provenance: [] };
  return { ...text, ...place, rule: 'guest-over-reserved', severity: 'fatal', marks, ...more } as ConflictRow;
}

test('a conflict is where the request overlaps the obstacle', () => {
  expect(numberedBands([row([mark('requested', 0n, 20n), mark('obstacle', 10n, 40n)])])).toEqual([
    { number: 7, start: 10n, last: 20n, ink: 'alarm', message: 'fatal: title' },
  ]);
});

test('without an overlap it is at the request, without a request at the obstacle', () => {
  const bounds = (...marks: readonly ConflictMark[]) =>
    numberedBands([row(marks)]).map(({ start, last }) => [start, last]);
  expect(bounds(mark('obstacle', 30n, 40n), mark('requested', 0n, 20n))).toEqual([[0n, 20n]]);
  expect(bounds(mark('obstacle', 30n, 40n))).toEqual([[30n, 40n]]);
  expect(bounds(mark('requested', 0n, 20n))).toEqual([[0n, 20n]]);
  expect(bounds()).toEqual([]);
});

test('each severity has its ink', () => {
  const inks = (['fatal', 'warning', 'note'] as const).map(
    (severity) => numberedBands([row([mark('requested', 0n, 1n)], { severity })])[0]?.ink,
  );
  expect(inks).toEqual(['alarm', 'caution', 'muted']);
});

test('the first sixty conflicts have a band', () => {
  const rows = Array.from({ length: 61 }, (_, i) => row([mark('requested', 0n, 1n)], { number: i + 1 }));
  expect(numberedBands(rows).map(({ number }) => number)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
});
