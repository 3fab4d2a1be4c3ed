import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { range } from '../iova/range.ts';
import { assertProperty, timesRuns } from '../iova/testing/arbitraries.ts';
import { decodeBuffer, UAPI_STRUCTURES } from './decode-buffer.ts';
import { type Endian, findNode, problemsOf, type UapiNode } from './node.ts';
import { fromHex, pack, patched } from './testing/bytes.ts';
import { encodeTree } from './tree.ts';
import { encodeType1Info } from './type1-info.ts';

const FIXTURES = new URL('fixtures/', import.meta.url);
const NAMES = UAPI_STRUCTURES.map(({ name }) => name);
const ENDIANS: readonly Endian[] = ['little', 'big'];

/** An answer of VFIO_IOMMU_GET_INFO with two ranges: capabilities at 0x18, 0x38 and 0x48, 120 bytes. */
function type1Info(endian: Endian = 'little'): Uint8Array {
  const encoded = encodeType1Info(
    {
      pageSizes: 0x4020_1000n,
      capabilities: [
        { kind: 'migration', flags: 0, pageSizes: 0x1000n, maxBitmapSize: 0x1000_0000n },
        { kind: 'dma-avail', avail: 65535 },
        { kind: 'iova-range', ranges: [range(0n, 0xfedf_ffffn), range(0xfef0_0000n, 0x7f_ffff_ffffn)] },
      ],
    },
    4096,
    { endian },
  );
  return encoded?.bytes ?? new Uint8Array();
}

function decodedAs(bytes: Uint8Array, struct?: string) {
  const result = decodeBuffer(bytes, struct === undefined ? {} : { struct });
  if (!result.ok) throw new Error(result.error.message);
  return result.decoded;
}

/** Problems as `code offset`. */
function faultsIn(bytes: Uint8Array, struct = 'vfio_iommu_type1_info'): string[] {
  return decodedAs(bytes, struct).problems.map(({ code, offset }) => `${code} 0x${offset.toString(16)}`);
}

const raw = (node: UapiNode, ...path: string[]) => findNode(node, ...path)?.raw;
const meaning = (node: UapiNode, ...path: string[]) => findNode(node, ...path)?.meaning;

/** One buffer of each structure. Commands of iommufd begin with their size. */
const SAMPLES: Readonly<Record<string, (endian: Endian) => Uint8Array>> = {
  vfio_iommu_type1_info: type1Info,
  iommu_device_info: (e) =>
    pack(
      [
        [4, 72],
        [4, 0xf],
        [8, 0xcafe],
        [8, 0x4020_1000],
        [4, 48],
        [4, 32],
        [2, 1],
        [2, 1],
        [4, 0],
        [4, 1],
        [4, 0],
        [8, 0x1000],
        [8, 0xffff_ffff_ffffn],
      ],
      e,
    ),
  iommu_ioas_iova_ranges: (e) =>
    pack(
      [
        [4, 32],
        [4, 1],
        [4, 2],
        [4, 0],
        [8, 0x7fff_0000_1000n],
        [8, 0x1000],
      ],
      e,
    ),
  iommu_iova_range: (e) =>
    pack(
      [
        [8, 0],
        [8, 0xfedf_ffff],
        [8, 0xfef0_0000],
        [8, 0xffff_ffff_ffff_ffffn],
      ],
      e,
    ),
  iommu_ioas_map: (e) =>
    pack(
      [
        [4, 40],
        [4, 7],
        [4, 1],
        [4, 0],
        [8, 0x7fff_0000_0000n],
        [8, 0x20_0000],
        [8, 0x1_0000_0000n],
      ],
      e,
    ),
  iommu_ioas_map_file: (e) =>
    pack(
      [
        [4, 40],
        [4, 7],
        [4, 1],
        [4, 42],
        [8, 0],
        [8, 0x20_0000],
        [8, 0x1_0000_0000n],
      ],
      e,
    ),
  iommu_hwpt_alloc: (e) =>
    pack(
      [
        [4, 48],
        [4, 0xb],
        [4, 3],
        [4, 1],
        [4, 7],
        [4, 0],
        [4, 1],
        [4, 16],
        [8, 0x7fff_0000_3000n],
        [4, 0],
        [4, 0],
      ],
      e,
    ),
  iommu_viommu_alloc: (e) =>
    pack(
      [
        [4, 40],
        [4, 0],
        [4, 1],
        [4, 3],
        [4, 7],
        [4, 9],
        [4, 0],
        [4, 0],
        [8, 0],
      ],
      e,
    ),
  'iommu_viommu_alloc_6.13': (e) =>
    pack(
      [
        [4, 24],
        [4, 0],
        [4, 1],
        [4, 3],
        [4, 7],
        [4, 9],
      ],
      e,
    ),
  iommu_vdevice_alloc: (e) =>
    pack(
      [
        [4, 24],
        [4, 9],
        [4, 3],
        [4, 11],
        [8, 0x1_0008],
      ],
      e,
    ),
  iommu_hw_info_amd: (e) =>
    pack(
      [
        [8, 0x2465_77ef_a225_4afan],
        [8, 0x808],
      ],
      e,
    ),
  iommu_ioas_copy: (e) =>
    pack(
      [
        [4, 40],
        [4, 6],
        [4, 2],
        [4, 1],
        [8, 0x1000],
        [8, 0],
        [8, 0x4000],
      ],
      e,
    ),
  iommu_ioas_unmap: (e) =>
    pack(
      [
        [4, 24],
        [4, 1],
        [8, 0],
        [8, 0xffff_ffff_ffff_ffffn],
      ],
      e,
    ),
  iommu_ioas_allow_iovas: (e) =>
    pack(
      [
        [4, 24],
        [4, 1],
        [4, 3],
        [4, 0],
        [8, 0x7fff_1234_5678n],
      ],
      e,
    ),
  iommu_ioas_alloc: (e) =>
    pack(
      [
        [4, 12],
        [4, 0],
        [4, 1],
      ],
      e,
    ),
  iommu_option: (e) =>
    pack(
      [
        [4, 24],
        [4, 1],
        [2, 0],
        [2, 0],
        [4, 7],
        [8, 0],
      ],
      e,
    ),
  iommu_hw_info: (e) =>
    pack(
      [
        [4, 40],
        [4, 0],
        [4, 3],
        [4, 24],
        [8, 0x7fff_0000_3000n],
        [4, 1],
        [4, 0],
        [8, 1],
      ],
      e,
    ),
  vfio_iommu_type1_dma_map: (e) =>
    pack(
      [
        [4, 32],
        [4, 3],
        [8, 0x7fff_1234_5000n],
        [8, 0x1000],
        [8, 0x2000],
      ],
      e,
    ),
  vfio_iommu_type1_dma_unmap: (e) =>
    pack(
      [
        [4, 24],
        [4, 0],
        [8, 0x1000],
        [8, 0x2000],
      ],
      e,
    ),
  // MGAW 38, three and four levels, 2 MiB and 1 GiB pages; PASIDs of 20 bits.
  iommu_hw_info_vtd: (e) =>
    pack(
      [
        [4, 0],
        [4, 0],
        [8, 0x00d2_008c_4026_0606n],
        [8, 0x0000_019a_00f0_505fn],
      ],
      e,
    ),
  iommu_hw_info_arm_smmuv3: (e) =>
    pack(
      [
        [4, 0],
        [4, 0],
        [4, 0x0801_140b],
        [4, 0x0273_0510],
        [4, 0],
        [4, 0x0000_0404],
        [4, 0],
        [4, 0x0000_0475],
        [4, 0x4832_243b],
        [4, 0x02],
      ],
      e,
    ),
};

describe('any bytes', () => {
  const struct = fc.constantFrom(...NAMES);
  const order = fc.constantFrom(...ENDIANS);

  function checkTree(bytes: Uint8Array, name: string, endian: Endian): void {
    const result = decodeBuffer(bytes, { struct: name, endian });
    if (!result.ok) throw new Error(result.error.message);
    const { root, problems } = result.decoded;
    expect(encodeTree(root, endian)).toEqual(bytes);
    expect(problems).toEqual(problemsOf(root));
    for (const { offset, message } of problems) {
      expect(offset).toBeLessThanOrEqual(bytes.length);
      expect(message).toMatch(/[^.]$/);
    }
  }

  it('make a tree that gives them back, read as any structure', () => {
    assertProperty(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 160 }), struct, order, (bytes, name, endian) => {
        checkTree(bytes, name, endian);
      }),
      timesRuns(10),
    );
  });

  it('make a tree that gives them back, where a chain is damaged', () => {
    const change = fc.tuple(fc.integer({ min: 0, max: 119 }), fc.integer({ min: 0, max: 255 }));
    const kinds = new Set<string>();
    assertProperty(
      fc.property(
        fc.array(change, { maxLength: 4 }),
        fc.integer({ min: 1, max: 120 }),
        struct,
        (changes, end, name) => {
          const bytes = type1Info();
          for (const [at, value] of changes) bytes[at] = value;
          checkTree(bytes.slice(0, end), name, 'little');
          const result = decodeBuffer(bytes.slice(0, end), { struct: 'vfio_iommu_type1_info', endian: 'little' });
          if (result.ok) for (const { code } of result.decoded.problems) kinds.add(code);
        },
      ),
      timesRuns(10),
    );
    expect(kinds.size).toBeGreaterThan(6);
  });

  it('are recognized or not, without an exception', () => {
    assertProperty(
      fc.property(fc.uint8Array({ maxLength: 96 }), (bytes) => {
        const result = decodeBuffer(bytes);
        if (result.ok) expect(encodeTree(result.decoded.root, result.decoded.endian)).toEqual(bytes);
        else expect(result.error.code).toBe(bytes.length === 0 ? 'empty' : 'not-recognized');
      }),
      timesRuns(10),
    );
  });
});

describe('recognition', () => {
  it('has a sample of every structure of today', () => {
    expect(NAMES.filter((name) => !SAMPLES[name])).toEqual([
      'vfio_iommu_type1_info-2017',
      'vfio_iommu_type1_info-2016',
    ]);
  });

  it.each(Object.keys(SAMPLES))('tells %s by its content, in both orders of bytes', (name) => {
    for (const endian of ENDIANS) {
      const decoded = decodedAs(SAMPLES[name]?.(endian) ?? new Uint8Array());
      expect(decoded).toMatchObject({ structure: name, endian, problems: [] });
    }
  });

  it.each(Object.keys(SAMPLES))('finds the order of bytes of %s when the structure is named', (name) => {
    for (const endian of ENDIANS) {
      const bytes = SAMPLES[name]?.(endian) ?? new Uint8Array();
      expect(decodedAs(bytes, name)).toMatchObject({ structure: name, endian, problems: [], others: [] });
    }
  });

  it('keeps a range of one address', () => {
    const one = pack([
      [8, 0x1000],
      [8, 0x1000],
    ]);
    expect(decodedAs(one, 'iommu_iova_range').ranges).toEqual([range(0x1000n, 0x1000n)]);
  });

  it('names what else the bytes may be', () => {
    const unmap = pack([
      [4, 24],
      [4, 1],
      [8, 0],
      [8, 0x1000],
    ]);
    const both = decodedAs(unmap);
    expect([both.structure, ...both.others.map(({ name }) => name)]).toEqual([
      'iommu_ioas_unmap',
      'iommu_ioas_allow_iovas',
      'vfio_iommu_type1_dma_unmap',
    ]);
  });

  it('fails for bytes that look like nothing, for names that are not known, and for nothing', () => {
    expect(decodeBuffer(new Uint8Array(64).fill(0xff))).toMatchObject({ ok: false, error: { code: 'not-recognized' } });
    expect(decodeBuffer(new Uint8Array())).toMatchObject({ ok: false, error: { code: 'empty' } });
    const unknown = decodeBuffer(type1Info(), { struct: 'iommu_frob' });
    expect(unknown).toMatchObject({ ok: false, error: { code: 'unknown-structure' } });
    for (const name of NAMES) expect(unknown.ok ? '' : unknown.error.message).toContain(name);
  });

  it.each(readdirSync(FIXTURES))('knows what a kernel filled in: %s', (name) => {
    const bytes = fromHex(readFileSync(new URL(name, FIXTURES), 'utf8'));
    const decoded = decodedAs(bytes);
    expect(decoded).toMatchObject({ structure: 'vfio_iommu_type1_info', endian: 'little', others: [] });
    expect(encodeTree(decoded.root, 'little')).toEqual(bytes);
    // Two recordings end before the last two bytes.
    const isCut = bytes.length % 8 !== 0;
    expect(decoded.problems.map(({ code }) => code)).toEqual(isCut ? ['capability-too-small'] : []);
    expect(decoded.ranges.length).toBeGreaterThan(0);
  });
});

describe('the tree of VFIO_IOMMU_GET_INFO', () => {
  it('has every field with its place and its meaning', () => {
    const { root, ranges, rangesAre, pageSizes } = decodedAs(type1Info());
    expect(root.children.map(({ name, offset, size }) => [name, offset, size])).toEqual([
      ['argsz', 0, 4],
      ['flags', 4, 4],
      ['iova_pgsizes', 8, 8],
      ['cap_offset', 16, 4],
      ['pad', 20, 4],
      ['vfio_iommu_type1_info_cap_migration', 0x18, 32],
      ['vfio_iommu_type1_info_dma_avail', 0x38, 16],
      ['vfio_iommu_type1_info_cap_iova_range', 0x48, 48],
    ]);
    expect(raw(root, 'argsz')).toBe(4096n);
    expect(meaning(root, 'iova_pgsizes')).toBe('4 KiB, 2 MiB, 1 GiB');
    expect(findNode(root, 'flags', 'VFIO_IOMMU_INFO_CAPS')).toMatchObject({ bits: { high: 1, low: 1 }, raw: 1n });
    expect(raw(root, 'vfio_iommu_type1_info_dma_avail', 'avail')).toBe(65535n);
    const second = findNode(root, 'vfio_iommu_type1_info_cap_iova_range', 'iova_ranges[1]');
    expect(second).toMatchObject({ offset: 0x68, size: 16, meaning: '0xfef0_0000 – 0x7f_ffff_ffff, ≈ 508 GiB' });
    expect(ranges).toEqual([range(0n, 0xfedf_ffffn), range(0xfef0_0000n, 0x7f_ffff_ffffn)]);
    expect([rangesAre, pageSizes]).toEqual(['valid', 0x4020_1000n]);
  });

  it('says that a buffer was too small, which is no problem', () => {
    const small = pack([
      [4, 120],
      [4, 3],
      [8, 0x1000],
      [4, 0],
      [4, 0],
    ]);
    for (const bytes of [small, small.slice(0, 16)]) {
      expect(decodedAs(bytes)).toMatchObject({ structure: 'vfio_iommu_type1_info', problems: [] });
    }
    expect(meaning(decodedAs(small).root, 'cap_offset')).toContain('120 bytes needed');
  });

  const whole = type1Info();

  it.each<[string, Uint8Array, string[]]>([
    ['nothing wrong', whole, []],
    ['a cut in the structure', whole.slice(0, 19), ['short 0x10']],
    ['a link behind the end', patched(whole, 0x10, 4, 120), ['link-outside 0x10']],
    ['a link to the last bytes', patched(whole, 0x3c, 4, 113), ['link-outside 0x3c']],
    ['a link into the structure', patched(whole, 0x10, 4, 8), ['link-outside 0x10']],
    ['a link to itself', patched(whole, 0x3c, 4, 0x38), ['link-loop 0x3c']],
    ['a link back', patched(whole, 0x4c, 4, 0x18), ['link-loop 0x4c']],
    [
      'a link to an odd place',
      patched(whole, 0x1c, 4, 0x3c),
      ['link-unaligned 0x3c', 'link-outside 0x40', 'unknown-capability 0x3c'],
    ],
    ['an unknown id', patched(whole, 0x38, 2, 0x77), ['unknown-capability 0x38']],
    ['an unknown version', patched(whole, 0x4a, 2, 2), ['unknown-version 0x4a']],
    ['more ranges than there is room for', patched(whole, 0x50, 4, 3), ['capability-too-small 0x50']],
    ['very many ranges', patched(whole, 0x50, 4, 0xffff_ffff), ['capability-too-small 0x50']],
    ['a cut in the last range', whole.slice(0, 118), ['capability-too-small 0x50']],
    ['a cut in the field of a capability', whole.slice(0, 0x2c), ['link-outside 0x1c', 'capability-too-small 0x28']],
    ['a reversed range', patched(whole, 0x60, 8, 0), []],
    ['a range that ends before it starts', patched(whole, 0x58, 8, 0xff00_0000), ['bad-value 0x60']],
    ['flags that are not defined', patched(whole, 4, 4, 0x13), ['bad-value 0x4']],
    ['a chain that no flag announces', patched(whole, 4, 4, 1), ['bad-value 0x10']],
    ['reserved words', patched(whole, 0x54, 4, 1), ['bad-value 0x54']],
    ['argsz inside the chain', patched(whole, 0, 4, 0x48), ['link-outside 0x3c']],
  ])('shows as much as holds of %s', (_name, bytes, problems) => {
    expect(faultsIn(bytes)).toEqual(problems);
    expect(decodedAs(bytes).structure).toBe(
      problems.includes('short 0x10') ? decodedAs(bytes).structure : 'vfio_iommu_type1_info',
    );
  });

  it('shows capabilities that are linked backwards', () => {
    let bytes = patched(whole, 0x10, 4, 0x48);
    bytes = patched(bytes, 0x4c, 4, 0x38);
    bytes = patched(bytes, 0x3c, 4, 0x18);
    bytes = patched(bytes, 0x1c, 4, 0);
    expect(decodedAs(bytes)).toMatchObject({ problems: [], ranges: { length: 2 } });
  });

  it('shows bytes that belong to nothing', () => {
    const { root } = decodedAs(whole, 'iommu_ioas_alloc');
    expect(root.children.at(-1)).toMatchObject({ name: 'bytes', offset: 12, size: 108 });
  });

  it('may have a buffer that goes on behind it', () => {
    const bytes = new Uint8Array(4096);
    bytes.set(whole);
    const decoded = decodedAs(bytes);
    expect(decoded).toMatchObject({
      structure: 'vfio_iommu_type1_info',
      problems: [],
      others: [],
      ranges: { length: 2 },
    });
    expect(decoded.root.children.at(-1)).toMatchObject({ name: 'bytes', offset: 120, size: 3976 });
  });
});

describe('other structures', () => {
  const of = (name: string) => decodedAs(SAMPLES[name]?.('little') ?? new Uint8Array(), name).root;

  it('iommu_device_info: page sizes, width and ranges', () => {
    const decoded = decodedAs(SAMPLES.iommu_device_info?.('little') ?? new Uint8Array());
    expect(decoded).toMatchObject({ pageSizes: 0x4020_1000n, ranges: [range(0x1000n, 0xffff_ffff_ffffn)] });
    expect(meaning(decoded.root, 'addr_width')).toBe('addresses up to 0xffffffffffff');
  });

  it('iommu_iova_range: an array that ends inside a range', () => {
    const bytes = (SAMPLES.iommu_iova_range?.('little') ?? new Uint8Array()).slice(0, 30);
    expect(faultsIn(bytes, 'iommu_iova_range')).toEqual(['short 0x10']);
    expect(decodedAs(bytes, 'iommu_iova_range').ranges).toEqual([range(0n, 0xfedf_ffffn)]);
  });

  it('commands of iommufd: sizes, flags and ranges in words', () => {
    expect(meaning(of('iommu_ioas_map'), 'iova')).toBe('0x1_0000_0000 – 0x1_001f_ffff, 2 MiB');
    expect(meaning(of('iommu_ioas_map'), 'flags', 'IOMMU_IOAS_MAP_FIXED_IOVA')).toBe('the iova is given');
    expect(meaning(of('iommu_ioas_copy'), 'flags', 'IOMMU_IOAS_MAP_FIXED_IOVA')).toBe('the kernel chooses the iova');
    expect(meaning(of('iommu_ioas_unmap'), 'length')).toBe('everything');
    expect(meaning(of('iommu_option'), 'option_id')).toBe('IOMMU_OPTION_HUGE_PAGES');
    expect(meaning(of('iommu_option'), 'op')).toBe('IOMMU_OPTION_OP_SET');
    expect(meaning(of('iommu_hw_info'), 'out_data_type')).toBe('IOMMU_HW_INFO_TYPE_INTEL_VTD');
    expect(
      faultsIn(
        pack([
          [4, 16],
          [4, 8],
          [4, 1],
        ]),
        'iommu_ioas_alloc',
      ),
    ).toEqual(['wrong-size 0x0', 'bad-value 0x4']);
    expect(
      faultsIn(
        pack([
          [4, 24],
          [4, 2],
          [2, 2],
          [2, 1],
          [4, 0],
          [8, 0],
        ]),
        'iommu_option',
      ),
    ).toEqual(['bad-value 0x4', 'bad-value 0x8', 'bad-value 0xa']);
  });

  it('newer commands of iommufd: flags, types and capabilities in words', () => {
    const file = of('iommu_ioas_map_file');
    expect(meaning(file, 'fd')).toBe('the file: a memfd');
    expect(meaning(file, 'length')).toBe('2 MiB');
    const table = of('iommu_hwpt_alloc');
    expect(meaning(table, 'data_type')).toBe('IOMMU_HWPT_DATA_VTD_S1');
    expect(raw(table, 'flags', 'IOMMU_HWPT_ALLOC_PASID')).toBe(1n);
    expect(raw(table, 'flags', 'IOMMU_HWPT_FAULT_ID_VALID')).toBe(0n);
    expect(meaning(of('iommu_viommu_alloc'), 'type')).toBe('IOMMU_VIOMMU_TYPE_ARM_SMMUV3');
    expect(raw(of('iommu_vdevice_alloc'), 'virt_id')).toBe(0x1_0008n);
    const info = decodedAs(
      pack(
        [
          [4, 40],
          [4, 1],
          [4, 3],
          [4, 16],
          [8, 0x1000],
          [4, 4],
          [1, 20],
          [1, 0],
          [2, 0],
          [8, 7],
        ],
        'little',
      ),
      'iommu_hw_info',
    );
    expect(info.problems).toEqual([]);
    expect(meaning(info.root, 'out_data_type')).toBe('IOMMU_HW_INFO_TYPE_AMD');
    expect(meaning(info.root, 'out_max_pasid_log2')).toBe('PASIDs have 20 bits');
    expect(raw(info.root, 'out_capabilities', 'IOMMU_HW_CAP_PCI_PASID_PRIV')).toBe(1n);
  });

  it('iommu_hw_info_amd: levels, PASIDs, the HyperTransport range', () => {
    const root = of('iommu_hw_info_amd');
    expect(meaning(root, 'efr', 'HATS')).toBe('6 levels of host page tables, 64 bits');
    expect(meaning(root, 'efr', 'PASmax')).toBe('PASIDs have 16 bits');
    expect(raw(root, 'efr2', 'HTRangeIgnore')).toBe(1n);
  });

  it('iommu_hw_info_vtd: width, levels, pages, PASIDs', () => {
    const root = of('iommu_hw_info_vtd');
    expect(findNode(root, 'cap_reg', 'MGAW')).toMatchObject({
      bits: { high: 21, low: 16 },
      raw: 38n,
      meaning: 'addresses have 39 bits, up to 0x7fffffffff',
    });
    expect(meaning(root, 'cap_reg', 'SAGAW')).toBe('39 bits (3 levels), 48 bits (4 levels)');
    expect(meaning(root, 'cap_reg', 'SLLPS')).toBe('2 MiB pages, 1 GiB pages');
    expect(meaning(root, 'cap_reg', 'ND')).toBe('65536 domains');
    expect(meaning(root, 'ecap_reg', 'PSS')).toBe('PASIDs have 20 bits, if supported');
    expect(meaning(root, 'ecap_reg', 'PASID')).toBe('PASIDs');
    expect(meaning(root, 'ecap_reg', 'SMTS')).toBeUndefined();
  });

  it('iommu_hw_info_arm_smmuv3: widths, PASIDs, version', () => {
    const root = of('iommu_hw_info_arm_smmuv3');
    expect(meaning(root, 'idr[5]', 'OAS')).toBe('output addresses have 48 bits, up to 0xffffffffffff');
    expect(meaning(root, 'idr[5]', 'VAX')).toBe('input addresses have 52 bits');
    expect(meaning(root, 'idr[1]', 'SSIDSIZE')).toBe('PASIDs have 20 bits');
    expect(meaning(root, 'idr[1]', 'SIDSIZE')).toBe('stream IDs have 16 bits');
    expect(meaning(root, 'idr[0]', 'TTF')).toBe('table formats: AArch64');
    expect(meaning(root, 'iidr', 'Implementer')).toBe('Arm');
    expect(meaning(root, 'aidr')).toBe('SMMUv3.2');
  });
});
