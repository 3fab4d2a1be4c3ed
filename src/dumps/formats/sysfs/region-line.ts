// Regions in one line of text, and what is before the first of them:
//
//   line    = [prefix] region *(blanks region)
//   prefix  = path ":"                            grep: a `reserved_regions` file
//           | "group 7:" | "7: " | 00:1f.0 | directory     a loop
//           | anything that ends with ":" "|" ">" "]"      a chat or log program
//   region  = address blanks address blanks type
import { normalizePciAddress, PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import { groupName, type Place, pathComponents, placeOfDirectory } from '../../fields/sysfs-path.ts';
import type { DumpLine } from '../../format.ts';
import { PATH_LENGTH_MAX, placeOfRegionsFile } from './region-place.ts';

/** Types that Linux prints. */
const KNOWN_TYPES = ['direct', 'direct-relaxable', 'reserved', 'msi'] as const;

const REGION =
  /(?<![\w.])(0[xX][0-9a-fA-F]{1,64})[ \t]{1,40}(0[xX][0-9a-fA-F]{1,64})[ \t]{1,40}([a-z][a-z0-9]{0,40}(?:[-_][a-z0-9]{1,40}){0,6})(?![\w-])/g;
/** A cheap test: every text with a region has this. */
const ADDRESS_AND_WORD = /[0-9a-fA-F][ \t]{1,40}[a-z]/;
/** What may follow the last region of a line: a comment. */
const ENDS_LINE = /^\s*(?:$|[#([{<;/!*←]|[-=]+>?\s)/;
export const GROUP_LABEL = /^[^\p{L}\p{N}/]{0,20}(?:iommu[ _-]?)?groups?[ _#:=-]{0,8}(\d{1,9})(?![\w.])/iu;
export const DEVICE_LABEL = new RegExp(`^[^\\p{L}\\p{N}/]{0,20}(${PCI_ADDRESS_PATTERN})(?![\\w.])`, 'u');
export const DIRECTORY_LINE =
  /^[^\p{L}\p{N}/.~]{0,20}([./~]?[^\s]{0,300}\/[^\s/:]{1,100}(?::[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])?)\/?:?[^\p{L}\p{N}]{0,20}$/iu;

export interface RegionText {
  readonly start: string;
  readonly last: string;
  readonly type: string;
  /** Where the region (or the path before it) starts in the text, and where it ends (exclusive). */
  readonly from: number;
  readonly to: number;
  readonly prefix: Prefix;
}

/** What is before a region on its line. */
export type Prefix =
  | { readonly kind: 'none' }
  /** Of grep: applies to this line only. */
  | { readonly kind: 'path'; readonly place: Place; readonly from: number }
  /** Of a loop: applies to the lines below that have no prefix as well. */
  | { readonly kind: 'label'; readonly place: Place }
  /** Anything else that ends in a separator, as chat and log programs print. */
  | { readonly kind: 'other' };

/**
 * Regions of a line, first to last; those after the first have no prefix of their own. Relative paths start from
 * `directory`; `loop` says that the text is the output of a shell loop.
 */
export function findRegions(text: string, directory: readonly string[] | undefined, loop: boolean): RegionText[] {
  if (countHexPrefixes(text, 2) < 2 || !ADDRESS_AND_WORD.test(text)) return [];
  const found: RegionText[] = [];
  let end = 0;
  for (const match of text.matchAll(REGION)) {
    const [whole, start = '', last = '', type = ''] = match;
    const before = text.slice(end, match.index);
    const prefix: Prefix | undefined =
      found.length === 0 ? readPrefix(before, directory, loop) : before.trim() === '' ? { kind: 'none' } : undefined;
    const to = match.index + whole.length;
    if (!prefix) break;
    // Other tables have hex and words too: a type that no kernel prints yet counts only where the line has nothing else.
    if (!isKnownType(type) && (prefix.kind === 'other' || !ENDS_LINE.test(text.slice(to)))) break;
    found.push({ start, last, type, from: prefix.kind === 'path' ? prefix.from : match.index, to, prefix });
    end = to;
  }
  return found;
}

function isKnownType(type: string): boolean {
  return KNOWN_TYPES.some((known) => known === type);
}

/** True if the text ends with a type that Linux prints. */
export function endsWithKnownType(text: string): boolean {
  return KNOWN_TYPES.some((type) => text.endsWith(` ${type}`));
}

/** The type that `type` and the next line, which holds exactly the rest of it, make up; undefined if they do not. */
export function completeType(type: string, rest: string | undefined): string | undefined {
  return KNOWN_TYPES.find((known) => known !== type && known.startsWith(type) && known.slice(type.length) === rest);
}

/** How often `0x` is in a text, counted up to `max`. */
export function countHexPrefixes(text: string, max: number): number {
  let count = 0;
  for (let i = 1; i < text.length && count < max; i++) {
    if ((text.charCodeAt(i) | 0x20) === 120 && text.charCodeAt(i - 1) === 48) count++;
  }
  return count;
}

/** False if a line and its possible continuations do not have two addresses, wherever they were broken. */
export function hasSecondAddress(text: string, next: DumpLine, afterNext: DumpLine | undefined): boolean {
  let count = countHexPrefixes(text, 2);
  for (const part of [next, afterNext]) {
    if (!part || count > 1) break;
    // The break may be between `0` and `x`.
    if (/^\s{0,40}[xX]/.test(part.text)) return true;
    count += countHexPrefixes(part.text, 2);
  }
  return count > 1;
}

function readPrefix(whole: string, directory: readonly string[] | undefined, loop: boolean): Prefix | undefined {
  // Prefixes are short: only the text near the region is looked at.
  const skipped = Math.max(0, whole.length - 2 * PATH_LENGTH_MAX);
  const before = whole.slice(skipped);
  const text = before.trimEnd();
  if (text === '') return { kind: 'none' };
  const path = /([^\s"'`(<]*reserved_regions)["'`]?(?:[:-]\d{1,6})?[:|,=-]?$/.exec(text);
  // Behind a number there is no path: that line was cut.
  if (path && !/(?:^|:)0x/i.test(path[1] ?? '')) {
    const [, token = ''] = path;
    const place = placeOfRegionsFile(pathComponents(token), directory, token.startsWith('/')) ?? {};
    return { kind: 'path', place, from: skipped + path.index };
  }
  const group = GROUP_LABEL.exec(text);
  if (group && !/\p{L}/u.test(text.slice(group[0].length))) {
    return { kind: 'label', place: { group: groupName(group[1]) ?? '' } };
  }
  const numbered = /^\s*(\d{1,9}):$/.exec(text);
  if (numbered) {
    // `7: ` comes from a loop; `7:` without a blank is a line number of grep, unless the command was a loop.
    const place = { group: groupName(numbered[1]) ?? '' };
    return loop || before.length > text.length ? { kind: 'label', place } : { kind: 'none' };
  }
  const device = DEVICE_LABEL.exec(text);
  if (device && !/\p{L}/u.test(text.slice(device[0].length))) {
    return { kind: 'label', place: { device: normalizePciAddress(device[1] ?? '') ?? '' } };
  }
  const named = DIRECTORY_LINE.exec(text)?.[1];
  const place = named === undefined ? undefined : placeOfDirectory(pathComponents(named));
  if (place) return { kind: 'label', place };
  if (!/[\p{L}]/u.test(text)) return { kind: 'none' };
  return /[:|>\]│]$/.test(text) && text.length <= 120 ? { kind: 'other' } : undefined;
}
