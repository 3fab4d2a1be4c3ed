// Files that `iovascope open` serves with the page.
import type { InputFile } from '../../engine/protocol/documents.ts';
import { SERVED_PATH, type ServedEntry, servedToken } from '../../session/served-files.ts';
import { open } from '../state/documents.ts';
import { showError } from '../state/notices.ts';
import { titleOf } from './open-files.ts';

/** Files that are fetched at the same time: browsers refuse thousands. */
const FETCHES_MAX = 32;

/** Opens the files that the page's URL refers to, all in one host. False if it refers to none. */
export function openServed(): boolean {
  const token = servedToken(location.hash);
  if (token === undefined) return false;
  void openAll(`${SERVED_PATH}${token}/`);
  return true;
}

async function openAll(path: string): Promise<void> {
  try {
    // The server is the program that served this page.
    const entries = (await (await fetchOk(path)).json()) as readonly ServedEntry[];
    const load = async ({ name, link }: ServedEntry, index: number): Promise<InputFile> => {
      if (link !== undefined) return { name, link, data: new Blob() };
      return { name, data: await (await fetchOk(`${path}${index}`)).blob() };
    };
    const files: InputFile[] = [];
    while (files.length < entries.length) {
      const first = files.length;
      const batch = entries.slice(first, first + FETCHES_MAX);
      files.push(...(await Promise.all(batch.map((entry, i) => load(entry, first + i)))));
    }
    // A folder counts once, as on the command line.
    const given = [...new Set(files.map(({ name }) => name.replace(/\/.*/, '')))];
    if (files.length > 0) await open(titleOf(given), files);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    showError('The files from the command line could not be loaded', `${reason}. Is iovascope still running?`);
  }
}

async function fetchOk(path: string): Promise<Response> {
  const response = await fetch(path);
  if (!response.ok) throw new Error(`${response.status} ${response.statusText}`);
  return response;
}
