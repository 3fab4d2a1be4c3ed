import { deviceTitle } from '../../analysis/host/devices.ts';
import type { CaseDevice } from '../../engine/protocol/case.ts';
import type { Neighbour, RangeDetail } from '../../engine/protocol/picture.ts';
import { formatSize, groupedDecimal, groupedHex, hex } from '../../iova/format.ts';
import { bitLength, lowestSetBit } from '../../iova/iova.ts';
import { useApp } from '../state/app-state.ts';
import { copy } from '../state/clipboard.ts';
import { select } from '../state/selection.ts';
import { CaseNotes, NoteOfRange } from './notes.tsx';
import { Places } from './place-link.tsx';
import { WhatIf } from './what-if.tsx';
import './inspector.css';

const PARTS_MAX = 50;

function CopyButton({ text, what }: { text: string; what: string }) {
  return (
    <button type="button" className="quiet copy" aria-label={`Copy ${what}`} onClick={() => void copy(text, what)}>
      <svg viewBox="0 0 16 16" width="13" height="13" aria-hidden="true">
        <path d="M5.5 5.5h8v8h-8zM10.5 5V2.5h-8v8H5" fill="none" stroke="currentColor" strokeWidth="1.3" />
      </svg>
    </button>
  );
}

function Bound({ name, value, testId }: { name: string; value: bigint; testId: string }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        <span className="mono" data-testid={testId}>
          {groupedHex(value)}
        </span>
        <CopyButton text={hex(value)} what={name} />
        <span className="second">{groupedDecimal(value)}</span>
      </dd>
    </>
  );
}

/** The largest power of two that divides both the start and the size. */
function alignmentLabel(start: bigint, last: bigint): string {
  const divisor = lowestSetBit(start | (last + 1n));
  return divisor === 0n ? 'whole space' : `${formatSize(divisor)} (2^${bitLength(divisor) - 1})`;
}

function NeighbourLine({ name, neighbour }: { name: string; neighbour: Neighbour | undefined }) {
  return (
    <>
      <dt>{name}</dt>
      <dd>
        {neighbour ? (
          <>
            <button type="button" className="link" onClick={() => void select(neighbour.target, { reveal: true })}>
              {neighbour.caption}
            </button>
            <span className="second">
              {neighbour.distance === 0n ? 'adjacent or overlapping' : `${formatSize(neighbour.distance)} away`}
            </span>
          </>
        ) : (
          <span className="second">none in this lane</span>
        )}
      </dd>
    </>
  );
}

/** Devices that a part's owner stands for are named up to this many. */
const DEVICES_MAX = 6;

/** The devices that an owner is or has: it is a PCI address or a group. With several hosts, those of the range's own. */
function devicesOf(owner: string, spaceTitle: string, devices: readonly CaseDevice[]): readonly CaseDevice[] {
  const own = devices.filter(({ device, group }) => device === owner || `group ${group}` === owner);
  const here = own.filter(({ hostName }) => spaceTitle.includes(hostName));
  return here.length > 0 ? here : own;
}

function Devices({ owner, spaceTitle }: { owner: string; spaceTitle: string }) {
  const devices = useApp((s) => s.caseNode?.devices);
  const named = devicesOf(owner, spaceTitle, devices ?? []);
  if (named.length === 0) return null;
  return (
    <ul className="part-devices">
      {named.slice(0, DEVICES_MAX).map((device) => (
        <li key={`${device.hostId} ${device.device}`}>{deviceTitle(device)}</li>
      ))}
      {named.length > DEVICES_MAX && <li className="second">and {named.length - DEVICES_MAX} more</li>}
    </ul>
  );
}

function Sources({ detail }: { detail: RangeDetail }) {
  if (detail.parts.length === 0) {
    return <p className="second">Derived from the other lanes.</p>;
  }
  return (
    <ul className="parts">
      {detail.parts.slice(0, PARTS_MAX).map((part) => (
        <li key={`${part.owner} ${part.range.start} ${part.range.last}`}>
          <strong>{part.owner}</strong>{' '}
          {(part.range.start !== detail.target.start || part.range.last !== detail.target.last) && (
            <span className="mono">
              {groupedHex(part.range.start)} – {groupedHex(part.range.last)}
            </span>
          )}
          <Devices owner={part.owner} spaceTitle={detail.spaceTitle} />
          <Places places={part.provenance} first={10} />
        </li>
      ))}
      {detail.parts.length > PARTS_MAX && <li className="second">and {detail.parts.length - PARTS_MAX} more</li>}
    </ul>
  );
}

/** Exact bounds, size, alignment, meaning, origin and neighbours of the selected range. */
export function Inspector() {
  const detail = useApp((s) => s.selected);
  const measured = useApp((s) => s.measured);
  if (!detail) {
    return (
      <section className="panel inspector" aria-label="Inspector" data-testid="inspector">
        <h2>Inspector</h2>
        {measured ? (
          <dl>
            <Bound name="start" value={measured.start} testId="measured-start" />
            <Bound name="last" value={measured.last} testId="measured-last" />
            <dt>size</dt>
            <dd>{formatSize(measured.last - measured.start + 1n)}</dd>
          </dl>
        ) : (
          <p className="hint">Select a range to see its exact bounds and sources. Shift-drag to measure.</p>
        )}
        <WhatIf key="what-if" />
        <CaseNotes />
      </section>
    );
  }
  const { start, last } = detail.target;
  const size = last - start + 1n;
  return (
    <section className="panel inspector" aria-label="Inspector" data-testid="inspector">
      <h2>{detail.title}</h2>
      <p className="second">
        {detail.laneTitle} · {detail.spaceTitle}
      </p>
      <p className={detail.note && 'note-text'}>{detail.sentence}</p>
      <dl>
        <Bound name="start" value={start} testId="start" />
        <Bound name="last" value={last} testId="last" />
        <dt>size</dt>
        <dd>
          <span data-testid="size">{formatSize(size)}</span>
          <CopyButton text={hex(size)} what="size" />
          <span className="second mono">{groupedHex(size)}</span>
          <span className="second">{groupedDecimal(size)} bytes</span>
        </dd>
        <dt>aligned to</dt>
        <dd>{alignmentLabel(start, last)}</dd>
        {Object.entries(detail.values).map(([name, value]) => (
          <div key={name} className="pair">
            <dt>{name}</dt>
            <dd className="mono">{value}</dd>
          </div>
        ))}
        <NeighbourLine name="before" neighbour={detail.before} />
        <NeighbourLine name="after" neighbour={detail.after} />
      </dl>
      <button type="button" className="button" onClick={() => void copy(`${hex(start)}-${hex(last)}`, 'range')}>
        Copy range
      </button>
      <NoteOfRange detail={detail} />
      {/* The same key in both forms of the inspector: it stays, with its focus, when the selected range goes. */}
      <WhatIf key="what-if" />
      {(!detail.note || detail.parts.length > 0) && (
        <>
          <h3>Sources</h3>
          <Sources detail={detail} />
        </>
      )}
    </section>
  );
}
