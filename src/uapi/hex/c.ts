// Bytes in C source: the elements of an array, or a string with \x escapes.
import { counted } from '../../iova/format.ts';
import type { Endian } from '../node.ts';
import type { Width } from '../numbers.ts';
import { Collected, type HexDump, type HexDumpProblem, MAX_BYTES } from './bytes.ts';

/** True for elements with commas or braces, and for escapes of a string. */
export function looksLikeC(text: string): boolean {
  return /0x[0-9a-f]{1,16}\s*[,}]|\\x[0-9a-f]{2}/i.test(text);
}

/** Bytes by the bits or the name of a type. */
const WIDTHS: ReadonlyMap<string, Width> = new Map([
  ['8', 1],
  ['16', 2],
  ['32', 4],
  ['64', 8],
  ['char', 1],
  ['short', 2],
  ['int', 4],
  ['long', 8],
]);

/** Bytes of each element by the declared type of the array, if it has one. */
function declaredWidth(text: string): Width | undefined {
  const [, standard, short, word] =
    /\b(?:__)?(?:u?int(8|16|32|64)_t|[us](8|16|32|64)|(char|short|int|long))\b[^=;{]*\[/.exec(text) ?? [];
  return WIDTHS.get(standard ?? short ?? word ?? '');
}

export function readC(text: string, endian: Endian): HexDump {
  const to = new Collected();
  const problems: HexDumpProblem[] = [];
  // Comments become blanks, so that positions stay the same.
  const blank = (match: string) => match.replace(/[^\n]/g, ' ');
  const code = text.replace(/\/\*[\s\S]*?\*\//g, blank).replace(/\/\/[^\n]*/g, blank);
  const opening = code.indexOf('{');
  const from = opening < 0 ? 0 : opening + 1;
  const closing = code.indexOf('}', from);
  const body = code.slice(from, closing < 0 ? undefined : closing);
  const place = placesOf(text);
  const strings = [...body.matchAll(/\\x([0-9a-f]{2})/gi)];
  if (strings.length > 0) {
    for (const match of strings) to.push(Number.parseInt(match[1] ?? '', 16), ...place(from + match.index + 2));
    return to.finish('c-array', undefined, problems);
  }
  const elements = [...body.matchAll(/[^\s,;]+/g)];
  const digitsOf = (element: string) => /^0x([0-9a-f]{1,16})u?l{0,2}$/i.exec(element)?.[1];
  const longest = Math.max(0, ...elements.map(([element]) => digitsOf(element)?.length ?? 0));
  const width = declaredWidth(code) ?? ([1, 2, 4, 8] as const).find((n) => longest <= n * 2) ?? 8;
  for (const match of elements) {
    const [element] = match;
    const [line, column] = place(from + match.index);
    const digits = digitsOf(element);
    const decimal = /^\d+$/.test(element) ? BigInt(element) : undefined;
    const value = digits === undefined ? decimal : BigInt(`0x${digits}`);
    if (value === undefined || value >= 1n << BigInt(width * 8)) {
      const what = value === undefined ? 'is not a number' : `does not fit in ${counted(width, 'byte')}`;
      problems.push({ code: 'not-hex', line, column, message: `'${element}' ${what} and was skipped` });
      continue;
    }
    const padded = value.toString(16).padStart(width * 2, '0');
    for (let i = 0; i < width; i++) {
      const at = endian === 'little' ? width - 1 - i : i;
      if (to.push(Number.parseInt(padded.slice(at * 2, at * 2 + 2), 16), line, column)) continue;
      problems.push({ code: 'too-large', line, column, message: `only the first ${MAX_BYTES} bytes are read` });
      return to.finish('c-array', undefined, problems);
    }
  }
  return to.finish('c-array', undefined, problems);
}

/** Line and column of an index in a text, both from 1, for ascending indices. */
function placesOf(text: string): (index: number) => [number, number] {
  let line = 1;
  let lineStart = 0;
  return (index) => {
    for (let end = text.indexOf('\n', lineStart); end >= 0 && end < index; end = text.indexOf('\n', lineStart)) {
      line++;
      lineStart = end + 1;
    }
    return [line, index - lineStart + 1];
  };
}
