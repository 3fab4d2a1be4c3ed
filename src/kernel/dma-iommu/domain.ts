// One domain of the kernel's DMA API as an address space: its allocator, and what is mapped where.
import { fromWords, highWord, lowWord } from '../../iova/address-halves.ts';
import { IOVA_MAX, type Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { complement, intersect, rangeSet } from '../../iova/range-set.ts';
import { grown } from '../../iova/typed-arrays.ts';
import type { OperationOf } from '../../session/events.ts';
import {
  type AddressSpaceView,
  type AllocatorView,
  type AreaView,
  BRIDGE_WINDOW,
  type DmaDeviceView,
  type DomainView,
  type KeptRange,
  type ReservedView,
} from '../model.ts';
import { asRange } from '../shared/obstacles.ts';
import { type AllocatorListener, orderOf, PageAllocator } from './page-allocator.ts';
import { CACHED_ORDERS } from './page-cache.ts';
import { ANCHOR } from './page-nodes.ts';

const LOW_LIMIT = 0xffff_ffffn;

/** A device of a domain. */
interface Device {
  readonly pci: boolean;
  readonly busLimit: bigint | undefined;
  triesLow: boolean;
}

/** What a device asks for: `limit` is the highest address that it reaches, inclusive. */
export interface DmaRequest {
  readonly phys: bigint;
  /** Bytes, at least 1. */
  readonly size: bigint;
  readonly limit: bigint;
}

/** The software MSI window: the kernel hands it out itself, so the allocator does not spare it. */
const SOFTWARE_MSI = 'sw-msi';

/** Columns of what is mapped, by node. */
interface Contents {
  /** Two words a node: the physical address of the first page. */
  phys: Uint32Array;
  /** Pages that were asked for: the node may have more. */
  pages: Float64Array;
  origin: Int32Array;
}

export class DmaDomain implements AddressSpaceView {
  readonly id: string;
  readonly aperture: IovaRange;
  readonly forced: boolean;
  readonly pgsizeBitmap: bigint;
  readonly reserved: readonly ReservedView[];
  readonly validRanges: readonly IovaRange[];
  readonly allowed: readonly IovaRange[] = [];
  readonly accesses = [];
  readonly hugePages = true;
  readonly #allocator: PageAllocator;
  readonly #devices: Map<string, Device>;
  readonly #contents: Contents;
  #mapped = 0;

  private constructor(
    made: Pick<DmaDomain, 'id' | 'aperture' | 'forced' | 'pgsizeBitmap' | 'reserved' | 'validRanges'>,
    allocator: PageAllocator,
    devices: Map<string, Device>,
    contents: Contents,
  ) {
    this.id = made.id;
    this.aperture = made.aperture;
    this.forced = made.forced;
    this.pgsizeBitmap = made.pgsizeBitmap;
    this.reserved = made.reserved;
    this.validRanges = made.validRanges;
    this.#allocator = allocator;
    this.#devices = devices;
    this.#contents = contents;
  }

  /** The domain of its first device. The size of its pages is the lowest bit of the page size bitmap: `granule`. */
  static create(operation: OperationOf<'dma.attach'>, granule: bigint): DmaDomain {
    const { domain: id, aperture, force_aperture: forced, pgsize_bitmap: pgsizeBitmap } = operation;
    const reserved = reservationsOf(operation, granule);
    const allocator = new PageAllocator(granule, aperture[0]);
    allocator.reserve(rangeSet(reserved));
    const first = BigInt(allocator.start) * granule;
    const last = forced ? aperture[1] : IOVA_MAX;
    const reachable = first <= last ? [asRange(first, last)] : [];
    return new DmaDomain(
      {
        id,
        aperture: asRange(aperture[0], aperture[1]),
        forced,
        pgsizeBitmap,
        reserved,
        validRanges: intersect(complement(rangeSet(reserved)), reachable),
      },
      allocator,
      new Map(),
      { phys: new Uint32Array(128), pages: new Float64Array(64), origin: new Int32Array(64) },
    );
  }

  clone(): DmaDomain {
    const devices = new Map([...this.#devices].map(([name, device]) => [name, { ...device }]));
    const { phys, pages, origin } = this.#contents;
    const contents = { phys: phys.slice(), pages: pages.slice(), origin: origin.slice() };
    const copy = new DmaDomain(this, this.#allocator.clone(), devices, contents);
    copy.#mapped = this.#mapped;
    return copy;
  }

  /** Reports each step of what follows. */
  set listener(listener: AllocatorListener | undefined) {
    this.#allocator.listener = listener;
  }

  attach(operation: OperationOf<'dma.attach'>): void {
    const { device, pci, forcedac, bus_dma_limit } = operation;
    // 0 is no limit, as in the kernel.
    this.#devices.set(device, { pci, busLimit: bus_dma_limit || undefined, triesLow: pci && !forcedac });
  }

  /** The highest address that a device can be given. Source: Linux 6.12, iommu_dma_alloc_iova. */
  limitOf(device: string, mask: bigint): bigint {
    const limits = [mask];
    const busLimit = this.#devices.get(device)?.busLimit;
    if (busLimit !== undefined) limits.push(busLimit);
    if (this.forced) limits.push(this.aperture.last);
    return limits.reduce((a, b) => (a < b ? a : b));
  }

  /** The IOVA of the first byte, or `undefined` if there is none. `staysWide`: see the model. */
  map(deviceName: string, request: DmaRequest, staysWide: boolean, origin: number): Iova | undefined {
    const allocator = this.#allocator;
    const { granule } = allocator;
    const offset = request.phys & (granule - 1n);
    const pages = this.#pagesOf(request.phys, request.size);
    const device = this.#devices.get(deviceName);
    let node: number | undefined;
    if (device?.triesLow && request.limit > LOW_LIMIT) {
      allocator.listener?.({ event: 'try', limit: LOW_LIMIT, bits: 32, pages });
      node = allocator.allocate(pages, Number(LOW_LIMIT / granule), false);
      if (node === undefined && staysWide) {
        device.triesLow = false;
        allocator.listener?.({ event: 'wide', bits: request.limit.toString(2).length });
      }
    }
    if (node === undefined) {
      allocator.listener?.({ event: 'try', limit: request.limit, bits: 'whole', pages });
      node = allocator.allocate(pages, Number(request.limit / granule), true);
    }
    if (node === undefined) return undefined;
    this.#write(node, request.phys - offset, pages, origin);
    this.#mapped++;
    return (BigInt(allocator.nodes.low(node)) * granule + offset) as Iova;
  }

  /** What is mapped at exactly these pages, if anything is: its node and its number of pages. */
  find(address: bigint, size: bigint): { readonly node: number; readonly pages: number } | undefined {
    const { granule, tree, nodes } = this.#allocator;
    const page = Number(address / granule);
    const node = tree.firstOverlap(address, address)?.value;
    if (node === undefined || nodes.stateOf(node) !== 'mapped' || nodes.low(node) !== page) return undefined;
    const pages = this.#contents.pages[node] ?? 0;
    return pages === this.#pagesOf(address, size) ? { node, pages } : undefined;
  }

  /** Frees what `find` returned. */
  unmap({ node, pages }: { readonly node: number; readonly pages: number }): void {
    this.#mapped--;
    this.#allocator.free(node, pages);
  }

  #pagesOf(address: bigint, size: bigint): number {
    const { granule } = this.#allocator;
    return Number(((address & (granule - 1n)) + size + granule - 1n) / granule);
  }

  #write(node: number, phys: bigint, pages: number, origin: number): void {
    const contents = this.#contents;
    if (node >= contents.origin.length) {
      const capacity = contents.origin.length * 2;
      contents.phys = grown(contents.phys, capacity * 2);
      contents.pages = grown(contents.pages, capacity);
      contents.origin = grown(contents.origin, capacity);
    }
    contents.phys[node * 2] = highWord(phys);
    contents.phys[node * 2 + 1] = lowWord(phys);
    contents.pages[node] = pages;
    contents.origin[node] = origin;
  }

  get areaCount(): number {
    return this.#mapped;
  }

  *areas(first = 0n, last: bigint = IOVA_MAX): Iterable<AreaView> {
    const { nodes, granule } = this.#allocator;
    const { phys, pages, origin } = this.#contents;
    for (const { start, value: node } of this.#allocator.tree.overlaps(first, last)) {
      if (nodes.stateOf(node) !== 'mapped') continue;
      const end = start + BigInt(pages[node] ?? 0) * granule - 1n;
      // What a node has beyond its mapping is taken, but not mapped.
      if (end < first) continue;
      yield {
        ...asRange(start, end),
        userVa: fromWords(phys[node * 2] ?? 0, phys[node * 2 + 1] ?? 0) as Iova,
        pages: node,
        read: true,
        write: true,
        origin: origin[node] ?? 0,
      };
    }
  }

  countAreas(first: bigint, last: bigint): number {
    let count = 0;
    for (const { start } of this.areas(first, last)) if (start >= first) count++;
    return count;
  }

  visitHoles(first: bigint, last: bigint, length: bigint, visit: (hole: IovaRange) => boolean | undefined): void {
    let next = first;
    for (const area of this.areas(first, last)) {
      if (area.start - next >= length && visit(asRange(next, area.start - 1n))) return;
      next = area.last + 1n;
    }
    if (next <= last && last - next >= length - 1n) visit(asRange(next, last));
  }

  get domains(): readonly DomainView[] {
    const { id: iommu, aperture, pgsizeBitmap } = this;
    return [{ iommu, aperture, pgsizeBitmap, devices: [...this.#devices.keys()] }];
  }

  get alignment(): bigint {
    return this.#allocator.granule;
  }

  get allocator(): AllocatorView {
    const allocator = this.#allocator;
    const cursor = (limit: '32-bit' | '64-bit'): IovaRange | undefined => {
      const node = allocator.cursor(limit);
      return node === ANCHOR ? undefined : allocator.bytesOf(allocator.nodes.low(node), allocator.nodes.high(node));
    };
    let keptCount = 0;
    for (let order = 0; order < CACHED_ORDERS; order++) keptCount += allocator.keptCount(order);
    const devices = [...this.#devices].map(
      ([name, { pci, triesLow, busLimit }]): DmaDeviceView =>
        busLimit === undefined ? { name, pci, triesLow } : { name, pci, triesLow, busLimit: busLimit as Iova },
    );
    return {
      granule: allocator.granule,
      cursor32: cursor('32-bit'),
      cursor64: cursor('64-bit'),
      failingPages: allocator.failing32,
      keptCount,
      kept: () => keptOf(allocator),
      devices,
    };
  }
}

function* keptOf(allocator: PageAllocator): Generator<KeptRange> {
  const { nodes, tree } = allocator;
  for (const { start, last, value: node } of tree.overlaps(0n, IOVA_MAX)) {
    if (nodes.stateOf(node) === 'kept') yield { start, last, order: orderOf(nodes.high(node) - nodes.low(node) + 1) };
  }
}

/**
 * What the first device of a domain reserves, in whole pages: the memory windows of its PCI host bridge, and its own
 * reserved regions except the software MSI window. Source: Linux 6.12, iova_reserve_iommu_regions.
 */
function reservationsOf(operation: OperationOf<'dma.attach'>, granule: bigint): ReservedView[] {
  const { device, pci, windows, reserved } = operation;
  const owner = { kind: 'device', name: device } as const;
  const whole = ({ start, last }: { readonly start: bigint; readonly last: bigint }) =>
    asRange(start & -granule, last | (granule - 1n));
  return [
    ...(pci ? windows : []).map(([start, last]) => ({ ...whole({ start, last }), type: BRIDGE_WINDOW, owner })),
    ...reserved.filter(({ type }) => type !== SOFTWARE_MSI).map((r) => ({ ...whole(r), type: r.type, owner })),
  ].sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
}
