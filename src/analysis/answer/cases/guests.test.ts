// Cases that bring the guest's own definition: the answer names the guest, the device, and the option to change.
import { describe, expect, test } from 'vitest';
import { check } from '../../../lib/check.ts';
import { readDumps } from '../../../lib/read-dumps.ts';
import { type Case, expectAnswer, groups, regions } from '../testing/case.ts';

const MSI = '0xfee00000 0xfeefffff msi';
const HT = '0xfd00000000 0xffffffffff reserved';
const HEAD = (kernel = '6.1.0-18-amd64') =>
  `2026-03-01 12:00:00.123+0000: starting up libvirt version: 9.0.0, package: 1, qemu version: 7.2.9, kernel: ${kernel}, hostname: rowan.example.org\n`;
const COMMAND = (more: string, name = 'win11', ram = 16384) =>
  `LC_ALL=C \\\n/usr/bin/qemu-system-x86_64 \\\n-name guest=${name},debug-threads=on \\\n-machine pc-q35-7.2,usb=off \\\n-accel kvm \\\n-cpu host \\\n-m ${ram} \\\n${more} \\\n-msg timestamp=on\n`;
const VFIO = (host: string) => `-device '{"driver":"vfio-pci","host":"${host}","id":"hostdev0"}'`;
const ERROR = (host: string, what: string) =>
  `2026-03-01T12:00:01.5Z qemu-system-x86_64: -device {"driver":"vfio-pci","host":"${host}","id":"hostdev0"}: vfio ${host}: ${what}\n`;
const MAP = (region: string, iova: string, size: string, errno: number, words: string) =>
  `memory listener initialization failed: Region ${region}: vfio_dma_map(0x55d0, ${iova}, ${size}, 0x7f12) = -${errno} (${words})`;
const LOG = (more: string, error: string, host = '0000:0b:00.0') =>
  `${HEAD()}${COMMAND(`${VFIO(host)}${more}`)}${ERROR(host, error)}2026-03-01 12:00:02.000+0000: shutting down, reason=failed\n`;
const DMAR = (bits: number) =>
  `[    0.1] DMAR: Host address width ${bits}\n[    0.1] DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap ${bits === 39 ? 'd2008c40660462' : 'd2008c222f0686'} ecap f050da\n`;

const XML = (ram: number, more: string, devices = '') =>
  `<domain type='kvm'><name>vm</name><memory unit='GiB'>${ram}</memory>${more}<os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os><devices><hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0x0b' slot='0' function='0'/></source></hostdev>${devices}</devices></domain>\n`;
const HOST = (bits?: number) => ({
  'regions.txt': regions({ 15: [MSI] }),
  'groups.txt': groups({ 15: ['0000:0b:00.0'] }),
  ...(bits === undefined ? {} : { 'dmesg.txt': DMAR(bits) }),
});

const CASES: readonly Case[] = [
  {
    name: 'a libvirt log alone: the window, the guest and the device',
    given: {
      'vm.log': `${HEAD()}LC_ALL=C \\\n/usr/bin/qemu-system-aarch64 \\\n-name guest=edge,debug-threads=on \\\n-machine virt-7.2,gic-version=3 \\\n-accel kvm \\\n-cpu host \\\n-m 4096 \\\n${VFIO('0000:0b:00.0')}\n${ERROR(
        '0000:0b:00.0',
        MAP('mach-virt.ram', '0x40000000', '0x100000000', 22, 'Invalid argument'),
      )}`,
    },
    says: [
      '0x40000000-0x13fffffff',
      'guest RAM "mach-virt.ram" of edge',
      '0000:0b:00.0',
      '0xfee00000-0xfeefffff',
      'Set RAM to',
    ],
    severity: 'fatal',
  },
  {
    name: 'log, groups and lspci: a member of the group has a driver of the host',
    given: {
      'win11.log': LOG(
        '',
        'group 15 is not viable\nPlease ensure all devices within the iommu_group are bound to their vfio bus driver.',
      ),
      'groups.txt': groups({ 15: ['0000:0b:00.0', '0000:0b:00.1'] }),
      'lspci.txt':
        '0b:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA104 [10de:2484] (rev a1)\n\tKernel driver in use: vfio-pci\n0b:00.1 Audio device [0403]: NVIDIA Corporation GA104 High Definition Audio Controller [10de:228b]\n\tKernel driver in use: snd_hda_intel\n',
    },
    says: [
      '0000:0b:00.0 NVIDIA GA104 (vfio-pci) (group 15) cannot be assigned',
      '0000:0b:00.1 NVIDIA GA104 High Definition Audio Controller (snd_hda_intel) of the same group is bound',
    ],
    severity: 'fatal',
  },
  {
    name: 'log and the kernel log of the host: locked memory against RAM',
    given: {
      'win11.log': LOG('', MAP('pc.ram', '0x100000000', '0x380000000', 12, 'Cannot allocate memory')),
      'dmesg.txt': '[  99.1] vfio_pin_pages_remote: RLIMIT_MEMLOCK (8388608) exceeded\n',
    },
    says: [
      'ENOMEM',
      'of win11',
      'only 8388608 bytes (8 MiB)',
      '16 GiB of RAM',
      'Set the limit of locked memory to 17 GiB',
    ],
    saysNot: ['ulimit'],
    severity: 'fatal',
  },
  {
    name: 'a virtual IOMMU: each device has all of the RAM locked',
    given: LOG(
      ` \\\n${VFIO('0000:0c:00.0')} \\\n-device intel-iommu,caching-mode=on`,
      MAP('pc.ram', '0x100000000', '0x380000000', 12, 'Cannot allocate memory'),
    ),
    says: ['16 GiB of RAM in each of 2 address spaces', '33 GiB'],
    severity: 'fatal',
  },
  {
    name: 'a memory backend in a file on a disk',
    given: LOG(
      ' \\\n-object memory-backend-file,id=pc.ram,mem-path=/srv/ram,size=17179869184,share=on \\\n-machine memory-backend=pc.ram',
      MAP('pc.ram', '0x100000000', '0x380000000', 14, 'Bad address'),
    ),
    says: ['EFAULT', "the guest's memory is a file", '6.12', '6.1.0-18-amd64', 'memfd'],
    severity: 'fatal',
  },
  {
    name: 'hugepages that are not there',
    given: LOG(
      ' \\\n-object memory-backend-file,id=pc.ram,mem-path=/dev/hugepages/libvirt,size=17179869184 \\\n-machine memory-backend=pc.ram',
      MAP('pc.ram', '0x100000000', '0x380000000', 14, 'Bad address'),
    ),
    says: ['hugepages', '8192 free pages of 2 MiB'],
    severity: 'fatal',
  },
  {
    name: 'RAM over the HyperTransport range: the version of the machine decides',
    given: {
      'big.xml':
        "<domain type='kvm'><name>big</name><memory unit='GiB'>1020</memory><os><type arch='x86_64' machine='pc-q35-6.2'>hvm</type></os><cpu mode='host-passthrough'/><devices><hostdev mode='subsystem' type='pci'><source><address domain='0' bus='0xc1' slot='0' function='0'/></source></hostdev></devices></domain>",
      'regions.txt': regions({ 40: [MSI, HT] }),
      'groups.txt': groups({ 40: ['0000:c1:00.0'] }),
    },
    says: ['big: pc-q35-6.2, 1020 GiB does not fit', '0xfd00000000-0xffffffffff', 'machine version 7.1'],
    severity: 'fatal',
  },
  {
    name: 'a firmware region below 4 GiB: less RAM there',
    given: {
      'vm.conf':
        'name: lab\nmachine: pc-q35-7.2\nmemory: 8192\ncpu: host\nscsihw: virtio-scsi-pci\nhostpci0: 0000:03:00.0\nostype: l26\n',
      'regions.txt': regions({ 7: ['0x7c000000 0x7fffffff reserved', MSI] }),
      'groups.txt': groups({ 7: ['0000:03:00.0'] }),
    },
    says: ['lab: pc-q35-7.2, 8 GiB does not fit', '0x7c000000-0x7fffffff', 'Keep the RAM below 4 GiB under 1 GiB'],
    severity: 'fatal',
  },
  {
    name: 'two guests in one log: the one whose device the error names',
    given: `${HEAD()}${COMMAND(VFIO('0000:0c:00.0'), 'db', 4096)}${HEAD()}${COMMAND(VFIO('0000:0b:00.0'), 'win11')}${ERROR(
      '0000:0c:00.0',
      MAP('pc.ram', '0x100000000', '0x80000000', 12, 'Cannot allocate memory'),
    )}`,
    says: ['of db', 'db needs 4 GiB of RAM'],
    saysNot: ['win11'],
    severity: 'fatal',
  },
  {
    name: 'two guests and no error: one is checked, the other named',
    given: {
      'vms.txt': `${COMMAND(VFIO('0000:0b:00.0'), 'win11')}\n${COMMAND('-nodefaults', 'db', 4096)}`,
      'regions.txt': regions({ 15: [MSI] }),
      'groups.txt': groups({ 15: ['0000:0b:00.0'] }),
    },
    says: ['win11: pc-q35-7.2, 16 GiB fits', 'Only win11 was checked; db is defined too'],
    severity: 'clean',
  },
  {
    name: 'the IOMMU is switched off on the command line of the kernel',
    given: {
      'win11.log': LOG('', 'no iommu_group found: No such file or directory'),
      'dmesg.txt':
        '[    0.0] Command line: BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet intel_iommu=off\n[    0.1] DMAR: IOMMU disabled\n',
    },
    says: [
      '0000:0b:00.0 has no IOMMU group',
      "because the IOMMU is disabled: the kernel's command line has intel_iommu=off",
    ],
    severity: 'fatal',
  },
  {
    name: 'the virtual IOMMU is wider than that of the host',
    given: {
      'vm.sh':
        'qemu-system-x86_64 -name lab -enable-kvm -M pc-q35-7.2 -m 4G -cpu host -device intel-iommu,aw-bits=48 -device vfio-pci,host=0b:00.0\n',
      'dmesg.txt': DMAR(39),
      'regions.txt': regions({ 15: [MSI] }),
      'groups.txt': groups({ 15: ['0000:0b:00.0'] }),
    },
    says: ['The virtual IOMMU of lab has 48 address bits', 'has 39', '0x7fffffffff'],
    severity: 'warning',
  },
  {
    name: 'the guest has more address bits than the IOMMU: its BARs may be out of reach',
    given: {
      'vm.sh':
        'qemu-system-x86_64 -name lab -enable-kvm -M pc-q35-7.2 -m 4G -cpu host,phys-bits=46 -device vfio-pci,host=0b:00.0\n',
      'dmesg.txt': DMAR(39),
      'regions.txt': regions({ 15: [MSI] }),
      'groups.txt': groups({ 15: ['0000:0b:00.0'] }),
    },
    says: ['lab has 46 address bits', '39', '0x7fffffffff'],
    severity: 'note',
  },
  {
    name: 'phys-bits of QEMU below the end of the layout: the bits that it needs',
    given: {
      'vm.sh':
        'qemu-system-x86_64 -name big -enable-kvm -M pc-q35-7.2 -m 1010G -cpu EPYC,phys-bits=40 -device vfio-pci,host=0b:00.0\n',
      ...HOST(),
    },
    says: ['big: pc-q35-7.2, 1010 GiB would not start', 'needs 42 address bits', 'has 40'],
    severity: 'fatal',
  },
  {
    name: 'maxphysaddr of libvirt below the end of the layout, hole for PCI included',
    given: {
      'vm.xml': XML(600, "<cpu mode='host-passthrough'><maxphysaddr mode='emulate' bits='39'/></cpu>"),
      ...HOST(39),
    },
    says: ['would not start', 'needs 40 address bits (up to 0x9e7fffffff)', 'has 39'],
    severity: 'fatal',
  },
  {
    name: 'RAM that the IOMMU does not reach: the size that fits',
    given: { 'vm.xml': XML(600, "<cpu mode='host-passthrough'/>"), ...HOST(39) },
    says: ['vm: pc-q35-7.2, 600 GiB does not fit', 'needs 40 bits, the IOMMU has 39', 'Set RAM to 510 GiB'],
    severity: 'fatal',
  },
  {
    name: 'a memory device that the IOMMU does not reach',
    given: {
      'vm.xml': XML(
        600,
        "<maxMemory slots='8' unit='GiB'>800</maxMemory><cpu mode='host-passthrough'/>",
        "<memory model='dimm'><target><size unit='GiB'>200</size></target></memory>",
      ),
      ...HOST(39),
    },
    says: ['0x6480000000-0x967fffffff', '"dimm 0"', 'the IOMMU has 39'],
    severity: 'fatal',
  },
  {
    name: 'a virtual IOMMU that QEMU 9.1 refuses',
    given: {
      'vm.log': `${HEAD().replace('7.2.9', '9.1.2')}${COMMAND(`${VFIO('0000:0b:00.0')} \\\n-device '{"driver":"intel-iommu","id":"iommu0","aw-bits":48}'`, 'lab')}`,
      ...HOST(39),
    },
    says: ['The virtual IOMMU of lab has 48 address bits', 'has 39', 'QEMU refuses the device'],
    severity: 'fatal',
  },
  {
    name: "hugepages of libvirt's XML that are not there",
    given: {
      'vm.xml': XML(16, '<memoryBacking><hugepages/></memoryBacking>'),
      'error.txt': ERROR('0000:0b:00.0', MAP('pc.ram', '0x100000000', '0x380000000', 14, 'Bad address')),
    },
    says: ['of vm', 'EFAULT', 'hugepages', '8192 free pages of 2 MiB'],
    severity: 'fatal',
  },
  {
    name: 'a hard limit of libvirt below the RAM',
    given: {
      'vm.xml': XML(16, "<memtune><hard_limit unit='GiB'>12</hard_limit></memtune>"),
      'error.txt': ERROR('0000:0b:00.0', MAP('pc.ram', '0x100000000', '0x380000000', 12, 'Cannot allocate memory')),
    },
    says: ['only 12884901888 bytes (12 GiB)', 'vm needs 16 GiB of RAM', 'Set the limit of locked memory to 17 GiB'],
    severity: 'fatal',
  },
  {
    name: 'three devices of one address space: the RAM is locked once',
    given: {
      'vm.sh':
        'qemu-system-x86_64 -name lab -enable-kvm -M pc-q35-9.1 -m 16G -cpu host -object iommufd,id=f -device vfio-pci,host=0b:00.0,iommufd=f -device vfio-pci,host=0c:00.0,iommufd=f -device vfio-pci,host=0d:00.0,iommufd=f\n',
      'error.txt': ERROR('0000:0b:00.0', MAP('pc.ram', '0x100000000', '0x380000000', 12, 'Cannot allocate memory')),
    },
    says: ['lab needs 16 GiB of RAM', 'once for its 3 devices', 'to 17 GiB'],
    severity: 'fatal',
  },
  {
    name: "the same in Proxmox: the fix is in its user's terms",
    given: {
      'vm.conf':
        'name: pvm\nmachine: q35\nmemory: 16384\ncpu: host\nscsihw: virtio-scsi-pci\nhostpci0: 0000:0b:00.0\nostype: l26\n',
      'error.txt': `kvm: -device vfio-pci,host=0000:0b:00.0,id=hostpci0: vfio 0000:0b:00.0: failed to setup container for group 15: ${MAP('pc.ram', '0x100000000', '0x380000000', 12, 'Cannot allocate memory')}\n`,
    },
    says: ['of pvm', 'pvm needs 16 GiB of RAM', 'ENOMEM'],
    saysNot: ['memtune'],
    severity: 'fatal',
  },
  {
    name: 'the same width in guest and IOMMU: nothing to say',
    given: {
      'vm.xml': XML(16, "<cpu mode='host-passthrough'><maxphysaddr mode='passthrough' limit='39'/></cpu>"),
      ...HOST(39),
    },
    says: ['vm: pc-q35-7.2, 16 GiB fits on group 15'],
    severity: 'clean',
  },
];

describe('the answer to a case with a guest', () => {
  test.each(CASES.map((one) => [one.name, one] as const))('%s', (_name, one) => expectAnswer(one));
});

describe('fixes are in the form of the definition', () => {
  const HOST = {
    'r.txt': regions({ 7: ['0x7c000000 0x7fffffff reserved', MSI] }),
    'g.txt': groups({ 7: ['0000:03:00.0'] }),
  };

  test.each([
    [
      'QEMU',
      'qemu-system-x86_64 -M pc-q35-7.2 -m 8G -enable-kvm -cpu host -device vfio-pci,host=03:00.0',
      ['qemu -machine max-ram-below-4g=1G', 'qemu -m 1984M'],
    ],
    [
      'libvirt',
      "<domain type='kvm'><name>v</name><memory unit='GiB'>8</memory><os><type arch='x86_64' machine='pc-q35-7.2'>hvm</type></os></domain>",
      [
        "libvirt <qemu:commandline xmlns:qemu='http://libvirt.org/schemas/domain/qemu/1.0'>\n  <qemu:arg value='-machine'/>\n  <qemu:arg value='max-ram-below-4g=1G'/>\n</qemu:commandline>",
        "libvirt <memory unit='MiB'>1984</memory>\n<currentMemory unit='MiB'>1984</currentMemory>",
      ],
    ],
    [
      'Proxmox',
      'memory: 8192\nmachine: pc-q35-7.2\nscsihw: virtio-scsi-pci\nostype: l26\n',
      ['proxmox args: -machine max-ram-below-4g=1G', 'proxmox memory: 1984'],
    ],
    [
      'KubeVirt',
      'apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata:\n  name: v\nspec:\n  template:\n    spec:\n      domain:\n        machine:\n          type: pc-q35-rhel9.2.0\n        memory:\n          guest: 8Gi\n',
      ['kubevirt memory:\n  guest: 1984Mi'],
    ],
  ])('%s', async (_form, definition, expected) => {
    const inputs = Object.entries({ 'guest.txt': definition, ...HOST }).map(([name, data]) => ({ name, data }));
    const { conflicts } = await check(await readDumps(inputs));
    const fixes = conflicts.find(({ rule }) => rule === 'guest-over-reserved')?.fixes ?? [];
    expect(fixes.map(({ form, text }) => `${form} ${text}`)).toEqual(expected);
  });
});
