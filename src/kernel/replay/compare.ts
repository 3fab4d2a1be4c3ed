// One session under several models or kernel versions, step by step: what each answers, where they diverge, how their
// states differ.
import { type IovaRange, overlaps } from '../../iova/range.ts';
import { intersect, type RangeSet, rangeSet, subtract } from '../../iova/range-set.ts';
import type { Answer } from '../../session/events.ts';
import type { Session } from '../../session/session.ts';
import type { AddressSpaceView, AreaView, KernelView } from '../model.ts';
import { createModel, type ModelOptions } from '../models.ts';
import { usableRanges } from '../shared/usable-ranges.ts';
import { versionsOf } from '../version-changes.ts';
import { versionList } from '../version-list.ts';
import { answerOf, differingFields, type ReplayStep } from './replay.ts';
import { type CheckpointOptions, SessionStates } from './state-at.ts';
import { versionGroups } from './versions.ts';

/**
 * How the models differ in one operation, the most serious first: `verdict`: one succeeds where another refuses;
 * `answer`: all succeed, with different answers; `errno`: all refuse, with different errnos; `missing`: one does not have
 * the operation, the others agree; `none`: they agree.
 */
export type Disagreement = 'verdict' | 'answer' | 'errno' | 'missing' | 'none';

/** One operation under every model. */
export interface ComparedStep {
  /** Index of the event in the session. */
  readonly index: number;
  /** One per model, in the order of the comparison's `models`, with its translation if there was one. */
  readonly runs: readonly ReplayStep[];
  readonly disagreement: Disagreement;
  /** Names of the fields of the answers that differ, for `answer`. */
  readonly fields: readonly string[];
}

/** Addresses per model, in order; `beyond[i]` is what model i has and at least one other does not. */
export interface SetDifference {
  readonly sets: readonly RangeSet[];
  readonly common: RangeSet;
  readonly beyond: readonly RangeSet[];
}

/** How one address space differs between the models. */
export interface SpaceDifference {
  readonly id: string;
  /** For each model, true if it has the space; a missing one counts as empty. */
  readonly present: readonly boolean[];
  readonly areas: SetDifference;
  readonly reserved: SetDifference;
  /** What can be mapped: the valid ranges of a container, otherwise what is not reserved. */
  readonly usable: SetDifference;
  /** Mapped in all that have the space, but not to the same memory with the same permissions. */
  readonly mappedDifferently: RangeSet;
  /** True if nothing of the above differs. */
  readonly same: boolean;
}

export type ComparisonResult =
  | { readonly ok: true; readonly comparison: SessionComparison }
  | { readonly ok: false; readonly message: string };

/** What a session is run under: a model by its name in session headers, with the rules of the header's kernel or others. */
interface ComparedRun extends ModelOptions {
  readonly name: string;
  readonly model: string;
}

/**
 * A session under two or more models, or kernel versions. Events are run only when needed, and jumps use checkpoints. The session may
 * grow at its end; after any other change call `truncate`.
 */
export class SessionComparison {
  /** Names of the models, in order; of kernel versions with the same rules their list, `6.2 to 6.12`. */
  readonly models: readonly string[];
  readonly #session: Session;
  readonly #states: readonly SessionStates[];
  /** What each event looked at so far came to; `undefined` for facts. */
  readonly #seen: (Pick<ComparedStep, 'disagreement' | 'fields'> | undefined)[] = [];

  private constructor(session: Session, models: readonly string[], states: readonly SessionStates[]) {
    this.#session = session;
    this.models = models;
    this.#states = states;
  }

  /** `models` are names as in session headers. `message` names an unknown one. */
  static create(session: Session, models: readonly string[], options?: CheckpointOptions): ComparisonResult {
    const runs = models.map((name): ComparedRun => ({ name, model: name }));
    return SessionComparison.#of(session, runs, options);
  }

  /** One model under every kernel version that differs for it, versions with the same rules together, oldest first. */
  static ofVersions(session: Session, model: string, options?: CheckpointOptions): ComparisonResult {
    const runs = versionGroups(model).map(({ versions, rules }): ComparedRun => {
      return { name: versionList(versions, versionsOf(model)), model, rules };
    });
    return SessionComparison.#of(session, runs, options);
  }

  static #of(session: Session, runs: readonly ComparedRun[], options?: CheckpointOptions): ComparisonResult {
    if (runs.length < 2) return { ok: false, message: 'a comparison needs at least two models' };
    const states: SessionStates[] = [];
    for (const { model, ...rules } of runs) {
      const made = createModel(session.header, model, rules);
      if (!made.ok) return made;
      states.push(new SessionStates(session, made.model, options));
    }
    const names = runs.map(({ name }) => name);
    return { ok: true, comparison: new SessionComparison(session, names, states) };
  }

  /** The event at `index` under every model; `undefined` for a fact. RangeError if there is no such event. */
  stepAt(index: number): ComparedStep | undefined {
    const runs: ReplayStep[] = [];
    for (const states of this.#states) {
      const step = states.stepAt(index);
      if (step) runs.push(step);
    }
    if (runs.length === 0) return undefined;
    const seen = this.#seen[index] ?? disagreementOf(runs);
    this.#seen[index] = seen;
    return { index, runs, ...seen };
  }

  /** The operations from event `from` on, in order, each run when it is needed. */
  *steps(from = 0): Generator<ComparedStep> {
    for (let index = from; index < this.#session.events.length; index++) {
      const step = this.stepAt(index);
      if (step) yield step;
    }
  }

  /**
   * The first operation from event `from` on in which the models differ in one of `ways`. Runs no further than that.
   */
  firstDivergence(from = 0, ways: readonly Disagreement[] = ['verdict', 'answer', 'errno']): ComparedStep | undefined {
    for (let index = from; index < this.#session.events.length; index++) {
      const known = this.#seen[index]?.disagreement;
      if (known !== undefined && !ways.includes(known)) continue;
      const step = this.stepAt(index);
      if (step && ways.includes(step.disagreement)) return step;
    }
    return undefined;
  }

  /** The state of every model after the first `t` events. RangeError if there are fewer. */
  statesAt(t: number): readonly KernelView[] {
    return this.#states.map((states) => states.stateAt(t));
  }

  /** How the address spaces differ after the first `t` events, in the order in which the first model made them. */
  differencesAt(t: number): readonly SpaceDifference[] {
    return compareStates(this.statesAt(t));
  }

  /** Discards what depends on the events from `t` on. */
  truncate(t: number): void {
    for (const states of this.#states) states.truncate(t);
    this.#seen.length = Math.min(this.#seen.length, t);
  }
}

/** Every address space that any of the states has, compared by name. Work grows with the areas: O(n log n). */
export function compareStates(states: readonly KernelView[]): readonly SpaceDifference[] {
  const ids = new Set(states.flatMap((state) => state.spaces().map(({ id }) => id)));
  return [...ids].map((id) =>
    compareSpaces(
      id,
      states.map((state) => state.space(id)),
    ),
  );
}

function compareSpaces(id: string, spaces: readonly (AddressSpaceView | undefined)[]): SpaceDifference {
  const areas = differenceOf(spaces.map((space) => rangeSet(space?.areas() ?? [])));
  const reserved = differenceOf(spaces.map((space) => rangeSet(space?.reserved ?? [])));
  const usable = differenceOf(spaces.map((space) => (space ? usableRanges(space) : [])));
  const present = spaces.map((space) => space !== undefined);
  const mappedDifferently = mappedElsewhere(spaces.filter((space) => space !== undefined));
  const sets = [areas, reserved, usable].flatMap(({ beyond }) => beyond);
  const same = present.every((there) => there) && [...sets, mappedDifferently].every((set) => set.length === 0);
  return { id, present, areas, reserved, usable, mappedDifferently, same };
}

/** What two or more sets have in common, and what each has beyond that. */
export function differenceOf(sets: readonly RangeSet[]): SetDifference {
  const common = sets.reduce((all, set) => intersect(all, set));
  return { sets, common, beyond: sets.map((set) => subtract(set, common)) };
}

/** What is mapped in the first and in another space, but to other memory or with other permissions. */
export function mappedElsewhere(spaces: readonly AddressSpaceView[]): RangeSet {
  const [first, ...others] = spaces;
  const out: IovaRange[] = [];
  if (!first) return out;
  for (const other of others) {
    for (const a of first.areas()) {
      for (const b of other.areas(a.start, a.last)) {
        if (overlaps(a, b) && !sameMemory(a, b)) {
          out.push({ start: a.start > b.start ? a.start : b.start, last: a.last < b.last ? a.last : b.last });
        }
      }
    }
  }
  return rangeSet(out);
}

function sameMemory(a: AreaView, b: AreaView): boolean {
  const shift = BigInt.asUintN(64, a.userVa - a.start);
  return a.read === b.read && a.write === b.write && shift === BigInt.asUintN(64, b.userVa - b.start);
}

/** An outcome as an answer: the code of an invalid operation in `ret`; `undefined` if the model does not have it. */
function resultOf({ outcome }: ReplayStep): Answer | undefined {
  const answer = answerOf(outcome);
  if (answer) return answer;
  const code = outcome.ok ? '' : (outcome.invalid?.code ?? '');
  return code === 'not-in-model' || code === 'unknown-operation' || code === 'unreadable-line'
    ? undefined
    : { ret: code };
}

function disagreementOf(runs: readonly ReplayStep[]): Pick<ComparedStep, 'disagreement' | 'fields'> {
  const results = runs.map((run) => ({ done: run.outcome.ok, answer: resultOf(run) }));
  const known = results.filter((result) => result.answer !== undefined);
  if (known.some(({ done }) => done !== known[0]?.done)) return { disagreement: 'verdict', fields: [] };
  const answers = known.map(({ answer }) => answer ?? { ret: 0 });
  const fields = new Set<string>();
  for (const [i, a] of answers.entries()) {
    for (const b of answers.slice(i + 1)) for (const field of differingFields(a, b)) fields.add(field);
  }
  if (fields.size > 0) return { disagreement: known[0]?.done ? 'answer' : 'errno', fields: [...fields] };
  return { disagreement: known.length < results.length && known.length > 0 ? 'missing' : 'none', fields: [] };
}
