// npm run test:package [-- [--built] [NODE…]]: packs the package, installs the tarball into an empty folder without a
// network, and uses all of it as a stranger would: every command, the agent with its probe, the library with its types and
// the example of docs/library.md. Once for each NODE, a path of a node program; by default the one that runs this.
// --built: `npm run build` has just been run.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import WebSocket from 'ws';

const INSTALLED_MAX = 8e6;
const STARTS_WITHIN = 60_000;
const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));
const { values, positionals } = parseArgs({ allowPositionals: true, options: { built: { type: 'boolean' } } });
const nodes = positionals.length > 0 ? positionals.map((name) => path.resolve(name)) : [process.execPath];

/** Runs a program to its end; throws if its exit code is not the expected one. */
function run(program, args, { cwd, env = process.env, code = 0 } = {}) {
  const { status, stdout, stderr, error } = spawnSync(program, args, { cwd, env, encoding: 'utf8' });
  if (status === code) return { stdout, stderr };
  throw new Error(
    `${program} ${args.join(' ')}: exit code ${status}, expected ${code}\n${error ?? ''}${stdout}${stderr}`,
  );
}

function pack(folder) {
  const args = ['pack', '--json', '--pack-destination', folder, ...(values.built ? ['--ignore-scripts'] : [])];
  run('npm', args, { cwd: root });
  const [name] = readdirSync(folder).filter((entry) => entry.endsWith('.tgz'));
  return path.join(folder, name);
}

async function lint(tarball) {
  const bytes = readFileSync(tarball);
  const data = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { messages, pkg } = await publint({ pack: { tarball: data }, strict: true });
  assert.deepEqual(
    messages.map((message) => formatMessage(message, pkg)),
    [],
  );
}

function filesBelow(folder) {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map((entry) => path.join(entry.parentPath, entry.name));
}

/** Starts a command that serves; resolves with its URL and a function that stops it and returns its exit code. */
async function serve(program, args, options) {
  const child = spawn(program, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const closed = new Promise((resolve) => child.on('close', resolve));
  const url = await new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no URL: ${stderr}`)), STARTS_WITHIN);
    child.stdout.once('data', (chunk) => {
      clearTimeout(timer);
      resolve(new URL(String(chunk).trim()));
    });
    void closed.then((code) => reject(new Error(`ended with exit code ${code}: ${stderr}`)));
  });
  const stop = () => {
    child.kill('SIGTERM');
    return closed;
  };
  return { url, stop, messages: () => stderr };
}

/** The page and everything that it names are served. */
async function checkPage(url) {
  const html = await (await fetch(new URL('/', url))).text();
  const names = [...html.matchAll(/(?:src|href)="\.\/([^"]+)"/g)].map(([, name]) => name);
  assert.ok(
    names.some((name) => name.endsWith('.js')),
    'the page has a script',
  );
  for (const name of names) assert.equal((await fetch(new URL(`/${name}`, url))).status, 200, name);
}

/** Connects as the page does; resolves with the facts of the first snapshot. */
function liveFacts(url) {
  const token = /live=([\w-]+)/.exec(url.hash)?.[1];
  const socket = new WebSocket(`ws://${url.host}/live`, ['iovascope.live', `token.${token}`], { origin: url.origin });
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error('the agent sent no facts')), STARTS_WITHIN);
    socket.on('open', () => socket.send('{"type":"hello","version":1}'));
    socket.on('message', (data) => {
      const message = JSON.parse(String(data));
      const facts = message.facts ?? message.added ?? [];
      if (facts.length === 0) return;
      clearTimeout(timer);
      socket.close();
      resolve(facts.map((line) => JSON.parse(line)));
    });
    socket.on('error', reject);
  });
}

async function checkAgent(bin, options) {
  const agent = await serve(bin, ['agent'], options);
  try {
    await checkPage(agent.url);
    const facts = await liveFacts(agent.url);
    assert.ok(
      facts.some(({ kind }) => kind === 'host'),
      'the agent reports this host',
    );
  } finally {
    assert.equal(await agent.stop(), 0);
  }
  return agent.messages();
}

/** The code blocks of a Markdown file by their language. */
function blocksOf(file) {
  return [...readFileSync(file, 'utf8').matchAll(/^```(\w+)\n(.*?)^```$/gms)].map(([, language, text]) => ({
    language,
    text,
  }));
}

function checkLibrary(node, folder, options) {
  const blocks = blocksOf(path.join(root, 'docs', 'library.md'));
  const examples = blocks.flatMap(({ language, text }, i) =>
    language === 'js' && blocks[i + 1]?.language === 'text' ? [{ code: text, output: blocks[i + 1].text }] : [],
  );
  assert.ok(examples.length > 0, 'docs/library.md has an example with its output');
  for (const { code, output } of examples) {
    writeFileSync(path.join(folder, 'example.mjs'), code);
    assert.equal(run(node, ['example.mjs'], options).stdout, output, 'the example of docs/library.md');
  }
  // The types, as a project sees them that checks its dependencies' declarations too.
  const compilerOptions = {
    ...{
      strict: true,
      noEmit: true,
      skipLibCheck: false,
      exactOptionalPropertyTypes: true,
    },
    ...{ target: 'es2022', module: 'nodenext', lib: ['es2022', 'dom'], types: [] },
  };
  const typed = `import { check, type Conflict, readDumps } from 'iovascope';
const conflicts: readonly Conflict[] = (await check(await readDumps('text'), { guest: 'q35:8G', pageSize: 4096n })).conflicts;
// @ts-expect-error addresses are bigints
const wrong: number = conflicts[0]?.ranges[0]?.start ?? 0;
export const kept = wrong;
`;
  writeFileSync(path.join(folder, 'typed.mts'), typed);
  const files = ['typed.mts'];
  writeFileSync(path.join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, files }));
  run(path.join(root, 'node_modules', '.bin', 'tsc'), ['-p', folder], { cwd: folder });
}

async function checkInstalled(node, tarball) {
  const folder = mkdtempSync(path.join(tmpdir(), 'iovascope-package-'));
  const env = {
    ...process.env,
    PATH: `${path.dirname(node)}${path.delimiter}${process.env.PATH}`,
    XDG_CACHE_HOME: path.join(folder, 'cache'),
  };
  const options = { cwd: folder, env };
  try {
    writeFileSync(path.join(folder, 'package.json'), '{"private":true}\n');
    run('npm', ['install', '--offline', '--no-audit', '--no-fund', tarball], options);
    const installed = path.join(folder, 'node_modules', 'iovascope');
    const bin = path.join(folder, 'node_modules', '.bin', 'iovascope');
    const modules = readdirSync(path.join(folder, 'node_modules')).filter((name) => !name.startsWith('.'));
    assert.deepEqual(modules, ['iovascope'], 'nothing else is installed');
    const size = filesBelow(path.join(folder, 'node_modules')).reduce((sum, file) => sum + statSync(file).size, 0);
    assert.ok(size < INSTALLED_MAX, `${size} bytes installed`);

    assert.equal(run(bin, ['--version'], options).stdout, `${version}\n`);
    const dump = path.join(folder, 'host.txt');
    writeFileSync(dump, '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n');
    assert.match(run(bin, ['inspect', dump], options).stdout, /1 reserved/);
    assert.match(run(bin, ['check', dump, '--guest', 'virt:4G'], { ...options, code: 1 }).stdout, /fatal: /);
    assert.match(run(bin, ['fit', dump, '--size', '4G'], options).stdout, /4 GiB fits/);
    const other = path.join(installed, 'dist/web/samples/x86-amd-vi');
    assert.match(run(bin, ['compare', dump, other], options).stdout, /^differences:/m);
    run(bin, ['render', dump, '-o', 'out.svg'], options);
    assert.match(readFileSync(path.join(folder, 'out.svg'), 'utf8'), /^<svg /);
    const session = path.join(root, 'src/kernel/fixtures/iommufd-dev-20.jsonl');
    assert.equal(run(bin, ['replay', session], options).stdout, '261 ops, 0 mismatches\n');
    assert.match(
      run(bin, ['decode', '--struct', 'iommu_ioas_alloc', session], { ...options, code: 2 }).stderr,
      /^iovascope: decode: /,
    );

    const opened = await serve(bin, [dump, '--no-browser'], options);
    await checkPage(opened.url);
    const files = new URL(`/files/${/files=([\w-]+)/.exec(opened.url.hash)?.[1]}/`, opened.url);
    assert.deepEqual(await (await fetch(files)).json(), [{ name: 'host.txt' }]);
    assert.equal(await opened.stop(), 0);

    checkLibrary(node, folder, options);
    if (process.platform === 'linux') await checkProbes(bin, installed, options);
    const { stdout } = run(node, ['--version'], options);
    console.log(`Node ${stdout.trim()}: ok, ${(size / 1e6).toFixed(1)} MB installed`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** ELF machine numbers (e_machine). */
const MACHINES = { 'iovascope-probe': { x64: 62, arm64: 183 }[process.arch], 'iovascope-probe-arm64': 183 };

/** The agent with the probe that is in the package, and with none that runs, from its sources. */
async function checkProbes(bin, installed, options) {
  const probes = path.join(installed, 'dist/probe');
  const packed = existsSync(probes) ? readdirSync(probes) : [];
  for (const name of packed) {
    assert.equal(readFileSync(path.join(probes, name)).readUInt16LE(18), MACHINES[name], `the architecture of ${name}`);
  }
  if (packed.includes('iovascope-probe'))
    assert.match(await checkAgent(bin, options), /reading this host with .*dist\/probe/);
  else console.log('no built probe is in the package: the agent builds one');
  rmSync(probes, { recursive: true, force: true });
  assert.match(await checkAgent(bin, options), /compiling one from .*\n.*reading this host with .*cache/);
}

const folder = mkdtempSync(path.join(tmpdir(), 'iovascope-pack-'));
try {
  const tarball = pack(folder);
  await lint(tarball);
  console.log(`${path.basename(tarball)}: ${(statSync(tarball).size / 1e6).toFixed(1)} MB, nothing found by publint`);
  for (const node of nodes) await checkInstalled(node, tarball);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
