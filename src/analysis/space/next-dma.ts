// Where the kernel's DMA API puts the next buffers of a device, according to the dumps of its host: runs the allocator's model
// in an empty domain.
import { counted, formatSize, hex } from '../../iova/format.ts';
import { IOVA_MAX, iova, lowestSetBit } from '../../iova/iova.ts';
import type { AllocatorEvent } from '../../kernel/dma-iommu/events.ts';
import { DmaIommuModel } from '../../kernel/dma-iommu/model.ts';
import { DEFAULT_PAGE_SIZE } from '../../kernel/shared/platform-ranges.ts';
import { kernelRules } from '../../kernel/version-changes.ts';
import { type Host, kernelOf } from '../host/host.ts';
import { commonAperture } from './aperture-limit.ts';
import { type CommonSpace, spaceTitle } from './common-space.ts';

export interface DmaQuestion {
  /** PCI address. Any other name is a platform device, which does not try 32 bits first. */
  readonly device?: string | undefined;
  /** The highest address that the device reaches, such as 2^32−1. */
  readonly mask: bigint;
  /** Bytes of each buffer, at least 1; they begin at the start of a page. */
  readonly size: bigint;
  /** How many buffers are placed, one after the other. */
  readonly count: number;
}

export interface DmaAnswer {
  /** Where the buffers are placed, in the order of the requests; it ends where there is no room. */
  readonly addresses: readonly bigint[];
  /** What the allocator does for the first one. */
  readonly steps: readonly AllocatorEvent[];
  /** What is assumed, sentences without a full stop. */
  readonly assumed: readonly string[];
}

const PCI_ADDRESS = /^[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]$/;
/** Pages smaller than these have no exact numbers in the model. */
const SMALLEST_PAGE = 0x800n;

function isForced(host: Host): boolean {
  return /\biommu\.forcedac=(?:1|y|on)\b/i.test(host.about.options ?? '');
}

/** Where buffers of a device go in an empty domain. The groups of the space are those of the device. */
export function nextDmaAddresses(space: CommonSpace, { device, mask, size, count }: DmaQuestion): DmaAnswer {
  const { host, groups, apertures } = space;
  const aperture = commonAperture(apertures);
  const bitmap = apertures.reduce((all, { pageSizes }) => (pageSizes === undefined ? all : all & pageSizes), -1n);
  const pageSize = bitmap > 0n && lowestSetBit(bitmap) >= SMALLEST_PAGE ? lowestSetBit(bitmap) : DEFAULT_PAGE_SIZE;
  const isPci = device === undefined || PCI_ADDRESS.test(device);
  const wide = device === undefined ? undefined : host.devices.get(device)?.dmaBits;
  const windows = host.windows.filter(({ type }) => type === 'pci');
  const model = new DmaIommuModel(kernelRules(kernelOf(host)));
  const name = device ?? 'device';
  model.apply(
    {
      op: 'dma.attach',
      device: name,
      domain: 'domain',
      aperture: [aperture?.start ?? iova(0n), aperture?.last ?? IOVA_MAX],
      force_aperture: true,
      pgsize_bitmap: iova(pageSize),
      pci: isPci,
      forcedac: isForced(host) || wide !== undefined,
      windows: windows.map(({ start, last }) => [start, last] as const),
      reserved: groups.flatMap(({ regions }) => regions.map(({ start, last, type }) => ({ start, last, type }))),
    },
    0,
  );
  const map = {
    op: 'dma.map',
    device: name,
    phys: iova(0n),
    size: iova(size),
    dma_mask: iova(mask),
  } as const;
  const steps = model.stepsOf(map);
  const addresses: bigint[] = [];
  while (addresses.length < count) {
    const outcome = model.apply(map, 0);
    const address = outcome.ok ? outcome.answer.dma_addr : undefined;
    if (address === undefined) break;
    addresses.push(address);
  }
  const identity = groups.find(({ type }) => type === 'identity');
  return {
    addresses,
    steps,
    assumed: [
      'nothing is mapped in its domain yet, strict mode, one CPU',
      ...(identity ? ['its default domain is "identity": then its DMA addresses are physical ones instead'] : []),
      ...(aperture ? [] : ['the width of the IOMMU is not in these dumps']),
      ...(windows.length > 0 || !isPci
        ? []
        : ['the windows of the PCI host bridge (/proc/iomem) are not in these dumps']),
      ...new Set(apertures.flatMap(({ derivation }) => derivation?.assumed ?? [])),
      ...(wide === undefined ? [] : [`the log says "Using ${wide}-bit DMA addresses", so 32 bits are not tried`]),
    ],
  };
}

/** Where the next buffers of a device go, for people. */
export interface NextDma {
  /** Host and groups. */
  readonly space: string;
  /** The first buffers, in the order of their requests; it ends where there is no room. */
  readonly addresses: readonly bigint[];
  /** How the first one was chosen, one line per step. */
  readonly steps: readonly string[];
  /** Sentences without a full stop. */
  readonly assumed: readonly string[];
}

/** Buffers that are placed. */
const COUNT = 3;

/**
 * Where the next buffers of `size` bytes go for a device with `bits` address bits (1 to 64). `undefined` if neither a
 * group nor an aperture of the host is known.
 */
export function nextDmaIn(
  space: CommonSpace,
  { device, bits, size }: { readonly device?: string | undefined; readonly bits: number; readonly size: bigint },
): NextDma | undefined {
  if (space.groups.length === 0 && space.apertures.length === 0) return undefined;
  const mask = (1n << BigInt(bits)) - 1n;
  const { addresses, steps, assumed } = nextDmaAddresses(space, { device, mask, size, count: COUNT });
  return { space: spaceTitle(space), addresses, steps: steps.map(allocatorStepText), assumed };
}

/** A step of the allocator as a line of text. */
export function allocatorStepText(step: AllocatorEvent): string {
  switch (step.event) {
    case 'try':
      return step.bits === 32
        ? 'PCI device: addresses below 4 GiB are tried first'
        : `the whole limit, ${hex(step.limit)}, is tried`;
    case 'wide':
      return `nothing left below 4 GiB: from now on ${step.bits}-bit addresses (the log says so)`;
    case 'cache-hit':
      return `the cache has ${counted(step.kept, 'freed range')} of this size: ${hex(step.range.start)} is handed out again`;
    case 'cache-miss':
      return step.kept === 0 ? 'no freed range of this size is kept' : `none of the kept ranges fits (${step.kept})`;
    case 'search':
      return `search down from the ${step.cursor} cursor at ${hex(step.from)}`;
    case 'retry':
      return `nothing below the cursor: once more from ${hex(step.from)} down to ${hex(step.above)}`;
    case 'found':
      return `found ${hex(step.range.start)}-${hex(step.range.last)}${step.skipped > 0 ? `, past ${counted(step.skipped, 'taken range')}` : ''}`;
    case 'known-full':
      return `not searched: ${counted(step.pages, 'page')} did not fit before`;
    case 'full':
      return 'nothing found';
    case 'flush':
      return `the caches are emptied: ${counted(step.ranges, 'range')}`;
    case 'kept':
      return `${hex(step.range.start)} is kept for the next mapping of this size (${step.kept} kept)`;
    case 'freed':
      return `${hex(step.range.start)}-${hex(step.range.last)} is free (${formatSize(step.range.last - step.range.start + 1n)})`;
  }
}
