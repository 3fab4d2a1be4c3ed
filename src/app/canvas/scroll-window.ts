// The part of a long picture that its scroll area shows.
import type { Scene } from '../../timeline/scene/mark.ts';

/** Height and scroll position of an element that scrolls, in pixels. */
export interface ScrollArea {
  readonly scrollTop: number;
  readonly clientHeight: number;
  readonly scrollHeight: number;
}

/** Rows this far outside of the area are drawn, too: a scroll may be shown before the next frame. */
const MARGIN = 200;

export function seenSpan({ scrollTop, clientHeight }: ScrollArea) {
  return { top: scrollTop - MARGIN, bottom: scrollTop + clientHeight + MARGIN };
}

/** The lanes that the area shows: those below the ruler are covered by it. */
export function lanesInView(scene: Scene, { scrollTop, clientHeight }: ScrollArea) {
  const { top, bottom } = scene.pinned;
  return { top: scrollTop + bottom - Math.min(scrollTop, top), bottom: scrollTop + clientHeight };
}

/** Where a point of the element is in the scene: the ruler stays in view while the rest scrolls. */
export function toScene(scene: Scene, point: { readonly x: number; readonly y: number }, scrollTop: number) {
  const { top, bottom } = scene.pinned;
  const seenAt = point.y - scrollTop;
  const shift = Math.max(0, scrollTop - top);
  const isPinned = seenAt >= top - scrollTop + shift && seenAt < bottom - scrollTop + shift;
  return { x: point.x, y: isPinned ? point.y - shift : point.y, isPinned };
}

/** True if lanes are outside of the area. */
export function canScroll({ scrollHeight, clientHeight }: ScrollArea): boolean {
  return scrollHeight > clientHeight + 1;
}
