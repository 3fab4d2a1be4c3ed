// Groups conflicts of the same kind into one expandable item of the list.
import { counted, hex } from '../../iova/format.ts';
import { CONFLICT_SEVERITIES, type Conflict, type ConflictSeverity } from '../conflicts/conflict.ts';

/** An item of the list: one conflict, or several of the same kind. */
export interface ConflictItem {
  /** The id of its first conflict. */
  readonly id: string;
  /** The highest severity among them. */
  readonly severity: ConflictSeverity;
  /** One line. */
  readonly text: string;
  /** Ids, in order; at least one. */
  readonly conflicts: readonly string[];
  /** The host: ids are unique within it. */
  readonly scope: string;
}

type AnyConflict = Conflict<string>;

/** How often conflicts were reported, and where and when: `23 times from 0x1000 to 0x9000 within 3.2 s`. */
export function spanLabel(conflicts: readonly AnyConflict[]): string {
  const count = conflicts.reduce((sum, conflict) => sum + (conflict.count ?? 1), 0);
  const addresses = conflicts.flatMap(({ marks: [mark] }) => (mark ? [mark.start] : []));
  const low = addresses.reduce((a, b) => (b < a ? b : a), addresses[0] ?? 0n);
  const high = addresses.reduce((a, b) => (b > a ? b : a), addresses[0] ?? 0n);
  const where = low === high ? '' : ` from ${hex(low)} to ${hex(high)}`;
  const times = conflicts.flatMap(({ time }) => (time ? [time] : []));
  const seconds =
    times.length === 0 ? 0 : Math.max(...times.map(({ last }) => last)) - Math.min(...times.map(({ first }) => first));
  const within = seconds > 0 ? ` within ${Number(seconds.toPrecision(3))} s` : '';
  return `${counted(count, 'time')}${where}${within}`;
}

function textOf(conflicts: readonly AnyConflict[]): string {
  const [first] = conflicts;
  if (!first) return '';
  if (first.rule === 'fault') {
    const { title } = first;
    const short = title.replace(/, [\d,]+ times$/, '');
    return conflicts.length === 1 ? title : `${short}: ${spanLabel(conflicts)}`;
  }
  if (conflicts.length === 1) return first.title;
  const { unit, text } = first.kindLabel ?? { unit: 'conflict', text: first.title };
  return `${counted(conflicts.length, unit)}: ${text}`;
}

/** Folds conflicts with the same `kind` (and `scope`, such as their host) into items, in the order of their first ones. */
export function foldConflicts<C extends AnyConflict>(
  conflicts: readonly C[],
  scope: (conflict: C) => string = () => '',
): ConflictItem[] {
  const groups = new Map<string, C[]>();
  for (const conflict of conflicts) {
    const key =
      conflict.kind === undefined ? `one ${scope(conflict)} ${conflict.id}` : `${scope(conflict)} ${conflict.kind}`;
    groups.set(key, [...(groups.get(key) ?? []), conflict]);
  }
  return [...groups.values()].map((members) => ({
    id: members[0]?.id ?? '',
    severity: CONFLICT_SEVERITIES.find((severity) => members.some((member) => member.severity === severity)) ?? 'note',
    text: textOf(members),
    conflicts: members.map(({ id }) => id),
    scope: members[0] ? scope(members[0]) : '',
  }));
}
