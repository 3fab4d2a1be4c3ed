import { describe, expect, it } from 'vitest';
import { LESSON_NAMES } from '../lessons/built-in.ts';
import { runCli } from './testing/run.ts';

const GOOD =
  '---\ntitle: T\nmodel: type1\n---\n## One\n\nSome text.\n\n```ops\nopen c type1v2 => 0\n```\n\n## Two\n\npredict: 1 | 0\n\n```ops\nextension c 1 => 1\n```\n';
const BAD = GOOD.replace('extension c 1 => 1', 'extension c 1 => 0').replace('predict: 1 | 0\n', '\n');

describe('iovascope lesson', () => {
  it('lists all lessons that are built in', async () => {
    const { code, stdout } = await runCli(['lesson', 'list']);
    expect(code).toBe(0);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => line.split(' ')[0]),
    ).toEqual(LESSON_NAMES);
    const json = await runCli(['lesson', 'list', '--json']);
    expect(JSON.parse(json.stdout.split('\n')[0] ?? '')).toMatchObject({
      name: LESSON_NAMES[0],
      title: expect.any(String),
    });
  });

  it('checks files and built-in lessons: 0 if all is well, 1 with file, line and reason if not', async () => {
    expect(await runCli(['lesson', 'check', 'a.md', '03-why-fee00000'], { 'a.md': GOOD })).toMatchObject({
      code: 0,
      stdout: '2 lessons, 9 operations, 0 problems\n',
      stderr: '',
    });
    expect(await runCli(['lesson', 'check', 'a.md', 'b.md'], { 'a.md': GOOD, 'b.md': BAD })).toMatchObject({
      code: 1,
      stdout: 'b.md:18: expected 0, the model answers 1\n2 lessons, 4 operations, 1 problem\n',
    });
    const json = await runCli(['lesson', 'check', '--json', '-'], {}, BAD);
    expect(json).toMatchObject({ code: 1 });
    expect(
      json.stdout
        .split('\n')
        .slice(0, 2)
        .map((line) => JSON.parse(line)),
    ).toEqual([
      { file: '<stdin>', line: 18, message: 'expected 0, the model answers 1' },
      { lessons: 1, operations: 2, problems: 1 },
    ]);
  });

  it('checks a folder, and that the lessons named by after exist there or in the program', async () => {
    const following = (names: string) => GOOD.replace('title: T', `title: T\nafter: ${names}`);
    const files = {
      'course/1.md': following('02-aperture'),
      'course/2.md': following('1, intr'),
      'course/intro.md': GOOD,
      'course/README.md': '# What these lessons are\n',
    };
    expect(await runCli(['lesson', 'check', 'course'], files)).toMatchObject({
      code: 1,
      stdout:
        "course/2.md:3: after: there is no lesson 'intr'; did you mean 'intro'?\n3 lessons, 6 operations, 1 problem\n",
    });
    // What is beside a file counts, also if it is not checked.
    expect(await runCli(['lesson', 'check', 'course/2.md'], files)).toMatchObject({
      code: 1,
      stdout:
        "course/2.md:3: after: there is no lesson 'intr'; did you mean 'intro'?\n1 lesson, 2 operations, 1 problem\n",
    });
    expect((await runCli(['lesson', 'check', '-'], {}, following('nothing'))).stdout).toContain(
      "<stdin>:3: after: there is no lesson 'nothing'\n",
    );
    expect(await runCli(['lesson', 'check', 'empty'], { 'empty/a.txt': '' })).toMatchObject({
      code: 2,
      stderr: 'iovascope: lesson check: empty: no lessons in this folder (files NAME.md)\n',
    });
  });

  it('shows a lesson, or a step, without the answers to its predictions and questions', async () => {
    const { code, stdout } = await runCli(['lesson', 'show', 'a.md', '--step', '1'], { 'a.md': GOOD });
    expect({ code, stdout }).toEqual({ code: 0, stdout: '1/2  One\n\nSome text.\n\n  open c type1v2  => 0\n' });
    const two = await runCli(['lesson', 'show', 'a.md', '--step', '2'], { 'a.md': GOOD });
    expect(two.stdout).toBe('2/2  Two\n\nPredict:\n  - 0\n  - 1\n\n  extension c 1\n');
    expect((await runCli(['lesson', 'show', 'a.md'], { 'a.md': GOOD })).stdout).toMatch(
      /^T\n\n\n1\/2 {2}One[\s\S]*2\/2 {2}Two/,
    );
  });

  it('writes the session, which replays without a mismatch', async () => {
    const { code, stdout } = await runCli(['lesson', 'session', '08a-unmap-type1']);
    expect(code).toBe(0);
    expect(await runCli(['replay', '-'], {}, stdout)).toMatchObject({ code: 0, stdout: '16 ops, 0 mismatches\n' });
  });

  it.each([
    [[], 'lesson: expected list, check, show, session or sheet'],
    [['chek', 'a.md'], "lesson: expected list, check, show, session or sheet, found 'chek'; did you mean 'check'?"],
    [['check'], 'lesson check: no file given; use - for standard input'],
    [['check', 'none.md'], 'lesson check: none.md: no such file'],
    [
      ['show', '03-why-fee0000'],
      "lesson show: 03-why-fee0000: no such file; did you mean the lesson '03-why-fee00000'?",
    ],
    [['show', 'a.md', '--step', '9'], "lesson show: --step '9': a.md has steps 1 to 2"],
    [['check', 'a.md', '--step', '1'], 'lesson check: --step belongs to lesson show'],
    [['session', 'a.md', 'b.md'], 'lesson session: takes one file'],
    [['check', 'bin.md'], 'lesson check: bin.md: not a text in UTF-8'],
  ])('usage: %j', async (args, message) => {
    const files = { 'a.md': GOOD, 'b.md': BAD, 'bin.md': new Uint8Array([0xff, 0xfe, 0x00]) };
    expect(await runCli(['lesson', ...args], files)).toMatchObject({
      code: 2,
      stdout: '',
      stderr: `iovascope: ${message}\n`,
    });
  });
});

it('exercises of a seed are a lesson, and a sheet with or without answers', async () => {
  const shown = await runCli(['lesson', 'show', 'practice-7']);
  expect(shown.stdout).toContain('Practice 7');
  const [plain, answered] = [
    await runCli(['lesson', 'sheet', 'practice-7']),
    await runCli(['lesson', 'sheet', 'practice-7', '--answers']),
  ];
  expect([plain.code, plain.stdout.includes('## Answers')]).toEqual([0, false]);
  expect(answered.stdout).toContain('## Answers');
  expect(await runCli(['lesson', 'sheet', '01-reserved-regions'])).toMatchObject({ code: 2 });
  expect(await runCli(['lesson', 'list', '--answers'])).toMatchObject({ code: 2 });
});
