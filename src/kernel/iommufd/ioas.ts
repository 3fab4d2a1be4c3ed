// The I/O page table of one IOAS. Methods check in the kernel's order; a refusal changes nothing, except
// an unmap that was refused half way.
import { highWord, lowWord } from '../../iova/address-halves.ts';
import { IntervalTree } from '../../iova/interval-tree/tree.ts';
import { IOVA_MAX, type Iova, lowestSetBit } from '../../iova/iova.ts';
import { type IovaRange, overlaps, WHOLE_SPACE } from '../../iova/range.ts';
import { complement } from '../../iova/range-set.ts';
import type { DomainDescription, ReservedRegion } from '../../session/events.ts';
import type { AccessView, DomainView, ModelSettings } from '../model.ts';
import { AddressSpace } from '../shared/address-space.ts';
import type { Area } from '../shared/area-store.ts';
import type { CopyRequest, IoasSpace, MapRequest } from '../shared/ioas-model.ts';
import { driverOf } from '../shared/iommu-driver.ts';
import type { Backing } from '../shared/memory.ts';
import { areaObstacle, asRange, holeObstacle, requestedBy, reservedObstacle } from '../shared/obstacles.ts';
import { type Decision, DONE, type Permissions } from '../shared/outcome.ts';
import {
  addressAt,
  alignmentMask,
  hasPlainLength,
  isAlignedMap,
  isLowMemory,
  type PreparedMap,
  type PreparedUnmap,
  readRange,
  type WordRange,
  type Words,
} from '../shared/prepared.ts';
import { type Obstacle, type Requested, refuserIn } from '../shared/refusal.ts';
import { type KernelRules, NEWEST_RULES } from '../version-changes.ts';
import { chooseIova } from './choose-iova.ts';
import type { PinnedPages, PinRequest, PinRule } from './pinned-pages.ts';
import { IOMMUFD_RULES, type IommufdRule } from './rules.ts';

/** Memory that becomes one area. */
interface Piece {
  readonly userVa: bigint;
  readonly length: bigint;
  /** Number of the shared pages. */
  readonly pages: number;
  readonly pagesWritable: boolean;
}

/** A page table: the automatic one of an IOMMU, or one that was made by hwpt.alloc. */
interface Domain {
  readonly iommu: string;
  /** Name of a page table that was made by hwpt.alloc. */
  readonly hwpt: string | undefined;
  readonly aperture: IovaRange;
  readonly pgsizeBitmap: bigint;
  /** True if it was made to track dirty pages. */
  readonly tracksDirty: boolean;
  /** True if its driver refuses areas without permissions. */
  readonly needsAccess: boolean;
  readonly devices: Set<string>;
  /** Handles of what it reserves. */
  readonly reservations: readonly number[];
}

/** A pinned range, and the memory that was pinned for it. */
interface Pin extends IovaRange {
  readonly memory: readonly PinRequest[];
}

interface Access {
  readonly pins: Map<string, Pin>;
  /** Names of pins that were released, by an unmap or by an unpin. */
  readonly gone: Set<string>;
}

/** An IOVA or length from here on is refused before anything else. Source: Linux 6.12, iommufd_ioas_map. */
const LIMIT = IOVA_MAX;

const refusals = refuserIn(IOMMUFD_RULES);

/** Plain memory. */
const NO_BACKING: Backing = {};
/** The range of the operation that is being run. */
const RANGE: WordRange = { startHigh: 0, startLow: 0, lastHigh: 0, lastLow: 0 };

const MAP_FLAGS: ReadonlySet<string> = new Set(['fixed', 'read', 'write']);

/** One IOAS: what is mapped, reserved and allowed in it, and who uses it. */
export class Ioas extends AddressSpace implements IoasSpace<Ioas> {
  #allowed = new IntervalTree();
  /** By `keyOf`, in the order of creation. */
  readonly #domains = new Map<string, Domain>();
  readonly #accesses = new Map<string, Access>();
  #alignment = 1n;
  /** The mask of `#maskedAlignment`. */
  #mask = 0;
  #maskedAlignment = 1n;
  #hugePages = true;
  readonly #rules: KernelRules;
  readonly #no: ReturnType<typeof refusals>;
  readonly #pinned: PinnedPages;

  /** `pinned`: the memory of the file descriptor. */
  constructor(id: string, settings: ModelSettings, pinned: PinnedPages) {
    super(id, settings);
    this.#rules = settings.rules ?? NEWEST_RULES;
    this.#no = refusals(this.#rules);
    this.#pinned = pinned;
  }

  clone(pinned: PinnedPages = this.#pinned.clone()): Ioas {
    const copy = new Ioas(this.id, { ...this.sizes, rules: this.#rules }, pinned);
    this.copyInto(copy);
    return copy;
  }

  /** Makes `copy`, which is empty, independent and equal. */
  protected copyInto(copy: Ioas): void {
    copy.copyStoresOf(this);
    copy.#allowed = this.#allowed.clone();
    for (const [key, domain] of this.#domains) {
      copy.#domains.set(key, { ...domain, devices: new Set(domain.devices) });
    }
    for (const [name, access] of this.#accesses) {
      copy.#accesses.set(name, { pins: new Map(access.pins), gone: new Set(access.gone) });
    }
    copy.#alignment = this.#alignment;
    copy.#hugePages = this.#hugePages;
  }

  // ---- the view --------------------------------------------------------------------------------------------------

  get allowed(): readonly IovaRange[] {
    return [...this.#allowed.overlaps(0n, IOVA_MAX)].map(({ start, last }) => ({ start, last }));
  }

  get domains(): readonly DomainView[] {
    return [...this.#domains.values()].map(({ iommu, hwpt, aperture, pgsizeBitmap, devices }) => ({
      iommu,
      ...(hwpt === undefined ? {} : { hwpt }),
      aperture,
      pgsizeBitmap,
      devices: [...devices],
    }));
  }

  get accesses(): readonly AccessView[] {
    return [...this.#accesses].map(([name, { pins }]) => ({
      name,
      pins: [...pins].map(([pin, { start, last }]) => ({ name: pin, start, last })),
    }));
  }

  get alignment(): bigint {
    return this.#alignment;
  }

  /**
   * The page sizes that all domains have, bit n set: 2^n bytes; sizes below the processor's page count as one page.
   * Source: Linux 6.12, iommufd_get_pagesizes.
   */
  get pageSizes(): bigint {
    let bitmap: bigint = IOVA_MAX;
    for (const { pgsizeBitmap } of this.#domains.values()) bitmap &= pgsizeBitmap;
    const { page } = this.sizes;
    const large = bitmap & -page;
    if (large !== bitmap) bitmap = large | page;
    return bitmap > this.#alignment ? bitmap : this.#alignment;
  }

  get hugePages(): boolean {
    return this.#hugePages;
  }

  // ---- mapping ---------------------------------------------------------------------------------------------------

  /** Source: Linux 6.12, iommufd_ioas_map and iopt_map_user_pages. */
  map(request: MapRequest): Decision<Iova> {
    const requested = requestedBy(request.fixed ? request.iova : undefined, request.length);
    const refused = this.#checkRequest(request, requested) ?? this.#checkMemory(request, requested);
    return refused ?? this.#mapPages(request, false);
  }

  /** Maps at a fixed IOVA without the checks of iommufd's own ioctl. Source: Linux 6.12, iommufd_vfio_map_dma. */
  mapAt(request: MapRequest): Decision<Iova> {
    return this.#checkMemory(request, requestedBy(request.iova, request.length)) ?? this.#mapPages(request, false);
  }

  /** Maps a part of a file; `userVa` is the offset in it. Source: Linux 7.3, iommufd_ioas_map_file. */
  mapFile(request: MapRequest): Decision<Iova> {
    const { length, userVa: start, memory } = request;
    const requested = requestedBy(request.fixed ? request.iova : undefined, length);
    if (!this.#rules.has('iommufd-map-file')) return this.#no('map-file-missing', { requested });
    const refused = this.#checkRequest(request, requested);
    if (refused) return refused;
    if (length === 0n) return this.#no('map-length-zero', { requested });
    if (start + length - 1n > IOVA_MAX) return this.#no('file-start-wraps', { requested });
    if (memory === 'no-file') return this.#no('file-not-open', { requested });
    return this.#checkLength(length, requested) ?? this.#mapPages(request, true);
  }

  /** The checks of the ioctl itself. */
  #checkRequest({ iova, length, flags, permissions }: MapRequest, requested: Requested) {
    if (flags.some((flag) => !MAP_FLAGS.has(flag))) return this.#no('map-unknown-flag', { requested });
    if (iova >= LIMIT || length >= LIMIT) {
      return this.#no('map-limit', { requested, obstacle: { kind: 'limit', value: LIMIT } });
    }
    if (!permissions.read && !permissions.write) return this.#no('map-no-permission', { requested });
    return undefined;
  }

  #checkMemory({ userVa, length }: MapRequest, requested: Requested) {
    const wraps = userVa + length > IOVA_MAX;
    if (wraps && this.#rules.has('iommufd-length-after-wrap')) return this.#no('map-memory-wraps', { requested });
    if (length === 0n) return this.#no('map-length-zero', { requested });
    const refused = this.#checkLength(length, requested);
    if (refused) return refused;
    return wraps ? this.#no('map-memory-wraps', { requested }) : undefined;
  }

  #checkLength(length: bigint, requested: Requested) {
    const longest = IOVA_MAX - this.sizes.page;
    if (length <= longest) return undefined;
    return this.#no('map-length-too-large', { requested, obstacle: { kind: 'limit', value: longest } });
  }

  /** Memory is pinned last. Source: Linux 6.12, iopt_map_pages. */
  #mapPages(request: MapRequest, isFile: boolean): Decision<Iova> {
    const { userVa, length, iova, fixed, permissions, pages, origin } = request;
    const wanted = fixed ? iova : undefined;
    const place = this.#place(userVa, length, wanted);
    if (!place.ok) return place;
    const refused = this.#checkPiece(userVa, permissions.write, length, wanted, permissions);
    if (refused) return refused;
    this.#pinned.describe(pages, userVa, request, permissions.write, isFile);
    if (this.#domains.size > 0) {
      const refused = this.#fill(
        { pages, userVa, length },
        permissions,
        this.#pins,
        this.#needsAccess(),
        requestedBy(wanted, length),
      );
      if (refused) return refused;
    }
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
   * Maps by the numbers of a map that was prepared, if nothing can be against it. False: nothing was changed, and `map` or `mapAt`
   * decides.
   */
  mapPrepared(map: PreparedMap, words: Words, pages: number, origin: number): boolean {
    if (this.#pins) return false;
    const mask = this.#alignmentMask();
    if (mask < 0 || !readRange(map, words, RANGE) || !isLowMemory(map, words) || !isAlignedMap(map, words, mask))
      return false;
    if (this.reservedStore.overlapsAny(RANGE)) return false;
    if (this.areaStore.addPrepared(map, words, RANGE, pages, origin) < 0) return false;
    this.#pinned.describe(pages, 0n, NO_BACKING, map.write, false);
    return true;
  }

  /** Writes the address that `map` would choose to its place. False if it may refuse. */
  choosePrepared(map: PreparedMap, words: Words): boolean {
    if (this.#pins || !hasPlainLength(map, words) || !isLowMemory(map, words)) return false;
    const { start, length, userVa } = map;
    const chosen = this.#choose(addressAt(words, userVa), addressAt(words, length));
    if (!chosen.ok) return false;
    words[start * 2] = highWord(chosen.value);
    words[start * 2 + 1] = lowWord(chosen.value);
    return true;
  }

  /** Unmaps a range that is exactly one area, if nothing else has to happen. False: nothing was changed. */
  unmapPrepared(unmap: PreparedUnmap, words: Words): boolean {
    if (this.#pins || this.#accesses.size > 0 || !readRange(unmap, words, RANGE)) return false;
    return this.areaStore.removeExactly(RANGE) >= 0;
  }

  /** The bits that must be zero in an address; −1 if there are too many for a word. */
  #alignmentMask(): number {
    if (this.#maskedAlignment !== this.#alignment) {
      this.#maskedAlignment = this.#alignment;
      this.#mask = alignmentMask(this.#alignment);
    }
    return this.#mask;
  }

  /** True if what is mapped is pinned at once: there is a domain, and pinning can be refused or counts. */
  get #pins(): boolean {
    return this.#domains.size > 0 && !this.#pinned.isIdle;
  }

  /** True if a driver refuses areas without permissions, which only VFIO's calls can make. */
  #needsAccess(): boolean {
    return [...this.#domains.values()].some(({ needsAccess }) => needsAccess);
  }

  #notPinned(rule: PinRule, requested: Requested, area?: Area) {
    const { limit } = this.#pinned;
    const isLimit = rule === 'memory-limit' && limit !== undefined;
    const obstacle: Obstacle | undefined = isLimit ? { kind: 'limit', value: limit } : area && areaObstacle(area);
    return this.#no(rule, obstacle ? { requested, obstacle } : { requested });
  }

  /** The checks of a copy that come before its source is looked up. Source: Linux 6.12, iommufd_ioas_copy. */
  #checkCopy({ sourceIova, iova, fixed, length, permissions, flags }: CopyRequest) {
    const requested = requestedBy(fixed ? iova : undefined, length);
    if (sourceIova >= LIMIT || iova >= LIMIT || length >= LIMIT) {
      return this.#no('copy-limit', { requested, obstacle: { kind: 'limit', value: LIMIT } });
    }
    if (flags.some((flag) => !MAP_FLAGS.has(flag))) return this.#no('copy-unknown-flag', { requested });
    if (!permissions.read && !permissions.write) return this.#no('copy-no-permission', { requested });
    return undefined;
  }

  /**
   * Maps the pages of the source range, one area for each area there. The first one guides the choice of an IOVA.
   * Source: Linux 6.12, iommufd_ioas_copy, iopt_alloc_area_pages and iopt_insert_area.
   */
  copyFrom(source: Ioas, request: CopyRequest): Decision<Iova> {
    const refused = this.#checkCopy(request);
    if (refused) return refused;
    const { sourceIova, length, iova, fixed, permissions, origin } = request;
    const pieces = source.#piecesOf(sourceIova, length);
    if (!pieces.ok) return pieces;
    const wanted = fixed ? iova : undefined;
    const place = this.#place(pieces.value[0]?.userVa ?? 0n, length, wanted);
    if (!place.ok) return place;
    for (const piece of pieces.value) {
      const bad = this.#checkPiece(piece.userVa, piece.pagesWritable, length, wanted, permissions);
      if (bad) return bad;
    }
    if (this.#pins) {
      const failed = this.#pinned.pinAll(pieces.value);
      if (failed) return this.#notPinned(failed.rule, requestedBy(wanted, length));
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
      return this.#no('map-length-unaligned', {
        requested: requestedBy(fixed, length),
        obstacle: this.#alignmentObstacle,
      });
    }
    return fixed === undefined ? this.#choose(userVa, length) : this.#checkFixed(fixed, length);
  }

  /** Why a piece of memory cannot be mapped at any IOVA. Source: Linux 6.12, iopt_insert_area. */
  #checkPiece(userVa: bigint, writable: boolean, length: bigint, fixed: Iova | undefined, permissions: Permissions) {
    if (permissions.write && !writable) {
      return this.#no('map-pages-read-only', {
        requested: requestedBy(fixed, length),
        obstacle: { kind: 'permission' },
      });
    }
    if ((userVa & (this.#alignment - 1n)) !== 0n) {
      return this.#no('map-memory-unaligned', {
        requested: requestedBy(fixed, length),
        obstacle: this.#alignmentObstacle,
      });
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
    const unlimited = !this.#rules.has('iommufd-choice');
    const choice = chooseIova(room, userVa, length, this.sizes, { unlimited });
    if (choice.ok) return { ok: true, value: choice.iova };
    const requested = { length };
    switch (choice.why) {
      case 'length-too-large':
        return this.#no('choose-length-too-large', { requested, obstacle: { kind: 'limit', value: IOVA_MAX / 2n } });
      case 'alignment-too-small':
        return this.#no('choose-alignment-too-small', { requested, obstacle: this.#alignmentObstacle });
      case 'no-space':
        return this.#no('choose-no-space', { requested, obstacle: { kind: 'hole', value: choice.alignment } });
    }
  }

  /** Source: Linux 6.12, iopt_check_iova. Allowed ranges do not restrict a fixed iova. */
  #checkFixed(iova: Iova, length: bigint): Decision<Iova> {
    if ((iova & (this.#alignment - 1n)) !== 0n) {
      return this.#no('map-iova-unaligned', {
        requested: requestedBy(iova, length),
        obstacle: this.#alignmentObstacle,
      });
    }
    const last = iova + length - 1n;
    if (last > IOVA_MAX) return this.#no('map-iova-wraps', { requested: requestedBy(iova, length) });
    const reserved = this.reservedStore.firstOverlapping(iova, last);
    if (reserved) {
      return this.#no('map-over-reserved', {
        requested: requestedBy(iova, length),
        obstacle: reservedObstacle(reserved),
      });
    }
    const area = this.areaStore.firstOverlapping(iova, last);
    if (area) return this.#no('map-over-area', { requested: requestedBy(iova, length), obstacle: areaObstacle(area) });
    return { ok: true, value: iova };
  }

  /**
   * The memory that start … start + length − 1 maps, one piece per area, cut to the range.
   * Source: Linux 6.12, iopt_get_pages.
   */
  #piecesOf(start: Iova, length: bigint): Decision<Piece[]> {
    const requested = { start, length };
    if (length === 0n) return this.#no('copy-length-zero', { requested });
    const last = start + length - 1n;
    if (last > IOVA_MAX) return this.#no('copy-source-wraps', { requested });
    const pieces: Piece[] = [];
    let next: bigint = start;
    for (const area of this.areaStore.overlapping(start, last)) {
      if (area.start > next)
        return this.#no('copy-source-not-mapped', { requested, obstacle: holeObstacle(next, area.start - 1n) });
      const end = area.last < last ? area.last : last;
      pieces.push({
        userVa: area.userVa + (next - area.start),
        length: end - next + 1n,
        pages: area.pages,
        pagesWritable: area.pagesWritable,
      });
      next = end + 1n;
    }
    if (next <= last) return this.#no('copy-source-not-mapped', { requested, obstacle: holeObstacle(next, last) });
    return { ok: true, value: pieces };
  }

  /**
   * Unmaps whole areas; returns their bytes. IOVA 0 with length 2^64−1 means everything.
   * Source: Linux 6.12, iommufd_ioas_unmap and iopt_unmap_iova_range.
   */
  unmap(start: Iova, length: bigint): Decision<bigint> {
    if (start === 0n && length === IOVA_MAX) return { ok: true, value: this.unmapAllAreas() };
    if (start >= LIMIT || length >= LIMIT) {
      return this.#no('unmap-limit', {
        requested: requestedBy(start, length),
        obstacle: { kind: 'limit', value: LIMIT },
      });
    }
    return this.unmapAreas(start, length, false);
  }

  /** Unmaps whole areas; `emptySucceeds`: also if there are none. Source: Linux 6.12, iopt_unmap_iova. */
  protected unmapAreas(start: Iova, length: bigint, emptySucceeds: boolean): Decision<bigint> {
    if (length === 0n) return this.#no('unmap-length-zero', { requested: requestedBy(start, length) });
    const last = start + length - 1n;
    if (last > IOVA_MAX) return this.#no('unmap-wraps', { requested: requestedBy(start, length) });
    let unmapped = 0n;
    for (let next: bigint = start; next <= last; ) {
      const entry = this.areaStore.tree.firstOverlap(next, last);
      if (!entry) break;
      if (entry.start < start || entry.last > last) {
        const area = this.areaStore.firstOverlapping(next, last);
        const obstacle = area ? { obstacle: areaObstacle(area) } : {};
        const before = unmapped > 0n ? { unmapped } : {};
        return this.#no('unmap-cuts-area', { requested: requestedBy(start, length), ...obstacle, ...before });
      }
      if (this.#accesses.size > 0) this.#dropPins(entry);
      if (this.#pins) this.#unpinAreas(entry);
      this.areaStore.remove(entry);
      next = entry.last + 1n;
      unmapped += next - entry.start;
    }
    if (unmapped === 0n && !emptySucceeds) {
      return this.#no('unmap-nothing-mapped', {
        requested: requestedBy(start, length),
        obstacle: holeObstacle(start, last),
      });
    }
    return { ok: true, value: unmapped };
  }

  protected unmapAllAreas(): bigint {
    let unmapped = 0n;
    for (const area of this.areaStore.tree.overlaps(0n, IOVA_MAX)) unmapped += area.last - area.start + 1n;
    this.#dropPins(WHOLE_SPACE);
    if (this.#pins) this.#unpinAreas(WHOLE_SPACE);
    this.areaStore.clear();
    return unmapped;
  }

  /** True if VFIO's unmap of a range in which nothing is mapped succeeds. */
  protected get emptyUnmapSucceeds(): boolean {
    return this.#rules.has('iommufd-vfio-unmap-nothing');
  }

  /**
   * Cuts the area that holds `at` in two behind that byte, for an unmap of the range that is named. Nothing happens at
   * the last byte of an area, nor at its first one. Source: Linux 6.12, iopt_cut_iova and iopt_area_split.
   */
  protected cutAfter(at: bigint, iova: Iova, size: bigint): Decision<undefined> {
    const area = this.areaStore.firstOverlapping(at, at);
    if (!area || at === area.start || at === area.last) return DONE;
    const length = at - area.start + 1n;
    const upper = area.userVa + length;
    if ((((at + 1n) | upper) & (this.#alignment - 1n)) !== 0n) {
      const requested = requestedBy(iova, size);
      return this.#no('unmap-cut-unaligned', { requested, obstacle: areaObstacle(area) });
    }
    this.areaStore.remove({ start: area.start, last: area.last, value: area.handle });
    this.areaStore.add(area.start, at, area);
    this.areaStore.add(at + 1n, area.last, { ...area, userVa: upper });
    if (this.#pins) {
      this.#pinned.unpin(memoryOf(area));
      // The same pages as before, so there is always room for them.
      this.#pinned.pin({ pages: area.pages, userVa: area.userVa, length });
      this.#pinned.pin({ pages: area.pages, userVa: upper, length: area.last - at });
    }
    return DONE;
  }

  /** Unpins the areas inside of a range, which are about to go or lose their last domain. */
  #unpinAreas({ start, last }: IovaRange): void {
    for (const area of this.areaStore.overlapping(start, last)) this.#pinned.unpin(memoryOf(area));
  }

  /** Notifies accesses that a range is unmapped: the kernel's test access releases every pin that overlaps it. */
  #dropPins(r: IovaRange): void {
    for (const access of this.#accesses.values()) {
      for (const [name, pin] of access.pins) {
        if (!overlaps(pin, r)) continue;
        access.pins.delete(name);
        access.gone.add(name);
        for (const memory of pin.memory) this.#pinned.unpin(memory);
      }
    }
  }

  // ---- reserving and allowing ------------------------------------------------------------------------------------

  /** Replaces the list of allowed ranges. Source: Linux 6.12, iommufd_ioas_allow_iovas. */
  allow(ranges: readonly (readonly [Iova, Iova])[]): Decision<undefined> {
    const allowed = new IntervalTree();
    for (const [i, [start, last]] of ranges.entries()) {
      const requested = { start, length: last < start ? 0n : last - start + 1n };
      if (start >= last) return this.#no('allow-range-empty', { requested });
      const other = allowed.firstOverlap(start, last);
      if (other) {
        return this.#no('allow-ranges-overlap', {
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
        return this.#no('allow-over-reserved', { requested, obstacle: reservedObstacle(reserved) });
      }
    }
    this.#allowed = allowed;
    return DONE;
  }

  /** Reserves a range without an owner. Source: Linux 6.12, iopt_reserve_iova. */
  reserve(start: Iova, length: bigint): Decision<undefined> {
    const requested = { start, length };
    if (length === 0n) return this.#no('reserve-length-zero', { requested });
    const last = start + length - 1n;
    if (last > IOVA_MAX) return this.#no('reserve-wraps', { requested });
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
    if (area) return this.#no(overArea, { requested, obstacle: areaObstacle(area) });
    const allowed = this.#allowed.firstOverlap(r.start, r.last);
    if (!allowed) return undefined;
    return this.#no(overAllowed, {
      requested,
      obstacle: { kind: 'allowed', start: allowed.start, last: allowed.last },
    });
  }

  // ---- devices and page tables -----------------------------------------------------------------------------------

  /**
   * Attaches a device that is not attached: its reserved regions first, then the automatic page table of its IOMMU, which
   * devices behind the same IOMMU share. Source: Linux 6.12, iopt_table_enforce_dev_resv_regions, iopt_table_add_domain.
   */
  attach(device: string, domain: DomainDescription, regions: readonly ReservedRegion[]): Decision<undefined> {
    const refused = this.#checkRegions(regions);
    if (refused) return refused;
    const shared = this.#domains.get(keyOf(domain.iommu, undefined));
    if (!shared) {
      const added = this.#addDomain(domain, undefined, false);
      if (!added.ok) return added;
    }
    this.#reserveRegions(device, regions);
    this.#domains.get(keyOf(domain.iommu, undefined))?.devices.add(device);
    return DONE;
  }

  /** Attaches a device that is not attached to a page table that exists here. Source: iommufd_hw_pagetable_attach. */
  attachToPageTable(
    device: string,
    hwpt: string,
    domain: DomainDescription,
    regions: readonly ReservedRegion[],
  ): Decision<undefined> {
    const refused = this.#checkRegions(regions) ?? this.#checkDirty(hwpt, domain);
    if (refused) return refused;
    this.#reserveRegions(device, regions);
    this.#domains.get(keyOf(domain.iommu, hwpt))?.devices.add(device);
    return DONE;
  }

  /**
   * Moves a device here from another IOAS, to the automatic page table of its IOMMU: if there is none, that is made with
   * all its checks before the regions are looked at. Source: iommufd_device_auto_get_domain.
   */
  attachMoved(device: string, domain: DomainDescription, regions: readonly ReservedRegion[]): Decision<undefined> {
    const key = keyOf(domain.iommu, undefined);
    if (this.#domains.has(key)) return this.attach(device, domain, regions);
    const added = this.#addDomain(domain, undefined, false);
    if (!added.ok) return added;
    const decision = this.attach(device, domain, regions);
    const made = this.#domains.get(key);
    if (!decision.ok && made) this.#removeDomain(key, made);
    return decision;
  }

  /** Moves a device that is attached here to another page table of this IOAS. Source: iommufd_device_do_replace. */
  replaceHere(device: string, domain: DomainDescription, hwpt: string | undefined): Decision<undefined> {
    const key = keyOf(domain.iommu, hwpt);
    if (this.#domains.get(key)?.devices.has(device)) return DONE;
    const refused = hwpt === undefined ? undefined : this.#checkDirty(hwpt, domain);
    if (refused) return refused;
    if (hwpt === undefined && !this.#domains.has(key)) {
      const added = this.#addDomain(domain, undefined, false);
      if (!added.ok) return added;
    }
    this.#leave(device, key);
    this.#domains.get(key)?.devices.add(device);
    return DONE;
  }

  #checkRegions(regions: readonly ReservedRegion[]) {
    for (const region of regions) {
      if (!isEnforced(region)) continue;
      const refused = this.#checkReserve(region, 'attach-region-over-area', 'attach-region-over-allowed');
      if (refused) return refused;
    }
    return undefined;
  }

  #reserveRegions(device: string, regions: readonly ReservedRegion[]): void {
    for (const { start, last, type } of regions.filter(isEnforced)) {
      this.reservedStore.add({ start, last, type, owner: { kind: 'device', name: device } });
    }
  }

  #checkDirty(hwpt: string, domain: DomainDescription) {
    if (domain.dirty_tracking !== false || !this.#pageTable(hwpt)?.tracksDirty) return undefined;
    return this.#no('attach-no-dirty-tracking', { obstacle: { kind: 'page-table', owner: hwpt } });
  }

  #pageTable(hwpt: string): Domain | undefined {
    return [...this.#domains.values()].find((domain) => domain.hwpt === hwpt);
  }

  /** Makes a page table without a device. Source: Linux 6.12, iommufd_hwpt_paging_alloc. */
  allocPageTable(hwpt: string, domain: DomainDescription, flags: readonly string[]): Decision<undefined> {
    const tracksDirty = flags.includes('dirty-tracking');
    if (flags.some((flag) => !this.#knowsHwptFlag(flag))) {
      return this.#no('hwpt-flags', { obstacle: { kind: 'page-table', owner: hwpt } });
    }
    if (tracksDirty && domain.dirty_tracking === false) {
      return this.#no('hwpt-no-dirty-tracking', { obstacle: { kind: 'page-table', owner: hwpt } });
    }
    return this.#addDomain(domain, hwpt, tracksDirty);
  }

  #knowsHwptFlag(flag: string): boolean {
    if (flag === 'pasid') return this.#rules.has('iommufd-hwpt-pasid');
    return flag === 'nest-parent' || flag === 'dirty-tracking';
  }

  /** Source: Linux 6.12, iommufd_destroy. */
  destroyPageTable(hwpt: string): Decision<undefined> {
    const domain = this.#pageTable(hwpt);
    if (!domain) return DONE;
    const [owner] = domain.devices;
    if (owner !== undefined) return this.#no('hwpt-in-use', { obstacle: { kind: 'device', owner } });
    this.#removeDomain(keyOf(domain.iommu, hwpt), domain);
    return DONE;
  }

  #addDomain(description: DomainDescription, hwpt: string | undefined, tracksDirty: boolean): Decision<undefined> {
    const { iommu, aperture, pgsize_bitmap } = description;
    const smallest = lowestSetBit(pgsize_bitmap);
    const alignment = smallest > this.#alignment ? smallest : this.#alignment;
    if (alignment > this.sizes.page) {
      return this.#no('attach-page-size-too-large', { obstacle: { kind: 'alignment', value: smallest } });
    }
    if (alignment !== this.#alignment) {
      const area = this.areaStore.firstUnaligned(alignment, true);
      if (area) return this.#no('attach-area-unaligned', { obstacle: areaObstacle(area) });
    }
    const reach = asRange(...aperture);
    const outside = complement([reach]);
    for (const r of outside) {
      const refused = this.#checkReserve(r, 'attach-aperture-over-area', 'attach-aperture-over-allowed');
      if (refused) return refused;
    }
    const driver = driverOf(description);
    const needsAccess = driver === 'intel' || driver === 'amd';
    const failed = this.#fillDomain(needsAccess);
    if (failed) return failed;
    const owner = { kind: 'domain', name: hwpt ?? iommu } as const;
    this.#domains.set(keyOf(iommu, hwpt), {
      iommu,
      hwpt,
      aperture: reach,
      pgsizeBitmap: pgsize_bitmap,
      tracksDirty,
      needsAccess,
      devices: new Set(),
      reservations: outside.map((r) => this.reservedStore.add({ ...r, type: 'aperture', owner })),
    });
    this.#alignment = alignment;
    return DONE;
  }

  /**
   * Maps everything into a new domain, by ascending IOVA. The first domain pins; further ones take the pages from it.
   * Source: Linux 6.12, iopt_fill_domain.
   */
  #fillDomain(needsAccess: boolean) {
    const pins = this.#domains.size === 0 && !this.#pinned.isIdle;
    if (!pins && !needsAccess) return undefined;
    const done: PinRequest[] = [];
    for (const area of this.areaStore.overlapping()) {
      const requested = { start: area.start, length: area.last - area.start + 1n };
      const memory = memoryOf(area);
      const refused = this.#fill(memory, area, pins, needsAccess, requested, area);
      if (refused) {
        for (const pinned of done) this.#pinned.unpin(pinned);
        return refused;
      }
      if (pins) done.push(memory);
    }
    return undefined;
  }

  /**
   * Maps memory into domains: it is pinned if `pins`, mapped, and counted last. A refusal leaves nothing pinned.
   * Source: Linux 6.12, iopt_area_fill_domain.
   */
  #fill(
    memory: PinRequest,
    { read, write }: Permissions,
    pins: boolean,
    needsAccess: boolean,
    requested: Requested,
    area?: Area,
  ) {
    const rule = pins ? this.#pinned.pin(memory) : undefined;
    if (rule && rule !== 'memory-limit') return this.#notPinned(rule, requested, area);
    if (needsAccess && !read && !write) {
      if (pins && !rule) this.#pinned.unpin(memory);
      return this.#no('map-without-access', area ? { requested, obstacle: areaObstacle(area) } : { requested });
    }
    return rule && this.#notPinned(rule, requested, area);
  }

  /** Source: Linux 6.12, iopt_table_remove_domain. */
  #removeDomain(key: string, domain: Domain): void {
    if (this.#domains.size === 1 && this.#pins) this.#unpinAreas(WHOLE_SPACE);
    this.#domains.delete(key);
    for (const handle of domain.reservations) this.reservedStore.remove(handle);
    this.#alignment = this.#alignmentOfUsers();
  }

  /** Takes a device off its page table, except the one of `stay`; an automatic one goes with its last device. */
  #leave(device: string, stay?: string): void {
    for (const [key, domain] of this.#domains) {
      if (key === stay || !domain.devices.delete(device)) continue;
      if (domain.devices.size === 0 && domain.hwpt === undefined) this.#removeDomain(key, domain);
    }
  }

  detach(device: string): void {
    this.reservedStore.removeOwnedBy({ kind: 'device', name: device });
    this.#leave(device);
  }

  /** Refuses if a device, a page table or an access uses the IOAS. Source: Linux 6.12, iommufd_destroy. */
  checkDestroy(): Decision<undefined> {
    for (const { devices, hwpt } of this.#domains.values()) {
      const [owner] = devices;
      if (owner !== undefined) return this.#no('ioas-has-domain', { obstacle: { kind: 'device', owner } });
      return this.#no('ioas-has-page-table', { obstacle: { kind: 'page-table', owner: hwpt ?? '' } });
    }
    for (const owner of this.#accesses.keys()) {
      return this.#no('ioas-has-access', { obstacle: { kind: 'access', owner } });
    }
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
    if (area) return this.#no('access-area-unaligned', { obstacle: areaObstacle(area) });
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
    for (const pin of this.#accesses.get(name)?.pins.values() ?? []) {
      for (const memory of pin.memory) this.#pinned.unpin(memory);
    }
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
    if (length === 0n) return this.#no('pin-length-zero', { requested });
    const last = start + length - 1n;
    if (last > IOVA_MAX) return this.#no('pin-wraps', { requested });
    const memory: PinRequest[] = [];
    const refused = this.#pinAreas(start, last, write, requested, memory);
    if (refused) {
      for (const pinned of memory) this.#pinned.unpin(pinned);
      return refused;
    }
    this.#accesses.get(access)?.pins.set(pin, { ...asRange(start, last), memory });
    return DONE;
  }

  /** Pins area by area, each before the next one is looked at; adds what it pinned to `memory`. */
  #pinAreas(start: Iova, last: bigint, write: boolean, requested: Requested, memory: PinRequest[]) {
    const page = this.sizes.page;
    let next: bigint = start;
    for (const area of this.areaStore.overlapping(start, last)) {
      if (area.start > next) break;
      const obstacle = areaObstacle(area);
      const userVa = area.userVa + (next - area.start);
      if (userVa % page !== 0n) return this.#no('pin-enters-inside-page', { requested, obstacle });
      const end = area.last - area.start + 1n;
      if (area.last < last && (area.userVa + end) % page !== 0n) {
        return this.#no('pin-leaves-inside-page', { requested, obstacle });
      }
      if (write && !area.write) return this.#no('pin-write-denied', { requested, obstacle });
      if (!write && !area.read) return this.#no('pin-read-denied', { requested, obstacle });
      const part = { pages: area.pages, userVa, length: (area.last < last ? area.last : last) - next + 1n };
      const rule = this.#pinned.isIdle ? undefined : this.#pinned.pin(part);
      if (rule) return this.#notPinned(rule, requested, area);
      memory.push(part);
      next = area.last + 1n;
    }
    if (next > last) return undefined;
    const end = this.areaStore.firstOverlapping(next, last)?.start ?? last + 1n;
    return this.#no('pin-not-mapped', { requested, obstacle: holeObstacle(next, end - 1n) });
  }

  /** Releases a pin that is held; refused if an unmap released it. Source: Linux 6.12, iommufd_test_access_item_destroy. */
  unpin(access: string, pin: string): Decision<undefined> {
    const found = this.#accesses.get(access);
    const held = found?.pins.get(pin);
    if (!found || !held) return this.#no('unpin-gone');
    found.pins.delete(pin);
    for (const memory of held.memory) this.#pinned.unpin(memory);
    found.gone.add(pin);
    return DONE;
  }

  // ---- options ---------------------------------------------------------------------------------------------------

  /** Disabling what is already disabled always succeeds. Source: Linux 6.12, iommufd_ioas_option. */
  setHugePages(value: number): Decision<undefined> {
    if (value !== 0 && value !== 1) return this.#no('huge-pages-value');
    if (value === 0 && this.#hugePages) {
      const device = [...this.#domains.values()].flatMap(({ devices }) => [...devices])[0];
      if (this.#domains.size > 0 && this.areaStore.size > 0) {
        const owner = device === undefined ? {} : { owner: device };
        return this.#no('huge-pages-in-use', { obstacle: { kind: 'device', ...owner } });
      }
      const area = this.#unalignedForPages();
      if (area) return this.#no('huge-pages-area-unaligned', { obstacle: areaObstacle(area) });
    }
    this.#hugePages = value === 1;
    this.#alignment = this.#alignmentOfUsers();
    return DONE;
  }
}

function isEnforced(region: ReservedRegion): boolean {
  return region.type !== 'direct-relaxable';
}

/** Devices behind the same IOMMU share its automatic page table; one of hwpt.alloc is alone under its name. */
function keyOf(iommu: string, hwpt: string | undefined): string {
  return hwpt === undefined ? `iommu ${iommu}` : `hwpt ${hwpt}`;
}

function memoryOf({ pages, userVa, start, last }: Area): PinRequest {
  return { pages, userVa, length: last - start + 1n };
}
