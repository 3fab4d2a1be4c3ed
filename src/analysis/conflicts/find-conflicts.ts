import type { MappingState } from '../host/mappings.ts';
import { USUAL_PAGE } from '../host/platforms.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { complaintConflicts } from './complaints.ts';
import { type Conflict, SEVERITIES } from './conflict.ts';
import { deviceConflicts } from './devices.ts';
import { faultConflicts } from './faults.ts';
import { type GuestLayout, guestConflicts } from './guest.ts';
import { requestConflicts } from './requests.ts';

/** The smallest page that all IOMMUs of the space have, or the one that was wished for. */
export function pageSizeOf(space: CommonSpace, wished?: bigint): bigint {
  if (wished !== undefined) return wished;
  let page = USUAL_PAGE;
  for (const { pageSizes } of space.apertures) {
    const smallest = pageSizes ? pageSizes & -pageSizes : 0n;
    if (smallest > page) page = smallest;
  }
  return page;
}

export interface ConflictQuestion {
  readonly space: CommonSpace;
  /** What sources tell of mappings, each set after all of its events. */
  readonly mappings: readonly MappingState[];
  /** Guests to be tried on the host. */
  readonly guests: readonly GuestLayout[];
  /** Bytes, a power of two: the page size of the host's kernel, where a person knows it. */
  readonly pageSize?: bigint | undefined;
}

/** All that is wrong, the fatal things first, then by address. */
export function findConflicts({ space, mappings, guests, pageSize: wished }: ConflictQuestion): Conflict[] {
  const pageSize = pageSizeOf(space, wished);
  const found = [
    ...guests.flatMap((guest, index) => {
      const list = guestConflicts(space, guest, pageSize);
      return index === 0 ? list : list.map((conflict) => ({ ...conflict, id: `${conflict.id} of guest ${index + 1}` }));
    }),
    ...deviceConflicts(space, pageSize),
    ...complaintConflicts(space.host),
    ...mappings.flatMap(({ set }) => requestConflicts(set, space, pageSize)),
    ...(space.host.faults.length > 0 ? faultConflicts(space, mappings) : []),
  ];
  const first = ({ marks }: Conflict): bigint => marks[0]?.start ?? 0n;
  return found.toSorted((a, b) => {
    const bySeverity = SEVERITIES.indexOf(a.severity) - SEVERITIES.indexOf(b.severity);
    if (bySeverity !== 0) return bySeverity;
    return first(a) === first(b) ? 0 : first(a) < first(b) ? -1 : 1;
  });
}
