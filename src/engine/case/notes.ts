// Notes of the user about the case: facts of kind `note`, on a range or on the whole picture. Notes that are added to a host
// are a source of their own, which can be undone, closed and saved like any other; those of a session are in the session.
// Loaded when a note is read or written.
import { profileOf } from '../../analysis/case/profile.ts';
import { provenanceOf } from '../../analysis/host/host.ts';
import { hex } from '../../iova/format.ts';
import { copyOf, eventAt, unpackedEvents } from '../../session/event-list.ts';
import { type FactOf, isFact, type SessionEvent } from '../../session/events.ts';
import { newSession } from '../../session/session.ts';
import { type Splice, spliceEvents } from '../../session/splice.ts';
import type { NoteRef } from '../../timeline/lanes/lane.ts';
import type { PinnedNote } from '../../timeline/lanes/notes.ts';
import type { EngineDocument } from '../documents/document.ts';
import { spaceKey } from '../documents/keys.ts';
import { restoreMoments, statesOf } from '../documents/model-states.ts';
import { nothingRead } from '../documents/nothing-read.ts';
import type { NoteNode, NoteParams } from '../protocol/case.ts';
import type { CaseResult, OpenCase } from './open-case.ts';
import type { OpenedSource } from './opened-source.ts';
import { keepHistory } from './session-history.ts';

type Note = FactOf<'note'>;

const NOTES_NAME = 'notes';

function isNote(event: SessionEvent | undefined): event is Note {
  return event !== undefined && isFact(event) && event.kind === 'note';
}

/** Text and range of a note: two notes with the same content are the same note. */
const contentOf = ({ text, start, last, space }: Note) => [start, last, space, text].join(' ');

interface ListedNote {
  readonly note: Note;
  readonly ref: NoteRef;
}

/**
 * The notes of a document, with their positions. Those on a model's address space are listed only with its session. The same
 * note from several sources (a case that was exported and opened twice) is listed once.
 */
export function notesIn({ id, kind, session: { events }, sources }: EngineDocument): ListedNote[] {
  // Few cases have notes, and some have a million events.
  if (!sources.some(({ kinds }) => kinds.note !== undefined)) return [];
  const joinsHost =
    kind === 'session' && events.some((event) => isFact(event) && event.kind !== 'note' && event.kind !== 'diagnostic');
  const known = new Set<string>();
  return events.flatMap((note, i) => {
    if (!isNote(note)) return [];
    const content = contentOf(note);
    if (known.has(content)) return [];
    known.add(content);
    const isOfSession = note.space !== undefined || (kind === 'session' && !joinsHost);
    return isOfSession === (kind === 'session') ? [{ note, ref: { id, position: i + 1 } }] : [];
  });
}

/** All notes of the case, those about the whole case first. */
export function notesOf(documents: Iterable<EngineDocument>): NoteNode[] {
  const nodes = [...documents].flatMap((document) =>
    notesIn(document).map(
      ({ note: { text, start, last, space }, ref }): NoteNode => ({
        text,
        ref,
        where: space === undefined ? document.title : `${document.title}: ${space}`,
        ...(start === undefined || last === undefined ? {} : { range: { start, last } }),
      }),
    ),
  );
  return [...nodes.filter(({ range }) => !range), ...nodes.filter(({ range }) => range)];
}

/** The notes of a document on ranges of one address space; `space`: the name of a model's space. */
export function pinnedNotes(notes: readonly ListedNote[], space?: string): PinnedNote[] {
  return notes.flatMap(({ note, ref }): PinnedNote[] => {
    const { text, start, last } = note;
    if (start === undefined || last === undefined || (note.space ?? space) !== space) return [];
    return [{ text, start, last, ref, ...provenanceOf(note) }];
  });
}

/** The notes as paragraphs for reports and pictures. */
export function writtenNotes(documents: Iterable<EngineDocument>): string[] {
  return notesOf(documents).map(({ text, range }) =>
    range ? `${hex(range.start)} - ${hex(range.last)}: ${text}` : text,
  );
}

/** Name of the address space of a session that a lane belongs to. */
export function spaceNamed(document: EngineDocument, laneId: string): string | undefined {
  const prefix = spaceKey(document, '');
  if (document.kind !== 'session' || !laneId.startsWith(prefix)) return undefined;
  // Under another model: `KEY under MODEL`.
  return laneId.slice(prefix.length, laneId.lastIndexOf('#')).replace(/ under [\w-]+$/, '');
}

/** The document of a lane. */
export function documentOf(documents: ReadonlyMap<string, EngineDocument>, laneId: string): EngineDocument | undefined {
  const owners = [...documents.values()].filter(({ id }) => laneId.startsWith(`${id}#`) || laneId.startsWith(`${id}/`));
  return owners.sort((a, b) => b.id.length - a.id.length)[0];
}

/** The document that stores notes about the whole case: the first host, or the first session. */
function firstOf({ documents }: OpenCase): EngineDocument | undefined {
  const all = [...documents.values()];
  return all.find(({ kind }) => kind === 'host') ?? all[0];
}

/** Changes the case; documents that it makes again keep their moments and models. */
export async function keepingMoments(open: OpenCase, change: () => Promise<CaseResult>): Promise<CaseResult> {
  const moments = [...open.documents.values()].flatMap(({ id, position, model, session }) =>
    position < session.events.length || model !== undefined
      ? [{ id, position: position < session.events.length ? position : Number.MAX_SAFE_INTEGER, model }]
      : [],
  );
  const result = await change();
  await restoreMoments(open.documents, moments);
  return result;
}

/** Adds a note, changes its text, or removes it (an empty text). */
export function changeNote(open: OpenCase, { text: written, ref, on }: NoteParams): Promise<CaseResult> {
  const text = written.trim();
  return keepingMoments(open, () => (ref ? edit(open, ref, text) : add(open, text, on)));
}

async function add(open: OpenCase, text: string, on: NoteParams['on']): Promise<CaseResult> {
  if (text === '') return { ok: false, message: 'the note has no text' };
  const document = on?.laneId === undefined ? firstOf(open) : documentOf(open.documents, on.laneId);
  if (!document) return { ok: false, message: 'nothing is open that a note could be about' };
  const space = on?.laneId === undefined ? undefined : spaceNamed(document, on.laneId);
  const note: Note = {
    kind: 'note',
    text,
    ...(on ? { start: on.start as Note['start'], last: on.last as Note['last'] } : {}),
    ...(space === undefined ? {} : { space }),
    source: NOTES_NAME,
  };
  const label = `Add the note “${shortened(text)}”`;
  const ofSession = open.sourceOfSession(document.id);
  if (ofSession) {
    open.put(label, [await withAdded(ofSession, note)]);
    return { ok: true };
  }
  const own = open.sources.find(
    (source) => open.hostOfSource(source.id) === document.id && !source.isLive && isNotesOnly(source),
  );
  if (own) open.put(label, [await withAdded(own, note)]);
  else {
    const others = open.sources.filter(({ id }) => open.hostOfSource(id) === document.id);
    open.put(label, [await withAdded(emptySource(NOTES_NAME, others), note)], document.id);
  }
  return { ok: true };
}

async function edit(open: OpenCase, { id, position }: NoteRef, text: string): Promise<CaseResult> {
  const all = open.documents.get(id)?.session.events ?? [];
  const note = eventAt(all, position - 1);
  if (!isNote(note)) return { ok: false, message: 'this note is no longer there' };
  const same = new Set(all.filter((event) => isNote(event) && contentOf(event) === contentOf(note)));
  const added = text === '' ? [] : [{ ...note, text }];
  const changed: OpenedSource[] = [];
  for (const source of open.sources) {
    const here = source.isLive ? [] : source.read.session.events.filter((event) => same.has(event));
    let made = source;
    for (const event of here) {
      made = await withChange(made, { index: made.read.session.events.indexOf(event), removed: 1, added });
    }
    if (made !== source) changed.push(made);
  }
  if (changed.length === 0) return { ok: false, message: 'this note is no longer there' };
  open.put(`${text === '' ? 'Remove' : 'Change'} the note “${shortened(note.text)}”`, changed);
  return { ok: true };
}

function shortened(text: string): string {
  const line = text.replace(/\s+/g, ' ');
  return line.length > 30 ? `${line.slice(0, 29)}…` : line;
}

const isNotesOnly = ({ read }: OpenedSource) => read.session.events.every(isNote);

/**
 * A source without events, for what a person adds to a host; `name` is that of its facts. Beside the sources of a sample it
 * is a part of the sample.
 */
export function emptySource(name: string, beside: readonly OpenedSource[]): OpenedSource {
  return {
    id: '',
    name,
    textNames: [name],
    isSample: beside.every(({ isSample }) => isSample),
    read: {
      ...nothingRead(name),
      // The source of the notes has no title of its own.
      session: newSession(),
      sources: [
        {
          name,
          size: 0,
          files: 1,
          formats: [],
          kinds: {},
          operations: 0,
          lines: 0,
          unrecognized: 0,
          samples: [],
          leftover: new Map(),
          diagnostics: [],
        },
      ],
    },
    files: [],
    profile: profileOf([]),
    labels: new Map(),
    session: undefined,
    isLive: false,
  };
}

function withAdded(source: OpenedSource, note: Note): Promise<OpenedSource> {
  return withChange(source, { index: source.read.session.events.length, removed: 0, added: [note] });
}

/** The source with other notes; `isRecounted`: with other facts as well. It can no longer be read from its files. */
export async function withChange(source: OpenedSource, splice: Splice, isRecounted = false): Promise<OpenedSource> {
  const { read, session: document } = source;
  const { events: before, lines, verbatim } = read.session;
  const events = copyOf(before);
  const session = {
    ...read.session,
    events,
    lines: [...lines],
    verbatim: { ...verbatim, events: new Map(verbatim.events) },
  };
  spliceEvents(session, splice, read.hasGone);
  const { index, removed, added } = splice;
  keepHistory(before, events, removed > added.length ? index : undefined);
  const { note: _notes, ...others } = read.sources[0]?.kinds ?? {};
  const kinds: Record<string, number> = isRecounted ? {} : { ...others };
  for (const event of unpackedEvents(events)) {
    if (isNote(event) || (isRecounted && isFact(event))) kinds[event.kind] = (kinds[event.kind] ?? 0) + 1;
  }
  const sources = read.sources.map((summary, i) => (i > 0 ? summary : { ...summary, kinds }));
  const states = document ? await statesOf(session, document.model, document.kernel) : undefined;
  const made = { session, sources, ...(states ? { states: states.states, model: states.model } : {}) };
  return {
    ...source,
    files: [],
    read: { ...read, ...made },
    session: document && { ...document, ...made, files: [], position: session.events.length },
  };
}
