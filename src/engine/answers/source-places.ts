// Where the contents of a report come from: files with ranges of lines.
import { compareNames, type Provenance } from '../../analysis/host/host.ts';
import { numberRuns, runLabel } from '../../iova/number-runs.ts';
import type { SpaceLanes } from '../../timeline/lanes/lane.ts';
import { isWithin } from '../case/source.ts';

/** Maximum number of ranges per row that are considered. */
const RANGES_MAX = 200;
/** Maximum number of line ranges per file. */
const RUNS_MAX = 8;

/** The places of the ranges of lanes, the first ones of each row. */
function placesOf(spaces: readonly SpaceLanes[]): Provenance[] {
  return spaces.flatMap(({ lanes }) =>
    lanes.flatMap((lane) =>
      lane.rows.flatMap((row, index) =>
        Array.from({ length: Math.min(row.starts.length, RANGES_MAX) }, (_, i) =>
          lane.describe(index, i).parts.flatMap(({ provenance }) => provenance),
        ).flat(),
      ),
    ),
  );
}

/**
 * `dmesg.txt:133-135, 340` for each text that was used, in the order of the sources. If nothing from a source is shown, only
 * its name.
 */
export function sourcePlaces(
  spaces: readonly SpaceLanes[],
  more: readonly Provenance[],
  sources: readonly string[],
): string[] {
  const lines = new Map<string, number[]>();
  for (const { source, line } of [...placesOf(spaces), ...more]) {
    const known = lines.get(source) ?? [];
    lines.set(source, known);
    if (line !== undefined) known.push(line);
  }
  return sources.flatMap((name) => {
    const texts = [...lines].filter(([text]) => isWithin(text, name));
    if (texts.length === 0) return [name];
    return texts.sort(([a], [b]) => compareNames(a, b)).map(([text, numbers]) => withLines(text, numbers));
  });
}

function withLines(text: string, numbers: readonly number[]): string {
  const runs = numberRuns(numbers).map(runLabel);
  const more = runs.length - RUNS_MAX;
  if (runs.length === 0) return text;
  return `${text}:${runs.slice(0, RUNS_MAX).join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}
