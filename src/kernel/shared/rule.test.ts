import { describe, expect, it } from 'vitest';
import { defineRules, ruleIn, sourceOf } from './rule.ts';

const { one } = defineRules('Linux 9.9', {
  one: {
    errno: 'EINVAL',
    message: 'newest',
    where: 'newest_function',
    log: /newest words/,
    was: [
      { before: '6.18', errno: 'EBUSY', message: 'middle', where: 'middle_function' },
      { before: '6.6', driver: 'intel', errno: 'EPERM', where: 'old_function', log: /old words/ },
      { before: '5.4', errno: 'ENODEV' },
    ],
  },
});

describe('the variant of a rule', () => {
  const errno = (kernel?: string, driver?: string, log?: string) => ruleIn(one, { kernel, driver, log }).errno;

  it('is the newest where no version is known', () => {
    expect(errno()).toBe('EINVAL');
    expect(errno('unknown')).toBe('EINVAL');
    expect(ruleIn(one, {})).toMatchObject({ kernel: 'Linux 9.9', where: 'newest_function' });
  });

  it('changes exactly at the version that the entry names', () => {
    expect(errno('6.18')).toBe('EINVAL');
    expect(errno('6.17.99')).toBe('EBUSY');
    expect(errno('6.6')).toBe('EBUSY');
    expect(errno('5.3.18')).toBe('ENODEV');
  });

  it('counts only for its driver', () => {
    expect(errno('6.5.9', 'intel')).toBe('EPERM');
    expect(errno('6.5.9', 'amd')).toBe('EBUSY');
    expect(errno('6.5.9')).toBe('EBUSY');
    expect(errno('5.3', 'intel')).toBe('ENODEV');
  });

  it('keeps what it does not change, and says how old it is', () => {
    expect(ruleIn(one, { kernel: '6.5', driver: 'intel' })).toEqual({
      errno: 'EPERM',
      message: 'newest',
      where: 'old_function',
      log: /old words/,
      kernel: 'Linux before 6.6',
    });
  });

  it('follows a logged line before the version', () => {
    expect(errno('6.12', undefined, 'these are old words')).toBe('EPERM');
    expect(errno('5.0', undefined, 'these are newest words')).toBe('EINVAL');
    expect(errno('5.0', undefined, 'nothing of the kind')).toBe('ENODEV');
  });
});

it('sources name each kernel and each function once', () => {
  const rule = (kernel: string, where: string) => ({ kernel, where });
  expect(sourceOf(rule('Linux 6.12', 'a'), rule('Linux 6.12', 'b'), rule('Linux 6.12', 'a'))).toBe('Linux 6.12, a; b');
  expect(sourceOf(rule('Linux 6.12', 'a'), rule('Linux before 6.6', 'b'))).toBe('Linux 6.12, a; Linux before 6.6, b');
});
