// Small preferences in the browser's storage. If storage is blocked or full, the page works, but forgets them.

/** The text that was stored under a key; undefined if there is none. */
export function recall(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    // Blocked storage throws at the first access, even to `localStorage` itself.
    return undefined;
  }
}

/** Stores a text under a key, if the browser allows it. */
export function remember(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // Not stored; the page works without it.
  }
}

/** Deletes the text under a key. */
export function forget(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // Nothing was stored either.
  }
}
