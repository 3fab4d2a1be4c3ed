import { defaultRangeExtractor, useVirtualizer } from '@tanstack/react-virtual';
import { type KeyboardEvent, type RefObject, useEffect, useLayoutEffect, useRef, useState } from 'react';
import { mainStop, nextStop, setTabStop, stopsOf } from './grid-stops.ts';
import { centredOffset, isUniform, nextRow, rowTop, scrollHeight, scrollOffsetFor, topRow } from './list-geometry.ts';

/** By default, lists up to this length are rendered whole, so that the browser's own search and copying find every row. */
const RENDERED_WHOLE = 100;
/** Rows that are rendered above and below the visible ones. */
const OVERSCAN = 12;

/** `auto`: as little as possible. */
type ScrollAlign = 'auto' | 'center';

interface VirtualRowsOptions {
  readonly count: number;
  /** In CSS pixels: exact, or an estimate with `hasOwnHeights`. */
  readonly rowHeight: number;
  /** True if rows may be higher than `rowHeight`: they are measured. In a very long list they are not. */
  readonly hasOwnHeights?: boolean;
  /** What a row is about, for lists whose rows move: its measured height goes with it. By default its index. */
  readonly keyOf?: ((index: number) => string) | undefined;
  /** Lists up to this length are rendered whole. */
  readonly wholeUpTo?: number;
  /** Height of what covers the top of the scrolling element, such as a table's header. */
  readonly covered?: number;
}

export interface VirtualRow {
  readonly index: number;
  /** From the top of the list, in CSS pixels. */
  readonly top: number;
  /** True for the row that the Tab key reaches; the arrow keys go on from there. */
  readonly isTabStop: boolean;
}

export interface VirtualRows<E extends HTMLElement> {
  /** For the element that holds the rows; it needs `position: relative` and the given height. */
  readonly ref: RefObject<E | null>;
  readonly height: number;
  /** True if all rows have the same height, and long text must be cut off. */
  readonly isUniform: boolean;
  readonly rows: readonly VirtualRow[];
  /** First and last of the rows that are to be loaded: those near the visible ones. */
  readonly toLoad: readonly [first: number, last: number];
  /** For each row's element, which must carry `data-index`, `tabIndex` and, until it is loaded, `aria-busy`. */
  measure(element: HTMLElement | null): void;
  scrollTo(index: number, align: ScrollAlign): void;
  /** Moves the focus to a row, once it is rendered and loaded. */
  focus(index: number): void;
  onFocus(event: { readonly target: EventTarget }): void;
  onKeyDown(event: KeyboardEvent): void;
}

/** `first` to `last`, both inclusive. */
function indices(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, i) => first + i);
}

/** Index of the row that an element is in. */
function indexOf(target: EventTarget): number | undefined {
  const row = target instanceof Element ? target.closest<HTMLElement>('[data-index]') : null;
  return row ? Number(row.dataset.index) : undefined;
}

function rowAt(list: HTMLElement, index: number): HTMLElement | null {
  return list.querySelector<HTMLElement>(`[data-index="${index}"]`);
}

/** True if the rows are those of a grid, in which the arrow keys also move from cell to cell. */
function isGrid(list: HTMLElement): boolean {
  return list.closest('[role=grid]') !== null;
}

/**
 * Moves the focus to a row: in a grid to its place number `stop`, else to the control that is marked with
 * `data-row-focus`, otherwise to the row itself. Returns whether that is done; a row that is not rendered or not loaded
 * yet has no control.
 */
function focusRow(list: HTMLElement, index: number, stop: number | undefined): boolean {
  const row = rowAt(list, index);
  if (!row) return false;
  const stops = isGrid(list) ? stopsOf(row) : [];
  const target =
    stops[Math.min(stop ?? mainStop(stops), stops.length - 1)] ??
    row.querySelector<HTMLElement>('[data-row-focus]') ??
    row;
  target.focus({ preventScroll: true });
  return row.getAttribute('aria-busy') !== 'true';
}

/**
 * The rows of a long list that are near the visible part of the scrolling tab panel around it. The row that has the
 * focus stays rendered wherever the list is scrolled to. Arrow keys, Page Up, Page Down, Home and End move the focus from row to row;
 * in a grid Left, Right, Home and End move it from cell to cell, and Home and End with Ctrl to the first and the last row.
 */
export function useVirtualRows<E extends HTMLElement>(options: VirtualRowsOptions): VirtualRows<E> {
  const { count, rowHeight, hasOwnHeights = false, keyOf, covered = 0, wholeUpTo = RENDERED_WHOLE } = options;
  const ref = useRef<E>(null);
  const [scroller, setScroller] = useState<HTMLElement | null>(null);
  /** Where the list begins in the scrolling element. */
  const [margin, setMargin] = useState(0);
  /** Height of the scrolling element. */
  const [viewHeight, setViewHeight] = useState(0);
  /** The row that has the focus, or had it last. */
  const [focused, setFocused] = useState<number>();
  /** In a grid: the place in its row that has the focus, or had it last. */
  const stop = useRef<number>(undefined);
  /** The row that gets the focus as soon as it is rendered and loaded. */
  const pendingFocus = useRef<number>(undefined);
  /** The row to scroll to as soon as the list has been laid out. */
  const pendingScroll = useRef<{ readonly index: number; readonly align: ScrollAlign }>(undefined);
  /** Scroll position of the last rendering. */
  const renderedAt = useRef(0);

  const uniform = isUniform(count);
  const geometry = { count, rowHeight, viewHeight };
  const withFocused = (near: number[]) =>
    focused === undefined || focused >= count || near.includes(focused)
      ? near
      : [...near, focused].sort((a, b) => a - b);

  // It keeps a height for each row: for uniform lists that would take too long, and only their geometry is needed.
  const virtualizer = useVirtualizer({
    enabled: !uniform,
    count: uniform ? 0 : count,
    getScrollElement: () => scroller,
    estimateSize: () => rowHeight,
    ...(keyOf ? { getItemKey: keyOf } : {}),
    overscan: OVERSCAN,
    scrollMargin: margin,
    scrollPaddingStart: covered,
    rangeExtractor: (range) => (count <= wholeUpTo ? indices(0, count - 1) : withFocused(defaultRangeExtractor(range))),
  });
  const [scrollTop, setScrollTop] = useState(0);
  useEffect(() => {
    if (!uniform || !scroller) return;
    const onScroll = () => setScrollTop(scroller.scrollTop);
    onScroll();
    scroller.addEventListener('scroll', onScroll, { passive: true });
    return () => scroller.removeEventListener('scroll', onScroll);
  }, [uniform, scroller]);
  useLayoutEffect(() => {
    if (!scroller) return;
    const observer = new ResizeObserver(() => setViewHeight(scroller.clientHeight));
    observer.observe(scroller);
    return () => observer.disconnect();
  }, [scroller]);

  // What is above the list may have another height now. To measure that while it scrolls would cost a layout each time.
  useLayoutEffect(() => {
    const hasScrolled = virtualizer.isScrolling || scrollTop !== renderedAt.current;
    renderedAt.current = scrollTop;
    const list = ref.current;
    const panel = list?.closest<HTMLElement>('[data-scroller], [role=tabpanel]') ?? null;
    setScroller(panel);
    if (!list || !panel || hasScrolled) return;
    const top = list.getBoundingClientRect().top - panel.getBoundingClientRect().top - panel.clientTop;
    setMargin(Math.round(top + panel.scrollTop));
  });
  useLayoutEffect(() => {
    const index = pendingFocus.current;
    const list = ref.current;
    if (index === undefined || !list) return;
    const active = document.activeElement;
    // The user has gone elsewhere while the row was being loaded.
    const isElsewhere = active !== null && active !== document.body && !list.contains(active);
    if (isElsewhere || focusRow(list, index, stop.current)) pendingFocus.current = undefined;
  });

  const offset = scrollTop - margin;
  const scrollTo = (index: number, align: ScrollAlign) => {
    if (!scroller || viewHeight === 0) pendingScroll.current = { index, align };
    else if (!uniform) virtualizer.scrollToIndex(index, { align });
    else {
      const next =
        align === 'auto' ? scrollOffsetFor(geometry, offset, index, covered) : centredOffset(geometry, index);
      scroller.scrollTop = margin + next;
    }
  };
  useLayoutEffect(() => {
    const request = pendingScroll.current;
    if (!request || !scroller || viewHeight === 0) return;
    pendingScroll.current = undefined;
    scrollTo(request.index, request.align);
  });

  // Before its range is read: that is brought up to date only now.
  const items = virtualizer.getVirtualItems();
  const top = Math.floor(topRow(geometry, offset));
  const [first, last] = uniform
    ? [top, Math.min(count - 1, top + Math.ceil(viewHeight / rowHeight))]
    : [virtualizer.range?.startIndex ?? 0, virtualizer.range?.endIndex ?? -1];
  const positions = uniform
    ? withFocused(indices(Math.max(0, first - OVERSCAN), Math.min(count - 1, last + OVERSCAN))).map((index) => ({
        index,
        top: rowTop(geometry, offset, index),
      }))
    : items.map(({ index, start }) => ({ index, top: start - margin }));
  const focus = (index: number) => {
    pendingFocus.current = index;
    setFocused(index);
    scrollTo(index, 'auto');
  };
  const isFocusedRendered = positions.some(({ index }) => index === focused);
  const tabStop = isFocusedRendered ? focused : first;
  useLayoutEffect(() => {
    const list = ref.current;
    if (list && isGrid(list)) setTabStop(list, tabStop === undefined ? null : rowAt(list, tabStop), stop.current);
  });

  return {
    ref,
    height: uniform ? scrollHeight(geometry) : virtualizer.getTotalSize(),
    isUniform: uniform,
    rows: positions.map((row) => ({ ...row, isTabStop: row.index === tabStop })),
    toLoad: count <= wholeUpTo ? [0, count - 1] : [Math.max(0, first - OVERSCAN), Math.min(count - 1, last + OVERSCAN)],
    measure: (element) => {
      if (hasOwnHeights && !uniform) virtualizer.measureElement(element);
    },
    scrollTo,
    focus,
    onFocus: ({ target }) => {
      const index = indexOf(target);
      if (index === undefined) return;
      setFocused(index);
      const list = ref.current;
      const row = list && isGrid(list) ? rowAt(list, index) : null;
      const at = row && target instanceof HTMLElement ? stopsOf(row).indexOf(target) : -1;
      // A row that is being loaded has fewer places than it will have.
      if (at >= 0 && row?.getAttribute('aria-busy') !== 'true') stop.current = at;
    },
    onKeyDown: (event) => {
      const index = indexOf(event.target);
      const list = ref.current;
      if (index === undefined || !list || event.altKey || event.metaKey) return;
      const grid = isGrid(list);
      if (event.ctrlKey && !(grid && (event.key === 'Home' || event.key === 'End'))) return;
      if (grid && !event.ctrlKey && moveInRow(event, rowAt(list, index), stop)) return;
      const next = nextRow(event.key, index, count, last - first);
      if (next === undefined) return;
      event.preventDefault();
      if (next !== index) focus(next);
    },
  };
}

/** In a row of a grid: moves the focus to another place, or presses the main control of the row. Returns whether it did. */
function moveInRow(event: KeyboardEvent, row: HTMLElement | null, stop: RefObject<number | undefined>): boolean {
  if (!row) return false;
  const stops = stopsOf(row);
  const at = event.target instanceof HTMLElement ? stops.indexOf(event.target) : -1;
  if (at < 0) return false;
  if (event.key === 'Enter' && event.target instanceof HTMLTableCellElement) {
    row.querySelector<HTMLElement>('button[data-row-focus]')?.click();
    event.preventDefault();
    return true;
  }
  const next = nextStop(event.key, at, stops.length);
  if (next === undefined) return false;
  event.preventDefault();
  stop.current = next;
  const target = stops[next];
  target?.focus({ preventScroll: true });
  if (target) showSideways(target);
  return true;
}

/** Scrolls the list sideways, and nothing around it, so that an element in it is not cut off. */
function showSideways(element: HTMLElement): void {
  const scroller = element.closest<HTMLElement>('[data-scroller], [role=tabpanel]');
  if (!scroller) return;
  const [inner, outer] = [element.getBoundingClientRect(), scroller.getBoundingClientRect()];
  if (inner.left < outer.left) scroller.scrollLeft -= outer.left - inner.left;
  else if (inner.right > outer.right)
    scroller.scrollLeft += Math.min(inner.right - outer.right, inner.left - outer.left);
}
