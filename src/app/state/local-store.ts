// Small preferences that are kept in the browser. Without storage (blocked, or full) the page works: it forgets them.

/** The text that was kept under a key; undefined if there is none. */
export function recall(key: string): string | undefined {
  try {
    return localStorage.getItem(key) ?? undefined;
  } catch {
    // Blocked storage throws at the first access, even to `localStorage` itself.
    return undefined;
  }
}

/** Keeps a text under a key, if the browser allows it. */
export function remember(key: string, text: string): void {
  try {
    localStorage.setItem(key, text);
  } catch {
    // Not kept: the page goes on with what it shows.
  }
}

/** Keeps nothing under a key any more. */
export function forget(key: string): void {
  try {
    localStorage.removeItem(key);
  } catch {
    // Nothing was kept either.
  }
}
