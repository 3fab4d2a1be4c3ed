// QEMU's `info mtree`: the memory regions of the guest as a tree or, with `-f`, flat: as each address space resolves them.
//
//   region  = address "-" address " (prio " n ", " type "): " what *trailer       ends inclusive; see mtree-line.ts
//   address = 16*hexdigit, 8 or more in the oldest versions
//   type    = ["nv-"] ("i/o" | "ram" | "rom" | "romd" | "ramd"), once "RW" | "R-" | "-W"
//
// tree:
//   "address-space: " name                      several if they share a tree
//     *("  " region)                            two blanks a level; what = name | "alias " name " @" target " " range
//   "memory-region: " name                      alias targets, after all address spaces; same form
// the same in QEMU 1: only the name, and "aliases" before the targets
// flat:
//   "FlatView #" n
//    *(' AS "' name '", root: ' region)
//    " Root memory region: " name | "(none)"
//     *("  " region) | "No rendered FlatView"    what = name [" @" offset] [" KVM"]
//   "address-space (flat view): " name           QEMU 2.9 and 2.10
//   with -d, a block "Dispatch" below each, of sections `#n @a..b` and nodes
//
// A tree is flattened (mtree-flatten.ts) at the end of the dump, because alias targets come last. Address spaces with the
// same result are emitted once, as QEMU itself prints them. (mtree_info, system/memory.c, QEMU 0.15 to 10.)

import { hex } from '../../../iova/format.ts';
import { IOVA_MAX } from '../../../iova/iova.ts';
import type { IovaRange } from '../../../iova/range.ts';
import { quote } from '../../diagnostic-rule.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { rangeOfEnds } from '../../fields/range-of.ts';
import type { DumpLine, DumpSource, FactSink, LineParser, LineReader, Lookahead } from '../../format.ts';
import { continuation } from '../../text/wrapped.ts';
import { type FlatRegion, flatten, type Region } from './mtree-flatten.ts';
import { indentOf, isRegionLine, REGION_PART, type RegionLine, readRegionLine } from './mtree-line.ts';

const VIEW = /^\s{0,16}FlatView #\d{1,9}$/;
const VIEW_SPACE = /^\s{0,16}AS "(.{0,200})", root: /;
const VIEW_ROOT = /^\s{0,16}Root memory region: /;
const OLD_VIEW = /^\s{0,16}address-space \(flat view\): (.{1,200})$/;
const NONE = /^\s{0,16}No rendered FlatView/;
const SPACE = /^\s{0,16}address-space: (.{1,200})$/;
const TARGET = /^\s{0,16}memory-region: (.{1,200})$/;
const WORD = /^\s{0,8}([A-Za-z][\w./@-]{0,60})$/;
const DISPATCH = /^\s{0,16}Dispatch$/;
const DISPATCHED =
  /^\s{0,24}(?:Physical sections$|#\d{1,9} @[0-9a-f]{8,16}\.\.|Nodes \(|\[\d{1,9}\]$|\d{1,9}(?:\.\.\d{1,9})? {1,16}skip=)/;
const MONITOR = /^\s{0,16}\(qemu\) ?/;

const REGIONS_MAX = 200_000;

interface Space {
  readonly names: string[];
  readonly roots: Region[];
}

class MtreeReader implements LineReader {
  readonly #sink: FactSink;
  /** The names of the address spaces of a flat view; undefined outside of one. */
  #view: string[] | undefined;
  #dispatch = false;
  #spaces: Space[] = [];
  #targets = new Map<string, Region[]>();
  /** The current section, and the path from its root to the last region, each with its indentation. */
  #section: Region[] | undefined;
  #path: { readonly indent: number; readonly region: Region }[] = [];
  /** The address space whose headings were read last. */
  #headed: Space | undefined;
  #inTargets = false;
  #regions = 0;

  constructor(sink: FactSink) {
    this.#sink = sink;
  }

  line(original: DumpLine, ahead: Lookahead): number {
    const monitor = MONITOR.exec(original.text);
    const line = monitor ? { ...original, text: original.text.slice(monitor[0].length) } : original;
    if (line.elision) return 0;
    if (line.prompt || monitor) {
      this.#flush();
      this.#view = undefined;
      if (/\binfo +mtree\b/.test(line.text)) {
        this.#sink.recognized();
        return 1;
      }
      if (line.prompt) return 0;
    }
    return this.#region(line, ahead) || this.#header(line, ahead) || this.#damaged(line);
  }

  end(): void {
    this.#flush();
  }

  #header(line: DumpLine, ahead: Lookahead): number {
    const { text } = line;
    const old = OLD_VIEW.exec(text)?.[1];
    if (old !== undefined || VIEW.test(text)) {
      this.#flush();
      this.#view = old === undefined ? [] : [old];
      this.#dispatch = false;
      this.#sink.recognized();
      return 1;
    }
    const seen = VIEW_SPACE.exec(text)?.[1];
    if (seen !== undefined) {
      this.#view ??= [];
      this.#view.push(seen);
      return 1;
    }
    if (VIEW_ROOT.test(text)) {
      this.#view ??= [];
      return 1;
    }
    if (NONE.test(text)) {
      this.#sink.recognized();
      return 1;
    }
    if (DISPATCH.test(text)) {
      this.#dispatch = true;
      return 1;
    }
    if (this.#dispatch && DISPATCHED.test(text)) return 1;
    const space = SPACE.exec(text)?.[1];
    if (space !== undefined) return this.#openSpace(space);
    const target = TARGET.exec(text)?.[1];
    if (target !== undefined) return this.#openTarget(target);
    return this.#word(line, ahead);
  }

  /** The headings of QEMU 1: names alone, above regions that are indented more. */
  #word(line: DumpLine, ahead: Lookahead): number {
    const word = WORD.exec(line.text)?.[1];
    if (word === undefined) return 0;
    const next = continuation(line, ahead)?.text ?? '';
    if (word === 'aliases' && (WORD.test(next) || isRegionLine(next))) {
      this.#inTargets = true;
      return 1;
    }
    if (!isRegionLine(next) || indentOf(next) <= indentOf(line.text)) return 0;
    return this.#inTargets ? this.#openTarget(word) : this.#openSpace(word);
  }

  #openSpace(name: string): number {
    // Alias targets come after all address spaces: this is the start of another dump.
    if (this.#targets.size > 0) this.#flush();
    this.#view = undefined;
    this.#path = [];
    if (!this.#headed || this.#headed.roots.length > 0) {
      this.#headed = { names: [], roots: [] };
      this.#spaces.push(this.#headed);
    }
    this.#headed.names.push(name);
    this.#section = this.#headed.roots;
    this.#sink.recognized();
    return 1;
  }

  #openTarget(name: string): number {
    this.#view = undefined;
    this.#path = [];
    const roots: Region[] = [];
    const known = this.#targets.get(name);
    // Several regions of one name differ by their size, so they share a list.
    this.#section = known ?? roots;
    if (!known) this.#targets.set(name, roots);
    this.#sink.recognized();
    return 1;
  }

  #region(line: DumpLine, ahead: Lookahead): number {
    const found = readRegionLine(line, ahead);
    if (!found) return 0;
    const { region, lines } = found;
    if (this.#regions >= REGIONS_MAX) {
      if (this.#regions++ === REGIONS_MAX) {
        this.#sink.diagnostic('mtree-too-large', { limit: REGIONS_MAX }, line.number);
      }
      return lines;
    }
    const range = this.#range(region, line);
    if (!range) return lines;
    if (region.isCut) {
      this.#sink.diagnostic('damaged-memory-region', { text: line.text }, line.number);
      return lines;
    }
    this.#dispatch = false;
    if (this.#view && region.target === undefined) {
      if (region.enabled) this.#flat(this.#view, range, region, line);
      return lines;
    }
    const { target, offset, priority, type, name, enabled } = region;
    this.#regions++;
    this.#add(region.indent, {
      ...range,
      priority,
      type,
      name,
      enabled,
      line: line.number,
      ...(target === undefined || offset === undefined ? {} : { alias: { target, offset } }),
      children: [],
    });
    return lines;
  }

  /** Without a region, those below it would have the wrong one around them. */
  #damaged(line: DumpLine): number {
    if (!(this.#section || this.#view) || !REGION_PART.test(line.text)) return 0;
    this.#sink.diagnostic('damaged-memory-region', { text: line.text }, line.number);
    return 1;
  }

  #range({ from, to, isOverflow }: RegionLine, line: DumpLine): IovaRange | undefined {
    if (!isOverflow) return rangeOfEnds(from, to, line, this.#sink);
    const parameters = { what: quote(line.text), start: parseHexAddress(from) ?? 0n };
    this.#sink.diagnostic('range-beyond-64-bits', parameters, line.number);
    return undefined;
  }

  #flat(view: readonly string[], range: IovaRange, { name, type, offset }: RegionLine, line: DumpLine): void {
    const space = spaceOf(view);
    this.#sink.fact(
      {
        kind: 'guest',
        ...range,
        name,
        type,
        ...(space === undefined ? {} : { space }),
        // As hex, because a session file keeps fields beyond the contract as they are: it would not read a bigint back.
        ...(offset === undefined ? {} : { offset: hex(offset) }),
      },
      line.number,
    );
  }

  #add(indent: number, region: Region): void {
    if (!this.#section) {
      // The paste starts in the middle of a tree.
      const space: Space = { names: [], roots: [] };
      this.#spaces.push(space);
      this.#section = space.roots;
    }
    let parent = this.#path.at(-1);
    while (parent && parent.indent >= indent) {
      this.#path.pop();
      parent = this.#path.at(-1);
    }
    (parent ? parent.region.children : this.#section).push(region);
    this.#path.push({ indent, region });
  }

  /** The end of a dump: flattens the trees and emits their regions. */
  #flush(): void {
    const spaces = this.#spaces;
    const targets = this.#targets;
    this.#spaces = [];
    this.#targets = new Map();
    this.#section = undefined;
    this.#headed = undefined;
    this.#path = [];
    this.#inTargets = false;
    this.#regions = 0;
    this.#dispatch = false;
    if (spaces.length === 0) spaces.push(...wholeTargets(targets));
    if (spaces.length === 0 && targets.size > 0) {
      this.#sink.diagnostic('mtree-without-address-space', {}, targets.values().next().value?.[0]?.line);
    }
    const known = new Map(targets);
    for (const { roots } of spaces) {
      for (const root of roots) if (!known.has(root.name)) known.set(root.name, [root]);
    }
    const results = new Map<string, { names: string[]; ranges: FlatRegion[] }>();
    for (const { names, roots } of spaces) {
      const { ranges, complete } = flatten(roots, known);
      if (!complete) {
        this.#sink.diagnostic('mtree-alias-unresolved', {}, roots[0]?.line);
      }
      const key = ranges.map(({ start, last, type, name }) => `${start} ${last} ${type} ${name}`).join('\n');
      const same = results.get(key);
      if (same) same.names.push(...names);
      else results.set(key, { names: [...names], ranges });
    }
    for (const { names, ranges } of results.values()) {
      const space = spaceOf(names);
      for (const { start, last, type, name, line } of ranges) {
        this.#sink.fact({ kind: 'guest', start, last, name, type, ...(space === undefined ? {} : { space }) }, line);
      }
    }
  }
}

/** Without an address space: alias targets that cover all 64 bits have its addresses. */
function wholeTargets(targets: ReadonlyMap<string, readonly Region[]>): Space[] {
  return [...targets].flatMap(([name, roots]) => {
    const whole = roots.filter(({ start, last }) => start === 0n && last === IOVA_MAX);
    return whole.length > 0 ? [{ names: [name], roots: whole }] : [];
  });
}

/** The name for address spaces with the same content: `memory`, which is the guest's, or the first. */
function spaceOf(names: readonly string[]): string | undefined {
  return names.includes('memory') ? 'memory' : names[0];
}

export const MTREE: LineParser = {
  open: (_source: DumpSource, sink) => new MtreeReader(sink),
};
