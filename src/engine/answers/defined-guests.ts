// The guests that the sources of the hosts define, for the user to choose from.
import { definitionLabel } from '../../analysis/guest/definition-label.ts';
import { provenanceOf } from '../../analysis/host/host.ts';
import type { EngineDocument } from '../documents/document.ts';
import { definedGuestsOf } from '../picture/defined-guests.ts';
import type { DefinedGuest } from '../protocol/answers.ts';

/** All of them, host by host. */
export function definedGuests(documents: Iterable<EngineDocument>): DefinedGuest[] {
  return [...documents].flatMap((document) => {
    if (document.kind !== 'host') return [];
    const { guests, inQuestion } = definedGuestsOf(document);
    return guests.map((guest): DefinedGuest => {
      const { definition, facts, memory } = guest;
      return {
        hostId: document.id,
        hostName: document.title,
        definition,
        label: definitionLabel(definition),
        provenance: provenanceOf(facts[0] ?? {}),
        isTried: guest === inQuestion?.guest && memory.ok,
        notes: memory.ok ? memory.memory.notes.map(({ message }) => message) : [],
        ...(memory.ok ? {} : { problem: memory.message }),
      };
    });
  });
}
