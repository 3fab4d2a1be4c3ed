import { describe, expect, test } from 'vitest';
import { createModel } from '../kernel/models.ts';
import { replay } from '../kernel/replay/replay.ts';
import { readSession } from '../session/read.ts';
import { writeSession } from '../session/write.ts';
import { LESSON_NAMES, lessonText } from './built-in.ts';
import { checkLesson } from './check-lesson.ts';
import { compileLesson } from './compile.ts';
import { readLesson } from './read-lesson.ts';

const TEXTS = await Promise.all(LESSON_NAMES.map(async (name) => [name, (await lessonText(name)) ?? ''] as const));

/** Another errno, another number by one page or one. */
function mutated(value: string): string {
  if (/^-E/.test(value)) return value === '-EINVAL' ? '-ENOENT' : '-EINVAL';
  // Of a range the last address.
  const last = /(?<=-)0x[\da-f]+$/.exec(value);
  if (last) return value.slice(0, last.index) + mutated(last[0]);
  if (value.startsWith('0x')) return `0x${(BigInt(value) ^ 0x1000n).toString(16)}`;
  return String(Number(value) + 1);
}

/** Every line with one value of what it expects changed, one at a time. */
function expectationMutants(text: string): { line: number; text: string }[] {
  const lines = text.split('\n');
  return lines.flatMap((line, i) => {
    const arrow = line.indexOf(' => ');
    if (arrow < 0) return [];
    const answer = line.slice(arrow + 4);
    return [...answer.matchAll(/-E\w+|0x[\da-f]+|\b\d+\b/g)].map((match) => {
      const changed = answer.slice(0, match.index) + mutated(match[0]) + answer.slice(match.index + match[0].length);
      return { line: i + 1, text: lines.with(i, `${line.slice(0, arrow + 4)}${changed}`).join('\n') };
    });
  });
}

describe.each(TEXTS)('the lesson %s', (name, text) => {
  const { lesson, problems } = readLesson(text);

  test('has no problem, and says for whom it is', () => {
    expect(checkLesson(text).problems).toEqual([]);
    expect(problems).toEqual([]);
    expect(lesson.head).toMatchObject({ title: expect.stringMatching(/./), audience: expect.stringMatching(/./) });
    expect(lesson.head.minutes).toBeGreaterThan(0);
    for (const before of lesson.head.after ?? []) expect(LESSON_NAMES).toContain(before);
    expect(lesson.steps.every(({ title, blocks }) => title !== '' && blocks.length > 0)).toBe(true);
  });

  test('every operation and every line of a check says what is expected', () => {
    for (const { blocks } of lesson.steps) {
      for (const block of blocks) {
        if (block.kind === 'ops') expect(block.operations.every((operation) => operation.expect)).toBe(true);
        const check = block.kind === 'question' ? block.question.check : block.kind === 'check' ? block.check : [];
        expect(check?.every((line) => line.text.includes(' => '))).toBe(true);
      }
    }
  });

  test('every expectation, changed, is a problem', () => {
    const mutants = expectationMutants(text);
    expect(mutants.length).toBeGreaterThan(5);
    const missed = mutants.filter(
      (mutant) => !checkLesson(mutant.text).problems.some(({ line }) => line === mutant.line),
    );
    expect(missed.map(({ line }) => `${name}.md:${line}`)).toEqual([]);
  });

  test('every right choice and every sample answer, changed or missing, is a problem', () => {
    const lines = text.split('\n');
    let count = 0;
    for (const { blocks } of lesson.steps) {
      for (const block of blocks) {
        const isQuestion = block.kind === 'question';
        if (block.kind !== 'predict' && !isQuestion) continue;
        count++;
        const { choices, line } = isQuestion ? block.question : block;
        const sample = isQuestion ? block.question.answer : undefined;
        if (sample) {
          const wrong = lines.with(sample.line - 1, `answer: ${sample.kind} ${mutated(sample.sample ?? '')}`);
          expect(checkLesson(wrong.join('\n')).problems.map((problem) => problem.line)).toContain(sample.line);
          continue;
        }
        // The first choice is the right one in these files. Without it there is none; the second one marked is wrong.
        const [first, second] = choices;
        if (!first || !second) throw new Error(`${name}.md:${line} has too few choices`);
        const without = lines.with(first.line - 1, '- -EXDEV');
        expect(checkLesson(without.join('\n')).problems.map((problem) => problem.line)).toContain(line);
        const marked = lines.with(second.line - 1, (lines[second.line - 1] ?? '').replace('- ', '- [x] '));
        expect(checkLesson(marked.join('\n')).problems.map((problem) => problem.line)).toContain(second.line);
      }
    }
    expect(count).toBeGreaterThan(0);
  });

  test('compiles to a session that answers the same, also when it was written and read', () => {
    const { session, steps } = compileLesson(lesson);
    const { session: again, problems: damage } = readSession(writeSession(session));
    expect(damage).toEqual([]);
    expect(again.events).toHaveLength(session.events.length);
    expect(steps.at(-1)?.to).toBe(session.events.length);
    const made = createModel(again.header);
    if (!made.ok) throw new Error(made.message);
    const replayed = [...replay(again, made.model)];
    expect(replayed.filter(({ mismatch }) => mismatch)).toEqual([]);
    expect(replayed.length).toBe(checkLesson(text).operations);
  });
});

test('there are lessons for every model', () => {
  const models = new Set(TEXTS.map(([, text]) => readLesson(text).lesson.head.model));
  expect([...models].sort()).toEqual(['dma-iommu', 'iommufd', 'iommufd-rfc', 'type1']);
});
