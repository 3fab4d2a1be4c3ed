// Why the kernel refused a request, as far as the dumps show: by its errno, the regions, the aperture and the mappings of
// that moment.
import { counted, formatSize, hex } from '../../iova/format.ts';
import { ADDRESS_WIDTHS, bitLength } from '../../iova/iova.ts';
import { containsRange, type IovaRange, intersection, isAligned, sizeOf } from '../../iova/range.ts';
import { MAPPING_LIMIT } from '../../kernel/limits.ts';
import { appliesTo, type RuleSubject } from '../../kernel/rule-book.ts';
import type { FactOf } from '../../session/events.ts';
import { type Provenance, provenanceOf } from '../host/host.ts';
import { factAt, type LiveMapping, type MappingState } from '../host/mappings.ts';
import { likelyObstacles } from '../host/platforms.ts';
import { meaningOf } from '../host/region-types.ts';
import { apertureLimits } from '../space/aperture-limit.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { type ConflictMark, describeRange, markOf, ownersOf, partPlaces, plainRange } from './conflict.ts';
import { suggestPlace } from './other-place.ts';

/** Mappings that the marks of one conflict show. */
const MARKED_MAX = 3;
/** BARs are not placed below this address. */
const LOWEST_BAR = 0x10_0000n;
/** Firmware places 64-bit BARs from here on, and none of them is larger. */
const HIGH_BARS_FROM = 1n << 37n;
const LARGEST_BAR = 1n << 38n;

/** How to stay below the limit of mappings. */
export const FEWER_MAPPINGS =
  'Use fewer, larger mappings (huge pages, a larger virtio-mem block size), or raise dma_entry_limit of vfio_iommu_type1.';
const USUALLY_HARMLESS = 'Usually none is needed: only peer-to-peer DMA uses this mapping.';
const UNEXPLAINED =
  "Nothing in these dumps explains it: add the host's reserved_regions and its kernel log of the same time.";

type Request = FactOf<'request'>;

/** True if what was to be mapped is device memory and not RAM, as far as the request itself shows. */
export function looksLikeBar(request: Request, space: CommonSpace): boolean {
  const { name } = request;
  if (name !== undefined && /ram|mem|rom|bios|dimm|dram/i.test(name) && !/\bBAR\b/i.test(name)) return false;
  if (name !== undefined && /\bBAR\b|mmap|msi-?x/i.test(name)) return true;
  // Memory that cannot be pinned is a BAR, except in the first MiB.
  if (request.result === '-EFAULT') return request.start >= LOWEST_BAR;
  if (space.host.bars.some((bar) => containsRange(bar, request))) return true;
  const isHigh = request.start >= HIGH_BARS_FROM && sizeOf(request) <= LARGEST_BAR;
  return request.result === '-EINVAL' && isHigh && name === undefined;
}

/** Why a request was refused. */
export interface Explanation {
  readonly message: string;
  readonly remedy: string;
  /** The kernel's rule, if it is known which one refused. */
  readonly subject?: RuleSubject;
  readonly marks?: readonly ConflictMark[];
  readonly provenance?: readonly Provenance[];
}

/** The largest part that fits from where the request starts; empty if not a single byte does. */
function fittingPart(request: IovaRange, obstacle: IovaRange): string {
  return obstacle.start > request.start
    ? `From ${hex(request.start)} up to the obstacle ${formatSize(obstacle.start - request.start)} fit.`
    : '';
}

/** The ways to explain EINVAL, the surest first; each gives nothing if it does not apply. */
const INVALID_BECAUSE: readonly ((
  request: Request,
  space: CommonSpace,
  pageSize: bigint,
) => Explanation | undefined)[] = [overReserved, beyondAperture, unaligned, overPlatformRange, beyondUnknownAperture];

function overReserved(request: Request, space: CommonSpace): Explanation | undefined {
  for (const region of space.reserved) {
    const cut = meaningOf(region.type).blocksMappings ? intersection(region, request) : undefined;
    if (!cut) continue;
    const owners = ownersOf(region);
    return {
      subject: 'map-over-reserved',
      message: `${describeRange(cut)} inside it is reserved (${region.type}, ${owners}).`,
      remedy: `${fittingPart(request, region)} ${suggestPlace(space, request)}`.trim(),
      marks: [markOf('obstacle', region, `${region.type} of ${owners}`)],
      provenance: partPlaces(region),
    };
  }
  return undefined;
}

function beyondAperture(request: Request, space: CommonSpace): Explanation | undefined {
  const [limit] = apertureLimits(space.apertures, request);
  if (!limit) return undefined;
  const { cut, problem, place, bits, provenance } = limit;
  const keep = place === undefined ? suggestPlace(space, request) : `Keep addresses ${place}`;
  const limited = bits === undefined ? '' : `: limit the guest to phys-bits=${bits}`;
  return {
    subject: 'map-beyond-aperture',
    message: `It ${problem}.`,
    remedy: place === undefined ? keep : `${keep}${limited}.`,
    marks: [markOf('obstacle', cut, 'outside the aperture')],
    provenance,
  };
}

function unaligned(request: Request, _space: CommonSpace, pageSize: bigint): Explanation | undefined {
  if (isAligned(request, pageSize)) return undefined;
  return {
    subject: 'map-unaligned',
    message: `Its ${request.start % pageSize === 0n ? 'size' : 'address'} is not a multiple of the page size, ${formatSize(pageSize)}.`,
    remedy: `Align address and size to ${formatSize(pageSize)}.`,
  };
}

function overPlatformRange(request: Request, { host }: CommonSpace): Explanation | undefined {
  const likely = likelyObstacles(host, request);
  const [first] = likely;
  if (!first) return undefined;
  const named = likely.map((r) => `on ${r.platform} it overlaps ${plainRange(r)}, ${r.message}`);
  return {
    message: `These dumps do not list the reserved regions of the host; ${named.join('; ')}.`,
    remedy: `${fittingPart(request, first)} Add the host's reserved_regions to confirm this.`.trim(),
    marks: likely.map((r) => markOf('obstacle', r, `${r.message} (if this is ${r.platform})`)),
  };
}

function beyondUnknownAperture(request: Request, { apertures }: CommonSpace): Explanation | undefined {
  const bits = bitLength(request.last);
  const narrower = ADDRESS_WIDTHS.filter((width) => width < bits);
  if (apertures.length > 0 || narrower.length === 0) return undefined;
  return {
    message: `It needs ${bits} bits. These dumps do not show the width of the IOMMU; one of ${narrower.join(', ')} bits would refuse it.`,
    remedy:
      'Add the kernel log ("Host address width", "dmar") to confirm this. If the width is the reason, limit phys-bits of the guest.',
  };
}

/** Why a request was refused, as far as the dumps show. */
export function explainRefusal(
  request: Request,
  space: CommonSpace,
  state: MappingState,
  pageSize: bigint,
  isBar: boolean,
): Explanation {
  switch (request.result) {
    case '-EINVAL':
      for (const because of INVALID_BECAUSE) {
        const explanation = because(request, space, pageSize);
        if (explanation) return explanation;
      }
      return {
        message: 'The range or its alignment is not accepted, or the container has no IOMMU type yet.',
        remedy: UNEXPLAINED,
      };
    case '-EFAULT':
      return {
        message:
          'The kernel could not pin the memory. This is normal for a BAR, which has no pages; for RAM it is fatal.',
        remedy: isBar
          ? USUALLY_HARMLESS
          : 'Check that the memory exists and is writable (post-copy memory, read-only files and device memory are not).',
      };
    case '-ENOMEM':
      return {
        message: 'The limit of locked memory was reached, or the host ran out of memory. The addresses do not matter.',
        remedy: 'Raise RLIMIT_MEMLOCK of the VMM (or the limit of its service) above the RAM of the guest.',
      };
    case '-EEXIST':
    case '-EADDRINUSE':
      return overMapping(request, state);
    case '-ENOSPC': {
      const seen = `${counted(state.size, 'mapping')} in these dumps`;
      return appliesTo('mapping-limit', request.api)
        ? {
            subject: 'mapping-limit',
            message: `The container has reached its limit of ${MAPPING_LIMIT} mappings (${seen}).`,
            remedy: FEWER_MAPPINGS,
          }
        : { message: `No free range is large enough (${seen}).`, remedy: UNEXPLAINED };
    }
    case '-ENOENT':
      return notMapped(request, state);
    default:
      return { message: `The kernel answered ${request.result}.`, remedy: UNEXPLAINED };
  }
}

function overMapping(request: Request, state: MappingState): Explanation {
  const there = state.overlapping(request.start, request.last);
  const [first] = there;
  if (!first) {
    return {
      subject: 'map-over-mapping',
      message: 'Something is already mapped there; these dumps do not show what.',
      remedy: 'Unmap it first, with the bounds of the mapping.',
    };
  }
  const others = there.length > 1 ? `, and ${counted(there.length - 1, 'more mapping')}` : '';
  return {
    subject: 'map-over-mapping',
    message: `${describeRange(first)} is already mapped there${others}.`,
    remedy: 'Unmap it first, with the bounds of the mapping.',
    marks: marksOf(there, 'already mapped'),
    provenance: [provenanceOf(factAt(state.set, first.fact))],
  };
}

function notMapped(request: Request, state: MappingState): Explanation {
  const there = state.overlapping(request.start, request.last);
  const [first] = there;
  return {
    subject: first ? 'unmap-cuts-mapping' : 'unmap-nothing-mapped',
    message: first
      ? `${describeRange(first)} is mapped there: the range does not match it.`
      : 'These dumps show no mapping there.',
    remedy: 'Unmap with the bounds of the mappings that were made.',
    marks: marksOf(there, 'mapped'),
  };
}

function marksOf(mappings: readonly LiveMapping[], message: string): ConflictMark[] {
  return mappings.slice(0, MARKED_MAX).map((mapping) => markOf('obstacle', mapping, message));
}
