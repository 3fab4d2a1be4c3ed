// Intel's capability register CAP, as VT-d's IOMMUs have it in hardware, sysfs, debugfs and ioctl buffers.

/** Address bits that DMA may have, 1 to 64: the field MGAW, bits 21:16, stored minus one. (VT-d specification, CAP_REG.) */
export function addressWidthOf(cap: bigint): number {
  return Number((cap >> 16n) & 0x3fn) + 1;
}
