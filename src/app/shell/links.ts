// Links in the address bar (docs/links.md): opening them, and following what is open and how it is shown. Loaded after
// the first picture, or when the page is opened with a link.
import { laneName, laneNames } from '../../engine/protocol/picture.ts';
import { selectedBy, selectionValue } from '../../engine/share/selection-value.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import { type LinkView, linkFragment, parseLink } from '../../session/sharing/link.ts';
import { visibleRange } from '../../timeline/axis/viewport.ts';
import { type AppState, TAB_NAMES, useApp } from '../state/app-state.ts';
import { BROWSER_STORE, restoreCase, saveCase } from '../state/autosave.ts';
import { newCase, setDevice, setKernel, undo } from '../state/case-actions.ts';
import { setGuest } from '../state/conflicts.ts';
import { open, seek, setModel, setSelectedGroups } from '../state/documents.ts';
import { notify, showError } from '../state/notices.ts';
import type { OwnSession } from '../state/own-session.ts';
import { arrange, arranged, setScale } from '../state/picture.ts';
import { shownSession } from '../state/sessions.ts';
import { showTab } from '../state/tabs.ts';
import { showRange } from '../state/view.ts';
import type { LessonOfLink } from './lesson-link.ts';
import { openSample } from './open-files.ts';
import { SAMPLES } from './samples.ts';

const { getState: get, setState: set } = useApp;

/** Milliseconds without a change after which the address bar has the view. */
const FOLLOW_DELAY = 300;
const LINK_NAME = 'link.iova.jsonl';

/** The part of a fragment that names what it opens; empty if it has only a view. */
function addressOf(fragment: string): string {
  const [first = ''] = fragment.replace(/^#/, '').split('&');
  return /^(?:v\d+\.|sample=|lesson=)/.test(first) ? first : '';
}

/** What is open, as the address bar names it; empty for a person's own case. */
function openAddress({ documents, addressed }: Pick<AppState, 'documents' | 'addressed'>): string {
  const isAll = documents.length > 0 && documents.every(({ id }) => addressed?.ids.includes(id));
  return isAll ? (addressed?.part ?? '') : '';
}

/** Closes what is open, opens something else, and brings the first back if that fails. */
async function inPlace(action: () => Promise<boolean>): Promise<boolean> {
  const hadDocuments = get().documents.length > 0;
  // To come back to it.
  if (hadDocuments && openAddress(get()) === '') await saveCase(BROWSER_STORE).catch(() => undefined);
  if (hadDocuments) await newCase();
  const isOpen = await action();
  if (!isOpen && hadDocuments) {
    const { problem } = get();
    await undo();
    set({ problem });
  }
  return isOpen;
}

/**
 * Opens what a fragment names and shows it as the fragment says. What is wrong with it is shown; of a link that opens
 * nothing, the case stays as it was. Returns whether something is open because of it.
 */
export async function openFragment(fragment: string): Promise<boolean> {
  const { target, view, problems: found } = parseLink(fragment);
  const problems = [...found];
  const address = addressOf(fragment);
  let isOpen = address !== '' && address === openAddress(get());
  const lesson = target?.kind === 'lesson' ? await loadLesson(target.name, view.step) : undefined;
  if (typeof lesson === 'string') problems.push(lesson);
  else if (lesson?.problem !== undefined) problems.push(lesson.problem);
  if (target && !isOpen) {
    if (target.kind === 'session') {
      const data = new Blob([target.text]);
      isOpen = await inPlace(async () => (await open('link', [{ name: LINK_NAME, data }], { address })).length > 0);
    } else if (target.kind === 'sample') {
      const sample = SAMPLES.find(({ id }) => id === target.name);
      if (sample) isOpen = await inPlace(async () => openSample(sample).then(() => get().documents.length > 0));
      else problems.push(`there is no sample "${target.name}"; known: ${SAMPLES.map(({ id }) => id).join(', ')}`);
    } else if (typeof lesson === 'object') {
      const { title, file, text } = lesson;
      const data = new Blob([text]);
      isOpen = await inPlace(async () => (await open(title, [{ name: file, data }], { address })).length > 0);
    }
  }
  if (problems.length > 0) {
    const title = isOpen ? 'Not all of the link was opened' : 'The link was not opened';
    showError(title, problems.map(sentence).join(' '));
  }
  if (isOpen || (address === '' && target === undefined)) {
    await applyView(typeof lesson === 'object' ? { ...lesson.view, ...view } : view);
  }
  return isOpen;
}

async function loadLesson(name: string, step: number | undefined): Promise<LessonOfLink | string> {
  try {
    return await (await import('./lesson-link.ts')).lessonOfLink(name, step);
  } catch (error) {
    return `the lesson "${name}" could not be loaded: ${error instanceof Error ? error.message : String(error)}`;
  }
}

const sentence = (text: string) => `${text.charAt(0).toUpperCase()}${text.slice(1)}.`;

/** Shows what is open as a link says. What cannot be is said, and the rest is done. */
async function applyView(view: LinkView): Promise<void> {
  const { theme, kernel, device, model, at, groups, guest, lanes, scale, range, tab, embed } = view;
  await arranged();
  if (theme) set({ theme });
  document.documentElement.toggleAttribute('data-embed', embed === true);
  if (kernel !== undefined) await setKernel(kernel);
  if (device !== undefined) await setDevice(device);
  const session = shownSession(get());
  if (session && model !== undefined && session.operations > 0) await setModel(session.id, model);
  if (session && at !== undefined) await seek(session.id, at);
  if (groups !== undefined) await selectGroups(groups);
  if (guest !== undefined) await tryGuest(guest);
  const names = new Set(lanes ?? []);
  const ids = get().picture?.arrangement.spaces.flatMap((space) => space.lanes.map(({ id }) => id)) ?? [];
  const expanded = ids.filter((id) => names.has(laneName(id)));
  if (expanded.length > 0) set({ expanded });
  if (scale !== undefined && scale !== get().scale) setScale(scale);
  else if (expanded.length > 0) void arrange('view');
  const known = TAB_NAMES.find((name) => name === tab);
  if (known) showTab(known);
  await arranged();
  if (range) showRange(range.start, range.last, 0);
}

async function selectGroups(groups: readonly string[]): Promise<void> {
  const { keys, unknown } = selectedBy(get().documents, groups);
  await setSelectedGroups(keys);
  if (unknown.length > 0) showError('Not all of the selection was found', sentence(`not there: ${unknown.join(', ')}`));
}

async function tryGuest(text: string): Promise<void> {
  const { parseGuest } = await import('../../engine/picture/guests.ts');
  const parsed = parseGuest(text);
  if (parsed?.ok) await setGuest(parsed.choice);
  else showError('The guest of the link was not tried', sentence(`"${text}": ${parsed?.message ?? 'not a guest'}`));
}

/** How the page shows what is open, as keys of a link; only what is not as it would be anyway. */
function presentView(state: AppState, guest: string | undefined): LinkView {
  const { view, picture, scale, expanded, tab, caseNode, documents, selectedGroups } = state;
  const seen = view && picture ? visibleRange(view, picture.arrangement.scale) : undefined;
  const isWhole = !seen || (seen.start === 0n && seen.last === IOVA_MAX);
  const session = shownSession(state);
  const lanes = laneNames(expanded);
  const groups = selectionValue(documents, selectedGroups);
  const isOther = session?.model !== undefined && session.model !== (session.recordedModel ?? 'iommufd');
  return {
    ...(session?.hasHistory && session.position < session.events ? { at: session.position } : {}),
    ...(isWhole ? {} : { range: seen }),
    ...(scale === 'fold' ? {} : { scale }),
    ...(lanes.length === 0 ? {} : { lanes }),
    ...(groups === undefined ? {} : { groups }),
    ...(guest === undefined ? {} : { guest }),
    ...(caseNode?.device?.origin === 'chosen' ? { device: caseNode.device.device } : {}),
    ...(isOther && session?.model !== undefined ? { model: session.model } : {}),
    ...(caseNode?.kernel?.isChosen ? { kernel: caseNode.kernel.version } : {}),
    ...(tab === 'table' ? {} : { tab }),
    ...(document.documentElement.hasAttribute('data-embed') ? { embed: true } : {}),
  };
}

/** True while a link is being opened: what happens then is no step of a person. */
let isOpening = false;
/** The fragment that was opened or written last. Another one in the address bar has yet to be opened: it is not replaced. */
let handled = '';

const presentFragment = () => location.hash.replace(/^#/, '');

async function fragmentOfNow(): Promise<string> {
  const state = get();
  let guest: string | undefined;
  if (state.guest) guest = (await import('../../engine/share/guest-value.ts')).guestValue(state.guest);
  return [openAddress(state), linkFragment(undefined, presentView(state, guest))].filter((p) => p !== '').join('&');
}

/** Writes what is open, and how it is shown, into the address bar. Another thing that is open is a step back and forward. */
async function follow(): Promise<void> {
  if (isOpening || get().busy) return;
  const wanted = await fragmentOfNow();
  const present = presentFragment();
  if (isOpening || present !== handled || wanted === present) return;
  handled = wanted;
  const url = `${location.pathname}${location.search}${wanted === '' ? '' : `#${wanted}`}`;
  const isStep = addressOf(present) !== addressOf(wanted) && hasFollowed;
  if (isStep) history.pushState(null, '', url);
  else history.replaceState(null, '', url);
  hasFollowed = true;
}
let hasFollowed = false;

/** Back, forward, or another link in the address bar. */
async function go(fragment: string): Promise<void> {
  if (/(?:^|&)(?:files|live)=/.test(fragment)) return;
  handled = fragment;
  isOpening = true;
  try {
    const isOwn = addressOf(fragment) === '';
    if (isOwn && openAddress(get()) !== '' && !(await restoreCase(BROWSER_STORE))) {
      notify('Nothing else was open before.');
    }
    await openFragment(fragment);
  } finally {
    isOpening = false;
  }
}

/** One step after the other, however fast they are made. */
let lastStep: Promise<void> = Promise.resolve();

/** Opens the link that the page was opened with. */
export async function openFirst(): Promise<boolean> {
  isOpening = true;
  handled = presentFragment();
  try {
    return await openFragment(handled);
  } finally {
    isOpening = false;
    hasFollowed = true;
  }
}

/** Opens the session that the page carries. */
export async function openOwn({ text, view }: OwnSession): Promise<void> {
  isOpening = true;
  try {
    const data = new Blob([text]);
    // No address: what is in the page is opened by the page.
    await open('page', [{ name: 'page.iova.jsonl', data }], { address: '' });
    await applyView({ ...parseLink(view).view, ...parseLink(location.hash).view });
  } finally {
    isOpening = false;
  }
}

const FOLLOWED = [
  'documents',
  'addressed',
  'view',
  'scale',
  'expanded',
  'selectedGroups',
  'tab',
  'guest',
  'caseNode',
  'session',
] as const;

/** Follows the page in the address bar, and the address bar in the page, from now on. */
export function startLinks(): () => void {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = useApp.subscribe((now, before) => {
    if (FOLLOWED.every((key) => now[key] === before[key])) return;
    clearTimeout(timer);
    // Another thing that is open is in the address bar at once: a reload must not open the one before.
    const isStep = openAddress(now) !== openAddress(before) && !now.busy;
    timer = setTimeout(() => void follow(), isStep ? 0 : FOLLOW_DELAY);
  });
  const onGo = () => {
    const fragment = presentFragment();
    lastStep = lastStep.then(() => go(fragment));
  };
  addEventListener('popstate', onGo);
  // Another link may have come while the first one was being opened.
  if (presentFragment() !== handled && /^[a-z\d]+[.=]/.test(presentFragment())) onGo();
  else handled = presentFragment();
  void follow();
  return () => {
    clearTimeout(timer);
    stop();
    removeEventListener('popstate', onGo);
  };
}
