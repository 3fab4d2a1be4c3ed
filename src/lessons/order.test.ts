import { expect, test } from 'vitest';
import { lessonName, orderProblems } from './order.ts';
import { readLesson } from './read-lesson.ts';

const headOf = (...lines: string[]) =>
  readLesson(['---', 'title: T', ...lines, '---', '## S', 'x'].join('\n')).lesson.head;

test('names that no lesson has, each with its line and the nearest one', () => {
  const head = headOf('after:', '  - intro', '  - mapz', '  - 02-nothing');
  expect(orderProblems(head, 'own', ['intro', 'maps'])).toEqual([
    { line: 5, message: "after: there is no lesson 'mapz'; did you mean 'maps'?" },
    { line: 6, message: "after: there is no lesson '02-nothing'" },
  ]);
  expect(orderProblems(headOf('after: intro, maps'), 'own', ['intro', 'maps'])).toEqual([]);
  expect(orderProblems(headOf(), 'own', [])).toEqual([]);
});

test('a lesson is not after itself', () => {
  expect(orderProblems(headOf('after: own'), 'own', ['own'])).toEqual([
    { line: 3, message: "after: the lesson 'own' cannot come after itself" },
  ]);
});

test.each([
  ['a/b/01-x.md', '01-x'],
  ['C:\\lessons\\x.MD', 'x'],
  ['x', 'x'],
])('%s is %s', (path, name) => expect(lessonName(path)).toBe(name));
