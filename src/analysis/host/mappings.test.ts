import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import type { SessionEvent } from '../../session/events.ts';
import { MappingState, mappingSets } from './mappings.ts';

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
