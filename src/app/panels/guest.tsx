import { lazy, useState } from 'react';
import { MACHINES } from '../../analysis/guest/layouts.ts';
import type { GuestChoice } from '../../engine/protocol/answers.ts';
import { formatSize } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { setGuest, setPageSize } from '../state/conflicts.ts';
import './guest.css';
import { LoadBoundary } from './load-boundary.tsx';

// Loaded when a machine is chosen.
const MachineSize = lazy(async () => ({ default: (await import('./machine-size.tsx')).MachineSize }));

const GIB = 1n << 30n;

function CustomRanges({ guest }: { guest: Extract<GuestChoice, { kind: 'ranges' }> }) {
  const [text, setText] = useState(guest.text);
  return (
    <form
      onSubmit={(event) => {
        event.preventDefault();
        void setGuest({ kind: 'ranges', text });
      }}
    >
      <label>
        Ranges, one per line
        <textarea rows={4} value={text} onChange={(event) => setText(event.target.value)} spellCheck={false} />
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

/** The value of the list for a choice. */
function menuValue(guest: GuestChoice | undefined): string {
  if (!guest) return '';
  if (guest.kind === 'machine') return guest.machine;
  return guest.kind === 'document' ? documentValue(guest.id, guest.guest) : 'ranges';
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

/** Chooses the guest to check against the selected hosts, and its RAM. */
export function GuestPanel() {
  const guest = useApp((s) => s.guest);
  const documents = useApp((s) => s.documents);
  const choose = (value: string) => {
    if (value === '') void setGuest(undefined);
    else if (value === 'ranges') void setGuest({ kind: 'ranges', text: '0x0-0x7fffffff\n1G@4G' });
    else if (value.startsWith('document ')) {
      const [, id = '', ...name] = value.split(' ');
      void setGuest({ kind: 'document', id, guest: name.join(' ') });
    } else void setGuest({ kind: 'machine', machine: value, ram: guest?.kind === 'machine' ? guest.ram : 4n * GIB });
  };
  return (
    <section className="guest" aria-label="Guest" data-testid="guest">
      <h2>Guest</h2>
      <label>
        <span className="visually-hidden">Guest to try</span>
        <select value={menuValue(guest)} onChange={(event) => choose(event.target.value)}>
          <option value="">None</option>
          {Object.values(MACHINES).map(({ name, title }) => (
            <option key={name} value={name}>
              {title}
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
      {guest?.kind === 'machine' && (
        <LoadBoundary>
          <MachineSize guest={guest} />
        </LoadBoundary>
      )}
      {guest?.kind === 'ranges' && <CustomRanges guest={guest} />}
      <HostPages />
    </section>
  );
}
