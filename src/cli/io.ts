import type { Threads } from './threads.ts';

/** What a command may use of the outside world. Tests pass their own. */
export interface CliIo {
  /** Results. */
  stdout(text: string): void;
  /** Messages. */
  stderr(text: string): void;
  /** All of standard input. */
  stdin(): Promise<Uint8Array<ArrayBuffer>>;
  /** A file's bytes; rejects with a system error, `code` set, as `node:fs` does. */
  readFile(path: string): Promise<Uint8Array>;
  /** The names in a folder; rejects as `readFile` does, with the code ENOTDIR for a file. */
  readFolder(path: string): Promise<readonly string[]>;
  /** Writes a file, replacing one that is there; rejects as `readFile` does. */
  writeFile(path: string, data: string | Uint8Array): Promise<void>;
  /** Threads of this program (`thread.ts`); without them, everything is done in one. */
  readonly threads?: Threads;
}

/** 0: done and clean; 1: done, and what was looked for was found; 2: the input or the call is unusable. */
export type ExitCode = 0 | 1 | 2;

/** One command. */
export interface Command {
  /** What `COMMAND --help` prints, without its last line end. */
  readonly help: string;
  /** `args` are those after the command's name. Rejects on bugs only. */
  run(args: readonly string[], io: CliIo): Promise<ExitCode>;
}

/** Prints a message in one line on stderr. */
export function warn(io: CliIo, message: string): void {
  io.stderr(`iovascope: ${message.replace(/\s*\n\s*/g, ' ')}\n`);
}

/** Says in one line what is unusable and where. */
export function unusable(io: CliIo, message: string): ExitCode {
  warn(io, message);
  return 2;
}
