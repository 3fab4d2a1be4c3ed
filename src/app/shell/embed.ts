// The page in a frame of another page (`embed=1`): only answer and picture, read-only. The other page steps through the
// session by messages; a link opens the same in full.
import { type AppState, useApp } from '../state/app-state.ts';
import { seek } from '../state/documents.ts';
import { shownSession, stepEvent } from '../state/sessions.ts';
import { pageApi } from './page-api.ts';
import './embed.css';

/** Messages in both directions carry this. */
const TYPE = 'iovascope';

interface Request {
  readonly action: string;
  readonly step: number | undefined;
  /** Handed back with the answer. */
  readonly id: unknown;
}

function requestIn(data: unknown): Request | undefined {
  if (typeof data !== 'object' || data === null) return undefined;
  const { type, action, step, id }: { type?: unknown; action?: unknown; step?: unknown; id?: unknown } = data;
  if (type !== TYPE || typeof action !== 'string') return undefined;
  return { action, step: typeof step === 'number' && Number.isFinite(step) ? Math.trunc(step) : undefined, id };
}

/** Does what a message asks for; a string is why it cannot be done. */
async function perform({ action, step }: Request): Promise<string | undefined> {
  if (action === 'state') return undefined;
  const session = shownSession(useApp.getState());
  if (action === 'next') {
    if (!session?.hasHistory) return 'nothing that is open has steps';
    await stepEvent(1);
    return undefined;
  }
  if (action === 'goto') {
    if (step === undefined) return "'goto' needs a number, 'step'";
    if (!session?.hasHistory) return 'nothing that is open has steps';
    await seek(session.id, Math.min(session.events, Math.max(0, step)));
    return undefined;
  }
  return `unknown action '${action.slice(0, 40)}': expected 'goto', 'next' or 'state'`;
}

async function stateOfPage() {
  const session = shownSession(useApp.getState());
  const answer = await pageApi.answer();
  return { ...(await pageApi.state()), steps: session?.events ?? 0, title: session?.title ?? '', answer: answer?.text };
}

/** What would open or change something: a frame only shows. */
function isChange(event: Event): boolean {
  return event.type !== 'keydown' || (event instanceof KeyboardEvent && event.key === '>');
}

interface Followed {
  /** Of a link to what is shown. */
  presentFragment(): Promise<string>;
  /** True if that link may be another one now. */
  isChanged(now: AppState, before: AppState): boolean;
}

/** Keeps the address of a link the one of the same page outside of a frame. */
function follow(link: HTMLAnchorElement, { presentFragment, isChanged }: Followed): void {
  let isWaiting = false;
  const update = () => {
    if (isWaiting) return;
    isWaiting = true;
    requestAnimationFrame(() => {
      isWaiting = false;
      void presentFragment().then((fragment) => {
        const parts = fragment.split('&').filter((part) => part !== '' && !part.startsWith('embed='));
        const [place = ''] = location.href.split('#');
        link.href = parts.length === 0 ? place : `${place}#${parts.join('&')}`;
      });
    });
  };
  update();
  useApp.subscribe((now, before) => isChanged(now, before) && update());
}

let isStarted = false;

/** Makes the page one that is shown in a frame, once. */
export function startEmbed(followed: Followed): void {
  if (isStarted) return;
  isStarted = true;
  const link = document.createElement('a');
  link.className = 'embed-open';
  link.textContent = 'Open in full';
  link.target = '_blank';
  link.rel = 'noopener';
  follow(link, followed);
  document.body.append(link);
  for (const type of ['drop', 'paste', 'keydown', 'dragover']) {
    addEventListener(
      type,
      (event) => {
        if (!isChange(event)) return;
        event.preventDefault();
        event.stopImmediatePropagation();
      },
      { capture: true },
    );
  }
  // Only the page around the frame is answered: what it reads is what it put into the frame.
  const around = window.parent;
  addEventListener('message', (event) => {
    const request = event.source === around ? requestIn(event.data) : undefined;
    if (!request) return;
    const origin = event.origin === 'null' || event.origin === '' ? '*' : event.origin;
    void perform(request).then(async (error) => {
      const state = await stateOfPage();
      around.postMessage({ type: TYPE, action: request.action, id: request.id, state, error }, origin);
    });
  });
  if (around !== window) around.postMessage({ type: TYPE, action: 'ready' }, '*');
}
