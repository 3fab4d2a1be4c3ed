// The guests of a host's own dumps.
import type { GuestLayout } from '../../analysis/conflicts/guest.ts';
import type { Guest } from '../../analysis/host/host.ts';
import type { ReportedSpace } from '../../analysis/space/common-space.ts';
import { unpackedEvents } from '../../session/event-list.ts';
import { isFact } from '../../session/events.ts';
import { guestSource } from '../../session/guest-source.ts';
import type { EngineDocument } from '../documents/document.ts';

/** QEMU's name for the address space that all CPUs of the guest see. */
const MAIN_SPACE = 'memory';

/** A guest in a host's own dumps (`info mtree`, QEMU's traces, QMP), as its CPUs see it. */
export function layoutOf({ source, ranges }: Guest): GuestLayout {
  const main = ranges.filter(({ space }) => space === undefined || space === MAIN_SPACE);
  return { title: source, ranges: main.length > 0 ? main : ranges };
}

/** The guests whose process owns a reported space, matched by name; empty if unknown. */
export function guestsHolding({ validRanges }: Pick<ReportedSpace, 'validRanges'>, guests: readonly Guest[]): Guest[] {
  const names = new Set(validRanges.flatMap(({ guest }) => (guest === undefined ? [] : [guestSource(guest)])));
  return guests.filter(({ source }) => names.has(source));
}

/** How many events of a document were checked, and whether one of them defines a guest. */
const defining = new WeakMap<EngineDocument['session'], { seen: number; found: boolean }>();

/** True if a source of the document defines a guest: the code that reads definitions is loaded only then. */
export function definesGuests({ session }: Pick<EngineDocument, 'session'>): boolean {
  const { events } = session;
  const known = defining.get(session) ?? { seen: 0, found: false };
  // If the session shrank, everything is checked again.
  if (known.seen > events.length) Object.assign(known, { seen: 0, found: false });
  if (events.unpacked && known.seen < events.length) {
    for (const event of unpackedEvents(events)) known.found ||= isFact(event) && event.kind === 'machine';
    known.seen = events.length;
  }
  for (; known.seen < events.length && !known.found; known.seen++) {
    const event = events.at(known.seen);
    known.found = event !== undefined && isFact(event) && event.kind === 'machine';
  }
  defining.set(session, known);
  return known.found;
}
