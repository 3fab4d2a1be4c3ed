// Messages to the user: notices disappear by themselves, errors stay until they are closed.
import type { EngineError } from '../../engine/protocol/result.ts';
import { useApp } from './app-state.ts';

const { setState: set } = useApp;

/** Announces something to screen readers and shows it for a few seconds. */
export function notify(notice: string): void {
  set({ notice, announcement: notice });
}

/** Tells screen readers the result of a key. */
export function announce(announcement: string): void {
  set({ announcement });
}

export function showError(title: string, message: string): void {
  set({ problem: { title, message, lines: [], samples: [] } });
}

/** Shows an error of the engine. A call that the user cancelled is only a notice. */
export function showEngineError(title: string, error: EngineError): void {
  if (error.code === 'cancelled') notify('Cancelled; nothing changed.');
  else {
    const { message, lines = [], samples = [] } = error;
    set({ problem: { title, message, lines, samples } });
  }
}

export function dismissPlaced(): void {
  set({ placed: undefined });
}

export function dismissProblem(): void {
  set({ problem: undefined });
}
