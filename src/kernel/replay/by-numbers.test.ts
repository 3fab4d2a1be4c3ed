// Sessions whose events are in columns, with operations that are run by their numbers: everything is as without.
import * as fc from 'fast-check';
import { describe, expect, it, type MockInstance, vi } from 'vitest';
import type { Iova } from '../../iova/iova.ts';
import { anyAddress } from '../../iova/testing/arbitraries.ts';
import { isOperation, type Operation, type SessionEvent } from '../../session/events.ts';
import { PackedList } from '../../session/packed-list.ts';
import { newSession, type Session } from '../../session/session.ts';
import { IommufdModel } from '../iommufd/model.ts';
import { IommufdVfioModel } from '../iommufd-vfio/model.ts';
import { MAPPING_LIMIT } from '../limits.ts';
import type { KernelModel } from '../model.ts';
import { createModel } from '../models.ts';
import { anyContainerOperation, anyOperation, anyPageTableOperation } from '../testing/any-operation.ts';
import { snapshot } from '../testing/run.ts';
import { Type1Model } from '../type1/model.ts';
import { versionsOf } from '../version-changes.ts';
import { answerOf, replay, runEvent } from './replay.ts';
import { SessionStates } from './state-at.ts';

const SESSIONS = 3;
const OPERATIONS = 300;
const FIRST_SEED = fc.readConfigureGlobal().seed ?? 1;

const number = fc.oneof(
  { weight: 12, arbitrary: fc.nat({ max: 12 }).map((n) => (BigInt(n) * 0x1000n) as Iova) },
  { weight: 1, arbitrary: anyAddress },
);
const size = fc.oneof({ weight: 4, arbitrary: fc.constant(0x1000n as Iova) }, { weight: 1, arbitrary: number });
const permissions = fc.constantFrom(['read', 'write'] as const, ['read', 'write'] as const, ['write'] as const);

/** Maps and unmaps of a few pages: most of them succeed, and many meet what is there. */
const ioasChange: fc.Arbitrary<Operation> = fc.oneof(
  fc
    .record({ user_va: number, length: size, iova: number, granted: permissions })
    .map(({ granted, ...rest }) => ({ op: 'ioas.map' as const, ioas: 'a', flags: ['fixed', ...granted], ...rest })),
  // At addresses that are chosen; one that is given is only checked.
  fc
    .record(
      { user_va: number, length: size, granted: permissions, iova: number },
      { requiredKeys: ['user_va', 'length', 'granted'] },
    )
    .map(({ granted, ...rest }) => ({ op: 'ioas.map' as const, ioas: 'a', flags: [...granted], ...rest })),
  fc.record({ op: fc.constant('ioas.unmap' as const), ioas: fc.constant('a'), iova: number, length: size }),
);
const containerChange: fc.Arbitrary<Operation> = fc.oneof(
  fc.record({ vaddr: number, size, iova: number, granted: permissions }).map(({ granted, ...rest }) => ({
    op: 'container.map_dma' as const,
    container: 'c',
    flags: rest.vaddr === 0n ? ['fixed', ...granted] : [...granted],
    ...rest,
  })),
  fc
    .record({ iova: number, size })
    .map((rest) => ({ op: 'container.unmap_dma' as const, container: 'c', flags: [], ...rest })),
);
/** All others, rarely: they decide what the next changes meet. */
const ioasOperation = fc.oneof(
  { weight: 12, arbitrary: ioasChange },
  { weight: 2, arbitrary: anyOperation },
  { weight: 1, arbitrary: anyPageTableOperation },
);
const containerOperation = fc.oneof(
  { weight: 8, arbitrary: containerChange },
  { weight: 1, arbitrary: anyContainerOperation },
);
const DOMAIN = {
  iommu: 'vtd',
  aperture: [0n as Iova, 0x7f_ffff_ffffn as Iova],
  pgsize_bitmap: 0x1000n as Iova,
} as const;

function containerOf(version: 'type1' | 'type1v2'): Operation[] {
  return [
    { op: 'container.open', container: 'c', model: version },
    {
      op: 'container.attach_group',
      container: 'c',
      group: '1',
      domain: { ...DOMAIN, aperture: [...DOMAIN.aperture], enforce_cache_coherency: true },
      reserved: [{ start: 0x5000n as Iova, last: 0x5fffn as Iova, type: 'msi' }],
    },
  ];
}

/** What the sessions of a model begin with. */
function firstOf(model: keyof typeof MODELS, seed: number): Operation[] {
  if (model === 'iommufd') return [{ op: 'ioas.alloc', ioas: 'a' }];
  return containerOf(seed % 2 === 0 ? 'type1' : 'type1v2');
}

const MODELS = { iommufd: IommufdModel, 'iommufd-vfio': IommufdVfioModel, type1: Type1Model };
const CASES = (['iommufd', 'iommufd-vfio', 'type1'] as const).flatMap((model) =>
  versionsOf(model)
    .filter((_, i, { length }) => i === 0 || (length - 1 - i) % 4 === 0)
    .map((version) => [model, version] as const),
);

function emptyModel(header: Session['header']): KernelModel {
  const made = createModel(header);
  if (!made.ok) throw new Error(made.message);
  return made.model;
}

/** The operations, most of them with an answer that was recorded, a few of those with a wrong one. */
function recorded(operations: readonly Operation[], header: Session['header'], seed: number): Operation[] {
  const model = emptyModel(header);
  return operations.map((operation, i) => {
    const answer = answerOf(model.apply(operation, i));
    const kind = (i * 31 + seed) % 7;
    if (!answer || kind < 3) return operation;
    if (kind > 3) return { ...operation, expect: answer };
    const other =
      kind === 3 && answer.iova !== undefined ? { ...answer, iova: (answer.iova ^ 0x1000n) as Iova } : answer;
    return { ...operation, expect: other };
  });
}

function hitsOf(spy: MockInstance<NonNullable<KernelModel['applyPrepared']>>): number {
  return spy.mock.results.filter(({ value }) => value === true).length;
}

describe('operations that are run by their numbers', () => {
  it.each(CASES)('answer as one by one, and leave the same state: %s of %s', (name, version) => {
    const spy = vi.spyOn(MODELS[name].prototype, 'applyPrepared');
    try {
      for (let seed = FIRST_SEED; seed < FIRST_SEED + SESSIONS; seed++) {
        const memlock = seed % 3 === 0 ? { memlock: 0x8000n as Iova } : {};
        const header = { ...newSession().header, model: name, kernel: version, ...memlock };
        const arbitrary = name === 'iommufd' ? ioasOperation : containerOperation;
        const sampled = fc.sample(arbitrary, { numRuns: OPERATIONS, seed });
        const plain: SessionEvent[] = recorded([...firstOf(name, seed), ...sampled], header, seed);
        plain.splice(7, 0, { kind: 'host', name: 'lab' });
        const session: Session = { ...newSession(), header, events: new PackedList(plain, isOperation), lines: [] };
        const expected = [...replay({ ...session, events: plain }, emptyModel(header))];
        const states = new SessionStates(session, emptyModel(header), { every: 40, keep: 3 });
        const reference = emptyModel(header);
        let ran = 0;
        for (const t of [90, 91, plain.length]) {
          for (; ran < t; ran++) runEvent(reference, { ...session, events: plain }, ran);
          expect(snapshot(states.stateAt(t)), `step ${t} of ${seed}`).toEqual(snapshot(reference));
        }
        const steps = plain.flatMap((_, i) => states.stepAt(i) ?? []);
        expect(steps).toEqual(expected);
        // Back, over what is known already.
        states.stateAt(20);
        expect(snapshot(states.stateAt(plain.length))).toEqual(snapshot(reference));
        states.truncate(150);
        expect(plain.flatMap((_, i) => states.stepAt(i) ?? [])).toEqual(expected);
      }
      expect(hitsOf(spy)).toBeGreaterThan(SESSIONS * 20);
    } finally {
      spy.mockRestore();
    }
  });

  it('are refused when a container has no mapping left', () => {
    const header = { ...newSession().header, model: 'type1' };
    const map = (i: number): Operation => ({
      op: 'container.map_dma',
      container: 'c',
      flags: ['read'],
      vaddr: 0n as Iova,
      size: 0x1000n as Iova,
      iova: (0x10_0000n + BigInt(i) * 0x1000n) as Iova,
    });
    const first = containerOf('type1v2');
    const maps = Array.from({ length: MAPPING_LIMIT + 1 }, (_, i) => map(i));
    const unmap: Operation = {
      op: 'container.unmap_dma',
      container: 'c',
      flags: [],
      iova: 0x10_0000n as Iova,
      size: 0x1000n as Iova,
    };
    const plain = [...first, ...maps, unmap, map(0), map(MAPPING_LIMIT)];
    const states = new SessionStates(
      { ...newSession(), header, events: new PackedList<SessionEvent>(plain, isOperation) },
      emptyModel(header),
    );
    states.stateAt(plain.length);
    const refused = plain.flatMap((_, i) => (states.exceptionAt(i) ? [i] : []));
    expect(refused).toEqual([first.length + MAPPING_LIMIT, plain.length - 1]);
    for (const i of refused)
      expect(states.exceptionAt(i)?.outcome).toMatchObject({ refusal: { rule: 'map-none-left' } });
  });

  it('are compared with what was recorded', () => {
    const header = { ...newSession().header, model: 'iommufd' };
    const map = (iova: bigint, expectedIova: bigint): SessionEvent => ({
      op: 'ioas.map',
      ioas: 'a',
      flags: ['fixed', 'read'],
      user_va: 0x1000n as Iova,
      length: 0x1000n as Iova,
      iova: iova as Iova,
      expect: { ret: 0, iova: expectedIova as Iova },
    });
    const events = new PackedList([{ op: 'ioas.alloc', ioas: 'a' }, map(0n, 0n), map(0x1000n, 0x2000n)], isOperation);
    const states = new SessionStates({ ...newSession(), header, events }, emptyModel(header));
    states.stateAt(3);
    expect(states.exceptionAt(1)).toBeUndefined();
    expect(states.exceptionAt(2)?.mismatch?.fields).toEqual(['iova']);
  });
});
