import { describe, expect, it } from 'vitest';
import type { Iova } from '../../iova/iova.ts';
import type { Operation } from '../../session/events.ts';
import { readSession } from '../../session/read.ts';
import { newSession, type Session } from '../../session/session.ts';
import mixed from '../fixtures/iommufd-mixed-22.jsonl?raw';
import rfc from '../fixtures/iommufd-rfc-29.jsonl?raw';
import qemu from '../fixtures/qemu-viommu-unmap.iova.jsonl?raw';
import { createModel } from '../models.ts';
import { snapshot } from '../testing/run.ts';
import { SessionComparison } from './compare.ts';
import { replay } from './replay.ts';

const A = (value: bigint): Iova => value as Iova;

function compare(session: Session, models: readonly string[]): SessionComparison {
  const made = SessionComparison.create(session, models, { every: 16 });
  if (!made.ok) throw new Error(made.message);
  return made.comparison;
}

const read = (text: string): Session => readSession(text).session;

describe('QEMU with a virtual IOMMU', () => {
  const session = read(qemu);
  const comparison = compare(session, ['iommufd-rfc', 'iommufd', 'type1']);

  it('goes apart at the unmap', () => {
    const first = comparison.firstDivergence();
    expect(first).toMatchObject({ index: 3, disagreement: 'verdict' });
    expect(first?.runs.map(({ outcome }) => (outcome.ok ? outcome.answer : outcome.refusal?.rule))).toEqual([
      'rfc-unmap-not-one-area',
      { ret: 0, unmapped: 0x1000n },
      { ret: 0, unmapped: 0x1000n },
    ]);
    expect(
      first?.runs.map(({ translation }) => translation && 'message' in translation && translation.message),
    ).toEqual([undefined, false, 'ioas.unmap as container.unmap_dma']);
    expect([...comparison.steps()].map(({ disagreement }) => disagreement)).toEqual([
      'none',
      'none',
      'none',
      'verdict',
      'verdict',
    ]);
  });

  it('works in Linux 6.12, under iommufd and under type1 version 2', () => {
    const last = comparison.stepAt(4);
    expect(last?.runs.map(({ outcome }) => outcome.ok)).toEqual([false, true, true]);
    expect(comparison.statesAt(5)[2]?.space('viommu')).toMatchObject({ version: 'type1v2', areaCount: 1 });
  });

  it('shows what each state has and another lacks', () => {
    expect(comparison.differencesAt(3)).toMatchObject([{ id: 'viommu', present: [true, true, true] }]);
    const [before] = comparison.differencesAt(3);
    expect(before?.areas.beyond).toEqual([[], [], []]);
    const [unmapped] = comparison.differencesAt(4);
    const page = [{ start: 0xffff_f000n, last: 0xffff_ffffn }];
    expect(unmapped?.areas).toEqual({ sets: [page, [], []], common: [], beyond: [page, [], []] });
    expect(unmapped?.usable.beyond).toEqual([[], [], []]);
    expect(unmapped?.same).toBe(false);
    const [mapped] = comparison.differencesAt(5);
    expect(mapped?.areas.common).toEqual(page);
    expect(mapped?.areas.beyond).toEqual([
      [],
      [{ start: 0xfffc_0000n, last: 0xffff_efffn }],
      [{ start: 0xfffc_0000n, last: 0xffff_efffn }],
    ]);
    expect(mapped?.mappedDifferently).toEqual(page);
  });
});

describe('a comparison', () => {
  it('runs each model as a replay of its own', () => {
    const session = read(mixed);
    const comparison = compare(session, ['iommufd', 'iommufd-rfc']);
    for (const [i, name] of comparison.models.entries()) {
      const made = createModel(session.header, name);
      if (!made.ok) throw new Error(made.message);
      const steps = [...replay(session, made.model)];
      expect([...comparison.steps()].map(({ runs }) => runs[i])).toEqual(steps);
      const state = comparison.statesAt(session.events.length)[i];
      expect(state && snapshot(state)).toEqual(snapshot(made.model));
    }
  });

  it('agrees with itself', () => {
    const session = read(mixed);
    const comparison = compare(session, ['iommufd', 'iommufd']);
    expect([...comparison.steps()].every(({ disagreement }) => disagreement === 'none')).toBe(true);
    expect(comparison.differencesAt(session.events.length).every(({ same }) => same)).toBe(true);
  });

  it('tells in which way models differ, the gravest first', () => {
    const session = newSession({ model: 'iommufd' });
    const map = (iova: bigint, length: bigint, user = 0x10_0000n): Operation => ({
      op: 'ioas.map',
      ioas: 'a',
      flags: ['fixed', 'read'],
      user_va: A(user),
      length: A(length),
      iova: A(iova),
    });
    session.events.push(
      { op: 'ioas.alloc', ioas: 'a' },
      map(0x1000n, 0x1000n),
      map(0x1000n, 0x1000n),
      { op: 'ioas.allow_iovas', ioas: 'a', ranges: [[A(0x20_0000n), A(0x2f_ffffn)]] },
      { op: 'ioas.map', ioas: 'a', flags: ['read'], user_va: A(0x10_0000n), length: A(0x1000n) },
      { op: 'ioas.unmap', ioas: 'a', iova: A(0n), length: A(0x3000n) },
      { kind: 'host', name: 'fact' },
      { op: 'access.pin', access: 'x', pin: 'p', iova: A(0n), length: A(1n), write: false },
    );
    const comparison = compare(session, ['iommufd', 'iommufd-rfc']);
    expect([...comparison.steps()].map(({ index, disagreement, fields }) => [index, disagreement, ...fields])).toEqual([
      [0, 'none'],
      [1, 'none'],
      [2, 'errno', 'ret'],
      [3, 'missing'],
      [4, 'answer', 'iova'],
      [5, 'verdict'],
      [7, 'none'],
    ]);
    expect(comparison.stepAt(6)).toBeUndefined();
    expect(comparison.firstDivergence()?.index).toBe(2);
    expect(comparison.firstDivergence(0, ['verdict'])?.index).toBe(5);
    expect(comparison.firstDivergence(0, ['missing'])?.index).toBe(3);
    expect(comparison.firstDivergence(6)).toBeUndefined();
  });

  it('is lazy, follows a session that grows, and forgets an end that is replaced', () => {
    const whole = read(rfc);
    const session: Session = { ...whole, events: whole.events.slice(0, 1), lines: [] };
    const comparison = compare(session, ['iommufd-rfc', 'iommufd']);
    expect([...comparison.steps()].length).toBe(1);
    session.events.push({ op: 'ioas.alloc', ioas: 'another' });
    expect(comparison.differencesAt(2).map(({ id }) => id)).toEqual(['ioas1', 'another']);
    session.events.splice(1);
    comparison.truncate(1);
    session.events.push({ op: 'ioas.destroy', ioas: 'ioas1' });
    expect(comparison.stepAt(1)?.runs[0]?.op).toBe('ioas.destroy');
    expect(comparison.differencesAt(2)).toEqual([]);
  });

  it('takes valid ranges for usable where the model knows them', () => {
    const session = newSession({ model: 'type1' });
    session.events.push({ op: 'container.open', container: 'c', model: 'type1' });
    const [difference] = compare(session, ['type1', 'iommufd']).differencesAt(1);
    // Nothing may be mapped in a container without a group; an empty IOAS takes everything.
    expect(difference?.present).toEqual([true, true]);
    expect(difference?.usable.beyond).toEqual([[], [{ start: 0n, last: 0xffff_ffff_ffff_ffffn }]]);
  });

  it('says that a space is missing in one of the models', () => {
    const session = read(qemu);
    session.events.push({ op: 'ioas.destroy', ioas: 'viommu' });
    const comparison = compare(session, ['iommufd', 'type1']);
    // A container closes with its groups; an IOAS in use stays.
    expect(comparison.stepAt(5)?.disagreement).toBe('verdict');
    const [difference] = comparison.differencesAt(6);
    expect(difference).toMatchObject({ present: [true, false], same: false });
    expect(difference?.areas.beyond).toEqual([[{ start: 0xfffc_0000n, last: 0xffff_ffffn }], []]);
  });

  it('needs two models that exist', () => {
    const session = newSession();
    expect(SessionComparison.create(session, ['iommufd'])).toMatchObject({
      ok: false,
      message: expect.stringMatching(/two/),
    });
    expect(SessionComparison.create(session, ['iommufd', 'zircon'])).toMatchObject({
      ok: false,
      message: expect.stringMatching(/zircon/),
    });
  });
});
