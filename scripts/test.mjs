// npm test: everything a contribution must pass. Runs all steps even after one failed; the last line has the totals.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { BROWSER_PACKAGES, findBrowser } from './browser.mjs';
import { canInstall, installPackages } from './debian.mjs';
import { isUsable, packagesFor } from './programs.mjs';

/** Programs without which tests fail; in CI also those without which tests are skipped elsewhere. */
const PROGRAMS = [
  ...['make', 'cc'],
  ...(process.env.CI ? ['musl-gcc', 'aarch64-linux-gnu-gcc', 'qemu-aarch64', 'shellcheck'] : []),
];

const folder = mkdtempSync(path.join(tmpdir(), 'iovascope-test-'));
let passed = 0;
let failed = 0;
let skipped = 0;
/** What failed: steps, and tests as far as a report names them. */
const failures = [];
/** Tests that passed only when they were repeated (in CI: see playwright.config.ts). */
const flaky = [];

function run(title, command, args, env = {}) {
  console.log(`\n── ${title}`);
  const { status } = spawnSync('npx', ['--no-install', command, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  return status === 0;
}

function count(title, ok) {
  if (ok) passed++;
  else fail(title);
}

function fail(...names) {
  failed += names.length;
  failures.push(...names);
}

/** A step that is one check. */
function check(title, command, args) {
  count(title, run(title, command, args));
}

/** A step that is one npm script. */
function checkScript(title, script, args = []) {
  console.log(`\n── ${title}`);
  const { status } = spawnSync('npm', ['run', '-s', script, '--', ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  count(title, status === 0);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

function vitest(title, project) {
  const file = path.join(folder, `${project}.json`);
  const ok = run(title, 'vitest', [
    'run',
    '--project',
    project,
    '--reporter=default',
    '--reporter=json',
    `--outputFile.json=${file}`,
  ]);
  const report = readJson(file);
  passed += report?.numPassedTests ?? 0;
  skipped += report?.numPendingTests ?? 0;
  const files = report?.testResults ?? [];
  fail(
    ...files.flatMap(({ name, assertionResults }) =>
      assertionResults
        .filter(({ status }) => status === 'failed')
        .map(({ fullName }) => `${path.relative('.', name)}: ${fullName}`),
    ),
  );
  // A suite that could not even be loaded has no failed test, and a run without tests proves nothing.
  if ((!ok && !report?.numFailedTests) || !report?.numPassedTests) fail(`${title} (the run itself)`);
}

/** Tests of a Playwright report with this result, as `file:line title`; "flaky" failed first and passed when repeated. */
function testsWith(result, { suites }) {
  const specs = (suite) => [...(suite.specs ?? []), ...(suite.suites ?? []).flatMap(specs)];
  return suites
    .flatMap(specs)
    .filter(({ tests }) => tests.some(({ status }) => status === result))
    .map(({ file, line, title }) => `${file}:${line} ${title}`);
}

function playwright(title) {
  const file = path.join(folder, 'e2e.json');
  const ok = run(title, 'playwright', ['test', '--reporter=list,json'], { PLAYWRIGHT_JSON_OUTPUT_NAME: file });
  const report = readJson(file);
  const stats = report?.stats;
  passed += stats?.expected ?? 0;
  skipped += stats?.skipped ?? 0;
  if (report) {
    fail(...testsWith('unexpected', report));
    flaky.push(...testsWith('flaky', report));
  }
  if ((!ok && !stats?.unexpected) || !stats?.expected) fail(`${title} (the run itself)`);
}

/** Installs what is missing; false if it cannot: the command to run has been printed. */
function prepare() {
  const missing = () => [
    ...packagesFor(PROGRAMS.filter((name) => !isUsable(name))),
    ...(findBrowser() ? [] : BROWSER_PACKAGES),
  ];
  const packages = missing();
  if (packages.length === 0) return true;
  if (canInstall()) {
    console.log(`npm test needs these Debian packages and installs them now: ${packages.join(' ')}`);
    if (installPackages(packages) && missing().length === 0) return true;
  }
  console.error(`npm test needs packages that are not installed. Run: sudo apt install ${packages.join(' ')}`);
  return false;
}

if (!prepare()) process.exit(1);
check('types', 'tsc', ['--noEmit']);
check('format, lint and import rules', 'biome', ['ci', '--error-on-warnings', '.']);
check('unused code', 'knip', []);
vitest('unit and property tests', 'node');
vitest('worker tests in the browser', 'browser');
checkScript('build', 'build');
checkScript('size of the first load', 'size', ['--built']);
checkScript('the package, installed', 'test:package', ['--built']);
playwright('browser tests');
rmSync(folder, { recursive: true, force: true });
function list(title, names) {
  if (names.length > 0) console.log(`\n${title}:\n${names.map((name) => `  ${name}`).join('\n')}`);
}

list('Passed only at the second attempt, to be mended', flaky);
list('Failed', failures);
const counts = [`${passed} passed`, `${failed} failed`, ...(flaky.length > 0 ? [`${flaky.length} flaky`] : [])];
console.log(`\n${[...counts, `${skipped} skipped`].join(', ')}`);
process.exit(failed === 0 ? 0 : 1);
