// A session under several models or kernel versions in the picture: each below the other, and a lane of what differs.
// Loaded when it is asked for.
import type { AddressSpaceView } from '../../kernel/model.ts';
import type { SpaceLanes } from '../../timeline/lanes/lane.ts';
import { comparisonOf, differencesIn } from '../answers/comparison.ts';
import { type EngineDocument, stateOf } from '../documents/document.ts';
import { spaceKey } from '../documents/keys.ts';
import type { ComparedInPicture } from '../protocol/picture.ts';

/** Makes an address space of the picture: that of a model, or one of given lanes. `id` is unique in the picture. */
export interface Draw<S extends SpaceLanes> {
  model(id: string, title: string, space: AddressSpaceView): S;
  lanes(lanes: SpaceLanes): S;
}

/** The address spaces of a document that are selected; undefined if it cannot be run under all of them. */
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
    : (stateOf(document)?.spaces() ?? [])
        .filter(({ id }) => selected.has(keyOf(id)))
        .map((space) => draw.model(keyOf(space.id), title, space));
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
  // Below the lanes of each of them it has a heading of its own.
  const alone = [...lanes].map(([key, { id, lane }]) =>
    draw.lanes({ id: key, title: `${title}: ${id}`, subtitle: '', lanes: [lane] }),
  );
  return [...withLane, ...alone];
}
