// The order of conflicts: the likely reason for the question first, consequences of other conflicts after them.
import { CONFLICT_SEVERITIES, type Conflict } from './conflict.ts';
import type { DeviceFocus } from './devices.ts';

/** Ranks in the list, by subject of a conflict. */
const RANKS = {
  failingRequest: 0,
  refusedDevice: 1,
  otherFatalComplaint: 2,
  assignedDevice: 3,
  guest: 4,
  otherFatal: 5,
  fault: 6,
  harmlessRequest: 7,
  complaint: 8,
  warning: 9,
  follows: 10,
  note: 11,
} as const;

/** Rules of conflicts about a guest. */
const GUEST_RULES: ReadonlySet<string> = new Set([
  'guest-beyond-aperture',
  'guest-outside-ranges',
  'guest-over-reserved',
  'guest-refused',
  'viommu-wider-than-iommu',
]);

const isAbout = ({ id, title, answer = '' }: Conflict<string>, { device, groups }: DeviceFocus): boolean =>
  `${title} ${answer}`.includes(device) || groups.some((group) => id.endsWith(`group ${group}`));

/** The rank of a conflict; lower comes first. */
function rankOf(conflict: Conflict<string>, focus: DeviceFocus | undefined): number {
  const { rule, severity, follows } = conflict;
  if (follows) return RANKS.follows;
  if (rule === 'fault') return RANKS.fault;
  if (rule === 'request-refused') return severity === 'fatal' ? RANKS.failingRequest : RANKS.harmlessRequest;
  if (conflict.id.startsWith('complaint ')) return severity === 'fatal' ? RANKS.otherFatalComplaint : RANKS.complaint;
  if (severity === 'note') return RANKS.note;
  if (severity === 'warning') return RANKS.warning;
  if (rule === 'device-ineligible') {
    return focus && !isAbout(conflict, focus) ? RANKS.otherFatal : RANKS.refusedDevice;
  }
  if (rule === 'group-not-viable' || rule === 'group-has-direct') {
    return focus && !isAbout(conflict, focus) ? RANKS.otherFatal : RANKS.assignedDevice;
  }
  return GUEST_RULES.has(rule) ? RANKS.guest : RANKS.otherFatal;
}

/**
 * Sorts conflicts: the user's own failed request (the first one in time is the cause), a device that the kernel refused, the
 * device to assign, the tried guest, faults, then mere observations. A consequence of a listed conflict gets its severity, so
 * that a general complaint is never more severe than its cause.
 */
export function sortConflicts<C extends Conflict<string>>(conflicts: readonly C[], focus?: DeviceFocus): C[] {
  const first = ({ marks: [mark] }: C): bigint => mark?.start ?? 0n;
  const ranked = conflicts.map((conflict, index) => ({ conflict, index, rank: rankOf(conflict, focus) }));
  ranked.sort((a, b) => {
    if (a.rank !== b.rank) return a.rank - b.rank;
    const severity =
      CONFLICT_SEVERITIES.indexOf(a.conflict.severity) - CONFLICT_SEVERITIES.indexOf(b.conflict.severity);
    if (severity !== 0) return severity;
    // The first request of a program in time is the cause of the others, regardless of the device.
    if (focus && a.rank !== RANKS.failingRequest) {
      const about = Number(isAbout(b.conflict, focus)) - Number(isAbout(a.conflict, focus));
      if (about !== 0) return about;
    }
    const [own, other] = [a.conflict.position, b.conflict.position];
    if (own !== undefined && other !== undefined && own !== other) return own - other;
    // In the order in which they were logged: the first error is the cause of later ones.
    if (a.conflict.id.startsWith('complaint ') || a.rank === RANKS.fault) return a.index - b.index;
    const [start, otherStart] = [first(a.conflict), first(b.conflict)];
    return start === otherStart ? 0 : start < otherStart ? -1 : 1;
  });
  const sorted = ranked.map(({ conflict }) => conflict);
  const [cause] = sorted;
  if (!cause || cause.follows) return sorted;
  return sorted.map((conflict) => (conflict.follows ? { ...conflict, severity: milder(conflict, cause) } : conflict));
}

function milder(a: Conflict<string>, b: Conflict<string>): Conflict['severity'] {
  return CONFLICT_SEVERITIES.indexOf(a.severity) >= CONFLICT_SEVERITIES.indexOf(b.severity) ? a.severity : b.severity;
}
