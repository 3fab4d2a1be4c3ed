import { fromWords, highWord, lowWord } from '../../iova/address-halves.ts';
import type { IntervalTree } from '../../iova/interval-tree/tree.ts';
import { bitLength, IOVA_MAX, type Iova, lowestSetBit, roundUpPowerOfTwo } from '../../iova/iova.ts';
import type { PageSizes } from '../model.ts';
import { GapFit } from '../shared/gap-fit.ts';

/** Where an IOVA can be chosen. An empty `allowed` allows everything. */
export interface SearchSpace {
  readonly areas: IntervalTree;
  readonly reserved: IntervalTree;
  readonly allowed: IntervalTree;
  /** The alignment of every IOVA of the address space: a power of two. */
  readonly alignment: bigint;
}

/** How versions choose. */
export interface ChoiceRules {
  /**
   * True before Linux 6.17 (6.16.2, 6.12.43, 6.6.103): the alignment is not limited, rounding up wraps at 2^64, so that
   * IOVA 0 or a taken one may be chosen, and the last byte of a gap alone may be used.
   */
  readonly unlimited?: boolean;
}

export type Choice =
  | { readonly ok: true; readonly iova: Iova }
  | { readonly ok: false; readonly why: 'length-too-large' }
  /** `alignment`: what follows from the length and the user address. */
  | { readonly ok: false; readonly why: 'alignment-too-small'; readonly alignment: bigint }
  | { readonly ok: false; readonly why: 'no-space'; readonly alignment: bigint };

/** The largest alignment that the index of areas can search by. */
const MAX_ALIGNMENT = 1n << 31n;
/** The same for offsets. */
const OFFSET_MAX = 0x7fff_ffffn;

/**
 * The lowest IOVA for `length` bytes of the memory at `userVa`. The answer is that of the kernel's walk through all gaps;
 * gaps that are too short, before or after alignment, are skipped by the summaries of the trees.
 * Source: Linux 6.12, iopt_alloc_iova.
 */
export function chooseIova(
  space: SearchSpace,
  userVa: bigint,
  length: bigint,
  sizes: PageSizes,
  { unlimited = false }: ChoiceRules = {},
): Choice {
  if (length >= IOVA_MAX / 2n) return { ok: false, why: 'length-too-large' };
  let alignment = roundUpPowerOfTwo(length);
  const natural = lowestSetBit(userVa);
  if (natural !== 0n && natural < alignment) alignment = natural;
  if (alignment > sizes.hugePage && !unlimited) alignment = sizes.hugePage;
  if (alignment < space.alignment) return { ok: false, why: 'alignment-too-small', alignment };

  const offset = userVa & (sizes.page - 1n);
  const fit = new GapFit(length, alignment, offset, { wraps: unlimited, lastByte: unlimited });
  // Skipping by alignment does not find gaps where rounding up wraps. With an offset nothing wraps: then the alignment is
  // less than a page, and the last page is left out.
  const isExact = alignment <= MAX_ALIGNMENT && offset <= OFFSET_MAX && (offset !== 0n || !unlimited);
  const shift = isExact ? bitLength(alignment) - 1 : undefined;
  const first = sizes.page;
  const last = IOVA_MAX - sizes.page;
  const search = (from: bigint, to: bigint): boolean => {
    if (to - from < length - 1n || !fit.tryGap(highWord(from), lowWord(from), highWord(to), lowWord(to))) return false;
    return space.reserved.visitGaps(fit.iova, to, length, (startHigh, startLow, lastHigh, lastLow) =>
      space.areas.visitGaps(
        fromWords(startHigh, startLow),
        fromWords(lastHigh, lastLow),
        length,
        fit.visit,
        shift,
        Number(offset),
      ),
    );
  };
  if (space.allowed.size === 0) {
    if (search(first, last)) return { ok: true, iova: fit.iova };
  } else {
    // Adjacent allowed ranges are one span, as in the kernel.
    for (const span of space.allowed.spans(first, last)) {
      if (span.used && search(span.start, span.last)) return { ok: true, iova: fit.iova };
    }
  }
  return { ok: false, why: 'no-space', alignment };
}
