// What everything needs that reads the files of one source.
import type { SessionHeader } from '../../session/events.ts';
import type { BinaryFormat } from '../format.ts';
import type { LineFormats } from '../text/dispatch.ts';
import type { Collector } from './collector.ts';
import type { Pacer } from './pacer.ts';
import { StreamFailure } from './streams.ts';

export interface SourceReading {
  readonly lineFormats: LineFormats;
  readonly binaryFormats: readonly BinaryFormat[];
  readonly collector: Collector;
  readonly pacer: Pacer;
  /** Headers of the session files that were read. */
  readonly headers: SessionHeader[];
  /** Makes the source of another host whose files are in the same archive; absent inside of folders and other archives. */
  readonly newSource?: ((name: string) => SourceReading) | undefined;
  /** Gets the decoded text of every file of text, in pieces. */
  readonly onText: ((file: string, piece: string) => void) | undefined;
}

/** Reads a file; if its stream fails, that becomes a diagnostic. Aborts and bugs are thrown on. */
export async function reportFailure(
  { collector, pacer }: SourceReading,
  file: string,
  read: () => Promise<void>,
): Promise<void> {
  try {
    await read();
  } catch (error) {
    pacer.throwIfAborted();
    if (!(error instanceof StreamFailure)) throw error;
    collector.diagnostic(file, 'unreadable', { reason: error.message });
  }
}
