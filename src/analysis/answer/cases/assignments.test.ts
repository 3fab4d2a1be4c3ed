// Devices that could not be given to a guest, by the guest's log alone: the guest, the device, and the command that binds.
import { describe, expect, test } from 'vitest';
import { check } from '../../../lib/check.ts';
import { readDumps } from '../../../lib/read-dumps.ts';
import { type Case, expectAnswer, groups } from '../testing/case.ts';

const LOG = (error: string, devices: readonly string[] = ['0000:0b:00.0'], name = 'win11') =>
  [
    '2026-03-01 12:00:00.123+0000: starting up libvirt version: 9.0.0, package: 1, qemu version: 7.2.9, kernel: 6.1.0-18-amd64, hostname: rowan',
    'LC_ALL=C \\',
    '/usr/bin/qemu-system-x86_64 \\',
    `-name guest=${name},debug-threads=on \\`,
    '-machine pc-q35-7.2,usb=off \\',
    '-accel kvm \\',
    ...devices.map((device, i) => `-device '{"driver":"vfio-pci","host":"${device}","id":"hostdev${i}"}' \\`),
    '-m 16384',
    error,
    '',
  ].join('\n');
const AT = (what: string, device = '0000:0b:00.0') =>
  `2026-03-01T12:00:01.5Z qemu-system-x86_64: -device {"driver":"vfio-pci","host":"${device}","id":"hostdev0"}: vfio ${device}: ${what}`;
const ADVICE = 'Please ensure all devices within the iommu_group are bound to their vfio bus driver.';

const CASES: readonly Case[] = [
  {
    name: 'not viable',
    given: LOG(`${AT('group 27 is not viable')}\n${ADVICE}`),
    says: [/^win11 cannot be given 0000:0b:00\.0 \(group 27\): not all devices of group 27 are bound to vfio-pci\./],
    severity: 'fatal',
  },
  {
    name: 'not viable, as old QEMU says it: the device of the option',
    given: LOG(
      'qemu-system-x86_64: -device vfio-pci,host=0b:00.0,id=hostdev0: vfio: error, group 27 is not viable, please ensure all devices within the iommu_group are bound to their vfio bus driver.',
    ),
    says: ['win11 cannot be given 0000:0b:00.0 (group 27)'],
    severity: 'fatal',
  },
  {
    name: 'only the advice was copied: the devices of the guest',
    given: LOG(ADVICE, ['0000:0b:00.0', '0000:0b:00.1']),
    says: ['win11 cannot be given 0000:0b:00.0 and 0000:0b:00.1: not all devices of its group are bound'],
    severity: 'fatal',
  },
  {
    name: 'no file of the group',
    given: LOG(AT('failed to open /dev/vfio/27: No such file or directory')),
    says: ['win11 cannot be given 0000:0b:00.0 (group 27)', 'no device of group 27 is bound to vfio-pci'],
    severity: 'fatal',
  },
  {
    name: 'another process has the group',
    given: LOG(AT('failed to open /dev/vfio/27: Device or resource busy')),
    says: ['win11 cannot be given 0000:0b:00.0 (group 27)', 'another process holds group 27'],
    saysNot: ['Bind'],
    severity: 'fatal',
  },
  {
    name: 'the device is not in the group as VFIO sees it',
    given: LOG(AT('error getting device from group 27: No such device')),
    says: ['win11 cannot be given 0000:0b:00.0 (group 27): it is not bound to vfio-pci', 'ENODEV'],
    severity: 'fatal',
  },
  {
    name: 'the container refuses the group',
    given: LOG(
      AT('failed to setup container for group 27: Failed to set iommu for container: Operation not permitted'),
    ),
    says: ['win11 cannot be given 0000:0b:00.0 (group 27)', 'EPERM', 'interrupt remapping'],
    severity: 'fatal',
  },
  {
    name: 'no group at all',
    given: LOG(AT('no iommu_group found: No such file or directory')),
    says: ['win11 cannot be given 0000:0b:00.0: it has no IOMMU group'],
    severity: 'fatal',
  },
  {
    name: 'the group is known from sysfs: the device of the guest that is in it',
    given: {
      'vm.log': LOG('qemu-system-x86_64: vfio: error, group 27 is not viable', ['0000:0a:00.0', '0000:0b:00.1']),
      'groups.txt': groups({ 27: ['0000:0b:00.0', '0000:0b:00.1'], 28: ['0000:0a:00.0'] }),
    },
    says: ['win11 cannot be given 0000:0b:00.1 (group 27)'],
    severity: 'fatal',
  },
  {
    name: 'of two guests in one log the one that has the device',
    given: `${LOG('', ['0000:0c:00.0'], 'db')}${LOG(AT('group 27 is not viable'))}`,
    says: ['win11 cannot be given 0000:0b:00.0'],
    saysNot: ['db'],
    severity: 'fatal',
  },
  {
    name: 'the virtual IOMMU is too wide, as QEMU says',
    given: LOG(
      `-device intel-iommu,aw-bits=48 -device vfio-pci,host=0000:0b:00.0 \\\n-msg timestamp=on\n${AT('Failed to set vIOMMU: aw-bits 48 > host aw-bits 39')}`,
      [],
    ).replace('-m 16384\n', '-m 16384 \\\n'),
    says: [
      'the virtual IOMMU of win11 has 48 address bits',
      "the host's IOMMU has 39",
      'Set the virtual IOMMU to 39 bits',
    ],
    severity: 'fatal',
  },
  {
    name: 'hugepages that QEMU could not get',
    given: LOG('qemu-system-x86_64: unable to map backing store for guest RAM: Cannot allocate memory').replace(
      '-accel kvm \\\n',
      '-accel kvm \\\n-mem-path /dev/hugepages/x \\\n',
    ),
    says: ['The RAM of win11 could not be allocated (ENOMEM): 16 GiB from hugepages', '8192 free ones'],
    severity: 'fatal',
  },
  {
    name: 'without a definition: the device of the message',
    given: AT('group 27 is not viable'),
    says: ['0000:0b:00.0 (group 27) cannot be assigned: not all devices of group 27'],
    severity: 'fatal',
  },
  {
    name: 'a name from lspci',
    given: {
      'vm.log': LOG(AT('group 27 is not viable')),
      'lspci.txt': '0b:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA104 [10de:2484] (rev a1)\n',
    },
    says: ['win11 cannot be given 0000:0b:00.0 NVIDIA GA104 (group 27)'],
    severity: 'fatal',
  },
];

describe('a device that the guest cannot have', () => {
  test.each(CASES.map((one) => [one.name, one] as const))('%s', (_name, one) => expectAnswer(one));
});

const commandsOf = async (text: string) => (await check(await readDumps(text))).answer.fixes.map((fix) => fix.text);

test('the commands bind the whole group but bridges, and list it', async () => {
  const [bind = '', list = ''] = await commandsOf(LOG(AT('group 27 is not viable')));
  expect(bind).toContain('for d in /sys/kernel/iommu_groups/27/devices/*');
  expect(bind).toContain('0x06*) continue');
  expect(bind).toContain('echo vfio-pci > "$d/driver_override"');
  expect(list).toMatch(/^for d in .*27.*lspci -nnks/);
  const [ofDevice = ''] = await commandsOf(LOG(AT('error bind device fd=28 to iommufd=21: Device or resource busy')));
  expect(ofDevice).toContain('/sys/bus/pci/devices/0000:0b:00.0/iommu_group/devices/*');
});

test('devices that are known to be in the way are bound alone, by libvirt too', async () => {
  const text = `${LOG('qemu-system-x86_64: vfio: error, group 27 is not viable')}\n${groups({ 27: ['0000:0b:00.0', '0000:0b:00.1'] })}\n\n$ lspci -nnk\n0b:00.0 VGA compatible controller [0300]: Acme GPU [10de:2484]\n\tKernel driver in use: vfio-pci\n0b:00.1 Audio device [0403]: Acme Sound [10de:228b]\n\tKernel driver in use: snd_hda_intel\n`;
  const { conflicts } = await check(await readDumps(text));
  const fixes = conflicts.find(({ rule }) => rule === 'qemu-group-not-viable')?.fixes ?? [];
  expect(fixes[0]?.text).toContain('/sys/bus/pci/devices/0000:0b:00.1/driver_override');
  expect(fixes[0]?.text).not.toContain('0000:0b:00.0');
  expect(fixes[1]?.text).toBe('virsh nodedev-detach pci_0000_0b_00_1');
});
