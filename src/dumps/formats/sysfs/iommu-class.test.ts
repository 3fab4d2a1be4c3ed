import { describe, expect, test } from 'vitest';
import { type DumpInput, openInputs } from '../../input/open.ts';
import { diagnosticsOf, inputOf, type Opened, openAll, openText } from '../../testing/read.ts';

/** IOMMUs in short: `dmar0 intel 39 cap=1c0000c40660462 ecap=f020df`, without what is not known. */
function iommusOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'iommu') return [];
    const register = (name: 'cap' | 'ecap') => (fact[name] === undefined ? [] : [`${name}=${fact[name].toString(16)}`]);
    const width = fact.address_width === undefined ? [] : [String(fact.address_width)];
    return [[fact.name, fact.driver, ...width, ...register('cap'), ...register('ecap')].join(' ')];
  });
}

const DMAR0 = 'dmar0 intel 39 cap=1c0000c40660462 ecap=19e2ff0505e';
const unrecognizedOf = ({ sources }: Opened) => sources.map(({ unrecognized }) => unrecognized);

describe('what people print of an IOMMU becomes one fact', () => {
  test.each([
    ['grep', 'D/cap:1c0000c40660462\nD/version:1:0\nD/ecap:19e2ff0505e\nD/domains_supported:256\n'],
    ['grep -n', 'D/cap:1:1c0000c40660462\nD/ecap:1:19e2ff0505e\nD/version:1:1:0\n'],
    ['tail', '==> D/cap <==\n1c0000c40660462\n\n==> D/ecap <==\n19e2ff0505e\n\n==> D/version <==\n1:0\n'],
    ['cat, each by itself', '# cat D/cap\n1c0000c40660462\n# cat D/ecap\n19e2ff0505e\n# uname\n'],
    ['cat, both', '$ cat D/cap D/ecap\n1c0000c40660462\n19e2ff0505e\n'],
    ['cat, without a prompt', 'cat D/{cap,version,ecap}\n1c0000c40660462\n1:0\n19e2ff0505e\n'],
    ['a loop', 'D/cap\n1c0000c40660462\nD/ecap\n19e2ff0505e\nD/address\nfed90000\n'],
    ['with 0x', 'D/cap:0x1C0000C40660462\nD/ecap:0x19e2ff0505e\n'],
    ['quoted', '> D/cap:1c0000c40660462\n> D/ecap:19e2ff0505e\n'],
    ['CR LF', 'D/cap:1c0000c40660462\r\nD/ecap:19e2ff0505e\r\n'],
  ])('%s', async (_, text) => {
    const places = [
      '/sys/class/iommu/dmar0/intel-iommu',
      '/sys/devices/virtual/iommu/dmar0/intel-iommu',
      './dmar0/intel-iommu',
    ];
    for (const place of places) {
      const opened = await openText(text.replaceAll('D/', `${place}/`));
      expect(iommusOf(opened)).toEqual([DMAR0]);
      expect(diagnosticsOf(opened)).toEqual([]);
      expect(opened.facts[0]).toMatchObject({ line: /^[#$c]/.test(text) ? 2 : 1, source: 'paste.txt' });
    }
  });

  test('the next IOMMU is another fact, and so is what stands behind other lines', async () => {
    const file = (name: string, value: string) => `/sys/class/iommu/${name}:${value}`;
    const opened = await openText(
      [
        file('dmar0/intel-iommu/ecap', '19e2ff0505e'),
        file('dmar0/intel-iommu/cap', '1c0000c40660462'),
        file('dmar1/intel-iommu/cap', 'd2008c222f0686'),
        '0x00000000fee00000 0x00000000feefffff msi',
        file('ivhd0/amd-iommu/cap', '190b640f'),
        file('ivhd0/amd-iommu/features', '246577efa2254ada:10'),
      ].join('\n'),
    );
    expect(iommusOf(opened)).toEqual([DMAR0, 'dmar1 intel 48 cap=d2008c222f0686', 'ivhd0 amd cap=190b640f']);
    expect(opened.facts.map(({ kind, line }) => `${kind} ${line}`)).toEqual([
      'iommu 1',
      'iommu 3',
      'reserved 4',
      'iommu 5',
    ]);
    expect(unrecognizedOf(opened)).toEqual([0]);
  });

  test('paths of a prompt and of cd are followed', async () => {
    const opened = await openText(
      [
        'root@oak:/sys/class/iommu/dmar0# grep . intel-iommu/*cap',
        'intel-iommu/cap:1c0000c40660462',
        'root@oak:/sys/class/iommu/dmar0# cd ../dmar1',
        'root@oak:/sys/class/iommu/dmar1# cat intel-iommu/ecap',
        'f020df',
      ].join('\n'),
    );
    expect(iommusOf(opened)).toEqual(['dmar0 intel 39 cap=1c0000c40660462', 'dmar1 intel ecap=f020df']);
  });

  test('lines that a mail program broke', async () => {
    const path = '/sys/devices/pci0000:00/0000:00:00.2/iommu/ivhd0/amd-iommu/';
    const whole = `${path}cap:190b640f`;
    for (let at = 20; at < whole.length - 1; at++) {
      const text = `${whole.slice(0, at)}\n${whole.slice(at)}\n${path}features:246577efa2254ada:0\n`;
      expect([at, iommusOf(await openText(text))]).toEqual([at, ['ivhd0 amd cap=190b640f']]);
    }
  });
});

describe('names alone', () => {
  const names = ['dmar0', 'dmar12', 'ivhd0', 'smmu3.0x0000000009050000', 'smmu.0x00000000e0200000'];
  const more = ['arm-smmu-v3.0.auto', 'arm-smmu.3', 'virtio0', '0000:00:03.0', 's390-iommu.00000001', 'frob7'];
  const all = [...names, ...more];
  const expected = [
    'dmar0 intel',
    'dmar12 intel',
    'ivhd0 amd',
    'smmu3.0x0000000009050000 smmu-v3',
    'smmu.0x00000000e0200000 smmu-v2',
    'arm-smmu-v3.0.auto smmu-v3',
    'arm-smmu.3 smmu-v2',
    'virtio0 virtio',
    '0000:00:03.0 virtio',
    's390-iommu.00000001 s390',
    'frob7 unknown',
  ];

  test.each([
    ['ls', `# ls /sys/class/iommu\n${all.join('  ')}\n`],
    ['ls, one a line', `$ ls /sys/class/iommu/\n${all.join('\n')}\n`],
    ['ls, in its directory', `[root@oak iommu]# cd /sys/class/iommu\n[root@oak iommu]# ls\n${all.join(' ')}\n`],
    ['ls, with a title', `/sys/class/iommu:\n${all.join('\n')}\n`],
    [
      'ls -l',
      all.map((name) => `lrwxrwxrwx 1 root root 0 Jan  3 12:00 ${name} -> ../../devices/virtual/iommu/${name}`),
    ],
    ['find', all.map((name) => `/sys/class/iommu/${name}`)],
    ['twice', [...all, ...all].map((name) => `/sys/class/iommu/${name}/devices/0000:00:02.0`)],
  ])('%s', async (_, text) => {
    const opened = await openText(typeof text === 'string' ? text : text.join('\n'));
    expect(iommusOf(opened)).toEqual(expected);
    expect(unrecognizedOf(opened)).toEqual([0]);
  });

  test('where the path says it, a driver is known without its name', async () => {
    const opened = await openText('odd.0 -> ../../devices/pci0000:00/0000:00:03.0/virtio1/iommu/odd.0\n');
    expect(iommusOf(opened)).toEqual(['odd.0 virtio']);
  });
});

describe('a tree of sysfs', () => {
  test('files are known by their paths, links by where they lead', async () => {
    const link = (name: string, target: string): DumpInput => ({
      name,
      tree: 'oak',
      link: target,
      stream: () => {
        throw new Error('a link is not opened');
      },
    });
    const file = (name: string, content: string): DumpInput => ({ ...inputOf(name, content), tree: 'oak' });
    const opened = await openAll([
      link('oak/sys/class/iommu/smmu3.0x9050000', '../../devices/platform/arm-smmu-v3.0.auto/iommu/smmu3.0x9050000'),
      link('oak/sys/devices/pci0000:00/0000:00:02.0/iommu', '../../virtual/iommu/dmar0'),
      file('oak/sys/devices/virtual/iommu/dmar0/intel-iommu/cap', '1c0000c40660462\n'),
      file('oak/sys/devices/virtual/iommu/dmar0/intel-iommu/ecap', '19e2ff0505e\n'),
      file('oak/sys/devices/virtual/iommu/dmar0/intel-iommu/version', '1:0\n'),
    ]);
    expect(iommusOf(opened)).toEqual([
      'smmu3.0x9050000 smmu-v3',
      'dmar0 intel 39 cap=1c0000c40660462',
      'dmar0 intel ecap=19e2ff0505e',
    ]);
    expect(unrecognizedOf(opened)).toEqual([0]);
    expect(opened.facts[1]).toMatchObject({
      source: 'oak/sys/devices/virtual/iommu/dmar0/intel-iommu/cap',
      line: 1,
    });
    const { sources } = await openInputs([file('oak/dmar0/intel-iommu/cap', '1c0000c40660462\n')], {
      onEvents: () => undefined,
    });
    expect(sources[0]?.formats).toEqual([{ name: 'iommu-class', title: 'sysfs: IOMMUs', facts: 1 }]);
  });
});

describe('what is no such thing', () => {
  test.each([
    [
      'a number above 64 bits',
      '/sys/class/iommu/dmar0/intel-iommu/cap:11c0000c406604621',
      ['warning damaged-register 1'],
    ],
    ['a letter in between', '/sys/class/iommu/dmar0/intel-iommu/cap:1c0000g40660462', ['warning damaged-register 1']],
    [
      'a damaged file below its name',
      '==> /sys/class/iommu/dmar0/intel-iommu/cap <==\n1c0000_c40660462\n',
      ['warning damaged-register 2'],
    ],
  ])('%s: a diagnostic', async (_, text, expected) => {
    const opened = await openText(text);
    expect(diagnosticsOf(opened).filter((one) => !one.includes('nothing-recognized'))).toEqual(expected);
    expect(opened.facts.some((fact) => fact.kind === 'iommu' && fact.cap !== undefined)).toBe(false);
  });

  test.each([
    '/sys/kernel/debug/iommu/intel/iommu_regset',
    '/sys/kernel/iommu_groups/7/type',
    '/sys/bus/pci/devices/0000:00:02.0/iommu/intel-iommu/cap',
    '/sys/class/iommu/dmar*/intel-iommu/cap',
    'drivers/iommu/intel/iommu.c',
    'look into /sys/class/iommu/dmar0/intel-iommu/cap for that',
    '# cat /sys/class/iommu/dmar0/intel-iommu/cap\ncat: /sys/class/iommu/dmar0/intel-iommu/cap: No such file or directory',
    '# ls /sys/class/iommu\n# ls /sys/class/net\neth0 eth1',
    '# ls /sys/class/iommu\n\neth0 eth1',
    '# cat /sys/class/iommu/*/intel-iommu/cap\n1c0000c40660462',
    '==> /sys/class/iommu/*/intel-iommu/cap <==\n1c0000c40660462',
    '1c0000c40660462',
  ])('%j: nothing', async (text) => {
    expect(iommusOf(await openText(text))).toEqual([]);
  });
});
