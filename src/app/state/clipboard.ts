import { notify, showError } from './notices.ts';

/** Copies a text; `what` names it in the notice. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(`Copied: ${what}`);
  } catch {
    showError('Nothing was copied', 'The browser denied access to the clipboard.');
  }
}

/** Copies the shell script that collects dumps on hosts where no binary can be run. */
export async function copyCollector(): Promise<void> {
  const response = await fetch(`${import.meta.env.BASE_URL}collect.sh`);
  if (response.ok) await copy(await response.text(), 'collect.sh');
  else showError('Nothing was copied', `collect.sh: ${response.status} ${response.statusText}`);
}
