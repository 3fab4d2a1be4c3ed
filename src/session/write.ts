import type { SessionEvent, SessionHeader } from './events.ts';
import type { Session } from './session.ts';

function hexForBigint(_key: string, value: unknown): unknown {
  return typeof value === 'bigint' ? `0x${value.toString(16)}` : value;
}

/** One event or header as a line of a session file, without the line end: compact JSON, addresses as hex strings. */
export function writeEvent(event: SessionEvent | SessionHeader): string {
  return JSON.stringify(event, hexForBigint);
}

/**
 * The session file line by line, each with its line end. A session that was read from a file is written with the same
 * bytes.
 */
export function* writeSessionLines(session: Session): Generator<string> {
  yield session.verbatim.header ?? `${writeEvent(session.header)}\n`;
  for (const [i, event] of session.events.entries()) {
    yield session.verbatim.events.get(i) ?? `${writeEvent(event)}\n`;
  }
  if (session.verbatim.end !== undefined) yield session.verbatim.end;
}

export function writeSession(session: Session): string {
  return [...writeSessionLines(session)].join('');
}
