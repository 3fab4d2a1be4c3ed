// A folder of several hosts. Loaded when a folder is opened.
import { isArchiveName } from '../../analysis/case/names.ts';
import { OF_A_HOST } from '../../dumps/input/dump-of-host.ts';
import type { SourceInput } from './opened-source.ts';

/** Splits a folder that contains the folders of several hosts into a source for each host. */
export function splitByHost(group: SourceInput[]): SourceInput[][] {
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
