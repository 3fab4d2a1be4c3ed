import { useCallback, useDeferredValue, useId, useRef, useState } from 'react';
import { openPicked, openSample } from '../shell/open-files.ts';
import { SAMPLES } from '../shell/samples.ts';
import { useApp } from '../state/app-state.ts';
import { setSelectedGroups } from '../state/documents.ts';
import { caseRows, foundGroups, NO_FOLDS } from './case-rows.ts';
import { CaseTree } from './case-tree.tsx';
import './sources.css';

/** Keys that can be selected of what the filter leaves. */
function shownKeys(filter: string): string[] {
  const tops = caseRows(useApp.getState().documents, filter, NO_FOLDS).filter(({ kind }) => kind === 'document');
  return tops.flatMap(({ selects = [] }) => selects);
}

function selectShown(filter: string, isSelected: boolean): void {
  const keys = new Set(shownKeys(filter));
  const others = useApp.getState().selectedGroups.filter((key) => !keys.has(key));
  void setSelectedGroups(isSelected ? [...others, ...keys] : others);
}

function FilterBox({ filter, setFilter }: { filter: string; setFilter(filter: string): void }) {
  const documents = useApp((s) => s.documents);
  const id = useId();
  const total = documents.reduce((sum, { groups }) => sum + groups.length, 0);
  const isFiltered = filter.trim() !== '';
  const shown = isFiltered ? foundGroups(documents, filter) : total;
  return (
    <div className="tree-tools">
      <label className="visually-hidden" htmlFor={id}>
        Filter the tree
      </label>
      <input
        id={id}
        type="search"
        className="tree-filter"
        placeholder="Filter: address, name, group"
        value={filter}
        spellCheck={false}
        autoComplete="off"
        onChange={(event) => setFilter(event.target.value)}
        onKeyDown={(event) => {
          if (event.key === 'Escape' && filter !== '') setFilter('');
        }}
      />
      <div className="tree-buttons">
        <span className="second" aria-live="polite">
          {isFiltered ? `${shown} of ${total} groups` : ''}
        </span>
        <button type="button" className="link" onClick={() => selectShown(filter, true)}>
          Select {isFiltered ? 'these' : 'all'}
        </button>
        <button type="button" className="link" onClick={() => selectShown(filter, false)}>
          {isFiltered ? 'Deselect these' : 'Select none'}
        </button>
      </div>
    </div>
  );
}

interface EmptyCaseProps {
  onPaste(): void;
  onConnect(): void;
}

/** What can be opened while nothing is. */
function EmptyCase({ onPaste, onConnect }: EmptyCaseProps) {
  const files = useRef<HTMLInputElement>(null);
  return (
    <div className="empty-case" data-testid="empty-case">
      <p>Nothing is open. Drop files, folders or archives anywhere on the page, or:</p>
      <div className="empty-buttons">
        <button type="button" className="button primary" onClick={() => files.current?.click()}>
          Open files…
        </button>
        <button type="button" className="button" onClick={onPaste}>
          Paste text…
        </button>
        <button type="button" className="button" onClick={onConnect}>
          Live host…
        </button>
      </div>
      <input ref={files} type="file" multiple hidden onChange={({ currentTarget }) => void openPicked(currentTarget)} />
      <h3>Samples</h3>
      <ul>
        {SAMPLES.map((sample) => (
          <li key={sample.id}>
            <button type="button" className="link" onClick={() => void openSample(sample)}>
              {sample.title}
            </button>
            <p className="second">{sample.hint}</p>
          </li>
        ))}
      </ul>
      <p className="second">Your files never leave your browser.</p>
    </div>
  );
}

/** Hosts, sources, groups and devices. The selected groups share one address space. */
export function SourcesPanel(props: EmptyCaseProps) {
  const isEmpty = useApp((s) => s.documents.length === 0);
  const [filter, setFilter] = useState('');
  // What is typed shows at once; the rows of hundreds of groups follow.
  const applied = useDeferredValue(filter);
  const clearFilter = useCallback(() => setFilter(''), []);
  return (
    <section className="panel sources" aria-label="Sources">
      <h2>Sources</h2>
      {isEmpty ? (
        <EmptyCase {...props} />
      ) : (
        <>
          <FilterBox filter={filter} setFilter={setFilter} />
          <CaseTree filter={applied} clearFilter={clearFilter} />
        </>
      )}
    </section>
  );
}
