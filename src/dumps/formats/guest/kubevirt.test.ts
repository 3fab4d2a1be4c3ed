import { describe, expect, test } from 'vitest';
import { diagnosticsOf, machinesOf, openText } from '../../testing/read.ts';

const OBJECT = {
  apiVersion: 'kubevirt.io/v1',
  kind: 'VirtualMachine',
  metadata: { labels: { name: 'label' }, name: 'vm' },
  spec: {
    template: {
      metadata: { name: 'inner' },
      spec: {
        architecture: 'amd64',
        domain: {
          cpu: { cores: 2, model: 'host-passthrough' },
          devices: { disks: [{ name: 'd' }], gpus: [{ deviceName: 'nvidia.com/gpu', name: 'g' }] },
          machine: { type: 'pc-q35-9.0' },
          memory: { guest: '4Gi' },
          resources: { requests: { memory: '5Gi' } },
        },
        networks: [{ name: 'default' }],
      },
    },
  },
};

/** Block YAML of plain data. */
function yaml(value: unknown, indent = ''): string {
  if (Array.isArray(value))
    return value.map((entry) => `${indent}- ${yaml(entry, `${indent}  `).trimStart()}`).join('\n');
  if (typeof value !== 'object' || value === null) return String(value);
  return Object.entries(value)
    .map(([key, entry]) =>
      typeof entry === 'object'
        ? `${indent}${key}:\n${yaml(entry, Array.isArray(entry) ? indent : `${indent}  `)}`
        : `${indent}${key}: ${entry}`,
    )
    .join('\n');
}

describe('one object in all its forms', () => {
  test.each([
    ['YAML', yaml(OBJECT)],
    ['JSON', JSON.stringify(OBJECT, null, 2)],
    ['JSON, indented by four', JSON.stringify(OBJECT, null, 4)],
    ['JSON in a line', JSON.stringify(OBJECT)],
    ['a list of YAML', yaml({ apiVersion: 'v1', items: [OBJECT], kind: 'List' })],
    ['quoted YAML', yaml(OBJECT).replace(/^/gm, '> ')],
  ])('%s', async (_, text) => {
    const { facts } = await openText(text);
    expect(facts.filter(({ kind }) => kind === 'machine')).toMatchObject([
      {
        name: 'vm',
        machine: 'pc-q35-9.0',
        ram: 0x1_0000_0000n,
        cpu: 'host',
        arch: 'x86_64',
        accelerator: 'kvm',
        assigned: [],
      },
    ]);
    expect(facts.filter(({ kind }) => kind === 'diagnostic')).toMatchObject([{ code: 'guest-device-unresolved' }]);
  });
});

const vmi = (domain: string) =>
  `apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstance\nmetadata:\n  name: i\nspec:\n  domain:\n${domain.replace(/^/gm, '    ')}`;

describe('memory', () => {
  test.each([
    ['memory:\n  guest: 2Gi', 'i qemu q35 0x80000000:'],
    ['memory:\n  guest: "2048Mi"', 'i qemu q35 0x80000000:'],
    ["memory:\n  guest: '2147483648' # bytes", 'i qemu q35 0x80000000:'],
    ['memory:\n  guest: 2G', 'i qemu q35 0x77359400:'],
    ['memory:\n  guest: 1.5Gi', 'i qemu q35 0x60000000:'],
    ['resources:\n  requests:\n    memory: 2Gi', 'i qemu q35 0x80000000:'],
    ['memory:\n  guest: 2Gi\nresources:\n  requests:\n    memory: 3Gi', 'i qemu q35 0x80000000:'],
    ['cpu:\n  cores: 2', 'i qemu q35 ?:'],
  ])('%j', async (domain, expected) => {
    expect(machinesOf(await openText(vmi(domain)))).toEqual([expected]);
  });

  test('a quantity that is none is said', async () => {
    expect(diagnosticsOf(await openText(vmi('memory:\n  guest: big')))).toEqual([
      'warning guest-option-invalid 1',
      'info guest-machine-default 1',
      'warning guest-ram-unknown 1',
    ]);
  });
});

test('other kinds, and objects of others, are no guests', async () => {
  const other = vmi('memory:\n  guest: 2Gi').replace('VirtualMachineInstance', 'VirtualMachinePool');
  expect(machinesOf(await openText(other))).toEqual([]);
  expect(machinesOf(await openText(vmi('memory:\n  guest: 2Gi').replace('kubevirt.io/v1', 'v1')))).toEqual([]);
});

test('what follows an object is not a part of it', async () => {
  const text = `${vmi('memory:\n  guest: 2Gi')}\napiVersion: v1\nkind: Pod\nspec:\n  domain:\n    memory:\n      guest: 9Gi`;
  expect(machinesOf(await openText(text))).toEqual(['i qemu q35 0x80000000:']);
});

test('mappings in one line, in YAML and in JSON that is printed for people', async () => {
  const flow = await openText(
    'apiVersion: kubevirt.io/v1\nkind: VirtualMachineInstance\nmetadata: {name: a, namespace: b}\nspec:\n  domain:\n    cpu: {cores: 4, model: EPYC}\n    machine: {type: pc-q35-9.0}\n    memory: {guest: "2Gi", hugepages: {pageSize: 1Gi}}\n    devices: {gpus: [{deviceName: a.com/gpu, name: g}]}\n',
  );
  expect(machinesOf(flow)).toEqual(['a qemu pc-q35-9.0 0x80000000:']);
  expect(flow.facts.find(({ kind }) => kind === 'machine')).toMatchObject({ cpu: 'EPYC', backend: 'hugetlb' });
  expect(diagnosticsOf(flow)).toEqual(['info guest-device-unresolved 1']);
  const list = await openText(
    '{\n  "apiVersion": "v1",\n  "items": [\n    {\n      "apiVersion": "kubevirt.io/v1",\n      "kind": "VirtualMachineInstance",\n      "metadata": { "name": "j" },\n      "spec": {\n        "domain": {\n          "machine": { "type": "q35" },\n          "memory": { "guest": "1Gi" }\n        }\n      }\n    }\n  ],\n  "kind": "List"\n}\n',
  );
  expect(machinesOf(list)).toEqual(['j qemu q35 0x40000000:']);
});
