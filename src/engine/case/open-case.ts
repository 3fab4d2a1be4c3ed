// The case: the open sources, the hosts that they belong to, and what the user chose. Every change creates a new content; the
// old contents are the undo stack. Documents of hosts whose sources changed are rebuilt.
import { deviceNamed } from '../../analysis/case/device.ts';
import { chooseHost, type HostCandidate, type JoinDecision } from '../../analysis/case/join.ts';
import { folderName, hostNames, type NameSuggestions, textLabels } from '../../analysis/case/names.ts';
import { type HostProfile, mergeProfiles, profileOf } from '../../analysis/case/profile.ts';
import { parseKernelVersion } from '../../kernel/versions.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { Placement } from '../protocol/case.ts';
import { type CaseChoices, HostDocument } from './host-document.ts';
import { isSessionOnly, type OpenedSource, relabel, withId } from './source.ts';

/** Maximum number of changes that can be undone; closed sources stay in memory that long. */
const UNDO_MAX = 30;

interface HostEntry {
  readonly id: string;
  /** The name that the user gave it. */
  readonly given?: string | undefined;
  readonly sourceIds: readonly string[];
}

interface Content extends CaseChoices {
  /** In the order in which they were opened. */
  readonly sources: ReadonlyMap<string, OpenedSource>;
  /** In the order in which they were created. A source with only operations belongs to none. */
  readonly hosts: readonly HostEntry[];
}

const EMPTY: Content = { sources: new Map(), hosts: [], device: undefined, kernel: undefined };

interface Change {
  readonly label: string;
  readonly before: Content;
}

/** The document of a host, and what it was built from. */
interface BuiltHost {
  readonly key: string;
  readonly sources: readonly OpenedSource[];
  readonly built: HostDocument;
}

/** The result of a change that the user requested; `message` says why it was not made. */
export type CaseResult = { readonly ok: true } | { readonly ok: false; readonly message: string };

/** Of a source that hosts are alike with which were opened after it. */
const FOLDED = { outcome: 'joined', reason: 'Hosts alike are shown as one.' } as const;

const DONE: CaseResult = { ok: true };

export interface AddOptions {
  /** Id of the document that is created for the first source, if one is created. */
  readonly id?: string | undefined;
  /** True to put the added sources into a new host. */
  readonly isNewHost?: boolean | undefined;
  /** True to leave samples open: the added source was made while they were open. */
  readonly keepsSamples?: boolean | undefined;
}

/** What was found out about hosts while sources are added: an entry does not change. */
interface JudgedHosts {
  readonly candidates: Map<HostEntry, HostCandidate>;
  readonly suggestions: Map<HostEntry, NameSuggestions>;
}

/** What is saved of a host, to open the case again. */
export interface SavedHost {
  readonly id: string;
  readonly given?: string | undefined;
  readonly sourceIds: readonly string[];
}

export class OpenCase {
  #content = EMPTY;
  #undo: Change[] = [];
  readonly #hosts = new Map<string, BuiltHost>();
  #documents = new Map<string, EngineDocument>();
  /** Documents that exist before the case: for callers that have their own. */
  readonly #fixed: readonly EngineDocument[];
  #lastId = 0;
  readonly #prefix: string;
  /** Called with the ids of live sources that left the case. */
  readonly #onLeft: (sourceId: string) => void;

  /** `prefix`: prefix of all ids, to distinguish several cases. */
  constructor(
    fixed: readonly EngineDocument[] = [],
    { prefix = '', onLeft = () => undefined }: { prefix?: string; onLeft?: (sourceId: string) => void } = {},
  ) {
    this.#fixed = fixed;
    this.#prefix = prefix;
    this.#onLeft = onLeft;
    this.#rebuild();
  }

  /** Documents of the hosts, then those of sessions, by id. */
  get documents(): ReadonlyMap<string, EngineDocument> {
    return this.#documents;
  }

  get sources(): readonly OpenedSource[] {
    return [...this.#content.sources.values()];
  }

  get hosts(): readonly SavedHost[] {
    return this.#content.hosts;
  }

  get choices(): CaseChoices {
    const { device, deviceHost, kernel } = this.#content;
    return { device, deviceHost, kernel };
  }

  /** What `undo` would undo; undefined if there is nothing. */
  get undoLabel(): string | undefined {
    return this.#undo.at(-1)?.label;
  }

  /** True if a source or the user gave the host its name, so that it has no letter. */
  isNamed(hostId: string): boolean {
    const host = this.#content.hosts.find(({ id }) => id === hostId);
    return host !== undefined && Object.values(this.#suggested(host)).some((name) => name !== undefined);
  }

  hostOfSource(sourceId: string): string | undefined {
    return this.#content.hosts.find(({ sourceIds }) => sourceIds.includes(sourceId))?.id;
  }

  /** A new id: the same one in every run that makes the same calls. */
  #newId(prefix: 'host' | 'source'): string {
    let id: string;
    do id = `${this.#prefix}${prefix} ${++this.#lastId}`;
    while (this.#isTaken(id));
    return id;
  }

  #isTaken(id: string): boolean {
    return this.#documents.has(id) || this.#content.sources.has(id);
  }

  /**
   * Adds sources: each joins a host, or becomes one. Sources that identify their host come first, so that the others can join
   * it. Samples are closed when something else is opened.
   */
  add(read: readonly OpenedSource[], options: AddOptions = {}): Placement[] {
    const before = this.#content;
    const given = options.id !== undefined && !this.#isTaken(options.id) ? options.id : undefined;
    const changed = read.filter(({ id }) => before.sources.has(id));
    this.#content = {
      ...before,
      sources: new Map([...before.sources, ...changed.map((one) => [one.id, one] as const)]),
    };
    const sources = read
      .filter(({ id }) => !before.sources.has(id))
      .map((source, i) => withId(source, (i === 0 ? given : undefined) ?? this.#newId('source')));
    const names = [...changed, ...sources].map(({ name }) => name);
    const isReplacing =
      !sources.some(({ isSample }) => isSample) || [...before.sources.values()].every(({ isSample }) => isSample);
    if (isReplacing && options.keepsSamples !== true) {
      this.#drop([...before.sources.values()].filter(({ isSample }) => isSample).map(({ id }) => id));
    }
    const decisions = new Map<string, JoinDecision | undefined>();
    const judged: JudgedHosts = { candidates: new Map(), suggestions: new Map() };
    let { isNewHost = false } = options;
    let id = given;
    const isTelling = ({ profile }: OpenedSource) =>
      profile.names.size + profile.groups.size + profile.regions.size + profile.registers.size > 0;
    for (const source of [...sources.filter(isTelling), ...sources.filter((one) => !isTelling(one))]) {
      const hosts = this.#content.hosts.filter((host) => this.#isKnown(host) && !this.#hasPartOf(source, host));
      const decision = isSessionOnly(source) ? undefined : this.#decide(source, hosts, isNewHost, judged);
      decisions.set(source.id, decision);
      // The other sources that are opened together may join the new host.
      isNewHost = false;
      // A source with operations has a document of its own, which has the source's id.
      const own = source.session ? undefined : id;
      const hostId = decision?.hostId ?? own ?? this.#newId('host');
      if (decision && decision.hostId === undefined) id = undefined;
      this.#put(source, decision ? hostId : undefined);
    }
    this.#content = { ...this.#content, sources: inOrder(this.#content.sources, sources) };
    this.#changed(`Open ${summary(names)}`, before);
    return [
      ...changed.map((source) => this.#placement(source, FOLDED)),
      ...sources.map((source) => this.#placement(source, decisions.get(source.id))),
    ];
  }

  #decide(
    source: OpenedSource,
    hosts: readonly HostEntry[],
    isNewHost: boolean,
    judged: JudgedHosts = { candidates: new Map(), suggestions: new Map() },
  ): JoinDecision {
    if (isNewHost) {
      const outcome = hosts.length === 0 ? 'first' : 'new-host';
      return { hostId: undefined, outcome, reason: 'It was opened as a host of its own.', isMoment: false };
    }
    return chooseHost(
      source.profile,
      hosts.map((host) => this.#candidate(host, judged)),
    );
  }

  #candidate(host: HostEntry, { candidates, suggestions }: JudgedHosts): HostCandidate {
    const known = candidates.get(host);
    if (known) return known;
    const { id } = host;
    for (const source of this.#sourcesOf(host)) if (source.isLive) refreshProfile(source);
    const names = () => this.#names(suggestions);
    const candidate: HostCandidate = {
      id,
      // Few of the candidates are called by their name.
      get name() {
        return names().get(id) ?? '';
      },
      profile: this.#profileOf(host),
    };
    candidates.set(host, candidate);
    return candidate;
  }

  #sourcesOf({ sourceIds }: HostEntry): OpenedSource[] {
    return sourceIds.flatMap((id) => this.#content.sources.get(id) ?? []);
  }

  /** What the sources of a host say together. */
  #profileOf(host: HostEntry): HostProfile {
    const profiles = this.#sourcesOf(host).map(({ profile }) => profile);
    const [only] = profiles;
    return only && profiles.length === 1 ? only : mergeProfiles(profiles);
  }

  #put(source: OpenedSource, hostId: string | undefined): void {
    const { hosts, sources } = this.#content;
    const rest = hosts.filter((host) => host.id !== hostId);
    const host = hosts.find((other) => other.id === hostId) ?? { id: hostId ?? '', sourceIds: [] };
    this.#content = {
      ...this.#content,
      sources: new Map([...sources, [source.id, source]]),
      // The host with the newest source moves to the end: sources that say nothing about their host join it.
      hosts: hostId === undefined ? hosts : [...rest, { ...host, sourceIds: [...host.sourceIds, source.id] }],
    };
  }

  #placement(
    { id: sourceId, name }: OpenedSource,
    decision: Pick<JoinDecision, 'outcome' | 'reason'> | undefined,
  ): Placement {
    const hostId = this.hostOfSource(sourceId);
    if (hostId === undefined || !decision) {
      const reason = 'It contains operations only: a session of the case.';
      return { sourceId, sourceName: name, hostId, hostName: undefined, outcome: 'session', reason };
    }
    const hostName = this.#documents.get(hostId)?.title ?? '';
    const { outcome, reason } = decision;
    return { sourceId, sourceName: name, hostId, hostName, outcome, reason };
  }

  /** Replaces the sources with the same ids, or adds them to a host. A source without events is removed. */
  put(label: string, sources: readonly OpenedSource[], hostId?: string): void {
    const before = this.#content;
    for (const source of sources) {
      if (source.read.session.events.length === 0) this.#drop([source.id]);
      else if (hostId !== undefined) this.#put(withId(source, this.#newId('source')), hostId);
      else this.#content = { ...this.#content, sources: new Map(this.#content.sources).set(source.id, source) };
    }
    this.#changed(label, before);
  }

  /** Moves a source to another host, or to a new one. */
  move(sourceId: string, to: string): CaseResult {
    const before = this.#content;
    const source = before.sources.get(sourceId);
    const from = this.hostOfSource(sourceId);
    if (!source || from === undefined) return { ok: false, message: `no source "${sourceId}" belongs to a host` };
    const isNew = to === 'new-host';
    if (!isNew && !before.hosts.some(({ id }) => id === to)) return { ok: false, message: `no host "${to}"` };
    const target = before.hosts.find(({ id }) => id === to);
    if (source.isLive && target && this.#hasLive(target) && target.id !== from) {
      return { ok: false, message: 'that host is live already' };
    }
    if (to === from) return DONE;
    this.#drop([sourceId]);
    this.#put(source, isNew ? this.#newId('host') : to);
    this.#content = { ...this.#content, sources: before.sources };
    this.#changed(`Move ${source.name}`, before);
    return DONE;
  }

  /** Replaces a source by `changed`, which has its id, and makes `added` a host of its own. */
  separate(changed: OpenedSource, added: OpenedSource, name: string): void {
    const before = this.#content;
    this.#content = { ...before, sources: new Map(before.sources).set(changed.id, changed) };
    this.#put(withId(added, this.#newId('source')), this.#newId('host'));
    this.#changed(`Open ${name} as a host of its own`, before);
  }

  rename(hostId: string, name: string): CaseResult {
    const before = this.#content;
    if (!before.hosts.some(({ id }) => id === hostId)) return { ok: false, message: `no host "${hostId}"` };
    const given = name.trim() === '' ? undefined : name.trim();
    this.#content = {
      ...before,
      hosts: before.hosts.map((host) => (host.id === hostId ? { ...host, given } : host)),
    };
    this.#changed(given === undefined ? 'Reset the name' : `Rename to ${given}`, before);
    return DONE;
  }

  /** Closes a source, or all sources of a host. */
  close(id: string): CaseResult {
    const before = this.#content;
    const host = before.hosts.find((one) => one.id === id);
    const ids = host ? host.sourceIds : before.sources.has(id) ? [id] : this.#sourcesOfSession(id);
    if (ids.length === 0) return { ok: false, message: `nothing "${id}" is open` };
    const names = ids.flatMap((one) => before.sources.get(one)?.name ?? []);
    this.#drop(ids);
    this.#changed(`Close ${summary(names)}`, before);
    return DONE;
  }

  #sourcesOfSession(id: string): string[] {
    return this.sources.filter(({ session }) => session?.id === id).map((source) => source.id);
  }

  /** The source that contains the operations of a session. */
  sourceOfSession(sessionId: string): OpenedSource | undefined {
    return this.sources.find(({ session }) => session?.id === sessionId);
  }

  /**
   * Replaces a source whose session was changed, also in the undo stack: a session has its own undo. Changes whose undo would
   * bring back an earlier state of the session (a note in it) can no longer be undone.
   */
  replaceSource(after: OpenedSource): void {
    const { id } = after;
    const versions = [...this.#undo.map(({ before }) => before), this.#content].map(({ sources }) => sources.get(id));
    const replaced = (content: Content): Content =>
      content.sources.has(id) ? { ...content, sources: new Map(content.sources).set(id, after) } : content;
    this.#content = replaced(this.#content);
    this.#undo = this.#undo
      .filter((_, i) => versions[i] === undefined || versions[i + 1] === undefined || versions[i] === versions[i + 1])
      .map((change) => ({ ...change, before: replaced(change.before) }));
    this.#rebuild();
  }

  /** Chooses the device to assign; `hostId`: the host, if several have a device with this address. */
  setDevice(named: string | null | undefined, hostId?: string): CaseResult {
    const device = typeof named === 'string' ? deviceNamed(named) : named;
    const hosts = [...this.#documents.values()].filter(
      ({ kind, id }) => kind === 'host' && (hostId === undefined || id === hostId),
    );
    const isKnown = hosts.some(({ host }) => host.groups.some(({ devices }) => devices.includes(device ?? '')));
    if (typeof device === 'string' && !isKnown) {
      const where = hostId === undefined ? 'no host of the case has' : `the host "${hostId}" does not have`;
      return { ok: false, message: `${where} ${device}` };
    }
    const before = this.#content;
    const deviceHost = typeof device === 'string' ? hostId : undefined;
    this.#content = { ...before, device, deviceHost };
    this.#changed(device ? `Assign ${device}` : 'Assign no device', before);
    return DONE;
  }

  setKernel(kernel: string | undefined): CaseResult {
    if (kernel !== undefined && !parseKernelVersion(kernel)) {
      return { ok: false, message: `"${kernel}" is not a kernel version such as 6.1 or 6.12.42` };
    }
    const before = this.#content;
    this.#content = { ...before, kernel };
    this.#changed(kernel === undefined ? 'Kernel of the sources' : `Kernel ${kernel}`, before);
    return DONE;
  }

  undo(): CaseResult {
    const change = this.#undo.pop();
    if (!change) return { ok: false, message: 'nothing to undo' };
    this.#apply(change.before);
    return DONE;
  }

  /** Closes everything; can be undone. */
  startNew(): void {
    const before = this.#content;
    this.#content = EMPTY;
    this.#changed('New case', before);
  }

  /** Closes everything and keeps nothing in memory. */
  forget(): void {
    this.#undo = [];
    this.#apply(EMPTY);
  }

  /** Replaces this case by a saved one. */
  restore(sources: readonly OpenedSource[], hosts: readonly SavedHost[], choices: CaseChoices): void {
    const before = this.#content;
    const known = new Map(sources.map((source) => [source.id, source]));
    this.#content = {
      ...choices,
      sources: known,
      hosts: hosts
        .map((host) => ({ ...host, sourceIds: host.sourceIds.filter((id) => known.has(id)) }))
        .filter(({ sourceIds }) => sourceIds.length > 0),
    };
    this.#changed('Restore the case', before);
  }

  /** Adds a live host before its first facts: a host of its own until they identify it. */
  addLive(source: OpenedSource): void {
    this.#drop(this.sources.filter(({ isSample }) => isSample).map(({ id }) => id));
    this.#put(source, source.id);
    this.#rebuild();
  }

  /** Decides which host a live source belongs to, after its first facts arrived. */
  placeLive(source: OpenedSource): void {
    const own = this.hostOfSource(source.id);
    const entry = this.#content.hosts.find(({ id }) => id === own);
    if (!entry || entry.sourceIds.length > 1) return;
    refreshProfile(source);
    const others = this.#content.hosts.filter((host) => host !== entry && !this.#hasLive(host));
    const { hostId } = this.#decide(source, others, false);
    if (hostId === undefined) {
      this.#rebuild();
      return;
    }
    const { sources } = this.#content;
    this.#drop([source.id], true);
    this.#put(source, hostId);
    this.#content = { ...this.#content, sources };
    this.#rebuild();
  }

  /** The document that contains a live source, and where the events of the source begin in it. */
  liveDocument(sourceId: string): HostDocument | undefined {
    const hostId = this.hostOfSource(sourceId);
    return hostId === undefined ? undefined : this.#hosts.get(hostId)?.built;
  }

  /** Called when the name of a live host becomes known or changes: updates its document. */
  renamed(): void {
    this.#rebuild();
  }

  /** True if the host has another host of the same file or fleet. */
  #hasPartOf({ fileParts, fleet }: OpenedSource, host: HostEntry): boolean {
    return this.#sourcesOf(host).some(
      (other) =>
        (fileParts !== undefined && other.fileParts === fileParts) || (fleet !== undefined && other.fleet === fleet),
    );
  }

  /** False for a live host before its first facts, which identify it. */
  #isKnown({ sourceIds }: HostEntry): boolean {
    for (const id of sourceIds) {
      const source = this.#content.sources.get(id);
      if (source && (!source.isLive || source.read.session.events.length > 0)) return true;
    }
    return false;
  }

  #hasLive({ sourceIds }: HostEntry): boolean {
    return sourceIds.some((id) => this.#content.sources.get(id)?.isLive);
  }

  /** Removes sources from the case, and hosts without sources. */
  #drop(ids: readonly string[], isMoving = false): void {
    const { sources, hosts } = this.#content;
    this.#content = {
      ...this.#content,
      sources: isMoving ? sources : new Map([...sources].filter(([id]) => !ids.includes(id))),
      hosts: hosts
        .map((host) => ({ ...host, sourceIds: host.sourceIds.filter((id) => !ids.includes(id)) }))
        .filter(({ sourceIds }) => sourceIds.length > 0),
    };
  }

  #changed(label: string, before: Content): void {
    this.#undo.push({ label, before });
    if (this.#undo.length > UNDO_MAX) this.#undo.shift();
    this.#apply(this.#content, before);
  }

  #apply(content: Content, before: Content = this.#content): void {
    this.#content = content;
    for (const [id, source] of before.sources) {
      if (source.isLive && !content.sources.has(id)) this.#onLeft(id);
    }
    this.#rebuild();
  }

  /** The names of all hosts by id. `known`: suggestions for some of them, which get those of the others. */
  #names(known = new Map<HostEntry, NameSuggestions>()): Map<string, string> {
    const hosts = this.#ordered();
    const suggestions = hosts.map((host) => {
      const suggested = known.get(host) ?? this.#suggested(host);
      known.set(host, suggested);
      return suggested;
    });
    const names = hostNames(suggestions);
    return new Map(hosts.map(({ id }, i) => [id, names[i] ?? id]));
  }

  #suggested(host: HostEntry): NameSuggestions {
    const { given } = host;
    const sources = this.#sourcesOf(host);
    const [hostName] = this.#profileOf(host).names.values();
    const folders = sources.map((source) => (source.folder === undefined ? undefined : nameOfFolder(source)));
    const live = sources.find(({ isLive }) => isLive)?.name;
    return { given, hostName, folder: folders.find((name) => name !== undefined) ?? live };
  }

  /** Hosts in the order of their first sources, so that letters and the tree keep their order when sources join. */
  #ordered(): HostEntry[] {
    const order = new Map([...this.#content.sources.keys()].map((id, i) => [id, i]));
    return this.#content.hosts
      .map((host) => ({ host, first: Math.min(...host.sourceIds.map((id) => order.get(id) ?? -1)) }))
      .sort((a, b) => a.first - b.first)
      .map(({ host }) => host);
  }

  #rebuild(): void {
    const names = this.#names();
    this.#labelTexts(names);
    const hosts = this.#ordered();
    const order = new Map([...this.#content.sources.keys()].map((id, i) => [id, i]));
    for (const id of this.#hosts.keys()) if (!names.has(id)) this.#hosts.delete(id);
    for (const { id, sourceIds: unordered } of hosts) {
      const title = names.get(id) ?? id;
      const sourceIds = unordered.toSorted((a, b) => (order.get(a) ?? 0) - (order.get(b) ?? 0));
      const sources = sourceIds.flatMap((sourceId) => this.#content.sources.get(sourceId) ?? []);
      const labels = sources.map((source) => [...source.labels.values()].join('\0')).join('\0');
      const key = [title, ...sourceIds, labels].join('\0');
      const known = this.#hosts.get(id);
      const isSame = known?.key === key && known.sources.every((source, i) => source === sources[i]);
      if (isSame) known.built.choose(this.choices);
      else {
        const built = new HostDocument(id, title, sources, this.choices, known?.built);
        this.#hosts.set(id, { key, sources, built });
      }
    }
    this.#documents = new Map(this.#fixed.map((document) => [document.id, document]));
    for (const { id } of hosts) {
      const document = this.#hosts.get(id)?.built.document;
      if (document) this.#documents.set(id, document);
    }
    for (const { session } of this.sources) if (session) this.#documents.set(session.id, session);
  }

  /** Gives texts of the same name different labels. */
  #labelTexts(names: ReadonlyMap<string, string>): void {
    const hostOf = new Map(
      this.#content.hosts.flatMap(({ id, sourceIds }) => sourceIds.map((sourceId) => [sourceId, id] as const)),
    );
    const texts = this.sources
      .filter(({ isLive }) => !isLive)
      .flatMap((source) => {
        const host = hostOf.get(source.id) ?? source.id;
        const hostName = names.get(host) ?? source.read.title;
        return source.textNames.map((name) => ({ source, name, host, hostName }));
      });
    const labels = textLabels(texts);
    const bySource = new Map<OpenedSource, Map<string, string>>();
    for (const [i, { source, name }] of texts.entries()) {
      const own = bySource.get(source) ?? new Map<string, string>();
      bySource.set(source, own.set(name, labels[i] ?? name));
    }
    for (const [source, own] of bySource) relabel(source, own);
  }
}

/** Updates the profile of a live host from its facts so far. */
function refreshProfile(source: OpenedSource): void {
  const { names } = source.profile;
  source.profile = profileOf(source.read.session.events);
  for (const [short, name] of names) if (!source.profile.names.has(short)) source.profile.names.set(short, name);
}

function nameOfFolder({ folder = '', isSample }: OpenedSource): string | undefined {
  return isSample ? folder : folderName(folder);
}

/** `dmesg`, or `dmesg and 2 more`. */
function summary([first = 'nothing', ...more]: readonly string[]): string {
  return more.length === 0 ? first : `${first} and ${more.length} more`;
}

/** The new sources after the others, in the order in which they were given. */
function inOrder(
  sources: ReadonlyMap<string, OpenedSource>,
  added: readonly OpenedSource[],
): Map<string, OpenedSource> {
  const ids = new Set(added.map(({ id }) => id));
  return new Map([
    ...[...sources].filter(([id]) => !ids.has(id)),
    ...added.map((source) => [source.id, source] as const),
  ]);
}
