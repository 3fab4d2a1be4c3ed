import { describe, expect, test } from 'vitest';
import { createModel } from '../kernel/models.ts';
import { isLessonName, lessonText } from './built-in.ts';
import { checkLesson } from './check-lesson.ts';
import { practiceLesson, practiceSheet } from './practice.ts';
import { PRACTICE_KINDS, type Practice, parsePracticeName, practiceName } from './practice-name.ts';
import { readLesson } from './read-lesson.ts';

const all = (seed: number): Practice => ({ seed, kinds: PRACTICE_KINDS });
const SEEDS = Array.from({ length: 60 }, (_, i) => i * 7919);

describe('practice', () => {
  test('a seed gives the same exercises again, another one others', () => {
    expect(practiceLesson(all(42))).toBe(practiceLesson(all(42)));
    expect(practiceLesson(all(42))).not.toBe(practiceLesson(all(43)));
    expect(practiceSheet(all(42))).toEqual(practiceSheet(all(42)));
  });

  test.each(SEEDS)('seed %i: every exercise can be run, and has one right choice', (seed) => {
    const text = practiceLesson(all(seed));
    expect(checkLesson(text).problems).toEqual([]);
    const { steps } = readLesson(text).lesson;
    expect(steps).toHaveLength(10);
  });

  test.each(SEEDS)('seed %i: each exercise is alone in the picture', (seed) => {
    const { lesson } = readLesson(practiceLesson(all(seed)));
    const made = createModel({}, lesson.head.model ?? '');
    if (!made.ok) throw new Error(made.message);
    for (const { title, blocks } of lesson.steps) {
      const operations = blocks.flatMap((block) => (block.kind === 'ops' ? block.operations : []));
      for (const { text, operation } of operations) {
        const outcome = made.model.apply(operation, 0);
        // Only the last operation, which is asked for, may be refused.
        if (text !== operations.at(-1)?.text) expect(outcome, text).toMatchObject({ ok: true });
      }
      const named = operations.at(-1)?.text.split(' ')[1];
      expect(
        made.model.spaces().map(({ id }) => id),
        title,
      ).toEqual([named]);
    }
  });

  test('a sheet says where the memory is when the kernel chooses the place: the answer depends on it', () => {
    const sheet = SEEDS.map((seed) => practiceSheet({ seed, kinds: ['alignment'] }).exercises).join('\n');
    const chosen = sheet.split('\n').filter((line) => / any /.test(line));
    expect(chosen.length).toBeGreaterThan(0);
    for (const line of chosen) expect(line).toMatch(/ from 0x[\da-f]+$/);
    expect(sheet).not.toMatch(/^(?:detach|destroy|close) /m);
  });

  test('answers are of every kind over the seeds: not always a refusal, not always the same place', () => {
    const answers = SEEDS.flatMap((seed) => practiceSheet(all(seed)).answers.split('\n'));
    const texts = answers
      .map((line) => /^\d+\. ([a-d])\) (\S+?)[,:]?(?:\s|$)/.exec(line))
      .filter((match) => match !== null);
    expect(texts).toHaveLength(10 * SEEDS.length);
    expect([...new Set(texts.map(([, letter]) => letter))].sort()).toEqual(['a', 'b', 'c', 'd']);
    const returned = new Set(texts.map(([, , answer]) => answer));
    for (const answer of ['0', '-EINVAL', '-EEXIST', '-ENOENT', '-EOVERFLOW']) expect(returned).toContain(answer);
  });

  test('of some kinds alone, as many exercises', () => {
    const titles = (kinds: Practice['kinds'], seed: number) => {
      const text = practiceLesson({ seed, kinds });
      expect(checkLesson(text).problems).toEqual([]);
      return readLesson(text).lesson.steps.map(({ title }) => title.replace(/^.*: /, ''));
    };
    for (const seed of [0, 1, 2, 3]) {
      expect(titles(['unmap'], seed)).toEqual(Array.from({ length: 10 }, () => 'unmap'));
      expect(titles(['overlap', 'aperture', 'order'], seed)).toEqual([
        ...['overlap', 'overlap', 'overlap', 'the aperture', 'the aperture', 'the aperture'],
        ...[
          'the order of error codes',
          'the order of error codes',
          'the order of error codes',
          'the order of error codes',
        ],
      ]);
    }
  });

  test('a name is of exercises, and exercises have a name', () => {
    expect(parsePracticeName('practice-42')).toEqual(all(42));
    expect(parsePracticeName('practice-42-order-overlap')).toEqual({ seed: 42, kinds: ['overlap', 'order'] });
    for (const name of ['practice', 'practice-', 'practice-1-', 'practice-1-of', 'practice-1--unmap', 'practice-x']) {
      expect(parsePracticeName(name)).toBeUndefined();
    }
    for (const name of ['practice-0', 'practice-4294967295-overlap-unmap']) {
      expect(practiceName(parsePracticeName(name) ?? all(1))).toBe(name);
    }
    expect(practiceName(all(7))).toBe('practice-7');
  });

  test('a link names them as a lesson', async () => {
    expect([isLessonName('practice-7'), isLessonName('practice-x'), isLessonName('practice-4294967296')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await lessonText('practice-7')).toBe(practiceLesson(all(7)));
    expect(await lessonText('practice-7-unmap')).toBe(practiceLesson({ seed: 7, kinds: ['unmap'] }));
  });
});
