// A case as a file, for the browser's storage: a line of JSON, then the bytes of all files one after the other. Files are
// read again when it is opened; the facts of a live host are saved as a session file.
import * as v from 'valibot';
import { writeSessionLines } from '../../session/write.ts';
import { inputOf } from '../documents/read-document.ts';
import type { InputFile } from '../protocol/documents.ts';
import type { CallContext } from '../protocol/methods.ts';
import type { OpenCase, SavedHost } from './open-case.ts';
import { type OpenedSource, readSource } from './source.ts';

/** If the files are larger than this in total, only their names are saved. In bytes. */
export const SAVED_MAX = 64 * 1024 * 1024;

const FORMAT = 'iovascope-case';

const FILE = v.object({ name: v.string(), size: v.number(), link: v.optional(v.string()) });
const HEADER = v.object({
  format: v.literal(FORMAT),
  version: v.literal(1),
  view: v.string(),
  device: v.optional(v.nullable(v.string())),
  deviceHost: v.optional(v.string()),
  kernel: v.optional(v.string()),
  hosts: v.array(v.object({ id: v.string(), given: v.optional(v.string()), sourceIds: v.array(v.string()) })),
  sources: v.array(
    v.object({
      id: v.string(),
      name: v.string(),
      /** The sample that the file belongs to. */
      sample: v.optional(v.string()),
      /** True for the facts of a live host. */
      wasLive: v.optional(v.boolean()),
      files: v.array(FILE),
    }),
  ),
  /** Models and positions of documents, by id. */
  moments: v.array(v.object({ id: v.string(), position: v.number(), model: v.optional(v.string()) })),
  /** False if the files are missing because they are too large. */
  isComplete: v.boolean(),
});
type Header = v.InferOutput<typeof HEADER>;

/** The files to save for a source. One that cannot be read again by itself is saved as a session file. */
function filesOf({ files, read, name, fileParts, profile }: OpenedSource): readonly InputFile[] {
  if (files.length > 0 && fileParts === undefined && profile.alike.size === 0) return files;
  return [{ name, data: new Blob([...writeSessionLines(read.session)]) }];
}

export interface SavedCase {
  readonly data: Blob;
  readonly isComplete: boolean;
  readonly names: readonly string[];
}

/** Saves a case. `view`: any text; it is returned when the case is opened again. */
export function saveCase(open: OpenCase, view: string): SavedCase {
  const kept = open.sources.map((source) => ({ source, files: filesOf(source) }));
  const size = kept.flatMap(({ files }) => files).reduce((sum, { data }) => sum + data.size, 0);
  const isComplete = size <= SAVED_MAX;
  const { device, deviceHost, kernel } = open.choices;
  const header: Header = {
    format: FORMAT,
    version: 1,
    view,
    ...(device === undefined ? {} : { device }),
    ...(deviceHost === undefined ? {} : { deviceHost }),
    ...(kernel === undefined ? {} : { kernel }),
    hosts: open.hosts.map(({ id, given, sourceIds }) => ({
      id,
      ...(given === undefined ? {} : { given }),
      sourceIds: [...sourceIds],
    })),
    sources: kept.map(({ source: { id, name, folder, isSample, isLive }, files }) => ({
      id,
      name,
      ...(isSample && folder !== undefined ? { sample: folder } : {}),
      ...(isLive ? { wasLive: true } : {}),
      files: files.map(({ name: file, data, link }) => ({
        name: file,
        size: data.size,
        ...(link === undefined ? {} : { link }),
      })),
    })),
    moments: [...open.documents.values()]
      .filter(({ position, session, kind }) => position < session.events.length || kind === 'session')
      .map(({ id, position, model }) => ({ id, position, ...(model === undefined ? {} : { model }) })),
    isComplete,
  };
  const parts = isComplete ? kept.flatMap(({ files }) => files.map(({ data }) => data)) : [];
  return {
    data: new Blob([`${JSON.stringify(header)}\n`, ...parts]),
    isComplete,
    names: kept.map(({ source }) => source.name),
  };
}

export interface LoadedCase {
  readonly view: string;
  readonly sources: readonly OpenedSource[];
  readonly hosts: readonly SavedHost[];
  readonly device: string | null | undefined;
  readonly deviceHost?: string | undefined;
  readonly kernel: string | undefined;
  readonly moments: Header['moments'];
  /** Names of sources whose files were not saved. */
  readonly missing: readonly string[];
  /** Names of live hosts: what they had reported was saved, but not the connection. */
  readonly disconnected: readonly string[];
}

/** Maximum length of the header line in bytes: it has a few bytes for each file. */
const HEADER_MAX = 16 * 1024 * 1024;

/** Reads a saved case. A string is what is wrong with it. */
export async function loadCase(data: Blob, context: CallContext): Promise<LoadedCase | string> {
  const head = new Uint8Array(await data.slice(0, HEADER_MAX).arrayBuffer());
  const end = head.indexOf(10);
  if (end < 0) return 'not a saved case: no header';
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(head.subarray(0, end)));
  } catch {
    return 'not a saved case: malformed header';
  }
  const parsed = v.safeParse(HEADER, value);
  if (!parsed.success) return `not a saved case: ${parsed.issues[0].message}`;
  const header = parsed.output;
  const { view, hosts, device, deviceHost, kernel, moments, isComplete } = header;
  const disconnected = header.sources.filter(({ wasLive }) => wasLive).map(({ name }) => name);
  const about = { view, hosts, device, deviceHost, kernel, moments, disconnected };
  if (!isComplete) return { ...about, sources: [], missing: header.sources.map(({ name }) => name) };
  const sources: OpenedSource[] = [];
  let at = end + 1;
  for (const { id, name: unit, sample, files: listed } of header.sources) {
    const files = listed.map(({ name, size, link }): InputFile => {
      const bytes = data.slice(at, at + size);
      at += size;
      return { name, data: bytes, ...(link === undefined ? {} : { link }) };
    });
    const inputs = files.map((file) => {
      const input = inputOf(file);
      return { input: input.tree === undefined ? input : { ...input, tree: unit }, file };
    });
    sources.push(await readSource(id, inputs, { context, sample }));
  }
  if (at > data.size) return 'the saved case is cut off';
  return { ...about, sources, missing: [] };
}
