// npm run -s bench:fleet [-- [--hosts N] [--write FOLDER] [FORM…]]: `compare` over the dumps of a made-up fleet, one JSON
// object per line: CPU time, time and peak memory of the process. FORM: `folders` (one a host), `tars` (one a host), `tar`
// (one of all folders). --write FOLDER: leave the dumps there, and run nothing.
import { spawn } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { bundleForNode } from './bundle.mjs';

const FORMS = ['folders', 'tars', 'tar'];
const root = dirname(dirname(fileURLToPath(import.meta.url)));

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { hosts: { type: 'string' }, write: { type: 'string' } },
});
const count = Number(values.hosts ?? 1000);
const forms = positionals.length > 0 ? positionals : FORMS;
const strange = forms.find((form) => !FORMS.includes(form));
if (strange !== undefined || !Number.isInteger(count) || count < 2) {
  console.error(`usage: npm run -s bench:fleet [-- [--hosts N] [--write FOLDER] [${FORMS.join(' | ')}]…]`);
  process.exit(2);
}

const place = values.write ?? (await mkdtemp(join(tmpdir(), 'iovascope-fleet-')));

/** @returns {Promise<typeof import('../bench/fleet.ts')>} */
async function fleet() {
  const folder = await mkdtemp(join(tmpdir(), 'iovascope-bench-'));
  try {
    await bundleForNode({ entry: join(root, 'bench', 'fleet.ts'), folder, file: 'fleet.mjs' });
    return await import(pathToFileURL(join(folder, 'fleet.mjs')).href);
  } finally {
    await rm(folder, { recursive: true });
  }
}

const { fleetHost, tarOfFleet, tarOfHost } = await fleet();

/** Writes the dumps in a form. Returns the arguments for `compare`. */
async function write(form) {
  const below = join(place, form);
  await mkdir(below, { recursive: true });
  if (form === 'tar') {
    const file = join(below, 'fleet.tar');
    await pipeline(Readable.from(tarOfFleet(count)), createWriteStream(file));
    return [file];
  }
  const paths = [];
  for (let index = 0; index < count; index++) {
    const host = fleetHost(index, count);
    const path = join(below, form === 'tars' ? `${host.name}.tar` : host.name);
    paths.push(path);
    if (form === 'tars') await writeFile(path, await tarOfHost(host));
    else {
      for (const file of host.files) {
        const target = join(path, file.path);
        await mkdir(dirname(target), { recursive: true });
        if ('target' in file) await symlink(file.target, target);
        else await writeFile(target, file.text);
      }
    }
  }
  return paths;
}

/** Printed on stderr when the process ends. */
const REPORT = `process.on('exit', () => {
  const { userCPUTime, systemCPUTime, maxRSS } = process.resourceUsage();
  console.error(JSON.stringify({ cpu_ms: Math.round((userCPUTime + systemCPUTime) / 1000), peak_mb: Math.round(maxRSS / 1000) }));
});`;

function compare(paths) {
  const begun = performance.now();
  const cli = join(root, 'dist', 'cli', 'iovascope.js');
  const child = spawn(
    process.execPath,
    ['--import', `data:text/javascript,${encodeURIComponent(REPORT)}`, cli, 'compare', '--json', ...paths],
    { stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let out = '';
  let errors = '';
  child.stdout.on('data', (piece) => {
    out += piece;
  });
  child.stderr.on('data', (piece) => {
    errors += piece;
  });
  return new Promise((resolve, reject) => {
    child.on('close', (code) => {
      const report = errors.trimEnd().split('\n').at(-1) ?? '';
      if (code !== 0) return reject(new Error(`compare ended with ${code}: ${errors.slice(0, 2000)}`));
      const { alike } = JSON.parse(out);
      const sizes = alike.map((names) => names.length);
      resolve({ ...JSON.parse(report), ms: Math.round(performance.now() - begun), classes: sizes });
    });
  });
}

try {
  for (const form of forms) {
    const paths = await write(form);
    if (values.write === undefined) {
      console.log(JSON.stringify({ bench: `compare-${form}`, n: count, ...(await compare(paths)) }));
    }
  }
} finally {
  if (values.write === undefined) await rm(place, { recursive: true, force: true });
}
