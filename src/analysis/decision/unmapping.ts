// How an unmap walks through the areas of its range.
import { formatExactSize, formatRange } from '../../iova/format.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { AddressSpaceView } from '../../kernel/model.ts';
import { type DecisionStep, shortened } from './step.ts';

/** Which kernel code walks. */
export type Walk = 'iommufd' | 'iommufd-rfc' | 'type1' | 'type1v2';

const FUNCTIONS: Readonly<Record<Walk, string>> = {
  iommufd: 'iopt_unmap_iova_range',
  'iommufd-rfc': 'iopt_unmap_iova',
  type1: 'vfio_dma_do_unmap',
  type1v2: 'vfio_dma_do_unmap',
};

const RULES: Readonly<Record<Walk, string>> = {
  iommufd: 'iommufd removes area after area that lies inside the range, and stops at one that sticks out',
  'iommufd-rfc': 'The first posting removes exactly one area, with the bounds of the range',
  type1:
    'Version 1 removes, as a whole, every mapping that starts inside the range; a mapping that starts before the range stops the walk',
  type1v2: 'Version 2 first checks both ends: a mapping may not be cut. Then everything inside is removed',
};

/** Maximum number of areas that are visited. */
const AREAS_MAX = 20_000;

/**
 * What happens to each area that the range touches, from low to high. `before` and `after`: the space before and after the
 * operation; `unmapped`: total bytes removed. `by`: the kernel, as sources name it.
 */
export function unmapSteps(
  before: AddressSpaceView,
  after: AddressSpaceView | undefined,
  requested: IovaRange,
  walk: Walk,
  by: string,
): { readonly steps: DecisionStep[]; readonly unmapped: bigint } {
  const source = `${by}, ${FUNCTIONS[walk]}`;
  const steps: DecisionStep[] = [];
  let unmapped = 0n;
  for (const { start, last } of before.areas(requested.start, requested.last)) {
    if (steps.length >= AREAS_MAX) break;
    const isRemoved = !hasArea(after, { start, last });
    const area = { start, last };
    if (isRemoved) unmapped += last - start + 1n;
    const size = formatExactSize(last - start + 1n);
    const label = `${formatRange(area)} (${size})`;
    const place =
      start < requested.start
        ? 'starts before the range'
        : last > requested.last
          ? 'ends behind the range'
          : 'is inside';
    steps.push({
      text: `${label} ${place}: ${isRemoved ? 'removed' : 'stays'}`,
      verdict: isRemoved ? 'yes' : 'no',
      range: area,
      source,
    });
  }
  if (steps.length === 0)
    steps.push({ text: 'Nothing is mapped in the range', verdict: 'note', range: requested, source });
  return {
    steps: [{ text: RULES[walk], verdict: 'note', source }, ...shortened(steps, 'areas')],
    unmapped,
  };
}

function hasArea(space: AddressSpaceView | undefined, { start, last }: IovaRange): boolean {
  if (!space) return false;
  for (const area of space.areas(start, start)) if (area.start === start && area.last === last) return true;
  return false;
}
