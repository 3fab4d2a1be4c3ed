import type { Iova } from '../../iova/iova.ts';
import type { Operation, OperationOf } from '../../session/events.ts';
import { toHex } from '../../uapi/numbers.ts';
import { encodeType1Info } from '../../uapi/type1-info.ts';
import type { AddressSpaceView, KernelModel, ModelSettings, Outcome } from '../model.ts';
import { badAttach, invalid, nameInUse, outcome, permissionsOf, SUCCESS, unknownObject } from '../shared/outcome.ts';
import type { PreparedOperation, Words } from '../shared/prepared.ts';
import { refuserIn } from '../shared/refusal.ts';
import { type KernelRules, NEWEST_RULES } from '../version-changes.ts';
import { Type1Container } from './container.ts';
import { LockedMemory } from './locked-memory.ts';
import { TYPE1_RULES } from './rules.ts';

/** Numbers of VFIO_CHECK_EXTENSION. Every other number answers 0. */
const TYPE1 = 1;
const TYPE1V2 = 3;
const DMA_CC_IOMMU = 4;
const NESTING = 6;
const UNMAP_ALL = 9;
const UPDATE_VADDR = 10;

const refusals = refuserIn(TYPE1_RULES);

/** VFIO containers with a type1 backend, each of the version that it is opened with. */
export class Type1Model implements KernelModel {
  readonly name = 'type1';
  readonly #settings: ModelSettings;
  readonly #rules: KernelRules;
  readonly #no: ReturnType<typeof refusals>;
  /** What the process has locked, all of its containers together. */
  #locked: LockedMemory;
  readonly #containers = new Map<string, Type1Container>();
  /** The container of every group that was ever attached; `undefined` while it is detached. */
  readonly #groups = new Map<string, string | undefined>();

  constructor(settings: ModelSettings) {
    this.#settings = settings;
    this.#rules = settings.rules ?? NEWEST_RULES;
    this.#no = refusals(this.#rules);
    this.#locked = new LockedMemory(settings.memlock, settings.page);
  }

  clone(): Type1Model {
    const copy = new Type1Model(this.#settings);
    copy.#locked = this.#locked.clone(this.#settings.page);
    for (const [id, container] of this.#containers) copy.#containers.set(id, container.clone(copy.#locked));
    for (const [group, id] of this.#groups) copy.#groups.set(group, id);
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
        this.#containers.set(id, new Type1Container(id, model, this.#settings, this.#locked));
        return SUCCESS;
      }
      case 'container.close':
        return this.#with(operation.container, (container) => this.#close(container));
      case 'container.attach_group':
        return this.#with(operation.container, (container) => this.#attach(container, operation));
      case 'container.detach_group':
        return this.#with(operation.container, (container) => this.#detach(container, operation.group));
      case 'container.map_dma':
        return this.#with(operation.container, (container) =>
          outcome(container.map(operation, permissionsOf(operation.flags), origin)),
        );
      case 'container.unmap_dma':
        return this.#with(operation.container, (container) => {
          const { iova, size, flags } = operation;
          return outcome(container.unmap(iova, size, flags), (bytes) => ({
            ret: 0,
            unmapped: BigInt.asUintN(64, bytes) as Iova,
          }));
        });
      case 'container.get_info':
        return this.#with(operation.container, (container) => this.#info(container, operation.argsz));
      case 'container.check_extension':
        return this.#with(operation.container, (container) => ({
          ok: true,
          answer: { ret: this.#extension(container, operation.extension) },
        }));
      default:
        return invalid('not-in-model', `model ${this.name} does not have the operation ${operation.op}`);
    }
  }

  applyPrepared(operation: PreparedOperation, words: Words, origin: number): boolean {
    const container = this.#containers.get(operation.space);
    if (!container) return false;
    if (operation.kind === 'unmap') return container.unmapPrepared(operation, words);
    return container.mapPrepared(operation, words, origin);
  }

  #with(id: string, run: (container: Type1Container) => Outcome): Outcome {
    const container = this.#containers.get(id);
    if (!container) return unknownObject('container', id);
    const result = run(container);
    const hazard = container.takeHazard();
    return hazard && result.ok ? { ...result, hazard } : result;
  }

  /** Closing a container detaches its groups. */
  #close(container: Type1Container): Outcome {
    for (const group of container.groups()) {
      container.detach(group);
      this.#groups.set(group, undefined);
    }
    this.#containers.delete(container.id);
    return SUCCESS;
  }

  #attach(container: Type1Container, operation: OperationOf<'container.attach_group'>): Outcome {
    const { group, domain, reserved } = operation;
    const bad = badAttach(domain, reserved);
    if (bad) return bad;
    if (!container.sharesPageSize(domain.pgsize_bitmap)) {
      return invalid('bad-argument', 'the page size bitmap has no size in common with that of the container');
    }
    if (this.#groups.get(group) !== undefined) {
      return this.#no('attach-group-in-use', { obstacle: { kind: 'group', owner: group } });
    }
    const result = container.attach(group, domain, reserved);
    if (!result.ok) return result;
    this.#groups.set(group, container.id);
    return SUCCESS;
  }

  #detach(container: Type1Container, group: string): Outcome {
    if (!this.#groups.has(group)) return unknownObject('group', group);
    const place = this.#groups.get(group);
    if (place === undefined) return this.#no('detach-group-not-attached');
    if (place !== container.id) return invalid('bad-argument', `group '${group}' is in container '${place}'`);
    container.detach(group);
    this.#groups.set(group, undefined);
    return SUCCESS;
  }

  #info(container: Type1Container, argsz: number): Outcome {
    const info = container.info();
    if (!info.ok) return info;
    const encoded = encodeType1Info(info.value, argsz, { padded: this.#rules.has('type1-info-padding') });
    if (!encoded) return this.#no('info-buffer-too-small', { obstacle: { kind: 'limit', value: 16n } });
    return { ok: true, answer: { ret: 0, argsz: encoded.argsz, hex: toHex(encoded.bytes) } };
  }

  /** Source: Linux 6.12, vfio_iommu_type1_check_extension; measured on 5.10.223 to 7.3.4 for 0 … 12. */
  #extension(container: Type1Container, extension: number): number {
    switch (extension) {
      case TYPE1:
      case TYPE1V2:
        return 1;
      case DMA_CC_IOMMU:
        return container.enforcesCoherency ? 1 : 0;
      case NESTING:
        return this.#rules.has('type1-no-nesting') ? 0 : 1;
      case UNMAP_ALL:
        return this.#rules.has('type1-unmap-all') ? 1 : 0;
      case UPDATE_VADDR:
        // User addresses can be updated while the container has a backend.
        if (!this.#rules.has('type1-update-vaddr')) return 0;
        return container.hasGroups || !this.#rules.has('type1-update-vaddr-needs-group') ? 1 : 0;
      default:
        return 0;
    }
  }
}
