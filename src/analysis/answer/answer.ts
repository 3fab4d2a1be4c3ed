// The answer to a case, in one or two sentences: what is refused or would be, what blocks it, and the fix; or that
// nothing is wrong, with what that rests on.
import { bitLength } from '../../iova/iova.ts';
import { complement, intersect, rangeSet } from '../../iova/range-set.ts';
import { type Conflict, type ConflictSeverity, joinNames, joinNumbers, type Remedy } from '../conflicts/conflict.ts';
import type { GuestLayout } from '../conflicts/guest.ts';
import { allOwnersOf } from '../conflicts/region-clause.ts';
import { isGuestMemory } from '../guest/layout.ts';
import { groupTitle, type Provenance } from '../host/host.ts';
import { meaningOf } from '../host/region-types.ts';
import type { CommonSpace } from '../space/common-space.ts';
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

/** A host of the case with what is selected of it, and its conflicts in their order. */
export interface AnsweredHost {
  readonly name: string;
  readonly space: CommonSpace;
  /** The guests that were tried on it. */
  readonly guests: readonly GuestLayout[];
  readonly conflicts: readonly Conflict<string>[];
}

export interface AnswerQuestion {
  readonly hosts: readonly AnsweredHost[];
  /** True if a person chose the guest: then whether it fits is the question. */
  readonly isGuestChosen: boolean;
  /** Inputs that could not be read. */
  readonly unread?: number | undefined;
}

/** QEMU's default for guests: more address bits than these must be asked for. */
const DEFAULT_PHYS_BITS = 40;
/** Regions that an answer lists. */
const LISTED_MAX = 4;

/** What only describes the selection and is part of the sentence that all is well. */
const QUIET_RULES: ReadonlySet<string> = new Set(['groups-left-out']);

/** True for a conflict that is only said in passing, and does not make a case fail. */
export function isQuiet({ rule }: Pick<Conflict<string>, 'rule'>): boolean {
  return QUIET_RULES.has(rule);
}

/** The answer to a case. Never empty: without anything to say, it says what was looked at. */
export function answerCase({ hosts, isGuestChosen, unread = 0 }: AnswerQuestion): CaseAnswer {
  const all = hosts.flatMap((host) =>
    host.conflicts.filter((conflict) => !isQuiet(conflict)).map((conflict) => ({ host, conflict })),
  );
  // With several hosts the worst comes first; of one host their order is that of its conflicts.
  const [first] = hosts.length > 1 ? all.toSorted((a, b) => placeOf(a.conflict) - placeOf(b.conflict)) : all;
  const missing = unread === 0 ? '' : ` Not read: ${unread} ${unread === 1 ? 'input' : 'inputs'}.`;
  const triesGuest = isGuestChosen && hosts.some(({ guests }) => guests.length > 0);
  if (!first || (triesGuest && first.conflict.severity !== 'fatal')) {
    const rest = first ? ` ${also(first.conflict)}` : '';
    return {
      severity: first?.conflict.severity ?? 'clean',
      text: `${hosts.map((host) => cleanText(host, hosts.length > 1)).join(' ') || 'Nothing was read that could be refused.'}${rest}${missing}`,
      remedies: [],
      conflicts: first ? [first.conflict.id] : [],
      provenance: [],
    };
  }
  const { host, conflict } = first;
  const members = host.conflicts.filter(
    ({ kind, id }) => id === conflict.id || (kind !== undefined && kind === conflict.kind),
  );
  const prefix = hosts.length > 1 ? `${host.name}: ` : '';
  const text = [
    prefix + (conflict.answer ?? plainAnswer(conflict)),
    burst(conflict, members),
    notInDump(conflict, host),
  ];
  return {
    severity: conflict.severity,
    text: `${text.filter(Boolean).join(' ')}${missing}`,
    remedies: conflict.remedies ?? [{ text: conflict.remedy }],
    conflicts: members.map(({ id }) => id),
    provenance: conflict.provenance,
  };
}

const SEVERITY_PLACES: Readonly<Record<ConflictSeverity, number>> = { fatal: 0, warning: 1, note: 2 };

/** Requests that failed before anything else. */
function placeOf({ severity, rule, follows }: Conflict<string>): number {
  return SEVERITY_PLACES[severity] * 4 + (follows ? 3 : rule === 'request-refused' ? 0 : 1);
}

/** Title and the first sentences of the reason, for conflicts without a sentence of their own. */
function plainAnswer({ title, message, errno }: Conflict<string>): string {
  const refusal = errno === undefined ? '' : ` (${errno})`;
  const [reason = ''] = /^.*?[.](?= [A-Z]|$)/.exec(message) ?? [message];
  return `${title.charAt(0).toUpperCase()}${title.slice(1)}${refusal}. ${reason}`.trim();
}

/** What was found besides that a guest fits. */
function also({ answer, title }: Conflict<string>): string {
  const [sentence = title] = /^.*?[.](?= [A-Z]|$)/.exec(answer ?? '') ?? [];
  return `Also: ${sentence}${sentence.endsWith('.') ? '' : '.'}`;
}

/** How many there are of the same kind. */
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

/** Whether the dump of the host lacks what a failing request names. */
function notInDump({ rule }: Conflict<string>, { conflicts }: AnsweredHost): string {
  const missing = conflicts.find((other) => other.rule === 'not-in-dump');
  return rule === 'request-refused' || rule.startsWith('qemu-') || rule.startsWith('vfio-')
    ? (missing?.message ?? '')
    : '';
}

/** The groups of a space for a sentence: `groups 0, 1 and 4 to 7`. */
function groupsLabel({ groups }: CommonSpace): string {
  const numbers = groups.flatMap(({ group }) => group ?? []);
  if (numbers.length < groups.length || groups.length === 1) return joinNames(groups.map(groupTitle), 4);
  return `groups ${joinNumbers(numbers)}`;
}

/** What groups reserve, and how far the IOMMU reaches. */
function usableLabel(space: CommonSpace): string {
  const blocking = space.reserved.filter(({ type }) => meaningOf(type).blocksMappings);
  const listed = blocking
    .slice(0, LISTED_MAX)
    .map((region) => `${regionBounds(region)} (${meaningOf(region.type).title} of ${allOwnersOf(region)})`);
  const more = blocking.length - listed.length;
  const except =
    listed.length === 0
      ? ''
      : ` except ${joinNames([...listed, ...(more > 0 ? [`${more} more regions`] : [])], LISTED_MAX + 1)}`;
  const top = space.usable.at(-1)?.last;
  const reach =
    space.apertures.length === 0 || top === undefined ? 'an unknown top address' : `0x${topOf(space).toString(16)}`;
  return `they can map everything up to ${reach}${except}`;
}

const regionBounds = ({ start, last }: { readonly start: bigint; readonly last: bigint }) =>
  `0x${start.toString(16)}-0x${last.toString(16)}`;

function topOf({ apertures }: CommonSpace): bigint {
  return apertures.reduce((top, { last }) => (last < top ? last : top), apertures[0]?.last ?? 0n);
}

/** That nothing is wrong on a host, and what that rests on. */
function cleanText(host: AnsweredHost, isNamed: boolean): string {
  const { space, guests, name, conflicts } = host;
  const left = conflicts.find(isQuiet);
  const on = isNamed ? ` on ${name}` : '';
  if (guests.length > 0) {
    return guests.map((guest) => fitsText(guest, space, on, left)).join(' ');
  }
  const others = left ? `; ${lower(left.title)}` : '';
  if (space.groups.length === 0) {
    return `Nothing was refused and no fault was logged in these dumps${on}${others}.`;
  }
  return `No conflicts${on} on ${groupsLabel(space)}: ${usableLabel(space)}${others}.`;
}

const lower = (text: string): string => text.charAt(0).toLowerCase() + text.slice(1);

function fitsText(guest: GuestLayout, space: CommonSpace, on: string, left: Conflict<string> | undefined): string {
  const top = guest.ranges
    .filter(({ type }) => isGuestMemory(type))
    .reduce((last, range) => (range.last > last ? range.last : last), 0n);
  const needs = bitLength(top) > DEFAULT_PHYS_BITS ? `; needs phys-bits ${bitLength(top)}` : '';
  const others = left ? `; ${lower(left.title)}` : '';
  if (space.groups.length === 0) {
    const limited = complement(space.usable);
    const memory = rangeSet(guest.ranges.filter(({ type }) => isGuestMemory(type)));
    const isHit = intersect(limited, memory).length > 0;
    return isHit
      ? ''
      : `${guest.title}: nothing in these dumps blocks it${on}, but they list no reserved regions${needs}${others}.`;
  }
  const width = space.apertures.length === 0 ? ' as far as the dumps show (not the width of the IOMMU)' : '';
  return `${guest.title} fits${on} on ${groupsLabel(space)}${width}${needs}${others}.`;
}
