// The hosts of a fleet that are opened together: of those that are alike one is kept, so that memory follows how many kinds
// of hosts there are, not how many hosts. Loaded when more hosts are opened than a picture shows well.
import { folderName } from '../../analysis/case/names.ts';
import { underKernel } from '../../analysis/host/iommu-aperture.ts';
import { hostAt } from '../documents/document.ts';
import { type AlikeKey, alikeKey } from './alike-key.ts';
import type { OpenedSource, ReadAgain } from './opened-source.ts';

interface Kept {
  readonly details: AlikeKey['details'];
  readonly alike: Map<string, ReadAgain>;
  readonly varies: Set<string>;
  readonly source: OpenedSource;
}

/** What a host of a fleet is called: by itself, otherwise by its folder. */
function nameOf({ profile, folder, name }: OpenedSource): string {
  const [own] = profile.names.values();
  return own ?? folderName(folder ?? name) ?? name;
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

  /** Adds what was opened: the source to show, or none if it is a host that is alike with one before it. */
  add(source: OpenedSource, again: ReadAgain): readonly OpenedSource[] {
    const { read, profile, folder, session, fileParts } = source;
    // What lies beside the hosts' folders is no host.
    if (session || (folder === undefined && fileParts === undefined)) return [source];
    const name = unique(nameOf(source), this.#names);
    this.#names.add(name);
    const { events } = read.session;
    const own: OpenedSource = { ...source, fleet: this.#mark };
    const found = alikeKey({
      host: underKernel(hostAt('', '', events), undefined),
      events,
      problems: [
        ...read.diagnostics
          .filter(({ severity }) => severity !== 'info')
          .map(({ code, message }) => `${code} ${message}`),
        ...read.sources.map(({ unread }) => unread?.message ?? ''),
        `${read.diagnosticsMore}`,
      ],
      names: [...profile.names.values(), source.name, folder ?? ''],
    });
    if (!found || profile.alike.size > 0) return [own];
    const known = this.#kept.get(found.key);
    if (!known) {
      this.#kept.set(found.key, { details: found.details, alike: new Map(), varies: new Set(), source: own });
      return [own];
    }
    known.alike.set(name, again);
    for (const [what, text] of Object.entries(found.details)) {
      if (known.details[what as keyof AlikeKey['details']] !== text) known.varies.add(what);
    }
    return [];
  }

  /** To be called after the last host: the sources that `add` returned then know which hosts are alike with them. */
  finish(): void {
    for (const { source, alike, varies } of this.#kept.values()) {
      if (alike.size === 0) continue;
      source.read.session.events.push({ kind: 'host', alike: [...alike.keys()], varies: [...varies] });
      for (const name of alike.keys()) source.profile.alike.add(name);
      for (const what of varies) source.profile.varies.add(what);
      source.members = alike;
    }
  }
}
