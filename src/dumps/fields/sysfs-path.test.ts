import { posix } from 'node:path';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isResolved, pathComponents } from './sysfs-path.ts';

const paths = fc
  .array(fc.constantFrom('', '.', '..', 'sys', '.hidden', 'a.', '0000:00:1f.0', 'x'), { maxLength: 6 })
  .map((parts) => parts.join('/'));

test('components are those of the normalized path', () => {
  fc.assert(
    fc.property(paths, fc.boolean(), (path, isAbsolute) => {
      const whole = isAbsolute ? `/${path}` : path;
      // Above the root nothing is resolved: such paths are of archives.
      const expected = posix
        .normalize(whole.replace(/^\/+/, ''))
        .split('/')
        .filter((part) => part !== '' && part !== '.');
      expect(pathComponents(whole)).toEqual(expected);
    }),
  );
});

test('a path that needs no resolving is its components', () => {
  fc.assert(
    fc.property(paths, (path) => {
      if (isResolved(path)) expect(pathComponents(path).join('/')).toBe(path);
    }),
  );
  expect(isResolved('sys/kernel/iommu_groups/7')).toBe(true);
  for (const path of ['', '/sys', './sys', '../sys', 'sys/', 'sys//class', 'sys/./class', 'sys/..']) {
    expect(isResolved(path)).toBe(false);
  }
});
