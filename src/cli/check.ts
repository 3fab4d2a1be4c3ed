import type { EngineDocument } from '../engine/documents/document.ts';
import { parseMachine } from '../engine/picture/guests.ts';
import type { ConflictRow, GuestChoice } from '../engine/protocol/answers.ts';
import { hex } from '../iova/format.ts';
import { parseSize } from '../iova/parse.ts';
import { parseVerbArgs } from './args.ts';
import { engineWith, keysOf, openDocument } from './documents.ts';
import { type CliIo, type ExitCode, unusable, type Verb } from './io.ts';

const HELP = `usage: iovascope check FILE… [--guest MACHINE:RAM or FILE] [--group N]… [--page-size S] [--json]

Finds what is wrong: what is refused, by which rule, with which errno, and what would avoid it.
All files are taken as of one host. Files as for “inspect”.

  --guest G      also tries a guest on the host: q35:8G, pc:4G, virt:16G, q35-amd:2T (memory
                 moved above 1 TiB when needed), or a file that holds a guest’s layout
                 (QEMU’s “info mtree”, its traces)
  --group N      only this IOMMU group (may be given again); all groups if not given
  --page-size S  of the host’s kernel, where the dumps do not tell: 4K if not given
  --json         one conflict a line

Exit code 0: nothing found; 1: conflicts; 2: a file cannot be read, nothing was recognized, or
the call is unusable.`;

const OPTIONS = {
  guest: { type: 'string' },
  group: { type: 'string', multiple: true },
  'page-size': { type: 'string' },
  json: { type: 'boolean' },
} as const;

interface GuestWish {
  readonly choice: GuestChoice;
  /** The document that holds the guest, where it is a file. */
  readonly document?: EngineDocument;
}

/** The guest to try; a string is what is wrong with it. */
async function guestOf(text: string, io: CliIo): Promise<GuestWish | string> {
  const machine = parseMachine(text);
  if (machine) {
    if (!machine.ok) return `--guest “${text}”: ${machine.message}`;
    const { machine: made } = machine.guest;
    if (made) return { choice: { kind: 'machine', machine: made.machine.name, ram: made.ram } };
  }
  const opened = await openDocument('guest', [text], io);
  if (!opened.ok) return `--guest ${opened.message}`;
  const { document } = opened;
  const [guest, ...more] = document.host.guests;
  if (!guest) return `--guest ${text}: no guest layout in it, and no machine of that name`;
  if (more.length > 0) {
    return `--guest ${text}: it holds several guests, give one of them: ${document.host.guests.map(({ source }) => source).join(', ')}`;
  }
  return { choice: { kind: 'document', id: 'guest', guest: guest.source }, document };
}

/** A conflict as `--json` prints it. */
function jsonLine({ rule, severity, title, message, errno, source, remedy, marks, provenance }: ConflictRow): string {
  return JSON.stringify({
    rule,
    severity,
    title,
    message,
    ...(errno === undefined ? {} : { errno }),
    ...(source === undefined ? {} : { source }),
    way_out: remedy,
    ranges: marks.map((mark) => ({
      role: mark.role,
      start: hex(mark.start),
      last: hex(mark.last),
      message: mark.message,
    })),
    provenance: provenance.map(({ source: name, line }) => ({ source: name, ...(line === undefined ? {} : { line }) })),
  });
}

const ROLES = { requested: 'requested', obstacle: 'in the way' } as const;
/** Places that the plain form lists. */
const PLACES_MAX = 5;

function plainLines(row: ConflictRow): string[] {
  const places = row.provenance.map(({ source, line }) => (line === undefined ? source : `${source}:${line}`));
  const more = places.length > PLACES_MAX ? ` and ${places.length - PLACES_MAX} more` : '';
  return [
    `${row.number}. ${row.severity}: ${row.title}`,
    `   why: ${row.message}`,
    ...(row.errno === undefined && row.source === undefined
      ? []
      : [`   rule: ${[row.rule, row.errno, row.source].filter(Boolean).join(', ')}`]),
    `   way out: ${row.remedy}`,
    ...row.marks.map((mark) => `   ${ROLES[mark.role]}: ${hex(mark.start)}-${hex(mark.last)} ${mark.message}`),
    ...(places.length > 0 ? [`   from: ${places.slice(0, PLACES_MAX).join(', ')}${more}`] : []),
  ];
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseVerbArgs(args, OPTIONS);
  if (!parsed.ok) return unusable(io, `check: ${parsed.message}`);
  const { values, positionals } = parsed;
  if (positionals.length === 0) return unusable(io, 'check: a file is missing; - is standard input');
  const page = values['page-size'] === undefined ? undefined : parseSize(values['page-size']);
  if (page && (!page.ok || page.value === 0n || (page.value & (page.value - 1n)) !== 0n)) {
    return unusable(io, `check: --page-size “${values['page-size']}”: expected a power of two such as 4K or 64K`);
  }
  const opened = await openDocument('host', positionals, io);
  if (!opened.ok) return unusable(io, `check: ${opened.message}`);
  const wish = values.guest === undefined ? undefined : await guestOf(values.guest, io);
  if (typeof wish === 'string') return unusable(io, `check: ${wish}`);

  const { document } = opened;
  const wanted = values.group;
  const missing = wanted?.find((name) => !document.host.groups.some(({ group }) => group === name));
  if (missing !== undefined) return unusable(io, `check: --group ${missing}: there is no such group in the files`);
  const left = new Set(
    wanted === undefined
      ? []
      : document.host.groups.filter(({ group }) => !wanted.includes(group ?? '')).map(({ key }) => key),
  );
  const ask = engineWith([document, ...(wish?.document ? [wish.document] : [])]);
  const { rows, more } = await ask('conflicts', {
    selectedGroups: keysOf(document).all.filter((key) => !left.has(key)),
    ...(wish ? { guest: wish.choice } : {}),
    ...(page?.ok ? { pageSize: page.value } : {}),
  });
  const lines = values.json === true ? rows.map(jsonLine) : rows.flatMap(plainLines);
  if (values.json !== true) {
    const count = rows.length + more;
    if (more > 0) lines.push(`and ${more} more`);
    lines.push(count === 0 ? 'no conflicts' : `${count} ${count === 1 ? 'conflict' : 'conflicts'}`);
  } else if (more > 0) io.stderr(`iovascope: check: ${more} more conflicts are not listed\n`);
  if (lines.length > 0) io.stdout(`${lines.join('\n')}\n`);
  return rows.length > 0 ? 1 : 0;
}

export const CHECK: Verb = { help: HELP, run };
