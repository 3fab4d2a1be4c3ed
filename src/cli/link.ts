import { LINK_LENGTH } from '../engine/protocol/share.ts';
import { shareDumps } from '../lib/share-dumps.ts';
import { kernelProblem, parseCommandArgs } from './args.ts';
import { GUEST_HELP, guestOf } from './guest-option.ts';
import { type CliIo, type Command, type ExitCode, unusable, warn } from './io.ts';
import { exitWith, openFiles } from './open-files.ts';
import { packageVersion } from './version.ts';

/** Where the explorer is published. */
const PAGE = 'https://iovascope.github.io/iovascope/';

const HELP = `usage: iovascope link FILE… [--base URL] [--no-redact] [--guest G] [--kernel V]

Prints a link that carries the session: opening it in a browser shows the same explorer.
The part after # is never sent to a server. Names of hosts, files, guests and objects, pointers
and free text are replaced; standard error lists what was replaced, and what was left out to
make the link shorter. See docs/links.md for the format.

  --base URL    page that opens the link; default: ${PAGE}
  --no-redact   replace nothing
  --kernel V    answer by the rules of this kernel version, such as 6.1; default: that of the dumps
  --guest G     also try this guest:
${GUEST_HELP}

Exit code 0: done; 2: usage error, some input could not be read, or the session is too large
for a link (more than ${LINK_LENGTH.max} characters): send a file instead.`;

const OPTIONS = {
  base: { type: 'string' },
  'no-redact': { type: 'boolean' },
  guest: { type: 'string' },
  kernel: { type: 'string' },
} as const;

/** Replaced values that are listed; the others are counted. */
const LISTED_MAX = 40;

/** The page's address; a string in `problem` is what is wrong with it. */
function pageOf(base: string): { readonly page: string } | { readonly problem: string } {
  let url: URL;
  try {
    url = new URL(base);
  } catch {
    return { problem: `--base '${base}': expected a URL such as ${PAGE}` };
  }
  if (!['http:', 'https:', 'file:'].includes(url.protocol)) {
    return { problem: `--base '${base}': expected http, https or file` };
  }
  return { page: base.replace(/#.*$/s, '') };
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, OPTIONS);
  if (!parsed.ok) return unusable(io, `link: ${parsed.message}`);
  const { values, positionals } = parsed;
  if (positionals.length === 0) return unusable(io, 'link: no file given; use - for standard input');
  const base = pageOf(values.base ?? PAGE);
  if ('problem' in base) return unusable(io, `link: ${base.problem}`);
  const wrongKernel = kernelProblem(values.kernel);
  if (wrongKernel !== undefined) return unusable(io, `link: ${wrongKernel}`);
  const opened = await openFiles(positionals, io);
  if (!opened.ok) return unusable(io, `link: ${opened.message}`);
  const guest = values.guest === undefined ? undefined : await guestOf(values.guest, io);
  if (typeof guest === 'string') return unusable(io, `link: --guest ${guest}`);
  const { text, replacements, remarks } = await shareDumps(opened.dumps, 'link', {
    version: packageVersion(),
    base: base.page,
    redact: values['no-redact'] !== true,
    kernel: values.kernel,
    ...(guest ? { guest: guest.guest, guestName: guest.name } : {}),
  });
  const link = `${base.page}#${text}`;
  for (const { field, value, replacement, count } of replacements.slice(0, LISTED_MAX)) {
    const times = count > 1 ? ` (${count} times)` : '';
    io.stderr(`${field}: ${JSON.stringify(value)} ${replacement === '' ? 'removed' : `-> ${replacement}`}${times}\n`);
  }
  const more = replacements.length - LISTED_MAX;
  if (more > 0) io.stderr(`and ${more} more replaced values\n`);
  for (const remark of remarks) warn(io, `link: ${remark}`);
  if (link.length > LINK_LENGTH.max) return 2;
  io.stdout(`${link}\n`);
  return exitWith(0, 'link', [...opened.unread, ...(guest?.unread ?? [])], io);
}

export const LINK: Command = { help: HELP, run };
