// Links in the address bar (docs/links.md): opening them, and following what is open and how it is shown. Loaded after
// the first picture, or when the page is opened with a link.
import { laneNames } from '../../engine/protocol/picture.ts';
import { selectionValue } from '../../engine/share/selection-value.ts';
import { type LinkView, linkFragment, parseLink } from '../../session/sharing/link.ts';
import { type AppState, useApp } from '../state/app-state.ts';
import { BROWSER_STORE, restoreCase } from '../state/autosave.ts';
import { open } from '../state/documents.ts';
import { inPlace, openAddress } from '../state/in-place.ts';
import { applyView, sentence } from '../state/link-view.ts';
import { notify, showError } from '../state/notices.ts';
import type { OwnSession } from '../state/own-session.ts';
import { partInView } from '../state/picture.ts';
import { shownSession } from '../state/sessions.ts';
import { openSample } from './open-files.ts';
import { SAMPLES } from './samples.ts';

const { getState: get } = useApp;

/** Milliseconds without a change after which the address bar has the view. */
const FOLLOW_DELAY = 300;
const LINK_NAME = 'link.iova.jsonl';

/** The part of a fragment that names what it opens; empty if it has only a view. */
function addressOf(fragment: string): string {
  const [first = ''] = fragment.replace(/^#/, '').split('&');
  return /^(?:v\d+\.|sample=|lesson=)/.test(first) ? first : '';
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
  if (target?.kind === 'lesson') return openLinkedLesson(target.name, view, problems);
  if (target && !isOpen) {
    if (target.kind === 'session') {
      const data = new Blob([target.text]);
      isOpen = await inPlace(async () => (await open('link', [{ name: LINK_NAME, data }], { address })).length > 0);
    } else if (target.kind === 'sample') {
      const sample = SAMPLES.find(({ id }) => id === target.name);
      if (sample) isOpen = await inPlace(async () => openSample(sample).then(() => get().documents.length > 0));
      else problems.push(`there is no sample "${target.name}"; known: ${SAMPLES.map(({ id }) => id).join(', ')}`);
    }
  }
  showProblems(problems, isOpen);
  if (isOpen || (address === '' && target === undefined)) {
    await applyView(view);
  }
  return isOpen;
}

/** Says what of a link could not be opened. */
function showProblems(problems: readonly string[], isOpen: boolean): void {
  if (problems.length === 0) return;
  const title = isOpen ? 'The link was opened only in part' : 'The link was not opened';
  showError(title, problems.map(sentence).join(' '));
}

/** Opens a lesson at a step, or goes to the step if it is open. In a frame of another page only its session is shown. */
async function openLinkedLesson(name: string, view: LinkView, problems: string[]): Promise<boolean> {
  const { step, embed = false, ...rest } = view;
  let isOpen = false;
  try {
    const [reader, { LESSON_NAMES, isLessonName }] = await Promise.all([
      import('../state/lesson-reader.ts'),
      import('../../lessons/built-in.ts'),
    ]);
    const present = reader.useLesson.getState();
    if (!isLessonName(name)) {
      problems.push(`there is no lesson "${name}"; known: ${LESSON_NAMES.join(', ')}`);
    } else if (get().reader && !embed && present.isBuiltIn && present.name === name && openAddress(get()) !== '') {
      isOpen = true;
      await reader.goToStep((step ?? 1) - 1);
    } else isOpen = await reader.openLesson({ name }, { step, isSessionOnly: embed });
  } catch (error) {
    problems.push(
      `the lesson "${name}" could not be loaded: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
  showProblems(problems, isOpen);
  if (isOpen && Object.keys(rest).length > 0) await applyView(rest);
  return isOpen;
}

/** How the page shows what is open, as keys of a link; only what is not as it would be anyway. */
function presentView(state: AppState, guest: string | undefined): LinkView {
  const { scale, expanded, tab, caseNode, documents, selectedGroups } = state;
  const range = partInView(state);
  const session = shownSession(state);
  const lanes = laneNames(expanded);
  const groups = selectionValue(documents, selectedGroups);
  const isOther = session?.model !== undefined && session.model !== (session.recordedModel ?? 'iommufd');
  return {
    // A step of a lesson has its own moment.
    ...(state.reader?.session === undefined ? {} : { step: state.reader.step + 1 }),
    ...(session?.hasHistory && session.position < session.events && session.id !== state.reader?.session
      ? { at: session.position }
      : {}),
    ...(range ? { range } : {}),
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

/** In a frame of another page: read-only, and stepped by that page. */
async function startFrame(): Promise<void> {
  if (!document.documentElement.hasAttribute('data-embed')) return;
  (await import('./embed.ts')).startEmbed({ presentFragment: fragmentOfNow, isChanged });
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
  'reader',
] as const;

function isChanged(now: AppState, before: AppState): boolean {
  return FOLLOWED.some((key) => now[key] !== before[key]);
}

/** Follows the page in the address bar, and the address bar in the page, from now on. */
export function startLinks(): () => void {
  void startFrame();
  let timer: ReturnType<typeof setTimeout> | undefined;
  const stop = useApp.subscribe((now, before) => {
    if (!isChanged(now, before)) return;
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
