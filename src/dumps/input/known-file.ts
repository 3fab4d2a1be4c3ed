// Files of folders and archives whose contents were read before, and say the same where they are now: they are put into
// their source at once, without looking for what they are.
import type { DumpSource } from '../format.ts';
import { REPLACEMENT } from './piece-decoder.ts';
import type { SourceReading } from './source-reading.ts';

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
  if (!known?.has(source) || bytes.length === 0) return false;
  const text = DECODER.decode(bytes);
  if (text.includes(REPLACEMENT) || !known.replay(source, text, collector, true)) return false;
  collector.files++;
  onText?.(source.name, text);
  return true;
}
