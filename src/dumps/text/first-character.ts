// What a match of a regular expression begins with, from its source: so much of the grammar as is needed to tell which
// expressions need not be tried. Where it is not certain, the answer is that anything may be.

/** The codes of the ASCII characters that a match may begin with, and 128 if others may; or anything. */
export type FirstCharacters = ReadonlySet<number> | typeof ANY_FIRST;

export const ANY_FIRST = 'any';

/** Stands for all characters beyond ASCII. */
const BEYOND = 128;
const codesOf = (letters: string) => [...letters].map((letter) => letter.charCodeAt(0));
const LETTERS = 'abcdefghijklmnopqrstuvwxyz';
const DIGITS = codesOf('0123456789');
const WORD = [...codesOf(LETTERS + LETTERS.toUpperCase()), ...DIGITS, 95];
const SPACE = [9, 10, 11, 12, 13, 32, BEYOND];

/** The alternatives of an expression. */
export function alternatives(source: string): string[] {
  const parts: string[] = [];
  let from = 0;
  let depth = 0;
  let inClass = false;
  for (let at = 0; at < source.length; at++) {
    const letter = source[at];
    if (letter === '\\') at++;
    else if (inClass) inClass = letter !== ']';
    else if (letter === '[') inClass = true;
    else if (letter === '(') depth++;
    else if (letter === ')') depth--;
    else if (letter === '|' && depth === 0) {
      parts.push(source.slice(from, at));
      from = at + 1;
    }
  }
  return [...parts, source.slice(from)];
}

/** The literal that an expression without alternatives begins with, in ASCII; perhaps shorter than it could be. */
export function literalStart(source: string): string {
  const [start = '', literal = ''] = /^(?:\\b)?([\w @:,=-]*)/.exec(source) ?? [];
  // A quantifier may apply to the last character.
  return /^[?*{]/.test(source.slice(start.length)) ? literal.slice(0, -1) : literal;
}

/** The literals of which one is what an expression without alternatives begins with; `\d` stands for ten digits. */
export function literalStarts(source: string): string[] {
  if (!source.startsWith('\\d') || /^\\d[?*{+]/.test(source)) return [literalStart(source)];
  const rest = literalStart(source.slice(2));
  return [...'0123456789'].map((digit) => digit + rest);
}

/** What a match begins with if it begins at the start of a text. */
export function firstCharacters({ source, flags }: RegExp): FirstCharacters {
  const found = new Set<number>();
  // An expression that matches nothing at all may match before anything.
  if (firstOf(source, found)) return ANY_FIRST;
  if (flags.includes('i')) {
    for (const code of [...found]) {
      if ((code >= 65 && code <= 90) || (code >= 97 && code <= 122)) found.add(code ^ 0x20);
    }
    // Letters beyond ASCII that are the same without case.
    found.add(BEYOND);
  }
  return found.has(-1) ? ANY_FIRST : found;
}

/** Adds what the alternatives begin with; -1: anything. True if one of them may be empty. */
function firstOf(source: string, found: Set<number>): boolean {
  return alternatives(source)
    .map((part) => firstOfSequence(part, found))
    .some((isEmpty) => isEmpty);
}

const QUANTIFIER = /^(?:[*?]|\{0(?:,\d*)?\})\??/;
const REPEATED = /^(?:\+|\{\d+(?:,\d*)?\})\??/;

function firstOfSequence(source: string, found: Set<number>): boolean {
  let rest = source;
  while (rest !== '') {
    const term = termOf(rest);
    rest = rest.slice(term.length);
    const isOptional = QUANTIFIER.test(rest);
    const mayBeEmpty = firstOfTerm(term, found);
    if (!mayBeEmpty && !isOptional) return false;
    rest = rest.replace(isOptional ? QUANTIFIER : REPEATED, '');
  }
  return true;
}

/** The first term of a sequence: a group, a class, an escape or a character; without its quantifier. */
export function termOf(source: string): string {
  if (source.startsWith('(')) {
    let depth = 0;
    let inClass = false;
    for (let at = 0; at < source.length; at++) {
      const letter = source[at];
      if (letter === '\\') at++;
      else if (inClass) inClass = letter !== ']';
      else if (letter === '[') inClass = true;
      else if (letter === '(') depth++;
      else if (letter === ')' && --depth === 0) return source.slice(0, at + 1);
    }
    return source;
  }
  return (
    /^(?:\\[pP]\{[^}]*\}|\\u\{[^}]*\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\.|\[(?:\\.|[^\]\\])*\]|.)/su.exec(
      source,
    )?.[0] ?? source
  );
}

/** True if the term takes no character. */
function firstOfTerm(term: string, found: Set<number>): boolean {
  if (term === '^' || term === '$' || term === '\\b' || term === '\\B' || /^\(\?<?[=!]/.test(term)) return true;
  if (term.startsWith('(')) return firstOf(term.replace(/^\((?:\?:|\?<\w+>)?/, '').slice(0, -1), found);
  for (const code of term.startsWith('[') ? ofClass(term.slice(1, -1)) : ofCharacter(term)) found.add(code);
  return false;
}

function ofClass(inner: string): number[] {
  if (inner.startsWith('^')) return complement(inner.slice(1));
  const parts = inner.match(/\\[pPu]\{[^}]*\}|\\u[0-9a-fA-F]{4}|\\x[0-9a-fA-F]{2}|\\.|./gsu) ?? [];
  const codes: number[] = [];
  for (let i = 0; i < parts.length; i++) {
    const [from, dash, to] = [parts[i] ?? '', parts[i + 1], parts[i + 2]];
    if (dash !== '-' || to === undefined) codes.push(...ofCharacter(from, true));
    else {
      const [low = -1] = ofCharacter(from, true);
      const [high = -1] = ofCharacter(to, true);
      if (low < 0 || high < 0) return [-1];
      for (let code = low; code <= high; code++) codes.push(code);
      i += 2;
    }
  }
  return codes;
}

/** All that is not in a class. Of properties, only letters and numbers are known. */
function complement(inner: string): number[] {
  const named = inner.replace(/\\p\{[LN]\}/g, (name) => (name === '\\p{L}' ? 'A-Za-z' : '0-9'));
  const codes = ofClass(named);
  if (codes.includes(-1)) return [-1];
  const excluded = new Set(codes);
  return [...Array.from({ length: BEYOND }, (_, code) => code).filter((code) => !excluded.has(code)), BEYOND];
}

/** What one character, or an escape of one, stands for. */
function ofCharacter(term: string, inClass = false): number[] {
  if (term === '\\d') return DIGITS;
  if (term === '\\w') return WORD;
  if (term === '\\s') return SPACE;
  if (term === '\\t') return [9];
  if (/^\\[^A-Za-z0-9]$/.test(term)) return [Math.min(term.charCodeAt(1), BEYOND)];
  if (term.startsWith('\\') || (term === '.' && !inClass)) return [-1];
  return [Math.min(term.charCodeAt(0), BEYOND)];
}
