// The answer to a case, in one or two sentences: what is refused or would be, what blocks it, and the fix; or that
// nothing is wrong, and what that is based on.
import { counted, groupedDecimal, hex, hexRange } from '../../iova/format.ts';
import { bitLength } from '../../iova/iova.ts';
import { overlaps, rangesEqual } from '../../iova/range.ts';
import { DEFAULT_SW_MSI_WINDOW, X86_MSI_WINDOW } from '../../kernel/shared/platform-ranges.ts';
import { suppressedFaults } from '../conflicts/complaints.ts';
import { type Conflict, type ConflictSeverity, joinGroups, joinNames, type Remedy } from '../conflicts/conflict.ts';
import type { GuestLayout } from '../conflicts/guest.ts';
import { isGuestMemory } from '../guest/layout.ts';
import { withDeviceNames } from '../host/device-names.ts';
import { groupTitle, type Provenance, placeText } from '../host/host.ts';
import type { MappingState } from '../host/mapping-state.ts';
import { architectureOf } from '../host/platforms.ts';
import { meaningOf } from '../host/region-types.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { contentsOf } from './contents.ts';
import { spanLabel } from './items.ts';

export interface CaseAnswer {
  readonly severity: ConflictSeverity | 'clean';
  /** One or two sentences. */
  readonly text: string;
  readonly remedies: readonly Remedy[];
  /** Ids of the conflicts that it is about. */
  readonly conflicts: readonly string[];
  readonly provenance: readonly Provenance[];
}

/** A host of the case with its selection, and its conflicts in order. */
export interface AnsweredHost {
  readonly name: string;
  /** How many hosts it is shown for, itself included; 1 if absent. */
  readonly count?: number | undefined;
  readonly space: CommonSpace;
  /** The guests that were tried on it. */
  readonly guests: readonly GuestLayout[];
  /** Other guests that are defined but were not tried. */
  readonly otherGuests?: readonly string[] | undefined;
  readonly conflicts: readonly Conflict<string>[];
  /** The selected mappings over time. */
  readonly mappings?: readonly MappingState[] | undefined;
}

/** A session of operations and what its model refused. The answer only mentions it: details are in the list of events. */
export interface AnsweredSession {
  readonly name: string;
  readonly model: string;
  readonly operations: number;
  readonly refused: number;
  /** The first refusal, with its reason as further sentences: `event 3 (ioas.map of 0x0-0xfff: EEXIST). It is mapped.` */
  readonly first: string;
  /** The same for the event at the current position, if it was refused and is not the first one. */
  readonly current?: string | undefined;
}

export interface AnswerQuestion {
  readonly hosts: readonly AnsweredHost[];
  readonly sessions?: readonly AnsweredSession[] | undefined;
  /** True if the user chose the guest: the question is then whether it fits. */
  readonly isGuestChosen: boolean;
  /** Names of inputs that were not read, or in which nothing was recognized: the answer does not cover them. */
  readonly unread?: readonly string[] | undefined;
}

/** QEMU's default for guests: more address bits must be requested explicitly. */
const DEFAULT_PHYS_BITS = 40;
/** Maximum number of regions in an answer. */
const LISTED_MAX = 4;
/** Maximum number of input names in an answer. */
const UNREAD_LISTED_MAX = 3;

/** Conflicts that only describe the selection: they are mentioned in the answer that nothing is wrong. */
const QUIET_RULES: ReadonlySet<string> = new Set(['groups-left-out']);

/** True for a conflict that is only mentioned, and does not make a case fail. */
export function isQuiet({ rule }: Pick<Conflict<string>, 'rule'>): boolean {
  return QUIET_RULES.has(rule);
}

/** The answer to a case. Never empty: if nothing was found, it says what was checked. */
export function answerCase({ hosts, sessions = [], isGuestChosen, unread = [] }: AnswerQuestion): CaseAnswer {
  const all = hosts.flatMap((host) =>
    host.conflicts.filter((conflict) => !isQuiet(conflict)).map((conflict) => ({ host, conflict })),
  );
  // With several hosts the most severe conflict comes first; the conflicts of one host are already in order.
  const [first] = hosts.length > 1 ? all.toSorted((a, b) => placeOf(a.conflict) - placeOf(b.conflict)) : all;
  const isPartial = unread.length > 0;
  const malformed = malformedText(hosts);
  const missing = `${malformed}${isPartial ? ` Not read: ${unreadLabel(unread)}.` : ''}`;
  const triesGuest = isGuestChosen && hosts.some(({ guests }) => guests.length > 0);
  const fleet = fleetText(hosts, triesGuest);
  if (!first || (triesGuest && first.conflict.severity !== 'fatal')) {
    const rest = first ? ` ${also(first.conflict)}` : '';
    const clean = sessions.some(({ refused }) => refused > 0) ? 'note' : 'clean';
    const about = { isNamed: hosts.length > 1, isGuestChosen, isPartial };
    const nothing = sessions.length > 0 ? '' : `${nothingLabel(isPartial)}.`;
    return {
      // Inputs that were not read may contain anything.
      severity: first?.conflict.severity ?? (isPartial || malformed !== '' ? 'warning' : clean),
      // Of a fleet, a sentence for each kind of hosts would be too much.
      text: `${fleet}${(fleet === '' ? hosts : hosts.slice(0, 1)).map((host) => cleanText(host, about)).join(' ') || nothing}${rest}${sessions.map(sessionText).join('')}${missing}`.trim(),
      remedies: [],
      conflicts: first ? [first.conflict.id] : [],
      provenance: [],
    };
  }
  const { host, conflict } = first;
  const members = host.conflicts.filter(
    ({ kind, id }) => id === conflict.id || (kind !== undefined && kind === conflict.kind),
  );
  const prefix = fleet + (hosts.length > 1 ? `${host.name}: ` : '');
  const text = [
    prefix + (conflict.answer ?? plainAnswer(conflict)),
    burst(conflict, members),
    suppressed(conflict, host),
    notInDump(conflict, host),
    conflict.rule.startsWith('guest-') ? otherGuestsText(host) : '',
  ];
  return {
    severity: conflict.severity,
    text: `${text.filter(Boolean).join(' ')}${missing}`,
    remedies: conflict.remedies ?? [{ text: conflict.remedy }],
    conflicts: members.map(({ id }) => id),
    provenance: conflict.provenance,
  };
}

/** How many hosts a fleet has, and on how many of them something is wrong; empty for hosts that are each shown. */
function fleetText(hosts: readonly AnsweredHost[], triesGuest: boolean): string {
  const countOf = (some: readonly AnsweredHost[]) => some.reduce((sum, { count = 1 }) => sum + count, 0);
  const total = countOf(hosts);
  if (total === hosts.length) return '';
  const has = (severity: ConflictSeverity) => (host: AnsweredHost) =>
    host.conflicts.some((conflict) => conflict.severity === severity && !isQuiet(conflict));
  const fatal = hosts.filter(has('fatal'));
  const warned = hosts.filter((host) => !has('fatal')(host) && has('warning')(host));
  const number = (count: number) =>
    count === total ? `all ${groupedDecimal(BigInt(total))}` : groupedDecimal(BigInt(count));
  const all = `${counted(total, 'host')}${hosts.length > 1 ? ` of ${hosts.length} kinds` : ', all alike'}`;
  const found = [
    triesGuest
      ? `${hosts[0]?.guests[0]?.title ?? 'the guest'} fits on ${fatal.length === hosts.length ? 'none' : number(total - countOf(fatal))}`
      : '',
    !triesGuest && fatal.length > 0 ? `fatal conflicts on ${number(countOf(fatal))}` : '',
    warned.length > 0 ? `warnings on ${number(countOf(warned))}` : '',
  ].filter(Boolean);
  return `${all}: ${found.join(', ') || 'no fatal conflicts and no warnings'}. `;
}

const SEVERITY_PLACES: Readonly<Record<ConflictSeverity, number>> = { fatal: 0, warning: 1, note: 2 };

/** Requests that failed before anything else. */
function placeOf({ severity, rule, follows }: Conflict<string>): number {
  return SEVERITY_PLACES[severity] * 4 + (follows ? 3 : rule === 'request-refused' ? 0 : 1);
}

/** The title and the first sentences of the message, for conflicts without an `answer`. */
function plainAnswer({ title, message, errno }: Conflict<string>): string {
  const refusal = errno === undefined ? '' : ` (${errno})`;
  const [reason = ''] = /^.*?[.](?= [A-Z]|$)/.exec(message) ?? [message];
  return `${title.charAt(0).toUpperCase()}${title.slice(1)}${refusal}. ${reason}`.trim();
}

/** A sentence about other defined guests, if one had to be chosen. */
function otherGuestsText({ otherGuests = [], guests }: AnsweredHost): string {
  const [tried] = guests.flatMap(({ definition }) => definition?.name ?? definition?.machine ?? []);
  if (otherGuests.length === 0 || tried === undefined) return '';
  const are = otherGuests.length === 1 ? 'is' : 'are';
  return `Only ${tried} was checked; ${joinNames(otherGuests, LISTED_MAX)} ${are} defined too.`;
}

/** How many operations of a session were refused. */
function sessionText({ name, model, operations, refused, first, current }: AnsweredSession): string {
  return refused === 0
    ? ` ${name}: the model ${model} accepts ${operations === 1 ? 'the only operation' : `all ${groupedDecimal(BigInt(operations))} operations`}.`
    : ` ${name}: the model ${model} refuses ${groupedDecimal(BigInt(refused))} of ${counted(operations, 'operation')}, the first one is ${first}${current === undefined ? '' : ` Refused at this moment: ${current}`}`;
}

/** What else was found although the guest fits. */
function also({ answer, title }: Conflict<string>): string {
  const [sentence = title] = /^.*?[.](?= [A-Z]|$)/.exec(answer ?? '') ?? [];
  return `Also: ${sentence}${sentence.endsWith('.') ? '' : '.'}`;
}

/** How many conflicts of the same kind there are. */
function burst({ rule, kind }: Conflict<string>, members: readonly Conflict<string>[]): string {
  if (kind === undefined) return '';
  if (rule === 'fault') {
    const isOnce = members.length === 1 && (members[0]?.count ?? 1) === 1;
    return isOnce ? '' : `It was blocked ${spanLabel(members)}.`;
  }
  const more = members.length - 1;
  return more === 0 || rule !== 'request-refused'
    ? ''
    : `${more} more ${more === 1 ? 'request was' : 'requests were'} refused like it.`;
}

/** Messages about faults that the kernel did not log. */
function suppressed({ rule }: Conflict<string>, { space }: AnsweredHost): string {
  const count = rule === 'fault' ? suppressedFaults(space.host) : 0;
  return count === 0
    ? ''
    : `${counted(count, 'more message')} ${count === 1 ? 'was' : 'were'} suppressed by the kernel.`;
}

/** A sentence if the host's dump lacks a device or group that a failed request names. */
function notInDump({ rule }: Conflict<string>, { conflicts }: AnsweredHost): string {
  const missing = conflicts.find((other) => other.rule === 'not-in-dump');
  return rule === 'request-refused' || rule.startsWith('qemu-') || rule.startsWith('vfio-')
    ? (missing?.message ?? '')
    : '';
}

/** The groups of a space for a sentence: `groups 0, 1 and 4 to 7`; empty if no source names any of them. */
function groupsLabel({ groups }: CommonSpace): string {
  const numbers = groups.flatMap(({ group }) => group ?? []);
  if (numbers.length === groups.length && groups.length > 1) return joinGroups(numbers);
  return joinNames(
    groups.filter(({ group, devices }) => group !== undefined || devices.length > 0).map(groupTitle),
    LISTED_MAX,
  );
}

/** What groups reserve, and how far the IOMMU reaches. */
function usableLabel(space: CommonSpace): string {
  const blocking = space.reserved.filter(({ type }) => meaningOf(type).blocksMappings);
  const listed = blocking.slice(0, LISTED_MAX).map((region) => `${hexRange(region)} (${meaningOf(region.type).title})`);
  const more = blocking.length - listed.length;
  const isWindowMissing =
    architectureOf(space.host) === 'x86' && !blocking.some((region) => overlaps(region, X86_MSI_WINDOW));
  const names = [
    ...listed,
    ...(more > 0 ? [counted(more, 'more region')] : []),
    ...(isWindowMissing ? [`${hexRange(X86_MSI_WINDOW)} (the x86 MSI window, not listed in these dumps)`] : []),
  ];
  const except = names.length > 0 ? ` except ${joinNames(names, names.length)}` : '';
  const reach =
    space.apertures.length === 0
      ? 'everything'
      : `everything from ${hex(space.usable[0]?.start ?? 0n)} to ${hex(topOf(space))}`;
  const isMoved =
    space.reserved.some(({ type }) => type === 'msi') &&
    blocking.some((region) => region.type !== 'msi' && rangesEqual(region, DEFAULT_SW_MSI_WINDOW));
  const moved = isMoved ? `; the MSI window is not at its usual place, ${hexRange(DEFAULT_SW_MSI_WINDOW)}` : '';
  const unknown = space.apertures.length === 0 ? '; the width of the IOMMU is not in these dumps' : '';
  return `${reach} can be mapped${except}${moved}${unknown}`;
}

/** The last address that all apertures reach. */
function topOf({ apertures }: CommonSpace): bigint {
  return apertures.reduce((top, { last }) => (last < top ? last : top), apertures[0]?.last ?? 0n);
}

/** Names of inputs for a sentence. */
function unreadLabel(names: readonly string[]): string {
  const more = names.length - UNREAD_LISTED_MAX;
  const listed = names.slice(0, UNREAD_LISTED_MAX);
  return joinNames([...listed, ...(more > 0 ? [`${more} more ${more === 1 ? 'input' : 'inputs'}`] : [])], names.length);
}

/** How many lines of the hosts' dumps were malformed, and where the first one is. */
function malformedText(hosts: readonly AnsweredHost[]): string {
  const notes = hosts.map(({ space }) => space.host.reading);
  const count = notes.reduce((sum, { malformed }) => sum + malformed, 0);
  if (count === 0) return '';
  const first = notes.find((note) => note.first !== undefined)?.first;
  const place = first === undefined ? '' : placeText(first);
  const where = place === '' ? '' : count === 1 ? ` (${place})` : ` (the first is ${place})`;
  return ` ${counted(count, 'malformed value')} ${count === 1 ? 'was' : 'were'} not used${where}.`;
}

/** A clause that nothing is wrong according to the dumps. */
function nothingLabel(isPartial: boolean): string {
  return `Nothing was refused and no fault was logged in ${isPartial ? 'what was read' : 'these dumps'}`;
}

interface About {
  /** True to name the host. */
  readonly isNamed: boolean;
  readonly isGuestChosen: boolean;
  /** True if some inputs were not read. */
  readonly isPartial: boolean;
}

/** A sentence that nothing is wrong on a host, and what that is based on. */
function cleanText(host: AnsweredHost, { isNamed, isGuestChosen, isPartial }: About): string {
  const { space, guests, name, conflicts } = host;
  const left = conflicts.find(isQuiet);
  const on = isNamed ? ` on ${name}` : '';
  const others = left ? `; ${lower(left.title)}` : '';
  const isSomethingKnown = space.groups.length > 0 || space.apertures.length > 0;
  if (guests.length > 0 && (isSomethingKnown || isGuestChosen)) {
    return [...guests.map((guest) => fitsText(guest, space, on, others)), otherGuestsText(host)]
      .filter(Boolean)
      .join(' ');
  }
  if (!isSomethingKnown) {
    const more =
      guests.length > 0
        ? ` ${withDeviceNames(guests.map(memoryText).join(' '), space.host.devices)} Add the host's reserved_regions to check whether the guest's memory can be mapped.`
        : '';
    const contents = contentsOf(space.host, host.mappings ?? []);
    const listed = contents.length > 0 ? `: ${joinNames(contents, contents.length)}` : '';
    const remarks = space.host.reading.remarks.map((text) => ` ${text.charAt(0).toUpperCase()}${text.slice(1)}.`);
    return `${nothingLabel(isPartial)}${on}${listed}${others}.${remarks.join('')}${more}`;
  }
  return `No conflicts${isPartial ? ' in what was read' : ''}${whereText(space, on)}: ${usableLabel(space)}${others}.`;
}

/** ` on HOST, groups 1 and 2`: `on` with the groups of the space that have names. */
function whereText(space: CommonSpace, on: string): string {
  const label = groupsLabel(space);
  return label === '' ? on : `${on === '' ? ' on ' : `${on}, `}${label}`;
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

/** How far the memory of a guest reaches: `win11: pc-q35-7.2, 16 GiB: its memory ends at 0x47fffffff.` */
function memoryText(guest: GuestLayout): string {
  const memory = guest.ranges.filter(({ type }) => isGuestMemory(type));
  const last = memory.reduce((top, range) => (range.last > top ? range.last : top), 0n);
  if (memory.length === 0) return `${guest.title} lists no guest RAM.`;
  const devices = guest.definition?.assigned ?? [];
  const assigns = devices.length === 0 ? '' : `, it assigns ${joinNames(devices, LISTED_MAX)}`;
  return `${guest.title}: its memory ends at ${hex(last)}${assigns}.${assumedText(guest)}`;
}

/** Notes that mean that the assumed layout may differ from the guest's. */
const DOUBTS: ReadonlySet<string> = new Set([
  'guest-definition-cut',
  'guest-option-not-modelled',
  'guest-option-unresolved',
  'guest-option-invalid',
  'machine-unknown',
  'memory-device-not-placed',
  'option-not-modelled',
  'option-not-understood',
  'vendor-assumed',
]);

/** What had to be assumed about a guest, if it affects where its memory is. */
function assumedText({ notes = [] }: GuestLayout): string {
  const doubts = [...new Set(notes.filter(({ code }) => DOUBTS.has(code)).map(({ message }) => message))];
  if (doubts.length === 0) return '';
  const listed = joinNames(doubts, 2);
  return ` ${listed.charAt(0).toUpperCase()}${listed.slice(1)}.`;
}

function fitsText(guest: GuestLayout, space: CommonSpace, on: string, others: string): string {
  const memory = guest.ranges.filter(({ type }) => isGuestMemory(type));
  const highest = memory.reduce((last, range) => (range.last > last ? range.last : last), 0n);
  // QEMU checks all that it may use, including device windows; only RAM above the default shows that more bits are needed.
  const top =
    guest.machine && bitLength(highest) > DEFAULT_PHYS_BITS
      ? guest.machine.machine.lastUsed(guest.machine.ram)
      : highest;
  const needs = bitLength(top) > DEFAULT_PHYS_BITS ? `; needs phys-bits ${bitLength(top)}` : '';
  const assumed = assumedText(guest);
  if (space.groups.length === 0) {
    return `${guest.title} fits${on} as far as the dumps show: they list no reserved regions${needs}${others}.${assumed}`;
  }
  const width = space.apertures.length === 0 ? ', as far as the dumps show (not the width of the IOMMU)' : '';
  return `${guest.title} fits${whereText(space, on)}${width}${needs}${others}.${assumed}`;
}
