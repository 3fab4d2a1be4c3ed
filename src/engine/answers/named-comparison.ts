// A comparison of hosts with their names in place of their numbers.
import { differsLabel, type HostComparison, pasteLine } from '../../analysis/space/compare-hosts.ts';
import type { HostsCompared } from '../protocol/answers.ts';

/** `titles`: of the hosts, in the order in which they were compared. */
export function namedComparison(compared: HostComparison, titles: readonly string[]): HostsCompared {
  const named = (indices: readonly number[]) => indices.map((i) => titles[i] ?? '');
  return {
    hosts: titles.map((title, i) => ({ title, isApertureKnown: compared.apertureUnknown[i] === false })),
    reservedUnion: compared.reservedUnion,
    reservedIntersection: compared.reservedIntersection,
    usableUnion: compared.usableUnion,
    usableIntersection: compared.usableIntersection,
    differences: compared.differences.map(({ start, last, usableOn, blockedOn }) => ({
      start,
      last,
      usableOn: named(usableOn),
      blockedOn: named(blockedOn),
    })),
    classes: compared.classes.map(({ hosts, differs }) => ({ hosts: named(hosts), differs: differsLabel(differs) })),
    line: pasteLine(compared.reservedUnion),
  };
}
