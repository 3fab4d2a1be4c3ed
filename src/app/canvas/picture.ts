// From the store's state to a scene, and from a scene to files.

import { numberedBands } from '../../engine/answers/numbered-bands.ts';
import type { ConflictRow } from '../../engine/protocol/answers.ts';
import { subtitleOf } from '../../engine/protocol/picture.ts';
import { fitRange, visibleRange } from '../../timeline/axis/viewport.ts';
import { paintCanvas } from '../../timeline/paint/canvas.ts';
import { paintSvg } from '../../timeline/paint/svg.ts';
import type { Band } from '../../timeline/scene/bands.ts';
import type { BoundsLine } from '../../timeline/scene/bounds-table.ts';
import { plotWidth } from '../../timeline/scene/layout.ts';
import type { Scene } from '../../timeline/scene/mark.ts';
import { buildScene } from '../../timeline/scene/scene.ts';
import { type AppState, useApp } from '../state/app-state.ts';
import { shownConflict } from '../state/conflict-key.ts';
import { engine } from '../state/engine.ts';
import { notify, showError } from '../state/notices.ts';

function conflictBands(row: ConflictRow | undefined): Band[] {
  return (row?.marks ?? []).map(({ start, last, role, message }) => ({
    start,
    last,
    message,
    ink: role === 'requested' ? 'alarm' : 'accent',
  }));
}

/** The scene for the present state in `width` pixels; undefined before the first answer of the engine. */
export function sceneOf(state: AppState, width: number, bounds?: readonly BoundsLine[]): Scene | undefined {
  const { picture, view, selected, measured, explained, conflicts } = state;
  if (!picture || !view) return undefined;
  return buildScene({
    title: picture.arrangement.title,
    subtitle: subtitleOf(picture.arrangement),
    scale: picture.arrangement.scale,
    view,
    spaces: picture.slices,
    width,
    selected: selected?.target,
    numbered: numberedBands(conflicts?.rows ?? []),
    bands: [
      ...(explained?.bands ?? []),
      ...conflictBands(shownConflict(state)),
      ...(measured ? [{ ...measured, message: 'measured', ink: 'accent' as const }] : []),
    ],
    bounds,
  });
}

/** The scene as an exported file has it: the same window, without the selection, with the exact bounds below. */
async function exportScene(): Promise<Scene | undefined> {
  const state = useApp.getState();
  const { picture, view } = state;
  if (!picture || !view) return undefined;
  const width = Math.max(960, Math.round(view.width + 164));
  const plot = plotWidth(width);
  const seen = visibleRange(view, picture.arrangement.scale);
  const { scale, revision } = picture.arrangement;
  const wide = plot === view.width ? view : fitRange(scale, seen, plot, 0);
  const [cut, bounds] = await Promise.all([
    engine().call('slice', { revision, window: wide }),
    engine().call('bounds', { ...seen, limit: 200 }),
  ]);
  if (!cut.ok || !bounds.ok) return undefined;
  return sceneOf(
    { ...state, view: wide, selected: undefined, picture: { ...picture, slices: cut.value } },
    width,
    bounds.value,
  );
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
  // The browser has taken the address by the time of the next task.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
  notify(`${name} saved`);
}

const nothing = () => showError('Nothing to export', 'There is no picture yet: open a dump and tick a group.');

export async function exportSvg(): Promise<void> {
  const scene = await exportScene();
  if (!scene) return nothing();
  const text = paintSvg(scene, useApp.getState().theme);
  download(new Blob([text], { type: 'image/svg+xml' }), fileName('svg'));
}

/** PNG at twice the size in each direction, so that it stays sharp in a bug report. */
export async function exportPng(): Promise<void> {
  const scene = await exportScene();
  if (!scene) return nothing();
  const density = 2;
  const canvas = new OffscreenCanvas(scene.width * density, scene.height * density);
  const context = canvas.getContext('2d');
  if (!context) return showError('No PNG', 'This browser gives no drawing context off screen.');
  paintCanvas(context, scene, useApp.getState().theme, density);
  download(await canvas.convertToBlob({ type: 'image/png' }), fileName('png'));
}

export async function exportSession(id: string, title: string): Promise<void> {
  const saved = await engine().call('save', { id });
  if (saved.ok) download(saved.value, `${title.replace(/[^\w.+-]+/g, '-')}.iova.jsonl`);
  else showError(`${title} was not saved`, saved.error.message);
}

export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(`${what} copied`);
  } catch {
    showError('Nothing was copied', 'The browser refused access to the clipboard.');
  }
}

/** Copies the shell script that collects dumps where no binary may run. */
export async function copyCollector(): Promise<void> {
  const response = await fetch(`${import.meta.env.BASE_URL}collect.sh`);
  if (response.ok) await copy(await response.text(), 'the collector script');
  else showError('Nothing was copied', `collect.sh: ${response.status} ${response.statusText}`);
}
