// Sources are dragged from host to host. Such a drag must not be taken for files that are dropped to be opened.

/** The type of what is dragged: no other page takes it. */
export const SOURCE_DRAG = 'application/x-iovascope-source';

/** True if a source of the case is dragged. */
export function isSourceDrag(transfer: DataTransfer | null): boolean {
  return transfer?.types.includes(SOURCE_DRAG) === true;
}
