// The hosts of a fleet that are opened together: of those that are alike one is kept, so that memory follows how many kinds
// of hosts there are, not how many hosts. Loaded when more hosts are opened than a picture shows well.
import { folderName } from '../../analysis/case/names.ts';
import { underKernel } from '../../analysis/host/iommu-aperture.ts';
import { isFact } from '../../session/events.ts';
import { hostAt } from '../documents/document.ts';
import { type AlikeKey, alikeKey } from './alike-key.ts';
import type { OpenedSource, OpenSources, ReadAgain } from './opened-source.ts';

interface Kept {
  readonly details: AlikeKey['details'];
  /** How to read those that are alike with it, where that is possible. */
  readonly alike: Map<string, ReadAgain | undefined>;
  readonly varies: Set<string>;
  readonly source: OpenedSource;
  /** True if it was opened before. */
  readonly isEarlier: boolean;
  hasMore: boolean;
}

function keyOf({ read, profile, folder, name }: OpenedSource): AlikeKey | undefined {
  const { events } = read.session;
  return alikeKey({
    host: underKernel(hostAt('', '', events), undefined),
    events,
    problems: [
      ...read.diagnostics
        .filter(({ severity }) => severity !== 'info')
        .map(({ code, message }) => `${code} ${message}`),
      ...read.sources.map(({ unread }) => unread?.message ?? ''),
      `${read.diagnosticsMore}`,
    ],
    names: [...profile.names.values(), name, folder ?? ''],
  });
}

/** What a host of a fleet is called: by itself, otherwise by its folder. */
function nameOf({ profile, folder, name }: OpenedSource): string {
  const [own] = profile.names.values();
  return own ?? folderName(folder ?? name) ?? name;
}

/** Hosts of a fleet that was opened before, as far as each is of one source. */
function foldable({ hosts, sources }: OpenSources): OpenedSource[] {
  const alone = new Set(hosts.flatMap(({ sourceIds }) => (sourceIds.length === 1 ? sourceIds : [])));
  return sources.filter(({ id, fleet, profile, session, isLive }) => {
    return alone.has(id) && (fleet !== undefined || profile.alike.size > 0) && !session && !isLive;
  });
}

/** The same name for no two hosts. */
function unique(name: string, taken: ReadonlySet<string>): string {
  let found = name;
  for (let n = 2; taken.has(found); n++) found = `${name} (${n})`;
  return found;
}

export class Fleet {
  readonly #kept = new Map<string, Kept>();
  readonly #names = new Set<string>();
  readonly #mark = Symbol('fleet');

  /** `into`: the case with hosts that were opened before, which those that are opened now may be alike with. */
  constructor(into?: OpenSources) {
    for (const source of into ? foldable(into) : []) {
      const found = keyOf(source);
      if (!found || this.#kept.has(found.key)) continue;
      const { alike: names, varies } = source.profile;
      const alike = new Map([...names].map((name) => [name, source.members?.get(name)]));
      const { details } = found;
      this.#kept.set(found.key, {
        details,
        alike,
        varies: new Set(varies),
        source,
        isEarlier: true,
        hasMore: false,
      });
    }
  }

  /** Adds what was opened: the source to show, or none if it is a host that is alike with one before it. */
  add(source: OpenedSource, again: ReadAgain): readonly OpenedSource[] {
    const { profile, folder, session, fileParts } = source;
    // What lies beside the hosts' folders is no host.
    if (session || (folder === undefined && fileParts === undefined)) return [source];
    const own: OpenedSource = { ...source, fleet: this.#mark };
    const found = keyOf(source);
    const known = found && this.#kept.get(found.key);
    const given = nameOf(source);
    // Of a host that was opened before, this is the dump again.
    const isAgain = known?.isEarlier === true && !this.#names.has(given) && isNamed(known, given);
    const name = isAgain ? given : unique(given, this.#taken(known));
    this.#names.add(name);
    if (!found || profile.alike.size > 0) return [own];
    const { key, details } = found;
    if (!known) {
      this.#kept.set(key, {
        details,
        alike: new Map(),
        varies: new Set(),
        source: own,
        isEarlier: false,
        hasMore: false,
      });
      return [own];
    }
    known.hasMore = true;
    if (isAgain && nameOf(known.source) === name) return [];
    known.alike.set(name, again);
    for (const [what, text] of Object.entries(details)) {
      if (known.details[what as keyof AlikeKey['details']] !== text) known.varies.add(what);
    }
    return [];
  }

  /** Names that a host may not get: those of this opening, and of the hosts that it is alike with. */
  #taken(known: Kept | undefined): ReadonlySet<string> {
    if (known?.isEarlier !== true) return this.#names;
    return new Set([...this.#names, nameOf(known.source), ...known.alike.keys()]);
  }

  /**
   * To be called after the last host: the sources that `add` returned then know which hosts are alike with them. Returns what
   * hosts of the case become that others are alike with, with the same ids.
   */
  finish(): readonly OpenedSource[] {
    const changed: OpenedSource[] = [];
    for (const { source, alike, varies, isEarlier, hasMore } of this.#kept.values()) {
      if (isEarlier && hasMore) changed.push(withAlike(source, alike, varies));
      if (alike.size === 0 || isEarlier) continue;
      source.read.session.events.push({ kind: 'host', alike: [...alike.keys()], varies: [...varies] });
      for (const name of alike.keys()) source.profile.alike.add(name);
      for (const what of varies) source.profile.varies.add(what);
      source.members = readable(alike);
    }
    return changed;
  }
}

function isNamed({ source, alike }: Kept, name: string): boolean {
  return alike.has(name) || nameOf(source) === name;
}

function readable(alike: Kept['alike']): ReadonlyMap<string, ReadAgain> {
  return new Map([...alike].flatMap(([name, again]) => (again ? [[name, again] as const] : [])));
}

/** A source of the case, shown for these hosts. It is a copy: the case before can be restored. */
function withAlike(source: OpenedSource, alike: Kept['alike'], varies: ReadonlySet<string>): OpenedSource {
  const { read, profile } = source;
  const names = [...alike.keys()];
  const events = read.session.events.filter((event) => !isFact(event) || event.kind !== 'host' || !event.alike);
  if (names.length > 0) events.push({ kind: 'host', alike: names, varies: [...varies] });
  return {
    ...source,
    read: { ...read, session: { ...read.session, events } },
    profile: { ...profile, alike: new Set(names), varies: new Set(varies) },
    members: readable(alike),
  };
}
