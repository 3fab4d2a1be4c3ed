// The single-file page carries a session, and its own source so that it can be exported again.

export interface OwnSession {
  /** Text of a session file. */
  readonly text: string;
  /** How it is shown, as the keys of a link. */
  readonly view: string;
}

/** The id used in session/sharing/markup.ts. */
const ID = 'iovascope-session';
let page: string | undefined;

/** Remembers the page as it was loaded, without later additions. Call it first. */
export function keepOwnPage(): void {
  const copy = document.documentElement.cloneNode(true);
  if (!(copy instanceof HTMLElement)) return;
  // The second is the running script, which was unpacked from the page.
  for (const id of [ID, 'iovascope-main']) copy.querySelector(`#${id}`)?.remove();
  page = `<!doctype html>\n${copy.outerHTML}\n`;
}

/** The page without its session; undefined if this is not a single-file page. */
export function ownPage(): string | undefined {
  return page;
}

export function ownSession(): OwnSession | undefined {
  const element = document.getElementById(ID);
  if (!element) return undefined;
  try {
    const text: unknown = JSON.parse(element.textContent ?? '');
    return typeof text === 'string' ? { text, view: element.dataset.view ?? '' } : undefined;
  } catch {
    return undefined;
  }
}
