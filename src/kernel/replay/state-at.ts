import type { Session } from '../../session/session.ts';
import type { KernelModel, KernelView } from '../model.ts';
import { type ReplayStep, runEvent } from './replay.ts';

export interface CheckpointOptions {
  /** Events between two checkpoints, initially. */
  readonly every?: number;
  /** Maximum number of checkpoints; beyond that every second one is dropped and the distance doubles. */
  readonly keep?: number;
}

/**
 * The states of a session over time. The state at step t is a pure function of the first t events. With checkpoints a jump
 * to any t runs at most the events between two of them. The session may grow at its end; after any other change call
 * `truncate`.
 */
export class SessionStates {
  readonly #session: Session;
  readonly #empty: KernelModel;
  /** Copies by the number of events that they have run, ascending. */
  #checkpoints: { readonly at: number; readonly model: KernelModel }[] = [];
  #every: number;
  readonly #keep: number;
  /** The model that runs the session, and how many events it has run. */
  #walker: KernelModel;
  #position = 0;
  /** The result of each event that was run; `undefined` for facts. */
  #steps: (ReplayStep | undefined)[] = [];
  #latest: { readonly at: number; readonly state: KernelView } | undefined;

  /** `empty` is a model in its initial state; it is not changed. */
  constructor(session: Session, empty: KernelModel, { every = 4096, keep = 32 }: CheckpointOptions = {}) {
    if (!(every >= 1) || !(keep >= 1)) throw new RangeError('every and keep must be at least 1');
    this.#session = session;
    this.#empty = empty.clone();
    this.#walker = this.#empty.clone();
    this.#every = every;
    this.#keep = keep;
  }

  /** The state after the first `t` events, 0 … number of events (RangeError otherwise). It never changes. */
  stateAt(t: number): KernelView {
    if (this.#latest?.at === t) return this.#latest.state;
    this.#walkTo(t);
    const state = this.#walker.clone();
    this.#latest = { at: t, state };
    return state;
  }

  /** A model in the state after the first `t` events, which the caller may change: for previews. */
  modelAt(t: number): KernelModel {
    this.#walkTo(t);
    return this.#walker.clone();
  }

  /** The result of the event at `index`; `undefined` for a fact. */
  stepAt(index: number): ReplayStep | undefined {
    if (index >= this.#steps.length) this.#walkTo(index + 1);
    return this.#steps[index];
  }

  /** Discards what depends on the events from `t` on: call it when one of them was removed or changed. */
  truncate(t: number): void {
    this.#checkpoints = this.#checkpoints.filter((checkpoint) => checkpoint.at <= t);
    this.#steps.length = Math.min(this.#steps.length, t);
    if (this.#latest && this.#latest.at > t) this.#latest = undefined;
    if (this.#position > t) this.#goBack(t);
  }

  #goBack(t: number): void {
    const checkpoint = this.#checkpoints.findLast(({ at }) => at <= t);
    this.#walker = (checkpoint?.model ?? this.#empty).clone();
    this.#position = checkpoint?.at ?? 0;
  }

  #walkTo(t: number): void {
    const length = this.#session.events.length;
    if (!Number.isInteger(t) || t < 0 || t > length) throw new RangeError(`no step ${t} in a session of ${length}`);
    const nearest = this.#checkpoints.findLast(({ at }) => at <= t)?.at ?? 0;
    if (this.#position > t || this.#position < nearest) this.#goBack(t);
    while (this.#position < t) {
      const step = runEvent(this.#walker, this.#session, this.#position);
      if (this.#position === this.#steps.length) this.#steps.push(step);
      this.#position++;
      const newest = this.#checkpoints.at(-1)?.at ?? 0;
      if (this.#position >= newest + this.#every) {
        this.#checkpoints.push({ at: this.#position, model: this.#walker.clone() });
        if (this.#checkpoints.length > this.#keep) this.#thinOut();
      }
    }
  }

  #thinOut(): void {
    this.#checkpoints = this.#checkpoints.filter((_, i) => i % 2 === 1);
    this.#every *= 2;
  }
}
