// The cases that are shipped: each answer names what its case asks for.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { type AnswerCase, tryCase } from './testing/answer-cases.ts';

const ROOT = fileURLToPath(new URL('../../bench/answers/', import.meta.url));
const NAMES = readdirSync(ROOT).filter((name) => name.endsWith('.json'));

test('there are enough of them', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(12);
});

test.each(NAMES)('%s', async (name) => {
  const one: AnswerCase = JSON.parse(readFileSync(join(ROOT, name), 'utf8'));
  const { missing, severity, text } = await tryCase(one);
  expect(missing, `${severity}: ${text}`).toEqual([]);
});

const MSI = '/sys/kernel/iommu_groups/3/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n';

test('what is not there is told', async () => {
  const expected = {
    severity: 'fatal',
    says: ['nonsense'],
    range: '0x1-0x2',
    device: '0000:01:00.0',
    remedy: 'x',
  } as const;
  const { missing } = await tryCase({ title: 'x', texts: { regions: MSI }, expect: expected });
  expect(missing).toEqual(['severity fatal', 'says nonsense', 'range 0x1-0x2', 'device 0000:01:00.0', 'remedy x']);
});

describe('one host in four files', () => {
  const FILES = {
    dmesg:
      '[    0.004196] DMAR: Host address width 39\n[    0.004200] DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap d2008c40660462 ecap f050da\n[    0.600000] pci 0000:0b:00.0: Adding to iommu group 27\n',
    lspci:
      '0b:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA104 [10de:2484] (rev a1)\n\tRegion 1: Memory at 6000000000 (64-bit, prefetchable) [size=8G]\n\tKernel driver in use: vfio-pci\n',
    iomem: '00000000-00000fff : Reserved\n00001000-0009ffff : System RAM\n100000000-87fffffff : System RAM\n',
    'qemu.log':
      'qemu-system-x86_64: -device vfio-pci,host=0000:0b:00.0: vfio_container_dma_map(0x55d0c0a0e000, 0x380000000000, 0x200000000, 0x7f1e40000000) = -22 (Invalid argument)\n',
  };
  const ask = (texts: Readonly<Record<string, string>>) =>
    tryCase({
      title: 'x',
      texts,
      expect: { device: '0000:0b:00.0', range: '0x380000000000-0x3801ffffffff', says: ['39'] },
    });

  test('at once, in any order, and in ten pastes: the same answer', async () => {
    const atOnce = await ask(FILES);
    expect(atOnce.missing).toEqual([]);
    const backwards = await ask(Object.fromEntries(Object.entries(FILES).reverse()));
    const lines = Object.values(FILES).flatMap((text) => text.trimEnd().split(/\n(?!\t)/));
    const pastes = Object.fromEntries(lines.slice(0, 10).map((line, i) => [`paste ${i + 1}`, `${line}\n`]));
    expect(Object.keys(pastes).length).toBeGreaterThan(7);
    expect([backwards.text, (await ask(pastes)).text]).toEqual([atOnce.text, atOnce.text]);
  });
});
