import type { Hazard } from '../kernel/model.ts';
import { createModel, MODEL_NAMES } from '../kernel/models.ts';
import { isForeign, type ReplayStep, replay } from '../kernel/replay/replay.ts';
import { uncertainAnswers } from '../kernel/replay/versions.ts';
import { changeOf } from '../kernel/version-changes.ts';
import { kernelProblem, parseCommandArgs } from './args.ts';
import { type CliIo, type Command, type ExitCode, unusable } from './io.ts';
import { loadSession, type SessionInput } from './session-input.ts';

const HELP = `usage: iovascope replay FILE… [--model M] [--kernel V] [--json]

Runs the operations of session files (also gzipped; - is standard input) on a kernel model
and compares each answer with the recorded one. Prints every mismatch, then
"N ops, M mismatches". An operation that cannot be run counts as a mismatch.

  --model M   run this model instead of the one in the header: ${MODEL_NAMES.join(', ')}.
              Operations are translated to equivalent ones, or skipped if there are none, and
              only the fields that both models have are compared; standard error says what
              was done, and the last line how many were not compared
  --kernel V  answer by the rules of this version, such as 6.1 or 6.12.42, instead of the one
              in the header; by default, the newest known rules
  --json      print each mismatch, and the totals, as one JSON object per line

Exit code 0: all answers match; 1: some do not, or were not compared; 2: usage error or unusable input.`;

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
  const parsed = parseCommandArgs(args, {
    model: { type: 'string' },
    kernel: { type: 'string' },
    json: { type: 'boolean' },
  });
  if (!parsed.ok) return unusable(io, `replay: ${parsed.message}`);
  const { values, positionals } = parsed;
  const asJson = values.json === true;
  if (positionals.length === 0) return unusable(io, 'replay: no session file given; use - for standard input');
  if (positionals.filter((path) => path === '-').length > 1) {
    return unusable(io, 'replay: standard input can be read only once');
  }

  const { kernel } = values;
  const wrongKernel = kernelProblem(kernel);
  if (wrongKernel !== undefined) return unusable(io, `replay: ${wrongKernel}`);

  // All inputs are read before the first is run, so that an unusable one is reported before pages of results.
  const runs = [];
  for (const path of positionals) {
    const loaded = await loadSession(path, io);
    if (!loaded.ok) return unusable(io, `replay: ${loaded.message}`);
    const made = createModel(loaded.input.session.header, values.model, { kernel });
    if (!made.ok)
      return unusable(io, `replay: ${values.model === undefined ? `${loaded.input.name}: ` : ''}${made.message}`);
    runs.push({ ...loaded.input, model: made.model, notes: made.notes });
  }

  let operations = 0;
  let mismatches = 0;
  let notCompared = 0;
  for (const { name, session, warnings, model, notes: assumptions } of runs) {
    for (const warning of warnings) io.stderr(`${warning}\n`);
    for (const note of assumptions) io.stderr(`${name}: warning: ${note}\n`);
    for (const note of uncertainLines(session, model.name, kernel)) io.stderr(`${name}: warning: ${note}\n`);
    const notes = new ForeignNotes();
    const hazards = new Hazards();
    for (const step of replay(session, model)) {
      operations++;
      notes.add(step);
      hazards.add(step);
      if (isSkipped(step)) notCompared++;
      if (!step.mismatch) continue;
      mismatches++;
      printMismatch(name, step, asJson, io);
    }
    for (const line of hazards.lines(name)) io.stderr(`${line}\n`);
    if (!isForeign(session, model)) continue;
    io.stderr(`${name}: recorded in ${session.header.model ?? 'no model'}, run in ${model.name}\n`);
    for (const note of notes.lines()) io.stderr(`${name}: ${note}\n`);
  }
  const total = `${operations} ops, ${mismatches} mismatches`;
  const skipped = notCompared > 0 ? `, ${notCompared} not compared` : '';
  const totals = { ops: operations, mismatches, ...(notCompared > 0 ? { not_compared: notCompared } : {}) };
  io.stdout(asJson ? `${json(totals)}\n` : `${total}${skipped}\n`);
  return mismatches + notCompared > 0 ? 1 : 0;
}

/** Bugs of the kernel that operations meet, each with the first line and how many there are. */
class Hazards {
  readonly #found = new Map<string, { readonly hazard: Hazard; readonly line: number; count: number }>();

  add({ outcome, line }: ReplayStep): void {
    if (!outcome.ok || !outcome.hazard) return;
    const known = this.#found.get(outcome.hazard.rule);
    if (known) known.count++;
    else this.#found.set(outcome.hazard.rule, { hazard: outcome.hazard, line, count: 1 });
  }

  lines(name: string): string[] {
    return [...this.#found.values()].map(({ hazard: { message, source }, line, count }) => {
      const more = count > 1 ? `; ${count - 1} more` : '';
      return `${name}:${line}: warning: kernel bug: ${message} (${source}${more})`;
    });
  }
}

/** True if the model does not have an operation of a session of another model, so that it was passed over. */
function isSkipped({ outcome, mismatch }: ReplayStep): boolean {
  return !mismatch && !outcome.ok && outcome.invalid?.code === 'not-in-model';
}

/** What is not known about the kernel, and how many answers depend on it. */
function uncertainLines(session: SessionInput['session'], model: string, override: string | undefined): string[] {
  const kernel = override ?? session.header.kernel;
  return uncertainAnswers(session, { model, kernel }).map(({ change, count, line }) => {
    const { lastWithout, since, was } = changeOf(change);
    const answers = `${count} ${count === 1 ? 'answer depends' : 'answers depend'} on it, the first in line ${line}`;
    return `Linux ${kernel} is between ${lastWithout} and ${since}, which differ; the older rule is used: ${was} (${answers})`;
  });
}

export const REPLAY: Command = { help: HELP, run };
