import type { Session } from '../../session/session.ts';
import type { KernelModel, KernelView } from '../model.ts';
import { type ReplayStep, runEvent } from './replay.ts';

export interface CheckpointOptions {
  /** Events between two checkpoints at first. */
  readonly every?: number;
  /** Most checkpoints held; beyond that every second one is dropped and the distance doubles. */
  readonly keep?: number;
}

/**
 * The states of a session over time. The state at step t is a pure function of the first t events; checkpoints make
 * a jump to any t cost at most one distance between them. The session may grow at its end; after any other change of
 * it call `truncate`.
 */
export class SessionStates {
  readonly #session: Session;
  readonly #empty: KernelModel;
  /** Copies by the number of events that they have run; ascending, for they are made on the way. */
  #checkpoints: { readonly at: number; readonly model: KernelModel }[] = [];
  #every: number;
  readonly #keep: number;
  /** A model on its way through the session, and how many events it has run. */
  #walker: KernelModel;
  #position = 0;
  /** What each event that was ever run came to; facts have no entry. */
  #steps: (ReplayStep | undefined)[] = [];
  #latest: { readonly at: number; readonly state: KernelView } | undefined;

  /** `empty` is a model in its first state; it is not changed. */
  constructor(session: Session, empty: KernelModel, { every = 4096, keep = 32 }: CheckpointOptions = {}) {
    if (!(every >= 1) || !(keep >= 1)) throw new RangeError('checkpoints need a distance and a number of at least 1');
    this.#session = session;
    this.#empty = empty.clone();
    this.#walker = this.#empty.clone();
    this.#every = every;
    this.#keep = keep;
  }

  /** The state after the first `t` events, 0 … number of events (RangeError otherwise). It does not change any more. */
  stateAt(t: number): KernelView {
    if (this.#latest?.at === t) return this.#latest.state;
    this.#walkTo(t);
    const state = this.#walker.clone();
    this.#latest = { at: t, state };
    return state;
  }

  /** A model in the state after the first `t` events, for the caller to do with as it likes: to ask what would be. */
  modelAt(t: number): KernelModel {
    this.#walkTo(t);
    return this.#walker.clone();
  }

  /** What the event at `index` came to; `undefined` for a fact. */
  stepAt(index: number): ReplayStep | undefined {
    if (index >= this.#steps.length) this.#walkTo(index + 1);
    return this.#steps[index];
  }

  /** Forgets what depends on the events from `t` on: to be called when one of them was taken back or changed. */
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
