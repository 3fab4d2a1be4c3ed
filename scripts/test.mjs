// npm test: everything a contribution must pass. Runs all steps even after one failed; the last line has the totals. Steps
// that use one processor run beside the unit tests; the output of each is printed when it ends.
import { spawn } from 'node:child_process';
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

/** Titles of the steps that run now. */
const running = new Set();

/** Runs a step to its end; prints its output then, or at once if it is `alone`. Returns whether its exit code is 0. */
function run(title, program, args, { env = {}, alone = false } = {}) {
  running.add(title);
  console.log(`\n── running: ${[...running].join(', ')}`);
  const started = Date.now();
  const child = spawn(program, args, {
    stdio: ['ignore', alone ? 'inherit' : 'pipe', alone ? 'inherit' : 'pipe'],
    // The pipe hides the terminal from the program.
    env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: '1' } : {}), ...env },
  });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk));
  return new Promise((resolve) => {
    const end = (ok) => {
      running.delete(title);
      process.stdout.write(`\n── ${title} (${Math.round((Date.now() - started) / 1000)} s)\n`);
      process.stdout.write(Buffer.concat(output));
      resolve(ok);
    };
    child.on('error', (error) => {
      output.push(Buffer.from(`${error}\n`));
      end(false);
    });
    child.on('close', (code) => end(code === 0));
  });
}

const runTool = (title, tool, args, options) => run(title, 'npx', ['--no-install', tool, ...args], options);

function count(title, ok) {
  if (ok) passed++;
  else fail(title);
}

function fail(...names) {
  failed += names.length;
  failures.push(...names);
}

/** A step that is one check. */
async function check(title, tool, args) {
  count(title, await runTool(title, tool, args));
}

/** A step that is one npm script. */
async function checkScript(title, script, args = []) {
  count(title, await run(title, 'npm', ['run', '-s', script, '--', ...args]));
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

async function vitest(title, project) {
  const file = path.join(folder, `${project}.json`);
  const ok = await runTool(title, 'vitest', [
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
  const names = (report?.testResults ?? []).flatMap(namesOfFailed);
  fail(...names);
  // A run without tests proves nothing.
  if ((!ok && names.length === 0) || !report?.numPassedTests) fail(`${title} (the run itself)`);
}

/** The failed tests of a file in a report of vitest; the file itself if it could not be loaded, or failed at its end. */
function namesOfFailed({ name, status, assertionResults }) {
  const file = path.relative('.', name);
  const tests = assertionResults.filter((test) => test.status === 'failed');
  if (status === 'failed' && tests.length === 0) return [`${file} (the file itself)`];
  return tests.map(({ fullName }) => `${file}: ${fullName}`);
}

/** Tests of a Playwright report with this result, as `file:line title`; "flaky" failed first and passed when repeated. */
function testsWith(result, { suites }) {
  const specs = (suite) => [...(suite.specs ?? []), ...(suite.suites ?? []).flatMap(specs)];
  return suites
    .flatMap(specs)
    .filter(({ tests }) => tests.some(({ status }) => status === result))
    .map(({ file, line, title }) => `${file}:${line} ${title}`);
}

async function playwright(title) {
  const file = path.join(folder, 'e2e.json');
  const ok = await runTool(title, 'playwright', ['test', '--reporter=list,json'], {
    env: { PLAYWRIGHT_JSON_OUTPUT_NAME: file },
    alone: true,
  });
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

/** What needs nothing, what needs the build, and tests in the browser. */
async function checksOneByOne() {
  await check('types', 'tsc', ['--noEmit']);
  await check('format, lint and import rules', 'biome', ['ci', '--error-on-warnings', '.']);
  await check('unused code', 'knip', []);
  await checkScript('build', 'build');
  await checkScript('size of the first load', 'size', ['--built']);
  await checkScript('the package, installed', 'test:package', ['--built']);
  await vitest('worker tests in the browser', 'browser');
}

await Promise.all([checksOneByOne(), vitest('unit and property tests', 'node')]);
// They use all processors, and wait for pictures.
await playwright('browser tests');
rmSync(folder, { recursive: true, force: true });
function list(title, names) {
  if (names.length > 0) console.log(`\n${title}:\n${names.map((name) => `  ${name}`).join('\n')}`);
}

list('Passed only at the second attempt, to be mended', flaky);
list('Failed', failures);
const counts = [`${passed} passed`, `${failed} failed`, ...(flaky.length > 0 ? [`${flaky.length} flaky`] : [])];
console.log(`\n${[...counts, `${skipped} skipped`].join(', ')}`);
process.exit(failed === 0 ? 0 : 1);
