import { describe, expect, test } from 'vitest';
import { LESSON_NAMES, lessonText } from './built-in.ts';
import { compileLesson } from './compile.ts';
import { readLesson } from './read-lesson.ts';
import { gateLine, gatesOf, type Reading, readingOf, shownChoices } from './reading.ts';

const LESSON = `---
title: T
model: iommufd
---

## Two gates

Before.

\`\`\`ops
alloc a
map a 0x1000 4K rw
\`\`\`

question: What does the model answer to the same again?

- -EEXIST
- 0

\`\`\`check
map a 0x1000 4K rw => -EEXIST
\`\`\`

Between.

predict: 0 | -EEXIST

\`\`\`ops
map a 0x2000 4K rw
map a 0x1000 4K rw => -EEXIST
\`\`\`

After.

## The end

Nothing more.
`;

const { lesson } = readLesson(LESSON);
const { steps } = compileLesson(lesson);
const shown = (index: number, ...answered: number[]) =>
  readingOf(lesson, steps, index, (line) => answered.includes(line));
/** The blocks in short. */
function short({ blocks, position }: Reading): string[] {
  const all = blocks.map((block) => {
    if (block.kind === 'gate') return block.gate.kind;
    if (block.kind === 'ops') return block.operations.map((o) => `${o.position}${o.isHidden ? '?' : ''}`).join(' ');
    return block.text;
  });
  return [...all, `at ${position}`];
}

describe('reading a lesson', () => {
  const [question = 0, predict = 0] = gatesOf(lesson.steps[0]?.blocks ?? []).map(gateLine);

  test('what comes behind a question is hidden until it is answered, its events too', () => {
    expect(short(shown(0))).toEqual(['Before.', '1 2', 'question', 'at 2']);
    expect(shown(0).open?.kind).toBe('question');
  });

  test('the operation of a prediction is shown without its answer, and has not happened', () => {
    expect(short(shown(0, question))).toEqual(['Before.', '1 2', 'question', 'Between.', 'predict', '3 4?', 'at 3']);
    expect(shown(0, question).open).toMatchObject({ kind: 'predict', operation: 'map a 0x1000 4K rw' });
  });

  test('once everything is answered the whole step is shown', () => {
    expect(short(shown(0, question, predict))).toEqual([
      ...['Before.', '1 2', 'question', 'Between.', 'predict', '3 4', 'After.', 'at 4'],
    ]);
    expect(shown(0, question, predict).open).toBeUndefined();
    expect(short(shown(1))).toEqual(['Nothing more.', 'at 4']);
  });

  test('a prediction behind its operation hides it as well', () => {
    const turned = readLesson(
      '---\ntitle: T\nmodel: iommufd\n---\n## S\n\n```ops\nalloc a\nranges a\n```\n\npredict: 0 | -ENOENT\n\nWhy.\n',
    ).lesson;
    const reading = readingOf(turned, compileLesson(turned).steps, 0, () => false);
    expect(short(reading)).toEqual(['1 2?', 'predict', 'at 1']);
  });

  test('choices are not in the order of the file, where the right one is often the first', () => {
    const choices = ['0', '-EINVAL', '0, iova 0x1000'].map((text, line) => ({ line, text }));
    expect(shownChoices(choices).map(({ text }) => text)).toEqual(['-EINVAL', '0', '0, iova 0x1000']);
  });

  test('a step that is not there shows nothing', () => {
    expect(shown(7)).toEqual({ blocks: [], position: 0, open: undefined });
  });

  test.each(LESSON_NAMES)('%s: its moments only go forward, and end at the last event', async (name) => {
    const one = readLesson((await lessonText(name)) ?? '').lesson;
    const { steps: places, session } = compileLesson(one);
    const moments: number[] = [];
    const answered = new Set<number>();
    for (const [index, step] of one.steps.entries()) {
      for (const gate of gatesOf(step.blocks)) {
        const reading = readingOf(one, places, index, (line) => answered.has(line));
        expect(reading.open && gateLine(reading.open)).toBe(gateLine(gate));
        // Whatever was answered before it in other steps.
        expect(readingOf(one, places, index, (line) => line < gateLine(gate)).position).toBe(reading.position);
        moments.push(reading.position);
        answered.add(gateLine(gate));
      }
      moments.push(readingOf(one, places, index, (line) => answered.has(line)).position);
    }
    expect(moments).toEqual(moments.toSorted((a, b) => a - b));
    expect(moments.at(-1)).toBe(session.events.length);
  });
});
