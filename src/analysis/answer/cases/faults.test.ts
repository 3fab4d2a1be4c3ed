// Faults: what explains the address is in the first sentences.
import { describe, test } from 'vitest';
import { type Case, expectAnswer, groups, regions } from '../testing/case.ts';

const intel = (device: string, address: string, access: 'Read' | 'Write' = 'Write', time = '12.000000', reason = 5) =>
  `[   ${time}] DMAR: [DMA ${access} NO_PASID] Request device [${device}] fault addr 0x${address} [fault reason 0x0${reason}] PTE ${access} access is not set`;
const amd = (device: string, address: string, flags = '0x0000', time = '12.000000') =>
  `[   ${time}] pci ${device}: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0011 address=0x${address} flags=${flags}]`;
const trace = (name: 'map' | 'unmap', time: string, start: string, end: string, size: number) =>
  name === 'map'
    ? `  kworker/3:1-99      [003] .....   ${time}: map: IOMMU: iova=0x${start} - 0x${end} paddr=0x00000001a2000000 size=${size}`
    : `  kworker/3:1-99      [003] .....   ${time}: unmap: IOMMU: iova=0x${start} - 0x${end} size=${size} unmapped_size=${size}`;

const CASES: readonly Case[] = [
  {
    name: 'reserved bits in an entry of the guest for its virtual IOMMU are no missing mapping',
    given:
      'qemu-system-x86_64: vtd_iova_to_slpte: detected splte reserve non-zero iova=0xfee000, level=0x1slpte=0x8000000000000)',
    says: ['0xfee000', 'invalid entry', 'addresses of the guest'],
    saysNot: ['has no mapping'],
    severity: 'warning',
  },
  {
    name: 'an address that the virtual IOMMU cannot have',
    given: [
      'qemu-system-x86_64: vtd_iova_to_slpte: detected IOVA overflow (iova=0x8000001000)',
      'qemu-system-x86_64: vtd_iommu_translate: detected translation failure (dev=00:03:00, iova=0x8000001000)',
    ].join('\n'),
    says: ['0000:00:03.0', '0x8000001000 needs 40 bits', 'aw-bits'],
    severity: 'warning',
  },
  {
    name: 'a page of a confidential guest',
    given:
      'AMD-Vi: Event logged [RMP_PAGE_FAULT device=0000:c1:00.0, vmg_tag=0x0000, gpa=0x1234000, flags_rmp=0x0, flags=0x0020]',
    says: ['0000:c1:00.0', '0x1234000', 'SEV-SNP', 'RMP'],
    saysNot: ['IVMD', 'DMA API'],
    severity: 'warning',
  },
  {
    name: 'of an IOMMU that a device tree describes there are no ACPI tables',
    given: 'rk_iommu ff650800.iommu: Page fault at 0x0000000040012000 of type write',
    says: ['0x40012000', 'iommu-addresses', 'device tree'],
    saysNot: ['RMRR', 'ACPI'],
    severity: 'warning',
  },
  {
    name: 'use after unmap, in milliseconds, with both lines',
    given: {
      'trace.txt': [
        trace('map', '101.250000', '00000000fd400000', '00000000fd420000', 131072),
        trace('unmap', '140.500000', '00000000fd400000', '00000000fd420000', 131072),
      ].join('\n'),
      'dmesg.txt': amd('0000:a1:00.0', 'fd410000', '0x0000', '140.506400'),
    },
    says: [
      '0000:a1:00.0 read 0xfd410000 6.4 ms after 0xfd400000-0xfd41ffff was unmapped: use after unmap',
      'mapped from 101.25 s to 140.5 s',
      'trace.txt:1',
      'trace.txt:2',
    ],
    severity: 'warning',
  },
  {
    name: 'use before map',
    given: {
      'trace.txt': trace('map', '50.250000', '00000000fd400000', '00000000fd420000', 131072),
      'dmesg.txt': intel('a1:00.0', 'fd400000', 'Read', '50.240000', 6),
    },
    says: ['10 ms before 0xfd400000-0xfd41ffff was mapped', 'use before map'],
    severity: 'warning',
  },
  {
    name: 'mapped at that time: permission',
    given: {
      'trace.txt': trace('map', '50.250000', '00000000fd400000', '00000000fd420000', 131072),
      'dmesg.txt': intel('a1:00.0', 'fd400000', 'Write', '51.000000'),
    },
    says: ['0xfd400000-0xfd41ffff was mapped there at that time', 'does not permit write access'],
    severity: 'warning',
  },
  {
    name: 'a requester that is the alias of another function',
    given: {
      'dmesg.txt':
        '[ 3.1] DMAR: [DMA Write NO_PASID] Request device [47:00.1] fault addr 0xfffb0000 [fault reason 0x02] Present bit in context entry is clear',
      'groups.txt': groups({ 30: ['0000:47:00.0'] }),
    },
    says: [
      /^Requester 47:00\.1 has no context entry/,
      'the device 0000:47:00.0 uses the id of another function',
      'alias quirk',
      'no mapping would help',
    ],
    severity: 'warning',
  },
  {
    name: 'a requester without a context entry that exists',
    given: {
      'dmesg.txt':
        '[ 3.1] DMAR: [DMA Write NO_PASID] Request device [47:00.0] fault addr 0xfffb0000 [fault reason 0x02] Present bit in context entry is clear',
      'groups.txt': groups({ 30: ['0000:47:00.0'] }),
    },
    says: [/^Requester 47:00\.0 has no context entry/, 'no driver has set up DMA', 'no mapping would help'],
    severity: 'warning',
  },
  {
    name: 'an address of 64 bits cut at 43',
    given: amd('0000:31:00.0', '7fffff80000'),
    says: ['0x7fffff80000', 'cut at 43 bits', '0xffffffffff', 'Limit its DMA mask to 43 bits'],
    severity: 'warning',
  },
  {
    name: 'cut at 40 bits, inside of the HyperTransport range',
    given: amd('0000:0a:00.0', 'fffff20000'),
    says: ['cut at 40 bits', '0xfd00000000-0xffffffffff', 'HyperTransport'],
    severity: 'warning',
  },
  {
    name: 'bits lost in the middle',
    given: amd('0000:31:00.0', 'ff00fffffffd2000', '0x0020'),
    says: ['0xff00fffffffd2000 is 0xfffffffffffd2000 with bits 55:48 lost'],
    severity: 'warning',
  },
  {
    name: 'truncated, as the mapping shows',
    given: {
      't.txt': trace('map', '5.250000', '0000001245600000', '0000001245620000', 131072),
      'd.txt': intel('61:00.0', '45604000', 'Read', '6.000000', 6),
    },
    says: ['0x1245604000', 'cut at 32 bits', '0x1245600000-0x124561ffff'],
    severity: 'warning',
  },
  {
    name: 'an interrupt',
    given: amd('0000:42:00.0', 'fffffffdf8050000', '0x0008'),
    says: ['was an interrupt, not a DMA access', 'interrupt remapping'],
    severity: 'warning',
  },
  {
    name: 'just under 4 GiB: the DMA API',
    given: intel('05:00.0', 'fff21000', 'Read', '9.000000', 6),
    says: ['0000:05:00.0 read 0xfff21000', 'just below 4 GiB', 'DMA API', 'unmapped too early'],
    severity: 'warning',
  },
  {
    name: 'the integrated graphics',
    given: intel('00:02.0', '3c800000', 'Read', '9.000000', 6),
    says: ['0000:00:02.0', 'integrated graphics', 'stolen memory', 'RMRR'],
    severity: 'warning',
  },
  {
    name: 'an RMRR of the device',
    given: `[    0.2] DMAR: RMRR base: 0x0000006a000000 end: 0x0000006a7fffff\n${intel('00:14.0', '6a001000')}`,
    says: ['0x6a001000', 'firmware region 0x6a000000-0x6a7fffff'],
    severity: 'warning',
  },
  {
    name: 'the graphics stolen memory',
    given: {
      'iomem.txt': '00100000-7fffffff : System RAM\n8b000000-8f7fffff : Graphics Stolen Memory\n',
      'd.txt': intel('00:02.0', '8c000000'),
    },
    says: ['graphics stolen memory 0x8b000000-0x8f7fffff'],
    severity: 'warning',
  },
  {
    name: 'a BAR of another device',
    given: {
      'lspci.txt':
        '0000:65:00.0 VGA compatible controller: Some Vendor Device 1234\n\tRegion 0: Memory at a0000000 (64-bit, prefetchable) [size=256M]\n',
      'd.txt': intel('66:00.0', 'a1000000'),
    },
    says: ['BAR 0 of 0000:65:00.0 Some Vendor Device 1234, 0xa0000000-0xafffffff', 'peer-to-peer'],
    severity: 'warning',
  },
  {
    name: 'a burst of one device: count and span',
    given: ['10.000000', '10.100000', '11.500000']
      .map((time, i) => intel('05:00.0', `fff2${i + 1}000`, 'Read', time, 6))
      .join('\n'),
    says: ['It was blocked 3 times from 0xfff21000 to 0xfff23000 within 1.5 s'],
    severity: 'warning',
  },
  {
    name: 'messages that the kernel suppressed',
    given: `${intel('05:00.0', 'fff21000', 'Read', '9.000000', 6)}\n[   14.0] dmar_fault: 2231 callbacks suppressed\n[   19.0] dmar_fault: 9 callbacks suppressed`,
    says: ['2,240 more messages were suppressed by the kernel'],
    severity: 'warning',
  },
  {
    name: 'the doorbell register without its page on ARM',
    given:
      'arm-smmu 52000000.iommu: Unhandled context fault: fsr=0x402, iova=0x00000040, fsynr=0x2f0013, cbfrsynra=0x108, cb=3',
    says: ['0x40 is the offset of an MSI doorbell register', '0x8000000-0x80fffff', 'tream id 0x108'],
    severity: 'warning',
  },
  {
    name: 'a stream id that the groups resolve',
    given: {
      'd.txt':
        'arm-smmu-v3 arm-smmu-v3.1.auto: event: F_TRANSLATION client: (unassigned sid) sid: 0x4102 ssid: 0x0 iova: 0x0 ipa: 0x0',
      'g.txt': groups({ 9: ['0000:41:00.2'] }),
    },
    says: ['tream id 0x4102', '0000:41:00.2', 'address 0'],
    severity: 'warning',
  },
  {
    name: 'an MSI doorbell that is not mapped on ARM',
    given: [
      'arm-smmu-v3 4f000000.iommu: event 0x10 received:',
      'arm-smmu-v3 4f000000.iommu:\t0x0000001800000010',
      'arm-smmu-v3 4f000000.iommu:\t0x0000008000000000',
      'arm-smmu-v3 4f000000.iommu:\t0x0000000008020040',
      'arm-smmu-v3 4f000000.iommu:\t0x0000000000000000',
    ].join('\n'),
    says: ['0x8020040', '0x8000000-0x80fffff', 'doorbell'],
    severity: 'warning',
  },
  {
    name: 'a doorbell page that the DMA API mapped',
    given: [
      'arm-smmu-v3 4f000000.iommu: event 0x10 received:',
      'arm-smmu-v3 4f000000.iommu:\t0x0000830000000010',
      'arm-smmu-v3 4f000000.iommu:\t0x0000008000000000',
      'arm-smmu-v3 4f000000.iommu:\t0x00000000ffffe040',
      'arm-smmu-v3 4f000000.iommu:\t0x0000000000000000',
    ].join('\n'),
    says: ['0xffffe040', 'MSI doorbell register', 'no longer mapped'],
    severity: 'warning',
  },
  {
    name: 'behind a bridge: its id stands for what is behind it',
    given: {
      'lspci.txt':
        '0000:03:00.0 PCI bridge: Some Vendor PCIe-PCI Bridge\n\tBus: primary=03, secondary=04, subordinate=04\n',
      'd.txt': intel('03:00.0', 'fff21000', 'Read', '9.000000', 6),
    },
    says: ['0000:03:00.0 Some Vendor PCIe-PCI Bridge (a PCI bridge: a device behind it)'],
    severity: 'warning',
  },
  {
    name: 'past the end of a mapping',
    given: {
      't.txt': trace('map', '5.250000', '00000000ff400000', '00000000ff401000', 4096),
      'd.txt': intel('61:00.0', 'ff401000', 'Read', '6.000000', 6),
    },
    says: ['the first byte after the mapping 0xff400000-0xff400fff', 'ran past the end'],
    severity: 'warning',
  },
  {
    name: 'the MSI window of the group',
    given: { 'r.txt': regions({ 3: ['0xfee00000 0xfeefffff msi'] }), 'd.txt': intel('05:00.0', 'fee00000') },
    says: ['MSI window 0xfee00000-0xfeefffff', 'interrupt'],
    severity: 'warning',
  },
  {
    name: 'beyond the aperture',
    given: `[    0.2] DMAR: Host address width 39\n[    0.2] DMAR: dmar0: reg_base_addr fed91000 ver 1:0 cap d2008c40660462 ecap f050da\n${intel('05:00.0', '9012345000')}`,
    says: ['needs 40 bits, the IOMMU has 39'],
    severity: 'warning',
  },
];

describe('faults', () => {
  test.each(CASES)('$name', (one) => expectAnswer(one));
});
