// Runs the command line from the sources: `node scripts/cli.mjs COMMAND …`. What is stale is built first, into the file
// that the published package runs. `--build-only` builds and stops.
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleForNode } from './bundle.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const target = join(root, 'dist', 'cli', 'iovascope.js');
/** Built last, after index.html. */
const page = join(root, 'dist', 'web', 'offline.html');
const [command] = process.argv.slice(2);

/** Time of the last change in milliseconds, or undefined if there is no such file. */
async function changed(path) {
  try {
    return (await stat(path)).mtimeMs;
  } catch (error) {
    if (error.code === 'ENOENT') return undefined;
    throw error;
  }
}

async function filesBelow(...names) {
  const folder = join(root, ...names);
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
}

/** True if a built file is newer than everything that it is built from. */
async function isFresh(built, ...more) {
  const time = await changed(built);
  if (time === undefined) return false;
  const named = ['package-lock.json', 'package.json', 'index.html', 'vite.config.ts'].map((name) => join(root, name));
  const inputs = [...(await filesBelow('src')), ...named, fileURLToPath(import.meta.url), ...more];
  const times = await Promise.all(inputs.map(changed));
  return times.every((input) => input === undefined || input <= time);
}

async function build() {
  const started = new Date();
  // Several processes may build at once: each in a folder of its own, and the rename is atomic.
  const folder = join(root, 'dist', `cli-${randomUUID()}`);
  try {
    // The published package has no dependencies.
    await bundleForNode({
      entry: join(root, 'src', 'cli', 'bin.ts'),
      folder,
      file: 'iovascope.js',
      // Optional native parts of ws, which does without them.
      external: ['bufferutil', 'utf-8-validate'],
      banner: '#!/usr/bin/env node',
    });
    const made = join(folder, 'iovascope.js');
    await chmod(made, 0o755);
    // Not newer than its inputs: what changed while it was being built makes it stale.
    await utimes(made, started, started);
    await mkdir(dirname(target), { recursive: true });
    await rename(made, target);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

/** Builds what `open` and `agent` serve. */
async function buildPage() {
  if (await isFresh(page, join(root, 'vite.offline.config.ts'), ...(await filesBelow('public')))) return;
  const { build: bundle } = await import('vite');
  await bundle({ root, logLevel: 'error' });
  await bundle({ root, logLevel: 'error', configFile: join(root, 'vite.offline.config.ts') });
}

if (!(await isFresh(target))) await build();
const isHelp = process.argv.includes('--help') || process.argv.includes('-h');
const needsPage = command === 'render' && process.argv.some((argument) => /\.(?:html|png)$/i.test(argument));
const servesPage =
  needsPage || command === 'open' || command === 'agent' || (command !== undefined && existsSync(command));
if (servesPage && !isHelp) await buildPage();
if (command !== '--build-only') {
  process.argv[1] = target;
  await import(pathToFileURL(target).href);
}
