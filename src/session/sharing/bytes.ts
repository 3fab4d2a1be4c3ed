/** Concatenates the parts, up to `max` bytes. */
export function concatenated(parts: readonly Uint8Array[], max = Number.POSITIVE_INFINITY): Uint8Array<ArrayBuffer> {
  const length = parts.reduce((total, part) => total + part.length, 0);
  const bytes = new Uint8Array(Math.min(length, max));
  let at = 0;
  for (const part of parts) {
    const kept = part.subarray(0, bytes.length - at);
    bytes.set(kept, at);
    at += kept.length;
  }
  return bytes;
}
