/** The addresses in an event or in a part of one, in the order of its fields. */
export function addressesIn(value: unknown): bigint[] {
  if (typeof value === 'bigint') return [value];
  return typeof value === 'object' && value !== null ? Object.values(value).flatMap(addressesIn) : [];
}
