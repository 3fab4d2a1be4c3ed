// Sessions inside pictures and pages, so that a picture can be opened again: common parts for PNG, SVG and HTML.

/** The session found in a picture or page. */
export type EmbeddedSession =
  /** Not made by iovascope, or the session was removed. */
  | { readonly state: 'none' }
  /** The text of a session file; `problem` is set if it may be incomplete. */
  | { readonly state: 'found'; readonly text: string; readonly problem?: string }
  /** There is a session, but it cannot be read; `problem` says why. */
  | { readonly state: 'unreadable'; readonly problem: string };

/** Maximum size of a session that is extracted from a picture or page, in bytes or characters. */
export const EMBEDDED_MAX = 64 * 1024 * 1024;
