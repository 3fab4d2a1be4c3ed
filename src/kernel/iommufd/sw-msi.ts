// The software MSI window. Behind an IOMMU that translates interrupt writes too (ARM), the doorbell that a device
// writes to must be mapped. The kernel keeps a window of IOVAs free for that and maps doorbell pages into it, one
// granule each, in the order in which they are first needed:
//
//   window   0x8000000 ├ page 0 ┼ page 1 ┼ page 2 ┼ … ┤ 0x80fffff
//                         │        │        └ next free
//   doorbell           ITS A    GICv2m B       (physical addresses, cut to the granule)
import { alignDown, type Iova, lowestSetBit } from '../../iova/iova.ts';
import { type IovaRange, rangesEqual, sizeOf } from '../../iova/range.ts';
import type { ReservedRegion } from '../../session/events.ts';
import { type Decision, DONE } from '../shared/outcome.ts';
import { DEFAULT_SW_MSI_WINDOW } from '../shared/platform-ranges.ts';
import { refuser } from '../shared/refusal.ts';
import { defineRules } from '../shared/rule.ts';

/** Every rule by which a doorbell cannot be mapped. The names are stable. */
export const SW_MSI_RULES = defineRules('Linux 6.12', {
  'sw-msi-no-window': {
    errno: 'ENODEV',
    message: 'The group has no software MSI window',
    where: 'vfio_iommu_has_sw_msi',
  },
  'sw-msi-hardware': {
    errno: 'ENODEV',
    message: 'The group has a hardware MSI region, which takes precedence: its doorbells are not mapped',
    where: 'vfio_iommu_has_sw_msi',
  },
  'sw-msi-granule': {
    errno: 'EINVAL',
    message: 'The IOMMU does not support the page size in which doorbells are mapped',
    where: 'iommu_dma_get_msi_page',
  },
  'sw-msi-window-unaligned': {
    errno: 'EINVAL',
    message: 'The window does not start at a multiple of the granule',
    where: 'iommu_dma_get_msi_page',
  },
  'sw-msi-window-full': {
    errno: 'ENOSPC',
    message:
      'The window is full: no page is left for another doorbell (the kernel does not check this and would continue past the window)',
    where: 'iommu_dma_alloc_iova, which does not check the size of the window',
  },
  'sw-msi-moved': {
    errno: 'EBUSY',
    message: 'Doorbells are already mapped, and a domain has one window',
    where: 'iommu_get_msi_cookie',
  },
});

export type SwMsiRule = keyof typeof SW_MSI_RULES;

const no = refuser<SwMsiRule>(SW_MSI_RULES);

/** What the reserved regions of a group say about its MSIs. */
export type MsiRouting =
  /** Interrupt writes are recognized by hardware: by ascending start, never mapped. */
  | { readonly kind: 'hardware'; readonly regions: readonly IovaRange[] }
  /** `moved`: the window is not where it lies by default. */
  | { readonly kind: 'software'; readonly window: IovaRange; readonly moved: boolean }
  | { readonly kind: 'none' };

/**
 * Tells hardware and software windows apart. Type `sw-msi` is a software window; kernels print both as `msi`, and then
 * `driver` (as in facts of kind `iommu`) decides: an SMMU knows no other than a software window, behind virtio the one
 * at the default place is, any other is hardware. A hardware region takes precedence; of several software windows the
 * last one counts.
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
  /** Who needs it, in the order in which they asked. */
  readonly devices: readonly string[];
}

/** Where a device has to write. */
export interface MappedDoorbell {
  readonly iova: Iova;
  readonly page: DoorbellPage;
  /** True if the page was in the window before. */
  readonly shared: boolean;
}

/** The software MSI window of one domain and the doorbell pages in it. */
export class SwMsiWindow {
  readonly #granule: bigint;
  #window: IovaRange;
  /** In the order of the window: the n-th is at start + n · granule. */
  #pages: { readonly physical: Iova; readonly devices: string[] }[] = [];

  private constructor(window: IovaRange, granule: bigint) {
    this.#window = window;
    this.#granule = granule;
  }

  /**
   * The empty window of a domain whose group has these `regions`. `pgsizeBitmap`: the IOMMU's page sizes; doorbells take
   * pages of `granule` bytes, the smallest of them if left out.
   */
  static open(
    regions: readonly ReservedRegion[],
    options: { readonly pgsizeBitmap: bigint; readonly granule?: bigint; readonly driver?: string },
  ): Decision<SwMsiWindow> {
    const routing = msiRoutingOf(regions, options.driver);
    if (routing.kind === 'none') return no('sw-msi-no-window');
    if (routing.kind === 'hardware') {
      const [region] = routing.regions;
      return no('sw-msi-hardware', region && { obstacle: { kind: 'reserved', ...region, type: 'msi' } });
    }
    const granule = options.granule ?? lowestSetBit(options.pgsizeBitmap);
    // One set bit of the bitmap, and only one.
    const isPage = granule > 0n && granule === lowestSetBit(granule) && (options.pgsizeBitmap & granule) !== 0n;
    if (!isPage) return no('sw-msi-granule', { obstacle: { kind: 'alignment', value: granule } });
    const refused = checkStart(routing.window, granule);
    return refused ?? { ok: true, value: new SwMsiWindow(routing.window, granule) };
  }

  clone(): SwMsiWindow {
    const copy = new SwMsiWindow(this.#window, this.#granule);
    copy.#pages = this.#pages.map(({ physical, devices }) => ({ physical, devices: [...devices] }));
    return copy;
  }

  get window(): IovaRange {
    return this.#window;
  }

  /** Bytes that a doorbell page takes. */
  get granule(): bigint {
    return this.#granule;
  }

  /** How many doorbell pages the window holds; what is left of a granule at its end does not count. */
  get capacity(): bigint {
    return sizeOf(this.#window) / this.#granule;
  }

  /** By ascending address. */
  get pages(): readonly DoorbellPage[] {
    return this.#pages.map((_, i) => this.#page(i));
  }

  /**
   * Makes the doorbell at the physical address `doorbell` reachable for a device. Pages that are there are shared; a new
   * one takes the next granule. Nothing is ever given back: pages go with the domain.
   */
  map(device: string, doorbell: Iova): Decision<MappedDoorbell> {
    const physical = alignDown(doorbell, this.#granule) as Iova;
    let index = this.#pages.findIndex((page) => page.physical === physical);
    const shared = index >= 0;
    if (!shared) {
      if (BigInt(this.#pages.length) >= this.capacity) {
        const { start, last } = this.#window;
        return no('sw-msi-window-full', { obstacle: { kind: 'reserved', start, last, type: 'msi' } });
      }
      index = this.#pages.push({ physical, devices: [] }) - 1;
    }
    const devices = this.#pages[index]?.devices;
    if (devices && !devices.includes(device)) devices.push(device);
    const page = this.#page(index);
    return { ok: true, value: { iova: (page.start + (doorbell - physical)) as Iova, page, shared } };
  }

  /** Puts the window elsewhere, as a group with another one would need; only while no doorbell is mapped. */
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

  #page(index: number): DoorbellPage {
    const page = this.#pages[index];
    if (!page) throw new RangeError(`no doorbell page ${index}`);
    const start = this.#window.start + BigInt(index) * this.#granule;
    const last = start + this.#granule - 1n;
    return { start: start as Iova, last: last as Iova, physical: page.physical, devices: [...page.devices] };
  }
}

function checkStart(window: IovaRange, granule: bigint) {
  if ((window.start & (granule - 1n)) === 0n) return undefined;
  return no('sw-msi-window-unaligned', { obstacle: { kind: 'alignment', value: granule } });
}
