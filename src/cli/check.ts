import { deviceNamed } from '../analysis/case/device.ts';
import { hex } from '../iova/format.ts';
import { parseSize } from '../iova/parse.ts';
import { type Answer, type Conflict, check } from '../lib/check.ts';
import { kernelProblem, parseCommandArgs } from './args.ts';
import { GUEST_HELP, guestOf } from './guest-option.ts';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';
import { exitWith, openFiles, type UnreadInput, warnOfKernels } from './open-files.ts';

const HELP = `usage: iovascope check FILE… [--guest MACHINE:RAM[,OPTION…] or FILE] [--device BDF] [--group N]…
                [--kernel V] [--page-size S] [--json]

Says in one or two sentences what is refused or would be, what blocks it, and how to fix it; then
lists the conflicts with rule and errno. Files given together are one host unless they
contradict each other. See "iovascope help inspect" for what can be read.

  --guest G      also try this guest on the host, instead of those that the files define:
${GUEST_HELP}
  --device BDF   the device to assign, such as 0000:03:00.0: only its group is checked; default:
                 what the files name (QEMU's host=, an error), otherwise all groups that can
                 be assigned
  --group N      only this IOMMU group; can be repeated
  --kernel V     answer by the rules of this kernel version, such as 6.1; default: that of the
                 files, otherwise the newest known
  --page-size S  page size of the host's kernel if the dumps do not say; default: 4K
  --json         one JSON object per line, first the answer

Exit code 0: no conflicts; 1: conflicts; 2: usage error, or some input could not be read or
recognized (the rest is still checked).`;

const OPTIONS = {
  guest: { type: 'string' },
  group: { type: 'string', multiple: true },
  device: { type: 'string' },
  kernel: { type: 'string' },
  'page-size': { type: 'string' },
  json: { type: 'boolean' },
} as const;

/** The answer as `--json` prints it. */
function answerLine({ severity, text, remedies, fixes, provenance }: Answer): string {
  return JSON.stringify({
    kind: 'answer',
    severity,
    text,
    remedies: remedies.map(({ text: fix, copy }) => (copy === undefined ? fix : `${fix}: ${copy}`)),
    fixes,
    provenance: provenance.map(({ source, line }) => ({ source, line })),
  });
}

/** A conflict as `--json` prints it. */
function jsonLine(conflict: Conflict): string {
  const { severity, rule, errno, kernel, decidedBy, text, reason, ranges, remedies, fixes, provenance } = conflict;
  return JSON.stringify({
    kind: 'conflict',
    severity,
    rule,
    errno,
    kernel,
    decided_by: decidedBy,
    text,
    reason,
    ranges: ranges.map(({ role, start, last, text: label }) => ({
      role,
      start: hex(start),
      last: hex(last),
      text: label,
    })),
    remedies,
    fixes,
    provenance: provenance.map(({ source, line }) => ({ source, line })),
  });
}

/** An input that is missing in the result, as the fact that `inspect --json` prints for it. */
function unreadLine({ source, code, message }: UnreadInput): string {
  return JSON.stringify({ kind: 'diagnostic', severity: 'error', code, message, source });
}

const ROLES = { requested: 'requested', obstacle: 'blocked by' } as const;
/** Places that the plain form lists. */
const PLACES_MAX = 5;

/** A fix: what is copied is below it if it has several lines. */
function fixLines(remedy: string, fixes: Conflict['fixes']): string[] {
  const block = fixes.find(({ label, text }) => text.includes('\n') && remedy === `${label}: ${text}`);
  if (!block) return [`   fix: ${remedy}`];
  return [`   fix: ${block.label}:`, ...block.text.split('\n').map((line) => `        ${line}`)];
}

function plainLines(conflict: Conflict, index: number): string[] {
  const { severity, rule, errno, decidedBy, text, reason, ranges, remedies, fixes, provenance } = conflict;
  const places = provenance.map(({ source, line }) => (line === undefined ? source : `${source}:${line}`));
  const more = places.length > PLACES_MAX ? ` and ${places.length - PLACES_MAX} more` : '';
  return [
    `${index + 1}. ${severity}: ${text}`,
    `   why: ${reason}`,
    ...(errno === undefined && decidedBy === undefined
      ? []
      : [`   rule: ${[rule, errno, decidedBy].filter(Boolean).join(', ')}`]),
    ...remedies.flatMap((remedy) => fixLines(remedy, fixes)),
    ...ranges.map(({ role, start, last, text: label }) => `   ${ROLES[role]}: ${hex(start)}-${hex(last)} ${label}`),
    ...(places.length > 0 ? [`   from: ${places.slice(0, PLACES_MAX).join(', ')}${more}`] : []),
  ];
}

/** An item of the list: its first conflict in full, and how many there are of the same kind. */
function itemLines(members: readonly number[], conflicts: readonly Conflict[], index: number): string[] {
  const [first] = members.flatMap((member) => conflicts[member] ?? []);
  if (!first) return [];
  const more = members.length - 1;
  return [...plainLines(first, index), ...(more > 0 ? [`   and ${more} more of this kind`] : [])];
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, OPTIONS);
  if (!parsed.ok) return unusable(io, `check: ${parsed.message}`);
  const { values, positionals } = parsed;
  if (positionals.length === 0) return unusable(io, 'check: no file given; use - for standard input');
  const page = values['page-size'] === undefined ? undefined : parseSize(values['page-size']);
  if (page && (!page.ok || page.value === 0n || (page.value & (page.value - 1n)) !== 0n)) {
    return unusable(io, `check: --page-size '${values['page-size']}': expected a power of two such as 4K or 64K`);
  }
  const opened = await openFiles(positionals, io);
  if (!opened.ok) return unusable(io, `check: ${opened.message}`);
  const tried = values.guest === undefined ? undefined : await guestOf(values.guest, io);
  if (typeof tried === 'string') return unusable(io, `check: --guest ${tried}`);
  const { dumps, documents } = opened;
  const missing = values.group?.find(
    (name) => !documents.some(({ host }) => host.groups.some(({ group }) => group === name)),
  );
  if (missing !== undefined) return unusable(io, `check: --group ${missing}: no such group in the files`);

  const device = values.device === undefined ? undefined : deviceNamed(values.device);
  if (
    device !== undefined &&
    !documents.some(({ host }) => host.groups.some(({ devices }) => devices.includes(device)))
  ) {
    return unusable(io, `check: --device ${values.device}: no group in the files has this device`);
  }
  const wrongKernel = kernelProblem(values.kernel);
  if (wrongKernel !== undefined) return unusable(io, `check: ${wrongKernel}`);

  if (values.kernel === undefined) warnOfKernels('check', dumps, io);
  const unread = [...opened.unread, ...(tried?.unread ?? [])];
  const result = await check(dumps, {
    ...(tried ? { guest: tried.guest, guestName: tried.name } : {}),
    ...(values.group ? { groups: values.group } : {}),
    ...(device === undefined ? {} : { device }),
    ...(values.kernel === undefined ? {} : { kernel: values.kernel }),
    ...(page?.ok ? { pageSize: page.value } : {}),
    unread: unread.map(({ source }) => source),
  });
  const { answer, conflicts, items, more } = result;
  const isJson = values.json === true;
  const lines = isJson
    ? [answerLine(answer), ...unread.map(unreadLine), ...conflicts.map(jsonLine)]
    : [answer.text, ...items.flatMap((item, index) => itemLines(item.conflicts, conflicts, index))];
  if (isJson && more > 0) io.stderr(`iovascope: check: ${more} more conflicts are not listed\n`);
  if (!isJson) {
    if (more > 0) lines.push(`and ${more} more`);
    lines.push(summaryLine(conflicts.length + more, unread.length));
  }
  if (lines.length > 0) io.stdout(`${lines.join('\n')}\n`);
  return exitWith(conflicts.length > 0 || answer.severity !== 'clean' ? 1 : 0, 'check', unread, io);
}

/** The last line; it never calls clean what was read only in part. */
function summaryLine(conflicts: number, unread: number): string {
  const count = conflicts === 0 ? 'no conflicts' : `${conflicts} ${conflicts === 1 ? 'conflict' : 'conflicts'}`;
  if (unread === 0) return count;
  return `${count} in what was read; not read: ${unread} ${unread === 1 ? 'input' : 'inputs'}`;
}

export const CHECK: Command = { help: HELP, run };
