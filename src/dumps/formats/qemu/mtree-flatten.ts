// Flattens a tree of QEMU's memory regions into what an address space resolves to, by QEMU's rule (render_memory_region,
// system/memory.c): the children of a region come first, those of higher priority before the others, each cut to its
// parent; what they leave free belongs to the region itself. An alias shows a part of another region.
//
// Two children of the same priority may overlap. QEMU then takes the one that was added last, which the dump does not
// show; it lists them by address, and at the same address in its search order. So the one listed first wins.
//
// A container has no memory of its own, but the dump prints it like a device's region ("i/o"). A region of that type
// with children is taken for a container, and so is an empty root that covers all 64 bits: no fact for what is free in it.
import { IOVA_MAX, type Iova, iova } from '../../../iova/iova.ts';
import type { IovaRange } from '../../../iova/range.ts';

export interface Region extends IovaRange {
  readonly priority: number;
  /** As printed: `ram`, `i/o`. */
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

/** Regions by name, for aliases. Of several with one name, an alias shows the first that is large enough. */
export type Targets = ReadonlyMap<string, readonly Region[]>;

/** Aliases within aliases: limits loops. */
const ALIAS_DEPTH_MAX = 16;
/** Visits of regions for one address space: an alias visits its target again. */
const VISITS_MAX = 500_000;

const coversAll = (region: Region) => region.start === 0n && region.last === IOVA_MAX;
const isContainer = (region: Region, root: boolean) =>
  region.type.endsWith('i/o') && (region.children.length > 0 || (root && coversAll(region)));

/** In the order that QEMU resolves them: by priority, then by address, then as listed. */
function inOrder(regions: readonly Region[]): Region[] {
  return [...regions].sort((a, b) => b.priority - a.priority || (a.start < b.start ? -1 : a.start > b.start ? 1 : 0));
}

/**
 * The flat form of an address space, in ascending order. `complete` is false if aliases have no target or form a loop, or
 * lead to too many regions.
 */
export function flatten(roots: readonly Region[], targets: Targets): { ranges: FlatRegion[]; complete: boolean } {
  const ranges: FlatRegion[] = [];
  let complete = true;
  let visits = 0;

  /** Index of the first range that ends at or after `address`. */
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

  /** Puts a region into the free parts of `start`-`last`. */
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

  /** `shift` plus an address of the region is the address in the address space. */
  function render(region: Region, shift: bigint, from: bigint, to: bigint, aliases: number, root: boolean): void {
    if (!region.enabled) return;
    if (++visits > VISITS_MAX) {
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
      if (!target || aliases >= ALIAS_DEPTH_MAX) {
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
