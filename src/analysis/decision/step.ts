// How a kernel decides one operation, step by step: readable sentences, each with its range.
import { formatRange } from '../../iova/format.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { RangeSet } from '../../iova/range-set.ts';

/** One step. */
export interface DecisionStep {
  /** A sentence without a full stop. */
  readonly text: string;
  /** `no`: the operation is refused here, or a place is skipped; `yes`: a place is chosen, or something is done. */
  readonly verdict: 'note' | 'no' | 'yes';
  /** Who decides: the session's kernel and its function, `Linux 6.12, iopt_alloc_iova`. */
  readonly source?: string;
  /** The range of the step, inclusive. */
  readonly range?: IovaRange;
}

/** Maximum number of listed steps; if there are more, those in the middle are counted. */
export const STEPS_MAX = 40;

/** The first and the last steps, with a sentence that counts those in between. */
export function shortened(steps: readonly DecisionStep[], what: string): DecisionStep[] {
  if (steps.length <= STEPS_MAX) return [...steps];
  const [head, tail] = [STEPS_MAX - 12, 10];
  const left = steps.length - head - tail;
  return [...steps.slice(0, head), { text: `${left} more ${what}`, verdict: 'note' }, ...steps.slice(-tail)];
}

/** Maximum number of ranges in a sentence. */
const LISTED_MAX = 4;

/** `0x0 – 0xfedf_ffff, 0xfef0_0000 – 0x7f_ffff_ffff`. */
export function rangesText(ranges: RangeSet): string {
  if (ranges.length === 0) return 'nothing';
  const listed = ranges.slice(0, LISTED_MAX).map(formatRange).join(', ');
  return ranges.length > LISTED_MAX ? `${listed} and ${ranges.length - LISTED_MAX} more` : listed;
}
