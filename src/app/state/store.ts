// The state of the page. What the engine knows stays in the engine; here is what is ticked, where the window is, and the
// latest answers. The picture (scale, slices, window) is always replaced as one, so that no frame mixes two of them.
import { create } from 'zustand';
import type {
  Arrangement,
  ConflictList,
  ConflictRow,
  DocumentNode,
  Engine,
  EngineError,
  EventRow,
  GuestChoice,
  InputFile,
  LiveState,
  Progress,
  RangeDetail,
} from '../../engine/protocol.ts';
import { range } from '../../iova/range.ts';
import type { ScaleKind } from '../../timeline/axis/scale.ts';
import { covers, type SpaceSlice, sliceWindow } from '../../timeline/axis/slice.ts';
import { fitAll, fitRange, pan, resize, type Viewport, visibleRange, zoomAt } from '../../timeline/axis/viewport.ts';
import type { Target } from '../../timeline/scene/mark.ts';
import type { Band } from '../../timeline/scene/scene.ts';
import type { ThemeName } from '../../timeline/scene/theme.ts';

/** Something that went wrong and is shown until the person closes it. */
export interface Problem {
  readonly title: string;
  readonly message: string;
  readonly samples: NonNullable<EngineError['samples']>;
}

export interface Busy {
  readonly title: string;
  readonly progress: Progress | undefined;
  cancel(): void;
}

export interface Picture {
  readonly arrangement: Arrangement;
  readonly slices: readonly SpaceSlice[];
  /** What the slices were cut for. */
  readonly window: Viewport;
}

/** The tabs below the timeline. */
export type TabName = 'table' | 'events' | 'questions' | 'hosts' | 'models' | 'buffer' | 'text' | 'diagnostics';

/** A line of a source, counted from 1. */
export interface TextPlace {
  readonly id: string;
  readonly source: string;
  readonly line: number;
}

export interface AppState {
  readonly documents: readonly DocumentNode[];
  /** Ids of documents that are samples: they give way to the first thing that is opened. */
  readonly sampleIds: readonly string[];
  readonly selectedGroups: readonly string[];
  readonly expanded: readonly string[];
  readonly scale: ScaleKind;
  readonly picture: Picture | undefined;
  readonly view: Viewport | undefined;
  readonly plotWidth: number;
  readonly selected: RangeDetail | undefined;
  readonly measured: { readonly start: bigint; readonly last: bigint } | undefined;
  /** A refused operation that the picture explains: what was asked for, and what stood in the way. */
  readonly explained: { readonly id: string; readonly position: number; readonly bands: readonly Band[] } | undefined;
  /** The guest that is tried on the hosts. */
  readonly guest: GuestChoice | undefined;
  /** Bytes: the pages of the hosts' kernels, where a person says so. */
  readonly pageSize: bigint | undefined;
  readonly conflicts: ConflictList | undefined;
  /** Key of the conflict that is shown in the picture (`keyOf`). */
  readonly conflict: string | undefined;
  readonly tab: TabName;
  /** What the tab “Text” shows. */
  readonly text: TextPlace | undefined;
  /** How each live host is connected, by document. */
  readonly live: Readonly<Record<string, LiveState>>;
  /** A document whose state the picture shows under several models. */
  readonly compared: { readonly id: string; readonly models: readonly string[] } | undefined;
  readonly busy: Busy | undefined;
  readonly problem: Problem | undefined;
  /** Said to screen readers, and shown for a moment. */
  readonly notice: string;
  readonly theme: ThemeName;
  /** True once something has been drawn, for those who wait for it. */
  readonly drawn: boolean;
}

const THEME_KEY = 'iovascope-theme';

function firstTheme(): ThemeName {
  const stored = localStorage.getItem(THEME_KEY);
  if (stored === 'light' || stored === 'dark') return stored;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}

export const useApp = create<AppState>(() => ({
  documents: [],
  sampleIds: [],
  selectedGroups: [],
  expanded: [],
  scale: 'fold',
  picture: undefined,
  view: undefined,
  plotWidth: 0,
  selected: undefined,
  measured: undefined,
  explained: undefined,
  guest: undefined,
  pageSize: undefined,
  conflicts: undefined,
  conflict: undefined,
  tab: 'table',
  text: undefined,
  live: {},
  compared: undefined,
  busy: undefined,
  problem: undefined,
  notice: '',
  theme: firstTheme(),
  drawn: false,
}));

const { getState: get, setState: set } = useApp;

let engine: Engine;
/** Counts the arrangements asked for: an answer to an earlier one is dropped. */
let wanted = 0;
let slicing = false;

/** Gives the store the engine to ask. Once, before anything else. */
export function connectEngine(value: Engine): void {
  engine = value;
}

/** Shows what the engine refused. */
export function report(title: string, error: EngineError): void {
  if (error.code === 'cancelled') set({ notice: 'Cancelled; what was open is unchanged.' });
  else set({ problem: { title, message: error.message, samples: error.samples ?? [] } });
}

/** Lays the lanes out anew; `keep` says whether the window stays where it is. */
export async function arrange(keep: 'view' | 'all'): Promise<void> {
  const turn = ++wanted;
  const { selectedGroups, expanded, scale, explained, compared, guest } = get();
  const marks = shownConflict(get())?.marks ?? [];
  const keepVisible = [...(explained?.bands ?? []), ...marks].map(({ start, last }) => range(start, last));
  const arranged = await engine.call('arrange', { selectedGroups, expanded, scale, keepVisible, compared, guest });
  if (turn !== wanted) return;
  if (!arranged.ok) {
    if (arranged.error.code !== 'engine-restarted') report('The lanes could not be laid out', arranged.error);
    return;
  }
  const arrangement = arranged.value;
  const { view, picture, plotWidth } = get();
  if (plotWidth === 0) return;
  const seen = keep === 'view' && view && picture ? visibleRange(view, picture.arrangement.scale) : undefined;
  const whole = !seen || (seen.start === 0n && seen.last === 0xffff_ffff_ffff_ffffn);
  const sameScale = seen && picture && sameSegments(picture.arrangement, arrangement);
  const next =
    sameScale && view
      ? view
      : whole
        ? fitAll(arrangement.scale, plotWidth)
        : fitRange(arrangement.scale, seen, plotWidth, 0);
  const window = sliceWindow(next);
  const cut = await engine.call('slice', { revision: arrangement.revision, window });
  if (turn !== wanted || !cut.ok) return;
  set({ picture: { arrangement, slices: cut.value, window }, view: next, drawn: true });
  ensureSlices();
  await Promise.all([refreshSelected(), refreshConflicts(turn)]);
}

export function keyOf({ document, id }: Pick<ConflictRow, 'document' | 'id'>): string {
  return `${document} ${id}`;
}

/** The conflict that the picture shows, if it is still there. */
export function shownConflict({
  conflicts,
  conflict,
}: Pick<AppState, 'conflicts' | 'conflict'>): ConflictRow | undefined {
  return conflict === undefined ? undefined : conflicts?.rows.find((row) => keyOf(row) === conflict);
}

/** The conflicts of what is ticked now, unless the lanes have been laid out anew in between. */
async function refreshConflicts(turn: number): Promise<void> {
  const { selectedGroups, guest, pageSize } = get();
  const found = await engine.call('conflicts', { selectedGroups, guest, pageSize });
  if (turn !== wanted || pageSize !== get().pageSize || !found.ok) return;
  const { conflict } = get();
  const isGone = conflict !== undefined && !found.value.rows.some((row) => keyOf(row) === conflict);
  set({ conflicts: found.value, ...(isGone ? { conflict: undefined } : {}) });
}

/** Shows a conflict in the picture: what was asked for and what stands in the way; undefined: none. */
export async function showConflict(row: ConflictRow | undefined): Promise<void> {
  const before = get().conflict;
  const key = row && keyOf(row);
  if (before === key) return;
  set({ conflict: key, explained: undefined });
  // The fold scale makes room for what a conflict is about.
  if (get().scale === 'fold') await arrange('view');
  const [first] = row?.marks ?? [];
  if (first) reveal(first);
}

/** On to the next conflict of the list, around its end. */
export async function nextConflict(): Promise<void> {
  const { conflicts, conflict } = get();
  const rows = conflicts?.rows ?? [];
  const at = rows.findIndex((row) => keyOf(row) === conflict);
  await showConflict(rows[(at + 1) % Math.max(1, rows.length)]);
}

/** Shows the conflict of a flag; of several the one after the one that is shown. */
export async function showFlag(numbers: readonly number[]): Promise<void> {
  const rows = get().conflicts?.rows.filter((row) => numbers.includes(row.number)) ?? [];
  const at = rows.findIndex((row) => keyOf(row) === get().conflict);
  await showConflict(rows[(at + 1) % Math.max(1, rows.length)]);
}

let isTrying = false;

/** Tries a guest on the hosts; choices that come faster than the answers are passed over. */
export async function tryGuest(guest: GuestChoice | undefined): Promise<void> {
  set({ guest });
  if (isTrying) return;
  isTrying = true;
  for (;;) {
    const now = get().guest;
    await arrange('view');
    if (get().guest === now) break;
  }
  isTrying = false;
}

/** Looks for conflicts as if the hosts' kernels had pages of this size; undefined: as the sources tell. */
export async function assumePages(pageSize: bigint | undefined): Promise<void> {
  set({ pageSize });
  await refreshConflicts(wanted);
}

export function showTab(tab: TabName): void {
  set({ tab });
}

/** Opens the text of a source at a line. */
export function showText(place: TextPlace): void {
  set({ text: place, tab: 'text' });
}

/** Opens the text where something was read, in the first document that has the source. */
export function showPlace(source: string, line: number | undefined): void {
  const owner = get().documents.find((document) =>
    document.sources.some(({ name }) => source === name || source.startsWith(`${name}/`)),
  );
  if (owner) showText({ id: owner.id, source, line: line ?? 1 });
}

/** Selects the range that an event is drawn as. */
export async function selectEvent(id: string, position: number): Promise<void> {
  const found = await engine.call('locate', { id, position });
  if (found.ok && found.value) await select(found.value, { reveal: true });
  else set({ notice: 'This fact has no range in the picture now.' });
}

function sameSegments(a: Arrangement, b: Arrangement): boolean {
  const [x, y] = [a.scale, b.scale];
  if (x.kind !== y.kind || x.segments.length !== y.segments.length) return false;
  return x.segments.every((s, i) => s.start === y.segments[i]?.start && s.length === y.segments[i]?.length);
}

/** Asks for new slices when the window has left what the present ones were cut for. One question at a time. */
function ensureSlices(): void {
  const { picture, view } = get();
  if (!picture || !view || slicing || covers(picture.window, view)) return;
  slicing = true;
  const window = sliceWindow(view);
  const { arrangement } = picture;
  void engine.call('slice', { revision: arrangement.revision, window }).then((cut) => {
    slicing = false;
    if (cut.ok && get().picture?.arrangement === arrangement) {
      set({ picture: { arrangement, slices: cut.value, window } });
    }
    if (cut.ok) ensureSlices();
  });
}

function move(change: (view: Viewport, picture: Picture) => Viewport): void {
  const { view, picture } = get();
  if (!view || !picture) return;
  const next = change(view, picture);
  if (next === view) return;
  set({ view: next });
  ensureSlices();
}

export function zoomBy(pixel: number, factor: number): void {
  move((view, { arrangement }) => zoomAt(arrangement.scale, view, pixel, factor));
}

export function panBy(pixels: number): void {
  move((view, { arrangement }) => pan(arrangement.scale, view, pixels));
}

export function showAll(): void {
  move((view, { arrangement }) => fitAll(arrangement.scale, view.width));
}

export function showRange(start: bigint, last: bigint): void {
  move((view, { arrangement }) => fitRange(arrangement.scale, range(start, last), view.width));
}

/** Puts a world position of the axis into the middle of the window. */
export function centreOn(world: bigint): void {
  move((view, { arrangement }) => pan(arrangement.scale, { ...view, anchor: world, anchorPixel: view.width / 2 }, 0));
}

export function fitSelection(): void {
  const { selected, measured } = get();
  const what = selected?.target ?? measured;
  if (what) showRange(what.start, what.last);
}

export function setPlotWidth(width: number): void {
  const { plotWidth, view, picture } = get();
  if (width === plotWidth) return;
  set({ plotWidth: width });
  if (view && picture) {
    set({ view: resize(picture.arrangement.scale, view, width) });
    ensureSlices();
  } else if (get().documents.length > 0) void arrange('all');
}

/** Opens files as one document. Whatever goes wrong, what was open stays. */
export async function open(title: string, files: readonly InputFile[], isSample = false): Promise<void> {
  const controller = new AbortController();
  const id = crypto.randomUUID();
  get().busy?.cancel();
  const busy: Busy = { title, progress: undefined, cancel: () => controller.abort() };
  set({ busy, problem: undefined, notice: '' });
  const opened = await engine.call(
    'open',
    { id, title, files },
    {
      signal: controller.signal,
      onProgress: (progress) => {
        const now = get().busy;
        if (now?.cancel === busy.cancel) set({ busy: { ...now, progress } });
      },
    },
  );
  if (get().busy?.cancel === busy.cancel) set({ busy: undefined });
  if (!opened.ok) {
    report(`${title} was not opened`, opened.error);
    return;
  }
  const document = opened.value;
  for (const old of get().sampleIds) await engine.call('close', { id: old });
  const gone = new Set(get().sampleIds);
  const kept = get().documents.filter((d) => !gone.has(d.id));
  set({
    documents: [...kept, document],
    sampleIds: isSample ? [document.id] : [],
    selectedGroups: [
      ...get().selectedGroups.filter((key) => kept.some((d) => keysOf(d).includes(key))),
      ...firstKeysOf(document),
    ],
    conflict: undefined,
    selected: undefined,
    measured: undefined,
    notice: isSample ? '' : `${document.title} opened`,
  });
  await arrange('all');
}

/** Keys of everything in a document that can be ticked. */
export function keysOf(document: DocumentNode): string[] {
  return [...document.groups, ...document.spaces, ...document.layers].map(({ key }) => key);
}

/** What is ticked when a document is opened. */
export function firstKeysOf({ groups, spaces, layers }: DocumentNode): string[] {
  return [...groups, ...spaces, ...layers.filter(({ isShown }) => isShown)].map(({ key }) => key);
}

/** What else must end when a document is closed, by document: the connection of a live host. */
const endings = new Map<string, () => void>();

export function onClose(id: string, end: () => void): void {
  endings.set(id, end);
}

export async function close(id: string): Promise<void> {
  endings.get(id)?.();
  endings.delete(id);
  await engine.call('close', { id });
  const documents = get().documents.filter((d) => d.id !== id);
  const keys = new Set(documents.flatMap(keysOf));
  set({ documents, selectedGroups: get().selectedGroups.filter((key) => keys.has(key)), selected: undefined });
  await arrange('all');
}

let seeking: { id: string; position: number } | undefined;

/** Moves a document's state to the moment after its first `position` events. Positions in between may be passed over. */
export async function seek(id: string, position: number): Promise<void> {
  const isRunning = seeking !== undefined;
  const { explained } = get();
  if (explained && (explained.id !== id || explained.position !== position)) set({ explained: undefined });
  seeking = { id, position };
  set({ documents: get().documents.map((d) => (d.id === id ? { ...d, position } : d)) });
  if (isRunning) return;
  for (;;) {
    const wish: { readonly id: string; readonly position: number } = seeking;
    const moved = await engine.call('seek', wish);
    const isLatest = seeking === wish;
    if (moved.ok) await showMoved(moved.value, isLatest);
    if (seeking === wish) break;
  }
  seeking = undefined;
}

/** Puts a document's new state in place of the old one; what is new in it is ticked. */
export async function showMoved(document: DocumentNode, isLatest: boolean): Promise<void> {
  const { documents, selectedGroups } = get();
  const old = documents.find((d) => d.id === document.id);
  const known = new Set(old ? keysOf(old) : []);
  // What appears while scrubbing is shown; what somebody had unticked stays unticked.
  const fresh = firstKeysOf(document).filter((key) => !known.has(key) && !selectedGroups.includes(key));
  set({
    documents: documents.map((d) =>
      d.id === document.id ? { ...document, position: isLatest ? document.position : d.position } : d,
    ),
    selectedGroups: [...selectedGroups, ...fresh],
  });
  await arrange('view');
}

export function setSelectedGroups(selectedGroups: readonly string[]): void {
  set({ selectedGroups });
  void arrange('view');
}

export function setScale(scale: ScaleKind): void {
  set({ scale });
  void arrange('view');
}

export function toggleLane(id: string): void {
  const { expanded } = get();
  set({ expanded: expanded.includes(id) ? expanded.filter((other) => other !== id) : [...expanded, id] });
  void arrange('view');
}

export async function select(target: Target | undefined, options: { readonly reveal?: boolean } = {}): Promise<void> {
  if (!target) {
    set({ selected: undefined });
    return;
  }
  const described = await engine.call('describe', target);
  if (!described.ok) {
    set({ selected: undefined });
    return;
  }
  const detail = described.value;
  set({ selected: detail });
  if (options.reveal) reveal(detail.target);
}

/** Brings a range into the window if it is not in it. */
function reveal({ start, last }: Pick<Target, 'start' | 'last'>): void {
  const { view, picture } = get();
  if (!view || !picture) return;
  const seen = visibleRange(view, picture.arrangement.scale);
  if (start > seen.last || last < seen.start) showRange(start, last);
}

/** After the lanes changed: the same range again if it is still there. */
async function refreshSelected(): Promise<void> {
  const { selected } = get();
  if (!selected) return;
  const { target } = selected;
  const described = await engine.call('describe', target);
  const same =
    described.ok && described.value.target.start === target.start && described.value.target.last === target.last;
  set({ selected: same ? described.value : undefined });
}

/** The last step asked for: the next one starts where it ends, however fast the keys come. */
let stepping: Promise<void> = Promise.resolve();

export function step(direction: 'next' | 'previous'): Promise<void> {
  stepping = stepping.then(async () => {
    const found = await engine.call('step', { from: get().selected?.target, direction });
    if (found.ok && found.value) await select(found.value, { reveal: true });
  });
  return stepping;
}

/** Runs a document's operations under another model, and stays at the same moment. */
export async function runUnder(id: string, model: string): Promise<void> {
  const ran = await engine.call('run', { id, model });
  if (ran.ok) await showMoved(ran.value, true);
  else report(`The operations cannot be run under ${model}`, ran.error);
}

/** One event back or on, in the session that is open; with several, in the first that has operations. */
export async function stepEvent(direction: 1 | -1): Promise<void> {
  const document = get().documents.find((d) => d.hasHistory);
  if (!document) return;
  const position = Math.min(document.events, Math.max(0, document.position + direction));
  if (position !== document.position) await seek(document.id, position);
}

/** Shows a document's state under each of the models; undefined: as its own model has it. */
export function compareInPicture(compared: AppState['compared']): void {
  set({ compared });
  void arrange('view');
}

export function measure(start: bigint, last: bigint): void {
  set({ measured: start <= last ? { start, last } : { start: last, last: start } });
}

export function clearSelection(): void {
  const wasExplaining = get().explained !== undefined || get().conflict !== undefined;
  set({ selected: undefined, measured: undefined, explained: undefined, conflict: undefined });
  if (wasExplaining) void arrange('view');
}

/** Goes to the moment before a refused operation and shows what it asked for and what stood in the way. */
export async function explain(id: string, { position, answer, refused }: EventRow): Promise<void> {
  const bands: Band[] = [];
  const { requested, obstacle } = refused ?? {};
  if (obstacle) bands.push({ ...range(obstacle.start, obstacle.last), message: obstacle.message, ink: 'accent' });
  if (requested)
    bands.push({
      ...range(requested.start, requested.last),
      message: `asked for, ${answer ?? 'refused'}`,
      ink: 'alarm',
    });
  set({ explained: { id, position, bands }, measured: undefined, conflict: undefined });
  await seek(id, position);
}

export function setTheme(theme: ThemeName): void {
  localStorage.setItem(THEME_KEY, theme);
  set({ theme });
}

export function dismissProblem(): void {
  set({ problem: undefined });
}

export function say(notice: string): void {
  set({ notice });
}

export function fail(title: string, message: string): void {
  set({ problem: { title, message, samples: [] } });
}

/** After the engine was started again: ask anew for everything that it told. */
export async function refresh(reason: string): Promise<void> {
  const all = await engine.call('documents', null);
  if (!all.ok) return;
  const known = new Set(all.value.map((d) => d.id));
  const lost = get().documents.filter((d) => !known.has(d.id));
  set({
    documents: all.value,
    notice: `The engine was started again (${reason}). What was open is still open.`,
    ...(lost.length > 0
      ? {
          problem: {
            title: 'Some of what was open is lost',
            message: `${lost.map((d) => d.title).join(', ')} could not be read again after the engine stopped (${reason}).`,
            samples: [],
          },
        }
      : {}),
  });
  await arrange('view');
}

export function ask(): Engine {
  return engine;
}
