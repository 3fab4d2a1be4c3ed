// What of a document can be selected.
import type { DocumentNode } from './documents.ts';

type Selectable = Pick<DocumentNode, 'groups' | 'spaces' | 'layers'>;

/** Keys of everything in a document that can be selected. */
export function selectableKeys({ groups, spaces, layers }: Selectable): string[] {
  return [...groups, ...spaces, ...layers].map(({ key }) => key);
}

/** Keys that are selected when a document is opened: of the groups, those that can be assigned. */
export function defaultKeys({ groups, spaces, layers }: Selectable): string[] {
  const shown = [
    ...groups.filter(({ isSelectedByDefault }) => isSelectedByDefault),
    ...spaces.filter(({ isShown }) => isShown),
    ...layers.filter(({ isShown }) => isShown),
  ];
  return shown.map(({ key }) => key);
}
