import { describe, expect, test } from 'vitest';
import { testFrame, WIDTH } from '../testing/frames.ts';
import { answerCard, type SceneAnswer } from './answer-card.ts';
import type { Mark } from './mark.ts';
import { paragraphs } from './paragraphs.ts';
import { textWidth } from './text-metrics.ts';

const frame = testFrame();
const texts = (marks: readonly Mark[]) => marks.flatMap((mark) => (mark.type === 'text' ? [mark] : []));
const answer: SceneAnswer = {
  severity: 'fatal',
  text: 'The map of mach-virt.ram was refused (EINVAL): it overlaps the MSI window of group 2.',
  remedies: ['Set RAM to 3054 MiB.', 'Use another machine.', 'c', 'd'],
};

describe('the answer in a picture', () => {
  test('is its text in bold and the first three fixes, on a ground in the color of its severity', () => {
    const { marks, bottom } = answerCard(frame, answer, 34);
    expect(texts(marks).map(({ text, font, y }) => [text, font, y])).toEqual([
      [answer.text, 'bold', 57],
      ['Fix: Set RAM to 3054 MiB.', 'sans', 74],
      ['Fix: Use another machine.', 'sans', 90],
      ['Fix: c', 'sans', 106],
    ]);
    expect(marks.slice(0, 2)).toEqual([
      { type: 'wash', x: 14, y: 38, width: WIDTH - 28, height: 78, ink: 'alarm' },
      { type: 'fill', x: 14, y: 38, width: 4, height: 78, ink: 'alarm' },
    ]);
    expect(bottom).toBe(120);
    const ink = (severity: SceneAnswer['severity']) => answerCard(frame, { ...answer, severity }, 0).marks[1];
    const inks = (['warning', 'note', 'clean'] as const).map((s) => ink(s)).map((m) => m?.type === 'fill' && m.ink);
    expect(inks).toEqual(['caution', 'muted', 'good']);
  });

  test('is never cut off: a narrow picture has more lines', () => {
    const narrow = { ...frame, width: 320 };
    const { marks, bottom } = answerCard(narrow, { ...answer, remedies: [] }, 0);
    const lines = texts(marks);
    expect(lines.map(({ text }) => text).join(' ')).toBe(answer.text);
    for (const { x, text, size, font } of lines) expect(x + textWidth(text, size, font)).toBeLessThanOrEqual(306);
    expect(bottom).toBeGreaterThan(lines.at(-1)?.y ?? 0);
  });

  test('takes no room if there is none', () => {
    expect(answerCard(frame, undefined, 34)).toEqual({ marks: [], bottom: 34 });
  });
});

test('what a picture leaves out is said in it', () => {
  const { marks, bottom } = paragraphs(frame, ['Not in this picture: reserved: 280 of 400 rows; usable.'], 100);
  expect(texts(marks).map(({ text, y }) => [text, y])).toEqual([
    ['Not in this picture: reserved: 280 of 400 rows; usable.', 117],
  ]);
  expect(bottom).toBe(123);
  expect(paragraphs(frame, ['', ' '], 100)).toEqual({ marks: [], bottom: 100 });
});
