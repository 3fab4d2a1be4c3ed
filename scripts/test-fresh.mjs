// npm run test:fresh: the README's two commands on a machine that has nothing: an empty Debian 12 made by debootstrap, this
// Node with its npm, and a clone of HEAD. Needs root, debootstrap and a network. The empty system is kept in the cache folder
// ($XDG_CACHE_HOME/iovascope); each run works in a copy, which is removed at the end. `-- --only start` or `--only test`
// runs one of the two.
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findProgram, installPackages } from './debian.mjs';

const SUITE = 'bookworm';
const MIRROR = 'http://deb.debian.org/debian';
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const cache = path.join(process.env.XDG_CACHE_HOME || path.join(homedir(), '.cache'), 'iovascope');
const { values } = parseArgs({ options: { only: { type: 'string' } } });

function run(program, ...args) {
  const { status, error } = spawnSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${error?.message ?? `exit code ${status}`}`);
}

/** The empty system; made at the first run. */
function baseSystem() {
  const base = path.join(cache, `debian-${SUITE}`);
  if (existsSync(base)) return base;
  if (!findProgram('debootstrap') && !installPackages(['debootstrap'])) {
    throw new Error('debootstrap not found. On Debian: sudo apt install debootstrap');
  }
  mkdirSync(cache, { recursive: true });
  const partial = mkdtempSync(path.join(cache, 'partial-'));
  console.log(`Making an empty Debian 12 in ${base}`);
  try {
    run('debootstrap', '--variant=minbase', SUITE, partial, MIRROR);
    // Another run may have been faster.
    if (!existsSync(base)) renameSync(partial, base);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return base;
}

/** Copies the Node that runs this, and its npm. */
function addNode(system) {
  const npm = realpathSync(findProgram('npm') ?? '');
  const modules = path.join(system, 'usr/local/lib/node_modules');
  const bin = path.join(system, 'usr/local/bin');
  mkdirSync(modules, { recursive: true });
  cpSync(process.execPath, path.join(bin, 'node'));
  cpSync(path.dirname(path.dirname(npm)), path.join(modules, 'npm'), { recursive: true });
  for (const name of ['npm', 'npx']) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, path.join(bin, name));
}

/** What the machine needs to reach the network as this one does: names, and certificates that Node was told of. */
function addNetwork(system) {
  for (const file of ['/etc/resolv.conf', '/etc/hosts', process.env.NODE_EXTRA_CA_CERTS]) {
    if (file && existsSync(file)) cpSync(realpathSync(file), path.join(system, file), { recursive: true });
  }
}

const SCRIPTS = {
  start: `
cd /iovascope
npm ci --no-audit --no-fund
npm start >/tmp/start.log 2>&1 &
started=$!
for second in $(seq 60); do
  url=$(sed -n 's/.*\\(http:[^ ]*\\).*/\\1/p' /tmp/start.log | head -1)
  if [ -n "$url" ]; then break; fi
  sleep 1
done
cat /tmp/start.log
node -e 'fetch(process.argv[1]).then(async (r) => { const t = await r.text(); if (!r.ok || !t.includes("id=\\"root\\"")) throw new Error(t); })' "$url"
kill $started
wait $started || true
echo "npm ci && npm start: ok, $url answered"
`,
  test: `
cd /iovascope
npm ci --no-audit --no-fund
npm test
echo 'npm ci && npm test: ok'
`,
};

/** Runs a script in the system, with namespaces of its own: its mounts and processes end with it. */
function inside(system, script) {
  writeFileSync(path.join(system, 'run.sh'), `set -eu\n${script}`);
  const mounts = ['proc', 'sys', 'dev'].map((name) => `mount --rbind /${name} '${system}/${name}'`).slice(1);
  const setup = ['mount --make-rprivate /', `mount -t proc proc '${system}/proc'`, ...mounts].join(' && ');
  const env = { HOME: '/root', PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', LANG: 'C.UTF-8' };
  for (const name of ['CI', 'NODE_EXTRA_CA_CERTS', 'http_proxy', 'https_proxy', 'no_proxy']) {
    if (process.env[name]) env[name] = process.env[name];
  }
  const assignments = Object.entries(env).map(([name, value]) => `${name}='${value}'`);
  const command = `${setup} && exec chroot '${system}' /usr/bin/env -i ${assignments.join(' ')} sh /run.sh`;
  run('unshare', '--mount', '--pid', '--fork', '--kill-child', 'sh', '-c', command);
}

if (process.getuid?.() !== 0) {
  console.error('npm run test:fresh needs root, for debootstrap and chroot');
  process.exit(2);
}
const names = values.only === undefined ? Object.keys(SCRIPTS) : [values.only];
if (names.some((name) => !Object.hasOwn(SCRIPTS, name))) {
  console.error(`--only '${values.only}': expected ${Object.keys(SCRIPTS).join(' or ')}`);
  process.exit(2);
}
const system = mkdtempSync(path.join(tmpdir(), 'iovascope-fresh-'));
try {
  run('cp', '-a', '--reflink=auto', `${baseSystem()}/.`, system);
  addNode(system);
  addNetwork(system);
  run('git', 'clone', '-q', '--no-hardlinks', root, path.join(system, 'iovascope'));
  for (const name of names) inside(system, SCRIPTS[name]);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  rmSync(system, { recursive: true, force: true });
}
