// The I/O page table of one IOAS as first posted on 2022-03-18, with its bugs. Methods check in that version's order.
import { IOVA_MAX, type Iova, lowestSetBit } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import { complement } from '../../iova/range-set.ts';
import type { DomainDescription, ReservedRegion } from '../../session/events.ts';
import type { AccessView, DomainView } from '../model.ts';
import { AddressSpace } from '../shared/address-space.ts';
import type { Area } from '../shared/area-store.ts';
import type { CopyRequest, IoasSpace, MapRequest } from '../shared/ioas-model.ts';
import { areaObstacle, asRange, holeObstacle, requestedBy, reservedObstacle } from '../shared/obstacles.ts';
import { type Decision, DONE, type Permissions } from '../shared/outcome.ts';
import { type Obstacle, type Requested, refuser } from '../shared/refusal.ts';
import { chooseIovaRfc } from './choose-iova.ts';
import { IOMMUFD_RFC_RULES, type IommufdRfcRule } from './rules.ts';

/** Memory that one area maps. */
interface RfcPages {
  /** Address of the first byte in the user's memory. */
  readonly userVa: bigint;
  /** Number of the shared pages. */
  readonly pages: number;
  /** True if they were first mapped with write permission. */
  readonly writable: boolean;
}

/** A device with the domain that its attach created, and the reservations of both. */
interface Attachment {
  readonly iommu: string;
  readonly aperture: IovaRange;
  readonly pgsizeBitmap: bigint;
  /** Handles in the store of reservations. */
  readonly reservations: readonly number[];
}

const no = refuser<IommufdRfcRule>(IOMMUFD_RFC_RULES);

/** One IOAS: what is mapped and reserved in it, and who uses it. */
export class RfcIoas extends AddressSpace implements IoasSpace<RfcIoas> {
  readonly allowed: readonly IovaRange[] = [];
  readonly hugePages = true;
  readonly #attachments = new Map<string, Attachment>();
  readonly #accesses = new Map<string, Map<string, IovaRange>>();
  /** By handle of an area: how many accesses continue past it, if not 0. May be negative: a bug of that version. */
  readonly #users = new Map<number, number>();
  /** Handles of areas that lost their pages in an unmap that could not remove them. They are never removed. */
  readonly #withoutPages = new Set<number>();
  #alignment = 1n;

  clone(): RfcIoas {
    const copy = new RfcIoas(this.id, this.sizes);
    copy.copyStoresOf(this);
    for (const [device, attachment] of this.#attachments) copy.#attachments.set(device, attachment);
    for (const [access, pins] of this.#accesses) copy.#accesses.set(access, new Map(pins));
    for (const [handle, users] of this.#users) copy.#users.set(handle, users);
    for (const handle of this.#withoutPages) copy.#withoutPages.add(handle);
    copy.#alignment = this.#alignment;
    return copy;
  }

  get domains(): readonly DomainView[] {
    return [...this.#attachments].map(([device, { iommu, aperture, pgsizeBitmap }]) => ({
      iommu,
      aperture,
      pgsizeBitmap,
      devices: [device],
    }));
  }

  get accesses(): readonly AccessView[] {
    return [...this.#accesses].map(([name, pins]) => ({
      name,
      pins: [...pins].map(([pin, r]) => ({ name: pin, ...r })),
    }));
  }

  get alignment(): bigint {
    return this.#alignment;
  }

  // ---- mapping ---------------------------------------------------------------------------------------------------

  /** Source: iopt_map_user_pages. */
  map({ userVa, length, iova, fixed, permissions, pages, origin }: MapRequest): Decision<Iova> {
    const wanted = fixed ? iova : undefined;
    const longest = IOVA_MAX - this.sizes.page;
    if (length === 0n || length > longest) {
      const obstacle = { kind: 'limit', value: longest } as const;
      return no('rfc-map-length', { requested: requestedBy(wanted, length), obstacle });
    }
    return this.#mapPages({ userVa, pages, writable: permissions.write }, length, wanted, permissions, origin);
  }

  copyFrom(source: RfcIoas, { sourceIova, length, iova, fixed, permissions, origin }: CopyRequest): Decision<Iova> {
    const pages = source.#pagesOf(sourceIova, length);
    if (!pages.ok) return pages;
    return this.#mapPages(pages.value, length, fixed ? iova : undefined, permissions, origin);
  }

  /** Maps pages at `wanted`, or where the kernel chooses. Source: iopt_map_pages, iopt_alloc_area. */
  #mapPages(
    { userVa, pages, writable }: RfcPages,
    length: bigint,
    wanted: Iova | undefined,
    permissions: Permissions,
    origin: number,
  ): Decision<Iova> {
    const requested = requestedBy(wanted, length);
    if (permissions.write && !writable) {
      return no('rfc-map-pages-read-only', { requested, obstacle: { kind: 'permission' } });
    }
    const place =
      wanted === undefined ? this.#choose(userVa, length, requested) : this.#checkFixed(wanted, length, requested);
    if (!place.ok) return place;
    const mapping = { userVa, pages, pagesWritable: writable, ...permissions, origin };
    this.areaStore.add(place.value, place.value + length - 1n, mapping);
    return place;
  }

  #choose(userVa: bigint, length: bigint, requested: Requested): Decision<Iova> {
    const room = { areas: this.areaStore.tree, reserved: this.reservedStore.tree, alignment: this.#alignment };
    const choice = chooseIovaRfc(room, userVa, length, this.sizes.page);
    if (choice.ok) return { ok: true, value: choice.iova };
    switch (choice.why) {
      case 'length-too-large':
        return no('rfc-choose-length-too-large', { requested, obstacle: { kind: 'limit', value: IOVA_MAX / 2n } });
      case 'alignment-too-small':
        return no('rfc-choose-alignment-too-small', { requested, obstacle: this.#alignmentObstacle });
      case 'no-space':
        return no('rfc-choose-no-space', { requested, obstacle: { kind: 'hole', value: choice.alignment } });
    }
  }

  get #alignmentObstacle(): Obstacle {
    return { kind: 'alignment', value: this.#alignment };
  }

  #checkFixed(iova: Iova, length: bigint, requested: Requested): Decision<Iova> {
    const last = iova + length - 1n;
    if (last > IOVA_MAX) return no('rfc-map-wraps', { requested });
    if (((iova | length) & (this.#alignment - 1n)) !== 0n) {
      return no('rfc-map-unaligned', { requested, obstacle: this.#alignmentObstacle });
    }
    const reserved = this.reservedStore.firstOverlapping(iova, last);
    if (reserved) return no('rfc-map-over-reserved', { requested, obstacle: reservedObstacle(reserved) });
    const area = this.areaStore.firstOverlapping(iova, last);
    if (area) return no('rfc-map-over-area', { requested, obstacle: areaObstacle(area) });
    return { ok: true, value: iova };
  }

  /** The memory of the area that is exactly start … start + length − 1. Source: iopt_get_pages. */
  #pagesOf(start: Iova, length: bigint): Decision<RfcPages> {
    const requested = requestedBy(start, length);
    // Length 0 means 2^64 here: length − 1 is computed modulo 2^64.
    const last = start + BigInt.asUintN(64, length - 1n);
    if (last > IOVA_MAX) return no('rfc-copy-source-wraps', { requested });
    const { area, obstacle } = this.#exactly(start, last);
    if (!area) return no('rfc-copy-source-not-one-area', { requested, obstacle });
    return { ok: true, value: { userVa: area.userVa, pages: area.pages, writable: area.pagesWritable } };
  }

  /** Checks only the first area of the range, like that version. Source: iopt_find_exact_area. */
  #exactly(start: bigint, last: bigint): { readonly area?: Area; readonly obstacle: Obstacle } {
    const area = this.areaStore.firstOverlapping(start, last);
    if (!area) return { obstacle: holeObstacle(start, last) };
    const obstacle = areaObstacle(area);
    const exact = area.start === start && area.last === last && !this.#withoutPages.has(area.handle);
    return exact ? { area, obstacle } : { obstacle };
  }

  /** Unmaps one area, or everything. Source: iopt_unmap_iova. */
  unmap(start: Iova, length: bigint): Decision<undefined> {
    if (start === 0n && length === IOVA_MAX) return this.#unmapAll();
    const requested = requestedBy(start, length);
    if (length === 0n) return no('rfc-unmap-length-zero', { requested });
    const last = start + length - 1n;
    if (last > IOVA_MAX) return no('rfc-unmap-wraps', { requested });
    const { area, obstacle } = this.#exactly(start, last);
    if (!area) return no('rfc-unmap-not-one-area', { requested, obstacle });
    return this.#remove(area) ? DONE : no('rfc-unmap-in-use', { requested, obstacle });
  }

  /** Unmaps area after area, up to one that cannot be removed. Source: iopt_unmap_all. */
  #unmapAll(): Decision<undefined> {
    let unmapped = 0n;
    for (;;) {
      const area = this.areaStore.firstOverlapping(0n, IOVA_MAX);
      if (!area) return DONE;
      const details = { obstacle: areaObstacle(area), ...(unmapped > 0n ? { unmapped } : {}) };
      if (this.#withoutPages.has(area.handle)) return no('rfc-unmap-all-in-use', details);
      if (!this.#remove(area)) return no('rfc-unmap-in-use', details);
      unmapped += area.last - area.start + 1n;
    }
  }

  /** False if accesses still use the area: it remains, without its pages. Source: __iopt_unmap_iova. */
  #remove(area: Area): boolean {
    if (this.#users.has(area.handle)) {
      this.#withoutPages.add(area.handle);
      return false;
    }
    this.areaStore.remove({ start: area.start, last: area.last, value: area.handle });
    return true;
  }

  // ---- reserving -------------------------------------------------------------------------------------------------

  /** Reserves a range without an owner. Source: iopt_reserve_iova; its caller checks the arguments. */
  reserve(start: Iova, length: bigint): Decision<undefined> {
    const requested = requestedBy(start, length);
    if (length === 0n) return no('rfc-reserve-length-zero', { requested });
    const last = start + length - 1n;
    if (last > IOVA_MAX) return no('rfc-reserve-wraps', { requested });
    const area = this.areaStore.firstOverlapping(start, last);
    if (area) return no('rfc-reserve-over-area', { requested, obstacle: areaObstacle(area) });
    this.reservedStore.add({ ...asRange(start, last), type: 'manual', owner: undefined });
    return DONE;
  }

  #checkReserve(r: IovaRange, rule: IommufdRfcRule) {
    const area = this.areaStore.firstOverlapping(r.start, r.last);
    if (!area) return undefined;
    return no(rule, { requested: { start: r.start, length: r.last - r.start + 1n }, obstacle: areaObstacle(area) });
  }

  // ---- devices ---------------------------------------------------------------------------------------------------

  /**
   * Attaches a device that is not attached, with a group and a domain of its own: first the group's regions are
   * reserved, then the domain is added. Returns the start of the software MSI window: the last region of type `sw-msi`
   * in the list, unless there is a real `msi` region, or it starts at 0.
   * Source: iopt_table_enforce_group_resv_regions, iopt_table_add_domain.
   */
  attach(device: string, domain: DomainDescription, regions: readonly ReservedRegion[]): Decision<Iova | undefined> {
    const enforced = regions.filter((region) => region.type !== 'direct-relaxable');
    for (const region of enforced) {
      const refused = this.#checkReserve(region, 'rfc-attach-region-over-area');
      if (refused) return refused;
    }
    const smallest = lowestSetBit(domain.pgsize_bitmap);
    const alignment = smallest > this.#alignment ? smallest : this.#alignment;
    if (alignment > this.sizes.page) {
      return no('rfc-attach-page-size-too-large', { obstacle: { kind: 'alignment', value: smallest } });
    }
    if (alignment !== this.#alignment) {
      const area = this.areaStore.firstUnaligned(alignment, false);
      if (area) return no('rfc-attach-area-unaligned', { obstacle: areaObstacle(area) });
    }
    const aperture = asRange(...domain.aperture);
    const outside = complement([aperture]);
    for (const r of outside) {
      const refused = this.#checkReserve(r, 'rfc-attach-aperture-over-area');
      if (refused) return refused;
    }

    const reservations: number[] = [];
    for (const { start, last, type } of enforced) {
      reservations.push(this.reservedStore.add({ start, last, type, owner: { kind: 'device', name: device } }));
    }
    for (const r of outside) {
      const owner = { kind: 'domain', name: domain.iommu } as const;
      reservations.push(this.reservedStore.add({ ...r, type: 'aperture', owner }));
    }
    this.#attachments.set(device, { iommu: domain.iommu, aperture, pgsizeBitmap: domain.pgsize_bitmap, reservations });
    this.#alignment = alignment;
    const window = enforced.some(({ type }) => type === 'msi')
      ? undefined
      : enforced.findLast(({ type }) => type === 'sw-msi')?.start;
    return { ok: true, value: window === 0n ? undefined : window };
  }

  /**
   * Detaches a device. The alignment is recomputed from the page sizes of the domain that leaves, if another one remains,
   * and never rises: a bug of that version. Source: iopt_table_remove_domain.
   */
  detach(device: string): void {
    const leaving = this.#attachments.get(device);
    if (!leaving) return;
    this.#attachments.delete(device);
    for (const handle of leaving.reservations) this.reservedStore.remove(handle);
    const alignment = this.#attachments.size > 0 ? lowestSetBit(leaving.pgsizeBitmap) : 1n;
    if (alignment < this.#alignment) this.#alignment = alignment;
  }

  /** Refuses if a device or an access uses the IOAS. */
  checkDestroy(): Decision<undefined> {
    for (const owner of this.#attachments.keys()) {
      return no('rfc-ioas-has-domain', { obstacle: { kind: 'device', owner } });
    }
    for (const owner of this.#accesses.keys())
      return no('rfc-ioas-has-access', { obstacle: { kind: 'access', owner } });
    return DONE;
  }

  // ---- accesses --------------------------------------------------------------------------------------------------

  createAccess(name: string): Decision<undefined> {
    this.#accesses.set(name, new Map());
    return DONE;
  }

  /** Releases the pins of the access. */
  destroyAccess(name: string): void {
    for (const pin of this.#accesses.get(name)?.values() ?? []) this.#unaccess(pin.start, pin.last);
    this.#accesses.delete(name);
  }

  hasPin(access: string, pin: string): 'held' | undefined {
    return this.#accesses.get(access)?.has(pin) ? 'held' : undefined;
  }

  /**
   * Pins start … start + length − 1 for an access that exists. This version does not notice gaps before, between or after
   * areas, refuses to start inside an area, and does not check read permission. Source: iopt_access_pages.
   */
  pin(access: string, pin: string, start: Iova, length: bigint, write: boolean): Decision<undefined> {
    const requested = requestedBy(start, length);
    if (length === 0n) return no('rfc-pin-length-zero', { requested });
    const last = start + length - 1n;
    if (last > IOVA_MAX) return no('rfc-pin-wraps', { requested });
    let next: bigint = start;
    for (const area of this.areaStore.overlapping(start, last)) {
      const rule = this.#accessRefusal(area, next, last, write);
      if (rule) {
        if (next !== start) this.#unaccess(start, next - 1n);
        return no(rule, { requested, obstacle: areaObstacle(area) });
      }
      if (area.last >= last) break;
      next = area.last + 1n;
      this.#countUser(area.handle, 1);
    }
    this.#accesses.get(access)?.set(pin, asRange(start, last));
    return DONE;
  }

  #accessRefusal(area: Area, next: bigint, last: bigint, write: boolean): IommufdRfcRule | undefined {
    if (area.start < next) return 'rfc-pin-starts-inside-area';
    if (this.#withoutPages.has(area.handle)) return 'rfc-pin-area-without-pages';
    if (write && !area.pagesWritable) return 'rfc-pin-write-denied';
    if (area.last < last && next % this.sizes.page !== 0n) return 'rfc-pin-crosses-inside-page';
    return undefined;
  }

  /** Always succeeds for a pin that is held. */
  unpin(access: string, pin: string): Decision<undefined> {
    const pins = this.#accesses.get(access);
    const held = pins?.get(pin);
    if (pins && held) {
      this.#unaccess(held.start, held.last);
      pins.delete(pin);
    }
    return DONE;
  }

  /**
   * Removes one user from each area of the range, except the last one. After an access that failed half way this omits
   * the area before the failure, which then can never be unmapped: a bug. Source: iopt_unaccess_pages.
   */
  #unaccess(start: bigint, last: bigint): void {
    for (const area of this.areaStore.overlapping(start, last)) {
      if (area.last >= last) return;
      this.#countUser(area.handle, -1);
    }
  }

  #countUser(handle: number, by: number): void {
    const users = (this.#users.get(handle) ?? 0) + by;
    if (users === 0) this.#users.delete(handle);
    else this.#users.set(handle, users);
  }
}
