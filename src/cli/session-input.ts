// Session files as arguments of a command.
import { readSession } from '../session/read.ts';
import type { Session } from '../session/session.ts';
import { inputName, readInput } from './input.ts';
import type { CliIo } from './io.ts';

export interface SessionInput {
  readonly name: string;
  readonly session: Session;
  /** Lines for standard error about what was skipped. */
  readonly warnings: readonly string[];
}

export type LoadedSession =
  | { readonly ok: true; readonly input: SessionInput }
  /** `isOther`: it could be read, but it is no session file. */
  | { readonly ok: false; readonly message: string; readonly isOther: boolean };

/** Reads a session file, `-` is standard input. Lines that cannot be run show up when the session is run. */
export async function loadSession(path: string, io: CliIo): Promise<LoadedSession> {
  const read = await readInput(path, io);
  if (!read.ok) return { ...read, isOther: read.message.endsWith('is a folder') };
  const name = inputName(path);
  const { session, problems } = readSession(new TextDecoder().decode(read.bytes));
  const broken = problems.find((p) => p.severity === 'error' && (p.code === 'bad-header' || p.code === 'no-header'));
  if (broken) {
    return { ok: false, message: `${name}:${broken.line}: not a session file: ${broken.message}`, isOther: true };
  }
  const warnings = problems
    .filter((p) => p.code === 'unknown-kind' || p.code === 'unknown-memory' || p.code === 'no-header')
    .map((p) => `${name}:${p.line}: warning: ${p.message}`);
  return { ok: true, input: { name, session, warnings } };
}
