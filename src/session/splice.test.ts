import { expect, test } from 'vitest';
import type { SessionEvent } from './events.ts';
import { readSession } from './read.ts';
import { spliceEvents } from './splice.ts';
import { writeSession } from './write.ts';

const HEADER = '{"format":"iova-trace","version":1}';
const LINES = [
  HEADER,
  '{"kind":"reserved","start":"0x0","last":"0xfff","type":"msi"}',
  '{"kind":"weather",  "is":"fine"}',
  '{"kind":"note", "text":"first"}',
  '{"kind":"reserved","start":"0x1000","last":"0x1fff","type":"msi"}',
  '{"kind":"gone","event":4}',
  '{"op": "ioas.alloc","ioas":"a"}',
  '',
];
const read = () => readSession(LINES.join('\n')).session;
const note: SessionEvent = { kind: 'note', text: 'second' };

test('what is behind a removed event keeps its text, its line and what it names', () => {
  const session = read();
  spliceEvents(session, { index: 2, removed: 1, added: [] });
  expect(writeSession(session).split('\n')).toEqual([
    ...LINES.slice(0, 3),
    LINES[4],
    '{"kind":"gone","event":3}',
    LINES[6],
    '',
  ]);
  expect(session.lines).toEqual([2, 3, 5, 6, 7]);
});

test('what is added is written anew, also in place of an event with a text of its own', () => {
  const session = read();
  spliceEvents(session, { index: 2, removed: 1, added: [note, note] });
  const written = '{"kind":"note","text":"second"}';
  expect(writeSession(session).split('\n')).toEqual([
    ...LINES.slice(0, 3),
    ...[written, written],
    LINES[4],
    '{"kind":"gone","event":5}',
    LINES[6],
    '',
  ]);
  expect(session.lines).toEqual([2, 3, 0, 0, 5, 6, 7]);
});

test('a change and its reverse leave what was read', () => {
  for (const index of [0, 1, 3, 6]) {
    const session = read();
    spliceEvents(session, { index, removed: 0, added: [note] });
    expect(writeSession(session)).not.toBe(LINES.join('\n'));
    spliceEvents(session, { index, removed: 1, added: [] });
    expect(writeSession(session)).toBe(LINES.join('\n'));
  }
});
