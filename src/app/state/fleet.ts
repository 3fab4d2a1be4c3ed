// The hosts of a fleet that are shown together.
import { type Busy, useApp } from './app-state.ts';
import { showChange } from './case-actions.ts';
import { engine } from './engine.ts';
import { notify } from './notices.ts';

const { getState: get, setState: set } = useApp;

/** Makes one of the hosts that the host `id` is shown for a host of its own. False if it cannot be read again. */
export async function openMember(id: string, name: string): Promise<boolean> {
  const controller = new AbortController();
  const busy: Busy = { title: name, progress: undefined, cancel: () => controller.abort() };
  set({ busy, notice: '' });
  const opened = await engine().call(
    'openMember',
    { id, name },
    {
      signal: controller.signal,
      onProgress: (progress) => {
        if (get().busy) set({ busy: { ...busy, progress } });
      },
    },
  );
  set({ busy: undefined });
  const isOpen = await showChange(`${name} was not opened`, opened, 'all');
  if (isOpen) notify(`${name} is now a host of its own`);
  return isOpen;
}
