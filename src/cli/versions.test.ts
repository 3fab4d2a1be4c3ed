import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { versionList } from '../kernel/version-list.ts';
import { runCli } from './testing/run.ts';

const HEADER = '{"format":"iova-trace","version":1,"model":"type1"}';
const OPEN = '{"op":"container.open","container":"c","model":"type1v2"}';
const ATTACH =
  '{"op":"container.attach_group","container":"c","group":"1","domain":{"iommu":"amd","aperture":["0x0","0xffffffff"],"pgsize_bitmap":"0x1000"},"reserved":[{"start":"0x3f000000","last":"0x3f7fffff","type":"direct"}]}';
const file = (...lines: string[]) => `${[HEADER, ...lines].join('\n')}\n`;

describe('iovascope versions', () => {
  it('prints what differs, since when and why, and ends with 1', async () => {
    const { code, stdout, stderr } = await runCli(['versions', 'f'], { f: file(OPEN, ATTACH) });
    expect({ code, stderr }).toEqual({ code: 1, stderr: '' });
    const [title, older, newer, change, total] = stdout.split('\n');
    expect(title).toBe('f:3: container.attach_group: works on 6.1, fails on 7.3');
    expect(older).toBe('  5.10 to 6.1: {"ret":0}');
    expect(newer).toMatch(/^ {2}6\.6 to 7\.3: \{"ret":"-EINVAL"\} \(attach-direct-region: Firmware requires/);
    expect(change).toMatch(/^ {2}since about Linux 6\.6: .*Before: /);
    expect(total).toBe('2 ops, 1 answered differently');
  });

  it('ends with 0 if all versions answer alike', async () => {
    expect(await runCli(['versions', 'f'], { f: file(OPEN) })).toMatchObject({
      code: 0,
      stdout: '1 ops, 0 answered differently\n',
    });
  });

  it('prints JSON', async () => {
    const { stdout } = await runCli(['versions', '--json', 'f'], { f: file(OPEN, ATTACH) });
    const [difference, total] = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(difference).toMatchObject({
      kind: 'version-difference',
      file: 'f',
      line: 3,
      answers: [{ works: true }, { works: false, rule: 'attach-direct-region', answer: { ret: '-EINVAL' } }],
      changes: [{ name: 'direct-region-refused', since: '6.6' }],
    });
    expect(total).toEqual({ ops: 2, differing: 1 });
  });

  it('lists the conflicts of a host that depend on the version', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'versions-'));
    const path = join(folder, 'groups.txt');
    writeFileSync(
      path,
      [
        'DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap d2008c222f0686 ecap f00f5a',
        '/sys/kernel/iommu_groups/1/reserved_regions:0x000000003f000000 0x000000003f7fffff direct',
        '/sys/kernel/iommu_groups/1/devices/0000:00:14.0',
        '',
      ].join('\n'),
    );
    const bytes = readFileSync(path);
    const plain = await runCli(['versions', path], { [path]: bytes });
    const asJson = await runCli(['versions', '--json', path], { [path]: bytes });
    rmSync(folder, { recursive: true });
    expect(plain.code).toBe(1);
    expect(plain.stdout).toContain('  on 5.10, 6.1; not on 6.12 to 7.3\n');
    expect(plain.stdout).toMatch(/2 conflicts depend on the version, \d+ do not \(5\.10 to 7\.3\)\n$/);
    expect(JSON.parse(asJson.stdout.split('\n')[0] ?? '')).toMatchObject({ kind: 'conflict-versions', errno: 'EPERM' });
  });

  it.each([
    [[], /no file given/],
    [['missing'], /missing: no such file/],
    [['-', '-'], /standard input/],
    [['--frob'], /--frob/],
    [['--model', 'zircon', 'f'], /f: unknown model 'zircon'/],
  ] as const)('%j is unusable, and said in one line', async (args, message) => {
    const { code, stdout, stderr } = await runCli(['versions', ...args], { f: file(OPEN) });
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^iovascope: versions: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });
});

it('a list of versions names neighbours as a range', () => {
  const all = ['1', '2', '3', '4', '5', '6'];
  expect([['1'], ['1', '2'], ['1', '2', '3'], ['1', '3', '4', '5']].map((list) => versionList(list, all))).toEqual([
    '1',
    '1, 2',
    '1 to 3',
    '1, 3 to 5',
  ]);
});
