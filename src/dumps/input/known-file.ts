// Files of folders and archives whose contents were read before, and say the same where they are now: they are put into
// their source at once, without looking for what they are.
import { pathComponents } from '../fields/sysfs-path.ts';
import type { DumpSource } from '../format.ts';
import { REPLACEMENT } from './piece-decoder.ts';
import type { SourceReading } from './source-reading.ts';
import { readLink, readPath } from './sysfs-tree.ts';

/** Keeps a byte order mark: the same text means the same bytes. */
const DECODER = new TextDecoder('utf-8', { ignoreBOM: true });

/**
 * Takes a file if its contents are known; false if it must be read. `bytes`: all of it. What a file is depends on its bytes
 * alone: what was read as text before is text here too.
 */
export function takeKnownFile(
  { lineFormats, collector, onText }: SourceReading,
  source: DumpSource,
  bytes: Uint8Array,
): boolean {
  const known = lineFormats.repeatedTexts;
  const texts = known?.textsAt(source);
  if (!known || !texts || bytes.length === 0) return false;
  const text = DECODER.decode(bytes);
  if (text.includes(REPLACEMENT) || !known.replayFile(source, texts, text, collector)) return false;
  collector.files++;
  onText?.(source.name, text);
  return true;
}

/** What is taken of a `DumpInput` (open.ts), which says what its parts are. */
interface FolderFile {
  readonly name: string;
  readonly link?: string;
  atOnce?(): Uint8Array | undefined;
}

/** What was read at once of an input. */
export type AtOnce = { readonly bytes: Uint8Array } | { readonly error: unknown };

/**
 * Takes a file of a folder: `taken` if there is nothing to be read. Otherwise the result is its contents if they could be
 * read at once, or why that failed; undefined if they must be streamed.
 */
export function takeFromFolder(
  reading: SourceReading,
  input: FolderFile,
  onBytes: (length: number) => void,
): 'taken' | AtOnce | undefined {
  const { collector } = reading;
  const source = { name: input.name, path: pathComponents(input.name) };
  if (input.link !== undefined) {
    collector.files++;
    readLink(collector, input.name, input.link, source.path);
    return 'taken';
  }
  readPath(collector, input.name, source.path);
  let bytes: Uint8Array | undefined;
  try {
    bytes = input.atOnce?.();
  } catch (error) {
    return { error };
  }
  if (!bytes) return undefined;
  if (!takeKnownFile(reading, source, bytes)) return { bytes };
  collector.size += bytes.length;
  onBytes(bytes.length);
  return 'taken';
}
