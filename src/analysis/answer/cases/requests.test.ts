// Failing requests of VMMs and libraries: what blocks them is in the first sentences.
import { describe, test } from 'vitest';
import { type Case, expectAnswer, groups, regions } from '../testing/case.ts';

const MSI = '0xfee00000 0xfeefffff msi';
const HT = '0xfd00000000 0xffffffffff reserved';
const HOST = {
  'regions.txt': regions({ 11: [MSI], 12: [MSI], 17: [MSI] }),
  'groups.txt': groups({ 11: ['0000:00:02.0'], 12: ['0000:2a:00.0', '0000:2a:00.1'], 17: ['0000:61:00.0'] }),
};
const VIRT = (group = 12, device = '0000:2a:00.0') =>
  `qemu-system-aarch64: -device vfio-pci,host=${device}: vfio ${device}: failed to setup container for group ${group}: memory listener initialization failed: Region mach-virt.ram: vfio_dma_map(0x55d0a1b2c3d0, 0x40000000, 0xe0000000, 0x7f1200000000) = -22 (Invalid argument)`;
const call = (name: string, iova: string, size: string, errno: number, words: string) =>
  `qemu-system-x86_64: ${name}(0x5581a0b0c0d0, ${iova}, ${size}, 0x7f3300000000) = -${errno} (${words})`;

const CASES: readonly Case[] = [
  {
    name: 'RAM over the MSI window where the log names an RMRR: firmware does not list what the kernel reserves',
    given: {
      'dmesg.txt': [
        '[    0.000000] Linux version 6.1.0-13-amd64 (x@y) #1 SMP',
        '[    0.008] DMAR: RMRR base: 0x0000007b800000 end: 0x0000007fffffff',
        '[    0.010] DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap 1c0000c40660462 ecap 19e2ff0505e',
      ].join('\n'),
      'qemu.log': call('vfio_dma_map', '0xe0000000', '0x40000000', 22, 'Invalid argument'),
    },
    says: ['0xe0000000-0x11fffffff', 'EINVAL', 'overlaps 0xfee00000-0xfeefffff', 'not in these dumps'],
    saysNot: ['nothing in these dumps shows'],
    severity: 'fatal',
  },
  {
    name: 'a refused map that nothing explains, with regions of the firmware only',
    given: {
      'dmesg.txt': [
        '[    0.008] DMAR: RMRR base: 0x0000007b800000 end: 0x0000007fffffff',
        '[    0.010] DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap 1c0000c40660462 ecap 19e2ff0505e',
      ].join('\n'),
      'qemu.log': call('vfio_dma_map', '0x100000000', '0x40000000', 22, 'Invalid argument'),
    },
    says: ['nothing in these dumps shows', 'no reserved regions but those of the firmware'],
    severity: 'fatal',
  },
  {
    name: 'a request that the kernel refused for its alignment, without the call',
    given: '[   12.345] iommu: unaligned: iova 0x1fee01800 pa 0x0000000012345800 size 0x1000 min_pagesz 0x1000',
    says: ['0x1fee01800', 'not aligned to the smallest page size, 0x1000', 'multiples'],
    severity: 'warning',
  },
  {
    name: 'virt RAM over the x86 MSI window, only the error: the platform is assumed and said',
    given: VIRT(),
    says: [
      '0x40000000-0x11fffffff',
      'mach-virt.ram',
      'EINVAL',
      '0xfee00000-0xfeefffff',
      'not in these dumps',
      '3054 MiB',
    ],
    severity: 'fatal',
  },
  {
    name: 'the same with the host: its group and its window are named',
    given: { 'error.txt': VIRT(), ...HOST },
    says: [
      'for 0000:2a:00.0 (group 12)',
      'covers 0xfee00000-0xfeefffff, the MSI window of group 12',
      'Set RAM to 3054 MiB',
    ],
    saysNot: ['not in these dumps', 'group 11'],
    severity: 'fatal',
  },
  {
    name: 'the same where the dump of the host lists no devices: the group that the error names counts',
    given: { 'error.txt': VIRT(), 'regions.txt': HOST['regions.txt'] },
    says: ['for 0000:2a:00.0 (group 12)', 'the MSI window of group 12.'],
    saysNot: ['group 11'],
    severity: 'fatal',
  },
  {
    name: 'RAM over a region that keeps the device from being assigned at all: less RAM does not help',
    given: {
      'error.txt': VIRT(5, '0000:00:05.0'),
      'host.txt': `[    0.000000] Linux version 6.12.7-amd64\n${regions({ 5: ['0x7b000000 0x7b7fffff direct', MSI] })}`,
      'groups.txt': groups({ 5: ['0000:00:05.0'] }),
    },
    says: ['covers 0x7b000000-0x7b7fffff', 'Assign another device; no RAM size changes that'],
    saysNot: ['Set RAM', 'at most'],
    severity: 'fatal',
  },
  {
    name: 'a group that the dump of the host does not have',
    given: { 'error.txt': VIRT(44), 'regions.txt': HOST['regions.txt'] },
    says: ['The error names group 44, which the dump', 'it has groups 11 to 12, 17'],
    severity: 'fatal',
  },
  {
    name: 'a request that a second message names: RAM, as its shape tells too',
    given: [
      call('vfio_container_dma_map', '0x240000000', '0x400000000', 14, 'Bad address'),
      `qemu-system-x86_64: memory listener initialization failed: Region mem3: ${call('vfio_container_dma_map', '0x240000000', '0x400000000', 14, 'Bad address').slice(20)}`,
    ].join('\n'),
    says: ['guest RAM "mem3", 16 GiB', 'EFAULT', 'the memory backend of "mem3"'],
    saysNot: ['device memory', 'more request'],
    severity: 'fatal',
  },
  {
    name: 'the same in the other order of files',
    given: { ...HOST, 'zz-error.txt': VIRT() },
    says: [/^Map of 0x40000000-0x11fffffff/, 'the MSI window of group 12'],
    severity: 'fatal',
  },
  {
    name: 'an error that names a device that the dump does not have',
    given: { 'error.txt': VIRT(28, '0000:9b:00.0'), ...HOST },
    says: [/^Map of 0x40000000/, 'MSI window', /names 0000:9b:00\.0 and group 28, which the dump of .* does not have/],
    severity: 'fatal',
  },
  {
    name: 'pc RAM that crosses the HyperTransport range, with the regions',
    given: {
      'e.txt':
        'qemu-kvm: -device vfio-pci,host=0000:c1:00.0: vfio 0000:c1:00.0: failed to setup container for group 40: memory listener initialization failed: Region pc.ram: vfio_dma_map(0x55f0, 0x100000000, 0x11f80000000, 0x7e0000000000) = -22 (Invalid argument)',
      'r.txt': regions({ 40: [MSI, HT] }),
      'g.txt': groups({ 40: ['0000:c1:00.0'] }),
    },
    says: ['EINVAL', '0xfd00000000-0xffffffffff', 'HyperTransport', 'group 40', 'Move RAM above 1 TiB'],
    severity: 'fatal',
  },
  {
    name: 'the same without the regions: the fix is the version of the machine, not less RAM',
    given:
      'qemu-kvm: -device vfio-pci,host=0000:c1:00.0: vfio 0000:c1:00.0: failed to setup container for group 40: memory listener initialization failed: Region pc.ram: vfio_dma_map(0x55f0, 0x100000000, 0x11f80000000, 0x7e0000000000) = -22 (Invalid argument)',
    says: ['HyperTransport', 'Move RAM above 1 TiB: QEMU 7.1 and newer'],
    saysNot: ['Map at most'],
    severity: 'fatal',
  },
  {
    name: 'RAM over the region of an ISA bridge: the history of the region, not a firmware setting',
    given: {
      'e.txt':
        'qemu-system-x86_64: -device vfio-pci,host=0000:00:1f.3: VFIO_MAP_DMA: -22\nqemu-system-x86_64: -device vfio-pci,host=0000:00:1f.3: vfio_dma_map(0x55d0, 0xc0000, 0x5ff40000, 0x7f0000000000) = -22 (Invalid argument)',
      'r.txt': regions({ 14: ['0x0 0xffffff direct', MSI] }),
      'g.txt': groups({ 14: ['0000:00:1f.0', '0000:00:1f.3'] }),
    },
    says: ['0xc0000-0x5fffffff', 'EINVAL', '0x0-0xffffff', 'ISA bridge 0000:00:1f.0', '5.4.7', 'relaxable'],
    saysNot: ['legacy USB'],
    severity: 'fatal',
  },
  {
    name: 'the same without the regions: the ISA bridge is a possibility',
    given: call('vfio_dma_map', '0xc0000', '0x5ff40000', 22, 'Invalid argument'),
    says: ['0x0-0xffffff', 'ISA bridge', '5.3 to 5.4.6'],
    severity: 'fatal',
  },
  {
    name: 'a kernel that does not reserve the region: the ISA bridge is no possibility',
    given: {
      'dmesg.txt': '[    0.0] Linux version 6.1.0-18-amd64 (debian-kernel@example.org) (gcc-12)\n',
      'e.txt': call('vfio_dma_map', '0xc0000', '0x5ff40000', 22, 'Invalid argument'),
    },
    says: ['0xc0000-0x5fffffff', 'EINVAL'],
    saysNot: ['ISA bridge'],
    severity: 'fatal',
  },
  {
    name: 'a BAR beyond 39 bits, the width known from the log',
    given: {
      'e.txt': call('vfio_container_dma_map', '0x382000000000', '0x2000000', 22, 'Invalid argument'),
      'dmesg.txt':
        '[    0.2] DMAR: Host address width 39\n[    0.2] DMAR: dmar0: reg_base_addr fed91000 ver 1:0 cap d2008c40660462 ecap f050da\n',
    },
    says: [
      '0x382000000000-0x382001ffffff',
      'device memory',
      'needs 46 bits, the IOMMU has 39',
      '0x7fffffffff',
      'peer-to-peer',
      /host-phys-bits|address bits/,
    ],
    severity: 'note',
  },
  {
    name: 'a BAR beyond a width that is not known',
    given: call('vfio_container_dma_map', '0x382000000000', '0x2000000', 22, 'Invalid argument'),
    says: ['needs 46 address bits', '36, 39 or 40', 'do not show'],
    severity: 'note',
  },
  {
    name: 'iommufd and a BAR: EFAULT is normal, with its condition',
    given: `qemu-system-x86_64: warning: IOMMU_IOAS_MAP failed: Bad address, PCI BAR?\n${call('vfio_container_dma_map', '0x7040000000', '0x8000', 14, 'Bad address')}`,
    says: ['0x7040000000-0x7040007fff', 'EFAULT', 'cannot pin device memory', 'peer-to-peer DMA'],
    severity: 'note',
  },
  {
    name: 'a BAR that old QEMU does not survive',
    given: `qemu-system-x86_64: VFIO_MAP_DMA: -14\n${call('vfio_dma_map', '0xfea40000', '0x4000', 14, 'Bad address')}\nqemu: hardware error: vfio: DMA mapping failed, unable to continue`,
    says: [/^Map of 0xfea40000-0xfea43fff/, 'EFAULT', 'QEMU stopped', 'newer versions only warn'],
    severity: 'fatal',
  },
  {
    name: 'RAM below 1 MiB that cannot be pinned',
    given: `${call('vfio_dma_map', '0xc0000', '0xd000', 14, 'Bad address')}\nqemu: hardware error: vfio: DMA mapping failed, unable to continue`,
    says: [/^Map of 0xc0000-0xccfff \(guest RAM/, 'EFAULT', 'memory backend', 'not an address problem', 'post-copy'],
    severity: 'fatal',
  },
  {
    name: 'a DIMM that cannot be pinned',
    given:
      'qemu-kvm: -device vfio-pci,host=0000:17:00.0: vfio 0000:17:00.0: failed to setup container for group 21: memory listener initialization failed: Region dimm3: vfio_dma_map(0x5570, 0x100000000, 0xb80000000, 0x7e8000000000) = -14 (Bad address)',
    says: [
      'guest RAM "dimm3", 46 GiB',
      '0x100000000-0xc7fffffff',
      'EFAULT',
      'backend of "dimm3"',
      'not an address problem',
    ],
    severity: 'fatal',
  },
  {
    name: 'the locked-memory limit, with the line of the kernel',
    given: `${call('vfio_dma_map', '0x100000', '0x7ff00000', 12, 'Cannot allocate memory')}\n[ 512.3] vfio_pin_pages_remote: RLIMIT_MEMLOCK (8388608) exceeded`,
    says: [
      /^Map of 0x100000-0x7fffffff/,
      'ENOMEM',
      'only 8388608 bytes (8 MiB)',
      'not an address problem',
      'RLIMIT_MEMLOCK',
    ],
    severity: 'fatal',
  },
  {
    name: 'ENOMEM of a named backend, without the line of the kernel',
    given:
      'qemu-system-x86_64: -device vfio-pci,host=5e:00.0: vfio 0000:5e:00.0: failed to setup container for group 70: memory listener initialization failed: Region ram-node0: vfio_dma_map(0x55, 0x0, 0xc0000000, 0x7f) = -12 (Cannot allocate memory)',
    says: ['guest RAM "ram-node0"', 'ENOMEM', 'locked-memory limit', 'huge pages'],
    severity: 'fatal',
  },
  {
    name: 'the limit of mappings of a container',
    given: call('vfio_dma_map', '0x280000000', '0x200000', 28, 'No space left on device'),
    says: ['ENOSPC', '65535 mappings', /huge pages|larger mappings/],
    severity: 'fatal',
  },
  {
    name: 'a mapping that a failed larger unmap left behind: three lines of one paste',
    given: [
      'iommufd_backend_map_dma  iommufd=12 ioas=3 iova=0xffffe000 size=0x2000 addr=0x7f8a00000000 readonly=1 (0)',
      'qemu-system-x86_64: IOMMU_IOAS_UNMAP failed: No such file or directory',
      'qemu-system-x86_64: vfio_container_dma_unmap(0x55c0, 0xfe000000, 0x2000000) = -2 (No such file or directory)',
      'qemu-system-x86_64: IOMMU_IOAS_MAP failed: Address already in use',
      'qemu-system-x86_64: vfio_container_dma_map(0x55c0, 0xfff80000, 0x80000, 0x7f8a10000000) = -98 (Address already in use)',
    ].join('\n'),
    says: [
      /^Map of 0xfff80000-0xffffffff/,
      'EADDRINUSE',
      '0xffffe000-0xffffffff is still mapped',
      'larger unmap of 0xfe000000 + 32 MiB failed (ENOENT)',
    ],
    severity: 'fatal',
  },
  {
    name: 'the same without the line that made the mapping',
    given: [
      'qemu-system-x86_64: vfio_container_dma_unmap(0x55c0, 0xfe000000, 0x2000000) = -2 (No such file or directory)',
      'qemu-system-x86_64: vfio_container_dma_map(0x55c0, 0xfff80000, 0x80000, 0x7f8a10000000) = -17 (File exists)',
    ].join('\n'),
    says: [/^Map of 0xfff80000-0xffffffff/, 'EEXIST', 'still mapped', 'unmap of 0xfe000000 + 32 MiB failed'],
    severity: 'fatal',
  },
  {
    name: 'a map that DPDK made before, after an unmap that removed nothing',
    given: [
      'DPDK dma_map vaddr: 0x200000400000, iova: 0x200000400000, size: 0x18000000, ret: 0',
      'DPDK dma_unmap iova: 0x20000c600000, size: 0x0, ret: 0',
      'DPDK dma_map vaddr: 0x20000c600000, iova: 0x20000c600000, size: 0x200000, ret=-1, errno was set to EEXIST',
    ].join('\n'),
    says: [
      /^Map of 0x20000c600000-0x20000c7fffff/,
      'EEXIST',
      '0x200000400000-0x2000183fffff is still mapped',
      'only whole mappings',
    ],
    severity: 'fatal',
  },
  {
    name: 'the first of two errors is the cause',
    given: {
      'e.txt': `${VIRT()}\n${call('vfio_dma_map', '0x8000000000', '0x1000', 28, 'No space left on device')}`,
      ...HOST,
    },
    says: [/^Map of 0x40000000/],
    severity: 'fatal',
  },
  {
    name: 'a map that is not aligned to the pages of the host',
    given: { 'e.txt': call('vfio_dma_map', '0x10004000', '0x10000', 22, 'Invalid argument'), ...HOST },
    options: { pageSize: 0x10000n },
    says: ['0x10004000-0x10013fff', 'address is not a multiple of the page size, 64 KiB'],
    severity: 'fatal',
  },
  {
    name: 'RAM over the MSI window of ARM',
    given: {
      'e.txt':
        'kvmtool: nothing\nqemu-system-aarch64: -device vfio-pci,host=0002:01:00.0: vfio 0002:01:00.0: failed to setup container for group 5: memory listener initialization failed: Region my.ram: vfio_dma_map(0xaaaa, 0x0, 0x20000000, 0xffff80000000) = -22 (Invalid argument)',
      'r.txt': regions({ 5: ['0x8000000 0x80fffff msi'] }),
      'g.txt': groups({ 5: ['0002:01:00.0'] }),
    },
    says: ['covers 0x8000000-0x80fffff, the MSI window of group 5', 'EINVAL', '128 MiB'],
    severity: 'fatal',
  },
  {
    name: 'a general line of DPDK comes after what failed',
    given: [
      'EAL:   cannot set up DMA remapping, error 22 (Invalid argument)',
      'EAL:   0000:3b:00.0 DMA remapping failed, error 22 (Invalid argument)',
      'EAL: Driver cannot attach the device (0000:3b:00.0)',
    ].join('\n'),
    says: [/^Memory could not be mapped for the device 0000:3b:00\.0 \(EINVAL\)/, 'width of the IOMMU'],
    severity: 'fatal',
  },
  {
    name: 'a map without its range',
    given: 'VfioMapRegion(DmaMap(IommuDmaMap(Error(17))))',
    says: ['EEXIST', 'already mapped'],
    severity: 'fatal',
  },
  {
    name: 'a VA used as IOVA of a device that needs physical ones',
    given:
      "EAL:   Expecting 'PA' IOVA mode but current mode is 'VA', not initializing\nEAL: Driver cannot attach the device (0000:5d:00.1)",
    says: [/^A driver needs IOVA mode PA; EAL uses VA/, '--iova-mode=pa'],
    severity: 'fatal',
  },
  {
    name: 'too narrow for the address, as the kernel says',
    given: '[ 77.1] intel_iommu_map: iommu width (39) is not sufficient for the mapped address (9a00002000)',
    says: ['0x9a00002000 needs 40 address bits; the IOMMU has 39'],
    severity: 'warning',
  },
  {
    name: 'the guest needs more bits than its CPU has',
    given: 'qemu-system-x86_64: Address space limit 0xffffffffff < 0x17fffffffff phys-bits too low (40)',
    says: ['0x17fffffffff', 'phys-bits 40', 'host-phys-bits=on'],
    severity: 'fatal',
  },
];

describe('failing requests', () => {
  test.each(CASES)('$name', (one) => expectAnswer(one));
});
