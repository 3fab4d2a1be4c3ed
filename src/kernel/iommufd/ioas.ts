// The I/O page table of one IOAS of Linux 6.12. Methods check in the kernel's order; a refusal changes nothing, except
// an unmap that was refused half way.
import { IntervalTree } from '../../iova/interval-tree/tree.ts';
import { IOVA_MAX, type Iova, lowestSetBit } from '../../iova/iova.ts';
import { type IovaRange, overlaps, WHOLE_SPACE } from '../../iova/range.ts';
import { complement } from '../../iova/range-set.ts';
import type { DomainDescription, ReservedRegion } from '../../session/events.ts';
import type { AccessView, DomainView } from '../model.ts';
import { AddressSpace } from '../shared/address-space.ts';
import type { Area } from '../shared/area-store.ts';
import type { CopyRequest, IoasSpace, MapRequest } from '../shared/ioas-model.ts';
import { areaObstacle, asRange, holeObstacle, requestedBy, reservedObstacle } from '../shared/obstacles.ts';
import { type Decision, DONE, type Permissions } from '../shared/outcome.ts';
import { type Obstacle, refuser } from '../shared/refusal.ts';
import { chooseIova } from './choose-iova.ts';
import { IOMMUFD_RULES, type IommufdRule } from './rules.ts';

/** Memory that becomes one area. */
interface Piece {
  readonly userVa: bigint;
  readonly length: bigint;
  /** Number of the shared pages. */
  readonly pages: number;
  readonly pagesWritable: boolean;
}

interface Domain {
  readonly aperture: IovaRange;
  readonly pgsizeBitmap: bigint;
  readonly devices: Set<string>;
}

interface Access {
  readonly pins: Map<string, IovaRange>;
  /** Names of pins that were released, by an unmap or by an unpin. */
  readonly gone: Set<string>;
}

/** An IOVA or length from here on is refused before anything else. Source: Linux 6.12, iommufd_ioas_map. */
const LIMIT = IOVA_MAX;

const no = refuser<IommufdRule>(IOMMUFD_RULES);

/** The checks of a copy that come before its source is looked up. Source: Linux 6.12, iommufd_ioas_copy. */
function checkCopy(iova: Iova, length: bigint, permissions: Permissions) {
  const requested = requestedBy(iova, length);
  if (iova >= LIMIT || length >= LIMIT)
    return no('copy-limit', { requested, obstacle: { kind: 'limit', value: LIMIT } });
  if (!permissions.read && !permissions.write) return no('copy-no-permission', { requested });
  return undefined;
}

/** One IOAS: what is mapped, reserved and allowed in it, and who uses it. */
export class Ioas extends AddressSpace implements IoasSpace<Ioas> {
  #allowed = new IntervalTree();
  readonly #domains = new Map<string, Domain>();
  readonly #accesses = new Map<string, Access>();
  #alignment = 1n;
  #hugePages = true;

  clone(): Ioas {
    const copy = new Ioas(this.id, this.sizes);
    copy.copyStoresOf(this);
    copy.#allowed = this.#allowed.clone();
    for (const [iommu, domain] of this.#domains) {
      copy.#domains.set(iommu, { ...domain, devices: new Set(domain.devices) });
    }
    for (const [name, access] of this.#accesses) {
      copy.#accesses.set(name, { pins: new Map(access.pins), gone: new Set(access.gone) });
    }
    copy.#alignment = this.#alignment;
    copy.#hugePages = this.#hugePages;
    return copy;
  }

  // ---- the view --------------------------------------------------------------------------------------------------

  get allowed(): readonly IovaRange[] {
    return [...this.#allowed.overlaps(0n, IOVA_MAX)].map(({ start, last }) => ({ start, last }));
  }

  get domains(): readonly DomainView[] {
    return [...this.#domains].map(([iommu, { aperture, pgsizeBitmap, devices }]) => ({
      iommu,
      aperture,
      pgsizeBitmap,
      devices: [...devices],
    }));
  }

  get accesses(): readonly AccessView[] {
    return [...this.#accesses].map(([name, { pins }]) => ({
      name,
      pins: [...pins].map(([pin, r]) => ({ name: pin, ...r })),
    }));
  }

  get alignment(): bigint {
    return this.#alignment;
  }

  get hugePages(): boolean {
    return this.#hugePages;
  }

  // ---- mapping ---------------------------------------------------------------------------------------------------

  /** Source: Linux 6.12, iommufd_ioas_map and iopt_map_user_pages. */
  map({ userVa, length, iova, fixed, permissions, pages, origin }: MapRequest): Decision<Iova> {
    const wanted = fixed ? iova : undefined;
    if (iova >= LIMIT || length >= LIMIT) {
      return no('map-limit', { requested: requestedBy(wanted, length), obstacle: { kind: 'limit', value: LIMIT } });
    }
    if (!permissions.read && !permissions.write) {
      return no('map-no-permission', { requested: requestedBy(wanted, length) });
    }
    if (length === 0n) return no('map-length-zero', { requested: requestedBy(wanted, length) });
    const longest = IOVA_MAX - this.sizes.page;
    if (length > longest) {
      return no('map-length-too-large', {
        requested: requestedBy(wanted, length),
        obstacle: { kind: 'limit', value: longest },
      });
    }
    if (userVa + length > IOVA_MAX) return no('map-memory-wraps', { requested: requestedBy(wanted, length) });
    const place = this.#place(userVa, length, wanted);
    if (!place.ok) return place;
    const refused = this.#checkPiece(userVa, permissions.write, length, wanted, permissions);
    if (refused) return refused;
    this.areaStore.add(place.value, place.value + length - 1n, {
      userVa,
      pages,
      pagesWritable: permissions.write,
      read: permissions.read,
      write: permissions.write,
      origin,
    });
    return place;
  }

  /**
   * Maps the pages of the source range, one area for each area there. The first one guides the choice of an IOVA.
   * Source: Linux 6.12, iommufd_ioas_copy, iopt_alloc_area_pages and iopt_insert_area.
   */
  copyFrom(source: Ioas, { sourceIova, length, iova, fixed, permissions, origin }: CopyRequest): Decision<Iova> {
    const refused = checkCopy(iova, length, permissions);
    if (refused) return refused;
    const pieces = source.#piecesOf(sourceIova, length);
    if (!pieces.ok) return pieces;
    const wanted = fixed ? iova : undefined;
    const place = this.#place(pieces.value[0]?.userVa ?? 0n, length, wanted);
    if (!place.ok) return place;
    for (const piece of pieces.value) {
      const bad = this.#checkPiece(piece.userVa, piece.pagesWritable, length, wanted, permissions);
      if (bad) return bad;
    }
    let at: bigint = place.value;
    for (const { userVa, length: size, pages, pagesWritable } of pieces.value) {
      this.areaStore.add(at, at + size - 1n, { userVa, pages, pagesWritable, ...permissions, origin });
      at += size;
    }
    return place;
  }

  /** The IOVA of a new mapping. Source: Linux 6.12, iopt_alloc_area_pages. */
  #place(userVa: bigint, length: bigint, fixed: Iova | undefined): Decision<Iova> {
    if ((length & (this.#alignment - 1n)) !== 0n) {
      return no('map-length-unaligned', { requested: requestedBy(fixed, length), obstacle: this.#alignmentObstacle });
    }
    return fixed === undefined ? this.#choose(userVa, length) : this.#checkFixed(fixed, length);
  }

  /** Why a piece of memory cannot be mapped at any IOVA. Source: Linux 6.12, iopt_insert_area. */
  #checkPiece(userVa: bigint, writable: boolean, length: bigint, fixed: Iova | undefined, permissions: Permissions) {
    if (permissions.write && !writable) {
      return no('map-pages-read-only', { requested: requestedBy(fixed, length), obstacle: { kind: 'permission' } });
    }
    if ((userVa & (this.#alignment - 1n)) !== 0n) {
      return no('map-memory-unaligned', { requested: requestedBy(fixed, length), obstacle: this.#alignmentObstacle });
    }
    return undefined;
  }

  get #alignmentObstacle(): Obstacle {
    return { kind: 'alignment', value: this.#alignment };
  }

  #choose(userVa: bigint, length: bigint): Decision<Iova> {
    const room = {
      areas: this.areaStore.tree,
      reserved: this.reservedStore.tree,
      allowed: this.#allowed,
      alignment: this.#alignment,
    };
    const choice = chooseIova(room, userVa, length, this.sizes);
    if (choice.ok) return { ok: true, value: choice.iova };
    const requested = { length };
    switch (choice.why) {
      case 'length-too-large':
        return no('choose-length-too-large', { requested, obstacle: { kind: 'limit', value: IOVA_MAX / 2n } });
      case 'alignment-too-small':
        return no('choose-alignment-too-small', { requested, obstacle: this.#alignmentObstacle });
      case 'no-space':
        return no('choose-no-space', { requested, obstacle: { kind: 'hole', value: choice.alignment } });
    }
  }

  /** Source: Linux 6.12, iopt_check_iova. Allowed ranges do not restrict a fixed iova. */
  #checkFixed(iova: Iova, length: bigint): Decision<Iova> {
    if ((iova & (this.#alignment - 1n)) !== 0n) {
      return no('map-iova-unaligned', { requested: requestedBy(iova, length), obstacle: this.#alignmentObstacle });
    }
    const last = iova + length - 1n;
    if (last > IOVA_MAX) return no('map-iova-wraps', { requested: requestedBy(iova, length) });
    const reserved = this.reservedStore.firstOverlapping(iova, last);
    if (reserved) {
      return no('map-over-reserved', { requested: requestedBy(iova, length), obstacle: reservedObstacle(reserved) });
    }
    const area = this.areaStore.firstOverlapping(iova, last);
    if (area) return no('map-over-area', { requested: requestedBy(iova, length), obstacle: areaObstacle(area) });
    return { ok: true, value: iova };
  }

  /**
   * The memory that start … start + length − 1 maps, one piece per area, cut to the range.
   * Source: Linux 6.12, iopt_get_pages.
   */
  #piecesOf(start: Iova, length: bigint): Decision<Piece[]> {
    const requested = { start, length };
    if (length === 0n) return no('copy-length-zero', { requested });
    const last = start + length - 1n;
    if (last > IOVA_MAX) return no('copy-source-wraps', { requested });
    const pieces: Piece[] = [];
    let next: bigint = start;
    for (const area of this.areaStore.overlapping(start, last)) {
      if (area.start > next)
        return no('copy-source-not-mapped', { requested, obstacle: holeObstacle(next, area.start - 1n) });
      const end = area.last < last ? area.last : last;
      pieces.push({
        userVa: area.userVa + (next - area.start),
        length: end - next + 1n,
        pages: area.pages,
        pagesWritable: area.pagesWritable,
      });
      next = end + 1n;
    }
    if (next <= last) return no('copy-source-not-mapped', { requested, obstacle: holeObstacle(next, last) });
    return { ok: true, value: pieces };
  }

  /**
   * Unmaps whole areas; returns their bytes. IOVA 0 with length 2^64−1 means everything.
   * Source: Linux 6.12, iommufd_ioas_unmap and iopt_unmap_iova_range.
   */
  unmap(start: Iova, length: bigint): Decision<bigint> {
    if (start === 0n && length === IOVA_MAX) return { ok: true, value: this.#unmapAll() };
    if (start >= LIMIT || length >= LIMIT) {
      return no('unmap-limit', { requested: requestedBy(start, length), obstacle: { kind: 'limit', value: LIMIT } });
    }
    if (length === 0n) return no('unmap-length-zero', { requested: requestedBy(start, length) });
    const last = start + length - 1n;
    if (last > IOVA_MAX) return no('unmap-wraps', { requested: requestedBy(start, length) });
    let unmapped = 0n;
    for (let next: bigint = start; next <= last; ) {
      const entry = this.areaStore.tree.firstOverlap(next, last);
      if (!entry) break;
      if (entry.start < start || entry.last > last) {
        const area = this.areaStore.firstOverlapping(next, last);
        const obstacle = area ? { obstacle: areaObstacle(area) } : {};
        const before = unmapped > 0n ? { unmapped } : {};
        return no('unmap-cuts-area', { requested: requestedBy(start, length), ...obstacle, ...before });
      }
      if (this.#accesses.size > 0) this.#dropPins(entry);
      this.areaStore.remove(entry);
      next = entry.last + 1n;
      unmapped += next - entry.start;
    }
    if (unmapped === 0n) {
      return no('unmap-nothing-mapped', { requested: requestedBy(start, length), obstacle: holeObstacle(start, last) });
    }
    return { ok: true, value: unmapped };
  }

  #unmapAll(): bigint {
    let unmapped = 0n;
    for (const area of this.areaStore.tree.overlaps(0n, IOVA_MAX)) unmapped += area.last - area.start + 1n;
    this.#dropPins(WHOLE_SPACE);
    this.areaStore.clear();
    return unmapped;
  }

  /** Notifies accesses that a range is unmapped: the kernel's test access releases every pin that overlaps it. */
  #dropPins(r: IovaRange): void {
    for (const access of this.#accesses.values()) {
      for (const [name, pin] of access.pins) {
        if (!overlaps(pin, r)) continue;
        access.pins.delete(name);
        access.gone.add(name);
      }
    }
  }

  // ---- reserving and allowing ------------------------------------------------------------------------------------

  /** Replaces the list of allowed ranges. Source: Linux 6.12, iommufd_ioas_allow_iovas. */
  allow(ranges: readonly (readonly [Iova, Iova])[]): Decision<undefined> {
    const allowed = new IntervalTree();
    for (const [i, [start, last]] of ranges.entries()) {
      const requested = { start, length: last < start ? 0n : last - start + 1n };
      if (start >= last) return no('allow-range-empty', { requested });
      const other = allowed.firstOverlap(start, last);
      if (other) {
        return no('allow-ranges-overlap', {
          requested,
          obstacle: { kind: 'allowed', start: other.start, last: other.last },
        });
      }
      allowed.insert(start, last, i);
    }
    for (const { start, last } of allowed.overlaps(0n, IOVA_MAX)) {
      const reserved = this.reservedStore.firstOverlapping(start, last);
      if (reserved) {
        const requested = { start, length: last - start + 1n };
        return no('allow-over-reserved', { requested, obstacle: reservedObstacle(reserved) });
      }
    }
    this.#allowed = allowed;
    return DONE;
  }

  /** Reserves a range without an owner. Source: Linux 6.12, iopt_reserve_iova. */
  reserve(start: Iova, length: bigint): Decision<undefined> {
    const requested = { start, length };
    if (length === 0n) return no('reserve-length-zero', { requested });
    const last = start + length - 1n;
    if (last > IOVA_MAX) return no('reserve-wraps', { requested });
    const r = asRange(start, last);
    const refused = this.#checkReserve(r, 'reserve-over-area', 'reserve-over-allowed');
    if (refused) return refused;
    this.reservedStore.add({ ...r, type: 'manual', owner: undefined });
    return DONE;
  }

  /** A reservation may overlap others, but neither an area nor an allowed range. Source: Linux 6.12, iopt_reserve_iova. */
  #checkReserve(r: IovaRange, overArea: IommufdRule, overAllowed: IommufdRule) {
    const requested = { start: r.start, length: r.last - r.start + 1n };
    const area = this.areaStore.firstOverlapping(r.start, r.last);
    if (area) return no(overArea, { requested, obstacle: areaObstacle(area) });
    const allowed = this.#allowed.firstOverlap(r.start, r.last);
    if (!allowed) return undefined;
    return no(overAllowed, { requested, obstacle: { kind: 'allowed', start: allowed.start, last: allowed.last } });
  }

  // ---- devices ---------------------------------------------------------------------------------------------------

  /**
   * Attaches a device that is not attached: its reserved regions first, then the domain of its IOMMU, which devices
   * behind the same IOMMU share. Source: Linux 6.12, iopt_table_enforce_dev_resv_regions and iopt_table_add_domain.
   */
  attach(device: string, domain: DomainDescription, regions: readonly ReservedRegion[]): Decision<undefined> {
    const enforced = regions.filter((region) => region.type !== 'direct-relaxable');
    for (const region of enforced) {
      const refused = this.#checkReserve(region, 'attach-region-over-area', 'attach-region-over-allowed');
      if (refused) return refused;
    }
    const shared = this.#domains.get(domain.iommu);
    if (!shared) {
      const added = this.#addDomain(domain);
      if (!added.ok) return added;
    }
    for (const { start, last, type } of enforced) {
      this.reservedStore.add({ start, last, type, owner: { kind: 'device', name: device } });
    }
    this.#domains.get(domain.iommu)?.devices.add(device);
    return DONE;
  }

  #addDomain({ iommu, aperture, pgsize_bitmap }: DomainDescription): Decision<undefined> {
    const smallest = lowestSetBit(pgsize_bitmap);
    const alignment = smallest > this.#alignment ? smallest : this.#alignment;
    if (alignment > this.sizes.page) {
      return no('attach-page-size-too-large', { obstacle: { kind: 'alignment', value: smallest } });
    }
    if (alignment !== this.#alignment) {
      const area = this.areaStore.firstUnaligned(alignment, true);
      if (area) return no('attach-area-unaligned', { obstacle: areaObstacle(area) });
    }
    const reach = asRange(...aperture);
    const outside = complement([reach]);
    for (const r of outside) {
      const refused = this.#checkReserve(r, 'attach-aperture-over-area', 'attach-aperture-over-allowed');
      if (refused) return refused;
    }
    for (const r of outside) this.reservedStore.add({ ...r, type: 'aperture', owner: { kind: 'domain', name: iommu } });
    this.#domains.set(iommu, {
      aperture: reach,
      pgsizeBitmap: pgsize_bitmap,
      devices: new Set(),
    });
    this.#alignment = alignment;
    return DONE;
  }

  /** Source: Linux 6.12, iopt_table_remove_domain. */
  detach(device: string): void {
    this.reservedStore.removeOwnedBy({ kind: 'device', name: device });
    for (const [iommu, { devices }] of this.#domains) {
      if (!devices.delete(device) || devices.size > 0) continue;
      this.#domains.delete(iommu);
      this.reservedStore.removeOwnedBy({ kind: 'domain', name: iommu });
      this.#alignment = this.#alignmentOfUsers();
    }
  }

  /** Refuses if a device or an access uses the IOAS. Source: Linux 6.12, iommufd_destroy. */
  checkDestroy(): Decision<undefined> {
    for (const { devices } of this.#domains.values()) {
      const [owner = ''] = devices;
      return no('ioas-has-domain', { obstacle: { kind: 'device', owner } });
    }
    for (const owner of this.#accesses.keys()) return no('ioas-has-access', { obstacle: { kind: 'access', owner } });
    return DONE;
  }

  /** The alignment that domains, accesses and options require. Source: Linux 6.12, iopt_calculate_iova_alignment. */
  #alignmentOfUsers(): bigint {
    let alignment = this.#hugePages && this.#accesses.size === 0 ? 1n : this.sizes.page;
    for (const { pgsizeBitmap } of this.#domains.values()) {
      const smallest = lowestSetBit(pgsizeBitmap);
      if (smallest > alignment) alignment = smallest;
    }
    return alignment;
  }

  // ---- accesses --------------------------------------------------------------------------------------------------

  hasAccess(name: string): boolean {
    return this.#accesses.has(name);
  }

  /** Source: Linux 6.12, iopt_add_access. */
  createAccess(name: string): Decision<undefined> {
    const area = this.#unalignedForPages();
    if (area) return no('access-area-unaligned', { obstacle: areaObstacle(area) });
    this.#accesses.set(name, { pins: new Map(), gone: new Set() });
    this.#alignment = this.#alignmentOfUsers();
    return DONE;
  }

  /**
   * An area that is not page aligned, if the alignment is below the page size now.
   * Source: Linux 6.12, iopt_check_iova_alignment.
   */
  #unalignedForPages(): Area | undefined {
    return this.sizes.page > this.#alignment ? this.areaStore.firstUnaligned(this.sizes.page, true) : undefined;
  }

  destroyAccess(name: string): void {
    this.#accesses.delete(name);
    this.#alignment = this.#alignmentOfUsers();
  }

  hasPin(access: string, pin: string): 'held' | 'gone' | undefined {
    const found = this.#accesses.get(access);
    return found?.pins.has(pin) ? 'held' : found?.gone.has(pin) ? 'gone' : undefined;
  }

  /** Pins start … start + length − 1 for an access that exists. Source: Linux 6.12, iommufd_access_pin_pages. */
  pin(access: string, pin: string, start: Iova, length: bigint, write: boolean): Decision<undefined> {
    const requested = { start, length };
    if (length === 0n) return no('pin-length-zero', { requested });
    const last = start + length - 1n;
    if (last > IOVA_MAX) return no('pin-wraps', { requested });
    const page = this.sizes.page;
    let next: bigint = start;
    for (const area of this.areaStore.overlapping(start, last)) {
      if (area.start > next) break;
      const obstacle = areaObstacle(area);
      if ((area.userVa + (next - area.start)) % page !== 0n)
        return no('pin-enters-inside-page', { requested, obstacle });
      const end = area.last - area.start + 1n;
      if (area.last < last && (area.userVa + end) % page !== 0n) {
        return no('pin-leaves-inside-page', { requested, obstacle });
      }
      if (write && !area.write) return no('pin-write-denied', { requested, obstacle });
      if (!write && !area.read) return no('pin-read-denied', { requested, obstacle });
      next = area.last + 1n;
    }
    if (next <= last) {
      const end = this.areaStore.firstOverlapping(next, last)?.start ?? last + 1n;
      return no('pin-not-mapped', { requested, obstacle: holeObstacle(next, end - 1n) });
    }
    this.#accesses.get(access)?.pins.set(pin, asRange(start, last));
    return DONE;
  }

  /** Releases a pin that is held; refused if an unmap released it. Source: Linux 6.12, iommufd_test_access_item_destroy. */
  unpin(access: string, pin: string): Decision<undefined> {
    const found = this.#accesses.get(access);
    if (!found?.pins.delete(pin)) return no('unpin-gone');
    found.gone.add(pin);
    return DONE;
  }

  // ---- options ---------------------------------------------------------------------------------------------------

  /** Disabling what is already disabled always succeeds. Source: Linux 6.12, iommufd_ioas_option. */
  setHugePages(value: number): Decision<undefined> {
    if (value !== 0 && value !== 1) return no('huge-pages-value');
    if (value === 0 && this.#hugePages) {
      const device = [...this.#domains.values()].flatMap(({ devices }) => [...devices])[0];
      if (this.#domains.size > 0 && this.areaStore.size > 0) {
        const owner = device === undefined ? {} : { owner: device };
        return no('huge-pages-in-use', { obstacle: { kind: 'device', ...owner } });
      }
      const area = this.#unalignedForPages();
      if (area) return no('huge-pages-area-unaligned', { obstacle: areaObstacle(area) });
    }
    this.#hugePages = value === 1;
    this.#alignment = this.#alignmentOfUsers();
    return DONE;
  }
}
