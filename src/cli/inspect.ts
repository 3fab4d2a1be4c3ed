import type { SourceSummary } from '../dumps/input/collector.ts';
import { type DumpEvent, isPassedThrough } from '../dumps/input/event-queue.ts';
import { openInputs } from '../dumps/input/open.ts';
import { isFact } from '../session/events.ts';
import { writeEvent } from '../session/write.ts';
import { parseCommandArgs } from './args.ts';
import { dumpInputs } from './dump-inputs.ts';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';
import { exitWith, unreadInputs } from './open-files.ts';

const HELP = `usage: iovascope inspect FILE… [--json]

Reads dumps of any known format: files (also .gz and .tar), folders with all their contents,
session files; - is standard input. A text may mix formats. Prints a summary of each
source: recognized formats, facts, unrecognized lines, diagnostics.

  --json  print the facts instead, one JSON object per line, in the order of the sources

Exit code 0: done; 2: usage error, or some input could not be read or recognized (the rest is
still printed).`;

/** The line of `--json` for an event; undefined if it is not a fact. Facts of unknown kinds are printed as they were. */
function factLine(event: DumpEvent): string | undefined {
  if (isFact(event)) return writeEvent(event);
  return isPassedThrough(event) && event.unknown === 'kind' ? event.text : undefined;
}

function count(n: number, one: string, many = `${one}s`): string {
  return `${n} ${n === 1 ? one : many}`;
}

function summaryLines(source: SourceSummary): string[] {
  const files = source.files === 1 ? '' : `, ${count(source.files, 'file')}`;
  const lines = [`${source.name}: ${count(source.size, 'byte')}${files}, ${count(source.lines, 'line')}`];
  for (const { title, facts } of source.formats) lines.push(`  ${title}: ${count(facts, 'fact')}`);
  if (source.formats.length === 0 && source.operations === 0) lines.push('  nothing recognized');
  const kinds = Object.entries(source.kinds).filter(([kind]) => kind !== 'diagnostic');
  if (kinds.length > 0) lines.push(`  facts: ${kinds.map(([kind, n]) => `${n} ${kind}`).join(', ')}`);
  if (source.operations > 0) lines.push(`  operations: ${source.operations}`);
  // Of a source in which nothing was recognized the first lines are in the message on stderr.
  const isUnread = source.diagnostics.some(({ code }) => code === 'nothing-recognized');
  if (source.unrecognized > 0 && !isUnread) {
    lines.push(`  not recognized: ${count(source.unrecognized, 'line')}; the first`);
    for (const sample of source.samples) lines.push(`    ${sample.source}:${sample.line}: ${sample.text}`);
  }
  for (const { severity, source: where, line, code, message } of source.diagnostics) {
    if (code === 'nothing-recognized') continue;
    lines.push(`  ${severity}: ${where}${line === undefined ? '' : `:${line}`}: ${message}`);
  }
  return lines;
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, { json: { type: 'boolean' } });
  if (!parsed.ok) return unusable(io, `inspect: ${parsed.message}`);
  const { values, positionals } = parsed;
  if (positionals.length === 0) return unusable(io, 'inspect: no file given; use - for standard input');
  if (positionals.filter((path) => path === '-').length > 1) {
    return unusable(io, 'inspect: standard input can be read only once');
  }
  const onEvents = (batch: readonly DumpEvent[]) => {
    const lines = batch.flatMap((event) => factLine(event) ?? []);
    if (lines.length > 0) io.stdout(`${lines.join('\n')}\n`);
  };
  const { sources } = await openInputs(dumpInputs(positionals, io), {
    onEvents: values.json === true ? onEvents : () => undefined,
  });
  if (values.json !== true) io.stdout(`${sources.flatMap(summaryLines).join('\n')}\n`);

  const unread = unreadInputs(sources);
  const isUseless = sources.every(({ formats, operations }) => formats.length === 0 && operations === 0);
  if (unread.length === 0 && isUseless) {
    const first = sources.find(({ diagnostics }) => diagnostics.length > 0);
    const why = first?.diagnostics.find(({ severity }) => severity !== 'info') ?? first?.diagnostics[0];
    return unusable(io, `inspect: ${why?.source ?? positionals.join(', ')}: ${why?.message ?? 'nothing recognized'}`);
  }
  return exitWith(0, 'inspect', unread, io);
}

export const INSPECT: Command = { help: HELP, run };
