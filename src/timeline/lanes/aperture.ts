import type { Aperture, Provenance } from '../../analysis/host/host.ts';
import { beyondApertures } from '../../analysis/space/common-space.ts';
import { formatSize, groupedHex } from '../../iova/format.ts';
import { bitLength } from '../../iova/iova.ts';
import { type IovaRange, WHOLE_SPACE } from '../../iova/range.ts';
import { complement } from '../../iova/range-set.ts';
import type { AddressSpaceView } from '../../kernel/model.ts';
import { type DescribedRange, describedLane, type LaneContent, type Part } from './lane.ts';
import type { HostSource, ModelSource, ReportedSource } from './sources.ts';

/** `4 KiB · 2 MiB · 1 GiB` for a page size bitmap; of more than three the smallest and the largest: `4 KiB to 1 GiB`. */
export function pageSizeLabel(bitmap: bigint): string {
  const sizes: string[] = [];
  for (let bit = 0n; bit < 64n; bit++) if ((bitmap >> bit) & 1n) sizes.push(formatSize(1n << bit));
  return sizes.length > 3 ? `${sizes[0]} to ${sizes.at(-1)}` : sizes.join(' · ');
}

/** `39 bits` if a range is exactly what so many bits can address, else ''. */
function widthLabel(r: IovaRange): string {
  const bits = bitLength(r.last);
  return r.start === 0n && r.last === (1n << BigInt(bits)) - 1n ? `${bits} bits` : '';
}

function inside(
  r: IovaRange,
  parts: readonly Part[],
  pageSizes: bigint | undefined,
  apertures: readonly Aperture[],
): DescribedRange {
  const values = {
    ...(pageSizes === undefined ? {} : { 'page size bitmap': groupedHex(pageSizes) }),
    ...derivationValues(apertures),
  };
  const message = [widthLabel(r), pageSizes ? `${pageSizeLabel(pageSizes)} pages` : ''].filter((w) => w !== '');
  return {
    ...r,
    style: 'aperture',
    caption: message.join(', ') || 'aperture',
    info: {
      title: 'aperture',
      sentence: 'The addresses that the IOMMU can translate. Every mapping must be inside.',
      parts,
      ...(Object.keys(values).length > 0 ? { values } : {}),
    },
  };
}

/** By which rules the widths were derived, and what is assumed. */
function derivationValues(apertures: readonly Aperture[]): Record<string, string> {
  const distinct = (texts: readonly (string | undefined)[]) => [...new Set(texts.filter((text) => text !== undefined))];
  const rules = distinct(apertures.map(({ derivation }) => derivation?.rule));
  const assumed = distinct(apertures.map(({ derivation }) => derivation?.assumed));
  return {
    ...(rules.length > 0 ? { rule: rules.join('; ') } : {}),
    ...(assumed.length > 0 ? { assumed: assumed.join('; ') } : {}),
  };
}

function outside(r: IovaRange, parts: readonly Part[]): DescribedRange {
  return {
    ...r,
    style: 'beyond',
    caption: 'outside the aperture',
    info: {
      title: 'outside the aperture',
      sentence: 'The IOMMU does not translate these addresses.',
      parts,
    },
  };
}

function ascending(ranges: DescribedRange[]): DescribedRange[] {
  return ranges.sort((a, b) => (a.start < b.start ? -1 : 1));
}

function partOf(a: Aperture): Part {
  return { owner: a.message, range: { start: a.start, last: a.last }, provenance: a.provenance };
}

/** The content of the lane of a space without any aperture. */
interface NoAperture {
  readonly subtitle: string;
  readonly style: 'unknown' | 'aperture';
  readonly caption: string;
  readonly title: string;
  readonly sentence: string;
}

/** The dumps do not contain the address width. */
const NOT_IN_DUMPS: NoAperture = {
  subtitle: 'not in these dumps',
  style: 'unknown',
  caption: 'unknown: not in these dumps',
  title: 'aperture unknown',
  sentence:
    'These dumps do not contain the address width of the IOMMU. Add a kernel log ("Host address width"), the capability register of the IOMMU, or the output of VFIO_IOMMU_GET_INFO.',
};

const NO_DOMAIN: NoAperture = {
  subtitle: 'no domain',
  style: 'aperture',
  caption: 'no domain attached',
  title: 'no domain attached',
  sentence: 'No device is attached, so no IOMMU limits the addresses.',
};

/** What the IOMMU can translate: the intersection of all apertures, or a row for each when expanded. */
function apertureLane(
  id: string,
  apertures: readonly Aperture[],
  none: NoAperture,
  expanded: boolean,
): LaneContent<'aperture'> {
  if (apertures.length === 0) {
    const { subtitle, style, caption, title, sentence } = none;
    const range = { ...WHOLE_SPACE, style, caption, info: { title, sentence, parts: [] } };
    return describedLane({ id, kind: 'aperture', title: 'aperture', subtitle }, [{ ranges: [range] }]);
  }
  const expandable = apertures.length > 1;
  if (expandable && expanded) {
    return describedLane(
      { id, kind: 'aperture', title: 'aperture', subtitle: `${apertures.length} apertures`, expandable, expanded },
      apertures.map((a) => ({
        title: a.message,
        ranges: ascending([
          inside({ start: a.start, last: a.last }, [partOf(a)], a.pageSizes, [a]),
          ...complement([a]).map((r) => outside(r, [partOf(a)])),
        ]),
      })),
    );
  }
  const parts = apertures.map(partOf);
  const beyond = beyondApertures(apertures);
  const common = complement(beyond);
  const bitmap = apertures.reduce<bigint | undefined>(
    (all, a) => (a.pageSizes === undefined ? all : all === undefined ? a.pageSizes : all & a.pageSizes),
    undefined,
  );
  const subtitle = apertures.length === 1 ? (apertures[0]?.message ?? '') : `common to ${apertures.length}`;
  return describedLane({ id, kind: 'aperture', title: 'aperture', subtitle, expandable, expanded: false }, [
    {
      ranges: ascending([
        ...common.map((r) => inside(r, parts, bitmap, apertures)),
        ...beyond.map((r) => outside(r, parts)),
      ]),
    },
  ]);
}

export function apertureOfHost({ space, laneId, isExpanded }: HostSource): LaneContent<'aperture'>[] {
  return [apertureLane(laneId('aperture'), space.apertures, NOT_IN_DUMPS, isExpanded('aperture'))];
}

/** No lane if the kernel's answer contains no aperture. */
export function apertureOfReported({ space, laneId, isExpanded }: ReportedSource): LaneContent<'aperture'>[] {
  if (space.apertures.length === 0) return [];
  return [apertureLane(laneId('aperture'), space.apertures, NOT_IN_DUMPS, isExpanded('aperture'))];
}

export function apertureOfModel({ space, laneId, isExpanded }: ModelSource): LaneContent<'aperture'>[] {
  return [apertureLane(laneId('aperture'), domainApertures(space), NO_DOMAIN, isExpanded('aperture'))];
}

function domainApertures(space: AddressSpaceView): Aperture[] {
  return space.domains.map((domain) => ({
    ...domain.aperture,
    message: domain.iommu,
    pageSizes: domain.pgsizeBitmap,
    provenance: [
      ...domain.devices.map((device): Provenance => ({ source: `device ${device}` })),
      ...(domain.groups ?? []).map((group): Provenance => ({ source: `group ${group}` })),
    ],
  }));
}
