import { formatRange, formatSize } from '../../iova/format.ts';
import { type IovaRange, sizeOf } from '../../iova/range.ts';
import type { Provenance } from '../host/host.ts';

/**
 * `fatal`: a guest or a device does not work for it. `harmless`: refused, and usually nothing is lost. `suspicious`:
 * nothing was refused, but a person should look.
 */
export type Severity = 'fatal' | 'warning' | 'note';

export const SEVERITIES: readonly Severity[] = ['fatal', 'warning', 'note'];

/** A stretch that a conflict is about; bounds inclusive. */
export interface ConflictMark extends IovaRange {
  /** `asked`: what was wanted or touched; `obstacle`: what stands in the way. */
  readonly role: 'requested' | 'obstacle';
  readonly message: string;
}

/** Something that is wrong in a layout, or will be once it is tried. */
export interface Conflict {
  /** Unique among the conflicts of one host, and the same at every reading. */
  readonly id: string;
  /** Kebab-case, stable. */
  readonly rule: string;
  readonly severity: Severity;
  /** What is refused, or what is strange: one line. */
  readonly title: string;
  /** Why: full sentences. */
  readonly message: string;
  /** What the kernel answers, such as `EINVAL`. */
  readonly errno?: string | undefined;
  /** Who decides: kernel and function, or a program. */
  readonly source?: string | undefined;
  /** What would avoid it: full sentences. */
  readonly remedy: string;
  readonly marks: readonly ConflictMark[];
  readonly provenance: readonly Provenance[];
}

/** A range with its size, for sentences. */
export function describeRange(r: IovaRange): string {
  return `${formatRange(r)} (${formatSize(sizeOf(r))})`;
}

/** Joins names for a sentence: `a`, `a and b`, `a, b and 3 more`. */
export function joinNames(names: readonly string[], most = 3): string {
  if (names.length <= 1) return names[0] ?? '';
  if (names.length <= most) return `${names.slice(0, -1).join(', ')} and ${names.at(-1)}`;
  return `${names.slice(0, most - 1).join(', ')} and ${names.length - most + 1} more`;
}
