// Copies files to the clipboard. Loaded with the dialogs that offer it.
import { copy, refused } from './clipboard.ts';
import { notify, showError } from './notices.ts';
import { publicFile } from './public-file.ts';

/**
 * Copies a PNG. Browsers re-encode the PNG that other programs paste, so the original with the session is copied as well, for
 * pages that request it (`web image/png`).
 */
export async function copyPng(png: Blob, what: string): Promise<void> {
  try {
    const isWeb = typeof ClipboardItem.supports === 'function' && ClipboardItem.supports('web image/png');
    await navigator.clipboard.write([
      new ClipboardItem({ 'image/png': png, ...(isWeb ? { 'web image/png': png } : {}) }),
    ]);
    notify(`Copied: ${what}`);
  } catch {
    refused(png, what);
  }
}

/** Copies the shell script that collects dumps on hosts where no binary can be run. */
export async function copyCollector(): Promise<void> {
  try {
    await copy(await (await publicFile('collect.sh')).text(), 'collect.sh');
  } catch (error) {
    showError('Nothing was copied', error instanceof Error ? error.message : String(error));
  }
}
