import { describe, expect, test } from 'vitest';
import { devicesOf, diagnosticsOf, groupsOf, openText } from '../../testing/read.ts';
import { deviceLabel } from './device-label.ts';

const read = async (...lines: string[]) => devicesOf(await openText(`${lines.join('\n')}\n`));

describe('deviceLabel', () => {
  test.each([
    ['VGA compatible controller: Acme GPU (rev a1)', { class: 'VGA compatible controller', name: 'Acme GPU' }],
    [
      'VGA compatible controller [0300]: Acme GPU [X] [10de:2484] (rev a1) (prog-if 00 [VGA controller])',
      { class: 'VGA compatible controller', name: 'Acme GPU [X]', ids: '10de:2484' },
    ],
    [
      'Non-Volatile memory controller [0108]: Acme: the drive [C0DE:000A]',
      { name: 'Acme: the drive', ids: 'C0DE:000A' },
    ],
    ['SD Host controller [0805]: Acme Device [c0de:0805]', { class: 'SD Host controller' }],
    ['0300: 10de:2484 (rev a1)', { class: 'VGA compatible controller', ids: '10de:2484' }],
    ['Class 0c03: 8086:a36d', { class: 'USB controller', ids: '8086:a36d' }],
    [
      '"Audio device" "Acme" "Sound" -r01 "Sub" "Board"',
      { class: 'Audio device', name: 'Acme Sound', subsystem: 'Sub Board' },
    ],
    [
      'VGA compatible controller                GP104 [GeForce GTX 1080]',
      { class: 'VGA compatible controller', name: 'GP104 [GeForce GTX 1080]' },
    ],
    [
      'Audio device [0403]: Acme Sound [10de:228b]   Driver: snd_hda_intel',
      { name: 'Acme Sound', ids: '10de:228b', driver: 'snd_hda_intel' },
    ],
    ['Host bridge [0600]: Acme Device [c0de:466F] (rev 02)', { name: 'Acme Device 466f', ids: 'c0de:466F' }],
    ['"0403" "c0de" "0001" "" ""', { class: 'Audio device', ids: 'c0de:0001' }],
    [
      '"Audio device [0403]" "Acme [c0de]" "Sound [0001]" -r01 "Sub [1111]" "Board [2222]"',
      { name: 'Acme Sound', ids: 'c0de:0001', subsystem: '1111:2222' },
    ],
  ])('%s', (text, expected) => {
    expect(deviceLabel(text)).toMatchObject(expected);
  });

  test.each(['', 'no class here', 'vfio-pci [*]', '"one" "two"', 'lower case: x'])('%j is none', (text) => {
    expect(deviceLabel(text)).toBeUndefined();
  });
});

describe('lspci', () => {
  test('one fact for the lines of a device, before what is read below it', async () => {
    const { facts } = await openText(
      '0b:00.0 VGA compatible controller [0300]: Acme GPU [10de:2484]\n\tSubsystem: Board [1111:2222]\n\tMemory at f0000000 (64-bit, prefetchable) [size=256M]\n\tNUMA node: 1\n\tIOMMU group: 7\n\tKernel driver in use: vfio-pci\n',
    );
    expect(facts.map(({ kind, line }) => [kind, line])).toEqual([
      ['device', 1],
      ['bar', 3],
      ['group', 5],
    ]);
    expect(facts[0]).toMatchObject({
      device: '0000:0b:00.0',
      name: 'Acme GPU',
      class: 'VGA compatible controller',
      ids: '10de:2484',
      subsystem: '1111:2222',
      driver: 'vfio-pci',
      group: '7',
      numa_node: 1,
    });
  });

  test('a device that only the command names', async () => {
    expect(
      await read(
        '$ lspci -s 84:00.0 -v',
        '\tRegion 0: Memory at fa000000 (64-bit, prefetchable) [size=16M]',
        '\tKernel driver in use: vfio-pci',
      ),
    ).toEqual(['0000:84:00.0 - (vfio-pci)']);
  });

  test('group and node in the line of flags', async () => {
    const found = await openText(
      '01:00.0 Audio device: Acme\n\tFlags: bus master, IRQ 5, NUMA node 2, IOMMU group 9\n',
    );
    expect(found.facts[0]).toMatchObject({ group: '9', numa_node: 2 });
    expect(groupsOf(found)).toEqual(['9: 0000:01:00.0']);
  });

  test('records for machines; the old form calls the address a device', async () => {
    expect(
      await read(
        'Slot:\t01:00.0',
        'Class:\tAudio device',
        'Vendor:\tAcme',
        'Device:\tSound',
        'Driver:\tvfio-pci',
        '',
        'Slot:\t02:00.0',
        'Class:\tAudio device',
        'Vendor:\tAcme',
        'Device:\tOther',
      ),
    ).toEqual(['0000:01:00.0 Acme Sound (vfio-pci)', '0000:02:00.0 Acme Other']);
    expect(await read('Device:\t01:00.0', 'Class:\tAudio device', 'Vendor:\tAcme', 'Device:\tSound')).toEqual([
      '0000:01:00.0 Acme Sound',
    ]);
    expect(await read('Slot:\tthe first', 'Class:\tA')).toEqual([]);
  });
});

describe('the tree', () => {
  test('a single device behind a bridge, several, nothing; quoted; another domain', async () => {
    const tree = [
      '-[0000:00]-+-00.0  Host',
      '           +-01.0-[01]----00.0  Alone',
      '           +-02.0-[02]--',
      '           \\-03.0-[03-05]--+-00.0  First',
      '                           \\-00.1  Second',
    ];
    const expected = [
      '0000:00:00.0 Host',
      '0000:00:01.0 -',
      '0000:01:00.0 Alone',
      '0000:00:02.0 -',
      '0000:00:03.0 -',
      '0000:03:00.0 First',
      '0000:03:00.1 Second',
    ];
    expect(await read(...tree)).toEqual(expected);
    expect(await read(...tree.map((line) => `> ${line}`))).toEqual(expected);
    expect(await read('-[10000:e0]-+-17.0  Disk')).toEqual(['10000:e0:17.0 Disk']);
    const { facts } = await openText(tree.join('\n'));
    expect(facts.flatMap((fact) => (fact.kind === 'device' ? [fact.parent] : []))).toEqual([
      undefined,
      undefined,
      '0000:00:01.0',
      undefined,
      undefined,
      '0000:00:03.0',
      '0000:00:03.0',
    ]);
  });

  test('a branch without its root is left alone', async () => {
    expect(await read('           +-01.0-[01]----00.0  Alone')).toEqual([]);
    expect(await read('-[0000:00]-+-00.0  Host', '      +-01.0  Elsewhere')).toEqual(['0000:00:00.0 Host']);
  });
});

test('loops over groups: on one line, below a header, with ids in front', async () => {
  const found = await openText(
    'IOMMU Group 15: 0b:00.0 VGA compatible controller [0300]: Acme GPU [10de:2484] (rev a1)\nIOMMU Group 16:\n\t0c:00.0 Audio device [0403]: Acme Sound [10de:228b]\nIOMMU group 17:[c0de:0001] 0d:00.0 Audio device: Acme Other\nGroup 18: 0e:00.0\nGroup 19:\t[10de:1b80] [R] 0f:00.0  VGA compatible controller                Acme Card\n',
  );
  expect(found.facts.filter(({ kind }) => kind === 'device')).toMatchObject([
    { device: '0000:0b:00.0', group: '15', ids: '10de:2484', name: 'Acme GPU' },
    { device: '0000:0c:00.0', group: '16', ids: '10de:228b', name: 'Acme Sound' },
    { device: '0000:0d:00.0', group: '17', ids: 'c0de:0001', name: 'Acme Other' },
    { device: '0000:0f:00.0', group: '19', ids: '10de:1b80', name: 'Acme Card', class: 'VGA compatible controller' },
  ]);
});

test('driverctl', async () => {
  expect(await read('0000:0b:00.0 vfio-pci [*]', '0000:0b:00.1 (none)', '0000:0c:00.0 nvme (Fast drive)')).toEqual([
    '0000:0b:00.0 - (vfio-pci)',
    '0000:0b:00.1 -',
    '0000:0c:00.0 Fast drive (nvme)',
  ]);
  expect(await read('0000:0b:00.0 is not bound', '0b:00.0 vfio-pci')).toEqual([]);
});

describe('kernel logs', () => {
  test('what the kernel finds; drivers once, and again when another has the device', async () => {
    expect(
      await read(
        '[    0.5] pci 0000:0b:00.0: [10de:2484] type 00 class 0x030000 PCIe Legacy Endpoint',
        '[    0.6] pci 0000:00:01.0: [8086:1901] type 01 class 0x060400',
        '[    2.0] nouveau 0000:0b:00.0: one',
        '[    2.1] nouveau 0000:0b:00.0: two',
        '[    3.0] vfio-pci 0000:0b:00.0: three',
        'qemu: vfio 0000:0b:00.0: no driver',
        'someone 0000:0b:00.0: not in a log',
      ),
    ).toEqual(['0000:0b:00.0 -', '0000:00:01.0 -', '0000:0b:00.0 - (nouveau)', '0000:0b:00.0 - (vfio-pci)']);
  });

  test('drivers of networks name the interface too', async () => {
    expect(
      await read(
        '[    1.0] ixgbe 0000:5e:00.0 eth0: NIC Link is Up',
        '[    1.1] e1000e 0000:00:19.0 0000:00:19.0 (uninitialized): registered PHC clock',
        '[    1.2] igb 0000:06:00.0 (unregistered net_device): probe',
        '[    1.3] someone 0000:06:00.1 said something: no',
      ),
    ).toEqual(['0000:5e:00.0 - (ixgbe)', '0000:00:19.0 - (e1000e)', '0000:06:00.0 - (igb)']);
  });

  test.each([
    ['[    0.0] Command line: BOOT_IMAGE=/vmlinuz ro intel_iommu=on iommu=pt', ['info kernel-options 1']],
    [
      '[    0.0] Kernel command line: root=/dev/sda amd_iommu=off',
      ['info kernel-options 1', 'warning iommu-disabled 1'],
    ],
    [
      'BOOT_IMAGE=/vmlinuz root=/dev/sda1 pcie_acs_override=downstream',
      ['info kernel-options 1', 'warning acs-override 1'],
    ],
    ['BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet', []],
    ['[    0.1] DMAR: IOMMU disabled', ['warning iommu-disabled 1']],
  ])('%s', async (line, expected) => {
    expect(diagnosticsOf(await openText(line))).toEqual(expected);
  });
});
