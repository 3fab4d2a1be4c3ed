// What a picture in a file does not show.
import { type Frame, MARGIN } from './layout.ts';
import { textMark } from './mark-builders.ts';
import { wrapText } from './text-metrics.ts';

const LINE = 15;
const SIZE = 10.5;

/** One or more lines below `top`; nothing if nothing is left out. */
export function leftOutNote({ width }: Frame, leftOut: readonly string[], top: number) {
  if (leftOut.length === 0) return { marks: [], bottom: top };
  let y = top + 2;
  const marks = wrapText(`Not in this picture: ${leftOut.join('; ')}.`, width - 2 * MARGIN, SIZE).map((line) => {
    y += LINE;
    return textMark(MARGIN, y, line, { size: SIZE });
  });
  return { marks, bottom: y + 6 };
}
