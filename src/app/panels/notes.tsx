import { type KeyboardEvent, useEffect, useId, useRef, useState } from 'react';
import type { NoteNode, NoteParams } from '../../engine/protocol/case.ts';
import type { RangeDetail } from '../../engine/protocol/picture.ts';
import { formatRange } from '../../iova/format.ts';
import { useApp } from '../state/app-state.ts';
import { NOTE_MAX, setNote } from '../state/notes.ts';
import { useAnswer } from '../state/use-answer.ts';
import { showRange } from '../state/view.ts';
import { OpenedForm } from './opened-form.tsx';
import './notes.css';

interface EditorProps {
  readonly label: string;
  readonly initial: string;
  save(text: string): void;
  close(): void;
}

/** A text field with its buttons. Escape closes it, Ctrl+Enter saves. */
function NoteEditor({ label, initial, save, close }: EditorProps) {
  const [text, setText] = useState(initial);
  const field = useRef<HTMLTextAreaElement>(null);
  const id = useId();
  useEffect(() => field.current?.focus(), []);
  const isEmpty = text.trim() === '';
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key === 'Escape') close();
    else if (event.key === 'Enter' && (event.ctrlKey || event.metaKey) && !isEmpty) save(text);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };
  return (
    <div className="note-editor">
      <label htmlFor={id}>{label}</label>
      <textarea
        id={id}
        ref={field}
        rows={3}
        maxLength={NOTE_MAX}
        value={text}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={onKeyDown}
      />
      <div className="note-buttons">
        <button type="button" className="button primary" disabled={isEmpty} onClick={() => save(text)}>
          Save note
        </button>
        <button type="button" className="button" onClick={close}>
          Cancel
        </button>
      </div>
    </div>
  );
}

interface WriterProps {
  readonly button: string;
  readonly label: string;
  readonly initial?: string;
  readonly params: Omit<NoteParams, 'text'>;
}

/** A button that opens the text field. */
function NoteWriter({ button, label, initial = '', params }: WriterProps) {
  const save = async (text: string, close: () => void) => {
    if (await setNote({ ...params, text })) close();
  };
  return (
    <OpenedForm button={button}>
      {(close) => <NoteEditor label={label} initial={initial} save={(text) => void save(text, close)} close={close} />}
    </OpenedForm>
  );
}

function RemoveButton({ note, name }: { note: NonNullable<NoteParams['ref']>; name: string }) {
  return (
    <button
      type="button"
      className="button"
      aria-label={`Remove the note ${name}`}
      onClick={() => void setNote({ text: '', ref: note })}
    >
      Remove
    </button>
  );
}

/** Of the selected range: its text can be changed if it is a note, else a note can be added. */
export function NoteOfRange({ detail: { target, note, sentence, title } }: { detail: RangeDetail }) {
  const { start, last, laneId } = target;
  const key = `${laneId} ${start} ${last} ${note?.position}`;
  return (
    <div className="note-buttons" data-testid="note-of-range">
      {note ? (
        <>
          <NoteWriter
            key={`${key} ${sentence}`}
            button="Edit note"
            label="Note"
            initial={sentence}
            params={{ ref: note }}
          />
          <RemoveButton note={note} name={title} />
        </>
      ) : (
        <NoteWriter
          key={key}
          button="Add a note"
          label={`Note on ${formatRange({ start, last })}`}
          params={{ on: { start, last, laneId } }}
        />
      )}
    </div>
  );
}

function NoteItem({ note: { text, ref, range, where } }: { note: NoteNode }) {
  return (
    <li>
      <p className="note-text">{text}</p>
      <p className="second">
        {where}
        {range && (
          <>
            {' · '}
            <button type="button" className="link mono" onClick={() => showRange(range.start, range.last)}>
              {formatRange(range)}
            </button>
          </>
        )}
      </p>
      <div className="note-buttons">
        <NoteWriter button="Edit note" label="Note" initial={text} params={{ ref }} />
        <RemoveButton note={ref} name={text.slice(0, 40)} />
      </div>
    </li>
  );
}

/** All notes of the case, and one more: about the measured range, or about all of it. */
export function CaseNotes() {
  const caseNode = useApp((s) => s.caseNode);
  const documents = useApp((s) => s.documents);
  // What may hold other notes; moving through a document changes none.
  const held = documents.map(({ id, events }) => `${id} ${events}`).join();
  const measured = useApp((s) => s.measured);
  const { value: notes = [] } = useAnswer('notes', held === '' ? undefined : null, caseNode, held);
  if (held === '') return null;
  return (
    <section aria-label="Notes" data-testid="notes">
      <h3>Notes</h3>
      <ul className="parts">
        {notes.map((note) => (
          <NoteItem key={`${note.ref.id} ${note.ref.position} ${note.text}`} note={note} />
        ))}
      </ul>
      <NoteWriter
        button="Add a note"
        label={measured ? `Note on ${formatRange(measured)}` : 'Note on the case'}
        params={measured ? { on: { start: measured.start, last: measured.last } } : {}}
      />
    </section>
  );
}
