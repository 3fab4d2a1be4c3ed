import { IntervalTree } from '../../iova/interval-tree/tree.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import type { IovaRange } from '../../iova/range.ts';
import type { ReservedView } from '../model.ts';
import type { WordRange } from './prepared.ts';

type Owner = NonNullable<ReservedView['owner']>;

/** The reserved ranges of an address space. They may overlap; an owner can remove its own. */
export class ReservedStore {
  readonly tree: IntervalTree;
  readonly #byHandle: Map<number, ReservedView>;
  #nextHandle = 0;

  constructor(tree = new IntervalTree(), byHandle: Iterable<[number, ReservedView]> = []) {
    this.tree = tree;
    this.#byHandle = new Map(byHandle);
  }

  clone(): ReservedStore {
    const copy = new ReservedStore(this.tree.clone(), this.#byHandle);
    copy.#nextHandle = this.#nextHandle;
    return copy;
  }

  /** Returns the handle by which it can be removed. */
  add(reservation: ReservedView): number {
    const handle = this.#nextHandle++;
    this.#byHandle.set(handle, reservation);
    this.tree.insert(reservation.start, reservation.last, handle);
    return handle;
  }

  remove(handle: number): void {
    const { start, last } = this.#of(handle);
    this.tree.remove(start, last, handle);
    this.#byHandle.delete(handle);
  }

  removeOwnedBy(owner: Owner): void {
    for (const [handle, r] of this.#byHandle) {
      if (r.owner?.kind === owner.kind && r.owner.name === owner.name) this.remove(handle);
    }
  }

  /** By ascending start. */
  list(): ReservedView[] {
    return [...this.tree.overlaps(0n, IOVA_MAX)].map((entry) => this.#of(entry.value));
  }

  firstOverlapping(first: bigint, last: bigint): ReservedView | undefined {
    const entry = this.tree.firstOverlap(first, last);
    return entry && this.#of(entry.value);
  }

  /** True if a reserved range overlaps this one. */
  overlapsAny({ startHigh, startLow, lastHigh, lastLow }: WordRange): boolean {
    return this.tree.size > 0 && this.tree.overlapsAnyWords(startHigh, startLow, lastHigh, lastLow);
  }

  /** The ranges of the whole space that are not reserved, by ascending start. */
  holes(): IovaRange[] {
    const out: IovaRange[] = [];
    for (const { start, last, used } of this.tree.spans(0n, IOVA_MAX)) if (!used) out.push({ start, last });
    return out;
  }

  #of(handle: number): ReservedView {
    const found = this.#byHandle.get(handle);
    if (!found) throw new Error('a reservation without its description');
    return found;
  }
}
