// Unsigned numbers in bytes.
import type { Iova } from '../iova/iova.ts';
import type { Endian } from './node.ts';

/** Bytes of a field. */
export type Width = 1 | 2 | 4 | 8;

export function isWidth(size: number): size is Width {
  return size === 1 || size === 2 || size === 4 || size === 8;
}

/** Reads an unsigned number. RangeError if it is not inside `bytes`. */
export function readNumber(bytes: Uint8Array, offset: number, width: Width, endian: Endian): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = endian === 'little';
  switch (width) {
    case 1:
      return BigInt(view.getUint8(offset));
    case 2:
      return BigInt(view.getUint16(offset, little));
    case 4:
      return BigInt(view.getUint32(offset, little));
    case 8:
      return view.getBigUint64(offset, little);
  }
}

/** Reads a field of 8 bytes as an address. RangeError if it is not inside `bytes`. */
export function readAddress(bytes: Uint8Array, offset: number, endian: Endian): Iova {
  // Any unsigned number of 64 bits is an address.
  return readNumber(bytes, offset, 8, endian) as Iova;
}

/** Writes an unsigned number, modulo 2^(8 · width). RangeError if it is not inside `bytes`. */
export function writeNumber(bytes: Uint8Array, offset: number, width: Width, endian: Endian, value: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const little = endian === 'little';
  switch (width) {
    case 1:
      view.setUint8(offset, Number(BigInt.asUintN(8, value)));
      break;
    case 2:
      view.setUint16(offset, Number(BigInt.asUintN(16, value)), little);
      break;
    case 4:
      view.setUint32(offset, Number(BigInt.asUintN(32, value)), little);
      break;
    case 8:
      view.setBigUint64(offset, BigInt.asUintN(64, value), little);
      break;
  }
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

/** The bytes as hex digits, two per byte, without separators. */
export function toHex(bytes: Uint8Array): string {
  let text = '';
  for (const byte of bytes) text += HEX[byte];
  return text;
}
