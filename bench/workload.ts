// The engine's workload: n areas of 0x2000 bytes at 0x100000000 + i × 0x3000, with one reserved window below them.
import { Bench } from 'tinybench';

export const AREA_SIZE = 0x2000n;
export const RESERVED_FIRST = 0xfee0_0000n;
export const RESERVED_LAST = 0xfeef_ffffn;
export const FIRST_AREA = 0x1_0000_0000n;
export const STRIDE = 0x3000n;
/** A query of this length meets three areas, but for the last two of all. */
const QUERY_SIZE = 0x8000n;
const QUERIES = 100_000;
/** Larger than any hole between areas. */
export const LARGE = 0x40_0000_0000n;
const LARGE_PLACES = 200;

/**
 * One address space in the form of one implementation. Every refusal is an exception here. Ranges are inclusive; where
 * last and length are both given, an implementation takes what it needs.
 */
export interface Subject {
  /** Maps start…last if nothing is reserved or mapped there. */
  map(start: bigint, last: bigint, length: bigint): void;
  /** Visits every area that shares an address with first…last; answers how many there are. */
  query(first: bigint, last: bigint): number;
  /** Chooses a place for `length` bytes beyond what is taken and maps it. Answers its first address. Absent: it cannot. */
  choose?(length: bigint): bigint;
  /** Unmaps the area that is exactly start…last. */
  unmap(start: bigint, last: bigint, length: bigint): void;
}

/** An implementation under test. */
export interface Contender {
  readonly name: string;
  /** What a chosen place of `LARGE` bytes is a multiple of; 2 MiB if left out. */
  readonly choosesAt?: bigint;
  create(): Subject;
  /** Rounds at the size of `n`; fewer for the slow ones, so that a run ends. */
  rounds(n: number): number;
}

export interface Measurement {
  readonly bench: 'map-random' | 'query-3' | 'alloc-past-n' | 'unmap-random';
  readonly n: number;
  readonly impl: string;
  /** Median of the rounds. */
  readonly ops_per_s: number;
  /** The first round of this impl at this size. */
  readonly first_ops_per_s: number;
  readonly rounds: number;
}

/** A number from 0 to 2^32−1 at each call, the same sequence for the same seed. */
function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x9e37_79b9) >>> 0;
    let mixed = state;
    mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85eb_ca6b);
    mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
    return (mixed ^ (mixed >>> 16)) >>> 0;
  };
}

/** The numbers 0 … n−1 in shuffled order. */
function shuffled(n: number, seed: number): Uint32Array {
  const random = randomNumbers(seed);
  const order = Uint32Array.from({ length: n }, (_, i) => i);
  for (let i = n - 1; i > 0; i--) {
    const j = random() % (i + 1);
    const held = order[i] as number;
    order[i] = order[j] as number;
    order[j] = held;
  }
  return order;
}

/** Ranges in the order in which they are used, made beforehand: making bigints is nobody's work. */
interface Ranges {
  readonly starts: readonly bigint[];
  readonly lasts: readonly bigint[];
}

/** The work for n areas. */
export interface Plan {
  readonly n: number;
  readonly maps: Ranges;
  readonly queries: Ranges;
  /** How many areas all queries meet together. */
  readonly hits: number;
  readonly unmaps: Ranges;
}

function rangesOf(order: Uint32Array, size: bigint): Ranges {
  const starts: bigint[] = [];
  const lasts: bigint[] = [];
  for (const i of order) {
    const start = FIRST_AREA + BigInt(i) * STRIDE;
    starts.push(start);
    lasts.push(start + size - 1n);
  }
  return { starts, lasts };
}

export function planFor(n: number): Plan {
  const random = randomNumbers(3);
  const requested = Uint32Array.from({ length: QUERIES }, () => random() % n);
  return {
    n,
    maps: rangesOf(shuffled(n, 1), AREA_SIZE),
    queries: rangesOf(requested, QUERY_SIZE),
    hits: requested.reduce((sum, i) => sum + Math.min(3, n - i), 0),
    unmaps: rangesOf(shuffled(n, 2), AREA_SIZE),
  };
}

type BenchName = Measurement['bench'];

/** One step of a round: what is timed, and how many operations that is. */
interface Step {
  readonly bench: BenchName;
  /** Runs the step on an address space; answers the number of operations. Throws if an answer is wrong. */
  run(subject: Subject): number;
}

/** The steps of a round, each on what the one before left. */
function stepsOf(
  { name: contender, choosesAt = 0x20_0000n }: Contender,
  { n, maps, queries, hits, unmaps }: Plan,
  canChoose: boolean,
): readonly Step[] {
  const end = FIRST_AREA + BigInt(n - 1) * STRIDE + AREA_SIZE;
  const choosing = canChoose ? [choosingStep(contender, end, choosesAt)] : [];
  return [
    {
      bench: 'map-random',
      run(subject) {
        for (let k = 0; k < n; k++) subject.map(maps.starts[k] as bigint, maps.lasts[k] as bigint, AREA_SIZE);
        return n;
      },
    },
    {
      bench: 'query-3',
      run(subject) {
        let met = 0;
        for (let k = 0; k < QUERIES; k++) met += subject.query(queries.starts[k] as bigint, queries.lasts[k] as bigint);
        if (met !== hits) throw new Error(`${contender}: ${met} hits instead of ${hits}`);
        return QUERIES;
      },
    },
    ...choosing,
    {
      bench: 'unmap-random',
      run(subject) {
        for (let k = 0; k < n; k++) subject.unmap(unmaps.starts[k] as bigint, unmaps.lasts[k] as bigint, AREA_SIZE);
        return n;
      },
    },
  ];
}

/** Chooses places for `LARGE` bytes behind `end`, and checks that they are the first ones at multiples of `alignment`. */
function choosingStep(contender: string, end: bigint, alignment: bigint): Step {
  return {
    bench: 'alloc-past-n',
    run(subject) {
      // As many as fit into a second, so that a linear search ends too.
      let count = 0;
      const began = performance.now();
      while (count < LARGE_PLACES && (count === 0 || performance.now() - began < 1000)) {
        const place = subject.choose?.(LARGE) ?? -1n;
        if (place !== firstPlaceFrom(end, count, alignment))
          throw new Error(`${contender}: chose 0x${place.toString(16)}`);
        count++;
      }
      return count;
    },
  };
}

/** The i-th place of `LARGE` bytes behind `end`, at a multiple of `alignment`. */
function firstPlaceFrom(end: bigint, i: number, alignment: bigint): bigint {
  return ((end + alignment - 1n) / alignment) * alignment + BigInt(i) * LARGE;
}

/**
 * Runs all rounds of one contender, each on an address space of its own; one measurement per benchmark. A sample is the
 * time of one operation in milliseconds, the mean of a step.
 */
export async function measure(contender: Contender, plan: Plan): Promise<readonly Measurement[]> {
  const rounds = contender.rounds(plan.n);
  const subjects = Array.from({ length: rounds }, () => contender.create());
  const first = new Map<BenchName, number>();
  const bench = new Bench({ iterations: rounds, time: 0, warmup: false, throws: true });
  for (const { bench: name, run } of stepsOf(contender, plan, subjects[0]?.choose !== undefined)) {
    const waiting = subjects.values();
    const time = () => {
      const { value: subject } = waiting.next();
      if (!subject) throw new Error(`${contender.name}: more than ${rounds} rounds`);
      const began = bench.now();
      const operations = run(subject);
      const each = (bench.now() - began) / operations;
      if (!first.has(name)) first.set(name, each);
      return { overriddenDuration: each };
    };
    bench.add(name, time, { async: false });
  }
  await bench.run();
  return bench.tasks.map(({ name, result }) => {
    if (result.state !== 'completed') throw new Error(`${contender.name}: ${name} was not completed`);
    return {
      bench: name as BenchName,
      n: plan.n,
      impl: contender.name,
      ops_per_s: perSecond(result.latency.p50),
      first_ops_per_s: perSecond(first.get(name as BenchName) ?? 0),
      rounds,
    };
  });
}

function perSecond(milliseconds: number): number {
  return Number((1000 / milliseconds).toPrecision(4));
}

/**
 * Bytes that an implementation holds for each area, addresses included where it keeps them as objects. `heap` collects
 * garbage and answers the bytes in use.
 */
export function bytesPerArea(contender: Contender, { n, maps }: Plan, heap: () => number): number {
  const subject = contender.create();
  // Addresses that only the subject holds: those of the plan would be there anyway.
  const own = (value: bigint): bigint => value + BigInt(n) - BigInt(n);
  const before = heap();
  for (let k = 0; k < n; k++) subject.map(own(maps.starts[k] as bigint), own(maps.lasts[k] as bigint), AREA_SIZE);
  const bytes = heap() - before;
  // Still in use here, or it would be garbage above.
  if (subject.query(maps.starts[0] as bigint, maps.starts[0] as bigint) !== 1) throw new Error('an area is missing');
  return bytes / n;
}
