import { describe, expect, it } from 'vitest';
import { HARDWARE_STRUCTURES } from './hardware-info.ts';
import { findNode, type UapiNode } from './node.ts';
import { pack } from './testing/bytes.ts';
import { addressWidthOf } from './vtd-capability.ts';

function structureOf(name: string) {
  const found = HARDWARE_STRUCTURES.find((structure) => structure.name === name);
  if (!found) throw new Error(`no structure ${name}`);
  return found;
}

const VTD = structureOf('iommu_hw_info_vtd');
const SMMU = structureOf('iommu_hw_info_arm_smmuv3');

const vtd = (registers: { cap?: bigint; ecap?: bigint }) =>
  VTD.decode(
    pack([
      [8, 0],
      [8, registers.cap ?? 0n],
      [8, registers.ecap ?? 0n],
    ]),
    'little',
  );

const SMMU_FIELDS = ['idr[0]', 'idr[1]', 'idr[2]', 'idr[3]', 'idr[4]', 'idr[5]', 'iidr', 'aidr'];

const smmu = (registers: Readonly<Record<string, bigint>>) =>
  SMMU.decode(pack([[8, 0], ...SMMU_FIELDS.map((name) => [4, registers[name] ?? 0n] as const)]), 'little');

const meaning = (root: UapiNode, register: string, field: string) => findNode(root, register, field)?.meaning;

/** Address width of 39 bits, three and four levels. */
const PLAUSIBLE_CAP = (38n << 16n) | (6n << 8n);

describe('registers of Intel VT-d', () => {
  it.each<[string, number, bigint, string]>([
    ['ND', 0, 0n, '16 domains'],
    ['ND', 0, 6n, '65536 domains'],
    ['SAGAW', 8, 0n, 'none'],
    ['SAGAW', 8, 1n, 'none'],
    ['SAGAW', 8, 2n, '39 bits'],
    ['SAGAW', 8, 4n, '48 bits'],
    ['SAGAW', 8, 8n, '57 bits'],
    ['MGAW', 16, 38n, '39 bits, up to 0x7fffffffff'],
    ['MGAW', 16, 63n, '64 bits, up to 0xffffffffffffffff'],
    ['FRO', 24, 0x40n, '0x400'],
    ['SLLPS', 34, 0n, 'no large pages'],
    ['SLLPS', 34, 1n, '2 MiB pages'],
    ['SLLPS', 34, 2n, '1 GiB pages'],
    ['NFR', 40, 7n, '8'],
    ['MAMV', 48, 9n, '2^9'],
  ])('CAP.%s, from bit %i: %i', (field, low, value, text) => {
    expect(meaning(vtd({ cap: value << BigInt(low) }), 'cap_reg', field)).toContain(text);
  });

  it.each<[string, number, bigint, string]>([
    ['IRO', 8, 0x50n, '0x500'],
    ['MHMV', 20, 15n, '2^15'],
    ['PSS', 35, 19n, '20 bits'],
  ])('ECAP.%s, from bit %i: %i', (field, low, value, text) => {
    expect(meaning(vtd({ ecap: value << BigInt(low) }), 'ecap_reg', field)).toContain(text);
  });

  it('names only levels and page sizes that are there', () => {
    expect(meaning(vtd({ cap: 2n << 8n }), 'cap_reg', 'SAGAW')).not.toMatch(/48|57/);
    expect(meaning(vtd({ cap: 1n << 34n }), 'cap_reg', 'SLLPS')).not.toMatch('1 GiB');
    expect(meaning(vtd({ cap: 2n << 34n }), 'cap_reg', 'SLLPS')).not.toMatch('2 MiB');
  });

  it('is recognized by an address width of at least 32 bits and a number of levels that exists', () => {
    const fits = (cap: bigint) => VTD.fits(vtd({ cap }));
    expect(fits(PLAUSIBLE_CAP)).toBe(true);
    expect(fits((31n << 16n) | (2n << 8n))).toBe(true);
    expect(fits((30n << 16n) | (2n << 8n))).toBe(false);
    expect(fits((38n << 16n) | (8n << 8n))).toBe(true);
    expect(fits(38n << 16n)).toBe(false);
    expect(fits((38n << 16n) | (1n << 8n))).toBe(false);
    expect(fits((38n << 16n) | (16n << 8n))).toBe(false);
  });

  it('stores the width minus one', () => {
    expect([0n, 38n << 16n, 63n << 16n, ~0n & 0xffff_ffff_ffff_ffffn].map(addressWidthOf)).toEqual([1, 39, 64, 64]);
  });
});

describe('registers of Arm SMMUv3', () => {
  it.each<[string, string, number, bigint, string | undefined]>([
    ['idr[0]', 'TTF', 2, 0n, 'none'],
    ['idr[0]', 'TTF', 2, 1n, 'AArch32'],
    ['idr[0]', 'TTF', 2, 2n, 'AArch64'],
    ['idr[0]', 'TTF', 2, 3n, 'AArch32 and AArch64'],
    ['idr[0]', 'HTTU', 6, 0n, 'none'],
    ['idr[0]', 'HTTU', 6, 1n, 'accessed'],
    ['idr[0]', 'HTTU', 6, 2n, 'dirty'],
    ['idr[0]', 'HTTU', 6, 3n, undefined],
    ['idr[0]', 'STALL_MODEL', 24, 1n, 'abort'],
    ['idr[0]', 'STALL_MODEL', 24, 2n, 'stall'],
    ['idr[0]', 'STALL_MODEL', 24, 3n, undefined],
    ['idr[0]', 'ST_LEVEL', 27, 0n, 'one level'],
    ['idr[0]', 'ST_LEVEL', 27, 1n, 'two levels'],
    ['idr[0]', 'ST_LEVEL', 27, 2n, undefined],
    ['idr[1]', 'SIDSIZE', 0, 16n, '16 bits'],
    ['idr[1]', 'SSIDSIZE', 6, 0n, 'no PASIDs'],
    ['idr[1]', 'SSIDSIZE', 6, 20n, '20 bits'],
    ['idr[1]', 'PRIQS', 11, 5n, '2^5'],
    ['idr[1]', 'EVENTQS', 16, 6n, '2^6'],
    ['idr[1]', 'CMDQS', 21, 7n, '2^7'],
    ['idr[3]', 'BBML', 11, 2n, '2'],
    ['idr[5]', 'OAS', 0, 0n, '32 bits, up to 0xffffffff'],
    ['idr[5]', 'OAS', 0, 1n, '36 bits'],
    ['idr[5]', 'OAS', 0, 2n, '40 bits'],
    ['idr[5]', 'OAS', 0, 3n, '42 bits'],
    ['idr[5]', 'OAS', 0, 4n, '44 bits'],
    ['idr[5]', 'OAS', 0, 5n, '48 bits, up to 0xffffffffffff'],
    ['idr[5]', 'OAS', 0, 6n, '52 bits'],
    ['idr[5]', 'OAS', 0, 7n, '56 bits'],
    ['idr[5]', 'VAX', 10, 0n, '48 bits'],
    ['idr[5]', 'VAX', 10, 1n, '52 bits'],
    ['idr[5]', 'VAX', 10, 2n, undefined],
    ['idr[5]', 'STALL_MAX', 16, 64n, '64'],
    ['iidr', 'Implementer', 0, 0x43bn, 'Arm'],
    ['iidr', 'Implementer', 0, 0x43cn, '0x43c'],
  ])('%s.%s, from bit %i: %i', (register, field, low, value, text) => {
    const found = meaning(smmu({ [register]: value << BigInt(low) }), register, field);
    if (text === undefined) expect(found).toBeUndefined();
    else expect(found).toContain(text);
  });

  it('has its version in the lowest four bits', () => {
    expect(findNode(smmu({ aidr: 0x13n }), 'aidr')?.meaning).toContain('v3.3');
  });

  it('is recognized by a stage, a page size, and a version of one byte', () => {
    const fits = (registers: Readonly<Record<string, bigint>>) =>
      SMMU.fits(smmu({ 'idr[0]': 1n, 'idr[5]': 0x10n, ...registers }));
    expect(fits({})).toBe(true);
    expect(fits({ 'idr[0]': 2n })).toBe(true);
    expect(fits({ 'idr[0]': 4n })).toBe(false);
    expect(fits({ 'idr[5]': 0x20n })).toBe(true);
    expect(fits({ 'idr[5]': 0x40n })).toBe(true);
    expect(fits({ 'idr[5]': 0x8fn })).toBe(false);
    expect(fits({ aidr: 0xffn })).toBe(true);
    expect(fits({ aidr: 0x100n })).toBe(false);
  });
});

it.each(HARDWARE_STRUCTURES.map((structure) => [structure.name, structure] as const))(
  '%s: a single bit has a meaning when it is set, and only then',
  (_name, structure) => {
    // Flags and reserved bytes stay 0; AMD has none.
    const isAmd = structure.name === 'iommu_hw_info_amd';
    const header = isAmd ? 0 : 8;
    const bytes = new Uint8Array(isAmd ? 16 : structure === VTD ? 24 : 40);
    const bits = (fill: number) =>
      structure
        .decode(bytes.fill(fill, header), 'little')
        .children.flatMap(({ children }) => children)
        .filter(({ offset, bits }) => offset >= header && bits !== undefined && bits.high === bits.low);
    expect(bits(0xff).length).toBeGreaterThan(10);
    for (const node of bits(0xff))
      expect([node.name, node.raw, node.meaning]).toEqual([node.name, 1n, expect.stringMatching(/./)]);
    for (const node of bits(0)) expect([node.name, node.raw, node.meaning]).toEqual([node.name, 0n, undefined]);
  },
);
