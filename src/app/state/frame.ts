// Sizes of the panels around the picture, and which of them are folded away.
import { useApp } from './app-state.ts';
import { FRAME_KEY, type FrameState, type PanelName } from './initial-frame.ts';
import { remember } from './local-store.ts';

const { getState: get, setState: set } = useApp;

function change(frame: FrameState): void {
  set({ frame });
  remember(FRAME_KEY, JSON.stringify(frame));
}

/** Sets the size of a panel in CSS pixels and unfolds it; undefined: the default size. */
export function resizePanel(panel: PanelName, size: number | undefined): void {
  const { sizes, folded } = get().frame;
  const { [panel]: _, ...others } = sizes;
  change({
    sizes: size === undefined ? others : { ...others, [panel]: Math.round(size) },
    folded: folded.filter((name) => name !== panel),
  });
}

/** Folds a panel away, or unfolds it with its previous size. */
export function foldPanel(panel: PanelName, isFolded: boolean): void {
  const { sizes, folded } = get().frame;
  if (folded.includes(panel) === isFolded) return;
  change({ sizes, folded: isFolded ? [...folded, panel] : folded.filter((name) => name !== panel) });
}

export function togglePanel(panel: PanelName): void {
  foldPanel(panel, !get().frame.folded.includes(panel));
}
