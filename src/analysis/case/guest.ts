// Which of a host's guests a case is about, if its sources define several.
import { diagnosticRule } from '../../dumps/diagnostics.ts';
import type { Fact, FactOf } from '../../session/events.ts';
import type { DescribedGuest } from '../guest/guest-memory.ts';

/**
 * The guest in question. `error`: a failed request or message is about it; `only`: there is no other; `first`: the first of
 * several.
 */
export interface GuestInQuestion {
  readonly guest: DescribedGuest;
  readonly origin: 'error' | 'device' | 'only' | 'first';
  /** Titles of the other guests. */
  readonly others: readonly string[];
}

/** The title of a guest: its name, otherwise its machine. */
export function guestTitle({ definition: { name, machine } }: DescribedGuest): string {
  return name ?? machine;
}

const PCI_ADDRESS = /\b[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b/g;

/** The devices that a failure names; undefined for a fact that is not a failure of a guest. */
function devicesOfFailure(fact: Fact): readonly string[] | undefined {
  if (fact.kind === 'request') return fact.result === 0 ? undefined : fact.device === undefined ? [] : [fact.device];
  if (fact.kind !== 'diagnostic' || fact.severity === 'info' || !diagnosticRule(fact.code)?.isComplaint)
    return undefined;
  const devices = [...fact.message.matchAll(PCI_ADDRESS)].map(([device]) => device);
  // A kernel's own message is not about a guest, unless it names a device.
  return devices.length > 0 || /^(?:qemu|vfio|vmm|iommufd)-/.test(fact.code) ? devices : undefined;
}

/**
 * The guest of the first failure: the one that has the named device, otherwise the one whose definition precedes it in the same
 * source.
 */
function failingGuest(guests: readonly DescribedGuest[], facts: Iterable<Fact>): DescribedGuest | undefined {
  const above = new Map<string | undefined, FactOf<'machine'>>();
  for (const fact of facts) {
    if (fact.kind === 'machine') above.set(fact.source, fact);
    const devices = devicesOfFailure(fact);
    if (!devices) continue;
    const last = above.get(fact.source);
    const below = last && guests.find((guest) => guest.facts.includes(last));
    const having = guests.filter(({ definition }) => devices.some((device) => definition.assigned?.includes(device)));
    const found = below && having.includes(below) ? below : (having[0] ?? below);
    if (found) return found;
  }
  return undefined;
}

/** The guest that a host's case is about; undefined if no source defines one. `device`: the one to assign. */
export function guestInQuestion(
  guests: readonly DescribedGuest[],
  facts: Iterable<Fact>,
  device: string | undefined,
): GuestInQuestion | undefined {
  const [first, ...more] = guests;
  if (!first) return undefined;
  if (more.length === 0) return { guest: first, origin: 'only', others: [] };
  const failing = failingGuest(guests, facts);
  const having = guests.filter(({ definition }) => device !== undefined && definition.assigned?.includes(device));
  const assigning = guests.find(({ definition, memory }) => memory.ok && (definition.assigned?.length ?? 0) > 0);
  const guest = failing ?? having[0] ?? assigning ?? guests.find(({ memory }) => memory.ok) ?? first;
  return {
    guest,
    origin: guest === failing ? 'error' : having.length === 1 ? 'device' : 'first',
    others: guests.filter((other) => other !== guest).map(guestTitle),
  };
}
