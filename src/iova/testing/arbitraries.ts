// Generators for property tests: addresses, most of them where arithmetic goes wrong.
import * as fc from 'fast-check';
import { IOVA_MAX, type Iova } from '../iova.ts';
import type { IovaRange } from '../range.ts';

const EDGES = [0n, 1n << 12n, 1n << 32n, 1n << 53n, 1n << 63n, IOVA_MAX];

function clamp(value: bigint): Iova {
  return (value < 0n ? 0n : value > IOVA_MAX ? IOVA_MAX : value) as Iova;
}

/** Addresses of the whole space, most of them near 0, 2^12, 2^32, 2^53, 2^63 and 2^64−1. */
export const anyAddress: fc.Arbitrary<Iova> = fc.oneof(
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: IOVA_MAX }).map(clamp) },
  {
    weight: 4,
    arbitrary: fc
      .tuple(fc.constantFrom(...EDGES), fc.integer({ min: -40, max: 40 }))
      .map(([edge, offset]) => clamp(edge + BigInt(offset))),
  },
);

/** Inclusive ranges between two such addresses: from a single byte to the whole space. */
export const anyRange: fc.Arbitrary<IovaRange> = fc
  .tuple(anyAddress, anyAddress)
  .map(([a, b]) => (a <= b ? { start: a, last: b } : { start: b, last: a }));

/** Short ranges near the edges, so that several of them fit side by side. */
export const shortRange: fc.Arbitrary<IovaRange> = fc
  .tuple(anyAddress, fc.integer({ min: 0, max: 12 }))
  .map(([start, more]) => ({ start, last: clamp(start + BigInt(more)) }));

/** Checks a property; throws with the shortest counterexample that was found. */
export function assertProperty<T>(property: fc.IProperty<T>, parameters: fc.Parameters<T> = {}): void {
  void fc.assert(property, parameters);
}

/** Parameters of a property that needs `factor` times the usual number of runs. */
export function timesRuns(factor: number): { readonly numRuns: number } {
  return { numRuns: factor * (fc.readConfigureGlobal().numRuns ?? 100) };
}
