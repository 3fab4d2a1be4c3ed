import { describe, expect, it } from 'vitest';
import { compareKernelVersions, parseKernelVersion } from './versions.ts';

describe('a kernel version', () => {
  it.each([
    ['6.1', [6, 1, 0]],
    ['6.12.42', [6, 12, 42]],
    ['6.8.0-45-generic', [6, 8, 0]],
    ['5.10.223-1', [5, 10, 223]],
    ['Linux 6.12', [6, 12, 0]],
    ['Linux version 7.3.4 (build@host)', [7, 3, 4]],
    ['v6.6-rc3', [6, 6, 0]],
  ])('is read from %s', (text, [major, minor, patch]) => {
    expect(parseKernelVersion(text)).toMatchObject({ major, minor, patch });
  });

  it.each(['', 'generic', '6', 'BSD 14.1'])('is not in %j', (text) => {
    expect(parseKernelVersion(text)).toBeUndefined();
  });

  it('is ordered by number, not by text', () => {
    const order = ['5.10.223', '6.1', '6.1.192', '6.6', '6.12', '6.12.9', '6.12.42', '7.0'];
    for (const [i, a] of order.entries()) {
      for (const [j, b] of order.entries()) {
        const [x, y] = [parseKernelVersion(a), parseKernelVersion(b)];
        if (!x || !y) throw new Error('a version');
        expect(Math.sign(compareKernelVersions(x, y))).toBe(Math.sign(i - j));
      }
    }
  });
});
