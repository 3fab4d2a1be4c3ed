import { normalizeDevice } from './pci-address.ts';

/** The device in a kernel message `driver device: text`, without the colon. For use inside larger patterns. */
export const DEVICE_NAME_PATTERN = String.raw`[A-Za-z0-9_][\w.:@-]{0,80}`;

/** A device as a log names it: `02:00.0`, `0x02:0x00.0`, `0000:02:00.0`, or any other name. */
export function normalizeLoggedDevice(text: string): string {
  return normalizeDevice(text.replace(/\b0x/gi, ''));
}
