// How far a range is outside the aperture of the IOMMU, worded the same way for all conflicts.
import { hex, hexRange } from '../../iova/format.ts';
import { bitLength } from '../../iova/iova.ts';
import { type IovaRange, intersection, overlaps, WHOLE_SPACE } from '../../iova/range.ts';
import { complement } from '../../iova/range-set.ts';
import type { Provenance } from '../host/host.ts';
import type { CommonSpace } from './common-space.ts';

/** Why a range is outside the aperture. */
export interface ApertureLimit {
  /** Everything outside the aperture on that side; bounds inclusive. */
  readonly outside: IovaRange;
  /** The part of the range that is outside. */
  readonly cut: IovaRange;
  /** Completes a sentence about the range: `needs 40 bits, the IOMMU has 39`, `is below the aperture …`. */
  readonly problem: string;
  /** Where addresses must be: `below 0x8000000000`, `inside 0x100000-0x7fffffffff`. `undefined` if nowhere. */
  readonly place: string | undefined;
  /** Address bits of the IOMMU, if its aperture is exactly what they can address. */
  readonly bits: number | undefined;
  /** What is assumed about the apertures that set the limit; no full stop. */
  readonly assumed: string | undefined;
  readonly provenance: readonly Provenance[];
}

type Apertures = CommonSpace['apertures'];

/** What all apertures can translate; `undefined` if there is no such address, or no aperture is known. */
export function commonAperture(apertures: Apertures): IovaRange | undefined {
  if (apertures.length === 0) return undefined;
  return apertures.reduce<IovaRange | undefined>((common, a) => common && intersection(common, a), WHOLE_SPACE);
}

/** The parts of `range` outside the apertures, ascending: at most two. Empty if no aperture is known. */
export function apertureLimits(apertures: Apertures, range: IovaRange): ApertureLimit[] {
  if (apertures.length === 0) return [];
  const aperture = commonAperture(apertures);
  return complement(aperture ? [aperture] : []).flatMap((outside): ApertureLimit[] => {
    const cut = intersection(outside, range);
    if (!cut) return [];
    const provenance = apertures.flatMap((a) => a.provenance);
    const assumed = assumptionOf(apertures, outside);
    return [{ outside, cut, ...explainLimit(aperture, outside, range), assumed, provenance }];
  });
}

/** What is assumed about the apertures that end where `outside` begins or ends. */
function assumptionOf(apertures: Apertures, outside: IovaRange): string | undefined {
  const limiting = apertures.filter(({ start, last }) => last + 1n === outside.start || start === outside.last + 1n);
  const all = new Set(limiting.flatMap(({ derivation }) => derivation?.assumed ?? []));
  // An aperture without an assumption is certain.
  const isSettled = limiting.some(({ derivation }) => derivation?.assumed === undefined);
  return isSettled || all.size === 0 ? undefined : [...all].join('; ');
}

function explainLimit(
  aperture: IovaRange | undefined,
  outside: IovaRange,
  range: IovaRange,
): Pick<ApertureLimit, 'problem' | 'place' | 'bits'> {
  if (!aperture)
    return { problem: 'cannot be mapped: the apertures do not overlap', place: undefined, bits: undefined };
  const bits = widthOf(aperture);
  if (bits !== undefined) {
    const needed = bitLength(range.last);
    return { problem: `needs ${needed} bits, the IOMMU has ${bits}`, place: `below ${hex(outside.start)}`, bits };
  }
  const side = outside.start < aperture.start ? 'below' : 'above';
  const isWhole = !overlaps(aperture, range);
  const problem = `${isWhole ? 'is' : 'extends'} ${side} the aperture ${hexRange(aperture)}`;
  return { problem, place: `inside ${hex(aperture.start)}-${hex(aperture.last)}`, bits: undefined };
}

/** ` Assumed: …` after a sentence, or ''. */
export function assumptionSentence(assumed: string | undefined): string {
  return assumed === undefined ? '' : ` Assumption: ${assumed}.`;
}

/** ` (…)` inside a sentence, or ''. */
export function assumptionClause(assumed: string | undefined): string {
  return assumed === undefined ? '' : ` (${assumed})`;
}

/** The width of an aperture that is exactly what its bits can address. */
function widthOf({ start, last }: IovaRange): number | undefined {
  const bits = bitLength(last);
  return start === 0n && last === (1n << BigInt(bits)) - 1n ? bits : undefined;
}
