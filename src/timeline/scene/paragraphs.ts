// Lines of plain text across a picture in a file: what a person wrote below the answer, and the circumstances at the end.
import { type Frame, MARGIN } from './layout.ts';
import type { Mark } from './mark.ts';
import { textMark } from './mark-builders.ts';
import { wrapText } from './text-metrics.ts';
import type { InkName } from './theme.ts';
import { TEXT } from './tokens.ts';

const LINE = 15;
const SIZE = TEXT.small;

/** The paragraphs below `top`, each wrapped to the width; nothing without any. */
export function paragraphs({ width }: Frame, texts: readonly string[], top: number, ink?: InkName) {
  const filled = texts.filter((text) => text.trim() !== '');
  if (filled.length === 0) return { marks: [], bottom: top };
  let y = top + 2;
  const marks = filled.flatMap((text): Mark[] =>
    wrapText(text, width - 2 * MARGIN, SIZE).map((line) => {
      y += LINE;
      return textMark(MARGIN, y, line, { size: SIZE, ...(ink === undefined ? {} : { ink }) });
    }),
  );
  return { marks, bottom: y + 6 };
}
