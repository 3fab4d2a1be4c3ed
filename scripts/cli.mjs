// Runs the command line from the sources: `node scripts/cli.mjs VERB …`. What is stale is built first, into the file
// that the published package runs. `--build-only` builds and stops.
import { randomUUID } from 'node:crypto';
import { chmod, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'dist', 'cli', 'iovascope.js');

/** Time of the last change in milliseconds, or undefined if there is no such file. */
async function changed(path) {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function isFresh() {
  const built = await changed(target);
  if (built === undefined) return false;
  const entries = await readdir(join(root, 'src'), { recursive: true, withFileTypes: true });
  const sources = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  const inputs = [...sources, fileURLToPath(import.meta.url)];
  for (const name of ['package-lock.json', 'package.json']) inputs.push(join(root, name));
  const times = await Promise.all(inputs.map(changed));
  return times.every((time) => time === undefined || time <= built);
}

async function build() {
  const started = new Date();
  const { build: bundle } = await import('vite');
  // Several may build at once: each in a place of its own, and the rename decides at one stroke.
  const place = join(root, 'dist', `cli-${randomUUID()}`);
  try {
    await bundle({
      root,
      configFile: false,
      logLevel: 'error',
      publicDir: false,
      build: {
        ssr: join(root, 'src', 'cli', 'bin.ts'),
        target: 'node20',
        outDir: place,
        emptyOutDir: true,
        minify: false,
        rolldownOptions: {
          output: { entryFileNames: 'iovascope.js', codeSplitting: false, banner: '#!/usr/bin/env node' },
        },
      },
    });
    const made = join(place, 'iovascope.js');
    await chmod(made, 0o755);
    // As old as its inputs at least: what changed while it was being built makes it stale.
    await utimes(made, started, started);
    await mkdir(dirname(target), { recursive: true });
    await rename(made, target);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

/** What the agent serves and runs is built when it is first asked for. */
async function prepareAgent(args) {
  const { build: bundle } = await import('vite');
  if ((await changed(join(root, 'dist', 'web', 'index.html'))) === undefined) await bundle({ root, logLevel: 'error' });
  const isNamed = args.some((arg) => arg === '--probe' || arg.startsWith('--probe='));
  if (isNamed || (await changed(join(root, 'dist', 'probe', 'iovascope-probe'))) !== undefined) return;
  const { buildProbe } = await import('./build-probe.mjs');
  await buildProbe();
}

if (!(await isFresh())) await build();
if (process.argv[2] === 'agent' && !process.argv.includes('--help')) await prepareAgent(process.argv.slice(3));
if (process.argv[2] !== '--build-only') {
  process.argv[1] = target;
  await import(pathToFileURL(target).href);
}
