// Dumps in each form in which they are shared. The page shares the same: engine/share/.
import type { Shared, ShareForm, ShareParams } from '../engine/protocol/share.ts';
import { isIova } from '../iova/iova.ts';
import type { IovaRange } from '../iova/range.ts';
import { pageWithSession, svgWithSession } from '../session/sharing/markup.ts';
import { paintSvg } from '../timeline/paint/svg.ts';
import type { Dumps } from './dumps.ts';
import type { AddressRange } from './facts.ts';
import { requireGuest } from './guest.ts';
import { chooseAndRun, documentsOf, engineWith, select } from './opened.ts';
import type { RenderOptions } from './render-options.ts';

/** Pixels. */
export const RENDER_WIDTH = { min: 320, default: 1280, max: 8192 } as const;

export interface ReportOptions extends RenderOptions {
  /** The version of iovascope that the report names. */
  readonly version: string;
  /** Of the page that opens the links in reports. */
  readonly base?: string | undefined;
}

/** The picture as the text of an SVG file, with the session in it. */
export async function renderSvg(dumps: Dumps, options: ReportOptions): Promise<string> {
  const { scene, session } = await shareDumps(dumps, 'picture', options);
  if (!scene) throw new Error('a picture without a scene');
  return svgWithSession(paintSvg(scene, options.theme ?? 'light'), session);
}

/**
 * The address spaces and their answer as plain text for mail: ASCII, lines of at most 72 columns. The same dumps give
 * the same text. Rejects with a RangeError for a range or a group that cannot be used.
 */
export async function renderText(dumps: Dumps, options: ReportOptions): Promise<string> {
  return (await shareDumps(dumps, 'text', options)).text;
}

/** The same as a bug report in Markdown, below 60,000 characters. */
export async function renderMarkdown(dumps: Dumps, options: ReportOptions): Promise<string> {
  return (await shareDumps(dumps, 'markdown', options)).text;
}

/** The page for work without a network, with the session in it. `page`: the text of the built offline page. */
export async function renderHtml(dumps: Dumps, page: string, options: ReportOptions): Promise<string> {
  const { session, view } = await shareDumps(dumps, 'session', options);
  return pageWithSession(page, session, view);
}

/** What of the dumps is shared in one form. Rejects with a RangeError for what cannot be used. */
export async function shareDumps(dumps: Dumps, form: ShareForm, options: ReportOptions): Promise<Shared> {
  const {
    range,
    scale = 'fold',
    groups,
    guest,
    guestName,
    kernel,
    width = RENDER_WIDTH.default,
    redact = false,
  } = options;
  if (!Number.isInteger(width) || width < RENDER_WIDTH.min || width > RENDER_WIDTH.max) {
    throw new RangeError(`the width must be a whole number from ${RENDER_WIDTH.min} to ${RENDER_WIDTH.max}`);
  }
  if (range && !isRange(range)) throw new RangeError('the range must have 0 <= start <= last < 2^64');
  const documents = await chooseAndRun(documentsOf(dumps), { kernel });
  const tried = guest === undefined ? undefined : requireGuest(guest, guestName);
  const ask = engineWith([...documents, ...(tried?.document ? [tried.document] : [])]);
  const params: ShareParams = {
    form,
    selectedGroups: select(documents, { groups, isPicture: true }).keys,
    expanded: [],
    scale,
    range: range && isRange(range) ? range : undefined,
    version: options.version,
    width,
    title: options.title,
    notes: options.notes,
    base: options.base,
    ...(tried ? { guest: tried.choice } : {}),
    ...(redact ? { redact: {} } : {}),
  };
  // A link and a picture say so too.
  if (kernel !== undefined) await ask('setKernel', { version: kernel });
  return ask('share', params);
}

function isRange(range: AddressRange): range is IovaRange {
  return isIova(range.start) && isIova(range.last) && range.start <= range.last;
}
