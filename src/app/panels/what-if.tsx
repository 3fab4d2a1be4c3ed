import { type FormEvent, useEffect, useId, useRef, useState } from 'react';
import type { HandFact } from '../../engine/protocol/case.ts';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import { laneName } from '../../engine/protocol/picture.ts';
import { hexRange } from '../../iova/format.ts';
import { parseRange } from '../../iova/parse.ts';
import { useApp } from '../state/app-state.ts';
import { changeFact } from '../state/what-if.ts';
import { OpenedForm } from './opened-form.tsx';
import './notes.css';
import './what-if.css';

const CHANGES: Readonly<Record<HandFact['change'], string>> = {
  reserve: 'a region were reserved',
  ignore: 'this reserved region were not there',
  aperture: 'the aperture were another',
};
const TYPES = ['reserved', 'direct', 'direct-relaxable', 'msi'];

/** The change that the selected range suggests. */
function suggestedChange(laneId: string | undefined): HandFact['change'] {
  const lane = laneId === undefined ? undefined : laneName(laneId);
  return lane === 'reserved' ? 'ignore' : lane === 'aperture' ? 'aperture' : 'reserve';
}

/** The numbers of a host's groups. */
function groupNumbers({ id, groups }: DocumentNode): string[] {
  const prefix = `${id}/group `;
  return groups.flatMap(({ key }) => (key.startsWith(prefix) ? [key.slice(prefix.length)] : []));
}

interface SelectProps {
  readonly label: string;
  readonly value: string;
  readonly options: readonly (readonly [value: string, label: string])[];
  set(value: string): void;
}

function Select({ label, value, options, set }: SelectProps) {
  return (
    <label>
      {label}{' '}
      <select value={value} onChange={({ target }) => set(target.value)}>
        {options.map(([option, text]) => (
          <option key={option} value={option}>
            {text}
          </option>
        ))}
      </select>
    </label>
  );
}

function WhatIfForm({ hosts, close }: { hosts: readonly DocumentNode[]; close(): void }) {
  const selected = useApp((s) => s.selected?.target);
  const measured = useApp((s) => s.measured);
  const shown = useApp((s) => s.selectedGroups);
  const own = hosts.find(
    ({ id }) => selected && (selected.laneId.startsWith(`${id}#`) || selected.laneId.startsWith(`${id}/`)),
  );
  const [change, setChange] = useState(suggestedChange(selected?.laneId));
  const [hostId, setHost] = useState((own ?? hosts[0])?.id ?? '');
  const chosen = measured ?? selected;
  const [text, setText] = useState(chosen ? hexRange(chosen) : '');
  const [type, setType] = useState('reserved');
  const [group, setGroup] = useState<string>();
  const [mistake, setMistake] = useState<string>();
  const form = useRef<HTMLFormElement>(null);
  const id = useId();
  useEffect(() => {
    form.current?.scrollIntoView({ block: 'nearest' });
    form.current?.querySelector('select')?.focus({ preventScroll: true });
  }, []);
  const host = hosts.find((one) => one.id === hostId);
  const groups = host ? groupNumbers(host) : [];
  const preferred = groups.find((number) => shown.includes(`${hostId}/group ${number}`)) ?? groups[0];
  const isOfAll = change === 'ignore';
  const ofGroup = group !== undefined && groups.includes(group) ? group : isOfAll ? '' : (preferred ?? '');
  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const range = parseRange(text);
    if (!range.ok) {
      setMistake(range.error.message);
      return;
    }
    const { start, last } = range.value;
    const named = ofGroup === '' ? {} : { group: ofGroup };
    const params = { hostId, start, last, change, ...(change === 'aperture' ? {} : { type, ...named }) };
    const wrong = await changeFact(params);
    setMistake(wrong);
    if (wrong === undefined) close();
  };
  return (
    <form
      ref={form}
      className="what-if"
      aria-label="What if"
      onSubmit={(event) => void submit(event)}
      onKeyDown={(event) => {
        if (event.key !== 'Escape') return;
        event.stopPropagation();
        close();
      }}
    >
      <Select
        label="What if"
        value={change}
        options={Object.entries(CHANGES)}
        set={(value) => setChange(value as HandFact['change'])}
      />
      {hosts.length > 1 && (
        <Select label="Host" value={hostId} options={hosts.map((one) => [one.id, one.title])} set={setHost} />
      )}
      <label>
        Range{' '}
        <input
          className="mono"
          value={text}
          placeholder="0x1000-0x1fff"
          spellCheck={false}
          autoComplete="off"
          aria-invalid={mistake !== undefined}
          aria-describedby={mistake === undefined ? undefined : id}
          onChange={({ target }) => setText(target.value)}
        />
      </label>
      {change === 'reserve' && (
        <Select label="Type" value={type} options={TYPES.map((one) => [one, one])} set={setType} />
      )}
      {change !== 'aperture' && (
        <Select
          label="Group"
          value={ofGroup}
          options={[...(isOfAll ? [['', 'all groups'] as const] : []), ...groups.map((one) => [one, one] as const)]}
          set={setGroup}
        />
      )}
      {mistake !== undefined && (
        <p id={id} className="severity-error" role="alert">
          {mistake}
        </p>
      )}
      <p className="second">Everything drawn and exported says that this was entered by hand. Undo takes it back.</p>
      <div className="note-buttons">
        <button type="submit" className="button primary">
          Apply
        </button>
        <button type="button" className="button" onClick={close}>
          Cancel
        </button>
      </div>
    </form>
  );
}

/** Changes facts of a host by hand: what would be if it had no such region, or a wider aperture. */
export function WhatIf() {
  const documents = useApp((s) => s.documents);
  const hosts = documents.filter(({ kind, live, groups }) => kind === 'host' && !live && groups.length > 0);
  if (hosts.length === 0) return null;
  return <OpenedForm button="What if…">{(close) => <WhatIfForm hosts={hosts} close={close} />}</OpenedForm>;
}
