// Where the rows of a very long list are. Browsers lay out no element beyond some 17 (Firefox) or 33 (Chromium) million
// pixels, so the list of a million rows is lower than its rows together:
//
//   scroll position  0 ─────────────────── rows × slot     a slot is what a row takes of the scroll height
//   row              0 ─────────────────── rows − 1        rows are drawn at their own height from the first visible one on
//
// With slots as high as the rows this is an ordinary list. The last slots are followed by room for the rows of one screen,
// so that the last row can be scrolled to.

/** The scroll height of a list never exceeds this, in CSS pixels. */
const SCROLL_HEIGHT_MAX = 10_000_000;

/** Above this, keeping a height for each row would take too long. */
const OWN_HEIGHTS_MAX = 100_000;

/** True if the list is so long that all rows have one height and long text is cut off. */
export function isUniform(count: number): boolean {
  return count > OWN_HEIGHTS_MAX;
}

/** A list of rows of one height. Heights in CSS pixels. */
export interface ListGeometry {
  readonly count: number;
  readonly rowHeight: number;
  /** Height of the visible part. */
  readonly viewHeight: number;
}

/** What a row takes of the scroll height. */
export function slotHeight({ count, rowHeight }: Pick<ListGeometry, 'count' | 'rowHeight'>): number {
  return Math.min(rowHeight, SCROLL_HEIGHT_MAX / Math.max(1, count));
}

/** Height of the whole list: the slots, and room for the rows of one screen after the last slots. */
export function scrollHeight(list: ListGeometry): number {
  const slot = slotHeight(list);
  return list.count * slot + list.viewHeight * (1 - slot / list.rowHeight);
}

/** How many rows the visible part holds, with fractions; never more than there are. */
function visibleRows({ count, rowHeight, viewHeight }: ListGeometry): number {
  return Math.min(count, viewHeight / rowHeight);
}

/** The row at the top of the visible part, counted from 0, with the fraction of it that is scrolled out. */
export function topRow(list: ListGeometry, scrollOffset: number): number {
  return Math.min(Math.max(0, scrollOffset / slotHeight(list)), list.count - visibleRows(list));
}

/** Top edge of a row, from the top of the list, when the list is scrolled to `scrollOffset`. */
export function rowTop(list: ListGeometry, scrollOffset: number, index: number): number {
  const top = topRow(list, scrollOffset);
  return top * slotHeight(list) + (index - top) * list.rowHeight;
}

/**
 * The scroll position that shows a row, moved as little as possible; `covered` pixels at the top of the visible part are
 * hidden behind a header.
 */
export function scrollOffsetFor(list: ListGeometry, scrollOffset: number, index: number, covered = 0): number {
  const top = topRow(list, scrollOffset);
  const highest = index - covered / list.rowHeight;
  const lowest = index + 1 - visibleRows(list);
  if (top > highest) return Math.max(0, highest) * slotHeight(list);
  return top < lowest ? lowest * slotHeight(list) : scrollOffset;
}

/** The scroll position that has a row in the middle of the visible part. */
export function centredOffset(list: ListGeometry, index: number): number {
  return Math.max(0, index + 0.5 - visibleRows(list) / 2) * slotHeight(list);
}

/**
 * The row that a key moves the focus to from `index`; the same one at the end of the list, undefined if the key is none of
 * the list's. `page` is the number of rows in the visible part.
 */
export function nextRow(key: string, index: number, count: number, page: number): number | undefined {
  const next = unlimitedNextRow(key, index, count, Math.max(1, page - 1));
  return next === undefined ? undefined : Math.min(count - 1, Math.max(0, next));
}

function unlimitedNextRow(key: string, index: number, count: number, page: number): number | undefined {
  switch (key) {
    case 'ArrowDown':
      return index + 1;
    case 'ArrowUp':
      return index - 1;
    case 'PageDown':
      return index + page;
    case 'PageUp':
      return index - page;
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}
