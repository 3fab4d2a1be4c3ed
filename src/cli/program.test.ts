import { execFile, spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runCli } from './testing/run.ts';

// The only tests that start processes: what `npm run cli` and the published package run.
const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const SCRIPT = join(ROOT, 'scripts/cli.mjs');
const BUILT = join(ROOT, 'dist/cli/iovascope.js');
const FIXTURE = join(ROOT, 'src/kernel/fixtures/iommufd-dev-20.jsonl');
const run = promisify(execFile);

/** Exit code and output of a program that may fail. */
async function outcome(program: string, args: string[]) {
  try {
    return { code: 0, ...(await run(program, args)) };
  } catch (error) {
    const { code, stdout, stderr } = error as { code: number; stdout: string; stderr: string };
    return { code, stdout, stderr };
  }
}

describe('the built program', () => {
  let folder = '';

  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'iovascope-'));
    await run(process.execPath, [SCRIPT, '--build-only']);
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('runs by itself, through its first line', async () => {
    expect(await outcome(BUILT, ['replay', FIXTURE])).toMatchObject({ code: 0, stdout: '261 ops, 0 mismatches\n' });
  });

  it('passes arguments and exit codes on', async () => {
    const name = join(folder, 'a b.jsonl');
    writeFileSync(
      name,
      '{"format":"iova-trace","version":1}\n{"op":"ioas.alloc","ioas":"a","expect":{"ret":"-EPERM"}}\n',
    );
    const found = await outcome(process.execPath, [SCRIPT, 'replay', name]);
    expect(found.code).toBe(1);
    expect(found.stdout).toBe(`${name}:2: ioas.alloc: expected {"ret":"-EPERM"}, got {"ret":0}\n1 ops, 1 mismatches\n`);
    const unusable = await outcome(process.execPath, [SCRIPT, 'replay', join(folder, 'none')]);
    expect(unusable.code).toBe(2);
    expect(unusable.stdout).toBe('');
    expect(unusable.stderr.trimEnd().split('\n').length).toBe(1);
  });

  it('compares many hosts in threads, with the answer of one thread', async () => {
    const paths = Array.from({ length: 36 }, (_, i) => join(folder, `host${i}`));
    for (const [i, path] of paths.entries()) {
      const group = join(path, 'sys/kernel/iommu_groups/1');
      mkdirSync(group, { recursive: true });
      const direct = i % 5 === 0 ? '0x000000007b800000 0x000000007bffffff direct\n' : '';
      writeFileSync(join(group, 'reserved_regions'), `${direct}0x00000000fee00000 0x00000000feefffff msi\n`);
    }
    const args = ['compare', '--json', ...paths];
    const alone = await runCli(args);
    expect(await outcome(BUILT, args)).toEqual(alone);
    expect(JSON.parse(alone.stdout).classes).toMatchObject([{ count: 28 }, { count: 8 }]);
  });

  it('open serves the explorer and the files to this machine only, until it is stopped', async () => {
    const dump = join(folder, 'host.txt');
    writeFileSync(dump, '0x00000000fee00000 0x00000000feefffff msi\n');
    // As `iovascope FILE`. The explorer is built here only for the browser tests.
    mkdirSync(join(ROOT, 'dist/web'), { recursive: true });
    const child = spawn(process.execPath, [BUILT, dump, '--no-browser'], { stdio: ['ignore', 'pipe', 'pipe'] });
    const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
    try {
      const line = await new Promise<string>((resolve, reject) => {
        child.stdout.on('data', (chunk) => resolve(String(chunk)));
        child.stderr.on('data', (chunk) => /cannot/.test(String(chunk)) && reject(new Error(String(chunk))));
      });
      const url = new URL(line.trim());
      const list = new URL(`/files/${/#files=(.*)/.exec(url.hash)?.[1]}/`, url);
      expect(await (await fetch(list)).json()).toEqual([{ name: 'host.txt' }]);
      expect(await (await fetch(new URL('0', list))).text()).toContain('0x00000000feefffff msi');
      expect((await fetch(new URL('/files/none/', url))).status).toBe(404);
    } finally {
      child.kill('SIGTERM');
    }
    expect(await closed).toBe(0);
  });

  it('ends quietly when nobody reads on', async () => {
    const many = join(folder, 'many.jsonl');
    const wrong = '{"op":"ioas.destroy","ioas":"none","expect":{"ret":0}}\n';
    writeFileSync(many, `{"format":"iova-trace","version":1}\n${wrong.repeat(30_000)}`);
    const child = spawn(BUILT, ['replay', many], { stdio: ['ignore', 'pipe', 'pipe'] });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(stderr).toBe('');
    expect(code).toBe(0);
  });
});
