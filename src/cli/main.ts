import { type CliIo, type ExitCode, unusable, type Verb } from './io.ts';

interface VerbEntry {
  /** One line for `--help`. */
  readonly summary: string;
  readonly load: () => Promise<Verb>;
}

/** The verbs, in the order of `--help`. Each is loaded when it is called. */
const VERBS: Readonly<Record<string, VerbEntry>> = {
  inspect: {
    summary: 'read dumps of any known format and say what is in them',
    load: async () => (await import('./inspect.ts')).INSPECT,
  },
  check: {
    summary: 'find conflicts, and say what would avoid them',
    load: async () => (await import('./check.ts')).CHECK,
  },
  fit: {
    summary: 'say whether and where a range would fit',
    load: async () => (await import('./fit.ts')).FIT,
  },
  compare: {
    summary: 'compare what several hosts reserve and leave usable',
    load: async () => (await import('./compare.ts')).COMPARE,
  },
  render: {
    summary: 'draw the layout that dumps describe, as the browser does',
    load: async () => (await import('./render.ts')).RENDER,
  },
  replay: {
    summary: 'run the operations of session files and compare with what was recorded',
    load: async () => (await import('./replay.ts')).REPLAY,
  },
  decode: {
    summary: 'show every field of a buffer of the kernel’s UAPI',
    load: async () => (await import('./decode.ts')).DECODE,
  },
  agent: {
    summary: 'serve the explorer with a live host',
    load: async () => (await import('./agent.ts')).AGENT,
  },
};

function usage(): string {
  const width = Math.max(...Object.keys(VERBS).map((name) => name.length));
  const verbs = Object.entries(VERBS).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return [
    'usage: iovascope VERB …',
    '',
    'verbs:',
    ...verbs,
    '',
    'iovascope VERB --help tells more about one. Exit code 0: done and clean;',
    '1: done, and something was found; 2: the input or the call is unusable.',
  ].join('\n');
}

/** Runs the command line; `args` are those behind the program's name. Results go to `io.stdout`, messages to `io.stderr`. */
export async function main(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const [name, ...rest] = args;
  if (name === '--help' || name === '-h') {
    io.stdout(`${usage()}\n`);
    return 0;
  }
  if (name === undefined) return unusable(io, 'a verb is missing; iovascope --help lists them');
  const entry = Object.hasOwn(VERBS, name) ? VERBS[name] : undefined;
  if (!entry) {
    const what = name.startsWith('-') ? 'option' : 'verb';
    return unusable(io, `unknown ${what} “${name}”; iovascope --help lists the verbs`);
  }
  const verb = await entry.load();
  const options = rest.includes('--') ? rest.slice(0, rest.indexOf('--')) : rest;
  if (options.includes('--help') || options.includes('-h')) {
    io.stdout(`${verb.help}\n`);
    return 0;
  }
  return verb.run(rest, io);
}
