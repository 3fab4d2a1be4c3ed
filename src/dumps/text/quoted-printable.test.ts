import { expect, test } from 'vitest';
import { decodeQuotedPrintable, isSoftBreak, QuotedPrintable } from './quoted-printable.ts';

test('quoted-printable', () => {
  expect(isSoftBreak(`${'x'.repeat(75)}=`, false)).toBe(true);
  expect(isSoftBreak('short=', false)).toBe(false);
  expect(isSoftBreak('short=', true)).toBe(true);
  expect(isSoftBreak(`${'x'.repeat(74)}==`, true)).toBe(false);
  expect(decodeQuotedPrintable('iova=3D0x40=E2=80=A6')).toBe('iova=0x40…');
});

/** The lines that come out, with the number of their first part. */
function joined(lines: readonly string[]): string[] {
  const encoding = new QuotedPrintable();
  const whole = [...lines.map((line, i) => encoding.line(line, i + 1)), encoding.end()];
  return whole.flatMap((line) => (line ? [`${line.number} ${line.raw}`] : []));
}

test('lines that were broken softly are joined, inside a number too', () => {
  const first = `${'x'.repeat(70)}0x12=`;
  expect(joined(['a', first, '34 and more', 'b'])).toEqual(['1 a', `2 ${first.slice(0, -1)}34 and more`, '4 b']);
  expect(joined([`> ${first}`, '> 34'])).toEqual([`1 > ${first.slice(0, -1)}34`]);
  expect(joined([first])).toEqual([`1 ${first.slice(0, -1)}`]);
});

test('an equals sign at the end of a short line joins only where the encoding showed', () => {
  expect(joined(['size=', '4096'])).toEqual(['1 size=', '2 4096']);
  expect(joined(['iova=3D0x40=20', 'size=', '3D4096'])).toEqual(['1 iova=0x40 ', '2 size3D4096']);
});

test('an empty field at the end of a line of a trace is no soft break, unless the encoding showed', () => {
  const line = `dma_free: 0000:c2:00.0 dma_addr=fe980000 size=524288 virt_addr=00000000 attrs=`;
  expect(line.length).toBeGreaterThan(70);
  expect(joined([line, 'b'])).toEqual([`1 ${line}`, '2 b']);
  expect(joined(['iova=3D0x40=20', 'dma_free: x attrs=', '=3D'])).toEqual(['1 iova=0x40 ', '2 dma_free: x attrs=']);
});

test('a line of very many parts is given up', () => {
  const part = `${'x'.repeat(75)}=`;
  const lines = joined(Array.from({ length: 30 }, () => part));
  expect(lines.length).toBeGreaterThan(2);
  expect(Math.max(...lines.map(({ length }) => length))).toBeLessThan(10 * part.length);
});
