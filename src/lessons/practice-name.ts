// The names of practice: `practice-42`, or `practice-42-overlap-unmap` for exercises of some kinds alone.

/** What an exercise is about, from the easiest on. Part of names: they must not change. */
export const PRACTICE_KINDS = ['overlap', 'aperture', 'alignment', 'unmap', 'order'] as const;
export type PracticeKind = (typeof PRACTICE_KINDS)[number];

/** Exercises to be made. */
export interface Practice {
  /** 0 … 2^32−1: the same exercises for the same number. */
  readonly seed: number;
  /** At least one, from the easiest on. */
  readonly kinds: readonly PracticeKind[];
}

/** The number of exercises, of its decimal digits alone; undefined for anything else. */
export function parseSeed(digits: string): number | undefined {
  const seed = /^\d{1,10}$/.test(digits) ? Number(digits) : undefined;
  return seed === undefined || seed >= 2 ** 32 ? undefined : seed;
}

/** The exercises that a name is of; undefined for any other name. */
export function parsePracticeName(name: string): Practice | undefined {
  const [, digits = '', words = ''] = /^practice-(\d+)((?:-[a-z]+)*)$/.exec(name) ?? [];
  const seed = parseSeed(digits);
  if (seed === undefined) return undefined;
  const named = words.split('-').slice(1);
  const kinds = PRACTICE_KINDS.filter((kind) => named.length === 0 || named.includes(kind));
  const isKnown = named.every((word) => (PRACTICE_KINDS as readonly string[]).includes(word));
  return isKnown ? { seed, kinds } : undefined;
}

/** The name of exercises: without kinds if they are of all. */
export function practiceName({ seed, kinds }: Practice): string {
  const isOfAll = PRACTICE_KINDS.every((kind) => kinds.includes(kind));
  return ['practice', seed, ...(isOfAll ? [] : kinds)].join('-');
}
