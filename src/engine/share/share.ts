// Everything that is shared: made from the case itself, or from the case that opening its redacted session gives. So nothing
// in a report, a picture or a link can say what the redacted session does not say.
import type { DumpInput } from '../../dumps/input/open.ts';
import { counted } from '../../iova/format.ts';
import { isFact, isUnknownEvent } from '../../session/events.ts';
import { newSession, type Session } from '../../session/session.ts';
import { type LinkView, linkFragment } from '../../session/sharing/link.ts';
import { type Replacement, redactSession } from '../../session/sharing/redact.ts';
import { shrinkSession } from '../../session/sharing/shrink.ts';
import { writeSession } from '../../session/write.ts';
import { sliceWindow } from '../../timeline/axis/slice.ts';
import { boundsInView, fitAll, fitRange } from '../../timeline/axis/viewport.ts';
import { cutLanes } from '../../timeline/scene/cut-lanes.ts';
import { plotWidth } from '../../timeline/scene/layout.ts';
import { buildScene } from '../../timeline/scene/scene.ts';
import { numberedBands } from '../answers/numbered-bands.ts';
import { refusedOperations } from '../answers/refused-operations.ts';
import { circumstancesOf } from '../answers/text-report.ts';
import type { CaseChoices } from '../case/host-document.ts';
import { writtenNotes } from '../case/notes.ts';
import { OpenCase } from '../case/open-case.ts';
import { readSources } from '../case/source.ts';
import type { EngineDocument } from '../documents/document.ts';
import { documentNode } from '../documents/document-node.ts';
import { restoreMoments, runUnder } from '../documents/model-states.ts';
import type { GuestChoice } from '../protocol/answers.ts';
import type { Handlers, Method, Params, Value } from '../protocol/methods.ts';
import { laneName, laneNames, subtitleOf } from '../protocol/picture.ts';
import { selectableKeys } from '../protocol/selection.ts';
import { LINK_LENGTH, type Shared, type ShareParams } from '../protocol/share.ts';
import { type CaseSession, caseSession } from './case-session.ts';
import { guestValue } from './guest-value.ts';
import { listedConflicts } from './listed-conflicts.ts';
import { markdownReport } from './markdown-report.ts';
import { selectionValue } from './selection-value.ts';
import { sourceLines } from './source-lines.ts';

/** Lines in the list of exact bounds. */
const BOUNDS_MAX = 200;
/** Refused operations in a report. */
const REFUSED_MAX = 40;
/** Address spaces of sessions that a file draws: no program shows a picture of thousands. */
const SPACES_MAX = 100;
/** Pixels of a picture in a file. */
const WIDTH = 1280;

/** The case that is shared. */
export interface SharedCase {
  readonly documents: ReadonlyMap<string, EngineDocument>;
  readonly choices: CaseChoices;
  /** Makes an engine with these documents open. */
  readonly open: (documents: readonly EngineDocument[]) => Handlers;
}

type Ask = <M extends Method>(method: M, params: Params<M>) => Promise<Value<M>>;

function asker(handlers: Handlers): Ask {
  const context = { signal: new AbortController().signal, progress: () => undefined };
  return async <M extends Method>(method: M, params: Params<M>) => {
    const handler: Handlers[M] = handlers[method];
    const result = await handler(params, context);
    if (!result.ok) throw new Error(result.error.message);
    return result.value;
  };
}

/** What an export is made from: documents, and the page's choices translated to them. */
interface Material {
  /** Those that opening the session creates, in the same order. */
  readonly included: readonly EngineDocument[];
  readonly documents: readonly EngineDocument[];
  readonly session: Session;
  readonly at: number | undefined;
  readonly params: ShareParams;
  readonly device: string | undefined;
  readonly replacements: readonly Replacement[];
  /** Names of the sources, as in the facts; undefined: those that were opened. */
  readonly sources: readonly string[] | undefined;
}

/** Translates the keys of one case to another with the same contents in the same order. */
function translated(keys: readonly string[], from: readonly EngineDocument[], to: readonly EngineDocument[]): string[] {
  const wanted = new Set(keys);
  return to.flatMap((document, i) => {
    const node = documentNode(document);
    const own = selectableKeys(node);
    const before = from[i];
    const known = before ? selectableKeys(documentNode(before)) : [];
    if (known.length === own.length) return own.filter((_, k) => wanted.has(known[k] ?? ''));
    return [...node.groups.filter((group) => group.isSelectedByDefault), ...node.spaces, ...node.layers].map(
      ({ key }) => key,
    );
  });
}

function translatedGuest(
  guest: GuestChoice | undefined,
  from: readonly EngineDocument[],
  to: readonly EngineDocument[],
  redact: ShareParams['redact'],
): GuestChoice | undefined {
  if (guest?.kind === 'document') {
    const index = from.findIndex(({ id }) => id === guest.id);
    const place = from[index]?.host.guests.findIndex(({ source }) => source === guest.guest) ?? -1;
    const document = to[index];
    const source = document?.host.guests[place]?.source;
    return document && source !== undefined ? { kind: 'document', id: document.id, guest: source } : undefined;
  }
  if (guest?.kind === 'definition') {
    const session = { ...newSession(), events: [{ kind: 'machine' as const, ...guest.definition }] };
    const [fact] = redactSession(session, redact).session.events;
    if (!fact || !isFact(fact) || fact.kind !== 'machine') return undefined;
    const { kind: _kind, ...definition } = fact;
    return { kind: 'definition', definition };
  }
  return guest;
}

/** The case that opening the redacted session gives. */
async function redactedMaterial(shared: SharedCase, made: CaseSession, params: ShareParams): Promise<Material> {
  const { session, replacements } = redactSession(made.session, params.redact);
  if (params.title !== undefined) session.header.title = params.title;
  const text = writeSession(session);
  const input: DumpInput = {
    name: 'session',
    async *stream() {
      yield new TextEncoder().encode(text);
    },
  };
  const context = { signal: new AbortController().signal, progress: () => undefined };
  const read = await readSources([{ input }], { context });
  const open = new OpenCase([], { prefix: 'redacted ' });
  open.add(read);
  const { device, kernel } = shared.choices;
  const renamed = (value: string) => replacements.find((r) => r.value === value && r.replacement !== '')?.replacement;
  if (device !== undefined) open.setDevice(device === null ? null : (renamed(device) ?? device));
  open.setKernel(kernel);
  await runUnder(open.documents.values(), kernel);
  const documents = [...open.documents.values()];
  const at =
    made.at === undefined ? undefined : made.counted.slice(0, made.at).filter((event) => !isUnknownEvent(event)).length;
  addNotes(session, params);
  const moved = documents.findLast(({ kind }) => kind === 'session') ?? documents.at(-1);
  const model = made.documents.findLast(({ kind }) => kind === 'session')?.model;
  if (moved && (at !== undefined || model !== undefined)) {
    await restoreMoments(open.documents, [{ id: moved.id, position: at ?? moved.session.events.length, model }]);
  }
  const guest = translatedGuest(params.guest, made.documents, documents, params.redact);
  return {
    included: documents,
    documents,
    session,
    at,
    device: typeof device === 'string' ? (renamed(device) ?? device) : undefined,
    replacements,
    sources: [...new Set(session.events.flatMap((e) => (isFact(e) && e.source !== undefined ? [e.source] : [])))],
    params: {
      ...params,
      guest,
      compared: undefined,
      selectedGroups: translated(params.selectedGroups, made.documents, documents),
    },
  };
}

/** Adds the user's text for this export, which is a note about the whole case when the session is opened again. */
function addNotes(session: Session, { notes }: ShareParams): void {
  const text = notes?.trim() ?? '';
  if (text !== '') session.events.push({ kind: 'note', text, source: 'notes' });
}

/** The text for this export, and the notes of the case. */
function allNotes({ notes }: ShareParams, documents: readonly EngineDocument[]): string | undefined {
  const written = [...(notes === undefined || notes.trim() === '' ? [] : [notes]), ...writtenNotes(documents)];
  return written.length === 0 ? undefined : written.join('\n');
}

/** Hosts that the redacted session does not name get letters as titles, which reveal nothing about the case. */
async function materialOf(shared: SharedCase, params: ShareParams): Promise<Material & { remarks: readonly string[] }> {
  const made = caseSession(shared.documents.values(), {
    sessionId: params.sessionId,
    title: params.title,
  });
  const { remarks } = made;
  if (params.redact) return { ...(await redactedMaterial(shared, made, params)), remarks };
  const { device } = shared.choices;
  addNotes(made.session, params);
  return {
    included: made.documents,
    documents: [...shared.documents.values()],
    session: made.session,
    at: made.at,
    params,
    device: device ?? undefined,
    replacements: [],
    sources: undefined,
    remarks,
  };
}

/** The view of the case as keys of a link; only those that differ from the default. */
function viewOf({ at, params, device, documents, included }: Material, choices: CaseChoices): LinkView {
  const { range, scale, expanded, guest, tab } = params;
  const lanes = laneNames(expanded);
  const model = documents.findLast(({ kind }) => kind === 'session');
  const isOther = model?.model !== undefined && model.model !== (model.session.header.model ?? 'iommufd');
  const value = guest && guestValue(guest);
  const groups = selectionValue(included.map(documentNode), params.selectedGroups);
  return {
    ...(at === undefined ? {} : { at }),
    ...(range === undefined ? {} : { range }),
    ...(scale === 'fold' ? {} : { scale }),
    ...(lanes.length === 0 ? {} : { lanes }),
    ...(groups === undefined ? {} : { groups }),
    ...(value === undefined ? {} : { guest: value }),
    ...(device === undefined ? {} : { device }),
    ...(isOther && model?.model !== undefined ? { model: model.model } : {}),
    ...(choices.kernel === undefined ? {} : { kernel: choices.kernel }),
    ...(tab === undefined ? {} : { tab }),
  };
}

interface MadeLink {
  readonly fragment: string;
  readonly remarks: readonly string[];
}

/** The link with the session, shortened step by step until it is short enough. */
function linkTo(session: Session, view: LinkView, base: string): MadeLink {
  const fragmentOf = (text: string) => linkFragment({ kind: 'session', text }, view);
  const lengthOf = (text: string) => base.length + 1 + fragmentOf(text).length;
  const shrunk = shrinkSession(session, (text) => lengthOf(text) <= LINK_LENGTH.good);
  const { text, duplicates, sources, expectations } = shrunk;
  const dropped = [
    ...(duplicates > 0 ? [`facts that repeat earlier ones (${duplicates})`] : []),
    ...(sources ? ['where facts were read'] : []),
    ...(expectations > 0 ? [`expected answers of operations (${expectations})`] : []),
  ];
  const fragment = fragmentOf(text);
  const length = base.length + 1 + fragment.length;
  return {
    fragment,
    remarks: [
      ...(dropped.length > 0 ? [`Left out of the link to make it shorter: ${dropped.join('; ')}.`] : []),
      ...(length > LINK_LENGTH.max
        ? [`The link would have ${length} characters, more than ${LINK_LENGTH.max}: send the session file instead.`]
        : length > LINK_LENGTH.good
          ? [`The link has ${length} characters: some programs cut links above ${LINK_LENGTH.good}.`]
          : []),
    ],
  };
}

/** Exports the case in one format. Throws only if there is a bug. */
export async function share(shared: SharedCase, wanted: ShareParams): Promise<Shared> {
  const material = await materialOf(shared, wanted);
  const { documents, params, session, replacements } = material;
  const view = viewOf(material, shared.choices);
  const text = writeSession(session);
  const remarks = [...material.remarks, ...guestRemark(wanted, view)];
  const common = {
    session: text,
    view: linkFragment(undefined, view),
    replacements,
    title: titleOf(session, documents),
  };
  if (params.form === 'session') return { ...common, text, remarks: material.remarks };
  if (params.form === 'link') {
    const link = linkTo(session, view, params.base ?? '');
    return { ...common, text: link.fragment, remarks: [...remarks, ...link.remarks] };
  }
  const ask = asker(shared.open(documents));
  const { selectedGroups: drawn, more: spacesMore } = drawnKeys(params, documents);
  const arranged = await arrange(ask, { ...params, selectedGroups: drawn });
  const all = counted(arranged.spaces.length + spacesMore, 'address space');
  const arrangement = spacesMore > 0 ? { ...arranged, title: all } : arranged;
  const title = params.title ?? arrangement.title;
  const circumstances = circumstancesOf(documents);
  if (params.form === 'picture') {
    const scene = await pictureOf(ask, material, arrangement, circumstances, spacesMore);
    return { ...common, title, text: '', scene, remarks: material.remarks };
  }
  const link = params.base === undefined ? undefined : linkTo(session, view, params.base);
  const isSent = link !== undefined && (params.base?.length ?? 0) + 1 + link.fragment.length <= LINK_LENGTH.good;
  const url = isSent ? `${params.base}#${link.fragment}` : undefined;
  if (params.form === 'text') {
    const { selectedGroups, guest, pageSize, range, version } = params;
    const notes = allNotes(params, documents);
    const sources = material.sources ?? arrangement.sources;
    const report = await ask('textReport', {
      ...{ selectedGroups, guest, pageSize, range, title, notes, version, sources, link: url, spacesMore },
      ...(params.parts ? { parts: params.parts } : {}),
    });
    return { ...common, title, text: report, remarks: material.remarks };
  }
  const { selectedGroups, guest, pageSize, range, version, parts = {} } = params;
  const trial = { selectedGroups, guest, pageSize };
  const answered = await ask('answer', trial);
  const drawingOnly = { ...trial, range, title, version, spacesMore, parts: { drawingOnly: true } };
  const drawing = await ask('textReport', drawingOnly);
  const bounds = await ask('bounds', { start: 0n, last: 2n ** 64n - 1n, limit: BOUNDS_MAX });
  // The original lines of the dumps would reveal everything that was replaced.
  const lines = params.redact || parts.lines === false ? [] : await sourceLines(documents, answered);
  const report = markdownReport({
    title,
    notes: allNotes(params, documents),
    documents,
    answered,
    drawing,
    bounds,
    refused: refusedOperations(documents, REFUSED_MAX),
    lines,
    session: text,
    circumstances,
    sources: material.sources ?? arrangement.sources,
    link: url,
    version,
    isToScale: params.scale === 'linear',
    isRedacted: params.redact !== undefined,
    parts,
  });
  return { ...common, title, text: report, remarks: material.remarks };
}

function titleOf({ header }: Session, documents: readonly EngineDocument[]): string {
  const [first, ...more] = documents;
  return header.title ?? (first && more.length === 0 ? first.title : 'case');
}

function guestRemark({ guest }: ShareParams, { guest: value }: LinkView): string[] {
  return guest && value === undefined
    ? ['The guest that is tried is not in the link: only a machine with its options can be.']
    : [];
}

/**
 * The selection without the address spaces of sessions beyond the first, and how many those are. What was chosen by
 * scrolling to it is not cut.
 */
function drawnKeys({ selectedGroups, seen }: ShareParams, documents: readonly EngineDocument[]) {
  if (seen || selectedGroups.length <= SPACES_MAX) return { selectedGroups, more: 0 };
  const selected = new Set(selectedGroups);
  const spaces = documents
    .filter(({ states }) => states !== undefined)
    .flatMap((document) =>
      documentNode(document)
        .spaces.map(({ key }) => key)
        .filter((key) => selected.has(key)),
    );
  const rest = new Set(spaces.slice(SPACES_MAX));
  return { selectedGroups: selectedGroups.filter((key) => !rest.has(key)), more: rest.size };
}

/** Arranges the picture, with the same kinds of lanes expanded. */
async function arrange(ask: Ask, params: ShareParams) {
  const { selectedGroups, guest, scale, keepVisible, compared } = params;
  const common = { selectedGroups, guest, scale, compared, ...(keepVisible ? { keepVisible } : {}) };
  const first = await ask('arrange', { ...common, expanded: params.redact ? [] : params.expanded });
  const names = new Set(laneNames(params.expanded));
  if (!params.redact || names.size === 0) return first;
  const lanes = first.spaces.flatMap((space) => space.lanes.map(({ id }) => id));
  return ask('arrange', { ...common, expanded: lanes.filter((id) => names.has(laneName(id))) });
}

async function pictureOf(
  ask: Ask,
  { params, sources, documents }: Material,
  arrangement: Awaited<ReturnType<typeof arrange>>,
  circumstances: readonly string[],
  spacesMore: number,
) {
  const { width = WIDTH, range, selectedGroups, guest, pageSize, version, seen } = params;
  const { scale, revision } = arrangement;
  const plot = plotWidth(width);
  const view = range ? fitRange(scale, range, plot, 0) : fitAll(scale, plot);
  const slices = await ask('slice', { revision, window: sliceWindow(view) });
  const bounds = await ask('bounds', { ...boundsInView(view, scale), limit: BOUNDS_MAX });
  const answered = await ask('answer', { selectedGroups, guest, pageSize });
  const { answer, rows } = answered;
  const { spaces, leftOut } = cutLanes(slices, seen?.first ?? 0, seen);
  return buildScene({
    title: params.title ?? arrangement.title,
    subtitle: subtitleOf({ scale, sources: sources ?? arrangement.sources }),
    scale,
    view,
    spaces,
    width,
    numbered: numberedBands(rows),
    listed: listedConflicts(answered),
    // Their texts contain what redaction replaces.
    bands: params.redact ? [] : params.bands,
    bounds,
    answer: { ...answer, remedies: answer.remedies.map(({ text }) => text) },
    leftOut: spacesMore > 0 ? [...leftOut, counted(spacesMore, 'more address space')] : leftOut,
    notes: allNotes(params, documents)?.split(/\r?\n/),
    footer: [
      ...(scale.kind === 'linear' ? [] : [`Not to scale (${scale.kind}). Bounds are inclusive.`]),
      ...circumstances,
      `${`iovascope ${version}`.trim()}; this picture contains the session: open or drop it in iovascope to explore it.`,
    ],
  });
}
