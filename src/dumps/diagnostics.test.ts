import { expect, test } from 'vitest';
import { DIAGNOSTICS, diagnosticFact, diagnosticRule, quote } from './diagnostics.ts';
import { remedyOf } from './remedies.ts';

test('codes are in kebab-case, and complaints are the only ones with a remedy', () => {
  for (const [code, { isComplaint }] of Object.entries(DIAGNOSTICS)) {
    expect(code).toMatch(/^[a-z\d]+(?:-[a-z\d]+)*$/);
    if (remedyOf(code) !== undefined) expect([code, isComplaint]).toEqual([code, true]);
  }
});

test('a fact has the severity and message of its code', () => {
  expect(diagnosticFact('start-above-last', { what: quote(' 0x2-0x1 '), start: 2n, last: 1n })).toEqual({
    kind: 'diagnostic',
    severity: 'error',
    code: 'start-above-last',
    message: "'0x2-0x1': the start 0x2 is above the last address 0x1; the range was skipped",
  });
  expect(diagnosticFact('empty-file', {}, 'info')).toMatchObject({ severity: 'info', message: 'the file is empty' });
});

test('codes and parameters are checked by the compiler', () => {
  // @ts-expect-error: no such code
  expect(() => diagnosticFact('no-such-code', {})).toThrow();
  // @ts-expect-error: a parameter is missing
  expect(() => diagnosticFact('start-above-last', { what: '' })).toThrow();
});

test('codes from outside may be unknown', () => {
  expect(diagnosticRule('memlock-limit')?.isComplaint).toBe(true);
  expect(remedyOf('memlock-limit')).toMatch(/RLIMIT_MEMLOCK/);
  for (const code of ['qmp-guest', 'of-a-later-version', 'constructor', '']) {
    expect([diagnosticRule(code), remedyOf(code)]).toEqual([undefined, undefined]);
  }
});

test('quoted text is cut', () => {
  expect(quote('a'.repeat(500))).toBe(`'${'a'.repeat(120)}…'`);
});
