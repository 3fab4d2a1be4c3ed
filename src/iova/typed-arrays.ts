// Growing typed arrays, and reading them in loops that visit millions of elements. The compiler types `array[i]` as possibly undefined. The
// callers take their indices from the arrays' own structure, so these helpers do not check: an index outside of the array
// is a bug and reads undefined. One helper for each element type, because an engine compiles one function for one type
// of array to a single load.

/** A copy of `length` elements, at least as many as there are; the new ones are 0. */
export function grown<T extends Uint8Array | Uint32Array | Int32Array | Float64Array | BigUint64Array>(
  array: T,
  length: number,
): T {
  const larger = new (array.constructor as new (n: number) => T)(length);
  // Both have the same type.
  larger.set(array as never);
  return larger;
}

/** `array[i]`, an unsigned 32-bit word. `i` must be inside the array. */
export function wordAt(array: Uint32Array, i: number): number {
  return array[i] as number;
}

/** `array[i]`, a signed 32-bit index. `i` must be inside the array. */
export function indexAt(array: Int32Array, i: number): number {
  return array[i] as number;
}

/** `array[i]`, a double. `i` must be inside the array. */
export function doubleAt(array: Float64Array, i: number): number {
  return array[i] as number;
}
