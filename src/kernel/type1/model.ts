import type { Iova } from '../../iova/iova.ts';
import type { Operation, OperationOf } from '../../session/events.ts';
import { toHex } from '../../uapi/numbers.ts';
import { encodeType1Info } from '../../uapi/type1-info.ts';
import type { AddressSpaceView, KernelModel, Outcome, PageSizes } from '../model.ts';
import { badAttach, invalid, nameInUse, outcome, permissionsOf, SUCCESS, unknownObject } from '../shared/outcome.ts';
import { refuser } from '../shared/refusal.ts';
import { Type1Container } from './container.ts';
import { TYPE1_RULES, type Type1Rule } from './rules.ts';

/** Extensions of VFIO_CHECK_EXTENSION that type1 always has. Source: Linux 6.12, vfio_iommu_type1_check_extension. */
const ALWAYS_PRESENT: ReadonlySet<number> = new Set([1, 3, 6, 9]);
const DMA_CC_IOMMU = 4;
const UPDATE_VADDR = 10;

const no = refuser<Type1Rule>(TYPE1_RULES);

/** VFIO containers with a type1 backend of Linux 6.12, each of the version that it is opened with. */
export class Type1Model implements KernelModel {
  readonly name = 'type1';
  readonly #sizes: PageSizes;
  readonly #containers = new Map<string, Type1Container>();
  /** The container of every group that was ever attached; `undefined` while it is detached. */
  readonly #groups = new Map<string, string | undefined>();

  constructor(sizes: PageSizes) {
    this.#sizes = sizes;
  }

  clone(): Type1Model {
    const copy = new Type1Model(this.#sizes);
    for (const [id, container] of this.#containers) copy.#containers.set(id, container.clone());
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
        this.#containers.set(id, new Type1Container(id, model, this.#sizes));
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
          return outcome(container.unmap(iova, size, flags.includes('all')), (bytes) => ({
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
      case 'ioas.alloc':
      case 'ioas.destroy':
      case 'ioas.map':
      case 'ioas.copy':
      case 'ioas.unmap':
      case 'ioas.iova_ranges':
      case 'ioas.allow_iovas':
      case 'ioas.reserve':
      case 'ioas.option_huge_pages':
      case 'device.attach':
      case 'device.detach':
      case 'access.create':
      case 'access.destroy':
      case 'access.pin':
      case 'access.unpin':
      case 'dma.attach':
      case 'dma.map':
      case 'dma.unmap':
        return invalid('not-in-model', `model ${this.name} does not have the operation ${operation.op}`);
    }
  }

  #with(id: string, run: (container: Type1Container) => Outcome): Outcome {
    const container = this.#containers.get(id);
    return container ? run(container) : unknownObject('container', id);
  }

  /** Closing a container detaches its groups. */
  #close(container: Type1Container): Outcome {
    for (const group of container.groups()) this.#groups.set(group, undefined);
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
      return no('attach-group-in-use', { obstacle: { kind: 'group', owner: group } });
    }
    const result = container.attach(group, domain, reserved);
    if (!result.ok) return result;
    this.#groups.set(group, container.id);
    return SUCCESS;
  }

  #detach(container: Type1Container, group: string): Outcome {
    if (!this.#groups.has(group)) return unknownObject('group', group);
    const place = this.#groups.get(group);
    if (place === undefined) return no('detach-group-not-attached');
    if (place !== container.id) return invalid('bad-argument', `group '${group}' is in container '${place}'`);
    container.detach(group);
    this.#groups.set(group, undefined);
    return SUCCESS;
  }

  #info(container: Type1Container, argsz: number): Outcome {
    const info = container.info();
    if (!info.ok) return info;
    const encoded = encodeType1Info(info.value, argsz);
    if (!encoded) return no('info-buffer-too-small', { obstacle: { kind: 'limit', value: 16n } });
    return { ok: true, answer: { ret: 0, argsz: encoded.argsz, hex: toHex(encoded.bytes) } };
  }

  #extension(container: Type1Container, extension: number): number {
    if (ALWAYS_PRESENT.has(extension)) return 1;
    if (extension === DMA_CC_IOMMU) return container.enforcesCoherency ? 1 : 0;
    // User addresses can be updated while the container has a backend.
    return extension === UPDATE_VADDR && container.hasGroups ? 1 : 0;
  }
}
