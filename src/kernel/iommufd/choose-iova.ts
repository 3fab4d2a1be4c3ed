import { fromWords, highWord, lowWord } from '../../iova/address-halves.ts';
import type { IntervalTree } from '../../iova/interval-tree/tree.ts';
import { bitLength, IOVA_MAX, type Iova, lowestSetBit, roundUpPowerOfTwo } from '../../iova/iova.ts';
import type { PageSizes } from '../model.ts';
import { GapFit } from '../shared/gap-fit.ts';

/** Where an IOVA may be chosen. An empty `allowed` allows everything. */
export interface Room {
  readonly areas: IntervalTree;
  readonly reserved: IntervalTree;
  readonly allowed: IntervalTree;
  /** What every iova in the address space is aligned to: a power of two. */
  readonly alignment: bigint;
}

export type Choice =
  | { readonly ok: true; readonly iova: Iova }
  | { readonly ok: false; readonly why: 'length-too-large' }
  /** `alignment`: what the length and the memory let hope for. */
  | { readonly ok: false; readonly why: 'alignment-too-small'; readonly alignment: bigint }
  | { readonly ok: false; readonly why: 'no-space'; readonly alignment: bigint };

/** The largest alignment that the index of areas can search by. */
const MAX_ALIGNMENT = 1n << 31n;

/**
 * Lowest place for `length` bytes of the memory at `userVa`. The answer is that of the kernel's walk through all gaps;
 * gaps that are too short, or too short once they are aligned, are skipped by the trees' summaries. Source: Linux 6.12, iopt_alloc_iova.
 */
export function chooseIova(room: Room, userVa: bigint, length: bigint, sizes: PageSizes): Choice {
  if (length >= IOVA_MAX / 2n) return { ok: false, why: 'length-too-large' };
  let alignment = roundUpPowerOfTwo(length);
  const natural = lowestSetBit(userVa);
  if (natural !== 0n && natural < alignment) alignment = natural;
  if (alignment > sizes.hugePage) alignment = sizes.hugePage;
  if (alignment < room.alignment) return { ok: false, why: 'alignment-too-small', alignment };

  const offset = userVa & (sizes.page - 1n);
  const fit = new GapFit(length, alignment, offset);
  // Memory that begins with a page is the rule; only then a gap that is cut never has more room than the whole.
  const shift = offset === 0n && alignment <= MAX_ALIGNMENT ? bitLength(alignment) - 1 : undefined;
  const first = sizes.page;
  const last = IOVA_MAX - sizes.page;
  const search = (from: bigint, to: bigint): boolean => {
    if (!fit.tryGap(highWord(from), lowWord(from), highWord(to), lowWord(to))) return false;
    return room.reserved.visitGaps(fit.iova, to, length, (startHigh, startLow, lastHigh, lastLow) =>
      room.areas.visitGaps(fromWords(startHigh, startLow), fromWords(lastHigh, lastLow), length, fit.visit, shift),
    );
  };
  if (room.allowed.size === 0) {
    if (search(first, last)) return { ok: true, iova: fit.iova };
  } else {
    // Allowed ranges that touch come as one span, as in the kernel.
    for (const span of room.allowed.spans(first, last)) {
      if (span.used && search(span.start, span.last)) return { ok: true, iova: fit.iova };
    }
  }
  return { ok: false, why: 'no-space', alignment };
}
