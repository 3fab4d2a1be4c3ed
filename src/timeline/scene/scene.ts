import { formatRange, formatSize, groupedDecimal } from '../../iova/format.ts';
import { range, sizeOf } from '../../iova/range.ts';
import { type Scale, toWorld } from '../axis/scale.ts';
import type { LaneSlice, RowSlice, SpaceSlice } from '../axis/slice.ts';
import { type PixelSpan, pixelOf, pixelSpanOf, type Viewport } from '../axis/viewport.ts';
import { DETAIL_SIZE, LABEL_SIZE, type LabelRequest, placeLabels } from './labels.ts';
import type { Flag, HitArea, LaneHead, Mark, Scene, Target } from './mark.ts';
import { shorten, textWidth } from './text-metrics.ts';
import { STYLE_NAMES, type StyleName, styleIndex } from './theme.ts';
import { TICK_FONT_SIZE, TICK_SUB_SIZE, type Tick, ticks, widthMarks } from './ticks.ts';

/** A line of the table of exact bounds that an exported picture carries. */
export interface BoundsLine {
  readonly what: string;
  readonly start: bigint;
  readonly last: bigint;
  readonly source: string;
}

/** A stretch marked across all lanes, with a few words below it: a measurement, a refused request. Bounds inclusive. */
export interface Band {
  readonly start: bigint;
  readonly last: bigint;
  readonly message: string;
  readonly ink: 'accent' | 'alarm';
}

/** A stretch with a number, flagged above the plot: a conflict of the list beside it. Bounds inclusive. */
export interface NumberedBand {
  readonly number: number;
  readonly start: bigint;
  readonly last: bigint;
  readonly ink: 'alarm' | 'accent' | 'muted';
  /** What it is: listed below an exported picture, which has no list beside it. */
  readonly message: string;
}

/** Numbers that share a flag, and the pixels of the plot between which their bands have their middles. */
interface FlagGroup {
  readonly numbers: readonly number[];
  readonly from: number;
  readonly to: number;
  readonly ink: NumberedBand['ink'];
}

/** The most important first. */
const INK_ORDER: readonly NumberedBand['ink'][] = ['alarm', 'accent', 'muted'];

export interface SceneInput {
  readonly title: string;
  readonly subtitle: string;
  readonly scale: Scale;
  /** The window; its width is that of the plot. */
  readonly view: Viewport;
  readonly spaces: readonly SpaceSlice[];
  /** Width of the whole picture; `plotWidth` says what is left for the axis. */
  readonly width: number;
  readonly selected?: Pick<Target, 'laneId' | 'start' | 'last'> | undefined;
  /** Stretches marked across all lanes. */
  readonly bands?: readonly Band[] | undefined;
  /** Stretches with a number, in the order of their numbers. */
  readonly numbered?: readonly NumberedBand[] | undefined;
  /** For exported pictures: the exact bounds as a table below. */
  readonly bounds?: readonly BoundsLine[] | undefined;
}

const RIGHT_MARGIN = 14;
const HEAD_HEIGHT = 34;
const RULER_HEIGHT = 36;
const LANE_PADDING = 9;
const CROWDED = 6;
const UNKNOWN = styleIndex('unknown');
const BADGE_WIDTH = 15;
const LEGEND_LINE = 22;
const NOTE_LINE = 17;
const NOTES_MAX = 24;
const FLAG_STRIP = 18;
/** Bands that are washed through the lanes; with more of them the lanes could not be seen. */
const WASHED_MAX = 12;

const ROW_HEIGHT: Readonly<Record<LaneSlice['kind'], number>> = {
  aperture: 24,
  reserved: 32,
  doorbells: 22,
  windows: 22,
  bars: 22,
  guest: 30,
  allowed: 22,
  areas: 32,
  mappings: 24,
  requests: 26,
  faults: 26,
  holes: 20,
  usable: 24,
};

/** Lanes whose narrow ranges get a number and a line below the picture. */
const NUMBERED: ReadonlySet<LaneSlice['kind']> = new Set([
  'aperture',
  'reserved',
  'doorbells',
  'guest',
  'allowed',
  'areas',
  'requests',
]);

export const LEGEND: Readonly<Record<StyleName, string>> = {
  aperture: 'aperture',
  beyond: 'outside the aperture',
  unknown: 'not known',
  msi: 'MSI window',
  direct: 'direct (blocks assignment)',
  'direct-relaxable': 'direct-relaxable',
  reserved: 'reserved',
  'reserved-other': 'reserved, unknown type',
  doorbell: 'page that devices write interrupts to',
  'doorbell-outside': 'interrupts outside every MSI window',
  'window-ram': 'RAM of the host',
  'window-pci': 'PCI window of the host',
  'window-reserved': 'reserved by the host’s firmware',
  'window-other': 'other window of the host',
  bar: 'BAR of a device',
  'guest-ram': 'memory of the guest',
  'guest-device': 'device memory in the guest',
  'guest-io': 'device of the guest, not mapped',
  allowed: 'allowed',
  area: 'area, read and write',
  'area-read-only': 'area, read-only',
  'area-write-only': 'area, write-only',
  'area-no-access': 'area, no access',
  mapping: 'mapping, as told',
  'mapping-unsure': 'mapping, domain not known',
  'request-refused': 'refused request',
  fault: 'fault',
  hole: 'hole',
  usable: 'usable',
  reported: 'valid range, as the kernel says',
  several: 'several kinds, too close to draw apart',
};

function gutterWidth(width: number): number {
  return width < 480 ? 92 : width < 640 ? 106 : width < 900 ? 130 : 150;
}

/** Width of the plot in a picture of `width` pixels. */
export function plotWidth(width: number): number {
  return Math.max(80, width - gutterWidth(width) - RIGHT_MARGIN);
}

/** Left edge of the plot in a picture of `width` pixels. */
export function plotLeft(width: number): number {
  return gutterWidth(width);
}

/** Notes have letters, so that the numbers are the conflicts'. */
function letterOf(number: number): string {
  return String.fromCharCode(0x60 + number);
}

interface Note {
  readonly number: number;
  readonly x: number;
  readonly text: string;
}

function text(
  x: number,
  y: number,
  content: string,
  more: Partial<Extract<Mark, { type: 'text' }>> = {},
): Extract<Mark, { type: 'text' }> {
  return { type: 'text', x, y, text: content, size: 11.5, font: 'sans', ink: 'ink', anchor: 'start', ...more };
}

interface PlacedBand extends NumberedBand, PixelSpan {}

function placed({ numbered = [], scale, view }: SceneInput): PlacedBand[] {
  return numbered
    .flatMap((band) => {
      const span = pixelSpanOf(view, scale, band.start, band.last);
      return span ? [{ ...band, ...span }] : [];
    })
    .sort((a, b) => a.x0 + a.x1 - (b.x0 + b.x1) || a.number - b.number);
}

class SceneBuilder {
  readonly marks: Mark[] = [];
  readonly hits: HitArea[] = [];
  readonly heads: LaneHead[] = [];
  readonly notes: Note[] = [];
  readonly flags: Flag[] = [];
  readonly used = new Set<StyleName>();
  /** Drawn last of the plot: nothing may cross a number or a heading. */
  readonly #topMarks: Mark[] = [];
  #y = 0;
  readonly #left: number;
  readonly #input: SceneInput;
  readonly #axisBreaks: readonly { readonly pixel: number; readonly label: string }[];
  /** The numbered bands in the window, with their pixels, from left to right. */
  readonly #numbered: readonly PlacedBand[];

  constructor(input: SceneInput) {
    this.#input = input;
    this.#left = plotLeft(input.width);
    this.#axisBreaks = this.#findAxisBreaks();
    this.#numbered = placed(input);
  }

  #findAxisBreaks() {
    const { scale, view } = this.#input;
    return scale.segments.flatMap((s) => {
      if (!s.isAxisBreak) return [];
      const x0 = pixelOf(view, s.base);
      const x1 = pixelOf(view, s.base + s.length);
      const pixel = (x0 + x1) / 2;
      // Zoomed in so far that the segment fills the window: inside it the scale is even and nothing is compressed.
      if (x1 - x0 < 22 || x1 - x0 > view.width || pixel < 6 || pixel > view.width - 6) return [];
      return [{ pixel, label: formatSize(s.end - s.start) }];
    });
  }

  build(): Scene {
    const { width, view } = this.#input;
    this.#head();
    const ruler = this.#ruler();
    const flagTop = this.#y;
    if (this.#numbered.length > 0) this.#y += FLAG_STRIP;
    const plotTop = this.#y;
    const background: Mark[] = [];
    const before = this.marks.length;
    for (const space of this.#input.spaces) this.#space(space);
    const plotBottom = this.#y;
    for (const tick of ruler) {
      background.push({
        type: 'path',
        points: [
          [this.#left + tick.pixel, plotTop - 4],
          [this.#left + tick.pixel, plotBottom],
        ],
        ink: 'grid',
        width: 1,
      });
    }
    background.push(...this.#washes(plotTop, plotBottom));
    this.marks.splice(before, 0, ...background);
    this.#drawAxisBreaks(flagTop, plotTop, plotBottom);
    if (this.#numbered.length > 0) this.#flags(flagTop);
    this.marks.push(...this.#topMarks);
    this.#bands(plotTop, plotBottom);
    this.#y += 18;
    this.#notes();
    this.#listNumbered();
    this.#legend();
    this.#bounds();
    return {
      width,
      height: Math.ceil(this.#y + 8),
      plot: { x: this.#left, y: plotTop, width: view.width, height: plotBottom - plotTop },
      marks: this.marks,
      hits: this.hits,
      heads: this.heads,
      flags: this.flags,
      description: this.#describe(),
    };
  }

  #head(): void {
    const { title, subtitle, width } = this.#input;
    const room = width - 28;
    const shortTitle = shorten(title, room, 15, 'bold', 8);
    this.marks.push(text(14, 22, shortTitle, { size: 15, font: 'bold' }));
    this.#y = HEAD_HEIGHT;
    const titleWidth = textWidth(shortTitle, 15, 'bold');
    if (titleWidth + 24 + textWidth(subtitle, 10.5) <= room) {
      this.marks.push(text(width - 14, 21, subtitle, { size: 10.5, ink: 'muted', anchor: 'end' }));
    } else {
      this.marks.push(text(14, 37, shorten(subtitle, room, 10.5), { size: 10.5, ink: 'muted' }));
      this.#y += 14;
    }
  }

  #ruler(): Tick[] {
    const { scale, view } = this.#input;
    const list = ticks(scale, view);
    const base = this.#y + RULER_HEIGHT;
    for (const tick of list) {
      const x = this.#left + tick.pixel;
      this.marks.push(text(x, base - 20, tick.label, { size: TICK_FONT_SIZE, font: 'mono', anchor: tick.align }), {
        type: 'path',
        points: [
          [x, base - 4],
          [x, base],
        ],
        ink: 'muted',
        width: 1,
      });
      if (tick.size !== '') {
        this.marks.push(text(x, base - 8, tick.size, { size: TICK_SUB_SIZE, ink: 'muted', anchor: tick.align }));
      }
    }
    this.marks.push({
      type: 'path',
      points: [
        [this.#left, base],
        [this.#left + view.width, base],
      ],
      ink: 'muted',
      width: 1,
    });
    this.#widths(base);
    // Room for the widths also while none is in the window: zooming must not move what is below.
    this.#y = base + (this.#axisBreaks.length > 0 || scale.kind !== 'fold' ? 16 : 4);
    return list;
  }

  /** Below the ruler: where the addresses of IOMMUs of the usual widths end. */
  #widths(base: number): void {
    const marks = widthMarks(this.#input.scale, this.#input.view);
    if (marks.length === 0) return;
    const style = { size: TICK_SUB_SIZE, ink: 'muted' } as const;
    this.marks.push(text(14, base + 12, 'bits', style));
    for (const { bits, pixel } of marks) {
      const x = this.#left + pixel;
      this.marks.push(text(x, base + 12, String(bits), { ...style, anchor: 'middle' }), {
        type: 'path',
        points: [
          [x, base],
          [x, base + 3],
        ],
        ink: 'muted',
        width: 1,
      });
    }
  }

  #space(space: SpaceSlice): void {
    if (this.#input.spaces.length > 1) {
      const room = this.#input.width - 28;
      const title = shorten(space.title, room, 12.5, 'bold', 8);
      this.#y += 8;
      this.#topMarks.push({
        type: 'fill',
        x: 0,
        y: this.#y,
        width: this.#input.width,
        height: 22,
        ink: 'hairline',
      });
      this.#topMarks.push(text(14, this.#y + 15, title, { size: 12.5, font: 'bold' }));
      const used = textWidth(title, 12.5, 'bold') + 14;
      const subtitle = shorten(space.subtitle, room - used, 10.5);
      if (subtitle !== '') {
        this.#topMarks.push(text(14 + used, this.#y + 15, subtitle, { size: 10.5, ink: 'muted' }));
      }
      this.#y += 26;
    }
    for (const lane of space.lanes) this.#lane(lane);
  }

  #lane(lane: LaneSlice): void {
    const top = this.#y;
    const rowHeight = ROW_HEIGHT[lane.kind];
    const opened = lane.expandable && lane.expanded;
    const titleY = top + LANE_PADDING + 10;
    let y = top + LANE_PADDING + (opened ? 18 : 0);
    for (const [index, row] of lane.rows.entries()) y = this.#row(lane, index, row, y, rowHeight) + 4;
    if (lane.rows.length === 0) y += rowHeight + 4;
    this.#y = Math.max(y - 4 + LANE_PADDING, top + 40);

    const room = this.#left - 14 - 8;
    // A file cannot be opened further: only the page shows that a lane can.
    const hasTwisty = lane.expandable && this.#input.bounds === undefined;
    const titleX = 14 + (hasTwisty ? 13 : 0);
    if (hasTwisty) this.#twisty(14, titleY - 4, lane.expanded);
    this.marks.push(
      text(titleX, titleY, shorten(lane.title, room - (titleX - 14), 12, 'bold'), { size: 12, font: 'bold' }),
    );
    const subtitle = text(14, titleY + 14, shorten(lane.subtitle, room, 10), { size: 10, ink: 'muted' });
    if (!opened) this.marks.push(subtitle);
    this.heads.push({
      laneId: lane.id,
      y: top,
      height: this.#y - top,
      expandable: lane.expandable,
      expanded: lane.expanded,
    });
    this.marks.push({
      type: 'path',
      points: [
        [14, this.#y],
        [this.#left + this.#input.view.width, this.#y],
      ],
      ink: 'hairline',
      width: 1,
    });
  }

  #twisty(x: number, y: number, open: boolean): void {
    const points: (readonly [number, number])[] = open
      ? [
          [x, y - 2],
          [x + 4, y + 2],
          [x + 8, y - 2],
        ]
      : [
          [x + 2, y - 4],
          [x + 6, y],
          [x + 2, y + 4],
        ];
    this.marks.push({ type: 'path', points, ink: 'muted', width: 1.5 });
  }

  /** Draws a row with its top at `y`; answers its bottom. */
  #row(lane: LaneSlice, rowIndex: number, row: RowSlice, y: number, height: number): number {
    const { scale, view, selected } = this.#input;
    const requests: LabelRequest[] = [];
    const shown: number[] = [];
    for (let i = 0; i < row.starts.length; i++) {
      const span = pixelSpanOf(view, scale, row.starts[i] as bigint, row.lasts[i] as bigint);
      if (!span) continue;
      const count = row.counts[i] as number;
      const size = sizeOf(range(row.starts[i] as bigint, row.lasts[i] as bigint));
      shown.push(i);
      requests.push({
        ...span,
        title: count > 1 ? `${groupedDecimal(BigInt(count))} ranges` : row.captions[i] || formatSize(size),
        // How large the unknown is means nothing.
        detail: count > 1 || row.captions[i] === '' || row.styles[i] === UNKNOWN ? '' : formatSize(size),
        isNumber: count > 1 || row.captions[i] === '',
      });
    }
    // A merged mark among others is texture; only one that stands alone says how many it is.
    const labels = requests.map((request, k) => {
      const [before, after] = [requests[k - 1], requests[k + 1]];
      const isCrowded = (before && request.x0 - before.x1 < CROWDED) || (after && after.x0 - request.x1 < CROWDED);
      return isCrowded && row.counts[shown[k] as number] !== 1 ? { ...request, title: '' } : request;
    });
    const placed = placeLabels(
      labels,
      this.#axisBreaks.map((t) => t.pixel),
      view.width,
      height >= 30,
    );
    // Merged marks speak through their count when pointed at; only what stands alone takes a number, and only while
    // numbers help: not in lanes that follow from the others, and not by the dozen.
    const candidates = NUMBERED.has(lane.kind) ? placed : [];
    const narrow = candidates.flatMap((p, k) =>
      p.place === 'number' && row.counts[shown[k] as number] === 1 ? [{ x: p.x, k }] : [],
    );
    const numbered = this.notes.length + narrow.length <= NOTES_MAX ? narrow : [];
    if (row.title !== undefined) {
      const room = this.#left - 14 - 20;
      const note = shorten(row.note ?? '', room, 9.5, 'sans', 3);
      const middle = y + height / 2 + (note === '' ? 4 : -1);
      this.marks.push(text(26, middle, shorten(row.title, room, 10.5, 'sans', 3), { size: 10.5 }));
      if (note !== '') this.marks.push(text(26, middle + 12, note, { size: 9.5, ink: 'muted' }));
    }
    for (const [k, request] of requests.entries()) {
      const i = shown[k] as number;
      const style = STYLE_NAMES[row.styles[i] as number] as StyleName;
      const start = row.starts[i] as bigint;
      const last = row.lasts[i] as bigint;
      const count = row.counts[i] as number;
      const what = count > 1 ? `${count} ranges` : row.captions[i] || LEGEND[style];
      this.used.add(style);
      const isPoint = lane.kind === 'faults';
      const box = { x: this.#left + request.x0, y, width: request.x1 - request.x0, height };
      if (isPoint) this.#arrow((box.x + box.x + box.width) / 2, y, height);
      else
        this.marks.push({
          type: 'bar',
          ...box,
          style,
          title: `${what}: ${formatRange(range(start, last))}, ${formatSize(sizeOf(range(start, last)))}`,
          openLeft: request.x0 === 0 && pixelOf(view, toWorld(scale, start)) < -1,
          openRight: request.x1 === view.width && pixelOf(view, toWorld(scale, last + 1n)) > view.width + 1,
        });
      this.hits.push({
        ...box,
        style,
        target: { laneId: lane.id, row: rowIndex, index: row.indices[i] as number, count, start, last },
      });
    }
    for (const label of placed) {
      if (label.place === 'number') continue;
      const x = this.#left + label.x;
      const style = { anchor: label.anchor, halo: true } as const;
      const [first = '', second] = label.lines;
      if (second === undefined) {
        this.marks.push(text(x, y + height / 2 + 4, first, { size: LABEL_SIZE, ...style }));
      } else {
        this.marks.push(
          text(x, y + height / 2 - 2, first, { size: LABEL_SIZE, ...style }),
          text(x, y + height / 2 + 11, second, { size: DETAIL_SIZE, ink: 'muted', ...style }),
        );
      }
    }
    this.#badges(lane, row, shown, numbered, y);
    if (selected && selected.laneId === lane.id) {
      for (const [k, request] of requests.entries()) {
        const i = shown[k] as number;
        if (row.starts[i] === selected.start && row.lasts[i] === selected.last) {
          this.marks.push({
            type: 'outline',
            x: this.#left + request.x0 - 2,
            y: y - 2,
            width: request.x1 - request.x0 + 4,
            height: height + 4,
            ink: 'accent',
          });
        }
      }
    }
    return y + height;
  }

  /** A marker that points at one address. */
  #arrow(x: number, y: number, height: number): void {
    const tip = y + 3;
    this.marks.push(
      {
        type: 'path',
        points: [
          [x, tip],
          [x, y + height],
        ],
        ink: 'alarm',
        width: 2,
      },
      {
        type: 'path',
        points: [
          [x - 4, tip + 7],
          [x, tip],
          [x + 4, tip + 7],
        ],
        ink: 'alarm',
        width: 2,
      },
    );
  }

  /** Letters above bars that are too narrow for words; neighbours that would touch share one badge. */
  #badges(
    lane: LaneSlice,
    row: RowSlice,
    shown: readonly number[],
    numbered: readonly { x: number; k: number }[],
    y: number,
  ): void {
    let open: { first: number; last: number; x: number; right: number } | undefined;
    const flush = () => {
      if (!open) return;
      const label = open.first === open.last ? letterOf(open.first) : `${letterOf(open.first)}–${letterOf(open.last)}`;
      this.#topMarks.push({ type: 'badge', x: this.#left + open.x, y: y - 2, text: label });
    };
    for (const { x, k } of numbered) {
      const i = shown[k] as number;
      const number = this.notes.length + 1;
      const r = range(row.starts[i] as bigint, row.lasts[i] as bigint);
      this.notes.push({
        number,
        x,
        text: `${lane.title}: ${row.captions[i] || 'range'} ${formatRange(r)}, ${formatSize(sizeOf(r))}`,
      });
      if (open && x - BADGE_WIDTH / 2 < open.right + 3) {
        open.last = number;
        open.x = (open.x + x) / 2;
        open.right = open.x + textWidth(`${letterOf(open.first)}–${letterOf(number)}`, 10, 'bold') / 2 + 6;
      } else {
        flush();
        open = { first: number, last: number, x, right: x + BADGE_WIDTH / 2 };
      }
    }
    flush();
  }

  /** Axis breaks through all lanes: here the axis leaves out so much that bars cannot be compared across. */
  #drawAxisBreaks(labelBottom: number, top: number, bottom: number): void {
    let labelEnd = Number.NEGATIVE_INFINITY;
    for (const axisBreak of this.#axisBreaks) {
      const x = this.#left + axisBreak.pixel;
      const points: [number, number][] = [];
      for (let y = top - 2, side = 1; y <= bottom; y += 7, side = -side) points.push([x + 3.5 * side, y]);
      this.marks.push({ type: 'path', points, ink: 'ground', width: 7 });
      this.marks.push({ type: 'path', points, ink: 'faint', width: 1 });
      const width = textWidth(axisBreak.label, 10);
      if (x - width / 2 > labelEnd + 6 && x + width / 2 < this.#left + this.#input.view.width + RIGHT_MARGIN) {
        this.marks.push(
          text(x, labelBottom - 5, axisBreak.label, { size: 10, ink: 'muted', anchor: 'middle', halo: true }),
        );
        labelEnd = x + width / 2;
      }
    }
  }

  /** The bands of the numbered stretches, to lie below the lanes: the colours of the bars mean something. */
  #washes(top: number, bottom: number): Mark[] {
    const marks: Mark[] = [];
    const washed = new Set<string>();
    for (const { x0, x1, start, last, ink } of this.#numbered) {
      const key = `${start}-${last}`;
      if (washed.has(key)) continue;
      washed.add(key);
      const box = { x: this.#left + x0, y: top - 4, width: x1 - x0, height: bottom - top + 4 };
      if (washed.size <= WASHED_MAX) marks.push({ type: 'wash', ...box, ink });
      for (const x of x1 - x0 < 3 ? [x0] : [x0, x1]) {
        const points = [
          [this.#left + x, top - 4],
          [this.#left + x, bottom],
        ] as const;
        marks.push({ type: 'path', points, ink, width: 0.75 });
      }
    }
    return marks;
  }

  /** Numbers in a strip above the lanes, each with a band through them; neighbours that would touch share a flag. */
  #flags(flagTop: number): void {
    const middle = flagTop + FLAG_STRIP / 2;
    const groups: FlagGroup[] = [];
    for (const { number, x0, x1, ink } of this.#numbered) {
      const at = (x0 + x1) / 2;
      let fresh: FlagGroup = { numbers: [number], from: at, to: at, ink };
      // What grew together may touch the one before it, too.
      for (let open = groups.at(-1); open && this.#doTouch(open, fresh); open = groups.at(-1)) {
        fresh = joined(open, fresh);
        groups.pop();
      }
      groups.push(fresh);
    }
    for (const group of groups) {
      const { x: left, width, label } = this.#flagBox(group);
      const x = this.#left + left;
      this.#topMarks.push({ type: 'badge', x: x + width / 2, y: middle, text: label, ink: group.ink });
      this.flags.push({ x, y: middle - 8, width, height: 16, numbers: group.numbers });
    }
  }

  /** Where a flag stands, in pixels of the plot: in the middle of its bands, but never beyond the plot. */
  #flagBox(group: FlagGroup): { x: number; width: number; label: string } {
    const label = flagLabel(group.numbers);
    const width = Math.max(13, textWidth(label, 10, 'bold') + 6);
    const x = (group.from + group.to - width) / 2;
    return { x: Math.max(0, Math.min(this.#input.view.width - width, x)), width, label };
  }

  #doTouch(a: FlagGroup, b: FlagGroup): boolean {
    const [left, right] = [this.#flagBox(a), this.#flagBox(b)];
    return right.x < left.x + left.width + 3;
  }

  /** Bands through all lanes, their words below, each on a line of its own where they would touch. */
  #bands(top: number, bottom: number): void {
    const { bands = [], scale, view } = this.#input;
    const lineEnds: number[] = [];
    for (const band of bands) {
      const span = pixelSpanOf(view, scale, band.start, band.last);
      if (!span) continue;
      const { x0, x1 } = span;
      const box = { x: this.#left + x0, y: top, width: x1 - x0, height: bottom - top };
      this.marks.push({ type: 'wash', ...box, ink: band.ink }, { type: 'outline', ...box, ink: band.ink });
      const room = view.width;
      const message = shorten(`${band.message} · ${formatSize(band.last - band.start + 1n)}`, room, 11, 'bold', 8);
      const width = textWidth(message, 11, 'bold');
      const from = Math.min(room - width, Math.max(0, (x0 + x1 - width) / 2));
      let line = lineEnds.findIndex((end) => end < from - 8);
      if (line < 0) line = lineEnds.push(0) - 1;
      lineEnds[line] = from + width;
      this.marks.push(
        text(this.#left + from, bottom + 15 + line * 15, message, {
          size: 11,
          font: 'bold',
          ink: band.ink,
          halo: true,
        }),
      );
    }
    this.#y += lineEnds.length * 15;
  }

  #notes(): void {
    const { width } = this.#input;
    for (const note of this.notes) {
      this.#y += NOTE_LINE;
      this.marks.push(
        { type: 'badge', x: 22, y: this.#y - 4, text: letterOf(note.number) },
        text(38, this.#y, shorten(note.text, width - 52, 10.5), { size: 10.5 }),
      );
    }
    if (this.notes.length > 0) this.#y += 6;
  }

  /** The words of the numbered bands, in a file that is all there is to see. */
  #listNumbered(): void {
    const { bounds, numbered = [], width } = this.#input;
    if (bounds === undefined) return;
    for (const { number, ink, message } of numbered) {
      this.#y += NOTE_LINE;
      this.marks.push(
        { type: 'badge', x: 22, y: this.#y - 4, text: `${number}`, ink },
        text(38, this.#y, shorten(message, width - 52, 10.5, 'sans', 8), { size: 10.5 }),
      );
    }
    if (numbered.length > 0) this.#y += 6;
  }

  #legend(): void {
    let x = 14;
    this.#y += 4;
    for (const style of STYLE_NAMES) {
      if (!this.used.has(style)) continue;
      const width = 24 + textWidth(LEGEND[style], 10.5) + 18;
      if (x > 14 && x + width > this.#input.width) {
        x = 14;
        this.#y += LEGEND_LINE;
      }
      this.marks.push(
        { type: 'bar', x, y: this.#y, width: 18, height: 12, style },
        text(x + 24, this.#y + 10, LEGEND[style], { size: 10.5, ink: 'muted' }),
      );
      x += width;
    }
    this.#y += LEGEND_LINE;
  }

  #bounds(): void {
    const { bounds, width } = this.#input;
    if (!bounds || bounds.length === 0) return;
    const shown = bounds.slice(0, 60);
    const cells = shown.map((b) => ({
      ...b,
      bounds: formatRange(range(b.start, b.last)),
      size: formatSize(sizeOf(range(b.start, b.last))),
    }));
    const whatWidth = Math.min(width * 0.3, Math.max(...cells.map((c) => textWidth(c.what, 10.5)))) + 16;
    const boundsWidth = Math.max(...cells.map((c) => textWidth(c.bounds, 10.5, 'mono'))) + 16;
    const sizeWidth = Math.max(...cells.map((c) => textWidth(c.size, 10.5))) + 16;
    // A narrow picture has the bounds below what they are of: they are never cut.
    const isNarrow = 14 + whatWidth + boundsWidth > width;
    const boundsX = isNarrow ? 28 : 14 + whatWidth;
    this.#y += 4;
    for (const cell of cells) {
      this.#y += 15;
      const room = isNarrow ? width - 28 : whatWidth - 12;
      this.marks.push(text(14, this.#y, shorten(cell.what, room, 10.5), { size: 10.5 }));
      if (isNarrow) this.#y += 15;
      this.marks.push(text(boundsX, this.#y, cell.bounds, { size: 10.5, font: 'mono' }));
      const after = boundsX + boundsWidth;
      if (after + sizeWidth < width) this.marks.push(text(after, this.#y, cell.size, { size: 10.5 }));
      const source = shorten(cell.source, width - after - sizeWidth - 14, 10.5);
      if (source !== '') this.marks.push(text(after + sizeWidth, this.#y, source, { size: 10.5, ink: 'muted' }));
    }
    if (bounds.length > shown.length) {
      this.#y += 15;
      this.marks.push(text(14, this.#y, `and ${bounds.length - shown.length} more`, { size: 10.5, ink: 'muted' }));
    }
    this.#y += 6;
  }

  #describe(): string {
    const lanes = this.#input.spaces.flatMap((space) =>
      space.lanes.map((lane) => `${lane.title} ${lane.total} ${lane.total === 1 ? 'range' : 'ranges'}`),
    );
    return `${this.#input.title}: ${lanes.join(', ')}`;
  }
}

function flagLabel(numbers: readonly number[]): string {
  const [first = 0] = numbers;
  if (numbers.length === 1) return `${first}`;
  const isRun = numbers.every((n, i) => n === first + i);
  return isRun ? `${first}–${numbers.at(-1)}` : `${first} +${numbers.length - 1}`;
}

function joined(a: FlagGroup, b: FlagGroup): FlagGroup {
  return {
    numbers: [...new Set([...a.numbers, ...b.numbers])].sort((x, y) => x - y),
    from: Math.min(a.from, b.from),
    to: Math.max(a.to, b.to),
    ink: INK_ORDER.find((ink) => ink === a.ink || ink === b.ink) ?? a.ink,
  };
}

/** Lays the slices out as a flat list of marks. Pure: the same input gives the same picture everywhere. */
export function buildScene(input: SceneInput): Scene {
  return new SceneBuilder(input).build();
}
