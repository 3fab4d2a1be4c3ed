import type { Provenance } from '../../analysis/host/host.ts';
import type { IovaRange } from '../../iova/range.ts';

export type LaneKind =
  | 'aperture'
  | 'reserved'
  | 'doorbells'
  | 'windows'
  | 'bars'
  | 'guest'
  | 'allowed'
  | 'areas'
  | 'mappings'
  | 'requests'
  | 'faults'
  | 'holes'
  | 'usable';

/** Disjoint ranges in ascending order as columns; bounds inclusive. `styles` are indices into `STYLE_NAMES`. */
export interface LaneRow {
  /** Named when a lane shows a row for each contributor. */
  readonly title?: string;
  /** A second line below the title. */
  readonly note?: string;
  readonly starts: BigUint64Array;
  readonly lasts: BigUint64Array;
  readonly styles: Uint8Array;
  /** True if it is known that all styles are the same. */
  readonly uniform?: boolean;
}

/** One contribution to a drawn range: who brings it, its own bounds, and where that was read. */
export interface Part {
  readonly owner: string;
  readonly range: IovaRange;
  readonly provenance: readonly Provenance[];
}

/** What the inspector says of one range of a lane. */
export interface RangeInfo {
  /** Type in words. */
  readonly title: string;
  readonly sentence: string;
  readonly parts: readonly Part[];
  /** Further exact values by name, addresses in hex. */
  readonly values?: Readonly<Record<string, string>>;
}

/** A lane of an address space: one or more rows of ranges. Made by the functions in lanes/, from facts or a model. */
export interface Lane {
  /** Unique in the whole picture, and the same for the same lane after the data changed. */
  readonly id: string;
  readonly kind: LaneKind;
  readonly title: string;
  readonly subtitle: string;
  readonly rows: readonly LaneRow[];
  /** True if the lane can be opened into a row for each contributor. */
  readonly expandable: boolean;
  readonly expanded: boolean;
  /** What is written into the bar of one range. */
  caption(row: number, index: number): string;
  describe(row: number, index: number): RangeInfo;
}

/** A group of lanes that share an address space, under one heading. */
export interface SpaceLanes {
  readonly id: string;
  readonly title: string;
  readonly subtitle: string;
  readonly lanes: readonly Lane[];
}

export interface StyledRange extends IovaRange {
  readonly style: number;
}

/** Builds the columns of a row from ranges that are already disjoint and ascending. */
export function laneRow(ranges: readonly StyledRange[], head: Pick<LaneRow, 'title' | 'note'> = {}): LaneRow {
  return {
    ...head,
    starts: BigUint64Array.from(ranges, (r) => r.start),
    lasts: BigUint64Array.from(ranges, (r) => r.last),
    styles: Uint8Array.from(ranges, (r) => r.style),
  };
}

/** Spreads overlapping ranges over as few rows as first fit finds: each row is disjoint. Input ascending by start. */
export function stackRows<T extends IovaRange>(ranges: readonly T[]): T[][] {
  const rows: T[][] = [];
  for (const r of ranges) {
    const row = rows.find((candidate) => (candidate.at(-1) as T).last < r.start);
    if (row) row.push(r);
    else rows.push([r]);
  }
  return rows;
}

/** Index of the first range of a row that ends at or after `address`; the row's length if there is none. O(log n). */
export function firstEndingAtOrAfter(row: LaneRow, address: bigint): number {
  let low = 0;
  let high = row.lasts.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((row.lasts[middle] as bigint) < address) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** A range with all that a lane says of it; for lanes that are small enough to hold their ranges as objects. */
export interface DescribedRange extends IovaRange {
  readonly style: number;
  readonly caption: string;
  readonly info: RangeInfo;
}

/** Makes a lane from rows of described ranges, each row disjoint and ascending. */
export function describedLane(
  head: Pick<Lane, 'id' | 'kind' | 'title' | 'subtitle'> & Partial<Pick<Lane, 'expandable' | 'expanded'>>,
  rows: readonly (Pick<LaneRow, 'title' | 'note'> & { readonly ranges: readonly DescribedRange[] })[],
): Lane {
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
