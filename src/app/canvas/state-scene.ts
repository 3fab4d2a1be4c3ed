// From the page's state to a scene.
import { numberedBands } from '../../engine/answers/numbered-bands.ts';
import type { ConflictRow } from '../../engine/protocol/answers.ts';
import { subtitleOf } from '../../engine/protocol/picture.ts';
import type { Band } from '../../timeline/scene/bands.ts';
import type { Scene } from '../../timeline/scene/mark.ts';
import { buildScene, type SceneInput } from '../../timeline/scene/scene.ts';
import type { AppState } from '../state/app-state.ts';
import { shownConflict } from '../state/conflict-key.ts';

function conflictBands(row: ConflictRow | undefined): Band[] {
  return (row?.marks ?? []).map(({ start, last, role, message }) => ({
    start,
    last,
    message,
    ink: role === 'requested' ? 'alarm' : 'accent',
  }));
}

function measuredBands(measured: AppState['measured']): Band[] {
  return measured ? [{ ...measured, message: 'measured', ink: 'accent' }] : [];
}

/** What a scene has only in a file, or only on the screen. */
type More = Pick<SceneInput, 'bounds' | 'answer' | 'leftOut' | 'seen'>;

/** What is shown of a state over its lanes: why an operation was refused, a conflict, what is measured. */
export function bandsOf(state: AppState): Band[] {
  const { explained, measured } = state;
  return [...(explained?.bands ?? []), ...conflictBands(shownConflict(state)), ...measuredBands(measured)];
}

/** The scene of a state, `width` CSS pixels wide; undefined before the first picture of the engine. */
export function sceneOf(state: AppState, width: number, more: More = {}): Scene | undefined {
  const { picture, view, selected, conflicts } = state;
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
    bands: bandsOf(state),
    ...more,
  });
}
