// Kernel versions: the order in which rules changed.

/** `major.minor.patch`; a patch that is not given counts as 0. */
export interface KernelVersion {
  readonly major: number;
  readonly minor: number;
  readonly patch: number;
  /** False if the text names a series only: `6.12`. */
  readonly hasPatch: boolean;
}

/**
 * Reads the version at the start of a text: `6.1`, `6.12.42`, `6.8.0-45-generic`, `Linux 5.10`. `undefined` if there is
 * none.
 */
export function parseKernelVersion(text: string): KernelVersion | undefined {
  const match = /^\s*(?:Linux\s+(?:version\s+)?)?v?(\d+)\.(\d+)(?:\.(\d+))?/i.exec(text);
  if (!match) return undefined;
  const [, major = '0', minor = '0', patch] = match;
  return { major: Number(major), minor: Number(minor), patch: Number(patch ?? 0), hasPatch: patch !== undefined };
}

/** Negative if `a` is older than `b`, positive if it is newer, 0 if they are the same. */
export function compareKernelVersions(a: KernelVersion, b: KernelVersion): number {
  return a.major - b.major || a.minor - b.minor || a.patch - b.patch;
}

/**
 * The series of which a kernel was run and its answers were recorded, oldest first: 5.10.223, 6.1.192, 6.12.117, 6.16.12,
 * 6.17.13, 6.18.15, 7.2.12 and 7.3.4. The last one has the newest rules.
 */
export const RECORDED_KERNELS: readonly string[] = ['5.10', '6.1', '6.12', '6.16', '6.17', '6.18', '7.2', '7.3'];
