import { fromWords } from '../../iova/address-halves.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { AccessView, AddressSpaceView, AreaView, DomainView, PageSizes, ReservedView } from '../model.ts';
import { AreaStore } from './area-store.ts';
import { asRange } from './obstacles.ts';
import { ReservedStore } from './reserved-store.ts';

/** Common to the address spaces of all models: areas and reservations, and the view of them. */
export abstract class AddressSpace implements AddressSpaceView {
  readonly id: string;
  protected readonly sizes: PageSizes;
  protected areaStore = new AreaStore();
  protected reservedStore = new ReservedStore();

  constructor(id: string, sizes: PageSizes) {
    this.id = id;
    this.sizes = sizes;
  }

  /** Makes the areas and reservations independent copies of those of `other`. */
  protected copyStoresOf(other: AddressSpace): void {
    this.areaStore = other.areaStore.clone();
    this.reservedStore = other.reservedStore.clone();
  }

  abstract readonly allowed: readonly IovaRange[];
  abstract readonly domains: readonly DomainView[];
  abstract readonly accesses: readonly AccessView[];
  abstract readonly alignment: bigint;
  abstract readonly hugePages: boolean;

  get areaCount(): number {
    return this.areaStore.size;
  }

  areas(first = 0n, last: bigint = IOVA_MAX): Iterable<AreaView> {
    return this.areaStore.overlapping(first, last);
  }

  countAreas(first: bigint, last: bigint): number {
    return this.areaStore.tree.countStartingIn(first, last);
  }

  visitHoles(first: bigint, last: bigint, length: bigint, visit: (hole: IovaRange) => boolean | undefined): void {
    this.areaStore.tree.visitGaps(first, last, length, (startHigh, startLow, lastHigh, lastLow) =>
      visit(asRange(fromWords(startHigh, startLow), fromWords(lastHigh, lastLow))),
    );
  }

  get reserved(): readonly ReservedView[] {
    return this.reservedStore.list();
  }

  /** The ranges that are not reserved, by ascending start: what IOMMU_IOAS_IOVA_RANGES reports. */
  usableRanges(): IovaRange[] {
    return this.reservedStore.holes();
  }
}
