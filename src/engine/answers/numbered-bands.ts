// Draws conflicts as numbered bands of a picture.
import { intersection } from '../../iova/range.ts';
import type { NumberedBand } from '../../timeline/scene/bands.ts';
import type { ConflictRow } from '../protocol/answers.ts';

export const SEVERITY_INKS = { fatal: 'alarm', warning: 'caution', note: 'muted' } as const;
/** Maximum number of conflicts that get a flag above the plot. */
const FLAGS_MAX = 60;

/** The range of each conflict: where the request overlaps the obstacle, or the one of the two that is known. */
export function numberedBands(rows: readonly ConflictRow[]): NumberedBand[] {
  return rows.slice(0, FLAGS_MAX).flatMap(({ number, severity, title, marks }): NumberedBand[] => {
    const requested = marks.find(({ role }) => role === 'requested');
    const obstacle = marks.find(({ role }) => role === 'obstacle');
    const spot = requested && obstacle ? (intersection(requested, obstacle) ?? requested) : (requested ?? obstacle);
    return spot
      ? [{ number, start: spot.start, last: spot.last, ink: SEVERITY_INKS[severity], message: `${severity}: ${title}` }]
      : [];
  });
}
