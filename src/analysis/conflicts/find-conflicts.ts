import { DEFAULT_PAGE_SIZE } from '../../kernel/shared/platform-ranges.ts';
import { withDeviceNames } from '../host/device-names.ts';
import type { MappingState } from '../host/mapping-state.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { barPartConflicts } from './bar-parts.ts';
import { complaintConflicts } from './complaints.ts';
import type { Conflict } from './conflict.ts';
import { cpuWidthConflicts } from './cpu-width.ts';
import { type DeviceFocus, deviceConflicts, leftOutGroups, unviableGroups } from './devices.ts';
import { faultConflicts } from './faults.ts';
import { type GuestLayout, guestConflicts } from './guest.ts';
import { guestLimitConflicts } from './guest-limits.ts';
import { sortConflicts } from './order.ts';
import { NO_REMAPPING, withAssignment } from './refused-assignment.ts';
import { requestConflicts } from './requests.ts';

/** The given page size; by default the largest of the IOMMUs' smallest page sizes, at least 4 KiB. In bytes. */
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
  /** Page size of the host's kernel in bytes, a power of two, if the user specified it. */
  readonly pageSize?: bigint | undefined;
  /** The device to assign, with its groups. */
  readonly focus?: DeviceFocus | undefined;
}

/** All conflicts, most important first (order.ts). */
export function findConflicts(question: ConflictQuestion): Conflict[] {
  const { space, mappings, guests, pageSize: given, focus } = question;
  const pageSize = pageSizeOf(space, given);
  const defined = guests.find(({ definition }) => definition !== undefined);
  const found = [
    ...guests.flatMap((guest, index) => {
      const list = [...guestConflicts(space, guest, pageSize), ...guestLimitConflicts(space, guest)];
      return index === 0 ? list : list.map((conflict) => ({ ...conflict, id: `${conflict.id} of guest ${index + 1}` }));
    }),
    ...deviceConflicts(space, pageSize, focus),
    ...unviableGroups(space.host, focus),
    ...leftOutGroups(space, focus),
    ...cpuWidthConflicts(space),
    ...complaintConflicts(space).map((conflict) => withAssignment(conflict, space.host, guests)),
    ...mappings.flatMap(({ set }) => requestConflicts(set, space, pageSize, defined)),
    ...faultConflicts(space, mappings, space.host.devices, guests),
    ...barPartConflicts(
      space,
      mappings.map(({ set }) => set),
      guests,
    ),
  ];
  return sortConflicts(withoutConsequences(found), focus).map((conflict) => named(conflict, space));
}

/** Adds the names of devices to all sentences of a conflict. */
function named(conflict: Conflict, { host: { devices } }: CommonSpace): Conflict {
  if (devices.size === 0) return conflict;
  const { title, message, answer, marks } = conflict;
  return {
    ...conflict,
    title: withDeviceNames(title, devices),
    message: withDeviceNames(message, devices),
    ...(answer === undefined ? {} : { answer: withDeviceNames(answer, devices) }),
    marks: marks.map((mark) => ({ ...mark, message: withDeviceNames(mark.message, devices) })),
  };
}

/** Rules that can be the reason why a program reports a failure. */
const FAILURES: ReadonlySet<string> = new Set([
  'device-ineligible',
  'group-has-direct',
  'group-not-viable',
  'request-refused',
]);

/** Codes of messages that there is no IOMMU. */
const NO_IOMMU: ReadonlySet<string> = new Set([
  'vfio-device-without-group',
  'host-without-passthrough',
  'qemu-no-iommu',
  'vfio-group-not-opened',
  'vfio-probe-failed',
]);

/** A disabled IOMMU explains why a device has no group: it comes first, and its kernel option before the kernel's message. */
function explainedByDisabled(conflicts: readonly Conflict[]): readonly Conflict[] {
  const disabled = conflicts.filter(({ rule }) => rule === 'iommu-disabled');
  const cause = disabled.find(({ title }) => title.includes('command line')) ?? disabled[0];
  const failed = conflicts.find(({ rule }) => NO_IOMMU.has(rule));
  if (!cause) return conflicts;
  return conflicts.map((conflict) => {
    if (conflict === cause && failed) {
      const answer = `${failed.title.charAt(0).toUpperCase()}${failed.title.slice(1)}, because ${conflict.answer?.charAt(0).toLowerCase()}${conflict.answer?.slice(1)}`;
      return { ...conflict, severity: 'fatal', answer, provenance: [...failed.provenance, ...conflict.provenance] };
    }
    const follows = conflict.rule === 'iommu-disabled' ? conflict !== cause : NO_IOMMU.has(conflict.rule);
    return follows ? { ...conflict, follows } : conflict;
  });
}

/** Marks conflicts that another one already explains. */
function withoutConsequences(conflicts: readonly Conflict[]): Conflict[] {
  const isRefused = conflicts.some(({ rule }) => rule === 'group-has-direct' || rule === 'device-ineligible');
  const isUnviable = conflicts.some(({ rule }) => rule === 'group-not-viable');
  const hasNoMemory = conflicts.some(({ rule, errno }) => rule === 'request-refused' && errno === 'ENOMEM');
  const isUnsafe = conflicts.some(({ rule, errno }) => rule.startsWith('qemu-') && errno === 'EPERM');
  const refusals = new Set(conflicts.flatMap(({ rule, errno }) => (rule === 'request-refused' ? (errno ?? []) : [])));
  const isExplained = conflicts.some(
    ({ id, rule, severity, follows }) =>
      !follows && (FAILURES.has(rule) || (id.startsWith('complaint ') && severity === 'fatal')),
  );
  return explainedByDisabled(conflicts).map((conflict) => {
    const { rule, kind } = conflict;
    if (conflict.follows && conflict.rule !== 'iommu-disabled' && NO_IOMMU.has(rule)) return conflict;
    // If nothing explains a general complaint, it stands for itself.
    if (conflict.follows && conflict.id.startsWith('complaint ')) return { ...conflict, follows: isExplained };
    const follows =
      // RAM in a direct region: the group cannot be assigned, regardless of the RAM size.
      (isRefused && rule === 'guest-over-reserved' && kind?.includes(' over direct ')) ||
      (isUnviable && (rule === 'qemu-group-not-viable' || rule === 'dpdk-group-not-viable')) ||
      (hasNoMemory && rule === 'memlock-limit') ||
      (isUnsafe && rule === NO_REMAPPING) ||
      (rule === 'dpdk-partial-unmap' && refusals.has('EEXIST'));
    return follows ? { ...conflict, follows } : conflict;
  });
}
