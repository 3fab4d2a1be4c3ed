import { useState } from 'react';
import type { SpaceFit, SpaceHoles } from '../../engine/protocol/answers.ts';
import { counted, formatRange, formatSize, groupedDecimal, groupedHex } from '../../iova/format.ts';
import { parseAddress, parseSize } from '../../iova/parse.ts';
import { useApp } from '../state/app-state.ts';
import { useAnswer } from '../state/use-answer.ts';
import { showRange } from '../state/view.ts';
import { NextDma } from './next-dma.tsx';
import './questions.css';

const ALIGNMENTS: readonly bigint[] = [0x1000n, 0x20_0000n, 0x4000_0000n];

interface Question {
  readonly size: bigint;
  readonly alignment: bigint;
  readonly at?: bigint | undefined;
}

/** The question in the form, or what is wrong with it. */
function questionOf(size: string, alignment: string, at: string): Question | string {
  const bytes = parseSize(size);
  if (!bytes.ok) return `Size: ${bytes.error.message}`;
  if (bytes.value === 0n) return 'Size: at least one byte';
  const unit = parseSize(alignment.trim() === '' ? '1' : alignment);
  if (!unit.ok) return `Alignment: ${unit.error.message}`;
  if (unit.value === 0n || (unit.value & (unit.value - 1n)) !== 0n) return 'Alignment: expected a power of two';
  if (at.trim() === '') return { size: bytes.value, alignment: unit.value };
  const address = parseAddress(at);
  return address.ok
    ? { size: bytes.value, alignment: unit.value, at: address.value }
    : `Address: ${address.error.message}`;
}

function Jump({ start, last }: { start: bigint; last: bigint }) {
  return (
    <button type="button" className="link mono" onClick={() => showRange(start, last)}>
      {groupedHex(start)} – {groupedHex(last)}
    </button>
  );
}

const START_ERRORS: Readonly<Record<NonNullable<SpaceFit['startError']>, string>> = {
  misaligned: 'The address is not a multiple of the alignment.',
  'past-the-end': 'The range would extend past the end of the 64-bit address space.',
};

function Answer({ answer, question }: { answer: SpaceFit; question: Question }) {
  const { fits, places, placesMore, together, largest, blockers, startError } = answer;
  return (
    <li>
      <p>
        <strong className={fits ? 'fits' : 'severity-error'}>{fits ? 'Fits' : 'Does not fit'}</strong> in {answer.space}
        {fits && question.at === undefined && <span className="second">, up to {groupedDecimal(together)} fit</span>}
      </p>
      {startError && <p>{START_ERRORS[startError]}</p>}
      {places.length > 0 && question.at === undefined && (
        <ul>
          {places.slice(0, 12).map((place) => (
            <li key={place.first.toString()}>
              <Jump start={place.first} last={place.first + question.size - 1n} />{' '}
              {place.last > place.first && (
                <span className="second">or later, last possible start {groupedHex(place.last)}</span>
              )}
            </li>
          ))}
          {places.length + placesMore > 12 && (
            <li className="second">and {places.length + placesMore - 12} more holes</li>
          )}
        </ul>
      )}
      {!fits &&
        blockers.map((b) => (
          <p key={`${b.start} ${b.last} ${b.message}`}>
            Blocked by: {b.message} <Jump start={b.start} last={b.last} />
          </p>
        ))}
      {!fits && largest && (
        <p>
          Largest that fits {question.at === undefined ? 'at this alignment' : 'at this address'}:{' '}
          {formatSize(largest.size)}, <Jump start={largest.start} last={largest.start + largest.size - 1n} />
        </p>
      )}
    </li>
  );
}

function Fit() {
  const revision = useApp((s) => s.picture?.arrangement.revision);
  const [size, setSize] = useState('1G');
  const [alignment, setAlignment] = useState('2M');
  const [at, setAt] = useState('');
  const question = questionOf(size, alignment, at);
  const isComplete = typeof question !== 'string';
  const answers = useAnswer('fit', isComplete && revision !== undefined ? question : undefined, revision).value ?? [];

  const field = (label: string, value: string, set: (text: string) => void, hint: string) => (
    <label>
      {label}{' '}
      <input value={value} placeholder={hint} onChange={(event) => set(event.target.value)} spellCheck={false} />
    </label>
  );
  return (
    <section aria-label="Would this fit?" className="fit" data-testid="fit">
      <h3>Would this fit?</h3>
      <form className="fit-form" onSubmit={(event) => event.preventDefault()}>
        {field('Size', size, setSize, '1G')}
        {field('Alignment', alignment, setAlignment, 'any')}
        {field('Address', at, setAt, 'anywhere')}
      </form>
      {typeof question === 'string' ? (
        <p className="severity-error">{question}</p>
      ) : (
        <ul className="answers">
          {answers.map((answer) => (
            <Answer key={answer.space} answer={answer} question={question} />
          ))}
          {answers.length === 0 && <li className="hint">No usable ranges are known: select a group.</li>}
        </ul>
      )}
    </section>
  );
}

function Histogram({ holes }: { holes: SpaceHoles }) {
  const max = Math.max(1, ...holes.histogram.map(({ count }) => count));
  return (
    <table className="histogram">
      <caption>Holes by size</caption>
      <thead>
        <tr>
          <th scope="col">Size from</th>
          <th scope="col">Holes</th>
          <th scope="col">Total</th>
        </tr>
      </thead>
      <tbody>
        {holes.histogram.map(({ exponent, count, total }) => (
          <tr key={exponent}>
            <td>{formatSize(1n << BigInt(exponent))}</td>
            <td>
              <span
                className="histogram-bar"
                style={{ width: `${Math.max(2, (90 * count) / max)}px` }}
                aria-hidden="true"
              />{' '}
              {count}
            </td>
            <td>{formatSize(total)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Holes() {
  const revision = useApp((s) => s.picture?.arrangement.revision);
  const params = revision === undefined ? undefined : { alignments: ALIGNMENTS };
  const spaces = useAnswer('holes', params, revision).value ?? [];
  return (
    <section aria-label="Free space" className="holes">
      <h3>Free space</h3>
      {spaces.map((space) => (
        <div key={space.space}>
          <p>
            <strong>{space.space}</strong> <span className="second">{space.note}</span>
          </p>
          <p>
            {counted(space.count, 'hole')}, {formatSize(space.total)} in total
            {space.largest && (
              <>
                ; largest: {formatSize(space.largest.last - space.largest.start + 1n)},{' '}
                <span className="mono second">{formatRange(space.largest)}</span>
              </>
            )}
          </p>
          <p className="second">
            {space.aligned
              .map(
                ({ alignment, largest }) =>
                  `aligned to ${formatSize(alignment)}: ${largest ? formatSize(largest.size) : 'none'}`,
              )
              .join(' · ')}
          </p>
          <Histogram holes={space} />
        </div>
      ))}
    </section>
  );
}

/** Questions about the free space of the picture. */
export function QuestionsPanel() {
  const hasHost = useApp((s) => (s.caseNode?.hosts.length ?? 0) > 0);
  return (
    <div className="questions">
      <Fit />
      <Holes />
      {hasHost && <NextDma />}
    </div>
  );
}
