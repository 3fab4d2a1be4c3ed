import { numberedBands } from '../engine/answers/numbered-bands.ts';
import { subtitleOf } from '../engine/protocol/picture.ts';
import { isIova } from '../iova/iova.ts';
import type { IovaRange } from '../iova/range.ts';
import { sliceWindow } from '../timeline/axis/slice.ts';
import { fitAll, fitRange, visibleRange } from '../timeline/axis/viewport.ts';
import { paintSvg } from '../timeline/paint/svg.ts';
import { plotWidth } from '../timeline/scene/layout.ts';
import { buildScene } from '../timeline/scene/scene.ts';
import type { Dumps } from './dumps.ts';
import type { AddressRange } from './facts.ts';
import { requireGuest } from './guest.ts';
import type { GuestInput } from './guest-input.ts';
import { documentsOf, engineWith, select } from './opened.ts';

export interface RenderOptions {
  /** Pixels, 320 to 8192; 1280 if absent. */
  readonly width?: number;
  /** `light` if absent. */
  readonly theme?: 'light' | 'dark';
  /** `fold` (gaps compressed) if absent. */
  readonly scale?: 'fold' | 'linear' | 'log';
  /** Only these addresses; everything if absent. */
  readonly range?: AddressRange;
  /** Numbers of the IOMMU groups; all that can be assigned if absent. */
  readonly groups?: readonly string[];
  /** A guest to try on the hosts: `pc-q35-7.2:16G,vendor=amd`, or dumps with one guest. */
  readonly guest?: GuestInput;
  /** Which of several guests in the dumps of `guest`. */
  readonly guestName?: string | undefined;
}

/** Pixels. */
export const RENDER_WIDTH = { min: 320, default: 1280, max: 8192 } as const;
/** Lines in the list of exact bounds. */
const BOUNDS_MAX = 200;

/**
 * Draws the address spaces of the dumps as the browser does, with the answer, a legend and the exact bounds. Returns the
 * text of an SVG file; the same dumps give the same text. Rejects with a RangeError for a width, a range or a group that
 * cannot be used.
 */
export async function render(dumps: Dumps, options: RenderOptions = {}): Promise<string> {
  const { width = RENDER_WIDTH.default, theme = 'light' } = options;
  if (!Number.isInteger(width) || width < RENDER_WIDTH.min || width > RENDER_WIDTH.max) {
    throw new RangeError(`the width must be a whole number from ${RENDER_WIDTH.min} to ${RENDER_WIDTH.max}`);
  }
  const { ask, arrangement, range, trial } = await arranged(dumps, options);
  const { scale, revision } = arrangement;
  const plot = plotWidth(width);
  const view = range ? fitRange(scale, range, plot, 0) : fitAll(scale, plot);
  const spaces = await ask('slice', { revision, window: sliceWindow(view) });
  const bounds = await ask('bounds', { ...visibleRange(view, scale), limit: BOUNDS_MAX });
  const { answer, rows } = await ask('answer', trial);
  const scene = buildScene({
    title: arrangement.title,
    subtitle: subtitleOf(arrangement),
    scale,
    view,
    spaces,
    width,
    numbered: numberedBands(rows),
    bounds,
    answer: { ...answer, remedies: answer.remedies.map(({ text }) => text) },
  });
  return paintSvg(scene, theme);
}

export interface RenderTextOptions extends Pick<RenderOptions, 'range' | 'groups'> {
  /** The version of iovascope that the text names. */
  readonly version: string;
}

/**
 * Draws the address spaces and their answer as plain text for mail: ASCII, lines of at most 72 columns. The same dumps
 * give the same text. Rejects with a RangeError for a range or a group that cannot be used.
 */
export async function renderText(dumps: Dumps, options: RenderTextOptions): Promise<string> {
  const { ask, range, trial } = await arranged(dumps, options);
  return ask('textReport', { ...trial, range, version: options.version });
}

/** An engine with the dumps' picture arranged in it. */
async function arranged(dumps: Dumps, { range, scale = 'fold', groups, guest, guestName }: RenderOptions) {
  if (range && !isRange(range)) throw new RangeError('the range must have 0 <= start <= last < 2^64');
  const documents = documentsOf(dumps);
  const tried = guest === undefined ? undefined : requireGuest(guest, guestName);
  const ask = engineWith([...documents, ...(tried?.document ? [tried.document] : [])]);
  const trial = {
    selectedGroups: select(documents, { groups, isPicture: true }).keys,
    ...(tried ? { guest: tried.choice } : {}),
  };
  const arrangement = await ask('arrange', { ...trial, expanded: [], scale });
  return { ask, arrangement, range: range && isRange(range) ? range : undefined, trial };
}

function isRange(range: AddressRange): range is IovaRange {
  return isIova(range.start) && isIova(range.last) && range.start <= range.last;
}
