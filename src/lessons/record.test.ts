import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { createModel } from '../kernel/models.ts';
import { isOperation, type SessionEvent } from '../session/events.ts';
import { readSession } from '../session/read.ts';
import { checkLesson } from './check-lesson.ts';
import { compileLesson } from './compile.ts';
import { type RecordOptions, recordLesson } from './record.ts';

/** Each event of a recording becomes a step: so many show every kind of operation. */
const EVENTS_MAX = 150;
const FOLDER = path.join(import.meta.dirname, '..', 'kernel', 'fixtures');

function recorded(text: string, options: RecordOptions = { title: 'A try' }, position = EVENTS_MAX): string {
  const { session } = readSession(text);
  const made = createModel(session.header);
  if (!made.ok) throw new Error(made.message);
  return recordLesson(session, position, made.model, options);
}

const session = (...lines: readonly string[]) =>
  ['{"format":"iova-trace","version":1,"model":"iommufd","kernel":"6.12"}', ...lines, ''].join('\n');
const ALLOC = '{"op":"ioas.alloc","ioas":"a"}';
const MAP =
  '{"op":"ioas.map","ioas":"a","flags":["fixed","read","write"],"user_va":"0x7f0000000000","length":"0x1000","iova":"0x4000"}';

describe('recording a lesson', () => {
  test.each(readdirSync(FOLDER))('%s: the check finds nothing, and the operations are the same', (file) => {
    const text = readFileSync(path.join(FOLDER, file), 'utf8');
    const lesson = checkLesson(recorded(text));
    expect(lesson.problems).toEqual([]);
    const plain = (events: readonly SessionEvent[]) => events.filter(isOperation).map(({ expect: _, ...rest }) => rest);
    const own = readSession(text).session.events.slice(0, EVENTS_MAX);
    const back = plain(compileLesson(lesson.lesson).session.events.slice());
    expect(lesson.operations).toBe(back.length);
    expect(back).toEqual(plain(own));
  });

  test('a step for each operation, a prediction where it is refused, the view at the end', () => {
    const text = recorded(session(ALLOC, MAP, MAP), {
      title: '"Twice"\n the same',
      view: { range: { start: 0x4000n, last: 0x4fffn } as never, scale: 'linear', spaces: ['a'] },
    });
    expect(text).toBe(`---
title: "Twice" the same
model: iommufd
kernel: 6.12
---

## 1. alloc a

\`\`\`ops
alloc a => 0
\`\`\`

## 2. map a

\`\`\`ops
map a 0x4000 4K rw => 0, iova 0x4000
\`\`\`

## 3. map a

predict:

- -EEXIST: Part of the range is already mapped: area 0x4000 – 0x4fff. (map-over-area)
- 0: the kernel refuses it

\`\`\`ops
map a 0x4000 4K rw => -EEXIST
\`\`\`

view: range 0x4000-0x4fff, scale linear, spaces a
`);
    expect(checkLesson(text).problems).toEqual([]);
  });

  test('only what was done up to the moment; facts in a step of their own', () => {
    const fact = '{"kind":"reserved","start":"0xfee00000","last":"0xfeefffff","type":"msi","origin":"sysfs"}';
    const text = recorded(session(fact, ALLOC, MAP), { title: "''" }, 2);
    expect(text).toContain(`title: "''"\n`);
    expect(text).toContain('## 1. What is known\n\n```facts\n{"kind":"reserved"');
    expect(text).not.toContain('map a');
    expect(checkLesson(text).problems).toEqual([]);
  });

  test('what no model can run is left out and counted, and an empty session is a lesson, too', () => {
    const text = recorded(session('{"op":"ioas.fly","ioas":"a"}', 'not json', ALLOC));
    expect(text).toContain('(2 events left out here.)');
    expect(checkLesson(text).problems).toEqual([]);
    expect(checkLesson(recorded(session())).problems).toEqual([]);
  });
});
