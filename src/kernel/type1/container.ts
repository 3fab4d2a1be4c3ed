// One VFIO container with a type1 backend. Methods check in the kernel's order; a refusal changes nothing.
import { IntervalTree } from '../../iova/interval-tree/tree.ts';
import { IOVA_MAX, type Iova, lowestSetBit } from '../../iova/iova.ts';
import { containsRange, type IovaRange, intersection, sizeOf } from '../../iova/range.ts';
import { complement, intersect, type RangeSet, rangeSet, subtract } from '../../iova/range-set.ts';
import type { DomainDescription, ReservedRegion } from '../../session/events.ts';
import type { Type1Info } from '../../uapi/type1-info.ts';
import { MAPPING_LIMIT } from '../limits.ts';
import type { DomainView, Hazard, ModelSettings } from '../model.ts';
import { AddressSpace } from '../shared/address-space.ts';
import type { Area } from '../shared/area-store.ts';
import { driverOf } from '../shared/iommu-driver.ts';
import { type Backing, pinningOf } from '../shared/memory.ts';
import { areaObstacle, asRange, reservedObstacle } from '../shared/obstacles.ts';
import { type Decision, DONE, type Permissions } from '../shared/outcome.ts';
import {
  alignmentMask,
  isAlignedMap,
  isAlignedRange,
  isLowMemory,
  lengthOf,
  type PreparedMap,
  type PreparedUnmap,
  readRange,
  type WordRange,
  type Words,
} from '../shared/prepared.ts';
import { type Obstacle, type Requested, refuserIn } from '../shared/refusal.ts';
import { ReservedStore } from '../shared/reserved-store.ts';
import { type KernelRules, NEWEST_RULES } from '../version-changes.ts';
import { HAZARDS } from './hazards.ts';
import type { LockedMemory } from './locked-memory.ts';
import { type Removed, type Type1Mappings, type1Mappings } from './mappings.ts';
import { TYPE1_RULES } from './rules.ts';

export type Type1Version = 'type1' | 'type1v2';

/** Groups behind one kind of IOMMU that share page tables. */
interface Domain {
  readonly iommu: string;
  readonly aperture: IovaRange;
  readonly pgsizeBitmap: bigint;
  readonly enforcesCoherency: boolean;
  /** The regions of each group that block mappings. */
  readonly groups: Map<string, readonly ReservedRegion[]>;
}

/** Bytes of the largest dirty bitmap. Source: Linux 6.12, DIRTY_BITMAP_SIZE_MAX. */
const MAX_DIRTY_BITMAP = 0x1000_0000n;

const refusals = refuserIn(TYPE1_RULES);

/** The range of the operation that is being run. */
const RANGE: WordRange = { startHigh: 0, startLow: 0, lastHigh: 0, lastLow: 0 };

/** Flags of a map that some kernels know. */
const MAP_FLAGS: ReadonlySet<string> = new Set(['read', 'write', 'vaddr']);

/** A request to map memory, with the fields that the ioctl has. */
export interface Type1MapRequest extends Backing {
  readonly iova: Iova;
  readonly size: bigint;
  readonly vaddr: bigint;
  readonly flags: readonly string[];
}

/** True if no mapping may overlap the region. Source: Linux 6.12, vfio_iommu_resv_exclude. */
function isEnforced(region: ReservedRegion): boolean {
  return region.type !== 'direct-relaxable';
}

/** A container of either version. It has a backend as long as a group is attached. */
export class Type1Container extends AddressSpace {
  readonly version: Type1Version;
  readonly #rules: KernelRules;
  readonly #no: ReturnType<typeof refusals>;
  readonly #locked: LockedMemory;
  #mappings: Type1Mappings;
  /** Numbers of pages that do not count as locked memory. */
  readonly #uncounted = new Set<number>();
  /** In the order of creation. */
  #domains: Domain[] = [];
  #validRanges: RangeSet = [];
  /** What is outside of the valid ranges, and of which ranges that is; made when it is asked for. */
  #outside: { readonly of: RangeSet; readonly tree: IntervalTree } | undefined;
  #pageSizes = 0n;
  #alignment = 1n;
  /** The mask of the alignment. */
  #mask = 0;
  #nextPages = 1;
  #hazard: Hazard | undefined;
  #mappingsLeft = MAPPING_LIMIT;

  /** `locked`: the account of the process. */
  constructor(id: string, version: Type1Version, settings: ModelSettings, locked: LockedMemory) {
    super(id, settings);
    this.version = version;
    this.#rules = settings.rules ?? NEWEST_RULES;
    this.#no = refusals(this.#rules);
    this.#locked = locked;
    this.#mappings = type1Mappings(this.areaStore, this.#rules);
    this.#updatePageSizes();
  }

  /** A copy whose process has the account `locked`. */
  clone(locked: LockedMemory): Type1Container {
    const copy = new Type1Container(this.id, this.version, { ...this.sizes, rules: this.#rules }, locked);
    copy.copyStoresOf(this);
    copy.#mappings = this.#mappings.clone(copy.areaStore);
    for (const pages of this.#uncounted) copy.#uncounted.add(pages);
    copy.#domains = this.#domains.map((domain) => ({ ...domain, groups: new Map(domain.groups) }));
    copy.#validRanges = this.#validRanges;
    copy.#updatePageSizes();
    copy.#nextPages = this.#nextPages;
    copy.#mappingsLeft = this.#mappingsLeft;
    return copy;
  }

  // ---- the view --------------------------------------------------------------------------------------------------

  /** A container never chooses an address. */
  readonly allowed: readonly IovaRange[] = [];
  readonly accesses = [];
  readonly hugePages = true;

  get domains(): readonly DomainView[] {
    return this.#domains.map(({ iommu, aperture, pgsizeBitmap, enforcesCoherency, groups }) => ({
      iommu,
      aperture,
      pgsizeBitmap,
      devices: [],
      groups: [...groups.keys()],
      enforcesCoherency,
    }));
  }

  /** Ranges that can be mapped, by ascending start: a mapping must be inside one of them. */
  get validRanges(): readonly IovaRange[] {
    return this.#validRanges;
  }

  /** Mappings left until the limit is reached: the kernel's dma_avail. */
  get mappingsLeft(): number {
    return this.#mappingsLeft;
  }

  /**
   * The page sizes that all domains have, bit n set: 2^n bytes. Sizes below the processor's page count as one page.
   * Source: Linux 6.12, vfio_update_pgsize_bitmap.
   */
  get pageSizes(): bigint {
    return this.#pageSizes;
  }

  /** Works the page sizes out again, when a domain came or went. */
  #updatePageSizes(): void {
    const bitmap = this.#commonPageSizes();
    const { page } = this.sizes;
    const large = bitmap & -page;
    this.#pageSizes = large === bitmap ? bitmap : large | page;
    this.#alignment = lowestSetBit(this.#pageSizes);
    this.#mask = alignmentMask(this.#alignment);
  }

  /** True if an IOMMU with these page sizes (a bitmap) has one in common with all domains. */
  sharesPageSize(bitmap: bigint): boolean {
    return (this.#commonPageSizes() & bitmap) !== 0n;
  }

  #commonPageSizes(): bigint {
    let bitmap: bigint = IOVA_MAX;
    for (const { pgsizeBitmap } of this.#domains) bitmap &= pgsizeBitmap;
    return bitmap;
  }

  /** The smallest page size of the IOMMUs: every address and size must be a multiple of it. */
  get alignment(): bigint {
    return this.#alignment;
  }

  // ---- groups ----------------------------------------------------------------------------------------------------

  get hasGroups(): boolean {
    return this.#domains.length > 0;
  }

  groups(): string[] {
    return this.#domains.flatMap(({ groups }) => [...groups.keys()]);
  }

  /** True if every domain enforces cache coherency; false without a domain. */
  get enforcesCoherency(): boolean {
    return this.hasGroups && this.#domains.every((domain) => domain.enforcesCoherency);
  }

  /**
   * Attaches a group that is in no container. It joins a domain of the same kind of IOMMU with the same coherency, else
   * gets one of its own, into which all mappings go too. Source: Linux 6.12, vfio_iommu_type1_attach_group.
   */
  attach(group: string, description: DomainDescription, regions: readonly ReservedRegion[]): Decision<undefined> {
    const driver = driverOf(description);
    const direct = regions.find((region) => region.type === 'direct');
    if (direct && (driver === 'intel' || this.#rules.has('direct-region-refused'))) {
      const no = refusals(this.#rules, driver);
      return no('attach-direct-region', { obstacle: { kind: 'reserved', ...boundsOf(direct), owner: group } });
    }
    const { iommu, pgsize_bitmap: pgsizeBitmap } = description;
    const aperture = asRange(...description.aperture);
    const refused = this.#checkAperture(aperture);
    if (refused) return refused;
    const enforced = regions.filter(isEnforced);
    for (const region of enforced) {
      // An ordinary lookup: up to Linux 6.17 it misses what lookups miss.
      const mapped = this.#mappings.find(region.start, sizeOf(region));
      if (mapped)
        return this.#no('attach-region-over-mapping', { requested: requestOf(region), obstacle: areaObstacle(mapped) });
    }
    const reachable = this.hasGroups ? intersect(this.#validRanges, [aperture]) : [aperture];
    const ranges = subtract(reachable, rangeSet(enforced));
    if (ranges.length === 0) {
      const region = enforced.find((r) => reachable.some((range) => intersection(r, range)));
      const obstacle: Obstacle = region
        ? { kind: 'reserved', ...boundsOf(region), owner: group }
        : { kind: 'aperture', ...aperture, owner: iommu };
      return this.#no('attach-no-range-left', { requested: requestOf(aperture), obstacle });
    }
    const enforcesCoherency = description.enforce_cache_coherency === true;
    let domain = this.#domains.find((d) => d.iommu === iommu && d.enforcesCoherency === enforcesCoherency);
    if (!domain) {
      domain = { iommu, aperture, pgsizeBitmap, enforcesCoherency, groups: new Map() };
      this.#domains.push(domain);
      this.#updatePageSizes();
    }
    domain.groups.set(group, enforced);
    this.#validRanges = ranges;
    this.#listReserved();
    return DONE;
  }

  /** Source: Linux 6.12, vfio_iommu_aper_conflict. */
  #checkAperture(aperture: IovaRange) {
    if (!this.hasGroups) return undefined;
    const first = this.#validRanges[0];
    const last = this.#validRanges.at(-1);
    const requested = requestOf(aperture);
    if (first && last && (aperture.start > last.last || aperture.last < first.start)) {
      const obstacle: Obstacle = { kind: 'aperture', start: first.start, last: last.last };
      return this.#no('attach-aperture-disjoint', { requested, obstacle });
    }
    for (const { start, last: end } of complement([aperture])) {
      const mapped = this.areaStore.firstOverlapping(start, end);
      if (mapped) return this.#no('attach-aperture-over-mapping', { requested, obstacle: areaObstacle(mapped) });
    }
    return undefined;
  }

  /**
   * Detaches a group that is attached here. Detaching the last one removes all mappings, ranges and domains.
   * Source: Linux 6.12, vfio_iommu_type1_detach_group and vfio_iommu_resv_refresh.
   */
  detach(group: string): void {
    for (const domain of this.#domains) domain.groups.delete(group);
    this.#domains = this.#domains.filter(({ groups }) => groups.size > 0);
    this.#updatePageSizes();
    if (!this.hasGroups) {
      this.#unlockAll();
      this.#mappings.clear();
      this.#uncounted.clear();
      this.#mappingsLeft = MAPPING_LIMIT;
      this.#validRanges = [];
    } else {
      const regions = this.#domains.flatMap(({ groups }) => [...groups.values()].flat());
      let reachable: RangeSet = [asRange(0n, IOVA_MAX)];
      for (const { aperture } of this.#domains) reachable = intersect(reachable, [aperture]);
      this.#validRanges = subtract(reachable, rangeSet(regions));
    }
    this.#listReserved();
  }

  /** Rebuilds the reservations from the groups and the apertures, with their owners. */
  #listReserved(): void {
    this.reservedStore = new ReservedStore();
    for (const { iommu, aperture, groups } of this.#domains) {
      for (const outside of complement([aperture])) {
        this.reservedStore.add({ ...outside, type: 'aperture', owner: { kind: 'domain', name: iommu } });
      }
      for (const [name, regions] of groups) {
        for (const { start, last, type } of regions) {
          this.reservedStore.add({ start, last, type, owner: { kind: 'group', name } });
        }
      }
    }
  }

  // ---- mappings --------------------------------------------------------------------------------------------------

  /** Maps size bytes from vaddr at iova. Memory is pinned last. Source: Linux 6.12, vfio_dma_do_map. */
  map(request: Type1MapRequest, permissions: Permissions, origin: number): Decision<undefined> {
    const { iova, size, vaddr, flags } = request;
    const requested: Requested = { start: iova, length: size };
    if (!this.hasGroups) return this.#no('no-backend', { requested });
    const setsVaddr = flags.includes('vaddr');
    if (flags.some((flag) => !MAP_FLAGS.has(flag)) || (setsVaddr && !this.#rules.has('type1-update-vaddr'))) {
      return this.#no('map-unknown-flag', { requested });
    }
    const last = iova + size - 1n;
    if (this.#rules.has('type1-overflow')) {
      if (size === 0n) return this.#no('map-size-zero', { requested });
      const refused = this.#checkWraps(request, requested);
      if (refused) return refused;
    }
    const hasPermission = permissions.read || permissions.write;
    if (setsVaddr && hasPermission) return this.#no('map-vaddr-with-permission', { requested });
    if (!setsVaddr && !hasPermission) return this.#no('map-no-permission', { requested });
    const page = this.alignment;
    const mask = page - 1n;
    const unaligned = { requested, obstacle: { kind: 'alignment', value: page } } as const;
    if (size === 0n) return this.#no('map-size-zero', { requested });
    if ((size & mask) !== 0n) return this.#no('map-size-unaligned', unaligned);
    if ((iova & mask) !== 0n) return this.#no('map-iova-unaligned', unaligned);
    if ((vaddr & mask) !== 0n) return this.#no('map-memory-unaligned', unaligned);
    const wraps = this.#checkWraps(request, requested);
    if (wraps) return wraps;
    const mapped = this.#mappings.find(iova, size);
    if (setsVaddr) {
      if (!mapped) return this.#no('map-vaddr-nothing', { requested });
      return this.#no('map-vaddr-valid', { requested, obstacle: areaObstacle(mapped) });
    }
    if (mapped) return this.#no('map-over-mapping', { requested, obstacle: areaObstacle(mapped) });
    if (this.#mappingsLeft === 0) {
      return this.#no('map-none-left', { requested, obstacle: { kind: 'limit', value: BigInt(MAPPING_LIMIT) } });
    }
    const wanted = asRange(iova, last);
    if (!this.#validRanges.some((range) => containsRange(range, wanted))) {
      const reserved = this.reservedStore.firstOverlapping(iova, last);
      return this.#no('map-outside-valid-ranges', {
        requested,
        ...(reserved ? { obstacle: reservedObstacle(reserved) } : {}),
      });
    }
    const pages = this.#nextPages++;
    const mapping = { userVa: vaddr, pages, pagesWritable: permissions.write, ...permissions, origin };
    const locked = this.#locked.lock(size, pinningOf(request, permissions.write, 'type1', this.#rules));
    if ('refused' in locked) {
      this.#mappings.addAndRemove(iova, last, mapping);
      return this.#no(locked.refused, { requested, ...this.#limitOf(locked.refused) });
    }
    if (locked.counted === 0n) this.#uncounted.add(pages);
    this.#mappings.add(iova, last, mapping);
    this.#mappingsLeft--;
    return DONE;
  }

  /**
   * Maps by the numbers of a map that was prepared, if nothing can be against it. False: nothing was changed, and `map`
   * decides.
   */
  mapPrepared(map: PreparedMap, words: Words, origin: number): boolean {
    if (!this.hasGroups || this.#mappingsLeft === 0 || !readRange(map, words, RANGE)) return false;
    if (this.#mask < 0 || !isLowMemory(map, words) || !isAlignedMap(map, words, this.#mask)) return false;
    if (!this.#isValid(RANGE)) return false;
    const length = lengthOf(map, words);
    if (!this.#locked.change(length)) return false;
    if (!this.#mappings.addPrepared(map, words, RANGE, this.#nextPages, origin)) {
      this.#locked.change(-length);
      return false;
    }
    this.#nextPages++;
    this.#mappingsLeft--;
    return true;
  }

  /** True if the range is inside of one valid range. */
  #isValid({ startHigh, startLow, lastHigh, lastLow }: WordRange): boolean {
    const ranges = this.#validRanges;
    if (this.#outside?.of !== ranges) this.#outside = { of: ranges, tree: treeOf(complement(ranges)) };
    return !this.#outside.tree.overlapsAnyWords(startHigh, startLow, lastHigh, lastLow);
  }

  /** Unmaps a range that is exactly one mapping, if nothing else has to happen. False: nothing was changed. */
  unmapPrepared(unmap: PreparedUnmap, words: Words): boolean {
    if (!this.hasGroups || this.#uncounted.size > 0 || !readRange(unmap, words, RANGE)) return false;
    if (this.#mask < 0 || !isAlignedRange(unmap, words, this.#mask)) return false;
    const length = lengthOf(unmap, words);
    if (!this.#locked.change(-length)) return false;
    if (!this.#mappings.removeExactly(RANGE)) {
      this.#locked.change(length);
      return false;
    }
    this.#mappingsLeft++;
    return true;
  }

  #checkWraps({ iova, size, vaddr }: Type1MapRequest, requested: Requested) {
    if (iova + size - 1n > IOVA_MAX) return this.#no('map-iova-wraps', { requested });
    if (vaddr + size - 1n > IOVA_MAX) return this.#no('map-memory-wraps', { requested });
    return undefined;
  }

  #limitOf(rule: string): { readonly obstacle?: Obstacle } {
    const { limit } = this.#locked;
    return rule === 'memory-limit' && limit !== undefined ? { obstacle: { kind: 'limit', value: limit } } : {};
  }

  /** Unmaps whole mappings; returns their bytes. Source: Linux 6.12, vfio_dma_do_unmap. */
  unmap(iova: Iova, size: bigint, flags: readonly string[]): Decision<bigint> {
    const requested: Requested = { start: iova, length: size };
    if (!this.hasGroups) return this.#no('no-backend', { requested });
    const all = flags.includes('all');
    if (flags.some((flag) => flag !== 'all') || (all && !this.#rules.has('type1-unmap-all'))) {
      return this.#no('unmap-unknown-flag', { requested });
    }
    const page = this.alignment;
    const mask = page - 1n;
    const unaligned = { requested, obstacle: { kind: 'alignment', value: page } } as const;
    if ((iova & mask) !== 0n) return this.#no('unmap-iova-unaligned', unaligned);
    if (all) {
      if (iova !== 0n || size !== 0n) return this.#no('unmap-all-with-range', { requested });
      return this.#removed(this.#mappings.removeAll(this.#unlockUnmapped));
    }
    if (size === 0n) return this.#no('unmap-size-zero', { requested });
    if ((size & mask) !== 0n) return this.#no('unmap-size-unaligned', unaligned);
    if (iova + size - 1n > IOVA_MAX) return this.#no('unmap-wraps', { requested });
    if (this.version === 'type1v2') {
      const cut = this.#mappings.cutBy(iova, size);
      if (cut) return this.#no('unmap-cuts-mapping', { requested, obstacle: areaObstacle(cut) });
    }
    return this.#removed(this.#mappings.remove(iova, size, this.version === 'type1', this.#unlockUnmapped));
  }

  #removed({ count, bytes }: Removed): Decision<bigint> {
    this.#mappingsLeft += count;
    return { ok: true, value: bytes };
  }

  /** Older kernels do not unpin a mapping that ends at 2^64−1: its pages stay locked as long as the process lives. */
  readonly #unlock = ({ start, last, pages }: Area): void => {
    if (this.#uncounted.delete(pages)) return;
    if (last === IOVA_MAX && !this.#rules.has('type1-top')) this.#hazard ??= HAZARDS['pages-stay-pinned'];
    else this.#locked.unlock(last - start + 1n);
  };

  /** The same for an unmap, after the mapping was removed. */
  readonly #unlockUnmapped = (area: Area): void => {
    const top = this.#rules.has('type1-top') ? undefined : this.areaStore.firstOverlapping(IOVA_MAX, IOVA_MAX);
    if (top && top.start <= area.last && area.last !== IOVA_MAX) this.#hazard = HAZARDS['unmap-never-returns'];
    this.#unlock(area);
  };

  /** Unlocks the pages of every mapping, as when the last group leaves. */
  #unlockAll(): void {
    if (this.#locked.limit !== undefined) {
      for (const area of this.areaStore.overlapping()) this.#unlock(area);
    } else if (!this.#rules.has('type1-top') && this.areaStore.firstOverlapping(IOVA_MAX, IOVA_MAX)) {
      this.#hazard = HAZARDS['pages-stay-pinned'];
    }
  }

  /** What a bug of the kernel did in the last operation, if anything; taken once. */
  takeHazard(): Hazard | undefined {
    const hazard = this.#hazard;
    this.#hazard = undefined;
    return hazard;
  }

  // ---- information ----------------------------------------------------------------------------------------------------

  /** What VFIO_IOMMU_GET_INFO reports. Source: Linux 6.12, vfio_iommu_type1_get_info. */
  info(): Decision<Type1Info> {
    if (!this.hasGroups) return this.#no('no-backend');
    const ranges = this.#validRanges;
    return {
      ok: true,
      value: {
        pageSizes: this.pageSizes,
        capabilities: [
          { kind: 'migration', flags: 0, pageSizes: this.alignment, maxBitmapSize: MAX_DIRTY_BITMAP },
          { kind: 'dma-avail', avail: this.#mappingsLeft },
          ...(ranges.length > 0 ? [{ kind: 'iova-range', ranges } as const] : []),
        ],
      },
    };
  }
}

function treeOf(ranges: RangeSet): IntervalTree {
  return IntervalTree.fromSorted(
    BigUint64Array.from(ranges, ({ start }) => start),
    BigUint64Array.from(ranges, ({ last }) => last),
  );
}

function boundsOf({ start, last, type }: ReservedRegion) {
  return { start, last, type };
}

function requestOf({ start, last }: IovaRange): Requested {
  return { start, length: last - start + 1n };
}
