// The operations of sessions that the model refused, up to the moment that is shown, for reports.
import { plainHex } from '../../iova/format.ts';
import { isOperation } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';
import { eventSentence } from './event-label.ts';

export interface RefusedOperation {
  /** The session, if there are several. */
  readonly session: string | undefined;
  /** Number of the event, counted from 1. */
  readonly event: number;
  readonly operation: string;
  readonly errno: string;
  /** Why, with the bounds of what blocked it. */
  readonly message: string;
  /** The kernel's version and function that decided. */
  readonly rule: string;
}

export interface RefusedOperations {
  readonly listed: readonly RefusedOperation[];
  /** Refused beyond those. */
  readonly more: number;
}

/** The first `max` of them. Addresses are written as other programs read them. */
export function refusedOperations(documents: Iterable<EngineDocument>, max: number): RefusedOperations {
  const listed: RefusedOperation[] = [];
  let more = 0;
  const sessions = [...documents].filter(({ states }) => states !== undefined);
  for (const { states, session, position, title } of sessions) {
    for (let index = 0; index < position; index++) {
      const event = session.events[index];
      if (!event || !isOperation(event)) continue;
      const outcome = states?.stepAt(index)?.outcome;
      if (!outcome || outcome.ok || !outcome.refusal) continue;
      if (listed.length >= max) {
        more++;
        continue;
      }
      const { errno, message, source } = outcome.refusal;
      listed.push({
        session: sessions.length > 1 ? title : undefined,
        event: index + 1,
        operation: plainHex(eventSentence(event)),
        errno,
        message: plainHex(message),
        rule: source,
      });
    }
  }
  return { listed, more };
}
