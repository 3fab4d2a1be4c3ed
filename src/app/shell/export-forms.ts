// Everything that leaves the page, made by the engine of what the page shows. Loaded when something is exported.
import type { ReportParts, Shared, ShareForm, ShareParams } from '../../engine/protocol/share.ts';
import { range as rangeOf } from '../../iova/range.ts';
import { pageWithSession, svgWithSession } from '../../session/sharing/markup.ts';
import { pngWithSession } from '../../session/sharing/png.ts';
import { paintCanvas } from '../../timeline/paint/canvas.ts';
import { paintSvg } from '../../timeline/paint/svg.ts';
import type { Scene } from '../../timeline/scene/mark.ts';
import type { ThemeName } from '../../timeline/scene/theme.ts';
import { lanesInView } from '../canvas/scroll-window.ts';
import { bandsOf, sceneOf } from '../canvas/state-scene.ts';
import { useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
import { ownPage } from '../state/own-session.ts';
import { partInView } from '../state/picture.ts';
import { shownSession } from '../state/sessions.ts';
import { VERSION } from '../state/version.ts';

/** Where people take the case away: the forms of the export dialog. */
export const EXPORT_FORMS = ['png', 'svg', 'markdown', 'text', 'html', 'session', 'link'] as const;
export type ExportForm = (typeof EXPORT_FORMS)[number];

export interface ExportOptions {
  /** `visible`: without the lanes that are scrolled out of view. */
  readonly lanes?: 'all' | 'visible';
  readonly title?: string | undefined;
  readonly notes?: string | undefined;
  readonly theme?: ThemeName;
  /** Absent: nothing is replaced. */
  readonly redact?: ShareParams['redact'];
  readonly parts?: ReportParts | undefined;
  /** Whether reports have a link; they do if absent. */
  readonly hasLink?: boolean;
}

/** What is copied or saved, with what the dialog says about it. */
export interface Exported extends Pick<Shared, 'replacements' | 'remarks'> {
  readonly data: Blob;
  /** The same as text, for forms that are text. */
  readonly text: string | undefined;
  readonly name: string;
}

/** Pixels of a PNG per CSS pixel, so that it stays sharp in a bug report. */
const DENSITY = 2;
const ENGINE_FORM: Readonly<Record<ExportForm, ShareForm>> = {
  png: 'picture',
  svg: 'picture',
  markdown: 'markdown',
  text: 'text',
  html: 'session',
  session: 'session',
  link: 'link',
};
const FILES: Readonly<Record<ExportForm, { readonly extension: string; readonly type: string }>> = {
  png: { extension: 'png', type: 'image/png' },
  svg: { extension: 'svg', type: 'image/svg+xml' },
  markdown: { extension: 'md', type: 'text/markdown' },
  text: { extension: 'txt', type: 'text/plain' },
  html: { extension: 'html', type: 'text/html' },
  session: { extension: 'iova.jsonl', type: 'application/jsonl' },
  link: { extension: 'link.txt', type: 'text/plain' },
};

/** The page's own address, without what is behind `#`. */
export const pageAddress = () => location.href.replace(/#.*$/s, '');

/** The lanes that the scroll area of the timeline shows. */
function seenLanes(): ShareParams['seen'] {
  const area = document.querySelector('.timeline-scroll');
  const scene = area && sceneOf(useApp.getState(), area.clientWidth);
  return scene ? { first: scene.plot.y, ...lanesInView(scene, area) } : undefined;
}

function paramsOf(form: ShareForm, options: ExportOptions): ShareParams {
  const state = useApp.getState();
  const { selectedGroups, expanded, scale, compared, guest, pageSize, tab } = state;
  const bands = bandsOf(state);
  return {
    ...{ form, selectedGroups, expanded, scale, compared, guest, pageSize, bands, version: VERSION },
    keepVisible: bands.map(({ start, last }) => rangeOf(start, last)),
    range: partInView(state),
    sessionId: shownSession(state)?.id,
    title: options.title,
    notes: options.notes,
    redact: options.redact,
    parts: options.parts,
    seen: options.lanes === 'visible' ? seenLanes() : undefined,
    base: options.hasLink === false ? undefined : pageAddress(),
    ...(tab === 'table' ? {} : { tab }),
  };
}

/** Asks the engine for a form. A string is why there is none. */
export async function shared(form: ShareForm, options: ExportOptions = {}): Promise<Shared | string> {
  const { documents, picture } = useApp.getState();
  if (documents.length === 0 || !picture) return 'There is nothing to export yet: open a dump and select a group.';
  const made = await engine().call('share', paramsOf(form, options));
  return made.ok ? made.value : made.error.message;
}

/** The scene as a PNG; a string is why there is none. */
export async function paintPng(scene: Scene, theme: ThemeName): Promise<Blob | string> {
  const canvas = new OffscreenCanvas(scene.width * DENSITY, scene.height * DENSITY);
  const context = canvas.getContext('2d');
  if (!context) return 'The browser has no OffscreenCanvas context.';
  paintCanvas(context, scene, theme, DENSITY);
  return canvas.convertToBlob({ type: 'image/png' });
}

async function withSession(png: Blob, session: string): Promise<Blob> {
  const bytes = pngWithSession(new Uint8Array(await png.arrayBuffer()), session);
  return new Blob([bytes], { type: 'image/png' });
}

/** The page for work without a network: of this build, or this page itself if it is one. */
async function offlinePage(): Promise<string> {
  const own = ownPage();
  if (own !== undefined) return own;
  const response = await fetch(`${import.meta.env.BASE_URL}offline.html`);
  if (!response.ok) throw new Error(`offline.html: ${response.status} ${response.statusText}`);
  return response.text();
}

/** The content of a form: text, or the bytes of a PNG. A string in `problem` is why there is none. */
async function contentOf(
  form: ExportForm,
  made: Shared,
  theme: ThemeName,
): Promise<{ readonly content: string | Blob } | { readonly problem: string }> {
  if (form === 'png' || form === 'svg') {
    if (!made.scene) return { problem: 'There is no picture.' };
    if (form === 'svg') return { content: svgWithSession(paintSvg(made.scene, theme), made.session) };
    const png = await paintPng(made.scene, theme);
    return typeof png === 'string' ? { problem: png } : { content: await withSession(png, made.session) };
  }
  if (form === 'link') return { content: `${pageAddress()}#${made.text}` };
  if (form === 'html') {
    try {
      return { content: pageWithSession(await offlinePage(), made.text, made.view) };
    } catch (error) {
      return { problem: `The page could not be loaded: ${error instanceof Error ? error.message : String(error)}` };
    }
  }
  return { content: made.text };
}

/** Makes a form. A string is why it cannot be made. */
export async function exported(form: ExportForm, options: ExportOptions = {}): Promise<Exported | string> {
  const made = await shared(ENGINE_FORM[form], options);
  if (typeof made === 'string') return made;
  const { replacements, remarks, title } = made;
  const result = await contentOf(form, made, options.theme ?? 'light');
  if ('problem' in result) return result.problem;
  const { content } = result;
  const { extension, type } = FILES[form];
  return {
    replacements,
    remarks,
    data: typeof content === 'string' ? new Blob([content], { type }) : content,
    text: typeof content === 'string' ? content : undefined,
    name: `${fileName(options.title ?? title)}.${extension}`,
  };
}

function fileName(title: string): string {
  const words = title.replace(/[^\w.+-]+/g, '-').replace(/^[-.]+|[-.]+$/g, '');
  return words.slice(0, 80) || 'iovascope';
}
