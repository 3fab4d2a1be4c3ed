// This project: the index that the models use, and the whole model of Linux 6.12 through its door.
import { IntervalTree } from '../src/iova/interval-tree/tree.ts';
import type { Iova } from '../src/iova/iova.ts';
import { chooseIova } from '../src/kernel/iommufd/choose-iova.ts';
import { IommufdModel } from '../src/kernel/iommufd/model.ts';
import type { Outcome } from '../src/kernel/model.ts';
import { type Contender, RESERVED_FIRST, RESERVED_LAST, type Subject } from './workload.ts';

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

class Model implements Subject {
  readonly #model = new IommufdModel(SIZES);
  #origin = 0;

  constructor() {
    this.#done(this.#model.apply({ op: 'ioas.alloc', ioas: 'a' }, this.#origin++));
    const length = (RESERVED_LAST - RESERVED_FIRST + 1n) as Iova;
    this.#done(
      this.#model.apply({ op: 'ioas.reserve', ioas: 'a', start: RESERVED_FIRST as Iova, length }, this.#origin++),
    );
  }

  #done(outcome: Outcome): void {
    if (!outcome.ok) throw new Error(outcome.refusal?.message ?? outcome.invalid?.message);
  }

  map(start: bigint, _last: bigint, size: bigint): void {
    const length = size as Iova;
    const iova = start as Iova;
    this.#done(
      this.#model.apply({ op: 'ioas.map', ioas: 'a', flags: FIXED, user_va: MEMORY, length, iova }, this.#origin++),
    );
  }

  query(first: bigint, last: bigint): number {
    let hits = 0;
    for (const area of this.#model.space('a')?.areas(first, last) ?? []) if (area.last >= first) hits++;
    return hits;
  }

  choose(length: bigint): bigint {
    const user_va = 0n as Iova;
    const outcome = this.#model.apply(
      { op: 'ioas.map', ioas: 'a', flags: ANYWHERE, user_va, length: length as Iova },
      this.#origin++,
    );
    this.#done(outcome);
    return outcome.ok ? (outcome.answer.iova ?? -1n) : -1n;
  }

  unmap(start: bigint, _last: bigint, length: bigint): void {
    const iova = start as Iova;
    this.#done(this.#model.apply({ op: 'ioas.unmap', ioas: 'a', iova, length: length as Iova }, this.#origin++));
  }
}

export const INDEX: Contender = { name: 'iovascope', rounds, create: () => new Index() };
export const MODEL: Contender = { name: 'iovascope-model', rounds, create: () => new Model() };
