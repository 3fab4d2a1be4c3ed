// `reserved_regions` of sysfs, as people paste it. One region is
//
//   region   = address blanks address blanks type        both ends inclusive
//   address  = "0x" 1*16 hexdigit                        the kernel prints sixteen
//   type     = "direct" | "direct-relaxable" | "reserved" | "msi" | any other lower-case word
//
// (Linux 6.12, iommu_group_show_resv_regions in drivers/iommu/iommu.c; Documentation/ABI/testing/sysfs-kernel-iommu_groups.)
// Around it, what says whose region it is:
//
//   path ":" region                      grep and the like; path leads to a `reserved_regions`, absolute or not
//   "==>" path "<=="   1*region          head, tail
//   command with one path   1*region     cat, with or without a prompt; the path may need the prompt's directory
//   path | "group 7" | "7" | 00:1f.0     a line of its own before the regions, from a loop
//   "group 7:" region                    the same on one line
//
// A path with a pattern or variable, or several paths in one command, leave the group unknown: their output is run
// together. So is the group of everything that does not stand directly below its command or header.
import { iova } from '../../../iova/iova.ts';
import type { IovaRange } from '../../../iova/range.ts';
import { quote } from '../../diagnostics.ts';
import { normalizePciAddress, PCI_ADDRESS_PATTERN } from '../../fields/pci-address.ts';
import { orderedRange } from '../../fields/range-of.ts';
import { groupName, type Place, pathComponents, placeOfDirectory } from '../../fields/sysfs-path.ts';
import type { DumpLine, DumpSource, FactSink, LineFormat, LineReader, Lookahead } from '../../format.ts';
import { WorkingDirectory } from '../../text/working-directory.ts';
import { continuation, joinWrapped } from '../../text/wrapped.ts';

const KNOWN_TYPES: readonly string[] = ['direct', 'direct-relaxable', 'reserved', 'msi'];

const REGION =
  /(?<![\w.])(0[xX][0-9a-fA-F]{1,64})[ \t]{1,40}(0[xX][0-9a-fA-F]{1,64})[ \t]{1,40}([a-z][a-z0-9]{0,40}(?:[-_][a-z0-9]{1,40}){0,6})(?![\w-])/g;
/** Cheap: what a text with a region has in it. */
const ADDRESS_AND_WORD = /[0-9a-fA-F][ \t]{1,40}[a-z]/;
/** Ends like the first part of a region that was broken, or of a path that leads to one. */
const PARTIAL =
  /(?:^|[\s:|>])0(?:[xX][0-9a-fA-F]{0,16})?(?:[ \t]{1,40}(?:0(?:[xX][0-9a-fA-F]{0,16})?)?)?(?:[ \t]{1,40}[a-z][a-z-]{0,20})?[ \t]?=?$|(?:\/iommu_gr|\/sys\/|\breserved_)[^\s]{0,200}$/;
const REGIONS_FILE = 'reserved_regions';
const LONGEST_PATH = 400;
const GROUP_LABEL = /^[^\p{L}\p{N}/]{0,20}(?:iommu[ _-]?)?groups?[ _#:=-]{0,8}(\d{1,9})(?![\w.])/iu;
const BARE_NUMBER = /^[^\p{L}\p{N}/]{0,20}(\d{1,9})[^\p{L}\p{N}/]{0,20}$/u;
const DEVICE_LABEL = new RegExp(`^[^\\p{L}\\p{N}/]{0,20}(${PCI_ADDRESS_PATTERN})(?![\\w.])`, 'u');
const DIRECTORY_LINE =
  /^[^\p{L}\p{N}/.~]{0,20}([./~]?[^\s]{0,300}\/[^\s/:]{1,100}(?::[0-9a-f]{2}:[0-9a-f]{2}\.[0-7])?)\/?:?[^\p{L}\p{N}]{0,20}$/iu;
const HEAD_FRAME = /^=+>\s*(.{1,300}?)\s*<=+$/;
const LOOP = /\b(?:for|while|xargs|parallel)\b|-exec\b|\$\w|\$\{/;
const HEX_START = /^[^\p{L}\p{N}/]{0,20}0[xX][0-9a-fA-F]/u;

interface RegionText {
  readonly start: string;
  readonly last: string;
  readonly type: string;
  /** Where the region (or the path before it) begins in the text, and where it ends. */
  readonly from: number;
  readonly to: number;
  readonly prefix: Prefix;
}

/** What stands before a region on its line. */
type Prefix =
  | { readonly kind: 'none' }
  /** grep's: this line only. */
  | { readonly kind: 'path'; readonly place: Place; readonly from: number }
  /** A loop's: the lines below that have none belong to it too. */
  | { readonly kind: 'label'; readonly place: Place }
  /** Something else that ends in a mark of separation, as chat and log programs put it. */
  | { readonly kind: 'other' };

/** Whose the regions below are, and how long that holds. */
interface Context {
  readonly place: Place;
  readonly kind: 'file' | 'command' | 'header';
  /** The last line that belongs to it. */
  index: number;
  /** Blank lines before its first region; more of them end it. */
  spacing: number;
  regions: number;
}

/** Lines that may stand between a command and its output: a question for a password, a remark. */
const REMARKS = 2;

class ReservedRegionsReader implements LineReader {
  readonly #sink: FactSink;
  readonly #known: KnownRegions;
  #context: Context | undefined;
  readonly #directory = new WorkingDirectory();
  #loop = false;

  constructor(source: DumpSource, sink: FactSink) {
    this.#sink = sink;
    this.#known = new KnownRegions(sink);
    if (source.path.at(-1) === 'reserved_regions') {
      const place = placeOfRegions(source.path, undefined);
      if (place) this.#context = { place, kind: 'file', index: -1, spacing: 0, regions: 0 };
    }
  }

  line(line: DumpLine, ahead: Lookahead): number {
    if (line.elision) return this.#elided(line);
    this.#directory.prompt(line);
    return (
      this.#regions(line, ahead) ||
      this.#frame(line) ||
      this.#paths(line, ahead) ||
      this.#command(line) ||
      this.#label(line, ahead) ||
      this.#damaged(line)
    );
  }

  /** What was left out below one command still came from it; below a header there may have been other headers. */
  #elided(line: DumpLine): number {
    const context = this.#current(line);
    if (context?.kind !== 'command') return 0;
    context.index = line.index;
    return 1;
  }

  /** The context, if this line still belongs to it. */
  #current(line: DumpLine): Context | undefined {
    const context = this.#context;
    if (!context || context.kind === 'file') return context;
    const between = line.index - context.index - 1;
    const allowed = context.kind === 'command' && context.regions === 0 ? REMARKS : 0;
    if (between > allowed) return undefined;
    return context.regions > 0 && line.blanksBefore > context.spacing ? undefined : context;
  }

  #begin(place: Place, kind: Context['kind'], line: DumpLine, lines = 1): void {
    this.#context = { place, kind, index: line.index + lines - 1, spacing: 0, regions: 0 };
  }

  #regions(line: DumpLine, ahead: Lookahead): number {
    const { text } = line;
    let found = findRegions(text, this.#directory.components, this.#loop);
    let lines = 1;
    if (found.length === 0) {
      // A whole path at the end is a command or a header; what stands below is its output.
      const partial = countAddresses(text, 3) <= 2 && PARTIAL.test(text) && !/reserved_regions\W{0,3}$/.test(text);
      const next = partial ? continuation(line, ahead) : undefined;
      if (!next) return 0;
      // Most lines that end in a number are no part of anything: there is no second one below them.
      if (!hasSecondAddress(text, next, continuation(line, ahead, 2))) return 0;
      const alone = findRegions(next.text, undefined, false)[0];
      if (alone && (alone.prefix.kind === 'none' || alone.prefix.kind === 'label')) return 0;
      const joined = joinWrapped(line, ahead, 2, (whole) => {
        const regions = findRegions(whole, this.#directory.components, this.#loop);
        const first = regions[0];
        return first && first.from < text.length && first.to > text.length ? regions : undefined;
      });
      if (!joined) return 0;
      found = joined.value;
      lines = joined.lines;
    } else {
      const completed = this.#completeType(found, line, ahead);
      if (completed) {
        found = completed;
        lines = 2;
      }
    }
    const current = line.prompt ? undefined : this.#current(line);
    const prefix = found[0]?.prefix ?? { kind: 'none' };
    if (prefix.kind === 'label') this.#begin(prefix.place, 'header', line, lines);
    const context = prefix.kind === 'label' ? this.#context : prefix.kind === 'path' ? undefined : current;
    const place = prefix.kind === 'path' ? prefix.place : (context?.place ?? {});
    for (const region of found) this.#emit(region, place, line.number);
    if (context) {
      if (context.regions === 0) context.spacing = line.blanksBefore;
      context.regions += found.length;
      context.index = line.index + lines - 1;
    } else if (this.#context?.kind !== 'file') this.#context = undefined;
    return lines;
  }

  /** A type that was broken (`direct` / `-relaxable`, `ms` / `i`): only if the next line is exactly its rest. */
  #completeType(found: readonly RegionText[], line: DumpLine, ahead: Lookahead): RegionText[] | undefined {
    const last = found.at(-1);
    if (!last || last.to !== line.text.length) return undefined;
    const longer = KNOWN_TYPES.filter((type) => type !== last.type && type.startsWith(last.type));
    if (longer.length === 0) return undefined;
    const rest = continuation(line, ahead)?.text.trim();
    const type = longer.find((candidate) => candidate.slice(last.type.length) === rest);
    return type === undefined ? undefined : [...found.slice(0, -1), { ...last, type }];
  }

  #emit(region: RegionText, place: Place, line: number): void {
    const text = `${region.start} ${region.last} ${region.type}`;
    if (region.start.length > 18 || region.last.length > 18) {
      this.#sink.diagnostic('too-many-digits', { text }, line);
      return;
    }
    const range = orderedRange(iova(BigInt(region.start)), iova(BigInt(region.last)), quote(text), line, this.#sink);
    if (!range) return;
    this.#sink.fact({ kind: 'reserved', ...range, type: region.type, origin: 'sysfs', ...place }, line);
    this.#known.add(range, region.type, place, line);
  }

  /** `==> path <==`, which head and tail put before each of several files. */
  #frame(line: DumpLine): number {
    const path = HEAD_FRAME.exec(line.text.trim())?.[1];
    if (path === undefined) return 0;
    const components = pathComponents(path);
    if (components.at(-1) !== 'reserved_regions') {
      this.#context = undefined;
      return 0;
    }
    this.#begin(placeOfRegions(components, this.#directory.components) ?? {}, 'header', line);
    return 1;
  }

  /** A command, a header or a sentence that names `reserved_regions` files. */
  #paths(line: DumpLine, ahead: Lookahead): number {
    const { text, lines } = joinPath(line, ahead);
    const paths = regionsPaths(text);
    if (paths.length === 0) return 0;
    const before = text.slice(0, text.indexOf(paths[0] ?? ''));
    const behind = text.slice(text.lastIndexOf(paths.at(-1) ?? '') + (paths.at(-1)?.length ?? 0));
    if (/^\s*[:\s]\s*["']?0[xX]?[0-9a-fA-F]/.test(behind)) return 0;
    this.#directory.command(text);
    if (LOOP.test(text)) this.#loop = true;
    // `cat: …/reserved_regions: Permission denied`, in whatever language.
    if (/^['"’]?: ?\p{L}/u.test(behind) && !line.prompt) {
      this.#context = undefined;
      return lines;
    }
    const places = new Map<string, Place>();
    for (const path of paths) {
      const place = placeOfRegions(pathComponents(path), this.#directory.components, path.startsWith('/')) ?? {};
      places.set(`${place.group} ${place.device}`, place);
    }
    const [place = {}] = places.values();
    const alone = !line.prompt && !/\p{L}/u.test(before) && !/\p{L}/u.test(behind);
    this.#begin(places.size === 1 ? place : {}, alone ? 'header' : 'command', line, lines);
    return lines;
  }

  /** Any other command ends what was before; `cd` says where the next one runs. */
  #command(line: DumpLine): number {
    const changed = this.#directory.command(line.text);
    if (line.prompt) {
      this.#context = undefined;
      if (LOOP.test(line.text)) this.#loop = true;
    }
    return changed && line.text.includes('iommu') ? 1 : 0;
  }

  /** A line of its own that says whose the regions below it are. */
  #label(line: DumpLine, ahead: Lookahead): number {
    if (line.prompt) return 0;
    const labelled = GROUP_LABEL.exec(line.text)?.[1];
    const number = labelled === undefined ? BARE_NUMBER.exec(line.text)?.[1] : undefined;
    const device = DEVICE_LABEL.exec(line.text)?.[1];
    const named = labelled !== undefined || number !== undefined || device !== undefined;
    const regionsFollow = named && this.#regionBelow(ahead);
    const group = labelled ?? (regionsFollow ? number : undefined);
    if (group !== undefined) {
      this.#begin({ group: groupName(group) ?? group }, 'header', line);
      return regionsFollow ? 1 : 0;
    }
    if (device !== undefined) {
      // Devices listed below their group's header do not take it away.
      const context = this.#current(line);
      if (context?.kind === 'header' && context.place.group !== undefined && context.regions === 0) {
        context.index = line.index;
      } else if (regionsFollow) {
        this.#begin({ device: normalizePciAddress(device) ?? device }, 'header', line);
        return 1;
      }
      return 0;
    }
    const directory = DIRECTORY_LINE.exec(line.text)?.[1];
    if (directory === undefined) return 0;
    const components = pathComponents(directory);
    const place = placeOfDirectory(components) ?? deviceDirectory(components);
    if (!place) return 0;
    this.#begin(place, 'header', line);
    // Also what `pwd` prints.
    this.#directory.components = components;
    return 1;
  }

  #regionBelow(ahead: Lookahead): boolean {
    const next = ahead(1);
    return next !== undefined && !next.prompt && findRegions(next.text, undefined, false)[0]?.prefix.kind === 'none';
  }

  #damaged(line: DumpLine): number {
    const { text } = line;
    const context = this.#current(line);
    const typed = KNOWN_TYPES.some((type) => text.endsWith(` ${type}`));
    const inPlace = (context !== undefined && (context.kind === 'file' || context.regions > 0)) || typed;
    const pathed = /reserved_regions[:\s]\s*["']?0[xX]?[0-9a-fA-F]/.test(text);
    if (line.prompt || !((inPlace && HEX_START.test(text)) || pathed)) return 0;
    this.#sink.diagnostic('damaged-region', { text }, line.number);
    if (context) {
      context.index = line.index;
      context.regions = Math.max(1, context.regions);
    }
    return 1;
  }
}

/** How often `0x` stands in a text, counted up to `most`. */
function countAddresses(text: string, most: number): number {
  let count = 0;
  for (let i = 1; i < text.length && count < most; i++) {
    if ((text.charCodeAt(i) | 0x20) === 120 && text.charCodeAt(i - 1) === 48) count++;
  }
  return count;
}

/** False if a line and what may continue it do not have two addresses, wherever they were broken. */
function hasSecondAddress(text: string, next: DumpLine, afterNext: DumpLine | undefined): boolean {
  let count = countAddresses(text, 2);
  for (const part of [next, afterNext]) {
    if (!part || count > 1) break;
    // The line before may have ended in between.
    if (/^\s{0,40}[xX]/.test(part.text)) return true;
    count += countAddresses(part.text, 2);
  }
  return count > 1;
}

/** Regions that stand in a line, first to last; those after the first have no prefix of their own. */
function findRegions(text: string, directory: readonly string[] | undefined, loop: boolean): RegionText[] {
  if (countAddresses(text, 2) < 2 || !ADDRESS_AND_WORD.test(text)) return [];
  const found: RegionText[] = [];
  let end = 0;
  for (const match of text.matchAll(REGION)) {
    const [whole, start = '', last = '', type = ''] = match;
    const before = text.slice(end, match.index);
    const prefix: Prefix | undefined =
      found.length === 0 ? readPrefix(before, directory, loop) : before.trim() === '' ? { kind: 'none' } : undefined;
    const to = match.index + whole.length;
    if (!prefix) break;
    const known = KNOWN_TYPES.includes(type);
    // Words that no kernel prints yet count only where the line has nothing else: other tables have hex and words too.
    if (!known && (prefix.kind === 'other' || !/^\s*(?:$|[#([{<;/!*←]|[-=]+>?\s)/.test(text.slice(to)))) break;
    found.push({ start, last, type, from: prefix.kind === 'path' ? prefix.from : match.index, to, prefix });
    end = to;
  }
  return found;
}

function readPrefix(whole: string, directory: readonly string[] | undefined, loop: boolean): Prefix | undefined {
  // Only what is near counts: nobody writes more before a region.
  const skipped = Math.max(0, whole.length - 2 * LONGEST_PATH);
  const before = whole.slice(skipped);
  const text = before.trimEnd();
  if (text === '') return { kind: 'none' };
  const path = /([^\s"'`(<]*reserved_regions)["'`]?(?:[:-]\d{1,6})?[:|,=-]?$/.exec(text);
  if (path) {
    const token = path[1] ?? '';
    const place = placeOfRegions(pathComponents(token), directory, token.startsWith('/')) ?? {};
    return { kind: 'path', place, from: skipped + path.index };
  }
  const group = GROUP_LABEL.exec(text);
  if (group && !/\p{L}/u.test(text.slice(group[0].length))) {
    return { kind: 'label', place: { group: groupName(group[1]) ?? '' } };
  }
  const numbered = /^\s*(\d{1,9}):$/.exec(text);
  if (numbered) {
    // `7: ` comes from a loop; `7:` without a blank is how grep counts lines, unless a loop was seen.
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

/**
 * The place of a `reserved_regions` file. Relative paths are taken from `directory` where it is known; else a
 * directory with such a file and a plain number for a name is a group's. Undefined: the path says nothing.
 */
function placeOfRegions(
  components: readonly string[],
  directory: readonly string[] | undefined,
  absolute = false,
): Place | undefined {
  const parents = components.slice(0, -1);
  const own = placeOfDirectory(parents);
  if (own && (own.group !== undefined || own.device !== undefined)) return own;
  if (!absolute && directory) {
    const joined = pathComponents([...directory, ...parents].join('/'));
    const place = placeOfDirectory(joined);
    if (place) return place;
    const last = joined.at(-1);
    if (last !== undefined && /^\d+$/.test(last)) return { group: groupName(last) ?? last };
  }
  const last = parents.at(-1);
  if (own) return own;
  if (last !== undefined && /^\d+$/.test(last)) return { group: groupName(last) ?? last };
  // `y/reserved_regions`, from within iommu_groups: nothing else has such files one level down.
  if (!absolute && parents.length === 1 && last !== '..') {
    const group = groupName(last);
    return group === undefined ? {} : { group };
  }
  return undefined;
}

/** `…/devices/0000:00:1f.0` on a line of its own, before what belongs to that device. */
function deviceDirectory(components: readonly string[]): Place | undefined {
  const device = normalizePciAddress((components.at(-1) ?? '').replaceAll('\\', ''));
  return device !== undefined && components.length > 1 ? { device } : undefined;
}

/** Paths to `reserved_regions` files in a text. Found from their ends: a pattern would try every beginning. */
function regionsPaths(text: string): string[] {
  const paths: string[] = [];
  for (let at = text.indexOf(REGIONS_FILE); at >= 0; at = text.indexOf(REGIONS_FILE, at + 1)) {
    const end = at + REGIONS_FILE.length;
    if (/^\w/.test(text.charAt(end))) continue;
    const before = text.slice(Math.max(0, at - LONGEST_PATH), at);
    let from = before.length;
    while (from > 0 && !/[\s;|&"'`()<>=,]/.test(before.charAt(from - 1))) from--;
    paths.push(before.slice(from) + REGIONS_FILE);
  }
  return paths;
}

/** The line, joined with the next if a path to `reserved_regions` was broken between them. */
function joinPath(line: DumpLine, ahead: Lookahead): { text: string; lines: number } {
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

interface KnownRegion {
  readonly start: bigint;
  readonly last: bigint;
  readonly type: string;
  readonly line: number;
}

/** Beyond these nothing is compared: no machine comes near, and memory and time stay bounded. */
const MOST_PLACES = 20_000;
const MOST_REGIONS = 256;

/** Notices regions that a group has twice, and those that overlap. Both are legal. */
class KnownRegions {
  readonly #sink: FactSink;
  readonly #places = new Map<string, KnownRegion[]>();

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  add({ start, last }: IovaRange, type: string, place: Place, line: number): void {
    const owner =
      place.group !== undefined ? `group ${place.group}` : place.device !== undefined ? `device ${place.device}` : '';
    if (owner === '') return;
    const known = this.#places.get(owner) ?? [];
    const same = known.find((other) => other.start === start && other.last === last && other.type === type);
    if (same) {
      this.#sink.diagnostic('repeated-region', { owner, line: same.line }, line);
      return;
    }
    for (const other of known) {
      if (start > other.last || other.start > last) continue;
      this.#sink.diagnostic('overlapping-regions', { owner, region: { start, last, type }, other }, line);
    }
    if (known.length >= MOST_REGIONS) return;
    if (known.length === 0) {
      if (this.#places.size >= MOST_PLACES) return;
      this.#places.set(owner, known);
    }
    known.push({ start, last, type, line });
  }
}

export const RESERVED_REGIONS: LineFormat = {
  kind: 'lines',
  name: 'reserved-regions',
  title: 'reserved_regions of sysfs',
  interest: {
    words: [
      ...['iommu_group', 'reserved_', '/sys/', '\n='],
      ...['\ncd ', ' cd ', ';cd ', '&cd ', '|cd ', '(cd ', '\ncd\n', ' cd\n', 'pushd'],
    ],
    shapes: [
      /0x[0-9a-f]{0,64}(?:[ \t]{1,40}0|[ \t]?=?$)/i,
      new RegExp(
        `^[^\\p{L}\\p{N}/]{0,20}(?:0x|(?:iommu[ _-]?)?groups?[ _#:=-]{0,8}\\d|\\d{1,9}[^\\p{L}\\p{N}/]{0,20}$|${PCI_ADDRESS_PATTERN})`,
        'iu',
      ),
    ],
  },
  open: (source, sink) => new ReservedRegionsReader(source, sink),
};
