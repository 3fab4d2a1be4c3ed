import { lazy, useState } from 'react';
import { definitionLabel } from '../../analysis/guest/definition-label.ts';
import { MACHINES } from '../../analysis/guest/layouts.ts';
import type { DefinedGuest, GuestChoice } from '../../engine/protocol/answers.ts';
import { formatExactSize, formatSize } from '../../iova/format.ts';
import { type AppState, useApp } from '../state/app-state.ts';
import { setGuest, setPageSize } from '../state/conflicts.ts';
import { chooseGuest, definedFor, isAmdCase, overrideOf, ramOf, sizedChoice, triedGuests } from '../state/guests.ts';
import './guest.css';
import { LoadBoundary } from './load-boundary.tsx';
import { PlaceLink } from './place-link.tsx';

// Loaded when a guest with RAM is tried.
const MachineSize = lazy(async () => ({ default: (await import('./machine-size.tsx')).MachineSize }));

const GIB = 1n << 30n;

function CustomRanges({ guest }: { guest: Extract<GuestChoice, { kind: 'ranges' }> }) {
  const [text, setText] = useState(guest.text);
  const apply = () => {
    if (text !== guest.text) void setGuest({ kind: 'ranges', text });
  };
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void setGuest({ kind: 'ranges', text });
      }}
    >
      <label>
        Ranges, one per line
        <textarea
          rows={4}
          value={text}
          onChange={(event) => setText(event.target.value)}
          onBlur={apply}
          spellCheck={false}
        />
      </label>
      <button type="submit" className="button">
        Check
      </button>
    </form>
  );
}

/** Ids of documents contain no space. */
function documentValue(id: string, guest: string): string {
  return `document ${id} ${guest}`;
}

function definedValue(index: number): string {
  return `defined ${index}`;
}

/** The value of the list for what is tried. */
function menuValue(state: Pick<AppState, 'guest' | 'definedGuests'>): string {
  const { guest, definedGuests } = state;
  if (!guest) return '';
  switch (guest.kind) {
    case 'machine':
      return guest.machine;
    case 'document':
      return documentValue(guest.id, guest.guest);
    case 'ranges':
    case 'none':
      return guest.kind;
    case 'definition': {
      const defined = definedFor(state);
      const isOnly = defined?.isTried && triedGuests(state).length === 1;
      if (!defined) return 'definition';
      return isOnly ? '' : definedValue(definedGuests.indexOf(defined));
    }
  }
}

/** Page sizes that kernels are built with; arm64 has all three. */
const KERNEL_PAGES: readonly bigint[] = [0x1000n, 0x4000n, 0x1_0000n];

function HostPages() {
  const pageSize = useApp((s) => s.pageSize);
  return (
    <label className="host-pages">
      Host page size{' '}
      <select
        value={pageSize?.toString() ?? ''}
        onChange={({ target }) => void setPageSize(target.value === '' ? undefined : BigInt(target.value))}
      >
        <option value="">auto</option>
        {KERNEL_PAGES.map((size) => (
          <option key={size} value={size.toString()}>
            {formatSize(size)}
          </option>
        ))}
      </select>
    </label>
  );
}

/** What is tried as long as a person chooses nothing: what the sources define. */
function automaticLabel(tried: readonly DefinedGuest[]): string {
  const [first, ...more] = tried;
  if (!first) return 'None';
  return more.length === 0 ? first.label : `Guests from the sources (${tried.length})`;
}

/** Machines that differ by the vendor of the host's CPU. */
const PLAIN = new Set(['q35', 'pc']);

/** The machines to choose from. On AMD hosts those come first that QEMU has there. */
function machinesFor(isAmd: boolean): readonly { readonly name: string; readonly label: string }[] {
  const all = Object.values(MACHINES);
  if (!isAmd) return all.map(({ name, title }) => ({ name, label: title }));
  const rank = ({ name }: { readonly name: string }) => (name.endsWith('-amd') ? 0 : PLAIN.has(name) ? 2 : 1);
  return all
    .toSorted((a, b) => rank(a) - rank(b))
    .map(({ name, title }) => ({ name, label: PLAIN.has(name) ? `${title} before QEMU 7.1` : title }));
}

/** Why the machines of AMD hosts are offered first. */
function AmdNote() {
  const isAmd = useApp(isAmdCase);
  const machine = useApp((s) => (s.guest?.kind === 'machine' ? s.guest.machine : undefined));
  if (!isAmd || machine === undefined || !/^(?:q35|pc)/.test(machine)) return null;
  return (
    <p className="second" data-testid="guest-amd">
      {machine.endsWith('-amd')
        ? 'The host is AMD: QEMU 7.1 and newer move RAM that would reach the HyperTransport range above 1 TiB.'
        : 'The host is AMD: QEMU before 7.1, or an older machine version, does not move RAM above 1 TiB.'}
    </p>
  );
}

function GuestChooser() {
  const guest = useApp((s) => s.guest);
  const definedGuests = useApp((s) => s.definedGuests);
  const documents = useApp((s) => s.documents);
  const state = { guest, definedGuests };
  const tried = triedGuests(state);
  const isAmd = useApp(isAmdCase);
  const severalHosts = documents.filter(({ kind }) => kind === 'host').length > 1;
  const choose = (value: string) => {
    const sized = sizedChoice(state);
    const [kind, id = '', ...name] = value.split(' ');
    if (value === '') void setGuest(undefined);
    else if (value === 'none') void setGuest({ kind: 'none' });
    else if (value === 'ranges') void setGuest({ kind: 'ranges', text: '0x0-0x7fffffff\n1G@4G' });
    else if (kind === 'document') void setGuest({ kind: 'document', id, guest: name.join(' ') });
    else if (kind === 'defined') {
      const definition = definedGuests[Number(id)]?.definition;
      if (definition) void chooseGuest({ kind: 'definition', definition });
    } else void chooseGuest({ kind: 'machine', machine: value, ram: (sized && ramOf(sized)) || 4n * GIB });
  };
  return (
    <label>
      <span className="visually-hidden">Guest to try</span>
      <select value={menuValue(state)} onChange={(event) => choose(event.target.value)}>
        <option value="">{automaticLabel(tried)}</option>
        {tried.length > 0 && <option value="none">None</option>}
        {definedGuests.map((defined, index) =>
          tried.length === 1 && defined === tried[0] ? null : (
            // biome-ignore lint/suspicious/noArrayIndexKey: the list is replaced as a whole
            <option key={index} value={definedValue(index)} disabled={defined.problem !== undefined}>
              {severalHosts ? `${defined.label} (${defined.hostName})` : defined.label}
            </option>
          ),
        )}
        {guest?.kind === 'definition' && !definedFor(state) && (
          <option value="definition">{definitionLabel(guest.definition)}</option>
        )}
        {machinesFor(isAmd).map(({ name, label }) => (
          <option key={name} value={name}>
            {label}
          </option>
        ))}
        {documents.flatMap(({ id, title, guests }) =>
          guests.map((name) => (
            <option key={`${id} ${name}`} value={documentValue(id, name)}>
              {`Guest in ${name}, ${title}`}
            </option>
          )),
        )}
        <option value="ranges">Custom ranges</option>
      </select>
    </label>
  );
}

/** Where the guest was read, and what had to be assumed about it. */
function Definition({ defined }: { defined: DefinedGuest }) {
  const { provenance, definition, notes, problem } = defined;
  const assigned = definition.assigned ?? [];
  return (
    <div className="guest-definition">
      <p className="second">
        from <PlaceLink source={provenance.source} line={provenance.line} />
        {assigned.length > 0 && ` · assigns ${assigned.join(', ')}`}
      </p>
      {problem !== undefined && <p className="severity-error">Cannot be tried: {problem}.</p>}
      {notes.length > 0 && (
        <details>
          <summary className="second">{notes.length === 1 ? '1 assumption' : `${notes.length} assumptions`}</summary>
          <ul className="second">
            {notes.map((note) => (
              <li key={note}>{note}</li>
            ))}
          </ul>
        </details>
      )}
    </div>
  );
}

/** Says what was changed by hand, with the way back to what the sources define. */
function Override() {
  const guest = useApp((s) => s.guest);
  const definedGuests = useApp((s) => s.definedGuests);
  const override = overrideOf({ guest, definedGuests });
  if (!override) return null;
  const { defined, isRamOnly } = override;
  const { definition, provenance, label } = defined;
  const ram = definition.ram === undefined ? 'unknown' : formatExactSize(definition.ram);
  return (
    <p className="guest-override" data-testid="guest-override">
      {isRamOnly ? `RAM changed by hand; ${provenance.source} says ${ram}.` : `Chosen by hand instead of ${label}.`}{' '}
      <button type="button" className="link" onClick={() => void chooseGuest({ kind: 'definition', definition })}>
        Back to {isRamOnly ? ram : label}
      </button>
    </p>
  );
}

/** Chooses the guest to check against the selected hosts, and its RAM. */
export function GuestPanel() {
  const guest = useApp((s) => s.guest);
  const definedGuests = useApp((s) => s.definedGuests);
  const state = { guest, definedGuests };
  const sized = sizedChoice(state);
  const unusable = definedGuests.filter(({ problem }) => problem !== undefined);
  const defined = guest === undefined || guest.kind === 'definition' ? definedFor(state) : undefined;
  return (
    <section className="guest" aria-label="Guest" data-testid="guest">
      <h2>Guest</h2>
      <GuestChooser />
      <AmdNote />
      {defined && <Definition defined={defined} />}
      {!defined && guest === undefined && unusable.map((one) => <Definition key={one.label} defined={one} />)}
      <Override />
      {sized && ramOf(sized) > 0n && (
        <LoadBoundary>
          <MachineSize choice={sized} />
        </LoadBoundary>
      )}
      {guest?.kind === 'ranges' && <CustomRanges guest={guest} />}
      <HostPages />
    </section>
  );
}
