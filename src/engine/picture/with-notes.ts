// The notes of the case in the picture: a lane at the top of each address space that has some.
import type { SpaceLanes } from '../../timeline/lanes/lane.ts';
import { notesLane } from '../../timeline/lanes/notes.ts';
import { documentOf, notesIn, pinnedNotes, spaceNamed } from '../case/notes.ts';
import type { EngineDocument } from '../documents/document.ts';

export function withNotes<S extends SpaceLanes>(
  documents: ReadonlyMap<string, EngineDocument>,
  spaces: readonly S[],
): S[] {
  const listed = new Map<EngineDocument, ReturnType<typeof notesIn>>();
  return spaces.map((space) => {
    const laneId = `${space.id}#`;
    const document = documentOf(documents, laneId);
    if (!document) return space;
    const all = listed.get(document) ?? notesIn(document);
    listed.set(document, all);
    const notes = pinnedNotes(all, spaceNamed(document, laneId));
    return notes.length === 0 ? space : { ...space, lanes: [notesLane(space.id, notes), ...space.lanes] };
  });
}
