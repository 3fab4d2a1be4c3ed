// npm run -s bench:answers [-- FOLDER…]: the share of cases whose answer names the cause, range, device and remedy that a
// person would name. A case is a JSON file, described in src/lib/testing/answer-cases.ts. Without a folder: those of
// bench/answers. Prints a line for each case and the share; exit code 1 if one is missed, 2 if a case cannot be used.
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { bundleForNode } from './bundle.mjs';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const given = process.argv.slice(2);
const folders = given.length > 0 ? given.map((folder) => resolve(folder)) : [join(root, 'bench', 'answers')];
const place = await mkdtemp(join(tmpdir(), 'iovascope-answers-'));

/** @param {string} file */
async function readCase(file) {
  const one = JSON.parse(await readFile(file, 'utf8'));
  if (typeof one?.title !== 'string' || typeof one?.expect !== 'object') throw new Error('no title or no expect');
  const inputs = await Promise.all(
    (one.files ?? []).map(async (/** @type {string} */ path) => ({
      name: basename(path),
      data: new Uint8Array(await readFile(resolve(dirname(file), path))),
    })),
  );
  return { one, inputs };
}

let hits = 0;
let misses = 0;
let unusable = 0;
try {
  const entry = join(root, 'src', 'lib', 'testing', 'answer-cases.ts');
  await bundleForNode({ entry, folder: place, file: 'cases.mjs' });
  const { tryCase } = await import(pathToFileURL(join(place, 'cases.mjs')).href);
  for (const folder of folders) {
    const names = (await readdir(folder)).filter((name) => name.endsWith('.json')).sort();
    if (names.length === 0) {
      console.error(`${folder}: no cases (*.json)`);
      unusable++;
    }
    for (const name of names) {
      try {
        const { one, inputs } = await readCase(join(folder, name));
        const { missing, severity, text } = await tryCase(one, inputs);
        if (missing.length === 0) hits++;
        else misses++;
        console.log(`${missing.length === 0 ? 'hit ' : 'MISS'} ${name}: ${one.title}`);
        if (missing.length > 0) console.log(`     missing: ${missing.join('; ')}\n     answer: ${severity}: ${text}`);
      } catch (error) {
        unusable++;
        console.error(`${join(folder, name)}: ${error instanceof Error ? error.message : String(error)}`);
      }
    }
  }
} catch (error) {
  unusable++;
  console.error(error instanceof Error ? error.message : String(error));
} finally {
  await rm(place, { recursive: true, force: true });
}
const total = hits + misses;
console.log(`${hits} of ${total} cases${total > 0 ? `, ${Math.round((100 * hits) / total)} %` : ''}`);
process.exitCode = unusable > 0 ? 2 : misses > 0 ? 1 : 0;
