// Notes of the user about ranges and about the whole case. Loaded with the inspector.
import type { NoteParams } from '../../engine/protocol/case.ts';
import { useApp } from './app-state.ts';
import { applyCase } from './documents.ts';
import { engine } from './engine.ts';
import { notify, showEngineError } from './notices.ts';
import { arrange } from './picture.ts';

/** Maximum length of a note, in characters. */
export const NOTE_MAX = 8000;

/** Adds, changes or removes a note; the selection does not change. False if the engine refused. */
export async function setNote(params: NoteParams): Promise<boolean> {
  const changed = await engine().call('setNote', params);
  if (!changed.ok) {
    showEngineError('The note was not saved', changed.error);
    return false;
  }
  // Its Undo would undo the note.
  useApp.setState({ placed: undefined });
  applyCase(changed.value);
  await arrange('view');
  notify(params.text.trim() === '' ? 'Note removed' : params.ref ? 'Note changed' : 'Note added');
  return true;
}
