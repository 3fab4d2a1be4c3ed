// The ruler above the lanes: ticks with their addresses, and where common address widths end.
import type { IovaRange } from '../../iova/range.ts';
import { type Frame, MARGIN } from './layout.ts';
import type { Mark } from './mark.ts';
import { pathMark, textMark } from './mark-builders.ts';
import { TICK_FONT_SIZE, TICK_SUB_SIZE, type Tick, ticks, widthMarks } from './ticks.ts';

const HEIGHT = 36;
/** Below the line of the ruler: with address widths or the sizes of axis breaks, and without them. */
const FOOT_WITH_LABELS = 16;
const FOOT = 4;

export interface Ruler {
  readonly marks: readonly Mark[];
  readonly ticks: readonly Tick[];
  readonly bottom: number;
}

/** The ruler with its top at `top`. `hasAxisBreaks` makes room for their sizes; the bounds of `ranges` come first. */
export function ruler(frame: Frame, top: number, hasAxisBreaks: boolean, ranges: readonly IovaRange[] = []): Ruler {
  const { left, scale, view } = frame;
  const list = ticks(scale, view, ranges);
  const base = top + HEIGHT;
  const marks: Mark[] = [];
  for (const tick of list) {
    const x = left + tick.pixel;
    const place = { anchor: tick.align } as const;
    const font = tick.isBound ? 'mono-bold' : 'mono';
    marks.push(textMark(x, base - (tick.line === 0 ? 20 : 8), tick.label, { size: TICK_FONT_SIZE, font, ...place }));
    marks.push(vertical(x, base - 4, base));
    if (tick.size !== '') {
      marks.push(textMark(x, base - 8, tick.size, { size: TICK_SUB_SIZE, ink: 'muted', ...place }));
    }
  }
  const line = pathMark(
    [
      [left, base],
      [left + view.width, base],
    ],
    'muted',
  );
  // Keep the room for widths even if none is in the window: zooming must not move the lanes.
  const foot = hasAxisBreaks || scale.kind !== 'fold' ? FOOT_WITH_LABELS : FOOT;
  return { marks: [...marks, line, ...addressWidths(frame, base)], ticks: list, bottom: base + foot };
}

/** Below the line: where the addresses of IOMMUs with common address widths end. */
function addressWidths({ left, scale, view }: Frame, base: number): Mark[] {
  const widths = widthMarks(scale, view);
  if (widths.length === 0) return [];
  const style = { size: TICK_SUB_SIZE, ink: 'muted' } as const;
  return [
    textMark(MARGIN, base + 12, 'bits', style),
    ...widths.flatMap(({ bits, pixel }) => {
      const x = left + pixel;
      return [textMark(x, base + 12, String(bits), { ...style, anchor: 'middle' }), vertical(x, base, base + 3)];
    }),
  ];
}

function vertical(x: number, from: number, to: number): Mark {
  return pathMark(
    [
      [x, from],
      [x, to],
    ],
    'muted',
  );
}

/** Lines through the lanes at the ticks. */
export function gridLines({ left }: Frame, list: readonly Tick[], top: number, bottom: number): Mark[] {
  return list.map(({ pixel }) =>
    pathMark(
      [
        [left + pixel, top - 4],
        [left + pixel, bottom],
      ],
      'grid',
    ),
  );
}
