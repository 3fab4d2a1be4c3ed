// Sizes of memory as guest definitions write them. All return bytes, or undefined for what is no size of up to 64 bits.

const SHIFTS: Readonly<Record<string, bigint>> = { b: 0n, k: 10n, m: 20n, g: 30n, t: 40n, p: 50n, e: 60n };

/** A decimal number with a fraction, times `unit` bytes, rounded down; undefined from 2^64 bytes on. */
function times(whole: string, fraction: string, unit: bigint): bigint | undefined {
  const divisor = 10n ** BigInt(fraction.length);
  // QEMU drops a remaining fraction of a byte.
  const value = (BigInt(whole + fraction) * unit) / divisor;
  return value < 1n << 64n ? value : undefined;
}

/**
 * As QEMU reads it (qemu_strtosz): `16384`, `16G`, `1.5g`, `0x1000`; `unit` (bytes) is meant where none is given: MiB for
 * `-m`, bytes elsewhere.
 */
export function qemuSize(text: string, unit = 1n): bigint | undefined {
  const hex = /^0x([0-9a-f]{1,16})$/i.exec(text);
  if (hex) return BigInt(`0x${hex[1]}`) * unit;
  const match = /^(\d{1,20})(?:\.(\d{1,18}))?([bkmgtpe])?$/i.exec(text);
  if (!match) return undefined;
  const [, whole = '0', fraction = '', letter] = match;
  const shift = letter === undefined ? undefined : SHIFTS[letter.toLowerCase()];
  return times(whole, fraction, shift === undefined ? unit : 1n << shift);
}

const LIBVIRT_UNITS: Readonly<Record<string, bigint>> = {
  b: 1n,
  byte: 1n,
  bytes: 1n,
  kb: 1000n,
  k: 1n << 10n,
  kib: 1n << 10n,
  mb: 1000n ** 2n,
  m: 1n << 20n,
  mib: 1n << 20n,
  gb: 1000n ** 3n,
  g: 1n << 30n,
  gib: 1n << 30n,
  tb: 1000n ** 4n,
  t: 1n << 40n,
  tib: 1n << 40n,
  pb: 1000n ** 5n,
  p: 1n << 50n,
  pib: 1n << 50n,
  eb: 1000n ** 6n,
  e: 1n << 60n,
  eib: 1n << 60n,
};

/** An element of libvirt: its text and its attribute `unit` (KiB if there is none). */
export function libvirtSize(text: string, unit: string | undefined): bigint | undefined {
  const factor = LIBVIRT_UNITS[(unit ?? 'KiB').toLowerCase()];
  return factor === undefined || !/^\d{1,20}$/.test(text) ? undefined : times(text, '', factor);
}

const QUANTITY_UNITS: Readonly<Record<string, bigint>> = {
  '': 1n,
  k: 1000n,
  M: 1000n ** 2n,
  G: 1000n ** 3n,
  T: 1000n ** 4n,
  P: 1000n ** 5n,
  E: 1000n ** 6n,
  Ki: 1n << 10n,
  Mi: 1n << 20n,
  Gi: 1n << 30n,
  Ti: 1n << 40n,
  Pi: 1n << 50n,
  Ei: 1n << 60n,
};

/** A quantity of Kubernetes: `16Gi`, `16G` (a thousand millions), `1.5Gi`, `17179869184`. */
export function kubernetesQuantity(text: string): bigint | undefined {
  const match = /^(\d{1,20})(?:\.(\d{1,18}))?([A-Za-z]{0,2})$/.exec(text);
  if (!match) return undefined;
  const [, whole = '0', fraction = '', letters = ''] = match;
  const factor = QUANTITY_UNITS[letters];
  return factor === undefined ? undefined : times(whole, fraction, factor);
}
