import type { DiagnosticCode } from '../../dumps/diagnostics.ts';
import { formatRange, formatSize, hex } from '../../iova/format.ts';
import { type IovaRange, sizeOf } from '../../iova/range.ts';
import { lookUpRule, type RuleQuestion, type RuleSubject } from '../../kernel/rule-book.ts';
import type { Provenance } from '../host/host.ts';
import type { MergedRegion } from '../space/common-space.ts';

/** By descending severity. */
export const CONFLICT_SEVERITIES = ['fatal', 'warning', 'note'] as const;

/**
 * `fatal`: a guest or a device does not work because of it. `warning`: nothing fails for certain, but a person should
 * look. `note`: refused, and usually without consequences.
 */
export type ConflictSeverity = (typeof CONFLICT_SEVERITIES)[number];

/** The rules by which conflicts are found. Stable: scripts may depend on them. */
export const CONFLICT_RULES = [
  'attach-over-mapping',
  'bar-beyond-aperture',
  'bar-over-reserved',
  'contradiction',
  'device-ineligible',
  'fault',
  'firmware-region-not-reserved',
  'group-has-direct',
  'guest-beyond-aperture',
  'guest-outside-ranges',
  'guest-over-reserved',
  'mapping-limit',
  'misaligned',
  'msi-outside-window',
  'msi-window-over-pci',
  'request-refused',
  'two-msi-kinds',
  'unmap-cuts-mapping',
  'unmap-short',
] as const;

/** A rule of this program, or the code of a diagnostic that passes on a complaint of another one. */
export type ConflictRule = (typeof CONFLICT_RULES)[number] | DiagnosticCode;

/** A range that a conflict is about; bounds inclusive. */
export interface ConflictMark extends IovaRange {
  /** `requested`: what was requested or accessed; `obstacle`: what blocks it. */
  readonly role: 'requested' | 'obstacle';
  readonly message: string;
}

/**
 * Something that is wrong in a layout, or will be once it is tried. `Rule` is wider where operations that a model
 * refused are listed as well.
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
}

/** The errno and the source of a kernel rule, for a conflict. */
export function refusedBy(subject: RuleSubject, question?: RuleQuestion): Pick<Conflict, 'errno' | 'source'> {
  const { errno, source } = lookUpRule(subject, question);
  return { errno, source };
}

/** A range with its size, for sentences. */
export function describeRange(r: IovaRange): string {
  return `${formatRange(r)} (${formatSize(sizeOf(r))})`;
}

/** Joins names for a sentence: `a`, `a and b`, `a, b and 3 more`. At most `max` items, counting `3 more` as one. */
export function joinNames(names: readonly string[], max = 3): string {
  const [first = ''] = names;
  if (names.length <= 1) return first;
  if (names.length <= max) return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return `${names.slice(0, max - 1).join(', ')} and ${names.length - max + 1} more`;
}

/** Both bounds as the kernel and QEMU write them: `0xfee00000-0xfeefffff`. */
export function plainRange({ start, last }: IovaRange): string {
  return `${hex(start)}-${hex(last)}`;
}

/** A mark of one range. */
export function markOf(role: ConflictMark['role'], { start, last }: IovaRange, message: string): ConflictMark {
  return { role, start, last, message };
}

/** Who holds the parts of a merged region, each once: `group 1 and group 4`. */
export function ownersOf({ parts }: Pick<MergedRegion, 'parts'>): string {
  return joinNames([...new Set(parts.map(({ owner }) => owner))]);
}

/** Where the parts of a merged region were read. */
export function partPlaces({ parts }: Pick<MergedRegion, 'parts'>): Provenance[] {
  return parts.flatMap(({ provenance }) => provenance);
}
