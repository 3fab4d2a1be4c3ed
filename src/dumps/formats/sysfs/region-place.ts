// Whose a `reserved_regions` file is, by its path, and where such paths are in a text.
import { normalizePciAddress } from '../../fields/pci-address.ts';
import { groupName, type Place, pathComponents, placeOfDirectory } from '../../fields/sysfs-path.ts';
import type { DumpLine, Lookahead } from '../../format.ts';
import { continuation } from '../../text/wrapped.ts';

const FILE = 'reserved_regions';
/** Longer paths are cut: their end has everything that counts. */
export const PATH_LENGTH_MAX = 400;

/**
 * The place of a `reserved_regions` file. Relative paths start from `directory` where it is known; otherwise a directory
 * with such a file and a plain number for a name is a group's. Undefined: the path does not tell.
 */
export function placeOfRegionsFile(
  components: readonly string[],
  directory: readonly string[] | undefined,
  absolute = false,
): Place | undefined {
  const parents = components.slice(0, -1);
  const own = placeOfDirectory(parents);
  if (own && (own.group !== undefined || own.device !== undefined)) return own;
  if (!absolute && directory) {
    const joined = pathComponents([...directory, ...parents].join('/'));
    const place = placeOfDirectory(joined) ?? numberedGroup(joined.at(-1));
    if (place) return place;
  }
  if (own) return own;
  const last = parents.at(-1);
  const numbered = numberedGroup(last);
  if (numbered) return numbered;
  // `y/reserved_regions`, from within iommu_groups: nothing else has such files one level down.
  if (!absolute && parents.length === 1 && last !== '..') {
    const group = groupName(last);
    return group === undefined ? {} : { group };
  }
  return undefined;
}

function numberedGroup(component: string | undefined): Place | undefined {
  if (component === undefined || !/^\d+$/.test(component)) return undefined;
  return { group: groupName(component) ?? component };
}

/** `…/devices/0000:00:1f.0` on a line of its own, before what belongs to that device. */
export function placeOfDeviceDirectory(components: readonly string[]): Place | undefined {
  const device = normalizePciAddress((components.at(-1) ?? '').replaceAll('\\', ''));
  return device !== undefined && components.length > 1 ? { device } : undefined;
}

/** Paths of `reserved_regions` files in a text. Searched from their ends: a pattern would try every start. */
export function regionsFilePaths(text: string): string[] {
  const paths: string[] = [];
  for (let at = text.indexOf(FILE); at >= 0; at = text.indexOf(FILE, at + 1)) {
    const end = at + FILE.length;
    if (/^\w/.test(text.charAt(end))) continue;
    const before = text.slice(Math.max(0, at - PATH_LENGTH_MAX), at);
    let from = before.length;
    while (from > 0 && !/[\s;|&"'`()<>=,]/.test(before.charAt(from - 1))) from--;
    paths.push(before.slice(from) + FILE);
  }
  return paths;
}

/** The line, joined with the next one if a mail program broke a path of a `reserved_regions` file between them. */
export function joinRegionsFilePath(line: DumpLine, ahead: Lookahead): { text: string; lines: number } {
  const { text } = line;
  const whole = { text, lines: 1 };
  if (!text.includes('/') && !text.includes('res')) return whole;
  const tail = /(?:^|\s)([^\s]{1,300})$/.exec(text)?.[1]?.replace(/=$/, '');
  if (tail === undefined || !(tail.includes('/') || /^res/.test(tail))) return whole;
  if (/reserved_regions(?!\w)/.test(tail)) return whole;
  const next = continuation(line, ahead)?.text.trim();
  const head = next === undefined ? undefined : /^[^\s:]{1,300}/.exec(next)?.[0];
  if (next === undefined || head === undefined || head.startsWith('/')) return whole;
  const joined = tail + head;
  if (!/(?:^|\/)reserved_regions(?!\w)/.test(joined)) return whole;
  return { text: text.replace(/=$/, '') + next, lines: 2 };
}
