// The shell script that collects a host's dumps (public/collect.sh), on made trees.
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { findProgram } from '../../scripts/debian.mjs';
import { howToGet, missingPrograms } from '../../scripts/programs.mjs';
import { diagnosticsOf, groupsOf, openText, regionsOf } from '../dumps/testing/read.ts';
import type { Fact } from '../session/events.ts';
import { writeEvent } from '../session/write.ts';
import { factsOfFolder, removeTemporaryFolders, sysroot, type Tree, temporaryFolder } from './probe/testing/probe.ts';

const PROJECT = join(import.meta.dirname, '../..');
const SCRIPT = join(PROJECT, 'public/collect.sh');
const fixture = (name: string) => readFileSync(join(PROJECT, 'src/dumps/fixtures', name), 'utf8');
const GROUPS = 'sys/kernel/iommu_groups';
const INTEL = 'sys/kernel/debug/iommu/intel';
const SHELLS = ['sh', 'dash', 'bash'].filter((name) => findProgram(name) !== undefined);

const TREE: Tree = {
  'proc/version': 'Linux version 6.12.9-test\n',
  'proc/cmdline': 'quiet intel_iommu=on\n',
  'proc/iomem':
    '00001000-0009fbff : System RAM\nc0000000-febfffff : PCI Bus 0000:00\n  fe000000-fe003fff : 0000:00:02.0\n',
  [`${GROUPS}/2/type`]: 'DMA-FQ\n',
  [`${GROUPS}/2/reserved_regions`]: '0x00000000fee00000 0x00000000feefffff msi\n',
  [`${GROUPS}/2/devices/0000:00:02.0`]: { link: '../../../../devices/pci0000:00/0000:00:02.0' },
  [`${GROUPS}/11/type`]: 'identity\n',
  [`${GROUPS}/11/reserved_regions`]:
    '0x0000000000000000 0x0000000000ffffff direct-relaxable\n0x00000000fee00000 0x00000000feefffff msi\n',
  [`${GROUPS}/11/devices/0000:00:1f.0`]: { link: '../../../../devices/pci0000:00/0000:00:1f.0' },
  [`${GROUPS}/11/devices/test-dma.1`]: { link: '../../../../devices/platform/test-dma.1' },
  'sys/devices/pci0000:00/0000:00:02.0/driver': { link: '../../../bus/pci/drivers/vfio-pci' },
  'sys/class/iommu/dmar0/intel-iommu/cap': 'd2008c222f0686\n',
  'sys/class/iommu/dmar0/devices/0000:00:02.0': { link: '../../../x' },
  [`${INTEL}/iommu_regset`]: fixture('intel-debugfs-registers/captured-x86-vtd-48bit.txt'),
  [`${INTEL}/domain_translation_struct`]: fixture('intel-debugfs-pages/captured-x86-vtd-48bit.txt'),
};

function collect(args: readonly string[], shell = 'sh', env: Readonly<Record<string, string>> = {}) {
  const { status, stdout, stderr } = spawnSync(shell, [SCRIPT, ...args], {
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { status, stdout, stderr };
}

/** Facts of some kinds, without where they were read. */
function plain(facts: readonly Fact[], ...kinds: string[]): string[] {
  const bare = facts
    .filter(({ kind }) => kinds.includes(kind))
    .map(({ source: _source, line: _line, ...rest }) => writeEvent(rest as Fact));
  return bare.sort();
}

afterAll(removeTemporaryFolders);

describe.each(SHELLS)('the collector, run by %s', (shell) => {
  test('prints what is read as the same facts as the files are', async () => {
    const root = sysroot(TREE);
    const before = readdirSync(root, { recursive: true, encoding: 'utf8' }).sort();
    const { status, stdout, stderr } = collect(['--tables', '--root', root], shell);
    expect([status, stderr]).toEqual([0, '']);
    expect(readdirSync(root, { recursive: true, encoding: 'utf8' }).sort()).toEqual(before);
    expect(stdout).not.toContain(root);

    const opened = await openText(stdout);
    expect(groupsOf(opened).sort()).toEqual(['11 identity: 0000:00:1f.0 test-dma.1', '2 DMA-FQ: 0000:00:02.0']);
    expect(regionsOf(opened).sort()).toEqual([
      '11: 0-ffffff direct-relaxable',
      '11: fee00000-feefffff msi',
      '2: fee00000-feefffff msi',
    ]);
    const kinds = ['reserved', 'window', 'map', 'iommu', 'msi_message'];
    const expected = plain(await factsOfFolder(root), ...kinds);
    expect(plain(opened.facts, ...kinds)).toEqual(expected);
    for (const kind of kinds) expect(expected.some((fact) => fact.includes(`"kind":"${kind}"`))).toBe(true);
    expect(diagnosticsOf(opened).filter((text) => !text.startsWith('info'))).toEqual([]);
  });

  test('leaves the page tables out unless it is asked for them', () => {
    const { stdout } = collect(['--root', sysroot(TREE)], shell);
    expect(stdout).not.toContain('domain_translation_struct');
    expect(stdout).toContain('==> /proc/iomem <==');
    expect(stdout).toContain('devices/0000:00:02.0 -> ../../../../devices/pci0000:00/0000:00:02.0 driver vfio-pci\n');
  });

  test('has nothing to say of an empty root', () => {
    const { status, stdout, stderr } = collect(['--root', temporaryFolder()], shell);
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout.split('\n').filter((line) => line !== '')).toEqual([
      '==> devices of the groups <==',
      '==> devices of the IOMMUs <==',
    ]);
  });

  test.each([[['--frob']], [['--root']], [['--root', '/nowhere/at/all']], [['x']]])('%j is refused', (args) => {
    const { status, stdout, stderr } = collect(args, shell);
    expect([status, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/^collect\.sh: [^\n]+\n$/);
  });
});

describe('the collector', () => {
  test('adds what lspci and the kernel say about the running host', async () => {
    const tools = temporaryFolder();
    const tool = (name: string, text: string) => {
      writeFileSync(join(tools, name), `#!/bin/sh\ncat <<'END'\n${text}\nEND\n`);
      chmodSync(join(tools, name), 0o755);
    };
    tool(
      'lspci',
      '00:02.0 VGA compatible controller: Test GPU\n\tRegion 0: Memory at e0000000 (64-bit, prefetchable) [size=256M]',
    );
    tool(
      'dmesg',
      '[    0.1] DMAR: Host address width 39\n[    0.2] usb 1-1: new device\n[    0.3] DMAR: RMRR base: 0x0000008b000000 end: 0x0000008f7fffff',
    );
    const { status, stdout } = collect([], 'sh', { PATH: `${tools}:${process.env.PATH}` });
    expect(status).toBe(0);
    expect(stdout).not.toContain('usb 1-1');
    const { facts } = await openText(stdout);
    expect(facts).toContainEqual(expect.objectContaining({ kind: 'bar', device: '0000:00:02.0', start: 0xe0000000n }));
    expect(facts).toContainEqual(expect.objectContaining({ kind: 'reserved', start: 0x8b000000n, origin: 'rmrr' }));
  });

  test('--help prints the comment at its top', () => {
    const { status, stdout } = collect(['--help']);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^Prints what this host reports/);
    expect(stdout).toContain('--tables');
    expect(stdout).not.toMatch(/^#|^set/m);
  });

  const missing = process.env.CI ? missingPrograms(['shellcheck']) : findProgram('shellcheck') ? [] : ['shellcheck'];

  test.skipIf(!process.env.CI && missing.length > 0)('has nothing that shellcheck objects to', () => {
    if (missing.length > 0) throw new Error(howToGet(missing));
    const { status, stdout } = spawnSync('shellcheck', ['--shell=sh', SCRIPT], { encoding: 'utf8' });
    expect([status, stdout]).toEqual([0, '']);
  });
});
