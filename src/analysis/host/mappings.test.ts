import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import type { SessionEvent } from '../../session/events.ts';
import { MappingState, walkMappings } from './mapping-state.ts';
import { factAt, isMap, MappingCollector, type MappingFact, mappingSets, tookEffect } from './mappings.ts';

const map = (start: bigint, last: bigint, more: object = {}): SessionEvent =>
  ({ kind: 'map', ...range(start, last), origin: 'ftrace', source: 't', ...more }) as SessionEvent;
const unmap = (start: bigint, last: bigint, more: object = {}): SessionEvent =>
  ({ kind: 'unmap', ...range(start, last), origin: 'ftrace', source: 't', ...more }) as SessionEvent;
const request = (op: 'map' | 'unmap', start: bigint, last: bigint, result: 0 | string = 0): SessionEvent => ({
  kind: 'request',
  op,
  api: 'vfio',
  ...range(start, last),
  result,
  source: 'q',
});

function stateOf(events: readonly SessionEvent[], position = events.length): MappingState {
  const [set] = mappingSets(events);
  if (!set) throw new Error('no mappings');
  const state = new MappingState(set);
  state.seek(position);
  return state;
}

const drawn = (state: MappingState) => state.layers().map((layer) => layer.map(({ start, last }) => [start, last]));

describe('sets', () => {
  describe('of a trace with events of the DMA API', () => {
    const NIC = { device: '0000:01:00.0' };

    test('are by device: events of the IOMMU that a device has too are left out of the unknown ones', () => {
      const sets = mappingSets([
        map(0xf000n, 0xffffn, { time: 1 }),
        map(0xf200n, 0xf3ffn, { ...NIC, time: 1.1 }),
        map(0x5000n, 0x5fffn, { time: 1.2 }),
        unmap(0xf200n, 0xf3ffn, { ...NIC, time: 2 }),
        unmap(0xf000n, 0xffffn, { time: 2.1 }),
      ]);
      expect(
        sets.map(({ title, facts }) => [title, facts.map(({ kind, start }) => `${kind} ${start.toString(16)}`)]),
      ).toEqual([
        ['0000:01:00.0', ['map f200', 'unmap f200']],
        ['kernel trace', ['map 5000']],
      ]);
      expect(sets.map(({ positions }) => positions)).toEqual([[2, 4], [3]]);
    });

    test('a buffer may be of several events of the IOMMU, but a whole trace of them is not of one buffer', () => {
      const chunks = [0n, 1n, 2n].map((i) => map(0x10000n + (i << 12n), 0x10fffn + (i << 12n)));
      expect(mappingSets([...chunks, map(0x10000n, 0x12fffn, NIC)]).map(({ title }) => title)).toEqual([
        '0000:01:00.0',
      ]);
      const wide = [map(0n, 0xf_ffffn), map(0x10000n, 0x12fffn, NIC)];
      expect(mappingSets(wide).map(({ title }) => title)).toEqual(['0000:01:00.0', 'kernel trace']);
      const other = [map(0x10000n, 0x12fffn), map(0x10000n, 0x12fffn, { ...NIC, source: 'other' })];
      expect(mappingSets(other)).toHaveLength(2);
      const undone = [map(0x10000n, 0x12fffn), unmap(0x10000n, 0x12fffn, NIC)];
      expect(mappingSets(undone)).toHaveLength(2);
    });

    test('two mappings of an address, of which one names a device, are two: another domain has the other', () => {
      const page = (paddr: bigint, more = {}) => map(0xf000n, 0xffffn, { paddr, ...more });
      const titles = (...events: SessionEvent[]) =>
        mappingSets(events).map(({ title, facts }) => [title, facts.length]);
      const nic = map(0xf200n, 0xf3ffn, { ...NIC, paddr: 0x5200n });
      expect(titles(page(0x5000n), nic)).toEqual([['0000:01:00.0', 1]]);
      expect(titles(page(0x8000n), page(0x5000n), nic)).toEqual([
        ['0000:01:00.0', 1],
        ['kernel trace', 1],
      ]);
      expect(titles(map(0xf000n, 0xffffn), map(0xf000n, 0xffffn), nic)).toEqual([
        ['0000:01:00.0', 1],
        ['kernel trace', 1],
      ]);
      // One address, used again and again.
      const use = [page(0x5000n), nic, unmap(0xf000n, 0xffffn), unmap(0xf200n, 0xf3ffn, NIC)];
      expect(titles(...use, ...use, ...use)).toEqual([['0000:01:00.0', 6]]);
    });

    test('of a live host are the same, whenever it reports what it traces', () => {
      const event = fc.record({
        isMap: fc.boolean(),
        page: fc.nat(3),
        isNamed: fc.boolean(),
        updates: fc.nat({ max: 2 }),
      });
      fc.assert(
        fc.property(fc.array(event, { maxLength: 60 }), (list) => {
          const events = list.map(({ isMap, page, isNamed }) => {
            const start = BigInt(page) << 12n;
            return (isMap ? map : unmap)(start, start + 0xfffn, isNamed ? NIC : {});
          });
          const live = new MappingCollector();
          for (const [i, one] of events.entries()) live.add(one, i + 1);
          let sets = live.growing();
          if (live.isWaiting) sets = live.growing();
          expect(live.isWaiting).toBe(false);
          expect(sets).toEqual(mappingSets(events));
          // An update between two events of a pair shows the first; what has a device is never lost.
          const often = new MappingCollector();
          for (const [i, one] of events.entries()) {
            often.add(one, i + 1);
            for (let n = list[i]?.updates ?? 0; n > 0; n--) often.growing();
          }
          const named = (all: readonly { title: string; facts: readonly MappingFact[] }[]) =>
            all.filter(({ title }) => title === NIC.device).map(({ facts }) => facts);
          expect(named(often.all())).toEqual(named(mappingSets(events)));
          for (const { positions } of often.all()) expect(positions).toEqual([...positions].sort((a, b) => a - b));
        }),
      );
    });

    test('a long trace without events of the DMA API keeps all of its events, in their order', () => {
      const events = Array.from({ length: 70_000 }, (_, i) => map(BigInt(i) << 12n, (BigInt(i) << 12n) + 0xfffn));
      const live = new MappingCollector();
      for (const [i, event] of events.entries()) live.add(event, i + 1);
      expect(live.growing()[0]?.facts.length).toBeLessThan(70_000);
      expect(live.growing()[0]?.facts).toEqual(events);
    });

    test('far away in the trace it is another use of the address', () => {
      const between = Array.from({ length: 40 }, (_, i) =>
        map(0x100_0000n + BigInt(i << 12), 0x100_0fffn + BigInt(i << 12), NIC),
      );
      const sets = mappingSets([map(0x1000n, 0x1fffn), ...between, map(0x1000n, 0x1fffn, NIC)]);
      expect(sets.map(({ title }) => title)).toEqual(['0000:01:00.0', 'kernel trace']);
    });
  });

  test('what names a domain is apart from what does not, and sources are apart', () => {
    const sets = mappingSets([
      map(0n, 0xfffn),
      map(0n, 0xfffn, { origin: 'page-table', device: '0000:05:00.0', domain: '0x1000' }),
      map(0n, 0xfffn, { source: 'other' }),
      request('map', 0n, 0xfffn),
    ]);
    expect(sets.map(({ title, isOneDomain, isSnapshot }) => [title, isOneDomain, isSnapshot])).toEqual([
      ['0000:05:00.0', true, true],
      ['kernel trace', false, false],
      ['kernel trace', false, false],
      ['requests to VFIO', true, false],
    ]);
  });

  test('facts with times are put into the order of time, also across the position', () => {
    const events = [unmap(0n, 0xfffn, { time: 2 }), map(0n, 0xfffn, { time: 1 }), map(0x5000n, 0x5fffn, { time: 3 })];
    expect(drawn(stateOf(events))).toEqual([[[0x5000n, 0x5fffn]]]);
    // The unmap stands first but happened second: after one event nothing is mapped yet.
    expect(drawn(stateOf(events, 1))).toEqual([]);
  });
});

describe('a state', () => {
  test('domains that nobody names: overlapping maps lie in layers, an unmap takes its own', () => {
    const events = [map(0n, 0x1fffn), map(0n, 0x1fffn), map(0x8000n, 0x8fffn), unmap(0n, 0x1fffn)];
    expect(drawn(stateOf(events, 3))).toEqual([
      [
        [0n, 0x1fffn],
        [0x8000n, 0x8fffn],
      ],
      [[0n, 0x1fffn]],
    ]);
    expect(drawn(stateOf(events))).toEqual([[[0x8000n, 0x8fffn]], [[0n, 0x1fffn]]]);
  });

  test('an unmap of a part leaves the rest, and is noted', () => {
    const state = stateOf([request('map', 0n, 0x3fffn), request('unmap', 0x1000n, 0x1fffn)]);
    expect(drawn(state)).toEqual([
      [
        [0n, 0xfffn],
        [0x2000n, 0x3fffn],
      ],
    ]);
    expect(state.cuts).toEqual([{ fact: 1, mapping: { start: 0n, last: 0x3fffn } }]);
  });

  test('what was refused changes nothing; a map over a mapping of one domain is noted', () => {
    const state = stateOf([
      request('map', 0n, 0xfffn),
      request('map', 0n, 0xfffn, '-EEXIST'),
      request('map', 0x800n, 0x17ffn),
    ]);
    expect(state.size).toBe(2);
    expect(state.overlaps).toEqual([{ fact: 2, mapping: { start: 0n, last: 0xfffn } }]);
  });

  test('the neighbours of an address', () => {
    const state = stateOf([map(0x1000n, 0x1fffn), map(0x4000n, 0x4fffn), map(0x9000n, 0x9fffn)]);
    expect(state.nearest(0x6000n)).toMatchObject({ below: { last: 0x4fffn }, above: { start: 0x9000n } });
    expect(state.nearest(0n)).toMatchObject({ above: { start: 0x1000n } });
    expect(state.nearest(0n).below).toBeUndefined();
    expect(state.nearest(0xffff_ffff_ffff_ffffn)).toMatchObject({ below: { last: 0x9fffn } });
  });

  test('at any position it is what running the first events gives, however one gets there', () => {
    const step = fc.record({
      isMap: fc.boolean(),
      start: fc.integer({ min: 0, max: 30 }),
      length: fc.integer({ min: 1, max: 8 }),
    });
    fc.assert(
      fc.property(
        fc.array(step, { minLength: 1, maxLength: 40 }),
        fc.array(fc.nat(40), { maxLength: 6 }),
        (steps, jumps) => {
          const events = steps.map(({ isMap, start, length }) =>
            (isMap ? map : unmap)(BigInt(start), BigInt(start + length - 1)),
          );
          const [set] = mappingSets(events);
          if (!set) throw new Error('no set');
          const walker = new MappingState(set);
          for (const jump of jumps) {
            const position = Math.min(jump, events.length);
            walker.seek(position);
            const fresh = new MappingState(set);
            fresh.seek(position);
            expect(walker.layers()).toEqual(fresh.layers());
            expect(walker.cuts).toEqual(fresh.cuts);
            // Addresses that are mapped somewhere: as counting maps and unmaps of each byte without layers gives.
            for (const layer of fresh.layers()) {
              for (const [i, m] of layer.entries()) expect(i === 0 || (layer[i - 1]?.last ?? 0n) < m.start).toBe(true);
            }
          }
        },
      ),
    );
  });
});

describe('names of sets', () => {
  const heads = (...events: SessionEvent[]) =>
    mappingSets(events).map(({ key, title, note, isOneDomain, isSnapshot }) => [
      key,
      title,
      note,
      isOneDomain,
      isSnapshot,
    ]);

  test('requests by interface and source', () => {
    expect(
      heads(request('map', 0n, 0xfffn), { ...request('map', 0n, 0xfffn), api: 'iommufd' } as SessionEvent),
    ).toEqual([
      ['request iommufd q', 'requests to iommufd', 'q', true, false],
      ['request vfio q', 'requests to VFIO', 'q', true, false],
    ]);
    const refused = { ...request('map', 0x1000n, 0x1fffn), api: 'iommufd', result: '-EEXIST' } as SessionEvent;
    // Only what fails is printed with its ioctl: successes of the same log are of the same address space.
    const [joined, ...others] = mappingSets([request('map', 0n, 0xfffn), refused, request('map', 0x2000n, 0x2fffn)]);
    expect([joined?.title, joined?.positions, others]).toEqual(['requests to iommufd', [1, 2, 3], []]);
    const { source: _, ...unnamed } = request('map', 0n, 0xfffn) as { source?: string };
    expect(heads(unnamed as SessionEvent)[0]?.[0]).toBe('request vfio this session');
  });

  test('facts by device and domain, else by origin and source', () => {
    expect(heads(map(0n, 1n, { device: 'd', domain: '7' }))).toEqual([
      ['ftrace d 7', 'd', 'kernel trace 7', true, false],
    ]);
    expect(heads(map(0n, 1n, { device: 'd' }))).toEqual([['ftrace d undefined', 'd', 'kernel trace', true, false]]);
    expect(heads(map(0n, 1n, { domain: '7' }))).toEqual([
      ['ftrace undefined 7', 'domain 7', 'kernel trace', true, false],
    ]);
    expect(heads(map(0n, 1n))).toEqual([
      ['ftrace in t', 'kernel trace', 't: device and domain unknown, may be several domains', false, false],
    ]);
    expect(heads(map(0n, 1n, { origin: 'qemu' }))).toEqual([['qemu in t', 'QEMU memory listener', 't', true, false]]);
    expect(heads(map(0n, 1n, { origin: 'dyndbg' }))[0]?.[1]).toBe('kernel log');
    expect(heads(map(0n, 1n, { origin: 'other' }))[0]?.[1]).toBe('other');
    expect(heads(map(0n, 1n, { origin: undefined }))[0]?.[1]).toBe('unknown origin');
    expect(heads(map(0n, 1n, { origin: 'page-table' }))[0]?.slice(3)).toEqual([false, true]);
  });

  test('facts of one set in a row, interrupted, and again', () => {
    const sets = mappingSets([
      map(0n, 1n),
      map(2n, 3n),
      map(0x90_0000n, 0x90_0001n, { device: 'd' }),
      map(4n, 5n),
      map(0x90_0000n, 0x90_0001n, { device: 'd', domain: '7' }),
      map(6n, 7n, { source: 'u' }),
      request('map', 0n, 1n),
      { kind: 'group', group: '1', devices: [] },
      request('map', 2n, 3n),
      { ...request('map', 4n, 5n), api: 'iommufd' } as SessionEvent,
    ]);
    expect(sets.map(({ key, positions }) => [key, positions])).toEqual([
      ['ftrace d undefined', [3]],
      ['ftrace d 7', [5]],
      ['ftrace in t', [1, 2, 4]],
      ['ftrace in u', [6]],
      ['request iommufd q', [10]],
      ['request vfio q', [7, 9]],
    ]);
  });
});

test('facts in a row that differ in one thing belong to different sets', () => {
  const base = { origin: 'ftrace', source: 't', device: 'd', domain: '1' };
  for (const more of [{ origin: 'dyndbg' }, { device: 'e' }, { domain: '2' }]) {
    expect(mappingSets([map(0n, 1n, base), map(2n, 3n, { ...base, ...more })])).toHaveLength(2);
  }
  // A named domain is one set, whatever the source.
  expect(mappingSets([map(0n, 1n, base), map(2n, 3n, { ...base, source: 'u' })])).toHaveLength(1);
  expect(mappingSets([map(0n, 1n), map(2n, 3n, { origin: 'dyndbg' })])).toHaveLength(2);
  expect(mappingSets([map(0n, 1n), map(2n, 3n, { source: 'u' })])).toHaveLength(2);
  expect(
    mappingSets([request('map', 0n, 1n), { ...request('map', 0n, 1n), source: 'r' } as SessionEvent]),
  ).toHaveLength(2);
});

describe('the order of facts', () => {
  const order = (...events: SessionEvent[]) => {
    const [set] = mappingSets(events);
    return set ? [set.facts.map(({ start }) => start), set.positions] : [];
  };

  test('by time, if all have one; positions never go back', () => {
    expect(
      order(map(1n, 1n, { time: 3 }), map(2n, 2n, { time: 1 }), map(3n, 3n, { time: 2 }), map(4n, 4n, { time: 4 })),
    ).toEqual([
      [2n, 3n, 1n, 4n],
      [2, 3, 3, 4],
    ]);
  });

  test('as in the source if one has no time, or the times are equal', () => {
    expect(order(map(1n, 1n, { time: 3 }), map(2n, 2n), map(3n, 3n, { time: 2 }))).toEqual([
      [1n, 2n, 3n],
      [1, 2, 3],
    ]);
    expect(order(map(1n, 1n, { time: 2 }), map(2n, 2n, { time: 2 }))).toEqual([
      [1n, 2n],
      [1, 2],
    ]);
    expect(order(request('map', 1n, 1n), request('map', 0n, 0n))[0]).toEqual([1n, 0n]);
  });

  test('a collector gives the sets as they come, without sorting', () => {
    const collector = new MappingCollector();
    collector.add(map(1n, 1n, { time: 3 }), 1);
    collector.add(map(2n, 2n, { time: 1 }), 2);
    expect(collector.all()[0]?.facts.map(({ start }) => start)).toEqual([1n, 2n]);
    expect(collector.sorted()[0]?.facts.map(({ start }) => start)).toEqual([2n, 1n]);
  });
});

describe('walking', () => {
  test('gives each fact with the state after it', () => {
    const [set] = mappingSets([
      request('map', 0n, 0xfffn),
      request('map', 0n, 0xfffn, '-EEXIST'),
      request('unmap', 0n, 0xfffn),
    ]);
    if (!set) throw new Error('a set');
    const seen = [...walkMappings(set)].length;
    const sizes: number[] = [];
    for (const { fact, state } of walkMappings(set)) {
      expect(fact.kind).toBe('request');
      sizes.push(state.size);
    }
    expect([seen, sizes]).toEqual([3, [1, 1, 0]]);
  });

  test('a fact that does not exist is an error', () => {
    const [set] = mappingSets([map(0n, 1n)]);
    if (!set) throw new Error('a set');
    expect(factAt(set, 0)).toBe(set.facts[0]);
    expect(() => factAt(set, 1)).toThrow('mapping set ftrace in t has 1 facts, none at 1');
    expect(() => factAt(set, -1)).toThrow(RangeError);
  });

  test('seeking back and forth, exactly to a position', () => {
    const [set] = mappingSets([map(0n, 0n), map(2n, 2n), map(4n, 4n)]);
    if (!set) throw new Error('a set');
    const state = new MappingState(set);
    for (const position of [2, 3, 1, 0, 3, 2]) {
      state.seek(position);
      expect(state.size).toBe(position);
    }
    state.seek(99);
    expect([state.size, state.step()]).toEqual([3, undefined]);
  });

  test('going back forgets what was noted', () => {
    const [set] = mappingSets([request('map', 0n, 3n), request('unmap', 0n, 1n), request('map', 3n, 4n)]);
    if (!set) throw new Error('a set');
    const state = new MappingState(set);
    state.seek(3);
    expect([state.cuts.length, state.overlaps.length]).toEqual([1, 1]);
    state.seek(1);
    expect([state.cuts, state.overlaps, state.size]).toEqual([[], [], 1]);
  });
});

describe('unmaps', () => {
  test('of a part: below, above, inside, both sides', () => {
    const left = (start: bigint, last: bigint) => {
      const state = stateOf([request('map', 0x10n, 0x1fn), request('unmap', start, last)]);
      return [drawn(state), state.cuts.length];
    };
    expect(left(0n, 0x13n)).toEqual([[[[0x14n, 0x1fn]]], 1]);
    expect(left(0x18n, 0xffn)).toEqual([[[[0x10n, 0x17n]]], 1]);
    expect(left(0x12n, 0x13n)).toEqual([
      [
        [
          [0x10n, 0x11n],
          [0x14n, 0x1fn],
        ],
      ],
      1,
    ]);
    expect(left(0n, 0xffn)).toEqual([[], 0]);
    expect(left(0x10n, 0x1fn)).toEqual([[], 0]);
    expect(left(0n, 0xfn)).toEqual([[[[0x10n, 0x1fn]]], 0]);
    expect(left(0x20n, 0xffn)).toEqual([[[[0x10n, 0x1fn]]], 0]);
    expect(left(0x10n, 0x10n)).toEqual([[[[0x11n, 0x1fn]]], 1]);
    expect(left(0x1fn, 0x1fn)).toEqual([[[[0x10n, 0x1en]]], 1]);
  });

  test('exact: from the lowest layer that has it; else from every layer', () => {
    const events = [map(0n, 9n), map(0n, 9n), map(0n, 19n)];
    expect(drawn(stateOf([...events, unmap(0n, 19n)]))).toEqual([[[0n, 9n]], [[0n, 9n]]]);
    expect(drawn(stateOf([...events, unmap(0n, 14n)]))).toEqual([[[15n, 19n]]]);
  });

  test('layers are bounded: the oldest mapping gives way', () => {
    const same = Array.from({ length: 64 }, () => map(0n, 9n));
    expect(stateOf(same).layers()).toHaveLength(64);
    const more = stateOf([...same, map(5n, 20n)]);
    expect(more.layers()).toHaveLength(64);
    expect(more.layers()[0]).toMatchObject([{ start: 5n, last: 20n, fact: 64 }]);
  });
});

describe('the neighbors of an address', () => {
  const two = [map(0x10n, 0x1fn), map(0x30n, 0x3fn)];

  test('a mapping that contains the address is none of them', () => {
    const state = stateOf(two);
    expect(state.nearest(0x10n)).toMatchObject({ above: { start: 0x30n } });
    expect(state.nearest(0x10n).below).toBeUndefined();
    expect(state.nearest(0x1fn)).toMatchObject({ above: { start: 0x30n } });
    expect(state.nearest(0x3fn)).toMatchObject({ below: { last: 0x1fn, fact: 0 } });
    expect(state.nearest(0x3fn).above).toBeUndefined();
    expect(state.nearest(0x30n)).toMatchObject({ below: { last: 0x1fn } });
  });

  test('both ends of the space', () => {
    const state = stateOf([map(0n, 0n), map(0xffff_ffff_ffff_ffffn, 0xffff_ffff_ffff_ffffn)]);
    expect(state.nearest(0n)).toMatchObject({ above: { start: 0xffff_ffff_ffff_ffffn } });
    expect(state.nearest(0n).below).toBeUndefined();
    expect(state.nearest(1n)).toMatchObject({ below: { last: 0n } });
    expect(state.nearest(0xffff_ffff_ffff_ffffn)).toMatchObject({ below: { last: 0n } });
    expect(state.nearest(0xffff_ffff_ffff_ffffn).above).toBeUndefined();
  });

  test('of several layers the nearest', () => {
    const state = stateOf([map(0n, 0xfn), map(0n, 0x13n), map(0x40n, 0x4fn), map(0x3cn, 0x4fn)]);
    expect(state.nearest(0x20n)).toMatchObject({ below: { last: 0x13n }, above: { start: 0x3cn } });
  });

  test('are those of looking at every mapping', () => {
    const step = fc.tuple(fc.integer({ min: 0, max: 60 }), fc.integer({ min: 0, max: 5 }));
    fc.assert(
      fc.property(fc.array(step, { maxLength: 20 }), fc.integer({ min: 0, max: 70 }), (steps, probe) => {
        const events = steps.map(([start, more]) => map(BigInt(start), BigInt(start + more)));
        if (events.length === 0) return;
        const state = stateOf(events);
        const all = state.layers().flat();
        const address = BigInt(probe);
        const below = all.filter(({ last }) => last < address).map(({ last }) => last);
        const above = all.filter(({ start }) => start > address).map(({ start }) => start);
        const { below: b, above: a } = state.nearest(address);
        expect(b?.last).toBe(below.length === 0 ? undefined : below.reduce((x, y) => (x > y ? x : y)));
        expect(a?.start).toBe(above.length === 0 ? undefined : above.reduce((x, y) => (x < y ? x : y)));
        expect(state.overlapping(address, address + 2n).length).toBe(
          all.filter(({ start, last }) => start <= address + 2n && address <= last).length,
        );
      }),
    );
  });
});

test('what a fact is', () => {
  expect([isMap(map(0n, 1n) as MappingFact), isMap(unmap(0n, 1n) as MappingFact)]).toEqual([true, false]);
  expect([isMap(request('map', 0n, 1n) as MappingFact), isMap(request('unmap', 0n, 1n) as MappingFact)]).toEqual([
    true,
    false,
  ]);
  expect(tookEffect(map(0n, 1n) as MappingFact)).toBe(true);
  expect(tookEffect(request('map', 0n, 1n) as MappingFact)).toBe(true);
  expect(tookEffect(request('map', 0n, 1n, '-EINVAL') as MappingFact)).toBe(false);
});
