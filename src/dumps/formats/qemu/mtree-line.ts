// One region of `info mtree`, on one line or on several if a mail program broke it:
//
//   region  = address "-" address " (prio " n ", " type "): " what *trailer
//   what    = name [" @" offset]  |  "alias " name " @" target " " range
//   trailer = " [disabled]" | " owner:{…}" | " parent:{…}" | " orphan" | " KVM" and other accelerators
import type { Iova } from '../../../iova/iova.ts';
import { parseHexAddress } from '../../fields/address.ts';
import type { DumpLine, Lookahead } from '../../format.ts';
import { continuation, joinWrapped } from '../../text/wrapped.ts';

const ENDS = '(?<from>[0-9a-fA-F]{8,64})-(?<to>[0-9a-fA-F]{8,64})';
const REGION = new RegExp(
  `^(?<blanks>[ \\t]{0,128})(?<overflow>\\[DETECTED OVERFLOW!\\] )?${ENDS} \\(prio (?<priority>-?\\d{1,11}), (?<type>[A-Za-z/-]{2,12})\\): ?(?<what>.{0,1000})$`,
);
/** What the first part of a region looks like; cheap. */
const REGION_START =
  /^[ \t]{0,128}(?:\[DETECTED OVERFLOW!\] )?[0-9a-fA-F]{8,64}-(?:[0-9a-fA-F]{0,64}$|[0-9a-fA-F]{8,64} \()|^[ \t]{2,128}[0-9a-fA-F]{1,16}$/;
/** A region without its beginning or its end. */
export const REGION_PART = /^[ \t]{2,128}[0-9a-fA-F]{4,16}(?:-[0-9a-fA-F]{0,16})?$|^[ \t]{0,128}\S{0,40} \(prio -?\d/;
const ALIAS = /^alias (.{0,200}?) ?@(.{1,200}) ([0-9a-fA-F]{8,64})-([0-9a-fA-F]{8,64})$/;
const ALIAS_START = /^alias(?: |$)/;
const TRAILER =
  / (?:\[disabled\]|owner:\{[^{}]{0,300}\}|parent:\{[^{}]{0,300}\}|orphan|KVM|kvm|HVF|hvf|TCG|tcg|WHPX|whpx)$/;
const TRAILERS_MAX = 6;
const OFFSET = / @([0-9a-fA-F]{8,64})$/;
/** What the next line starts with if a mail program broke a region after its name. */
const REST =
  /^\[span of |^\[disabled\]|^\[#\d{1,9}\/\d|^@[0-9a-fA-F]{8,64}(?: |$)|^(?:KVM|kvm)$|^(?:owner|parent):\{|^of [\d.]{1,8} [KMGTP]?i?B\]|^[\d.]{1,8} [KMGTP]?i?B\]|^\S{1,80} \[span of [\d.]{1,8} [KMGTP]?i?B\]$/;

export interface RegionLine {
  /** Columns before the region; a tab is eight. */
  readonly indent: number;
  /** Both ends, inclusive, as printed. */
  readonly from: string;
  readonly to: string;
  /** QEMU says that the range ends beyond 64 bits. */
  readonly isOverflow: boolean;
  readonly priority: number;
  readonly type: string;
  readonly name: string;
  readonly enabled: boolean;
  /** The name of the region that this one shows; undefined if it is not an alias. */
  readonly target: string | undefined;
  /** True for an alias whose target cannot be read. */
  readonly isCut: boolean;
  /** Of an alias: where in the target it starts. Of a region in a flat view: where in the region, if not at its start. */
  readonly offset: Iova | undefined;
}

/** True for a line that is a region. */
export function isRegionLine(text: string): boolean {
  return REGION.test(text);
}

/** The number of columns before the first character; a tab is eight. */
export function indentOf(text: string): number {
  return (/^[ \t]*/.exec(text)?.[0] ?? '').replaceAll('\t', '        ').length;
}

/** The region of a line, with what a mail program moved to the lines below, and the number of lines. */
export function readRegionLine(
  line: DumpLine,
  ahead: Lookahead,
): { readonly region: RegionLine; readonly lines: number } | undefined {
  const found = wholeLine(line, ahead);
  const { blanks = '', overflow, from, to, priority, type = '', what = '' } = found?.match.groups ?? {};
  if (!found || from === undefined || to === undefined) return undefined;
  const { text, enabled } = withoutTrailers(what);
  const [, alias, target, offset = OFFSET.exec(text)?.[1], end] = ALIAS.exec(text) ?? [];
  const region: RegionLine = {
    indent: indentOf(blanks),
    from,
    to,
    isOverflow: overflow !== undefined,
    priority: Number(priority),
    type,
    name: alias ?? text.replace(OFFSET, ''),
    enabled,
    target,
    // Both ends have all their digits.
    isCut: ALIAS_START.test(text) && (target === undefined || end?.length !== offset?.length),
    offset: parseHexAddress(offset),
  };
  return { region, lines: found.lines };
}

function withoutTrailers(what: string): { text: string; enabled: boolean } {
  let text = what.trimEnd();
  let enabled = true;
  for (let round = 0; round < TRAILERS_MAX; round++) {
    const trailer = TRAILER.exec(text);
    if (!trailer) break;
    if (trailer[0].includes('disabled')) enabled = false;
    text = text.slice(0, trailer.index);
  }
  return { text: text.trim(), enabled };
}

function wholeLine(line: DumpLine, ahead: Lookahead): { match: RegExpExecArray; lines: number } | undefined {
  if (!REGION_START.test(line.text)) return undefined;
  const parse = (text: string) => REGION.exec(text) ?? undefined;
  const alone = parse(line.text);
  // Of two numbers that a line break joined, the first was cut.
  const isWhole = ({ groups }: RegExpExecArray) => (groups?.from?.length ?? 0) <= 16 && (groups?.to?.length ?? 0) <= 16;
  const parseWhole = (text: string) => {
    const found = parse(text);
    return found && isWhole(found) ? found : undefined;
  };
  const joined = alone ? undefined : joinWrapped(line, ahead, 2, parseWhole);
  const match = alone ?? joined?.value;
  if (!match) return undefined;
  const lines = joined?.lines ?? 1;
  const what = whatOf(match);
  if (ALIAS_START.test(what) && !ALIAS.test(what)) {
    const whole = joinWrapped(
      { ...line, text: match.input, index: line.index + lines - 1 },
      (n) => {
        const next = ahead(n + lines - 1);
        return next && isRegionLine(next.text) ? undefined : next;
      },
      3,
      (text) => {
        const longer = parse(text);
        return longer && ALIAS.test(whatOf(longer)) ? longer : undefined;
      },
    );
    return whole ? { match: whole.value, lines: lines + whole.lines - 1 } : { match, lines };
  }
  const rest = continuation(line, ahead, lines)?.text.trim();
  const longer = rest !== undefined && REST.test(rest) ? parse(`${match.input} ${rest}`) : undefined;
  return longer ? { match: longer, lines: lines + 1 } : { match, lines };
}

function whatOf(match: RegExpExecArray): string {
  return withoutTrailers(match.groups?.what ?? '').text;
}
