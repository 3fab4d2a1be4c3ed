import { describe, expect, test } from 'vitest';
import { diagnosticsOf, machinesOf, openText } from '../../testing/read.ts';

const CONFIG = [
  'cores: 4',
  'cpu: host',
  'hostpci0: 0000:01:00.0,pcie=1',
  'machine: q35',
  'memory: 2048',
  'name: g',
  'ostype: l26',
];

async function machine(...changes: readonly string[]) {
  const keys = changes.map((line) => line.split(':')[0]);
  const lines = [
    ...CONFIG.filter((line) => !keys.includes(line.split(':')[0])),
    ...changes.filter((line) => line.includes(': ')),
  ];
  const { facts } = await openText(lines.join('\n'));
  return facts.find(({ kind }) => kind === 'machine');
}

describe('a configuration', () => {
  test.each([
    ['memory: 4096', { ram: 0x1_0000_0000n }],
    ['memory: current=4096', { ram: 0x1_0000_0000n }],
    ['memory', { ram: 0x2000_0000n }],
    ['machine', { machine: 'pc' }],
    ['machine: type=pc-q35-9.0+pve1,viommu=virtio', { machine: 'pc-q35-9.0+pve1', viommu: { kind: 'virtio' } }],
    ['cpu', { cpu: 'kvm64' }],
    ['cpu: cputype=EPYC,phys-bits=43', { cpu: 'EPYC', vendor: 'amd', phys_bits: 43 }],
    ['cpu: x86-64-v2-AES,phys-bits=host', { cpu: 'x86-64-v2-AES', options: { 'host-phys-bits': 'on' } }],
    ['kvm: 0', { accelerator: 'tcg' }],
    ['hugepages: 2', { backend: 'hugetlb' }],
    ['vga: none', { options: { vga: 'none' } }],
    ['arch: aarch64', { arch: 'aarch64' }],
    ['hostpci0: 01:00.1;02:00', { assigned: ['0000:01:00.1', '0000:02:00.0'] }],
    ['hostpci0: host=0001:03:00.0,rombar=0', { assigned: ['0001:03:00.0'] }],
    ['args: -m 8G -device vfio-pci,host=09:00.0', { ram: 0x2_0000_0000n, assigned: ['0000:01:00.0', '0000:09:00.0'] }],
  ])('%s', async (line, fields) => {
    expect(await machine(line)).toMatchObject(fields);
  });

  test('memory that is no number is said', async () => {
    const found = await openText(CONFIG.join('\n').replace('2048', 'lots'));
    expect(diagnosticsOf(found)).toEqual(['warning guest-option-invalid 1', 'warning guest-ram-unknown 1']);
  });

  test('a snapshot holds another state, the next prompt another guest', async () => {
    const text = [...CONFIG, '', '[old]', 'memory: 99999', 'hostpci1: 05:00.0', 'ostype: l26'].join('\n');
    expect(machinesOf(await openText(text))).toEqual(['g qemu q35 0x80000000: 0000:01:00.0']);
    const two = `# qm config 1\n${CONFIG.join('\n')}\n# qm config 2\n${CONFIG.join('\n').replace('name: g', 'name: h')}`;
    expect(machinesOf(await openText(two))).toEqual([
      'g qemu q35 0x80000000: 0000:01:00.0',
      'h qemu q35 0x80000000: 0000:01:00.0',
    ]);
  });

  test('other texts with keys and values are none', async () => {
    for (const text of ['name: x\nmemory: 5', 'cores: 4\nmemory: 1\nname: y', 'boot: 1', 'args: -m 5G']) {
      expect(machinesOf(await openText(text))).toEqual([]);
    }
  });
});
