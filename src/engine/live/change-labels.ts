// Labels for changes on a live host, most important first.
import { groupedDecimal, hex } from '../../iova/format.ts';
import { type Fact, isFact, type SessionEvent } from '../../session/events.ts';

/** Maximum number of labels per change; the rest is counted. */
const LISTED_MAX = 8;
/** If more facts of a kind change, one label gives their number: a memory map changes as a whole. */
const PER_KIND_MAX = 5;
/** The kinds that are listed first. */
const ORDER: readonly Fact['kind'][] = [
  'group',
  'valid_range',
  'reserved',
  'iommu',
  'ineligible',
  'guest',
  'map',
  'aperture',
];
/** Plural names of the kinds. */
const PLURALS: Readonly<Record<Fact['kind'], string>> = {
  host: 'hosts',
  iommu: 'IOMMUs',
  group: 'groups',
  reserved: 'reserved regions',
  aperture: 'apertures',
  valid_range: 'valid ranges',
  window: 'memory map ranges',
  bar: 'BARs',
  msi_message: 'MSI messages',
  device: 'devices',
  machine: 'guest definitions',
  guest: 'guest ranges',
  map: 'mappings',
  unmap: 'unmaps',
  request: 'requests',
  fault: 'faults',
  gone: 'removed facts',
  note: 'notes',
  ineligible: 'devices that cannot be assigned',
  ignored: 'ignored regions',
  diagnostic: 'diagnostics',
};

/** The subject of a fact: two facts with the same subject describe the same thing before and after a change. */
function subjectOf(fact: Fact): string {
  switch (fact.kind) {
    case 'group':
      return `group ${fact.group}`;
    case 'iommu':
      return `IOMMU ${fact.name}`;
    case 'valid_range':
      return `range ${hex(fact.start)}-${hex(fact.last)} of ${fact.container ?? fact.ioas ?? 'a container'}`;
    case 'reserved':
      return `${fact.type} region ${hex(fact.start)}-${hex(fact.last)}${fact.group === undefined ? '' : ` of group ${fact.group}`}`;
    case 'map':
      return `mapping ${hex(fact.start)}-${hex(fact.last)}`;
    case 'window':
    case 'guest':
      return `"${fact.name}" ${hex(fact.start)}-${hex(fact.last)}`;
    case 'host':
      return `host ${fact.name ?? ''}`;
    case 'diagnostic':
      return fact.message;
    default:
      return fact.kind;
  }
}

function detailOf(fact: Fact): string {
  if (fact.kind === 'group' && fact.devices.length > 0) return `: ${fact.devices.join(', ')}`;
  if (fact.kind === 'valid_range' && fact.guest !== undefined) return ` (guest ${fact.guest})`;
  return '';
}

/** Collects the facts that were added and removed by a change. */
export class ChangeLabels {
  readonly #gone = new Map<string, Fact>();
  readonly #added = new Map<string, Fact>();

  gone(event: SessionEvent): void {
    if (isFact(event)) this.#gone.set(`${event.kind} ${subjectOf(event)}`, event);
  }

  added(event: SessionEvent): void {
    if (isFact(event)) this.#added.set(`${event.kind} ${subjectOf(event)}`, event);
  }

  /** `+ …` for added, `− …` for removed, `~ …` for changed facts. */
  labels(): string[] {
    const byKind = new Map<Fact['kind'], string[]>();
    const addLabel = (sign: string, fact: Fact) => {
      const list = byKind.get(fact.kind) ?? [];
      list.push(`${sign} ${subjectOf(fact)}${detailOf(fact)}`);
      byKind.set(fact.kind, list);
    };
    for (const [key, fact] of this.#gone) if (!this.#added.has(key)) addLabel('−', fact);
    for (const [key, fact] of this.#added) {
      const before = this.#gone.get(key);
      if (!before) addLabel('+', fact);
      else if (!isSameFact(before, fact)) addLabel('~', fact);
    }
    const rank = (kind: Fact['kind']) => (ORDER.includes(kind) ? ORDER.indexOf(kind) : ORDER.length);
    const labels = [...byKind]
      .sort(([a], [b]) => rank(a) - rank(b))
      .flatMap(([kind, list]) =>
        list.length > PER_KIND_MAX ? [`${groupedDecimal(BigInt(list.length))} ${PLURALS[kind]} changed`] : list,
      );
    return labels.length > LISTED_MAX
      ? [...labels.slice(0, LISTED_MAX), `and ${labels.length - LISTED_MAX} more`]
      : labels;
  }
}

/** True if two facts differ only in source and time, or in counters that always change. */
function isSameFact(a: Fact, b: Fact): boolean {
  const text = (fact: Fact) =>
    JSON.stringify({ ...fact, line: undefined, seen: undefined, mappings_left: undefined }, (_, value: unknown) =>
      typeof value === 'bigint' ? value.toString() : value,
    );
  return text(a) === text(b);
}
