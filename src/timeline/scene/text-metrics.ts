// Widths of texts without a canvas: equal in the page, in the worker and on the command line, so that labels are placed
// equally everywhere. The advances are those of DejaVu Sans, the widest of the common interface fonts: what fits with
// them fits with any other.

export type Font = 'sans' | 'bold' | 'mono' | 'mono-bold';

/** Advances of U+0020 … U+007E in hundredths of the font size. */
const SANS =
  '32 40 46 84 64 95 78 27 39 39 50 84 32 36 32 34 64 64 64 64 64 64 64 64 64 64 34 34 84 84 84 53 100 68 69 70 77 63 58 77 75 29 29 66 56 86 75 79 60 79 69 63 61 73 68 99 69 61 69 39 34 39 84 50 50 61 63 55 63 62 35 63 63 28 28 58 28 97 63 61 63 63 41 52 39 63 59 82 59 59 52 64 34 64 84'
    .split(' ')
    .map(Number);
const BOLD =
  '35 46 52 84 70 100 87 31 46 46 52 84 38 42 38 37 70 70 70 70 70 70 70 70 70 70 40 40 84 84 84 58 100 77 76 73 83 68 68 82 84 37 37 77 64 100 84 85 73 85 77 72 68 81 77 110 77 72 73 46 37 46 84 50 50 67 72 59 72 68 44 72 71 34 34 67 34 104 71 69 72 72 49 60 48 71 65 92 65 65 58 71 37 71 84'
    .split(' ')
    .map(Number);
const MONO = 61;
/** Anything outside ASCII: as wide as the font is high. */
const OTHER = 100;
const KNOWN_OTHERS: Readonly<Record<string, number>> = { '·': 38, '–': 52, '≈': 84, '×': 84, '−': 84, '…': 100 };

/** Of one character, in hundredths of the font size. */
function advance(c: string, font: Font): number {
  const code = (c.codePointAt(0) ?? 0) - 32;
  if (font === 'mono' || font === 'mono-bold') return code >= 0 && code < 95 ? MONO : OTHER;
  return (font === 'bold' ? BOLD : SANS)[code] ?? KNOWN_OTHERS[c] ?? OTHER;
}

/** Width in pixels at `size` pixels; never less than what a common font draws. */
export function textWidth(text: string, size: number, font: Font = 'sans'): number {
  let sum = 0;
  for (const c of text) sum += advance(c, font);
  return (sum * size) / 100;
}

/** The longest beginning of `text` that fits into `width` with an ellipsis; '' if fewer than `minLength` characters fit. */
export function shorten(text: string, width: number, size: number, font: Font = 'sans', minLength = 4): string {
  if (textWidth(text, size, font) <= width) return text;
  // Titles name hundreds of groups: nothing behind what fits is measured.
  const room = (width * 100) / size - advance('…', font);
  let sum = 0;
  let end = 0;
  for (const c of text) {
    sum += advance(c, font);
    if (sum > room) break;
    end += c.length;
  }
  // Blanks before the ellipsis are not drawn, and may have been what did not fit.
  while (text[end] === ' ') end++;
  return end < minLength ? '' : `${text.slice(0, end).trimEnd()}…`;
}

/** Breaks a text at blanks into lines that fit into `width`; a word that is too long is shortened. */
export function wrapText(text: string, width: number, size: number, font: Font = 'sans'): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/).filter((w) => w !== '')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (textWidth(longer, size, font) <= width) {
      line = longer;
      continue;
    }
    if (line !== '') lines.push(line);
    line = shorten(word, width, size, font, 1);
  }
  if (line !== '') lines.push(line);
  return lines;
}
