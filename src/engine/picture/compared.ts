// A session under several models or kernel versions in the picture: one below the other, and a lane with the differences.
// Loaded on demand.
import type { AddressSpaceView } from '../../kernel/model.ts';
import type { ComparedStep, SessionComparison } from '../../kernel/replay/compare.ts';
import type { ReplayStep } from '../../kernel/replay/replay.ts';
import type { Operation } from '../../session/events.ts';
import {
  type DifferentAnswers,
  differencesLane,
  type NamedAnswer,
  type NamedState,
} from '../../timeline/lanes/differences.ts';
import type { Lane, SpaceLanes } from '../../timeline/lanes/lane.ts';
import type { Moment } from '../../timeline/lanes/sources.ts';
import { comparisonOf } from '../answers/comparison.ts';
import { outcomeText, rangeOfOperation } from '../answers/event-text.ts';
import type { EngineDocument } from '../documents/document.ts';
import { spaceKey } from '../documents/keys.ts';
import type { ComparedInPicture } from '../protocol/picture.ts';

/** Makes address spaces of the picture from a model's space or from given lanes. `id` is unique in the picture. */
export interface Draw<S extends SpaceLanes> {
  /** `moment`: only for a space of the document's own model. */
  model(id: string, title: string, space: AddressSpaceView, moment?: Moment): S;
  lanes(lanes: SpaceLanes): S;
  /** The selected spaces of the document's own model. */
  own(): S[];
}

/** The selected address spaces of a document, compared; undefined if it cannot be run under all models. */
export async function comparedSpaces<S extends SpaceLanes>(
  document: EngineDocument,
  { under, shows }: ComparedInPicture,
  selected: ReadonlySet<string>,
  draw: Draw<S>,
): Promise<S[] | undefined> {
  const made = await comparisonOf(document, under);
  if (!made.ok) return undefined;
  const { models } = made.value;
  const { position, title } = document;
  const states = made.value.statesAt(position).map((state, i) => {
    const name = models[i] ?? '';
    return { name: under === 'versions' ? `Linux ${name}` : name, state };
  });
  const keyOf = (space: string) => spaceKey(document, space);
  const isEach = shows.includes('each');
  const drawn = isEach
    ? states.flatMap(({ name, state }) =>
        state
          .spaces()
          .filter(({ id }) => selected.has(keyOf(id)))
          .map((space) => draw.model(`${keyOf(space.id)} under ${name}`, `${name}, ${title}`, space)),
      )
    : draw.own();
  if (!shows.includes('differences')) return drawn;
  const ids = [...new Set(states.flatMap(({ state }) => state.spaces().map(({ id }) => id)))];
  const lanes = new Map(
    ids
      .filter((id) => selected.has(keyOf(id)))
      .map((id) => {
        const spaces = states.map(({ name, state }) => ({ name, space: state.space(id) }));
        return [keyOf(id), { id, lane: differencesIn(made.value, spaces, { key: keyOf(id), position }) }] as const;
      }),
  );
  const withLane = drawn.map((space) => {
    const found = lanes.get(space.id);
    lanes.delete(space.id);
    return found ? { ...space, lanes: [found.lane, ...space.lanes] } : space;
  });
  // If every space is shown under each model, the lane with the differences gets a heading of its own.
  const alone = [...lanes].map(([key, { id, lane }]) =>
    draw.lanes({ id: key, title: `${title}: ${id}`, subtitle: '', lanes: [lane] }),
  );
  return [...withLane, ...alone];
}

/** The operation that a model ran. */
function requestOf({ operation, translation }: ReplayStep): Operation | undefined {
  return translation?.kind === 'translated' ? translation.operation : operation;
}

/** True if an operation affects an address space: it names the space, or a device in it. */
function isAbout({ runs }: ComparedStep, space: AddressSpaceView): boolean {
  return runs.some((run) => {
    const fields: Readonly<Record<string, unknown>> = { ...requestOf(run) };
    const named = fields.ioas ?? fields.container ?? fields.dst ?? fields.domain;
    if (typeof named === 'string') return named === space.id;
    return space.domains.some(({ devices }) => devices.some((device) => device === fields.device));
  });
}

/** The answers to the operation before `position`, if they differ; only those with a range. */
function differentAnswers(
  comparison: SessionComparison,
  names: readonly string[],
  position: number,
  spaces: readonly AddressSpaceView[],
): DifferentAnswers | undefined {
  const step = position > 0 ? comparison.stepAt(position - 1) : undefined;
  if (!step || step.disagreement === 'none' || step.disagreement === 'missing') return undefined;
  if (!spaces.some((space) => isAbout(step, space))) return undefined;
  const answers = step.runs.flatMap((run, i): NamedAnswer[] => {
    const { outcome } = run;
    const request = requestOf(run);
    const range = request && rangeOfOperation(request, outcome.ok ? outcome.answer : undefined);
    const { answer, refused } = outcomeText(outcome);
    if (!range || answer === undefined) return [];
    return [{ ...range, name: names[i] ?? '', answer, reason: refused?.message }];
  });
  return answers.length === 0 ? undefined : { position, answers };
}

/**
 * The lane with the differences in an address space after the first `position` events. `key`: that of the space in the
 * picture.
 */
function differencesIn(
  comparison: SessionComparison,
  states: readonly NamedState[],
  { key, position }: { readonly key: string; readonly position: number },
): Lane {
  const spaces = states.flatMap(({ space }) => (space ? [space] : []));
  const names = states.map(({ name }) => name);
  return differencesLane(key, states, differentAnswers(comparison, names, position, spaces));
}
