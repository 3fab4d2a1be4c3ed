// The capability registers CAP and ECAP of Intel VT-d, as in hardware, sysfs, debugfs and ioctl buffers.

/** Maximum guest address width, 1 to 64 bits: the field MGAW, bits 21:16, stored minus one. (VT-d specification, CAP_REG.) */
export function addressWidthOf(cap: bigint): number {
  return Number((cap >> 16n) & 0x3fn) + 1;
}

/** Bits of SAGAW in the register, with the address bits that each stands for. */
const SAGAW: readonly (readonly [bigint, number])[] = [
  [9n, 39],
  [10n, 48],
  [11n, 57],
];

/** Address bits of the second-stage tables that are supported: the field SAGAW, bits 12:8. Ascending; empty if none is. */
export function secondStageWidths(cap: bigint): readonly number[] {
  return SAGAW.filter(([bit]) => (cap >> bit) & 1n).map(([, width]) => width);
}

/** First-stage tables may have five levels: the field FS5LP, bit 60. */
export function hasFiveLevelFirstStage(cap: bigint): boolean {
  return ((cap >> 60n) & 1n) === 1n;
}

/** What the extended capability register ECAP says about translation: SMTS (bit 43), SSTS (46) and FSTS (47). */
export function translationOf(ecap: bigint): {
  readonly scalable: boolean;
  readonly secondStage: boolean;
  readonly firstStage: boolean;
} {
  const bit = (n: bigint) => ((ecap >> n) & 1n) === 1n;
  return { scalable: bit(43n), secondStage: bit(46n), firstStage: bit(47n) };
}
