// Plain text for mail and terminals: printable ASCII, at most 72 columns, so that it survives two levels of quoting.
import { plainHex } from '../../iova/format.ts';

/** Columns of a line. */
export const TEXT_WIDTH = 72;

const SPELLED: Readonly<Record<string, string>> = {
  '–': '-',
  '—': '-',
  '−': '-',
  '…': '...',
  '×': 'x',
  '·': '-',
  '≈': '~',
  '≤': '<=',
  '≥': '>=',
  '→': '->',
  '←': '<-',
  '“': '"',
  '”': '"',
  '‘': "'",
  '’': "'",
  '\u00a0': ' ',
  '\t': ' ',
};

/**
 * The text in printable ASCII: marks are spelled, accents dropped, control and direction characters removed, hex numbers
 * without groups.
 */
export function ascii(text: string): string {
  let result = '';
  for (const character of plainHex(text).normalize('NFKD')) {
    if (character >= ' ' && character <= '~') result += character;
    else if (SPELLED[character] !== undefined) result += SPELLED[character];
    else if (!/[\p{M}\p{Cc}\p{Cf}]/u.test(character)) result += '?';
    else if (character === '\n' || character === '\r') result += ' ';
  }
  return result;
}

/**
 * ASCII text as lines of at most `width` columns: the first after `head`, the others after as many blanks as `head` is
 * long, or after `indent`. A word that is longer is cut.
 */
export function wrap(text: string, head = '', indent = ' '.repeat(head.length), width = TEXT_WIDTH): string[] {
  const lines: string[] = [];
  let line = head;
  let isEmpty = true;
  const flush = () => {
    lines.push(line.trimEnd());
    line = indent;
    isEmpty = true;
  };
  for (const word of ascii(text)
    .split(' ')
    .filter((part) => part !== '')) {
    let rest = word;
    if (!isEmpty && line.length + 1 + rest.length > width) flush();
    while (line.length + (isEmpty ? 0 : 1) + rest.length > width) {
      const room = width - line.length;
      line += rest.slice(0, room);
      rest = rest.slice(room);
      flush();
    }
    line += (isEmpty ? '' : ' ') + rest;
    isEmpty = false;
  }
  lines.push(line.trimEnd());
  return lines;
}
