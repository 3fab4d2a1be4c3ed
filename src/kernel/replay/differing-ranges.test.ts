import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { IOVA_MAX, iova } from '../../iova/iova.ts';
import { type IovaRange, range } from '../../iova/range.ts';
import { find, rangeSet } from '../../iova/range-set.ts';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import type { Operation } from '../../session/events.ts';
import { newSession } from '../../session/session.ts';
import type { AddressSpaceView } from '../model.ts';
import { usableRanges } from '../shared/usable-ranges.ts';
import { anyContainerOperation, anyOperation } from '../testing/any-operation.ts';
import { SessionComparison } from './compare.ts';
import { differingRanges } from './differing-ranges.ts';

function spacesAfter(models: readonly string[], events: Operation[], id: string): AddressSpaceView[] {
  const made = SessionComparison.create({ ...newSession({ model: models[0] ?? '' }), events }, models);
  if (!made.ok) throw new Error(made.message);
  return made.comparison.statesAt(events.length).flatMap((state) => state.space(id) ?? []);
}

/** What an address is in a space, apart from what is outside of an aperture. */
function stateAt(space: AddressSpaceView, address: bigint): string {
  const areas = [...space.areas(address, address)].map(({ start, userVa, read, write }) => {
    return `${BigInt.asUintN(64, userVa - start)} ${read} ${write}`;
  });
  const isReserved = space.reserved.some((r) => r.type !== 'aperture' && r.start <= address && address <= r.last);
  const isAllowed = space.allowed.length === 0 || find(rangeSet(space.allowed), address) !== undefined;
  return [areas.sort().join(), isReserved, find(usableRanges(space), address) !== undefined, isAllowed].join(' ');
}

const differsAt = (spaces: readonly AddressSpaceView[], address: bigint) =>
  new Set(spaces.map((space) => stateAt(space, address))).size > 1;

/** Addresses where something may begin or end, and the ones beside them. */
function borders(spaces: readonly AddressSpaceView[], ranges: readonly IovaRange[]): bigint[] {
  const all = spaces.flatMap((space) => [
    ...space.areas(),
    ...space.reserved,
    ...space.allowed,
    ...usableRanges(space),
  ]);
  const near = [...all, ...ranges].flatMap(({ start, last }) => [start - 1n, start, last, last + 1n]);
  return [...new Set(near)].filter((address) => address >= 0n && address <= IOVA_MAX);
}

// Mappings of one space may overlap by bugs of some kernels: an address has several states then.
const OPEN: Operation[] = [
  { op: 'container.open', container: 'c', model: 'type1v2' },
  {
    ...{ op: 'container.attach_group', container: 'c', group: '9', reserved: [] },
    domain: { iommu: 'vtd', aperture: [iova(0n), iova(0xffffn)], pgsize_bitmap: iova(0x1000n) },
  },
];
const CASES = [
  [['iommufd', 'iommufd-rfc'], 'a', [{ op: 'ioas.alloc', ioas: 'a' }], anyOperation],
  [['type1', 'iommufd-vfio'], 'c', OPEN, anyContainerOperation],
  [['type1', 'iommufd'], 'c', OPEN, anyContainerOperation],
] as const;

test.each(CASES)(
  '%s: exactly the addresses whose state differs',
  (models, id, start, operation: fc.Arbitrary<Operation>) => {
    let found = 0;
    assertProperty(
      fc.property(fc.array(operation, { minLength: 5, maxLength: 40 }), (events) => {
        const spaces = spacesAfter(models, [...start, ...events], id);
        const areas = spaces.map((space) => [...space.areas()]);
        const isDisjoint = areas.every((list) =>
          list.every((area, i) => i === 0 || area.start > (list[i - 1]?.last ?? 0n)),
        );
        if (spaces.length < 2 || !isDisjoint) return;
        const ranges = differingRanges(spaces);
        found += ranges.length;
        for (const [i, { start, last }] of ranges.entries()) {
          expect(start <= last && start > (ranges[i - 1]?.last ?? -1n)).toBe(true);
        }
        const set = rangeSet(ranges);
        for (const address of borders(spaces, ranges)) {
          expect([address, find(set, address) !== undefined]).toEqual([address, differsAt(spaces, address)]);
        }
      }),
      { numRuns: 150 },
    );
    expect(found).toBeGreaterThan(0);
  },
);

test('a range ends where the states differ in another way', () => {
  const map = (at: bigint, length: bigint, flags: readonly string[]): Operation => ({
    ...{ op: 'ioas.map', ioas: 'a', flags: ['fixed', ...flags], user_va: iova(0x10000n) },
    ...{ length: iova(length), iova: iova(at) },
  });
  const alloc: Operation = { op: 'ioas.alloc', ioas: 'a' };
  const one = spacesAfter(['iommufd', 'iommufd-rfc'], [alloc, map(0x1000n, 0x2000n, ['read'])], 'a')[0];
  const other = spacesAfter(['iommufd', 'iommufd-rfc'], [alloc, map(0x2000n, 0x2000n, ['read'])], 'a')[0];
  if (!one || !other) throw new Error('no spaces');
  // Mapped in the first; in both, to other memory; in the second.
  expect(differingRanges([one, other])).toEqual([
    range(0x1000n, 0x1fffn),
    range(0x2000n, 0x2fffn),
    range(0x3000n, 0x3fffn),
  ]);
  expect(differingRanges([one, one])).toEqual([]);
  expect(differingRanges([])).toEqual([]);
});
