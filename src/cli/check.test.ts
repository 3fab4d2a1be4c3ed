import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from './testing/run.ts';

const GROUP = (n: number, ...lines: string[]) =>
  lines.map((line) => `/sys/kernel/iommu_groups/${n}/reserved_regions:${line}\n`).join('');
const MSI = '0x00000000fee00000 0x00000000feefffff msi';
let root = '';
const put = (name: string, text: string | Uint8Array): string => {
  const path = join(root, name);
  writeFileSync(path, text);
  return path;
};

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'check-'));
});
afterAll(() => rmSync(root, { recursive: true }));

describe('check', () => {
  test('a guest over the MSI window: what, why, how to avoid it; exit code 1', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    const { code, stdout, stderr } = await runCli(['check', host, '--guest', 'virt:4G']);
    expect([code, stderr]).toEqual([1, '']);
    expect(stdout).toMatch(
      /^virt, 4 GiB does not fit: its RAM 0x40000000-0x13fffffff \(4 GiB\) \("mach-virt\.ram"\) covers 0xfee00000-0xfeefffff, the MSI window of group 1 \(EINVAL on Linux 6\.12\)\. Set RAM to 3054 MiB \(≈ 2\.98 GiB\)\.\n/,
    );
    expect(stdout).toContain('1. fatal: Guest memory "mach-virt.ram" overlaps the MSI window 0xfee00000-0xfeefffff\n');
    expect(stdout).toContain('   rule: guest-over-reserved, EINVAL, ');
    expect(stdout).toContain('   fix: Set RAM to 3054 MiB (≈ 2.98 GiB): -m 3054M\n');
    expect(stdout).toContain('   requested: 0x40000000-0x13fffffff ');
    expect(stdout).toContain('   blocked by: 0xfee00000-0xfeefffff ');
    expect(stdout).toContain(`   from: ${host}:1\n`);
    expect(stdout).toMatch(/\n1 conflict\n$/);
  });

  test('sessions of a kernel without their model, of no version, and of several: said, unless one version is asked for', async () => {
    const session = (name: string, model: string, kernel: string, operation: string) =>
      put(name, `{"format":"iova-trace","version":1,"model":"${model}","kernel":"${kernel}"}\n${operation}\n`);
    const early = session('early.iova.jsonl', 'iommufd', '6.1', '{"op":"ioas.alloc","ioas":"a"}');
    const odd = session('odd.iova.jsonl', 'type1', 'lots', '{"op":"container.open","container":"c","model":"type1v2"}');
    const { code, stderr } = await runCli(['check', early, odd]);
    expect([code, stderr.trim().split('\n')]).toEqual([
      0,
      [
        `iovascope: check: ${early}: warning: Linux 6.1 does not have iommufd (since 6.2): the rules of Linux 6.2 are used`,
        `iovascope: check: ${odd}: warning: 'lots' is not a kernel version such as 6.12: the newest known rules are used`,
        'iovascope: check: the sessions are of several kernels (6.1, lots): each is answered by the rules of its own; use --kernel V for one',
      ],
    ]);
    expect((await runCli(['check', early, odd, '--kernel', '6.12'])).stderr).toBe('');
  });

  test('standard input that cannot be read is named; the rest is answered', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    const failure = new Error('EISDIR: illegal operation on a directory, read');
    const { code, stdout, stderr } = await runCli(['check', '-', host], {}, failure);
    expect([code, stderr]).toEqual([
      2,
      'iovascope: check: <stdin>: cannot be read: illegal operation on a directory\n',
    ]);
    expect(stdout).toMatch(/\nno conflicts in what was read; not read: 1 input\n$/);
  });

  test('nothing wrong: exit code 0', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    expect(await runCli(['check', host, '--guest', 'q35:8G'])).toEqual({
      code: 0,
      stdout: 'q35, 8 GiB fits on group 1, as far as the dumps show (not the width of the IOMMU).\nno conflicts\n',
      stderr: '',
    });
    const json = await runCli(['check', host, '--json']);
    expect([json.code, json.stderr]).toEqual([0, '']);
    expect(JSON.parse(json.stdout)).toEqual({
      kind: 'answer',
      severity: 'clean',
      text: 'No conflicts on group 1: everything can be mapped except 0xfee00000-0xfeefffff (MSI window); the width of the IOMMU is not in these dumps.',
      remedies: [],
      fixes: [],
      provenance: [],
    });
  });

  test('lines without an address: what was complained of is a conflict, what was not is none', async () => {
    const complaint = put('few.txt', 'kernel: RLIMIT_MEMLOCK (65536) exceeded\n');
    expect(await runCli(['check', complaint])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/^A process tried to lock .*\n1\. \w+: .*lock/),
    });
    const quiet = put('quiet.txt', '[    0.6] iommu: Default domain type: Translated\n');
    expect(await runCli(['check', quiet])).toEqual({
      code: 0,
      stdout:
        'Nothing was refused and no fault was logged in these dumps. The default domain type is Translated.\nno conflicts\n',
      stderr: '',
    });
    const hidden = put('iomem.txt', '00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n');
    expect(await runCli(['check', hidden])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('read /proc/iomem as root'),
    });
  });

  test('--json: the answer, then one conflict a line, addresses in hex', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    const { stdout } = await runCli(['check', host, '--guest', 'virt:4G', '--json']);
    expect(
      stdout
        .trimEnd()
        .split('\n')
        .map((line) => JSON.parse(line)),
    ).toMatchObject([
      {
        kind: 'answer',
        severity: 'fatal',
        text: expect.stringMatching(/^virt, 4 GiB does not fit: /),
        remedies: ['Set RAM to 3054 MiB (≈ 2.98 GiB): -m 3054M'],
        provenance: [{ source: host, line: 1 }],
      },
      {
        kind: 'conflict',
        rule: 'guest-over-reserved',
        severity: 'fatal',
        kernel: expect.stringMatching(/^\d+\.\d+$/),
        text: expect.stringContaining('MSI window'),
        remedies: [expect.stringContaining('RAM')],
        errno: 'EINVAL',
        ranges: [
          { role: 'requested', start: '0x40000000', last: '0x13fffffff' },
          { role: 'obstacle', start: '0xfee00000', last: '0xfeefffff' },
        ],
        provenance: [{ source: host, line: 1 }],
      },
    ]);
  });

  test('a file that is damaged or ends too early is named, and what came before is checked', async () => {
    const packed = gzipSync(GROUP(1, MSI).repeat(50));
    const cut = put('cut.gz', packed.subarray(0, packed.length - 8));
    expect(await runCli(['check', cut])).toMatchObject({
      code: 2,
      stdout: expect.stringMatching(/^No conflicts in what was read on group 1: .* Not read: .*cut\.gz\.\n/),
      stderr: expect.stringContaining('the gzip data is truncated'),
    });
  });

  test('what was read is checked, what was not is named, and that is not clean', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    const picture = join(root, 'host.bin');
    writeFileSync(picture, new Uint8Array(64).fill(7));
    const clean = await runCli(['check', host, '/not/there', picture]);
    expect(clean.code).toBe(2);
    expect(clean.stdout).toMatch(
      /^No conflicts in what was read on group 1: .* Not read: \/not\/there and .*host\.bin\.\n/,
    );
    expect(clean.stdout).toMatch(/\nno conflicts in what was read; not read: 2 inputs\n$/);
    expect(clean.stderr).toMatch(
      /^iovascope: check: \/not\/there: cannot be read: [^\n]+\niovascope: check: [^\n]+host\.bin: [^\n]+\n$/,
    );
    const found = await runCli(['check', '/not/there', host, '--guest', 'virt:4G', '--json']);
    expect(found.code).toBe(2);
    const kinds = found.stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(kinds).toMatchObject([
      { kind: 'answer', text: expect.stringMatching(/ Not read: \/not\/there\.$/) },
      { kind: 'diagnostic', severity: 'error', code: 'unreadable', source: '/not/there' },
      { kind: 'conflict' },
    ]);
  });

  test('an input in which nothing was recognized is not read, and never clean', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    const log = put('other.log', 'foo_iommu ff650800.iommu: Stall at nothing\n');
    const { code, stdout, stderr } = await runCli(['check', host, log]);
    expect(code).toBe(2);
    expect(stdout).toMatch(/^No conflicts in what was read on group 1: .* Not read: .*other\.log\.\n/);
    expect(stderr).toMatch(/^iovascope: check: [^\n]+other\.log: nothing recognized: line 1: [^\n]+\n$/);
    const [answer, diagnostic] = (await runCli(['check', host, log, '--json'])).stdout.split('\n');
    expect(JSON.parse(answer ?? '')).toMatchObject({ kind: 'answer', severity: 'warning' });
    expect(JSON.parse(diagnostic ?? '')).toMatchObject({ code: 'nothing-recognized', source: log });
  });

  test('an empty file is not read, unless it lists the regions of a group', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    expect(await runCli(['check', host, put('dmesg', '')])).toMatchObject({ code: 2 });
    mkdirSync(join(root, 'iommu_groups'));
    expect(await runCli(['check', host, put('iommu_groups/reserved_regions', '')])).toMatchObject({ code: 0 });
  });

  test('a guest from a file, beside machines', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    const guest = put(
      'guest.txt',
      'FlatView #0\n AS "memory", root: system\n Root memory region: system\n  00000000fe000000-00000000ffffffff (prio 0, ram): odd.ram\n',
    );
    const { code, stdout } = await runCli(['check', host, '--guest', guest]);
    expect(code).toBe(1);
    expect(stdout).toContain('Guest memory "odd.ram"');
    const none = await runCli(['check', host, '--guest', host]);
    expect(none).toMatchObject({
      code: 2,
      stderr: `iovascope: check: --guest ${host}: no guest definition and no guest layout found\n`,
    });
  });

  test('a file with several guests: which is to be tried must be said', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    const layout = (name: string) =>
      `FlatView #0\n AS "memory", root: system\n Root memory region: system\n  0000000000000000-00000000000fffff (prio 0, ram): ${name}\n`;
    mkdirSync(join(root, 'guests'));
    put('guests/first.txt', layout('first.ram'));
    put('guests/second.txt', layout('second.ram'));
    const { code, stderr } = await runCli(['check', host, '--guest', join(root, 'guests')]);
    expect([code, stderr]).toEqual([2, expect.stringContaining('contains several guests; give one of them: ')]);
    expect(stderr).toMatch(/first\.txt.*second\.txt/);
  });

  test('files of two hosts are two hosts, and both are answered', async () => {
    const a = put('a.txt', `root@maple:~# ls\n${GROUP(1, '0x1000 0x1fff direct')}`);
    const b = put('b.txt', `root@birch:~# ls\n${GROUP(1, '0x5000 0x5fff direct')}`);
    const { code, stdout } = await runCli(['check', a, b, '--json']);
    expect(code).toBe(1);
    expect(stdout).toContain('"0x1000"');
    expect(stdout).toContain('"0x5000"');
  });

  test('a device selects its group; an unknown one and a wrong kernel are usage errors', async () => {
    const device = (group: number, address: string) => `/sys/kernel/iommu_groups/${group}/devices/${address}\n`;
    const text =
      GROUP(1, MSI) + GROUP(2, '0x1000 0x1fff direct') + device(1, '0000:01:00.0') + device(2, '0000:02:00.0');
    const host = put('host.txt', text);
    expect((await runCli(['check', host, '--device', '01:00.0'])).code).toBe(0);
    expect(await runCli(['check', host, '--device', '0000:02:00.0'])).toMatchObject({ code: 1 });
    const unknown = await runCli(['check', host, '--device', '0000:09:00.0']);
    expect([unknown.code, unknown.stderr]).toEqual([2, expect.stringContaining('0000:09:00.0')]);
    expect((await runCli(['check', host, '--kernel', 'newest'])).code).toBe(2);
  });

  test('only some groups', async () => {
    const host = put('host.txt', GROUP(1, MSI) + GROUP(2, '0x1000 0x1fff direct'));
    expect((await runCli(['check', host, '--group', '2'])).code).toBe(1);
    expect((await runCli(['check', host, '--group', '1'])).code).toBe(0);
    expect(await runCli(['check', host, '--group', '7'])).toMatchObject({
      code: 2,
      stderr: 'iovascope: check: --group 7: no such group in the files\n',
    });
  });

  test('the page size of the host', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    const guest = put(
      'guest.txt',
      'FlatView #0\n AS "memory", root: system\n  0000000080010000-0000000080013fff (prio 0, ramd): 0006:01:00.0 BAR 0\n',
    );
    expect((await runCli(['check', host, '--guest', guest])).code).toBe(0);
    const { code, stdout } = await runCli(['check', host, '--guest', guest, '--page-size', '64K']);
    expect([code, stdout.includes('is not aligned to pages of 64 KiB')]).toEqual([1, true]);
  });

  test('the operations of a session that were refused', async () => {
    const session = put(
      'a.iova.jsonl',
      [
        '{"format":"iova-trace","version":1,"model":"iommufd"}',
        '{"op":"ioas.alloc","ioas":"a"}',
        '{"op":"ioas.unmap","ioas":"a","iova":"0x1000","length":"0x1000"}',
      ].join('\n'),
    );
    const { code, stdout } = await runCli(['check', session]);
    expect(code).toBe(1);
    expect(stdout).toContain('ENOENT');
  });

  test.each([
    [['check'], 'check: no file given; use - for standard input'],
    [
      ['check', 'HOST', '--guest', 'q35:lots'],
      "check: --guest 'q35:lots': expected a size such as 4096, 4K, 2M, 1.5GiB or 0x1000",
    ],
    [['check', 'HOST', '--guest', 'q35:0'], "check: --guest 'q35:0': a guest needs at least one byte of RAM"],
    [['check', 'HOST', '--page-size', '5000'], "check: --page-size '5000': expected a power of two such as 4K or 64K"],
    [['check', 'nowhere.txt'], 'check: nowhere.txt: cannot be read: no such file or directory'],
  ])('unusable: %j', async (args, message) => {
    const host = put('host.txt', GROUP(1, MSI));
    const { code, stdout, stderr } = await runCli(args.map((arg) => (arg === 'HOST' ? host : arg)));
    expect([code, stdout, stderr]).toEqual([2, '', `iovascope: ${message}\n`]);
  });
});

describe('fit --dma', () => {
  test('where the next buffers of a device go, how, and what is assumed', async () => {
    const host = put('dma.txt', GROUP(1, MSI));
    const { code, stdout } = await runCli(['fit', host, '--dma', '--mask', '40', '--size', '8K']);
    expect(code).toBe(0);
    const [first, ...more] = stdout.trimEnd().split('\n');
    expect(first).toBe('Host A: group 1: 8 KiB: 0xffffe000, then 0xffffc000, then 0xffffa000');
    expect(more).toContain('  PCI device: addresses below 4 GiB are tried first');
    expect(more).toContain('  assumed: the width of the IOMMU is not in these dumps');
    const json = await runCli(['fit', host, '--dma', '--json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ addresses: ['0xfffff000', '0xffffe000', '0xffffd000'] });
  });

  test.each([
    [['--dma', '--mask', '4'], "fit: --mask '4': expected a number of address bits, 12 to 64"],
    [['--dma', '--at', '0x0'], 'fit: --align and --at cannot be used with --dma'],
    [['--dma', '--kernel', 'old'], "fit: --kernel 'old': expected a version such as 6.1 or 6.12.42"],
    [['--dma', '--device', '0000:09:00.0'], 'fit: no host in the dumps has the device 0000:09:00.0'],
    [['--size', '4K', '--mask', '32'], 'fit: --mask needs --dma'],
  ])('%s', async (args, message) => {
    const { code, stderr } = await runCli(['fit', put('dma.txt', GROUP(1, MSI)), ...args]);
    expect([code, stderr.trim()]).toEqual([2, `iovascope: ${message}`]);
  });
});

describe('fit', () => {
  test('places, in the terms of the question', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    const { code, stdout } = await runCli(['fit', host, '--size', '2G', '--align', '1G']);
    expect(code).toBe(0);
    expect(stdout).toBe(
      [
        'Host A: group 1: 2 GiB fits',
        '  0x0-0x7fffffff, or every 0x40000000 up to 0x40000000, in 0x0-0xfedfffff',
        '  0x100000000-0x17fffffff, or every 0x40000000 up to 0xffffffff80000000, in 0xfef00000-0xffffffffffffffff',
        '  side by side: up to 8,589,934,591 fit',
        '',
      ].join('\n'),
    );
  });

  test('a fixed address that is taken: by what, and what would fit there', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    const { code, stdout } = await runCli(['fit', host, '--size', '4G', '--at', '0x80000000']);
    expect(code).toBe(1);
    expect(stdout).toContain('4 GiB at 0x80000000 does not fit');
    expect(stdout).toContain('  blocked by: 0xfee00000-0xfeefffff MSI window (msi)\n');
    expect(stdout).toContain('(0x7ee00000) at 0x80000000');
  });

  test('--json', async () => {
    const host = put('host.txt', GROUP(1, MSI));
    const { stdout } = await runCli(['fit', host, '--size', '0x1000', '--at', '0xfee00000', '--json']);
    expect(JSON.parse(stdout)).toEqual({
      space: 'Host A: group 1',
      fits: false,
      places: [],
      side_by_side: '0x0',
      aperture_known: false,
      blocked_by: [
        { start: '0xfee00000', last: '0xfeefffff', kind: 'reserved', text: 'MSI window (msi)', owners: ['group 1'] },
      ],
    });
  });

  test.each([
    [['fit', 'HOST'], 'fit: --size is required'],
    [['fit', 'HOST', '--size', '0'], "fit: --size '0': expected at least one byte"],
    [['fit', 'HOST', '--size', '1', '--align', '3'], "fit: --align '3': expected a power of two"],
    [['fit', 'HOST', '--size', '1', '--at', 'here'], "fit: --at 'here': expected a hexadecimal digit, found 'h'"],
  ])('unusable: %j', async (args, message) => {
    const host = put('host.txt', GROUP(1, MSI));
    const { code, stderr } = await runCli(args.map((arg) => (arg === 'HOST' ? host : arg)));
    expect([code, stderr]).toEqual([2, `iovascope: ${message}\n`]);
  });
});

describe('compare', () => {
  test('two hosts: sets, differences and the line to paste', async () => {
    const amd = put('amd.txt', GROUP(1, MSI, '0x000000fd00000000 0x000000ffffffffff reserved'));
    const intel = put('intel.txt', GROUP(1, MSI));
    const { code, stdout } = await runCli(['compare', amd, intel]);
    expect(code).toBe(0);
    expect(stdout).toContain(
      'reserved on any (union):\n  0xfee00000-0xfeefffff 1 MiB\n  0xfd00000000-0xffffffffff 12 GiB\n',
    );
    expect(stdout).toContain('reserved on all (intersection):\n  0xfee00000-0xfeefffff 1 MiB\n');
    expect(stdout).toContain(`differences:\n  0xfd00000000-0xffffffffff 12 GiB: usable on ${intel}; not on ${amd}\n`);
    expect(stdout).toMatch(/copyable list: 12G@1012G,1M@4078M\n$/);
    const { stdout: json } = await runCli(['compare', amd, intel, '--json']);
    expect(JSON.parse(json)).toMatchObject({
      reserved_intersection: [['0xfee00000', '0xfeefffff']],
      usable_intersection: [
        ['0x0', '0xfedfffff'],
        ['0xfef00000', '0xfcffffffff'],
        ['0x10000000000', '0xffffffffffffffff'],
      ],
      differences: [{ usable_on: [intel], not_on: [amd] }],
    });
  });

  test('hosts of a fleet that do not differ are one line, the odd one is named', async () => {
    const names = Array.from({ length: 20 }, (_, i) => put(`node${i}.txt`, GROUP(1, MSI)));
    const odd = put('odd.txt', GROUP(1, MSI, '0x1000 0x1fff direct'));
    const { stdout } = await runCli(['compare', ...names, odd, '--guest', 'q35:2G']);
    expect(stdout).toContain(
      `identical hosts:\n  20 of 21 hosts (all but ${odd})\n  ${odd}: 0x1000-0x1fff blocked (direct)\n`,
    );
    expect(stdout).toContain(`: usable on 20 of 21 hosts (all but ${odd}); not on ${odd}\n`);
    expect(stdout).toMatch(new RegExp(`\\nguest:\\n  20 of 21 hosts .*: q35, 2 GiB fits .*\\n  ${odd}: .*\\n$`));
    const { stdout: json } = await runCli(['compare', ...names, odd, '--json']);
    expect(JSON.parse(json).alike).toEqual([names, [odd]]);
  });

  test('a folder of hosts; a bad one fails alone', async () => {
    const fleet = join(root, 'fleet');
    for (const name of ['r1', 'r2', 'r3']) {
      mkdirSync(join(fleet, name), { recursive: true });
      writeFileSync(join(fleet, name, 'dump.txt'), GROUP(1, MSI));
    }
    const bad = put('bad.tar.gz', new Uint8Array([0x1f, 0x8b, 8, 0, 1, 2, 3]));
    const { code, stdout, stderr } = await runCli(['compare', fleet, bad, '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      classes: [{ count: 3, hosts: ['r1', 'r2', 'r3'], differs: '' }],
      not_read: [{ name: bad }],
    });
    expect([code, stderr]).toEqual([2, expect.stringContaining(`compare: ${bad}: `)]);
    expect((await runCli(['compare', fleet])).code).toBe(0);
  });

  test('one host is not enough, and a file without regions is none', async () => {
    const intel = put('intel.txt', GROUP(1, MSI));
    const log = put('log.txt', 'DMAR: Host address width 39\n');
    expect((await runCli(['compare', intel])).stderr).toBe(
      'iovascope: compare: expected two or more files, one for each host\n',
    );
    expect((await runCli(['compare', intel, log])).stderr).toContain(`compare: ${log}: nothing says what is reserved`);
  });
});
