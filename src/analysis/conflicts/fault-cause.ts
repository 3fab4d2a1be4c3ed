// The most likely cause of a fault, as one clause for the answer: what the dumps show if they show anything, otherwise what
// the address itself suggests.
import { formatSize, hex, hexRange } from '../../iova/format.ts';
import { bitLength, IOVA_MAX } from '../../iova/iova.ts';
import { containsAddress, type IovaRange, range, rangesEqual } from '../../iova/range.ts';
import { DEFAULT_SW_MSI_WINDOW, HYPERTRANSPORT_RANGE } from '../../kernel/shared/platform-ranges.ts';
import { isGuestMemory } from '../guest/layout.ts';
import { type Fault, type Host, type Provenance, placeText, provenanceOf } from '../host/host.ts';
import { likelyObstacles } from '../host/platform-ranges.ts';
import { architectureOf, isAmdHost, isVirtualFault } from '../host/platforms.ts';
import { apertureLimits } from '../space/aperture-limit.ts';
import { type CommonSpace, commonSpace } from '../space/common-space.ts';
import { nextDmaAddresses } from '../space/next-dma.ts';
import { type DeviceInfos, requesterId } from './device-info.ts';
import { FIRMWARE_REGIONS } from './devices.ts';
import type { GuestLayout } from './guest.ts';
import { type AddressEvent, type AddressPast, timeOf } from './mapping-history.ts';

export interface FaultCause {
  /** Stable: faults of one device with the same cause are one conflict. */
  readonly kind: string;
  /** Appended to `DEVICE read ADDRESS`; begins with a colon, a comma or a space. */
  readonly clause: string;
  /** Replaces `DEVICE read ADDRESS` and the clause; without a full stop. */
  readonly sentence?: string | undefined;
  /** What to do, without a full stop. */
  readonly fix?: string | undefined;
  readonly provenance?: readonly Provenance[];
}

/** What is known about a fault from the mappings. */
export interface FaultEvidence {
  readonly past: AddressPast | undefined;
  /** The address that was probably meant, from the mappings, and how many bits were kept. */
  readonly truncated: { readonly meant: bigint; readonly width: number; readonly mapping: IovaRange } | undefined;
  /** The nearest mapping. */
  readonly near:
    | { readonly mapping: IovaRange; readonly side: 'below' | 'above'; readonly distance: bigint }
    | undefined;
  /** The mapping on the other side of the address. */
  readonly other: FaultEvidence['near'];
  readonly devices: DeviceInfos;
  /** The guests of the case: devices that are assigned use their addresses. */
  readonly guests: readonly GuestLayout[];
}

/** Allocators that search downwards hand out their first addresses within this distance below a power of two. */
const TOP_MAX = 1n << 28n;
/** Widths to which an address just below 2^64 may have been truncated. */
const CUT_WIDTHS: readonly number[] = [40, 41, 42, 43, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, 54, 55, 56];
/** Offsets of doorbell registers in GICv2m frames and ITS pages are below this. */
const SMALL_ADDRESS = 0x1_0000n;
/** Offset of the register that MSIs are written to: GICD_SETSPI_NSR of a GICv2m frame, GITS_TRANSLATER of an ITS page. */
const DOORBELL_OFFSET = 0x40n;
const OVERRUN_MAX = 0x1_0000n;
const KERNEL_ADDRESS = 0xffff_8000_0000_0000n;
const FOUR_GIB = 1n << 32n;
const PAGE = 0x1000n;

type Question = readonly [fault: Fault, space: CommonSpace, evidence: FaultEvidence];

const CAUSES: readonly ((...question: Question) => FaultCause | undefined)[] = [
  virtualIommu,
  confidentialPage,
  interrupt,
  unknownRequester,
  history,
  lostBits,
  inRegion,
  inFirmwareRegion,
  truncatedMapping,
  inStolenMemory,
  inBar,
  wideDmaApi,
  cutFromTop,
  platformRange,
  beyondAperture,
  overrun,
  smallAddress,
  kernelAddress,
  dmaApi,
  integratedGraphics,
  inGuestMemory,
  hostWindow,
  nearest,
  physicalAddress,
];

/** The most certain cause; `undefined` if nothing is known and the address suggests nothing. */
export function causeOfFault(...question: Question): FaultCause | undefined {
  for (const cause of CAUSES) {
    const found = cause(...question);
    if (found) return found;
  }
  return undefined;
}

/** Why a virtual IOMMU refuses an access, by its message, where the cause is not simply a missing mapping. */
const VIRTUAL_REFUSALS: readonly [reason: RegExp, why: (address: bigint) => string, fix?: string][] = [
  [
    /overflow|beyond mgaw|ADDR_SIZE/i,
    (address) => `${hex(address)} needs ${bitLength(address)} bits, more than the virtual IOMMU has`,
    'Increase aw-bits of the virtual IOMMU, up to the width of the host IOMMU, or limit the DMA mask in the guest',
  ],
  [
    /\breserved?\b|\bresv\b|invalid|read error|WALK_EABT|BAD_|FETCH/i,
    () =>
      "the guest's tables have an invalid entry for it, which is an error of the guest's kernel, not a missing mapping",
  ],
  [/present bit|entry/i, () => "the guest's kernel gave its virtual IOMMU no domain for this device"],
  [
    /\bperm|_PERM|(?:read|write) access/i,
    (address) => `the guest's driver has no mapping at ${hex(address)} that allows this access`,
  ],
];

/** QEMU's virtual IOMMU refused it: the guest's page tables and device addresses apply. */
function virtualIommu({ reason = '', address }: Fault, _space: CommonSpace, { past }: FaultEvidence) {
  if (!isVirtualFault({ reason })) return undefined;
  const message = reason.replace('virtual IOMMU: ', '');
  const unmapped = past?.unmapped;
  const after = unmapped ? `, after the guest unmapped ${hexRange(past.mapped?.fact ?? unmapped.fact)}` : '';
  const refusal = VIRTUAL_REFUSALS.find(([pattern]) => pattern.test(message));
  const because = refusal?.[1](address) ?? `the guest's driver has no mapping at ${hex(address)} for this device`;
  return {
    kind: 'virtual-iommu',
    clause: `: the guest's virtual IOMMU refused it (${message})${after}, so ${because} (addresses of the guest, not of the host)`,
    fix: refusal?.[2] ?? 'Look at the kernel log and the iommu:map events inside the guest',
  };
}

/** AMD SEV-SNP: the table of page owners refused what the page tables allowed. */
function confidentialPage({ reason = '' }: Fault): FaultCause | undefined {
  if (!reason.startsWith('RMP_PAGE_FAULT')) return undefined;
  return {
    kind: 'confidential-page',
    clause:
      ': the page belongs to a confidential guest (SEV-SNP) and is not shared with the device, so it is refused by the table of page owners (RMP), not for a missing mapping',
    fix: 'Check that the guest shares the buffer before it gives it to the device (swiotlb, memory marked as decrypted)',
  };
}

function interrupt({ reason = '', address }: Fault): FaultCause | undefined {
  if (!/\binterrupt\b/i.test(reason)) return undefined;
  return {
    kind: 'interrupt',
    clause: `: it was an interrupt, not a DMA access (the address ${hex(address)} carries the interrupt), and the IOMMU has no entry that lets it through`,
    fix: 'Check interrupt remapping for the device and whether its MSI registers hold what the kernel wrote',
  };
}

function unknownRequester(
  { reason = '', device }: Fault,
  { host }: CommonSpace,
  { devices }: FaultEvidence,
): FaultCause | undefined {
  const isContext = /(?:present bit in (?:context|root) entry|invalid context entry)/i.test(reason);
  if (!isContext && !/DEV_TABLE_ENTRY|INVALID_DEVICE_REQUEST/.test(reason)) return undefined;
  const entry = isContext ? (/root/i.test(reason) ? 'root entry' : 'context entry') : 'device table entry';
  const isKnown =
    device !== undefined && (devices.has(device) || host.groups.some((group) => group.devices.includes(device)));
  const slot = device?.replace(/\.[0-7]$/, '');
  const sibling = [...devices.keys(), ...host.groups.flatMap((group) => group.devices)].find(
    (name) => name !== device && name.replace(/\.[0-7]$/, '') === slot,
  );
  const isAlias = !isKnown && device !== undefined && (sibling !== undefined || !device.endsWith('.0'));
  const who = device === undefined ? 'A requester' : `Requester ${device.replace(/^0000:/, '')}`;
  const owner = sibling === undefined ? 'the device' : `the device ${sibling}`;
  return {
    kind: 'no-context-entry',
    clause: '',
    sentence: isAlias
      ? `${who} has no ${entry}: ${owner} uses the id of another function (DMA alias quirk missing); no mapping would help`
      : `${who} has no ${entry}: no driver has set up DMA for it, or it is the alias of another device; no mapping would help`,
    fix: isAlias
      ? 'Add a DMA alias quirk for the device (such as quirk_dma_func1_alias), or use a kernel that has it'
      : 'Check which driver owns the device, and whether it needs a DMA alias quirk',
  };
}

const shortTime = (seconds: number): string =>
  seconds < 1 ? `${Number((seconds * 1000).toPrecision(3))} ms` : `${Number(seconds.toPrecision(4))} s`;

const lineOf = ({ fact }: AddressEvent): string => placeText(provenanceOf(fact));

/** `mapped from 4.878 s to 327.748 s (trace.txt:3, trace.txt:90)`. */
function lifeOf(mapped: AddressEvent | undefined, unmapped: AddressEvent): string {
  const [from, to] = [mapped && timeOf(mapped.fact), timeOf(unmapped.fact)];
  const lines = [...(mapped ? [lineOf(mapped)] : []), lineOf(unmapped)].join(', ');
  return from !== undefined && to !== undefined ? `mapped from ${from} s to ${to} s; ${lines}` : lines;
}

function history({ time, access }: Fault, _space: CommonSpace, { past }: FaultEvidence): FaultCause | undefined {
  if (!past) return undefined;
  const { mapped, unmapped, next, isTimed } = past;
  if (unmapped) {
    const there = mapped?.fact ?? unmapped.fact;
    const end = timeOf(unmapped.fact);
    const since =
      isTimed && time !== undefined && end !== undefined ? ` ${shortTime(time.first - end)} after` : ' after';
    return {
      kind: 'use-after-unmap',
      clause: `${since} ${hexRange(there)} was unmapped: use after unmap (${lifeOf(mapped, unmapped)})`,
      fix: 'Make the driver stop the device before it unmaps the buffer',
      provenance: [...(mapped ? [provenanceOf(mapped.fact)] : []), provenanceOf(unmapped.fact)],
    };
  }
  if (!isTimed) return undefined;
  if (mapped) {
    return {
      kind: 'no-permission',
      clause: `: ${hexRange(mapped.fact)} was mapped there at that time (${lineOf(mapped)}), so the mapping does not permit ${access === undefined ? 'this access' : `${access} access`}, or it is in another domain`,
      fix: 'Check the direction with which the driver maps the buffer',
      provenance: [provenanceOf(mapped.fact)],
    };
  }
  const start = next && timeOf(next.fact);
  if (!next || start === undefined || time === undefined) return undefined;
  return {
    kind: 'use-before-map',
    clause: ` ${shortTime(start - time.first)} before ${hexRange(next.fact)} was mapped (${lineOf(next)}): use before map`,
    fix: 'Make the driver map the buffer before it starts the device',
    provenance: [provenanceOf(next.fact)],
  };
}

/** A canonical address in the upper half with some bits in the middle cleared. */
function lostBits({ address }: Fault): FaultCause | undefined {
  for (const [high, low] of [
    [55, 48],
    [63, 56],
    [63, 48],
    [62, 48],
  ] as const) {
    const mask = ((1n << BigInt(high - low + 1)) - 1n) << BigInt(low);
    if ((address & mask) !== 0n) continue;
    const whole = address | mask;
    // All other high bits must be set, otherwise it is an ordinary address.
    const above = IOVA_MAX ^ ((1n << BigInt(high)) | ((1n << BigInt(high)) - 1n));
    const isSet = (bits: bigint) => (address & bits) === bits;
    if (whole < KERNEL_ADDRESS || high === 63 || !isSet(above)) continue;
    return {
      kind: 'lost-bits',
      clause: `: ${hex(address)} is ${hex(whole)} with bits ${high}:${low} lost, so no mapping can match it`,
      fix: 'Check which field of the device or of its driver drops these bits, and limit the DMA mask',
    };
  }
  return undefined;
}

/** ` (RMRR)`: how the table or the log names the region. */
function tableName({ origin = '' }: { readonly origin?: string | undefined }): string {
  const name = FIRMWARE_REGIONS[origin];
  return name === undefined ? '' : ` (${name})`;
}

function inRegion(fault: Fault, space: CommonSpace): FaultCause | undefined {
  const { address } = fault;
  const region = space.host.groups.flatMap(({ regions }) => regions).find((r) => containsAddress(r, address));
  if (!region) return undefined;
  const { type } = region;
  // At the top of what a number of bits can address: the width explains more than the region, and the clause names the region.
  const isTop = rangesEqual(region, HYPERTRANSPORT_RANGE) ? cutFromTop(fault, space) : undefined;
  if (isTop) return isTop;
  if (type === 'msi') {
    return {
      kind: `region ${region.start}`,
      clause: `, which is in the MSI window ${hexRange(region)}: it was an interrupt and not a DMA access`,
      fix: 'Check whether interrupt remapping, or the mapping of the doorbell, lets it through',
    };
  }
  const isDirect = type.startsWith('direct');
  return {
    kind: `region ${region.start}`,
    clause: isDirect
      ? `, which is in the firmware region ${hexRange(region)}${tableName(region)} (${type}): the device still uses memory that firmware gave it, and the 1:1 mapping is gone`
      : `, which is in ${hexRange(region)} (${type}), where nothing can be mapped`,
    fix: isDirect ? 'Reset the device before it is given to another domain' : undefined,
  };
}

function inFirmwareRegion({ address }: Fault, { host }: CommonSpace): FaultCause | undefined {
  const region = host.firmwareRegions.find((r) => containsAddress(r, address));
  if (!region) return undefined;
  return {
    kind: `firmware ${region.start}`,
    clause: `, which is in the firmware region ${hexRange(region)}${tableName(region)}${region.device === undefined ? '' : ` of ${region.device}`}: the device still uses memory that firmware gave it, and it is not mapped for this device`,
    fix: 'The device needs that mapping, or a reset first',
  };
}

function truncatedMapping(
  { address }: Fault,
  _space: CommonSpace,
  { truncated }: FaultEvidence,
): FaultCause | undefined {
  if (!truncated) return undefined;
  const { meant, width, mapping } = truncated;
  return meant < address
    ? {
        kind: `extended ${width}`,
        clause: `: without the bits from ${width} up it is ${hex(meant)}, inside the mapping ${hexRange(mapping)}; the address was sign-extended or has invalid high bits`,
        fix: 'Check where the device or its driver extends the address',
      }
    : {
        kind: `truncated ${width}`,
        clause: `: the DMA address ${hex(meant)}, which is mapped (${hexRange(mapping)}), was cut at ${width} bits`,
        fix: `Limit the device's DMA mask to ${width} bits, or fix the field that cuts it`,
      };
}

function windowAt({ windows }: Host, address: bigint, accept: (name: string, type: string) => boolean) {
  return windows.findLast((w) => containsAddress(w, address) && accept(w.name, w.type));
}

function inStolenMemory({ address }: Fault, { host }: CommonSpace): FaultCause | undefined {
  const stolen = windowAt(host, address, (name) => /stolen/i.test(name));
  if (!stolen) return undefined;
  return {
    kind: 'stolen-memory',
    clause: `, which is in the graphics stolen memory ${hexRange(stolen)}: the graphics device still uses what firmware set up, and no RMRR keeps it mapped`,
    fix: 'Let its driver take over first, or disable the IOMMU for integrated graphics (intel_iommu=igfx_off)',
  };
}

function inBar({ address, device }: Fault, { host }: CommonSpace): FaultCause | undefined {
  const bar = host.bars.find((b) => containsAddress(b, address));
  if (!bar) return undefined;
  const which = bar.device === device ? `its own BAR ${bar.index}` : `BAR ${bar.index} of ${bar.device},`;
  return {
    kind: `bar ${bar.device} ${bar.index}`,
    clause: `, which is the address of ${which} ${hexRange(bar)} on the bus: peer-to-peer DMA that is not mapped, or a physical address where an IOVA belongs`,
    fix: 'Map the BAR for the device (dma_map_resource), if peer-to-peer DMA is meant',
  };
}

/** True if some source shows that addresses of that many bits end there by design. */
function isApertureWidth({ apertures }: CommonSpace, width: number): boolean {
  return apertures.some(({ last }) => last === (1n << BigInt(width)) - 1n);
}

/**
 * An address just below a power of two: the DMA API of a 64-bit device begins below 2^64, and something dropped the upper
 * bits.
 */
function cutFromTop({ address }: Fault, space: CommonSpace): FaultCause | undefined {
  const isAmd = isAmdHost(space.host);
  for (const width of CUT_WIDTHS) {
    const top = 1n << BigInt(width);
    if (address >= top || top - address > TOP_MAX) continue;
    if (isApertureWidth(space, width)) return atApertureTop(address, width);
    // Intel's and ARM's domains have these widths themselves.
    if (!isAmd && (width === 40 || width === 42 || width === 44 || width === 47 || width === 48 || width === 52)) {
      return atApertureTop(address, width);
    }
    const meant = (IOVA_MAX ^ (top - 1n)) | address;
    const isHole = containsAddress(HYPERTRANSPORT_RANGE, address) && isAmd;
    return {
      kind: `cut ${width}`,
      clause: `: a 64-bit DMA address cut at ${width} bits (${hex(meant)} was probably meant${isHole ? `; ${hexRange(HYPERTRANSPORT_RANGE)} is the HyperTransport range, where nothing can be mapped` : ''})`,
      fix: isHole ? 'Limit its DMA mask to 39 bits' : `Limit its DMA mask to ${width} bits`,
    };
  }
  return undefined;
}

function atApertureTop(address: bigint, width: number): FaultCause {
  return {
    kind: `top ${width}`,
    clause: `: the address is just below 2^${width} (${hex((1n << BigInt(width)) - address)} below), where the kernel's DMA API places buffers of devices that are not PCI, or once those below 4 GiB ran out, so a driver's buffer was unmapped too early or never mapped; or a longer address was cut at ${width} bits`,
    fix: "Trace iommu:map and iommu:unmap of the device's driver",
  };
}

function platformRange({ address, device }: Fault, { host }: CommonSpace): FaultCause | undefined {
  const [usual] = likelyObstacles(host, range(address, address));
  if (!usual || architectureOf(host) === undefined) return undefined;
  const isGraphics = device !== undefined && usual.platform === 'AMD';
  return {
    kind: `platform ${usual.start}`,
    clause:
      usual.platform === 'x86'
        ? `, which is in ${hexRange(usual)}, ${usual.message}: it was an interrupt and not a DMA access`
        : usual.type === 'msi'
          ? `, which is in ${hexRange(usual)}, ${usual.message}: it is an interrupt whose doorbell (page offset ${hex(address & 0xfffn)}) is not mapped`
          : `, which is in ${hexRange(usual)}, ${usual.message}: nothing can be mapped there${isGraphics ? ', so the device or its driver uses a wrong address' : ''}`,
    fix:
      usual.type === 'msi'
        ? 'Check whether the doorbell is mapped for the device, and whether interrupt remapping lets it through'
        : 'Check the DMA mask of the device',
  };
}

function beyondAperture({ address }: Fault, { apertures }: CommonSpace): FaultCause | undefined {
  const [limit] = apertureLimits(apertures, range(address, address));
  if (!limit) return undefined;
  return {
    kind: 'beyond-aperture',
    clause: `: the address ${limit.problem}, so nothing can be mapped there`,
    fix: limit.bits === undefined ? undefined : `Limit the DMA mask of the device to ${limit.bits} bits`,
    provenance: limit.provenance,
  };
}

function overrun(_fault: Fault, _space: CommonSpace, { near }: FaultEvidence): FaultCause | undefined {
  if (near?.side !== 'below' || near.distance > OVERRUN_MAX) return undefined;
  const where = near.distance === 0n ? 'the first byte after' : `${formatSize(near.distance)} after`;
  return {
    kind: `overrun ${near.mapping.start}`,
    clause: `, ${where} the mapping ${hexRange(near.mapping)}: the device ran past the end of the buffer`,
    fix: 'Check the length that the device was given, and prefetching',
  };
}

function smallAddress({ address }: Fault, { host }: CommonSpace): FaultCause | undefined {
  if (address >= SMALL_ADDRESS) return undefined;
  if (address === 0n) {
    return {
      kind: 'zero',
      clause:
        ': address 0 means a pointer that was never set or a device that was not programmed, not a missing mapping',
      fix: 'Check that the driver programs its rings and buffers before it starts the device (after a reset, resume or migration too)',
    };
  }
  return architectureOf(host) === 'arm'
    ? {
        kind: 'doorbell',
        clause: `: ${hex(address)} is the offset of an MSI doorbell register without the address of its page, so the MSI was cut or is not translated through the MSI window (usually ${hexRange(DEFAULT_SW_MSI_WINDOW)})`,
        fix: 'Check that the MSI window is set up for the device and can be reached on this platform',
      }
    : { kind: 'small', clause: ': a small address is an offset without its base, not a missing mapping' };
}

function kernelAddress({ address, driver }: Fault): FaultCause | undefined {
  if (address < KERNEL_ADDRESS) return undefined;
  if (IOVA_MAX - address < TOP_MAX && driver === 'amd') {
    return {
      kind: 'top 64',
      clause: `: the address is just below 2^64, where the DMA API places buffers of 64-bit devices on AMD, so a buffer was unmapped too early or never mapped; otherwise it is a sign-extended 32-bit address (${hex(address & 0xffff_ffffn)})`,
      fix: "Trace iommu:map and iommu:unmap of the device's driver",
    };
  }
  return {
    kind: 'kernel-address',
    clause: `: all high bits are set, so it is a sign-extended 32-bit address (${hex(address & 0xffff_ffffn)}) or a kernel pointer that was given to the device`,
    fix: 'Check where the driver hands the address to the device',
  };
}

/** 32-bit PCI devices get their first addresses just below 4 GiB. */
const ORDINALS = ['first', 'second', 'third', 'fourth'];

/** Which page of a 32-bit device it is, if it is one of the first in a new domain: `first`, `second`. */
function ordinalOf(address: bigint, space: CommonSpace, device: string | undefined): string | undefined {
  const groups = space.host.groups.filter((group) => device !== undefined && group.devices.includes(device));
  const own = groups.length > 0 ? commonSpace(space.host, groups) : space;
  const { addresses } = nextDmaAddresses(own, {
    device: undefined,
    mask: FOUR_GIB - 1n,
    size: 1n,
    count: ORDINALS.length,
  });
  const index = addresses.findIndex((start) => address >= start && address - start < PAGE);
  return index < 0 ? undefined : ORDINALS[index];
}

/** The kernel log says that the device gets addresses of more than 32 bits: they are allocated from the top of that width. */
function wideDmaApi({ address, device }: Fault, { host }: CommonSpace): FaultCause | undefined {
  const found = device === undefined ? undefined : host.devices.get(device);
  const bits = found?.dmaBits;
  if (found === undefined || bits === undefined) return undefined;
  const top = 1n << BigInt(bits);
  if (address >= top || top - address > TOP_MAX) return undefined;
  return {
    kind: `dma-api ${bits}`,
    clause: `: the address is just below 2^${bits}, and the kernel log says "Using ${bits}-bit DMA addresses" for the device, so it is an IOVA that the kernel's DMA API gave its driver, unmapped too early, overrun, or never mapped`,
    fix: "Trace iommu:map and iommu:unmap of the device's driver",
    provenance: found.provenance,
  };
}

function dmaApi(
  { address, access, device }: Fault,
  space: CommonSpace,
  { near }: FaultEvidence,
): FaultCause | undefined {
  const { host } = space;
  if (address >= FOUR_GIB || FOUR_GIB - address > TOP_MAX >> 2n || near) return undefined;
  const ordinal = ordinalOf(address, space, device);
  if (architectureOf(host) === 'arm' && access === 'write' && (address & 0xfffn) === DOORBELL_OFFSET) {
    const which = ordinal === undefined ? '' : ` (its ${ordinal} page)`;
    return {
      kind: 'doorbell-page',
      clause: `: page offset ${hex(DOORBELL_OFFSET)} is that of an MSI doorbell register, and the kernel's DMA API maps its page just below 4 GiB${which}, so it was an interrupt whose doorbell page is no longer mapped (or not for this device)`,
      fix: 'Check whether the device was given to another domain, or its driver was unbound, while its MSIs were enabled',
    };
  }
  return {
    kind: 'dma-api',
    clause: `: the address is just below 4 GiB${ordinal === undefined ? '' : ` (in the ${ordinal} page that a PCI device is given)`}, where the kernel's DMA API places buffers from the top down, so it is an IOVA of a driver's buffer that was unmapped too early, overrun, or never mapped`,
    fix: "Trace iommu:map and iommu:unmap of the device's driver",
  };
}

function integratedGraphics({ device }: Fault, { host }: CommonSpace): FaultCause | undefined {
  const isIntel = host.faults.some(({ driver }) => driver === 'intel');
  if (!isIntel || device === undefined || requesterId(device) !== 0x10) return undefined;
  return {
    kind: 'integrated-graphics',
    clause:
      ': the integrated graphics still uses memory that firmware set up (its stolen memory or frame buffer), and no RMRR in these dumps keeps it mapped',
    fix: 'Add /proc/iomem and the RMRR lines to confirm this; a graphics driver that takes over the device, or intel_iommu=igfx_off, avoids it',
  };
}

/** What firmware keeps that is neither RAM nor a device: `reserved`, ACPI tables. */
const KEPT_BY_FIRMWARE = /^(?:reserved|ACPI|.*NVS|Unknown E820)/i;

function hostWindow({ address }: Fault, { host }: CommonSpace): FaultCause | undefined {
  const window = windowAt(host, address, () => true);
  if (!window) return undefined;
  const isKept = KEPT_BY_FIRMWARE.test(window.name) && window.type !== 'ram';
  const table = firmwareTable(host);
  return {
    kind: `window ${window.start}`,
    clause: `: nothing is mapped there. As a physical address it is in "${window.name}" ${hexRange(window)}${isKept ? ` (firmware memory with no ${table} to keep it mapped)` : ''}, but an IOVA need not be a physical address`,
    fix:
      window.type === 'ram'
        ? 'Check whether the driver gives the device physical addresses instead of those of the DMA API'
        : isKept
          ? `Update the firmware: if the device uses this memory, its tables must have an ${table} for it`
          : undefined,
  };
}

/** What the platform's tables call a region of memory that stays mapped for a device. */
function firmwareTable(host: Host): string {
  return architectureOf(host) === 'arm' ? 'RMR' : isAmdHost(host) ? 'IVMD' : 'RMRR';
}

type Neighbor = NonNullable<FaultEvidence['near']>;

/** A mapping next to the address, then `separator`, then whether it ends or starts there and how far away. */
function neighbor({ mapping, side, distance }: Neighbor, separator = ' '): string {
  return `${hexRange(mapping)}${separator}${side === 'below' ? 'ends' : 'starts'} ${formatSize(distance)} ${side}`;
}

function nearestText(near: Neighbor): string {
  return `the nearest mapping, ${neighbor(near, ', ')}`;
}

function nearest(_fault: Fault, _space: CommonSpace, { near, other }: FaultEvidence): FaultCause | undefined {
  if (!near) return undefined;
  const [below, above] = near.side === 'below' ? [near, other] : [other, near];
  const both = below && above ? `the mappings around it: ${neighbor(below)}, ${neighbor(above)}` : undefined;
  return {
    kind: 'nothing-mapped',
    clause: `: nothing is mapped there; ${both ?? nearestText(near)}`,
  };
}

/** Guest memory: an assigned device uses the guest's physical addresses as IOVAs. */
function inGuestMemory({ address, device }: Fault, { host }: CommonSpace, { guests, near }: FaultEvidence) {
  const isAssigned =
    device !== undefined &&
    (host.devices.get(device)?.driver === 'vfio-pci' ||
      guests.some(({ definition }) => definition?.assigned?.includes(device)));
  if (!isAssigned) return undefined;
  for (const { title, ranges } of guests) {
    const there = ranges.find((r) => containsAddress(r, address));
    if (!there) continue;
    const isRam = isGuestMemory(there.type);
    const around = near ? `; ${nearestText(near)}` : '';
    return {
      kind: `guest ${there.start}`,
      clause: `, which is in ${isRam ? 'guest RAM' : 'the range'} "${there.name}" ${hexRange(there)} of ${title}: it is not mapped for the device${around}`,
      fix: isRam
        ? 'Check whether the VMM has mapped all RAM of the guest (memory that was plugged in or ballooned, migration, a virtual IOMMU)'
        : "Only peer-to-peer DMA needs it: look for the VMM's warning about this range",
    };
  }
  return undefined;
}

/** Drivers of IOMMUs that a device tree describes. */
const OF_DEVICE_TREE: ReadonlySet<string> = new Set([
  ...['rockchip', 'apple-dart', 'mediatek', 'exynos', 'sun50i', 'ipmmu', 'omap', 'tegra', 'riscv'],
]);

/** Below 4 GiB, but not where the DMA API begins: often an address that was never mapped. */
function physicalAddress({ address, driver }: Fault, { host }: CommonSpace): FaultCause | undefined {
  if (address >= FOUR_GIB) return undefined;
  const isTree = driver !== undefined && OF_DEVICE_TREE.has(driver);
  const table = isTree ? 'iommu-addresses entry in the device tree' : firmwareTable(host);
  const where = isTree
    ? 'the reserved-memory nodes of the device tree'
    : table === 'RMRR'
      ? 'the RMRR lines of the kernel log'
      : 'the ACPI tables';
  return {
    kind: 'physical-address',
    clause: `: nothing in these dumps is mapped there. The DMA API places buffers just below 4 GiB, so this is probably a physical address: firmware memory with no ${table} to keep it mapped, or memory of a driver that bypasses the DMA API (or guest RAM that is not mapped)`,
    fix: `Add /proc/iomem and ${where}, or trace iommu:map and iommu:unmap, to see which`,
  };
}

/** When nothing else is known: the width of the address, and what would help. */
export function unknownCause({ address }: Fault): FaultCause {
  return {
    kind: 'unknown',
    clause: `: nothing in these dumps shows what is mapped for it (an IOVA of ${bitLength(address)} bits; it need not be a physical address)`,
    fix: 'Trace iommu:map and iommu:unmap from the start of its driver',
  };
}
