/** A PCI address, with or without a domain: `00:1f.0`, `0000:00:1f.0`, `10000:e1:00.0`. For use inside larger patterns. */
export const PCI_ADDRESS_PATTERN = String.raw`(?:[0-9a-fA-F]{4,8}:)?[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-7]`;

/** How a line ends that was broken after a device and its colon, `02:00.0:`. As words of a `LineInterest`. */
export const FUNCTION_LINE_ENDS: readonly string[] = [...'01234567'].map((digit) => `.${digit}:\n`);

/** `00:1f.0` from the 16 bits that say bus (8), device (5) and function (3); ids that are wider have a wider bus. */
export function busDeviceFunction(id: number): string {
  const two = (value: number) => value.toString(16).padStart(2, '0');
  return `${two(id >>> 8)}:${two((id >> 3) & 31)}.${id & 7}`;
}

const WHOLE = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}:[0-9a-f]{2}\.[0-7])$/i;

/** The form with domain in lower case, `0000:00:1f.0`; undefined if `text` is no PCI address. */
export function normalizePciAddress(text: string): string | undefined {
  const match = WHOLE.exec(text);
  return match ? `${match[1] ?? '0000'}:${match[2]}`.toLowerCase() : undefined;
}

/**
 * A device's name as sysfs has it. PCI addresses are put into their full form, a backslash before a colon (as shells
 * complete it) is taken off, anything else stays as it is.
 */
export function normalizeDevice(name: string): string {
  const plain = name.replaceAll('\\', '');
  return normalizePciAddress(plain) ?? plain;
}
