// The document of a host: the facts of its sources, in the order in which they were opened, and what is derived from them.
// It is rebuilt when a source joins or leaves; that of a live host grows.
import {
  assignedDevice,
  chosenDevice,
  missingFromHost,
  type NamedDevice,
  namedDevices,
} from '../../analysis/case/device.ts';
import { underKernel } from '../../analysis/host/iommu-aperture.ts';
import { MappingCollector, type MappingSet } from '../../analysis/host/mappings.ts';
import { groupedDecimal } from '../../iova/format.ts';
import { isFact, isUnknownEvent, type SessionEvent } from '../../session/events.ts';
import { newSession, type Session } from '../../session/session.ts';
import { type AlikeHosts, type EngineDocument, hostAt, type SourceOrigin } from '../documents/document.ts';
import { DIAGNOSTICS_MAX } from '../documents/read-document.ts';
import { type Diagnostic, PASTED_NAME } from '../protocol/documents.ts';
import type { EventDensity } from '../protocol/sessions.ts';
import { joinsHost, type OpenedSource } from './source.ts';

/** What the user chose for the whole case. */
export interface CaseChoices {
  /** The device to assign. undefined: the one that the evidence names; null: none. */
  readonly device: string | null | undefined;
  /** Id of the host that has the device; undefined: every host that has it. */
  readonly deviceHost?: string | undefined;
  /** Version of the kernel whose rules answer; undefined: that of the sources. */
  readonly kernel: string | undefined;
}

/** An event of a source as an event of its host: `gone` refers to an event by its number, which is shifted there. */
function moved(event: SessionEvent, offset: number): SessionEvent {
  return offset > 0 && isFact(event) && event.kind === 'gone' && event.event > 0
    ? { ...event, event: event.event + offset }
    : event;
}

function originOf(source: OpenedSource): SourceOrigin {
  const { id, name, files, read, labels, isLive } = source;
  const { sources, diagnostics, diagnosticsMore } = read;
  const label = labels.get(name) ?? name;
  return { id, name, label, files, sources, kind: kindOf(source), isLive, diagnostics, diagnosticsMore };
}

function kindOf({ name, folder, isSample, isLive }: OpenedSource): SourceOrigin['kind'] {
  if (isLive) return 'live';
  if (isSample) return 'sample';
  if (name === PASTED_NAME) return 'paste';
  return folder === undefined ? 'file' : 'folder';
}

export class HostDocument {
  readonly document: EngineDocument;
  /** In the order in which they were opened; the live source of a live host is last. */
  readonly sources: readonly OpenedSource[];
  readonly #live: OpenedSource | undefined;
  readonly #mappings = new MappingCollector();
  /** The sets of sources of which not all events are kept. */
  readonly #folded: readonly MappingSet[];
  /** Number of events before those of the live host. */
  readonly #offset: number;
  /** Number of events of the live host that the document has already taken. */
  #taken = 0;
  #named: readonly NamedDevice[];

  /** `previous`: the previous document of the same host; its position is kept if sources were only appended. */
  constructor(
    id: string,
    name: string,
    sources: readonly OpenedSource[],
    choices: CaseChoices,
    previous?: HostDocument,
  ) {
    const alike = alikeHosts(name, sources);
    const title = alike ? `${name} (${groupedDecimal(BigInt(alike.others.length + 1))} hosts alike)` : name;
    this.sources = [...sources.filter(({ isLive }) => !isLive), ...sources.filter(({ isLive }) => isLive)];
    this.#live = this.sources.findLast(({ isLive }) => isLive);
    const { session, starts } = mergedSession(title, this.sources);
    this.#offset = starts.at(-1) ?? 0;
    this.#taken = this.#live?.read.session.events.length ?? 0;
    const { events } = session;
    const folded: MappingSet[] = [];
    const densities: EventDensity[] = [];
    for (const [index, { read }] of this.sources.entries()) {
      const from = starts[index] ?? 0;
      const to = starts[index + 1] ?? events.length;
      folded.push(...(read.folded?.setsIn(events, from, to) ?? []));
      const density = read.folded?.densityIn(from);
      if (density) densities.push(density);
      for (let i = from; i < to; i++) {
        const event = events.at(i);
        if (event && !read.folded?.covers(event)) this.#mappings.add(event, i + 1);
      }
    }
    this.#folded = folded;
    this.#named = namedDevices(events);
    const before = previous?.document;
    const isExtended = previous?.sources.every((source, i) => source === this.sources[i]) === true;
    const position =
      before && isExtended && before.position < before.session.events.length ? before.position : events.length;
    this.document = {
      id,
      kind: 'host',
      title,
      ...(alike ? { alike } : {}),
      session,
      host: hostAt(id, title, events, position),
      hasGone: this.sources.some(({ read }) => read.hasGone),
      ...(densities.length > 0 ? { densities } : {}),
      mappings: this.#withFolded(this.#live ? this.#mappings.all() : this.#mappings.sorted()),
      files: this.sources.flatMap(({ files }) => files),
      origins: this.sources.map(originOf),
      sources: this.sources.flatMap(labelledSources),
      texts: this.sources.flatMap((source) => source.read.texts.map((text) => labelled(source, text))),
      operations: 0,
      states: undefined,
      model: undefined,
      kernel: choices.kernel,
      position,
      diagnostics: [],
      diagnosticsMore: this.sources.reduce((sum, { read }) => sum + read.diagnosticsMore, 0),
      ...(this.#live ? { live: before?.live ?? { isFollowing: position === events.length } } : {}),
    };
    this.choose(choices);
  }

  #withFolded(sets: readonly MappingSet[]): readonly MappingSet[] {
    return this.#folded.length === 0 ? sets : [...sets, ...this.#folded];
  }

  /** Number of events of the host before those of its live source. */
  get liveOffset(): number {
    return this.#offset;
  }

  /** Applies the device and the kernel that were chosen for the case. */
  choose({ device, deviceHost, kernel }: CaseChoices): void {
    const { document } = this;
    document.kernel = kernel;
    document.host = underKernel(document.host, kernel);
    const { host } = document;
    document.missing = missingFromHost(host, this.#named);
    document.assigned =
      device === undefined
        ? assignedDevice(host, this.#named)
        : device === null || (deviceHost !== undefined && deviceHost !== document.id)
          ? undefined
          : chosenDevice(host, device);
    this.#listDiagnostics();
  }

  #listDiagnostics(): void {
    const { diagnostics, missing = [] } = this.document;
    const notInDump = missing.map(
      ({ message, provenance: { source, line } }): Diagnostic => ({
        severity: 'warning',
        code: 'not-in-dump',
        message,
        source,
        line,
      }),
    );
    const all = [...notInDump, ...this.sources.flatMap(({ read }) => read.diagnostics)];
    diagnostics.splice(0, diagnostics.length, ...all.slice(0, DIAGNOSTICS_MAX));
  }

  /**
   * Takes what the live host has reported since the last call. `isFacts`: facts changed, not only mappings; `isLast`: it will
   * report nothing more. True if it must be called again to show everything, even if nothing more is reported.
   */
  grow(isFacts: boolean, choices: CaseChoices, isLast = false): boolean {
    const { document } = this;
    const live = this.#live;
    if (!live) return false;
    const { events } = document.session;
    const reported = live.read.session.events;
    const isShared = events === reported;
    for (; this.#taken < reported.length; this.#taken++) {
      const event = reported.at(this.#taken);
      if (!event) break;
      const added = moved(event, this.#offset);
      if (!isShared) events.push(added);
      this.#mappings.add(added, this.#offset + this.#taken + 1);
      if (isFact(event) && event.kind === 'gone') document.hasGone = true;
    }
    document.mappings = this.#withFolded(isLast ? this.#mappings.all() : this.#mappings.growing());
    this.#listDiagnostics();
    if (document.live?.isFollowing) {
      document.position = events.length;
      if (isFacts) {
        document.host = hostAt(document.id, document.title, events);
        this.choose(choices);
      }
    }
    return this.#mappings.isWaiting;
  }
}

/** The hosts that the sources say are alike with theirs. */
function alikeHosts(shown: string, sources: readonly OpenedSource[]): AlikeHosts | undefined {
  const others = sources.flatMap(({ profile }) => [...profile.alike]);
  const varies = sources.flatMap(({ profile }) => [...profile.varies]);
  return others.length > 0 ? { shown, others, varies } : undefined;
}

function labelled({ name, labels }: OpenedSource, text: string): string {
  const label = labels.get(name);
  return label === undefined ? text : `${label}${text.slice(name.length)}`;
}

/** Summaries of a source's texts, under the labels that distinguish texts with the same name. */
function labelledSources(source: OpenedSource): OpenedSource['read']['sources'] {
  return source.read.sources.map((summary) => {
    const name = labelled(source, summary.name);
    return name === summary.name ? summary : { ...summary, name };
  });
}

/**
 * The events of all sources, and at which index those of each start. Those of a host with one source are the source's own
 * array.
 */
function mergedSession(
  title: string,
  sources: readonly OpenedSource[],
): { readonly session: Session; readonly starts: readonly number[] } {
  const [only, ...more] = sources;
  if (only && more.length === 0 && !only.session) return { session: only.read.session, starts: [0] };
  const events: SessionEvent[] = [];
  const verbatim = new Map<number, string>();
  const starts: number[] = [];
  for (const { read, session } of sources) {
    const offset = events.length;
    starts.push(offset);
    const { events: own, verbatim: text } = read.session;
    for (const [i, event] of own.entries()) {
      // Operations, and unknown events between them, belong to the session's own document.
      if (session && !joinsHost(event)) continue;
      if (isUnknownEvent(event)) verbatim.set(events.length, text.events.get(i) ?? '\n');
      events.push(moved(event, offset));
    }
  }
  return { session: { ...newSession({ title }), events, verbatim: { events: verbatim } }, starts };
}
