// Numbers that somebody cut, redacted or reformatted must not be used: `0x7cd8...`, `0xXXXXXXXX`, `8c0…`, `0xfee0_0000`,
// `16,777,216`. They are found before any format reads the line, and their characters are replaced by others, so that no
// pattern reads the remaining digits as the number. `restore` undoes the replacement for texts in facts, such as names.
//
//   hexadecimal = "0x" digits (elision | mask | letter | 1*(separator group))      group: 3 or 4 digits
//   bare        = digits (elision | mask …)                                         with at least one decimal digit
//   mask        = 2*("x" | "X" | "*" | "#" | "?" | "•" | "█" …)                     without digits: where a value is expected
//   decimal     = 1*3digit 1*(separator 3digit)                                     separator: `,` `'` blank, `.` twice
//
// A multiplication sign in `0×` is what blogs turn an x into: it is repaired, and reported.

export interface CheckedNumbers {
  readonly text: string;
  /** The original text of the damaged numbers. */
  readonly damaged: readonly string[];
  /** The text with intact numbers in place of the damaged ones: tells which formats the line would interest. */
  readonly filled: string;
  /** The original text of the repaired numbers. */
  readonly repaired: readonly string[];
}

/** By character code: 1 for hexadecimal digits, 3 for decimal digits, 4 for other characters of a damaged number. */
const KINDS = new Uint8Array(128);
for (const letter of '0123456789abcdefABCDEF') KINDS[letter.charCodeAt(0)] = 1;
for (const letter of '0123456789') KINDS[letter.charCodeAt(0)] = 3;
for (const letter of ".,'_xX*#?~<[({ ") KINDS[letter.charCodeAt(0)] = 4;

const BLANK = 32;
const DOT = 46;

function kindAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code < 128 ? (KINDS[code] ?? 0) : 0;
}

function isX(text: string, at: number): boolean {
  return (text.charCodeAt(at) | 0x20) === 120;
}

/** A cheap test, because nearly all lines are undamaged: false only for a line without a damaged number. */
function isSuspicious(text: string): boolean {
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code >= 128) return true;
    if (KINDS[code] !== 4) continue;
    const before = kindAt(text, at - 1);
    const after = kindAt(text, at + 1);
    if (code === BLANK) {
      if ((before & 1) !== 0 && (after & 1) !== 0 && isGroup(text, at + 1)) return true;
    } else if (code === DOT) {
      if (after === 4 && text.charCodeAt(at + 1) === DOT && text.charCodeAt(at + 2) === DOT) return true;
      if ((before & 1) !== 0 && (after & 1) !== 0 && isGroup(text, at + 1) && isSeparator(text, at)) return true;
    } else if ((code | 0x20) === 120) {
      if (text.charCodeAt(at - 1) === 48) {
        // The digits of `0x…` end where a number may end, or it is damaged.
        let end = at + 1;
        while ((kindAt(text, end) & 1) !== 0) end++;
        if (end === at + 1 || isLetter(text, end) || (kindAt(text, end) === 4 && isMark(text, end))) return true;
        at = end - 1;
      } else if (isX(text, at + 1) || text.charCodeAt(at + 1) === 42) return true;
      else if (before === 3 && after !== 0) return true;
      else if (before === 1 && after === 3) return true;
    } else if (after === 4 && text.charCodeAt(at + 1) === code) return true;
    else if ((before & 1) !== 0 && (before === 3 || after === 3)) return true;
  }
  return false;
}

/** True if the dot may separate groups of digits: there is another one, or the number follows a word. */
function isSeparator(text: string, dot: number): boolean {
  if (text.charCodeAt(dot + 4) === DOT) return true;
  let from = dot;
  while ((kindAt(text, from - 1) & 1) !== 0) from--;
  return text.charCodeAt(from - 1) === BLANK;
}

/** True for three or four hexadecimal digits and no more. */
function isGroup(text: string, from: number): boolean {
  let end = from;
  while (end - from < 5 && (kindAt(text, end) & 1) !== 0) end++;
  return end - from >= 3 && end - from <= 4 && !isLetter(text, end);
}

function isLetter(text: string, at: number): boolean {
  const code = text.charCodeAt(at) | 0x20;
  return code >= 97 && code <= 122;
}

/**
 * True for a character of a damaged number; a blank only before a group of digits, commas and dots only before a digit or
 * another dot.
 */
function isMark(text: string, at: number): boolean {
  const code = text.charCodeAt(at);
  if (code === BLANK) return isGroup(text, at + 1);
  return (code !== 44 && code !== DOT) || (kindAt(text, at + 1) & 1) !== 0 || text.charCodeAt(at + 1) === DOT;
}

const DIGIT = '[0-9a-fA-F]';
const MASK = '[xX*#?~•●█▒░]';
/** What replaces the missing digits. */
const ELISION = '(?:\\.{3,}|…|\\[(?:\\.{2,}|…)\\])';
const REDACTION =
  '(?:[<[({]{1,2}(?:redacted|snip(?:ped)?|cut|omitted|hidden|masked|removed|elided|censored|addr(?:ess)?|hex|x{2,}|\\*{2,})[^<>\\[\\](){}]{0,20}[>\\])}]{1,2})';
const REST = `(?:${DIGIT}|${MASK}|_|${ELISION})*`;
/** Suffixes of numbers in source code, and of Xen. */
const SUFFIX = '(?:[uU][lL]{0,2}|[lL]{1,2}|[hH])(?!\\w)';

/** English words made of hexadecimal digits: an elision after one does not cut a number. */
const WORDS =
  '(?:a|ace|add|added|bad|be|bead|bed|cafe|dad|dead|decade|deed|face|facade|fade|faded|fed|feed)(?![0-9a-f])';
/** Groups of four digits, separated by blanks, are a number where one is expected, but not in a hex dump. */
const EXPECTED =
  '(?<=[=(,[-] ?|[g-z) ][:=] |\\b(?:addr|address|iova|cap|ecap|base|end|size|len|length|[gh]?pa|start|mem):? )';

/** What stands before a number, not before a name. */
const BEFORE_NUMBER =
  '(?<=[g-z] : |\\b(?:at|addr|address|iova|cap|ecap|base|end|size|len|length|offset|pa|start)[:=]? ?)';
const LABELLED = '(?<=\\b(?:addr|address|iova|cap|ecap|base|end|pa|start):? )';

// `slpte=`: QEMU prints `level=0x1slpte=0x…`.
const HEX = [
  `0[xX]${DIGIT}*(?:${ELISION}|${REDACTION})${REST}`,
  `(?!0x0x${DIGIT})0[xX]${DIGIT}*(?!${SUFFIX}|slpte=)(?:[g-wyz_]|(?!\\?(?![\\w?…]))${MASK})[\\w*#?~•●█▒░.…]*`,
  `0[xX]${DIGIT}{1,4}(?:(?:[,'’._]${DIGIT}{4})+|(?:[,'’_.]${DIGIT}{3})+)(?!${DIGIT})`,
  `0[xX]${DIGIT}{1,4}(?: ${DIGIT}{4}){3}(?!\\w)`,
  `${EXPECTED}0[xX]${DIGIT}{1,4}(?: ${DIGIT}{4})+(?!\\w)`,
  // With a word behind it, the last group may be a count: `at 0x8000 4096 bytes`.
  `(?<=\\b(?:at|for) |@|-> )0[xX]${DIGIT}{1,4}(?: ${DIGIT}{4})+(?!\\w| [a-z])`,
];
const BARE = [
  `(?!${WORDS})${DIGIT}+(?:${ELISION}|${REDACTION})${REST}`,
  `(?=[\\w*#?~•●█▒░]{4})${DIGIT}+(?:${MASK}{3,}|[*#•█]{2,})${REST}(?!\\w)`,
  `(?=[\\w*#?~•●█▒░]{4})(?=${DIGIT}*\\d)${DIGIT}+${MASK}{2,}${REST}(?!\\w)`,
  `(?=${DIGIT}{0,16}[xX*#?~]{0,16}${DIGIT}{0,16}[a-fA-F])(?=${DIGIT}*\\d)${DIGIT}{3,}${MASK}${DIGIT}{2,}(?!\\w)`,
  `(?=${DIGIT}*\\d)${DIGIT}{4,}\\*(?!\\w)`,
  // Only at the start of a run: in a line of thousands of such characters, each one would scan all that follow.
  `(?<![*#?~•●█▒░]{2})${MASK}{2,}${DIGIT}{2,}(?!\\w)`,
  `(?=${DIGIT}*['’_]?\\d)${DIGIT}{1,4}(?:['’_]${DIGIT}{4})+(?!\\w)`,
  `${DIGIT}{1,3}(?:[,'’]${DIGIT}{3})+(?<=\\d.*)(?![\\w]|,\\w)`,
  // Names have underlines too.
  `${BEFORE_NUMBER}(?=\\d)${DIGIT}{1,3}(?:_${DIGIT}{3})+(?!\\w)`,
  `${DIGIT}{1,3}(?:\\.${DIGIT}{3}){2,}(?<=[a-f].*)(?![\\w.])`,
  `${DIGIT}{4}(?: ${DIGIT}{4}){1,3}(?=-${DIGIT})`,
  `${EXPECTED}${DIGIT}{1,4}(?:[ .]${DIGIT}{4})+(?!\\w)`,
  `${LABELLED}${DIGIT}{1,3}(?:\\.${DIGIT}{3})+(?![\\w:])`,
];
const DECIMAL = ["\\d{1,3}(?:[,'’\\u00a0\\u2009\\u202f]\\d{3})+(?![\\w,.'’])", '\\d{1,3}(?:\\.\\d{3}){2,}(?![\\w.])'];
const SIZE = "(?<=(?:size|length|len|bytes)[=:] ?)\\d{1,4}(?:[ .']\\d{3,4})+(?![\\w.])";
const STARRED = '(?<=(?:size|length|len|bytes)[=:] ?)\\d+\\*';
/** A number that is masked completely: only where a value is expected. */
const WHOLE = `(?<=[=(\\[-] ?|: |\\b(?:addr|address|iova) |^\\s{0,64})(?:[xX]{4,}|[*•●█▒░#?]{4,}|${REDACTION})(?![\\w*])`;

const DAMAGED = new RegExp(
  [
    // Digests, such as those of SSH keys, are not numbers.
    `(?<![\\w.…]|\\bSHA\\d{1,3}:[\\w+/]{0,64})(?:${HEX.join('|')})`,
    `(?<![\\w.…,:/'’]|${DIGIT}{0,3}-)(?:${BARE.join('|')})`,
    `(?<=(?<![\\w-])${DIGIT}{4,64}-)(?:${BARE.join('|')})`,
    `(?<![\\w.,'’:+-])(?:${DECIMAL.join('|')})`,
    SIZE,
    STARRED,
    WHOLE,
  ].join('|'),
  'gi',
);
const LENGTH_MAX = 40;
const CROSS = /(?<![\w.])0×(?=[0-9a-fA-F])/g;

/** Characters from the private use area replace those of ASCII. */
const AWAY = 0xe000;
const AWAY_LETTERS = /[\ue021-\ue07e]/g;
const ASCII = /[!-~]/g;

/** Finds damaged numbers in a line; undefined if it has none and nothing was repaired. */
export function checkNumbers(line: string): CheckedNumbers | undefined {
  if (!isSuspicious(line)) return undefined;
  const damaged: string[] = [];
  const repaired: string[] = [];
  const whole = line.replace(CROSS, (_, at: number) => {
    repaired.push(/^0×[0-9a-fA-F]*/.exec(line.slice(at))?.[0] ?? '0×');
    return '0x';
  });
  let filled = '';
  let end = 0;
  const text = whole.replace(DAMAGED, (number: string, ...rest: unknown[]) => {
    // Numbers have up to twenty digits and separators: anything longer is a horizontal rule or binary data.
    if (number.length > LENGTH_MAX) return number;
    const at = rest.find((one) => typeof one === 'number') ?? 0;
    damaged.push(number);
    filled += whole.slice(end, at) + (/^0x/i.test(number) ? '0x0000000000000000' : '00000000');
    end = at + number.length;
    return number.replace(ASCII, (letter) => String.fromCharCode(AWAY + letter.charCodeAt(0)));
  });
  if (damaged.length === 0 && repaired.length === 0) return undefined;
  return { text, damaged, filled: filled + whole.slice(end), repaired };
}

/** The text before `checkNumbers` replaced some of its characters. */
export function restore(text: string): string {
  return text.replace(AWAY_LETTERS, (letter) => String.fromCharCode(letter.charCodeAt(0) - AWAY));
}
