// What people wrote about ranges. Loaded when a note is in the picture.
import type { IovaRange } from '../../iova/range.ts';
import { finished } from './kinds.ts';
import { type DescribedRange, describedLane, type Lane, type NoteRef, stackRows } from './lane.ts';

/** A note that is pinned on a range (inclusive). */
export interface PinnedNote extends IovaRange {
  readonly text: string;
  readonly ref: NoteRef;
  readonly source: string;
  /** Counted from 1. */
  readonly line?: number | undefined;
}

/** Characters of a note that are its title. */
const TITLE_MAX = 80;

/** The first line of a note, shortened. */
export function noteTitle(text: string): string {
  const [first = ''] = text.trim().split(/\r?\n/, 1);
  const characters = [...first];
  return characters.length > TITLE_MAX ? `${characters.slice(0, TITLE_MAX - 1).join('')}…` : first;
}

function described({ start, last, text, ref, source, line }: PinnedNote): DescribedRange {
  const title = noteTitle(text);
  return {
    start: start as DescribedRange['start'],
    last: last as DescribedRange['last'],
    style: 'note',
    caption: title,
    info: {
      title,
      sentence: text,
      // One that was written here has no line that could be shown.
      parts: line === undefined ? [] : [{ owner: 'note', range: { start, last }, provenance: [{ source, line }] }],
      note: ref,
    },
  };
}

/** The lane of the notes of an address space, whose key in the picture is `key`. At least one note. */
export function notesLane(key: string, notes: readonly PinnedNote[]): Lane {
  const ranges = notes.map(described).sort((a, b) => (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
  return finished(
    describedLane(
      { id: `${key}#notes`, kind: 'notes', title: 'notes', subtitle: '' },
      stackRows(ranges).map((row) => ({ ranges: row })),
    ),
  );
}
