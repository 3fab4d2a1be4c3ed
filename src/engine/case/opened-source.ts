// One source of the case: a file, a paste, a folder, an archive, a link, a sample's file or a live host, as it was read.
import type { HostProfile } from '../../analysis/case/profile.ts';
import type { DumpInput } from '../../dumps/input/open.ts';
import type { EngineDocument } from '../documents/document.ts';
import type { ReadInputs } from '../documents/read-document.ts';
import type { InputFile } from '../protocol/documents.ts';
import type { CallContext } from '../protocol/methods.ts';

/** An input of the dump readers, with its file if it can be read again. */
export interface SourceInput {
  readonly input: DumpInput;
  readonly file?: InputFile;
}

/** Reads a host again, as a source of its own; undefined if it is not found any more. */
export type ReadAgain = (context: CallContext) => Promise<OpenedSource | undefined>;

export interface OpenedSource {
  readonly id: string;
  /** Name of the file or folder: the sources of its facts begin with it. */
  readonly name: string;
  /** Names of all texts that its facts refer to: its own, and those that a session file was made from. */
  readonly textNames: readonly string[];
  /** The folder or archive that it is, or that gives it its name. */
  readonly folder?: string | undefined;
  readonly isSample: boolean;
  readonly read: ReadInputs;
  readonly files: readonly InputFile[];
  /** What it says about its host; for a live host, according to its facts so far. */
  profile: HostProfile;
  /** Labels of its texts, by name: they distinguish texts with the same name. Its facts carry the labels. */
  labels: Map<string, string>;
  /** Its operations, as a document of their own; undefined if it has none. */
  readonly session: EngineDocument | undefined;
  readonly isLive: boolean;
  /** The same for the hosts of one session file or archive, which never join each other. */
  readonly fileParts?: symbol;
  /** The same for the hosts of a fleet that was opened together, which never join each other. */
  readonly fleet?: symbol;
  /** The hosts of the fleet that are alike with this one and can be read again, by name. */
  members?: ReadonlyMap<string, ReadAgain>;
}

/** What is open already. */
export interface OpenSources {
  readonly sources: readonly OpenedSource[];
  /** The hosts, with the ids of their sources. */
  readonly hosts: readonly { readonly sourceIds: readonly string[] }[];
}
