// Turns samples, picked files, drops and pastes into input files for the engine.

import type { Placement } from '../../engine/protocol/case.ts';
import { type InputFile, PASTED_NAME } from '../../engine/protocol/documents.ts';
import { open } from '../state/documents.ts';
import { showError } from '../state/notices.ts';
import { publicFile } from '../state/public-file.ts';
import type { Sample } from './samples.ts';

/** Fetches a sample's files and opens them as one host. */
export async function openSample(sample: Sample): Promise<void> {
  try {
    const files = await Promise.all(
      sample.files.map(
        async (name): Promise<InputFile> => ({ name, data: await publicFile(`samples/${sample.id}/${name}`) }),
      ),
    );
    await open(sample.title, files, { isSample: true, address: `sample=${sample.id}` });
  } catch (error) {
    showError(`Sample '${sample.title}' could not be loaded`, error instanceof Error ? error.message : String(error));
  }
}

/** The title of files that were opened together: their folder, else the first file. */
export function titleOf(names: readonly string[]): string {
  const [first = 'nothing'] = names;
  const folder = first.includes('/') ? first.slice(0, first.indexOf('/')) : undefined;
  if (folder && names.every((name) => name.startsWith(`${folder}/`))) return folder;
  return names.length === 1 ? first : `${first} and ${names.length - 1} more`;
}

/** Opens files together. Returns where they went; empty if nothing was recognized, or if it is a lesson, which is read. */
export async function openAll(files: readonly InputFile[]): Promise<readonly Placement[]> {
  const { length } = files;
  if (length > 0 && files.every(({ name }) => /\.md$/i.test(name))) {
    if (await (await import('../state/lesson-file.ts')).openLessonFiles(files)) return [];
  }
  return length > 0 ? open(titleOf(files.map((f) => f.name)), files) : [];
}

/** Opens picked files; those of a folder picker have their path. */
export async function openPicked(list: readonly File[]): Promise<void> {
  await openAll(list.map((file) => ({ name: file.webkitRelativePath || file.name, data: file })));
}

/** Opens a text. Returns where it went; empty if nothing was recognized. */
export function openText(text: string): Promise<readonly Placement[]> {
  return open(PASTED_NAME, [{ name: PASTED_NAME, data: new Blob([text]) }]);
}

/** Opens files, folders or text that were dropped or pasted. Returns whether there was something to open. */
export function openTransfer(data: DataTransfer): boolean {
  // The entries must be read before the event handler returns; afterwards the transfer is empty.
  const entries = [...data.items].flatMap((item) => {
    const entry = item.kind === 'file' ? item.webkitGetAsEntry() : null;
    return entry ? [entry] : [];
  });
  const files = [...data.files];
  const text = data.getData('text/plain');
  if (entries.length > 0) {
    void (async () => {
      try {
        const { filesIn } = await import('./dropped-files.ts');
        const collected = await filesIn(entries);
        if (collected) await openAll(collected);
      } catch (error) {
        showError('The drop could not be read', error instanceof Error ? error.message : String(error));
      }
    })();
    return true;
  }
  if (files.length > 0) {
    void openPicked(files);
    return true;
  }
  if (text.trim() !== '') {
    void openText(text);
    return true;
  }
  return false;
}
