// Names of hosts and texts. A host is named by its host name, otherwise by its folder or archive, otherwise by a letter; never
// by a file. A text is named by its file, prefixed with the host if two hosts have texts with the same name.

/** Folders that every machine has. */
const GENERIC_FOLDERS: ReadonlySet<string> = new Set(['sys', 'proc', 'tmp', 'root', 'home']);

const ARCHIVE = /\.(?:tar|tgz|tbz2?|txz|zip|(?:tar\.)?(?:gz|bz2|xz|zst))$/i;

/** The host name that a folder or archive suggests; undefined if its name says nothing about a machine. `path` may be long. */
export function folderName(path: string): string | undefined {
  const base = path.replace(/\/+$/, '').split('/').at(-1) ?? '';
  const bare = base.replace(ARCHIVE, '').replace(ARCHIVE, '');
  return bare === '' || /^\.+$/.test(bare) || GENERIC_FOLDERS.has(bare.toLowerCase()) ? undefined : bare;
}

/** True if the name of a file is that of an archive. */
export function isArchiveName(name: string): boolean {
  return /\.(?:tar|tgz|tbz2?|txz|zip|tar\.\w{2,4})$/i.test(name);
}

/** `Host A` to `Host Z`, then `Host AA`. `index` from 0. */
export function letterName(index: number): string {
  let letters = '';
  for (let rest = index; rest >= 0; rest = Math.floor(rest / 26) - 1) {
    letters = String.fromCharCode(65 + (rest % 26)) + letters;
  }
  return `Host ${letters}`;
}

/** Possible names of a host, best first. */
export interface NameSuggestions {
  /** The name that the user gave it. */
  readonly given?: string | undefined;
  readonly hostName?: string | undefined;
  readonly folder?: string | undefined;
}

/** The names of the hosts of a case, all different, in the order given. */
export function hostNames(hosts: readonly NameSuggestions[]): string[] {
  const wanted = hosts.map(({ given, hostName, folder }) => given ?? hostName ?? folder);
  const taken = new Set(wanted);
  const used = new Set<string>();
  let letter = 0;
  return wanted.map((name) => {
    let found = name;
    if (found === undefined) {
      do found = letterName(letter++);
      while (taken.has(found));
    } else {
      for (let n = 2; used.has(found); n++) found = `${name} (${n})`;
    }
    used.add(found);
    return found;
  });
}

/** A text of a source: a file, or the part of an archive or a folder that has a name of its own. */
export interface NamedText {
  /** Id of its host. */
  readonly host: string;
  readonly hostName: string;
  /** Name of its file. */
  readonly name: string;
}

/**
 * Unique labels for texts, in the given order: the file's name, or `HOST/NAME` if two hosts have that name; a second text with
 * that name on the same host gets a number.
 */
export function textLabels(texts: readonly NamedText[]): string[] {
  const hostsOfName = new Map<string, Set<string>>();
  for (const { name, host } of texts) hostsOfName.set(name, (hostsOfName.get(name) ?? new Set()).add(host));
  const used = new Set<string>();
  return texts.map(({ name, hostName }) => {
    const label = (hostsOfName.get(name)?.size ?? 0) > 1 ? `${hostName}/${name}` : name;
    let unique = label;
    for (let n = 2; used.has(unique); n++) unique = `${label} (${n})`;
    used.add(unique);
    return unique;
  });
}
