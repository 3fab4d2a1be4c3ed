// Facts of a host that a person changes by hand. Loaded with the form for it.
import type { HandFact } from '../../engine/protocol/case.ts';
import { useApp } from './app-state.ts';
import { applyCase } from './documents.ts';
import { engine } from './engine.ts';
import { notify } from './notices.ts';
import { arrange } from './picture.ts';

/** Changes a fact of a host; what is wrong with it, if anything, as a clause. */
export async function changeFact(params: HandFact): Promise<string | undefined> {
  const changed = await engine().call('changeFact', params);
  if (!changed.ok) return changed.error.message;
  // Its Undo would undo this change.
  useApp.setState({ placed: undefined });
  applyCase(changed.value);
  await arrange('view');
  notify('Changed by hand. Undo takes it back.');
  return undefined;
}
