import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import type { SessionEvent } from '../../session/events.ts';
import { contentsOf } from '../answer/contents.ts';
import { findConflicts } from '../conflicts/find-conflicts.ts';
import { commonSpace } from '../space/common-space.ts';
import { buildHost } from './build-host.ts';
import { provenanceOf } from './host.ts';
import { MappingState } from './mapping-state.ts';
import { factAt, type MappingSet, mappingSets } from './mappings.ts';
import { isFoldable, TraceFold } from './trace-fold.ts';

/** Folds all but the last `kept` mapping facts, each time that `batch` more have come. */
function folded(events: readonly SessionEvent[], batch: number, kept: number) {
  const fold = new TraceFold(kept, batch);
  for (const event of events) if (isFoldable(event)) fold.add(event);
  return fold.end();
}

interface Step {
  readonly op: 'map' | 'unmap' | 'exact';
  readonly page: number;
  readonly pages: number;
  readonly device: string | undefined;
  readonly short: boolean;
}

const step: fc.Arbitrary<Step> = fc.record({
  op: fc.constantFrom('map', 'map', 'exact', 'exact', 'unmap'),
  page: fc.nat(40),
  pages: fc.integer({ min: 1, max: 6 }),
  device: fc.constantFrom(undefined, undefined, '0000:01:00.0', '0000:02:00.0'),
  short: fc.boolean(),
});

/** A trace: unmaps are mostly of whole mappings; some maps follow each other with small gaps. */
function traceOf(steps: readonly Step[]): SessionEvent[] {
  const made: { readonly start: bigint; readonly last: bigint; readonly device: string | undefined }[] = [];
  return steps.map(({ op, page, pages, device, short }, index) => {
    const start = BigInt(page) * 0x1000n;
    const bounds = { start, last: start + BigInt(pages) * 0x1000n - 1n, device };
    const exact = op === 'exact' ? made.splice(page % Math.max(1, made.length), 1)[0] : undefined;
    const of = exact ?? bounds;
    const isMap = op === 'map' || (op === 'exact' && !exact);
    if (isMap) made.push(of);
    const size = of.last - of.start + 1n;
    return {
      kind: isMap ? 'map' : 'unmap',
      ...range(of.start, of.last),
      origin: 'ftrace',
      source: 'trace.txt',
      line: index + 1,
      time: index / 1000,
      ...(of.device === undefined ? {} : { device: of.device }),
      ...(isMap ? { paddr: of.start + 0x1_0000_0000n } : { unmapped: short ? size - 0x1000n : size }),
    } as SessionEvent;
  });
}

/** What a set contains after all of its facts, without the numbers of facts. */
function contentOf(set: MappingSet) {
  const state = new MappingState(set);
  state.seek(Number.POSITIVE_INFINITY);
  const layers = state
    .layers()
    .map((layer) => layer.map(({ start, last, fact }) => ({ start, last, from: provenanceOf(factAt(set, fact)) })));
  return { key: set.key, title: set.title, note: set.note, layers };
}

const byKey = (a: MappingSet, b: MappingSet) => (a.key < b.key ? -1 : 1);

/** The conflicts of sets on a host, without their ids, which contain numbers of facts. */
function conflictsOf(sets: readonly MappingSet[], faults: readonly SessionEvent[] = []) {
  const host = buildHost('h', 'h', faults);
  const mappings = sets.map((set) => {
    const state = new MappingState(set);
    state.seek(Number.POSITIVE_INFINITY);
    return state;
  });
  const found = findConflicts({ space: commonSpace(host, []), mappings, guests: [] });
  return {
    conflicts: found.map(({ id: _, ...conflict }) => conflict),
    contents: contentsOf(host, mappings),
  };
}

describe('a folded trace', () => {
  const trace = fc.array(step, { minLength: 1, maxLength: 120 });
  const batch = fc.integer({ min: 1, max: 40 });

  test('has the same mappings, layers, counts and conflicts as one that is kept whole', () => {
    fc.assert(
      fc.property(trace, batch, fc.nat(30), (steps, size, kept) => {
        const events = traceOf(steps);
        const whole = mappingSets(events).toSorted(byKey);
        const sets = folded(events, size, kept).sets.toSorted(byKey);
        expect(sets.map(contentOf)).toEqual(whole.map(contentOf));
        expect(conflictsOf(sets)).toEqual(conflictsOf(whole));
      }),
      { numRuns: 400 },
    );
  });

  test('says of a fault that an earlier mapping of its address would not be seen, and claims nothing about it', () => {
    const bounds = range(0x10_0000n, 0x10_0fffn);
    const other = range(0x90_0000n, 0x90_0fffn);
    const at = (kind: 'map' | 'unmap', time: number, of = bounds) =>
      ({ kind, ...of, origin: 'ftrace', source: 't', line: time, time }) as SessionEvent;
    const events = [at('map', 1), at('unmap', 2), at('map', 7, other), at('map', 9)];
    const fault = { kind: 'fault', address: bounds.start, time: 3, source: 'log', line: 1 } as SessionEvent;
    const [whole] = conflictsOf(mappingSets(events), [fault]).conflicts;
    expect(whole?.answer).toContain('use after unmap');
    const [conflict] = conflictsOf(folded(events, 1, 1).sets, [fault]).conflicts;
    expect(conflict?.answer).toContain('The first 3 mapping events of the trace are only counted');
    expect(conflict?.answer).not.toMatch(/use (?:after|before)/);
    expect(conflict?.message).toContain('are only counted');
  });

  test('keeps the last events one by one, and of the earlier ones only mappings that still exist', () => {
    fc.assert(
      fc.property(trace, batch, fc.nat(30), (steps, size, kept) => {
        const events = traceOf(steps);
        const { facts, left, sets, folded: count, until } = folded(events, size, kept);
        const from = events.length > 2 * kept ? events.length - kept : 0;
        expect([count, until]).toEqual([from, events[from - 1]]);
        expect(facts.slice(left)).toEqual(events.slice(from).map((fact, i) => ({ number: from + i, fact })));
        expect(left).toBe(sets.reduce((sum, set) => sum + (set.folded?.live ?? 0), 0));
        // What is left of a map has its line.
        for (const { number, fact } of facts) expect(fact.line).toBe(number + 1);
        for (const { facts: own, positions } of sets) {
          expect(positions.map((index) => facts[index]?.fact)).toEqual(own);
        }
      }),
    );
  });

  test('counts where was mapped', () => {
    fc.assert(
      fc.property(trace, batch, (steps, size) => {
        const events = traceOf(steps);
        for (const { folded: part } of folded(events, size, 0).sets) {
          if (!part) throw new Error('nothing was folded');
          expect(part.density.reduce((sum, { maps }) => sum + maps, 0)).toBe(part.maps);
          for (const [index, { start }] of part.density.entries()) {
            expect(start > (part.density[index - 1]?.last ?? -1n)).toBe(true);
          }
        }
      }),
    );
  });

  test('counts when all of its events happened, and those that are earlier than one before them in their set', () => {
    fc.assert(
      fc.property(trace, batch, fc.nat(30), fc.array(fc.nat(200), { maxLength: 120 }), (steps, size, kept, late) => {
        const events = traceOf(steps).map((event, i) => ({ ...event, time: (late[i] ?? i + 200) / 1000 }));
        const { times, unordered, sets } = folded(events, size, kept);
        expect(times?.counts.reduce((sum, count) => sum + count, 0)).toBe(events.length);
        const expected = mappingSets(events.map((event) => ({ ...event, time: undefined }))).map(({ facts }) => {
          const inOrder = facts.map(({ line = 0 }) => events[line - 1]?.time ?? 0);
          return inOrder.filter((time, i) => inOrder.slice(0, i).some((before) => before > time)).length;
        });
        expect(sets.length).toBe(expected.length);
        expect(unordered.count).toBe(expected.reduce((sum, count) => sum + count, 0));
        expect(unordered.first === undefined).toBe(unordered.count === 0);
      }),
    );
  });
});
