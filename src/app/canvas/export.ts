// The picture and the sessions as files.
import type { SpaceSlice } from '../../timeline/axis/slice.ts';
import { fitRange, visibleRange } from '../../timeline/axis/viewport.ts';
import { paintCanvas } from '../../timeline/paint/canvas.ts';
import { paintSvg } from '../../timeline/paint/svg.ts';
import type { SceneAnswer } from '../../timeline/scene/answer-card.ts';
import type { BoundsList } from '../../timeline/scene/bounds-table.ts';
import { type CutLanes, cutLanes } from '../../timeline/scene/cut-lanes.ts';
import { plotWidth } from '../../timeline/scene/layout.ts';
import type { Scene } from '../../timeline/scene/mark.ts';
import { type AppState, useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
import { notify, showError } from '../state/notices.ts';
import { lanesInView } from './scroll-window.ts';
import { sceneOf } from './state-scene.ts';

/** Which lanes a picture in a file has: all of them, or those that the scroll area of the timeline shows. */
export type ExportedLanes = 'all' | 'visible';

const ROWS_OF_BOUNDS = 200;

/** What of a window a picture in a file is made of: as wide as the file, with the exact bounds. */
export interface FilePicture {
  /** Without a selection. */
  readonly state: AppState;
  readonly width: number;
  readonly bounds: BoundsList;
}

/** Asks the engine for what a picture in a file shows; `width` in CSS pixels: of the file. Undefined without a picture. */
export async function filePicture(width?: number): Promise<FilePicture | undefined> {
  const state = useApp.getState();
  const { picture, view } = state;
  if (!picture || !view) return undefined;
  const fileWidth = width ?? Math.max(960, Math.round(view.width + 164));
  const plot = plotWidth(fileWidth);
  const seen = visibleRange(view, picture.arrangement.scale);
  const { scale, revision } = picture.arrangement;
  const wide = plot === view.width ? view : fitRange(scale, seen, plot, 0);
  const [cut, bounds] = await Promise.all([
    engine().call('slice', { revision, window: wide }),
    engine().call('bounds', { ...seen, limit: ROWS_OF_BOUNDS }),
  ]);
  if (!cut.ok || !bounds.ok) return undefined;
  const shown = { ...state, view: wide, selected: undefined, picture: { ...picture, slices: cut.value } };
  return { state: shown, width: fileWidth, bounds: bounds.value };
}

/** The scene of a file: the same window without the selection, with the answer and a table of the exact bounds. */
async function exportScene(lanes: ExportedLanes): Promise<Scene | undefined> {
  const screen = useApp.getState();
  const file = await filePicture();
  if (!file?.state.picture) return undefined;
  const { state, width, bounds } = file;
  const { spaces, leftOut } = cutFor(screen, file.state.picture.slices, lanes);
  return sceneOf({ ...state, picture: { ...file.state.picture, slices: spaces } }, width, {
    bounds,
    answer: answerOf(state),
    leftOut,
  });
}

/** The scene for paper: all lanes, with the answer; the bounds are a table of their own, which pages may break. */
export function paperScene({ state, width }: FilePicture): Scene | undefined {
  return sceneOf(state, width, { bounds: { lines: [], total: 0 }, answer: answerOf(state) });
}

function answerOf({ documents, conflicts }: AppState): SceneAnswer | undefined {
  if (documents.length === 0 || !conflicts) return undefined;
  const { severity, text, remedies } = conflicts.answer;
  return { severity, text, remedies: remedies.map((remedy) => remedy.text) };
}

/** The slices of the lanes that a file has. */
function cutFor(state: AppState, slices: readonly SpaceSlice[], lanes: ExportedLanes): CutLanes {
  const area = lanes === 'all' ? null : document.querySelector('.timeline-scroll');
  const screen = area && sceneOf(state, area.clientWidth);
  if (!screen) return cutLanes(slices, 0, undefined);
  return cutLanes(slices, screen.plot.y, lanesInView(screen, area));
}

function fileName(extension: string): string {
  const title = (useApp.getState().picture?.arrangement.title ?? '').replace(/[^\w.+-]+/g, '-').replace(/^-+|-+$/g, '');
  return `${title.slice(0, 80) || 'iovascope'}.${extension}`;
}

function download(data: Blob, name: string): void {
  const url = URL.createObjectURL(data);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The download has started long before.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  notify(`${name} saved`);
}

const showNothing = () => showError('Nothing to export', 'There is no picture yet: open a dump and select a group.');

/** The picture as the text of an SVG; undefined without a picture. */
export async function pictureSvg(lanes: ExportedLanes = 'all'): Promise<string | undefined> {
  const scene = await exportScene(lanes);
  return scene && paintSvg(scene, useApp.getState().theme);
}

export async function exportSvg(lanes: ExportedLanes = 'all'): Promise<void> {
  const text = await pictureSvg(lanes);
  if (text === undefined) return showNothing();
  download(new Blob([text], { type: 'image/svg+xml' }), fileName('svg'));
}

/** A PNG with two pixels per CSS pixel, so that it stays sharp in a bug report. */
export async function exportPng(lanes: ExportedLanes = 'all'): Promise<void> {
  const scene = await exportScene(lanes);
  if (!scene) return showNothing();
  const density = 2;
  const canvas = new OffscreenCanvas(scene.width * density, scene.height * density);
  const context = canvas.getContext('2d');
  if (!context) return showError('The PNG was not created', 'The browser has no OffscreenCanvas context.');
  paintCanvas(context, scene, useApp.getState().theme, density);
  download(await canvas.convertToBlob({ type: 'image/png' }), fileName('png'));
}

export async function exportSession(id: string, title: string): Promise<void> {
  const saved = await engine().call('save', { id });
  if (saved.ok) download(saved.value, `${title.replace(/[^\w.+-]+/g, '-')}.iova.jsonl`);
  else showError(`${title} was not saved`, saved.error.message);
}
