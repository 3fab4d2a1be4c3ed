// What editors, forums and web pages put into text: entities, typographic characters, and marks of HTML, BBCode and
// Markdown. All of it is removed before a format reads a line, so that none of it ends in a fact.

const ENTITIES =
  /&(?:(gt|lt|amp|quot|apos|nbsp|ndash|mdash|minus|lsquo|rsquo|ldquo|rdquo|hellip|times|tab|newline)|#(\d{1,6})|#[xX]([0-9a-fA-F]{1,6}));/g;
const ENTITY_TEXT: Readonly<Record<string, string>> = {
  gt: '>',
  lt: '<',
  amp: '&',
  quot: '"',
  apos: "'",
  nbsp: ' ',
  ndash: '-',
  mdash: '-',
  minus: '-',
  lsquo: "'",
  rsquo: "'",
  ldquo: '"',
  rdquo: '"',
  hellip: '…',
  times: '×',
  tab: '\t',
  newline: '',
};

/** Replaces entities of HTML, twice encoded ones too. */
export function replaceEntities(text: string): string {
  const once = replaceOnce(text);
  return once.includes('&') && once !== text ? replaceOnce(once) : once;
}

function replaceOnce(text: string): string {
  return text.replace(ENTITIES, (whole, name?: string, decimal?: string, hexadecimal?: string) => {
    if (name !== undefined) return ENTITY_TEXT[name] ?? whole;
    const code = decimal === undefined ? Number.parseInt(hexadecimal ?? '', 16) : Number(decimal);
    return code >= 32 && code <= 0x10ffff && !(code >= 0xd800 && code <= 0xdfff) ? String.fromCodePoint(code) : ' ';
  });
}

const BEYOND_ASCII = /[\u0080-\uffff]/;
/** No-break and other blanks; the ideographic one is as wide as two. */
const BLANKS = /[\u00a0\u1680\u2000-\u200a\u202f\u205f]/g;
/** Between groups of three digits: such a blank separates thousands, if words are separated by others. */
const IN_NUMBER = /(?<=(?<![\w.])\d{1,3}(?:[\u00a0\u2009\u202f]\d{3})*)[\u00a0\u2009\u202f](?=\d{3}(?![\w.]))/;
const OTHER_BLANKS = new RegExp(`(?!${IN_NUMBER.source})[\\u00a0\\u1680\\u2000-\\u200a\\u202f\\u205f]`, 'g');
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u2064\ufeff]/g;
const SINGLE_QUOTES = /[\u2018\u2019\u201a\u201b\u2032\u00b4]/g;
const DOUBLE_QUOTES = /[\u201c-\u201f\u2033]/g;
const DASHES = /[\u2010-\u2015\u2212\ufe58\ufe63\uff0d]/g;
/** The letters of ASCII in full width. */
const WIDE = /[\uff01-\uff0c\uff0e-\uff5e]/g;

/** Kinds of quotation marks; an apostrophe in a word is not one. */
const QUOTATION_MARKS: readonly RegExp[] = [
  /[\u201c-\u201f\u00ab\u00bb]/g,
  /(?<!\p{L})[\u2018-\u201b]|[\u2018-\u201b](?!\p{L})/gu,
];

/** Without the quotation marks around a line, or before the first or behind the last one of several lines. */
function withoutQuotationMarks(line: string): string {
  let text = line;
  for (const marks of QUOTATION_MARKS) {
    const places = [...text.matchAll(marks)].map(({ index }) => index);
    const [first, last] = [places[0], places.at(-1)];
    if (first === undefined || last === undefined) continue;
    const isFirst = text.slice(0, first).trim() === '';
    const isLast = /^[.,;]?\s{0,80}$/.test(text.slice(last + 1));
    // Those in pairs are the line's own.
    const isAround = places.length === 2 && isFirst && isLast;
    if (!isAround && places.length % 2 === 0) continue;
    if (isLast) text = text.slice(0, last) + text.slice(last + 1);
    if (isFirst && (isAround || !isLast)) text = text.slice(0, first) + text.slice(first + 1);
  }
  return text;
}

/** The text with characters of ASCII for typographic ones. Blanks that separate thousands stay: they damage a number. */
export function plainCharacters(text: string): string {
  if (!BEYOND_ASCII.test(text)) return text;
  const keeps = IN_NUMBER.test(text) && /\S \S/.test(text);
  return withoutQuotationMarks(text)
    .replace(keeps ? OTHER_BLANKS : BLANKS, ' ')
    .replaceAll('\u3000', '  ')
    .replace(INVISIBLE, '')
    .replace(SINGLE_QUOTES, "'")
    .replace(DOUBLE_QUOTES, '"')
    .replace(DASHES, '-')
    .replaceAll('\u2192', '->')
    .replace(WIDE, (letter) => String.fromCharCode(letter.charCodeAt(0) - 0xfee0));
}

const TAGS =
  /<\/?(?:pre|code|br|tt|p|div|span|b|i|u|em|strong|small|mark|kbd|samp|font|li|ul|td|tr|th|table|tbody|blockquote|a)\b(?:\s[^<>]{0,200})?\/?>/gi;
const BBCODE =
  /\[\/?size(?:="?\d{1,3}(?:pt|px|%)?"?)?\]|\[\/?(?:code|quote|b|i|u|s|pre|tt|font|color|spoiler|noparse|php|bash|mono|highlight|url|list|table|tr|td)(?:=[^\]\n]{0,80})?\]/gi;
/** Carriage returns and backspaces as `cat -v` and editors show them, at the end of a line. */
const SHOWN_CONTROLS = /(?:\^[MH]){1,4}(?=\s*$)/;
const FENCE = /^\s{0,8}(?:`{3,}|~{3,})[\w+-]{0,20}\s*$/;
/** A whole line, or a part of it, in bold or italics. */
const STRONG = /(?<![\w*])(?:(\*{2,3})(?=\S)([^*]{1,2000}?)(?<=\S)\1|(_{2,3})(?=\S)([^_]{1,400}?)(?<=\S)\3)(?![\w*])/g;
const STRONG_LINE = /^(\s{0,80})(\*{2,3}|_{2,3})(?![*_\s]{0,80}$)(.{1,4000}?)\2(\s{0,80})$/;
/** Characters that Markdown would take for marks. */
const ESCAPED = /\\([_*<>])/g;
const EMPHASIS = /(?<![\w*/])\*(?=[\w[(])([^*\n]{1,400}?)(?<=[\w\])])\*(?![\w*/])/g;
/** An item of a list that is nothing but code: what is inside keeps its indentation. */
const CODE_ITEM = /^\s{0,8}(?:[-+*\u2022]|\d{1,3}[.)])\s{1,3}(`{1,2})([^`\n]{1,2000})\1\s{0,8}$/;
const TICKS = /(`{1,2})([^`\n]{1,2000})\1/g;
/** A line of a table: cells between bars. Outside of a table, bars at the start are quote marks. */
const ROW = /^\s{0,8}\|[ \t](.*?)[ \t]*\|\s*$/;
const CELL = / \| /;

/** Without the line ends and backspaces of other systems, as programs show them. */
function withoutShownControls(text: string): string {
  return text.includes('^') ? text.replace(SHOWN_CONTROLS, '') : text;
}

/** Removes marks of HTML, BBCode and Markdown. A row of a table with one cell is that cell. */
export function removeMarkup(line: string): string {
  let text = line;
  if (text.includes('<')) text = text.replace(TAGS, '');
  if (text.includes('[')) text = text.replace(BBCODE, '');
  text = withoutShownControls(text);
  if (text.includes('`')) text = FENCE.test(text) ? '' : text.replace(CODE_ITEM, '$2').replace(TICKS, '$2');
  if (text.includes('**') || text.includes('__')) {
    text = text
      .replace(STRONG_LINE, '$1$3$4')
      .replace(STRONG, (_, _stars, strong?: string, _lines?, low?: string) => strong ?? low ?? '');
  }
  if (text.includes('\\')) text = text.replace(ESCAPED, '$1');
  if (text.includes('*')) text = text.replace(EMPHASIS, '$1');
  if (text.includes('|')) {
    const cells = ROW.exec(text)?.[1];
    if (cells !== undefined && !CELL.test(cells)) text = cells;
  }
  return text;
}
