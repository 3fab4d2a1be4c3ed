// `reserved_regions` of sysfs, as people paste it. One region is
//
//   region   = address blanks address blanks type        both ends inclusive
//   address  = "0x" 1*16 hexdigit                        the kernel prints sixteen
//   type     = "direct" | "direct-relaxable" | "reserved" | "msi" | any other lower-case word
//
// (Linux 6.12, iommu_group_show_resv_regions in drivers/iommu/iommu.c; Documentation/ABI/testing/sysfs-kernel-iommu_groups.)
// The text around it tells which group or device the region belongs to:
//
//   path ":" region                      grep and the like; path leads to a `reserved_regions`, absolute or not
//   "==>" path "<=="   1*region          head, tail
//   command with one path   1*region     cat, with or without a prompt; the path may be relative to the prompt's directory
//   path | "group 7" | "7" | 00:1f.0     a line of its own before the regions, from a loop
//   "group 7:" region                    the same on one line
//
// If a command has several paths, a pattern or a variable, its output runs together and the group is unknown. It is also
// unknown for regions that do not directly follow their command or header.
import { iova } from '../../../iova/iova.ts';
import { quote } from '../../diagnostic-rule.ts';
import { normalizePciAddress } from '../../fields/pci-address.ts';
import { orderedRange } from '../../fields/range-of.ts';
import { groupName, type Place, pathComponents, placeOfDirectory } from '../../fields/sysfs-path.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { WorkingDirectory } from '../../text/working-directory.ts';
import { continuation, joinWrapped } from '../../text/wrapped.ts';
import { KnownRegions } from './known-regions.ts';
import {
  completeType,
  countHexPrefixes,
  DEVICE_LABEL,
  DIRECTORY_LINE,
  endsWithKnownType,
  findRegions,
  GROUP_LABEL,
  hasSecondAddress,
  type RegionText,
} from './region-line.ts';
import { joinRegionsFilePath, placeOfDeviceDirectory, placeOfRegionsFile, regionsFilePaths } from './region-place.ts';

/** Characters of an address of 64 bits, with its `0x`. */
const ADDRESS_LENGTH_MAX = 18;

/** Ends like the first part of a region that a mail program broke, or of a path that leads to one. */
const PARTIAL =
  /(?:^|[\s:|>])0(?:[xX][0-9a-fA-F]{0,16})?(?:[ \t]{1,40}(?:0(?:[xX][0-9a-fA-F]{0,16})?)?)?(?:[ \t]{1,40}[a-z][a-z-]{0,20})?[ \t]?=?$|(?:\/iommu_gr|\/sys\/|\breserved_)[^\s]{0,200}$/;
const BARE_NUMBER = /^[^\p{L}\p{N}/]{0,20}(\d{1,9})[^\p{L}\p{N}/]{0,20}$/u;
const HEAD_FRAME = /^=+>\s*(.{1,300}?)\s*<=+$/;
const LOOP = /\b(?:for|while|xargs|parallel)\b|-exec\b|\$\w|\$\{/;
const HEX_START = /^[^\p{L}\p{N}/]{0,20}0[xX][0-9a-fA-F]/u;

/** Which group or device the regions below belong to, and until where. */
interface Context {
  readonly place: Place;
  readonly kind: 'file' | 'command' | 'header';
  /** Index of the last line that belongs to it. */
  index: number;
  /** Blank lines before its first region; more of them end it. */
  spacing: number;
  regions: number;
}

/** Lines that may be between a command and its output: a question for a password, a remark. */
const REMARKS_MAX = 2;

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
      const place = placeOfRegionsFile(source.path, undefined);
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

  /** Omitted lines below a command were its output; below a header there may have been other headers. */
  #elided(line: DumpLine): number {
    const context = this.#current(line);
    if (context?.kind !== 'command') return 0;
    context.index = line.index;
    return 1;
  }

  /** The context if this line still belongs to it. */
  #current(line: DumpLine): Context | undefined {
    const context = this.#context;
    if (!context || context.kind === 'file') return context;
    const between = line.index - context.index - 1;
    const allowed = context.kind === 'command' && context.regions === 0 ? REMARKS_MAX : 0;
    if (between > allowed) return undefined;
    return context.regions > 0 && line.blanksBefore > context.spacing ? undefined : context;
  }

  #begin(place: Place, kind: Context['kind'], line: DumpLine, lines = 1): void {
    this.#context = { place, kind, index: line.index + lines - 1, spacing: 0, regions: 0 };
  }

  #regions(line: DumpLine, ahead: Lookahead): number {
    const found = this.#find(line, ahead);
    if (!found) return 0;
    const { regions, lines } = found;
    const current = line.prompt ? undefined : this.#current(line);
    const prefix = regions[0]?.prefix ?? { kind: 'none' };
    if (prefix.kind === 'label') this.#begin(prefix.place, 'header', line, lines);
    const context = prefix.kind === 'label' ? this.#context : prefix.kind === 'path' ? undefined : current;
    const place = prefix.kind === 'path' ? prefix.place : (context?.place ?? {});
    for (const region of regions) this.#emit(region, place, line.number);
    if (context) {
      if (context.regions === 0) context.spacing = line.blanksBefore;
      context.regions += regions.length;
      context.index = line.index + lines - 1;
    } else if (this.#context?.kind !== 'file') this.#context = undefined;
    return lines;
  }

  /** Regions of the line, with what a mail program moved to the next lines; undefined if there are none. */
  #find(
    line: DumpLine,
    ahead: Lookahead,
  ): { readonly regions: readonly RegionText[]; readonly lines: number } | undefined {
    const { text } = line;
    const directory = this.#directory.components;
    const alone = findRegions(text, directory, this.#loop);
    const last = alone.at(-1);
    if (last) {
      const type =
        last.to === text.length ? completeType(last.type, continuation(line, ahead)?.text.trim()) : undefined;
      return type === undefined
        ? { regions: alone, lines: 1 }
        : { regions: [...alone.slice(0, -1), { ...last, type }], lines: 2 };
    }
    // A whole path at the end is a command or a header; the lines below are its output.
    const isPartial = countHexPrefixes(text, 3) <= 2 && PARTIAL.test(text) && !/reserved_regions\W{0,3}$/.test(text);
    const next = isPartial ? continuation(line, ahead) : undefined;
    // Most lines that end in a number are not part of a region: the lines below have no second one.
    if (!next || !hasSecondAddress(text, next, continuation(line, ahead, 2))) return undefined;
    const below = findRegions(next.text, undefined, false)[0];
    if (below && (below.prefix.kind === 'none' || below.prefix.kind === 'label')) return undefined;
    const joined = joinWrapped(line, ahead, 2, (whole) => {
      const regions = findRegions(whole, directory, this.#loop);
      const first = regions[0];
      return first && first.from < text.length && first.to > text.length ? regions : undefined;
    });
    return joined && { regions: joined.value, lines: joined.lines };
  }

  #emit({ start, last, type }: RegionText, place: Place, line: number): void {
    const text = `${start} ${last} ${type}`;
    if (start.length > ADDRESS_LENGTH_MAX || last.length > ADDRESS_LENGTH_MAX) {
      this.#sink.diagnostic('too-many-digits', { text }, line);
      return;
    }
    const range = orderedRange(iova(BigInt(start)), iova(BigInt(last)), quote(text), line, this.#sink);
    if (!range) return;
    this.#sink.fact({ kind: 'reserved', ...range, type, origin: 'sysfs', ...place }, line);
    this.#known.add({ ...range, type }, place, line);
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
    this.#begin(placeOfRegionsFile(components, this.#directory.components) ?? {}, 'header', line);
    return 1;
  }

  /** A command, a header or a sentence with paths of `reserved_regions` files. */
  #paths(line: DumpLine, ahead: Lookahead): number {
    const { text, lines } = joinRegionsFilePath(line, ahead);
    const paths = regionsFilePaths(text);
    if (paths.length === 0) return 0;
    const [first = ''] = paths;
    const last = paths.at(-1) ?? first;
    const before = text.slice(0, text.indexOf(first));
    const after = text.slice(text.lastIndexOf(last) + last.length);
    if (/^\s*[:\s]\s*["']?0[xX]?[0-9a-fA-F]/.test(after)) return 0;
    this.#directory.command(text);
    if (LOOP.test(text)) this.#loop = true;
    // `cat: …/reserved_regions: Permission denied`, in any language.
    if (/^['"’]?: ?\p{L}/u.test(after) && !line.prompt) {
      this.#context = undefined;
      return lines;
    }
    const places = new Map<string, Place>();
    for (const path of paths) {
      const place = placeOfRegionsFile(pathComponents(path), this.#directory.components, path.startsWith('/')) ?? {};
      places.set(`${place.group} ${place.device}`, place);
    }
    const [place = {}] = places.values();
    const alone = !line.prompt && !/\p{L}/u.test(before) && !/\p{L}/u.test(after);
    this.#begin(places.size === 1 ? place : {}, alone ? 'header' : 'command', line, lines);
    return lines;
  }

  /** Any other command ends the context; `cd` changes where the next one runs. */
  #command(line: DumpLine): number {
    const changed = this.#directory.command(line.text);
    if (line.prompt) {
      this.#context = undefined;
      if (LOOP.test(line.text)) this.#loop = true;
    }
    return changed && line.text.includes('iommu') ? 1 : 0;
  }

  /** A line of its own that names the owner of the regions below it. */
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
      // Devices listed below the header of their group do not replace it.
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
    const place = placeOfDirectory(components) ?? placeOfDeviceDirectory(components);
    if (!place) return 0;
    this.#begin(place, 'header', line);
    // `pwd` prints such a line too.
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
    const typed = endsWithKnownType(text);
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

export const RESERVED_REGIONS: LineParser = {
  open: (source, sink) => new ReservedRegionsReader(source, sink),
};
