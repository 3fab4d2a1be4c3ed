import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { hex } from '../iova/format.ts';
import { iova } from '../iova/iova.ts';
import { range } from '../iova/range.ts';
import { rangeSet, subtract } from '../iova/range-set.ts';
import { runCli } from './testing/run.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'iovascope-layout-'));
const put = (name: string, text: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};

interface Line {
  readonly kind: string;
  readonly start: string;
  readonly last: string;
  readonly type: string;
  readonly code?: string;
  readonly guest?: string;
}

async function lines(...args: string[]): Promise<Line[]> {
  const { code, stdout, stderr } = await runCli(['layout', ...args, '--json']);
  expect([code, stderr]).toEqual([0, '']);
  return stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
}

/** RAM above the first MiB, which firmware changes. */
function ramOf(facts: readonly Line[]): string[][] {
  const all = facts
    .filter(({ kind, type }) => kind === 'guest' && type === 'ram')
    .map(({ start, last }) => range(iova(BigInt(start)), iova(BigInt(last))));
  return subtract(rangeSet(all), [range(0n, 0xf_ffffn)]).map(({ start, last }) => [hex(start), hex(last)]);
}

interface Recorded {
  readonly machine: string;
  readonly ram: string;
  readonly cpu: string;
  readonly ranges?: readonly (readonly [string, string])[];
}

const RECORDED: readonly Recorded[] = readFileSync(
  new URL('../analysis/guest/fixtures/qemu-7.2-layouts.jsonl', import.meta.url),
  'utf8',
)
  .trim()
  .split('\n')
  .map((line) => JSON.parse(line));

describe('what QEMU 7.2 reported of its own machines', () => {
  test.each(RECORDED.map((row) => [row.machine, row.ram, row.cpu, row] as const))('%s:%s, -cpu %s', async (...row) => {
    const [machine, ram, cpu, { ranges }] = row;
    const text = `${machine}:${ram},${cpu.startsWith('qemu64') ? 'vendor=amd,phys-bits=48' : `cpu=${cpu}`}`;
    if (ranges === undefined) {
      const { code, stdout, stderr } = await runCli(['layout', text, '--json']);
      expect([code, stdout]).toEqual([2, '']);
      expect(stderr).toMatch(/would not start: .* address bits/);
      return;
    }
    const above = rangeSet(ranges.map(([start, last]) => range(iova(BigInt(start)), iova(BigInt(last)))));
    expect(ramOf(await lines(text))).toEqual(
      subtract(above, [range(0n, 0xf_ffffn)]).map(({ start, last }) => [hex(start), hex(last)]),
    );
  });
});

describe('layout', () => {
  test('the ranges of a machine in plain text, with what was assumed', async () => {
    const { code, stdout } = await runCli(['layout', 'q35:8G']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^q35, 8 GiB\n {2}0x0-0x9ffff +ram/);
    expect(stdout).toContain('note: "q35" names no version');
  });

  test('every option of the contract', async () => {
    expect(ramOf(await lines('pc-q35-7.2:16G,vendor=amd,phys-bits=48,max-ram-below-4g=2G'))).toEqual([
      ['0x100000', '0x7fffffff'],
      ['0x100000000', '0x47fffffff'],
    ]);
    expect(ramOf(await lines('pc-q35-7.2:900G,vendor=amd,pci-hole64-size=128G'))).toEqual([
      ['0x100000', '0x7fffffff'],
      ['0x10000000000', '0x1e07fffffff'],
    ]);
    expect(ramOf(await lines('q35-amd:1010G')).at(-1)).toEqual(['0x10000000000', '0x1fbffffffff']);
  });

  test('all guests of a file, or the one that is named behind #', async () => {
    const file = put(
      'two.sh',
      'qemu-system-x86_64 -name win11 -M pc-q35-7.2 -m 4G -cpu EPYC\n\nqemu-system-x86_64 -name db -M pc-q35-7.2 -m 8G -cpu EPYC\n',
    );
    const all = await lines(file);
    expect(new Set(all.map(({ guest }) => guest))).toEqual(new Set(['win11', 'db']));
    expect(ramOf(await lines(`${file}#db`)).at(-1)).toEqual(['0x100000000', '0x27fffffff']);
    expect((await runCli(['layout', `${file}#none`])).stderr).toContain('no guest "none" found');
  });

  test('a definition is the same as its machine', async () => {
    const file = put(
      'vm.xml',
      "<domain type='kvm'><name>vm</name><memory unit='GiB'>16</memory><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><cpu><model>EPYC</model></cpu></domain>",
    );
    expect(ramOf(await lines(file))).toEqual(ramOf(await lines('pc-q35-7.2:16G,vendor=amd')));
  });

  test.each([
    [['q35:abc'], /'q35:abc': expected a size/],
    [['nothing'], /'nothing': expected MACHINE:RAM/],
    [['mainframe:2G'], /"mainframe" is not known/],
    [['pc:16G,max-ram-below-4g=5G'], /QEMU accepts at most 4 GiB/],
    [['q35:2G,vendor=acme'], /vendor=acme: expected amd/],
    [['none.xml'], /none\.xml: .*no such file/],
    [[put('empty.txt', 'hello\n')], /empty\.txt: /],
    [[], /expected MACHINE:RAM/],
  ])('%j is refused', async (args, message) => {
    const { code, stdout, stderr } = await runCli(['layout', ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr.trim()).not.toContain('\n');
  });
});
