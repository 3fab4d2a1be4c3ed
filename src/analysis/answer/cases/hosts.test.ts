// Hosts, guests that are tried on them, and devices to assign.
import { describe, test } from 'vitest';
import { type Case, expectAnswer, groups, regions } from '../testing/case.ts';

const MSI = '0xfee00000 0xfeefffff msi';
const HT = '0xfd00000000 0xffffffffff reserved';
const WIDTH39 =
  '[    0.2] DMAR: Host address width 39\n[    0.2] DMAR: dmar0: reg_base_addr fed91000 ver 1:0 cap d2008c40660462 ecap f050da\n';
const MIXED = {
  'r.txt': regions({
    0: [MSI],
    1: [MSI],
    2: ['0x3e000000 0x3e7fffff direct', MSI],
    3: ['0x7a000000 0x7a0fffff direct', MSI],
    4: [MSI],
  }),
  'g.txt': groups({
    0: ['0000:00:02.0'],
    1: ['0000:00:06.0'],
    2: ['0000:00:05.0'],
    3: ['0000:00:14.0', '0000:00:14.2'],
    4: ['0000:01:00.0'],
  }),
  'd.txt': WIDTH39,
};
const AMD = {
  'r.txt': `${regions({ 20: [MSI, HT], 21: [MSI, HT] })}\n[    1.0] AMD-Vi: Extended features (0x4f77ef22294ada): PPR X2APIC NX GT IA GA PC GA_vAPIC\n`,
};
const LINES = (...lines: string[]) => lines.join('\n');

const CASES: readonly Case[] = [
  {
    name: 'a guest that fits: groups that cannot be assigned are left out, in one line',
    given: MIXED,
    options: { guest: 'q35:8G' },
    says: [/^q35, 8 GiB fits on groups 0, 1 and 4/, 'groups 2 and 3 cannot be assigned', 'left out'],
    severity: 'clean',
  },
  {
    name: 'a device with an RMRR is asked for: no size of RAM helps',
    given: MIXED,
    options: { guest: 'q35:8G', device: '0000:00:05.0' },
    says: [
      /^0000:00:05\.0 \(group 2\) cannot be assigned \(EINVAL on Linux 6\.12\)/,
      '0x3e000000-0x3e7fffff must stay mapped 1:1',
      'no RAM size changes that',
    ],
    saysNot: ['up to', 'group 3'],
    severity: 'fatal',
  },
  {
    name: 'the same without a guest',
    given: MIXED,
    options: { device: '0000:00:05.0' },
    says: ['0000:00:05.0 (group 2) cannot be assigned', 'EINVAL'],
    severity: 'fatal',
  },
  {
    name: 'the same on 6.1: another errno',
    given: MIXED,
    options: { device: '0000:00:05.0', kernel: '6.1' },
    says: ['cannot be assigned (EPERM on Linux 6.1)'],
    severity: 'fatal',
  },
  {
    name: 'a device that shares its group with one that has an RMRR',
    given: MIXED,
    options: { device: '0000:00:14.2' },
    says: ['0000:00:14.2 (group 3) cannot be assigned', '0x7a000000-0x7a0fffff'],
    severity: 'fatal',
  },
  {
    name: 'a device of a good group: nothing of the others',
    given: MIXED,
    options: { guest: 'q35:8G', device: '0000:01:00.0' },
    says: [/^q35, 8 GiB fits on group 4/],
    saysNot: ['group 2', 'group 3'],
    severity: 'clean',
  },
  {
    name: 'no question: what can be mapped',
    given: MIXED,
    says: [
      /^No conflicts on groups 0, 1 and 4/,
      '0xfee00000-0xfeefffff',
      '0x7fffffffff',
      'groups 2 and 3 cannot be assigned',
    ],
    severity: 'clean',
  },
  {
    name: 'virt over the MSI window: the exact RAM that fits',
    given: MIXED,
    options: { guest: 'virt:6G' },
    says: [
      /^virt, 6 GiB does not fit/,
      '0x40000000-0x1bfffffff',
      'covers 0xfee00000-0xfeefffff, the MSI window of groups 0, 1 and 4',
      'EINVAL on Linux 6.12',
      'Set RAM to 3054 MiB',
    ],
    severity: 'fatal',
  },
  {
    name: 'beyond 39 bits',
    given: MIXED,
    options: { guest: 'q35:1T' },
    says: ['does not fit', 'needs 41 bits, the IOMMU has 39', '0x7fffffffff', 'Set RAM to'],
    severity: 'fatal',
  },
  {
    name: 'AMD and 1 TiB: move it above, with the bits that it needs',
    given: AMD,
    options: { guest: 'q35:1T' },
    says: [
      'does not fit',
      '0xfd00000000-0xffffffffff',
      'HyperTransport',
      'Move RAM above 1 TiB \\(QEMU 7.1 or newer, needs 42 phys-bits\\)'.replaceAll('\\', ''),
      'set RAM to',
    ],
    severity: 'fatal',
  },
  {
    name: 'AMD and 1 TiB moved above: fits, and the requirement stays visible',
    given: AMD,
    options: { guest: 'q35-amd:1T' },
    says: [/^q35-amd, 1 TiB fits/, 'needs phys-bits 42'],
    severity: 'clean',
  },
  {
    name: 'Intel without a list of regions: the platform reserves the window',
    given: WIDTH39,
    options: { guest: 'virt:4G' },
    says: ['does not fit', '0xfee00000-0xfeefffff', 'not listed in these dumps', 'Set RAM to 3054 MiB'],
    severity: 'fatal',
  },
  {
    name: 'RMRRs of a log belong to devices, not to every guest',
    given: `${WIDTH39}[    0.2] DMAR: RMRR base: 0x0000007b800000 end: 0x0000007fffffff\n`,
    options: { guest: 'q35:4G' },
    says: [/^q35, 4 GiB fits/, '0x7b800000-0x7fffffff cannot be assigned'],
    severity: 'clean',
  },
  {
    name: 'the kernel refused a device: the general line of QEMU comes after it',
    given: LINES(
      'vfio 0000:84:00.0: failed to setup container for group 33: Failed to set group container: Invalid argument',
      'vfio-pci 0000:84:00.0: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring the device without a 1:1 mapping. Contact your platform vendor.',
    ),
    says: [/^0000:84:00\.0 \(group 33\) cannot be assigned \(EINVAL/, '1:1', 'no RAM size changes that'],
    severity: 'fatal',
  },
  {
    name: 'an attempt in the log that nobody asks about: the guest fits on the others',
    given: {
      ...MIXED,
      'k.txt':
        'vfio-pci 0000:00:05.0: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring the device without a 1:1 mapping. Contact your platform vendor.',
    },
    options: { guest: 'q35:8G' },
    says: [/^q35, 8 GiB fits on groups 0, 1 and 4/, 'groups 2 and 3 cannot be assigned'],
    severity: 'clean',
  },
  {
    name: 'the same attempt, and the device is asked for',
    given: {
      ...MIXED,
      'k.txt':
        'vfio-pci 0000:00:05.0: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring the device without a 1:1 mapping. Contact your platform vendor.',
    },
    options: { guest: 'q35:8G', device: '0000:00:05.0' },
    says: [/^0000:00:05\.0 \(group 2\) cannot be assigned/, '0x3e000000-0x3e7fffff'],
    severity: 'fatal',
  },
  {
    name: 'the old message of the kernel: EPERM',
    given:
      'vfio-pci 0000:84:00.0: Device is ineligible for IOMMU domain attach due to platform RMRR requirement.  Contact your platform vendor.',
    says: ['0000:84:00.0 cannot be assigned (EPERM'],
    severity: 'fatal',
  },
  {
    name: 'the refused device with its RMRR in the log',
    given: LINES(
      '[    0.2] DMAR: RMRR base: 0x0000006f000000 end: 0x0000006f01ffff',
      '[   50.2] vfio-pci 0000:84:00.0: Device is ineligible for IOMMU domain attach due to platform RMRR requirement.  Contact your platform vendor.',
    ),
    says: [/^0000:84:00\.0 cannot be assigned/, 'the RMRR 0x6f000000-0x6f01ffff must stay mapped 1:1'],
    severity: 'fatal',
  },
  {
    name: 'a group that is not viable, with the driver that holds a device',
    given: {
      'e.txt': 'qemu-system-x86_64: -device vfio-pci,host=0000:0a:00.0: vfio 0000:0a:00.0: group 19 is not viable',
      'l.txt': LINES(
        '0000:0a:00.0 VGA compatible controller [0300]: Some Vendor Device [10de:1234]',
        '\tKernel driver in use: vfio-pci',
        '0000:0a:00.1 Audio device [0403]: Some Vendor Device [10de:1235]',
        '\tKernel driver in use: snd_hda_intel',
      ),
      'g.txt': groups({ 19: ['0000:0a:00.0', '0000:0a:00.1'] }),
    },
    says: [
      '0000:0a:00.0 Some Vendor Device 1234 (vfio-pci) (group 19) cannot be assigned (EPERM',
      '0000:0a:00.1 Some Vendor Device 1235 (snd_hda_intel)',
    ],
    severity: 'fatal',
  },
  {
    name: 'the region of an ISA bridge: the kernel, not the firmware',
    given: {
      'r.txt': regions({ 9: ['0x0 0xffffff direct', MSI] }),
      'g.txt': groups({ 9: ['0000:00:1f.0', '0000:00:1f.4'] }),
    },
    says: ['0x0-0xffffff', 'ISA bridge 0000:00:1f.0', 'since 5.4.7 and 5.5', 'EINVAL'],
    severity: 'fatal',
  },
  {
    name: 'a relaxable region blocks nothing',
    given: regions({ 9: ['0x0 0xffffff direct-relaxable', MSI] }),
    options: { guest: 'q35:2G' },
    says: [/^q35, 2 GiB fits on group 9/],
    severity: 'clean',
  },
  {
    name: 'a trace without anything wrong: what it has',
    given: {
      't.txt': [
        ' q-1 [000] ..... 5.25: map: IOMMU: iova=0x00000000f8000000 - 0x00000000f8006000 paddr=0x00000000fa000000 size=24576',
        ' q-1 [000] ..... 5.26: map: IOMMU: iova=0x00000000fa000000 - 0x00000000fa001000 paddr=0x00000000fb001000 size=4096',
        ' q-1 [000] ..... 5.27: unmap: IOMMU: iova=0x00000000fa000000 - 0x00000000fa001000 size=4096 unmapped_size=4096',
      ].join('\n'),
      'l.txt':
        '0000:84:00.0 Serial controller: Some Vendor Device 1234\n\tRegion 0: Memory at fa000000 (64-bit, non-prefetchable) [size=16M]\n',
    },
    says: [
      /^Nothing was refused and no fault was logged/,
      '2 maps and 1 unmap (0xf8000000-0xfa000fff), after which 1 mapping remains',
      '1 BAR of 1 device (0xfa000000-0xfaffffff)',
    ],
    severity: 'clean',
  },
  {
    name: 'a path with a placeholder for the group, on a host whose MSI window was moved',
    given:
      '$ cat /sys/kernel/iommu_groups/x/reserved_regions\n0x0000000008000000 0x00000000080fffff reserved\n0x00000000b0000000 0x00000000b00fffff msi\n',
    says: [
      /^No conflicts: everything can be mapped/,
      '0x8000000-0x80fffff (reserved) and 0xb0000000-0xb00fffff (MSI window)',
      'the MSI window is not at its usual place, 0x8000000-0x80fffff',
    ],
    saysNot: ['group x'],
    severity: 'clean',
  },
  {
    name: 'a firmware region of AMD: the MSI window that sysfs would list is named as well',
    given:
      '[    0.5] AMD-Vi: Extended features (0x4f77ef22294ada): PPR NX GT IA GA PC\n[    0.5] AMD-Vi: IVMD range: 0000:42:00.0 0x97000000-0x97ffffff\n',
    says: ['0xfee00000-0xfeefffff (the x86 MSI window, not listed in these dumps)'],
    severity: 'clean',
  },
  {
    name: 'an empty region of a firmware table is named',
    given:
      '[064h 0100   1]                Subtable Type : 20 [Memory Definition Block]\n[065h 0101   1]                        Flags : 08\n[066h 0102   2]                       Length : 0020\n[068h 0104   2]                     DeviceId : 0000\n\n[06Ah 0106   2]               Auxiliary Data : 0000\n[06Ch 0108   8]                     Reserved : 0000000000000000\n[074h 0116   8]                Start Address : 0000000000000000\n[07Ch 0124   8]                Memory Length : 0000000000000000\n',
    says: ['Memory definition (IVMD): the range at 0x0 is empty and was skipped.'],
    severity: 'clean',
  },
  {
    name: 'malformed lines are part of the answer, and nothing is clean with them',
    given: `${regions({ 1: [MSI] })}\n/sys/kernel/iommu_groups/2/reserved_regions:0x000000003e8zz000 0x000000003e8fffff direct\n`,
    says: ['1 malformed value was not used'],
    severity: 'warning',
  },
  {
    name: 'what a dump contains besides ranges',
    given: '\tCapabilities: [50] MSI: Enable+ Count=1/1 Maskable- 64bit+\n\t\tAddress: 00000000fee00478  Data: 0000\n',
    says: ['1 MSI message (to 0xfee00478)'],
    severity: 'clean',
  },
  {
    name: 'a layout without RAM',
    given:
      'FlatView #0\n AS "memory", root: system\n Root memory region: system\n  0000000000000000-0000000003ffffff (prio 0, romd): virt.flash0\n',
    says: ['lists no guest RAM'],
    saysNot: ['ends at 0x0'],
    severity: 'clean',
  },
  {
    name: 'a hardware and a software window for MSIs',
    given: regions({ 1: ['0x8000000 0x80fffff msi'], 2: ['0xc6020000 0xc602ffff msi'] }),
    says: [
      '0x8000000-0x80fffff (the software MSI window of group 1) coexists with 0xc6020000-0xc602ffff (a hardware MSI region of group 2)',
    ],
    severity: 'warning',
  },
  {
    name: 'a firmware region that the memory map does not reserve',
    given:
      'DMAR: [Firmware Bug]: No firmware reserved region can cover this RMRR [0x0000000042d92000-0x0000000042d94fff], contact BIOS vendor for fixes',
    says: ['RMRR 0x42d92000-0x42d94fff', 'Update the firmware'],
    severity: 'warning',
  },
  {
    name: 'too few mappings may be left',
    given:
      "qemu-kvm: -device vfio-pci,host=0000:18:00.0: warning: vfio_register_ram_discard_listener: possibly running out of DMA mappings. E.g., try increasing the 'block-size' of virtio-mem devies. Maximum possible DMA mappings: 65535, Maximum possible memslots: 32764",
    says: ['65535 DMA mappings', 'block size'],
    severity: 'warning',
  },
];

describe('hosts, guests and devices', () => {
  test.each(CASES)('$name', (one) => expectAnswer(one));
});
