import { describe, expect, test } from 'vitest';
import { isLessonName, lessonText } from './built-in.ts';
import { checkLesson } from './check-lesson.ts';
import { practiceLesson, practiceSheet } from './practice.ts';
import { readLesson } from './read-lesson.ts';

const SEEDS = Array.from({ length: 60 }, (_, i) => i * 7919);

describe('practice', () => {
  test('a seed gives the same exercises again, another one others', () => {
    expect(practiceLesson(42)).toBe(practiceLesson(42));
    expect(practiceLesson(42)).not.toBe(practiceLesson(43));
    expect(practiceSheet(42)).toBe(practiceSheet(42));
  });

  test.each(SEEDS)('seed %i: every exercise can be run, and has one right choice', (seed) => {
    const text = practiceLesson(seed);
    expect(checkLesson(text).problems).toEqual([]);
    const { steps } = readLesson(text).lesson;
    expect(steps).toHaveLength(10);
  });

  test('answers are of every kind over the seeds: not always a refusal, not always the same place', () => {
    const answers = SEEDS.flatMap(
      (seed) => practiceSheet(seed, { hasAnswers: true }).split('## Answers')[1]?.split('\n') ?? [],
    );
    const texts = answers
      .map((line) => /^\d+\. ([a-d])\) (\S+?)[,:]?(?:\s|$)/.exec(line))
      .filter((match) => match !== null);
    expect(texts).toHaveLength(10 * SEEDS.length);
    expect([...new Set(texts.map(([, letter]) => letter))].sort()).toEqual(['a', 'b', 'c', 'd']);
    const returned = new Set(texts.map(([, , answer]) => answer));
    for (const answer of ['0', '-EINVAL', '-EEXIST', '-ENOENT', '-EOVERFLOW']) expect(returned).toContain(answer);
  });

  test('the sheet without answers does not have them', () => {
    expect(practiceSheet(7)).not.toContain('## Answers');
    expect(practiceSheet(7, { hasAnswers: true })).toContain(practiceSheet(7).trimEnd());
  });

  test('a link names them as a lesson', async () => {
    expect([isLessonName('practice-7'), isLessonName('practice-x'), isLessonName('practice-4294967296')]).toEqual([
      true,
      false,
      false,
    ]);
    expect(await lessonText('practice-7')).toBe(practiceLesson(7));
  });
});
