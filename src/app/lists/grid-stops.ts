// The places in a row of a grid that arrow keys stop at: the controls of each cell, or the cell itself if it has none.

const CONTROLS = 'button, summary, a[href], input, select';

/** The places of a row from left to right; none if it is no row of a grid. */
export function stopsOf(row: Element): HTMLElement[] {
  return [...row.querySelectorAll<HTMLElement>(':scope > :is(td, th)')].flatMap((cell) => {
    const controls = [...cell.querySelectorAll<HTMLElement>(CONTROLS)];
    return controls.length > 0 ? controls : [cell];
  });
}

/** Where the focus begins in a row: the place that is marked with `data-row-focus`, else the first one. */
export function mainStop(stops: readonly HTMLElement[]): number {
  const marked = stops.findIndex((stop) => stop.dataset.rowFocus !== undefined);
  return Math.max(0, marked);
}

/** The place that a key moves to in a row of `count` places; undefined if the key does not move within a row. */
export function nextStop(key: string, stop: number, count: number): number | undefined {
  switch (key) {
    case 'ArrowLeft':
      return Math.max(0, stop - 1);
    case 'ArrowRight':
      return Math.min(count - 1, stop + 1);
    case 'Home':
      return 0;
    case 'End':
      return count - 1;
    default:
      return undefined;
  }
}

/** Makes one place of the grid the one that the Tab key reaches. */
export function setTabStop(body: Element, row: Element | null, stop: number | undefined): void {
  const stops = row ? stopsOf(row) : [];
  const chosen = stops[Math.min(stop ?? mainStop(stops), stops.length - 1)];
  for (const other of body.querySelectorAll<HTMLElement>('[tabindex="0"]')) if (other !== chosen) other.tabIndex = -1;
  // Controls that React renders without a `tabindex` would be tab stops of their own.
  for (const each of body.querySelectorAll<HTMLElement>(`:is(${CONTROLS}):not([tabindex])`)) each.tabIndex = -1;
  if (chosen) chosen.tabIndex = 0;
}
