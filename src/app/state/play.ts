// Plays the current session event by event, until its end or until something else is shown.
import { create } from 'zustand';
import { useApp } from './app-state.ts';
import { seek } from './documents.ts';
import { announce } from './notices.ts';
import { shownSession } from './sessions.ts';

/** The available rates, in events per second. */
const RATES = [1, 2, 5, 20, 100] as const;
/** Minimum time between two pictures, in milliseconds. */
const SHORTEST = 100;

interface PlayState {
  /** Id of the session that is playing. */
  readonly playing: string | undefined;
  readonly rate: number;
}

export const usePlay = create<PlayState>(() => ({ playing: undefined, rate: 2 }));

let timer: ReturnType<typeof setTimeout> | undefined;

/** The next higher rate, or the lowest one again. */
export function nextRate(): void {
  const { rate } = usePlay.getState();
  usePlay.setState({ rate: RATES.find((one) => one > rate) ?? RATES[0] });
}

export function stopPlaying(): void {
  clearTimeout(timer);
  usePlay.setState({ playing: undefined });
}

/** Plays or pauses; at the end it starts again. */
export function togglePlay(): void {
  const session = shownSession(useApp.getState());
  if (usePlay.getState().playing !== undefined || !session?.hasHistory || session.events === 0) {
    stopPlaying();
    return;
  }
  const { id, position, events } = session;
  usePlay.setState({ playing: id });
  announce(`Playing ${session.title}`);
  // At the end there is nothing left to play.
  void (position === events ? seek(id, 0) : Promise.resolve()).then(() => wait(id));
}

function wait(id: string): void {
  const { rate, playing } = usePlay.getState();
  if (playing !== id) return;
  timer = setTimeout(() => void advance(id), Math.max(SHORTEST, 1000 / rate));
}

async function advance(id: string): Promise<void> {
  const session = shownSession(useApp.getState());
  const { playing, rate } = usePlay.getState();
  if (playing !== id) return;
  if (session?.id !== id || session.position >= session.events) {
    stopPlaying();
    return;
  }
  const count = Math.max(1, Math.round((rate * SHORTEST) / 1000));
  await seek(id, Math.min(session.events, session.position + count));
  wait(id);
}
