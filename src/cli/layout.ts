import { parseGuest } from '../engine/picture/guests.ts';
import { formatSize, hex } from '../iova/format.ts';
import type { Dumps } from '../lib/dumps.ts';
import { type LaidOutGuest, layout } from '../lib/layout.ts';
import { parseCommandArgs } from './args.ts';
import { guestOf } from './guest-option.ts';
import { type CliIo, type Command, type ExitCode, unusable, warn } from './io.ts';
import { exitWith, openFiles } from './open-files.ts';

const HELP = `usage: iovascope layout MACHINE:RAM[,OPTION…] [--json]
       iovascope layout FILE… [--json]

Prints where a guest's memory is: the ranges of its RAM and ROM and everything in between. Bounds
are inclusive.

MACHINE   pc-q35-7.2, q35, pc-i440fx-6.2, pc, virt-9.0, microvm, cloud-hypervisor, crosvm …; the
          default version is the newest
RAM       4096, 512M, 16G, 1.5T, 0x40000000 (bytes without a unit)
OPTION    vendor=amd, cpu=EPYC, phys-bits=48, max-ram-below-4g=2G, pci-hole64-size=64G,
          maxmem=64G, slots=4, highmem=off, accel=kvm, arch=aarch64, version=7.2 (QEMU's own),
          vga=none; any other option of the machine. If an option is repeated, the last one wins
FILE      a guest's definition: libvirt XML or log, a QEMU command line, a Proxmox or KubeVirt
          definition …; all guests in it. FILE#NAME is one of them

  --json  the "guest" facts, one JSON object per line, then the assumptions as "diagnostic" facts

Exit code 0: done; 2: usage error, an input that could not be read, or a guest that QEMU would
refuse to start.`;

interface Given {
  readonly guests: readonly LaidOutGuest[];
  readonly unread: Parameters<typeof exitWith>[2];
}

/** The guests of the arguments; a string is what is wrong with them. */
async function guestsOf(paths: readonly string[], io: CliIo): Promise<Given | string> {
  const [first = '', ...more] = paths;
  const machine = more.length === 0 ? parseGuest(first) : undefined;
  if (machine)
    return machine.ok || machine.isReadable ? { guests: layout(first), unread: [] } : `'${first}': ${machine.message}`;
  const opened = await openFiles(paths, io);
  if (opened.ok) {
    const guests = layout(opened.dumps);
    return guests.length > 0
      ? { guests, unread: opened.unread }
      : `${paths.join(', ')}: no guest definition and no guest layout found`;
  }
  if (more.length > 0) return opened.message;
  const one = await guestOf(first, io);
  if (typeof one === 'string') return one;
  const { guest, name, unread } = one;
  return { guests: layout(guest as Dumps).filter((known) => known.name === name), unread };
}

function plainLines({ title, ranges, notes }: LaidOutGuest): string[] {
  const width = Math.max(...ranges.map(({ start, last }) => `${hex(start)}-${hex(last)}`.length));
  return [
    title,
    ...ranges.map(({ start, last, name, type }) => {
      const bounds = `${hex(start)}-${hex(last)}`.padEnd(width);
      return `  ${bounds}  ${type.padEnd(7)} ${formatSize(last - start + 1n).padStart(9)}  ${name}`;
    }),
    ...notes.map(({ message }) => `  note: ${message}`),
  ];
}

function jsonLines({ name, ranges, notes }: LaidOutGuest, isOne: boolean): string[] {
  const of = isOne || name === undefined ? {} : { guest: name };
  return [
    ...ranges.map(({ start, last, name: what, type, provenance: [place] }) =>
      JSON.stringify({
        kind: 'guest',
        start: hex(start),
        last: hex(last),
        name: what,
        type,
        ...of,
        ...(place?.source === undefined ? {} : { source: place.source, line: place.line }),
      }),
    ),
    ...notes.map(({ code, message }) => JSON.stringify({ kind: 'diagnostic', severity: 'info', code, message, ...of })),
  ];
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, { json: { type: 'boolean' } });
  if (!parsed.ok) return unusable(io, `layout: ${parsed.message}`);
  const { values, positionals } = parsed;
  if (positionals.length === 0) return unusable(io, 'layout: expected MACHINE:RAM[,OPTION…] or a file');
  const given = await guestsOf(positionals, io);
  if (typeof given === 'string') return unusable(io, `layout: ${given}`);
  const { guests, unread } = given;
  const lines = guests
    .filter(({ problem }) => problem === undefined)
    .flatMap((guest) => (values.json === true ? jsonLines(guest, guests.length === 1) : plainLines(guest)));
  if (lines.length > 0) io.stdout(`${lines.join('\n')}\n`);
  let code: ExitCode = 0;
  for (const { title, name, problem } of guests) {
    if (problem === undefined) continue;
    const who = guests.length > 1 && name !== undefined && !problem.message.startsWith(title) ? `${name}: ` : '';
    warn(io, `layout: ${positionals.join(', ')}: ${who}${problem.message}`);
    code = 2;
  }
  return exitWith(code, 'layout', unread, io);
}

export const LAYOUT: Command = { help: HELP, run };
