// QEMU's `info mtree`: the guest's memory regions as a tree, or with `-f` flat, as an address space really is.
//
//   region  = address "-" address " (prio " n ", " type "): " what [" [disabled]"] [" owner:{…}"]        ends inclusive
//   address = 16*hexdigit, in the oldest 8 or more
//   type    = ["nv-"] ("i/o" | "ram" | "rom" | "romd" | "ramd"), once "RW" | "R-" | "-W"
//
// tree:
//   "address-space: " name                      several if they share a tree
//     *("  " region)                            two blanks a level; what = name | "alias " name " @" target " " range
//   "memory-region: " name                      the targets of aliases, below all address spaces; same form
// the same in QEMU 1: only the name, and "aliases" before the targets
// flat:
//   "FlatView #" n
//    *(' AS "' name '", root: ' region)
//    " Root memory region: " name | "(none)"
//     *("  " region) | "No rendered FlatView"    what = name [" @" offset] [" KVM"]
//   "address-space (flat view): " name           QEMU 2.9 and 2.10
//   with -d, a block "Dispatch" below each, of sections `#n @a..b` and nodes
//
// A tree is flattened (mtree-flatten.ts) when the dump is over, because the targets come last. Address spaces that come
// out the same are told once, as QEMU itself does. (mtree_info, system/memory.c, QEMU 0.15 to 10.)

import { hex } from '../../../iova/format.ts';
import { IOVA_MAX } from '../../../iova/iova.ts';
import { quote } from '../../diagnostics.ts';
import { parseHexAddress } from '../../fields/address.ts';
import { rangeOfEnds } from '../../fields/range-of.ts';
import type { DumpLine, DumpSource, FactSink, LineFormat, LineReader, Lookahead } from '../../format.ts';
import { continuation, joinWrapped } from '../../text/wrapped.ts';
import { type FlatRegion, flatten, type Region } from './mtree-flatten.ts';

const ENDS = '([0-9a-fA-F]{8,64})-([0-9a-fA-F]{8,64})';
const REGION = new RegExp(
  `^([ \\t]{0,128})(?:\\[DETECTED OVERFLOW!\\] )?${ENDS} \\(prio (-?\\d{1,11}), ([A-Za-z/-]{2,12})\\): ?(.{0,1000})$`,
);
const REGION_START =
  /^[ \t]{0,128}(?:\[DETECTED OVERFLOW!\] )?[0-9a-fA-F]{8,64}-(?:[0-9a-fA-F]{0,64}$|[0-9a-fA-F]{8,64} \()/;
const ALIAS = /^alias (.{0,200}?) ?@(.{1,200}) ([0-9a-fA-F]{8,64})-([0-9a-fA-F]{8,64})$/;
/** What may stand behind a region, in any order. */
const TRAILER =
  / (?:\[disabled\]|owner:\{[^{}]{0,300}\}|parent:\{[^{}]{0,300}\}|orphan|KVM|kvm|HVF|hvf|TCG|tcg|WHPX|whpx)$/;
const OFFSET = / @([0-9a-fA-F]{8,64})$/;
/** The rest of a region's line that a mail program broke. */
const REST =
  /^\[span of |^\[disabled\]|^\[#\d{1,9}\/\d|^@[0-9a-fA-F]{8,64}(?: |$)|^(?:KVM|kvm)$|^(?:owner|parent):\{|^of [\d.]{1,8} [KMGTP]?i?B\]|^[\d.]{1,8} [KMGTP]?i?B\]|^\S{1,80} \[span of [\d.]{1,8} [KMGTP]?i?B\]$/;

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

/** More are not kept. */
const MOST_REGIONS = 200_000;

interface Space {
  readonly names: string[];
  readonly roots: Region[];
}

class MtreeReader implements LineReader {
  readonly #sink: FactSink;
  /** Of a flat view, the names of its address spaces; undefined outside of one. */
  #view: string[] | undefined;
  #dispatch = false;
  #spaces: Space[] = [];
  #targets = new Map<string, Region[]>();
  /** Where regions go: the section at hand, and the way from its root to the last region, with their indentation. */
  #section: Region[] | undefined;
  #way: { readonly indent: number; readonly region: Region }[] = [];
  /** The names of address spaces above the next tree. */
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
    return this.#region(line, ahead) || this.#header(line, ahead);
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

  /** The headings of QEMU 1: names alone, above regions that stand further in. */
  #word(line: DumpLine, ahead: Lookahead): number {
    const word = WORD.exec(line.text)?.[1];
    if (word === undefined) return 0;
    const next = continuation(line, ahead)?.text ?? '';
    if (word === 'aliases' && (WORD.test(next) || REGION.test(next))) {
      this.#inTargets = true;
      return 1;
    }
    if (!REGION.test(next) || indentOf(next) <= indentOf(line.text)) return 0;
    return this.#inTargets ? this.#openTarget(word) : this.#openSpace(word);
  }

  #openSpace(name: string): number {
    // Targets stand below all address spaces: here a further dump begins.
    if (this.#targets.size > 0) this.#flush();
    this.#view = undefined;
    this.#way = [];
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
    this.#way = [];
    const roots: Region[] = [];
    const known = this.#targets.get(name);
    // Several of one name are told apart by their size, so they share a list.
    this.#section = known ?? roots;
    if (!known) this.#targets.set(name, roots);
    this.#sink.recognized();
    return 1;
  }

  #region(line: DumpLine, ahead: Lookahead): number {
    const found = readLine(line, ahead);
    if (!found) return 0;
    const { match, lines } = found;
    const [, blanks = '', from, to, priority, type = '', what = ''] = match;
    if (this.#regions >= MOST_REGIONS) {
      if (this.#regions++ === MOST_REGIONS) {
        this.#sink.diagnostic('mtree-too-large', { limit: MOST_REGIONS }, line.number);
      }
      return lines;
    }
    const overflow = line.text.includes('[DETECTED OVERFLOW!]');
    const range = overflow ? undefined : rangeOfEnds(from, to, line, this.#sink);
    if (overflow) {
      const parameters = { what: quote(line.text), start: parseHexAddress(from) ?? 0n };
      this.#sink.diagnostic('range-beyond-64-bits', parameters, line.number);
    }
    if (!range) return lines;
    const { text, enabled } = withoutTrailers(what);
    const alias = ALIAS.exec(text);
    this.#dispatch = false;
    if (this.#view && !alias) {
      if (enabled) this.#flat(range, text, type, line);
      return lines;
    }
    const offset = parseHexAddress(alias?.[3]);
    const target = alias?.[2];
    this.#regions++;
    this.#add(indentOf(blanks), {
      ...range,
      priority: Number(priority),
      type,
      name: alias?.[1] ?? text.replace(OFFSET, ''),
      enabled,
      line: line.number,
      ...(target === undefined || offset === undefined ? {} : { alias: { target, offset } }),
      children: [],
    });
    return lines;
  }

  #flat(range: Pick<Region, 'start' | 'last'>, text: string, type: string, line: DumpLine): void {
    const offset = parseHexAddress(OFFSET.exec(text)?.[1]);
    const space = spaceOf(this.#view ?? []);
    this.#sink.fact(
      {
        kind: 'guest',
        start: range.start,
        last: range.last,
        name: text.replace(OFFSET, ''),
        type,
        ...(space === undefined ? {} : { space }),
        // A hex string, because a session file gives no other form back for fields beyond the contract.
        ...(offset === undefined ? {} : { offset: hex(offset) }),
      },
      line.number,
    );
  }

  #add(indent: number, region: Region): void {
    if (!this.#section) {
      // A paste that starts in the middle.
      const space: Space = { names: [], roots: [] };
      this.#spaces.push(space);
      this.#section = space.roots;
    }
    let parent = this.#way.at(-1);
    while (parent && parent.indent >= indent) {
      this.#way.pop();
      parent = this.#way.at(-1);
    }
    (parent ? parent.region.children : this.#section).push(region);
    this.#way.push({ indent, region });
  }

  /** The dump is over: flattens and tells it. */
  #flush(): void {
    const spaces = this.#spaces;
    const targets = this.#targets;
    this.#spaces = [];
    this.#targets = new Map();
    this.#section = undefined;
    this.#headed = undefined;
    this.#way = [];
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

/** Where no address space is shown: targets that cover all of the space have its addresses. */
function wholeTargets(targets: ReadonlyMap<string, readonly Region[]>): Space[] {
  return [...targets].flatMap(([name, roots]) => {
    const whole = roots.filter(({ start, last }) => start === 0n && last === IOVA_MAX);
    return whole.length > 0 ? [{ names: [name], roots: whole }] : [];
  });
}

/** The name that stands for address spaces with the same content: the guest's memory, or the first. */
function spaceOf(names: readonly string[]): string | undefined {
  return names.includes('memory') ? 'memory' : names[0];
}

function indentOf(text: string): number {
  return (/^[ \t]*/.exec(text)?.[0] ?? '').replaceAll('\t', '        ').length;
}

function withoutTrailers(what: string): { text: string; enabled: boolean } {
  let text = what.trimEnd();
  let enabled = true;
  for (let round = 0; round < 6; round++) {
    const trailer = TRAILER.exec(text);
    if (!trailer) break;
    if (trailer[0].includes('disabled')) enabled = false;
    text = text.slice(0, trailer.index);
  }
  return { text: text.trim(), enabled };
}

/** A region's line, with what a mail program put on the lines below. */
function readLine(line: DumpLine, ahead: Lookahead): { match: RegExpExecArray; lines: number } | undefined {
  if (!REGION_START.test(line.text)) return undefined;
  const parse = (text: string) => REGION.exec(text) ?? undefined;
  const alone = parse(line.text);
  const joined = alone ? undefined : joinWrapped(line, ahead, 2, parse);
  const match = alone ?? joined?.value;
  if (!match) return undefined;
  const lines = joined?.lines ?? 1;
  const what = withoutTrailers(match[6] ?? '').text;
  if (/^alias(?: |$)/.test(what) && !ALIAS.test(what)) {
    const whole = joinWrapped(
      { ...line, text: match.input, index: line.index + lines - 1 },
      (n) => ahead(n + lines - 1),
      3,
      (text) => {
        const longer = REGION.exec(text);
        return longer && ALIAS.test(withoutTrailers(longer[6] ?? '').text) ? longer : undefined;
      },
    );
    if (whole) return { match: whole.value, lines: lines + whole.lines - 1 };
    return { match, lines };
  }
  const rest = continuation(line, ahead, lines)?.text.trim();
  const longer = rest !== undefined && REST.test(rest) ? parse(`${match.input} ${rest}`) : undefined;
  return longer ? { match: longer, lines: lines + 1 } : { match, lines };
}

export const MTREE: LineFormat = {
  kind: 'lines',
  name: 'mtree',
  title: 'QEMU: info mtree',
  interest: {
    words: [
      ...['FlatView', 'address-space', 'memory-region:', 'Root memory', ' AS "', '\nAS "', '(qemu)', ' (prio'],
      ...['Dispatch\n', 'Physical sections', 'Nodes (', 'skip='],
    ],
    shapes: [REGION_START, /^\s{0,24}(?:#\d|\[\d{1,9}\]$|[A-Za-z][\w./@-]{0,60}$)/],
  },
  open: (_source: DumpSource, sink) => new MtreeReader(sink),
};
