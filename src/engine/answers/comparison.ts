// A document's session under several models or kernel versions. A comparison is kept until others are requested.
import { intersect, rangeSet, subtract } from '../../iova/range-set.ts';
import { type AddressSpaceView, DEFAULT_MODEL } from '../../kernel/model.ts';
import { type ComparedStep, SessionComparison, type SpaceDifference } from '../../kernel/replay/compare.ts';
import type { ReplayStep } from '../../kernel/replay/replay.ts';
import {
  type DifferentAnswers,
  differencesLane,
  type NamedAnswer,
  type NamedState,
} from '../../timeline/lanes/differences.ts';
import type { Lane } from '../../timeline/lanes/lane.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { Params } from '../protocol/methods.ts';
import type { ComparedInPicture } from '../protocol/picture.ts';
import { type EngineResult, failure, success } from '../protocol/result.ts';
import type { Comparison, ComparisonRow, ModelAnswer, StateDifference } from '../protocol/sessions.ts';
import { eventSentence } from './event-label.ts';
import { outcomeText, rangeOfOperation } from './event-text.ts';

interface Kept {
  readonly key: string;
  readonly comparison: SessionComparison;
}

/** The last comparisons of a document: of models, and of kernel versions. */
const kept = new WeakMap<EngineDocument, { models?: Kept; versions?: Kept }>();

function answerOf(model: string, { outcome, translation }: ReplayStep): ModelAnswer {
  if (translation?.kind === 'none') return { model, note: translation.message };
  return {
    model,
    ...outcomeText(outcome),
    ...(translation?.kind === 'translated' ? { note: translation.message } : {}),
  };
}

/** What each model lacks of what any of them has, and which have it. */
function differencesOf(models: readonly string[], spaces: readonly SpaceDifference[]): StateDifference[] {
  return spaces.flatMap((space) =>
    (['areas', 'reserved', 'usable'] as const).flatMap((what) => {
      const { sets } = space[what];
      const all = rangeSet(sets.flat());
      return sets.flatMap((set, i) => {
        const ranges = subtract(all, set);
        if (ranges.length === 0) return [];
        const present = models.filter((_, k) => intersect(sets[k] ?? [], ranges).length > 0);
        return [{ space: space.id, what, model: models[i] ?? '', present, ranges }];
      });
    }),
  );
}

/** The comparison of a document's session under the given models, or kernel versions; computed at the first call. */
export async function comparisonOf(
  document: EngineDocument,
  under: ComparedInPicture['under'],
): Promise<EngineResult<SessionComparison>> {
  const { session, model = DEFAULT_MODEL } = document;
  const isOfVersions = under === 'versions';
  const key = isOfVersions ? model : under.join(' ');
  const place = isOfVersions ? 'versions' : 'models';
  const known = kept.get(document)?.[place];
  if (known?.key === key) return success(known.comparison);
  const made = isOfVersions ? SessionComparison.ofVersions(session, model) : SessionComparison.create(session, under);
  if (!made.ok) return failure('unusable', made.message);
  kept.set(document, { ...kept.get(document), [place]: { key, comparison: made.comparison } });
  return success(made.comparison);
}

/** True if an operation is about an address space: it names it, or a device in it. */
function isAbout({ runs }: ComparedStep, space: AddressSpaceView): boolean {
  return runs.some(({ operation, translation }) => {
    const fields: Readonly<Record<string, unknown>> = {
      ...(translation?.kind === 'translated' ? translation.operation : operation),
    };
    const named = fields.ioas ?? fields.container ?? fields.dst ?? fields.domain;
    if (typeof named === 'string') return named === space.id;
    return space.domains.some(({ devices }) => devices.some((device) => device === fields.device));
  });
}

/** What was answered to the operation before `position`, if not all answered alike; only those with a range. */
function differentAnswers(
  comparison: SessionComparison,
  names: readonly string[],
  position: number,
  spaces: readonly AddressSpaceView[],
): DifferentAnswers | undefined {
  const step = position > 0 ? comparison.stepAt(position - 1) : undefined;
  if (!step || step.disagreement === 'none' || step.disagreement === 'missing') return undefined;
  if (!spaces.some((space) => isAbout(step, space))) return undefined;
  const answers = step.runs.flatMap(({ operation, translation, outcome }, i): NamedAnswer[] => {
    const asked = translation && translation.kind !== 'none' ? translation.operation : operation;
    const range = asked && rangeOfOperation(asked, outcome.ok ? outcome.answer : undefined);
    const { answer, refused } = outcomeText(outcome);
    if (!range || answer === undefined) return [];
    return [{ ...range, name: names[i] ?? '', answer, reason: refused?.message }];
  });
  return answers.length === 0 ? undefined : { position, answers };
}

/** The lane of what differs in an address space after the first `position` events. `key`: of the space in the picture. */
export function differencesIn(
  comparison: SessionComparison,
  states: readonly NamedState[],
  { key, position }: { readonly key: string; readonly position: number },
): Lane {
  const spaces = states.flatMap(({ space }) => (space ? [space] : []));
  const names = states.map(({ name }) => name);
  return differencesLane(key, states, differentAnswers(comparison, names, position, spaces));
}

/** A page of the comparison, and how the models' states differ after the first `position` events. */
export async function compareDocument(
  document: EngineDocument,
  { models, offset, limit, position }: Params<'compare'>,
): Promise<EngineResult<Comparison>> {
  const made = await comparisonOf(document, models);
  if (!made.ok) return made;
  const comparison = made.value;
  const { events } = document.session;
  const begin = Math.max(0, offset);
  const rows = events.slice(begin, Math.max(begin, offset + limit)).flatMap((event, i): ComparisonRow[] => {
    const step = comparison.stepAt(begin + i);
    if (!step) return [];
    return [
      {
        position: begin + i + 1,
        text: eventSentence(event),
        answers: step.runs.map((run, k) => answerOf(models[k] ?? '', run)),
        differs: step.disagreement !== 'none' && step.disagreement !== 'missing',
      },
    ];
  });
  const first = comparison.firstDivergence();
  return success({
    models,
    rows,
    ...(first ? { firstDivergence: first.index + 1 } : {}),
    differences: differencesOf(models, comparison.differencesAt(Math.min(position, events.length))),
  });
}
