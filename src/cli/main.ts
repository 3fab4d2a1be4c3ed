import { existsSync } from 'node:fs';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';
import { isLink } from './links.ts';
import { packageVersion } from './version.ts';

interface CommandEntry {
  /** One line for `--help`. */
  readonly summary: string;
  /** Its results are files, to be written byte for byte also on standard output. */
  readonly writesFiles?: true;
  readonly load: () => Promise<Command>;
}

/** The commands, in the order of `--help`. Each is loaded when it is called. */
const COMMANDS: Readonly<Record<string, CommandEntry>> = {
  open: {
    summary: 'open the explorer in the browser, with files if given',
    load: async () => (await import('./open.ts')).OPEN,
  },
  inspect: {
    summary: 'read dumps and list what they contain',
    load: async () => (await import('./inspect.ts')).INSPECT,
  },
  check: {
    summary: 'find conflicts and how to fix them',
    load: async () => (await import('./check.ts')).CHECK,
  },
  fit: {
    summary: 'find out whether and where a range fits',
    load: async () => (await import('./fit.ts')).FIT,
  },
  layout: {
    summary: "show where a guest's memory is",
    load: async () => (await import('./layout.ts')).LAYOUT,
  },
  compare: {
    summary: 'compare what several hosts reserve and leave usable',
    load: async () => (await import('./compare.ts')).COMPARE,
  },
  render: {
    summary: 'draw the layout as a picture, or write it as a report',
    writesFiles: true,
    load: async () => (await import('./render.ts')).RENDER,
  },
  link: {
    summary: 'print a link that carries the session',
    load: async () => (await import('./link.ts')).LINK,
  },
  replay: {
    summary: 'run the operations of session files and compare with the recorded answers',
    load: async () => (await import('./replay.ts')).REPLAY,
  },
  versions: {
    summary: 'run session files under every known kernel version and list what differs',
    load: async () => (await import('./versions.ts')).VERSIONS,
  },
  decode: {
    summary: 'decode a buffer of the kernel UAPI, field by field',
    load: async () => (await import('./decode.ts')).DECODE,
  },
  lesson: {
    summary: 'list, check and show lessons',
    load: async () => (await import('./lesson.ts')).LESSON,
  },
  agent: {
    summary: 'serve the explorer with a live host',
    load: async () => (await import('./agent.ts')).AGENT,
  },
};

function usage(): string {
  const width = Math.max(...Object.keys(COMMANDS).map((name) => name.length));
  const lines = Object.entries(COMMANDS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'usage: iovascope COMMAND …',
    '       iovascope FILE…          the same as: iovascope open FILE…',
    '',
    'Shows I/O virtual address layouts: apertures, reserved regions, MSI windows, mappings.',
    '',
    'commands:',
    ...lines,
    '',
    '  iovascope help COMMAND   options of a command',
    '  iovascope --version',
    '',
    'Exit code 0: done; 1: done, and something was found (a conflict, a mismatch);',
    '2: usage error or unusable input.',
  ].join('\n');
}

/** A file, folder or link as the first argument means `open`. */
function isOpenable(argument: string): boolean {
  return argument === '-' || (!argument.startsWith('-') && (existsSync(argument) || isLink(argument)));
}

async function help(name: string | undefined, io: CliIo): Promise<ExitCode> {
  const entry = name !== undefined && Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (name !== undefined && !entry) return unusable(io, `unknown command '${name}'; see iovascope --help`);
  io.stdout(`${entry ? (await entry.load()).help : usage()}\n`);
  return 0;
}

/**
 * Control and direction characters, which names in dumps may have and a terminal would obey, as the escapes that they are in
 * JSON: `\u001b`. Line ends and tabs stay.
 */
function visible(text: string): string {
  return text.replace(
    /[^\P{Cc}\t\n]|\p{Bidi_Control}|[\u2028\u2029]/gu,
    (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Runs the command line; `args` are those after the program's name. Results go to `io.stdout`, messages to `io.stderr`. */
export async function main(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === '--help' || name === '-h') return help(undefined, io);
  if (name === 'help') return help(rest[0], io);
  if (name === '--version' || name === '-V') {
    io.stdout(`${packageVersion()}\n`);
    return 0;
  }
  if (name === undefined) return unusable(io, 'no command given; see iovascope --help');
  const entry = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (!entry) {
    if (isOpenable(name)) return (await import('./open.ts')).OPEN.run(args, io);
    const what = name.startsWith('-') ? 'option' : 'command or file';
    return unusable(io, `unknown ${what} '${name}'; see iovascope --help`);
  }
  const options = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
  if (options.includes('--help') || options.includes('-h')) return help(name, io);
  const command = await entry.load();
  return command.run(rest, {
    ...io,
    stdout: entry.writesFiles ? io.stdout : (text) => io.stdout(visible(text)),
    stderr: (text) => io.stderr(visible(text)),
  });
}
