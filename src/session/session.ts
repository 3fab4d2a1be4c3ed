import type { EventList } from './event-list.ts';
import type { SessionHeader } from './events.ts';

export const SESSION_PROBLEM_CODES = [
  'not-json',
  'not-an-event',
  'bad-header',
  'bad-field',
  'unknown-kind',
  'unknown-op',
  'unknown-memory',
  'no-header',
] as const;

/** A problem in one line of a session file. The rest of the file is still read. */
export interface SessionProblem {
  /** Counted from 1. */
  readonly line: number;
  readonly severity: 'warning' | 'error';
  readonly code: (typeof SESSION_PROBLEM_CODES)[number];
  readonly message: string;
}

/** A session in memory: header, events in order, and what is needed to write the same bytes again. */
export interface Session {
  readonly header: SessionHeader;
  readonly events: EventList;
  /** Line of each event in the file that it was read from, counted from 1; empty for a session made in memory. */
  readonly lines: number[];
  /**
   * The original text of lines for which writing the parsed event would give other bytes (spacing, key order, blank lines
   * …).
   */
  readonly verbatim: { header?: string; readonly events: Map<number, string>; end?: string };
}

export function newSession(header: Omit<SessionHeader, 'format' | 'version'> = {}): Session {
  return {
    header: { format: 'iova-trace', version: 1, ...header },
    events: [],
    lines: [],
    verbatim: { events: new Map() },
  };
}
