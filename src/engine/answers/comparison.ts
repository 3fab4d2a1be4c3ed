// Compares a document's session under several models or kernel versions. The last comparison of each kind is cached.
import { intersect, rangeSet, subtract } from '../../iova/range-set.ts';
import { DEFAULT_MODEL } from '../../kernel/model.ts';
import { SessionComparison, type SpaceDifference } from '../../kernel/replay/compare.ts';
import type { ReplayStep } from '../../kernel/replay/replay.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { Params } from '../protocol/methods.ts';
import type { ComparedInPicture } from '../protocol/picture.ts';
import { type EngineResult, failure, success } from '../protocol/result.ts';
import type { Comparison, ComparisonRow, ModelAnswer, StateDifference } from '../protocol/sessions.ts';
import { eventSentence } from './event-label.ts';
import { outcomeText } from './event-text.ts';

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

/** For each model, the ranges that it lacks and others have, and which models have them. */
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

/** The comparison of a document's session under the given models or kernel versions; computed at the first call. */
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
