// Requests of programs that the kernel refused, with what blocked them; and requests that look wrong.
import type { DiagnosticCode } from '../../dumps/diagnostics.ts';
import { counted, formatSize, hex, hexRange } from '../../iova/format.ts';
import { type IovaRange, sizeOf } from '../../iova/range.ts';
import { MAPPING_LIMIT } from '../../kernel/limits.ts';
import { appliesTo, lookUpRule, type RequestApi, type RuleSubject } from '../../kernel/rule-book.ts';
import { deviceLabel } from '../host/devices.ts';
import { type Host, provenanceOf } from '../host/host.ts';
import { type MappingState, walkMappings } from '../host/mapping-state.ts';
import { factAt, isMap, type MappingFact, type MappingSet } from '../host/mappings.ts';
import { meaningOf } from '../host/region-types.ts';
import { beyondApertures, type CommonSpace } from '../space/common-space.ts';
import { barPartSentence } from './bar-parts.ts';
import {
  type Conflict,
  type ConflictSeverity,
  describeRange,
  joinNames,
  markOf,
  onKernel,
  ownersOf,
  partPlaces,
  refusedBy,
} from './conflict.ts';
import {
  type Explanation,
  errnoOf,
  explainRequest,
  FEWER_MAPPINGS,
  ownGroups,
  type RequestContext,
} from './explain-request.ts';
import type { GuestLayout } from './guest.ts';
import { describeMemory, type MemoryKind, memoryKindOf, type Request } from './request-subject.ts';

/** From this many mappings on, a container is close to its limit. */
const NEAR_LIMIT = 60000;
/** Maximum number of conflicts per rule and set; the last one says how many more there are. */
const PER_RULE_MAX = 50;
const API_NAMES: Readonly<Record<RequestApi, string>> = { vfio: 'VFIO', iommufd: 'iommufd' };

/** The kernel function that refused, if the rule gives the recorded answer; otherwise the interface. */
function refusalSource({ api, origin }: Request, subject: RuleSubject | undefined, errno: string | undefined): string {
  if (origin === 'vfio-user') return 'vfio-user, as reported in the dump';
  const rule = subject !== undefined && appliesTo(subject, api) ? lookUpRule(subject, { api }) : undefined;
  return rule && rule.errno === errno ? rule.source : `${API_NAMES[api]}, as reported in the dump`;
}

function refusalId({ op, start, last, result }: Request): string {
  return `request-refused ${op} ${start}-${last} ${result}`;
}

/** A request with the details that another message about it adds; the same object if there are none. */
function withDetails(known: Request, { name, device, group }: Request): Request {
  const isMore =
    (known.name === undefined && name !== undefined) ||
    (known.device === undefined && device !== undefined) ||
    (known.group === undefined && group !== undefined);
  if (!isMore) return known;
  return { ...known, name: known.name ?? name, device: known.device ?? device, group: known.group ?? group };
}

/** What a refusal means for the guest. */
function consequenceOf({ op }: Request, kind: MemoryKind): string {
  if (kind === 'bar') return 'It looks like a BAR, not RAM: the VMM prints a warning and continues.';
  return op === 'map' ? 'If it is RAM, the guest does not start.' : '';
}

function severityOf({ result }: Request, kind: MemoryKind, { host }: CommonSpace): ConflictSeverity {
  if (kind !== 'bar' || result === '-ENOMEM' || result === '-ENOSPC') return 'fatal';
  // Old versions of QEMU exit if a BAR of a hotplugged device cannot be mapped.
  return host.complaints.some(({ code }) => code === 'qemu-dma-mapping-fatal') ? 'fatal' : 'note';
}

const PEER_TO_PEER: DiagnosticCode = 'qemu-no-peer-to-peer';

/** The device whose BARs are not mapped according to QEMU, if it reports only one. */
function unmappedDevice({ complaints }: Pick<Host, 'complaints'>): string | undefined {
  const named = complaints.flatMap(({ code, message }) =>
    code === PEER_TO_PEER ? (/BARs of ([0-9a-f:.]{12,16}) /.exec(message)?.[1] ?? []) : [],
  );
  const [only, ...others] = new Set(named);
  return others.length === 0 ? only : undefined;
}

/** `for 0000:29:00.0 (group 28)`, as far as it is known. */
function holderOf(request: Request, kind: MemoryKind, { host }: CommonSpace, guest: GuestLayout | undefined): string {
  const { device: named } = request;
  const [only, ...others] = guest?.definition?.assigned ?? [];
  const device =
    named ?? (kind === 'bar' ? unmappedDevice(host) : undefined) ?? (others.length === 0 ? only : undefined);
  if (device === undefined) return '';
  const [owner] = ownGroups({ ...request, device }, host);
  const { name, driver } = host.devices.get(device) ?? {};
  const who = deviceLabel(host.devices, device);
  const group = owner?.group ?? request.group;
  if (group === undefined) return ` for ${who}`;
  return ` for ${who}${(name ?? driver) === undefined ? ` (group ${group})` : ` of group ${group}`}`;
}

function answerTo(
  request: Request,
  { space, kind, guest }: RequestContext,
  { cause, remedies = [] }: Explanation,
): string {
  const { op } = request;
  const errno = errnoOf(request);
  const what = describeMemory(request, kind, guest?.definition?.name);
  const name = op === 'map' ? 'Map' : 'Unmap';
  // The log has the answer of the host's own kernel, regardless of the chosen rules.
  const kernel = request.origin === 'vfio-user' ? '' : onKernel(space.host.about.kernel, undefined);
  const refusal = errno === 'unknown' ? 'refused' : `refused (${errno}${kernel})`;
  const isFatalForQemu = space.host.complaints.some(({ code }) => code === 'qemu-dma-mapping-fatal');
  const isHarmless = severityOf(request, kind, space) === 'note';
  const consequence = isHarmless
    ? ' The guest runs, but peer-to-peer DMA to this memory will not work.'
    : isFatalForQemu
      ? ` QEMU stopped because of it${kind === 'bar' ? ' (newer versions only warn)' : ''}.`
      : '';
  const [fix] = remedies;
  const fixed = fix
    ? ` ${isHarmless ? `If it is needed: ${fix.text.charAt(0).toLowerCase()}${fix.text.slice(1)}` : fix.text}.`
    : '';
  return `${name} of ${hexRange(request)} (${what})${holderOf(request, kind, space, guest)} ${refusal}: ${cause}.${consequence}${fixed}`;
}

interface Refusal {
  readonly conflict: Conflict;
  readonly causedBy: Request | undefined;
}

function refused(request: Request, context: RequestContext, position: number | undefined): Refusal {
  const { space, kind } = context;
  const explanation = explainRequest(request, context);
  const { message, remedy, remedies, subject, marks = [], provenance = [], causedBy } = explanation;
  const name = request.name !== undefined ? ` of "${request.name}"` : '';
  const errno = typeof request.result === 'string' ? errnoOf(request) : undefined;
  const conflict: Conflict = {
    id: refusalId(request),
    rule: 'request-refused',
    severity: severityOf(request, kind, space),
    title: `${request.origin === 'vfio-user' ? 'The device (vfio-user)' : 'The kernel'} refused to ${request.op} ${formatSize(sizeOf(request))} at ${hex(request.start)}${name}`,
    message: [message, consequenceOf(request, kind), kind === 'bar' ? barPartSentence(request) : '']
      .filter(Boolean)
      .join(' '),
    errno: errno === 'unknown' ? undefined : errno,
    source: refusalSource(request, subject, errno),
    remedy,
    marks: [
      markOf('requested', request, request.name === undefined ? 'requested' : `request for "${request.name}"`),
      ...marks,
    ],
    provenance: [provenanceOf(request), ...provenance],
    answer: answerTo(request, context, explanation),
    ...(remedies === undefined ? {} : { remedies }),
    position,
    kind: `refused ${request.op} ${errno} ${kind}`,
    kindLabel: { unit: 'request', text: `${request.op} refused${errno === undefined ? '' : ` (${errno})`}` },
    // The address space of a map was gone: an earlier message has the cause.
    ...(request.op === 'map' && errno === 'ENOENT' && space.host.complaints.length > 0 ? { follows: true } : {}),
  };
  return { conflict, causedBy };
}

/** An unmap that was not refused, but is suspicious. */
function suspicious(
  set: MappingSet,
  rule: 'unmap-cuts-mapping' | 'unmap-short',
  index: number,
  fact: MappingFact,
  mapping: IovaRange,
  texts: Pick<Conflict, 'title' | 'message' | 'remedy' | 'errno' | 'source'>,
): Conflict {
  return {
    id: `${rule} ${set.key} ${index}`,
    rule,
    severity: 'warning',
    ...texts,
    marks: [markOf('requested', fact, isMap(fact) ? 'mapped' : 'unmapped'), markOf('obstacle', mapping, 'mapping')],
    provenance: [provenanceOf(fact)],
  };
}

/** Keeps the first conflicts of a rule; the last one says how many of `total` are not listed. */
function bounded(conflicts: readonly Conflict[], total = conflicts.length): Conflict[] {
  const kept = conflicts.slice(0, PER_RULE_MAX);
  const more = total - kept.length;
  const last = kept.pop();
  if (!last) return [];
  const message =
    more === 0 ? last.message : `${last.message} ${counted(more, 'more conflict')} of this kind not listed.`;
  return [...kept, { ...last, message }];
}

/** Selected groups that could not join the container now, because something is mapped in one of their reserved regions. */
function refusedAttaches(state: MappingState, space: CommonSpace, api: RequestApi): Conflict[] {
  const { set } = state;
  const regions = space.reserved
    .filter((region) => meaningOf(region.type).blocksMappings)
    .map((region) => {
      const who = ownersOf(region);
      const subject = 'attach-region-over-mapping' as const;
      return { range: region, what: `${region.type} of ${who}`, who, subject, places: partPlaces(region) };
    });
  const beyond = beyondApertures(space.apertures).map((range) => ({
    range,
    what: 'outside the aperture',
    who: joinNames(space.apertures.map(({ message }) => message)),
    subject: 'attach-aperture-over-mapping' as const,
    places: space.apertures.flatMap((aperture) => aperture.provenance),
  }));
  return [...regions, ...beyond].flatMap(({ range, what, who, subject, places }): Conflict[] => {
    const there = state.overlapping(range.start, range.last);
    const [first] = there;
    if (!first) return [];
    const maker = factAt(set, first.fact);
    const others = there.length > 1 ? `, and ${counted(there.length - 1, 'more mapping')}` : '';
    return [
      {
        id: `attach-over-mapping ${set.key} ${range.start}-${range.last}`,
        rule: 'attach-over-mapping',
        severity: 'warning',
        title: `A mapping overlaps ${hexRange(range)} (${what})`,
        message: `${describeRange(first)} is mapped${others}: attaching ${who} to the same address space would be refused.`,
        ...refusedBy(subject, { api }),
        remedy: 'Attach all groups before anything is mapped, or unmap it first.',
        marks: [markOf('requested', first, 'mapped'), markOf('obstacle', range, what)],
        provenance: [provenanceOf(maker), ...places],
      },
    ];
  });
}

/** The interface of a set of requests; `undefined` for other sets. */
function apiOf({ facts }: MappingSet): RequestApi | undefined {
  if (facts[0]?.kind !== 'request') return undefined;
  // Only failed requests are printed with the name of the ioctl.
  const first = facts.find((fact) => fact.kind === 'request' && fact.result !== 0) ?? facts[0];
  return first?.kind === 'request' ? first.api : undefined;
}

/** Unmaps that removed less than was requested. */
function shortUnmaps(set: MappingSet): Conflict[] {
  const { first = [], count = 0 } = set.folded?.shortUnmaps ?? {};
  const found: MappingFact[] = [...first];
  let total = count;
  for (const fact of set.facts) {
    if (fact.kind !== 'unmap' || fact.unmapped === undefined || fact.unmapped >= sizeOf(fact)) continue;
    if (++total <= PER_RULE_MAX) found.push(fact);
  }
  const conflicts = found.map((fact, index) =>
    suspicious(set, 'unmap-short', index, fact, fact, {
      title: `An unmap of ${formatSize(sizeOf(fact))} at ${hex(fact.start)} removed ${formatSize((fact.kind === 'unmap' && fact.unmapped) || 0n)}`,
      message: `${describeRange(fact)} was to be unmapped, but fewer bytes were mapped than the caller expected. A later map of the rest may fail with EEXIST.`,
      remedy: 'Compare with the maps before it: a part was already unmapped, or was never mapped.',
    }),
  );
  return bounded(conflicts, total);
}

/** Unmaps that took a part of a mapping. */
function cutMappings(state: MappingState, api: RequestApi): Conflict[] {
  const { set } = state;
  const found = state.cuts.slice(0, PER_RULE_MAX).map(({ fact, mapping }) => {
    const unmap = factAt(set, fact);
    return suspicious(set, 'unmap-cuts-mapping', fact, unmap, mapping, {
      title: `An unmap at ${hex(unmap.start)} cuts a mapping`,
      message: `${describeRange(unmap)} is only a part of the mapping ${describeRange(mapping)}. type1 version 2 and iommufd refuse that, version 1 unmaps all or nothing: what is mapped afterwards is not what the caller expects.`,
      remedy: 'Unmap with the bounds of the mapping, or map in the pieces that will be unmapped.',
      ...refusedBy('unmap-cuts-mapping', { api }),
    });
  });
  return bounded(found, state.cuts.length);
}

function nearLimit(set: MappingSet, peak: number, at: MappingFact): Conflict {
  return {
    id: `mapping-limit ${set.key}`,
    rule: 'mapping-limit',
    severity: peak >= MAPPING_LIMIT ? 'fatal' : 'warning',
    title: `${counted(peak, 'mapping')} at once, of at most ${MAPPING_LIMIT}`,
    message: `A VFIO type1 container accepts ${MAPPING_LIMIT} mappings. The next one is refused, however much space is free.`,
    ...refusedBy('mapping-limit'),
    remedy: FEWER_MAPPINGS,
    marks: [],
    provenance: [provenanceOf(at)],
  };
}

/**
 * Walks the mapping facts of a set in order, and reports refused requests with what blocked them at that time, unmaps that cut
 * mappings, groups that could not be attached, a number of mappings close to the limit, and short unmaps.
 * `pageSize` in bytes; `guest`: the guest that owns the memory, if it is defined.
 */
export function requestConflicts(
  set: MappingSet,
  space: CommonSpace,
  pageSize: bigint,
  guest?: GuestLayout,
): Conflict[] {
  const api = apiOf(set);
  if (api === undefined) return shortUnmaps(set);
  const found: Conflict[] = [];
  /** Refused requests, each once even if it was repeated. */
  const refusals = new Map<string, { request: Request; readonly place: number }>();
  /** Ids of refusals that only led to a later one. */
  const causes = new Set<string>();
  const failedUnmaps: Request[] = [];
  let peak: { readonly size: number; readonly at: MappingFact } | undefined;
  let end: MappingState | undefined;
  let index = 0;
  for (const { fact, state } of walkMappings(set)) {
    const position = set.positions[index++];
    end = state;
    if (fact.kind !== 'request') continue;
    if (fact.result !== 0) {
      const id = refusalId(fact);
      const known = refusals.get(id);
      const request = known ? withDetails(known.request, fact) : fact;
      const place = known?.place ?? found.length;
      if (known ? request !== known.request && place < PER_RULE_MAX : refusals.size < PER_RULE_MAX) {
        const context = { space, state, pageSize, kind: memoryKindOf(request, space), failedUnmaps, guest };
        const { conflict, causedBy } = refused(request, context, found[place]?.position ?? position);
        found[place] = conflict;
        if (causedBy) causes.add(refusalId(causedBy));
      }
      if (known) known.request = request;
      else refusals.set(id, { request, place });
      if (fact.op === 'unmap' && failedUnmaps.length < PER_RULE_MAX) failedUnmaps.push(fact);
    }
    if (state.size > (peak?.size ?? 0)) peak = { size: state.size, at: fact };
  }
  const isNearLimit = peak !== undefined && peak.size >= NEAR_LIMIT && appliesTo('mapping-limit', api);
  return [
    ...bounded(
      found.map((conflict) => (causes.has(conflict.id) ? { ...conflict, follows: true } : conflict)),
      refusals.size,
    ),
    ...(end ? bounded(refusedAttaches(end, space, api)) : []),
    ...(end ? cutMappings(end, api) : []),
    ...(peak && isNearLimit ? [nearLimit(set, peak.size, peak.at)] : []),
    ...shortUnmaps(set),
  ];
}
