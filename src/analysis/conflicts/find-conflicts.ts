import { DEFAULT_PAGE_SIZE } from '../../kernel/shared/platform-ranges.ts';
import type { MappingState } from '../host/mappings.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { complaintConflicts } from './complaints.ts';
import { CONFLICT_SEVERITIES, type Conflict } from './conflict.ts';
import { deviceConflicts } from './devices.ts';
import { faultConflicts } from './faults.ts';
import { type GuestLayout, guestConflicts } from './guest.ts';
import { requestConflicts } from './requests.ts';

/** The largest of the smallest page sizes of the IOMMUs, at least 4 KiB; or the one that is given. In bytes. */
export function pageSizeOf({ apertures }: Pick<CommonSpace, 'apertures'>, given?: bigint): bigint {
  if (given !== undefined) return given;
  let page = DEFAULT_PAGE_SIZE;
  for (const { pageSizes } of apertures) {
    const smallest = pageSizes ? pageSizes & -pageSizes : 0n;
    if (smallest > page) page = smallest;
  }
  return page;
}

export interface ConflictQuestion {
  readonly space: CommonSpace;
  /** The mappings that sources show, each set after all of its events. */
  readonly mappings: readonly MappingState[];
  /** Guests to be tried on the host. */
  readonly guests: readonly GuestLayout[];
  /** Bytes, a power of two: the page size of the host's kernel, where a person knows it. */
  readonly pageSize?: bigint | undefined;
}

/** All conflicts, by descending severity, then by address. */
export function findConflicts({ space, mappings, guests, pageSize: given }: ConflictQuestion): Conflict[] {
  const pageSize = pageSizeOf(space, given);
  const found = [
    ...guests.flatMap((guest, index) => {
      const list = guestConflicts(space, guest, pageSize);
      return index === 0 ? list : list.map((conflict) => ({ ...conflict, id: `${conflict.id} of guest ${index + 1}` }));
    }),
    ...deviceConflicts(space, pageSize),
    ...complaintConflicts(space.host),
    ...mappings.flatMap(({ set }) => requestConflicts(set, space, pageSize)),
    ...faultConflicts(space, mappings),
  ];
  const rank = ({ severity }: Conflict): number => CONFLICT_SEVERITIES.indexOf(severity);
  const first = ({ marks: [mark] }: Conflict): bigint => mark?.start ?? 0n;
  return found.toSorted((a, b) => {
    if (rank(a) !== rank(b)) return rank(a) - rank(b);
    return first(a) === first(b) ? 0 : first(a) < first(b) ? -1 : 1;
  });
}
