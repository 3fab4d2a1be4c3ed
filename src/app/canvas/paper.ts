// The picture on paper.
import { boundsInView, fitRange } from '../../timeline/axis/viewport.ts';
import type { SceneAnswer } from '../../timeline/scene/answer-card.ts';
import type { BoundsList } from '../../timeline/scene/bounds-table.ts';
import { plotWidth } from '../../timeline/scene/layout.ts';
import type { Scene } from '../../timeline/scene/mark.ts';
import { type AppState, useApp } from '../state/app-state.ts';
import { engine } from '../state/engine.ts';
import { sceneOf } from './state-scene.ts';

const ROWS_OF_BOUNDS = 200;

/** What of a window a picture in a file is made of: as wide as the file, with the exact bounds. */
export interface FilePicture {
  /** Without a selection. */
  readonly state: AppState;
  readonly width: number;
  readonly bounds: BoundsList;
}

/** Asks the engine for what a picture in a file shows; `width` in CSS pixels: of the file. Undefined without a picture. */
export async function filePicture(width: number): Promise<FilePicture | undefined> {
  const state = useApp.getState();
  const { picture, view } = state;
  if (!picture || !view) return undefined;
  const plot = plotWidth(width);
  const seen = boundsInView(view, picture.arrangement.scale);
  const { scale, revision } = picture.arrangement;
  const wide = plot === view.width ? view : fitRange(scale, seen, plot, 0);
  const [cut, bounds] = await Promise.all([
    engine().call('slice', { revision, window: wide }),
    engine().call('bounds', { ...seen, limit: ROWS_OF_BOUNDS }),
  ]);
  if (!cut.ok || !bounds.ok) return undefined;
  const shown = { ...state, view: wide, selected: undefined, picture: { ...picture, slices: cut.value } };
  return { state: shown, width, bounds: bounds.value };
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
