// Makes objects that differ only in their numbers.

export type Value = bigint | number;
type Make = (numbers: ArrayLike<Value>, from: number) => unknown;

/**
 * A function that makes copies of `value`, a tree of plain objects and arrays: the numbers that are keys of `places` are
 * replaced by `numbers[from + place]`, everything else is shared. Undefined if there is no such number. Adds the places to
 * `found`, in the order of the fields. A field named `__proto__` must not occur.
 */
export function makerOf(value: unknown, places: ReadonlyMap<Value, number>, found: number[]): Make | undefined {
  if (typeof value === 'bigint' || typeof value === 'number') {
    const place = places.get(value);
    if (place === undefined) return undefined;
    found.push(place);
    return (numbers, from) => numbers[from + place];
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const parts = Object.entries(value).flatMap(([key, part]) => {
    const make = makerOf(part, places, found);
    return make ? [{ key, make }] : [];
  });
  if (parts.length === 0) return undefined;
  if (Array.isArray(value)) {
    return (numbers, from) => {
      const made = [...value];
      for (const { key, make } of parts) made[Number(key)] = make(numbers, from);
      return made;
    };
  }
  // An object from JSON.parse has room for exactly its fields, and so have copies of it.
  const blank: Record<string, unknown> = JSON.parse(
    JSON.stringify(value, (_key, part) => (typeof part === 'bigint' ? 0 : part)),
  );
  Object.assign(blank, value);
  return (numbers, from) => {
    const made = { ...blank };
    for (const { key, make } of parts) made[key] = make(numbers, from);
    return made;
  };
}
