import { HostClasses, hostsLabel } from '../analysis/space/compare-hosts.ts';
import { namedComparison } from '../engine/answers/named-comparison.ts';
import type { HostsCompared } from '../engine/protocol/answers.ts';
import { formatSize, hex } from '../iova/format.ts';
import { type IovaRange, sizeOf } from '../iova/range.ts';
import { kernelProblem, parseCommandArgs } from './args.ts';
import { readPaths, type TriedOnHost } from './compared-paths.ts';
import { GUEST_HELP, guestOf } from './guest-option.ts';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';
import { exitWith, type UnreadInput } from './open-files.ts';

const HELP = `usage: iovascope compare FILE… [--guest G] [--kernel V] [--json]

Compares several hosts, one per FILE (or folder, or archive; a folder or an archive of such
folders is all of their hosts): what is reserved and what is usable on any and on all of them,
and where they differ. Identical hosts are one line. For guests that migrate between hosts.
Ranges are inclusive.

  --guest G      also print on which of the hosts this guest fits:
${GUEST_HELP}
  --kernel V     answer by the rules of this kernel version; default: that of each host
  --json         one object

Exit code 0: done; 2: usage error, or some input could not be read.`;

function shown(r: IovaRange): string {
  return `  ${hex(r.start)}-${hex(r.last)} ${formatSize(sizeOf(r))}`;
}

function section(title: string, ranges: readonly IovaRange[]): string[] {
  return [`${title}:`, ...(ranges.length > 0 ? ranges.map(shown) : ['  none'])];
}

/** Hosts that do not differ, one line for each class; nothing if all of them differ. */
function classLines({ classes }: HostsCompared, label: (names: readonly string[]) => string): string[] {
  if (!classes.some(({ hosts }) => hosts.length > 1)) return [];
  return [
    'identical hosts:',
    ...classes.map(({ hosts, differs }) => `  ${label(hosts)}${differs === '' ? '' : `: ${differs}`}`),
  ];
}

function plainLines(compared: HostsCompared): string[] {
  const unknown = compared.hosts.filter((host) => !host.isApertureKnown).map(({ title }) => title);
  const all = compared.hosts.map(({ title }) => title);
  const label = (names: readonly string[]) => hostsLabel(names, all);
  return [
    ...(unknown.length > 0 ? [`aperture unknown, so the upper end is open: ${label(unknown)}`] : []),
    ...classLines(compared, label),
    ...section('reserved on any (union)', compared.reservedUnion),
    ...section('reserved on all (intersection)', compared.reservedIntersection),
    ...section('usable on any (union)', compared.usableUnion),
    ...section('usable on all (intersection)', compared.usableIntersection),
    'differences:',
    ...(compared.differences.length === 0
      ? ['  none']
      : compared.differences.map((d) => `${shown(d)}: usable on ${label(d.usableOn)}; not on ${label(d.blockedOn)}`)),
    `copyable list: ${compared.line}`,
  ];
}

const pair = ({ start, last }: IovaRange) => [hex(start), hex(last)];

function jsonText(
  compared: HostsCompared,
  tried: readonly TriedOnHost[] | undefined,
  unread: readonly UnreadInput[],
): string {
  return JSON.stringify({
    hosts: compared.hosts.map(({ title, isApertureKnown }) => ({ name: title, aperture_known: isApertureKnown })),
    reserved_union: compared.reservedUnion.map(pair),
    reserved_intersection: compared.reservedIntersection.map(pair),
    usable_union: compared.usableUnion.map(pair),
    usable_intersection: compared.usableIntersection.map(pair),
    differences: compared.differences.map((d) => ({
      start: hex(d.start),
      last: hex(d.last),
      usable_on: d.usableOn,
      not_on: d.blockedOn,
    })),
    alike: compared.classes.map(({ hosts }) => hosts),
    classes: compared.classes.map(({ hosts, differs }) => ({ count: hosts.length, hosts, differs })),
    line: compared.line,
    ...(tried ? { guest: tried } : {}),
    ...(unread.length > 0
      ? { not_read: unread.map(({ source, message }) => ({ name: source, reason: message })) }
      : {}),
  });
}

/** The answers, those that are the same in one line. */
function triedLines(tried: readonly TriedOnHost[]): string[] {
  const hosts = new Map<string, string[]>();
  for (const { host, text } of tried) hosts.set(text, [...(hosts.get(text) ?? []), host]);
  const all = tried.map(({ host }) => host);
  return [...hosts].map(([text, names]) => `  ${hostsLabel(names, all)}: ${text}`);
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, {
    json: { type: 'boolean' },
    guest: { type: 'string' },
    kernel: { type: 'string' },
  });
  if (!parsed.ok) return unusable(io, `compare: ${parsed.message}`);
  const { values, positionals } = parsed;
  if (positionals.length === 0) return unusable(io, 'compare: expected two or more files, one for each host');
  if (positionals.filter((path) => path === '-').length > 1) {
    return unusable(io, 'compare: standard input can be read only once');
  }
  const wrongKernel = kernelProblem(values.kernel);
  if (wrongKernel !== undefined) return unusable(io, `compare: ${wrongKernel}`);
  const given = values.guest === undefined ? undefined : await guestOf(values.guest, io);
  if (typeof given === 'string') return unusable(io, `compare: --guest ${given}`);
  const fleet = new HostClasses();
  const titles: string[] = [];
  const tried: TriedOnHost[] | undefined = given && [];
  const unread: UnreadInput[] = [];
  const options = { kernel: values.kernel, guest: given, guestText: values.guest };
  for (const read of await readPaths(positionals, io, options)) {
    unread.push(...read.unread);
    for (const host of read.hosts) {
      titles.push(host.title);
      fleet.add(host.space);
      if (host.tried) tried?.push(host.tried);
    }
  }
  if (titles.length < 2) {
    const [first] = unread;
    const message = first ? `${first.source}: ${first.message}` : 'expected two or more files, one for each host';
    return unusable(io, `compare: ${message}`);
  }
  const compared = namedComparison(fleet.compare(), titles);
  const plain = [...plainLines(compared), ...(tried ? ['guest:', ...triedLines(tried)] : [])];
  const notRead = unread.map(({ source, message }) => `not read: ${source}: ${message}`);
  io.stdout(values.json === true ? `${jsonText(compared, tried, unread)}\n` : `${[...plain, ...notRead].join('\n')}\n`);
  return exitWith(0, 'compare', [...unread, ...(given?.unread ?? [])], io);
}

export const COMPARE: Command = { help: HELP, run };
