// The engine: holds what is open and answers questions about it. No DOM, no React, no message ports.
import type { SourceSummary } from '../dumps/input/collector.ts';
import type { IovaRange } from '../iova/range.ts';
import { isFact } from '../session/events.ts';
import { writeSessionLines } from '../session/write.ts';
import { foldFor } from '../timeline/axis/fold.ts';
import { linearScale, logScale, type Scale } from '../timeline/axis/scale.ts';
import { cutSlices } from '../timeline/axis/slice.ts';
import { elementAt, firstEndingAtOrAfter } from '../timeline/lanes/columns.ts';
import type { Lane, SpaceLanes } from '../timeline/lanes/lane.ts';
import type { BoundsLine } from '../timeline/scene/bounds-table.ts';
import type { Target } from '../timeline/scene/mark.ts';
import { styleAt } from '../timeline/scene/styles.ts';
import { decodeText, getInfo, structures } from './answers/buffers.ts';
import { compareDocument } from './answers/comparison.ts';
import { conflictList } from './answers/conflict-list.ts';
import { difference, eventRows } from './answers/event-rows.ts';
import { findEverything } from './answers/find.ts';
import { compareTicked, fitIn, guestSizes, holesIn } from './answers/questions.ts';
import { sourceText } from './answers/source-text.ts';
import { documentNode, type EngineDocument, inputOf, isEmpty, moveTo, readDocument, statesOf } from './document.ts';
import { follow } from './live/follow.ts';
import type { LiveConnection, OpenSocket } from './live/live.ts';
import { extreme, type LaneInSpace, lanesOf, laneTotal, neighbour, nthOfLane, targetAt } from './picture/lane-walk.ts';
import { type PictureSpace, selectedHosts, spacesFor } from './picture/spaces.ts';
import type { Handlers, Params } from './protocol/methods.ts';
import type { Arrangement, ArrangeParams, Neighbour, RangeDetail, TableRow } from './protocol/picture.ts';
import { type EngineResult, failure, success } from './protocol/result.ts';

interface Current {
  readonly arrangement: Arrangement;
  readonly spaces: readonly PictureSpace[];
}

function sourceLabel(lane: Lane, target: Target): string {
  const places = lane.describe(target.row, target.index).parts.flatMap((part) => part.provenance);
  const first = places[0];
  if (!first) return '';
  const where = first.line === undefined ? first.source : `${first.source}:${first.line}`;
  return places.length > 1 ? `${where} and ${places.length - 1} more` : where;
}

function scaleFor(
  kind: ArrangeParams['scale'],
  spaces: readonly SpaceLanes[],
  keepVisible: readonly IovaRange[],
): Scale {
  return kind === 'fold' ? foldFor(spaces, keepVisible) : kind === 'log' ? logScale() : linearScale();
}

/** True if a source gave more than diagnostics. */
function hasContent({ kinds, operations }: SourceSummary): boolean {
  return operations > 0 || Object.keys(kinds).some((kind) => kind !== 'diagnostic');
}

/** The title of a picture of these address spaces. */
function pictureTitle(spaces: readonly SpaceLanes[]): string {
  const [only] = spaces;
  if (!only) return 'nothing ticked';
  if (spaces.length > 1) return `${spaces.length} address spaces`;
  return only.subtitle === '' ? only.title : `${only.title}, ${only.subtitle}`;
}

/** Makes an engine with the given documents open. */
export function createEngine(open: readonly EngineDocument[] = [], openSocket?: OpenSocket): Handlers {
  const documents = new Map(open.map((document) => [document.id, document]));
  /** Connections of the live hosts among them. */
  const links = new Map<string, LiveConnection>();
  let current: Current | undefined;
  let revision = 0;

  function places(): LaneInSpace[] {
    return lanesOf(current?.spaces ?? []);
  }

  function placeOf(target: Target): LaneInSpace | undefined {
    return places().find(({ lane }) => lane.id === target.laneId);
  }

  function tableRow({ space, lane }: LaneInSpace, target: Target): TableRow {
    return {
      target,
      space: space.title,
      lane: lane.rows[target.row]?.title ?? lane.title,
      caption: lane.describe(target.row, target.index).title,
      source: sourceLabel(lane, target),
    };
  }

  async function arrange(params: ArrangeParams): Promise<Arrangement> {
    const { scale: kind, keepVisible = [] } = params;
    const spaces = await spacesFor(documents, params);
    const arrangement: Arrangement = {
      revision: ++revision,
      title: pictureTitle(spaces),
      sources: [...documents.values()].flatMap((d) => d.sources.filter((s) => hasContent(s)).map((s) => s.name)),
      scale: scaleFor(kind, spaces, keepVisible),
      spaces: spaces.map((space) => ({
        id: space.id,
        title: space.title,
        subtitle: space.subtitle,
        lanes: space.lanes.map((lane) => ({ id: lane.id, title: lane.title, total: laneTotal(lane) })),
      })),
      total: lanesOf(spaces).reduce((sum, { lane }) => sum + laneTotal(lane), 0),
    };
    current = { arrangement, spaces };
    return arrangement;
  }

  function neighbourOf(lane: Lane, target: Target, direction: 'next' | 'previous'): Neighbour | undefined {
    const found = neighbour(lane, target, direction);
    if (!found) return undefined;
    const [low, high] = direction === 'next' ? [target, found] : [found, target];
    const distance = high.start > low.last ? high.start - low.last - 1n : 0n;
    return { caption: lane.describe(found.row, found.index).title, target: found, distance };
  }

  function describe(target: Target): EngineResult<RangeDetail> {
    const place = placeOf(target);
    // A mark may stand for several ranges: what is described is the first of them.
    const exact = place && targetAt(place.lane, target.row, target.index);
    if (!place || !exact) return failure('no-such-range', 'this range is not in the picture any more');
    const { lane, space } = place;
    const info = lane.describe(exact.row, exact.index);
    return success({
      target: exact,
      laneTitle: lane.title,
      spaceTitle: space.title,
      style: styleAt(elementAt(elementAt(lane.rows, exact.row).styles, exact.index)),
      title: info.title,
      sentence: info.sentence,
      parts: info.parts,
      values: info.values ?? {},
      before: neighbourOf(lane, exact, 'previous'),
      after: neighbourOf(lane, exact, 'next'),
    });
  }

  function step({ from, direction }: Params<'step'>): Target | null {
    const all = places().map(({ lane }) => lane);
    const at = from ? all.findIndex((lane) => lane.id === from.laneId) : -1;
    const lane = all[at];
    const near = from && lane ? neighbour(lane, from, direction) : undefined;
    if (near) return near;
    // On to the neighbouring lane, around the ends; empty lanes are passed over.
    const order = direction === 'next' ? 1 : -1;
    const begin = lane ? at + order : direction === 'next' ? 0 : all.length - 1;
    for (let i = 0; i < all.length; i++) {
      const candidate = all[(begin + order * i + all.length * 2) % all.length];
      const found = candidate && extreme(candidate, direction);
      if (found) return found;
    }
    return null;
  }

  function table({ offset, limit }: Params<'table'>) {
    const rows: TableRow[] = [];
    let skip = offset;
    for (const place of places()) {
      const total = laneTotal(place.lane);
      for (let n = Math.min(skip, total); n < total && rows.length < limit; n++) {
        const target = nthOfLane(place.lane, n);
        if (target) rows.push(tableRow(place, target));
      }
      skip = Math.max(0, skip - total);
    }
    return { rows, total: current?.arrangement.total ?? 0 };
  }

  /** The range of the picture that a fact is drawn as: the very same one, else the first that holds it. */
  function locate(document: EngineDocument, position: number): Target | null {
    const event = document.session.events[position - 1];
    if (!event || !isFact(event)) return null;
    const wanted =
      'start' in event ? event : 'address' in event ? { start: event.address, last: event.address } : undefined;
    if (!wanted) return null;
    const { start, last } = wanted as IovaRange;
    let holder: Target | null = null;
    for (const { space, lane } of places()) {
      if (!space.id.startsWith(document.id)) continue;
      for (const [row, columns] of lane.rows.entries()) {
        const target = targetAt(lane, row, firstEndingAtOrAfter(columns, start));
        if (!target || target.start > start || target.last < last) continue;
        if (target.start === start && target.last === last) return target;
        if (lane.traits.holdsFacts) holder ??= target;
      }
    }
    return holder;
  }

  function bounds({ start, last, limit }: Params<'bounds'>): BoundsLine[] {
    const lines: BoundsLine[] = [];
    for (const { lane } of places()) {
      for (const [row, columns] of lane.rows.entries()) {
        for (let index = firstEndingAtOrAfter(columns, start); lines.length < limit; index++) {
          const target = targetAt(lane, row, index);
          if (!target || target.start > last) break;
          const title = lane.describe(row, index).title;
          lines.push({
            what: title === lane.title ? title : `${lane.title}: ${title}`,
            start: target.start,
            last: target.last,
            source: sourceLabel(lane, target),
          });
        }
      }
    }
    return lines;
  }

  const unknownDocument = (id: string) => failure('unknown-document', `nothing is open under “${id}”`);

  return {
    async open({ id, title, files }, context) {
      const document = await readDocument(id, title, files.map(inputOf), context, files);
      if (isEmpty(document)) {
        const samples = document.sources.flatMap((s) => s.samples).slice(0, 5);
        const first = document.diagnostics.find((d) => d.severity === 'error') ?? document.diagnostics[0];
        return failure('not-recognized', first?.message ?? 'nothing that is known was found in it', { samples });
      }
      documents.set(id, document);
      return success(documentNode(document));
    },
    async live(params, context) {
      const problem = await follow(params, documents, links, context, openSocket);
      return problem === undefined ? success(null) : failure('unusable', problem);
    },
    askLive({ id, what }) {
      links.get(id)?.ask(what);
      return links.has(id) ? success(null) : unknownDocument(id);
    },
    close({ id }) {
      return documents.delete(id) ? success(null) : unknownDocument(id);
    },
    documents: () => success([...documents.values()].map(documentNode)),
    async run({ id, model }) {
      const document = documents.get(id);
      if (!document) return unknownDocument(id);
      const made = await statesOf(document.session, model);
      if (!made.states) return failure('unusable', made.message ?? `“${model}” cannot run it`);
      document.states = made.states;
      document.model = made.model;
      return success(documentNode(document));
    },
    seek({ id, position, follow: isFollowing }) {
      const document = documents.get(id);
      if (!document) return unknownDocument(id);
      moveTo(document, position, isFollowing);
      return success(documentNode(document));
    },
    difference({ id, from, to }) {
      const document = documents.get(id);
      return document ? success(difference(document.session.events, from, to)) : unknownDocument(id);
    },
    arrange: async (params) => success(await arrange(params)),
    slice({ revision: wanted, window }) {
      if (!current || current.arrangement.revision !== wanted)
        return failure('outdated', 'the lanes have changed since');
      return success(cutSlices(current.spaces, current.arrangement.scale, window));
    },
    describe,
    step: (params) => success(step(params)),
    table: (params) => success(table(params)),
    find: ({ text, limit }) => success(findEverything(places(), documents.values(), text, limit)),
    conflicts: (params) => success(conflictList(documents, params)),
    fit: (params) => success(fitIn(current?.spaces ?? [], params)),
    holes: ({ alignments }) => success(holesIn(current?.spaces ?? [], alignments)),
    guestSizes: ({ machine, selectedGroups }) => guestSizes(selectedHosts(documents, new Set(selectedGroups)), machine),
    compareHosts: ({ selectedGroups }) => compareTicked(selectedHosts(documents, new Set(selectedGroups))),
    text(params, { signal }) {
      const document = documents.get(params.id);
      return document ? sourceText(document, params, signal) : unknownDocument(params.id);
    },
    locate({ id, position }) {
      const document = documents.get(id);
      return document ? success(locate(document, position)) : unknownDocument(id);
    },
    bounds: (params) => success(bounds(params)),
    events({ id, offset, limit }) {
      const document = documents.get(id);
      return document ? success(eventRows(document, offset, limit)) : unknownDocument(id);
    },
    async models() {
      const { MODEL_NAMES } = await import('../kernel/models.ts');
      return success(MODEL_NAMES);
    },
    compare(params) {
      const document = documents.get(params.id);
      return document ? compareDocument(document, params) : unknownDocument(params.id);
    },
    structures,
    decode: ({ text, struct }) => decodeText(text, struct),
    getInfo({ id, container }) {
      const document = documents.get(id);
      return document ? getInfo(document, container) : unknownDocument(id);
    },
    save({ id }) {
      const document = documents.get(id);
      if (!document) return unknownDocument(id);
      return success(new Blob([...writeSessionLines(document.session)], { type: 'application/jsonl' }));
    },
  };
}
