import type { IovaRange } from '../../iova/range.ts';
import { eventAt } from '../../session/event-list.ts';
import { type Answer, isOperation, type SessionEvent } from '../../session/events.ts';
import { PackedList, WORDS_MAX } from '../../session/packed-list.ts';
import type { Session } from '../../session/session.ts';
import type { KernelModel, KernelView } from '../model.ts';
import { CHOSEN_MAX, isAsRecorded, type PreparedOperation, preparedOf } from '../shared/prepared.ts';
import { isForeign, type ReplayStep, runEvent } from './replay.ts';
import { touchedRange } from './touched-ranges.ts';

export interface CheckpointOptions {
  /** Events between two checkpoints, initially. */
  readonly every?: number;
  /** Maximum number of checkpoints; beyond that every second one is dropped and the distance doubles. */
  readonly keep?: number;
  /** About how many bytes all of them may take. One is kept, however large it is. */
  readonly bytes?: number;
}

/** About how many bytes a model holds for each mapping: its columns and its node in the tree. */
const BYTES_PER_MAPPING = 64;
/** The same for an address space with a device and nothing mapped: measured, 5.6 KB. */
const BYTES_PER_SPACE = 6 * 1024;

function bytesOf(model: KernelView): number {
  const spaces = model.spaces();
  let mappings = 0;
  for (const { areaCount, allocator } of spaces) mappings += areaCount + (allocator?.keptCount ?? 0);
  return spaces.length * BYTES_PER_SPACE + mappings * BYTES_PER_MAPPING;
}

/** The answer of an operation that succeeded as expected; undefined if there is more to report about it. */
function plainAnswer({ outcome, mismatch, translation, uncompared }: ReplayStep): Answer | undefined {
  return outcome.ok && !outcome.hazard && !mismatch && !translation && !uncompared ? outcome.answer : undefined;
}

/** Events of one shape that can be run by their numbers. */
interface Prepared {
  readonly operation: PreparedOperation;
  /** The shape of the answer; 0 if it has no address. */
  readonly shape: number;
  /** The places of the addresses of the answer. */
  readonly order: readonly number[];
}

/** Maximum number of events between two moments whose touched ranges are worth knowing. */
const TOUCHING_MAX = 1024;

/**
 * The states of a session over time. The state at step t is a pure function of the first t events. Thanks to checkpoints, a
 * jump to any t runs at most the events between two of them. Events may be appended to the session; after any other change
 * call `truncate`.
 */
export class SessionStates {
  readonly #session: Session;
  readonly #empty: KernelModel;
  /** Copies with the number of events that they have run, ascending. */
  #checkpoints: { readonly at: number; readonly model: KernelModel; readonly bytes: number }[] = [];
  #every: number;
  readonly #keep: number;
  readonly #bytes: number;
  /** The model that runs the session, and how many events it has run. */
  #walker: KernelModel;
  #position = 0;
  /** By event that was run: its answer if it is an operation with a plain one. */
  readonly #answers = new PackedList<Answer | undefined>();
  /** The results of the other operations that were run, by index, ascending. */
  readonly #steps = new Map<number, ReplayStep>();
  /** What the events of a shape have in common. */
  #prepared: { readonly events: unknown; readonly byShape: (Prepared | 'none' | undefined)[] } = {
    events: undefined,
    byShape: [],
  };
  readonly #words = new Uint32Array(WORDS_MAX + 2 * CHOSEN_MAX);
  #revision = 0;
  #latest: { readonly at: number; readonly state: KernelModel } | undefined;

  /** `empty` is a model in its initial state; it is not changed. */
  constructor(
    session: Session,
    empty: KernelModel,
    { every = 4096, keep = 32, bytes = 64 * 1024 * 1024 }: CheckpointOptions = {},
  ) {
    if (!(every >= 1) || !(keep >= 1)) throw new RangeError('every and keep must be at least 1');
    this.#session = session;
    this.#empty = empty.clone();
    this.#walker = this.#empty.clone();
    this.#every = every;
    this.#keep = keep;
    this.#bytes = bytes;
  }

  /** The state after the first `t` events, 0 … number of events (RangeError otherwise). It never changes. */
  stateAt(t: number): KernelView {
    if (this.#latest?.at === t) return this.#latest.state;
    this.#walkTo(t);
    this.#latest = { at: t, state: this.#walker };
    return this.#walker;
  }

  /** A model in the state after the first `t` events, which the caller may change: for previews. */
  modelAt(t: number): KernelModel {
    this.#walkTo(t);
    return this.#walker.clone();
  }

  /** The result of the event at `index`; `undefined` for a fact. */
  stepAt(index: number): ReplayStep | undefined {
    if (index < 0) return undefined;
    if (index >= this.#answers.length) this.#walkTo(index + 1);
    const answer = this.#answers.at(index);
    const event: SessionEvent | undefined = this.#session.events.at(index);
    if (!answer || !event || !isOperation(event)) return this.#steps.get(index);
    const line = this.#session.lines[index] ?? 0;
    return { index, line, op: event.op, operation: event, outcome: { ok: true, answer }, mismatch: undefined };
  }

  /** The same, but only if there is more to say than that the operation succeeded as expected. */
  exceptionAt(index: number): ReplayStep | undefined {
    if (index >= this.#answers.length) this.#walkTo(index + 1);
    return this.#steps.get(index);
  }

  /** These results among the first `t` events, in order. */
  *exceptionsBefore(t: number): Generator<ReplayStep, undefined> {
    if (t > this.#answers.length) this.#walkTo(t);
    for (const [index, step] of this.#steps) if (index < t) yield step;
  }

  /** Changes whenever a state that was given before may no longer be that of its moment. */
  get revision(): number {
    return this.#revision;
  }

  /**
   * Ranges of an address space such that between the states after `from` and after `to` events, in any order, only areas differ
   * that overlap one of them. Undefined if that is not known.
   */
  touchedRanges(space: string, from: number, to: number): readonly IovaRange[] | undefined {
    const [first, end] = from < to ? [from, to] : [to, from];
    if (end - first > TOUCHING_MAX || isForeign(this.#session, this.#empty)) return undefined;
    const ranges: IovaRange[] = [];
    for (let index = first; index < end; index++) {
      const event = eventAt(this.#session.events, index);
      if (!event) return undefined;
      const range = touchedRange(event, space, () => {
        const outcome = this.stepAt(index)?.outcome;
        return outcome?.ok ? outcome.answer.iova : undefined;
      });
      if (range === 'everything') return undefined;
      if (range) ranges.push(range);
    }
    return ranges;
  }

  /** Discards what depends on the events from `t` on: call it when one of them was removed or changed. */
  truncate(t: number): void {
    this.#checkpoints = this.#checkpoints.filter((checkpoint) => checkpoint.at <= t);
    if (t < this.#answers.length) this.#revision++;
    this.#answers.truncate(t);
    for (const index of this.#steps.keys()) if (index >= t) this.#steps.delete(index);
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
    if (this.#position === t) return;
    // A state that a caller has never changes: a copy goes on.
    if (this.#latest?.state === this.#walker) this.#walker = this.#walker.clone();
    // A distance at which as many as are kept reach far enough: those in between would be dropped on the way.
    while (this.#every * this.#keep < t) this.#every *= 2;
    const events = this.#columns();
    while (this.#position < t) {
      if (!events || !this.#runByNumbers(events)) this.#run();
      this.#position++;
      const newest = this.#checkpoints.at(-1)?.at ?? 0;
      if (this.#position >= newest + this.#every) this.#addCheckpoint();
    }
  }

  #run(): void {
    const step = runEvent(this.#walker, this.#session, this.#position);
    if (this.#position < this.#answers.length) return;
    const answer = step && plainAnswer(step);
    this.#answers.push(answer);
    if (step && !answer) this.#steps.set(this.#position, step);
  }

  /** The events as columns, if operations can be run by their numbers. */
  #columns(): PackedList<SessionEvent> | undefined {
    const { events } = this.#session;
    if (!(events instanceof PackedList) || !this.#walker.applyPrepared || isForeign(this.#session, this.#walker))
      return undefined;
    if (this.#prepared.events !== events) this.#prepared = { events, byShape: [] };
    return events;
  }

  /** Runs the event at the position by its numbers. False if that is not possible: nothing was changed. */
  #runByNumbers(events: PackedList<SessionEvent>): boolean {
    const at = this.#position;
    const shape = events.shapeAt(at);
    if (shape === 0) return false;
    const { byShape } = this.#prepared;
    let prepared = byShape[shape];
    if (prepared === undefined) {
      prepared = this.#prepare(events.exampleOf(shape));
      byShape[shape] = prepared;
    }
    if (prepared === 'none') return false;
    const { operation } = prepared;
    events.readWords(at, this.#words);
    if (operation.kind === 'map' && operation.isChosen && !this.#walker.choosePrepared?.(operation, this.#words))
      return false;
    if (!isAsRecorded(operation, this.#words)) return false;
    if (!this.#walker.applyPrepared?.(operation, this.#words, at)) return false;
    if (at < this.#answers.length) return true;
    if (prepared.shape === 0) this.#answers.push(operation.answer);
    else this.#answers.pushWords(prepared.shape, this.#words, prepared.order);
    return true;
  }

  #prepare(example: SessionEvent | undefined): Prepared | 'none' {
    const operation = example && isOperation(example) ? preparedOf(example) : undefined;
    if (!operation) return 'none';
    const order = Object.values(operation.answer).flatMap((value) =>
      typeof value === 'bigint' ? [Number(value)] : [],
    );
    const shape = this.#answers.shapeNumberOf(operation.answer);
    return shape === 0 && order.length > 0 ? 'none' : { operation, shape, order };
  }

  #addCheckpoint(): void {
    const model = this.#walker.clone();
    this.#checkpoints.push({ at: this.#position, model, bytes: bytesOf(model) });
    const isTooMuch = () =>
      this.#checkpoints.length > this.#keep ||
      this.#checkpoints.reduce((sum, { bytes }) => sum + bytes, 0) > this.#bytes;
    while (this.#checkpoints.length > 1 && isTooMuch()) this.#thinOut();
  }

  #thinOut(): void {
    this.#checkpoints = this.#checkpoints.filter((_, i) => i % 2 === 1);
    this.#every *= 2;
  }
}
