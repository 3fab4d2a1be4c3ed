// The ranges of a decoded buffer as a session. Loaded with the buffer panel.
import type { DecodedBuffer } from '../../engine/protocol/answers.ts';
import { iova } from '../../iova/iova.ts';
import type { SessionEvent } from '../../session/events.ts';
import { newSession } from '../../session/session.ts';
import { writeSession } from '../../session/write.ts';
import { open } from './documents.ts';

/** Opens the ranges of a decoded buffer as a session. */
export async function openRanges({ structure, ranges, rangesAre, pageSizes }: DecodedBuffer): Promise<void> {
  const first = ranges[0];
  const tail = ranges.at(-1);
  if (!first || !tail) return;
  const source = structure;
  const events: SessionEvent[] = ranges.map(({ start, last }) =>
    rangesAre === 'reserved'
      ? { kind: 'reserved', start, last, type: 'reserved', origin: 'manual', source }
      : { kind: 'valid_range', start, last, container: structure, source },
  );
  if (pageSizes !== undefined && rangesAre !== 'reserved') {
    const pgsize_bitmap = iova(pageSizes);
    events.push({ kind: 'aperture', start: first.start, last: tail.last, container: structure, pgsize_bitmap, source });
  }
  const text = writeSession({ ...newSession({ title: structure }), events });
  await open(structure, [{ name: structure, data: new Blob([text]) }]);
}
