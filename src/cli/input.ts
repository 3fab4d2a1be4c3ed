import { gunzipSync } from 'node:zlib';
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

/** Reads a file, or standard input for `-`; gzip is unpacked. */
export async function readInput(path: string, io: CliIo): Promise<InputResult> {
  let bytes: Uint8Array;
  try {
    bytes = path === '-' ? await io.stdin() : await io.readFile(path);
  } catch (error) {
    return { ok: false, message: `${inputName(path)}: ${reasonOf(error)}` };
  }
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return { ok: true, bytes };
  try {
    return { ok: true, bytes: gunzipSync(bytes) };
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { ok: false, message: `${inputName(path)}: malformed gzip data (${why})` };
  }
}
