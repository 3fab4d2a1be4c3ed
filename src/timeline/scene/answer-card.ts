// The answer at the top of a picture in a file: whoever gets the file gets what was found, not only the ranges.
import { type Frame, MARGIN } from './layout.ts';
import type { Mark } from './mark.ts';
import { textMark } from './mark-builders.ts';
import { wrapText } from './text-metrics.ts';
import type { InkName } from './theme.ts';
import { TEXT } from './tokens.ts';

export interface SceneAnswer {
  readonly severity: 'fatal' | 'warning' | 'note' | 'clean';
  /** One or two sentences. */
  readonly text: string;
  /** What to do, one sentence each; the first ones are shown. */
  readonly remedies: readonly string[];
}

const INKS: Readonly<Record<SceneAnswer['severity'], InkName>> = {
  fatal: 'alarm',
  warning: 'caution',
  note: 'muted',
  clean: 'good',
};
const TEXT_X = MARGIN + 12;
const VERDICT = { size: TEXT.label, line: 18 };
const REMEDY = { size: TEXT.label, line: 16 };
const PADDING = 6;
const REMEDIES_MAX = 3;

/** The answer below `top`: a bar in the color of its severity, the text, and the first fixes. Nothing is cut off. */
export function answerCard({ width }: Frame, answer: SceneAnswer | undefined, top: number) {
  if (!answer) return { marks: [], bottom: top };
  const room = width - TEXT_X - MARGIN;
  const y0 = top + 4;
  let y = y0 + PADDING;
  const lines: Mark[] = [];
  for (const line of wrapText(answer.text, room, VERDICT.size, 'bold')) {
    y += VERDICT.line;
    lines.push(textMark(TEXT_X, y - 5, line, { size: VERDICT.size, font: 'bold' }));
  }
  for (const remedy of answer.remedies.slice(0, REMEDIES_MAX)) {
    for (const line of wrapText(`Fix: ${remedy}`, room, REMEDY.size)) {
      y += REMEDY.line;
      lines.push(textMark(TEXT_X, y - 4, line, { size: REMEDY.size }));
    }
  }
  y += PADDING;
  const ink = INKS[answer.severity];
  const marks: Mark[] = [
    { type: 'wash', x: MARGIN, y: y0, width: width - 2 * MARGIN, height: y - y0, ink },
    { type: 'fill', x: MARGIN, y: y0, width: 4, height: y - y0, ink },
    ...lines,
  ];
  return { marks, bottom: y + 4 };
}
