// How an ACPI table about IOMMUs is recognized in bytes.

export const TABLE_NAMES = ['DMAR', 'IVRS', 'IORT'] as const;
export type TableName = (typeof TABLE_NAMES)[number];

/** Bytes before the contents: the signature, the length, and where the table comes from. */
export const HEADER = 36;
/** No table is larger: a length above it is something else. */
export const LENGTH_MAX = 4 * 2 ** 20;

export function tableNameOf(head: Uint8Array): TableName | undefined {
  const signature = String.fromCharCode(...head.subarray(0, 4));
  return TABLE_NAMES.find((name) => name === signature);
}

/** True if the bytes start with the header of such a table. */
export function isAcpiTable(head: Uint8Array): boolean {
  if (head.length < HEADER || tableNameOf(head) === undefined) return false;
  const length = new DataView(head.buffer, head.byteOffset, head.byteLength).getUint32(4, true);
  // Text has letters after such a word: read as a length, they are larger than any table.
  return length >= HEADER && length <= LENGTH_MAX;
}
