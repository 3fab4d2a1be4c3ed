// The lesson that is read: its step, the answers that were given, and the session that follows it. Loaded when it is used.
import { create } from 'zustand';
import type { Judged, OpenedLesson } from '../../engine/protocol/lessons.ts';
import { parseRange } from '../../iova/parse.ts';
import { lessonText } from '../../lessons/built-in.ts';
import type { Choice, LessonHead, LessonStep, LessonView } from '../../lessons/lesson.ts';
import { type Gate, gateLine, type Reading, readingOf, shownChoices } from '../../lessons/reading.ts';
import type { Band } from '../../timeline/scene/bands.ts';
import { useApp } from './app-state.ts';
import { copy } from './clipboard.ts';
import { open, updateDocument } from './documents.ts';
import { engine } from './engine.ts';
import { explain } from './explanation.ts';
import { foldPanel } from './frame.ts';
import { inPlace } from './in-place.ts';
import { type Shown, selectRange, showLessonSession } from './lesson-view.ts';
import { applyView } from './link-view.ts';
import { announce, notify, showEngineError, showError } from './notices.ts';
import { showSession } from './sessions.ts';

const { getState: app, setState: setApp } = useApp;

/** An answer to a prediction or a question. */
export interface Given {
  /** Index of the choice that was taken. */
  readonly choice?: number | undefined;
  /** What was typed. */
  readonly text?: string | undefined;
  /** Undefined if it was revealed without an answer. */
  readonly isRight?: boolean | undefined;
  /** For each choice whether it is right. */
  readonly verdicts: readonly boolean[];
  readonly judged?: Judged | undefined;
}

/** A typed answer that is not right: another can be tried. */
interface Attempt {
  readonly line: number;
  readonly text: string;
  readonly judged: Judged;
}

interface ReaderState {
  readonly opened: OpenedLesson | undefined;
  /** Of a built-in lesson, or of the file. */
  readonly name: string;
  readonly isBuiltIn: boolean;
  /** Document of its session; undefined if the lesson has no operations. */
  readonly session: string | undefined;
  /** Ids of the opened sources: its session, and what of it joined a host. */
  readonly sources: readonly string[];
  /** Counted from 0. */
  readonly step: number;
  /** By the line of the prediction or question. */
  readonly answers: Readonly<Record<number, Given>>;
  readonly attempt: Attempt | undefined;
  readonly isPresenting: boolean;
  /** Files of lessons that were opened since the page was loaded, by name. */
  readonly own: readonly OwnLesson[];
}

export interface OwnLesson {
  readonly file: string;
  readonly text: string;
  readonly head: LessonHead;
}

export const useLesson = create<ReaderState>(() => ({
  opened: undefined,
  name: '',
  isBuiltIn: false,
  session: undefined,
  sources: [],
  step: 0,
  answers: {},
  attempt: undefined,
  isPresenting: false,
  own: [],
}));

const { getState: get, setState: set } = useLesson;

/** The step as it may be shown now. */
export function presentReading({ opened, step, answers }: ReaderState = get()): Reading | undefined {
  if (!opened) return undefined;
  return readingOf(opened.lesson, opened.steps, step, (line) => Object.hasOwn(answers, line));
}

/** What all steps up to one show; the later ones win. */
function viewAt({ lesson }: OpenedLesson, step: number): LessonView {
  return lesson.steps
    .slice(0, step + 1)
    .flatMap(({ blocks }) => blocks.map((block) => (block.kind === 'view' ? block.view : {})))
    .reduce<LessonView>((all, view) => {
      const { spaces, groups, ...rest } = all;
      // Address spaces and groups are chosen together.
      return { ...(view.spaces || view.groups ? rest : all), ...view };
    }, {});
}

/** Address spaces and groups that a view chooses. */
function shownIn({ spaces, groups }: LessonView): Shown {
  return spaces || groups ? { ...(spaces ? { spaces } : {}), ...(groups ? { groups } : {}) } : undefined;
}

/** Applies a view. What is selected belongs to the step that selects it. */
async function showView(view: LessonView, step: LessonStep | undefined): Promise<void> {
  if (Object.keys(view).length > 0) await applyView(view);
  const own = step?.blocks.findLast((block) => block.kind === 'view' && block.view.selection !== undefined);
  if (own?.kind === 'view' && own.view.selection) await selectRange(own.view.selection);
}

/** Opens the reader, with the list of lessons if none is open. */
export function openReader(): void {
  const { session, step } = get();
  setApp({ reader: { session, step } });
  foldPanel('right', false);
}

/** Adds files to the list of lessons; one of the same name is replaced. */
export async function addOwnLessons(files: readonly Omit<OwnLesson, 'head'>[]): Promise<void> {
  const added: OwnLesson[] = [];
  for (const file of files) {
    const read = await engine().call('readLesson', { text: file.text });
    if (read.ok) added.push({ ...file, head: read.value.lesson.head });
  }
  const kept = get().own.filter(({ file }) => !added.some((one) => one.file === file));
  set({ own: [...kept, ...added].sort((a, b) => (a.file < b.file ? -1 : 1)) });
}

/** Shows the list of lessons; the session of the open one stays, with all of its events. */
export async function closeLesson(): Promise<void> {
  await showAllEvents();
  set({ opened: undefined, session: undefined, step: 0, answers: {}, attempt: undefined, isPresenting: false });
  if (app().reader) setApp({ reader: { step: 0 } });
}

export async function closeReader(): Promise<void> {
  await closeLesson();
  setApp({ reader: undefined });
}

async function showAllEvents(): Promise<void> {
  const { session } = get();
  if (session === undefined || !isOpen(session)) return;
  const shown = await engine().call('conceal', { id: session, from: null });
  if (shown.ok) await updateDocument(shown.value, true);
}

const isOpen = (id: string) => app().documents.some((document) => document.id === id);

interface OpenLessonOptions {
  /** Counted from 1, as in links; the first by default. */
  readonly step?: number | undefined;
  /** True to keep what is open beside it. */
  readonly isAdded?: boolean | undefined;
  /** True to open only its session, as it is after the step. */
  readonly isSessionOnly?: boolean | undefined;
}

/** A lesson to open: its text, or the name of one that is built in. */
export type LessonSource = { readonly name: string } | { readonly file: string; readonly text: string };

/** Opens a lesson. Returns whether it is open; what is wrong with it is shown. */
export async function openLesson(source: LessonSource, options: OpenLessonOptions = {}): Promise<boolean> {
  const { step: wanted, isAdded = false, isSessionOnly = false } = options;
  const isBuiltIn = 'name' in source;
  const name = isBuiltIn ? source.name : source.file;
  const text = isBuiltIn ? await lessonText(source.name) : source.text;
  if (text === undefined) return false;
  const read = await engine().call('readLesson', { text });
  if (!read.ok) {
    showEngineError(`${name} was not opened`, read.error);
    return false;
  }
  const opened = read.value;
  const { steps, lesson, session: sessionText } = opened;
  if (steps.length === 0) {
    showError(
      `${name} was not opened`,
      opened.problems.map(({ line, message }) => `${name}:${line}: ${message}`).join('. '),
    );
    return false;
  }
  await closeLesson();
  let session: string | undefined;
  let sources: readonly string[] = [];
  if (steps.some(({ to }) => to > 0)) {
    const file = `${name.replace(/\.md$/i, '')}.iova.jsonl`;
    const address = isBuiltIn && !isAdded ? `lesson=${name}` : undefined;
    const openSession = async () => {
      const placements = await open(
        lesson.head.title || name,
        [{ name: file, data: new Blob([sessionText]) }],
        address === undefined ? {} : { address },
      );
      session = placements.map(({ sourceId }) => sourceId).find(isOpen);
      sources = placements.map(({ sourceId }) => sourceId);
      return placements.length > 0;
    };
    if (!(await (isAdded ? openSession() : inPlace(openSession)))) return false;
  }
  // Where it went is no news: it is the lesson's.
  setApp({ placed: undefined, notice: '' });
  const isThere = wanted === undefined || (wanted >= 1 && wanted <= steps.length);
  if (!isThere) {
    showError(
      'The link was opened only in part',
      `The lesson "${name}" has steps 1 to ${steps.length}: step 1 is shown.`,
    );
  }
  const step = wanted === undefined || !isThere ? 0 : wanted - 1;
  if (isSessionOnly) {
    const view = viewAt(opened, step);
    await applyView({ at: steps[step]?.to ?? 0 });
    const document = app().documents.find(({ id }) => id === session);
    if (document) await showLessonSession(document, sources, shownIn(view));
    await showView(view, lesson.steps[step]);
    return true;
  }
  set({ opened, name, isBuiltIn, session, sources, step, answers: {}, attempt: undefined });
  setApp({ reader: { session, step } });
  foldPanel('right', false);
  await enter();
  return true;
}

/** Says which step it is, at once, and shows it as soon as those before it are shown. */
function enter(): Promise<void> {
  const { opened, step } = get();
  if (opened) announce(`Step ${step + 1} of ${opened.steps.length}: ${opened.lesson.steps[step]?.title ?? ''}`);
  return settle(true);
}

/** One change after the other: keys are faster than the engine. */
let lastTurn: Promise<void> = Promise.resolve();

/** Brings session and picture to where the lesson is. `isEntered`: the step was not shown before. */
function settle(isEntered: boolean): Promise<void> {
  const turn = lastTurn.then(() => settleNow(isEntered));
  lastTurn = turn.catch(() => undefined);
  return turn;
}

async function settleNow(isEntered: boolean): Promise<void> {
  const state = get();
  const { opened, session: id, step } = state;
  const reading = presentReading(state);
  if (!opened || !reading) return;
  const { steps, lesson } = opened;
  setApp({ reader: { session: id, step } });
  if (id === undefined || !isOpen(id)) return;
  if (app().session !== id) showSession(id);
  const isDone = step === steps.length - 1 && !reading.open;
  const { position } = reading;
  const hidden = await engine().call('conceal', { id, from: isDone ? null : position });
  if (!hidden.ok) return;
  const before = app().documents.find((document) => document.id === id);
  const moved = await engine().call('seek', { id, position });
  if (!moved.ok) return;
  setApp({ explained: undefined, selected: undefined, conflict: undefined });
  if (isEntered) setApp({ measured: undefined });
  const view = viewAt(opened, step);
  await showLessonSession(moved.value, state.sources, shownIn(view), isEntered ? undefined : before);
  if (isEntered) await showView(view, lesson.steps[step]);
  if (reading.open || position === (steps[step]?.from ?? 0)) return;
  const rows = await engine().call('events', { id, offset: position - 1, limit: 1 });
  const [row] = rows.ok ? rows.value : [];
  if (row?.refused) await explain(id, row);
}

/** Goes to a step, counted from 0. */
export async function goToStep(step: number): Promise<void> {
  const { opened } = get();
  if (!opened || step < 0 || step >= opened.steps.length) return;
  set({ step, attempt: undefined });
  await enter();
}

/** The next step; a prediction or a question has to be answered first. */
export async function nextStep(): Promise<void> {
  const { opened, step } = get();
  const reading = presentReading();
  if (!opened || !reading) return;
  const isLast = step + 1 === opened.steps.length;
  if (!reading.open && !isLast) {
    await goToStep(step + 1);
    return;
  }
  // What the step's view selects is announced too, and later: this must be the last word.
  await lastTurn;
  notify(reading.open ? 'Choose an answer first, or press V to reveal it' : 'This was the last step of the lesson');
}

export async function previousStep(): Promise<void> {
  await goToStep(get().step - 1);
}

async function judgeText(gate: Gate, text: string): Promise<Judged | undefined> {
  const { session: id } = get();
  const reading = presentReading();
  if (id === undefined || !reading) return undefined;
  const { answer, check } =
    gate.kind === 'question'
      ? gate.question
      : { answer: undefined, check: [{ line: gate.block.line, text: gate.operation }] };
  const question = { ...(answer ? { answer } : {}), ...(check ? { check } : {}) };
  const judged = await engine().call('judge', { id, position: reading.position, question, text });
  return judged.ok ? judged.value : undefined;
}

/** The choices of a prediction or a question, in the order in which they are shown. */
export function choicesOf(gate: Gate): readonly Choice[] {
  return shownChoices(gate.kind === 'predict' ? gate.block.choices : gate.question.choices);
}

/** Whether each choice is right: the model decides, and the lesson's marks where it cannot. */
async function verdictsOf(gate: Gate): Promise<{ readonly verdicts: boolean[]; readonly judged: Judged | undefined }> {
  const judged = await Promise.all(choicesOf(gate).map(({ text }) => judgeText(gate, text)));
  const verdicts = choicesOf(gate).map(({ marked }, i) => judged[i]?.isRight ?? marked === true);
  return { verdicts, judged: judged[0] };
}

async function give(gate: Gate, given: Given): Promise<void> {
  const line = gateLine(gate);
  if (presentReading()?.open === undefined) return;
  set({ answers: { ...get().answers, [line]: given }, attempt: undefined });
  await settle(false);
}

/** Takes a choice of what has to be answered now, counted from 0. */
export async function takeChoice(choice: number): Promise<void> {
  const gate = presentReading()?.open;
  if (!gate || !choicesOf(gate)[choice]) return;
  const { verdicts, judged } = await verdictsOf(gate);
  const isRight = verdicts[choice] === true;
  announce(isRight ? 'Right' : 'Not right');
  await give(gate, { choice, verdicts, isRight, judged });
}

/** Gives a typed answer. If it is not right, what would have happened is shown, and another can be tried. */
export async function typeAnswer(text: string): Promise<void> {
  const gate = presentReading()?.open;
  if (!gate || text.trim() === '') return;
  const judged = await judgeText(gate, text);
  if (!judged) return;
  if (judged.isRight === true) {
    announce('Right');
    await give(gate, { text, isRight: true, verdicts: [], judged });
    return;
  }
  const line = gateLine(gate);
  set({ attempt: { line, text, judged } });
  announce(judged.mistake ?? 'Not right');
  showAttempt(text, judged);
}

/** Shows in the picture what a wrong answer is about. */
function showAttempt(text: string, { lines }: Judged): void {
  const { session: id } = get();
  const position = app().documents.find((document) => document.id === id)?.position;
  if (id === undefined || position === undefined) return;
  const { requested, obstacle } = lines.findLast(({ refused }) => refused)?.refused ?? {};
  const typed = parseRange(text);
  const asked = requested ?? (typed.ok ? typed.value : undefined);
  const bands: Band[] = [];
  if (obstacle) bands.push({ ...obstacle, ink: 'accent' });
  if (asked) bands.push({ start: asked.start, last: asked.last, message: 'your answer', ink: 'alarm' });
  setApp({ explained: { id, position, bands } });
}

/** Shows the answer to what has to be answered now. */
export async function revealAnswer(): Promise<void> {
  const gate = presentReading()?.open;
  if (!gate) return;
  const { verdicts, judged } = await verdictsOf(gate);
  await give(gate, { verdicts, judged });
}

/** Copies the link to a built-in lesson; `step`, counted from 0, if to one of its steps. `what` names it in the notice. */
export async function copyLessonLink(name: string, what: string, step?: number): Promise<void> {
  const url = new URL(location.href);
  url.hash = `lesson=${name}${step === undefined ? '' : `&step=${step + 1}`}`;
  await copy(url.href, what);
}

/** The presenter's view: large text, only the picture and what is said about it. */
export function setPresenting(isPresenting: boolean): void {
  set({ isPresenting });
}
