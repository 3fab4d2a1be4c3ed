// A folder or an archive of many hosts, in parts that several threads can read. The hosts are those that would be found if it
// were read as a whole, with the same names: where that cannot be said of the parts, it is read as a whole.
import { closeSync, createReadStream, openSync, readdirSync, readSync } from 'node:fs';
import { folderName, hostNames, isArchiveName, type NameSuggestions } from '../analysis/case/names.ts';
import { underKernel } from '../analysis/host/iommu-aperture.ts';
import { commonSpace, rangesOf, type SpaceRanges } from '../analysis/space/common-space.ts';
import { OF_A_HOST } from '../dumps/input/dump-of-host.ts';
import type { DumpInput } from '../dumps/input/open.ts';
import { type Extent, partsOfTar } from '../dumps/input/tar-hosts.ts';
import { OpenCase } from '../engine/case/open-case.ts';
import { readGroup } from '../engine/case/source.ts';
import { CHUNK_BYTES, inOrder, inputsAt } from './dump-inputs.ts';
import type { CliIo } from './io.ts';
import { type UnreadInput, unreadInputs } from './open-files.ts';

/** A part of a folder or an archive. */
export interface FleetPart {
  /** The folder or the file that it is. */
  readonly path: string;
  /** Of an archive: the part of the file with its hosts. */
  readonly extents?: readonly Extent[];
}

/** A host of a part. */
interface PartHost {
  readonly suggestions: NameSuggestions;
  /** Host names in the form in which they are compared. */
  readonly names: readonly string[];
  /** Paths of its texts below its folder, if it has no name. */
  readonly texts: readonly string[];
  /** Undefined if nothing says what is reserved. */
  readonly space: SpaceRanges | undefined;
}

/** What a part holds; undefined if it has to be read with the others. */
export interface ReadPart {
  readonly hosts: readonly PartHost[];
  readonly unread: readonly UnreadInput[];
}

/** Hosts of an archive that are read together. */
const TAR_HOSTS = 16;

/**
 * The parts of a path; undefined if it is not a folder or an archive of several hosts, or has to be read as a whole. Rejects if
 * it cannot be looked at.
 */
export async function fleetParts(path: string, isFolder: boolean): Promise<readonly FleetPart[] | undefined> {
  if (isFolder) return foldersOf(path.replace(/\/+$/, ''));
  const parts = await partsOfTar(createReadStream(path, { highWaterMark: CHUNK_BYTES }), path, TAR_HOSTS);
  return parts?.map((extents) => ({ path, extents }));
}

/** The names in a folder, by what they are; undefined if that cannot be said. */
function listed(path: string): { readonly folders: string[]; readonly files: string[] } | undefined {
  const folders: string[] = [];
  const files: string[] = [];
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) folders.push(entry.name);
    else if (entry.isFile()) files.push(entry.name);
    else return undefined;
  }
  return { folders, files };
}

/** The folders or archives of a folder, if each is a host (engine/case/split-by-host.ts) and there is nothing else. */
function foldersOf(path: string): FleetPart[] | undefined {
  const inside = listed(path);
  if (!inside) return undefined;
  const { folders, files } = inside;
  if (folders.length === 0 && files.length > 1 && files.every(isArchiveName)) return partsNamed(path, files);
  if (folders.length < 2 || files.length > 0) return undefined;
  // A file that dumps of hosts have, in each of them: most have it at the top.
  const counts = new Map<string, number>();
  const telling = folders.map((folder) => {
    const texts = listed(`${path}/${folder}`)?.files.filter((file) => OF_A_HOST.test(file)) ?? [];
    for (const text of texts) counts.set(text, (counts.get(text) ?? 0) + 1);
    return texts;
  });
  const areHosts = telling.every((texts) => texts.some((text) => (counts.get(text) ?? 0) > 1));
  return areHosts ? partsNamed(path, folders) : undefined;
}

function partsNamed(path: string, names: string[]): FleetPart[] {
  return inOrder(names).map((name) => ({ path: `${path}/${name}` }));
}

async function* bytesAt(path: string, extents: readonly Extent[]): AsyncGenerator<Uint8Array, void, undefined> {
  const file = openSync(path, 'r');
  try {
    for (const { begin, end } of extents) {
      for (let at = begin; at < end; ) {
        const bytes = new Uint8Array(Math.min(CHUNK_BYTES, end - at));
        const length = readSync(file, bytes, 0, bytes.length, at);
        // The last entry may be cut off.
        if (length === 0) return;
        yield bytes.subarray(0, length);
        at += length;
      }
    }
  } finally {
    closeSync(file);
  }
}

/** Reads a part. `undefined` if its hosts may depend on other parts, or have anything but facts. */
export async function readFleetPart(
  { path, extents }: FleetPart,
  io: CliIo,
  kernel: string | undefined,
): Promise<ReadPart | undefined> {
  const inputs: readonly DumpInput[] = extents
    ? [{ name: path, stream: () => bytesAt(path, extents) }]
    : await inputsAt(path, io);
  const context = { signal: new AbortController().signal, progress: () => undefined };
  const sources = await readGroup(
    inputs.map((input) => ({ input })),
    { context },
  );
  // A part of an archive has several hosts, that of a folder one.
  if (sources.length > 1 !== (extents !== undefined)) return undefined;
  const isPlain = sources.every(({ session, profile, fileParts, folder }) => {
    return (
      !session &&
      profile.alike.size === 0 &&
      folder !== undefined &&
      (fileParts !== undefined) === (extents !== undefined)
    );
  });
  if (!isPlain) return undefined;
  const current = new OpenCase();
  current.add(sources);
  const hosts = current.sources.map(({ id, folder = '', profile }): PartHost => {
    const host = current.documents.get(current.hostOfSource(id) ?? '')?.host;
    const known = host && underKernel(host, kernel);
    const [own] = profile.names.values();
    return {
      suggestions: { hostName: own, folder: folderName(folder) },
      names: [...profile.names.keys()],
      texts: profile.names.size > 0 ? [] : [...profile.folders.values()].flatMap((texts) => [...texts]),
      space: known && known.groups.length > 0 ? rangesOf(commonSpace(known, known.groups)) : undefined,
    };
  });
  return { hosts, unread: unreadInputs(current.sources.flatMap(({ read }) => read.sources)) };
}

/** The hosts of all parts of a path, with their names; undefined if some of them may be the same host. */
export function hostsOfParts(
  parts: readonly (ReadPart | undefined)[],
  isArchive: boolean,
):
  | {
      readonly hosts: readonly { readonly title: string; readonly space: SpaceRanges }[];
      readonly unread: readonly UnreadInput[];
    }
  | undefined {
  const read = parts.flatMap((part) => part ?? []);
  const hosts = read.flatMap((part) => part.hosts);
  if (read.length < parts.length || (!isArchive && !areDifferent(hosts))) return undefined;
  const titles = hostNames(hosts.map(({ suggestions }) => suggestions));
  const found = hosts.flatMap(({ space }, i) => (space ? [{ title: titles[i] ?? '', space }] : []));
  return found.length < 2 ? undefined : { hosts: found, unread: read.flatMap(({ unread }) => unread) };
}

/** True if no host can be another one (analysis/case/contradiction.ts): by their names, else by the same text in each. */
function areDifferent(hosts: readonly PartHost[]): boolean {
  const names = hosts.flatMap((host) => host.names);
  if (new Set(names).size < names.length) return false;
  if (hosts.every((host) => host.names.length > 0)) return true;
  if (hosts.some((host) => host.names.length > 0)) return false;
  const [first, ...others] = hosts.map(({ texts }) => new Set(texts));
  return [...(first ?? [])].some((text) => others.every((texts) => texts.has(text)));
}
