import { type KeyboardEvent, useEffect, useId, useLayoutEffect, useRef, useState } from 'react';
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import type { EventChange, LineTrial } from '../../engine/protocol/operation-lines.ts';
import type { EventRow } from '../../engine/protocol/sessions.ts';
import { groupedDecimal, hex, hexRange, shortSizeOrHex } from '../../iova/format.ts';
import { type Point, placeIn } from '../../timeline/axis/gestures.ts';
import { useApp } from '../state/app-state.ts';
import { seek } from '../state/documents.ts';
import { engine } from '../state/engine.ts';
import { changeEvents, clickedAddress, laterLabel, showPreview } from '../state/operation-bar.ts';
import { shownSession } from '../state/sessions.ts';
import { sinceOf, useAnswer } from '../state/use-answer.ts';
import { useModelNames } from '../state/use-model-names.ts';
import { ReasonText } from './reason.tsx';
import './operation-bar.css';

const DEFAULT_MODEL = 'iommufd';
const NEW = 'new';
/** How far the pointer may move in a click, in pixels. */
const CLICK_SLACK = 4;
/** Pixels that a list of completions needs at most, with its distance from the bar. */
const LIST_HEIGHT = 240;

/** What the bar says about what was done last. */
interface Result {
  readonly row?: EventRow | undefined;
  readonly error?: string | undefined;
  readonly later?: { readonly first: number; readonly count: number } | undefined;
}

/** An answer with its reason: of a line before Enter, of an event after it. */
function AnswerText({ row, would }: { row: Pick<EventRow, 'answer' | 'refused' | 'hazard'>; would: string }) {
  const { answer, refused, hazard } = row;
  return (
    <>
      <span className={refused ? 'severity-error' : 'fits'}>
        {would} <span className="mono">{answer ?? (refused ? 'cannot be run' : 'nothing')}</span>
      </span>
      {refused && (
        <span>
          {': '}
          <ReasonText reason={refused} />
        </span>
      )}
      {hazard !== undefined && <span className="hazard"> Kernel bug: {hazard}</span>}
    </>
  );
}

/** The line with its mistake marked, and what was expected. */
function Mistake({ line, mistake }: { line: string; mistake: NonNullable<LineTrial['mistake']> }) {
  const { start, end, message } = mistake;
  // Not wrong yet: more must follow.
  if (start === end) return <span className="second">{message}</span>;
  return (
    <span data-testid="operation-mistake">
      <span className="mono mistaken" aria-hidden="true">
        {line.slice(Math.max(0, start - 12), start)}
        <mark>{line.slice(start, end)}</mark>
      </span>{' '}
      {message}
    </span>
  );
}

interface PreviewProps {
  readonly line: string;
  readonly trial: LineTrial | undefined;
  readonly error: string | undefined;
}

function Preview({ line, trial, error }: PreviewProps) {
  if (error !== undefined) return <span className="severity-error">{error}</span>;
  if (line.trim() === '') {
    return (
      <span className="second">
        Click the timeline for an address, Shift-drag for a range. ↓ lists completions, ↑ recalls earlier operations.
      </span>
    );
  }
  if (!trial) return <span className="second">…</span>;
  if (trial.mistake) return <Mistake line={trial.line} mistake={trial.mistake} />;
  if (!trial.outcome) return null;
  return (
    <>
      <span className="second">{trial.outcome.text}</span>{' '}
      <AnswerText row={trial.outcome} would={trial.outcome.refused ? 'would be refused:' : 'would answer'} />
    </>
  );
}

/** The words of an address or a range that was picked in the timeline, as the line needs them. */
function pickedText(kinds: readonly string[], start: bigint, last?: bigint): string {
  if (last === undefined) return hex(start);
  if (kinds.includes('range')) return hexRange({ start, last });
  const bytes = last - start + 1n;
  // An operation has no size of 2^64.
  const size = shortSizeOrHex(bytes >> 64n === 0n ? bytes : bytes - 1n);
  return kinds.includes('size') && !kinds.includes('address') ? size : `${hex(start)} ${size}`;
}

interface TargetChoiceProps {
  readonly document: DocumentNode | undefined;
  readonly isNew: boolean;
  readonly model: string;
  setNew(isNew: boolean): void;
  setModel(model: string): void;
}

/** Which session the operation is added to, and the model of a new one. */
function TargetChoice({ document, isNew, model, setNew, setModel }: TargetChoiceProps) {
  const names = useModelNames();
  return (
    <>
      <label>
        Add to{' '}
        <select value={isNew ? NEW : 'shown'} onChange={({ target }) => setNew(target.value === NEW)}>
          {document && <option value="shown">{document.title}</option>}
          <option value={NEW}>a new session</option>
        </select>
      </label>
      {isNew ? (
        <label>
          Model{' '}
          <select value={model} onChange={({ target }) => setModel(target.value)}>
            {(names.length === 0 ? [model] : names).map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      ) : (
        document && (
          <span className="second">
            {document.model} · after event {groupedDecimal(BigInt(document.position))} of{' '}
            {groupedDecimal(BigInt(document.events))}
          </span>
        )
      )}
    </>
  );
}

/**
 * Operations by hand, in the words of docs/operations.md: what the kernel would answer before Enter, what it answers after
 * it. The key `>` opens it.
 */
export function OperationBar() {
  const shown = useApp(shownSession);
  const session = shown?.kind === 'session' ? shown : undefined;
  const kernel = useApp((s) => s.caseNode?.kernel?.version);
  const [wantsNew, setNew] = useState(false);
  const [newModel, setNewModel] = useState(DEFAULT_MODEL);
  const [line, setLine] = useState('');
  const [cursor, setCursor] = useState(0);
  const [isListWanted, setListWanted] = useState(false);
  const [active, setActive] = useState(-1);
  /** Position of the event that the line takes the place of. */
  const [editing, setEditing] = useState<number>();
  /** Position of the earlier operation that the line was taken from. */
  const [recalled, setRecalled] = useState<number>();
  const [result, setResult] = useState<Result>({});
  const input = useRef<HTMLInputElement>(null);
  const bar = useRef<HTMLElement>(null);
  const [side, setSide] = useState<'above' | 'below'>('below');
  const listId = useId();
  const noteId = useId();

  const document = wantsNew ? undefined : session;
  const { id, changes, position = 0 } = document ?? {};
  const isEditing = editing !== undefined && document !== undefined;
  const { value, error } = useAnswer(
    'tryLine',
    { id, model: id === undefined ? newModel : undefined, position: isEditing ? editing - 1 : position, line, cursor },
    kernel,
    ...sinceOf(document),
  );
  const trial = value?.line === line && value.cursor === cursor ? value : undefined;
  const current = useAnswer(
    'eventLine',
    id === undefined || position === 0 ? undefined : { id, position, direction: 'previous' as const },
    ...sinceOf(document),
  ).value;

  const { start = 0, end = 0, items = [], kinds = [] } = trial?.completions ?? {};
  const typed = line.slice(start, end);
  const offered = items.filter(({ text }) => text !== typed);
  const isListOpen = isListWanted && offered.length > 0;

  useLayoutEffect(() => {
    if (!isListOpen || !bar.current) return;
    const { bottom } = bar.current.getBoundingClientRect();
    // Both are in pixels of the window, the list may be in those of an enlarged page.
    setSide(window.innerHeight - bottom < LIST_HEIGHT * (bar.current.currentCSSZoom ?? 1) ? 'above' : 'below');
  }, [isListOpen]);
  useEffect(() => {
    if (value?.line === line) showPreview(document, line.trim() === '' ? undefined : value.outcome);
  }, [value, line, document]);
  useEffect(() => {
    input.current?.focus({ preventScroll: true });
    return () => showPreview(undefined, undefined);
  }, []);

  const replaceLine = (text: string, at = text.length) => {
    setLine(text);
    setCursor(at);
    setActive(-1);
    setListWanted(false);
    // The browser puts the cursor at the end of a text that is set.
    requestAnimationFrame(() => input.current?.setSelectionRange(at, at));
  };
  /** Puts words at the cursor, in place of the part of a word that is there. */
  const insert = (text: string, from: number, to: number) => {
    const before = line.slice(0, from);
    const space = before === '' || /\s$/.test(before) ? '' : ' ';
    const after = line.slice(to).replace(/^\s+/, '');
    const head = `${before}${space}${text} `;
    replaceLine(head + after, head.length);
  };
  const accept = (index: number) => {
    const item = offered[index];
    if (item) insert(item.text, start, end);
  };
  /** What was picked in the timeline: listeners are attached once, and call the latest of these. */
  const pick = (address: bigint, last?: bigint) => {
    const isPartial = /^0x?[\da-f]*$/i.test(typed);
    insert(pickedText(kinds, address, last), isPartial ? start : cursor, isPartial ? end : cursor);
    input.current?.focus({ preventScroll: true });
  };
  const picker = useRef(pick);
  useEffect(() => {
    picker.current = pick;
  });

  useEffect(() => {
    const timeline = window.document.querySelector<HTMLElement>('[data-testid=timeline]');
    if (!timeline) return;
    const listeners = new AbortController();
    const { signal } = listeners;
    const at = placeIn(timeline);
    let pressed: { readonly point: Point; readonly isMeasuring: boolean } | undefined;
    timeline.addEventListener('pointerdown', (event) => (pressed = { point: at(event), isMeasuring: event.shiftKey }), {
      signal,
    });
    window.addEventListener(
      'pointerup',
      (event) => {
        const from = pressed;
        pressed = undefined;
        if (!from) return;
        const { x, y } = at(event);
        if (Math.hypot(x - from.point.x, y - from.point.y) <= CLICK_SLACK) {
          const address = clickedAddress(x, timeline.clientWidth);
          if (address !== undefined) picker.current(address);
        } else if (from.isMeasuring) {
          const { measured } = useApp.getState();
          if (measured) picker.current(measured.start, measured.last);
        }
      },
      { signal },
    );
    return () => listeners.abort();
  }, []);

  const change = async (made: EventChange) => {
    const changed = await changeEvents({ id, model: id === undefined ? newModel : undefined }, made);
    if (!changed.ok) {
      setResult({ error: changed.message });
      return false;
    }
    const { row, changedLater } = changed.value;
    setResult({ row, later: changedLater });
    setNew(false);
    return true;
  };
  const submit = async () => {
    if (line.trim() === '') return;
    const text = line;
    const made: EventChange = isEditing
      ? { kind: 'replace', position: editing, line: text }
      : { kind: 'insert', position, line: text };
    if (!(await change(made))) return;
    setEditing(undefined);
    setRecalled(undefined);
    // What was typed meanwhile stays.
    if (input.current?.value === text) replaceLine('');
  };
  const edit = () => {
    if (!current) return;
    setEditing(current.position);
    replaceLine(current.line);
    input.current?.focus();
  };
  const close = () => {
    useApp.setState({ isBarOpen: false });
    window.document.querySelector<HTMLElement>('[data-testid=timeline]')?.focus({ preventScroll: true });
  };
  const recall = async (direction: 'previous' | 'next') => {
    if (id === undefined) return;
    const from = recalled ?? position + 1;
    const found = await engine().call('eventLine', {
      id,
      direction,
      position: direction === 'next' ? from + 1 : from - 1,
    });
    if (!found.ok) return;
    if (found.value) {
      setRecalled(found.value.position);
      replaceLine(found.value.line);
    } else if (direction === 'next') {
      setRecalled(undefined);
      replaceLine('');
    }
  };
  const undoOrRedo = (kind: 'undo' | 'redo') => void change({ kind });

  const undo = useRef(undoOrRedo);
  useEffect(() => {
    undo.current = undoOrRedo;
  });
  // While the bar is open, these keys undo changes; otherwise they step through the events.
  useEffect(() => {
    const listeners = new AbortController();
    window.addEventListener(
      'keydown',
      (event) => {
        const kind = undoKey(event);
        const target = event.target instanceof Element ? event.target : undefined;
        if (kind === undefined || target?.closest('input, textarea, select, [role=dialog]')) return;
        event.preventDefault();
        undo.current(kind);
      },
      { capture: true, signal: listeners.signal },
    );
    return () => listeners.abort();
  }, []);

  const onKeyDown = (event: KeyboardEvent<HTMLInputElement>) => {
    const done = handleKey(event);
    if (done) event.preventDefault();
  };
  const handleKey = (event: KeyboardEvent<HTMLInputElement>): boolean => {
    if (event.nativeEvent.isComposing) return false;
    switch (event.key) {
      case 'ArrowDown':
        if (isListOpen) setActive(Math.min(offered.length - 1, active + 1));
        else if (recalled !== undefined) void recall('next');
        else setListWanted(true);
        return true;
      case 'ArrowUp':
        if (isListOpen && active >= 0) setActive(active - 1);
        else void recall('previous');
        return true;
      case 'Tab':
        if (event.shiftKey || !isListOpen || (active < 0 && typed === '')) return false;
        accept(Math.max(0, active));
        return true;
      case 'Enter':
        if (isListOpen && active >= 0) accept(active);
        else void submit();
        return true;
      case 'Escape':
        if (isListOpen) setListWanted(false);
        else if (line !== '' || isEditing) {
          replaceLine('');
          setEditing(undefined);
          setRecalled(undefined);
        } else close();
        return true;
      default: {
        const kind = line === '' ? undoKey(event) : undefined;
        if (kind !== undefined) undoOrRedo(kind);
        return kind !== undefined;
      }
    }
  };

  return (
    <section ref={bar} className="operation-bar" aria-label="Operation bar" data-testid="operation-bar">
      <div className="operation-head">
        <TargetChoice
          document={session}
          isNew={document === undefined}
          model={newModel}
          setNew={setNew}
          setModel={setNewModel}
        />
        <span className="operation-actions">
          {current && !isEditing && (
            <>
              <button type="button" className="link" onClick={edit}>
                Edit event {current.position}
              </button>
              <button
                type="button"
                className="link"
                onClick={() => void change({ kind: 'remove', position: current.position })}
              >
                Remove event {current.position}
              </button>
            </>
          )}
          {isEditing && <strong>Editing event {editing}</strong>}
          <button type="button" className="link" disabled={!changes?.undo} onClick={() => undoOrRedo('undo')}>
            Undo
          </button>
          <button type="button" className="link" disabled={!changes?.redo} onClick={() => undoOrRedo('redo')}>
            Redo
          </button>
          <button type="button" className="quiet" aria-label="Close the operation bar" onClick={close}>
            ×
          </button>
        </span>
      </div>
      <div className="operation-line">
        <span className="mono" aria-hidden="true">
          &gt;
        </span>
        <input
          ref={input}
          id="operation-line"
          className="mono"
          role="combobox"
          aria-label="Operation"
          aria-autocomplete="list"
          aria-expanded={isListOpen}
          aria-controls={isListOpen ? listId : undefined}
          aria-activedescendant={isListOpen && active >= 0 ? `${listId}-${active}` : undefined}
          aria-describedby={noteId}
          aria-invalid={trial?.mistake !== undefined}
          placeholder={id === undefined && newModel !== DEFAULT_MODEL ? 'An operation' : 'alloc a'}
          autoComplete="off"
          autoCapitalize="off"
          spellCheck={false}
          value={line}
          onChange={({ target }) => {
            setLine(target.value);
            setCursor(target.selectionStart ?? target.value.length);
            setActive(-1);
            setListWanted(true);
            setRecalled(undefined);
          }}
          onSelect={({ currentTarget }) => setCursor(currentTarget.selectionStart ?? currentTarget.value.length)}
          onKeyDown={onKeyDown}
          onBlur={() => setListWanted(false)}
        />
        <button type="button" className="button" disabled={line.trim() === ''} onClick={() => void submit()}>
          {isEditing ? 'Replace' : 'Run'}
        </button>
        {isListOpen && (
          <div id={listId} role="listbox" aria-label="Completions" className="operation-list" data-side={side}>
            {offered.map(({ text, label }, i) => (
              // biome-ignore lint/a11y/useKeyWithClickEvents: the text field has the keys of its list
              // biome-ignore lint/a11y/useFocusableInteractive: the text field keeps the focus
              <div
                key={`${text} ${label}`}
                id={`${listId}-${i}`}
                role="option"
                aria-selected={i === active}
                ref={(element) => {
                  if (i === active) element?.scrollIntoView({ block: 'nearest' });
                }}
                onPointerDown={(event) => event.preventDefault()}
                onClick={() => accept(i)}
              >
                <span className="mono">{text}</span> <span className="second">{label}</span>
              </div>
            ))}
          </div>
        )}
      </div>
      <p id={noteId} className="operation-note" data-testid="operation-preview">
        <Preview line={line} trial={trial ?? (value?.line === line ? value : undefined)} error={error?.message} />
      </p>
      <p className="operation-note" data-testid="operation-result">
        {result.error !== undefined && <span className="severity-error">Not added: {result.error}</span>}
        {result.row && (
          <>
            Event {result.row.position}: {result.row.text} <AnswerText row={result.row} would="→" />
          </>
        )}
        {result.later && (
          <>
            {' '}
            <button
              type="button"
              className="link"
              onClick={() => id !== undefined && void seek(id, result.later?.first ?? 0)}
            >
              {laterLabel(result.later)}
            </button>
          </>
        )}
      </p>
    </section>
  );
}

/** What a key with Ctrl undoes or makes again. */
function undoKey({
  key,
  ctrlKey,
  metaKey,
  altKey,
  shiftKey,
}: Pick<globalThis.KeyboardEvent, 'key' | 'ctrlKey' | 'metaKey' | 'altKey' | 'shiftKey'>): 'undo' | 'redo' | undefined {
  if (!(ctrlKey || metaKey) || altKey) return undefined;
  const letter = key.toLowerCase();
  if (letter === 'y') return 'redo';
  return letter === 'z' ? (shiftKey ? 'redo' : 'undo') : undefined;
}
