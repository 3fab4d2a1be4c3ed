// Folders and archives, and a folder of several hosts. Loaded when one is opened.
import { isArchiveName } from '../../analysis/case/names.ts';
import { OF_A_HOST } from '../../dumps/input/dump-of-host.ts';
import { unpackedEvents } from '../../session/event-list.ts';
import { isFact } from '../../session/events.ts';
import type { ReadInputs } from '../documents/read-document.ts';
import type { SourceInput } from './opened-source.ts';
import { readTogether } from './small-files.ts';

/** The inputs of each source: of each host of a folder of several, of any other folder, and any other input. */
export function hostsOf(inputs: readonly SourceInput[]): SourceInput[][] {
  return readTogether(groupInputs(inputs).flatMap(splitByHost));
}

/** Inputs of one folder are one source; any other input is a source of its own. */
function groupInputs(inputs: readonly SourceInput[]): SourceInput[][] {
  const groups: SourceInput[][] = [];
  let tree: string | undefined;
  for (const one of inputs) {
    const last = groups.at(-1);
    if (last && one.input.tree !== undefined && one.input.tree === tree) last.push(one);
    else groups.push([one]);
    tree = one.input.tree;
  }
  return groups;
}

/** Splits a folder that contains the folders of several hosts into a source for each host. */
function splitByHost(group: SourceInput[]): SourceInput[][] {
  const tree = group[0]?.input.tree?.replace(/\/+$/, '');
  if (tree === undefined) return [group];
  const partOf = ({ input: { name } }: SourceInput) => name.slice(tree.length + 1).split('/', 1)[0] ?? '';
  const isArchive = ({ input: { name, link } }: SourceInput) =>
    link === undefined && isArchiveName(name) && !name.slice(tree.length + 1).includes('/');
  // Archives beside each other are of one host each; a dump of a single host seldom has two.
  if (group.filter(isArchive).length > 1) {
    const alone = group.filter(isArchive).map(({ input: { tree: _, ...input }, ...more }) => [{ ...more, input }]);
    const rest = group.filter((one) => !isArchive(one));
    return [...alone, ...(rest.length > 0 ? [rest] : [])];
  }
  const folders = new Map<string, Set<string>>();
  for (const one of group) {
    const folder = partOf(one);
    const path = one.input.name.slice(tree.length + folder.length + 2);
    if (OF_A_HOST.test(path)) folders.set(path, (folders.get(path) ?? new Set()).add(folder));
  }
  const hosts = new Set([...folders.values()].filter(({ size }) => size > 1).flatMap((names) => [...names]));
  if (hosts.size < 2) return [group];
  const parts = new Map<string, SourceInput[]>();
  for (const { input, ...more } of group) {
    const folder = partOf({ input });
    const name = hosts.has(folder) ? `${tree}/${folder}` : tree;
    const part = parts.get(name) ?? [];
    part.push({ ...more, input: { ...input, tree: name } });
    parts.set(name, part);
  }
  return [...parts.values()];
}

/** Maximum number of texts of a folder that are compared with those of others. */
const TEXTS_MAX = 300;

/** The texts of a folder from which facts were read. */
export function ownTexts({ session }: Pick<ReadInputs, 'session'>, name: string): string[] {
  const texts = new Set<string>();
  const folder = `${name}/`;
  let last: string | undefined;
  for (const event of unpackedEvents(session.events)) {
    if (!isFact(event) || event.source === undefined || event.source === last) continue;
    last = event.source;
    if (last.startsWith(folder)) texts.add(last.slice(folder.length));
    if (texts.size >= TEXTS_MAX) break;
  }
  return [...texts];
}
