// What makes a buffer plausible as a structure, field by field.
import { describe, expect, it } from 'vitest';
import { UAPI_STRUCTURES } from './decode-buffer.ts';
import { findNode, problemsOf } from './node.ts';
import type { Width } from './numbers.ts';
import { pack, patched } from './testing/bytes.ts';
import { encodeType1Info } from './type1-info.ts';

const ALL = 0xffff_ffff_ffff_ffffn;

function structureOf(name: string) {
  const found = UAPI_STRUCTURES.find((structure) => structure.name === name);
  if (!found) throw new Error(`no structure ${name}`);
  return found;
}

const TYPE1_INFO = 'vfio_iommu_type1_info';

/** A plausible buffer of each. */
const PLAUSIBLE: Readonly<Record<string, Uint8Array>> = {
  iommu_ioas_iova_ranges: pack([
    [4, 32],
    [4, 1],
    [4, 2],
    [4, 0],
    [8, 0x7000],
    [8, 0x1000],
  ]),
  iommu_ioas_allow_iovas: pack([
    [4, 24],
    [4, 1],
    [4, 2],
    [4, 0],
    [8, 0x7000],
  ]),
  iommu_ioas_map: pack([
    [4, 40],
    [4, 7],
    [4, 1],
    [4, 0],
    [8, 0x7000],
    [8, 0x1000],
    [8, 0x2000],
  ]),
  iommu_ioas_copy: pack([
    [4, 40],
    [4, 6],
    [4, 2],
    [4, 1],
    [8, 0x1000],
    [8, 0],
    [8, 0x4000],
  ]),
  iommu_ioas_unmap: pack([
    [4, 24],
    [4, 1],
    [8, 0x1000],
    [8, 0x2000],
  ]),
  iommu_option: pack([
    [4, 24],
    [4, 1],
    [2, 0],
    [2, 0],
    [4, 7],
    [8, 1],
  ]),
  iommu_hw_info: pack([
    [4, 40],
    [4, 0],
    [4, 3],
    [4, 24],
    [8, 0x7000],
    [4, 1],
    [4, 0],
    [8, 1],
  ]),
  vfio_iommu_type1_dma_map: pack([
    [4, 32],
    [4, 3],
    [8, 0x7000],
    [8, 0x1000],
    [8, 0x2000],
  ]),
  vfio_iommu_type1_dma_unmap: pack([
    [4, 24],
    [4, 0],
    [8, 0x1000],
    [8, 0x2000],
  ]),
  iommu_iova_range: pack([
    [8, 0],
    [8, 0xfff],
    [8, 0x2000],
    [8, ALL],
  ]),
  iommu_device_info: pack([
    [4, 32],
    [4, 6],
    [8, 1],
    [8, 0x1000],
    [4, 48],
    [4, 0],
  ]),
  [TYPE1_INFO]: encodeType1Info({ pageSizes: 0x1000n, capabilities: [] }, 4096)?.bytes ?? new Uint8Array(),
};

function fits(name: string, bytes: Uint8Array): boolean {
  const structure = structureOf(name);
  return structure.fits(structure.decode(bytes, 'little'));
}

it.each(Object.entries(PLAUSIBLE))('%s: the sample is plausible and without problems', (name, bytes) => {
  expect(problemsOf(structureOf(name).decode(bytes, 'little'))).toEqual([]);
  expect(fits(name, bytes)).toBe(true);
});

describe('a changed field', () => {
  it.each<[name: string, field: string, offset: number, width: Width, value: bigint, plausible: boolean]>([
    ['iommu_ioas_iova_ranges', 'ioas_id', 4, 4, 0n, false],
    ['iommu_ioas_iova_ranges', 'num_iovas', 8, 4, 4095n, true],
    ['iommu_ioas_iova_ranges', 'num_iovas', 8, 4, 4096n, false],
    ['iommu_ioas_iova_ranges', 'allowed_iovas', 16, 8, 0n, false],
    ['iommu_ioas_iova_ranges', 'num_iovas and allowed_iovas', 8, 8, 0n, true],
    ['iommu_ioas_allow_iovas', 'ioas_id', 4, 4, 0n, false],
    ['iommu_ioas_allow_iovas', 'num_iovas', 8, 4, 4096n, false],
    ['iommu_ioas_allow_iovas', 'allowed_iovas', 16, 8, 0n, false],
    ['iommu_ioas_map', 'flags', 4, 4, 1n, false],
    ['iommu_ioas_map', 'flags', 4, 4, 2n, true],
    ['iommu_ioas_map', 'flags', 4, 4, 4n, true],
    ['iommu_ioas_map', 'ioas_id', 8, 4, 0n, false],
    ['iommu_ioas_map', 'length', 24, 8, 0n, false],
    ['iommu_ioas_copy', 'flags', 4, 4, 1n, false],
    ['iommu_ioas_copy', 'dst_ioas_id', 8, 4, 0n, false],
    ['iommu_ioas_copy', 'src_ioas_id', 12, 4, 0n, false],
    ['iommu_ioas_copy', 'length', 16, 8, 0n, false],
    ['iommu_ioas_unmap', 'ioas_id', 4, 4, 0n, false],
    ['iommu_ioas_unmap', 'iova', 8, 8, 0x1800n, false],
    ['iommu_ioas_unmap', 'length', 16, 8, 0n, false],
    ['iommu_ioas_unmap', 'length', 16, 8, 0x800n, false],
    ['iommu_ioas_unmap', 'length', 16, 8, ALL, true],
    ['iommu_option', 'val64', 16, 8, 0n, true],
    ['iommu_option', 'val64', 16, 8, 2n, false],
    ['iommu_hw_info', 'dev_id', 8, 4, 0n, false],
    ['vfio_iommu_type1_dma_map', 'argsz', 0, 4, 40n, false],
    ['vfio_iommu_type1_dma_map', 'flags', 4, 4, 0n, false],
    ['vfio_iommu_type1_dma_map', 'size', 24, 8, 0n, false],
    ['vfio_iommu_type1_dma_map', 'size', 24, 8, 0x800n, false],
    ['vfio_iommu_type1_dma_unmap', 'argsz', 0, 4, 32n, false],
    ['vfio_iommu_type1_dma_unmap', 'size', 16, 8, 0n, true],
    ['vfio_iommu_type1_dma_unmap', 'size', 16, 8, 0x800n, false],
    ['iommu_iova_range', 'second start', 16, 8, 0x1000n, true],
    ['iommu_iova_range', 'second start', 16, 8, 0xfffn, false],
    ['iommu_device_info', 'argsz', 0, 4, 31n, false],
    ['iommu_device_info', 'flags, without the page sizes that are there', 4, 4, 4n, false],
    ['iommu_device_info', 'flags, without the width that is there', 4, 4, 2n, false],
    ['iommu_device_info', 'pgsize_bitmap', 16, 8, 0n, false],
    ['iommu_device_info', 'addr_width', 24, 4, 32n, true],
    ['iommu_device_info', 'addr_width', 24, 4, 31n, false],
    ['iommu_device_info', 'cap_offset', 28, 4, 8n, false],
    [TYPE1_INFO, 'flags, without page sizes', 4, 4, 0n, false],
    [TYPE1_INFO, 'flags', 4, 4, 0x101n, false],
    [TYPE1_INFO, 'iova_pgsizes', 8, 8, 1n << 9n, true],
    [TYPE1_INFO, 'iova_pgsizes', 8, 8, 1n << 8n, false],
    [TYPE1_INFO, 'iova_pgsizes', 8, 8, 1n << 30n, true],
    [TYPE1_INFO, 'iova_pgsizes', 8, 8, 1n << 31n, false],
    [TYPE1_INFO, 'argsz', 0, 4, 16n, true],
    [TYPE1_INFO, 'argsz', 0, 4, 15n, false],
    [TYPE1_INFO, 'argsz', 0, 4, 0xff_ffffn, true],
    [TYPE1_INFO, 'argsz', 0, 4, 0x100_0000n, false],
  ])('%s: %s at %i, %i bytes: %i', (name, _field, offset, width, value, plausible) => {
    const bytes = PLAUSIBLE[name] ?? new Uint8Array();
    expect(fits(name, patched(bytes, offset, width, value))).toBe(plausible);
  });

  it('iommu_ioas_iova_ranges: no ranges need no array', () => {
    const none = patched(PLAUSIBLE.iommu_ioas_iova_ranges ?? new Uint8Array(), 8, 4, 0n);
    expect(fits('iommu_ioas_iova_ranges', patched(none, 16, 8, 0n))).toBe(true);
  });
});

describe('bytes after the fields', () => {
  const withTail = (name: string, tail: readonly number[]) => Uint8Array.of(...(PLAUSIBLE[name] ?? []), ...tail);

  it.each(['iommu_ioas_map', 'iommu_ioas_unmap', 'vfio_iommu_type1_dma_map'])('make %s implausible', (name) => {
    expect(fits(name, withTail(name, [0, 0, 0, 0]))).toBe(false);
  });

  it('of an info are plausible if they are zeros', () => {
    expect(fits(TYPE1_INFO, withTail(TYPE1_INFO, new Array<number>(16).fill(0)))).toBe(true);
    expect(fits(TYPE1_INFO, withTail(TYPE1_INFO, [...new Array<number>(15).fill(0), 1]))).toBe(false);
    expect(fits(TYPE1_INFO, withTail(TYPE1_INFO, [1, ...new Array<number>(15).fill(0)]))).toBe(false);
  });
});

it.each(['vfio_iommu_type1_info-2017', 'vfio_iommu_type1_info-2016'])('%s needs a capability', (name) => {
  const bytes = PLAUSIBLE[TYPE1_INFO] ?? new Uint8Array();
  expect(fits(name, bytes)).toBe(false);
});

describe('an array of ranges', () => {
  it('is plausible if it has ranges and is more than one zero', () => {
    expect(fits('iommu_iova_range', new Uint8Array())).toBe(false);
    expect(fits('iommu_iova_range', new Uint8Array(16))).toBe(false);
    expect(
      fits(
        'iommu_iova_range',
        pack([
          [8, 0],
          [8, 1],
        ]),
      ),
    ).toBe(true);
  });

  it('that is cut says how many bytes are missing', () => {
    const [problem] = problemsOf(structureOf('iommu_iova_range').decode(new Uint8Array(21), 'little'));
    expect(problem).toMatchObject({ code: 'short', offset: 16, message: expect.stringMatching(/\b11 bytes/) });
  });
});

describe('values of fields', () => {
  const decoded = (name: string) => structureOf(name).decode(PLAUSIBLE[name] ?? new Uint8Array(), 'little');

  it('are decimal where they count, and hexadecimal elsewhere', () => {
    expect(findNode(decoded('iommu_ioas_map'), 'size')?.value).toBe('40');
    expect(findNode(decoded('iommu_ioas_map'), 'flags')?.value).toBe('0x7');
    expect(findNode(decoded('iommu_ioas_map'), 'length')?.meaning).toBe('4 KiB');
  });

  it('have no meaning where a length is 0', () => {
    const empty = patched(PLAUSIBLE.iommu_ioas_map ?? new Uint8Array(), 24, 8, 0n);
    expect(findNode(structureOf('iommu_ioas_map').decode(empty, 'little'), 'length')?.meaning).toBeUndefined();
  });

  it.each([
    ['option_id', 4, 2n],
    ['op', 8, 2n],
  ] as const)('of iommu_option: the first %s that is not defined', (field, offset, value) => {
    const bytes = PLAUSIBLE.iommu_option ?? new Uint8Array();
    const node = (v: bigint) =>
      findNode(structureOf('iommu_option').decode(patched(bytes, offset, 2, v), 'little'), field);
    expect(node(value)).toMatchObject({ problems: [{ code: 'bad-value', offset }] });
    expect(node(value)?.meaning).toBeUndefined();
    expect(node(value - 1n)?.problems).toEqual([]);
  });

  it('that are cut off: how many bytes are missing, and after which field', () => {
    const bytes = (PLAUSIBLE.iommu_ioas_map ?? new Uint8Array()).slice(0, 20);
    const [problem] = problemsOf(structureOf('iommu_ioas_map').decode(bytes, 'little'));
    expect(problem).toMatchObject({ code: 'short', offset: 16, message: expect.stringMatching(/user_va.*\b20 bytes/) });
  });

  it.each<[string, string, readonly string[]]>([
    [TYPE1_INFO, 'flags', ['VFIO_IOMMU_INFO_PGSIZES', 'VFIO_IOMMU_INFO_CAPS']],
    ['vfio_iommu_type1_dma_unmap', 'flags', ['GET_DIRTY_BITMAP', 'FLAG_ALL', 'FLAG_VADDR']],
    ['iommu_ioas_map', 'flags', ['FIXED_IOVA', 'WRITEABLE', 'READABLE']],
    ['vfio_iommu_type1_dma_map', 'flags', ['FLAG_READ', 'FLAG_WRITE']],
  ])('%s.%s has its bits by name', (name, field, bits) => {
    const names = findNode(decoded(name), field)?.children.map((child) => child.name) ?? [];
    for (const bit of bits) expect(names).toContainEqual(expect.stringContaining(bit));
  });
});
