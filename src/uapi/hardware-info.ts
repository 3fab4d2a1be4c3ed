// What IOMMU_GET_HW_INFO reports about the hardware: registers of Intel VT-d and of Arm SMMUv3.
import { hex } from '../iova/format.ts';
import { plainStructure } from './iommufd-structures.ts';
import { type BitField, onlyBits, reserved, type StructLayout } from './layout.ts';
import type { UapiStructure } from './structure.ts';
import { addressWidthOf } from './vtd-capability.ts';

const bit = (name: string, at: number, meaning: string): BitField => ({ name, high: at, low: at, meaning });

/** Address widths of a bitmap of paging levels; bit 0 is reserved. Source: VT-d 4.1, section 10.4.2, SAGAW. */
function adjustedWidths(bitmap: bigint): string {
  const widths = [
    [1, '39 bits (3 levels)'],
    [2, '48 bits (4 levels)'],
    [3, '57 bits (5 levels)'],
  ] as const;
  const found = widths.filter(([at]) => ((bitmap >> BigInt(at)) & 1n) === 1n).map(([, message]) => message);
  return found.join(', ') || 'none';
}

/** Source: Linux 6.6, struct iommu_hw_info_vtd; the registers: VT-d 4.1, sections 10.4.2 and 10.4.3. */
const VTD = {
  name: 'iommu_hw_info_vtd',
  fields: [
    {
      name: 'flags',
      width: 4,
      check: onlyBits(1n),
      bits: [bit('IOMMU_HW_INFO_VTD_ERRATA_772415_SPR17', 0, 'read-only mappings must not share a nested table')],
    },
    reserved('__reserved', 4),
    {
      name: 'cap_reg',
      width: 8,
      bits: [
        { name: 'ND', high: 2, low: 0, meaning: (n) => `${1n << (4n + 2n * n)} domains` },
        bit('RWBF', 4, 'write buffers must be flushed'),
        bit('PLMR', 5, 'protected low-memory region'),
        bit('PHMR', 6, 'protected high-memory region'),
        bit('CM', 7, 'caching mode: an emulated IOMMU, new mappings must be invalidated too'),
        { name: 'SAGAW', high: 12, low: 8, meaning: adjustedWidths },
        {
          name: 'MGAW',
          high: 21,
          low: 16,
          meaning: (n) => `addresses have ${n + 1n} bits, up to ${hex((1n << (n + 1n)) - 1n)}`,
        },
        bit('ZLR', 22, 'zero-length reads are allowed on write-only pages'),
        { name: 'FRO', high: 33, low: 24, meaning: (n) => `the fault recording registers are at ${hex(n * 16n)}` },
        {
          name: 'SLLPS',
          high: 37,
          low: 34,
          meaning: (n) =>
            [n & 1n ? '2 MiB pages' : '', n & 2n ? '1 GiB pages' : ''].filter(Boolean).join(', ') || 'no large pages',
        },
        bit('PSI', 39, 'single pages can be invalidated'),
        { name: 'NFR', high: 47, low: 40, meaning: (n) => `${n + 1n} fault recording registers` },
        { name: 'MAMV', high: 53, low: 48, meaning: (n) => `at most 2^${n} pages are invalidated at once` },
        bit('DWD', 54, 'write draining'),
        bit('DRD', 55, 'read draining'),
        bit('FL1GP', 56, '1 GiB pages in the first stage'),
        bit('PI', 59, 'posted interrupts'),
        bit('FL5LP', 60, '5 levels in the first stage'),
      ],
    },
    {
      name: 'ecap_reg',
      width: 8,
      bits: [
        bit('C', 0, 'page walks of the IOMMU are coherent'),
        bit('QI', 1, 'queued invalidation'),
        bit('DT', 2, 'device TLBs'),
        bit('IR', 3, 'interrupt remapping'),
        bit('EIM', 4, 'x2APIC'),
        bit('PT', 6, 'pass-through'),
        bit('SC', 7, 'snoop control'),
        { name: 'IRO', high: 17, low: 8, meaning: (n) => `the IOTLB registers are at ${hex(n * 16n)}` },
        { name: 'MHMV', high: 23, low: 20, meaning: (n) => `at most 2^${n} interrupt entries are invalidated at once` },
        bit('MTS', 25, 'memory types'),
        bit('NEST', 26, 'nested translation'),
        bit('PRS', 29, 'page requests'),
        bit('ERS', 30, 'execute requests'),
        bit('SRS', 31, 'supervisor requests'),
        bit('NWFS', 33, 'no-write flag of device TLBs'),
        bit('EAFS', 34, 'extended accessed flags'),
        { name: 'PSS', high: 39, low: 35, meaning: (n) => `PASIDs have ${n + 1n} bits, if supported` },
        bit('PASID', 40, 'PASIDs'),
        bit('DIT', 41, 'device TLB invalidation throttling'),
        bit('PDS', 42, 'page request draining'),
        bit('SMTS', 43, 'scalable mode'),
        bit('VCS', 44, 'virtual commands'),
        bit('SSADS', 45, 'accessed and dirty flags in the second stage'),
        bit('SSTS', 46, 'second-stage tables in scalable mode'),
        bit('FSTS', 47, 'first-stage tables in scalable mode'),
        bit('SMPWCS', 48, 'page walks in scalable mode are coherent'),
        bit('RPS', 49, 'PASID for requests without one'),
      ],
    },
  ],
} satisfies StructLayout;

const OUTPUT_BITS = [32n, 36n, 40n, 42n, 44n, 48n, 52n, 56n];
const NAMES_OF_TTF = ['none', 'AArch32', 'AArch64', 'AArch32 and AArch64'];

const outputWidth = (n: bigint) => {
  const bits = OUTPUT_BITS[Number(n)] ?? 0n;
  return `output addresses have ${bits} bits, up to ${hex((1n << bits) - 1n)}`;
};

const powerOf = (what: string) => (n: bigint) => `2^${n} ${what}`;

/** Source: Linux 6.12, struct iommu_hw_info_arm_smmuv3; the registers: Arm IHI 0070, section 6.3. */
const SMMUV3 = {
  name: 'iommu_hw_info_arm_smmuv3',
  fields: [
    { name: 'flags', width: 4, check: onlyBits(0n) },
    reserved('__reserved', 4),
    {
      name: 'idr[0]',
      width: 4,
      bits: [
        bit('S2P', 0, 'stage 2'),
        bit('S1P', 1, 'stage 1'),
        { name: 'TTF', high: 3, low: 2, meaning: (n) => `table formats: ${NAMES_OF_TTF[Number(n)]}` },
        bit('COHACC', 4, 'page walks of the IOMMU are coherent'),
        bit('BTM', 5, 'broadcast TLB maintenance'),
        {
          name: 'HTTU',
          high: 7,
          low: 6,
          meaning: (n) => ['none', 'accessed flags', 'accessed and dirty flags'][Number(n)],
        },
        bit('ATS', 10, 'device TLBs'),
        bit('ASID16', 12, 'ASIDs have 16 bits'),
        bit('MSI', 13, 'the IOMMU can send its interrupts as MSIs'),
        bit('PRI', 16, 'page requests'),
        bit('VMID16', 18, 'VMIDs have 16 bits'),
        bit('CD2L', 19, 'two levels of context descriptors'),
        { name: 'STALL_MODEL', high: 25, low: 24, meaning: (n) => ['stall or abort', 'abort', 'stall'][Number(n)] },
        {
          name: 'ST_LEVEL',
          high: 28,
          low: 27,
          meaning: (n) => ['one level of stream tables', 'two levels of stream tables'][Number(n)],
        },
      ],
    },
    {
      name: 'idr[1]',
      width: 4,
      bits: [
        { name: 'SIDSIZE', high: 5, low: 0, meaning: (n) => `stream IDs have ${n} bits` },
        { name: 'SSIDSIZE', high: 10, low: 6, meaning: (n) => (n === 0n ? 'no PASIDs' : `PASIDs have ${n} bits`) },
        { name: 'PRIQS', high: 15, low: 11, meaning: powerOf('page requests in the queue') },
        { name: 'EVENTQS', high: 20, low: 16, meaning: powerOf('events in the queue') },
        { name: 'CMDQS', high: 25, low: 21, meaning: powerOf('commands in the queue') },
      ],
    },
    { name: 'idr[2]', width: 4 },
    {
      name: 'idr[3]',
      width: 4,
      bits: [
        bit('HAD', 2, 'hierarchical attributes can be disabled'),
        bit('FWB', 8, 'stage 2 can force the memory type'),
        bit('STT', 9, 'small translation tables'),
        bit('RIL', 10, 'range-based invalidation'),
        { name: 'BBML', high: 12, low: 11, meaning: (n) => `break-before-make level ${n}` },
      ],
    },
    { name: 'idr[4]', width: 4 },
    {
      name: 'idr[5]',
      width: 4,
      bits: [
        { name: 'OAS', high: 2, low: 0, meaning: outputWidth },
        bit('GRAN4K', 4, '4 KiB pages'),
        bit('GRAN16K', 5, '16 KiB pages'),
        bit('GRAN64K', 6, '64 KiB pages'),
        {
          name: 'VAX',
          high: 11,
          low: 10,
          meaning: (n) =>
            n === 0n ? 'input addresses have 48 bits' : n === 1n ? 'input addresses have 52 bits' : undefined,
        },
        { name: 'STALL_MAX', high: 31, low: 16, meaning: (n) => `at most ${n} stalled transactions` },
      ],
    },
    {
      name: 'iidr',
      width: 4,
      bits: [
        { name: 'Implementer', high: 11, low: 0, meaning: (n) => (n === 0x43bn ? 'Arm' : `JEP106 code ${hex(n)}`) },
        { name: 'Revision', high: 15, low: 12 },
        { name: 'Variant', high: 19, low: 16 },
        { name: 'ProductID', high: 31, low: 20 },
      ],
    },
    {
      name: 'aidr',
      width: 4,
      meaning: (value) => `SMMUv3.${value & 0xfn}`,
      bits: [
        { name: 'ArchMinorRev', high: 3, low: 0 },
        { name: 'ArchMajorRev', high: 7, low: 4 },
      ],
    },
  ],
} satisfies StructLayout;

/** Bits of AMD's host page tables: 9 a level above pages of 12, at most 64. */
const hostWidth = (hats: bigint) => {
  const bits = (hats + 4n) * 9n + 12n;
  return hats === 3n ? 'no translation' : `${hats + 4n} levels of host page tables, ${bits > 64n ? 64n : bits} bits`;
};

/** Source: Linux 7.0, struct iommu_hw_info_amd; the registers: AMD 48882, sections 3.4.11 and 3.4.12. */
const AMD = {
  name: 'iommu_hw_info_amd',
  fields: [
    {
      name: 'efr',
      width: 8,
      bits: [
        bit('PreFSup', 0, 'prefetching'),
        bit('PPRSup', 1, 'page requests'),
        bit('XTSup', 2, 'x2APIC'),
        bit('NXSup', 3, 'no-execute'),
        bit('GTSup', 4, 'guest translation'),
        bit('IASup', 6, 'everything can be invalidated at once'),
        bit('GASup', 7, 'guest APIC'),
        bit('HESup', 8, 'hardware errors'),
        bit('PCSup', 9, 'performance counters'),
        { name: 'HATS', high: 11, low: 10, meaning: hostWidth },
        { name: 'GATS', high: 13, low: 12, meaning: (n) => `${n + 4n} levels of guest page tables` },
        { name: 'PASmax', high: 36, low: 32, meaning: (n) => `PASIDs have ${n + 1n} bits` },
        bit('GIOSup', 48, 'I/O page tables of the guest'),
        bit('HASup', 49, 'accessed flags'),
        bit('HDSup', 52, 'dirty flags'),
        bit('SNPSup', 63, 'secure nested paging'),
      ],
    },
    {
      name: 'efr2',
      width: 8,
      bits: [
        bit('GCR3TRPMode', 3, 'guest page table roots are guest physical addresses'),
        bit('HTRangeIgnore', 11, 'the HyperTransport range below 1 TiB is not reserved'),
      ],
    },
  ],
} satisfies StructLayout;

/** True for at least 32 address bits and a defined number of paging levels. */
const hasWidth = (cap: bigint) => addressWidthOf(cap) >= 32 && ((cap >> 8n) & 0xen) !== 0n;

export const HARDWARE_STRUCTURES: readonly UapiStructure[] = [
  plainStructure(
    AMD,
    'IOMMU_GET_HW_INFO on AMD: the extended feature registers',
    // Registers with translation, and not the bounds of a range.
    (f) => f('efr') > f('efr2') && ((f('efr') >> 10n) & 3n) !== 3n && (f('efr') & 0x42n) !== 0n,
  ),
  plainStructure(VTD, 'IOMMU_GET_HW_INFO on Intel VT-d: the capability registers', (f) => hasWidth(f('cap_reg'))),
  plainStructure(
    SMMUV3,
    'IOMMU_GET_HW_INFO on Arm SMMUv3: the identification registers',
    (f) => (f('idr[0]') & 3n) !== 0n && (f('idr[5]') & 0x70n) !== 0n && f('aidr') <= 0xffn,
  ),
];
