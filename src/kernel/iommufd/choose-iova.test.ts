import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IntervalTree } from '../../iova/interval-tree/tree.ts';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { complement, intersect, rangeSet } from '../../iova/range-set.ts';
import { anyAddress, assertProperty, shortRange } from '../../iova/testing/arbitraries.ts';
import type { PageSizes } from '../model.ts';
import { crowd, disjoint, treeOf } from '../testing/crowded.ts';
import { type Choice, chooseIova, type SearchSpace } from './choose-iova.ts';

interface Case {
  readonly areas: readonly IovaRange[];
  readonly reserved: readonly IovaRange[];
  readonly allowed: readonly IovaRange[];
  readonly alignment: bigint;
  readonly userVa: bigint;
  readonly length: bigint;
  readonly sizes: PageSizes;
}

const LINUX: PageSizes = { page: 0x1000n, hugePage: 0x200000n };

/** The rule written down plainly: every gap is looked at, in ascending order. */
function linearSearch({ areas, reserved, allowed, alignment, userVa, length, sizes }: Case, lastByte = false): Choice {
  if (length >= (1n << 63n) - 1n) return { ok: false, why: 'length-too-large' };
  let wanted = 1n;
  while (wanted < length) wanted *= 2n;
  if (userVa !== 0n) while (userVa % wanted !== 0n) wanted /= 2n;
  while (wanted > sizes.hugePage) wanted /= 2n;
  if (wanted < alignment) return { ok: false, why: 'alignment-too-small', alignment: wanted };
  const round = ({ start, last }: IovaRange): bigint | undefined => {
    const up = ((start + wanted - 1n) / wanted) * wanted;
    if (start + wanted - 1n > IOVA_MAX) return undefined;
    const place = up | (userVa % sizes.page);
    return (place < last || (lastByte && place === last)) && last - place >= length - 1n ? place : undefined;
  };
  const window: IovaRange = { start: sizes.page as Iova, last: (IOVA_MAX - sizes.page) as Iova };
  const taken = rangeSet([...areas, ...reserved]);
  for (const span of allowed.length > 0 ? intersect(rangeSet(allowed), [window]) : [window]) {
    const start = round(span);
    if (start === undefined) continue;
    for (const gap of complement(taken, { start: start as Iova, last: span.last })) {
      const place = round(gap);
      if (place !== undefined) return { ok: true, iova: place as Iova };
    }
  }
  return { ok: false, why: 'no-space', alignment: wanted };
}

function roomOf({ areas, reserved, allowed, alignment }: Case): SearchSpace {
  return { areas: treeOf(areas), reserved: treeOf(reserved), allowed: treeOf(allowed), alignment };
}

const tight: fc.Arbitrary<Case> = fc
  .constantFrom(0n, 0x1_0000_0000n - 0x400n, 1n << 53n, 1n << 63n, IOVA_MAX - 0xfffn)
  .chain((base) =>
    fc.record({
      areas: crowd(base, 0x10n, 40).map(disjoint),
      reserved: fc.oneof(crowd(base, 0x10n, 6), fc.array(shortRange, { maxLength: 4 })),
      // Everything but a crowd at the edge is out of bounds, so that the search has to go there.
      allowed: fc.oneof(
        crowd(base, 0x20n, 8).map(disjoint),
        fc.constant([{ start: base as Iova, last: (base > IOVA_MAX - 0x1000n ? IOVA_MAX : base + 0x1000n) as Iova }]),
        fc.constant([]),
      ),
      alignment: fc.constantFrom(1n, 1n, 2n, 8n, 0x10n),
      userVa: fc.oneof(
        fc.constant(0n),
        fc.nat({ max: 0x400 }).map((n) => 0x10_0000n + BigInt(n)),
        fc.nat({ max: 0x40 }).map((n) => 0x10_0000n + BigInt(n) * 0x10n),
      ),
      length: fc.oneof(
        fc.nat({ max: 0x80 }).map((n) => BigInt(n) + 1n),
        fc.nat({ max: 8 }).map((n) => BigInt(n) * 0x10n + 0x10n),
        anyAddress.map((n) => (n === 0n ? 1n : n)),
      ),
      sizes: fc.constantFrom({ page: 0x10n, hugePage: 0x40n }, { page: 0x20n, hugePage: 0x1000n }),
    }),
  );

describe('chooseIova', () => {
  it('answers what a search through every gap answers', () => {
    assertProperty(
      fc.property(tight, (c) => {
        expect(chooseIova(roomOf(c), c.userVa, c.length, c.sizes)).toEqual(linearSearch(c));
      }),
      { numRuns: 2000 },
    );
  });

  it.each([true, false])(
    'answers so however the areas changed since it last searched (before 6.17: %s)',
    (unlimited) => {
      const sizes = { page: 0x20n, hugePage: 0x1000n };
      const base = 0x1_0000_0000n - 0x400n;
      const step = fc.record({
        op: fc.constantFrom('map', 'map', 'map', 'unmap', 'choose', 'choose'),
        at: fc.nat({ max: 0x1ff }),
        length: fc.integer({ min: 1, max: 12 }),
        offset: fc.nat({ max: 31 }),
      });
      assertProperty(
        fc.property(fc.array(step, { maxLength: 300, size: 'max' }), crowd(base, 0x10n, 4), (steps, reserved) => {
          const areas = new IntervalTree(4);
          let known: IovaRange[] = [];
          const allowed = [{ start: base as Iova, last: (base + 0x7ffn) as Iova }];
          const room = {
            ...roomOf({ areas: [], reserved, allowed, alignment: 1n, userVa: 0n, length: 1n, sizes }),
            areas,
          };
          for (const [i, { op, at, length, offset }] of steps.entries()) {
            const start = base + BigInt(at * 4);
            if (op === 'map') {
              const area = { start, last: start + BigInt(length) - 1n } as IovaRange;
              if (areas.overlapsAny(area.start, area.last)) continue;
              areas.insert(area.start, area.last, i);
              known.push(area);
            } else if (op === 'unmap') {
              const gone = known[at % Math.max(1, known.length)];
              if (!gone) continue;
              areas.remove(gone.start, gone.last, areas.find(gone.start, gone.last) ?? 0);
              known = known.filter((area) => area !== gone);
            } else {
              const wanted = BigInt(length * 2);
              const userVa = 0x10_0000n + BigInt(offset);
              const c: Case = { areas: known, reserved, allowed, alignment: 1n, userVa, length: wanted, sizes };
              expect(chooseIova(room, userVa, wanted, sizes, { unlimited })).toEqual(linearSearch(c, unlimited));
            }
          }
          areas.verify();
        }),
        { numRuns: 300 },
      );
    },
  );

  it('answers so with pages larger than a word of address too', () => {
    assertProperty(
      fc.property(anyAddress, anyAddress, fc.array(shortRange, { maxLength: 6 }), (userVa, length, reserved) => {
        const sizes = { page: 1n << 20n, hugePage: 1n << 40n };
        const c: Case = {
          areas: [],
          reserved,
          allowed: [],
          alignment: 1n,
          userVa,
          length: length || (1n as Iova),
          sizes,
        };
        expect(chooseIova(roomOf(c), userVa, c.length, sizes)).toEqual(linearSearch(c));
      }),
    );
  });

  const plain = { areas: [], reserved: [], allowed: [], alignment: 1n, sizes: LINUX };
  const choose = (c: Partial<Case> & { userVa: bigint; length: bigint }) =>
    chooseIova(roomOf({ ...plain, ...c }), c.userVa, c.length, LINUX);
  const at = (start: bigint, last: bigint): IovaRange => ({ start: start as Iova, last: last as Iova });

  it('begins at the first page, never at 0', () => {
    expect(choose({ userVa: 0x10000999d000n, length: 0x1000n })).toEqual({ ok: true, iova: 0x1000n });
  });

  it('follows the alignment of the memory up to a huge page', () => {
    expect(choose({ userVa: 0x100007200000n, length: 0x4000n })).toEqual({ ok: true, iova: 0x4000n });
    expect(choose({ userVa: 0n, length: 0x4000_0000n })).toEqual({ ok: true, iova: 0x200000n });
  });

  it('keeps the offset inside the page', () => {
    expect(choose({ userVa: 0x10000c9db9c7n, length: 0x8000n })).toEqual({ ok: true, iova: 0x19c7n });
  });

  it('takes allowed ranges that touch as one', () => {
    const allowed = [at(0x8000_0000n, 0x8000_1fffn), at(0x8000_2000n, 0x8000_3fffn)];
    expect(choose({ allowed, userVa: 0x10000000n, length: 0x4000n })).toEqual({ ok: true, iova: 0x8000_0000n });
  });

  it('leaves out the first and the last page of the space', () => {
    expect(choose({ allowed: [at(0n, 0x1fffn)], userVa: 0x1000n, length: 0x1000n })).toEqual({
      ok: true,
      iova: 0x1000n,
    });
    const top = [at(IOVA_MAX - 0xfffn, IOVA_MAX)];
    expect(choose({ allowed: top, userVa: 0x1000n, length: 0x1000n }).ok).toBe(false);
  });

  it('does not use a single byte at the end of a gap', () => {
    // The offset 1 leads to 0x5001, the last byte: refused, though one byte is all that is wanted.
    expect(choose({ allowed: [at(0x5000n, 0x5001n)], userVa: 1n, length: 1n }).ok).toBe(false);
    expect(choose({ allowed: [at(0x5000n, 0x5002n)], userVa: 1n, length: 1n })).toEqual({ ok: true, iova: 0x5001n });
  });

  it('finds a place behind many areas', () => {
    const n = 20_000;
    const starts = BigUint64Array.from({ length: n }, (_, i) => 0x1_0000_0000n + BigInt(i) * 0x3000n);
    const areas = IntervalTree.fromSorted(
      starts,
      starts.map((start) => start + 0x1fffn),
    );
    const reserved = treeOf([at(0xfee0_0000n, 0xfeef_ffffn)]);
    const room = { areas, reserved, allowed: new IntervalTree(), alignment: 1n };
    const end = 0x1_0000_0000n + BigInt(n - 1) * 0x3000n + 0x2000n;
    const iova = ((end + 0x1f_ffffn) / 0x20_0000n) * 0x20_0000n;
    expect(chooseIova(room, 0n, 0x40_0000_0000n, LINUX)).toEqual({ ok: true, iova });
  });
});
