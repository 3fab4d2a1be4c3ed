// Explains the address of each IOMMU fault.
import { counted, formatSize, hex, hexRange } from '../../iova/format.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import { containsAddress, containsRange, range } from '../../iova/range.ts';
import { DEFAULT_SW_MSI_WINDOW } from '../../kernel/shared/platform-ranges.ts';
import { type Fault, type Provenance, provenanceOf } from '../host/host.ts';
import type { MappingState } from '../host/mapping-state.ts';
import { factAt, type LiveMapping } from '../host/mappings.ts';
import { likelyObstacles } from '../host/platform-ranges.ts';
import { architectureOf } from '../host/platforms.ts';
import { meaningOf } from '../host/region-types.ts';
import { apertureLimits, assumptionSentence } from '../space/aperture-limit.ts';
import type { CommonSpace } from '../space/common-space.ts';
import { type Conflict, type ConflictMark, describeRange, markOf } from './conflict.ts';
import { type DeviceInfos, faultDeviceLabel } from './device-info.ts';
import { causeOfFault, type FaultCause, unknownCause } from './fault-cause.ts';
import type { GuestLayout } from './guest.ts';
import { type AddressPast, MappingHistory, type Moment } from './mapping-history.ts';

/** Maximum number of faults that are explained one by one; the rest is counted. */
const FAULTS_MAX = 200;
/** An access at most this many bytes after the end of a mapping is considered an overrun. */
const OVERRUN_MAX = 0x1_0000n;
/** Addresses below this look like an offset without a base. */
const SMALL_ADDRESS = 0x1_0000n;
/** An address from here on looks like a kernel pointer, or sign-extended. */
const KERNEL_ADDRESS = 0xffff_8000_0000_0000n;
/** Widths to which addresses get truncated. */
const TRUNCATED_WIDTHS: readonly number[] = [32, 36, 39, 40, 44, 46, 48, 52];
/** Maximum number of mappings that are tried per truncated width: sets may have millions. */
const TRIES_MAX = 64;

const NO_MAPPING_POSSIBLE = 'Nothing can be mapped there: the driver uses an address that it must not use.';
const DEFAULT_REMEDY =
  'Find the mapping that the device should have: trace iommu:map and iommu:unmap from the start of the driver.';

/** A mapping that explains a fault, and its set. */
interface MappingOf {
  readonly mapping: LiveMapping;
  readonly state: MappingState;
}

/** One thing that is known about the address of a fault. */
interface Finding {
  readonly message: string;
  readonly remedy?: string;
  readonly marks?: readonly ConflictMark[];
  readonly provenance?: readonly Provenance[];
}

function placesOf({ mapping, state }: MappingOf): Provenance[] {
  return [provenanceOf(factAt(state.set, mapping.fact))];
}

/** The sets that may contain the device's mappings: its own if there are any, otherwise all. */
function statesFor(fault: Fault, states: readonly MappingState[]): readonly MappingState[] {
  const own = states.filter(({ set }) => set.facts[0]?.kind !== 'request' && set.title === fault.device);
  return own.length > 0 ? own : states;
}

interface Neighbor extends MappingOf {
  /** Bytes between the mapping and the address; 0 for the address immediately after it. */
  readonly distance: bigint;
  /** Whether the mapping is below or above the address. */
  readonly side: 'below' | 'above';
}

/** The mappings on both sides of an address that no mapping contains, the nearer one first. */
function neighbors(address: bigint, states: readonly MappingState[]): Neighbor[] {
  const best: Partial<Record<Neighbor['side'], Neighbor>> = {};
  for (const state of states) {
    const { below, above } = state.nearest(address);
    const candidates: Neighbor[] = [];
    if (below) candidates.push({ mapping: below, state, side: 'below', distance: address - below.last - 1n });
    if (above) candidates.push({ mapping: above, state, side: 'above', distance: above.start - address });
    for (const candidate of candidates) {
      const known = best[candidate.side];
      if (!known || candidate.distance < known.distance) best[candidate.side] = candidate;
    }
  }
  const found = [best.below, best.above].filter((one) => one !== undefined);
  return found.sort((a, b) => (a.distance < b.distance ? -1 : a.distance > b.distance ? 1 : 0));
}

interface Truncated extends MappingOf {
  readonly width: number;
  /** The address that was probably meant: it has the same low bits and is mapped. */
  readonly meant: bigint;
}

/** A mapping that differs from the address only in high bits: the address lost them, or gained them. */
function truncatedAddress(address: bigint, states: readonly MappingState[]): Truncated | undefined {
  for (const width of TRUNCATED_WIDTHS) {
    const mask = (1n << BigInt(width)) - 1n;
    const low = address & mask;
    for (const state of states) {
      const [mapping, meant] = address > mask ? [state.overlapping(low, low)[0], low] : withLowBits(state, low, width);
      if (mapping) return { mapping, state, width, meant };
    }
  }
  return undefined;
}

/** The first mapping with an address above 2^width that has these low bits, and that address. */
function withLowBits(state: MappingState, low: bigint, width: number): readonly [LiveMapping | undefined, bigint] {
  const step = 1n << BigInt(width);
  let address = low + step;
  for (let tries = 0; tries < TRIES_MAX && address <= IOVA_MAX; tries++) {
    const [mapping] = state.overlapping(address, address);
    if (mapping) return [mapping, address];
    // Continue at the next mapping, at its first address with these low bits.
    const { above } = state.nearest(address);
    if (!above) break;
    const next = ((above.start - low + step - 1n) / step) * step + low;
    address = next > address ? next : address + step;
  }
  return [undefined, address];
}

/** Regions of groups that contain the address. */
function inGroupRegion({ host }: CommonSpace, address: bigint): Finding | undefined {
  const region = host.groups.flatMap(({ regions }) => regions).find((r) => containsAddress(r, address));
  if (!region) return undefined;
  const { type, provenance } = region;
  return {
    message: `The address is in ${describeRange(region)}, ${meaningOf(type).title} (${type}).`,
    remedy:
      type === 'msi'
        ? 'A write there is an interrupt: check whether interrupt remapping blocks it.'
        : type.startsWith('direct')
          ? 'The device still uses memory that firmware assigned to it: it was still active when its mapping was removed.'
          : NO_MAPPING_POSSIBLE,
    marks: [markOf('obstacle', region, type)],
    provenance,
  };
}

function inFirmwareRegion({ host }: CommonSpace, address: bigint): Finding | undefined {
  const firmware = host.firmwareRegions.find((r) => containsAddress(r, address));
  if (!firmware) return undefined;
  return {
    message: `The address is in ${describeRange(firmware)}, which firmware requires to stay mapped${firmware.device ? ` for ${firmware.device}` : ''}.`,
    remedy: 'The device still uses memory that firmware assigned to it: it needs that mapping, or a reset first.',
    marks: [markOf('obstacle', firmware, 'firmware region')],
    provenance: firmware.provenance,
  };
}

/** What the platform reserves there, if the dumps do not list regions but show the platform. */
function inPlatformRange({ host }: CommonSpace, address: bigint): Finding | undefined {
  const [usual] = likelyObstacles(host, range(address, address));
  // Every address is in the range of some platform: without a known one this says nothing.
  if (!usual || architectureOf(host) === undefined) return undefined;
  return {
    message: `On ${usual.platform} the address is in ${hexRange(usual)}, ${usual.message}; these dumps do not list it.`,
    remedy:
      usual.type === 'msi'
        ? 'It looks like an interrupt: check whether the doorbell is mapped for the device, and whether interrupt remapping lets it through.'
        : NO_MAPPING_POSSIBLE,
    marks: [markOf('obstacle', usual, `${usual.message} (if this is ${usual.platform})`)],
  };
}

function beyondAperture({ apertures }: CommonSpace, address: bigint): Finding | undefined {
  const [limit] = apertureLimits(apertures, range(address, address));
  if (!limit) return undefined;
  return {
    message: `The address ${limit.problem}.${assumptionSentence(limit.assumed)}`,
    remedy: 'The device or its driver used an invalid address: nothing can be mapped there.',
    marks: [markOf('obstacle', limit.outside, 'outside the aperture')],
    provenance: limit.provenance,
  };
}

function inMapping({ address, access }: Fault, states: readonly MappingState[]): Finding | undefined {
  for (const state of states) {
    const [mapping] = state.overlapping(address, address);
    if (!mapping) continue;
    return {
      message: `At the end of the dumps ${describeRange(mapping)} is mapped there: it was mapped later, was unmapped in between, or does not permit ${access === undefined ? 'this access' : `${access} access`}.`,
      remedy: 'Compare the times, and the permissions of the mapping.',
      marks: [markOf('obstacle', mapping, 'mapping')],
      provenance: placesOf({ mapping, state }),
    };
  }
  return undefined;
}

function truncated(address: bigint, states: readonly MappingState[]): Finding | undefined {
  const found = truncatedAddress(address, states);
  if (!found) return undefined;
  const { width, meant } = found;
  const isTooHigh = meant < address;
  return {
    message: isTooHigh
      ? `Without the bits from ${width} up it would be ${hex(meant)}, which is mapped: the address looks sign-extended, or has invalid high bits.`
      : `It looks truncated to ${width} bits: ${hex(meant)} has the same low bits and is mapped.`,
    remedy: isTooHigh
      ? 'Check where the device or its driver extends a 32-bit address.'
      : `Check what holds only ${width} bits on the way: a DMA mask, a descriptor field, a register.`,
    marks: [markOf('obstacle', found.mapping, 'the mapping that was probably meant')],
    provenance: placesOf(found),
  };
}

function nearMapping(near: Neighbor | undefined): Finding | undefined {
  if (!near) return undefined;
  const { mapping, side, distance } = near;
  const isOverrun = side === 'below' && distance <= OVERRUN_MAX;
  const overrun = distance === 0n ? 'immediately after it' : `${formatSize(distance)} after it`;
  return {
    message: isOverrun
      ? `It is just past the end of ${describeRange(mapping)}, ${overrun}.`
      : `The nearest mapping, ${describeRange(mapping)}, ${side === 'below' ? 'ends' : 'starts'} ${formatSize(distance)} ${side}.`,
    ...(isOverrun
      ? { remedy: 'The device ran past the end of a buffer: check its length, and prefetching behind it.' }
      : {}),
    marks: [markOf('obstacle', mapping, 'nearest mapping')],
    provenance: placesOf(near),
  };
}

/** What the address itself suggests if no dump helps. */
function guess(address: bigint, space: CommonSpace): Finding | undefined {
  if (address === 0n) {
    return { message: 'The address is 0: a pointer that was never set, or a device that was not programmed.' };
  }
  if (address < SMALL_ADDRESS) {
    if (architectureOf(space.host) !== 'arm') return { message: 'The address is small: an offset without its base.' };
    return {
      message: `The address is small: ${hex(address)} looks like the offset of a doorbell (0x40 in a GICv2m frame, 0x10040 in an ITS) without its page.`,
      remedy: `Check whether the MSI window (usually at ${hex(DEFAULT_SW_MSI_WINDOW.start)}) is set up for the device.`,
    };
  }
  if (address < KERNEL_ADDRESS) return undefined;
  return {
    message:
      'All high bits are set: a sign-extended 32-bit address, or a kernel pointer that was passed to the device.',
  };
}

const INTERRUPT: Finding = {
  message: 'The request was an interrupt: the platform sends interrupts to this address, and nothing is mapped there.',
  remedy:
    'Check whether the interrupt was set up (remapped) for the device, and whether its MSI registers hold what the kernel wrote.',
};

/** Everything that is known about the address of a fault, most certain first. `near`: the nearest mapping. */
function findings(
  fault: Fault,
  space: CommonSpace,
  states: readonly MappingState[],
  near: Neighbor | undefined,
): Finding[] {
  const { address } = fault;
  if (/\binterrupt\b/i.test(fault.reason ?? '')) return [INTERRUPT];
  const region = inGroupRegion(space, address);
  const known = region ? [region] : [inFirmwareRegion(space, address), inPlatformRange(space, address)];
  const mapped = inMapping(fault, states);
  const around = mapped ? [mapped] : [truncated(address, states), nearMapping(near)];
  const found = [...known, beyondAperture(space, address), ...around].filter((finding) => finding !== undefined);
  if (found.length > 0) return found;
  const last = guess(address, space);
  return last ? [last] : [];
}

function accessLabel(access: string | undefined): string {
  switch (access) {
    case undefined:
      return 'accessed';
    case 'write':
      return 'wrote to';
    case 'read':
      return 'read from';
    default:
      return `made a ${access} access to`;
  }
}

const ACCESSES: Readonly<Record<string, string>> = { read: 'read', write: 'wrote' };

/** The IOMMU's reason, if it says more than that nothing is mapped. */
function reasonNote(reason: string | undefined): string {
  return reason !== undefined && /PTE (?:Read|Write) access|paging entry|F_[A-Z_]+|fault, fsr/i.test(reason)
    ? ` (${reason})`
    : '';
}

function answerFor(fault: Fault, cause: FaultCause, { host }: CommonSpace, devices: DeviceInfos): string {
  const { device, access, address } = fault;
  const verb = access === undefined ? 'accessed' : (ACCESSES[access] ?? `made a ${access} access to`);
  const note = cause.kind === 'interrupt' ? '' : reasonNote(fault.reason);
  const fix = cause.fix === undefined ? '' : ` ${cause.fix}.`;
  if (cause.sentence !== undefined) return `${cause.sentence}.${fix}`;
  return `${faultDeviceLabel(host, device, devices)} ${verb} ${hex(address)}${note}${cause.clause}.${fix}`;
}

/** Where and when a fault happened. */
const momentOf = ({ address, time }: Fault): Moment => ({ address, time: time?.first });

/**
 * What happened at the address of a fault. A trace of the DMA API, which names the device, may lack an unmap that a trace of
 * the IOMMU, which names no device, contains: an unmap of the whole range counts as the end of the mapping.
 */
function pastOf(
  history: MappingHistory,
  fault: Fault,
  own: readonly MappingState[],
  states: readonly MappingState[],
): AddressPast | undefined {
  const moment = momentOf(fault);
  const past = history.at(moment, new Set(own.map(({ set }) => set)));
  if (!past?.mapped || past.unmapped || !past.isTimed || own.length === states.length) return past;
  const others = states.filter(({ set }) => set.facts[0]?.kind !== 'request' && !set.isOneDomain);
  const all = history.at(moment, new Set([...own, ...others].map(({ set }) => set)));
  return all?.unmapped && containsRange(all.unmapped.fact, past.mapped.fact) ? all : past;
}

/** Says that an earlier mapping would not be seen, if the beginning of a history is only counted; otherwise empty. */
function countedSentence(states: readonly MappingState[]): string {
  const events = states.reduce((sum, { set: { folded } }) => sum + (folded ? folded.maps + folded.unmaps : 0), 0);
  return events === 0
    ? ''
    : `The first ${counted(events, 'mapping event')} of the trace are only counted: whether the address was mapped and unmapped among them is not known. To see that, open the part of the trace before the fault.`;
}

/** One conflict for each different fault of the host, with what is known about its address. */
export function faultConflicts(
  space: CommonSpace,
  states: readonly MappingState[],
  devices: DeviceInfos = new Map(),
  guests: readonly GuestLayout[] = [],
): Conflict[] {
  const { faults } = space.host;
  const past = new MappingHistory(
    states.map(({ set }) => set),
    faults.slice(0, FAULTS_MAX).map(momentOf),
  );
  const nothing =
    states.length === 0
      ? 'These dumps contain no mappings to compare with: a trace of the iommu events does.'
      : 'Nothing is mapped near it.';
  return faults.slice(0, FAULTS_MAX).map((fault, index): Conflict => {
    const { address, device, access, reason, driver, count, provenance } = fault;
    const own = statesFor(fault, states);
    const around = neighbors(address, own);
    const found = findings(fault, space, own, around[0]);
    const isMapped = own.some((state) => state.overlapping(address, address).length > 0);
    const [near, other] = isMapped ? [] : around;
    const known = pastOf(past, fault, own, states);
    const counts = known?.mapped || known?.unmapped ? '' : countedSentence(own);
    const evidence = {
      past: known,
      truncated: isMapped ? undefined : truncatedAddress(address, own),
      near,
      other,
      devices,
      guests,
    };
    const cause = causeOfFault(fault, space, evidence) ?? unknownCause(fault);
    const what = `${device ?? 'a device'} ${accessLabel(access)} ${hex(address)}`;
    // These causes are in the past: the fact that nothing is mapped now is no explanation.
    const isOfPast = cause.kind === 'use-after-unmap' || cause.kind === 'use-before-map';
    const more = index === FAULTS_MAX - 1 ? faults.length - FAULTS_MAX : 0;
    const messages = [
      reason === undefined ? '' : `The IOMMU reported: ${reason}.`,
      ...(found.length > 0 ? found.map(({ message }) => message) : [isOfPast ? `${what}${cause.clause}.` : nothing]),
      counts,
      more > 0 ? `${counted(more, 'more fault')} not listed.` : '',
    ];
    return {
      id: `fault ${address} ${device} ${access} ${reason}`,
      rule: 'fault',
      severity: 'warning',
      title: `Fault: ${what}${count > 1 ? `, ${counted(count, 'time')}` : ''}`,
      message: messages.filter((message) => message !== '').join(' '),
      source: driver,
      remedy:
        found.flatMap(({ remedy }) => remedy ?? []).join(' ') ||
        (isOfPast && cause.fix ? `${cause.fix}.` : DEFAULT_REMEDY),
      marks: [markOf('requested', range(address, address), what), ...found.flatMap(({ marks = [] }) => marks)],
      provenance: [
        ...provenance,
        ...found.flatMap((finding) => finding.provenance ?? []),
        ...(cause.kind === 'use-after-unmap' || cause.kind === 'use-before-map' ? (cause.provenance ?? []) : []),
      ],
      answer: [answerFor(fault, cause, space, devices), counts].filter(Boolean).join(' '),
      ...(cause.fix === undefined ? {} : { remedies: [{ text: cause.fix }] }),
      kind: `fault ${device} ${cause.kind}`,
      count,
      ...(fault.time === undefined ? {} : { time: fault.time }),
    };
  });
}
