// npm run -s mutate -- [--share S] [--seed N] [--concurrency N] [--json] PATH…: puts small faults (mutants) into the
// code of each path below src, a room or one file, runs the unit tests of its room for each fault, and prints the faults
// that no test notices and the share that is caught. --share 0.05 tries a random twentieth of the faults, --seed selects
// another one. Needs minutes to hours, so it is no part of the tests.
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { Stryker } from '@stryker-mutator/core';
import { isSampled } from './mutate.sample.mjs';

/** @typedef {import('./mutate.sample.mjs').MutantResult} MutantResult */

const USAGE =
  'usage: npm run -s mutate -- [--share 0.05] [--seed N] [--concurrency N] [--json] PATH…, each PATH below src';
/** Not in the sample, or no fault that can be run. */
const NOT_TRIED = ['CompileError', 'RuntimeError', 'Ignored'];
const root = dirname(dirname(fileURLToPath(import.meta.url)));

/**
 * @param {string} problem
 * @returns {never}
 */
function exitWithUsage(problem) {
  console.error(`${problem}\n${USAGE}`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: {
        share: { type: 'string', default: '1' },
        seed: { type: 'string', default: '1' },
        concurrency: { type: 'string', default: '1' },
        json: { type: 'boolean', default: false },
      },
    });
  } catch (error) {
    return exitWithUsage(error instanceof Error ? error.message : String(error));
  }
}

const { values, positionals } = readArguments();
const share = Number(values.share);
const concurrency = Number(values.concurrency);
if (!(share > 0 && share <= 1)) exitWithUsage(`--share ${values.share}: expected a number above 0, at most 1`);
if (!(Number.isInteger(concurrency) && concurrency > 0)) {
  exitWithUsage(`--concurrency ${values.concurrency}: expected a number of at least 1`);
}
if (positionals.length === 0) exitWithUsage('no path given');
// The sample is drawn in a process of its own, which inherits these.
process.env.MUTATE_SHARE = values.share;
process.env.MUTATE_SEED = values.seed;
process.chdir(root);

/**
 * Runs the room's unit tests against every sampled mutant of a room or file.
 * @param {string} target path below src
 */
async function mutantsOf(target) {
  const files = statSync(join(root, 'src', target)).isDirectory() ? `src/${target}/**/*.{ts,tsx}` : `src/${target}`;
  const room = target.split('/')[0] ?? '';
  const folder = mkdtempSync(join(tmpdir(), 'iovascope-mutate-'));
  const reportFile = join(folder, 'report.json');
  const stryker = new Stryker({
    mutate: [files, '!**/*.test.ts', '!**/testing/**'],
    testRunner: 'vitest',
    checkers: ['sample'],
    plugins: ['@stryker-mutator/vitest-runner', join(root, 'scripts/mutate.sample.mjs')],
    vitest: { configFile: 'vitest.mutate.config.ts', dir: `src/${room}`, related: false },
    // Texts are for people, and an optional chain that is not needed does not compile: neither says much about the tests.
    mutator: { excludedMutations: ['StringLiteral', 'OptionalChaining'] },
    // Stryker reads the file with TypeScript's old interface, which TypeScript 7 does not have; nothing here needs it.
    tsconfigFile: 'none',
    ignorePatterns: ['/dist', '/e2e', '/test-results'],
    coverageAnalysis: 'perTest',
    concurrency,
    timeoutMS: 10_000,
    // The first run, without a fault: slow machines take long for it.
    dryRunTimeoutMinutes: 60,
    reporters: ['json'],
    jsonReporter: { fileName: reportFile },
    logLevel: 'error',
    allowEmpty: true,
  });
  try {
    const mutants = await stryker.runMutationTest();
    requireAllTests(room, JSON.parse(readFileSync(reportFile, 'utf8')));
    // What no test runs is never shown to the checker.
    return mutants.filter((mutant) =>
      mutant.status === 'NoCoverage' ? isSampled(mutant) : !NOT_TRIED.includes(mutant.status),
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/**
 * Throws if a test file of the room did not run: Stryker is silent if its own changes make a module unreadable.
 * @param {string} room
 * @param {{ testFiles?: Record<string, unknown> }} report
 */
function requireAllTests(room, { testFiles = {} }) {
  const missing = readdirSync(join(root, 'src', room), { recursive: true, encoding: 'utf8' })
    .map((file) => `src/${room}/${file.replaceAll(sep, '/')}`)
    .filter((file) => /\.test\.ts$/.test(file) && !/\.browser\.test\.ts$/.test(file) && !(file in testFiles));
  if (missing.length > 0) throw new Error(`these tests did not run, so the figures are wrong: ${missing.join(', ')}`);
}

/** @param {MutantResult} mutant */
const isCaught = ({ status }) => status === 'Killed' || status === 'Timeout';

/** @param {MutantResult} mutant */
function describeMutant({ fileName, location: { start }, mutatorName, replacement, status }) {
  const change = replacement.replaceAll(/\s+/g, ' ');
  const shown = change.length > 100 ? `${change.slice(0, 99)}…` : change;
  return `${relative(root, fileName)}:${start.line}:${start.column}  ${mutatorName}${status === 'NoCoverage' ? ', not run by any test' : ''}  -> ${shown}`;
}

for (const target of positionals) {
  const mutants = await mutantsOf(target);
  const caught = mutants.filter(isCaught).length;
  const survivors = mutants.filter((mutant) => !isCaught(mutant));
  if (values.json) {
    console.log(JSON.stringify({ target, mutants: mutants.length, caught, survivors: survivors.map(describeMutant) }));
  } else {
    for (const mutant of survivors) console.log(describeMutant(mutant));
    const percent = mutants.length === 0 ? 0 : Math.round((100 * caught) / mutants.length);
    console.log(`${target}: ${caught} of ${mutants.length} faults caught (${percent} %)`);
  }
}
