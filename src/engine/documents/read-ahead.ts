// Reads a large file in slices, ahead of use.

/** Bytes of a file that are read at once: streams of files give so little at once that most of the time would be waiting. */
const SLICE_BYTES = 2 ** 20;

/** The bytes of a file, of which the next are read while the last are used. */
export async function* readAhead(data: Blob): AsyncGenerator<Uint8Array, void, undefined> {
  const read = (from: number) => {
    const bytes = data.slice(from, from + SLICE_BYTES).arrayBuffer();
    // Reported when it is its turn, if it is still wanted then.
    bytes.catch(() => undefined);
    return bytes;
  };
  let next = read(0);
  for (let at = 0; at < data.size; ) {
    const bytes = new Uint8Array(await next);
    at += SLICE_BYTES;
    if (at < data.size) next = read(at);
    yield bytes;
  }
}
