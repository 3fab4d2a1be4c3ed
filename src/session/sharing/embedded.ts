// Sessions inside of pictures and pages, so that a picture can be opened again: what the parts for PNG, SVG and HTML share.

/** What was found in a picture or page. */
export type EmbeddedSession =
  /** Not made by iovascope, or the session was removed. */
  | { readonly state: 'none' }
  /** The text of a session file; `problem` if it may not be all of it. */
  | { readonly state: 'found'; readonly text: string; readonly problem?: string }
  /** It is there, but cannot be read: why. */
  | { readonly state: 'unreadable'; readonly problem: string };

/** Bytes, or characters, of a session that are taken out of a picture or page. */
export const EMBEDDED_MAX = 64 * 1024 * 1024;
