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

/** A picked file; one of a folder picker has its path. */
function inputFile(data: File): InputFile {
  return { name: data.webkitRelativePath || data.name, data };
}

/** Picked files beyond this number are taken in parts: each is made when it is taken. */
const TAKEN_AT_ONCE = 1000;

/** Opens the files that were picked, and empties the picker. */
export async function openPicked(picker: HTMLInputElement): Promise<void> {
  const list = picker.files;
  if (!list) return;
  const files: InputFile[] = [];
  for (let i = 0; i < list.length; i++) {
    if (i % TAKEN_AT_ONCE === TAKEN_AT_ONCE - 1) await new Promise((done) => setTimeout(done));
    const file = list[i];
    if (file) files.push(inputFile(file));
  }
  // That also empties the list.
  if (picker.files === list) picker.value = '';
  await openAll(files);
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
    void openAll(files.map(inputFile));
    return true;
  }
  if (text.trim() !== '') {
    void openText(text);
    return true;
  }
  return false;
}
