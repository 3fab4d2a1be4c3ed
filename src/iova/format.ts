const UNITS = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB', 'EiB'] as const;

/** Lower-case hex without padding, `0xfee00000`: the form of session files. */
export function hex(value: bigint): string {
  return `0x${value.toString(16)}`;
}

/** Hex in groups of four digits, for display: `0x1_0000_0000`. `parseAddress` reads it back. */
export function groupedHex(value: bigint): string {
  const digits = value.toString(16);
  let end = digits.length % 4 || 4;
  let text = `0x${digits.slice(0, end)}`;
  for (; end < digits.length; end += 4) text += `_${digits.slice(end, end + 4)}`;
  return text;
}

/** Sixteen digits, `0x00000000fee00000`: as `reserved_regions` prints. */
export function paddedHex(value: bigint): string {
  return `0x${value.toString(16).padStart(16, '0')}`;
}

/** Decimal in groups of three, `4,276,092,928`. */
export function groupedDecimal(value: bigint): string {
  return value.toString().replace(/\B(?=(?:\d{3})+$)/g, ',');
}

/** `1 area`, `1,204 areas`: a count with its noun, whose plural takes an s. */
export function counted(n: number, one: string): string {
  return `${groupedDecimal(BigInt(n))} ${n === 1 ? one : `${one}s`}`;
}

/** Both ends inclusive. */
interface Bounds {
  readonly start: bigint;
  readonly last: bigint;
}

/** `0xfee00000-0xfeefffff`, both ends inclusive: for sentences, which are also printed by commands and copied. */
export function hexRange(r: Bounds): string {
  return `${hex(r.start)}-${hex(r.last)}`;
}

/** Hex digits in groups, as `groupedHex` writes them, and the two bounds of `formatRange`. */
const GROUPED_HEX = /0x[0-9a-f]{1,4}(?:_[0-9a-f]{4})+/g;
const BOUNDS = /(0x[0-9a-f]+) – (?=0x)/g;

/** Rewrites the addresses and ranges of a text so that other programs can read them: `0xfee00000-0xfeefffff`. */
export function plainHex(text: string): string {
  return text.replace(GROUPED_HEX, (grouped) => grouped.replaceAll('_', '')).replace(BOUNDS, '$1-');
}

/** `0xfee0_0000 – 0xfeef_ffff`, both ends inclusive: for values listed in the page. */
export function formatRange(r: Bounds): string {
  return `${groupedHex(r.start)} – ${groupedHex(r.last)}`;
}

/** True if `formatSize` shows this size exactly. */
export function isExactSize(bytes: bigint): boolean {
  return scaleSize(bytes).exact;
}

/**
 * A size in binary units, for display: `1 MiB`, `2.98 GiB`, `16 EiB`. Exact if three significant digits suffice; otherwise
 * truncated toward zero, never rounded up, and marked with `≈`.
 */
export function formatSize(bytes: bigint): string {
  const { text, exact } = scaleSize(bytes);
  return exact ? text : `≈ ${text}`;
}

function scaleSize(bytes: bigint): { text: string; exact: boolean } {
  let unit = 0;
  while (unit < UNITS.length - 1 && bytes >= 1n << BigInt(10 * (unit + 1))) unit++;
  const shift = BigInt(10 * unit);
  const whole = bytes >> shift;
  const digits = whole >= 100n ? 0 : whole >= 10n ? 1 : 2;
  const rest = bytes - (whole << shift);
  const power = 10n ** BigInt(digits);
  const fraction = (rest * power) >> shift;
  const exact = fraction << shift === rest * power;
  const tail = fraction === 0n ? '' : `.${fraction.toString().padStart(digits, '0').replace(/0+$/, '')}`;
  const name = unit === 0 && bytes === 1n ? 'byte' : UNITS[unit];
  return { text: `${whole}${tail} ${name}`, exact };
}

/** The largest unit that divides a byte count without a remainder, as its index in `UNITS`. */
function dividingUnit(bytes: bigint): number {
  let unit = 0;
  if (bytes > 0n && bytes <= Number.MAX_SAFE_INTEGER) {
    for (let rest = Number(bytes); rest % 1024 === 0; rest /= 1024) unit++;
    return unit;
  }
  while (bytes !== 0n && unit < UNITS.length - 1 && (bytes >> BigInt(10 * unit)) % 1024n === 0n) unit++;
  return unit;
}

/** The exact size in the largest unit that divides it: `1100 GiB`, `512 MiB`, `4097 bytes`. */
export function formatExactSize(bytes: bigint): string {
  const unit = dividingUnit(bytes);
  const name = bytes === 1n ? 'byte' : UNITS[unit];
  return `${bytes >> BigInt(10 * unit)} ${name}`;
}

/** The exact size as people type it: `1100G`, `512M`, `4097`. `parseSize` reads it back. */
export function shortExactSize(bytes: bigint): string {
  const unit = dividingUnit(bytes);
  return `${bytes >> BigInt(10 * unit)}${unit === 0 ? '' : UNITS[unit]?.charAt(0)}`;
}

/** Like `shortExactSize` for a multiple of 1 KiB, `4K`; hex otherwise, `0x1001`, `0x0`. `parseSize` reads it back. */
export function shortSizeOrHex(bytes: bigint): string {
  return bytes !== 0n && bytes % 1024n === 0n ? shortExactSize(bytes) : hex(bytes);
}
