// A host of the case, or a session of operations: its events, and what was computed from them.
import type { AssignedDevice, MissingFromHost } from '../../analysis/case/device.ts';
import { buildHost, eventsAt } from '../../analysis/host/build-host.ts';
import type { Host } from '../../analysis/host/host.ts';
import { underKernel } from '../../analysis/host/iommu-aperture.ts';
import type { MappingSet } from '../../analysis/host/mappings.ts';
import type { SourceSummary } from '../../dumps/input/collector.ts';
import type { KernelView } from '../../kernel/model.ts';
import type { SessionStates } from '../../kernel/replay/state-at.ts';
import type { ReadonlyEventList } from '../../session/event-list.ts';
import { isFact, type SessionEvent } from '../../session/events.ts';
import type { Session } from '../../session/session.ts';
import type { Diagnostic, InputFile, SourceNode } from '../protocol/documents.ts';
import type { EventDensity } from '../protocol/sessions.ts';

/** What a document needs of a source of the case. */
export interface SourceOrigin {
  readonly id: string;
  /** Label of its text: unique in the case. */
  readonly label: string;
  /** The name under which it was opened. */
  readonly name: string;
  readonly files: readonly InputFile[];
  readonly sources: readonly SourceSummary[];
  readonly kind: SourceNode['kind'];
  readonly isLive: boolean;
  readonly diagnostics: readonly Diagnostic[];
  /** How many more there are. */
  readonly diagnosticsMore: number;
}

/** Hosts of a fleet that are alike: one of them is shown. */
export interface AlikeHosts {
  /** The name of the host that is shown, which is not among the others. */
  readonly shown: string;
  readonly others: readonly string[];
  /** What differs between them. */
  readonly varies: readonly string[];
}

export interface EngineDocument {
  readonly id: string;
  /** `session`: a recording of operations. Its facts belong to a host; its state is that of a kernel model. */
  readonly kind: 'host' | 'session';
  title: string;
  /** Set if other hosts are alike: `title` then says how many. */
  readonly alike?: AlikeHosts | undefined;
  readonly session: Session;
  /** The host as the facts describe it at its position. */
  host: Host;
  mappings: readonly MappingSet[];
  /** Of long traces: when their events happened. */
  readonly densities?: readonly EventDensity[] | undefined;
  /** True if some facts hold only for a time: `host` then follows the position. */
  hasGone: boolean;
  /** For a live host: whether its position follows new events. */
  live?: { isFollowing: boolean } | undefined;
  /** The files that it was read from, to show their text; empty if they cannot be read again. */
  readonly files: readonly InputFile[];
  /** The sources of the case that it consists of; empty outside a case. */
  readonly origins: readonly SourceOrigin[];
  readonly sources: readonly SourceSummary[];
  /** Names of the texts from which facts were read: files, and members of folders and archives; a limited number. */
  readonly texts: readonly string[];
  readonly operations: number;
  /** The model's states over time; undefined if there is nothing to run or no model to run it. */
  states: SessionStates | undefined;
  /** Name of the model that runs the operations. */
  model: string | undefined;
  /** The device to assign on this host, chosen by the user or named by the evidence. */
  assigned?: AssignedDevice | undefined;
  /** Devices and groups that the evidence names and the host does not have. */
  missing?: readonly MissingFromHost[];
  /** Version of the kernel whose rules answer, chosen by the user; undefined: that of the sources. */
  kernel?: string | undefined;
  /** Hidden events after those of `session`, with their lines; undefined if there are none. */
  concealed?: { readonly events: readonly SessionEvent[]; readonly lines: readonly number[] } | undefined;
  /** How often events were hidden: caches about them are invalid then. */
  cuts?: number | undefined;
  /** Number of events that are applied. */
  position: number;
  /** For a session that was edited: the number of changes, and how many can be undone and redone. */
  readonly changes?: { readonly made: number; readonly undo: number; readonly redo: number } | undefined;
  /** A limited number. */
  readonly diagnostics: Diagnostic[];
  /** How many more there are. */
  readonly diagnosticsMore: number;
}

/** The host as the facts describe it after the first `position` events. */
export function hostAt(id: string, title: string, events: ReadonlyEventList, position = events.length): Host {
  return buildHost(id, title, eventsAt(events, position));
}

/** True if it contains no fact and no operation. */
export function onlyDiagnostics({ session }: Pick<EngineDocument, 'session'>): boolean {
  return session.events.every((event) => isFact(event) && event.kind === 'diagnostic');
}

/**
 * True if it contains nothing to show: no fact, and no diagnostic of a format. Lines of a known format are not refused only
 * because they contain no address.
 */
export function isEmpty(document: Pick<EngineDocument, 'session' | 'host' | 'sources' | 'diagnostics'>): boolean {
  if (!onlyDiagnostics(document) || document.host.complaints.length > 0) return false;
  // A session file with only diagnostics has findings too, unless one of them is a problem.
  const hasProblem = document.diagnostics.some(({ severity }) => severity !== 'info');
  return document.sources.every(({ formats }) => formats.every(({ name }) => name === 'session' && hasProblem));
}

/** Clamps a position to 0 … the number of events of a document. */
export function momentIn({ session: { events } }: Pick<EngineDocument, 'session'>, position: number): number {
  return Math.min(Math.max(0, Math.trunc(position)), events.length);
}

/**
 * Moves a document to the state after its first `position` events (clamped). `follow`: whether a live host's position follows
 * new events; by default only at its end.
 */
export function moveTo(document: EngineDocument, position: number, follow?: boolean): void {
  const { events } = document.session;
  document.position = momentIn(document, position);
  if (document.live) document.live.isFollowing = follow ?? document.position === events.length;
  if (document.hasGone || document.live) {
    document.host = underKernel(hostAt(document.id, document.title, events, document.position), document.kernel);
  }
}

/** The state of the document's model at its position. */
export function stateOf(document: EngineDocument): KernelView | undefined {
  return document.states?.stateAt(document.position);
}
