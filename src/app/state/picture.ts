// The picture: its lanes, its scale, and the window for which the slices were cut.
import type { Arrangement } from '../../engine/protocol/picture.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import { type IovaRange, range } from '../../iova/range.ts';
import type { ScaleKind } from '../../timeline/axis/scale.ts';
import { covers, sliceWindow } from '../../timeline/axis/slice.ts';
import { boundsInView, fitAll, fitRange, type Viewport } from '../../timeline/axis/viewport.ts';
import { type AppState, useApp } from './app-state.ts';
import { shownConflict } from './conflict-key.ts';
import { engine } from './engine.ts';
import { showEngineError } from './notices.ts';
import { Turns } from './turns.ts';

const { getState: get, setState: set } = useApp;

/** One turn per arrangement. Answers that depend on the lanes are dropped if the lanes changed. */
export const arrangements = new Turns();

type Refresh = (turn: number) => Promise<void>;
const refreshes: Refresh[] = [];

/** Runs `refresh` with its turn after each new arrangement: for answers that depend on the lanes. */
export function onArranged(refresh: Refresh): void {
  refreshes.push(refresh);
}

let latest: Promise<void> = Promise.resolve();

/** Milliseconds until an arrangement that takes long is marked: a shorter one would only flicker. */
const MOMENT = 300;

/** Lays out the lanes again. `keep: 'view'` keeps the visible addresses, `'all'` shows the whole space. */
export function arrange(keep: 'view' | 'all'): Promise<void> {
  const turn = arrangements.next();
  const timer = setTimeout(() => arrangements.isCurrent(turn) && set({ isOutdated: true }), MOMENT);
  latest = arrangeNow(turn, keep).finally(() => {
    clearTimeout(timer);
    if (arrangements.isCurrent(turn) && get().isOutdated) set({ isOutdated: false });
  });
  return latest;
}

/** Resolves when the latest arrangement and everything that depends on it is complete. */
export async function arranged(): Promise<void> {
  let waited: Promise<void>;
  do {
    waited = latest;
    await waited;
  } while (waited !== latest);
}

async function arrangeNow(turn: number, keep: 'view' | 'all'): Promise<void> {
  const { selectedGroups, expanded, scale, explained, compared, guest } = get();
  const marks = shownConflict(get())?.marks ?? [];
  const keepVisible = [...(explained?.bands ?? []), ...marks].map(({ start, last }) => range(start, last));
  const answered = await engine().call('arrange', { selectedGroups, expanded, scale, keepVisible, compared, guest });
  if (!arrangements.isCurrent(turn)) return;
  if (!answered.ok) {
    if (answered.error.code !== 'engine-restarted') showEngineError('The lanes could not be laid out', answered.error);
    return;
  }
  const arrangement = answered.value;
  if (get().plotWidth === 0) return;
  const viewNow = () => (keep === 'view' ? keptView(arrangement) : fitAll(arrangement.scale, get().plotWidth));
  const window = sliceWindow(viewNow());
  const cut = await engine().call('slice', { revision: arrangement.revision, window });
  if (!arrangements.isCurrent(turn) || !cut.ok) return;
  // For scripts/first-load.mjs: files that the page fetches later do not delay the first picture.
  if (!get().drawn) performance.mark('first-picture');
  // The view may have been moved, or the plot laid out with another width, while the slices were cut.
  set({ picture: { arrangement, slices: cut.value, window }, view: viewNow(), drawn: true });
  ensureSlices();
  await Promise.all(refreshes.map((refresh) => refresh(turn)));
}

/** The addresses in view, inclusive; undefined before the first picture. */
export function seenRange({ view, picture }: Pick<AppState, 'view' | 'picture'>): IovaRange | undefined {
  return view && picture ? boundsInView(view, picture.arrangement.scale) : undefined;
}

/** The addresses in view, inclusive; undefined if that is the whole address space, and before the first picture. */
export function partInView(state: Pick<AppState, 'view' | 'picture'>): IovaRange | undefined {
  const seen = seenRange(state);
  return seen?.start === 0n && seen.last === IOVA_MAX ? undefined : seen;
}

/** The window of a new arrangement that shows the addresses that are visible now. */
function keptView(arrangement: Arrangement): Viewport {
  const { view, picture, plotWidth } = get();
  if (view && picture && haveSameSegments(picture.arrangement, arrangement)) return view;
  const part = partInView(get());
  return part ? fitRange(arrangement.scale, part, plotWidth, 0) : fitAll(arrangement.scale, plotWidth);
}

function haveSameSegments({ scale: a }: Arrangement, { scale: b }: Arrangement): boolean {
  if (a.kind !== b.kind || a.segments.length !== b.segments.length) return false;
  return a.segments.every((segment, i) => {
    const other = b.segments[i];
    return segment.start === other?.start && segment.length === other.length;
  });
}

let isSlicing = false;

/** Requests new slices when the view has left the window of the current ones. One request at a time. */
export function ensureSlices(): void {
  const { picture, view } = get();
  if (!picture || !view || isSlicing || covers(picture.window, view)) return;
  isSlicing = true;
  const window = sliceWindow(view);
  const { arrangement } = picture;
  void engine()
    .call('slice', { revision: arrangement.revision, window })
    .then((cut) => {
      isSlicing = false;
      if (!cut.ok) return;
      if (get().picture?.arrangement === arrangement) set({ picture: { arrangement, slices: cut.value, window } });
      ensureSlices();
    });
}

export function setScale(scale: ScaleKind): void {
  set({ scale });
  void arrange('view');
}

/** Expands a lane into one row per contributor, or collapses it. */
export function toggleLane(id: string): void {
  const { expanded } = get();
  set({ expanded: expanded.includes(id) ? expanded.filter((other) => other !== id) : [...expanded, id] });
  void arrange('view');
}
