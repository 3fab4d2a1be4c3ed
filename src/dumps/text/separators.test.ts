import { expect, test } from 'vitest';
import { isDecoration, isElision } from './separators.ts';

test('elisions and decorations', () => {
  for (const text of [
    '...',
    '. . .',
    '[...]',
    '[output trimmed]',
    '<snip>',
    '[snip]',
    '…',
    '--- 8< ---',
    '--More--',
    '(truncated)',
  ]) {
    expect([text, isElision(text)]).toEqual([text, true]);
  }
  for (const text of ['', 'text', '0x0 0xfff direct', '..', 'output', 'this was cut by the mailer yesterday']) {
    expect([text, isElision(text)]).toEqual([text, false]);
  }
  expect(isDecoration('::::::::')).toBe(true);
  expect(isDecoration('───┬───')).toBe(true);
  expect(isDecoration('- 7 -')).toBe(false);
});
