import { gunzipSync } from 'node:zlib';
import { formatSize } from '../iova/format.ts';
import type { CliIo } from './io.ts';

export type InputResult =
  | { readonly ok: true; readonly bytes: Uint8Array }
  | { readonly ok: false; readonly message: string };

const REASONS: Readonly<Record<string, string>> = {
  ENOENT: 'no such file',
  EISDIR: 'is a folder',
  EACCES: 'permission denied',
};

/** The name of an input for messages. */
export function inputName(path: string): string {
  return path === '-' ? '<stdin>' : path;
}

/** Why a file cannot be read, in words. Rethrows what is not a system error. */
export function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? String(error.code) : undefined;
  if (code === undefined) throw error;
  return REASONS[code] ?? `cannot be read (${code})`;
}

/** The longest text in bytes that a command reads as a whole: just below the longest string of V8, 2^29 - 24 characters. */
const TEXT_MAX = 2 ** 29 - 2 ** 20;

/** Reads a file, or standard input for `-`; gzip is unpacked. More than `max` bytes are refused. */
export async function readInput(path: string, io: CliIo, max = TEXT_MAX): Promise<InputResult> {
  const tooLarge = (what: string): InputResult => ({
    ok: false,
    message: `${inputName(path)}: ${what} more than ${formatSize(BigInt(max))}, which is read at most`,
  });
  let bytes: Uint8Array;
  try {
    bytes = path === '-' ? await io.stdin() : await io.readFile(path);
  } catch (error) {
    return { ok: false, message: `${inputName(path)}: ${reasonOf(error)}` };
  }
  if (bytes.length > max) return tooLarge('is');
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return { ok: true, bytes };
  try {
    return { ok: true, bytes: gunzipSync(bytes, { maxOutputLength: max }) };
  } catch (error) {
    if (error instanceof RangeError) return tooLarge('holds, unpacked,');
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, message: `${inputName(path)}: malformed gzip data (${why})` };
  }
}
