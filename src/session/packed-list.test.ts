import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { fromWords } from '../iova/address-halves.ts';
import { anyAddress, assertProperty } from '../iova/testing/arbitraries.ts';
import { addressesIn } from './addresses.ts';
import { parseEventLine } from './event-line.ts';
import type { EventList } from './event-list.ts';
import { isOperation, type SessionEvent } from './events.ts';
import { PackedList, WORDS_MAX } from './packed-list.ts';
import { writeEvent } from './write.ts';

const FOLDER = new URL('../kernel/fixtures/', import.meta.url);
const recorded = readdirSync(FOLDER).flatMap((name) => {
  const lines = readFileSync(new URL(name, FOLDER), 'utf8').trimEnd().split('\n').slice(1);
  return lines.filter((_, i) => i % 7 === 0).map((line) => parseEventLine(line).event);
});

/** The value with other addresses. */
function renumbered(value: unknown, addresses: readonly bigint[], state = { next: 0 }): unknown {
  if (typeof value === 'bigint') return addresses[state.next++ % addresses.length];
  if (Array.isArray(value)) return value.map((part) => renumbered(part, addresses, state));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, part]) => [key, renumbered(part, addresses, state)]));
}

const others: readonly SessionEvent[] = [
  { kind: 'host', name: 'lab' },
  { kind: 'reserved', start: 0n as never, last: 5n as never, type: 'msi' },
  { unknown: 'line', name: 'why' },
  parseEventLine('{"op":"ioas.alloc","ioas":"a","__proto__":{"x":1},"deep":[{"n":-0.5},null,[],{}]}').event,
  parseEventLine('{"iova":"0x1","op":"ioas.unmap","length":"0x2","ioas":"a","x":[1,"0x1",null]}').event,
  { op: 'ioas.unmap', ioas: 'a', iova: 1n as never, length: 2n as never, odd: undefined } as SessionEvent,
  { op: 'ioas.unmap', ioas: 'a', iova: -1n as never, length: (1n << 64n) as never },
  { op: 'ioas.unmap', ioas: 'a', iova: 1 as never, length: 2n as never },
];
const addresses = fc.array(anyAddress, { minLength: 1, maxLength: 3 });
const event = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.constantFrom(...recorded), addresses).map(([e, a]) => renumbered(e, a) as SessionEvent),
  },
  { weight: 1, arbitrary: fc.constantFrom(...others) },
);
const few = fc.array(event, { maxLength: 12 });
const action = fc.oneof(
  fc.record({ do: fc.constant('push' as const), events: few }),
  fc.record({
    do: fc.constant('splice' as const),
    at: fc.integer({ min: -30, max: 30 }),
    count: fc.nat(6),
    events: few,
  }),
  fc.record({ do: fc.constant('cut' as const), at: fc.integer({ min: 0, max: 40 }) }),
);

function expectSame(list: PackedList<SessionEvent>, array: readonly SessionEvent[]): void {
  expect(list.length).toBe(array.length);
  expect([...list]).toEqual(array);
  // Also the order of the fields.
  expect([...list].map(writeEvent)).toEqual(array.map((e) => writeEvent(e)));
}

describe('PackedList', () => {
  it('is like an array of the same events, after any changes', () => {
    assertProperty(
      fc.property(few, fc.array(action, { maxLength: 8 }), (first, actions) => {
        const list = new PackedList<SessionEvent>(first, isOperation);
        const array = [...first];
        for (const made of actions) {
          const before = list.copy();
          const old = [...array];
          if (made.do === 'push') expect(list.push(...made.events)).toBe(array.push(...made.events));
          else if (made.do === 'splice') {
            expect(list.splice(made.at, made.count, ...made.events)).toEqual(
              array.splice(made.at, made.count, ...made.events),
            );
          } else if (made.at % 2 === 0) expect(list.splice(made.at)).toEqual(array.splice(made.at));
          else {
            list.truncate(made.at);
            array.length = Math.min(array.length, made.at);
          }
          expectSame(list, array);
          expectSame(before, old);
          list.trim();
        }
        expectSame(list, array);
      }),
    );
  });

  it('reads like an array', () => {
    assertProperty(
      fc.property(few, fc.integer({ min: -14, max: 14 }), fc.integer({ min: -14, max: 14 }), (events, a, b) => {
        const list: EventList = new PackedList<SessionEvent>(events, isOperation);
        const isMap = (e: SessionEvent) => isOperation(e) && e.op.endsWith('map');
        expect(list.at(a)).toEqual(events.at(a));
        expect(list.slice(a, b)).toEqual(events.slice(a, b));
        expect([...list.entries()]).toEqual([...events.entries()]);
        expect(list.filter(isMap)).toEqual(events.filter(isMap));
        expect(list.find(isMap)).toEqual(events.find(isMap));
        expect(list.findIndex(isMap)).toBe(events.findIndex(isMap));
        expect([list.some(isMap), list.every(isMap)]).toEqual([events.some(isMap), events.every(isMap)]);
        const pair = (e: SessionEvent, i: number) => (i % 2 === 0 ? [e, i] : i);
        expect(list.map(pair)).toEqual(events.map(pair));
        expect(list.flatMap(pair)).toEqual(events.flatMap(pair));
        for (const [i, e] of list.unpacked?.() ?? []) expect(e).toBe(events[i]);
        const kept = new Set([...(list.unpacked?.() ?? [])].map(([i]) => i));
        for (const [i, e] of events.entries())
          if (!isOperation(e)) expect(kept.has(i) && list.indexOf(e)).toBe(events.indexOf(e));
      }),
    );
  });

  it('gives the addresses of its items in words, and takes them so', () => {
    assertProperty(
      fc.property(few, few, (first, events) => {
        const list = new PackedList<SessionEvent>(first, isOperation);
        const other = new PackedList<SessionEvent>(events, isOperation);
        const words = new Uint32Array(WORDS_MAX);
        for (const [i, e] of events.entries()) {
          const shape = list.shapeNumberOf(e);
          expect(shape === 0).toBe(other.shapeAt(i) === 0);
          const example = other.exampleOf(other.shapeAt(i));
          expect(example === undefined).toBe(shape === 0);
          if (!example) {
            list.push(e);
            continue;
          }
          const places = addressesIn(example);
          expect(places).toEqual(places.map((_, place) => BigInt(place)));
          other.readWords(i, words);
          const read = places.map((_, place) => fromWords(words[place * 2] ?? 0, words[place * 2 + 1] ?? 0));
          expect(read).toEqual(addressesIn(e));
          // Each address in the place of the next one.
          const order = places.map((_, place) => (place + 1) % places.length);
          list.pushWords(shape, words, order);
          expect(addressesIn(list.at(-1))).toEqual(order.map((place) => read[place]));
          list.splice(-1);
          list.pushWords(
            shape,
            words,
            places.map((_, place) => place),
          );
        }
        expectSame(list, [...first, ...events]);
      }),
    );
  });

  it('keeps the addresses of like events only, and frees them', () => {
    const map = (n: number) =>
      ({ op: 'ioas.unmap', ioas: 'a', iova: BigInt(n), length: 4096n }) as unknown as SessionEvent;
    const list = new PackedList<SessionEvent>();
    for (let i = 0; i < 100_000; i++) list.push(map(i));
    list.trim();
    const { bytes } = list;
    expect(bytes).toBeLessThan(100_000 * 24);
    expect([list.at(99_999), list.at(32_768)]).toEqual([map(99_999), map(32_768)]);
    for (let round = 0; round < 3; round++) {
      list.truncate(10);
      for (let i = 10; i < 100_000; i++) list.push(map(i));
    }
    list.trim();
    expect(list.bytes).toBe(bytes);
    expect([...list.unpacked()]).toEqual([]);
  });

  it('keeps as objects what has no address, or one of too many shapes', () => {
    const named = (i: number) => ({ op: 'ioas.unmap', ioas: `n${i}`, iova: 1n, length: 2n }) as unknown as SessionEvent;
    const plain = { op: 'ioas.alloc', ioas: 'a' } as const;
    const events = [plain, ...Array.from({ length: 100 }, (_, i) => named(i)), plain];
    const list = new PackedList<SessionEvent>(events);
    expect([...list]).toEqual(events);
    const kept = [...list.unpacked()].map(([i]) => i);
    expect(kept.slice(0, 2)).toEqual([0, 33]);
    expect(kept.at(-1)).toBe(101);
    expect(list.indexOf(plain)).toBe(0);
  });
});
