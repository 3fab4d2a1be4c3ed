// How a kernel decides about one operation, step by step: sentences for people, each with the range that it is about.
import { formatRange } from '../../iova/format.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { RangeSet } from '../../iova/range-set.ts';

/** One step. */
export interface DecisionStep {
  /** A sentence without its full stop. */
  readonly text: string;
  /** `no`: this is where it is refused, or a place that is passed over; `yes`: what is chosen or done. */
  readonly verdict: 'note' | 'no' | 'yes';
  /** Who decides: the session's kernel and its function, `Linux 6.12, iopt_alloc_iova`. */
  readonly source?: string;
  /** What it is about, inclusive. */
  readonly range?: IovaRange;
}

/** Steps that are written out; of more, those in the middle are counted. */
export const STEPS_MAX = 40;

/** The first and the last steps, with a sentence for those in between. */
export function shortened(steps: readonly DecisionStep[], what: string): DecisionStep[] {
  if (steps.length <= STEPS_MAX) return [...steps];
  const [head, tail] = [STEPS_MAX - 12, 10];
  const left = steps.length - head - tail;
  return [...steps.slice(0, head), { text: `${left} more ${what}`, verdict: 'note' }, ...steps.slice(-tail)];
}

/** Ranges that are listed in a sentence. */
const LISTED_MAX = 4;

/** `0x0 – 0xfedf_ffff, 0xfef0_0000 – 0x7f_ffff_ffff`. */
export function rangesText(ranges: RangeSet): string {
  if (ranges.length === 0) return 'nothing';
  const listed = ranges.slice(0, LISTED_MAX).map(formatRange).join(', ');
  return ranges.length > LISTED_MAX ? `${listed} and ${ranges.length - LISTED_MAX} more` : listed;
}
