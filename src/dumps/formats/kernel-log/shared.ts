// What the formats of kernel logs share: numbers, devices, and lines that a mail program broke.
import { type Iova, isIova } from '../../../iova/iova.ts';
import { normalizeDevice } from '../../fields/pci-address.ts';
import type { DumpLine, Lookahead } from '../../format.ts';
import { continuation, joinWrapped } from '../../text/wrapped.ts';

/** The name that the kernel puts before a message about a device: `driver name: `, the name without its colon. */
export const DEVICE_NAME = String.raw`[A-Za-z0-9_][\w.:@-]{0,80}`;

/** `0x1f` or `1f` as an address; undefined if it is none or has more than 64 bits. */
export function parseAddress(text: string | undefined): Iova | undefined {
  if (text === undefined) return undefined;
  const digits = text.replace(/^0x/i, '');
  if (!/^[0-9a-f]{1,64}$/i.test(digits)) return undefined;
  const value = BigInt(`0x${digits}`);
  return isIova(value) ? value : undefined;
}

/** A device as a log names it: `02:00.0`, `0x02:0x00.0`, `0000:02:00.0`, or any other name. */
export function logDevice(text: string): string {
  return normalizeDevice(text.replace(/\b0x/gi, ''));
}

export interface Matched {
  readonly match: RegExpExecArray;
  readonly lines: number;
}

/**
 * Finds `pattern` in the line, or in it and up to three that follow if it was broken and `start` shows that it begins
 * here. A number that stands at the very end goes on in the next line if that holds nothing but digits.
 */
export function matchWrapped(
  line: DumpLine,
  ahead: Lookahead,
  start: RegExp,
  pattern: RegExp,
  digits: RegExp,
): Matched | undefined {
  if (!start.test(line.text)) return undefined;
  const match = pattern.exec(line.text);
  if (match) {
    if (match.index + match[0].length < line.text.replace(/=$/, '').length) return { match, lines: 1 };
    const rest = continuation(line, ahead)?.text.trim();
    if (rest === undefined || !digits.test(rest)) return { match, lines: 1 };
    const longer = pattern.exec(line.text.replace(/=$/, '') + rest);
    return longer ? { match: longer, lines: 2 } : { match, lines: 1 };
  }
  const joined = joinWrapped(line, ahead, 3, (text) => {
    const found = pattern.exec(text);
    return found && found.index < line.text.length ? found : undefined;
  });
  return joined ? { match: joined.value, lines: joined.lines } : undefined;
}

/** A line cut for a message. */
export function shown(text: string): string {
  return `“${text.trim().slice(0, 120)}”`;
}
