import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isMap, type MappingFact, type MappingSet } from '../host/mappings.ts';
import { map } from '../testing/facts.ts';
import { type AddressPast, MappingHistory, type Moment, timeOf } from './mapping-history.ts';

const ADDRESS = 0x7000_0000n;

function setOf(key: string, facts: readonly MappingFact[]): MappingSet {
  return {
    key,
    title: key,
    note: '',
    isOneDomain: true,
    isSnapshot: false,
    facts,
    positions: facts.map((_, index) => index + 1),
  };
}

const event = (kind: 'map' | 'unmap', time: number | undefined, start = ADDRESS, last = start + 0xfffn): MappingFact =>
  ({ ...map(start, last), kind, ...(time === undefined ? {} : { time }) }) as MappingFact;

/** The same from all events of all sets, put in order. */
function plainly(sets: readonly MappingSet[], { address, time }: Moment): AddressPast | undefined {
  const events = sets.flatMap((set) =>
    set.facts.filter(({ start, last }) => start <= address && address <= last).map((fact) => ({ set, fact })),
  );
  if (events.length === 0) return undefined;
  const isTimed = time !== undefined && events.every(({ fact }) => timeOf(fact) !== undefined);
  if (isTimed) events.sort((a, b) => (timeOf(a.fact) ?? 0) - (timeOf(b.fact) ?? 0));
  const before = events.filter(({ fact }) => !isTimed || (timeOf(fact) ?? 0) <= time);
  const last = before.at(-1);
  return {
    mapped: before.findLast(({ fact }) => isMap(fact)),
    unmapped: last && !isMap(last.fact) ? last : undefined,
    next: events.slice(before.length).find(({ fact }) => isMap(fact)),
    isTimed,
  };
}

describe('the history of an address', () => {
  test('is known however often the address was mapped again', () => {
    const facts = Array.from({ length: 200 }, (_, i) => event(i % 2 === 0 ? 'map' : 'unmap', i));
    const moment = { address: ADDRESS, time: 3.5 };
    const set = setOf('a', facts);
    const history = new MappingHistory([set], [moment]);
    expect(history.at(moment, new Set())).toBeUndefined();
    expect(history.at(moment, new Set([set]))).toMatchObject({
      mapped: { fact: { time: 2 } },
      unmapped: { fact: { time: 3 } },
      next: { fact: { time: 4 } },
    });
  });

  test('the order of two sources is that of their times', () => {
    const own = setOf('own', [event('map', 5)]);
    const other = setOf('other', [event('map', 1), event('unmap', 3)]);
    const moment = { address: ADDRESS, time: 6 };
    const past = new MappingHistory([own, other], [moment]).at(moment, new Set([own, other]));
    expect(past?.mapped?.set).toBe(own);
    expect(past?.unmapped).toBeUndefined();
  });

  test('is what all events in order give', () => {
    const time = fc.integer({ min: 0, max: 12 });
    const page = fc.integer({ min: 0, max: 3 }).map((i) => ADDRESS + BigInt(i) * 0x1000n);
    const facts = fc
      .tuple(fc.array(fc.tuple(fc.constantFrom('map' as const, 'unmap' as const), time, page)), fc.boolean())
      .map(([events, isTimed]) => {
        const sorted = isTimed ? events.sort(([, a], [, b]) => a - b) : events;
        return sorted.map(([kind, at, start]) => event(kind, isTimed ? at : undefined, start, start + 0x1fffn));
      });
    const moments = fc.array(
      fc.record({ address: page, time: fc.option(fc.integer({ min: 0, max: 12 }), { nil: undefined }) }),
      { minLength: 1 },
    );
    fc.assert(
      fc.property(fc.array(facts, { minLength: 1, maxLength: 3 }), moments, (lists, asked) => {
        const sets = lists.map((list, i) => setOf(`set ${i}`, list));
        const history = new MappingHistory(sets, asked);
        for (const moment of asked) {
          const past = history.at(moment, new Set(sets));
          const plain = plainly(sets, moment);
          expect(past?.isTimed).toBe(plain?.isTimed);
          for (const which of ['mapped', 'unmapped', 'next'] as const) {
            expect(past?.[which]?.fact, which).toBe(plain?.[which]?.fact);
            expect(past?.[which]?.set, which).toBe(plain?.[which]?.set);
          }
        }
      }),
    );
  });
});
