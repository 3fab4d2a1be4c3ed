import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, expect, test } from 'vitest';
import { quote } from './diagnostic-rule.ts';
import { DIAGNOSTICS, diagnosticFact, diagnosticRule, loadLaterDiagnostics } from './diagnostics.ts';
import { LATER_DIAGNOSTICS } from './later-diagnostics.ts';
import { remedyOf } from './remedies.ts';

beforeAll(loadLaterDiagnostics);

test('codes are in kebab-case, and complaints are the only ones with a remedy', () => {
  for (const [code, { isComplaint }] of Object.entries({ ...DIAGNOSTICS, ...LATER_DIAGNOSTICS })) {
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

const DUMPS = fileURLToPath(new URL('./', import.meta.url));
const sourceOf = (file: string) => readFileSync(join(DUMPS, file), 'utf8');
const LATER_CODES = Object.keys(LATER_DIAGNOSTICS);
const laterCodesIn = (file: string) => LATER_CODES.filter((code) => sourceOf(file).includes(`'${code}'`));

/** A file and those that it imports, of formats. */
function withImports(file: string, seen = new Set<string>()): Set<string> {
  if (seen.has(file) || !file.startsWith('formats/')) return seen;
  seen.add(file);
  for (const [, path = ''] of sourceOf(file).matchAll(/ from '(\.[^']+)'/g)) withImports(join(file, '..', path), seen);
  return seen;
}

test('only formats emit diagnostics that are loaded later, and those that run without them emit none', () => {
  const formats = sourceOf('registry.ts').matchAll(
    /(isEarly: true,\s+)?load: async \(\) => \(await import\('\.\/([^']+)'\)\)/g,
  );
  const early = [...formats].flatMap(([, isEarly, file = '']) => (isEarly === undefined ? [] : [file]));
  expect(early).toContain('formats/kernel-log/boot.ts');
  const files = new Set(early.flatMap((file) => [...withImports(file)]));
  const others = ['input', 'text', 'fields'].flatMap((folder) =>
    readdirSync(join(DUMPS, folder))
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => join(folder, name)),
  );
  expect([...files, ...others].flatMap((file) => laterCodesIn(file).map((code) => `${file}: ${code}`))).toEqual([]);
  expect(laterCodesIn('formats/userspace/failures.ts')).not.toEqual([]);
  // Every code is in one table.
  expect(LATER_CODES.filter((code) => Object.hasOwn(DIAGNOSTICS, code))).toEqual([]);
});
