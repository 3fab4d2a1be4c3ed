import { describe, expect, it } from 'vitest';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { Operation } from '../../session/events.ts';
import { OPERATIONS } from '../../session/schema.ts';
import type { KernelModel } from '../model.ts';
import { createModel, MODEL_NAMES } from '../models.ts';
import { dialectOf, translate } from './translate.ts';

function model(name: string): KernelModel {
  const made = createModel({}, name);
  if (!made.ok) throw new Error(made.message);
  return made.model;
}

const A = (value: bigint): Iova => value as Iova;
const domain = { iommu: 'm', aperture: [A(0n), A(0xffff_ffffn)] as const, pgsize_bitmap: A(0x1000n) };
const reserved = [{ start: A(0xfee0_0000n), last: A(0xfeef_ffffn), type: 'msi' }];

/** Pairs that mean the same; translating either gives the other. */
const PAIRS: readonly (readonly [Operation, Operation])[] = [
  [
    { op: 'ioas.alloc', ioas: 'a' },
    { op: 'container.open', container: 'a', model: 'type1v2' },
  ],
  [
    { op: 'ioas.destroy', ioas: 'a' },
    { op: 'container.close', container: 'a' },
  ],
  [
    { op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: A(7n), length: A(8n), iova: A(9n) },
    { op: 'container.map_dma', container: 'a', flags: ['read'], vaddr: A(7n), size: A(8n), iova: A(9n) },
  ],
  [
    { op: 'ioas.unmap', ioas: 'a', iova: A(1n), length: A(2n) },
    { op: 'container.unmap_dma', container: 'a', flags: [], iova: A(1n), size: A(2n) },
  ],
  [
    { op: 'ioas.unmap', ioas: 'a', iova: A(0n), length: IOVA_MAX },
    { op: 'container.unmap_dma', container: 'a', flags: ['all'], iova: A(0n), size: A(0n) },
  ],
  [
    { op: 'device.attach', device: 'd', ioas: 'a', domain, reserved },
    { op: 'container.attach_group', container: 'a', group: 'd', domain, reserved },
  ],
];

const described = (result: ReturnType<typeof translate>) =>
  result.kind === 'none' ? result.message : result.operation;

describe('translate', () => {
  it.each(PAIRS.map((pair) => ({ names: pair.map(({ op }) => op).join(' as '), pair })))(
    '$names and back',
    ({ pair }) => {
      const [ioas, container] = pair;
      expect(described(translate(ioas, model('type1')))).toEqual(container);
      for (const name of ['iommufd', 'iommufd-rfc']) expect(described(translate(container, model(name)))).toEqual(ioas);
    },
  );

  it('says what became what', () => {
    const [ioas, container] = PAIRS[4] ?? PAIRS[0] ?? [];
    if (!ioas || !container) throw new Error('no pairs');
    expect(translate(ioas, model('type1'))).toMatchObject({
      kind: 'translated',
      message: 'ioas.unmap as container.unmap_dma, flag all',
    });
    expect(translate(container, model('iommufd'))).toMatchObject({
      message: 'container.unmap_dma as ioas.unmap, iova 0, length 2^64-1',
    });
  });

  it('leaves alone what the model has, and models it does not know', () => {
    for (const name of MODEL_NAMES) {
      expect(dialectOf(name)).toBeDefined();
      for (const pair of PAIRS) {
        if (dialectOf(name) === 'dma') continue;
        const own = pair[dialectOf(name) === 'ioas' ? 0 : 1];
        expect(translate(own, model(name))).toEqual({ kind: 'own', operation: own });
      }
    }
    const strange = { name: 'zircon', spaces: () => [], space: () => undefined };
    for (const [operation] of PAIRS) expect(translate(operation, strange)).toEqual({ kind: 'own', operation });
    expect(dialectOf('toString')).toBeUndefined();
  });

  it('leaves the DMA API alone: nothing else has it, and it has nothing else', () => {
    const map: Operation = { op: 'dma.map', device: 'd', phys: A(1n), size: A(1n), dma_mask: A(1n) };
    expect(translate(map, model('dma-iommu'))).toEqual({ kind: 'own', operation: map });
    for (const name of MODEL_NAMES.filter((other) => dialectOf(other) !== 'dma')) {
      expect(translate(map, model(name))).toMatchObject({ kind: 'none' });
    }
    for (const [operation] of PAIRS) expect(translate(operation, model('dma-iommu'))).toMatchObject({ kind: 'none' });
  });

  it('carries the recorded answer over', () => {
    const operation: Operation = { op: 'ioas.alloc', ioas: 'a', expect: { ret: 0 } };
    expect(described(translate(operation, model('type1')))).toMatchObject({ expect: { ret: 0 } });
  });

  it('finds the container of a device, once it is attached', () => {
    const type1 = model('type1');
    const detach: Operation = { op: 'device.detach', device: 'd' };
    expect(translate(detach, type1)).toEqual({ kind: 'none', message: "device 'd' is not attached to a container" });
    type1.apply({ op: 'container.open', container: 'x', model: 'type1v2' }, 0);
    type1.apply({ op: 'container.attach_group', container: 'x', group: 'd', domain, reserved }, 1);
    const found: Operation = { op: 'container.detach_group', container: 'x', group: 'd' };
    expect(described(translate(detach, type1))).toEqual(found);
    expect(described(translate(found, model('iommufd')))).toEqual(detach);
  });

  it.each<[string, Operation, string]>([
    [
      'a choice of an IOVA',
      { op: 'ioas.map', ioas: 'a', flags: ['read'], user_va: A(1n), length: A(1n), iova: A(1n) },
      'type1',
    ],
    [
      'everything and a range',
      { op: 'container.unmap_dma', container: 'a', flags: ['all'], iova: A(0n), size: A(1n) },
      'iommufd',
    ],
    [
      'a range that is everything elsewhere',
      { op: 'container.unmap_dma', container: 'a', flags: [], iova: A(0n), size: IOVA_MAX },
      'iommufd',
    ],
    ['a copy', { op: 'ioas.copy', dst: 'a', src: 'a', flags: ['read'], length: A(1n), src_iova: A(1n) }, 'type1'],
    ['an access', { op: 'access.create', access: 'x', ioas: 'a' }, 'type1'],
    ['information', { op: 'container.get_info', container: 'a', argsz: 16 }, 'iommufd'],
  ])('%s has no counterpart', (_name, operation, name) => {
    expect(translate(operation, model(name))).toMatchObject({ kind: 'none', message: expect.stringMatching(/\w/) });
  });

  it('has something to say of every operation of the other dialect', () => {
    for (const op of Object.keys(OPERATIONS)) {
      const to = op.startsWith('container.') ? 'iommufd' : 'type1';
      const full = {
        op,
        flags: [],
        reserved: [],
        domain,
        device: 'd',
        ioas: 'a',
        container: 'a',
        iova: A(1n),
        size: A(1n),
      };
      const result = translate(full as unknown as Operation, model(to));
      expect(result.kind, op).not.toBe('own');
      if (result.kind === 'none') expect(result.message).not.toMatch(/no equivalent/);
    }
  });
});
