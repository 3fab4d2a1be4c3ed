/** A PCI address, with or without a domain: `00:1f.0`, `0000:00:1f.0`, `10000:e1:00.0`. For use inside larger patterns. */
export const PCI_ADDRESS_PATTERN = String.raw`(?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]`;

/** How a line ends that was broken after a device and its colon, `02:00.0:`. As words of a `LineInterest`. */
export const FUNCTION_LINE_ENDS: readonly string[] = [...'01234567'].map((digit) => `.${digit}:\n`);

/** `00:1f.0` from the 16 bits of bus (8), device (5) and function (3); wider ids have a wider bus. */
export function busDeviceFunction(id: number): string {
  const two = (value: number) => value.toString(16).padStart(2, '0');
  return `${two(id >>> 8)}:${two((id >> 3) & 31)}.${id & 7}`;
}

/** `0000:00:14.0` from a segment and the 16 bits of bus, device and function. */
export function pciAddress(segment: number, id: number): string {
  return `${segment.toString(16).padStart(4, '0')}:${busDeviceFunction(id)}`;
}

const WHOLE = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i;

/** The form with domain in lower case, `0000:00:1f.0`; undefined if `text` is no PCI address. */
export function normalizePciAddress(text: string): string | undefined {
  const match = WHOLE.exec(text);
  return match ? `${match[1] ?? '0000'}:${match[2]}`.toLowerCase() : undefined;
}

/**
 * The name of a device as in sysfs. PCI addresses get their full form, backslashes (which shells put before a colon) are
 * removed, anything else is kept.
 */
export function normalizeDevice(name: string): string {
  const plain = name.replaceAll('\\', '');
  return normalizePciAddress(plain) ?? plain;
}
