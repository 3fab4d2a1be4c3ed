import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { hostname } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeProbe } from '../../../scripts/build-probe.mjs';
import { howToGet, missingPrograms } from '../../../scripts/programs.mjs';
import { openText } from '../../dumps/testing/read.ts';
import type { Fact } from '../../session/events.ts';
import { writeEvent } from '../../session/write.ts';
import { hasInterpreter } from './testing/elf.ts';
import {
  factsOf,
  factsOfFolder,
  type Line,
  linesOf,
  type ProbeResult,
  RunningProbe,
  removeTemporaryFolders,
  runProbe,
  sysroot,
  type Tree,
  temporaryFolder,
} from './testing/probe.ts';

const PROJECT = join(import.meta.dirname, '../../..');
const FIXTURES = join(PROJECT, 'src/dumps/fixtures');
const SOON = 120_000;
const CROSS = ['aarch64-linux-gnu-gcc', 'qemu-aarch64'];

let probe = '';

beforeAll(() => {
  const folder = temporaryFolder();
  makeProbe(['sanitize'], folder);
  probe = join(folder, 'iovascope-probe-sanitized');
}, SOON);

afterAll(removeTemporaryFolders);

function run(args: readonly string[], input?: string | Uint8Array): ProbeResult {
  return runProbe([probe], args, input);
}

/** `--once` on a tree, whose output must be a clean session and whose exit code is 0. */
function once(tree: Tree, ...args: string[]): { facts: Fact[]; stdout: string; lines: readonly Line[] } {
  return onceIn(sysroot(tree), ...args);
}

function onceIn(root: string, ...args: string[]): { facts: Fact[]; stdout: string; lines: readonly Line[] } {
  const { code, stdout, stderr, lines } = run(['--once', '--sysroot', root, ...args]);
  expect([code, stderr]).toEqual([0, '']);
  return { facts: factsOf(stdout), stdout, lines };
}

/** Diagnostics in short: `warning damaged-region /sys/… 3`. */
function diagnosticsOf(facts: readonly Fact[]): string[] {
  return facts.flatMap((fact) =>
    fact.kind === 'diagnostic'
      ? [`${fact.severity} ${fact.code} ${fact.source ?? '-'}${fact.line === undefined ? '' : ` ${fact.line}`}`]
      : [],
  );
}

const HOST: Tree = {
  'proc/sys/kernel/hostname': 'birch\n',
  'proc/sys/kernel/osrelease': '6.12.9-test\n',
  'proc/cmdline': 'BOOT_IMAGE=/vmlinuz root=UUID=0123 intel_iommu=on,sm_off quiet iommu.strict=1 user=secret\n',
  'proc/sys/kernel/arch': 'x86_64\n',
};

const GROUPS = 'sys/kernel/iommu_groups';
const GPU = 'sys/devices/pci0000:00/0000:00:02.0';

const ORDINARY: Tree = {
  ...HOST,
  'proc/iomem':
    '00000000-00000fff : Reserved\n00100000-7fffffff : System RAM\n  01000000-01ffffff : Kernel code\n' +
    'b0000000-bfffffff : PCI ECAM 0000 [bus 00-ff]\nc0000000-febfffff : PCI Bus 0000:00\n' +
    '  fe000000-fe003fff : 0000:00:02.0\n100000000-ffffffffffffffff : PCI Bus 0000:80\n',
  [`${GROUPS}/2/type`]: 'DMA-FQ\n',
  [`${GROUPS}/2/reserved_regions`]: '0x00000000fee00000 0x00000000feefffff msi\n',
  [`${GROUPS}/2/devices/0000:00:02.0`]: { link: '../../../../devices/pci0000:00/0000:00:02.0' },
  [`${GROUPS}/10/type`]: 'identity\n',
  [`${GROUPS}/10/reserved_regions`]:
    '0x0000000000000000 0x0000000000ffffff direct-relaxable\n0x0000000000000000 0xffffffffffffffff some-new_type\n',
  [`${GROUPS}/10/devices/arm-smmu-test.1`]: { link: '../../../../devices/platform/arm-smmu-test.1' },
  'sys/devices/platform/arm-smmu-test.1/': '',
  [`${GPU}/vendor`]: '0x8086\n',
  [`${GPU}/device`]: '0x9bc4\n',
  [`${GPU}/class`]: '0x030000\n',
  [`${GPU}/driver`]: { link: '../../../bus/pci/drivers/i915' },
  'sys/devices/virtual/iommu/dmar0/intel-iommu/cap': 'd2008c222f0686\n',
  'sys/devices/virtual/iommu/dmar0/intel-iommu/ecap': 'f00f4a\n',
  'sys/devices/virtual/iommu/dmar0/intel-iommu/version': '1:0\n',
  'sys/devices/virtual/iommu/dmar0/devices/0000:00:02.0': { link: '../../../../pci0000:00/0000:00:02.0' },
  'sys/class/iommu/dmar0': { link: '../../devices/virtual/iommu/dmar0' },
  'sys/class/iommu/ivhd0/amd-iommu/cap': '190b640f\n',
  'sys/class/iommu/ivhd0/amd-iommu/features': '246577efa2254ada:10\n',
  'sys/class/iommu/smmu3.0x0000000009050000/': '',
  'sys/class/iommu/frob-7/': '',
};

describe('a snapshot', () => {
  test('tells host, IOMMUs, groups, regions and windows, each with where it was read', () => {
    const { lines } = once(ORDINARY);
    const group = '/sys/kernel/iommu_groups';
    const iommu = '/sys/class/iommu';
    const window = (start: string, last: string, name: string, depth: number, type: string, line: number) => ({
      kind: 'window',
      start,
      last,
      name,
      depth,
      type,
      source: '/proc/iomem',
      line,
    });
    expect(lines).toEqual([
      { format: 'iova-trace', version: 1, source: 'iovascope-probe', kernel: '6.12.9-test', title: 'birch' },
      {
        kind: 'host',
        name: 'birch',
        kernel: '6.12.9-test',
        arch: 'x86_64',
        options: 'intel_iommu=on,sm_off iommu.strict=1',
        source: '/proc/sys/kernel',
      },
      {
        kind: 'iommu',
        name: 'dmar0',
        driver: 'intel',
        address_width: 48,
        cap: '0xd2008c222f0686',
        pgsize_bitmap: '0x40201000',
        ecap: '0xf00f4a',
        hardware_version: '1:0',
        devices: ['0000:00:02.0'],
        source: `${iommu}/dmar0`,
      },
      { kind: 'iommu', name: 'frob-7', driver: 'unknown', source: `${iommu}/frob-7` },
      {
        kind: 'iommu',
        name: 'ivhd0',
        driver: 'amd',
        cap: '0x190b640f',
        features: '246577efa2254ada:10',
        source: `${iommu}/ivhd0`,
      },
      {
        kind: 'iommu',
        name: 'smmu3.0x0000000009050000',
        driver: 'smmu-v3',
        source: `${iommu}/smmu3.0x0000000009050000`,
      },
      {
        kind: 'group',
        group: '2',
        type: 'DMA-FQ',
        devices: ['0000:00:02.0'],
        details: [
          {
            device: '0000:00:02.0',
            driver: 'i915',
            vendor: '0x8086',
            device_id: '0x9bc4',
            class: '0x030000',
            class_name: 'VGA',
          },
        ],
        source: `${group}/2`,
      },
      {
        kind: 'reserved',
        start: '0xfee00000',
        last: '0xfeefffff',
        type: 'msi',
        origin: 'sysfs',
        group: '2',
        source: `${group}/2/reserved_regions`,
        line: 1,
      },
      {
        kind: 'group',
        group: '10',
        type: 'identity',
        devices: ['arm-smmu-test.1'],
        details: [{ device: 'arm-smmu-test.1' }],
        source: `${group}/10`,
      },
      {
        kind: 'reserved',
        start: '0x0',
        last: '0xffffff',
        type: 'direct-relaxable',
        origin: 'sysfs',
        group: '10',
        source: `${group}/10/reserved_regions`,
        line: 1,
      },
      {
        kind: 'reserved',
        start: '0x0',
        last: '0xffffffffffffffff',
        type: 'some-new_type',
        origin: 'sysfs',
        group: '10',
        source: `${group}/10/reserved_regions`,
        line: 2,
      },
      window('0x0', '0xfff', 'Reserved', 0, 'reserved', 1),
      window('0x100000', '0x7fffffff', 'System RAM', 0, 'ram', 2),
      window('0x1000000', '0x1ffffff', 'Kernel code', 1, 'other', 3),
      window('0xb0000000', '0xbfffffff', 'PCI ECAM 0000 [bus 00-ff]', 0, 'ecam', 4),
      window('0xc0000000', '0xfebfffff', 'PCI Bus 0000:00', 0, 'pci', 5),
      window('0xfe000000', '0xfe003fff', '0000:00:02.0', 1, 'mmio', 6),
      window('0x100000000', '0xffffffffffffffff', 'PCI Bus 0000:80', 0, 'pci', 7),
      expect.objectContaining({ kind: 'diagnostic', severity: 'info', code: 'processes-skipped' }),
    ]);
  });

  test('knows virtio’s IOMMUs, which are named after PCI devices, by their driver', () => {
    const device = 'sys/devices/pci0000:00/0000:00:04.0/virtio0';
    const { facts } = once({
      ...HOST,
      [`${device}/driver`]: { link: '../../../../bus/virtio/drivers/virtio_iommu' },
      [`${device}/iommu/0000:00:04.0/device`]: { link: '../../../virtio0' },
      [`${device}/iommu/0000:00:04.0/devices/0000:00:05.0`]: { link: '../../../../../0000:00:05.0' },
      'sys/class/iommu/0000:00:04.0': {
        link: '../../devices/pci0000:00/0000:00:04.0/virtio0/iommu/0000:00:04.0',
      },
    });
    expect(facts.filter(({ kind }) => kind === 'iommu')).toEqual([
      {
        kind: 'iommu',
        name: '0000:00:04.0',
        driver: 'virtio',
        devices: ['0000:00:05.0'],
        source: '/sys/class/iommu/0000:00:04.0',
      },
    ]);
  });

  test('of this host is a clean session', () => {
    const { code, stdout, stderr } = run(['--once']);
    expect([code, stderr]).toEqual([0, '']);
    const [host] = factsOf(stdout);
    expect(host).toMatchObject({ kind: 'host', name: hostname(), source: '/proc/sys/kernel' });
  });

  test('of nothing says what is missing, and fails', () => {
    const { code, stdout, stderr } = run(['--once', '--sysroot', temporaryFolder()]);
    expect([code, stderr]).toEqual([1, '']);
    expect(diagnosticsOf(factsOf(stdout))).toEqual([
      'info no-host /proc/sys/kernel',
      'info no-iommus /sys/class/iommu',
      'info no-iommu-groups /sys/kernel/iommu_groups',
      'info no-iomem /proc/iomem',
      'info processes-skipped /proc',
    ]);
  });

  test('tells groups whose files are missing, empty or odd as far as they are known', () => {
    const { facts } = once({
      ...HOST,
      [`${GROUPS}/1/`]: '',
      [`${GROUPS}/2/type`]: '',
      [`${GROUPS}/2/devices/`]: '',
      [`${GROUPS}/2/reserved_regions`]: '',
      [`${GROUPS}/3/type`]: '  weird type \nmore\n',
      [`${GROUPS}/3/devices`]: 'a file\n',
      [`${GROUPS}/3/reserved_regions/`]: '',
      [`${GROUPS}/4`]: 'a file\n',
    });
    expect(facts.filter(({ kind }) => kind === 'group')).toEqual([
      { kind: 'group', group: '1', devices: [], details: [], source: `/${GROUPS}/1` },
      { kind: 'group', group: '2', devices: [], details: [], source: `/${GROUPS}/2` },
      { kind: 'group', group: '3', type: 'weird type', devices: [], details: [], source: `/${GROUPS}/3` },
      { kind: 'group', group: '4', devices: [], details: [], source: `/${GROUPS}/4` },
    ]);
    expect(diagnosticsOf(facts).filter((text) => text.includes(GROUPS))).toEqual([
      `info no-devices /${GROUPS}/1/devices`,
      `info no-reserved-regions /${GROUPS}/1/reserved_regions`,
      `info no-devices /${GROUPS}/3/devices`,
      `warning no-reserved-regions /${GROUPS}/3/reserved_regions`,
      `info no-devices /${GROUPS}/4/devices`,
      `info no-type /${GROUPS}/4/type`,
      `info no-reserved-regions /${GROUPS}/4/reserved_regions`,
    ]);
  });

  test('keeps regions in their order and tells damaged ones by line', () => {
    const { facts } = once({
      ...HOST,
      [`${GROUPS}/0/reserved_regions`]:
        '0x00000000fee00000 0x00000000feefffff msi\n0x0000000000000000 0x0000000000ffffff direct\n' +
        '0x00000000feefffff 0x00000000fee00000 msi\nfee00000 feefffff msi\n0x1 0x2\n0x1 0x2 MSI\n0x1 0x2 msi extra\n' +
        '0x00000000000000001 0x2 msi\n\n0x1 0x1 reserved   \r\n',
    });
    expect(
      facts.flatMap((fact) => (fact.kind === 'reserved' ? [`${fact.line} ${fact.start} ${fact.type}`] : [])),
    ).toEqual(['1 4276092928 msi', '2 0 direct', '10 1 reserved']);
    const path = `/${GROUPS}/0/reserved_regions`;
    expect(diagnosticsOf(facts).filter((text) => text.includes(path))).toEqual([
      `error start-above-last ${path} 3`,
      `warning damaged-region ${path} 4`,
      `warning damaged-region ${path} 5`,
      `warning damaged-region ${path} 6`,
      `warning damaged-region ${path} 7`,
      `error too-many-digits ${path} 8`,
    ]);
  });

  test('says that /proc/iomem was read without privilege', () => {
    const { facts } = once({
      ...HOST,
      'proc/iomem': '00000000-00000000 : System RAM\n  00000000-00000000 : Kernel code\n',
    });
    expect(diagnosticsOf(facts)).toContain('warning addresses-hidden /proc/iomem 1');
    expect(diagnosticsOf(facts).filter((text) => text.includes('/proc/iomem'))).toHaveLength(1);
    expect(facts.filter(({ kind }) => kind === 'window')).toEqual([]);
  });

  test('escapes control characters and replaces what is not UTF-8', () => {
    const name = 'tab\tnewline\nquote"back\\slash\x1b[31m\x7f ü€𝄞';
    const { facts, stdout } = once({
      ...HOST,
      [`${GROUPS}/1/devices/${name}`]: { link: name },
      'proc/iomem': new Uint8Array([
        ...Buffer.from('1000-1fff : bad \x01 '),
        ...[
          0xff, 0x20, 0xc0, 0xaf, 0x20, 0xe2, 0x82, 0x20, 0xed, 0xa0, 0x80, 0x20, 0xf4, 0x90, 0x80, 0x80, 0x20, 0xc2,
          0x85,
        ],
        0x0a,
      ]),
    });
    expect(facts.find(({ kind }) => kind === 'group')).toMatchObject({ devices: [name], details: [{ device: name }] });
    const bad = new Uint8Array([
      0xff, 0x20, 0xc0, 0xaf, 0x20, 0xe2, 0x82, 0x20, 0xed, 0xa0, 0x80, 0x20, 0xf4, 0x90, 0x80, 0x80,
    ]);
    expect(facts.find(({ kind }) => kind === 'window')).toMatchObject({
      name: `bad \x01 ${new TextDecoder().decode(bad)} \x85`,
    });
    const printed = stdout.replaceAll('\n', '');
    expect([...printed].filter((c) => c < ' ' || (c >= '\x7f' && c < '\xa0'))).toEqual([]);
  });

  test('is not stopped by loops of links, links out of the tree, pipes, and devices', () => {
    const root = sysroot({
      ...HOST,
      'sys/class/iommu': { link: 'iommu' },
      [`${GROUPS}/1/type`]: { link: 'type' },
      [`${GROUPS}/1/devices/0000:00:1f.0`]: { link: '../devices/0000:00:1f.0' },
      [`${GROUPS}/2/type`]: { link: '/proc/version' },
      [`${GROUPS}/2/devices/`]: '',
      [`${GROUPS}/2/reserved_regions`]: { link: '../../../../../../../../../../../../../../../proc/version' },
    });
    expect(spawnSync('mkfifo', [join(root, GROUPS, '3')]).status).toBe(0);
    expect(spawnSync('mkfifo', [join(root, 'proc/iomem')]).status).toBe(0);
    const { facts } = onceIn(root);
    expect(diagnosticsOf(facts)).toEqual([
      'warning no-iommus /sys/class/iommu',
      `warning no-type /${GROUPS}/1/type`,
      `info no-reserved-regions /${GROUPS}/1/reserved_regions`,
      `info no-reserved-regions /${GROUPS}/2/reserved_regions`,
      `info no-devices /${GROUPS}/3/devices`,
      `info no-type /${GROUPS}/3/type`,
      `info no-reserved-regions /${GROUPS}/3/reserved_regions`,
      'warning no-iomem /proc/iomem',
      'info processes-skipped /proc',
    ]);
    expect(facts.filter(({ kind }) => kind === 'group')).toMatchObject([
      { group: '1', devices: ['0000:00:1f.0'], details: [{ device: '0000:00:1f.0' }] },
      { group: '2', devices: [] },
      { group: '3', devices: [] },
    ]);
  });

  test('reads huge files in pieces, cuts long lines, counts damaged ones', () => {
    const regions = Array.from(
      { length: 50_000 },
      (_, i) =>
        `0x${(i * 4096).toString(16).padStart(16, '0')} 0x${(i * 4096 + 4095).toString(16).padStart(16, '0')} direct\n`,
    );
    const { facts } = once({
      ...HOST,
      [`${GROUPS}/0/type`]: 'x'.repeat(3_000_000),
      [`${GROUPS}/0/devices/`]: '',
      [`${GROUPS}/0/reserved_regions`]: regions.join(''),
      'proc/iomem': `1000-1fff : first\n2000-2fff : ${'n'.repeat(5_000_000)}\n${'junk\n'.repeat(1000)}3000-3fff : last`,
    });
    const reserved = facts.filter((fact) => fact.kind === 'reserved');
    expect(reserved).toHaveLength(50_000);
    expect(reserved.at(-1)).toMatchObject({ start: 49_999n * 4096n, last: 50_000n * 4096n - 1n, line: 50_000 });
    const windows = facts.flatMap((fact) =>
      fact.kind === 'window' ? [[fact.start, fact.name.length, fact.line]] : [],
    );
    expect(windows).toEqual([
      [0x1000n, 5, 1],
      [0x2000n, 2048 - '2000-2fff : '.length, 2],
      [0x3000n, 4, 1003],
    ]);
    const about = diagnosticsOf(facts).filter((text) => text.includes('/proc/iomem'));
    expect(about).toEqual([
      'warning long-line-cut /proc/iomem 2',
      ...Array.from({ length: 8 }, (_, i) => `warning damaged-window /proc/iomem ${i + 3}`),
      'warning more-damaged-lines /proc/iomem',
    ]);
    const more = facts.find((fact) => fact.kind === 'diagnostic' && fact.code === 'more-damaged-lines');
    expect(more).toMatchObject({ message: '992 more malformed or unusual lines' });
  });

  test('lists as many devices of a group as fit into a line, and says how many are missing', () => {
    const count = 3000;
    const name = (i: number) => `${'a'.repeat(60)}-${i}`;
    const { facts, stdout } = once({
      ...HOST,
      ...Object.fromEntries(Array.from({ length: count }, (_, i) => [`${GROUPS}/5/devices/${name(i)}`, { link: 'x' }])),
    });
    const group = facts.find((fact) => fact.kind === 'group');
    const listed = group?.kind === 'group' ? group.devices : [];
    const details = group && 'details' in group && Array.isArray(group.details) ? group.details : [];
    expect(listed).toEqual(Array.from({ length: listed.length }, (_, i) => name(i)));
    expect(listed.length).toBeGreaterThan(500);
    const message = `the group has ${count} devices; ${listed.length} are listed and ${details.length} described`;
    expect(facts).toContainEqual(expect.objectContaining({ kind: 'diagnostic', code: 'group-cut', message }));
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThan(128 * 1024);
  });
});

// ---- the same facts as the dump readers find ----

/** A fact without what says where it was read and what only the probe knows. */
function plain(fact: Fact): string {
  const { source: _source, line: _line, details: _details, stream: _stream, ...rest } = fact as Fact & Line;
  const devices = Array.isArray(rest.devices) ? { devices: [...rest.devices].sort() } : {};
  const sorted = Object.entries({ ...rest, ...devices }).sort(([a], [b]) => (a < b ? -1 : 1));
  return writeEvent(Object.fromEntries(sorted) as Fact);
}

function plainFacts(facts: readonly Fact[], kinds: readonly string[]): string[] {
  return facts
    .filter(({ kind }) => kinds.includes(kind))
    .map(plain)
    .sort();
}

async function expectSameFacts(tree: Tree, kinds: readonly string[], ...args: string[]): Promise<number> {
  const root = sysroot(tree);
  const own = plainFacts(onceIn(root, ...args).facts, kinds);
  expect(own).toEqual(plainFacts(await factsOfFolder(root), kinds));
  return own.length;
}

const fixture = (name: string) => new Uint8Array(readFileSync(join(FIXTURES, name)));
const address = fc.bigInt({ min: 0n, max: (1n << 64n) - 1n });
const padded = (value: bigint) => `0x${value.toString(16).padStart(16, '0')}`;
const pciAddress = fc.tuple(fc.nat(1), fc.nat(255), fc.nat(31), fc.nat(7)).map(([d, b, s, f]) => {
  const two = (n: number) => n.toString(16).padStart(2, '0');
  return `${d.toString(16).padStart(4, '0')}:${two(b)}:${two(s)}.${f}`;
});
const deviceName = fc.oneof(pciAddress, fc.constantFrom('arm-smmu.3.auto', '3d00000.gpu', 'vfio-test', 'INT33C2:00'));
const region = fc
  .tuple(address, address, fc.constantFrom('msi', 'direct', 'direct-relaxable', 'reserved', 'new-kind'))
  .map(([a, b, type]) => `${padded(a)} ${padded(b)} ${type}\n`);
const group = fc.record({
  type: fc.constantFrom('DMA', 'DMA-FQ', 'identity', 'blocked', 'unmanaged'),
  devices: fc.uniqueArray(deviceName, { minLength: 1, maxLength: 5 }),
  regions: fc.array(region, { maxLength: 6 }),
});
const windowName = fc.oneof(
  fc.constantFrom(
    ...['System RAM', 'System RAM (boot)', 'System RAMX', 'Reserved', 'reserved', 'Reserved by', 'PCI Bus 0000:00'],
    ...['PCI Bus', 'PCIe Bus 1', 'PCI-X Bus 2', 'PCI Busy', 'PCI ECAM 0000 [bus 00-ff]', 'PCI MMCONFIG 0000', 'XECAM'],
    ...['soc: x.pcie config', '40000000.pcie config', 'pcie@10000000', 'pci@1', 'pci@', 'pcie@xyz', 'Kernel code'],
    ...['ACPI Tables', 'Video ROM', 'Persistent Memory', 'namespace0.0', 'namespaces', 'dax0.0', 'dax', 'CXL Window 0'],
    ...['Soft Reserved', 'RAM buffer', 'ram buffer', 'dmar0', 'IOAPIC 0', '0000:00:1f.2', 'nvme', 'GICD', 'EFI x'],
  ),
  fc.stringMatching(/^[A-Za-z][A-Za-z0-9 :.@_-]{0,20}[a-z]$/),
);
const windowLine = fc
  .tuple(fc.nat(3), address, address, windowName)
  .map(
    ([depth, a, b, name]) =>
      `${'  '.repeat(depth)}${a.toString(16).padStart(8, '0')}-${b.toString(16).padStart(8, '0')} : ${name}\n`,
  );

describe('what the dump readers know too', () => {
  test(
    'is the same in trees of any content',
    async () => {
      let found = 0;
      await fc.assert(
        fc.asyncProperty(
          fc.dictionary(fc.nat(40).map(String), group, { maxKeys: 5 }),
          fc.array(windowLine, { maxLength: 20 }),
          async (groups, windows) => {
            const tree: Record<string, Tree[string]> = {
              ...HOST,
              'proc/iomem': `00000000-00000fff : Reserved\n${windows.join('')}`,
            };
            for (const [number, { type, devices, regions }] of Object.entries(groups)) {
              tree[`${GROUPS}/${number}/type`] = `${type}\n`;
              tree[`${GROUPS}/${number}/reserved_regions`] = regions.join('');
              for (const device of devices)
                tree[`${GROUPS}/${number}/devices/${device}`] = { link: `../../../../devices/x/${device}` };
            }
            found += await expectSameFacts(tree, ['group', 'reserved', 'window']);
          },
        ),
        { numRuns: 40 },
      );
      expect(found).toBeGreaterThan(100);
    },
    SOON,
  );

  test.each(['x86-vtd-48bit', 'x86-vtd-39bit-rmrr', 'x86-amd-vi', 'x86-virtio-iommu', 'arm64-smmuv3'])(
    'is the same for the recorded host %s',
    async (name) => {
      const trace = { 'sys/kernel/tracing/trace': fixture(`ftrace/captured-${name}.txt`) };
      const iomem = { 'proc/iomem': fixture(`iomem/captured-${name}.txt`) };
      const kinds = ['window', 'map', 'unmap', 'fault'];
      expect(await expectSameFacts({ ...HOST, ...trace, ...iomem }, kinds, '--trace')).toBeGreaterThan(20);
    },
  );

  test.each(['x86-vtd-48bit', 'x86-vtd-39bit-rmrr'])('is the same for the page tables of %s', async (name) => {
    const table = fixture(`intel-debugfs-pages/captured-${name}.txt`);
    const folder = 'sys/kernel/debug/iommu/intel';
    const whole = { [`${folder}/domain_translation_struct`]: table };
    expect(await expectSameFacts({ ...HOST, ...whole }, ['map'], '--tables')).toBeGreaterThan(0);
    const single = {
      [`${folder}/0000:00:05.0/domain_translation_struct`]: table,
      [`${folder}/0000:00:05.0/1/domain_translation_struct`]: table,
    };
    expect(await expectSameFacts({ ...HOST, ...single }, ['map'], '--tables')).toBeGreaterThan(1);
  });
});

// ---- traces and page tables, line by line ----

describe('a recorded trace', () => {
  test.each([2048, 2049, 16_383, 16_384, 40_000])(
    'a line of %i bytes without an end is cut, and that is all',
    (length) => {
      const { facts } = once({ ...HOST, 'sys/kernel/tracing/trace': 'x'.repeat(length) }, '--trace');
      expect(diagnosticsOf(facts).filter((text) => text.includes('long-line-cut'))).toHaveLength(length > 2048 ? 1 : 0);
    },
  );

  function trace(...lines: string[]): Fact[] {
    const { facts } = once({ ...HOST, 'sys/kernel/tracing/trace': `${lines.join('\n')}\n` }, '--trace');
    const source = '/sys/kernel/tracing/trace';
    return facts.filter((fact) => fact.source === source);
  }

  test('becomes facts', () => {
    const base = { source: '/sys/kernel/tracing/trace', stream: 'trace', origin: 'ftrace' };
    expect(
      trace(
        '# tracer: nop',
        'qemu: IOMMU: x-1 [000] .....     3.932289: map: IOMMU: iova=0x0000000000000000 - 0x0000000000002000 paddr=0x0000000000e50000 size=8192',
        'q-1 [000] 003.50: map: IOMMU: iova=0xfffffffffffff000 - 0x0000000000000000 paddr=0x1000 size=4096',
        'map: IOMMU: iova=0x1000 paddr=0x2000 size=0x1000',
        'x-2 [001] 4.1: unmap: IOMMU: dev=0000:00:05.0 iova=0x1000 size=4096 unmapped_size=2097152',
        'x-2 [001] 5.1: io_page_fault: IOMMU:Intel VT-d 0000:00:06.0 iova=0x00000000dead0000 flags=0x0001',
        'x-2 [001] 5.2: io_page_fault: IOMMU: 0000:00:06.0 iova=0xbeef000 flags=0x0000',
        'x-2 [001] 5.3: add_device_to_group: IOMMU: groupID=7 device=0000:00:1f.0',
      ),
    ).toEqual([
      { kind: 'map', start: 0n, last: 0x1fffn, paddr: 0xe50000n, time: 3.932289, ...base, line: 2 },
      {
        kind: 'map',
        start: 0xfffffffffffff000n,
        last: 0xffffffffffffffffn,
        paddr: 0x1000n,
        time: 3.5,
        ...base,
        line: 3,
      },
      { kind: 'map', start: 0x1000n, last: 0x1fffn, paddr: 0x2000n, ...base, line: 4 },
      {
        kind: 'unmap',
        start: 0x1000n,
        last: 0x1fffn,
        unmapped: 0x200000n,
        device: '0000:00:05.0',
        time: 4.1,
        ...base,
        line: 5,
      },
      {
        kind: 'fault',
        address: 0xdead0000n,
        device: '0000:00:06.0',
        access: 'write',
        driver: 'Intel VT-d',
        stream: 'trace',
        source: base.source,
        line: 6,
      },
      {
        kind: 'fault',
        address: 0xbeef000n,
        device: '0000:00:06.0',
        access: 'read',
        stream: 'trace',
        source: base.source,
        line: 7,
      },
      { kind: 'group', group: '7', devices: ['0000:00:1f.0'], stream: 'trace', source: base.source, line: 8 },
    ]);
  });

  test('tells lost, empty and damaged events', () => {
    expect(
      diagnosticsOf(
        trace(
          'CPU:0 [LOST 42 EVENTS]',
          'CPU:1 [LOST EVENTS]',
          'x-2 [001] 4.1: attach_device_to_domain: IOMMU: device=0000:00:05.0',
          'x 4.1: map: IOMMU: iova=0x1000 - 0x3000 paddr=0x0 size=4096',
          'x 4.1: map: IOMMU: iova=0xfffffffffffff000 paddr=0x0 size=8192',
          'x 4.1: map: IOMMU: iova=0x10000000000000000 paddr=0x0 size=4096',
          'x 4.1: map: IOMMU: iova=0x1000 paddr=0x0 size=18446744073709551616',
          'x 4.1: unmap: IOMMU: iova=0x1000 size=0 unmapped_size=0',
          'x 4.1: unmap: IOMMU: iova=0x1000 size=4096',
          'x 4.1: add_device_to_group: IOMMU: groupID=x device=y',
          'x 4.1: io_page_fault: IOMMU: iova=0x1 flags=0x0',
        ),
      ),
    ).toEqual(
      [
        'warning trace-events-lost',
        'warning trace-events-lost',
        'info device-attached',
        'warning damaged-event',
        'warning damaged-event',
        'warning damaged-event',
        'warning damaged-event',
        'info empty-range',
        'warning damaged-event',
        'warning damaged-event',
        'warning damaged-event',
      ].map((text, i) => `${text} /sys/kernel/tracing/trace ${i + 1}`),
    );
  });

  test('of the DMA API too, by device, like src/dumps reads it', async () => {
    const events = [
      'dma_map_page: 0000:03:00.0 dir=TO_DEVICE dma_addr=fff7f200 size=512 phys_addr=144003200 attrs=',
      'dma_map_phys: 0000:03:00.0 dir=TO_DEVICE dma_addr=fffffffffffff000 size=4096 phys_addr=fee01000 attrs=MMIO',
      'dma_map_resource: a.b dir=TO_DEVICE dma_addr=5000 size=1 phys_addr=0 attrs=',
      'dma_alloc: 0000:03:00.0 dma_addr=fff80000 size=524288 virt_addr=00000000a1b2c3d4 flags=GFP_KERNEL attrs=',
      'dma_alloc_pages: 0000:03:00.0 dir=TO_DEVICE dma_addr=0 size=4096 virt_addr=00000000a1b2c3d4 flags=0 attrs=',
      'dma_alloc_sgt: 0000:04:00.0 dir=NONE dma_addr=fffa0000 size=4096 phys_addrs={0x170000000} flags=0 attrs=',
      'dma_unmap_page: 0000:03:00.0 dir=TO_DEVICE dma_addr=fff7f200 size=512 attrs=SKIP_CPU_SYNC',
      'dma_unmap_phys: 0000:03:00.0 dir=TO_DEVICE dma_addr=fff7f200 size=512 attrs=',
      'dma_unmap_resource: a.b dir=TO_DEVICE dma_addr=5000 size=1 attrs=',
      'dma_free: 0000:03:00.0 dma_addr=fff80000 size=524288 virt_addr=00000000a1b2c3d4 attrs=',
      'dma_free_pages: 0000:03:00.0 dir=TO_DEVICE dma_addr=0 size=4096 virt_addr=00000000a1b2c3d4 attrs=',
      'dma_free_sgt: 0000:04:00.0 dir=NONE dma_addr=fffa0000 size=4096 phys_addrs={0x170000000}',
      'dma_map_page: a dir=NONE dma_addr=ffffffffffffffff size=4096 phys_addr=5000 attrs=',
      'dma_alloc: a dir=NONE dma_addr=0 size=8192 virt_addr=0000000000000000 flags=0 attrs=',
      'dma_unmap_page: a dir=NONE dma_addr=1000 size=0 attrs=',
      'dma_unmap_page: a dir=NONE dma_addr=fffffffffffff000 size=8192 attrs=',
      'dma_map_page: a dir=NONE size=8192 attrs=',
      // Left to iommu:map, and no mappings.
      'dma_map_sg: a dir=NONE dma_addrs={0x1000} sizes={0x1000} phys_addrs={0x5000} attrs=',
      'dma_sync_single_for_cpu: a dir=NONE dma_addr=1000 size=4096',
    ].map((event, i) => `x: dma_y-1 [000] ..... ${i + 1}.5: ${event}`);
    const facts = trace(...events);
    const { facts: read } = await openText(events.slice(0, -2).join('\n'));
    const mappings = (all: readonly Fact[]) =>
      all.flatMap((fact) => {
        if (fact.kind !== 'map' && fact.kind !== 'unmap') return [];
        const { kind, start, last, paddr, device, time } = fact;
        return [{ kind, start, last, paddr, device, time }];
      });
    expect(mappings(facts)).toHaveLength(12);
    expect(mappings(facts)).toEqual(mappings(read));
    expect(diagnosticsOf(facts)).toEqual(
      [
        'warning dma-map-failed',
        'warning dma-map-failed',
        'info empty-range',
        'warning damaged-event',
        'warning damaged-event',
      ].map((text, i) => `${text} /sys/kernel/tracing/trace ${i + 13}`),
    );
  });

  test('that is missing is told', () => {
    expect(diagnosticsOf(once(HOST, '--trace').facts)).toContain('info no-trace /sys/kernel/tracing/trace');
  });
});

describe('page tables', () => {
  const FILE = 'sys/kernel/debug/iommu/intel/domain_translation_struct';
  const row = (frame: number | string, ...entries: readonly (number | bigint)[]) =>
    `0x${frame.toString(16).padStart(13, '0')} |\t${entries.map((entry) => padded(BigInt(entry))).join('\t')}`;
  const tables = (...lines: string[]) => once({ ...HOST, [FILE]: `${lines.join('\n')}\n` }, '--tables').facts;

  test('join pages of all sizes that run on, and keep others apart', () => {
    const facts = tables(
      'Device 0000:00:05.0 @0xe81000',
      'IOVA_PFN\tPML5E\tPML4E\tPDPE\tPDE\tPTE',
      row(0x1ff, 0, 0x89003, 0x75003, 0x88003, 0x5ff003),
      row(0x200, 0, 0x89003, 0x75003, 0x600083),
      row(0x400, 0, 0x89003, 0x75003, 0x800083, 0),
      row(0x40000, 0, 0x89003, 0x80000083n),
      row(0x80000, 0, 0x89003, 0x75003, 0x88003, 0x1001),
      row('fffffffffffff', 1, 1, 1, 1, 0x000ffffffffff002n),
      'Device 0000:00:06.0 with pasid 1f @0x1000',
      row(0x1, 0, 0x89003, 0x75003, 0x88003, 0x8000000000002003n),
    );
    const base = { kind: 'map', origin: 'page-table', source: `/${FILE}` };
    const first = { ...base, device: '0000:00:05.0', domain: '0xe81000' };
    expect(facts.filter(({ kind }) => kind === 'map')).toEqual([
      { ...first, start: 0x1ff000n, last: 0x5fffffn, paddr: 0x5ff000n, line: 3 },
      { ...first, start: 0x40000000n, last: 0x7fffffffn, paddr: 0x80000000n, line: 6 },
      { ...first, start: 0x80000000n, last: 0x80000fffn, paddr: 0x1000n, read: true, write: false, line: 7 },
      {
        ...first,
        start: 0xfffffffffffff000n,
        last: 0xffffffffffffffffn,
        paddr: 0xffffffffff000n,
        read: false,
        write: true,
        line: 8,
      },
      {
        ...base,
        device: '0000:00:06.0',
        domain: '0x1000',
        pasid: 31,
        start: 0x1000n,
        last: 0x1fffn,
        paddr: 0x2000n,
        line: 10,
      },
    ]);
  });

  test('tell damaged rows', () => {
    const facts = tables(
      'Device 0000:00:05.0 @root',
      row(0x1, 0, 0, 0, 0, 0),
      row(0x1, 0, 0, 0, 0x600003),
      row(0x1, 0, 0, 0, 0x600083),
      row(0x1, 0, 0, 0, 0, 0x1000),
      row('10000000000000', 0, 0, 0, 0, 0x1003),
      `${row(0x1, 0, 0, 0, 0, 0x1003)}\t0x1`,
      '0x0000000000001 |\t0x',
      '0x0000000000001',
    );
    expect(facts.filter(({ kind }) => kind === 'map')).toEqual([]);
    expect(diagnosticsOf(facts).filter((text) => text.includes(FILE))).toEqual(
      Array.from({ length: 9 }, (_, i) => `warning damaged-page-table /${FILE} ${i + 1}`),
    );
  });

  test('that are missing are told, and without the option not looked for', () => {
    expect(diagnosticsOf(once(HOST, '--tables').facts)).toContain('info no-page-tables /sys/kernel/debug/iommu/intel');
    expect(once({ ...HOST, [FILE]: row(1, 0, 0, 0, 0, 0x1003) }).facts.filter(({ kind }) => kind === 'map')).toEqual(
      [],
    );
  });
});

// ---- requests ----

const ask = (id: number | string, what: string) => `{"id":${id},"ask":"${what}"}\n`;

describe('requests', () => {
  const serve = (input: string | Uint8Array, tree: Tree = ORDINARY): readonly Line[] => {
    const { code, stderr, lines } = run(['--sysroot', sysroot(tree)], input);
    expect([code, stderr]).toEqual([0, '']);
    return lines;
  };

  test('hello tells who it is', () => {
    expect(serve(ask(7, 'hello'))).toEqual([
      {
        probe: 'hello',
        id: 7,
        version: 1,
        program: JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')).version,
        uid: process.getuid?.(),
        requests: [
          'hello',
          'snapshot',
          'processes',
          'page_tables',
          'watch',
          'unwatch',
          'trace',
          'untrace',
          'ping',
          'quit',
        ],
      },
    ]);
  });

  test.each(['snapshot', 'processes', 'page_tables'])('%s answers header and facts between begin and end', (what) => {
    const lines = serve(ask(3, what));
    expect(lines[0]).toEqual({ probe: 'begin', id: 3, what });
    expect(lines[1]).toMatchObject({ format: 'iova-trace', version: 1, title: 'birch' });
    const facts = lines.slice(2, -1);
    expect(lines.at(-1)).toEqual({ probe: 'end', id: 3, facts: facts.length, ms: expect.any(Number) });
    expect(facts.length).toBeGreaterThan(0);
    expect(facts.filter(({ kind }) => kind === undefined)).toEqual([]);
    if (what === 'snapshot') expect(facts).toEqual(once(ORDINARY).lines.slice(1));
  });

  test('trace streams facts that are marked', () => {
    const event = 'x 4.1: map: IOMMU: iova=0x1000 paddr=0x2000 size=4096\n';
    const lines = serve(ask(1, 'trace') + ask(2, 'ping') + ask(3, 'untrace'), {
      ...HOST,
      'sys/kernel/tracing/trace': event.repeat(3),
    });
    expect(lines.filter(({ probe: answer }) => answer !== undefined)).toEqual(
      [1, 2, 3].map((id) => ({ probe: 'done', id })),
    );
    for (const line of lines.filter(({ kind }) => kind !== undefined))
      expect(line).toMatchObject({ kind: 'map', stream: 'trace' });
  });

  test('ping, watch, unwatch, untrace and quit are done; nothing is answered after quit', () => {
    const names = ['ping', 'unwatch', 'watch', 'watch', 'unwatch', 'untrace', 'quit', 'ping'];
    const lines = serve(names.map((name, id) => ask(id, name)).join(''));
    expect(lines.filter(({ probe: answer }) => answer === 'done').map(({ id }) => id)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    expect(lines.filter(({ probe: answer }) => answer !== 'done')).toMatchObject([
      { kind: 'diagnostic', code: 'no-uevents' },
    ]);
  });

  test('may have blanks, either order, CR LF, no last line end, and any number that JSON keeps exact', () => {
    const input = ` {\t"ask" : "ping" ,"id": 0 } \r\n{"id":9007199254740991,"ask":"ping"}\n{"id":2,"ask":"ping"}`;
    expect(serve(input)).toEqual([0, 9007199254740991, 2].map((id) => ({ probe: 'done', id })));
  });

  test.each([
    ['an unknown request', '{"id":4,"ask":"reboot"}', 4, 'unknown-request'],
    ['an empty line', '', null, 'bad-request'],
    ['half a line', '{"id":5,"ask":"pin', 5, 'bad-request'],
    ['another value', '[1]', null, 'bad-request'],
    ['a key too many', '{"id":5,"ask":"ping","x":1}', 5, 'bad-request'],
    ['a key twice', '{"id":5,"id":5}', 5, 'bad-request'],
    ['no id', '{"ask":"ping"}', null, 'bad-request'],
    ['no question', '{"id":5}', 5, 'bad-request'],
    ['a negative id', '{"id":-5,"ask":"ping"}', null, 'bad-request'],
    ['a broken id', '{"id":1.5,"ask":"ping"}', null, 'bad-request'],
    ['an id with a zero before it', '{"id":05,"ask":"ping"}', null, 'bad-request'],
    ['an id that is no exact number', '{"id":9007199254740992,"ask":"ping"}', null, 'bad-request'],
    ['an id of more than 64 bits', '{"id":99999999999999999999,"ask":"ping"}', null, 'bad-request'],
    ['a text for an id', '{"id":"5","ask":"ping"}', null, 'bad-request'],
    ['an escape', '{"id":5,"ask":"p\\u0069ng"}', 5, 'bad-request'],
    ['something behind it', '{"id":5,"ask":"ping"}{', 5, 'bad-request'],
    ['a NUL', '{"id":5,"ask":"ping"}\0', null, 'bad-request'],
    ['a word that is too long', `{"id":5,"ask":"${'a'.repeat(100)}"}`, 5, 'bad-request'],
    ['a line that is too long', `{"id":5,${' '.repeat(4096)}"ask":"ping"}`, null, 'line-too-long'],
    ['a very long line', 'x'.repeat(1_000_000), null, 'line-too-long'],
  ])('%s is refused, and the next one answered', (_what, line, id, code) => {
    expect(serve(`${line}\n${ask(6, 'ping')}`)).toEqual([
      { probe: 'error', id, code, message: expect.any(String) },
      { probe: 'done', id: 6 },
    ]);
  });

  test('a line of exactly 4096 bytes is taken', () => {
    const line = '{"id":5,"ask":"ping"}';
    expect(serve(`${line.padEnd(4096)}\n`)).toEqual([{ probe: 'done', id: 5 }]);
  });

  test('a flood of garbage makes no flood of answers, and does not keep others from theirs', () => {
    const garbage = 'x\n'.repeat(100_000);
    const lines = serve(`${garbage}${ask(1, 'ping')}${garbage}${ask(2, 'ping')}`);
    expect(lines.filter(({ probe: answer }) => answer === 'done').map(({ id }) => id)).toEqual([1, 2]);
    expect(lines.length).toBeLessThan(200);
    expect(lines.filter(({ code }) => code === 'bad-request').length).toBeGreaterThanOrEqual(10);
  });

  test('lines that were not answered in a flood are counted', async () => {
    const child = new RunningProbe(probe, ['--sysroot', temporaryFolder()]);
    child.write('x\n'.repeat(1000));
    const counted = /"(\d+) more lines were not requests"/;
    await child.until((stdout) => counted.test(stdout));
    child.write(ask(1, 'quit'));
    expect(await child.ended).toEqual({ code: 0, signal: null });
    const errors = linesOf(child.stdout).filter(({ probe: answer }) => answer === 'error');
    const single = errors.filter(({ message }) => String(message).startsWith('expected')).length;
    const rest = errors.reduce((sum, { message }) => sum + Number(/^(\d+) more/.exec(String(message))?.[1] ?? 0), 0);
    expect(single + rest).toBe(1000);
  });

  test(
    'bytes of any kind are refused and survived',
    () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
          const lines = serve(new Uint8Array([...bytes, 0x0a, ...Buffer.from(ask(1, 'ping'))]), {});
          expect(lines.at(-1)).toEqual({ probe: 'done', id: 1 });
          expect(lines.slice(0, -1).filter(({ probe: answer }) => answer !== 'error')).toEqual([]);
        }),
        { numRuns: 25 },
      );
    },
    SOON,
  );
});

// ---- beginning and end ----

describe('a call', () => {
  test.each([
    [['--frobnicate'], /unknown option --frobnicate/],
    [['extra'], /unknown option extra/],
    [['--sysroot'], /needs a folder/],
    [['--sysroot', '/nowhere/at/all'], /\/nowhere\/at\/all: No such file/],
    [['--once', '--watch'], /exclude each other/],
    [['--tables'], /goes with/],
    [['--trace'], /goes with/],
    [['--once', '--trace'], /goes with/],
  ])('%j is refused in one line', (args, message) => {
    const { code, stdout, stderr } = run(args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^iovascope-probe: [^\n]+\n$/);
  });

  test('--help and --version answer', () => {
    const { status, stdout: help } = spawnSync(probe, ['--help'], { encoding: 'utf8' });
    expect(status).toBe(0);
    for (const option of ['--once', '--watch', '--trace', '--tables', '--sysroot']) expect(help).toContain(option);
    const { stdout } = spawnSync(probe, ['--version'], { encoding: 'utf8' });
    const { version } = JSON.parse(readFileSync(join(PROJECT, 'package.json'), 'utf8')) as { version: string };
    expect(stdout).toBe(`iovascope-probe ${version}\n`);
  });
});

describe('the end', () => {
  const shell = (command: string) =>
    spawnSync('sh', ['-c', command, 'sh', probe, sysroot(ORDINARY)], { encoding: 'utf8' });

  test('comes with the end of stdin, of any kind', () => {
    expect(run(['--sysroot', temporaryFolder()])).toMatchObject({ code: 0, stdout: '', stderr: '' });
    expect(shell('"$1" --sysroot "$2" <&-')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  test.each([
    ['serving', []],
    ['watching', ['--watch']],
  ])('comes with signals while %s', async (_what, args) => {
    for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
      const child = new RunningProbe(probe, ['--sysroot', sysroot(ORDINARY), ...args]);
      if (args.length === 0) child.write(ask(1, 'ping'));
      await child.until((stdout) => stdout.endsWith('}\n'));
      child.child.kill(signal);
      expect(await child.ended).toEqual({ code: 0, signal: null });
      expect(child.stderr).toBe('');
    }
  });

  test('of a watch comes when stdin is hung up', async () => {
    const child = new RunningProbe(probe, ['--watch', '--sysroot', sysroot(ORDINARY)]);
    await child.until((stdout) => stdout.includes('no-uevents'));
    child.child.stdin?.end();
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(factsOf(child.stdout).map(({ kind }) => kind)).toContain('reserved');
  });

  test.each([
    ['serving', []],
    ['watching', ['--watch']],
  ])('comes when nobody reads while %s', async (_what, args) => {
    const child = new RunningProbe(probe, ['--sysroot', sysroot(ORDINARY), ...args]);
    if (args.length === 0) child.write(ask(1, 'ping'));
    await child.until((stdout) => stdout.endsWith('}\n'));
    child.child.stdout?.destroy();
    if (args.length === 0) child.write(ask(2, 'snapshot'));
    expect(await child.ended).toEqual({ code: 0, signal: null });
  });

  test('is clean when the reader had enough, and is not when the output cannot be written', () => {
    expect(shell('{ "$1" --once --sysroot "$2"; echo $? >&2; } | head -n 1')).toMatchObject({ stderr: '0\n' });
    const full = shell('"$1" --once --sysroot "$2" >/dev/full');
    expect([full.status, full.stderr]).toEqual([
      1,
      'iovascope-probe: standard output cannot be written: No space left on device\n',
    ]);
    // A descriptor 1 that is closed must not be taken by the first file that is read.
    const closed = shell('"$1" --once --sysroot "$2" >&-');
    expect([closed.status, closed.stderr]).toEqual([
      1,
      'iovascope-probe: standard output cannot be written: Bad file descriptor\n',
    ]);
  });
});

describe('watching', () => {
  const uevent = '/sys/class/misc/cpu_dma_latency/uevent';

  // Only root may have the kernel send its message about a device once more.
  test.skipIf(process.getuid?.() !== 0 || !existsSync(uevent))(
    'tells hot-plug, then everything anew',
    async () => {
      const child = new RunningProbe(probe, ['--watch']);
      const settled = async () => {
        // Whether it listens already cannot be seen: ask until it hears.
        const timer = setInterval(() => writeFileSync(uevent, 'change'), 200);
        await child.until((stdout) => stdout.includes('"what":"uevent"'));
        clearInterval(timer);
        await child.until((stdout) => stdout.includes('"probe":"end"'));
      };
      await settled();
      child.child.kill('SIGTERM');
      expect(await child.ended).toEqual({ code: 0, signal: null });
      const lines = linesOf(child.stdout);
      const path = '/devices/virtual/misc/cpu_dma_latency';
      expect(lines).toContainEqual({ probe: 'changed', what: 'uevent', action: 'change', path });
      const begin = lines.findIndex(({ probe: answer }) => answer === 'begin');
      expect(lines[begin]).toEqual({ probe: 'begin', id: null, what: 'snapshot' });
      expect(lines[begin + 1]).toEqual(lines[0]);
      expect(lines[begin + 2]).toMatchObject({ kind: 'host', name: hostname() });
    },
    SOON,
  );
});

// The trace of this machine, mounted where nobody else sees it. Needs root.
const TRACEFS = 'mount -t tracefs tracefs /sys/kernel/tracing';
const hasTracefs = spawnSync('unshare', ['--mount', 'sh', '-c', TRACEFS]).status === 0;

describe.skipIf(!hasTracefs)('tracing', () => {
  const instances = () =>
    spawnSync('unshare', ['--mount', 'sh', '-c', `${TRACEFS}; ls /sys/kernel/tracing/instances`], { encoding: 'utf8' })
      .stdout.split('\n')
      .filter((name) => name.startsWith('iovascope-'));
  const start = () => new RunningProbe('unshare', ['--mount', 'sh', '-c', `${TRACEFS}; exec "$0"`, probe]);

  test.each([
    ['untrace', (child: RunningProbe) => child.write(ask(2, 'untrace') + ask(3, 'quit'))],
    ['quit', (child: RunningProbe) => child.write(ask(2, 'quit'))],
    ['the end of stdin', (child: RunningProbe) => child.child.stdin?.end()],
    ['a signal', (child: RunningProbe) => child.child.kill('SIGTERM')],
    ['a reader that left', (child: RunningProbe) => child.child.stdout?.destroy()],
  ])('makes an instance of its own, and %s removes it', async (_what, finish) => {
    const child = start();
    child.write(ask(1, 'trace'));
    await child.until((stdout) => stdout.includes('"done"'));
    const own = `iovascope-${child.child.pid}`;
    // Kernels without events of the IOMMU have nothing to trace.
    if (!child.stdout.includes('no-trace')) expect(instances()).toContain(own);
    finish(child);
    expect(await child.ended).toEqual({ code: 0, signal: null });
    expect(instances()).not.toContain(own);
  });

  test('removes what a probe that was killed has left', async () => {
    const killed = start();
    killed.write(ask(1, 'trace'));
    await killed.until((stdout) => stdout.includes('"done"'));
    killed.child.kill('SIGKILL');
    await killed.ended;
    const next = start();
    next.write(ask(1, 'trace'));
    await next.until((stdout) => stdout.includes('"done"'));
    expect(instances()).not.toContain(`iovascope-${killed.child.pid}`);
    next.child.stdin?.end();
    expect(await next.ended).toEqual({ code: 0, signal: null });
  });
});

// ---- other builds ----

describe('the static program', () => {
  const cross = process.env.CI
    ? missingPrograms(CROSS)
    : CROSS.filter((name) => spawnSync('sh', ['-c', `command -v ${name}`]).status !== 0);

  test(
    'answers as the one that was tested, and needs nothing to run',
    () => {
      const folder = temporaryFolder();
      makeProbe(['all'], folder);
      const program = join(folder, 'iovascope-probe');
      const root = sysroot(ORDINARY);
      expect(runProbe([program], ['--once', '--sysroot', root]).stdout).toBe(onceIn(root).stdout);
      expect(hasInterpreter(readFileSync(program))).toBe(false);
      // The sanitized build is dynamic: the check can tell.
      expect(hasInterpreter(readFileSync(probe))).toBe(true);
    },
    SOON,
  );

  test.skipIf(!process.env.CI && cross.length > 0)(
    'for arm64 answers the same',
    () => {
      if (cross.length > 0) throw new Error(howToGet(cross));
      const folder = temporaryFolder();
      makeProbe(['arm64'], folder);
      const program = ['qemu-aarch64', join(folder, 'iovascope-probe-arm64')];
      const root = sysroot(ORDINARY);
      expect(runProbe(program, ['--once', '--sysroot', root]).stdout).toBe(onceIn(root).stdout);
      expect(runProbe(program, [], ask(1, 'hello')).lines).toMatchObject([{ probe: 'hello', id: 1 }]);
    },
    SOON,
  );
});
