// Rules as data: what a kernel refuses, with which errno, in which function. The models check them; analysis looks them
// up in rule-book.ts.
import { isBefore } from '../change.ts';
import type { ChangeName, KernelRules } from '../version-changes.ts';
import { parseKernelVersion } from '../versions.ts';

/** The error numbers that the models answer with, by name. */
export type Errno =
  | 'EADDRINUSE'
  | 'EBADF'
  | 'EBUSY'
  | 'EEXIST'
  | 'EFAULT'
  | 'EINVAL'
  | 'EMSGSIZE'
  | 'ENODEV'
  | 'ENOENT'
  | 'ENOMEM'
  | 'ENOSPC'
  | 'ENOTTY'
  | 'EOPNOTSUPP'
  | 'EOVERFLOW'
  | 'EPERM';

/** The part of a rule that may differ between versions. */
interface RuleText {
  readonly errno: Errno;
  /** One sentence for people, without its full stop. */
  readonly message: string;
  /** The kernel function that decides. */
  readonly where: string;
  /** What the kernel logs when it refuses, if it does: to recognize the variant in a log. */
  readonly log?: RegExp;
  /** What it logs, word for word behind the device's name. */
  readonly logs?: string;
}

/** A variant of a rule in older kernels: only what differs from the entry itself. */
export interface OlderRule extends Partial<RuleText> {
  /** The first version in which this variant does not hold any more. */
  readonly before: string;
  /** The change that ended it: models know whether their kernel has that. */
  readonly change?: ChangeName;
  /** The IOMMU driver for which this held, as in facts of kind `iommu`; any if left out. */
  readonly driver?: string;
}

/** One rule by which a kernel refuses. Another version is another entry in `was`, newest first. */
export interface Rule extends RuleText {
  /** The kernel or the posting that the entry follows: `Linux 6.12`. */
  readonly kernel: string;
  readonly was?: readonly OlderRule[];
}

/** Makes the rules of one model: every entry follows `kernel`, unless it names another. */
export function defineRules<const Name extends string>(
  kernel: string,
  rules: Readonly<Record<Name, Omit<Rule, 'kernel'> & Partial<Pick<Rule, 'kernel'>>>>,
): Readonly<Record<Name, Rule>> {
  const names = Object.keys(rules) as Name[]; // Object.keys loses the type of the keys
  return Object.fromEntries(names.map((name) => [name, { kernel, ...rules[name] }])) as Record<Name, Rule>;
}

/** What decides which variant of a rule holds. */
export interface RuleContext {
  /** The host's kernel as a source gives it; the newest known rules if left out or not readable. */
  readonly kernel?: string | undefined;
  /** Decides by changes instead of `kernel`, where a variant names one. */
  readonly rules?: KernelRules | undefined;
  /** The IOMMU driver, as in facts of kind `iommu`. */
  readonly driver?: string | undefined;
  /** A line that the kernel logged: it shows which variant it was, whatever `kernel` says. */
  readonly log?: string | undefined;
}

/** The variant of a rule that holds in a context; it has no older variants of its own. */
export function ruleIn({ was = [], ...newest }: Rule, { kernel, rules, driver, log }: RuleContext): Rule {
  const variantOf = ({ before, change: _change, driver: _driver, ...changes }: OlderRule): Rule => ({
    ...newest,
    ...changes,
    kernel: `Linux before ${before}`,
  });
  if (log !== undefined) {
    const logged = was.find((older) => older.log?.test(log));
    if (logged) return variantOf(logged);
    if (newest.log?.test(log)) return newest;
  }
  const isKnown = kernel !== undefined && parseKernelVersion(kernel) !== undefined;
  const isOlder = ({ before, change }: OlderRule): boolean => {
    if (rules && change) return !rules.has(change);
    return isKnown && isBefore(kernel, before);
  };
  // The list is newest first: the last variant that still holds is the oldest one whose limit is above the version.
  const older = was.findLast(
    (variant) => isOlder(variant) && (variant.driver === undefined || variant.driver === driver),
  );
  return older ? variantOf(older) : newest;
}

/** The rules of one kernel: each in the variant that holds for `driver`. */
export function rulesIn<Name extends string>(
  rules: Readonly<Record<Name, Rule>>,
  context: RuleContext,
): Readonly<Record<Name, Rule>> {
  const entries = Object.entries<Rule>(rules).map(([name, rule]) => [name, rule.was ? ruleIn(rule, context) : rule]);
  return Object.fromEntries(entries) as Record<Name, Rule>;
}

/** Who decides by these rules: `Linux 6.12, vfio_iommu_iova_dma_valid; iopt_check_iova`. Each kernel is named once. */
export function sourceOf(...rules: readonly Pick<Rule, 'kernel' | 'where'>[]): string {
  const places = new Map<string, Set<string>>();
  for (const { kernel, where } of rules) places.set(kernel, (places.get(kernel) ?? new Set()).add(where));
  return [...places].map(([kernel, where]) => `${kernel}, ${[...where].join('; ')}`).join('; ');
}
