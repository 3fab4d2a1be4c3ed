// The engine: holds what is open and answers questions about it. No DOM, no React, no message ports.
import { commonSpace, reportedSpaces } from '../analysis/common-space.ts';
import type { SourceSummary } from '../dumps/collector.ts';
import { parseAddress } from '../iova/parse.ts';
import type { IovaRange } from '../iova/range.ts';
import { writeSessionLines } from '../session/write.ts';
import { foldFor } from '../timeline/fold.ts';
import { firstEndingAtOrAfter, type Lane, type SpaceLanes } from '../timeline/lane.ts';
import { factSpace } from '../timeline/lanes/fact-space.ts';
import { modelSpace } from '../timeline/lanes/model-space.ts';
import { reportedSpace } from '../timeline/lanes/reported-space.ts';
import type { Target } from '../timeline/mark.ts';
import { linearScale, logScale, type Scale } from '../timeline/scale.ts';
import type { BoundsLine } from '../timeline/scene.ts';
import { cutSlices } from '../timeline/slice.ts';
import { STYLE_NAMES, type StyleName } from '../timeline/theme.ts';
import { decodeText, getInfo, structures } from './buffers.ts';
import { compareDocument, comparisonOf } from './comparison.ts';
import {
  documentNode,
  type EngineDocument,
  inputOf,
  isEmpty,
  readDocument,
  reportedKey,
  spaceKey,
  stateOf,
  statesOf,
} from './document.ts';
import { eventRows } from './event-rows.ts';
import { extreme, laneTotal, neighbour, nthOfLane, type Place, placesOf, targetAt } from './lane-walk.ts';
import {
  type Arrangement,
  type ArrangeParams,
  failure,
  type Handlers,
  type Neighbour,
  type Params,
  type RangeDetail,
  type Result,
  success,
  type TableRow,
} from './protocol.ts';

interface Current {
  readonly arrangement: Arrangement;
  readonly spaces: readonly SpaceLanes[];
}

/** Lanes with more ranges than this are found by address only, not by words. */
const WORD_SEARCH_MAX = 20_000;

function sourceWords(lane: Lane, target: Target): string {
  const places = lane.describe(target.row, target.index).parts.flatMap((part) => part.provenance);
  const first = places[0];
  if (!first) return '';
  const where = first.line === undefined ? first.source : `${first.source}:${first.line}`;
  return places.length > 1 ? `${where} and ${places.length - 1} more` : where;
}

function scaleFor(kind: ArrangeParams['scale'], spaces: readonly SpaceLanes[], stretches: readonly IovaRange[]): Scale {
  return kind === 'fold' ? foldFor(spaces, stretches) : kind === 'log' ? logScale() : linearScale();
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
export function createEngine(open: readonly EngineDocument[] = []): Handlers {
  const documents = new Map(open.map((document) => [document.id, document]));
  let current: Current | undefined;
  let revision = 0;

  function places(): Place[] {
    return placesOf(current?.spaces ?? []);
  }

  function placeOf(target: Target): Place | undefined {
    return places().find(({ lane }) => lane.id === target.laneId);
  }

  function tableRow({ space, lane }: Place, target: Target): TableRow {
    return {
      target,
      space: space.title,
      lane: lane.rows[target.row]?.title ?? lane.title,
      caption: lane.describe(target.row, target.index).title,
      source: sourceWords(lane, target),
    };
  }

  async function arrange(params: ArrangeParams): Promise<Arrangement> {
    const { ticked, expanded, scale: kind, stretches = [], compared } = params;
    const keys = new Set(ticked);
    const opened = new Set(expanded);
    const spaces: SpaceLanes[] = [];
    for (const document of documents.values()) {
      const { host, title } = document;
      const groups = host.groups.filter((group) => keys.has(group.key));
      if (groups.length > 0) spaces.push(factSpace(commonSpace(host, groups), opened));
      for (const reported of reportedSpaces(host)) {
        const key = reportedKey(document, reported.name);
        if (keys.has(key)) spaces.push(reportedSpace(key, title, reported, opened));
      }
      const place = () => [{ source: title }];
      const comparison = compared?.id === document.id ? await comparisonOf(document, compared.models) : undefined;
      const states = comparison?.ok ? comparison.value.statesAt(document.position) : [stateOf(document)];
      for (const state of states) {
        for (const space of state?.spaces() ?? []) {
          const key = spaceKey(document, space.id);
          if (!keys.has(key)) continue;
          const [id, name] = comparison?.ok
            ? [`${key} under ${state?.name}`, `${state?.name}, ${title}`]
            : [key, title];
          spaces.push(modelSpace(id, name, space, opened, place));
        }
      }
    }
    const arrangement: Arrangement = {
      revision: ++revision,
      title: pictureTitle(spaces),
      sources: [...documents.values()].flatMap((d) => d.sources.filter((s) => hasContent(s)).map((s) => s.name)),
      scale: scaleFor(kind, spaces, stretches),
      spaces: spaces.map((space) => ({
        id: space.id,
        title: space.title,
        subtitle: space.subtitle,
        lanes: space.lanes.map((lane) => ({ id: lane.id, title: lane.title, total: laneTotal(lane) })),
      })),
      total: placesOf(spaces).reduce((sum, { lane }) => sum + laneTotal(lane), 0),
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

  function describe(target: Target): Result<RangeDetail> {
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
      style: STYLE_NAMES[lane.rows[exact.row]?.styles[exact.index] ?? 0] as StyleName,
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

  function find({ text, limit }: Params<'find'>): TableRow[] {
    const found: TableRow[] = [];
    const address = parseAddress(text);
    const words = text.trim().toLowerCase();
    if (words === '') return found;
    for (const place of places()) {
      const { lane } = place;
      for (const [row, columns] of lane.rows.entries()) {
        if (address.ok) {
          const target = targetAt(lane, row, firstEndingAtOrAfter(columns, address.value));
          if (target && target.start <= address.value) found.push(tableRow(place, target));
        }
        if (columns.starts.length > WORD_SEARCH_MAX) continue;
        for (let index = 0; index < columns.starts.length && found.length < limit; index++) {
          const info = lane.describe(row, index);
          const owners = info.parts.map((part) => part.owner).join(' ');
          const text = `${lane.title} ${columns.title ?? ''} ${info.title} ${owners}`.toLowerCase();
          const target = text.includes(words) ? targetAt(lane, row, index) : undefined;
          if (target) found.push(tableRow(place, target));
        }
      }
    }
    return found.slice(0, limit);
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
            source: sourceWords(lane, target),
          });
        }
      }
    }
    return lines;
  }

  const unknownDocument = (id: string) => failure('unknown-document', `nothing is open under “${id}”`);

  return {
    async open({ id, title, files }, context) {
      const document = await readDocument(id, title, files.map(inputOf), context);
      if (isEmpty(document)) {
        const samples = document.sources.flatMap((s) => s.samples).slice(0, 5);
        const first = document.diagnostics.find((d) => d.severity === 'error') ?? document.diagnostics[0];
        return failure('not-recognized', first?.message ?? 'nothing that is known was found in it', { samples });
      }
      documents.set(id, document);
      return success(documentNode(document));
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
    seek({ id, position }) {
      const document = documents.get(id);
      if (!document) return unknownDocument(id);
      document.position = Math.min(Math.max(0, Math.trunc(position)), document.session.events.length);
      return success(documentNode(document));
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
    find: (params) => success(find(params)),
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
