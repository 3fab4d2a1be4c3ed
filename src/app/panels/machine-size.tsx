import { useState } from 'react';
import { Label, Slider, SliderOutput, SliderThumb, SliderTrack } from 'react-aria-components';
import type { GuestSizes } from '../../engine/protocol/answers.ts';
import { formatExactSize, formatSize, shortExactSize } from '../../iova/format.ts';
import { isIova } from '../../iova/iova.ts';
import { parseSize } from '../../iova/parse.ts';
import { useApp } from '../state/app-state.ts';
import { chooseGuest, ramOf, type SizedChoice, withRam } from '../state/guests.ts';
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
    sizes?.sizes.some(({ min, max }) => min <= stop && stop <= max) ? 'var(--good)' : 'var(--alarm)',
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

/** What can be tried: undefined if the size is no amount of RAM. */
function problemOf(size: bigint, sizes: GuestSizes | undefined): string | undefined {
  if (size < 1n) return 'A guest needs at least one byte of RAM.';
  if (sizes && size > sizes.maxRam) return `The machine supports at most ${formatSize(sizes.maxRam)}.`;
  return isIova(size) ? undefined : 'Larger than 64 bits.';
}

/** Says of the size that stands in the box whether it fits. */
function Verdict({ size, sizes }: { size: bigint; sizes: GuestSizes }) {
  const last = sizes.sizes.at(-1);
  const isFitting = sizes.sizes.some(({ min, max }) => min <= size && size <= max);
  return (
    <p data-testid="guest-fits">
      <strong className={isFitting ? 'fits' : 'severity-error'}>{isFitting ? 'Fits.' : 'Does not fit.'}</strong>{' '}
      {last && last.max >= sizes.maxRam && sizes.sizes.length === 1
        ? 'Any size fits.'
        : `Sizes that fit: ${sizes.message}.`}
      {!sizes.isApertureKnown && ' The aperture is unknown and may be smaller.'}
      {new Set(sizes.hosts.map(({ message }) => message)).size > 1 &&
        sizes.hosts.map((host) => (
          <span key={host.title} className="second guest-host">
            {host.title}: {host.message}
          </span>
        ))}
    </p>
  );
}

/** The RAM of a guest, and which sizes fit. */
export function MachineSize({ choice }: { choice: SizedChoice }) {
  const ram = ramOf(choice);
  const [machine, definition] =
    choice.kind === 'machine' ? [choice.machine, undefined] : [choice.definition.machine, choice.definition];
  const selectedGroups = useApp((s) => s.selectedGroups);
  const { value: sizes, error } = useAnswer('guestSizes', { machine, definition, selectedGroups });
  /** What is being typed; undefined: the box shows the RAM that is tried. */
  const [text, setText] = useState<string>();
  const parsed = text === undefined ? undefined : parseSize(text);
  const size = parsed ? (parsed.ok ? parsed.value : undefined) : ram;
  const problem = parsed?.ok === false ? parsed.error.message : size === undefined ? undefined : problemOf(size, sizes);
  const setRam = (next: bigint) => {
    setText(undefined);
    if (next !== ram) void chooseGuest(withRam(choice, next));
  };
  const apply = () => {
    if (text !== undefined && size !== undefined && problem === undefined) setRam(size);
  };
  const last = sizes?.sizes.at(-1);
  return (
    <>
      <Slider
        className="scrubber"
        minValue={0}
        maxValue={STOPS.length - 1}
        value={stopOf(size ?? ram)}
        onChange={(value) => {
          const stop = typeof value === 'number' ? STOPS[value] : undefined;
          if (stop !== undefined) setRam(stop);
        }}
      >
        <Label>RAM</Label>
        <SliderOutput data-testid="guest-ram">{() => (size === undefined ? '?' : formatExactSize(size))}</SliderOutput>
        <SliderTrack className="track">
          <div className="fit-strip" style={{ backgroundImage: fitStrip(sizes) }} />
          <SliderThumb className="thumb" />
        </SliderTrack>
      </Slider>
      <form
        className="guest-exact"
        onSubmit={(event) => {
          event.preventDefault();
          apply();
        }}
      >
        <label>
          Exact size{' '}
          <input
            value={text ?? shortExactSize(ram)}
            onChange={(event) => setText(event.target.value)}
            onBlur={apply}
            onKeyDown={(event) => {
              if (event.key === 'Escape') setText(undefined);
            }}
            aria-invalid={problem !== undefined}
            aria-describedby={problem === undefined ? undefined : 'guest-size-problem'}
            spellCheck={false}
            autoComplete="off"
          />
        </label>
        {last && last.max < (sizes?.maxRam ?? 0n) && (
          <button type="button" className="button" onClick={() => setRam(last.max)}>
            Largest that fits
          </button>
        )}
      </form>
      {problem !== undefined && (
        <p className="severity-error" id="guest-size-problem">
          {problem}
        </p>
      )}
      {problem === undefined && size !== undefined && sizes && <Verdict size={size} sizes={sizes} />}
      {error && <p className="severity-error">{error.message}</p>}
    </>
  );
}
