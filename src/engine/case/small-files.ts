// Small files of folders, read many at once: a browser takes up to a millisecond for each file that it reads by itself, most
// of it between its processes. Loaded with split-by-host.ts.
import type { SourceInput } from './opened-source.ts';

/** In bytes. Larger files are read by themselves. */
const FILE_MAX = 1 << 16;
/** What is read at once: bytes, and files. */
const BATCH_BYTES = 1 << 20;
const BATCH_FILES = 128;
/** The one that is used, and the next. */
const HELD_MAX = 2;

/** Files that are read at once. */
interface Batch {
  readonly files: Blob[];
  /** Bytes of all. */
  size: number;
  next?: Batch;
}

interface HeldBatch {
  readonly batch: Batch;
  /** Undefined until they are read, and if that was not possible. */
  bytes?: Uint8Array;
  readonly reading: Promise<void>;
}

function hold(batch: Batch): HeldBatch {
  // Fails, or has another size, if one of them cannot be read or has changed: each is then read by itself.
  const reading = new Blob(batch.files).arrayBuffer().then(
    (bytes) => {
      if (bytes.byteLength === batch.size) held.bytes = new Uint8Array(bytes);
    },
    () => undefined,
  );
  const held: HeldBatch = { batch, reading };
  return held;
}

/** Holds the batches that are read, a few at a time. */
class Batches {
  #held: HeldBatch[] = [];

  read(batch: Batch): Promise<void> {
    const known = this.#held.find((one) => one.batch === batch);
    if (known) return known.reading;
    const made = hold(batch);
    this.#held = [...this.#held, made].slice(-HELD_MAX);
    return made.reading;
  }

  /** The bytes from `begin` to `end`, exclusive, if they were read. */
  take(batch: Batch, begin: number, end: number): Uint8Array | undefined {
    const bytes = this.#held.find((one) => one.batch === batch)?.bytes?.subarray(begin, end);
    if (!bytes) return undefined;
    // While these are used, the next are read.
    if (begin === 0 && batch.next) void this.read(batch.next);
    if (end === batch.size) this.#held = this.#held.filter((one) => one.batch !== batch);
    return bytes;
  }
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}

/** The groups, with inputs that read small files many at once. They should be read in this order. */
export function readTogether(groups: readonly SourceInput[][]): SourceInput[][] {
  const batches = new Batches();
  let last: Batch | undefined;
  const batchFor = (): Batch => {
    if (last && last.files.length < BATCH_FILES && last.size < BATCH_BYTES) return last;
    const made: Batch = { files: [], size: 0 };
    if (last) last.next = made;
    last = made;
    return made;
  };
  const together = (one: SourceInput): SourceInput => {
    const { input, file } = one;
    if (!file || input.tree === undefined || input.link !== undefined || input.atOnce) return one;
    const { data } = file;
    // A file of proc says that it is empty.
    if (data.size === 0 || data.size > FILE_MAX) return one;
    const batch = batchFor();
    const begin = batch.size;
    const end = begin + data.size;
    batch.files.push(data);
    batch.size = end;
    const atOnce = () => batches.take(batch, begin, end);
    const stream = async () => {
      await batches.read(batch);
      const bytes = batches.take(batch, begin, end);
      return bytes ? once(bytes) : input.stream();
    };
    return { ...one, input: { ...input, atOnce, stream } };
  };
  return groups.map((group) => group.map(together));
}
