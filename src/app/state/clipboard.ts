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

/**
 * Copies a PNG. Browsers make another PNG of what programs paste: the one with the session is copied beside it, for
 * pages that ask for it (`web image/png`).
 */
export async function copyPng(png: Blob, what: string): Promise<void> {
  try {
    const isWeb = typeof ClipboardItem.supports === 'function' && ClipboardItem.supports('web image/png');
    await navigator.clipboard.write([
      new ClipboardItem({ 'image/png': png, ...(isWeb ? { 'web image/png': png } : {}) }),
    ]);
    notify(`Copied: ${what}`);
  } catch {
    showError('Nothing was copied', 'The browser denied access to the clipboard: save the file instead.');
  }
}

/** Copies the shell script that collects dumps on hosts where no binary can be run. */
export async function copyCollector(): Promise<void> {
  const response = await fetch(`${import.meta.env.BASE_URL}collect.sh`);
  if (response.ok) await copy(await response.text(), 'collect.sh');
  else showError('Nothing was copied', `collect.sh: ${response.status} ${response.statusText}`);
}
