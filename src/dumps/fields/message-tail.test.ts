import { expect, test } from 'vitest';
import { messageTail } from './message-tail.ts';

test.each([
  ['PTE Read access is not set', 'PTE Read access is not set'],
  ['it is not set"', 'it is not set'],
  ['it is not set",', 'it is not set'],
  ["it is not set\\n'", 'it is not set'],
  ['it is not set\\n', 'it is not set'],
  ["can't be set'", "can't be set"],
  ['the name is "x"', 'the name is "x"'],
  ["the name is 'x'", "the name is 'x'"],
  ['a list, (of it)', 'a list, (of it)'],
])('%s', (text, expected) => {
  expect(messageTail(text)).toBe(expected);
});
