import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { runCli } from './testing/run.ts';

const folder = mkdtempSync(path.join(tmpdir(), 'iovascope-guest-'));
const put = (name: string, text: string): string => {
  const file = path.join(folder, name);
  writeFileSync(file, text);
  return file;
};
const HOST = put(
  'host.txt',
  '/sys/kernel/iommu_groups/7/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n/sys/kernel/iommu_groups/7/devices/0000:03:00.0\n',
);
const XML = put(
  'lab.xml',
  "<domain type='kvm'><name>lab</name><memory unit='GiB'>16</memory><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os></domain>",
);
const TWO = put(
  'two.sh',
  'qemu-system-x86_64 -name big -M pc-q35-7.2 -m 16G -cpu EPYC\n\nqemu-system-aarch64 -name arm -M virt-7.2 -m 4G\n',
);

describe('--guest FILE', () => {
  test('check: the guest of a definition', async () => {
    const { code, stdout } = await runCli(['check', HOST, '--guest', XML]);
    expect([code, stdout]).toEqual([0, expect.stringContaining('lab: pc-q35-7.2, 16 GiB fits on group 7')]);
  });

  test('check: one of several, by its name', async () => {
    const arm = await runCli(['check', HOST, '--guest', `${TWO}#arm`]);
    expect([arm.code, arm.stdout]).toEqual([1, expect.stringContaining('arm: virt-7.2, 4 GiB does not fit')]);
    const both = await runCli(['check', HOST, '--guest', TWO]);
    expect([both.code, both.stderr]).toEqual([
      2,
      expect.stringContaining('contains several guests; give one of them: big, arm'),
    ]);
  });

  test('check: options decide', async () => {
    const { stdout } = await runCli(['check', HOST, '--guest', 'virt-7.2:4G,arch=aarch64']);
    expect(stdout).toContain('virt-7.2, 4 GiB does not fit');
  });

  test('fit: beside the memory of the guest', async () => {
    const alone = await runCli(['fit', HOST, '--size', '4K', '--at', '0x100000000']);
    expect(alone.code).toBe(0);
    const beside = await runCli(['fit', HOST, '--size', '4K', '--at', '0x100000000', '--guest', XML, '--json']);
    expect(beside.code).toBe(1);
    expect(JSON.parse(beside.stdout)).toMatchObject({
      fits: false,
      blocked_by: [
        { start: '0x100000000', last: '0x47fffffff', kind: 'mapping', owners: ['lab: pc-q35-7.2, 16 GiB: pc.ram'] },
      ],
    });
  });

  test('compare: on which host it fits', async () => {
    const other = put(
      'other.txt',
      '/sys/kernel/iommu_groups/7/reserved_regions:0x0000000040000000 0x000000004fffffff reserved\n',
    );
    const { code, stdout } = await runCli(['compare', HOST, other, '--guest', 'q35:8G', '--json']);
    expect(code).toBe(0);
    expect(JSON.parse(stdout).guest).toMatchObject([
      { host: HOST, severity: 'clean', text: expect.stringContaining('q35, 8 GiB fits') },
      { host: other, severity: 'fatal', text: expect.stringContaining('0x40000000-0x4fffffff') },
    ]);
  });

  test('render: the guest is in the picture and in the answer', async () => {
    const { code, written } = await runCli(['render', HOST, '-o', 'out.svg', '--guest', XML]);
    expect(code).toBe(0);
    expect(String(written?.['out.svg'])).toContain('lab: pc-q35-7.2, 16 GiB');
  });

  test('a definition among the dumps is drawn and answered without being asked for', async () => {
    const { written } = await runCli(['render', HOST, XML, '-o', 'out.svg']);
    expect(String(written?.['out.svg'])).toContain('lab: pc-q35-7.2, 16 GiB');
    const { stdout } = await runCli(['check', XML]);
    expect(stdout).toContain('lab: pc-q35-7.2, 16 GiB: its memory ends at 0x47fffffff');
  });

  test.each([
    ['check', ['--guest', 'q35:abc'], /check: --guest 'q35:abc': expected a size/],
    ['fit', ['--size', '1G', '--guest', 'none.xml'], /fit: --guest none\.xml: .*no such file/],
    ['compare', [HOST, '--guest', 'pdp11:8G'], /compare: --guest 'pdp11:8G': .*is not known/],
    ['render', ['-o', '-', '--guest', HOST], /render: --guest .*no guest definition and no guest layout found/],
  ])('%s %j is refused', async (command, args, message) => {
    const { code, stdout, stderr } = await runCli([command, HOST, ...args]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
  });

  test('a cut definition is said with the layout', async () => {
    const cut = put('cut.xml', readFileSync(XML, 'utf8').slice(0, -'</os></domain>'.length));
    expect((await runCli(['layout', cut])).stdout).toContain('note: the XML of the guest is incomplete');
  });
});
