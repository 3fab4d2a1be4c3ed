import { lowestSetBit } from '../../iova/iova.ts';
import type { Operation, OperationOf } from '../../session/events.ts';
import type { AddressSpaceView, KernelModel, Outcome } from '../model.ts';
import { badAttach, invalid, nameInUse, SUCCESS, unknownObject } from '../shared/outcome.ts';
import { refuserIn } from '../shared/refusal.ts';
import { type KernelRules, NEWEST_RULES } from '../version-changes.ts';
import { DmaDomain } from './domain.ts';
import type { AllocatorEvent } from './events.ts';
import { DMA_IOMMU_RULES } from './rules.ts';

const refusals = refuserIn(DMA_IOMMU_RULES);

/** Below this page numbers would not be exact; no IOMMU has smaller pages. */
const MIN_GRANULE = 0x800n;

/**
 * The allocator behind the kernel's own DMA API (dma_map_single and others): one CPU, strict mode. Real frees of the lazy
 * mode come up to 10 ms later, and every CPU has caches of its own.
 */
export class DmaIommuModel implements KernelModel {
  readonly name = 'dma-iommu';
  readonly #rules: KernelRules;
  readonly #domains = new Map<string, DmaDomain>();
  /** The domain of every device. */
  readonly #devices = new Map<string, DmaDomain>();

  constructor(rules: KernelRules = NEWEST_RULES) {
    this.#rules = rules;
  }

  clone(): DmaIommuModel {
    const copy = new DmaIommuModel(this.#rules);
    for (const [id, domain] of this.#domains) copy.#domains.set(id, domain.clone());
    for (const [name, { id }] of this.#devices) {
      const domain = copy.#domains.get(id);
      if (domain) copy.#devices.set(name, domain);
    }
    return copy;
  }

  spaces(): readonly AddressSpaceView[] {
    return [...this.#domains.values()];
  }

  space(id: string): AddressSpaceView | undefined {
    return this.#domains.get(id);
  }

  apply(operation: Operation, origin: number): Outcome {
    switch (operation.op) {
      case 'dma.attach':
        return this.#attach(operation);
      case 'dma.map':
        return this.#map(operation, origin);
      case 'dma.unmap':
        return this.#unmap(operation);
      default:
        return invalid('not-in-model', `model ${this.name} does not have the operation ${operation.op}`);
    }
  }

  /** What the allocator would do for an operation, step by step. Nothing changes. Costs a copy of the state. */
  stepsOf(operation: Operation): readonly AllocatorEvent[] {
    const copy = this.clone();
    const events: AllocatorEvent[] = [];
    for (const domain of copy.#domains.values()) domain.listener = (event) => events.push(event);
    copy.apply(operation, 0);
    return events;
  }

  #attach(operation: OperationOf<'dma.attach'>): Outcome {
    const { device, domain: id, aperture, pgsize_bitmap } = operation;
    if (this.#devices.has(device)) return nameInUse('a device', device);
    const bad =
      badAttach({ iommu: id, aperture, pgsize_bitmap }, operation.reserved) ??
      (operation.windows.some(([start, last]) => start > last)
        ? invalid('bad-argument', 'the start of a window is above its end')
        : undefined);
    if (bad) return bad;
    const granule = lowestSetBit(pgsize_bitmap);
    if (granule < MIN_GRANULE) return invalid('bad-argument', 'the smallest page size must be at least 2 KiB');
    let domain = this.#domains.get(id);
    if (domain && (domain.alignment !== granule || domain.aperture.start !== aperture[0])) {
      return invalid('bad-argument', `domain '${id}' has another page size, or another start of its aperture`);
    }
    if (!domain) {
      domain = DmaDomain.create(operation, granule);
      this.#domains.set(id, domain);
    }
    domain.attach(operation);
    this.#devices.set(device, domain);
    return SUCCESS;
  }

  #map({ device, phys, size, dma_mask }: OperationOf<'dma.map'>, origin: number): Outcome {
    const domain = this.#devices.get(device);
    if (!domain) return unknownObject('device', device);
    if (size === 0n) return invalid('bad-argument', 'the size is 0');
    const limit = domain.limitOf(device, dma_mask);
    const dma_addr = domain.map(device, { phys, size, limit }, this.#rules.has('dma-wide-for-good'), origin);
    if (dma_addr !== undefined) return { ok: true, answer: { ret: 0, dma_addr } };
    return refusals(this.#rules)('dma-no-space', {
      requested: { length: size },
      obstacle: { kind: 'limit', value: limit },
    });
  }

  #unmap({ device, dma_addr, size }: OperationOf<'dma.unmap'>): Outcome {
    const domain = this.#devices.get(device);
    if (!domain) return unknownObject('device', device);
    const mapped = size > 0n ? domain.find(dma_addr, size) : undefined;
    if (!mapped)
      return invalid('bad-argument', 'no mapping has this address and size: the kernel would warn (WARN_ON)');
    domain.unmap(mapped);
    return SUCCESS;
  }
}
