import type { DiagnosticCode } from '../../dumps/diagnostics.ts';
import { formatSize, groupedDecimal, hexRange } from '../../iova/format.ts';
import { type IovaRange, sizeOf } from '../../iova/range.ts';
import { lookUpRule, type RuleQuestion, type RuleSubject } from '../../kernel/rule-book.ts';
import { parseKernelVersion } from '../../kernel/versions.ts';
import type { Provenance } from '../host/host.ts';
import type { MergedRegion } from '../space/common-space.ts';

/** By descending severity. */
export const CONFLICT_SEVERITIES = ['fatal', 'warning', 'note'] as const;

/**
 * `fatal`: a guest or a device does not work because of it. `warning`: not certain to fail, but should be checked. `note`:
 * refused, but usually without consequences.
 */
export type ConflictSeverity = (typeof CONFLICT_SEVERITIES)[number];

/** The rules by which conflicts are found. Stable: scripts may depend on them. */
export const CONFLICT_RULES = [
  'attach-over-mapping',
  'bar-beyond-aperture',
  'bar-in-parts',
  'bar-over-reserved',
  'contradiction',
  'cpu-wider-than-iommu',
  'device-ineligible',
  'fault',
  'firmware-region-not-reserved',
  'group-has-direct',
  'group-not-viable',
  'groups-left-out',
  'guest-beyond-aperture',
  'guest-outside-ranges',
  'guest-over-reserved',
  'guest-refused',
  'guest-wider-than-iommu',
  'mapping-limit',
  'misaligned',
  'msi-outside-window',
  'msi-window-over-pci',
  'not-in-dump',
  'request-refused',
  'two-msi-kinds',
  'unmap-cuts-mapping',
  'unmap-short',
  'viommu-wider-than-iommu',
] as const;

/** A rule of this program, or the code of a diagnostic that passes on a problem reported by another program. */
export type ConflictRule = (typeof CONFLICT_RULES)[number] | DiagnosticCode;

/** A range that a conflict is about; bounds inclusive. */
export interface ConflictMark extends IovaRange {
  /** `requested`: what was requested or accessed; `obstacle`: what blocks it. */
  readonly role: 'requested' | 'obstacle';
  readonly message: string;
}

/** A remedy that a program can apply by itself. `ram` in bytes; `groups` and `name` as in the host and `MACHINES`. */
export type RemedyAction =
  | { readonly kind: 'set-ram'; readonly ram: bigint }
  | { readonly kind: 'relocate' }
  | { readonly kind: 'leave-out-groups'; readonly groups: readonly string[] }
  | { readonly kind: 'machine'; readonly name: string };

/** One way to avoid a conflict. */
export interface Remedy {
  /** A short, self-contained imperative phrase or sentence: `Set RAM to 3054 MiB (2.98 GiB)`. */
  readonly text: string;
  readonly action?: RemedyAction | undefined;
  /** Text to copy: an option, an element, a command; may have several lines. */
  readonly copy?: string | undefined;
  /**
   * The program that reads `copy`: `qemu`, `libvirt`, `proxmox`, `kubevirt`, `shell` …; undefined if there is nothing to
   * copy.
   */
  readonly form?: string | undefined;
}

/**
 * Something that is wrong in a layout, or will fail when it is tried. `Rule` is wider where operations that a model refused
 * are listed as well.
 */
export interface Conflict<Rule extends string = ConflictRule> {
  /** Unique among the conflicts of one host, and the same each time the same dumps are read. */
  readonly id: string;
  /** Kebab-case, stable. */
  readonly rule: Rule;
  readonly severity: ConflictSeverity;
  /** What is refused, or what is wrong: one line. */
  readonly title: string;
  /** Why: full sentences. */
  readonly message: string;
  /** What the kernel answers, such as `EINVAL`. */
  readonly errno?: string | undefined;
  /** Who decides: kernel and function, or a program. */
  readonly source?: string | undefined;
  /** How to fix it: full sentences. */
  readonly remedy: string;
  readonly marks: readonly ConflictMark[];
  readonly provenance: readonly Provenance[];
  /**
   * One or two self-contained sentences: what is refused, what blocks it with its exact bounds, errno and kernel. If absent,
   * title and message are used.
   */
  readonly answer?: string | undefined;
  /** The ways to avoid it, one by one; those that a program can apply have an action. */
  readonly remedies?: readonly Remedy[] | undefined;
  /** True if it only follows from another conflict, or repeats one in general terms: it is listed after that one. */
  readonly follows?: boolean | undefined;
  /** Position of the event that shows it, if events are in chronological order. */
  readonly position?: number | undefined;
  /** How often it was reported, and when first and last, in seconds. */
  readonly count?: number | undefined;
  readonly time?: { readonly first: number; readonly last: number } | undefined;
  /** Conflicts with the same kind become one item: `groups cannot be assigned`. */
  readonly kind?: string | undefined;
  /** For a list that combines conflicts of one kind: the noun to count (singular), and what is wrong with all of them. */
  readonly kindLabel?: { readonly unit: string; readonly text: string } | undefined;
}

/** The errno and the source of a kernel rule, as fields of a conflict. */
export function refusedBy(subject: RuleSubject, question?: RuleQuestion): Pick<Conflict, 'errno' | 'source'> {
  const { errno, source } = lookUpRule(subject, question);
  return { errno, source };
}

/** A range with its size, for sentences. */
export function describeRange(r: IovaRange): string {
  return `${hexRange(r)} (${formatSize(sizeOf(r))})`;
}

/** ` on Linux 6.1`: the kernel of the host's dumps, otherwise the one whose rule is quoted; or empty. */
export function onKernel(kernel: string | undefined, source: string | undefined): string {
  const version = kernel === undefined ? undefined : parseKernelVersion(kernel);
  if (version) return ` on Linux ${version.major}.${version.minor}`;
  const quoted = /^Linux (?:before )?\d[\d.]*/.exec(source ?? '')?.[0];
  return quoted === undefined ? '' : ` on ${quoted}`;
}

/** Joins names for a sentence: `a`, `a and b`, `a, b and 3 more`. At most `max` items, counting `3 more` as one. */
export function joinNames(names: readonly string[], max = 3): string {
  const [first = ''] = names;
  if (names.length <= 1) return first;
  if (names.length <= max) return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return `${names.slice(0, max - 1).join(', ')} and ${names.length - max + 1} more`;
}

/** Both bounds and the size: `0xfee00000-0xfeefffff (1 MiB)`. */
export function sizedRange(r: IovaRange): string {
  return `${hexRange(r)} (${formatSize(sizeOf(r))})`;
}

/** Joins all names for a sentence, runs of numbers as `0 to 5`: `0 to 5, 7 and 9`. */
export function joinNumbers(names: readonly string[]): string {
  const parts = numberRuns(names);
  return joinNames(parts, parts.length);
}

/** Joins runs of more than three numbers: `0 to 5`. */
function numberRuns(names: readonly string[]): string[] {
  const parts: string[] = [];
  for (let i = 0; i < names.length; ) {
    const first = names[i] ?? '';
    let end = i + 1;
    while (end < names.length && Number(names[end]) === Number(first) + end - i) end++;
    const run = names.slice(i, end);
    parts.push(...(run.length > 3 ? [`${first} to ${run.at(-1)}`] : run));
    i = end;
  }
  return parts;
}

/** Maximum number of entries in a list of groups; longer lists are counted instead. */
const GROUP_PARTS_MAX = 6;

/** Names groups in a sentence, by ascending numbers: `group 3`, `groups 0 to 5 and 7`, `380 groups (0, 1, 2 and 377 more)`. */
export function joinGroups(numbers: readonly string[]): string {
  if (numbers.length === 1) return `group ${numbers[0]}`;
  const parts = numberRuns(numbers);
  if (parts.length <= GROUP_PARTS_MAX) return `groups ${joinNames(parts, parts.length)}`;
  return `${groupedDecimal(BigInt(numbers.length))} groups (${joinNames(numbers, 4)})`;
}

/** A mark of one range. */
export function markOf(role: ConflictMark['role'], { start, last }: IovaRange, message: string): ConflictMark {
  return { role, start, last, message };
}

/** The owners of the parts of a merged region, each once: `group 1 and group 4`. */
export function ownersOf({ parts }: Pick<MergedRegion, 'parts'>): string {
  return joinNames([...new Set(parts.map(({ owner }) => owner))]);
}

/** Where the parts of a merged region were read. */
export function partPlaces({ parts }: Pick<MergedRegion, 'parts'>): Provenance[] {
  return parts.flatMap(({ provenance }) => provenance);
}
