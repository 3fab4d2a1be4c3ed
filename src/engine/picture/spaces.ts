// The lanes of a picture, for everything that is selected.
import type { GuestLayout } from '../../analysis/conflicts/guest.ts';
import type { Guest } from '../../analysis/host/host.ts';
import type { MappingState } from '../../analysis/host/mapping-state.ts';
import type { MappingSet } from '../../analysis/host/mappings.ts';
import { type CommonSpace, commonSpace, reportedSpaces } from '../../analysis/space/common-space.ts';
import { type UsableRanges, usableAsReported, usableInFacts } from '../../analysis/space/usable-ranges.ts';
import { LANE_KINDS } from '../../timeline/lanes/kinds.ts';
import type { SpaceLanes } from '../../timeline/lanes/lane.ts';
import type { Moment } from '../../timeline/lanes/sources.ts';
import { hostSpace, reportedSpace } from '../../timeline/lanes/spaces.ts';
import { type EngineDocument, onlyDiagnostics, stateOf } from '../documents/document.ts';
import { layersIn } from '../documents/document-node.ts';
import { guestKey, layerKey, mappingKey, reportedKey, spaceKey } from '../documents/keys.ts';
import { loadPart } from '../load-part.ts';
import type { GuestChoice } from '../protocol/answers.ts';
import type { ArrangeParams } from '../protocol/picture.ts';
import type { Draw } from './compared.ts';
import { definesGuests, guestsHolding, layoutOf } from './own-guests.ts';

const partDefined = loadPart(() => import('./defined-guests.ts'));
const partEarlier = loadPart(() => import('../../timeline/lanes/earlier-mappings.ts'));
const partGuests = loadPart(() => import('./guests.ts'));
const partNotes = loadPart(() => import('./with-notes.ts'));
const partMappings = loadPart(() => import('../documents/mapping-states.ts'));
const partModel = loadPart(() => import('./model-spaces.ts'));
const partCompared = loadPart(() => import('./compared.ts'));

export type Documents = ReadonlyMap<string, EngineDocument>;

/** An address space of the picture: its lanes, and what is known about its usable ranges. */
export interface PictureSpace extends SpaceLanes {
  readonly kind: 'host' | 'reported' | 'model';
  /** Where a mapping fits; undefined if the usable ranges are unknown. */
  readonly answers: UsableRanges | undefined;
}

/** A host with something selected. */
export interface SelectedHost {
  readonly document: EngineDocument;
  /** The address space that its selected groups share. */
  readonly space: CommonSpace;
  /** The selected ones of the host's own guests. */
  readonly guests: readonly Guest[];
}

/** The hosts with selected groups or layers, in the order in which they were opened. */
export function selectedHosts(documents: Documents, selectedGroups: ReadonlySet<string>): SelectedHost[] {
  return [...documents.values()].flatMap((document): SelectedHost[] => {
    const { host } = document;
    const groups = host.groups.filter((group) => selectedGroups.has(group.key));
    const hasLayer = LANE_KINDS.some((kind) => selectedGroups.has(layerKey(document, kind)));
    const hasMappings = document.mappings.some((set) => selectedGroups.has(mappingKey(document, set)));
    const guests = host.guests.filter((guest) => selectedGroups.has(guestKey(document, guest)));
    const isShown = groups.length > 0 || hasMappings || guests.length > 0 || hasLayer;
    // A dump without anything to select may still have an aperture to draw, or explain what is wrong.
    const hasNothingToSelect =
      host.groups.length + host.guests.length + document.mappings.length === 0 && layersIn(host).length === 0;
    const hasMore =
      definesGuests(document) ||
      host.apertures.some(({ space }) => space === undefined) ||
      host.ineligible.length + host.complaints.length + host.iommus.length + host.msiMessages.length > 0 ||
      (document.session.events.length > 0 && onlyDiagnostics(document));
    if (!isShown && !(hasNothingToSelect && hasMore)) return [];
    return [{ document, space: commonSpace(host, groups), guests }];
  });
}

/** The guests to check on a host: its own selected ones, and the chosen one if it is not among them. */
export function guestsOn(own: readonly Guest[], choice: GuestChoice | undefined, id: string, chosen?: GuestLayout) {
  const isOwn = choice?.kind === 'document' && choice.id === id && own.some(({ source }) => source === choice.guest);
  return [...own.map(layoutOf), ...(chosen && !isOwn ? [chosen] : [])];
}

function momentOf({ states, position }: EngineDocument): Moment | undefined {
  return states && { states, position };
}

async function mappingStates(sets: readonly MappingSet[], position: number): Promise<MappingState[]> {
  const { mappingStateAt } = await partMappings();
  return sets.map((set) => mappingStateAt(set, position));
}

/** The address spaces of everything that is selected, with their lanes. */
export async function spacesFor(documents: Documents, params: ArrangeParams): Promise<PictureSpace[]> {
  const { selectedGroups, expanded, compared } = params;
  const keys = new Set(selectedGroups);
  const expandedLanes = new Set(expanded);
  const chosen = params.guest && (await partGuests()).guestOf(documents, params.guest).guest;
  const hosts = new Map(selectedHosts(documents, keys).map((host) => [host.document, host]));
  const spaces: PictureSpace[] = [];
  for (const document of documents.values()) {
    const { host, title } = document;
    const shown = hosts.get(document);
    if (shown) {
      const { space } = shown;
      const sets = document.mappings.filter((set) => keys.has(mappingKey(document, set)));
      const mappings = sets.length > 0 ? await mappingStates(sets, document.position) : [];
      const isDefined = !params.guest && definesGuests(document);
      const described = isDefined ? (await partDefined()).describedGuest(document).guest : undefined;
      const guests = [...guestsOn(shown.guests, params.guest, document.id, chosen), ...(described ? [described] : [])];
      const layers = new Set(LANE_KINDS.filter((kind) => keys.has(layerKey(document, kind))));
      const lanes = hostSpace(host.key, { space, guests, mappings }, expandedLanes, layers);
      const isFolded = sets.some(({ folded }) => folded);
      const earlier = isFolded ? (await partEarlier()).earlierMappings(host.key, sets) : [];
      spaces.push({
        ...lanes,
        lanes: [...lanes.lanes, ...earlier],
        kind: 'host',
        answers: usableInFacts(space, mappings),
      });
    }
    for (const reported of reportedSpaces(host)) {
      const key = reportedKey(document, reported.name);
      if (!keys.has(key)) continue;
      const guests = guestsOn(guestsHolding(reported, host.guests), params.guest, document.id, chosen);
      const lanes = reportedSpace(key, title, { space: reported, guests }, expandedLanes);
      spaces.push({ ...lanes, kind: 'reported', answers: usableAsReported(reported) });
    }
    const isCompared = compared?.id === document.id;
    if (!document.states && !isCompared) continue;
    const { modelLanes } = await partModel();
    const draw: Draw<PictureSpace> = {
      model: (id, heading, space, moment) => ({
        ...modelLanes(id, heading, { space, guest: chosen, moment, from: title }, expandedLanes),
        kind: 'model',
      }),
      lanes: (lanes) => ({ ...lanes, kind: 'model', answers: undefined }),
      own: () =>
        (stateOf(document)?.spaces() ?? [])
          .filter(({ id }) => keys.has(spaceKey(document, id)))
          .map((space) => draw.model(spaceKey(document, space.id), title, space, momentOf(document))),
    };
    const both = isCompared ? await (await partCompared()).comparedSpaces(document, compared, keys, draw) : undefined;
    spaces.push(...(both ?? draw.own()));
  }
  const hasNotes = [...documents.values()].some(({ sources }) => sources.some(({ kinds }) => kinds.note));
  return hasNotes ? (await partNotes()).withNotes(documents, spaces) : spaces;
}
