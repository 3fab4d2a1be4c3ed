// One difference between versions of the kernel, and whether a version has it.
import { parseKernelVersion } from './versions.ts';

/** One difference between versions. */
export interface KernelChange {
  /** The models that it concerns. */
  readonly models: readonly string[];
  /** The first version with the present rule; without a patch, the first of that series. */
  readonly since: string;
  /** The first versions of older stable series that have it too. */
  readonly stable?: readonly string[];
  /** The newest version that is known not to have it, if there are others between it and `since`. */
  readonly lastWithout?: string;
  /** True if `since` was read in sources and is not certain: show it as "about". */
  readonly approximate?: true;
  /** What it was, and what it is: sentences without their full stop. */
  readonly was: string;
  readonly now: string;
  /** How it is known. */
  readonly source: string;
}

/** How a change is known whose two versions were run. */
export const MEASURED = 'measured';

/** Major, minor, patch as one number; a patch that is not given counts as `patch`. */
function rank(text: string, patch: number): number {
  const version = parseKernelVersion(text);
  if (!version) return Number.NaN;
  return (version.major * 1000 + version.minor) * 100_000 + (version.hasPatch ? version.patch : patch);
}

/** The newest patch of a series: what a version without a patch means. */
const NEWEST_PATCH = 99_999;

/**
 * Whether a version has the present rule. A version without a patch is the newest of its series. `unknown`: it is between
 * the newest version known to have the older rule and the oldest known to have the present one.
 */
export function hasChange(change: KernelChange, version: string): 'yes' | 'no' | 'unknown' {
  const at = rank(version, NEWEST_PATCH);
  if (at >= rank(change.since, 0)) return 'yes';
  const parsed = parseKernelVersion(version);
  const inStable = (change.stable ?? []).some((first) => {
    const stable = parseKernelVersion(first);
    return stable?.major === parsed?.major && stable?.minor === parsed?.minor && at >= rank(first, 0);
  });
  if (inStable) return 'yes';
  return change.lastWithout !== undefined && at > rank(change.lastWithout, NEWEST_PATCH) ? 'unknown' : 'no';
}

/** True if `version` is older than `since`; a version without a patch is the newest of its series. */
export function isBefore(version: string, since: string): boolean {
  return rank(version, NEWEST_PATCH) < rank(since, 0);
}

/** Negative if `a` is older than `b`; a version without a patch is the newest of its series. */
export function compareVersionTexts(a: string, b: string): number {
  return rank(a, NEWEST_PATCH) - rank(b, NEWEST_PATCH);
}
