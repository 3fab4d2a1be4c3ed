// npm run vm:kernel: builds a kernel with what Debian's lacks (IOMMUFD, debugfs for IOMMUs), from Debian's own source
// package and e2e/vm/kernel.config, into dist/vm/kernel-iommufd. It takes minutes and 2 GB for the sources, so it is not
// part of CI; what exists is kept. With --check it then boots the kernel and checks what the probe reports.
//   node scripts/vm-kernel.mjs [--check] [--keep-source]
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findProgram, installPackages } from './debian.mjs';
import { apt } from './vm-image.mjs';

const root = join(fileURLToPath(import.meta.url), '..', '..');
const fragment = join(root, 'e2e', 'vm', 'kernel.config');
const store = join(root, 'dist', 'vm');
/** The version that the models follow by default. */
const SOURCE = 'linux-source-6.12';

/** Path of the built kernel. */
export const BUILT_KERNEL = join(store, 'kernel-iommufd', 'bzImage');

const PROGRAMS = {
  make: 'make',
  gcc: 'gcc',
  flex: 'flex',
  bison: 'bison',
  bc: 'bc',
  xz: 'xz-utils',
  tar: 'tar',
  'dpkg-deb': 'dpkg',
  'apt-get': 'apt',
};
/** Headers that the build's own tools include. */
const HEADERS = { 'libelf.h': 'libelf-dev', 'openssl/ssl.h': 'libssl-dev' };

function missingPackages() {
  const programs = Object.keys(PROGRAMS).filter((name) => !findProgram(name));
  const compiler = findProgram('gcc');
  const isMissing = (name) =>
    compiler !== undefined &&
    spawnSync(compiler, ['-E', '-x', 'c', '-'], {
      input: `#include <${name}>\n`,
      stdio: ['pipe', 'ignore', 'ignore'],
    }).status !== 0;
  const headers = Object.keys(HEADERS).filter(isMissing);
  return [...new Set([...programs.map((name) => PROGRAMS[name]), ...headers.map((name) => HEADERS[name])])];
}

function requireTools() {
  let missing = missingPackages();
  // A compiler that comes first may find that its headers are missing, too.
  for (let i = 0; i < 2 && missing.length > 0 && installPackages(missing); i++) missing = missingPackages();
  if (missing.length === 0) return;
  throw new Error(`Missing for building a kernel. On Debian: sudo apt install ${missing.join(' ')}`);
}

function run(command, args, options = {}) {
  const { status, stdout, signal } = spawnSync(command, args, {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
    maxBuffer: 1 << 28,
    ...options,
  });
  if (status === 0) return stdout;
  // The last output of a failed build has the reason.
  throw new Error(`${command} ${args[0]} failed (${signal ?? status}):\n${stdout.split('\n').slice(-40).join('\n')}`);
}

/** The kernel's sources, unpacked; downloaded if missing. */
function unpackSource(folder) {
  if (existsSync(join(folder, 'done'))) return;
  rmSync(folder, { recursive: true, force: true });
  console.error(`Downloading Debian's ${SOURCE} (150 MB) …`);
  const packages = apt('amd64');
  packages.update();
  const deb = packages.download(SOURCE, join(folder, 'deb'));
  // The package holds one packed archive of everything.
  const script =
    'dpkg-deb --fsys-tarfile "$1" | tar -xO --wildcards "*.tar.xz" | xz -dc -T0 | tar -x --strip-components=1 -C "$2"';
  run('bash', ['-o', 'pipefail', '-c', script, 'unpack', deb, folder]);
  rmSync(join(folder, 'deb'), { recursive: true });
  writeFileSync(join(folder, 'done'), '');
}

/** Lines of the fragment that Kconfig dropped because a dependency is missing. */
function refused(config) {
  const lines = new Set(config.split('\n'));
  return readFileSync(fragment, 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('CONFIG_') && !lines.has(line));
}

/** Builds the kernel if it is missing or its configuration has changed. Returns the path of its image. */
export function buildKernel({ keepSource = false } = {}) {
  const folder = join(store, 'kernel-iommufd');
  const stamp = join(folder, 'done');
  const wanted = createHash('sha256').update(SOURCE).update(readFileSync(fragment)).digest('hex');
  if (existsSync(BUILT_KERNEL) && existsSync(stamp) && readFileSync(stamp, 'utf8') === wanted) return BUILT_KERNEL;
  requireTools();
  const source = join(store, SOURCE);
  unpackSource(source);
  const make = (...args) =>
    run('nice', ['-n', '19', 'make', `-j${availableParallelism()}`, ...args], {
      cwd: source,
      env: {
        PATH: process.env.PATH,
        LC_ALL: 'C',
        KCONFIG_ALLCONFIG: fragment,
        KBUILD_BUILD_USER: 'iovascope',
        KBUILD_BUILD_HOST: 'iovascope',
      },
    });
  make('ARCH=x86_64', 'allnoconfig');
  const config = readFileSync(join(source, '.config'), 'utf8');
  const left = refused(config);
  if (left.length > 0) throw new Error(`the kernel's configuration refuses: ${left.join(' ')}`);
  console.error('Building the kernel …');
  const start = Date.now();
  make('ARCH=x86_64', 'bzImage');
  mkdirSync(folder, { recursive: true });
  copyFileSync(join(source, 'arch', 'x86', 'boot', 'bzImage'), BUILT_KERNEL);
  writeFileSync(join(folder, 'config'), config);
  writeFileSync(stamp, wanted);
  console.error(`Built in ${Math.round((Date.now() - start) / 1000)} s`);
  if (!keepSource) rmSync(source, { recursive: true });
  return BUILT_KERNEL;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { check: { type: 'boolean' }, 'keep-source': { type: 'boolean' } } });
  try {
    const file = buildKernel({ keepSource: values['keep-source'] });
    console.log(`${relative(root, file)}: ${statSync(file).size} bytes`);
    if (values.check) {
      const { checkKernel } = await import('./vm-kernel-check.mjs');
      process.exitCode = (await checkKernel()) ? 0 : 1;
    }
  } catch (error) {
    console.error(error.message);
    process.exitCode = 1;
  }
}
