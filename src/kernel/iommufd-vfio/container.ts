// A file descriptor of /dev/iommu that is used with VFIO's calls. It has an IOAS from the first attach on, which stays
// with its mappings when the last group leaves.
import type { Iova } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { DomainDescription, ReservedRegion } from '../../session/events.ts';
import { Ioas } from '../iommufd/ioas.ts';
import type { PinnedPages } from '../iommufd/pinned-pages.ts';
import type { DomainView, ModelSettings } from '../model.ts';
import type { Decision } from '../shared/outcome.ts';

export type CompatVersion = 'type1' | 'type1v2';

export class CompatContainer extends Ioas {
  readonly version: CompatVersion;
  readonly #settings: ModelSettings;
  /** True from the first attach on, also if it was refused. */
  #hasIoas = false;
  /** Whether each group's IOMMU enforces cache coherency. */
  readonly #coherent = new Map<string, boolean>();

  constructor(id: string, version: CompatVersion, settings: ModelSettings, pinned: PinnedPages) {
    super(id, settings, pinned);
    this.version = version;
    this.#settings = settings;
  }

  override clone(pinned: PinnedPages): CompatContainer {
    const copy = new CompatContainer(this.id, this.version, this.#settings, pinned);
    this.copyInto(copy);
    copy.#hasIoas = this.#hasIoas;
    for (const [group, coherent] of this.#coherent) copy.#coherent.set(group, coherent);
    return copy;
  }

  get hasIoas(): boolean {
    return this.#hasIoas;
  }

  /** As devices are in an IOAS, groups are in a container. */
  override get domains(): readonly DomainView[] {
    return super.domains.map(({ devices, ...domain }) => ({
      ...domain,
      devices: [],
      groups: devices,
      enforcesCoherency: devices.every((group) => this.#coherent.get(group) === true),
    }));
  }

  get validRanges(): readonly IovaRange[] {
    return this.#hasIoas ? this.usableRanges() : [];
  }

  groups(): string[] {
    return [...this.#coherent.keys()];
  }

  /** True if every group's IOMMU enforces cache coherency; also without a group. */
  get enforcesCoherency(): boolean {
    return [...this.#coherent.values()].every((coherent) => coherent);
  }

  /** Makes the IOAS, as VFIO_GROUP_SET_CONTAINER and VFIO_SET_IOMMU do. Version 1 works on whole pages. */
  prepare(): void {
    this.#hasIoas = true;
    if (this.version === 'type1') this.setHugePages(0);
  }

  attachGroup(group: string, domain: DomainDescription, regions: readonly ReservedRegion[]): Decision<undefined> {
    const decision = this.attach(group, domain, regions);
    if (decision.ok) this.#coherent.set(group, domain.enforce_cache_coherency === true);
    return decision;
  }

  detachGroup(group: string): void {
    this.detach(group);
    this.#coherent.delete(group);
  }

  /**
   * Unmaps; returns the bytes. Version 1 cuts areas at both ends first, and what was cut stays cut.
   * Source: Linux 6.12, iommufd_vfio_unmap_dma.
   */
  unmapRange(iova: Iova, size: bigint): Decision<bigint> {
    if (this.version === 'type1') {
      for (const at of iova === 0n ? [iova + size - 1n] : [iova + size - 1n, iova - 1n]) {
        const cut = this.cutAfter(BigInt.asUintN(64, at), iova, size);
        if (!cut.ok) return cut;
      }
    }
    return this.unmapAreas(iova, size, this.emptyUnmapSucceeds);
  }

  unmapEverything(): Decision<bigint> {
    return { ok: true, value: this.unmapAllAreas() };
  }

  /** Takes back everything, as closing the file descriptor does. */
  close(): void {
    for (const group of this.groups()) this.detachGroup(group);
    this.unmapAllAreas();
  }
}
