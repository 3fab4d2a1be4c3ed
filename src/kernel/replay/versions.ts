// One session under every kernel version that is known to differ: which operations answer differently, since when, why.
import type { Session } from '../../session/session.ts';
import { compareVersionTexts } from '../change.ts';
import { DEFAULT_MODEL } from '../model.ts';
import { createModel } from '../models.ts';
import {
  type ChangeName,
  changesOf,
  type KernelRules,
  kernelRules,
  RECORDED_VERSIONS,
  versionsOf,
  withChange,
} from '../version-changes.ts';
import { answerOf, runEvent, type StepOutcome } from './replay.ts';

/** What several versions answer alike. */
export interface VersionAnswer {
  /** Oldest first. */
  readonly versions: readonly string[];
  readonly works: boolean;
  readonly outcome: StepOutcome;
}

/** An operation that versions answer differently. */
export interface VersionDifference {
  /** Index of the event in the session, and its line in the file (0 for a session made in memory). */
  readonly index: number;
  readonly line: number;
  readonly op: string;
  /** Oldest first; a version is in one of them. */
  readonly answers: readonly VersionAnswer[];
  /** The changes that decide, oldest first; of an operation that differs only as a consequence, those that began it. */
  readonly changes: readonly ChangeName[];
}

export interface VersionComparison {
  readonly model: string;
  /** Every version that was run, oldest first. Other versions answer like the next older one of these. */
  readonly versions: readonly string[];
  readonly operations: number;
  /** How many operations are answered differently; `differences` has the first of them. */
  readonly differing: number;
  readonly differences: readonly VersionDifference[];
}

export type VersionComparisonResult =
  | { readonly ok: true; readonly comparison: VersionComparison }
  | { readonly ok: false; readonly message: string };

/** Versions with the same rules, oldest first. */
export interface VersionGroup {
  readonly versions: readonly string[];
  readonly rules: KernelRules;
  readonly changes: readonly ChangeName[];
}

/** The versions of a model by their rules, the group with the oldest version first. */
export function versionGroups(model: string): VersionGroup[] {
  const groups = new Map<string, VersionGroup & { versions: string[] }>();
  for (const version of versionsOf(model)) {
    const rules = kernelRules(version);
    const changes = changesOf(model).filter((name) => rules.has(name));
    const key = changes.join(' ');
    const group = groups.get(key) ?? { versions: [] as string[], rules, changes };
    group.versions.push(version);
    groups.set(key, group);
  }
  return [...groups.values()];
}

/** Runs a session with given rules; calls `visit` for each operation, in order. */
function run(
  session: Session,
  model: string,
  rules: KernelRules,
  visit: (outcome: StepOutcome, step: { readonly index: number; readonly line: number; readonly op: string }) => void,
): void {
  const made = createModel(session.header, model, { rules });
  if (!made.ok) return;
  for (let index = 0; index < session.events.length; index++) {
    const step = runEvent(made.model, session, index);
    if (step) visit(step.outcome, step);
  }
}

/** Numbers of answers: equal answers of an operation have the same number. */
class AnswerNumbers {
  readonly #numbers = new Map<string, number>();

  of(session: Session, model: string, rules: KernelRules): Int32Array {
    const numbers = new Int32Array(session.events.length);
    run(session, model, rules, (outcome, { index }) => {
      const key = JSON.stringify(
        answerOf(outcome) ?? (outcome.ok ? '' : outcome.invalid?.code),
        (_key, value: unknown) => (typeof value === 'bigint' ? value.toString(16) : value),
      );
      const known = this.#numbers.get(key) ?? this.#numbers.size + 1;
      this.#numbers.set(key, known);
      numbers[index] = known;
    });
    return numbers;
  }
}

/**
 * Runs a session under every version that differs for `model` (that of its header if left out). At most `limit`
 * differences are described. `message`: an unknown model, or invalid page sizes.
 */
export function compareVersions(
  session: Session,
  {
    model = session.header.model ?? DEFAULT_MODEL,
    limit = 1000,
  }: { readonly model?: string; readonly limit?: number } = {},
): VersionComparisonResult {
  const made = createModel(session.header, model, {});
  if (!made.ok) return made;
  const groups = versionGroups(model);
  const numbers = new AnswerNumbers();
  const answers = groups.map(({ rules }) => numbers.of(session, model, rules));
  const [first] = answers;
  const differing: number[] = [];
  for (let i = 0; i < session.events.length; i++) if (answers.some((list) => list[i] !== first?.[i])) differing.push(i);

  const described = differing.slice(0, limit);
  const outcomes = described.map((): StepOutcome[] => []);
  const steps = new Map(described.map((index, i) => [index, i]));
  const places: { line: number; op: string }[] = [];
  let operations = 0;
  for (const [g, { rules }] of groups.entries()) {
    run(session, model, rules, (outcome, { index, line, op }) => {
      if (g === 0) operations++;
      const at = steps.get(index);
      if (at === undefined) return;
      outcomes[at]?.push(outcome);
      places[at] = { line, op };
    });
  }
  const causes = causesOf(session, model, groups, answers, numbers, described);
  const differences = described.map(
    (index, i): VersionDifference => ({
      index,
      line: places[i]?.line ?? 0,
      op: places[i]?.op ?? '',
      answers: mergeAnswers(groups, answers, index, outcomes[i] ?? []),
      changes: causes[i] ?? [],
    }),
  );
  const versions = versionsOf(model);
  return { ok: true, comparison: { model, versions, operations, differing: differing.length, differences } };
}

function mergeAnswers(
  groups: readonly VersionGroup[],
  answers: readonly Int32Array[],
  index: number,
  outcomes: readonly StepOutcome[],
): VersionAnswer[] {
  const merged = new Map<number, VersionAnswer & { versions: string[] }>();
  for (const [g, { versions }] of groups.entries()) {
    const number = answers[g]?.[index] ?? 0;
    const known = merged.get(number);
    if (known) known.versions.push(...versions);
    else if (outcomes[g]) merged.set(number, { versions: [...versions], works: outcomes[g].ok, outcome: outcomes[g] });
  }
  return [...merged.values()];
}

/** The newest recorded versions that accept and that refuse an operation, if there are both. */
export function verdictOf({
  answers,
}: Pick<VersionDifference, 'answers'>): { readonly works: string; readonly fails: string } | undefined {
  const newest = (accepts: boolean) =>
    answers
      .filter((answer) => answer.works === accepts)
      .flatMap(({ versions }) => versions)
      .filter((version) => (RECORDED_VERSIONS as readonly string[]).includes(version))
      .sort(compareVersionTexts)
      .at(-1);
  const [works, fails] = [newest(true), newest(false)];
  return works !== undefined && fails !== undefined ? { works, fails } : undefined;
}

/** For each described operation the changes between neighbours that decide. */
function causesOf(
  session: Session,
  model: string,
  groups: readonly VersionGroup[],
  answers: readonly Int32Array[],
  numbers: AnswerNumbers,
  described: readonly number[],
): ChangeName[][] {
  const causes = described.map(() => new Set<ChangeName>());
  for (const [g, older] of groups.entries()) {
    const newer = groups[g + 1];
    if (!newer) break;
    const [before, after] = [answers[g], answers[g + 1]];
    const where = described.flatMap((index, i) => (before?.[index] === after?.[index] ? [] : [{ index, i }]));
    if (where.length === 0) continue;
    // A stable series may lack what an older mainline version has.
    const changed = changesOf(model).filter((name) => older.rules.has(name) !== newer.rules.has(name));
    const decides = changed.map((name) => {
      if (changed.length === 1) return undefined;
      return numbers.of(session, model, withChange(newer.rules, name, older.rules.has(name)));
    });
    for (const { index, i } of where) {
      const alone = changed.filter((_, c) => decides[c] === undefined || decides[c][index] !== after?.[index]);
      for (const name of alone.length > 0 ? alone : changed) causes[i]?.add(name);
    }
  }
  return causes.map((names) => changesOf(model).filter((name) => names.has(name)));
}

/** An answer that depends on a rule of which it is not known whether the kernel has it. */
export interface UncertainAnswers {
  readonly change: ChangeName;
  /** How many operations would be answered differently, and the first of them. */
  readonly count: number;
  readonly index: number;
  readonly line: number;
}

/**
 * Which answers depend on rules that changed between the two known versions around `kernel` (that of the header if left
 * out). Empty for a version whose rules are known.
 */
export function uncertainAnswers(
  session: Session,
  { model = session.header.model ?? DEFAULT_MODEL, kernel = session.header.kernel } = {},
): UncertainAnswers[] {
  const rules = kernelRules(kernel);
  const uncertain = changesOf(model).filter((name) => rules.uncertain.includes(name));
  if (uncertain.length === 0) return [];
  const numbers = new AnswerNumbers();
  const assumed = numbers.of(session, model, rules);
  return uncertain.flatMap((change) => {
    const other = numbers.of(session, model, withChange(rules, change, true));
    const index = assumed.findIndex((number, i) => number !== other[i]);
    if (index < 0) return [];
    const count = assumed.reduce((sum, number, i) => sum + (number === other[i] ? 0 : 1), 0);
    return [{ change, count, index, line: session.lines[index] ?? 0 }];
  });
}
