import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import { describedLane, type Lane, type SpaceLanes } from '../lanes/lane.ts';
import type { StyleName } from '../scene/style-names.ts';
import { ascii, TEXT_WIDTH, wrap } from './ascii.ts';
import { compactSize, drawSpace } from './drawing.ts';
import { coverage, segmentsOf } from './segments.ts';

const EVERYTHING: IovaRange = { start: 0n as Iova, last: IOVA_MAX };
const A = (start: bigint, last: bigint): IovaRange => ({ start: start as Iova, last: last as Iova });

function lane(kind: string, style: StyleName, ranges: readonly IovaRange[], isContent = true): Lane {
  const info = { title: `${kind}s`, sentence: '', parts: [] };
  const content = describedLane({ id: kind, kind, title: kind, subtitle: '' }, [
    { ranges: ranges.map((range) => ({ ...range, style, caption: '', info })) },
  ]);
  const traits = {
    height: 20,
    shape: 'bar',
    isLettered: true,
    isContent,
    isInMinimap: true,
    holdsFacts: true,
  } as const;
  return { ...content, traits };
}

const space = (...lanes: Lane[]): SpaceLanes => ({ id: 's', title: 'space', subtitle: '', lanes });

const INTEL = space(
  lane('aperture', 'aperture', [A(0n, 0x7f_ffff_ffffn)], false),
  lane('reserved', 'msi', [A(0xfee0_0000n, 0xfeef_ffffn)]),
  lane('usable', 'usable', [A(0n, 0xfedf_ffffn), A(0xfef0_0000n, 0x7f_ffff_ffffn)], false),
);

describe('the drawing of an address space', () => {
  test('has every bound, in order, and the exact bounds in a list', () => {
    const { lines, leftOut } = drawSpace(INTEL, EVERYTHING, [{ ...A(0xfee0_0000n, 0xfeef_ffffn), number: 3 }]);
    expect(`\n${lines.join('\n')}\n`).toBe(`
           a       b    c       d
           +--//---+----+--//---+-//--+
             3.98G   1M   508G   15.9E
aperture   [== aperture 512G ==]
reserved           [MSI]
usable     [usable]     [usable]
conflicts          ^3

a  0x0          - 0xfedfffff         ~3.98G  usables
b  0xfee00000   - 0xfeefffff             1M  reserveds; see 3
c  0xfef00000   - 0x7fffffffff        ~508G  usables
d  0x8000000000 - 0xffffffffffffffff ~15.9E  nothing
`);
    expect(leftOut).toEqual([]);
  });

  test('of many ranges sums up what it cannot show', () => {
    const areas = Array.from({ length: 1000 }, (_, i) => A(BigInt(i) * 0x3000n, BigInt(i) * 0x3000n + 0x1fffn));
    const { lines } = drawSpace(space(lane('area', 'area', areas)), EVERYTHING, []);
    expect(lines.join('\n')).toMatch(/area: 9\d\d ranges/);
  });

  test('is ASCII, 72 columns wide, and covers the view without a gap, whatever is in it', () => {
    const address = fc.oneof(
      fc.bigInt(0n, IOVA_MAX),
      fc.bigInt(0n, 0xffffn).map((page) => page << 12n),
    );
    const ranges = fc.array(fc.tuple(address, address), { maxLength: 30 }).map((pairs) => disjoint(pairs));
    const styles = fc.constantFrom<StyleName>('msi', 'direct', 'area', 'guest-ram', 'unknown', 'hole');
    const lanes = fc.array(fc.tuple(styles, ranges, fc.boolean()), { minLength: 1, maxLength: 5 });
    assertProperty(
      fc.property(lanes, ranges, (drawn, flagged) => {
        const all = space(...drawn.map(([style, list, isContent], i) => lane(`lane ${i}`, style, list, isContent)));
        const flags = flagged.map((range, i) => ({ ...range, number: i + 1 }));
        const { lines } = drawSpace(all, EVERYTHING, flags);
        for (const line of lines) {
          expect(line.length).toBeLessThanOrEqual(TEXT_WIDTH);
          expect(line).toMatch(/^[ -~]*$/);
        }
        const listed = lines.flatMap((line) => /^[a-zA-Z] {2}(0x\w+) +- (0x\w+)/.exec(line)?.slice(1, 3) ?? []);
        expect(listed[0]).toBe('0x0');
        expect(listed.at(-1)).toBe('0xffffffffffffffff');
        for (let i = 1; i + 1 < listed.length; i += 2) {
          expect(BigInt(listed[i + 1] ?? '')).toBe(BigInt(listed[i] ?? '') + 1n);
        }
      }),
    );
  });
});

/** Disjoint ascending ranges with at least one address between them, out of any pairs. */
function disjoint(pairs: readonly (readonly [bigint, bigint])[]): IovaRange[] {
  const sorted = pairs.map(([a, b]) => (a < b ? [a, b] : [b, a])).sort(([a = 0n], [b = 0n]) => (a < b ? -1 : 1));
  const result: IovaRange[] = [];
  for (const [start = 0n, last = 0n] of sorted) {
    const previous = result.at(-1);
    if (!previous || start > previous.last + 1n) result.push(A(start, last));
  }
  return result;
}

test('segments say whether a range covers them or how many are in them', () => {
  const row = { starts: new BigUint64Array([0n, 10n, 20n]), lasts: new BigUint64Array([4n, 14n, 24n]) };
  expect(segmentsOf(A(0n, 30n), [A(7n, 12n)], [row], 4)).toEqual([A(0n, 4n), A(5n, 6n), A(7n, 12n), A(13n, 30n)]);
  expect(coverage(row, A(0n, 4n))).toEqual({ kind: 'range', index: 0 });
  expect(coverage(row, A(5n, 6n))).toEqual({ kind: 'empty' });
  expect(coverage(row, A(7n, 12n))).toEqual({ kind: 'several', first: 1, count: 1 });
  expect(coverage(row, A(0n, 30n))).toEqual({ kind: 'several', first: 0, count: 3 });
});

test('sizes in five characters, truncated', () => {
  const sizes = [1n, 1023n, 4096n, 0x1f_ffffn, 3054n << 20n, (1n << 64n) - 1n, 1n << 64n];
  expect(sizes.map(compactSize)).toEqual(['1B', '1023B', '4K', '1.99M', '2.98G', '15.9E', '16E']);
});

test('text in ASCII, wrapped', () => {
  expect(ascii('0xfee0_0000 – 0xfeef_ffff ≈ “é”…\u202e\u0007日')).toBe('0xfee00000-0xfeefffff ~ "e"...?');
  expect(wrap('one two three', '- ', '  ', 8)).toEqual(['- one', '  two', '  three']);
  expect(wrap('abcdefghijkl', '', '', 5)).toEqual(['abcde', 'fghij', 'kl']);
  expect(wrap('', 'x: ')).toEqual(['x:']);
});
