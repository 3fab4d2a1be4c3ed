// The guests that a host's own sources define, and which of them is tried unless the user chooses another.
import { type GuestInQuestion, guestInQuestion } from '../../analysis/case/guest.ts';
import { type GuestLayout, guestOfMemory } from '../../analysis/conflicts/guest.ts';
import { type DescribedGuest, guestFromFacts } from '../../analysis/guest/guest-memory.ts';
import { provenanceOf } from '../../analysis/host/host.ts';
import { unpackedEvents } from '../../session/event-list.ts';
import { isFact } from '../../session/events.ts';
import type { EngineDocument } from '../documents/document.ts';

interface Defined {
  readonly guests: readonly DescribedGuest[];
  /** If there are several, the one that the case is about. */
  readonly inQuestion: GuestInQuestion | undefined;
}

interface Found extends Defined {
  /** The number of events when it was found. */
  readonly events: number;
  readonly device: string | undefined;
}

/** There may be millions of facts: a host's guests are searched again only when it was rebuilt, grew, or has another device. */
const found = new WeakMap<EngineDocument['host'], Found>();

export function definedGuestsOf({ host, assigned, session: { events } }: EngineDocument): Defined {
  const device = assigned?.device;
  const known = found.get(host);
  if (known?.events === events.length && known.device === device) return known;
  const facts = [...unpackedEvents(events)].filter(isFact);
  const guests = guestFromFacts(facts);
  const now = { events: events.length, device, guests, inQuestion: guestInQuestion(guests, facts, device) };
  found.set(host, now);
  return now;
}

/** The guest that a host's own sources define (if several: the one that the case is about), and the names of the others. */
export function describedGuest(document: EngineDocument): {
  readonly guest?: GuestLayout;
  readonly others: readonly string[];
} {
  const { inQuestion } = definedGuestsOf(document);
  if (!inQuestion?.guest.memory.ok) return { others: [] };
  const { memory, definition, facts, problems } = inQuestion.guest;
  const guest = guestOfMemory(memory.memory, definition, facts.map(provenanceOf), problems);
  return { guest, others: inQuestion.origin === 'error' ? [] : inQuestion.others };
}
