import { formatRange, hex } from '../../iova/format.ts';
import type { Iova } from '../../iova/iova.ts';
import { type Errno, type Rule, sourceOf } from './rule.ts';

/** What an operation asked for. `start` is absent where the kernel was to choose; start + length may wrap. */
export interface Requested {
  readonly start?: Iova;
  /** Bytes. */
  readonly length: bigint;
}

/** What stands in the way of an operation. `start` and `last` are inclusive; both or neither are there. */
export interface Obstacle {
  readonly kind:
    | 'reserved'
    | 'area'
    | 'allowed'
    | 'aperture'
    /** In no valid range of a container, and no reservation says why. */
    | 'not-valid'
    | 'hole'
    | 'alignment'
    | 'limit'
    | 'permission'
    | 'device'
    | 'group'
    | 'access';
  readonly start?: Iova;
  readonly last?: Iova;
  /** Who holds it: a device, a group or an IOMMU's domain; absent for what nobody owns. */
  readonly owner?: string;
  /** A reserved region's type as the kernel prints it. */
  readonly type?: string;
  /** The alignment, the limit or the page size that decides, in bytes. */
  readonly value?: bigint;
  /** Index of the event that put an area there. */
  readonly origin?: number;
}

/** A kernel's answer 'no', with the reason. */
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
};

/** An obstacle in words, such as `reserved range 0xfee0_0000 – 0xfeef_ffff (msi) of dev1`. */
export function describeObstacle(obstacle: Obstacle): string {
  const { start, last, value, type, owner } = obstacle;
  let text = NOUNS[obstacle.kind];
  if (start !== undefined && last !== undefined) text += ` ${formatRange({ start, last })}`;
  else if (value !== undefined) text += ` ${hex(value)}`;
  if (type !== undefined) text += ` (${type})`;
  if (owner !== undefined) {
    text += ['device', 'group', 'access'].includes(obstacle.kind) ? ` ${owner}` : ` of ${owner}`;
  }
  return text;
}

/** Makes the refusal of a rule: its sentence, and what stands in the way if that is known. */
export function refuse(
  id: string,
  rule: Rule,
  details: { readonly requested?: Requested; readonly obstacle?: Obstacle; readonly unmapped?: bigint } = {},
): Refusal {
  const reason = details.obstacle ? `${rule.message}: ${describeObstacle(details.obstacle)}.` : `${rule.message}.`;
  return { errno: rule.errno, rule: id, message: reason, source: sourceOf(rule), ...details };
}

/** Makes the refusals of one model, whose rules are given, as failed results. */
export function refuser<Name extends string>(rules: Readonly<Record<Name, Rule>>) {
  return (rule: Name, details?: Parameters<typeof refuse>[2]): { readonly ok: false; readonly refusal: Refusal } => ({
    ok: false,
    refusal: refuse(rule, rules[rule], details),
  });
}
