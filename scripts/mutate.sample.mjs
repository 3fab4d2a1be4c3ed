// A checker for StrykerJS that lets a seeded sample of the mutants through. A large room has thousands of mutants, and
// a few hundred of them give the same share within a few percent.

/** @typedef {import('@stryker-mutator/core').Stryker} Stryker */
/** @typedef {Awaited<ReturnType<Stryker['runMutationTest']>>[number]} MutantResult */
/** @typedef {Pick<MutantResult, 'id' | 'fileName' | 'location' | 'replacement'>} Mutant */

/**
 * True if a mutant belongs to the sample: the same mutant of the same text gives the same answer in every process.
 * MUTATE_SHARE is the share to keep, 0 to 1; MUTATE_SEED selects another sample.
 * @param {Mutant} mutant
 */
export function isSampled({ fileName, location: { start, end }, replacement }) {
  const file = fileName.replace(/.*[\\/]src[\\/]/, '');
  const key = [process.env.MUTATE_SEED, file, start.line, start.column, end.line, end.column, replacement].join(' ');
  // FNV-1a, then a final mix, so that neighbouring places do not fall together.
  let hash = 0x811c9dc5;
  for (const character of key) hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32 < Number(process.env.MUTATE_SHARE ?? 1);
}

class SampleChecker {
  async init() {}

  /** @param {Mutant[]} mutants */
  group(mutants) {
    return [mutants.map(({ id }) => id)];
  }

  /** @param {Mutant[]} mutants */
  async check(mutants) {
    return Object.fromEntries(
      mutants.map((mutant) => [
        mutant.id,
        isSampled(mutant) ? { status: 'passed' } : { status: 'compileError', reason: 'not in the sample' },
      ]),
    );
  }
}

export const strykerPlugins = [{ kind: 'Checker', name: 'sample', injectableClass: SampleChecker }];
