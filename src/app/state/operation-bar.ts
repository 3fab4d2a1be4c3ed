// The operation bar: manual changes of a session, and their preview in the picture.
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { EventChange, EventsChanged, LineOutcome } from '../../engine/protocol/operation-lines.ts';
import { nearestBound, roundestAddress } from '../../timeline/axis/measure.ts';
import { addressAt, pixelOfEdge } from '../../timeline/axis/viewport.ts';
import type { Band } from '../../timeline/scene/bands.ts';
import { plotLeft } from '../../timeline/scene/layout.ts';
import { type Explanation, useApp } from './app-state.ts';
import { applyCase } from './documents.ts';
import { engine } from './engine.ts';
import { refusalBands } from './explanation.ts';
import { announce } from './notices.ts';
import { ownExplanation } from './own-explanation.ts';
import { arrange } from './picture.ts';
import { showSession } from './sessions.ts';

const { getState: get, setState: set } = useApp;

/** The result of a change: the current session, or why the change was not made. */
export type Changed =
  | { readonly ok: true; readonly value: EventsChanged }
  | { readonly ok: false; readonly message: string };

export interface BarTarget {
  /** Undefined for a new session. */
  readonly id: string | undefined;
  /** Model of a new session. */
  readonly model: string | undefined;
}

let latest: Promise<unknown> = Promise.resolve();

/** Changes a session, shows it, and goes to the position after the change. Changes run one after the other. */
export function changeEvents(target: BarTarget, change: EventChange): Promise<Changed> {
  const changed = latest.then(() => changeNow(target, change));
  latest = changed.catch(() => undefined);
  return changed;
}

async function changeNow({ id, model }: BarTarget, change: EventChange): Promise<Changed> {
  const answered = await engine().call('changeEvents', { id, model, change });
  if (!answered.ok) return { ok: false, message: answered.error.message };
  const { value } = answered;
  const isNew = id === undefined;
  set({ selected: undefined, measured: undefined, conflict: undefined, explained: explanationOf(value) });
  applyCase(value.case);
  if (isNew) showSession(value.id);
  announce(changeLabel(value, change));
  await arrange(isNew ? 'all' : 'view');
  if (change.kind === 'insert' && get().documents.at(-1)?.id === value.id) requestAnimationFrame(showLastLanes);
  return { ok: true, value };
}

/** Scrolls the picture to its last lanes, which are those of the session. */
function showLastLanes(): void {
  const area = document.querySelector('[data-testid=timeline-scroll]');
  if (area) area.scrollTop = area.scrollHeight;
}

/** The ranges of a refused operation, at the position after it. */
function explanationOf({ id, row }: EventsChanged): Explanation | undefined {
  if (!row?.refused) return undefined;
  const bands = refusalBands(row.refused, row.answer);
  return bands.length === 0 ? undefined : { id, position: row.position, bands };
}

/** A label with the change and its answer. */
export function changeLabel({ row, changedLater }: EventsChanged, change: EventChange): string {
  const done = row
    ? `${row.text}: ${row.answer ?? ''}${row.refused ? `, ${row.refused.message}` : ''}`
    : { insert: 'Added', replace: 'Replaced', remove: 'Removed', undo: 'Undone', redo: 'Redone' }[change.kind];
  return changedLater ? `${done}. ${laterLabel(changedLater)}` : done;
}

/** `3 later events are answered differently now, the first is event 5`. */
export function laterLabel({ first, count }: NonNullable<EventsChanged['changedLater']>): string {
  const events = count === 1 ? '1 later event is' : `${count} later events are`;
  return `${events} answered differently now${count === 1 ? '' : ', the first'}: event ${first}`;
}

const showOwn = ownExplanation();

/** Previews the effect of a line in the picture; undefined: no preview. */
export function showPreview(document: DocumentNode | undefined, outcome: LineOutcome | undefined): void {
  const { refused, answer, where } = outcome ?? {};
  const bands: Band[] = refused
    ? refusalBands(refused, answer)
    : where
      ? [{ ...where, message: `would answer ${answer ?? ''}`, ink: 'accent' }]
      : [];
  const { id = '', position = 0 } = document ?? {};
  showOwn(bands.length === 0 ? undefined : { id, position, bands });
}

/** Pixels on either side of the pointer that count as clicked. */
const AROUND = 3;

/**
 * The address that a click on the timeline means, at a pixel from its left edge: a bound of something drawn there, otherwise
 * the roundest address within the pixels around it. Undefined outside the plot.
 */
export function clickedAddress(pixelOfTimeline: number, width: number): bigint | undefined {
  const { view, picture } = get();
  const pixel = pixelOfTimeline - plotLeft(width);
  if (!view || !picture || pixel < 0 || pixel > view.width) return undefined;
  const { scale } = picture.arrangement;
  const edges = new Set<bigint>();
  for (const { lanes } of picture.slices) {
    for (const row of lanes.flatMap(({ rows }) => rows)) {
      for (const start of row.starts) edges.add(start);
      for (const last of row.lasts) edges.add(last + 1n);
    }
  }
  const bounds = [...edges]
    .filter((edge) => edge < 1n << 64n)
    .map((edge) => ({ edge, pixel: pixelOfEdge(view, scale, edge) }));
  const bound = nearestBound(bounds, pixel);
  if (bound) return bound.edge;
  return roundestAddress(
    addressAt(view, scale, Math.max(0, pixel - AROUND)),
    addressAt(view, scale, Math.min(view.width, pixel + AROUND)),
  );
}
