// How an IOAS chooses an IOVA: gap by gap, from low to high addresses.
import { counted, formatExactSize, formatRange, groupedHex } from '../../iova/format.ts';
import { alignUp, IOVA_MAX, lowestSetBit, roundUpPowerOfTwo } from '../../iova/iova.ts';
import { type IovaRange, overlaps, range, WHOLE_SPACE } from '../../iova/range.ts';
import { complement, intersect, rangeSet } from '../../iova/range-set.ts';
import type { AddressSpaceView, PageSizes } from '../../kernel/model.ts';
import { type DecisionStep, shortened } from './step.ts';

export interface ChoiceRequest {
  readonly userVa: bigint;
  /** Bytes, 1 or more. */
  readonly length: bigint;
  readonly sizes: PageSizes;
  /** False for kernels that do not limit the alignment to the size of a huge page, and that use a gap of only its last byte. */
  readonly isLimited: boolean;
  readonly source: string;
}

/** The alignment that the kernel searches with, and why. Source: Linux 6.12, iopt_alloc_iova. */
function alignmentStep({ userVa, length, sizes, isLimited, source }: ChoiceRequest): DecisionStep & {
  readonly alignment: bigint;
} {
  const rounded = roundUpPowerOfTwo(length);
  const natural = lowestSetBit(userVa);
  const parts = [`${formatExactSize(length)} rounded up to a power of two is ${formatExactSize(rounded)}`];
  let alignment = rounded;
  if (natural !== 0n && natural < alignment) {
    alignment = natural;
    parts.push(`the memory at ${groupedHex(userVa)} is only aligned to ${formatExactSize(natural)}`);
  }
  if (isLimited && alignment > sizes.hugePage) {
    alignment = sizes.hugePage;
    parts.push(`at most a huge page, ${formatExactSize(sizes.hugePage)}`);
  }
  const text = `The IOVA must be a multiple of ${formatExactSize(alignment)}: ${parts.join('; ')}`;
  return { text, verdict: 'note', source, alignment };
}

/** What occupies a range between two gaps. */
function takenText(space: AddressSpaceView, taken: IovaRange): string {
  const types = new Set(space.reserved.filter((r) => overlaps(r, taken)).map(({ type }) => type));
  const areas = space.countAreas(taken.start, taken.last);
  const what = [...types].map((type) => (type === 'aperture' ? 'outside the aperture' : `reserved (${type})`));
  if (areas > 0) what.push(counted(areas, 'area'));
  return `${formatRange(taken)} is taken: ${what.length === 0 ? 'mapped' : what.join(', ')}`;
}

/** The first aligned address of a range, plus the offset of the memory within its page. */
function roundedStart({ start }: IovaRange, alignment: bigint, offset: bigint): bigint {
  return alignUp(start, alignment) | offset;
}

/** Why a gap is not chosen, or the address that is chosen in it. */
function tryGap(
  gap: IovaRange,
  { length, isLimited }: ChoiceRequest,
  alignment: bigint,
  offset: bigint,
): DecisionStep & { chosen?: bigint } {
  const size = gap.last - gap.start + 1n;
  const label = `${formatRange(gap)} is free`;
  if (size < length) {
    return { text: `${label}: too small, ${formatExactSize(size)}`, verdict: 'no', range: gap };
  }
  const start = roundedStart(gap, alignment, offset);
  if (start > gap.last || (isLimited && start === gap.last) || gap.last - start + 1n < length) {
    const rest = start > gap.last ? 0n : gap.last - start + 1n;
    const text = `${label}: misaligned, only ${formatExactSize(rest)} remain from the next multiple, ${groupedHex(start)}`;
    return { text, verdict: 'no', range: gap };
  }
  return {
    text: `${label}: it fits at ${groupedHex(start)}`,
    verdict: 'yes',
    range: range(start, start + length - 1n),
    chosen: start,
  };
}

/** Maximum number of gaps that are tried; an IOAS may have a million. */
const GAPS_MAX = 20_000;

/**
 * The search for an IOVA, from the lowest address on. `chosen`: the result; undefined if nothing fits, or if the search is too
 * long to be shown.
 */
export function choiceSteps(
  space: AddressSpaceView,
  request: ChoiceRequest,
): { readonly steps: DecisionStep[]; readonly chosen: bigint | undefined; readonly isCut: boolean } {
  const { sizes, userVa, source } = request;
  const { alignment, ...first } = alignmentStep(request);
  const offset = userVa & (sizes.page - 1n);
  const bounds = range(sizes.page, IOVA_MAX - sizes.page);
  const allowed = space.allowed.length === 0 ? [WHOLE_SPACE] : rangeSet(space.allowed);
  const spans = intersect(allowed, [bounds]);
  const notes: DecisionStep[] = [
    first,
    ...(space.allowed.length === 0
      ? []
      : [
          {
            text: `Only allowed ranges are searched: ${counted(spans.length, 'range')}`,
            verdict: 'note',
            source,
          } as const,
        ]),
  ];
  const steps: DecisionStep[] = [];
  let chosen: bigint | undefined;
  let looked = 0;
  for (const span of spans) {
    // The kernel rounds up the start of a span before it looks for gaps after it.
    const whole = tryGap(span, request, alignment, offset);
    if (whole.chosen === undefined) {
      steps.push({ ...whole, source });
      continue;
    }
    let next: bigint = whole.chosen;
    if (next > span.start) {
      const text = `The search starts at ${groupedHex(next)}, the first multiple from ${groupedHex(span.start)} on`;
      steps.push({ text, verdict: 'note', range: range(next, next), source });
    }
    for (const free of intersect(complement(rangeSet(space.reserved)), [range(next, span.last)])) {
      space.visitHoles(free.start, free.last, 1n, (gap) => {
        looked++;
        if (gap.start > next) {
          const taken = range(next, gap.start - 1n);
          steps.push({ text: takenText(space, taken), verdict: 'no', range: taken, source });
        }
        next = gap.last + 1n;
        const { chosen: found, ...step } = tryGap(gap, request, alignment, offset);
        steps.push({ ...step, source });
        chosen = found;
        return found !== undefined || looked >= GAPS_MAX;
      });
      if (chosen !== undefined || looked >= GAPS_MAX) break;
    }
    if (chosen !== undefined || looked >= GAPS_MAX) break;
  }
  return {
    steps: [...notes, ...shortened(steps, 'ranges that are taken or do not fit')],
    chosen,
    isCut: chosen === undefined && looked >= GAPS_MAX,
  };
}
