import { buildHost, eventsAt } from '../analysis/host/build-host.ts';
import { type Guest, groupTitle, type Host } from '../analysis/host/host.ts';
import { type MappingSet, MappingState, mappingSets } from '../analysis/host/mappings.ts';
import { holderLabel, reportedSpaces } from '../analysis/space/common-space.ts';
import { diagnosticFact } from '../dumps/diagnostics.ts';
import type { SourceSummary } from '../dumps/input/collector.ts';
import type { DumpEvent } from '../dumps/input/event-queue.ts';
import { type DumpInput, openInputs } from '../dumps/input/open.ts';
import { counted } from '../iova/format.ts';
import type { AddressSpaceView, KernelView } from '../kernel/model.ts';
import type { SessionStates } from '../kernel/replay/state-at.ts';
import { type FactOf, isFact, isOperation, isUnknownEvent, type SessionEvent } from '../session/events.ts';
import { newSession, SESSION_PROBLEM_CODES, type Session } from '../session/session.ts';
import { LANE_KINDS, type LaneKind, type Layer, laneKind } from '../timeline/lanes/kinds.ts';
import type { Diagnostic, DocumentNode, InputFile, LayerNode, SourceNode } from './protocol/documents.ts';
import type { CallContext } from './protocol/methods.ts';

/** Texts that a document lists. */
const TEXTS_MAX = 300;
/** Diagnostics that a document lists; the rest is counted. */
export const DIAGNOSTICS_MAX = 500;

/** One opened set of files: the session that it became, and what was made of it. */
export interface EngineDocument {
  readonly id: string;
  title: string;
  readonly session: Session;
  /** What the facts say at its position. */
  host: Host;
  mappings: readonly MappingSet[];
  /** True if facts of it held for a while only: then `host` follows the position. */
  hasGone: boolean;
  /** Of a live host: whether its position follows what comes in. */
  live?: { isFollowing: boolean } | undefined;
  /** The files that it was read from, to show their text again; empty where they cannot be read twice. */
  readonly files: readonly InputFile[];
  readonly sources: readonly SourceSummary[];
  /** Names of the texts that facts were read from: files, and members of folders and archives; of the first so many. */
  readonly texts: readonly string[];
  readonly operations: number;
  /** The model's states over time; missing where there is nothing to run or no model to run it. */
  states: SessionStates | undefined;
  /** Name of the model that runs the operations. */
  model: string | undefined;
  /** How many events the state is after. */
  position: number;
  readonly diagnostics: readonly Diagnostic[];
  readonly diagnosticsMore: number;
}

/** Files of one folder belong together: they share the first component of their path. */
function treeOf(name: string): string | undefined {
  const slash = name.indexOf('/', 1);
  return slash > 0 ? name.slice(0, slash) : undefined;
}

/** A file from the page as an input of the dump readers. */
export function inputOf({ name, data, link }: InputFile): DumpInput {
  const tree = treeOf(name);
  return {
    name,
    size: data.size,
    ...(link === undefined ? {} : { link }),
    ...(tree === undefined ? {} : { tree }),
    stream: () => data.stream(),
  };
}

/** What the facts of `events` say that hold after the first `position` of them. */
export function hostAt(id: string, title: string, events: readonly SessionEvent[], position = events.length): Host {
  return buildHost(id, title, eventsAt(events, position));
}

/** A diagnostic as a document lists it; one that names no source is of the document itself. */
export function diagnosticOf(fact: FactOf<'diagnostic'>, title: string): Diagnostic {
  const { severity, code, message, source = title, line } = fact;
  return { severity, code, message, source, line };
}

function plain(event: DumpEvent): SessionEvent {
  return isUnknownEvent(event) ? { unknown: event.unknown, name: event.name } : event;
}

/** True for a diagnostic about a line of a session file, which the file itself does not contain. */
function isReadingProblem(event: SessionEvent): boolean {
  return isFact(event) && event.kind === 'diagnostic' && SESSION_PROBLEM_CODES.some((code) => code === event.code);
}

/** True if it says nothing of any address. */
export function onlyDiagnostics({ session }: Pick<EngineDocument, 'session'>): boolean {
  return session.events.every((event) => isFact(event) && event.kind === 'diagnostic');
}

/**
 * True if there is nothing to be told of it but why that is: only diagnostics, and none of them is what a kernel or a
 * program complained of. Known lines that just say nothing of an address are no reason to refuse them.
 */
export function isEmpty(document: Pick<EngineDocument, 'session' | 'host' | 'sources' | 'diagnostics'>): boolean {
  if (!onlyDiagnostics(document) || document.host.complaints.length > 0) return false;
  return (
    document.diagnostics.some(({ severity }) => severity !== 'info') ||
    document.sources.every(({ formats }) => formats.length === 0)
  );
}

/** The states of a session's model over time, or why there is none. Models are loaded when a session needs them. */
export async function statesOf(
  session: Session,
  name?: string,
): Promise<{ states?: SessionStates; model?: string; message?: string }> {
  const [{ createModel }, { SessionStates: States }] = await Promise.all([
    import('../kernel/models.ts'),
    import('../kernel/replay/state-at.ts'),
  ]);
  const made = createModel(session.header, name);
  return made.ok ? { states: new States(session, made.model), model: made.model.name } : { message: made.message };
}

/** Reads the inputs into a document. Rejects only when the context's signal is aborted. */
export async function readDocument(
  id: string,
  title: string,
  inputs: Iterable<DumpInput> | AsyncIterable<DumpInput>,
  context: CallContext,
  files: readonly InputFile[] = [],
): Promise<EngineDocument> {
  const events: SessionEvent[] = [];
  const verbatim = new Map<number, string>();
  const diagnostics: Diagnostic[] = [];
  let diagnosticsMore = 0;
  let operations = 0;
  let hasGone = false;
  const texts = new Set<string>();
  let lastText: string | undefined;
  /** Of the events so far those that `isReadingProblem` will take out again. */
  let problems = 0;
  const take = (event: DumpEvent) => {
    if (isFact(event) && event.source !== lastText) {
      lastText = event.source;
      if (lastText !== undefined && texts.size < TEXTS_MAX) texts.add(lastText);
    }
    if (isUnknownEvent(event)) verbatim.set(events.length - problems, `${event.text}\n`);
    else if (isOperation(event)) operations++;
    else if (isFact(event) && event.kind === 'gone') hasGone = true;
    else if (isFact(event) && event.kind === 'diagnostic') {
      if (isReadingProblem(event)) problems++;
      if (diagnostics.length < DIAGNOSTICS_MAX) diagnostics.push(diagnosticOf(event, title));
      else diagnosticsMore++;
    }
    events.push(plain(event));
  };
  const { sources, header } = await openInputs(inputs, {
    signal: context.signal,
    onProgress: ({ bytes, total, name }) => context.progress({ done: bytes, total, what: name }),
    onEvents: (batch) => batch.forEach(take),
  });
  // What reading a session file found fault with is said anew at every reading: it does not become part of the session.
  const own = header ? events.filter((event) => !isReadingProblem(event)) : events;
  const session: Session = {
    ...newSession({ title }),
    ...(header ? { header } : {}),
    events: own,
    verbatim: { events: verbatim },
  };
  const { states, model, message: problem } = operations > 0 ? await statesOf(session) : {};
  if (problem !== undefined) {
    diagnostics.push(diagnosticOf(diagnosticFact('unknown-model', { operations, reason: problem }), title));
  }
  const shownTitle = header?.title ?? title;
  return {
    id,
    title: shownTitle,
    session,
    host: hostAt(id, shownTitle, session.events),
    hasGone,
    mappings: mappingSets(session.events),
    files,
    sources,
    // A session file names sources that it was made of: their texts are not here.
    texts: [...texts].filter((text) => files.some(({ name }) => text === name || text.startsWith(`${name}/`))),
    operations,
    states,
    model,
    position: session.events.length,
    diagnostics,
    diagnosticsMore,
  };
}

/** Moves a document to the moment after its first `position` events; what its facts say follows. */
export function moveTo(document: EngineDocument, position: number, follow?: boolean): void {
  const { events } = document.session;
  document.position = Math.min(Math.max(0, Math.trunc(position)), events.length);
  if (document.live) document.live.isFollowing = follow ?? document.position === events.length;
  if (document.hasGone || document.live) {
    document.host = hostAt(document.id, document.title, events, document.position);
  }
}

/** The state of the document's model at its position. */
export function stateOf(document: EngineDocument): KernelView | undefined {
  return document.states?.stateAt(document.position);
}

function spacesOf(document: EngineDocument): readonly AddressSpaceView[] {
  return stateOf(document)?.spaces() ?? [];
}

export function reportedKey(document: Pick<EngineDocument, 'id'>, name: string): string {
  return `${document.id}/reported ${name}`;
}

/** Kinds of lanes that are selected on their own. */
export const LAYERS: readonly LaneKind[] = LANE_KINDS.filter((kind) => laneKind(kind).layer !== null);

export function layerKey(document: Pick<EngineDocument, 'id'>, layer: LaneKind): string {
  return `${document.id}/layer ${layer}`;
}

/** The layers that a host has something for, in the order of the tree: the most specific first. */
export function layersIn(host: Host): { readonly kind: LaneKind; readonly layer: Layer }[] {
  return LAYERS.toReversed().flatMap((kind) => {
    const { layer } = laneKind(kind);
    return layer && layer.count(host) > 0 ? [{ kind, layer }] : [];
  });
}

export function mappingKey(document: Pick<EngineDocument, 'id'>, set: Pick<MappingSet, 'key'>): string {
  return `${document.id}/mappings ${set.key}`;
}

export function guestKey(document: Pick<EngineDocument, 'id'>, { source }: Pick<Guest, 'source'>): string {
  return `${document.id}/guest ${source}`;
}

const mappingStates = new WeakMap<MappingSet, MappingState>();
const finalStates = new WeakMap<MappingSet, MappingState>();

/** A set's state after the first `position` events. One state a set is kept and moved, so use it before the next call. */
export function mappingStateAt(set: MappingSet, position: number): MappingState {
  const state = mappingStates.get(set) ?? new MappingState(set);
  mappingStates.set(set, state);
  state.seek(position);
  return state;
}

/** A set's state after all events. */
export function finalMappingState(set: MappingSet): MappingState {
  // A live host's set has grown since: the state goes on from where it was.
  const state = finalStates.get(set) ?? new MappingState(set);
  state.seek(Number.POSITIVE_INFINITY);
  finalStates.set(set, state);
  return state;
}

function layersOf(document: EngineDocument): LayerNode[] {
  const { host, mappings } = document;
  // Addresses of the host's own would crowd the picture of an I/O address space: they are drawn when there is no other.
  const isAlone = host.groups.length === 0 && host.guests.length === 0 && mappings.length === 0;
  return [
    ...mappings.map((set) => ({
      key: mappingKey(document, set),
      title: set.title,
      note: [counted(set.facts.length, 'event'), set.isOneDomain ? set.note : 'domain not known'].join(' · '),
      isShown: true,
    })),
    ...host.guests.map((guest) => ({
      key: guestKey(document, guest),
      title: 'guest layout',
      note: [counted(guest.ranges.length, 'range'), host.guests.length > 1 || document.live ? guest.source : '']
        .filter(Boolean)
        .join(' · '),
      isShown: true,
    })),
    ...layersIn(host).map(({ kind, layer }) => ({
      key: layerKey(document, kind),
      title: layer.title,
      note: layer.note(host),
      isShown: layer.isShownByDefault || isAlone,
    })),
  ];
}

export function spaceKey(document: Pick<EngineDocument, 'id'>, space: string): string {
  return `${document.id}/space ${space}`;
}

function sourceNode(summary: SourceSummary): SourceNode {
  const facts = Object.entries(summary.kinds).reduce((sum, [kind, n]) => (kind === 'diagnostic' ? sum : sum + n), 0);
  return {
    name: summary.name,
    formats: summary.formats.map((f) => f.title),
    facts,
    operations: summary.operations,
    lines: summary.lines,
    unrecognized: summary.unrecognized,
    samples: summary.samples.map(({ line, text }) => ({ line, text })),
  };
}

/** The document as the page shows it in the tree of sources. */
export function documentNode(document: EngineDocument): DocumentNode {
  return {
    id: document.id,
    title: document.title,
    sources: document.sources.map(sourceNode),
    texts: document.texts,
    groups: document.host.groups.map((group) => {
      const counts = new Map<string, number>();
      for (const region of group.regions) counts.set(region.type, (counts.get(region.type) ?? 0) + 1);
      return {
        key: group.key,
        title: groupTitle(group),
        type: group.type,
        devices: group.devices,
        regions: [...counts].map(([type, count]) => ({ type, count })),
      };
    }),
    spaces: [
      ...reportedSpaces(document.host).map((space) => ({
        key: reportedKey(document, space.name),
        title: space.name,
        note: holderLabel(space) || 'reported by a kernel',
      })),
      ...spacesOf(document).map(({ id, areaCount, validRanges }) => ({
        key: spaceKey(document, id),
        title: id,
        areas: areaCount,
        hasInfo: validRanges !== undefined,
      })),
    ],
    layers: layersOf(document),
    guests: document.host.guests.map(({ source }) => source),
    hasHistory:
      document.operations > 0 ||
      document.hasGone ||
      document.live !== undefined ||
      document.mappings.some((set) => !set.isSnapshot && set.facts.length > 1),
    ...(document.live ? { live: { isFollowing: document.live.isFollowing } } : {}),
    diagnostics: document.diagnostics,
    diagnosticsMore: document.diagnosticsMore,
    events: document.session.events.length,
    operations: document.operations,
    position: document.position,
    model: document.model,
    recordedModel: document.session.header.model,
  };
}
