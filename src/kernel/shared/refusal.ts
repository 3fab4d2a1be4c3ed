import { formatRange, hex } from '../../iova/format.ts';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import { type IovaRange, range } from '../../iova/range.ts';
import type { Answer } from '../../session/events.ts';
import { type KernelRules, kernelLabel } from '../version-changes.ts';
import { type Errno, type Rule, rulesIn, sourceOf } from './rule.ts';

/** What an operation requested. `start` is absent if the kernel was to choose; start + length may wrap. */
export interface Requested {
  readonly start?: Iova;
  /** Bytes. */
  readonly length: bigint;
}

/** What blocks an operation. `start` and `last` are inclusive; both are set, or neither. */
export interface Obstacle {
  readonly kind:
    | 'reserved'
    | 'area'
    | 'allowed'
    | 'aperture'
    /** In no valid range of a container, and not reserved either. */
    | 'not-valid'
    | 'hole'
    | 'alignment'
    | 'limit'
    | 'permission'
    | 'device'
    | 'group'
    | 'access'
    | 'page-table';
  readonly start?: Iova;
  readonly last?: Iova;
  /** A device, a group or the domain of an IOMMU; absent if it has no owner. */
  readonly owner?: string;
  /** A reserved region's type as the kernel prints it. */
  readonly type?: string;
  /** The alignment, the limit or the page size that decides, in bytes. */
  readonly value?: bigint;
  /** Index of the event that made the area. */
  readonly origin?: number;
}

/** A refusal, with its reason. */
export interface Refusal {
  readonly errno: Errno;
  /** Name of the rule, stable: for links, lessons and tests. */
  readonly rule: string;
  /** One or two sentences for people. */
  readonly message: string;
  readonly source: string;
  readonly requested?: Requested;
  readonly obstacle?: Obstacle;
  /** Bytes that an unmap had removed before it was refused; they stay removed. */
  readonly unmapped?: bigint;
  /** What the kernel reports although it refuses. */
  readonly reported?: Partial<Omit<Answer, 'ret'>>;
}

/** What was requested as a range; undefined without a start, and for one that wraps around. It ends at 2^64 - 1 at most. */
export function requestedRange({ requested }: Pick<Refusal, 'requested'>): IovaRange | undefined {
  if (requested?.start === undefined) return undefined;
  const last = requested.start + requested.length - 1n;
  return last < requested.start ? undefined : range(requested.start, last > IOVA_MAX ? IOVA_MAX : last);
}

const NOUNS: Readonly<Record<Obstacle['kind'], string>> = {
  reserved: 'reserved range',
  area: 'area',
  allowed: 'allowed range',
  aperture: 'range outside the aperture',
  'not-valid': 'range outside the valid ranges',
  hole: 'hole',
  alignment: 'alignment',
  limit: 'limit',
  permission: 'pages',
  device: 'device',
  group: 'group',
  access: 'access',
  'page-table': 'page table',
};

/** An obstacle as text, such as `reserved range 0xfee0_0000 – 0xfeef_ffff (msi) of dev1`. */
export function describeObstacle(obstacle: Obstacle): string {
  const { start, last, value, type, owner } = obstacle;
  let text = NOUNS[obstacle.kind];
  if (start !== undefined && last !== undefined) text += ` ${formatRange({ start, last })}`;
  else if (value !== undefined) text += ` ${hex(value)}`;
  if (type !== undefined) text += ` (${type})`;
  if (owner !== undefined) {
    text += ['device', 'group', 'access', 'page-table'].includes(obstacle.kind) ? ` ${owner}` : ` of ${owner}`;
  }
  return text;
}

/** The refusal of a rule: its sentence, and the obstacle if it is known. */
export function refuse(
  id: string,
  rule: Rule,
  details: Pick<Refusal, 'requested' | 'obstacle' | 'unmapped' | 'reported'> = {},
): Refusal {
  const reason = details.obstacle ? `${rule.message}: ${describeObstacle(details.obstacle)}.` : `${rule.message}.`;
  return { errno: rule.errno, rule: id, message: reason, source: sourceOf(rule), ...details };
}

/** The function that makes the refusals of one model from its rules. */
export function refuser<Name extends string>(rules: Readonly<Record<Name, Rule>>) {
  return (rule: Name, details?: Parameters<typeof refuse>[2]): { readonly ok: false; readonly refusal: Refusal } => ({
    ok: false,
    refusal: refuse(rule, rules[rule], details),
  });
}

/**
 * The functions that make the refusals of one model, by kernel and driver: each rule in the variant that holds there, with
 * that kernel as its source. They are kept, because every address space asks for one.
 */
export function refuserIn<Name extends string>(table: Readonly<Record<Name, Rule>>) {
  type Refuser = ReturnType<typeof refuser<Name>>;
  const made = new WeakMap<KernelRules, Map<string, Refuser>>();
  const answering = (rules: KernelRules, driver: string): Readonly<Record<Name, Rule>> => {
    const variants = Object.entries<Rule>(rulesIn(table, { kernel: rules.kernel, rules, driver }));
    const kernel = kernelLabel(rules);
    return Object.fromEntries(variants.map(([name, rule]) => [name, { ...rule, kernel }])) as Record<Name, Rule>;
  };
  return (rules: KernelRules, driver = ''): Refuser => {
    const byDriver = made.get(rules) ?? new Map<string, Refuser>();
    made.set(rules, byDriver);
    const known = byDriver.get(driver) ?? refuser<Name>(answering(rules, driver));
    byDriver.set(driver, known);
    return known;
  };
}
