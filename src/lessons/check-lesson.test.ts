import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertProperty } from '../iova/testing/arbitraries.ts';
import { LESSON_NAMES, lessonText } from './built-in.ts';
import { checkLesson } from './check-lesson.ts';
import { readLesson } from './read-lesson.ts';

const HEAD = ['---', 'title: A test', 'model: iommufd', '---'];
const OPS = ['```ops', 'alloc a', 'map a 0x1000 4K rw => 0, iova 0x1000', '```'];

/** `line: message` of each problem of a lesson with these lines after its front matter (line 5 is the first). */
function problems(...lines: string[]): string[] {
  return checkLesson([...HEAD, ...lines].join('\n')).problems.map(({ line, message }) => `${line}: ${message}`);
}

/** The same for lines from the start of the file on. */
function problemsOfFile(...lines: string[]): string[] {
  return checkLesson(lines.join('\n')).problems.map(({ line, message }) => `${line}: ${message}`);
}

describe('the front matter', () => {
  test.each([
    ['titel: x', "2: unknown key 'titel' in the front matter; did you mean 'title'?"],
    ['model: iomufd', "2: unknown model 'iomufd'; did you mean 'iommufd'?"],
    ['kernel: new', "2: kernel: expected a version such as 6.1 or 6.12.42, found 'new'"],
    ['minutes: five', "2: minutes: expected a whole number, found 'five'"],
    ['minutes:', "2: 'minutes' has no value"],
    ['page_size: 3K', "2: page_size: '3K' is not a power of two"],
    ['nonsense', "2: expected a line such as 'title: What an aperture is'"],
  ])('%s', (line, problem) => {
    expect(problemsOfFile('---', line, 'title: T', '---', '## S', 'text')).toEqual([problem]);
  });

  test('missing, without an end, without a title', () => {
    expect(problemsOfFile('## S')[0]).toMatch(/^1: expected front matter/);
    expect(problemsOfFile('---', 'title: T', '```ops', 'alloc a', '```')[0]).toMatch(/^1: the front matter has no end/);
    expect(problemsOfFile('---', 'model: type1', '---', '## S', 'text')).toEqual([
      "1: the front matter has no 'title'",
    ]);
    expect(problemsOfFile('---', 'title: a', 'title: b', '---', '## S', 'text')).toEqual(["3: 'title' is there twice"]);
  });
});

describe('steps', () => {
  test('an operation with a mistake is named, and the others are run', () => {
    expect(problems('## S', '```ops', 'alloc a', 'mpa a 0x1000 4K rw', 'map a 0x1000 4K rw => -EINVAL', '```')).toEqual(
      [
        expect.stringMatching(/^8: expected 'alloc', .* found 'mpa'; did you mean 'map'\?$/),
        '9: expected -EINVAL, the model answers 0, iova 0x1000',
      ],
    );
  });

  test('an answer that the model does not give, with its reason', () => {
    const [problem] = problems('## S', '```ops', 'alloc a', 'reserve a 0x1000 4K', 'map a 0x1000 4K rw => 0', '```');
    expect(problem).toMatch(/^9: expected 0, the model answers -EINVAL: .* \(.*\)$/);
  });

  test('an answer that cannot be read, an operation that the model does not have, an object that is missing', () => {
    expect(problems('## S', '```ops', 'alloc a => 0, iva 3', 'open c type1', 'unmap b all', '```')).toEqual([
      expect.stringMatching(/^7: after '=>': .*did you mean 'iova'/),
      expect.stringMatching(/^8: the model cannot run this: .*container\.open/),
      expect.stringMatching(/^9: the model cannot run this: .*b/),
    ]);
  });

  test.each([
    [
      'view: range 0x0-0x1ffffffffffffffff',
      "view: range '0x0-0x1ffffffffffffffff': outside of the address space, which ends at 0xffffffffffffffff",
    ],
    ['view: rang 0x0-0x1', "view: unknown key 'rang'; did you mean 'range'?"],
    ['view: scale folded', "view: unknown scale 'folded'; did you mean 'fold'?"],
    ['view: lanes reservd', "view: unknown lane 'reservd'; did you mean 'reserved'?"],
    ['view: tab evnts', "view: unknown tab 'evnts'; did you mean 'events'?"],
    ['view: selection 0x5-0x1', "view: selection '0x5-0x1': the range ends before it starts"],
    ['predcit: 0 | -EINVAL', "unknown key 'predcit'; did you mean 'predict'?"],
    ['ops: alloc a', "unknown key 'ops'; did you mean a block that begins with '```ops'?"],
    ['chekc: 0', "unknown key 'chekc'; did you mean a block that begins with '```check'?"],
    ['answer: address', "'answer:' must follow 'question:'"],
  ])('%s', (line, problem) => {
    expect(problems('## S', line, ...OPS)).toEqual([`6: ${problem}`]);
  });

  test('steps without anything in them', () => {
    const problem = (line: number, title: string) =>
      `${line}: step '${title}' is empty: write something below the heading, or remove it`;
    expect(problems('# One', '', '## Two', 'text', '## Three', '')).toEqual([problem(5, 'One'), problem(9, 'Three')]);
    // What is wrong in a step is something.
    expect(problems('## S', 'view: scale')).toHaveLength(1);
  });

  test('views in every notation', () => {
    expect(
      problems('## S', 'view: range=0x0-0xfff; scale: log, lanes areas reserved, tab models, selection 0x0+4K'),
    ).toEqual([]);
  });

  test('views on several lines, and a range that is written apart', () => {
    expect(problems('## S', 'view:', '  range: 0x0 - 0xfff', '  scale: folded', ...OPS)).toEqual([
      "8: view: unknown scale 'folded'; did you mean 'fold'?",
    ]);
    expect(problems('## S', 'view: range=0x0-0xfff scale=fold lanes=areas,reserved tab=events', ...OPS)).toEqual([]);
    expect(problems('## S', 'view:', ...OPS)).toEqual([
      '6: view: expected one of range, scale, lanes, tab, selection, spaces, groups',
    ]);
  });

  test('address spaces that a view shows: those that the session has after the step', () => {
    const two = ['```ops', 'alloc outer => 0', 'alloc inner => 0', '```'];
    expect(problems('## S', ...two, 'view: spaces inner, scale fold', '## T', 'view: spaces all')).toEqual([]);
    // Made by the step itself, also if it is written after the view.
    expect(problems('## S', 'view: spaces outer inner', ...two)).toEqual([]);
    expect(problems('## S', ...two, 'view: scale fold, spaces innre none')).toEqual([
      "10: view: the session has no address space 'innre' up to the end of this step; did you mean 'inner'?",
      "10: view: the session has no address space 'none' up to the end of this step; known: outer, inner",
    ]);
    expect(problems('## S', 'view:', '  scale fold', '  spaces inner', '', ...two.slice(0, 2), '```')).toEqual([
      "8: view: the session has no address space 'inner' up to the end of this step; known: outer",
    ]);
    expect(problems('## S', 'view: spaces inner', '## T', ...two)).toEqual([
      "6: view: the session has no address space 'inner' up to the end of this step; there are none",
    ]);
    expect(problems('## S', 'view: spaces', ...two)).toEqual(["6: view: 'spaces' has no value"]);
  });

  test('groups that a view shows: those that the facts name', () => {
    const facts = ['```facts', '{"kind":"group","group":"14","devices":[]}', '```'];
    expect(problems('## S', ...facts, 'view: groups 14')).toEqual([]);
    expect(problems('## S', ...facts, 'view: groups 14 41, scale fold')).toEqual([
      "9: view: no fact names group '41' up to the end of this step; did you mean '14'?",
    ]);
    expect(problems('## S', 'view: groups 14', '## T', ...facts)).toEqual([
      "6: view: no fact names group '14' up to the end of this step; there are none",
    ]);
  });

  test('what should come before, as a list', () => {
    const lines = ['---', 'title: T', 'after:', '  - one', '  - two', '---', '## S', 'text'];
    expect(problemsOfFile(...lines)).toEqual([]);
    expect(readLesson(lines.join('\n')).lesson.head.after).toEqual(['one', 'two']);
  });

  test('blocks: an unknown one, one without an end, facts', () => {
    expect(problems('## S', '```opps', 'alloc a', '```')).toEqual(["6: unknown block 'opps'; did you mean 'ops'?"]);
    expect(problems('## S', '```ops', 'alloc a')).toEqual(["6: the block has no end: a line '```' is missing"]);
    expect(problems('## S', '```sh', 'dmesg', '```')).toEqual([]);
    expect(
      problems(
        '## S',
        '```facts',
        '{"kind":"host","name":"h"}',
        '{"kind":"hots"}',
        '{"op":"ioas.alloc","ioas":"a"}',
        '```',
      ),
    ).toEqual([expect.stringMatching(/^8: unknown kind 'hots'/), expect.stringMatching(/^9: expected a fact/)]);
    expect(problems()).toEqual([expect.stringMatching(/a lesson needs a step/)]);
  });
});

describe('predictions and questions', () => {
  test('the model decides which choice is right', () => {
    for (const choices of ['0 | -EINVAL', '-EINVAL; 0, iova 0x1000', '-EINVAL / 0', '[-EINVAL, 0]']) {
      expect(problems('## S', `predict: ${choices}`, ...OPS)).toEqual([]);
    }
    expect(problems('## S', 'predict:', '', '- 0, iova 0x1000: why', '- `-EINVAL`', ...OPS)).toEqual([]);
    expect(problems('## S', 'predict:', '- -EEXIST', '- -EINVAL', ...OPS)).toEqual([
      '6: a prediction without a right choice: mark it with [x], or write what the model answers',
    ]);
    expect(problems('## S', 'predict:', '- [ ] 0', '- [x] -EINVAL', ...OPS)).toEqual([
      "7: '0' is marked as wrong, but the model answers so",
      "8: '-EINVAL' is marked as right, but the model does not answer so",
    ]);
    expect(problems('## S', 'predict: 0', ...OPS)[0]).toMatch(/^6: a prediction needs at least two choices/);
    expect(problems('## S', 'predict: 0 | -EINVAL')).toEqual(['6: a prediction needs an operation in its step']);
  });

  test('choices that are text need a mark', () => {
    expect(problems('## S', ...OPS, 'question: Is it mapped?', '- [x] yes', '- [ ] no')).toEqual([]);
    expect(problems('## S', ...OPS, 'question: Is it mapped?', '- yes', '- no')).toEqual([
      '10: a question without a right choice: mark it with [x], or write what the model answers',
    ]);
    expect(problems('## S', ...OPS, 'question: Is it mapped?', '- yes')[0]).toMatch(
      /^10: a question needs at least two/,
    );
  });

  test('a check decides, and leaves nothing', () => {
    const check = ['```check', 'unmap a all => 0, unmapped 0x1000', 'map a 0x1000 4K r => 0', '```'];
    const after = ['```ops', 'map a 0x1000 4K rw => -EEXIST', '```'];
    expect(problems('## S', ...OPS, 'question: And now?', '- 0', '- -EEXIST', ...check, ...after)).toEqual([]);
    expect(problems('## S', ...OPS, 'question: And now?', '- -EINVAL', '- -EEXIST', ...check)).toHaveLength(1);
    expect(problems('## S', ...OPS, '```check', 'unmap a all => 0, unmapped 0x2000', '```')).toEqual([
      '11: expected 0, unmapped 0x2000, the model answers 0, unmapped 0x1000',
    ]);
  });

  test('typed answers: an address, a range, an operation', () => {
    const address = ['question: Where?', '```check'];
    expect(
      problems('## S', ...OPS, 'question: Where?', 'answer: address 0x2000', '```check', 'map a any 4K r => 0', '```'),
    ).toEqual([]);
    expect(
      problems('## S', ...OPS, 'question: Where?', 'answer: address 0x3000', '```check', 'map a any 4K r => 0', '```'),
    ).toEqual(["11: the sample answer '0x3000' is not right: it has another result"]);
    expect(
      problems('## S', ...OPS, 'question: Where?', 'answer: address', ...['```check', 'map a any 4K r => 0', '```']),
    ).toEqual([]);
    expect(problems('## S', ...OPS, 'question: Where?', 'answer: adress 0x0', ...address)[0]).toMatch(
      /^11: answer: expected address, range or operation, found 'adress'; did you mean 'address'\?/,
    );
    expect(problems('## S', ...OPS, 'question: Where?', 'answer: address 0x0')[0]).toMatch(/without a block 'check'/);
    expect(
      problems(
        '## S',
        ...OPS,
        'question: What is free?',
        'answer: range 0x2000-0x2fff',
        '```check',
        'map a $start $size r => 0',
        '```',
      ),
    ).toEqual([]);
    expect(
      problems(
        '## S',
        ...OPS,
        'question: What is free?',
        'answer: range 0x0-0x1fff',
        '```check',
        'map a $start $size r => 0',
        '```',
      )[0],
    ).toMatch(/^11: the sample answer '0x0-0x1fff' is not right: expected 0, the model answers -EEXIST/);
    const succeed = [
      'question: Make it succeed',
      'answer: operation unmap a 0x1000 4K',
      '```check',
      'map a 0x1000 4K r => 0',
      '```',
    ];
    expect(problems('## S', ...OPS, ...succeed)).toEqual([]);
    expect(problems('## S', ...OPS, ...succeed.with(1, 'answer: operation unmap a 0x5000 4K'))[0]).toMatch(
      /^11: the sample answer/,
    );
    expect(problems('## S', ...OPS, ...succeed.with(1, 'answer: operation unmpa a all'))[0]).toMatch(
      /did you mean 'unmap'/,
    );
  });
});

const LESSONS = await Promise.all(LESSON_NAMES.map(lessonText));

test('any text is read, with problems inside of it', () => {
  const line = fc.oneof(
    fc.constantFrom(
      '---',
      '## S',
      '```ops',
      '```',
      '```check',
      '```facts',
      'alloc a',
      'map a any 4K r => 0',
      'title: T',
    ),
    fc.constantFrom(
      'predict: 0 | -EINVAL',
      'question: Q',
      'answer: range 0x0-0x1',
      '- 0',
      '- [x] yes',
      'view: scale log',
      '',
    ),
    fc.constantFrom(...LESSONS.flatMap((text) => (text ?? '').split('\n'))),
    fc.string(),
  );
  assertProperty(
    fc.property(fc.array(line, { maxLength: 40 }), (lines) => {
      const text = lines.join('\n');
      const count = text.split(/\r\n|\r|\n/).length;
      for (const problem of checkLesson(text).problems) {
        expect(problem.message).not.toBe('');
        expect(problem.line).toBeGreaterThan(0);
        expect(problem.line).toBeLessThanOrEqual(count + 1);
      }
    }),
    { numRuns: 500 },
  );
});
