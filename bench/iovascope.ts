// This project: the index that the models use, and each model as a whole.
import { IntervalTree } from '../src/iova/interval-tree/tree.ts';
import { IOVA_MAX, type Iova } from '../src/iova/iova.ts';
import { chooseIova } from '../src/kernel/iommufd/choose-iova.ts';
import type { KernelModel, Outcome } from '../src/kernel/model.ts';
import { createModel } from '../src/kernel/models.ts';
import { type Contender, FIRST_AREA, LARGE, RESERVED_FIRST, RESERVED_LAST, STRIDE, type Subject } from './workload.ts';

const SIZES = { page: 0x1000n, hugePage: 0x20_0000n };
const rounds = (n: number): number => Math.max(3, Math.min(100, Math.ceil(400_000 / n)));

class Index implements Subject {
  readonly #areas = new IntervalTree();
  readonly #reserved = new IntervalTree();
  readonly #allowed = new IntervalTree();
  #next = 0;

  constructor() {
    this.#reserved.insert(RESERVED_FIRST, RESERVED_LAST, 0);
  }

  map(start: bigint, last: bigint): void {
    if (this.#reserved.overlapsAny(start, last) || this.#areas.overlapsAny(start, last)) throw new Error('taken');
    this.#areas.insert(start, last, this.#next++);
  }

  query(first: bigint, last: bigint): number {
    let hits = 0;
    this.#areas.visitOverlaps(first, last, () => {
      hits++;
      return false;
    });
    return hits;
  }

  choose(length: bigint): bigint {
    const room = { areas: this.#areas, reserved: this.#reserved, allowed: this.#allowed, alignment: 1n };
    const choice = chooseIova(room, 0n, length, SIZES);
    if (!choice.ok) throw new Error(choice.why);
    this.#areas.insert(choice.iova, choice.iova + length - 1n, this.#next++);
    return choice.iova;
  }

  unmap(start: bigint, last: bigint): void {
    const value = this.#areas.find(start, last);
    if (value === undefined || !this.#areas.remove(start, last, value)) throw new Error('not mapped');
  }
}

const MEMORY = 0x1000_0000_0000n as Iova;
const ANYWHERE: ('read' | 'write')[] = ['read', 'write'];
const FIXED: ('fixed' | 'read' | 'write')[] = ['fixed', 'read', 'write'];

/** An empty model: by the rules of `kernel`, or by the newest ones. */
function modelOf(name: string, kernel?: string): KernelModel {
  const made = createModel({ model: name, ...(kernel === undefined ? {} : { kernel }) });
  if (!made.ok) throw new Error(made.message);
  return made.model;
}

function succeed(outcome: Outcome): void {
  if (!outcome.ok) throw new Error(outcome.refusal?.message ?? outcome.invalid?.message);
}

function countAreas(model: KernelModel, id: string, first: bigint, last: bigint): number {
  let hits = 0;
  for (const area of model.space(id)?.areas(first, last) ?? []) if (area.last >= first) hits++;
  return hits;
}

/** A model of iommufd: one IOAS. */
class IoasSubject implements Subject {
  readonly #model: KernelModel;
  #origin = 0;

  constructor(name: string) {
    this.#model = modelOf(name);
    succeed(this.#model.apply({ op: 'ioas.alloc', ioas: 'a' }, this.#origin++));
    const length = (RESERVED_LAST - RESERVED_FIRST + 1n) as Iova;
    succeed(
      this.#model.apply({ op: 'ioas.reserve', ioas: 'a', start: RESERVED_FIRST as Iova, length }, this.#origin++),
    );
  }

  map(start: bigint, _last: bigint, size: bigint): void {
    const length = size as Iova;
    const iova = start as Iova;
    succeed(
      this.#model.apply({ op: 'ioas.map', ioas: 'a', flags: FIXED, user_va: MEMORY, length, iova }, this.#origin++),
    );
  }

  query(first: bigint, last: bigint): number {
    return countAreas(this.#model, 'a', first, last);
  }

  choose(length: bigint): bigint {
    const user_va = 0n as Iova;
    const outcome = this.#model.apply(
      { op: 'ioas.map', ioas: 'a', flags: ANYWHERE, user_va, length: length as Iova },
      this.#origin++,
    );
    succeed(outcome);
    return outcome.ok ? (outcome.answer.iova ?? -1n) : -1n;
  }

  unmap(start: bigint, _last: bigint, length: bigint): void {
    const iova = start as Iova;
    succeed(this.#model.apply({ op: 'ioas.unmap', ioas: 'a', iova, length: length as Iova }, this.#origin++));
  }
}

/** A container takes 65,535 mappings: more areas are spread over several containers, in ascending order. */
const AREAS_PER_CONTAINER = 60_000n;

/** VFIO's calls: containers with one group each. */
class ContainerSubject implements Subject {
  readonly #model: KernelModel;
  readonly #open = new Set<string>();
  #origin = 0;

  constructor(name: string, kernel?: string) {
    this.#model = modelOf(name, kernel);
  }

  #containerOf(start: bigint): string {
    const container = ((start - FIRST_AREA) / STRIDE / AREAS_PER_CONTAINER).toString();
    if (this.#open.has(container)) return container;
    this.#open.add(container);
    succeed(this.#model.apply({ op: 'container.open', container, model: 'type1v2' }, this.#origin++));
    succeed(
      this.#model.apply(
        {
          op: 'container.attach_group',
          container,
          group: container,
          domain: {
            iommu: 'amd',
            aperture: [0n as Iova, IOVA_MAX],
            pgsize_bitmap: SIZES.page as Iova,
            enforce_cache_coherency: true,
          },
          reserved: [{ start: RESERVED_FIRST as Iova, last: RESERVED_LAST as Iova, type: 'msi' }],
        },
        this.#origin++,
      ),
    );
    return container;
  }

  map(start: bigint, _last: bigint, size: bigint): void {
    const container = this.#containerOf(start);
    const request = { flags: ANYWHERE, vaddr: MEMORY, size: size as Iova, iova: start as Iova };
    succeed(this.#model.apply({ op: 'container.map_dma', container, ...request }, this.#origin++));
  }

  query(first: bigint, last: bigint): number {
    const low = this.#containerOf(first);
    const high = this.#containerOf(last);
    const hits = countAreas(this.#model, low, first, last);
    return low === high ? hits : hits + countAreas(this.#model, high, first, last);
  }

  unmap(start: bigint, _last: bigint, length: bigint): void {
    const container = this.#containerOf(start);
    const request = { flags: [], iova: start as Iova, size: length as Iova };
    succeed(this.#model.apply({ op: 'container.unmap_dma', container, ...request }, this.#origin++));
  }
}

export const INDEX: Contender = { name: 'iovascope', rounds, create: () => new Index() };
export const MODEL: Contender = { name: 'iovascope-model', rounds, create: () => new IoasSubject('iommufd') };

/** The other models; type1 up to 6.17 walks a tree of the same shape as the kernel's. */
export const OTHER_MODELS: readonly Contender[] = [
  // The first posting does not limit the alignment.
  { name: 'iovascope-iommufd-rfc', rounds, choosesAt: LARGE, create: () => new IoasSubject('iommufd-rfc') },
  { name: 'iovascope-iommufd-vfio', rounds, create: () => new ContainerSubject('iommufd-vfio') },
  { name: 'iovascope-type1', rounds, create: () => new ContainerSubject('type1') },
  { name: 'iovascope-type1-6.17', rounds, create: () => new ContainerSubject('type1', '6.17') },
];
