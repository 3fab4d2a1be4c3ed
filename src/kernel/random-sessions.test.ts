// Random sessions of every model and version: nothing throws, a clone answers alike, and no invariant breaks.
// RANDOM_OPERATIONS=100000 npx vitest run --project node src/kernel/random-sessions.test.ts runs as many of each.
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IOVA_MAX } from '../iova/iova.ts';
import type { Operation } from '../session/events.ts';
import { isBefore } from './change.ts';
import type { AddressSpaceView } from './model.ts';
import { createModel } from './models.ts';
import {
  anyContainerOperation,
  anyDmaOperation,
  anyOperation,
  anyPageTableOperation,
} from './testing/any-operation.ts';
import { snapshot } from './testing/run.ts';
import { versionsOf } from './version-changes.ts';

const COUNT = Number(process.env.RANDOM_OPERATIONS ?? 400);
const FIRST_SEED = fc.readConfigureGlobal().seed ?? 1;
/** A session begins again after so many, so that states stay varied. */
const SESSION = 200;

const ioasOperation = fc.oneof({ weight: 3, arbitrary: anyOperation }, { weight: 1, arbitrary: anyPageTableOperation });
const CASES: readonly (readonly [string, string])[] = [
  ...['iommufd', 'iommufd-vfio', 'type1', 'dma-iommu'].flatMap((model) =>
    versionsOf(model).map((version) => [model, version] as const),
  ),
  ['iommufd-rfc', '6.12'],
];

/** Versions in which mappings of one space may overlap: those of the kernel's bugs. */
function mayOverlap(model: string, version: string): boolean {
  if (model === 'type1') return isBefore(version, '6.18');
  return model === 'iommufd-rfc' || (model === 'iommufd' && isBefore(version, '6.17'));
}

function checkSpace(space: AddressSpaceView, overlapsAllowed: boolean): void {
  let count = 0;
  let next = 0n;
  for (const { start, last } of space.areas()) {
    count++;
    if (start > last || last > IOVA_MAX || start < 0n) throw new Error(`area ${start}-${last}`);
    if (!overlapsAllowed && start < next) throw new Error(`areas overlap at ${start}`);
    next = last + 1n;
    // What is mapped and what is reserved are apart, unless an IOVA was chosen by a search that wrapped.
    const hit = space.reserved.find((r) => r.start <= last && start <= r.last);
    if (hit && !overlapsAllowed) throw new Error(`area ${start}-${last} in ${hit.type}`);
  }
  if (count !== space.areaCount) throw new Error(`${count} areas, counted ${space.areaCount}`);
  if ((space.alignment & (space.alignment - 1n)) !== 0n || space.alignment <= 0n) throw new Error('alignment');
  if (space.mappingsLeft !== undefined && space.mappingsLeft + count !== 65535) throw new Error('mappings left');
}

/** What the allocator of the DMA API keeps is taken too, and nothing is outside of what can be mapped. */
function checkAllocator(space: AddressSpaceView): void {
  const { allocator, validRanges = [] } = space;
  if (!allocator) return;
  const kept = [...allocator.kept()];
  if (kept.length !== allocator.keptCount) throw new Error(`${kept.length} kept, counted ${allocator.keptCount}`);
  let next = 0n;
  for (const { start, last } of [...space.areas(), ...kept].sort((a, b) => (a.start < b.start ? -1 : 1))) {
    if (start < next) throw new Error(`taken twice: ${start}`);
    next = last + 1n;
    if (!validRanges.some((valid) => valid.start <= start && last <= valid.last)) throw new Error(`outside: ${start}`);
  }
}

/** The operations of one session of a model. */
function sessionOf(model: string, numRuns: number, seed: number): Operation[] {
  const arbitrary =
    model === 'dma-iommu'
      ? anyDmaOperation
      : model === 'iommufd' || model === 'iommufd-rfc'
        ? ioasOperation
        : anyContainerOperation;
  return fc.sample(arbitrary, { numRuns, seed });
}

describe('random sessions', () => {
  it.each(CASES)(
    '%s of %s',
    (name, version) => {
      const overlaps = mayOverlap(name, version);
      let done = 0;
      const succeeded = new Set<string>();
      for (let seed = FIRST_SEED; done < COUNT; seed++) {
        const made = createModel({ kernel: version, memlock: seed % 2 ? undefined : (0x8000n as never) }, name);
        if (!made.ok) throw new Error(made.message);
        let { model } = made;
        for (const [i, operation] of sessionOf(name, Math.min(SESSION, COUNT - done), seed).entries()) {
          const copy = i % 20 === 0 ? model.clone() : undefined;
          const outcome = model.apply(operation, i);
          if (outcome.ok) succeeded.add(operation.op);
          if (copy) {
            expect(copy.apply(operation, i)).toEqual(outcome);
            expect(snapshot(copy)).toEqual(snapshot(model));
            model = copy;
          }
          for (const space of model.spaces()) {
            checkSpace(space, overlaps);
            checkAllocator(space);
          }
          done++;
        }
      }
      expect(done).toBe(COUNT);
      if (name === 'dma-iommu') expect([...succeeded].sort()).toEqual(['dma.attach', 'dma.map', 'dma.unmap']);
    },
    Number.POSITIVE_INFINITY,
  );
});
