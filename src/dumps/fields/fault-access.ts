/** What a faulting DMA access did. */
export type FaultAccess = 'read' | 'write';

/** The access by a flag of hardware or of a kernel that is set for writes. */
export function faultAccess(isWrite: boolean): FaultAccess {
  return isWrite ? 'write' : 'read';
}
