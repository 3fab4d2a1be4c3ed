import { expect, test } from 'vitest';
import { readSession } from '../read.ts';
import { shrinkSession } from './shrink.ts';

const TEXT = `{"format":"iova-trace","version":1}
{"kind":"group","group":"7","devices":["0000:06:00.0"],"source":"a.txt","line":1}
{"kind":"group","group":"7","devices":["0000:06:00.0"],"source":"b.txt","line":9}
{"kind":"map","start":"0x1000","last":"0x1fff","source":"b.txt","line":10}
{"kind":"map","start":"0x1000","last":"0x1fff","source":"b.txt","line":11}
{"op":"ioas.alloc","ioas":"a","expect":{"ret":0}}
`;
const { session } = readSession(TEXT);
const below = (length: number) => shrinkSession(session, (text) => text.length < length);

test('nothing is dropped if it fits', () => {
  expect(below(10_000)).toEqual({ text: TEXT, duplicates: 0, sources: false, expectations: 0 });
});

test('duplicates first, and no mapping is one', () => {
  const lines = TEXT.split('\n');
  const text = [...lines.slice(0, 2), ...lines.slice(3)].join('\n');
  expect(below(TEXT.length)).toEqual({ text, duplicates: 1, sources: false, expectations: 0 });
});

test('then sources, then expectations', () => {
  const noSources = below(300);
  expect(noSources).toMatchObject({ duplicates: 1, sources: true, expectations: 0 });
  expect(noSources.text).not.toMatch(/source|line/);
  expect(noSources.text).toContain('"expect"');
  const smallest = below(1);
  expect(smallest).toMatchObject({ duplicates: 1, sources: true, expectations: 1 });
  expect(smallest.text).toContain('{"op":"ioas.alloc","ioas":"a"}\n');
});

test('positions that a later event counts stay what they are', () => {
  const live = readSession(`${TEXT}{"kind":"gone","event":2}\n`).session;
  expect(shrinkSession(live, () => false).duplicates).toBe(0);
});

test('a line that was not understood is never dropped', () => {
  const unknown = `${TEXT}{"kind":"newer","x":1}\n`;
  expect(shrinkSession(readSession(unknown).session, () => false).text).toBe(unknown);
});
