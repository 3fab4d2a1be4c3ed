// Names of practice lessons: `practice-42`, or `practice-42-overlap-unmap` for exercises of only some kinds.

/** What an exercise is about, easiest first. The names are part of links, so they must not change. */
export const PRACTICE_KINDS = ['overlap', 'aperture', 'alignment', 'unmap', 'order'] as const;
export type PracticeKind = (typeof PRACTICE_KINDS)[number];

/** Which exercises to generate. */
export interface Practice {
  /** 0 … 2^32−1. The same seed always gives the same exercises. */
  readonly seed: number;
  /** At least one, easiest first. */
  readonly kinds: readonly PracticeKind[];
}

/** Parses a seed; decimal digits only. Undefined for anything else. */
export function parseSeed(digits: string): number | undefined {
  const seed = /^\d{1,10}$/.test(digits) ? Number(digits) : undefined;
  return seed === undefined || seed >= 2 ** 32 ? undefined : seed;
}

/** The exercises that a name refers to; undefined for any other name. */
export function parsePracticeName(name: string): Practice | undefined {
  const [, digits = '', kindNames = ''] = /^practice-(\d+)((?:-[a-z]+)*)$/.exec(name) ?? [];
  const seed = parseSeed(digits);
  if (seed === undefined) return undefined;
  const named = kindNames.split('-').slice(1);
  const kinds = PRACTICE_KINDS.filter((kind) => named.length === 0 || named.includes(kind));
  const isKnown = named.every((name) => (PRACTICE_KINDS as readonly string[]).includes(name));
  return isKnown ? { seed, kinds } : undefined;
}

/** The name of these exercises; it lists the kinds only if some are missing. */
export function practiceName({ seed, kinds }: Practice): string {
  const hasAll = PRACTICE_KINDS.every((kind) => kinds.includes(kind));
  return ['practice', seed, ...(hasAll ? [] : kinds)].join('-');
}
