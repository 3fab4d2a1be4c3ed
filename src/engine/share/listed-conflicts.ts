// The conflicts below a picture in a file, each with its rule and source.
import { placesText } from '../../analysis/host/host.ts';
import type { ListedBand } from '../../timeline/scene/bands.ts';
import { SEVERITY_INKS } from '../answers/numbered-bands.ts';
import type { Answered } from '../protocol/answers.ts';

/** Maximum number of listed conflicts; the others are counted. */
const LISTED_MAX = 60;

export function listedConflicts({ rows, more }: Pick<Answered, 'rows' | 'more'>): {
  readonly bands: readonly ListedBand[];
  readonly more: number;
} {
  const bands = rows.slice(0, LISTED_MAX).map(({ number, severity, title, errno, source, provenance }): ListedBand => {
    const detail = [errno, source, placesText(provenance) || undefined];
    return {
      ...{ number, ink: SEVERITY_INKS[severity], message: `${severity}: ${title}` },
      detail: detail.filter((part) => part !== undefined).join(' · '),
    };
  });
  return { bands, more: more + Math.max(0, rows.length - LISTED_MAX) };
}
