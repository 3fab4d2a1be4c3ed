// Where the states of one address space differ between models or kernel versions.
import { compareRanges, type IovaRange, WHOLE_SPACE } from '../../iova/range.ts';
import { intersect, type RangeSet, rangeSet, subtract } from '../../iova/range-set.ts';
import type { AddressSpaceView, AreaView } from '../model.ts';
import { usableRanges } from '../shared/usable-ranges.ts';
import { differenceOf, mappedElsewhere } from './compare.ts';

/** What an address may be in a space: each of these splits the addresses in two. */
function contentsOf(space: AddressSpaceView, first: AddressSpaceView): readonly RangeSet[] {
  const areas: AreaView[][] = [[], [], [], []];
  for (const area of space.areas()) areas[(area.read ? 1 : 0) + (area.write ? 2 : 0)]?.push(area);
  return [
    ...areas.map(rangeSet),
    space === first ? [] : mappedElsewhere([first, space]),
    // What is outside of an aperture is in no usable range, and some kernels do not list it.
    rangeSet(space.reserved.filter(({ type }) => type !== 'aperture')),
    usableRanges(space),
    space.allowed.length === 0 ? [WHOLE_SPACE] : rangeSet(space.allowed),
  ];
}

/**
 * The addresses that differ between two or more states of an address space: mapped in one and not in another, mapped to
 * other memory or with other permissions, reserved, usable or allowed in one only. Disjoint, ascending, inclusive; within
 * a range the states differ in one way. Work grows with the areas: O(n log n) for each state.
 */
export function differingRanges(spaces: readonly AddressSpaceView[]): IovaRange[] {
  const [first] = spaces;
  if (!first) return [];
  const contents = spaces.map((space) => contentsOf(space, first));
  const kinds = (contents[0] ?? []).map((_, kind) => contents.map((sets) => sets[kind] ?? []));
  const differing = kinds.map((sets) => {
    const { beyond } = differenceOf(sets);
    return { sets, beyond: rangeSet(beyond.flat()) };
  });
  let pieces: RangeSet[] = [rangeSet(differing.flatMap(({ beyond }) => beyond))];
  for (const { sets, beyond } of differing) {
    if (beyond.length === 0) continue;
    for (const set of sets) {
      pieces = pieces
        .flatMap((piece) => [intersect(piece, set), subtract(piece, set)])
        .filter((piece) => piece.length > 0);
    }
  }
  return pieces.flat().sort(compareRanges);
}
