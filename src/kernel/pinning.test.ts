// What memory can be pinned, by model and version: measured on Linux 6.1.192, 6.12.117 and 7.3.4.
import { describe, expect, it } from 'vitest';
import { IOVA_MAX, type Iova } from '../iova/iova.ts';
import type { Operation } from '../session/events.ts';
import { createModel } from './models.ts';

const A = (value: bigint): Iova => value as Iova;
const DOMAIN = { iommu: 'm', aperture: [A(0n), IOVA_MAX] as [Iova, Iova], pgsize_bitmap: A(0x1000n) };

interface Memory {
  readonly memory?: string;
  readonly present?: Iova;
}

/** The answer of a map over such memory, in a model that has a domain. */
function mapped(model: 'type1' | 'iommufd' | 'iommufd-vfio', kernel: string, flags: string[], memory: Memory): string {
  const made = createModel({ kernel }, model);
  if (!made.ok) throw new Error(made.message);
  const vfio: Operation[] = [
    { op: 'container.open', container: 'c', model: 'type1v2' },
    { op: 'container.attach_group', container: 'c', group: '1', domain: DOMAIN, reserved: [] },
    {
      op: 'container.map_dma',
      container: 'c',
      flags,
      vaddr: A(0x10_0000n),
      size: A(0x4000n),
      iova: A(0x4000n),
      ...memory,
    },
  ];
  const native: Operation[] = [
    { op: 'ioas.alloc', ioas: 'a' },
    { op: 'device.attach', device: 'd', ioas: 'a', domain: DOMAIN, reserved: [] },
    {
      op: 'ioas.map',
      ioas: 'a',
      flags: ['fixed', ...flags],
      user_va: A(0x10_0000n),
      length: A(0x4000n),
      iova: A(0x4000n),
      ...memory,
    },
  ];
  const outcome = (model === 'iommufd' ? native : vfio).map((operation, i) => made.model.apply(operation, i)).at(-1);
  const left = made.model.spaces()[0]?.areaCount;
  if (outcome?.ok) return left === 1 ? 'yes' : 'nothing is mapped';
  // Nothing of what failed stays.
  return left === 0 ? `-${outcome?.refusal?.errno}` : 'something stays';
}

const RW = ['read', 'write'];
const PART = { present: A(0x2000n) };

describe('what can be pinned', () => {
  it.each<[string, string[], Memory, string, string]>([
    ['RAM', RW, {}, 'yes', 'yes'],
    ['huge pages', RW, { memory: 'hugetlb' }, 'yes', 'yes'],
    ['a hole', ['read'], { memory: 'hole' }, '-EFAULT', '-EFAULT'],
    ['a hole behind RAM', RW, { memory: 'tail-hole', ...PART }, '-EFAULT', '-EFAULT'],
    ['the end of a file', ['read'], { memory: 'past-eof', ...PART }, '-EFAULT', '-EFAULT'],
    ['memory that is read-only, for writing', RW, { memory: 'read-only' }, '-EFAULT', '-EFAULT'],
    ['memory that is read-only, for reading', ['read'], { memory: 'read-only' }, 'yes', 'yes'],
    ["a device's BAR", RW, { memory: 'pfnmap' }, 'yes', '-EFAULT'],
    ["a device's BAR, for reading", ['read'], { memory: 'pfnmap' }, 'yes', '-EFAULT'],
    ['a BAR that is not decoded', RW, { memory: 'pfnmap-off' }, '-EFAULT', '-EFAULT'],
    ['an unknown word', RW, { memory: 'moon-dust' }, 'yes', 'yes'],
  ])('%s, %j', (_name, flags, memory, type1, iommufd) => {
    for (const kernel of ['6.1', '6.12', '6.18', '7.3']) expect(mapped('type1', kernel, flags, memory)).toBe(type1);
    for (const kernel of ['6.12', '7.3']) {
      expect(mapped('iommufd', kernel, flags, memory)).toBe(iommufd);
      expect(mapped('iommufd-vfio', kernel, flags, memory)).toBe(iommufd);
    }
  });

  it('a file on a disk, for writing: until 6.1', () => {
    const answers = (flags: string[]) =>
      ['5.10', '6.1', '6.12', '7.3'].map((kernel) => mapped('type1', kernel, flags, { memory: 'disk-file' }));
    expect(answers(RW)).toEqual(['yes', 'yes', '-EFAULT', '-EFAULT']);
    expect(answers(['read'])).toEqual(['yes', 'yes', 'yes', 'yes']);
  });

  it('without a domain iommufd pins nothing, and the first attach is refused', () => {
    for (const kernel of ['6.12', '7.3']) {
      const made = createModel({ kernel }, 'iommufd');
      if (!made.ok) throw new Error(made.message);
      const run = (operation: Operation) => made.model.apply(operation, 0);
      run({ op: 'ioas.alloc', ioas: 'a' });
      const map = { op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], length: A(0x1000n) } as const;
      expect(run({ ...map, flags: [...map.flags], user_va: A(0n), iova: A(0n), memory: 'hole' }).ok).toBe(true);
      const attach = run({ op: 'device.attach', device: 'd', ioas: 'a', domain: DOMAIN, reserved: [] });
      expect(!attach.ok && attach.refusal?.errno).toBe('EFAULT');
      expect(made.model.spaces()[0]?.domains).toEqual([]);
    }
  });
});
