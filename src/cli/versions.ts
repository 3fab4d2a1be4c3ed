import { createModel, MODEL_NAMES } from '../kernel/models.ts';
import { answerOf } from '../kernel/replay/replay.ts';
import {
  compareVersions,
  type VersionComparison,
  type VersionDifference,
  verdictOf,
} from '../kernel/replay/versions.ts';
import type { Refusal } from '../kernel/shared/refusal.ts';
import { changeOf, sinceText } from '../kernel/version-changes.ts';
import { versionList } from '../kernel/version-list.ts';
import { isOperation } from '../session/events.ts';
import { parseCommandArgs } from './args.ts';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';
import { loadSession, type SessionInput } from './session-input.ts';

const HELP = `usage: iovascope versions FILE… [--model M] [--json]

Runs session files (also gzipped; - is standard input) under every kernel version that is known
to differ, and prints the operations that get different answers: each answer, since which version,
and why. For dumps, which together are one host, it prints the conflicts that depend on the kernel
version.

  --model M   run this model instead of the one in the header: ${MODEL_NAMES.join(', ')}
  --json      print each difference, and the totals, as one JSON object per line

Exit code 0: all versions give the same answers; 1: some differ; 2: usage error or unusable input.`;

function json(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? `0x${v.toString(16)}` : v));
}

function plainLines(name: string, difference: VersionDifference, all: readonly string[]): string[] {
  const verdict = verdictOf(difference);
  const which = verdict ? `: works on ${verdict.works}, fails on ${verdict.fails}` : '';
  const lines = [`${name}:${difference.line}: ${difference.op}${which}`];
  for (const { versions, outcome } of difference.answers) {
    const answer = answerOf(outcome);
    const refusal = outcome.ok ? undefined : outcome.refusal;
    const why = refusal ? ` (${refusal.rule}: ${refusal.message})` : '';
    lines.push(`  ${versionList(versions, all)}: ${answer ? json(answer) : 'cannot be run'}${why}`);
  }
  for (const change of difference.changes) {
    const { was, now, source, ...rest } = changeOf(change);
    lines.push(`  ${sinceText({ was, now, source, ...rest })}: ${now}. Before: ${was}. (${source})`);
  }
  return lines;
}

function jsonLine(name: string, { changes, answers, ...difference }: VersionDifference): string {
  return json({
    kind: 'version-difference',
    file: name,
    ...difference,
    answers: answers.map(({ versions, works, outcome }) => {
      const refusal: Partial<Refusal> = outcome.ok ? {} : (outcome.refusal ?? {});
      const { rule, message, source } = refusal;
      return { versions, works, answer: answerOf(outcome), rule, message, source };
    }),
    changes: changes.map((change) => ({ name: change, ...changeOf(change) })),
  });
}

function report(input: SessionInput, comparison: VersionComparison, asJson: boolean, io: CliIo): void {
  for (const difference of comparison.differences) {
    const lines = asJson ? [jsonLine(input.name, difference)] : plainLines(input.name, difference, comparison.versions);
    io.stdout(`${lines.join('\n')}\n`);
  }
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, { model: { type: 'string' }, json: { type: 'boolean' } });
  if (!parsed.ok) return unusable(io, `versions: ${parsed.message}`);
  const { values, positionals } = parsed;
  const asJson = values.json === true;
  if (positionals.length === 0) return unusable(io, 'versions: no file given; use - for standard input');
  if (positionals.filter((path) => path === '-').length > 1) {
    return unusable(io, 'versions: standard input can be read only once');
  }
  const inputs: SessionInput[] = [];
  const dumps: string[] = [];
  for (const path of positionals) {
    const loaded = await loadSession(path, io);
    if (loaded.ok && loaded.input.session.events.some(isOperation)) inputs.push(loaded.input);
    else if (loaded.ok || loaded.isOther) dumps.push(path);
    else return unusable(io, `versions: ${loaded.message}`);
  }
  // Models are made before anything is printed, so that an unknown one is reported before pages of results.
  for (const { name, session } of inputs) {
    const made = createModel(session.header, values.model);
    if (!made.ok) return unusable(io, `versions: ${name}: ${made.message}`);
  }
  let operations = 0;
  let differing = 0;
  for (const input of inputs) {
    for (const warning of input.warnings) io.stderr(`${warning}\n`);
    const compared = compareVersions(input.session, values.model === undefined ? {} : { model: values.model });
    if (!compared.ok) return unusable(io, `versions: ${input.name}: ${compared.message}`);
    const { comparison } = compared;
    report(input, comparison, asJson, io);
    if (comparison.differing > comparison.differences.length) {
      io.stderr(`${input.name}: only the first ${comparison.differences.length} differences are listed\n`);
    }
    operations += comparison.operations;
    differing += comparison.differing;
  }
  // The reader of dumps is large, and sessions do without it.
  const hosts =
    dumps.length > 0
      ? await (await import('./host-versions.ts')).hostVersions(dumps, io, asJson)
      : ({ ok: true, differing: 0, code: 0 } as const);
  if (!hosts.ok) return unusable(io, `versions: ${hosts.message}`);
  if (inputs.length > 0) {
    io.stdout(
      asJson ? `${json({ ops: operations, differing })}\n` : `${operations} ops, ${differing} answered differently\n`,
    );
  }
  if (hosts.code === 2) return 2;
  return differing + hosts.differing > 0 ? 1 : 0;
}

export const VERSIONS: Command = { help: HELP, run };
