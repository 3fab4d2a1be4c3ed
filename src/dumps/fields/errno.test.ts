import { expect, test } from 'vitest';
import { callResult, errnoName, errnoOfText } from './errno.ts';

test.each([
  [1, 'EPERM'],
  [-12, 'ENOMEM'],
  [14, 'EFAULT'],
  [-17, 'EEXIST'],
  [-22, 'EINVAL'],
  [28, 'ENOSPC'],
  [40, 'ELOOP'],
  [42, 'ENOMSG'],
  [57, 'EBADSLT'],
  [59, 'EBFONT'],
  [75, 'EOVERFLOW'],
  [95, 'EOPNOTSUPP'],
  [98, 'EADDRINUSE'],
  [110, 'ETIMEDOUT'],
  [133, 'EHWPOISON'],
])('%i is %s', (number, name) => {
  expect(errnoName(number)).toBe(name);
});

test.each([0, 41, 58, 134, 517, Number.NaN])('%d has no name', (number) => {
  expect(errnoName(number)).toBeUndefined();
});

test('texts of the C library, whatever their case', () => {
  expect(errnoOfText('Invalid argument')).toBe('EINVAL');
  expect(errnoOfText(' bad  ADDRESS ')).toBe('EFAULT');
  expect(errnoOfText('Out of memory')).toBe('ENOMEM');
  expect(errnoOfText('EEXIST')).toBe('EEXIST');
  expect(errnoOfText('-')).toBeUndefined();
  expect(errnoOfText('Success')).toBeUndefined();
  expect(errnoOfText('constructor')).toBeUndefined();
});

test.each([
  [0, undefined, 0],
  [-22, undefined, '-EINVAL'],
  [22, 'Bad address', '-EINVAL'],
  [-1000, 'Bad address', '-EFAULT'],
  [-1000, 'Nonsense', '-1000'],
])('a call that returned %i (%s)', (number, text, result) => {
  expect(callResult(number, text)).toBe(result);
});
