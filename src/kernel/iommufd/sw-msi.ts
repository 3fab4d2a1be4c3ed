// The software MSI window. If the IOMMU also translates interrupt writes (ARM), the doorbell that a device writes to must
// be mapped. The kernel reserves a window of IOVAs for that and maps doorbell pages in it, one granule each, in the order
// of their first use:
//
//   window   0x8000000 ├ page 0 ┼ page 1 ┼ page 2 ┼ … ┤ 0x80fffff
//                         │        │        └ next free
//   doorbell           ITS A    GICv2m B       (physical addresses, cut to the granule)
//
// Since about Linux 6.15 the doorbells of a file descriptor of /dev/iommu are numbered together (`Doorbells`): one has the
// same page in every domain, and a domain may lack some of the pages in between.
import { alignDown, type Iova, lowestSetBit } from '../../iova/iova.ts';
import { type IovaRange, rangesEqual, sizeOf } from '../../iova/range.ts';
import type { ReservedRegion } from '../../session/events.ts';
import { type Decision, DONE } from '../shared/outcome.ts';
import { DEFAULT_SW_MSI_WINDOW } from '../shared/platform-ranges.ts';
import { refuser } from '../shared/refusal.ts';
import { defineRules } from '../shared/rule.ts';

/** The rules by which a doorbell cannot be mapped. The names are stable. */
export const SW_MSI_RULES = defineRules('Linux 6.12', {
  'sw-msi-no-window': {
    errno: 'ENODEV',
    message: 'The group has no software MSI window',
    where: 'vfio_iommu_has_sw_msi',
  },
  'sw-msi-hardware': {
    errno: 'ENODEV',
    message: 'The group has a hardware MSI region, which takes precedence: doorbells are not mapped',
    where: 'vfio_iommu_has_sw_msi',
  },
  'sw-msi-granule': {
    errno: 'EINVAL',
    message: 'The IOMMU does not support the page size in which doorbells are mapped',
    where: 'iommu_dma_get_msi_page',
  },
  'sw-msi-window-unaligned': {
    errno: 'EINVAL',
    message: 'The start of the window is not a multiple of the granule',
    where: 'iommu_dma_get_msi_page',
  },
  'sw-msi-window-full': {
    errno: 'ENOSPC',
    message:
      'The window is full: no page is left for another doorbell (the kernel does not check this and would continue past the window)',
    where: 'iommu_dma_alloc_iova, which does not check the size of the window',
  },
  'sw-msi-too-many': {
    errno: 'EOVERFLOW',
    message: 'The file descriptor has 64 doorbells, which is the limit',
    where: 'iommufd_sw_msi_get_map',
    kernel: 'Linux 6.15',
  },
  'sw-msi-moved': {
    errno: 'EBUSY',
    message: 'Doorbells are already mapped, and a domain has one window',
    where: 'iommu_get_msi_cookie',
  },
});

export type SwMsiRule = keyof typeof SW_MSI_RULES;

const no = refuser<SwMsiRule>(SW_MSI_RULES);

/** How the MSIs of a group are delivered, by its reserved regions. */
export type MsiRouting =
  /** Hardware handles interrupt writes to these regions, ascending by start: they are never mapped. */
  | { readonly kind: 'hardware'; readonly regions: readonly IovaRange[] }
  /** `moved`: the window is not at the default address. */
  | { readonly kind: 'software'; readonly window: IovaRange; readonly moved: boolean }
  | { readonly kind: 'none' };

/**
 * Distinguishes hardware and software windows. Type `sw-msi` is a software window. Kernels print both as `msi`; then
 * `driver` (as in facts of kind `iommu`) decides: an SMMU has only software windows, with virtio the one at the default
 * address is, any other is hardware. A hardware region takes precedence; of several software windows the last one counts.
 */
export function msiRoutingOf(regions: readonly ReservedRegion[], driver?: string): MsiRouting {
  const isSoftware = (region: ReservedRegion): boolean =>
    region.type === 'sw-msi' ||
    (region.type === 'msi' &&
      (driver?.startsWith('smmu') === true || (driver === 'virtio' && rangesEqual(region, DEFAULT_SW_MSI_WINDOW))));
  const hardware = regions.filter((region) => region.type === 'msi' && !isSoftware(region));
  if (hardware.length > 0) {
    const sorted = hardware.map(({ start, last }) => ({ start, last }));
    return { kind: 'hardware', regions: sorted.sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0)) };
  }
  const software = regions.findLast(isSoftware);
  if (!software) return { kind: 'none' };
  const window = { start: software.start, last: software.last };
  return { kind: 'software', window, moved: window.start !== DEFAULT_SW_MSI_WINDOW.start };
}

/** A doorbell page in the window. */
export interface DoorbellPage extends IovaRange {
  /** Physical address of the page: a multiple of the granule. */
  readonly physical: Iova;
  /** The devices that use it, in order of their requests. */
  readonly devices: readonly string[];
}

/** The IOVA to which a device writes. */
export interface MappedDoorbell {
  readonly iova: Iova;
  readonly page: DoorbellPage;
  /** True if the page was already mapped. */
  readonly shared: boolean;
}

/** Doorbells of a file descriptor, in all of its windows. Source: Linux 6.15, iommufd_sw_msi_get_map. */
const DOORBELLS_MAX = 64;

/** The doorbells of a file descriptor of /dev/iommu, which have the same page of their window in every domain. */
export class Doorbells {
  #known: readonly { readonly window: Iova; readonly physical: Iova; readonly index: number }[] = [];

  clone(): Doorbells {
    const copy = new Doorbells();
    copy.#known = this.#known;
    return copy;
  }

  /** Which page of the window that starts at `window` a doorbell page has, counted from 0; a new one gets the next. */
  indexOf(window: Iova, physical: Iova): Decision<number> {
    const own = this.#known.filter((doorbell) => doorbell.window === window);
    const known = own.find((doorbell) => doorbell.physical === physical);
    if (known) return { ok: true, value: known.index };
    if (this.#known.length >= DOORBELLS_MAX) {
      return no('sw-msi-too-many', { obstacle: { kind: 'limit', value: BigInt(DOORBELLS_MAX) } });
    }
    this.#known = [...this.#known, { window, physical, index: own.length }];
    return { ok: true, value: own.length };
  }
}

interface MappedPage {
  /** In the window, counted from 0. */
  readonly index: number;
  readonly physical: Iova;
  readonly devices: string[];
}

/** The software MSI window of one domain and the doorbell pages in it. */
export class SwMsiWindow {
  readonly #granule: bigint;
  #window: IovaRange;
  /** By ascending index: a page is at start + index · granule. */
  #pages: MappedPage[] = [];
  readonly #doorbells: Doorbells | undefined;

  private constructor(window: IovaRange, granule: bigint, doorbells: Doorbells | undefined) {
    this.#window = window;
    this.#granule = granule;
    this.#doorbells = doorbells;
  }

  /**
   * The empty window of a domain whose group has these `regions`. `pgsizeBitmap`: the page sizes of the IOMMU. Doorbell
   * pages have `granule` bytes, the smallest page size if left out. `doorbells`: those of the file descriptor, if its kernel
   * numbers them together; each domain numbers its own otherwise.
   */
  static open(
    regions: readonly ReservedRegion[],
    options: {
      readonly pgsizeBitmap: bigint;
      readonly granule?: bigint;
      readonly driver?: string;
      readonly doorbells?: Doorbells;
    },
  ): Decision<SwMsiWindow> {
    const routing = msiRoutingOf(regions, options.driver);
    if (routing.kind === 'none') return no('sw-msi-no-window');
    if (routing.kind === 'hardware') {
      const [region] = routing.regions;
      return no('sw-msi-hardware', region && { obstacle: { kind: 'reserved', ...region, type: 'msi' } });
    }
    const granule = options.granule ?? lowestSetBit(options.pgsizeBitmap);
    // Exactly one bit, which is set in the bitmap.
    const isPage = granule > 0n && granule === lowestSetBit(granule) && (options.pgsizeBitmap & granule) !== 0n;
    if (!isPage) return no('sw-msi-granule', { obstacle: { kind: 'alignment', value: granule } });
    const refused = checkStart(routing.window, granule);
    return refused ?? { ok: true, value: new SwMsiWindow(routing.window, granule, options.doorbells) };
  }

  /** `doorbells`: a copy of those of the file descriptor. */
  clone(doorbells: Doorbells | undefined = this.#doorbells?.clone()): SwMsiWindow {
    const copy = new SwMsiWindow(this.#window, this.#granule, doorbells);
    copy.#pages = this.#pages.map((page) => ({ ...page, devices: [...page.devices] }));
    return copy;
  }

  get window(): IovaRange {
    return this.#window;
  }

  /** Bytes of a doorbell page. */
  get granule(): bigint {
    return this.#granule;
  }

  /** The number of doorbell pages that fit in the window; an incomplete granule at its end does not count. */
  get capacity(): bigint {
    return sizeOf(this.#window) / this.#granule;
  }

  /** By ascending address. */
  get pages(): readonly DoorbellPage[] {
    return this.#pages.map((page) => this.#page(page));
  }

  /**
   * Maps the doorbell at the physical address `doorbell` for a device. Mapped pages are shared; a new one gets the next
   * granule. Pages are unmapped only with the domain.
   */
  map(device: string, doorbell: Iova): Decision<MappedDoorbell> {
    const physical = alignDown(doorbell, this.#granule) as Iova;
    const known = this.#pages.find((page) => page.physical === physical);
    if (known) {
      if (!known.devices.includes(device)) known.devices.push(device);
      return this.#mapped(known, doorbell, true);
    }
    const index: Decision<number> = this.#doorbells
      ? this.#doorbells.indexOf(this.#window.start, physical)
      : { ok: true, value: this.#pages.length };
    if (!index.ok) return index;
    if (BigInt(index.value) >= this.capacity) {
      const { start, last } = this.#window;
      return no('sw-msi-window-full', { obstacle: { kind: 'reserved', start, last, type: 'msi' } });
    }
    const page = { index: index.value, physical, devices: [device] };
    this.#pages.push(page);
    this.#pages.sort((a, b) => a.index - b.index);
    return this.#mapped(page, doorbell, false);
  }

  #mapped(entry: MappedPage, doorbell: Iova, shared: boolean): Decision<MappedDoorbell> {
    const page = this.#page(entry);
    return { ok: true, value: { iova: (page.start + (doorbell - entry.physical)) as Iova, page, shared } };
  }

  /** Moves the window, as a group with another one would require; refused once a doorbell is mapped. */
  moveTo(window: IovaRange): Decision<undefined> {
    if (rangesEqual(window, this.#window)) return DONE;
    if (this.#pages.length > 0) {
      const { start, last } = this.#window;
      return no('sw-msi-moved', { obstacle: { kind: 'reserved', start, last, type: 'msi' } });
    }
    const refused = checkStart(window, this.#granule);
    if (refused) return refused;
    this.#window = window;
    return DONE;
  }

  #page({ index, physical, devices }: MappedPage): DoorbellPage {
    const start = this.#window.start + BigInt(index) * this.#granule;
    const last = start + this.#granule - 1n;
    return { start: start as Iova, last: last as Iova, physical, devices: [...devices] };
  }
}

function checkStart(window: IovaRange, granule: bigint) {
  if ((window.start & (granule - 1n)) === 0n) return undefined;
  return no('sw-msi-window-unaligned', { obstacle: { kind: 'alignment', value: granule } });
}
