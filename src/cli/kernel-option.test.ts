// Every command that answers by a kernel's rules takes --kernel.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from './testing/run.ts';

let folder = '';
let host = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'iovascope-kernel-'));
  host = path.join(folder, 'host.txt');
  // An AMD IOMMU without features in its IVRS table: 64 bits before Linux 6.17, 48 bits since.
  await writeFile(
    host,
    [
      'AMD-Vi: Using global IVHD EFR:0x0, EFR2:0x0',
      '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi',
      '/sys/kernel/iommu_groups/1/devices/0000:00:14.0',
      '',
    ].join('\n'),
  );
});
afterAll(() => rm(folder, { recursive: true }));

const AT = ['--size', '4K', '--at', '0x1000000000000'];
const WIDE = '0xffffffffffffffff';

describe('--kernel', () => {
  test.each<[string, () => readonly string[], (out: string, version: string) => boolean]>([
    ['fit', () => [host, ...AT], (out) => out.includes(' 4 KiB at 0x1000000000000 fits')],
    ['compare', () => [host, host], (out) => out.includes(`-${WIDE} `)],
    ['check', () => [host], (out) => out.includes(WIDE)],
    ['render', () => [host, '-o', '-'], (out) => out.includes('64 bits')],
  ])('%s answers by the rules of the version', async (command, args, isWide) => {
    const run = async (version: string) => await runCli([command, ...args(), '--kernel', version]);
    expect([isWide((await run('6.16')).stdout, '6.16'), isWide((await run('6.17')).stdout, '6.17')]).toEqual([
      true,
      false,
    ]);
    const wrong = await run('banana');
    expect(wrong).toMatchObject({ code: 2, stdout: '' });
    expect(wrong.stderr).toBe(`iovascope: ${command}: --kernel 'banana': expected a version such as 6.1 or 6.12.42\n`);
  });

  test.each([
    ['6.1x', 2],
    ['6.12_', 2],
    ['6.12.x', 0],
    ['6.6.1custom', 0],
    ['v6.12-rc3', 0],
    ['Linux 6.12', 0],
  ])('%s: exit code %i', async (version, code) => {
    expect((await runCli(['fit', host, ...AT, '--kernel', version])).code === 2 ? 2 : 0).toBe(code);
  });

  test('link carries the version', async () => {
    const { code, stdout } = await runCli(['link', host, '--kernel', '6.1']);
    expect(code).toBe(0);
    expect(stdout).toContain('&kernel=6.1');
    expect((await runCli(['link', host])).stdout).not.toContain('kernel=');
    expect((await runCli(['link', host, '--kernel', 'x'])).code).toBe(2);
  });

  test('check and fit run the operations of sessions by the rules of the version', async () => {
    const session = path.join(folder, 'direct.iova.jsonl');
    const lines = [
      { format: 'iova-trace', version: 1, model: 'type1', kernel: '6.12' },
      { op: 'container.open', container: 'c', model: 'type1v2' },
      {
        op: 'container.attach_group',
        container: 'c',
        group: '1',
        domain: { iommu: 'amd', aperture: ['0x0', WIDE], pgsize_bitmap: '0x1000' },
        reserved: [{ start: '0x3f000000', last: '0x3f7fffff', type: 'direct' }],
      },
    ];
    await writeFile(session, lines.map((line) => JSON.stringify(line)).join('\n'));
    const answer = async (...args: string[]) => (await runCli(['check', session, ...args])).stdout;
    expect(await answer()).toContain('refuses 1 of 2 operations');
    expect(await answer('--kernel', '6.1')).not.toContain('refuses');
    const fits = async (...args: string[]) => (await runCli(['fit', session, '--size', '4K', ...args])).stdout;
    expect(await fits('--kernel', '6.1')).toContain(': c: 4 KiB fits');
    expect(await fits('--kernel', '6.12')).not.toContain(': c: 4 KiB fits');
    // What was read is unchanged.
    expect(await answer()).toContain('refuses 1 of 2 operations');
  });
});
