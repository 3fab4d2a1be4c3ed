// npm run -s bench [-- [--browser] [--only IMPL] [--bytes N] [N…]]: the engine's workload and the reading of text, one
// JSON object per line, in Node or in Chromium. N: numbers of areas; default: 1,000 to 1,000,000. --bytes: how much text is
// read, 0 for none.
/** @typedef {import('../bench/suite.ts').SuiteOptions} SuiteOptions */
/** @typedef {import('../bench/page.ts')} Page */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { chromium } from '@playwright/test';
import { build } from 'vite';
import { BROWSER_ARGS, requireBrowser } from './browser.mjs';
import { bundleForNode } from './bundle.mjs';

const USAGE =
  'usage: npm run -s bench [-- [--browser] [--only IMPL]… [--bytes N] [N…]], each N a number of areas of at least 1';

/** @param {string} problem */
function usageError(problem) {
  console.error(`${problem}\n${USAGE}`);
  process.exit(2);
}

function readArguments() {
  try {
    return parseArgs({
      allowPositionals: true,
      options: { browser: { type: 'boolean' }, only: { type: 'string', multiple: true }, bytes: { type: 'string' } },
    });
  } catch (error) {
    return usageError(error instanceof Error ? error.message : String(error));
  }
}

const { values, positionals } = readArguments();
const given = positionals.map((text) => Number(text.replaceAll(/[_,]/g, '')));
if (given.some((n) => !Number.isInteger(n) || n < 1 || n > 20_000_000))
  usageError('expected numbers of areas from 1 to 20,000,000');
const bytes = values.bytes === undefined ? undefined : Number(values.bytes.replaceAll(/[_,]/g, ''));
if (bytes !== undefined && !(Number.isInteger(bytes) && bytes >= 0)) usageError('--bytes: expected a whole number');
const sizes = given.length > 0 ? given : [1_000, 10_000, 100_000, 1_000_000];

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const place = await mkdtemp(join(tmpdir(), 'iovascope-bench-'));

/**
 * Bundles a file of bench/ and answers the path of the script.
 * @param {string} name
 * @param {'node' | 'page'} target
 */
async function bundle(name, target) {
  const entry = join(root, 'bench', name);
  const file = `${target}.mjs`;
  if (target === 'node') await bundleForNode({ entry, folder: place, file });
  else {
    await build({
      root,
      configFile: false,
      logLevel: 'error',
      publicDir: false,
      build: {
        target: 'es2023',
        outDir: place,
        emptyOutDir: false,
        minify: false,
        rolldownOptions: { input: entry, output: { entryFileNames: file, codeSplitting: false } },
      },
    });
  }
  return join(place, file);
}

/** @param {object} line */
function print(line) {
  console.log(JSON.stringify(line));
}

/** @param {(options: SuiteOptions) => Promise<void>} run */
async function checkAndRun(run) {
  /** @type {typeof import('../bench/suite.ts')} */
  const { CONTENDER_NAMES } = await import(pathToFileURL(await bundle('suite.ts', 'node')).href);
  const strange = values.only?.find((name) => !CONTENDER_NAMES.includes(name));
  if (strange !== undefined) {
    console.error(`unknown impl '${strange}'; known: ${CONTENDER_NAMES.join(', ')}`);
    process.exitCode = 2;
    return;
  }
  await run({ sizes, only: values.only, bytes });
}

async function inNode() {
  /** @type {typeof import('../bench/suite.ts')} */
  const { runSuite } = await import(pathToFileURL(join(place, 'node.mjs')).href);
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc');
  await runSuite({ sizes, only: values.only, bytes }, print, () => {
    // Buffers are swept in the background: the next collection waits for that.
    for (let i = 0; i < 4; i++) collect();
    const { heapUsed, arrayBuffers } = process.memoryUsage();
    return heapUsed + arrayBuffers;
  });
}

/** @param {SuiteOptions} options */
async function inBrowser(options) {
  const script = await bundle('page.ts', 'page');
  const browser = await chromium.launch({ executablePath: requireBrowser(), args: BROWSER_ARGS });
  try {
    const page = await browser.newPage();
    page.on('pageerror', (error) => console.error(error.message));
    await page.exposeFunction('reportBench', (/** @type {string} */ line) =>
      print({ ...JSON.parse(line), in: 'chromium' }),
    );
    await page.addScriptTag({ path: script, type: 'module' });
    await page.waitForFunction(() => window.runBench !== undefined);
    await page.evaluate((wanted) => window.runBench?.(wanted), options);
  } finally {
    await browser.close();
  }
}

try {
  await checkAndRun(values.browser ? inBrowser : inNode);
} finally {
  await rm(place, { recursive: true, force: true });
}
