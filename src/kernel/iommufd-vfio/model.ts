import type { Iova } from '../../iova/iova.ts';
import type { Operation, OperationOf } from '../../session/events.ts';
import { encodeCompatInfo } from '../../uapi/compat-info.ts';
import { toHex } from '../../uapi/numbers.ts';
import { PinnedPages } from '../iommufd/pinned-pages.ts';
import type { AddressSpaceView, KernelModel, ModelSettings, Outcome } from '../model.ts';
import { driverOf } from '../shared/iommu-driver.ts';
import { badAttach, invalid, nameInUse, outcome, permissionsOf, SUCCESS, unknownObject } from '../shared/outcome.ts';
import type { PreparedOperation, Words } from '../shared/prepared.ts';
import { refuserIn } from '../shared/refusal.ts';
import { type KernelRules, NEWEST_RULES } from '../version-changes.ts';
import { CompatContainer } from './container.ts';
import { IOMMUFD_VFIO_RULES } from './rules.ts';

/** Numbers of VFIO_CHECK_EXTENSION that are present; every other one but DMA_CC answers 0. */
const PRESENT: ReadonlySet<number> = new Set([1, 3, 9]);
const DMA_CC_IOMMU = 4;
const SMALLEST_INFO = 16;
const MAP_FLAGS: ReadonlySet<string> = new Set(['read', 'write']);

const refusals = refuserIn(IOMMUFD_VFIO_RULES);

/**
 * VFIO's calls on /dev/iommu: what programs get that open it in place of /dev/vfio/vfio. Every container is a file
 * descriptor of its own.
 */
export class IommufdVfioModel implements KernelModel {
  readonly name = 'iommufd-vfio';
  readonly #settings: ModelSettings;
  readonly #rules: KernelRules;
  readonly #no: ReturnType<typeof refusals>;
  #pinned: PinnedPages;
  readonly #containers = new Map<string, CompatContainer>();
  /** The container of every group that was ever named; `undefined` while it is not attached. */
  readonly #groups = new Map<string, string | undefined>();
  #nextPages = 1;

  constructor(settings: ModelSettings) {
    this.#settings = settings;
    this.#rules = settings.rules ?? NEWEST_RULES;
    this.#no = refusals(this.#rules);
    this.#pinned = new PinnedPages(settings.memlock, settings.page, this.#rules);
  }

  clone(): IommufdVfioModel {
    const copy = new IommufdVfioModel(this.#settings);
    copy.#pinned = this.#pinned.clone();
    for (const [id, container] of this.#containers) copy.#containers.set(id, container.clone(copy.#pinned));
    for (const [group, id] of this.#groups) copy.#groups.set(group, id);
    copy.#nextPages = this.#nextPages;
    return copy;
  }

  spaces(): readonly AddressSpaceView[] {
    return [...this.#containers.values()];
  }

  space(id: string): AddressSpaceView | undefined {
    return this.#containers.get(id);
  }

  apply(operation: Operation, origin: number): Outcome {
    switch (operation.op) {
      case 'container.open': {
        const { container: id, model } = operation;
        if (this.#containers.has(id)) return nameInUse('a container', id);
        this.#containers.set(id, new CompatContainer(id, model, this.#settings, this.#pinned));
        return SUCCESS;
      }
      case 'container.close':
        return this.#with(operation.container, (container) => this.#close(container));
      case 'container.attach_group':
        return this.#with(operation.container, (container) => this.#attach(container, operation));
      case 'container.detach_group':
        return this.#with(operation.container, (container) => this.#detach(container, operation.group));
      case 'container.map_dma':
        return this.#with(operation.container, (container) => this.#map(container, operation, origin));
      case 'container.unmap_dma':
        return this.#with(operation.container, (container) => this.#unmap(container, operation));
      case 'container.get_info':
        return this.#with(operation.container, (container) => this.#info(container, operation.argsz));
      case 'container.check_extension':
        return this.#with(operation.container, (container) => this.#extension(container, operation.extension));
      default:
        return invalid('not-in-model', `model ${this.name} does not have the operation ${operation.op}`);
    }
  }

  applyPrepared(operation: PreparedOperation, words: Words, origin: number): boolean {
    const container = this.#containers.get(operation.space);
    if (!container?.hasIoas) return false;
    if (operation.kind === 'unmap') return container.unmapPrepared(operation, words);
    if (!container.mapPrepared(operation, words, this.#nextPages, origin)) return false;
    this.#nextPages++;
    return true;
  }

  #with(id: string, run: (container: CompatContainer) => Outcome): Outcome {
    const container = this.#containers.get(id);
    return container ? run(container) : unknownObject('container', id);
  }

  #close(container: CompatContainer): Outcome {
    for (const group of container.groups()) this.#groups.set(group, undefined);
    container.close();
    this.#containers.delete(container.id);
    return SUCCESS;
  }

  #attach(container: CompatContainer, operation: OperationOf<'container.attach_group'>): Outcome {
    const { group, domain, reserved } = operation;
    const bad = badAttach(domain, reserved);
    if (bad) return bad;
    if (this.#groups.get(group) !== undefined) {
      return this.#no('compat-group-in-use', { obstacle: { kind: 'group', owner: group } });
    }
    this.#groups.set(group, undefined);
    container.prepare();
    const driver = driverOf(domain);
    const direct = reserved.find(({ type }) => type === 'direct');
    if (direct && (driver === 'intel' || this.#rules.has('direct-region-refused'))) {
      const { start, last, type } = direct;
      const no = refusals(this.#rules, driver);
      return no('compat-direct-region', { obstacle: { kind: 'reserved', start, last, type, owner: group } });
    }
    const decision = container.attachGroup(group, domain, reserved);
    if (decision.ok) this.#groups.set(group, container.id);
    return outcome(decision);
  }

  #detach(container: CompatContainer, group: string): Outcome {
    if (!this.#groups.has(group)) return unknownObject('group', group);
    const place = this.#groups.get(group);
    if (place === undefined)
      return this.#no('compat-group-not-attached', { obstacle: { kind: 'group', owner: group } });
    if (place !== container.id) return invalid('bad-argument', `group '${group}' is in container '${place}'`);
    container.detachGroup(group);
    this.#groups.set(group, undefined);
    return SUCCESS;
  }

  #map(container: CompatContainer, operation: OperationOf<'container.map_dma'>, origin: number): Outcome {
    const { flags, vaddr, size, iova, memory, present } = operation;
    const requested = { start: iova, length: size };
    if (flags.some((flag) => !MAP_FLAGS.has(flag))) return this.#no('compat-map-flags', { requested });
    if (!container.hasIoas) return this.#no('compat-no-ioas', { requested });
    const decision = container.mapAt({
      userVa: vaddr,
      length: size,
      iova,
      fixed: true,
      permissions: permissionsOf(flags),
      flags,
      pages: this.#nextPages,
      origin,
      memory,
      present,
    });
    if (decision.ok) this.#nextPages++;
    return outcome(decision);
  }

  #unmap(container: CompatContainer, { flags, iova, size }: OperationOf<'container.unmap_dma'>): Outcome {
    const requested = { start: iova, length: size };
    if (flags.some((flag) => flag !== 'all')) return this.#no('compat-unmap-flags', { requested });
    if (!container.hasIoas) return this.#no('compat-no-ioas', { requested });
    const all = flags.includes('all');
    if (all && (iova !== 0n || size !== 0n)) return this.#no('compat-unmap-all-with-range', { requested });
    const decision = all ? container.unmapEverything() : container.unmapRange(iova, size);
    return outcome(decision, (bytes) => ({ ret: 0, unmapped: BigInt.asUintN(64, bytes) as Iova }));
  }

  #info(container: CompatContainer, argsz: number): Outcome {
    if (argsz < SMALLEST_INFO) {
      return this.#no('compat-info-too-small', { obstacle: { kind: 'limit', value: BigInt(SMALLEST_INFO) } });
    }
    if (!container.hasIoas) return this.#no('compat-no-ioas');
    const encoded = encodeCompatInfo(container.pageSizes, container.usableRanges(), argsz);
    if (!encoded) return this.#no('compat-info-too-small');
    return { ok: true, answer: { ret: 0, argsz: encoded.argsz, hex: toHex(encoded.bytes) } };
  }

  /** Source: Linux 6.12, iommufd_vfio_check_extension; measured for 0 … 12. */
  #extension(container: CompatContainer, extension: number): Outcome {
    if (extension !== DMA_CC_IOMMU) return { ok: true, answer: { ret: PRESENT.has(extension) ? 1 : 0 } };
    if (!container.hasIoas) return this.#no('compat-no-ioas');
    return { ok: true, answer: { ret: container.enforcesCoherency ? 1 : 0 } };
  }
}
