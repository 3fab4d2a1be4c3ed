// An address space as lines of text: segments between lettered bounds, a line for each row of the lanes, and the exact
// bounds of each letter in a list. ASCII, 72 columns; shapes are those of a proportional picture only in order.
import { joinNames } from '../../analysis/conflicts/conflict.ts';
import { formatSize, hex, isExactSize } from '../../iova/format.ts';
import { numberRuns, runLabel } from '../../iova/number-runs.ts';
import { type IovaRange, overlaps, sizeOf } from '../../iova/range.ts';
import { elementAt } from '../lanes/columns.ts';
import type { Lane, LaneRow, SpaceLanes } from '../lanes/lane.ts';
import { styleAt } from '../scene/style-names.ts';
import { ascii, TEXT_WIDTH, wrap } from './ascii.ts';
import { TEXT_FILLS } from './fills.ts';
import { type Coverage, coverage, segmentsOf } from './segments.ts';

/** A range that something is said about below the drawing, by its number there. */
export interface FlaggedRange extends IovaRange {
  readonly number: number;
}

export interface SpaceDrawing {
  readonly lines: readonly string[];
  /** What is not in the drawing, one sentence each. */
  readonly leftOut: readonly string[];
}

const LETTERS = 'abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ';
/** Columns of the lanes' names. */
const NAME_WIDTH = 11;
const PLOT_WIDTH = TEXT_WIDTH - NAME_WIDTH;
/** Rows of one lane that are drawn. */
const ROWS_MAX = 4;
/** A segment that is so many times as long as the shortest one is drawn as cut. */
const CUT_RATIO = 128n;
const CUT = '//';

interface Row {
  readonly lane: Lane;
  readonly index: number;
  readonly row: LaneRow;
  readonly name: string;
}

interface Segment extends IovaRange {
  readonly letter: string;
  readonly isCut: boolean;
  readonly size: string;
  width: number;
}

/** Part of a row in a panel: consecutive segments with the same content. */
interface Block {
  readonly coverage: Coverage;
  readonly from: number;
  to: number;
}

/** At most five characters, truncated: `16M`, `2.98G`, `978M`, `15E`. */
export function compactSize(bytes: bigint): string {
  return formatSize(bytes)
    .replace(/^≈ /, '')
    .replace(/ (\w)\w*$/, (_, unit: string) => unit.toUpperCase());
}

/** Draws one address space. `flagged` ranges are marked by their numbers. */
export function drawSpace(space: SpaceLanes, view: IovaRange, flagged: readonly FlaggedRange[]): SpaceDrawing {
  const leftOut: string[] = [];
  const rows = rowsOf(space, leftOut);
  const byImportance = [...rows].sort((a, b) => importance(a) - importance(b));
  const cuts = segmentsOf(
    view,
    flagged,
    byImportance.map(({ row }) => row),
    LETTERS.length,
  );
  const shortest = cuts.reduce((least, segment) => (sizeOf(segment) < least ? sizeOf(segment) : least), 1n << 64n);
  const segments = cuts.map((segment, i): Segment => {
    const size = compactSize(sizeOf(segment));
    const isCut = sizeOf(segment) > shortest * CUT_RATIO;
    return { ...segment, letter: LETTERS.charAt(i), isCut, size, width: Math.max(size.length + 1, isCut ? 6 : 4) };
  });
  for (const row of rows) widen(row, segments);
  const lines: string[] = [];
  const panels = panelsOf(segments);
  for (const [i, [from, to]] of panels.entries()) {
    if (i > 0) lines.push('');
    lines.push(...panelLines(rows, flagged, segments, from, to));
  }
  lines.push('');
  lines.push(...listLines(rows, flagged, segments));
  return { lines, leftOut };
}

/** What is asked about first gives the cuts first; what follows from other lanes comes last. */
function importance({ lane }: Row): number {
  if (lane.kind === 'reserved') return 0;
  if (lane.kind === 'aperture') return 1;
  return lane.traits.isContent ? 2 : 3;
}

function rowsOf(space: SpaceLanes, leftOut: string[]): Row[] {
  return space.lanes.flatMap((lane) => {
    const shown = lane.rows.slice(0, ROWS_MAX);
    if (lane.rows.length > shown.length) {
      leftOut.push(`${lane.rows.length - shown.length} more rows of the lane "${lane.title}" are not drawn.`);
    }
    return shown.map((row, index) => ({
      lane,
      index,
      row,
      name: ascii(row.title ?? (index === 0 ? lane.title : '')).slice(0, NAME_WIDTH - 1),
    }));
  });
}

function blocksOf({ row }: Row, segments: readonly Segment[], from: number, to: number): Block[] {
  const blocks: Block[] = [];
  for (let i = from; i < to; i++) {
    const found = coverage(row, elementAt(segments, i));
    const previous = blocks.at(-1);
    if (previous && isSame(previous.coverage, found)) previous.to = i + 1;
    else blocks.push({ coverage: found, from: i, to: i + 1 });
  }
  return blocks.filter((block) => block.coverage.kind !== 'empty');
}

function isSame(a: Coverage, b: Coverage): boolean {
  if (a.kind === 'empty') return b.kind === 'empty';
  return a.kind === 'range' && b.kind === 'range' && a.index === b.index;
}

const widthOf = (segments: readonly Segment[], from: number, to: number) =>
  segments.slice(from, to).reduce((sum, { width }) => sum + width, 0);

/** Makes the segments of each block wide enough for its shortest word, with its brackets. */
function widen(row: Row, segments: Segment[]): void {
  for (const block of blocksOf(row, segments, 0, segments.length)) {
    const shortest = wordsOf(row, block.coverage).at(-1) ?? '';
    const missing = shortest.length + 2 - widthOf(segments, block.from, block.to);
    const last = segments[block.to - 1];
    if (last && missing > 0) last.width += Math.min(missing, PLOT_WIDTH - 1 - last.width);
  }
}

/** What can be written into a block, from the longest to the shortest. */
function wordsOf({ lane, index, row }: Row, found: Coverage): string[] {
  if (found.kind === 'empty') return [];
  if (found.kind === 'several') return [`${found.count} ranges`, `${found.count}`];
  const style = styleAt(elementAt(row.styles, found.index));
  const caption = ascii(lane.caption(index, found.index));
  const size = sizeOf({
    start: elementAt(row.starts, found.index),
    last: elementAt(row.lasts, found.index),
  } as IovaRange);
  const { words } = TEXT_FILLS[style];
  const [longest = ''] = words;
  return [...(caption === '' ? [] : [caption]), `${longest} ${compactSize(size)}`, ...words];
}

/** Segments that fit side by side: from (inclusive) and to (exclusive) of each panel. */
function panelsOf(segments: readonly Segment[]): [number, number][] {
  const panels: [number, number][] = [];
  let from = 0;
  let width = 0;
  for (const [i, segment] of segments.entries()) {
    // The last column is the end of the last segment.
    if (width + segment.width > PLOT_WIDTH - 1 && i > from) {
      panels.push([from, i]);
      from = i;
      width = 0;
    }
    width += segment.width;
  }
  panels.push([from, segments.length]);
  return panels;
}

function panelLines(
  rows: readonly Row[],
  flagged: readonly FlaggedRange[],
  segments: readonly Segment[],
  from: number,
  to: number,
): string[] {
  const shown = segments.slice(from, to);
  const lines = [
    shown.map(({ letter, width }) => letter.padEnd(width)).join(''),
    `${shown.map(({ width, isCut }) => `+${centered(isCut ? CUT : '', width - 1, '-')}`).join('')}+`,
    shown.map(({ size, width }) => ` ${centered(size, width - 1, ' ')}`).join(''),
  ].map((line) => ' '.repeat(NAME_WIDTH) + line);
  for (const row of rows) {
    const blocks = blocksOf(row, segments, from, to);
    if (blocks.length === 0) continue;
    const text = blockLine(row, blocks, segments, from, to);
    lines.push(row.name.padEnd(NAME_WIDTH) + text);
  }
  const flags = flagLine(flagged, segments, from, to);
  if (flags.trim() !== '') lines.push('conflicts'.padEnd(NAME_WIDTH) + flags);
  return lines.map((line) => line.trimEnd());
}

function centered(text: string, width: number, fill: string): string {
  const left = Math.max(0, (width - text.length) >> 1);
  return (fill.repeat(left) + text).padEnd(width, fill);
}

function blockLine(row: Row, blocks: readonly Block[], segments: readonly Segment[], from: number, to: number): string {
  let line = '';
  for (const block of blocks) {
    line = line.padEnd(widthOf(segments, from, block.from));
    const inner = innerText(row, block, segments);
    const before = block.from === from && from > 0 && continues(row, block, segments, from - 1);
    const after = block.to === to && to < segments.length && continues(row, block, segments, to);
    line += `${before ? '<' : '['}${inner}${after ? '>' : ']'}`;
  }
  return line;
}

/** True if the block's range covers the segment beside its panel as well. */
function continues(row: Row, { coverage: found }: Block, segments: readonly Segment[], beside: number): boolean {
  return isSame(found, coverage(row.row, elementAt(segments, beside)));
}

/** The inside of a block: filled, cut where its segments are, with the longest word that has room. */
function innerText(row: Row, block: Block, segments: readonly Segment[]): string {
  const width = widthOf(segments, block.from, block.to) - 2;
  const found = block.coverage;
  const fill = found.kind === 'range' ? TEXT_FILLS[styleAt(elementAt(row.row.styles, found.index))].fill : ':';
  const cells = [...fill.repeat(Math.max(0, width))];
  for (let i = block.from; i < block.to; i++) {
    const { isCut, width: columns } = elementAt(segments, i);
    const at = widthOf(segments, block.from, i) + ((columns - CUT.length) >> 1);
    if (isCut && at > 1 && at + CUT.length < width) cells.splice(at, CUT.length, ...CUT);
  }
  const word = wordsOf(row, found).find((text) => text.length <= width) ?? '';
  const free = longestFree(cells.join(''), fill);
  const fits = free[1] >= word.length;
  // Where the cuts leave no room for it, only the ruler shows them.
  if (!fits) cells.fill(fill);
  const [start, room] = fits ? free : ([0, width] as const);
  const padded = room >= word.length + 4 && word !== '' && fill !== ' ' ? ` ${word} ` : word;
  const at = start + ((room - padded.length) >> 1);
  cells.splice(at, padded.length, ...padded);
  return cells.join('');
}

/** Start and length of the longest stretch without a cut. */
function longestFree(text: string, fill: string): readonly [number, number] {
  let best: readonly [number, number] = [0, 0];
  let from = 0;
  for (const part of text.split(fill === '/' ? '\0' : CUT)) {
    if (part.length > best[1]) best = [from, part.length];
    from += part.length + CUT.length;
  }
  return best;
}

function flagLine(flagged: readonly FlaggedRange[], segments: readonly Segment[], from: number, to: number): string {
  let line = '';
  for (let i = from; i < to; i++) {
    const segment = elementAt(segments, i);
    const numbers = flagged.filter(({ start }) => start >= segment.start && start <= segment.last);
    if (numbers.length === 0) continue;
    const unique = numberRuns(numbers.map(({ number }) => number)).map(runLabel);
    const at = widthOf(segments, from, i);
    // Beside each other where there is room, else one after the other.
    line = line.padEnd(Math.max(at, line === '' ? 0 : line.length + 1));
    line += `^${unique.join(',')}`;
  }
  return line.slice(0, PLOT_WIDTH);
}

/** Columns that a text beside the bounds needs at least; with less room it has lines of its own. */
const TEXT_ROOM = 18;

/** The exact bounds of each segment, and what is in it. */
function listLines(rows: readonly Row[], flagged: readonly FlaggedRange[], segments: readonly Segment[]): string[] {
  const startWidth = Math.max(...segments.map(({ start }) => hex(start).length));
  const lastWidth = Math.max(...segments.map(({ last }) => hex(last).length));
  return segments.flatMap((segment) => {
    const { letter, start, last } = segment;
    const size = sizeOf(segment);
    const bounds = `${hex(start).padEnd(startWidth)} - ${hex(last).padEnd(lastWidth)}`;
    const head = `${letter}  ${bounds} ${`${isExactSize(size) ? '' : '~'}${compactSize(size)}`.padStart(6)}  `;
    const numbers = flagged.filter((flag) => overlaps(flag, segment)).map(({ number }) => number);
    const see = numberRuns(numbers).map(runLabel).join(', ');
    const text = [contentsOf(rows, segment), ...(see === '' ? [] : [`see ${see}`])]
      .filter((part) => part !== '')
      .join('; ');
    const indent = ' '.repeat(Math.min(head.length, TEXT_WIDTH - 2 * TEXT_ROOM));
    const shown = text === '' ? 'nothing' : text;
    if (head.length + Math.min(shown.length, TEXT_ROOM) <= TEXT_WIDTH) return wrap(shown, head, indent);
    return [head.trimEnd(), ...wrap(shown, indent)];
  });
}

/** Names of who a range belongs to: of groups, the numbers. */
function ownersText(owners: readonly string[]): string {
  const groups = owners.flatMap((owner) => /^group (\S+)$/.exec(owner)?.[1] ?? []);
  if (groups.length > 1 && groups.length === owners.length) return `groups ${joinNames(groups, 8)}`;
  return joinNames(owners);
}

function contentsOf(rows: readonly Row[], segment: Segment): string {
  const names: string[] = [];
  let background = '';
  for (const row of rows) {
    const found = coverage(row.row, segment);
    if (found.kind === 'empty') continue;
    if (found.kind === 'several') {
      names.push(`${row.lane.title}: ${found.count} ${found.count === 1 ? 'range' : 'ranges'}`);
    } else if (row.lane.traits.isContent) {
      const { title, parts } = row.lane.describe(row.index, found.index);
      const owners = [...new Set(parts.map(({ owner }) => owner))].filter((owner) => owner !== '' && owner !== title);
      const listed = ownersText(owners);
      names.push(listed === '' ? title : `${title}, ${listed}`);
    } else {
      const { title } = row.lane.describe(row.index, found.index);
      background = row.lane.kind === 'usable' || background === '' ? title : background;
    }
  }
  return names.length > 0 ? names.join('; ') : background;
}
