import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import type { KernelModel } from '../../kernel/model.ts';
import { createModel } from '../../kernel/models.ts';
import { usableRanges } from '../../kernel/shared/usable-ranges.ts';
import { anyContainerOperation, anyOperation } from '../../kernel/testing/any-operation.ts';
import { parseOperationLine } from '../../operation-lines/parse.ts';
import type { Operation } from '../../session/events.ts';
import { decisionSteps } from './decision.ts';
import { narrowingSteps } from './narrowing.ts';
import { unmapSteps } from './unmapping.ts';

function modelOf(name: string, kernel?: string): KernelModel {
  const made = createModel({ model: name, ...(kernel === undefined ? {} : { kernel }) });
  if (!made.ok) throw new Error(made.message);
  return made.model;
}

function operationOf(line: string, model: string): Operation {
  const parsed = parseOperationLine(line, { model });
  if (!parsed.ok) throw new Error(`${line}: ${parsed.mistake.message}`);
  return parsed.operation;
}

/** The steps of the last line, after the others were run. */
function stepsOf(name: string, lines: readonly string[], kernel?: string): string[] {
  const model = modelOf(name, kernel);
  const operations = lines.map((line) => operationOf(line, name));
  for (const [i, operation] of operations.slice(0, -1).entries()) model.apply(operation, i);
  const last = operations.at(-1);
  if (!last) throw new Error('no line');
  return decisionSteps(model, last, {}, kernel).map(({ text }) => text);
}

const VTD = 'iommu vtd, aperture 0x0-0x7fffffffff, msi 0xfee00000-0xfeefffff';

describe('how a kernel decides', () => {
  test('an IOVA is chosen gap by gap: taken, too small, misaligned, fits', () => {
    const steps = stepsOf('iommufd', [
      'alloc a',
      `attach nic to a: ${VTD}`,
      'map a 0x200000 4K rw',
      'map a 0x202000 4K rw',
      'map a 0x500000 4K rw',
      'map a any 2M r',
    ]);
    expect(steps.slice(7)).toEqual([
      'The IOVA must be a multiple of 2 MiB: 2 MiB rounded up to a power of two is 2 MiB',
      'The search starts at 0x20_0000, the first multiple from 0x1000 on',
      '0x20_0000 – 0x20_0fff is taken: 1 area',
      '0x20_1000 – 0x20_1fff is free: too small, 4 KiB',
      '0x20_2000 – 0x20_2fff is taken: 1 area',
      '0x20_3000 – 0x4f_ffff is free: misaligned, only 1 MiB remain from the next multiple, 0x40_0000',
      '0x50_0000 – 0x50_0fff is taken: 1 area',
      '0x50_1000 – 0xfedf_ffff is free: it fits at 0x60_0000',
      'The memory may be written',
      'The address of the memory is a multiple of the alignment',
      'Answer: 0, IOVA 0x60_0000',
    ]);
  });

  test('a refusal comes behind the checks that passed, in the order of the kernel', () => {
    const steps = stepsOf('type1', ['open c type1v2', `attach group 1 to c: ${VTD}`, 'map c 0xfee00000 4K rw']);
    expect(steps.slice(-3, -1)).toEqual(['No mapping overlaps it', 'The limit of mappings is not reached']);
    expect(steps.at(-1)).toContain('Refused, -EINVAL (map-outside-valid-ranges)');
    // The size is looked at before the ends since Linux 6.18.
    const order = (kernel: string) =>
      stepsOf('type1', ['open c type1v2', `attach group 1 to c: ${VTD}`, 'map c 0x1000 4K rw'], kernel).indexOf(
        'The size is not 0',
      );
    expect(order('7.3')).toBeLessThan(order('6.12'));
  });

  test('an attach narrows region by region; the aperture first in a container, last in iommufd', () => {
    const regions = `${VTD}, direct-relaxable 0x1000-0x1fff`;
    const container = stepsOf('type1', ['open c type1v2', `attach group 1 to c: ${regions}`]);
    expect(container[1]).toContain('Outside the aperture of vtd');
    expect(container[2]).toBe(
      'msi region 0xfee0_0000 – 0xfeef_ffff is taken out: 0x0 – 0xfedf_ffff, 0xfef0_0000 – 0x7f_ffff_ffff',
    );
    expect(container[3]).toContain('nothing changes');
    const ioas = stepsOf('iommufd', ['alloc a', `attach nic to a: ${regions}`]);
    expect(ioas[1]).toContain('msi region');
    expect(ioas[3]).toContain('Outside the aperture of vtd');
    expect(stepsOf('iommufd', ['alloc a', `attach n1 to a: ${VTD}`, `attach n2 to a: ${VTD}`])[2]).toContain('shared');
  });

  test('unmap walks differ between the versions', () => {
    const map = [`attach group 1 to c: ${VTD}`, 'map c 0x1000 8K rw', 'map c 0x4000 8K rw', 'unmap c 0x1000 16K'];
    expect(stepsOf('type1', ['open c type1', ...map]).slice(-3)).toEqual([
      '0x1000 – 0x2fff (8 KiB) is inside: removed',
      '0x4000 – 0x5fff (8 KiB) ends behind the range: removed',
      'Answer: 0, 0x4000 bytes unmapped',
    ]);
    expect(stepsOf('type1', ['open c type1v2', ...map]).slice(-3)).toEqual([
      '0x1000 – 0x2fff (8 KiB) is inside: stays',
      '0x4000 – 0x5fff (8 KiB) ends behind the range: stays',
      expect.stringContaining('Refused, -EINVAL (unmap-cuts-mapping)'),
    ]);
    const ioas = ['alloc a', 'map a 0x1000 8K rw', 'map a 0x4000 8K rw', 'unmap a 0x1000 16K'];
    expect(stepsOf('iommufd', ioas).slice(-3)).toEqual([
      '0x1000 – 0x2fff (8 KiB) is inside: removed',
      '0x4000 – 0x5fff (8 KiB) ends behind the range: stays',
      expect.stringContaining('unmap-cuts-area'),
    ]);
  });

  test('a buffer fills capability by capability, or says how large it must be', () => {
    const open = ['open c type1v2', `attach group 1 to c: ${VTD}`];
    const small = stepsOf('type1', [...open, 'info c argsz 24']);
    expect(small[2]).toContain('Capability');
    expect(small.at(-2)).toMatch(/bytes are needed: argsz is set to that, cap_offset to 0/);
    expect(stepsOf('type1', [...open, 'info c argsz 4096']).at(-2)).toMatch(/^All \d+ bytes fit/);
    expect(stepsOf('type1', [...open, 'info c argsz 8'])[0]).toContain('at least 16');
  });

  test('the allocator of the DMA API, with its ranges', () => {
    const steps = decisionSteps(
      (() => {
        const model = modelOf('dma-iommu');
        model.apply(operationOf('dma nic attach to d: aperture 0x0-0xffffffffffff', 'dma-iommu'), 0);
        return model;
      })(),
      operationOf('dma nic map 0x12345000 8K mask 32', 'dma-iommu'),
      {},
    );
    expect(steps.find(({ verdict }) => verdict === 'yes')).toMatchObject({
      range: { start: 0xffffe000n, last: 0xffffffffn },
    });
    expect(steps.at(-1)?.text).toBe('Answer: 0, DMA address 0xffff_e000');
  });

  test('each step names the kernel of the session, also when it refuses', () => {
    const cases: readonly (readonly [string, readonly string[]])[] = [
      ['iommufd', ['alloc a', `attach nic to a: ${VTD}`]],
      ['iommufd', ['alloc a', 'map a any 2M r']],
      ['iommufd', ['alloc a', 'map a 0x1000 4K rw', 'unmap a 0x1000 4K']],
      ['iommufd', ['alloc a', 'map a 0x1000 4K rw', 'map a 0x1000 4K rw']],
      ['iommufd-vfio', ['open c type1v2', 'map c 0x1000 4K rw']],
      ['type1', ['open c type1v2', `attach group 1 to c: ${VTD}`]],
      ['type1', ['open c type1v2', `attach group 1 to c: ${VTD}`, 'info c argsz 4096']],
      ['type1', ['open c type1v2', `attach group 1 to c: ${VTD}`, 'unmap c 0x1000 4K']],
      ['type1', ['open c type1v2', `attach group 1 to c: ${VTD}, direct 0x1000-0x1fff`]],
      ['dma-iommu', ['dma nic attach to d: aperture 0x0-0xffffffffffff', 'dma nic map 0x12345000 8K mask 32']],
      ['dma-iommu', ['dma nic attach to d: aperture 0x0-0xffffffffffff', 'dma nic map 0x12345000 8K mask 12']],
    ];
    const kernels = (name: string, lines: readonly string[], kernel?: string) => {
      const model = modelOf(name, kernel);
      for (const [i, line] of lines.slice(0, -1).entries()) model.apply(operationOf(line, name), i);
      const steps = decisionSteps(model, operationOf(lines.at(-1) ?? '', name), {}, kernel);
      return [...new Set(steps.flatMap(({ source }) => source?.split(',')[0] ?? []))];
    };
    for (const [name, lines] of cases) {
      expect([lines, kernels(name, lines, '6.17.3')]).toEqual([lines, ['Linux 6.17.3']]);
      expect([lines, kernels(name, lines)]).toEqual([lines, ['Linux 7.3']]);
    }
    // The nearest version that has the model.
    expect(kernels('iommufd', ['alloc a', 'map a any 2M r'], '6.1')).toEqual(['Linux 6.2']);
    expect(kernels('iommufd', ['alloc a', 'unmap a 0x1000 4K'], '6.1')).toEqual(['Linux 6.2']);
    expect(kernels('iommufd-rfc', ['alloc a', 'map a any 2M r'], '6.1')).toEqual([
      'io_pagetable.c as posted 2022-03-18',
    ]);
  });

  test('the last byte of a gap alone is chosen by older kernels', () => {
    const lines = ['alloc a', 'reserve a 0x0 20K', 'reserve a 0x5001 0xffffffffffffafff', 'map a any 1 r from 0x0'];
    expect(stepsOf('iommufd', lines, '6.12.42').at(-1)).toBe('Answer: 0, IOVA 0x5000');
    expect(stepsOf('iommufd', lines, '6.12.42').find((text) => text.includes('it fits'))).toContain('0x5000');
    expect(stepsOf('iommufd', lines, '6.12.43').at(-1)).toContain('choose-no-space');
  });

  test('what cannot be asked has no steps', () => {
    expect(stepsOf('iommufd', ['map nothing 0x1000 4K rw'])).toEqual([]);
  });
});

describe('the steps agree with the model', () => {
  test.each([
    ['iommufd', anyOperation],
    ['iommufd-rfc', anyOperation],
    ['type1', anyContainerOperation],
    ['iommufd-vfio', anyContainerOperation],
  ] as const)('%s', (name, operations: fc.Arbitrary<Operation>) => {
    const seen = { chosen: 0, narrowed: 0, unmapped: 0 };
    assertProperty(
      fc.property(fc.array(operations, { minLength: 20, maxLength: 60, size: 'max' }), (random) => {
        const list = [...(name === 'iommufd' ? UNMAPS : []), ...random];
        const model = modelOf(name);
        for (const [i, operation] of list.entries()) {
          const before = model.clone();
          const steps = decisionSteps(model, operation, {});
          const outcome = model.apply(operation, i);
          // Asking changed nothing.
          expect(before.apply(operation, i)).toEqual(outcome);
          if (!outcome.ok && outcome.invalid) expect(steps).toEqual([]);
          else expect(steps.at(-1)?.verdict).toBe(outcome.ok ? 'yes' : 'no');
          if (name !== 'iommufd-rfc')
            expect(steps.some(({ text }) => text.includes('wraps around at 2^64 in'))).toBe(false);
          if (steps.some(({ text }) => text.includes('it fits at'))) seen.chosen++;
          check(model, operation, outcome.ok, seen, list.slice(0, i), name);
        }
      }),
      { numRuns: 60 },
    );
    if (name === 'iommufd' || name === 'type1') expect(seen.unmapped).toBeGreaterThan(0);
    if (name !== 'iommufd-rfc') expect(seen.narrowed).toBeGreaterThan(0);
    if (name.startsWith('iommufd') && name !== 'iommufd-vfio') expect(seen.chosen).toBeGreaterThan(0);
  });
});

/** Of random unmaps of an IOAS few meet whole areas. */
const UNMAPS = [
  ...['alloc a', 'map a 0x1000 4K rw', 'map a 0x4000 8K rw', 'map a 0x6000 4K rw'],
  ...['unmap a 0x1000 20K', 'unmap a 0x4000 12K', 'unmap a 0x1000 16K'],
].map((line) => operationOf(line, 'iommufd'));

function check(
  after: KernelModel,
  operation: Operation,
  isDone: boolean,
  seen: { narrowed: number; unmapped: number },
  earlier: readonly Operation[],
  name: string,
): void {
  if (!isDone) return;
  const before = modelOf(name);
  for (const [i, one] of earlier.entries()) before.apply(one, i);
  if (operation.op === 'container.attach_group' || (operation.op === 'device.attach' && name === 'iommufd')) {
    const id = operation.op === 'device.attach' ? operation.ioas : operation.container;
    const [from, to] = [
      id === undefined ? undefined : before.space(id),
      id === undefined ? undefined : after.space(id),
    ];
    if (!from || !to || (operation.op === 'device.attach' && operation.hwpt !== undefined)) return;
    seen.narrowed++;
    expect(narrowingSteps(from, operation, name === 'type1', 'Linux').left).toEqual(usableRanges(to));
  }
  if (operation.op === 'ioas.unmap' || operation.op === 'container.unmap_dma') {
    const [id, start, length] =
      operation.op === 'ioas.unmap'
        ? [operation.ioas, operation.iova, operation.length]
        : [operation.container, operation.iova, operation.size];
    const from = before.space(id);
    if (!from || length === 0n || start + length > 1n << 64n || name === 'iommufd-vfio') return;
    const { unmapped } = unmapSteps(from, after.space(id), range(start, start + length - 1n), 'iommufd', 'Linux');
    const model = before.clone().apply(operation, 0);
    if (model.ok && model.answer.unmapped !== undefined && length < (1n << 64n) - 1n) {
      expect(unmapped).toBe(model.answer.unmapped);
    }
    seen.unmapped++;
  }
}
