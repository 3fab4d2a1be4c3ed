import { expect, test } from 'vitest';
import { testFrame, WIDTH } from '../testing/frames.ts';
import { heading } from './heading.ts';
import { textWidth } from './text-metrics.ts';

const frame = testFrame();

test('the subtitle is at the right of the title', () => {
  const { marks, bottom } = heading(frame, 'a host', 'fold scale');
  expect(bottom).toBe(34);
  expect(marks).toEqual([
    expect.objectContaining({ x: 14, y: 22, text: 'a host', size: 16, font: 'bold' }),
    expect.objectContaining({ x: WIDTH - 14, y: 21, text: 'fold scale', anchor: 'end', ink: 'muted' }),
  ]);
});

test('or below it if they do not fit side by side', () => {
  const room = WIDTH - 28;
  const title = 'x'.repeat(40);
  const used = textWidth(title, 16, 'bold');
  const fitting = 'y'.repeat(Math.floor((room - used - 24) / textWidth('y', 11)));
  expect(heading(frame, title, fitting).bottom).toBe(34);
  const { marks, bottom } = heading(frame, title, `${fitting}y`);
  expect(bottom).toBe(48);
  expect(marks[1]).toMatchObject({ x: 14, y: 37, text: `${fitting}y`, anchor: 'start' });
});

test('a long title is shortened', () => {
  const [title] = heading(frame, 'x'.repeat(400), '').marks;
  expect(title?.type === 'text' && title.text.endsWith('…')).toBe(true);
});
