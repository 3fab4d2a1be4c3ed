// The operations of sessions that the model refused, up to the current position, for reports.
import { plainHex } from '../../iova/format.ts';
import type { EngineDocument } from '../documents/document.ts';
import { eventSentence } from './event-label.ts';
import { refusalAt } from './refusals.ts';

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
  /** Number of refused operations beyond those listed. */
  readonly more: number;
}

/** The first `max` refused operations. Addresses are written so that other programs can read them. */
export function refusedOperations(documents: Iterable<EngineDocument>, max: number): RefusedOperations {
  const listed: RefusedOperation[] = [];
  let more = 0;
  const sessions = [...documents].filter(({ states }) => states !== undefined);
  for (const document of sessions) {
    for (let index = 0; index < document.position; index++) {
      const found = refusalAt(document, index);
      if (!found) continue;
      if (listed.length >= max) {
        more++;
        continue;
      }
      const { errno, message, source } = found.refusal;
      listed.push({
        session: sessions.length > 1 ? document.title : undefined,
        event: index + 1,
        operation: plainHex(eventSentence(found.operation)),
        errno,
        message: plainHex(message),
        rule: source,
      });
    }
  }
  return { listed, more };
}
