// What programs asked for and were refused, with what stood in the way; and what they asked for that looks wrong.
import { counted, formatSize, hex } from '../../iova/format.ts';
import { ADDRESS_WIDTHS, bitLength } from '../../iova/iova.ts';
import { containsRange, type IovaRange, intersection, isAligned, sizeOf } from '../../iova/range.ts';
import type { FactOf } from '../../session/events.ts';
import type { Provenance } from '../host/host.ts';
import { isMap, type MappingFact, type MappingSet, MappingState } from '../host/mappings.ts';
import { likelyObstacles } from '../host/platforms.ts';
import { meaningOf } from '../host/region-types.ts';
import { beyondApertures, type CommonSpace } from '../space/common-space.ts';
import { findPlaces } from '../space/fit.ts';
import { type Conflict, type ConflictMark, describeRange, joinNames, type Severity } from './conflict.ts';

/** VFIO type1's limit of mappings a container (Linux 6.12, the module parameter dma_entry_limit). */
export const MAPPING_LIMIT = 65535;
/** From this many on the limit is near. */
const NEAR_LIMIT = 60000;
/** Conflicts of one rule that a set gives; the rest is counted in the last. */
const PER_RULE_MAX = 50;

type Request = FactOf<'request'>;

function placeOf(fact: MappingFact): Provenance {
  return { source: fact.source ?? 'this session', line: fact.line };
}

/** True if what was to be mapped is device memory and not RAM, as far as the request itself tells. */
function looksLikeBar(request: Request, space: CommonSpace): boolean {
  const { name } = request;
  if (name !== undefined && /ram|mem|rom|bios|dimm|dram/i.test(name) && !/\bBAR\b/i.test(name)) return false;
  if (name !== undefined && /\bBAR\b|mmap|msi-?x/i.test(name)) return true;
  // In the first MiB there are no BARs: what cannot be pinned there is memory.
  if (request.result === '-EFAULT') return request.start >= 0x10_0000n;
  if (space.host.bars.some((bar) => containsRange(bar, request))) return true;
  // High up and not large: firmware places 64-bit BARs at the top of what it believes there is.
  const isHigh = request.start >= 1n << 37n && sizeOf(request) <= 1n << 38n;
  return request.result === '-EINVAL' && isHigh && name === undefined;
}

interface Explanation {
  readonly message: string;
  readonly remedy: string;
  readonly marks: readonly ConflictMark[];
  readonly provenance: readonly Provenance[];
}

/** Free places of the wanted size, for a way out. */
function elsewhere(space: CommonSpace, wanted: IovaRange): string {
  const { places, largest } = findPlaces(space.usable, { size: sizeOf(wanted), alignment: 0x20_0000n });
  if (places[0]) return `A range of this size would fit at ${hex(places[0].first)}.`;
  return largest ? `No place takes it; the largest takes ${formatSize(largest.size)} at ${hex(largest.start)}.` : '';
}

/** The largest part that fits from where the request starts. */
function fittingPart(request: IovaRange, obstacle: IovaRange): string {
  return obstacle.start > request.start
    ? `From ${hex(request.start)} up to the obstacle ${formatSize(obstacle.start - request.start)} fit.`
    : '';
}

function explainInvalid(request: Request, space: CommonSpace, pageSize: bigint): Explanation | undefined {
  for (const region of space.reserved) {
    const cut = meaningOf(region.type).blocksMappings ? intersection(region, request) : undefined;
    if (!cut) continue;
    const owners = joinNames([...new Set(region.parts.map((part) => part.owner))]);
    return {
      message: `${describeRange(cut)} inside it is reserved (${region.type}, ${owners}).`,
      remedy: `${fittingPart(request, region)} ${elsewhere(space, request)}`.trim(),
      marks: [{ start: region.start, last: region.last, role: 'obstacle', message: `${region.type} of ${owners}` }],
      provenance: region.parts.flatMap((part) => part.provenance),
    };
  }
  for (const outside of beyondApertures(space.apertures)) {
    const cut = intersection(outside, request);
    if (!cut) continue;
    const has = bitLength(outside.start > 0n ? outside.start - 1n : 0n);
    return {
      message: `It needs ${bitLength(request.last)} bits, the IOMMU has ${has}.`,
      remedy: `Keep below ${hex(outside.start)}: limit the guest’s phys-bits to ${has}.`,
      marks: [{ ...cut, role: 'obstacle', message: 'outside the aperture' }],
      provenance: space.apertures.flatMap((aperture) => aperture.provenance),
    };
  }
  if (!isAligned(request, pageSize)) {
    return {
      message: `Its ${request.start % pageSize === 0n ? 'size' : 'address'} is no multiple of the page size, ${formatSize(pageSize)}.`,
      remedy: `Align address and size to ${formatSize(pageSize)}.`,
      marks: [],
      provenance: [],
    };
  }
  const likely = likelyObstacles(space.host, request);
  const [first] = likely;
  if (first) {
    const named = likely.map((r) => `on ${r.platform} ${hex(r.start)}-${hex(r.last)} lies inside, ${r.message}`);
    return {
      message: `These dumps do not say what the host reserves; ${named.join('; ')}.`,
      remedy: `${fittingPart(request, first)} Add the host’s reserved_regions to be sure.`.trim(),
      marks: likely.map((r) => ({
        start: r.start,
        last: r.last,
        role: 'obstacle',
        message: `${r.message} (if this is ${r.platform})`,
      })),
      provenance: [],
    };
  }
  const bits = bitLength(request.last);
  if (space.apertures.length === 0 && bits > 36) {
    const narrower = ADDRESS_WIDTHS.filter((width) => width < bits);
    return {
      message: `It needs ${bits} bits; how many the IOMMU has is not in these dumps. IOMMUs of ${narrower.join(', ')} bits would refuse it.`,
      remedy:
        'Add the kernel’s log (“Host address width”, “dmar”) to be sure; limit the guest’s phys-bits if it is the width.',
      marks: [],
      provenance: [],
    };
  }
  return undefined;
}

const UNEXPLAINED =
  'Nothing in these dumps explains it: add the host’s reserved_regions and the kernel’s log of the same time.';

/** Why a request was refused, as far as it can be told. */
function explain(
  request: Request,
  space: CommonSpace,
  state: MappingState,
  pageSize: bigint,
  isBar: boolean,
): Explanation {
  const nothing = { marks: [], provenance: [] };
  switch (request.result) {
    case '-EINVAL':
      return (
        explainInvalid(request, space, pageSize) ?? {
          message: 'The range, its alignment, or the container itself (no IOMMU type set yet) was not accepted.',
          remedy: UNEXPLAINED,
          ...nothing,
        }
      );
    case '-EFAULT':
      return {
        message:
          'The kernel could not pin the memory behind it. That is so for a BAR, which has no pages; for RAM it would be fatal.',
        remedy: isBar
          ? 'Usually nothing is lost: only DMA from device to device needs it.'
          : 'Check that the memory is there and may be written (post-copy, read-only files and device memory are not).',
        ...nothing,
      };
    case '-ENOMEM':
      return {
        message: 'The limit of locked memory was reached, or memory ran out: not a matter of addresses.',
        remedy: 'Raise RLIMIT_MEMLOCK of the monitor (or the limit of its service) above the guest’s RAM.',
        ...nothing,
      };
    case '-EEXIST':
    case '-EADDRINUSE': {
      const there = state.overlapping(request.start, request.last);
      const [first] = there;
      const maker = first && state.set.facts[first.fact];
      return {
        message: first
          ? `${describeRange(first)} was mapped there already${there.length > 1 ? `, and ${there.length - 1} more` : ''}.`
          : 'Something is mapped there already; who mapped it is not in these dumps.',
        remedy: 'Unmap it first, whole: a mapping made in one piece goes in one piece.',
        marks: there
          .slice(0, 3)
          .map(({ start, last }) => ({ start, last, role: 'obstacle', message: 'mapped already' })),
        provenance: maker ? [placeOf(maker)] : [],
      };
    }
    case '-ENOSPC':
      return {
        message: `Either no hole is large enough, or the container has used up its ${MAPPING_LIMIT} mappings (${counted(state.size, 'mapping')} of them seen here).`,
        remedy:
          'Fewer, larger mappings (huge pages, a larger block size of virtio-mem), or a higher dma_entry_limit of vfio_iommu_type1.',
        ...nothing,
      };
    case '-ENOENT': {
      const there = state.overlapping(request.start, request.last);
      return {
        message:
          there.length > 0
            ? `What is mapped there is ${describeRange(there[0] as IovaRange)}: the range does not match it.`
            : 'Nothing that was seen is mapped there.',
        remedy: 'Unmap what was mapped, in the same pieces.',
        marks: there.slice(0, 3).map(({ start, last }) => ({ start, last, role: 'obstacle', message: 'mapped' })),
        provenance: [],
      };
    }
    default:
      return { message: `The kernel answered ${request.result}.`, remedy: UNEXPLAINED, ...nothing };
  }
}

function severityOf(request: Request, isBar: boolean): Severity {
  return isBar && request.result !== '-ENOMEM' && request.result !== '-ENOSPC' ? 'note' : 'fatal';
}

function refused(request: Request, space: CommonSpace, state: MappingState, pageSize: bigint): Conflict {
  const isBar = looksLikeBar(request, space);
  const { message, remedy, marks, provenance } = explain(request, space, state, pageSize, isBar);
  const name = request.name !== undefined ? ` of “${request.name}”` : '';
  const what = `${request.op}${name} at ${hex(request.start)}, ${formatSize(sizeOf(request))}`;
  const errno = typeof request.result === 'string' ? request.result.replace(/^-/, '') : undefined;
  const kind = isBar
    ? 'It looks like a BAR, not RAM: then a monitor warns and goes on.'
    : request.op === 'map'
      ? 'If it is RAM, the guest does not start.'
      : '';
  return {
    id: `request-refused ${request.op} ${request.start}-${request.last} ${request.result}`,
    rule: 'request-refused',
    severity: severityOf(request, isBar),
    title: `${what} was refused`,
    message: [message, kind].filter(Boolean).join(' '),
    errno: errno === 'unknown' ? undefined : errno,
    source: request.api === 'iommufd' ? 'iommufd, as the dump says' : 'VFIO, as the dump says',
    remedy,
    marks: [{ start: request.start, last: request.last, role: 'requested', message: `asked for${name}` }, ...marks],
    provenance: [placeOf(request), ...provenance],
  };
}

/** Something about the mappings of a set that was not refused, but is strange. */
function strange(
  set: MappingSet,
  rule: string,
  fact: number,
  mapping: IovaRange,
  texts: Pick<Conflict, 'title' | 'message' | 'remedy'> & { readonly errno?: string },
): Conflict {
  const requested = set.facts[fact] as MappingFact;
  return {
    id: `${rule} ${set.key} ${fact}`,
    rule,
    severity: 'warning',
    ...texts,
    source: 'Linux 6.12, vfio_dma_do_unmap',
    marks: [
      {
        start: requested.start,
        last: requested.last,
        role: 'requested',
        message: isMap(requested) ? 'mapped' : 'unmapped',
      },
      { start: mapping.start, last: mapping.last, role: 'obstacle', message: 'mapping' },
    ],
    provenance: [placeOf(requested)],
  };
}

/** Keeps so many of a rule, and says in the last how many there were. */
function bounded(conflicts: readonly Conflict[]): Conflict[] {
  if (conflicts.length <= PER_RULE_MAX) return [...conflicts];
  const kept = conflicts.slice(0, PER_RULE_MAX);
  const last = kept.at(-1);
  if (last) {
    const more = conflicts.length - PER_RULE_MAX;
    kept[kept.length - 1] = { ...last, message: `${last.message} There are ${counted(more, 'more such case')}.` };
  }
  return kept;
}

/** Ticked groups that could not join the container now, because something is mapped where they cannot have it. */
function refusedAttaches(state: MappingState, space: CommonSpace): Conflict[] {
  const { set } = state;
  const regions = space.reserved
    .filter((region) => meaningOf(region.type).blocksMappings)
    .map((region) => {
      const owners = joinNames([...new Set(region.parts.map((part) => part.owner))]);
      const places = region.parts.flatMap((part) => part.provenance);
      return { start: region.start, last: region.last, what: `${region.type} of ${owners}`, who: owners, places };
    });
  const beyond = beyondApertures(space.apertures).map(({ start, last }) => ({
    start,
    last,
    what: 'outside the aperture',
    who: joinNames(space.apertures.map(({ message }) => message)),
    places: space.apertures.flatMap((aperture) => aperture.provenance),
  }));
  return [...regions, ...beyond].flatMap(({ start, last, what, who, places }): Conflict[] => {
    const there = state.overlapping(start, last);
    const [first] = there;
    const maker = first && set.facts[first.fact];
    if (!first || !maker) return [];
    const isIommufd = maker.kind === 'request' && maker.api === 'iommufd';
    return [
      {
        id: `attach-over-mapping ${set.key} ${start}-${last}`,
        rule: 'attach-over-mapping',
        severity: 'warning',
        title: `something is mapped over ${hex(start)}-${hex(last)} (${what})`,
        message: `${describeRange(first)} is mapped${there.length > 1 ? `, and ${counted(there.length - 1, 'mapping')} more` : ''}: attaching ${who} to the same address space now is refused.`,
        errno: isIommufd ? 'EADDRINUSE' : 'EINVAL',
        source: isIommufd
          ? 'Linux 6.12, iopt_table_enforce_dev_resv_regions'
          : 'Linux 6.12, vfio_iommu_resv_conflict; vfio_iommu_aper_conflict',
        remedy: 'Attach all groups before anything is mapped, or unmap it first.',
        marks: [
          { start: first.start, last: first.last, role: 'requested', message: 'mapped' },
          { start, last, role: 'obstacle', message: what },
        ],
        provenance: [placeOf(maker), ...places],
      },
    ];
  });
}

/** Unmaps that took away less than they were asked to. */
function shortUnmaps(set: MappingSet): Conflict[] {
  const found: Conflict[] = [];
  for (const [index, fact] of set.facts.entries()) {
    if (fact.kind !== 'unmap' || fact.unmapped === undefined || fact.unmapped >= sizeOf(fact)) continue;
    if (found.length > PER_RULE_MAX) break;
    found.push(
      strange(set, 'unmap-short', index, fact, {
        title: `an unmap of ${formatSize(sizeOf(fact))} at ${hex(fact.start)} took away ${formatSize(fact.unmapped)}`,
        message: `${describeRange(fact)} was to go, but less was mapped there than its caller believed. A later map of the rest may answer EEXIST.`,
        remedy: 'Compare with the maps before it: somebody unmapped a part, or mapped less.',
      }),
    );
  }
  return bounded(found);
}

/**
 * Goes through the mapping facts of a set in their order: refused requests with what stood in the way at that moment,
 * unmaps that cut mappings, maps over mappings, and the number of mappings against the limit.
 */
export function requestConflicts(set: MappingSet, space: CommonSpace, pageSize: bigint): Conflict[] {
  const found = new Map<string, Conflict>();
  const state = new MappingState(set);
  let most = 0;
  let mostAt: MappingFact | undefined;
  const isRequests = set.facts[0]?.kind === 'request';
  if (isRequests) {
    for (const [index, fact] of set.facts.entries()) {
      state.seek(set.positions[index] as number);
      if (fact.kind !== 'request') continue;
      if (fact.result !== 0) {
        const conflict = refused(fact, space, state, pageSize);
        if (!found.has(conflict.id) && found.size <= PER_RULE_MAX * 2) found.set(conflict.id, conflict);
      }
      if (state.size > most) [most, mostAt] = [state.size, fact];
    }
  }
  const strangeOnes: Conflict[] = [];
  if (isRequests) {
    strangeOnes.push(
      ...bounded(
        state.cuts.map(({ fact, mapping }) => {
          const requested = set.facts[fact] as MappingFact;
          return strange(set, 'unmap-cuts-mapping', fact, mapping, {
            title: `an unmap at ${hex(requested.start)} cuts a mapping`,
            message: `${describeRange(requested)} is only a part of the mapping ${describeRange(mapping)}. Version 2 of type1 refuses that, version 1 takes all or nothing, iommufd refuses it: what is mapped afterwards is not what the caller believes.`,
            remedy: 'Unmap in the pieces that were mapped, or map in the pieces that will be unmapped.',
            errno: 'EINVAL',
          });
        }),
      ),
    );
  }
  if (most >= NEAR_LIMIT && mostAt) {
    const isOver = most >= MAPPING_LIMIT;
    strangeOnes.push({
      id: `mapping-limit ${set.key}`,
      rule: 'mapping-limit',
      severity: isOver ? 'fatal' : 'warning',
      title: `${counted(most, 'mapping')} at once, of at most ${MAPPING_LIMIT}`,
      message: 'A container of VFIO type1 takes 65535 mappings; the next one is refused, however much space is free.',
      errno: 'ENOSPC',
      source: 'Linux 6.12, vfio_dma_do_map (dma_entry_limit)',
      remedy: 'Fewer, larger mappings (huge pages, a larger block size of virtio-mem), or a higher dma_entry_limit.',
      marks: [],
      provenance: [placeOf(mostAt)],
    });
  }
  const attaches = isRequests ? bounded(refusedAttaches(state, space)) : [];
  return [...bounded([...found.values()]), ...attaches, ...strangeOnes, ...shortUnmaps(set)];
}
