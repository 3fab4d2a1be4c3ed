// The guests of a host's own dumps.
import type { GuestLayout } from '../../analysis/conflicts/guest.ts';
import type { Guest } from '../../analysis/host/host.ts';
import type { ReportedSpace } from '../../analysis/space/common-space.ts';
import { isFact } from '../../session/events.ts';
import { guestSource } from '../../session/guest-source.ts';
import type { EngineDocument } from '../documents/document.ts';

/** QEMU's name of the address space that all of the guest's processors see. */
const MAIN_SPACE = 'memory';

/** A guest of a host's own dumps (`info mtree`, QEMU's traces, QMP), as the processors of the guest see it. */
export function layoutOf({ source, ranges }: Guest): GuestLayout {
  const main = ranges.filter(({ space }) => space === undefined || space === MAIN_SPACE);
  return { title: source, ranges: main.length > 0 ? main : ranges };
}

/** The guest of a host whose process owns a reported space, by its name; empty if it is unknown. */
export function guestsHolding({ validRanges }: Pick<ReportedSpace, 'validRanges'>, guests: readonly Guest[]): Guest[] {
  const names = new Set(validRanges.flatMap(({ guest }) => (guest === undefined ? [] : [guestSource(guest)])));
  return guests.filter(({ source }) => names.has(source));
}

/** Events of a document that were looked at, and whether one of them defines a guest. */
const defining = new WeakMap<EngineDocument['session'], { seen: number; found: boolean }>();

/** True if a source of the document defines a guest: only then is what reads definitions loaded. */
export function definesGuests({ session }: Pick<EngineDocument, 'session'>): boolean {
  const { events } = session;
  const known = defining.get(session) ?? { seen: 0, found: false };
  // Of a session that shrank, everything is looked at again.
  if (known.seen > events.length) Object.assign(known, { seen: 0, found: false });
  for (; known.seen < events.length && !known.found; known.seen++) {
    const event = events[known.seen];
    known.found = event !== undefined && isFact(event) && event.kind === 'machine';
  }
  defining.set(session, known);
  return known.found;
}
