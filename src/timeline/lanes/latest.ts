// What was made for an address space of a model at the moment that was drawn last: of a million areas, only a few differ at the next
// one.
import type { IovaRange } from '../../iova/range.ts';
import type { ModelSource, Moment } from './sources.ts';

interface Latest<T> {
  readonly value: T;
  readonly position: number;
  readonly revision: number;
}

/** Keeps a value for each address space of each session that is drawn. */
export class LatestValues<T> {
  readonly #latest = new WeakMap<Moment['states'], Map<string, Latest<T>>>();

  /**
   * The value at the moment of the source. `change` makes it from that of another moment and the ranges outside of which areas are
   * the same, unless they overlap one of them; undefined if it cannot. Then, and for a source without a moment, `make` makes it.
   */
  valueOf(
    { space, moment }: Pick<ModelSource, 'space' | 'moment'>,
    make: () => T,
    change: (before: T, touched: readonly IovaRange[]) => T | undefined,
  ): T {
    if (!moment) return make();
    const { states, position } = moment;
    const { revision } = states;
    const bySpace = this.#latest.get(states) ?? new Map<string, Latest<T>>();
    this.#latest.set(states, bySpace);
    const before = bySpace.get(space.id);
    const touched =
      before?.revision === revision ? states.touchedRanges(space.id, before.position, position) : undefined;
    const value = (before && touched && change(before.value, touched)) ?? make();
    bySpace.set(space.id, { value, position, revision });
    return value;
  }
}
