// What a lane is. The functions in this folder make lanes from facts or from a model's state; kinds.ts lists them.
import type { Provenance } from '../../analysis/host/host.ts';
import type { IovaRange } from '../../iova/range.ts';
import { type StyleName, styleIndex } from '../scene/style-names.ts';
import type { RangeColumns } from './columns.ts';

/** A row of a lane: its ranges as columns. `styles` holds indices (`styleIndex`), one for each range. */
export interface LaneRow extends RangeColumns {
  /** Set when a lane shows a row for each contributor. */
  readonly title?: string;
  /** A second line below the title. */
  readonly note?: string;
  readonly styles: Uint8Array;
  /** True if all styles are known to be the same. */
  readonly uniform?: boolean;
}

/** One contribution to a drawn range: its owner, its own bounds (inclusive), and where that was read. */
export interface Part {
  readonly owner: string;
  readonly range: IovaRange;
  readonly provenance: readonly Provenance[];
}

/** A note of the case: the document that has it, and its event there, counted from 1. */
export interface NoteRef {
  readonly id: string;
  readonly position: number;
}

/** What the inspector shows of one range of a lane. */
export interface RangeInfo {
  readonly title: string;
  readonly sentence: string;
  readonly parts: readonly Part[];
  /** Further exact values by name, addresses in hex. */
  readonly values?: Readonly<Record<string, string>>;
  /** Set if the range is one that a person wrote something about. */
  readonly note?: NoteRef;
}

/** A lane as a lane function makes it: one or more rows of ranges. `K` is its kind in the table of kinds. */
export interface LaneContent<K extends string = string> {
  /** Unique in the whole picture, and the same for the same lane after the data changed. */
  readonly id: string;
  readonly kind: K;
  readonly title: string;
  readonly subtitle: string;
  readonly rows: readonly LaneRow[];
  /** True if the lane can be expanded into a row for each contributor. */
  readonly expandable: boolean;
  readonly expanded: boolean;
  /** The label of one range; '' if it has none of its own. */
  caption(row: number, index: number): string;
  describe(row: number, index: number): RangeInfo;
}

/** How all lanes of one kind are drawn and used: the columns of the table of kinds that the picture needs. */
export interface LaneTraits {
  /** Height of a row in pixels. */
  readonly height: number;
  /** How a range is drawn: as a bar from its first to its last address, or as an arrow at a single address. */
  readonly shape: 'bar' | 'arrow';
  /** True if a range that is too narrow for its label gets a letter and a line below the picture. */
  readonly isLettered: boolean;
  /** True if the fold scale keeps its ranges wide; false for background, and for what follows from other lanes. */
  readonly isContent: boolean;
  readonly isInMinimap: boolean;
  /** True if a fact inside one of its ranges can be shown by that range. */
  readonly holdsFacts: boolean;
}

/** A lane of a picture. */
export interface Lane extends LaneContent {
  readonly traits: LaneTraits;
}

/** The lanes of one address space, under one heading. */
export interface SpaceLanes {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly lanes: readonly Lane[];
}

export interface StyledRange extends IovaRange {
  readonly style: StyleName;
}

/** A range with everything that a lane shows of it; for lanes that are small enough to hold their ranges as objects. */
export interface DescribedRange extends StyledRange {
  readonly caption: string;
  readonly info: RangeInfo;
}

/** Makes the columns of a row from ranges that are disjoint and ascending. */
export function laneRow(ranges: readonly StyledRange[], head: Pick<LaneRow, 'title' | 'note'> = {}): LaneRow {
  return {
    ...head,
    starts: BigUint64Array.from(ranges, (r) => r.start),
    lasts: BigUint64Array.from(ranges, (r) => r.last),
    styles: Uint8Array.from(ranges, (r) => styleIndex(r.style)),
  };
}

/** The same for very many ranges of one style. */
export function uniformRow(ranges: readonly IovaRange[], style: StyleName): LaneRow {
  return {
    starts: BigUint64Array.from(ranges, (r) => r.start),
    lasts: BigUint64Array.from(ranges, (r) => r.last),
    styles: new Uint8Array(ranges.length).fill(styleIndex(style)),
    uniform: true,
  };
}

/** Spreads overlapping ranges over as few rows as first fit finds; each row is disjoint. Input ascending by start. */
export function stackRows<T extends IovaRange>(ranges: readonly T[]): T[][] {
  const rows: { readonly ranges: T[]; last: bigint }[] = [];
  for (const r of ranges) {
    const row = rows.find(({ last }) => last < r.start);
    if (row) {
      row.ranges.push(r);
      row.last = r.last;
    } else {
      rows.push({ ranges: [r], last: r.last });
    }
  }
  return rows.map((row) => row.ranges);
}

/** Makes a lane from rows of described ranges, each row disjoint and ascending. */
export function describedLane<K extends string>(
  head: Pick<LaneContent<K>, 'id' | 'kind' | 'title' | 'subtitle'> &
    Partial<Pick<LaneContent, 'expandable' | 'expanded'>>,
  rows: readonly (Pick<LaneRow, 'title' | 'note'> & { readonly ranges: readonly DescribedRange[] })[],
): LaneContent<K> {
  const at = (row: number, index: number): DescribedRange => {
    const found = rows[row]?.ranges[index];
    if (!found) throw new RangeError(`lane ${head.id} has no range ${index} in row ${row}`);
    return found;
  };
  return {
    expandable: false,
    expanded: false,
    ...head,
    rows: rows.map(({ ranges, ...head }) => laneRow(ranges, head)),
    caption: (row, index) => at(row, index).caption,
    describe: (row, index) => at(row, index).info,
  };
}
