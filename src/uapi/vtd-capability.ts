// The capability register CAP of Intel VT-d, as in hardware, sysfs, debugfs and ioctl buffers.

/** Maximum guest address width, 1 to 64 bits: the field MGAW, bits 21:16, stored minus one. (VT-d specification, CAP_REG.) */
export function addressWidthOf(cap: bigint): number {
  return Number((cap >> 16n) & 0x3fn) + 1;
}
