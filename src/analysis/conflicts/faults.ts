// "IO page fault. What now?": what is known of the address of each fault.
import { counted, formatSize, hex } from '../../iova/format.ts';
import { bitLength } from '../../iova/iova.ts';
import { containsAddress, type IovaRange, range } from '../../iova/range.ts';
import type { Fault, Provenance } from '../host/host.ts';
import type { LiveMapping, MappingState } from '../host/mappings.ts';
import { ARM_MSI, architectureOf, likelyObstacles } from '../host/platforms.ts';
import { meaningOf } from '../host/region-types.ts';
import { beyondApertures, type CommonSpace } from '../space/common-space.ts';
import { type Conflict, type ConflictMark, describeRange } from './conflict.ts';

/** Faults that are explained one by one; the rest is counted. */
const FAULTS_MAX = 200;
/** An access this close behind a mapping ran off its end. */
const JUST_PAST = 0x1_0000n;
/** Widths at which addresses get cut on their way. */
const CUT_WIDTHS: readonly number[] = [32, 36, 39, 40, 44, 46, 48, 52];

/** A mapping that explains a fault, whatever its set. */
interface Near {
  readonly mapping: LiveMapping;
  readonly state: MappingState;
  /** Bytes between the mapping and the address; 0 for the byte right behind it. */
  readonly distance: bigint;
  readonly side: 'below' | 'above';
}

interface Finding {
  readonly message: string;
  readonly remedy?: string;
  readonly marks?: readonly ConflictMark[];
  readonly provenance?: readonly Provenance[];
}

function placeOf({ mapping, state }: Pick<Near, 'mapping' | 'state'>): Provenance[] {
  const fact = state.set.facts[mapping.fact];
  return fact ? [{ source: fact.source ?? 'this session', line: fact.line }] : [];
}

/** The sets in which the fault's device may have its mappings: its own if there are any, else all. */
function statesFor(fault: Fault, states: readonly MappingState[]): readonly MappingState[] {
  const own = states.filter(({ set }) => set.facts[0]?.kind !== 'request' && set.title === fault.device);
  return own.length > 0 ? own : states;
}

function nearest(fault: Fault, states: readonly MappingState[]): Near | undefined {
  let best: Near | undefined;
  for (const state of states) {
    const { below, above } = state.nearest(fault.address);
    for (const [mapping, side, distance] of [
      [below, 'below', below ? fault.address - below.last - 1n : 0n],
      [above, 'above', above ? above.start - fault.address : 0n],
    ] as const) {
      if (mapping && (!best || distance < best.distance)) best = { mapping, state, distance, side };
    }
  }
  return best;
}

/** A mapping that differs from the address only in high bits: the address lost them, or gained them. */
function cutAddress(
  fault: Fault,
  states: readonly MappingState[],
): (Pick<Near, 'mapping' | 'state'> & { readonly width: number; readonly was: bigint }) | undefined {
  for (const width of CUT_WIDTHS) {
    const mask = (1n << BigInt(width)) - 1n;
    const low = fault.address & mask;
    for (const state of states) {
      if (fault.address > mask) {
        // High bits too many: sign-extended, or garbage above the width.
        const [mapping] = state.overlapping(low, low);
        if (mapping) return { mapping, state, width, was: low };
        continue;
      }
      for (const { mapping, address } of withLowBits(state, low, width)) return { mapping, state, width, was: address };
    }
  }
  return undefined;
}

/** Mappings that hold an address with these low bits and something above them; bounded, for sets of millions. */
function* withLowBits(
  state: MappingState,
  low: bigint,
  width: number,
): Generator<{ mapping: LiveMapping; address: bigint }> {
  const step = 1n << BigInt(width);
  let address = low + step;
  for (let tries = 0; tries < 64 && address <= 0xffff_ffff_ffff_ffffn; tries++) {
    const [mapping] = state.overlapping(address, address);
    if (mapping) {
      yield { mapping, address };
      return;
    }
    // On to the next mapping, and in it to the first address with these low bits.
    const { above } = state.nearest(address);
    if (!above) return;
    const next = ((above.start - low + step - 1n) / step) * step + low;
    address = next > address ? next : address + step;
  }
}

function findings(fault: Fault, space: CommonSpace, states: readonly MappingState[]): Finding[] {
  const { address } = fault;
  const found: Finding[] = [];
  if (/\binterrupt\b/i.test(fault.reason ?? '')) {
    return [
      {
        message:
          'The request was an interrupt: the address is where this platform sends them, and nothing is mapped there.',
        remedy:
          'See whether the interrupt was set up (remapped) for the device, and whether its MSI registers hold what the kernel wrote.',
        marks: [],
      },
    ];
  }
  const region = space.host.groups
    .flatMap((group) => group.regions.map((r) => ({ group, r })))
    .find(({ r }) => containsAddress(r, address));
  if (region) {
    const { r } = region;
    found.push({
      message: `The address lies in ${describeRange(r)}, ${meaningOf(r.type).title} (${r.type}).`,
      remedy:
        r.type === 'msi'
          ? 'A write there is an interrupt: see whether interrupt remapping refuses it.'
          : r.type.startsWith('direct')
            ? 'The device still uses memory that firmware gave it: it was not quiet when its mapping was taken away.'
            : 'No mapping can be there: the driver got an address that it must not use.',
      marks: [{ start: r.start, last: r.last, role: 'obstacle', message: r.type }],
      provenance: r.provenance,
    });
  }
  const firmware = space.host.firmwareRegions.find((r) => containsAddress(r, address));
  if (firmware && !region) {
    found.push({
      message: `The address lies in ${describeRange(firmware)}, which firmware asks to keep mapped${firmware.device ? ` for ${firmware.device}` : ''}.`,
      remedy: 'The device still uses memory that firmware gave it: it needs that mapping, or must be reset first.',
      marks: [{ start: firmware.start, last: firmware.last, role: 'obstacle', message: 'firmware’s region' }],
      provenance: firmware.provenance,
    });
  }
  const usual = region ? undefined : likelyObstacles(space.host, range(address, address))[0];
  // Only where something tells the platform: any address lies in some platform's range.
  if (usual && architectureOf(space.host) !== undefined) {
    found.push({
      message: `On ${usual.platform} the address lies in ${hex(usual.start)}-${hex(usual.last)}, ${usual.message}; these dumps do not list it.`,
      remedy:
        usual.type === 'msi'
          ? 'It looks like an interrupt: see whether the doorbell is mapped there for the device, and whether remapping lets it through.'
          : 'No mapping can be there: the driver got an address that it must not use.',
      marks: [
        {
          start: usual.start,
          last: usual.last,
          role: 'obstacle',
          message: `${usual.message} (if this is ${usual.platform})`,
        },
      ],
    });
  }
  const outside = beyondApertures(space.apertures).find((r) => containsAddress(r, address));
  if (outside) {
    const has = bitLength(outside.start > 0n ? outside.start - 1n : 0n);
    found.push({
      message: `The address needs ${bitLength(address)} bits, the IOMMU has ${has}.`,
      remedy: 'The device or its driver made the address up: no mapping can ever be there.',
      marks: [{ start: outside.start, last: outside.last, role: 'obstacle', message: 'outside the aperture' }],
    });
  }
  const holding = states.flatMap((state) =>
    state.overlapping(address, address).map((mapping) => ({ mapping, state })),
  )[0];
  if (holding) {
    found.push({
      message: `At the end of the dumps ${describeRange(holding.mapping)} is mapped there: the mapping came later, went and came again, or lacks the permission to ${fault.access ?? 'do this'}.`,
      remedy: 'Compare the times, and the permissions of the mapping.',
      marks: [{ ...bare(holding.mapping), role: 'obstacle', message: 'mapping' }],
      provenance: placeOf(holding),
    });
    return found;
  }
  const cut = cutAddress(fault, states);
  if (cut) {
    const isTooHigh = cut.was < address;
    found.push({
      message: isTooHigh
        ? `Without the bits above ${cut.width} it would be ${hex(cut.was)}, which is mapped: the address looks sign-extended or has garbage on top.`
        : `It looks cut at ${cut.width} bits: ${hex(cut.was)} has the same low bits and is mapped.`,
      remedy: isTooHigh
        ? 'See where the device or its driver extends a 32-bit address.'
        : `See what on the way holds only ${cut.width} bits: a DMA mask, a descriptor’s field, a register.`,
      marks: [{ ...bare(cut.mapping), role: 'obstacle', message: 'the mapping that was meant?' }],
      provenance: placeOf(cut),
    });
  }
  const near = nearest(fault, states);
  if (near) {
    const isJustPast = near.side === 'below' && near.distance <= JUST_PAST;
    found.push({
      message: isJustPast
        ? `It is just past the end of ${describeRange(near.mapping)}, ${near.distance === 0n ? 'at the first byte behind it' : `${formatSize(near.distance)} behind it`}.`
        : `The nearest mapping, ${describeRange(near.mapping)}, ${near.side === 'below' ? 'ends' : 'starts'} ${formatSize(near.distance)} ${near.side === 'below' ? 'below' : 'above'}.`,
      ...(isJustPast
        ? { remedy: 'The device ran off the end of a buffer: its length, or prefetching behind it.' }
        : {}),
      marks: [{ ...bare(near.mapping), role: 'obstacle', message: 'nearest mapping' }],
      provenance: placeOf(near),
    });
  }
  if (found.length === 0) found.push(...guesses(fault, space));
  return found;
}

function bare({ start, last }: IovaRange): IovaRange {
  return { start, last };
}

/** What the number itself suggests where no dump helps. */
function guesses(fault: Fault, space: CommonSpace): Finding[] {
  const { address } = fault;
  const architecture = architectureOf(space.host);
  if (address === 0n)
    return [{ message: 'The address is 0: a pointer that was never set, or a device that was not programmed.' }];
  if (architecture === 'arm' && address < 0x1_0000n) {
    return [
      {
        message: `The address is small: ${hex(address)} looks like the offset of a doorbell (a GICv2m frame has it at 0x40, an ITS at 0x10040) without the page it belongs to.`,
        remedy: `See whether the MSI window (usually ${hex(ARM_MSI.start)}) is set up for the device.`,
      },
    ];
  }
  if (address >= 0xffff_8000_0000_0000n) {
    return [
      {
        message:
          'The high bits are all set: a sign-extended 32-bit address, or a pointer of the kernel that was given to the device.',
      },
    ];
  }
  if (address < 0x1_0000n) return [{ message: 'The address is small: an offset without its base.' }];
  return [];
}

/** One conflict for each different fault of the host, with what is known of its address. */
export function faultConflicts(space: CommonSpace, states: readonly MappingState[]): Conflict[] {
  const { faults } = space.host;
  return faults.slice(0, FAULTS_MAX).map((fault, index): Conflict => {
    const { address, device, access, reason, driver, count, provenance } = fault;
    const mine = statesFor(fault, states);
    const found = findings(fault, space, mine);
    const who = device ?? 'a device';
    const verb =
      access === undefined
        ? 'touched'
        : access === 'write'
          ? 'wrote to'
          : access === 'read'
            ? 'read from'
            : `did ${access} at`;
    const more =
      index === FAULTS_MAX - 1 && faults.length > FAULTS_MAX
        ? ` ${counted(faults.length - FAULTS_MAX, 'more fault')} are not listed.`
        : '';
    const nothing =
      states.length === 0
        ? 'No mappings are in these dumps to compare it with: a trace of the iommu events has them.'
        : 'Nothing is mapped near it.';
    return {
      id: `fault ${address} ${device} ${access} ${reason}`,
      rule: 'fault',
      severity: 'warning',
      title: `fault: ${who} ${verb} ${hex(address)}${count > 1 ? `, ${counted(count, 'time')}` : ''}`,
      message: `${reason === undefined ? '' : `The IOMMU says: ${reason}. `}${found.length > 0 ? found.map(({ message }) => message).join(' ') : nothing}${more}`,
      source: driver,
      remedy:
        found.flatMap(({ remedy }) => remedy ?? []).join(' ') ||
        'Find the mapping that the device should have had: trace iommu:map and iommu:unmap from the start of the driver on.',
      marks: [
        { ...range(address, address), role: 'requested', message: `${who} ${verb} ${hex(address)}` },
        ...found.flatMap(({ marks = [] }) => marks),
      ],
      provenance: [...provenance, ...found.flatMap((finding) => finding.provenance ?? [])],
    };
  });
}
