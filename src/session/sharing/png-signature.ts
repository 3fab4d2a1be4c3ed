export const PNG_SIGNATURE: readonly number[] = [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a];

/** True if the bytes begin like a PNG file. */
export function isPng(head: Uint8Array): boolean {
  return PNG_SIGNATURE.every((byte, i) => head[i] === byte);
}
