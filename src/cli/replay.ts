import { createModel, MODEL_NAMES } from '../kernel/models.ts';
import { isForeign, type ReplayStep, replay } from '../kernel/replay/replay.ts';
import { readSession } from '../session/read.ts';
import type { Session } from '../session/session.ts';
import { parseCommandArgs } from './args.ts';
import { inputName, readInput } from './input.ts';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';

const HELP = `usage: iovascope replay FILE… [--model M] [--json]

Runs the operations of session files (also gzipped; - is standard input) on a kernel model
and compares each answer with the recorded one. Prints every mismatch, then
"N ops, M mismatches". An operation that cannot be run counts as a mismatch.

  --model M   run this model instead of the one in the header: ${MODEL_NAMES.join(', ')}.
              Operations are translated to equivalent ones where there are any and skipped
              where not, and only the fields that both models have are compared; standard
              error says what was done
  --json      print each mismatch, and the totals, as one JSON object per line

Exit code 0: all answers match; 1: some do not; 2: usage error or unusable input.`;

interface Input {
  readonly name: string;
  readonly session: Session;
  /** Lines for standard error about what was skipped. */
  readonly warnings: readonly string[];
}

type Loaded = { readonly ok: true; readonly input: Input } | { readonly ok: false; readonly message: string };

async function load(path: string, io: CliIo): Promise<Loaded> {
  const read = await readInput(path, io);
  if (!read.ok) return read;
  const name = inputName(path);
  const { session, problems } = readSession(new TextDecoder().decode(read.bytes));
  const broken = problems.find((p) => p.severity === 'error' && (p.code === 'bad-header' || p.code === 'no-header'));
  if (broken) return { ok: false, message: `${name}:${broken.line}: not a session file: ${broken.message}` };
  // Operations and lines that cannot be run show up as mismatches.
  const warnings = problems
    .filter((p) => p.code === 'unknown-kind' || p.code === 'no-header')
    .map((p) => `${name}:${p.line}: warning: ${p.message}`);
  return { ok: true, input: { name, session, warnings } };
}

function json(value: unknown): string {
  return JSON.stringify(value, (_key, v: unknown) => (typeof v === 'bigint' ? `0x${v.toString(16)}` : v));
}

function printMismatch(name: string, step: ReplayStep, asJson: boolean, io: CliIo): void {
  const { index, line, op, outcome, mismatch } = step;
  if (!mismatch) return;
  const { expected, got, fields } = mismatch;
  const refusal = outcome.ok ? undefined : outcome.refusal;
  if (asJson) {
    const why = refusal && { rule: refusal.rule, message: refusal.message };
    const invalid = outcome.ok || !outcome.invalid ? undefined : outcome.invalid;
    const answer = typeof got === 'string' ? undefined : got;
    io.stdout(
      `${json({ file: name, line, index, op, fields, expected, got: answer, refusal: why, fault: invalid })}\n`,
    );
    return;
  }
  const wanted = expected ? json(expected) : 'an operation that can be run';
  const given = typeof got === 'string' ? got : json(got);
  const reason = refusal ? ` (${refusal.rule}: ${refusal.message})` : '';
  io.stdout(`${name}:${line}: ${op}: expected ${wanted}, got ${given}${reason}\n`);
}

/** What was done to a session of another model, for standard error: each kind of translation with its number. */
class ForeignNotes {
  readonly #notes = new Map<string, number>();

  add({ op, outcome, mismatch, translation, uncompared }: ReplayStep): void {
    if (translation?.kind === 'translated') this.#count(translation.message);
    if (!outcome.ok && outcome.invalid?.code === 'not-in-model') {
      this.#count(`${op} skipped: ${outcome.invalid.message}`);
    } else if (uncompared && !mismatch) {
      this.#count(`${op} compared without ${uncompared.join(', ')}`);
    }
  }

  #count(note: string): void {
    this.#notes.set(note, (this.#notes.get(note) ?? 0) + 1);
  }

  lines(): string[] {
    return [...this.#notes].map(([note, times]) => `${times} × ${note}`);
  }
}

async function run(args: readonly string[], io: CliIo): Promise<ExitCode> {
  const parsed = parseCommandArgs(args, { model: { type: 'string' }, json: { type: 'boolean' } });
  if (!parsed.ok) return unusable(io, `replay: ${parsed.message}`);
  const { values, positionals } = parsed;
  const asJson = values.json === true;
  if (positionals.length === 0) return unusable(io, 'replay: no session file given; use - for standard input');
  if (positionals.filter((path) => path === '-').length > 1) {
    return unusable(io, 'replay: standard input can be read only once');
  }

  // All inputs are read before the first is run, so that an unusable one is reported before pages of results.
  const runs = [];
  for (const path of positionals) {
    const loaded = await load(path, io);
    if (!loaded.ok) return unusable(io, `replay: ${loaded.message}`);
    const made = createModel(loaded.input.session.header, values.model);
    if (!made.ok)
      return unusable(io, `replay: ${values.model === undefined ? `${loaded.input.name}: ` : ''}${made.message}`);
    runs.push({ ...loaded.input, model: made.model });
  }

  let operations = 0;
  let mismatches = 0;
  for (const { name, session, warnings, model } of runs) {
    for (const warning of warnings) io.stderr(`${warning}\n`);
    const notes = new ForeignNotes();
    for (const step of replay(session, model)) {
      operations++;
      notes.add(step);
      if (!step.mismatch) continue;
      mismatches++;
      printMismatch(name, step, asJson, io);
    }
    if (!isForeign(session, model)) continue;
    io.stderr(`${name}: recorded in ${session.header.model ?? 'no model'}, run in ${model.name}\n`);
    for (const note of notes.lines()) io.stderr(`${name}: ${note}\n`);
  }
  io.stdout(asJson ? `${json({ ops: operations, mismatches })}\n` : `${operations} ops, ${mismatches} mismatches\n`);
  return mismatches > 0 ? 1 : 0;
}

export const REPLAY: Command = { help: HELP, run };
