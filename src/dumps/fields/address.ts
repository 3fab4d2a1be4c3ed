import { type Iova, isIova } from '../../iova/iova.ts';

/**
 * A hexadecimal number with or without `0x`, as programs and kernels print addresses and sizes. Undefined for any other
 * text and for more than 64 bits; leading zeros do not count.
 */
export function parseHexAddress(text: string | undefined): Iova | undefined {
  if (text === undefined) return undefined;
  const digits = text.replace(/^0x/i, '');
  if (!/^[0-9a-f]{1,64}$/i.test(digits)) return undefined;
  const value = BigInt(`0x${digits}`);
  return isIova(value) ? value : undefined;
}

/** A pointer as `%p` prints it: hexadecimal, or `(nil)` for zero. */
export function parsePointer(text: string | undefined): Iova | undefined {
  return parseHexAddress(text === '(nil)' ? '0' : text);
}
