// The files of what was dropped: of a folder everything below it, one after the other, so that the page stays usable.
import type { InputFile } from '../../engine/protocol/documents.ts';
import { groupedDecimal } from '../../iova/format.ts';
import { type Busy, useApp } from '../state/app-state.ts';

/** More files than this in one drop are probably a mistake, such as a whole disk. A fleet of 1,000 hosts has 200,000. */
const FILES_MAX = 500_000;
/** The number of files so far is shown each time it has grown by this. */
const SHOWN_EACH = 500;

function fileOf(entry: FileSystemFileEntry): Promise<File> {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

async function entriesOf(entry: FileSystemDirectoryEntry): Promise<FileSystemEntry[]> {
  const reader = entry.createReader();
  const all: FileSystemEntry[] = [];
  // A reader answers in batches of a hundred and an empty one at the end.
  for (;;) {
    const batch = await new Promise<FileSystemEntry[]>((resolve, reject) => reader.readEntries(resolve, reject));
    if (batch.length === 0) return all;
    all.push(...batch);
  }
}

function isFile(entry: FileSystemEntry): entry is FileSystemFileEntry {
  return entry.isFile;
}

function isDirectory(entry: FileSystemEntry): entry is FileSystemDirectoryEntry {
  return entry.isDirectory;
}

/** Appends the files of an entry; stops when the signal is aborted. Rejects if something cannot be read. */
async function collect(entry: FileSystemEntry, into: InputFile[], signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  if (into.length >= FILES_MAX) throw new Error(`more than ${groupedDecimal(BigInt(FILES_MAX))} files in the folder`);
  if (isFile(entry)) {
    const data = await fileOf(entry);
    into.push({ name: entry.fullPath.replace(/^\//, ''), data });
    if (into.length % SHOWN_EACH === 0) {
      const { busy } = useApp.getState();
      const label = `${groupedDecimal(BigInt(into.length))} files found`;
      if (busy) useApp.setState({ busy: { ...busy, progress: { done: 0, what: busy.title, label } } });
    }
  } else if (isDirectory(entry)) {
    const children = await entriesOf(entry);
    children.sort((a, b) => (a.name < b.name ? -1 : 1));
    for (const child of children) await collect(child, into, signal);
  }
}

/** The files of entries; undefined if that was cancelled. Rejects if something cannot be read. */
export async function filesIn(entries: readonly FileSystemEntry[]): Promise<InputFile[] | undefined> {
  const controller = new AbortController();
  const files: InputFile[] = [];
  // A few files are there at once.
  const isLong = entries.some(isDirectory) && !useApp.getState().busy;
  const busy: Busy = { title: entries[0]?.name ?? '', progress: undefined, cancel: () => controller.abort() };
  if (isLong) useApp.setState({ busy });
  try {
    for (const entry of entries) await collect(entry, files, controller.signal);
  } finally {
    if (isLong) useApp.setState({ busy: undefined });
  }
  return controller.signal.aborted ? undefined : files;
}
