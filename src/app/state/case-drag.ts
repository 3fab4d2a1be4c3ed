// Sources can be dragged from host to host. Such a drag must not be confused with files that are dropped to be opened.

/** Type of the dragged data: no other page accepts it. */
export const SOURCE_DRAG = 'application/x-iovascope-source';

/** True if a source of the case is dragged. */
export function isSourceDrag(transfer: DataTransfer | null): boolean {
  return transfer?.types.includes(SOURCE_DRAG) === true;
}
