import { expect, it } from 'vitest';
import type { Iova } from '../iova/iova.ts';
import { readSession } from './read.ts';
import { newSession } from './session.ts';
import { writeEvent, writeSession, writeSessionLines } from './write.ts';

const HEADER = '{"format":"iova-trace","version":1}';

it('writes compact JSON with lower-case hex addresses', () => {
  const event = { kind: 'reserved', start: 0n as Iova, last: 0xfee0_0000n as Iova, type: 'msi', line: 3 } as const;
  expect(writeEvent(event)).toBe('{"kind":"reserved","start":"0x0","last":"0xfee00000","type":"msi","line":3}');
});

it('gives one text for each line, each with its line end', () => {
  const session = newSession({ title: 'x' });
  session.events.push({ op: 'ioas.alloc', ioas: 'a' }, { op: 'ioas.destroy', ioas: 'a' });
  expect([...writeSessionLines(session)]).toEqual([
    '{"format":"iova-trace","version":1,"title":"x"}\n',
    '{"op":"ioas.alloc","ioas":"a"}\n',
    '{"op":"ioas.destroy","ioas":"a"}\n',
  ]);
});

it('writes what was read differently from how it would be written now, the end included', () => {
  const { session } = readSession(`${HEADER}\n{"op": "ioas.alloc","ioas":"a"}\n\n`);
  expect([...writeSessionLines(session)]).toEqual([`${HEADER}\n`, '{"op": "ioas.alloc","ioas":"a"}\n', '\n']);
  expect(session.verbatim.header).toBeUndefined();
  expect([...session.verbatim.events.keys()]).toEqual([0]);
});

it('keeps no text for lines that are written as they were read', () => {
  const text = `${HEADER}\n{"op":"ioas.alloc","ioas":"a"}\n`;
  const { session } = readSession(text);
  expect(session.verbatim).toEqual({ events: new Map() });
  expect(writeSession(session)).toBe(text);
});
