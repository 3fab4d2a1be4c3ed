import fc from 'fast-check';
import { expect, test } from 'vitest';
import { STAMP, SYSLOG, stampEnd, syslogEnd } from './log-prefix.ts';

test('the usual prefixes end where their patterns say', () => {
  const piece = fc.oneof(
    fc.constantFrom(
      'Jan  3 12:00:01 maple kernel: ',
      'Feb 28 09:10:11 h-1.x app_2[42]: ',
      'Mar 1 1:02:03 a b: ',
      'Mai',
    ),
    fc.constantFrom(
      '[    0.279546] ',
      '[12345.5] ',
      '[ 1.5][ T12] ',
      '[ 1.5] [C1] ',
      '[1,5] ',
      '[+0.1] ',
      '[',
      ' ',
      ':',
    ),
    fc.constantFrom('7', '12345678901', '.', '-', '12:00:01', ' 3 ', 'x', '[1]', ']'),
    fc.string({ unit: 'grapheme-ascii', maxLength: 3 }),
  );
  const line = fc.array(piece, { maxLength: 6 }).map((pieces) => pieces.join(''));
  let stamps = 0;
  let prefixes = 0;
  fc.assert(
    fc.property(line, (text) => {
      const stamp = text.startsWith('[') ? stampEnd(text) : 0;
      const syslog = syslogEnd(text);
      if (stamp > 0) expect([text, stamp]).toEqual([text, STAMP.exec(text)?.[0].length]);
      if (syslog > 0) expect([text, syslog]).toEqual([text, SYSLOG.exec(text)?.[0].length]);
      stamps += Number(stamp > 0);
      prefixes += Number(syslog > 0);
    }),
    { numRuns: 3000 },
  );
  expect(stamps).toBeGreaterThan(50);
  expect(prefixes).toBeGreaterThan(50);
});
