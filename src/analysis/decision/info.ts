// How VFIO_IOMMU_GET_INFO fills a buffer: the structure, then each capability if all of them fit.
import { counted, formatExactSize } from '../../iova/format.ts';
import { rangeSet } from '../../iova/range-set.ts';
import { decodeType1Info, INFO_SIZE, SMALLEST_INFO, type Type1Capability } from '../../uapi/type1-info.ts';
import { pageSizesLabel } from '../../uapi/words.ts';
import { type DecisionStep, rangesText } from './step.ts';

function capabilityText(capability: Type1Capability): string {
  switch (capability.kind) {
    case 'migration':
      return `dirty tracking, bitmaps of up to ${formatExactSize(capability.maxBitmapSize)}`;
    case 'dma-avail':
      return `${counted(capability.avail, 'mapping')} left`;
    case 'iova-range':
      return `valid ranges ${rangesText(rangeSet(capability.ranges))}`;
  }
}

/**
 * `hex`: the contents of a buffer that is large enough; `argsz`: the size of the caller's buffer; `by`: the kernel, as sources
 * name it.
 */
export function infoSteps(argsz: number, hex: string, by: string): DecisionStep[] {
  const bytes = Uint8Array.from(hex.match(/../g) ?? [], (digits) => Number.parseInt(digits, 16));
  const note = (text: string, verdict: DecisionStep['verdict'] = 'note'): DecisionStep => ({
    text,
    verdict,
    source: `${by}, vfio_iommu_type1_get_info`,
  });
  const steps = [
    note(`argsz is ${argsz}: at least ${SMALLEST_INFO} bytes are needed`, argsz < SMALLEST_INFO ? 'no' : 'note'),
  ];
  const decoded = decodeType1Info(bytes);
  if (!decoded || argsz < SMALLEST_INFO) return steps;
  const { pageSizes, capabilities = [] } = decoded.info;
  steps.push(note(`Bytes 0 to 15: argsz, flags, page sizes ${pageSizesLabel(pageSizes)}`, 'yes'));
  const fits = argsz >= bytes.length;
  for (const capability of capabilities) {
    const ranges = capability.kind === 'iova-range' ? rangeSet(capability.ranges) : [];
    const [first, last] = [ranges[0], ranges.at(-1)];
    steps.push({
      ...note(`Capability: ${capabilityText(capability)}`, fits ? 'yes' : 'no'),
      ...(first && last ? { range: { start: first.start, last: last.last } } : {}),
    });
  }
  if (capabilities.length > 0) {
    steps.push(
      fits
        ? note(`All ${bytes.length} bytes fit: cap_offset is ${INFO_SIZE}`, 'yes')
        : note(
            `${bytes.length} bytes are needed: argsz is set to that, cap_offset to 0, and no capability is copied`,
            'no',
          ),
    );
  }
  return steps;
}
