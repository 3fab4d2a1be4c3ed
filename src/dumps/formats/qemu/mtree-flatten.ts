// A tree of QEMU's memory regions, flattened into what an address space really holds, by QEMU's rule
// (render_memory_region, system/memory.c): a region first lets its children fill their places, those of higher priority
// before the others, each cut to its parent; what they leave free is its own. An alias shows a part of another region.
//
// Two children of the same priority may overlap. QEMU then takes the one that was added last, which the dump does not
// tell; it lists them by address, and at the same address in the order of its search. So the one listed first wins.
//
// A container has nothing of its own, but in the dump it looks like a device's region ("i/o"). A region of that type
// with children is taken for a container, and so is an empty root over the whole space: what is free in them is nobody's.
import { IOVA_MAX, type Iova, iova } from '../../../iova/iova.ts';
import type { IovaRange } from '../../../iova/range.ts';

export interface Region extends IovaRange {
  readonly priority: number;
  /** As printed: `ram`, `i/o` … */
  readonly type: string;
  readonly name: string;
  readonly enabled: boolean;
  /** Where it was read. */
  readonly line: number;
  /** The region that this one shows, and from where in it (bytes from its start). */
  readonly alias?: { readonly target: string; readonly offset: bigint };
  readonly children: Region[];
}

export interface FlatRegion extends IovaRange {
  readonly type: string;
  readonly name: string;
  readonly line: number;
}

/** Regions by name, for aliases. Of several with one name the first that is large enough is meant. */
export type Targets = ReadonlyMap<string, readonly Region[]>;

/** Aliases within aliases: a circle ends here. */
const ALIAS_DEPTH = 16;
/** Regions looked at for one address space, each time an alias leads to them. */
const VISITS = 500_000;

const SPANS_ALL = (region: Region) => region.start === 0n && region.last === IOVA_MAX;
const isContainer = (region: Region, root: boolean) =>
  region.type.endsWith('i/o') && (region.children.length > 0 || (root && SPANS_ALL(region)));

/** As they are asked: by priority, then by address as QEMU lists them, then as listed. */
function inOrder(regions: readonly Region[]): Region[] {
  return [...regions].sort((a, b) => b.priority - a.priority || (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
}

/**
 * The flat form of an address space, in ascending order. `complete` is false if aliases led nowhere or into a circle, or
 * to more regions than are looked at.
 */
export function flatten(roots: readonly Region[], targets: Targets): { ranges: FlatRegion[]; complete: boolean } {
  const ranges: FlatRegion[] = [];
  let complete = true;
  let visits = 0;

  /** Index of the first range that ends at or behind `address`. */
  function search(address: bigint): number {
    let low = 0;
    let high = ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = ranges[middle];
      if (range && range.last < address) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /** Puts a region into what is still free of `start`-`last`. */
  function fill(region: Region, name: string, start: bigint, last: bigint): void {
    let at = start;
    for (let i = search(start); at <= last; i++) {
      const next = ranges[i];
      const free = next && next.start <= last ? next.start - 1n : last;
      if (at <= free) {
        ranges.splice(i, 0, { start: iova(at), last: iova(free), type: region.type, name, line: region.line });
        i++;
      }
      if (!next || next.last >= last) return;
      at = next.last + 1n;
    }
  }

  /** `shift` is what has to be added to the region's own addresses to have those of the address space. */
  function render(region: Region, shift: bigint, from: bigint, to: bigint, aliases: number, root: boolean): void {
    if (!region.enabled) return;
    if (++visits > VISITS) {
      complete = false;
      return;
    }
    const start = region.start + shift > from ? region.start + shift : from;
    const last = region.last + shift < to ? region.last + shift : to;
    if (start > last) return;
    const { alias } = region;
    if (alias) {
      const size = region.last - region.start;
      const target = targets.get(alias.target)?.find((one) => one.last - one.start >= alias.offset + size);
      if (!target || aliases >= ALIAS_DEPTH) {
        complete = false;
        fill(region, alias.target, start, last);
        return;
      }
      render(target, region.start + shift - alias.offset - target.start, start, last, aliases + 1, false);
      return;
    }
    for (const child of inOrder(region.children)) render(child, shift, start, last, aliases, false);
    if (!isContainer(region, root)) fill(region, region.name, start, last);
  }

  for (const root of inOrder(roots)) {
    render(root, 0n, 0n, IOVA_MAX satisfies Iova, 0, true);
  }
  return { ranges, complete };
}
