import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { complement, rangeSet } from '../../iova/range-set.ts';
import { anyAddress, assertProperty, shortRange } from '../../iova/testing/arbitraries.ts';
import type { Choice } from '../iommufd/choose-iova.ts';
import { crowd, disjoint, treeOf } from '../testing/crowded.ts';
import { chooseIovaRfc } from './choose-iova.ts';

const SPACE = 1n << 64n;

interface Case {
  readonly areas: readonly IovaRange[];
  readonly reserved: readonly IovaRange[];
  readonly alignment: bigint;
  readonly userVa: bigint;
  readonly length: bigint;
  readonly page: bigint;
}

/** The search written down plainly, every sum taken modulo 2^64 as the posted code does. */
function linearSearch({ areas, reserved, alignment, userVa, length, page }: Case): Choice {
  if (length >= (1n << 63n) - 1n) return { ok: false, why: 'length-too-large' };
  let wanted = 1n;
  while (wanted < length) wanted *= 2n;
  if (userVa !== 0n) while (userVa % wanted !== 0n) wanted /= 2n;
  if (wanted < alignment) return { ok: false, why: 'alignment-too-small', alignment: wanted };
  const round = ({ start, last }: IovaRange): bigint | undefined => {
    if (last - start < length - 1n) return undefined;
    const sum = (start + wanted - 1n) % SPACE;
    const place = (sum - (sum % wanted)) | (userVa % page);
    return place <= last && last - place >= length - 1n ? place : undefined;
  };
  const window: IovaRange = { start: page as Iova, last: (IOVA_MAX - page) as Iova };
  for (const gap of complement(rangeSet(areas), window)) {
    const start = round(gap);
    if (start === undefined) continue;
    for (const rest of complement(rangeSet(reserved), { start: start as Iova, last: gap.last })) {
      const place = round(rest);
      if (place !== undefined) return { ok: true, iova: place as Iova };
    }
  }
  return { ok: false, why: 'no-space', alignment: wanted };
}

function choose({ areas, reserved, alignment, userVa, length, page }: Case): Choice {
  return chooseIovaRfc({ areas: treeOf(areas), reserved: treeOf(reserved), alignment }, userVa, length, page);
}

const at = (start: bigint, last: bigint): IovaRange => ({ start: start as Iova, last: last as Iova });

/** Everything below is mapped or reserved, so that the search has to go to a crowd at an edge of the space. */
const tight: fc.Arbitrary<Case> = fc
  .constantFrom(0n, 0x1_0000_0000n - 0x400n, 1n << 63n, IOVA_MAX - 0x7ffn, IOVA_MAX - 0xffn)
  .chain((base) =>
    fc
      .record({
        crowded: crowd(base, 0x10n, 24),
        held: fc.oneof(crowd(base, 0x10n, 6), fc.array(shortRange, { maxLength: 4 })),
        below: fc.constantFrom('areas', 'reserved', 'nothing'),
        alignment: fc.constantFrom(1n, 1n, 2n, 8n, 0x10n),
        userVa: fc.oneof(
          fc.constant(0n),
          fc.nat({ max: 0x400 }).map((n) => 0x10_0000n + BigInt(n)),
          fc.nat({ max: 0x40 }).map((n) => 0x10_0000n + BigInt(n) * 0x10n),
        ),
        length: fc.oneof(
          fc.nat({ max: 0x80 }).map((n) => BigInt(n) + 1n),
          fc.nat({ max: 0x200 }).map((n) => BigInt(n) + 1n),
          anyAddress.map((n) => (n === 0n ? 1n : n)),
        ),
        page: fc.constantFrom(0x10n, 0x20n),
      })
      .map(({ crowded, held, below, ...rest }) => {
        const under = base > 0n ? [at(0n, base - 1n)] : [];
        return {
          ...rest,
          areas: disjoint(below === 'areas' ? [...under, ...crowded] : crowded),
          reserved: below === 'reserved' ? [...under, ...held] : held,
        };
      }),
  );

describe('chooseIovaRfc', () => {
  it('answers what the posted search answers, wrapping included', () => {
    let wrapped = 0;
    assertProperty(
      fc.property(tight, (c) => {
        const expected = linearSearch(c);
        expect(choose(c)).toEqual(expected);
        if (expected.ok && c.areas.some((r) => r.start <= expected.iova && expected.iova <= r.last)) wrapped++;
      }),
      { numRuns: 4000, seed: 20220318 },
    );
    // The search must have met the fault: a place that is taken.
    expect(wrapped).toBeGreaterThan(0);
  });

  const PAGE = 0x1000n;
  const plain = { areas: [], reserved: [], alignment: 1n, page: PAGE };

  it('knows no huge page: the length alone limits the alignment', () => {
    expect(choose({ ...plain, userVa: 0n, length: 0x4000_0000n })).toEqual({ ok: true, iova: 0x4000_0000n });
  });

  it('uses the last byte of a gap', () => {
    const c = { ...plain, areas: [at(0n, 0x4fffn), at(0x5002n, IOVA_MAX)], userVa: 1n, length: 1n };
    expect(choose(c)).toEqual({ ok: true, iova: 0x5001n });
  });

  it('wraps at the top and gives a place near 0 that is taken', () => {
    // 0x5000 bytes fit above 2^64−0x7000, but not at a multiple of 0x8000; rounding up gives 2^64, that is 0.
    const c = { ...plain, areas: [at(0n, IOVA_MAX - 0x7000n)], userVa: 0n, length: 0x5000n };
    expect(choose(c)).toEqual({ ok: true, iova: 0n });
    // With the first pages reserved the next gap between reserved ranges is taken, still over the area.
    expect(choose({ ...c, reserved: [at(0n, 0x2fffn)] })).toEqual({ ok: true, iova: 0x8000n });
  });
});
