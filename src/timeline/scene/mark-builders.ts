// Builders for the marks that every part of a scene uses.
import type { Mark } from './mark.ts';
import type { InkName } from './theme.ts';
import { TEXT } from './tokens.ts';

type TextMark = Extract<Mark, { type: 'text' }>;
type PathMark = Extract<Mark, { type: 'path' }>;

/** Characters that would break the line or change the text direction: names in dumps may contain anything. */
const CONTROL_CHARACTERS = /[\p{Cc}\p{Bidi_Control}\u2028\u2029]/gu;

/** Text with its baseline at `y`: the size of labels, sans, in the ink of the foreground unless `more` says otherwise. */
export function textMark(
  x: number,
  y: number,
  text: string,
  more: Partial<Omit<TextMark, 'type' | 'x' | 'y' | 'text'>> = {},
): TextMark {
  const shown = text.replace(CONTROL_CHARACTERS, '\ufffd');
  return { type: 'text', x, y, text: shown, size: TEXT.label, font: 'sans', ink: 'ink', anchor: 'start', ...more };
}

/** A line through points. */
export function pathMark(points: PathMark['points'], ink: InkName, width = 1): PathMark {
  return { type: 'path', points, ink, width };
}
