import { type GuestDefinition, guestFromFacts, layoutOf } from '../analysis/guest/guest-memory.ts';
import { parseGuestText } from '../analysis/guest/guest-text.ts';
import { isFact } from '../session/events.ts';
import type { Dumps } from './dumps.ts';
import type { AddressRange, Origin } from './facts.ts';
import { documentsOf } from './opened.ts';

/** A range of a guest's physical addresses, bounds inclusive. */
export interface GuestRange extends AddressRange {
  readonly name: string;
  /** As QEMU prints it: `ram`, `rom`, `i/o` …; `hotplug`: room for RAM that is plugged in later. */
  readonly type: string;
  readonly provenance: readonly Origin[];
}

/** Where the memory of one guest is, or why that is not known. */
export interface LaidOutGuest {
  /** For people: `win11: pc-q35-7.2, 16 GiB`, or the name of a dump. */
  readonly title: string;
  /** The guest's own name, or that of the dump with its layout. */
  readonly name: string | undefined;
  /** Ascending; empty if there is a problem. */
  readonly ranges: readonly GuestRange[];
  /** What had to be assumed; `code` is stable. */
  readonly notes: readonly { readonly code: string; readonly message: string }[];
  /** Why there is no layout: the definition lacks something, or the VMM would not start the guest. */
  readonly problem?: { readonly code: string; readonly message: string } | undefined;
}

/**
 * Where the memory of guests is: of a machine (`pc-q35-7.2:16G,vendor=amd`), or of all guests that dumps define or show.
 * Throws a RangeError for a text that cannot be read; no guest gives an empty list.
 */
export function layout(guest: string | Dumps): readonly LaidOutGuest[] {
  if (typeof guest === 'string') {
    const parsed = parseGuestText(guest);
    if (!parsed.ok) throw new RangeError(parsed.message);
    return [ofDefinition(parsed.definition, layoutOf(parsed.definition), [])];
  }
  return documentsOf(guest).flatMap(({ host, session }) => [
    ...guestFromFacts(session.events.filter(isFact)).map(({ definition, memory, facts, problems }) =>
      ofDefinition(
        definition,
        memory,
        facts.map(({ source, line }) => ({ source, line })),
        problems,
      ),
    ),
    ...host.guests.map(({ source, ranges }) => ({ title: source, name: source, ranges, notes: [] })),
  ]);
}

function ofDefinition(
  definition: GuestDefinition,
  memory: ReturnType<typeof layoutOf>,
  provenance: readonly Origin[],
  problems: LaidOutGuest['notes'] = [],
): LaidOutGuest {
  const { name, machine } = definition;
  if (!memory.ok) {
    const { code, message } = memory;
    return { title: name ?? machine, name, ranges: [], notes: problems, problem: { code, message } };
  }
  const { title, ranges, notes, refusal } = memory.memory;
  if (refusal !== undefined) {
    const problem = { code: 'guest-refused', message: `${title} would not start: ${refusal}` };
    return { title, name, ranges: [], notes: [...problems, ...notes], problem };
  }
  const located = ranges.map(({ start, last, name: what, type }) => ({ start, last, name: what, type, provenance }));
  return { title, name, ranges: located, notes: [...problems, ...notes] };
}
