import { type MouseEvent, useState } from 'react';
import type { EventDensity } from '../../engine/protocol/sessions.ts';
import { counted, groupedDecimal } from '../../iova/format.ts';
import { seek } from '../state/documents.ts';
import './density-strip.css';

/** Share of the height that a span with few events has, so that it is seen. */
const HEIGHT_MIN = 0.06;

const total = (counts: readonly number[]) => counts.reduce((sum, count) => sum + count, 0);

/** A time, as exact as the spans are. */
function timeText(seconds: number, length: number): string {
  const decimals = Math.min(6, Math.max(0, -Math.floor(Math.log10(length))));
  const [whole = '0', rest] = Math.abs(seconds).toFixed(decimals).split('.');
  const number = groupedDecimal(BigInt(whole)) + (rest === undefined ? '' : `.${rest}`);
  return `${seconds < 0 ? '−' : ''}${number} s`;
}

/** Bars for a number of events in each span, which stand on others. */
function bars(counts: readonly number[], below: readonly number[] | undefined, max: number): string {
  const height = (count: number) => (count === 0 ? 0 : Math.max(HEIGHT_MIN, count / max));
  return counts
    .map((count, span) => {
      const from = below?.[span] ?? 0;
      return count === 0 ? '' : `M${span} ${1 - height(from)}V${1 - height(from + count)}h1V${1 - height(from)}z`;
    })
    .join('');
}

/** When the events of a long trace happened, over time, with those that are only counted. A click goes to the moment. */
export function DensityStrip({
  id,
  position,
  density,
}: {
  readonly id: string;
  readonly position: number;
  readonly density: EventDensity;
}) {
  const { source, start, length, counts, listed, positions } = density;
  const [pointed, setPointed] = useState<number>();
  const max = Math.max(...counts);
  const only = counts.map((count, span) => count - (listed[span] ?? 0));
  const end = start + counts.length * length;
  const busiest = counts.indexOf(max);
  const now = positions.findIndex((last) => last >= position);
  const spanText = (span: number) =>
    `${timeText(start + span * length, length)} to ${timeText(start + (span + 1) * length, length)}`;
  const spanAt = ({ clientX, currentTarget }: MouseEvent<SVGSVGElement>) => {
    const { left, width } = currentTarget.getBoundingClientRect();
    return Math.min(counts.length - 1, Math.max(0, Math.floor(((clientX - left) / width) * counts.length)));
  };
  const shares = `${groupedDecimal(BigInt(total(only)))} of ${counted(total(counts), 'mapping event')} only counted`;
  const message = `${source}, ${timeText(start, length)} to ${timeText(end, length)}: ${shares}. At most ${counted(max, 'event')} in ${timeText(length, length)}, from ${timeText(start + busiest * length, length)} on.`;
  return (
    <div className="density-strip" data-testid="density">
      {/* The slider above goes to each moment with the keyboard. */}
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: see above */}
      <svg
        role="img"
        aria-label={message}
        viewBox={`0 0 ${counts.length} 1`}
        preserveAspectRatio="none"
        onPointerMove={(event) => setPointed(spanAt(event))}
        onPointerLeave={() => setPointed(undefined)}
        onClick={(event) => void seek(id, positions[spanAt(event)] ?? position)}
      >
        <path className="density-listed" d={bars(listed, undefined, max)} />
        <path className="density-counted" d={bars(only, listed, max)} />
        {now >= 0 && <path className="density-now" d={`M${now + 0.5} 0V1`} />}
      </svg>
      <p>
        <span>{timeText(start, length)}</span>
        {pointed === undefined ? (
          <span>
            <i className="density-key counted" /> only counted <i className="density-key listed" /> listed
          </span>
        ) : (
          <span>
            {spanText(pointed)}: {counted(counts[pointed] ?? 0, 'event')}, {groupedDecimal(BigInt(only[pointed] ?? 0))}{' '}
            only counted
          </span>
        )}
        <span>{timeText(end, length)}</span>
      </p>
    </div>
  );
}
