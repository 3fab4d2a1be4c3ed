// How the usable ranges shrink when a device or a group is attached.
import { formatRange } from '../../iova/format.ts';
import { range } from '../../iova/range.ts';
import { complement, intersect, type RangeSet, subtract } from '../../iova/range-set.ts';
import type { AddressSpaceView } from '../../kernel/model.ts';
import { usableRanges } from '../../kernel/shared/usable-ranges.ts';
import type { DomainDescription, ReservedRegion } from '../../session/events.ts';
import { type DecisionStep, rangesText } from './step.ts';

interface Attach {
  readonly domain: DomainDescription;
  readonly reserved: readonly ReservedRegion[];
}

function regionStep(region: ReservedRegion, before: RangeSet, source: string): DecisionStep & { left: RangeSet } {
  const { type, start, last } = region;
  const label = `${type} region ${formatRange({ start, last })}`;
  if (type === 'direct-relaxable') {
    return {
      text: `${label}: it may be mapped over, nothing changes`,
      verdict: 'note',
      range: { start, last },
      source,
      left: before,
    };
  }
  const left = subtract(before, [range(start, last)]);
  return { text: `${label} is taken out: ${rangesText(left)}`, verdict: 'no', range: { start, last }, source, left };
}

function apertureStep(domain: DomainDescription, before: RangeSet, source: string): DecisionStep & { left: RangeSet } {
  const [start, last] = domain.aperture;
  const left = intersect(before, [range(start, last)]);
  const [outside] = complement([range(start, last)]).toReversed();
  const text =
    outside === undefined
      ? `The aperture of ${domain.iommu} is the whole space: ${rangesText(left)}`
      : `Outside the aperture of ${domain.iommu}, ${formatRange({ start, last })}, nothing can be mapped: ${rangesText(left)}`;
  return { text, verdict: 'no', ...(outside ? { range: outside } : {}), source, left };
}

/**
 * The usable ranges of a space, region by region. A VFIO container applies the aperture first; iommufd reserves the regions of
 * the device first, and the ranges outside the aperture last. `by`: the kernel, as sources name it. `left`: the remaining ranges.
 */
export function narrowingSteps(
  space: AddressSpaceView,
  { domain, reserved }: Attach,
  isContainer: boolean,
  by: string,
): { readonly steps: DecisionStep[]; readonly left: RangeSet } {
  const isFirst = space.validRanges?.length === 0;
  let left: RangeSet = isFirst ? complement([]) : usableRanges(space);
  const steps: DecisionStep[] = [
    { text: `Before: ${isFirst ? 'nothing is attached, every address' : rangesText(left)}`, verdict: 'note' },
  ];
  const add = ({ left: now, ...step }: DecisionStep & { left: RangeSet }) => {
    steps.push(step);
    left = now;
  };
  if (isContainer) add(apertureStep(domain, left, `${by}, vfio_iommu_aper_resize`));
  for (const region of reserved) {
    const where = isContainer ? 'vfio_iommu_resv_exclude' : 'iopt_table_enforce_dev_resv_regions';
    add(regionStep(region, left, `${by}, ${where}`));
  }
  if (!isContainer) {
    const isShared = space.domains.some(({ iommu, hwpt }) => iommu === domain.iommu && hwpt === undefined);
    if (isShared) {
      const text = `A device behind ${domain.iommu} is here already: its page table is shared, its aperture is reserved`;
      steps.push({ text, verdict: 'note', source: `${by}, iommufd_device_auto_get_domain` });
    } else add(apertureStep(domain, left, `${by}, iopt_table_add_domain`));
  }
  steps.push({ text: `Usable now: ${rangesText(left)}`, verdict: 'yes' });
  return { steps, left };
}
