// Only hex digits, with or without separators.
import { Collected, type HexDump, type HexDumpProblem, isCommand, type Line, MAX_BYTES, pushDigits } from './bytes.ts';

export function readPlain(lines: readonly Line[]): HexDump {
  const to = new Collected();
  const problems: HexDumpProblem[] = [];
  for (const line of lines) {
    if (line.text.trim() === '' || isCommand(line.text)) continue;
    if (!/^\s*(?:(?:0x)?[0-9a-f]+(?:[\s:,_-]+|$))+$/i.test(line.text)) {
      const bad = /[^0-9a-fx\s:,_-]/i.exec(line.text);
      const column = line.skipped + (bad?.index ?? 0) + 1;
      const message = bad
        ? `'${bad[0]}' is not a hexadecimal digit; the line was skipped`
        : 'the line is not a row of hexadecimal digits and was skipped';
      problems.push({ code: 'not-hex', line: line.number, column, message });
      continue;
    }
    for (const match of line.text.matchAll(/(0x)?([0-9a-f]+)/gi)) {
      const [, prefix = '', digits = ''] = match;
      const column = line.skipped + match.index + prefix.length + 1;
      const whole = digits.length - (digits.length % 2);
      if (whole < digits.length) {
        const message = `'${digits.length > 8 ? `${digits.slice(0, 8)}…` : digits}' has an odd number of digits; the last one was skipped`;
        problems.push({ code: 'odd-digits', line: line.number, column: column + whole, message });
      }
      if (pushDigits(to, digits.slice(0, whole), line.number, column, false)) continue;
      problems.push({
        code: 'too-large',
        line: line.number,
        column,
        message: `only the first ${MAX_BYTES} bytes are read`,
      });
      return to.finish('plain', undefined, problems);
    }
  }
  if (to.size === 0 && problems.length === 0) {
    problems.push({ code: 'nothing-read', line: 1, column: 1, message: 'the text has no hexadecimal digits' });
  }
  return to.finish('plain', undefined, problems);
}
