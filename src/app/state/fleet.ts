// The hosts of a fleet that are shown together.
import { showChange } from './case-actions.ts';
import { whileBusy } from './documents.ts';
import { engine } from './engine.ts';
import { notify } from './notices.ts';

/** Makes one of the hosts that the host `id` is shown for a host of its own. False if it cannot be read again. */
export async function openMember(id: string, name: string): Promise<boolean> {
  const opened = await whileBusy(name, (options) => engine().call('openMember', { id, name }, options));
  const isOpen = await showChange(`${name} was not opened`, opened, 'all');
  if (isOpen) notify(`${name} is now a host of its own`);
  return isOpen;
}
