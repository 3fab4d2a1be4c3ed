import { useApp } from './app-state.ts';
import { notify } from './notices.ts';

/** Reports that the browser refused, and shows the content so that the user can copy it. */
export const refused = (content: string | Blob, what: string) => useApp.setState({ uncopied: { content, what } });

/** Copies a text; `what` names it in the notice. */
export async function copy(text: string, what: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    notify(`Copied: ${what}`);
  } catch {
    refused(text, what);
  }
}
