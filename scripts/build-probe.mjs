// npm run build:probe: the native probe, static, into dist/probe, and also for arm64 if its compiler is there. Missing
// compilers are installed on Debian as root, else named. `--package`: before the package is made, also the compiler for
// arm64 is wanted, and what cannot be built is left out. The compiler's options are in src/agent/probe/Makefile.
import { spawnSync } from 'node:child_process';
import { statSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { howToGet, isUsable, missingPrograms } from './programs.mjs';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const source = path.join(root, 'src/agent/probe');

function requireCompiler() {
  const missing = missingPrograms(['make', 'cc']);
  if (missing.length > 0) throw new Error(howToGet(missing));
}

/**
 * Makes targets of the Makefile (`all`, `arm64`, `sanitize`) in a folder. Throws an error whose message is one line
 * if a compiler is missing, or the compiler's output.
 */
export function makeProbe(targets, folder) {
  requireCompiler();
  const { status, stderr } = spawnSync('make', ['-s', '-C', source, `OUT=${folder}`, ...targets], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the probe cannot be built: ${stderr.trim()}`);
}

/** Builds into dist/probe; the same errors. Returns the files. Remarks go to stderr. */
export function buildProbe(wanted = []) {
  requireCompiler();
  missingPrograms(wanted);
  const folder = path.join(root, 'dist/probe');
  const musl = missingPrograms(['musl-gcc']).length === 0;
  if (!musl) console.error(`${howToGet(['musl-gcc'])} (it makes a smaller program; building with cc -static)`);
  const arm64 = isUsable('aarch64-linux-gnu-gcc');
  if (!arm64) console.error(`${howToGet(['aarch64-linux-gnu-gcc'])} (left out: the probe for arm64)`);
  makeProbe(['all', ...(arm64 ? ['arm64'] : [])], folder);
  return ['iovascope-probe', ...(arm64 ? ['iovascope-probe-arm64'] : [])].map((name) => path.join(folder, name));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const isPackage = process.argv.includes('--package');
  try {
    const files = buildProbe(isPackage ? ['aarch64-linux-gnu-gcc'] : []);
    for (const file of files) console.log(`${path.relative(root, file)}: ${statSync(file).size} bytes`);
  } catch (error) {
    console.error(`${error.message}${isPackage ? ' (left out: built probes; the agent builds one on first use)' : ''}`);
    if (!isPackage) process.exitCode = 1;
  }
}
