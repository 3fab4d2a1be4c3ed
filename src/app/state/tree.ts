// Scrolls the tree of the case to a group or a device that was found or chosen elsewhere.
import type { DocumentNode } from '../../engine/protocol/documents.ts';
import { type TreePlace, useApp } from './app-state.ts';

const { getState: get, setState: set } = useApp;

/** Where a device is in the tree; undefined if no group of the document has it. */
export function placeOfDevice({ id, groups }: DocumentNode, device: string): TreePlace | undefined {
  const group = groups.find(({ devices }) => devices.some((one) => one.device === device));
  return group && { documentId: id, groupKey: group.key, device };
}

/** Scrolls the tree to a device, in the given document or in the first that has it. False if none has it. */
export function revealDevice(device: string, documentId?: string): boolean {
  for (const document of get().documents) {
    if (documentId !== undefined && document.id !== documentId) continue;
    const place = placeOfDevice(document, device);
    if (!place) continue;
    set({ revealed: place });
    return true;
  }
  return false;
}

/** Scrolls the tree to a group, by its key. False if no document has it. */
export function revealGroup(groupKey: string): boolean {
  const owner = get().documents.find(({ groups }) => groups.some(({ key }) => key === groupKey));
  if (owner) set({ revealed: { documentId: owner.id, groupKey } });
  return owner !== undefined;
}

/** Scrolls the tree to the owner of a range: a device, or a group by its title. False if it is neither. */
export function revealOwner(owner: string): boolean {
  if (revealDevice(owner)) return true;
  const group = get()
    .documents.flatMap(({ groups }) => groups)
    .find(({ title }) => title === owner);
  return group !== undefined && revealGroup(group.key);
}
