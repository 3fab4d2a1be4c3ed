// Keeps the mapping facts of a long trace in bounded memory: the last ones one by one; of the earlier ones the mappings that
// still exist, and what conflicts are found with. Loaded when a source has more mapping facts than are kept.
import { TWO_32 } from '../../iova/address-halves.ts';
import { IOVA_MAX } from '../../iova/iova.ts';
import { type IovaRange, range } from '../../iova/range.ts';
import { grown } from '../../iova/typed-arrays.ts';
import { isFact, type SessionEvent } from '../../session/events.ts';
import { DeviceEvents } from './device-events.ts';
import { DensityTable } from './map-density.ts';
import { HOLE_MAX, holeBetween, partOf } from './map-runs.ts';
import { MappingLayers } from './mapping-layers.ts';
import { headOf, type MappingSet, type SetDraft } from './mappings.ts';
import { type TimeDensity, TimeTable } from './time-density.ts';
import { FactHeads, TraceColumns, type TraceFact } from './trace-columns.ts';

/** Unmaps that removed too little and are kept; conflicts list no more of them (conflicts/requests.ts). */
const SHORT_UNMAPS_MAX = 50;
/** Maps in runs that are kept of a set. */
const RUN_PARTS_MAX = 4096;
/** Facts that are gathered beyond those that are kept before some more are folded. */
const BATCH = 16_384;
const HOLE_MAX_BYTES = Number(HOLE_MAX);

/** True for the facts that may be folded: not those of page tables, which are a state, and not requests. */
export function isFoldable(event: SessionEvent): event is TraceFact {
  return isFact(event) && (event.kind === 'map' || event.kind === 'unmap') && event.origin !== 'page-table';
}

/** What is left of a mapping, as a map of its own. */
function remainderOf(fact: TraceFact, { start, last }: IovaRange): TraceFact {
  if (fact.start === start && fact.last === last) return fact;
  const bounds = range(start, last);
  const moved = start - fact.start;
  if (fact.kind !== 'map') return { ...fact, ...bounds };
  return {
    ...fact,
    ...bounds,
    ...(fact.paddr === undefined ? {} : { paddr: (fact.paddr + moved) as typeof fact.paddr }),
    ...(fact.vaddr === undefined ? {} : { vaddr: (fact.vaddr + moved) as typeof fact.vaddr }),
  };
}

/** Maps in their order, as runs; only runs of several maps are kept, and the last one, which may go on. */
class RunCollector {
  readonly #runs: TraceFact[][] = [];
  #open: TraceFact[] = [];
  #parts = 0;
  /** Where the last map is, until it is in `#open`. */
  #columns: TraceColumns | undefined;
  #before = 0;
  /** The last address of the last map. */
  #lastHigh = 0;
  #lastLow = 0;

  add(columns: TraceColumns, slot: number): void {
    const hole = (columns.word(slot, 0) - this.#lastHigh) * TWO_32 + (columns.word(slot, 1) - this.#lastLow) - 1;
    this.#lastHigh = columns.word(slot, 2);
    this.#lastLow = columns.word(slot, 3);
    // Most maps are far from the one before: that is seen without making facts of them.
    if (hole > 0 && hole <= HOLE_MAX_BYTES) this.#join(columns.read(slot));
    else {
      this.#close();
      this.#columns = columns;
      this.#before = slot;
    }
  }

  #join(fact: TraceFact): void {
    this.settle();
    const before = this.#open.at(-1);
    if (before && !holeBetween(partOf(before), partOf(fact))) this.#close();
    // A run that is too long for the limit is kept as its last map: no BAR has so many parts.
    if (this.#parts + this.#open.length >= RUN_PARTS_MAX) this.#open = [];
    this.#open.push(fact);
  }

  #close(): void {
    this.#columns = undefined;
    if (this.#open.length > 1) {
      this.#runs.push(this.#open);
      this.#parts += this.#open.length;
      this.#open = [];
    } else this.#open.length = 0;
  }

  /** To be called before the slot of the last map is written again. */
  settle(): void {
    if (this.#columns) this.#open.push(this.#columns.read(this.#before));
    this.#columns = undefined;
  }

  get runs(): TraceFact[][] {
    this.settle();
    return this.#open.length > 0 ? [...this.#runs, [...this.#open]] : [...this.#runs];
  }
}

/** The facts of one set: the folded part of them, and what is known about it. */
class Folding {
  readonly draft: SetDraft;
  readonly #layers = new MappingLayers();
  readonly #density = new DensityTable();
  readonly #runs = new RunCollector();
  readonly #short: TraceFact[] = [];
  #shortCount = 0;
  #maps = 0;
  #unmaps = 0;
  #reached = Number.NEGATIVE_INFINITY;
  /** The last fact, and where it is, until it was read there. */
  #until: TraceFact | undefined;
  #columns: TraceColumns | undefined;
  #untilSlot = 0;
  /** The maps of mappings, by the value that the layers have for them, with their numbers. */
  readonly #live: TraceColumns;
  #numbers: Float64Array;
  #used = 0;
  #free: number[] = [];

  constructor(draft: SetDraft, heads: FactHeads) {
    this.draft = draft;
    this.#live = new TraceColumns(64, heads);
    this.#numbers = new Float64Array(64);
  }

  /** `number`: of the fact in its source. */
  take(columns: TraceColumns, slot: number, number: number): void {
    this.#columns = columns;
    this.#untilSlot = slot;
    const startHigh = columns.word(slot, 0);
    const startLow = columns.word(slot, 1);
    const lastHigh = columns.word(slot, 2);
    const lastLow = columns.word(slot, 3);
    if (columns.isUnmap(slot)) {
      this.#unmaps++;
      this.#layers.unmap(startHigh, startLow, lastHigh, lastLow);
      if (columns.isShort(slot) && ++this.#shortCount <= SHORT_UNMAPS_MAX) this.#short.push(columns.read(slot));
      return;
    }
    this.#maps++;
    const value = this.#freeValue();
    this.#live.copy(value, columns, slot);
    this.#numbers[value] = number;
    this.#layers.map(startHigh, startLow, lastHigh, lastLow, value);
    this.#density.add(startHigh, startLow, lastHigh, lastLow);
    this.#runs.add(columns, slot);
  }

  /** Takes the time of each fact in turn: false if it is before that of an earlier fact. */
  isInOrder(time: number | undefined): boolean {
    if (time === undefined) return true;
    if (time < this.#reached) return false;
    this.#reached = time;
    return true;
  }

  /** To be called before slots are written again. */
  settle(): void {
    this.#runs.settle();
    if (this.#columns) this.#until = this.#columns.read(this.#untilSlot);
    this.#columns = undefined;
  }

  /** A value that no mapping has. */
  #freeValue(): number {
    if (this.#used < this.#live.slots) return this.#used++;
    if (this.#free.length === 0) this.#sweep();
    return this.#free.pop() ?? this.#used++;
  }

  /** Finds the values of mappings that are gone, and makes room if they are few. */
  #sweep(): void {
    const slots = this.#live.slots;
    const isLive = new Uint8Array(slots);
    let count = 0;
    for (const tree of this.#layers.trees) {
      for (const { value } of tree.overlaps(0n, IOVA_MAX)) {
        if (isLive[value] === 0) count++;
        isLive[value] = 1;
      }
    }
    for (let value = 0; value < slots; value++) if (isLive[value] === 0) this.#free.push(value);
    if (2 * count <= slots) return;
    this.#live.grow(2 * slots);
    this.#numbers = grown(this.#numbers, 2 * slots);
  }

  /** Describes the folded part in the draft. Returns the mappings that exist after it, by the numbers of their facts. */
  finish(): { readonly number: number; readonly fact: TraceFact }[] {
    this.settle();
    const { trees } = this.#layers;
    const live = trees
      .flatMap((tree, layer) => [...tree.overlaps(0n, IOVA_MAX)].map((mapping) => ({ mapping, layer })))
      .map(({ mapping, layer }) => ({ mapping, layer, number: this.#numbers[mapping.value] as number }))
      .sort((a, b) => a.number - b.number || (a.mapping.start < b.mapping.start ? -1 : 1));
    if (this.#until) {
      this.draft.folded = {
        live: live.length,
        layers: Uint8Array.from(live, ({ layer }) => layer),
        layerCount: trees.length,
        maps: this.#maps,
        unmaps: this.#unmaps,
        bounds: this.#density.bounds,
        until: this.#until,
        shortUnmaps: { first: this.#short, count: this.#shortCount },
        runs: this.#runs.runs,
        density: this.#density.ranges(),
      };
    }
    return live.map(({ mapping, number }) => ({ number, fact: remainderOf(this.#live.read(mapping.value), mapping) }));
  }
}

/** What is left of a folded trace. */
export interface FoldedTrace {
  /**
   * The facts that are left, in their order: those whose mappings exist after the folded part, each with the bounds that it
   * has then, more than one if its mapping was split; and all after that part. `number`: of the fact in its source, from 0.
   */
  readonly facts: readonly { readonly number: number; readonly fact: TraceFact }[];
  /** How many of them are of the folded part, and how many facts that part had. */
  readonly left: number;
  readonly folded: number;
  /** The last fact of that part; undefined if nothing was folded. */
  readonly until: TraceFact | undefined;
  /** When all facts happened; undefined if they have no times. */
  readonly times: TimeDensity | undefined;
  /** How many facts are earlier than one before them in their set, which are not sorted; and the first of them. */
  readonly unordered: { readonly count: number; readonly first: TraceFact | undefined };
  /** Their positions are indexes of `facts`. */
  readonly sets: readonly MappingSet[];
}

/** Of a fact that is in no set: its device may follow, or the set has the event that names its device. */
const WAITING = -1;
const PAIRED = -2;

/** The mapping facts of one source, in its order. */
export class TraceFold {
  #kept: number;
  readonly #batch: number;
  /** How many facts there may be before some are folded. */
  #limit: number;
  readonly #heads = new FactHeads();
  /** The facts from `#from` on, by their number modulo the number of slots, and the set of each. */
  #columns: TraceColumns;
  #sets: Int32Array;
  #count = 0;
  #from = 0;
  readonly #foldings: Folding[] = [];
  readonly #foldingOfKey = new Map<string, number>();
  /** By the number of a head. */
  readonly #foldingOfHead: number[] = [];
  /** By source. */
  readonly #traces = new Map<string, DeviceEvents<number>>();
  readonly #times = new TimeTable();
  #unordered = 0;
  #firstUnordered: TraceFact | undefined;
  #until: TraceFact | undefined;

  /**
   * `kept`: how many facts are kept one by one if there are more than twice as many; otherwise all are. `batch`: how many are
   * gathered before some more are folded.
   */
  constructor(kept: number, batch = BATCH) {
    this.#kept = kept;
    this.#batch = batch;
    this.#limit = 2 * kept;
    this.#columns = new TraceColumns(batch, this.#heads);
    this.#sets = new Int32Array(batch);
  }

  /** Takes the next fact. */
  add(fact: TraceFact): void {
    if (this.#count - this.#from >= this.#limit) {
      this.#fold(this.#count - this.#kept);
      this.#limit = this.#kept + this.#batch;
    }
    if (this.#count - this.#from === this.#columns.slots) this.#makeRoom();
    const number = this.#count++;
    const slot = number % this.#columns.slots;
    this.#columns.write(slot, fact);
    if (fact.time !== undefined) this.#times.add(fact.time);
    const isNamed = fact.device !== undefined;
    if (fact.origin !== 'ftrace' || (!isNamed && fact.domain !== undefined)) {
      this.#sets[slot] = this.#foldingOf(slot, fact);
      return;
    }
    const trace = this.#traceOf(fact.source);
    if (isNamed) {
      this.#sets[slot] = this.#foldingOf(slot, fact);
      trace.addNamed(fact);
    } else {
      this.#sets[slot] = WAITING;
      trace.addUnnamed(number, fact);
    }
  }

  /** From now on no fact is folded. */
  keepAll(): void {
    this.#kept = Number.POSITIVE_INFINITY;
    this.#limit = this.#kept;
  }

  #traceOf(source = ''): DeviceEvents<number> {
    const known = this.#traces.get(source);
    if (known) return known;
    const trace = new DeviceEvents<number>({
      factOf: (number) => this.#columns.read(number % this.#columns.slots),
      onUnnamed: (number) => {
        const slot = number % this.#columns.slots;
        this.#sets[slot] = this.#foldingOf(slot);
      },
      onPaired: (number) => {
        this.#sets[number % this.#columns.slots] = PAIRED;
      },
    });
    this.#traces.set(source, trace);
    return trace;
  }

  /** Number of the set of the fact in a slot. */
  #foldingOf(slot: number, fact?: TraceFact): number {
    const head = this.#columns.headAt(slot);
    const known = this.#foldingOfHead[head];
    if (known !== undefined) return known;
    const about = headOf(fact ?? this.#columns.read(slot));
    const index = this.#foldingOfKey.get(about.key) ?? this.#foldings.length;
    this.#foldingOfHead[head] = index;
    if (index === this.#foldings.length) {
      this.#foldingOfKey.set(about.key, index);
      this.#foldings.push(new Folding({ ...about, facts: [], positions: [] }, this.#heads));
    }
    return index;
  }

  #makeRoom(): void {
    const { slots } = this.#columns;
    const columns = new TraceColumns(2 * slots, this.#heads);
    const sets = new Int32Array(columns.slots);
    for (let number = this.#from; number < this.#count; number++) {
      columns.copy(number % columns.slots, this.#columns, number % slots);
      sets[number % columns.slots] = this.#sets[number % slots] as number;
    }
    this.#columns = columns;
    this.#sets = sets;
  }

  /** Folds the facts below a number, up to the first one that waits for its device. */
  #fold(end: number): void {
    const columns = this.#columns;
    const { slots } = columns;
    const first = this.#from;
    let number = first;
    for (; number < end; number++) {
      const slot = number % slots;
      const set = this.#sets[slot] as number;
      if (set === WAITING) break;
      const folding = this.#foldings[set];
      if (!folding) continue;
      folding.take(columns, slot, number);
      this.#checkOrder(folding, slot);
    }
    this.#from = number;
    if (number === first) return;
    this.#until = columns.read((number - 1) % slots);
    for (const folding of this.#foldings) folding.settle();
  }

  #checkOrder(folding: Folding, slot: number): void {
    if (folding.isInOrder(this.#columns.timeAt(slot))) return;
    this.#unordered++;
    this.#firstUnordered ??= this.#columns.read(slot);
  }

  /** Ends the source, and folds what is not to be kept. */
  end(): FoldedTrace {
    for (const trace of this.#traces.values()) trace.releaseAll();
    if (this.#count > 2 * this.#kept) this.#fold(this.#count - this.#kept);
    const columns = this.#columns;
    const facts = this.#foldings
      .flatMap((folding) => folding.finish().map(({ number, fact }) => ({ number, fact, draft: folding.draft })))
      .sort((a, b) => a.number - b.number);
    const left: { readonly number: number; readonly fact: TraceFact }[] = [];
    for (const { number, fact, draft } of facts) {
      draft.facts.push(fact);
      draft.positions.push(left.length);
      left.push({ number, fact });
    }
    for (let number = this.#from; number < this.#count; number++) {
      const slot = number % columns.slots;
      const fact = columns.read(slot);
      const folding = this.#foldings[this.#sets[slot] as number];
      if (folding) {
        this.#checkOrder(folding, slot);
        folding.draft.facts.push(fact);
        folding.draft.positions.push(left.length);
      }
      left.push({ number, fact });
    }
    const sets = this.#foldings.map(({ draft }) => draft);
    return {
      facts: left,
      left: facts.length,
      folded: this.#from,
      until: this.#until,
      times: this.#times.density,
      unordered: { count: this.#unordered, first: this.#firstUnordered },
      sets,
    };
  }
}
