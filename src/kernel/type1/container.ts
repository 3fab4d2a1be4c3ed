// One VFIO container with a type1 backend of Linux 6.12. Methods check in the kernel's order; a refusal changes nothing.
import { IOVA_MAX, type Iova, lowestSetBit } from '../../iova/iova.ts';
import { containsRange, type IovaRange, intersection } from '../../iova/range.ts';
import { complement, intersect, type RangeSet, rangeSet, subtract } from '../../iova/range-set.ts';
import type { DomainDescription, ReservedRegion } from '../../session/events.ts';
import type { Type1Info } from '../../uapi/type1-info.ts';
import { MAPPING_LIMIT } from '../limits.ts';
import type { DomainView, PageSizes } from '../model.ts';
import { AddressSpace } from '../shared/address-space.ts';
import { areaObstacle, asRange, reservedObstacle } from '../shared/obstacles.ts';
import { type Decision, DONE, type Permissions } from '../shared/outcome.ts';
import { type Obstacle, type Requested, refuser } from '../shared/refusal.ts';
import { ReservedStore } from '../shared/reserved-store.ts';
import { Type1Mappings } from './mappings.ts';
import { TYPE1_RULES, type Type1Rule } from './rules.ts';

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

const no = refuser<Type1Rule>(TYPE1_RULES);

/** True if no mapping may overlap the region. Source: Linux 6.12, vfio_iommu_resv_exclude. */
function isEnforced(region: ReservedRegion): boolean {
  return region.type !== 'direct-relaxable';
}

/** A container of either version. It has a backend as long as a group is attached. */
export class Type1Container extends AddressSpace {
  readonly version: Type1Version;
  #mappings = new Type1Mappings(this.areaStore);
  /** In the order of creation. */
  #domains: Domain[] = [];
  #validRanges: RangeSet = [];
  #nextPages = 1;
  #mappingsLeft = MAPPING_LIMIT;

  constructor(id: string, version: Type1Version, sizes: PageSizes) {
    super(id, sizes);
    this.version = version;
  }

  clone(): Type1Container {
    const copy = new Type1Container(this.id, this.version, this.sizes);
    copy.copyStoresOf(this);
    copy.#mappings = new Type1Mappings(copy.areaStore);
    copy.#domains = this.#domains.map((domain) => ({ ...domain, groups: new Map(domain.groups) }));
    copy.#validRanges = this.#validRanges;
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
    const bitmap = this.#commonPageSizes();
    const { page } = this.sizes;
    const large = bitmap & -page;
    return large === bitmap ? bitmap : large | page;
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
    return lowestSetBit(this.pageSizes);
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
    const direct = regions.find((region) => region.type === 'direct');
    if (direct)
      return no('attach-direct-region', { obstacle: { kind: 'reserved', ...boundsOf(direct), owner: group } });
    const { iommu, pgsize_bitmap: pgsizeBitmap } = description;
    const aperture = asRange(...description.aperture);
    const refused = this.#checkAperture(aperture);
    if (refused) return refused;
    const enforced = regions.filter(isEnforced);
    for (const region of enforced) {
      const mapped = this.areaStore.firstOverlapping(region.start, region.last);
      if (mapped)
        return no('attach-region-over-mapping', { requested: requestOf(region), obstacle: areaObstacle(mapped) });
    }
    const reachable = this.hasGroups ? intersect(this.#validRanges, [aperture]) : [aperture];
    const ranges = subtract(reachable, rangeSet(enforced));
    if (ranges.length === 0) {
      const region = enforced.find((r) => reachable.some((range) => intersection(r, range)));
      const obstacle: Obstacle = region
        ? { kind: 'reserved', ...boundsOf(region), owner: group }
        : { kind: 'aperture', ...aperture, owner: iommu };
      return no('attach-no-range-left', { requested: requestOf(aperture), obstacle });
    }
    const enforcesCoherency = description.enforce_cache_coherency === true;
    let domain = this.#domains.find((d) => d.iommu === iommu && d.enforcesCoherency === enforcesCoherency);
    if (!domain) {
      domain = { iommu, aperture, pgsizeBitmap, enforcesCoherency, groups: new Map() };
      this.#domains.push(domain);
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
      return no('attach-aperture-disjoint', { requested, obstacle });
    }
    for (const { start, last: end } of complement([aperture])) {
      const mapped = this.areaStore.firstOverlapping(start, end);
      if (mapped) return no('attach-aperture-over-mapping', { requested, obstacle: areaObstacle(mapped) });
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
    if (!this.hasGroups) {
      this.areaStore.clear();
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

  /** Maps size bytes from vaddr at iova. Source: Linux 6.12, vfio_dma_do_map. */
  map(
    request: { readonly iova: Iova; readonly size: bigint; readonly vaddr: bigint },
    permissions: Permissions,
    origin: number,
  ): Decision<undefined> {
    const { iova, size, vaddr } = request;
    const requested: Requested = { start: iova, length: size };
    if (!this.hasGroups) return no('no-backend', { requested });
    if (!permissions.read && !permissions.write) return no('map-no-permission', { requested });
    const page = this.alignment;
    const mask = page - 1n;
    const unaligned = { requested, obstacle: { kind: 'alignment', value: page } } as const;
    if (size === 0n) return no('map-size-zero', { requested });
    if ((size & mask) !== 0n) return no('map-size-unaligned', unaligned);
    if ((iova & mask) !== 0n) return no('map-iova-unaligned', unaligned);
    if ((vaddr & mask) !== 0n) return no('map-memory-unaligned', unaligned);
    const last = iova + size - 1n;
    if (last > IOVA_MAX) return no('map-iova-wraps', { requested });
    if (vaddr + size - 1n > IOVA_MAX) return no('map-memory-wraps', { requested });
    const mapped = this.#mappings.find(iova, size);
    if (mapped) return no('map-over-mapping', { requested, obstacle: areaObstacle(mapped) });
    if (this.#mappingsLeft === 0) {
      return no('map-none-left', { requested, obstacle: { kind: 'limit', value: BigInt(MAPPING_LIMIT) } });
    }
    const wanted = asRange(iova, last);
    if (!this.#validRanges.some((range) => containsRange(range, wanted))) {
      const reserved = this.reservedStore.firstOverlapping(iova, last);
      return no('map-outside-valid-ranges', {
        requested,
        ...(reserved ? { obstacle: reservedObstacle(reserved) } : {}),
      });
    }
    const pages = this.#nextPages++;
    this.areaStore.add(iova, last, { userVa: vaddr, pages, pagesWritable: permissions.write, ...permissions, origin });
    this.#mappingsLeft--;
    return DONE;
  }

  /** Unmaps whole mappings; returns their bytes. Source: Linux 6.12, vfio_dma_do_unmap. */
  unmap(iova: Iova, size: bigint, all: boolean): Decision<bigint> {
    const requested: Requested = { start: iova, length: size };
    if (!this.hasGroups) return no('no-backend', { requested });
    const page = this.alignment;
    const mask = page - 1n;
    const unaligned = { requested, obstacle: { kind: 'alignment', value: page } } as const;
    if ((iova & mask) !== 0n) return no('unmap-iova-unaligned', unaligned);
    if (all) {
      if (iova !== 0n || size !== 0n) return no('unmap-all-with-range', { requested });
      return { ok: true, value: this.#remove(0n, IOVA_MAX, false) };
    }
    if (size === 0n) return no('unmap-size-zero', { requested });
    if ((size & mask) !== 0n) return no('unmap-size-unaligned', unaligned);
    if (iova + size - 1n > IOVA_MAX) return no('unmap-wraps', { requested });
    if (this.version === 'type1v2') {
      const cut = this.#mappings.cutBy(iova, size);
      if (cut) return no('unmap-cuts-mapping', { requested, obstacle: areaObstacle(cut) });
    }
    return { ok: true, value: this.#remove(iova, size, this.version === 'type1') };
  }

  #remove(iova: bigint, size: bigint, stopsAtCut: boolean): bigint {
    const taken = this.#mappings.removedBy(iova, size, stopsAtCut);
    this.#mappingsLeft += taken.length;
    return this.#mappings.remove(taken);
  }

  // ---- information ----------------------------------------------------------------------------------------------------

  /** What VFIO_IOMMU_GET_INFO reports. Source: Linux 6.12, vfio_iommu_type1_get_info. */
  info(): Decision<Type1Info> {
    if (!this.hasGroups) return no('no-backend');
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

function boundsOf({ start, last, type }: ReservedRegion) {
  return { start, last, type };
}

function requestOf({ start, last }: IovaRange): Requested {
  return { start, length: last - start + 1n };
}
