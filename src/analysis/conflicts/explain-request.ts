// Why a program's request was refused: what blocked it at that moment, as far as the dumps show.
import { counted, formatExactSize, formatSize, hex, hexRange } from '../../iova/format.ts';
import { ADDRESS_WIDTHS, bitLength } from '../../iova/iova.ts';
import { containsRange, type IovaRange, intersection, isAligned } from '../../iova/range.ts';
import { subtract } from '../../iova/range-set.ts';
import { MAPPING_LIMIT } from '../../kernel/limits.ts';
import { appliesTo, type RuleSubject } from '../../kernel/rule-book.ts';
import { HYPERTRANSPORT_RANGE, ISA_BRIDGE_RANGE } from '../../kernel/shared/platform-ranges.ts';
import { isAssignable } from '../case/device.ts';
import type { GuestDefinition } from '../guest/guest-memory.ts';
import { GIB, MIB } from '../guest/layout.ts';
import { type Group, type Host, kernelOf, type Provenance, provenanceOf } from '../host/host.ts';
import type { MappingState } from '../host/mapping-state.ts';
import { factAt, type LiveMapping } from '../host/mappings.ts';
import { likelyObstacles, listsRegions } from '../host/platform-ranges.ts';
import { architectureOf } from '../host/platforms.ts';
import { meaningOf } from '../host/region-types.ts';
import { apertureLimits, assumptionClause, assumptionSentence } from '../space/aperture-limit.ts';
import { type CommonSpace, commonSpace, type MergedRegion } from '../space/common-space.ts';
import { type ConflictMark, describeRange, markOf, ownersOf, partPlaces, type Remedy } from './conflict.ts';
import { hugepagesText, memfdText, memlockTexts, physBitsText } from './fix-text.ts';
import { type GuestLayout, remediesFor } from './guest.ts';
import { ISA_REGION_HISTORY, isIsaRegion, mayHaveIsaRegion } from './isa-bridge.ts';
import { suggestPlace } from './other-place.ts';
import { regionClause } from './region-clause.ts';
import type { MemoryKind, Request } from './request-subject.ts';
import { explainVfioUser } from './vfio-user.ts';

/** Where RAM of a PC continues after the hole below 1 MiB. */
const PC_STARTS: ReadonlySet<bigint> = new Set([0xc_0000n, 0x10_0000n]);
/** How many mappings one conflict marks. */
const MARKED_MAX = 3;

export const FEWER_MAPPINGS =
  'Use fewer, larger mappings (huge pages, a larger virtio-mem block size), or raise dma_entry_limit of vfio_iommu_type1.';
const UNEXPLAINED =
  "Nothing in these dumps explains it: add the host's reserved_regions and its kernel log from the same time.";
const USUALLY_HARMLESS =
  'Usually none is needed: only peer-to-peer DMA uses this mapping. If the guest shows a black screen, check the ROM, the reset and the boot display of the device instead.';

/** Why a request was refused. */
export interface Explanation {
  /** Full sentences. */
  readonly message: string;
  /** The same as a clause for the answer, to follow a colon; without a full stop. */
  readonly cause: string;
  readonly remedy: string;
  readonly remedies?: readonly Remedy[];
  /** The kernel's rule, if it is known which one refused. */
  readonly subject?: RuleSubject;
  readonly marks?: readonly ConflictMark[];
  readonly provenance?: readonly Provenance[];
  /** An earlier refused request that caused this one. */
  readonly causedBy?: Request | undefined;
}

/** What is known at the moment of a request. */
export interface RequestContext {
  readonly space: CommonSpace;
  readonly state: MappingState;
  /** In bytes. */
  readonly pageSize: bigint;
  readonly kind: MemoryKind;
  /** Unmaps that were refused before, in order. */
  readonly failedUnmaps: readonly Request[];
  /** The guest whose definition is known. */
  readonly guest?: GuestLayout | undefined;
}

/** A sentence about how much fits at the start of the request; empty if not a single byte does. */
function fittingPart(request: IovaRange, obstacle: IovaRange): string {
  return obstacle.start > request.start
    ? `The first ${formatSize(obstacle.start - request.start)}, from ${hex(request.start)} up to the obstacle, would fit.`
    : '';
}

/** RAM from the start of the request that ends before the obstacle, in whole MiB. */
function smallerRam(request: Request, obstacle: IovaRange, kind: MemoryKind): Remedy[] {
  const room = obstacle.start - request.start;
  const mib = room / MIB;
  if (kind === 'bar' || room < MIB) return [];
  const size = mib < 1024n ? `${mib} MiB` : `${mib} MiB (${formatSize(mib * MIB)})`;
  // Only the machine virt has all RAM in one range.
  const isWhole = request.name === 'mach-virt.ram';
  return [
    isWhole
      ? { text: `Set RAM to ${size}`, action: { kind: 'set-ram', ram: mib * MIB }, copy: `-m ${mib}M` }
      : { text: `Map at most ${size} from ${hex(request.start)}` },
  ];
}

/** Explanations of EINVAL for a map, most certain first; each returns undefined if it does not apply. */
const INVALID_BECAUSE: readonly ((request: Request, context: RequestContext) => Explanation | undefined)[] = [
  overReserved,
  beyondAperture,
  unaligned,
  overPlatformRange,
  beyondUnknownAperture,
  perhapsIsaBridge,
];

/** The groups that a request is about: those of its device, and the one that its message names. */
export function ownGroups({ device, group: named }: Request, { groups }: Pick<Host, 'groups'>): Group[] {
  const ofDevice = groups.filter(({ devices }) => device !== undefined && devices.includes(device));
  return ofDevice.length > 0 ? ofDevice : groups.filter(({ group }) => group !== undefined && group === named);
}

/**
 * The address spaces to look in, in order: that of the request's group; otherwise those of the selected groups and of all
 * groups.
 */
function spacesOf(request: Request, space: CommonSpace): CommonSpace[] {
  const { host } = space;
  const own = ownGroups(request, host);
  if (own.length > 0) return [commonSpace(host, own)];
  return space.groups.length === host.groups.length ? [space] : [space, commonSpace(host, host.groups)];
}

function overReserved(request: Request, { space, kind, guest }: RequestContext): Explanation | undefined {
  for (const own of spacesOf(request, space)) {
    for (const region of own.reserved) {
      const cut = meaningOf(region.type).blocksMappings ? intersection(region, request) : undefined;
      if (cut) return overRegion(request, own, region, cut, { kind, guest });
    }
  }
  return undefined;
}

function overRegion(
  request: Request,
  space: CommonSpace,
  region: MergedRegion,
  cut: IovaRange,
  context: Pick<RequestContext, 'kind' | 'guest'>,
): Explanation {
  const owners = ownersOf(region);
  const verb = containsRange(request, region) ? 'covers' : 'overlaps';
  return {
    subject: 'map-over-reserved',
    message: `${describeRange(cut)} inside it is reserved (${region.type}, ${owners}).`,
    cause: `it ${verb} ${regionClause(space, region)}`,
    ...regionRemedies(request, space, region, context),
    marks: [markOf('obstacle', region, `${region.type} of ${owners}`)],
    provenance: partPlaces(region),
  };
}

/** How to avoid a reserved region. */
function regionRemedies(
  request: Request,
  space: CommonSpace,
  region: MergedRegion,
  context: Pick<RequestContext, 'kind' | 'guest'>,
): Required<Pick<Explanation, 'remedy' | 'remedies'>> {
  if (isIsaRegion(region)) {
    return {
      remedy: `Update the kernel: ${ISA_REGION_HISTORY}. ${suggestPlace(space, request)}`,
      remedies: [{ text: 'Update the host kernel to 5.4.7, 5.5 or newer' }],
    };
  }
  const own = region.type === 'direct' ? ownGroups(request, space.host) : [];
  if (own.length > 0 && !own.some((group) => isAssignable(space.host, group))) {
    return {
      remedy:
        'Assign another device: this kernel does not assign a device with such a region, regardless of the RAM size.',
      remedies: [{ text: 'Assign another device; no RAM size changes that' }],
    };
  }
  return {
    remedy: `${fittingPart(request, region)} ${suggestPlace(space, request)}`.trim(),
    remedies: ramRemedies(request, space, region, context),
  };
}

/** Changes to the guest if its definition is known; otherwise what follows from the request itself. */
function ramRemedies(
  request: Request,
  space: CommonSpace,
  obstacle: IovaRange,
  { kind, guest }: Pick<RequestContext, 'kind' | 'guest'>,
): Remedy[] {
  const own = guest?.definition && kind !== 'bar' ? remediesFor(space, guest, obstacle) : [];
  return own.length > 0 ? own : [...relocation(obstacle), ...smallerRam(request, obstacle, kind)];
}

function relocation(obstacle: IovaRange): Remedy[] {
  const isHyperTransport = obstacle.start === HYPERTRANSPORT_RANGE.start;
  return isHyperTransport
    ? [
        {
          text: 'Move RAM above 1 TiB: QEMU 7.1 and newer do so for AMD guests (machine version 7.1 or newer, phys-bits of 41 or more)',
          action: { kind: 'relocate' },
        },
      ]
    : [];
}

function beyondAperture(request: Request, context: RequestContext): Explanation | undefined {
  const { space, kind, guest } = context;
  const [limit] = apertureLimits(space.apertures, request);
  if (!limit) return undefined;
  const { cut, problem, place, bits, provenance, assumed } = limit;
  const keep = place === undefined ? suggestPlace(space, request) : `Keep addresses ${place}`;
  const limited = bits === undefined ? '' : `: limit the guest to phys-bits=${bits}`;
  const end = bits === undefined ? '' : ` (it translates up to ${hex((1n << BigInt(bits)) - 1n)})`;
  return {
    subject: 'map-beyond-aperture',
    message: `It ${problem}.${assumptionSentence(assumed)}`,
    cause: `it ${problem}${end}${assumptionClause(assumed)}`,
    remedy: place === undefined ? keep : `${keep}${limited}.`,
    remedies: [
      ...(bits === undefined || (kind === 'ram' && guest)
        ? []
        : [{ text: `Limit the guest to ${bits} address bits`, ...physBitsText(guest?.definition, bits) }]),
      ...(kind === 'ram' ? ramRemedies(request, space, limit.outside, context) : []),
    ],
    marks: [markOf('obstacle', cut, 'outside the aperture')],
    provenance,
  };
}

function unaligned(request: Request, { pageSize }: RequestContext): Explanation | undefined {
  if (isAligned(request, pageSize)) return undefined;
  const clause = `its ${request.start % pageSize === 0n ? 'size' : 'address'} is not a multiple of the page size, ${formatSize(pageSize)}`;
  return {
    subject: 'map-unaligned',
    message: `I${clause.slice(1)}.`,
    cause: clause,
    remedy: `Align address and size to ${formatSize(pageSize)}.`,
  };
}

function overPlatformRange(request: Request, { space, kind, guest }: RequestContext): Explanation | undefined {
  const { host } = space;
  // RAM that starts at a PC's addresses rules out ARM.
  const isPc = architectureOf(host) === undefined && PC_STARTS.has(request.start);
  const likely = likelyObstacles(host, request).filter(({ platform }) => !isPc || platform !== 'ARM');
  const [first] = likely;
  if (!first) return undefined;
  const named = likely.map((r) => `on ${r.platform} it overlaps ${hexRange(r)}, ${r.message}`);
  return {
    message: `These dumps do not list the reserved regions of the host; ${named.join('; ')}.`,
    cause: `${named.join('; ')} (the host's reserved_regions are not in these dumps)`,
    remedy: `${fittingPart(request, first)} Add the host's reserved_regions to confirm this.`.trim(),
    remedies: ramRemedies(request, { ...space, usable: subtract(space.usable, likely) }, first, { kind, guest }),
    marks: likely.map((r) => markOf('obstacle', r, `${r.message} (if this is ${r.platform})`)),
  };
}

function beyondUnknownAperture(
  request: Request,
  { space: { apertures }, guest }: RequestContext,
): Explanation | undefined {
  const bits = bitLength(request.last);
  const narrower = ADDRESS_WIDTHS.filter((width) => width < bits);
  if (apertures.length > 0 || narrower.length === 0) return undefined;
  return {
    message: `It needs ${bits} bits. These dumps do not show the width of the IOMMU; one of ${narrower.join(', ')} bits would refuse it.`,
    cause: `it needs ${bits} address bits, more than an IOMMU of ${joinAlternatives(narrower)} bits has (these dumps do not show its width)`,
    remedy:
      'Add the kernel log ("Host address width", "dmar") to confirm this. If the width is the reason, limit phys-bits of the guest.',
    remedies: [
      {
        text: 'Limit the guest to the address bits of the IOMMU, for example 39',
        ...physBitsText(guest?.definition, 39),
      },
    ],
  };
}

/** `36, 39 or 40`. */
function joinAlternatives(values: readonly number[]): string {
  return values.length < 2 ? values.join('') : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`;
}

/** A map below 16 MiB on a host whose regions are unknown. */
function perhapsIsaBridge(request: Request, { space: { host } }: RequestContext): Explanation | undefined {
  if (request.start > ISA_BRIDGE_RANGE.last || listsRegions(host)) return undefined;
  if (!mayHaveIsaRegion(kernelOf(host))) return undefined;
  return {
    message: `These dumps do not list the reserved regions of the host. If the group contains the ISA bridge, ${hexRange(ISA_BRIDGE_RANGE)} is reserved: ${ISA_REGION_HISTORY}.`,
    cause: `if the group contains the ISA bridge (00:1f.0), it covers ${hexRange(ISA_BRIDGE_RANGE)}, which kernels 5.3 to 5.4.6 reserve for it (the host's reserved_regions are not in these dumps)`,
    remedy: "Add the host's reserved_regions and groups to confirm this; update kernels older than 5.4.7.",
    marks: [markOf('obstacle', ISA_BRIDGE_RANGE, 'reserved for the ISA bridge (if it is in the group)')],
  };
}

/** Why a request was refused, as far as the dumps show. */
export function explainRequest(request: Request, context: RequestContext): Explanation {
  const elsewhere = explainVfioUser(request);
  if (elsewhere) return elsewhere;
  switch (request.result) {
    case '-EINVAL':
      return request.op === 'map' ? invalidMap(request, context) : invalidUnmap(request, context);
    case '-EFAULT':
      return notPinned(request, context);
    case '-ENOMEM':
      return noMemory(request, context);
    case '-EEXIST':
    case '-EADDRINUSE':
      return overMapping(request, context);
    case '-ENOSPC':
      return noSpace(request, context);
    case '-ENOENT':
      return request.op === 'map' ? withoutSpace() : notMapped(request, context);
    default: {
      const known = OTHER_ERRNOS[String(request.result)];
      return {
        message: `The kernel answered ${request.result}.`,
        cause: known?.cause ?? 'nothing in these dumps explains it',
        remedy: known?.remedy ?? UNEXPLAINED,
      };
    }
  }
}

/** What other answers mean, regardless of the dumps. Measured on Linux 6.1 to 7.3, except EBUSY and ENOTTY. */
const OTHER_ERRNOS: Readonly<Record<string, { readonly cause: string; readonly remedy: string }>> = {
  '-EPERM': {
    cause: 'the process may not do this: write access was requested for read-only memory, or a limit applies',
    remedy: 'Check whether the memory is writable, and whether the mapping that it was copied from permits writing.',
  },
  '-EOVERFLOW': {
    cause:
      'the range, or the memory behind it, ends beyond 2^64, or is too long for the interface (kernels before 6.18 answer EINVAL in VFIO type1)',
    remedy: 'Check address and length: their sum must not exceed 64 bits.',
  },
  '-ENODEV': {
    cause:
      'the container or the IOAS has no IOMMU behind it yet: no group was added, or its IOMMU type was not set; not an address problem',
    remedy: 'Check the first error in the log: the group could not be added.',
  },
  '-EBADF': {
    cause: 'the file descriptor of the memory, or of the container, is not open; not an address problem',
    remedy: 'Check the first error in the log: something was closed before.',
  },
  '-EBUSY': {
    cause: 'the address space is in use by something that does not permit it at the moment; not an address problem',
    remedy: 'Check what else uses the container or the IOAS.',
  },
  '-ENOTTY': {
    cause: 'the kernel does not have this request: it is older than the VMM, or a module (vfio_iommu_type1) is missing',
    remedy: 'Load vfio_iommu_type1, or update the kernel.',
  },
};

/** What the range was compared with, and what is missing from the dumps. */
function whatIsKnown({ host, apertures }: RequestContext['space']): string {
  const hasFirmware = host.groups.some(({ regions }) => regions.length > 0);
  const regions = listsRegions(host)
    ? 'the range is in no reserved region of the host'
    : `they list no reserved regions${hasFirmware ? ' but those of the firmware' : ''}`;
  const hasAperture = apertures.length > 0 || host.apertures.length > 0;
  return [regions, hasAperture ? 'it is inside the known aperture' : 'they do not show the width of the IOMMU'].join(
    ', and ',
  );
}

function invalidMap(request: Request, context: RequestContext): Explanation {
  for (const because of INVALID_BECAUSE) {
    const explanation = because(request, context);
    if (explanation) return explanation;
  }
  return {
    message: 'The range or its alignment is not accepted, or the container has no IOMMU type yet.',
    cause: `nothing in these dumps shows what blocks it: ${whatIsKnown(context.space)}`,
    remedy: UNEXPLAINED,
  };
}

function invalidUnmap(request: Request, context: RequestContext): Explanation {
  const misaligned = unaligned(request, context);
  if (misaligned) return misaligned;
  const [cut] = context.state
    .overlapping(request.start, request.last)
    .filter((mapping) => !containsRange(request, mapping));
  if (cut) {
    return {
      subject: 'unmap-cuts-mapping',
      message: `${describeRange(cut)} is mapped there and extends beyond the range: a mapping can only be removed as a whole.`,
      cause: `it cuts the mapping ${hexRange(cut)}, which can only be removed whole`,
      remedy: 'Unmap with the bounds of the mappings that were made.',
      marks: [markOf('obstacle', cut, 'mapped')],
      provenance: [provenanceOf(factAt(context.state.set, cut.fact))],
    };
  }
  return {
    message: 'The range or its alignment is not accepted, or it cuts a mapping that these dumps do not show.',
    cause: 'it probably cuts a mapping, which can only be removed whole; these dumps do not show it',
    remedy: 'Unmap with the bounds of the mappings that were made.',
  };
}

function notPinned(request: Request, { kind, guest, space }: RequestContext): Explanation {
  const message =
    'The kernel could not pin the memory. This is normal for a BAR, which has no pages; for RAM it is fatal.';
  if (kind === 'bar') {
    const isIommufd = request.api === 'iommufd';
    return {
      message,
      cause: isIommufd
        ? 'iommufd cannot pin device memory, because it has no pages'
        : 'device memory has no pages to pin (VFIO maps a BAR only while memory decoding of the device is on)',
      remedy: USUALLY_HARMLESS,
    };
  }
  const known = guest?.definition && backendProblem(guest.definition, space.host.about.kernel);
  if (known) return { message, remedy: `${known.remedies[0]?.text}.`, ...known };
  const backend = request.name === undefined ? 'its memory backend' : `the memory backend of "${request.name}"`;
  return {
    message,
    cause: `the memory could not be pinned, because ${backend} has no writable pages for it; not an address problem`,
    remedy:
      'Check that the memory exists and is writable (post-copy memory, read-only files and device memory are not).',
    remedies: [
      {
        text: 'Check the memory backend: enough free huge pages, a file as large as the memory and writable, no post-copy migration',
        form: 'shell',
        copy: 'grep Huge /proc/meminfo',
      },
    ],
  };
}

/** Why the memory of a guest cannot be pinned, by its backend (pin_user_pages with FOLL_LONGTERM: only writable RAM). */
function backendProblem(
  definition: GuestDefinition,
  kernel: string | undefined,
): { readonly cause: string; readonly remedies: readonly Remedy[] } | undefined {
  const { backend, ram = 0n } = definition;
  const version = kernel === undefined ? '' : ` (this host runs ${kernel})`;
  if (backend === 'file') {
    return {
      cause: `the guest's memory is a file: newer kernels (6.1 accepts it, 6.12 does not)${version} refuse to pin a shared writable file on a disk file system, and every kernel refuses a file that is read-only or shorter than the memory; not an address problem`,
      remedies: [
        { text: 'Use a memfd or hugepages instead of the file, or put the file on tmpfs', ...memfdText(definition) },
      ],
    };
  }
  if (backend !== 'hugetlb') return undefined;
  return {
    cause: `the guest's memory is in hugepages and there are probably too few of them: ${formatExactSize(ram)} need ${(ram + 2n * MIB - 1n) / (2n * MIB)} free pages of 2 MiB; not an address problem`,
    remedies: [
      { text: 'Check how many hugepages are free', form: 'shell', copy: 'grep Huge /proc/meminfo' },
      { text: 'Reserve enough hugepages of 2 MiB', ...hugepagesText(ram) },
    ],
  };
}

/** The limit of locked memory that the kernel logged, in bytes. */
function loggedLimit({ host }: CommonSpace): bigint | undefined {
  const complaint = host.complaints.find(({ code }) => code === 'memlock-limit');
  const digits = /limit of (\d+) bytes/.exec(complaint?.message ?? '')?.[1];
  return digits === undefined ? undefined : BigInt(digits);
}

/** How much a guest's process has to lock: each of its containers pins all of its RAM. */
interface LockedMemory {
  readonly bytes: bigint;
  /** `16 GiB of RAM in each of 2 address spaces, one for each assigned device because of the virtual IOMMU` */
  readonly reason: string;
}

function lockedMemory(definition: GuestDefinition): LockedMemory | undefined {
  const { ram, assigned = [], viommu, iommufd, memory_devices: plugged = [] } = definition;
  const all = plugged.reduce<bigint>((sum, { size }) => sum + size, ram ?? 0n);
  if (all === 0n) return undefined;
  const devices = assigned.length;
  // With a virtual IOMMU each device has an address space of its own, and type1 counts the pages of each container.
  const spaces = viommu !== undefined && iommufd !== true && devices > 1 ? BigInt(devices) : 1n;
  const reason =
    spaces > 1n
      ? `${formatExactSize(all)} of RAM in each of ${spaces} address spaces, one for each assigned device because of the virtual IOMMU`
      : `${formatExactSize(all)} of RAM, all of which is pinned${devices > 1 ? `, once for its ${devices} devices` : ''}`;
  return { bytes: all * spaces, reason };
}

/** For what is locked besides RAM: video memory, firmware, BARs. libvirt adds the same amount. */
const LOCKED_ROOM = GIB;

function noMemory(request: Request, { space, guest }: RequestContext): Explanation {
  const definition = guest?.definition;
  const limit = loggedLimit(space) ?? definition?.memlock;
  const locked = definition && lockedMemory(definition);
  const needed = locked && locked.bytes + LOCKED_ROOM;
  const named = request.name === undefined ? '' : ` for "${request.name}"`;
  const isEnough = limit !== undefined && locked !== undefined && limit >= locked.bytes;
  const needs = locked ? `; ${definition?.name ?? 'the guest'} needs ${locked.reason}, and about 1 GiB more` : '';
  const process =
    limit === undefined
      ? `the locked-memory limit (RLIMIT_MEMLOCK) of the process is too low${named}, or the host has no memory or huge pages left`
      : isEnough
        ? `the locked-memory limit (RLIMIT_MEMLOCK) of the process, ${limit} bytes (${formatSize(limit)}), is enough for its RAM: the host may have no memory left, or the process locks other memory too`
        : `the locked-memory limit (RLIMIT_MEMLOCK) of the process is only ${limit} bytes (${formatSize(limit)})`;
  return {
    message: `The limit of locked memory was reached, or the host ran out of memory. The addresses do not matter.${
      locked ? ` The guest needs ${locked.reason}.` : ''
    }`,
    cause: `${process}${needs}; not an address problem`,
    remedy: 'Raise RLIMIT_MEMLOCK of the VMM (or the limit of its service) above the RAM of the guest.',
    remedies: memlockTexts(definition, needed),
  };
}

function noSpace({ api }: Request, { state }: RequestContext): Explanation {
  const seen = `${counted(state.size, 'mapping')} in these dumps`;
  return appliesTo('mapping-limit', api)
    ? {
        subject: 'mapping-limit',
        message: `The container has reached its limit of ${MAPPING_LIMIT} mappings (${seen}).`,
        cause: `the container has reached its limit of ${MAPPING_LIMIT} mappings, however much space is free`,
        remedy: FEWER_MAPPINGS,
        remedies: [
          { text: 'Use fewer, larger mappings: huge pages, a larger virtio-mem block size' },
          { text: 'Raise the limit', copy: 'modprobe vfio_iommu_type1 dma_entry_limit=1000000' },
        ],
      }
    : {
        message: `No free range is large enough (${seen}).`,
        cause: `no free range is large enough (${seen})`,
        remedy: UNEXPLAINED,
      };
}

function overMapping(request: Request, { space, state, failedUnmaps }: RequestContext): Explanation {
  const there = state.overlapping(request.start, request.last);
  const [first] = there;
  const remedy = 'Unmap it first, with the bounds of the mapping.';
  const failed = failedUnmaps.findLast((unmap) => intersection(unmap, first ?? request) !== undefined);
  const because = failed
    ? `, because the ${first && containsRange(failed, first) ? 'larger ' : ''}unmap of ${hex(failed.start)} + ${formatSize(failed.last - failed.start + 1n)} failed (${errnoOf(failed)})`
    : space.host.complaints.some(({ code }) => code === 'dpdk-partial-unmap')
      ? ', because an earlier unmap removed nothing (only whole mappings can be removed)'
      : '';
  if (!first) {
    return {
      subject: 'map-over-mapping',
      message: 'Something is already mapped there; these dumps do not show what.',
      cause:
        because === ''
          ? 'part of it is already mapped; these dumps do not show by what'
          : `part of it is still mapped${because}`,
      remedy,
      causedBy: failed,
    };
  }
  const others = there.length > 1 ? `, and ${counted(there.length - 1, 'more mapping')}` : '';
  return {
    subject: 'map-over-mapping',
    message: `${describeRange(first)} is already mapped there${others}.`,
    cause: `${hexRange(first)} is ${because === '' ? 'already' : 'still'} mapped${others}${because}`,
    remedy,
    marks: marksOf(there, 'already mapped'),
    provenance: [provenanceOf(factAt(state.set, first.fact))],
    causedBy: failed,
  };
}

/** The name of the errno without the minus sign. */
export function errnoOf({ result }: Request): string {
  return String(result).replace(/^-/, '');
}

/** A map into an address space that no longer exists. */
function withoutSpace(): Explanation {
  return {
    message:
      'ENOENT of a map means that the address space itself is gone (the container or IOAS was closed), not that an address is missing: it follows from an earlier error.',
    cause:
      'the address space (container or IOAS) no longer existed, so it follows from an earlier error and says nothing about the address',
    remedy: 'Check the first error in the log: this one follows from it.',
  };
}

function notMapped(request: Request, { state }: RequestContext): Explanation {
  const there = state.overlapping(request.start, request.last);
  const [first] = there;
  return {
    subject: first ? 'unmap-cuts-mapping' : 'unmap-nothing-mapped',
    message: first
      ? `${describeRange(first)} is mapped there: the range does not match it.`
      : 'These dumps show no mapping there.',
    cause: first
      ? `${hexRange(first)} is mapped there, and the range does not match it`
      : 'nothing is mapped there as far as these dumps show',
    remedy: 'Unmap with the bounds of the mappings that were made.',
    marks: marksOf(there, 'mapped'),
  };
}

function marksOf(mappings: readonly LiveMapping[], message: string): ConflictMark[] {
  return mappings.slice(0, MARKED_MAX).map((mapping) => markOf('obstacle', mapping, message));
}
