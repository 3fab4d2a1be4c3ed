import { useState } from 'react';
import { Label, Slider, SliderOutput, SliderThumb, SliderTrack } from 'react-aria-components';
import type { GuestChoice, GuestSizes } from '../../engine/protocol/answers.ts';
import { formatExactSize, shortExactSize } from '../../iova/format.ts';
import { parseSize } from '../../iova/parse.ts';
import { useApp } from '../state/app-state.ts';
import { setGuest } from '../state/conflicts.ts';
import { useAnswer } from '../state/use-answer.ts';
import './slider.css';

const GIB = 1n << 30n;

/** Sizes that the slider stops at: finer where guests are small. */
const STOPS: readonly bigint[] = [
  ...steps(GIB / 4n, 4n * GIB, GIB / 4n),
  ...steps(5n * GIB, 16n * GIB, GIB),
  ...steps(20n * GIB, 128n * GIB, 4n * GIB),
  ...steps(144n * GIB, 2048n * GIB, 16n * GIB),
];

function steps(from: bigint, to: bigint, by: bigint): bigint[] {
  const list: bigint[] = [];
  for (let size = from; size <= to; size += by) list.push(size);
  return list;
}

/** Index of the last stop that is not above a size. */
function stopOf(ram: bigint): number {
  return Math.max(
    0,
    STOPS.findLastIndex((stop) => stop <= ram),
  );
}

/** A gradient that shows below the slider which sizes fit (green) and which do not (red). */
function fitStrip(sizes: GuestSizes | undefined): string {
  const colours = STOPS.map((stop) =>
    sizes?.sizes.some(({ min, max }) => min <= stop && stop <= max) ? 'var(--fits)' : 'var(--error)',
  );
  const share = 100 / STOPS.length;
  const parts: string[] = [];
  for (let i = 0; i < colours.length; ) {
    let end = i;
    while (end < colours.length && colours[end] === colours[i]) end++;
    parts.push(`${colours[i]} ${i * share}% ${end * share}%`);
    i = end;
  }
  return `linear-gradient(to right, ${parts.join(', ')})`;
}

/** The RAM of a machine, and which sizes fit. */
export function MachineSize({ guest }: { guest: Extract<GuestChoice, { kind: 'machine' }> }) {
  const { machine, ram } = guest;
  const selectedGroups = useApp((s) => s.selectedGroups);
  const sizes = useAnswer('guestSizes', { machine, selectedGroups }).value;
  const [text, setText] = useState<string>();
  const parsed = text === undefined ? undefined : parseSize(text);
  const setRam = (size: bigint) => {
    setText(undefined);
    void setGuest({ ...guest, ram: size });
  };
  const last = sizes?.sizes.at(-1);
  const isFitting = sizes?.sizes.some(({ min, max }) => min <= ram && ram <= max);
  return (
    <>
      <Slider
        className="scrubber"
        minValue={0}
        maxValue={STOPS.length - 1}
        value={stopOf(ram)}
        onChange={(value) => {
          const stop = typeof value === 'number' ? STOPS[value] : undefined;
          if (stop !== undefined) setRam(stop);
        }}
      >
        <Label>RAM</Label>
        <SliderOutput data-testid="guest-ram">{() => formatExactSize(ram)}</SliderOutput>
        <SliderTrack className="track">
          <div className="fit-strip" style={{ backgroundImage: fitStrip(sizes) }} />
          <SliderThumb className="thumb" />
        </SliderTrack>
      </Slider>
      <form
        className="guest-exact"
        onSubmit={(event) => {
          event.preventDefault();
          if (parsed?.ok) setRam(parsed.value);
        }}
      >
        <label>
          Exact size{' '}
          <input
            value={text ?? shortExactSize(ram)}
            onChange={(event) => setText(event.target.value)}
            aria-invalid={parsed?.ok === false}
          />
        </label>
        {last && last.max < (sizes?.maxRam ?? 0n) && (
          <button type="button" className="button" onClick={() => setRam(last.max)}>
            Largest that fits
          </button>
        )}
      </form>
      {parsed?.ok === false && <p className="severity-error">{parsed.error.message}</p>}
      {sizes && (
        <p data-testid="guest-fits">
          <strong className={isFitting ? 'fits' : 'severity-error'}>{isFitting ? 'Fits.' : 'Does not fit.'}</strong>{' '}
          {last && last.max >= sizes.maxRam && sizes.sizes.length === 1
            ? 'Any size fits.'
            : `Sizes that fit: ${sizes.message}.`}
          {!sizes.isApertureKnown && ' The aperture is unknown and may be smaller.'}
          {sizes.hosts.length > 1 &&
            sizes.hosts.map((host) => (
              <span key={host.title} className="second guest-host">
                {host.title}: {host.message}
              </span>
            ))}
        </p>
      )}
    </>
  );
}
