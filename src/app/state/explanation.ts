import type { EventRow, Reason } from '../../engine/protocol/sessions.ts';
import { range } from '../../iova/range.ts';
import type { Band } from '../../timeline/scene/bands.ts';
import { useApp } from './app-state.ts';
import { seek } from './documents.ts';

/** Bands above the ruler for the requested range and what blocked it. */
export function refusalBands({ requested, obstacle }: Reason, answer: string | undefined): Band[] {
  const bands: Band[] = [];
  if (obstacle) bands.push({ ...range(obstacle.start, obstacle.last), message: obstacle.message, ink: 'accent' });
  if (requested) {
    bands.push({
      ...range(requested.start, requested.last),
      message: `requested, ${answer ?? 'refused'}`,
      ink: 'alarm',
    });
  }
  return bands;
}

/** Goes to the position before a refused operation and shows the requested range and what blocked it. */
export async function explain(id: string, { position, answer, refused }: EventRow): Promise<void> {
  const bands = refused ? refusalBands(refused, answer) : [];
  useApp.setState({ explained: { id, position, bands }, measured: undefined, conflict: undefined });
  await seek(id, position);
}
