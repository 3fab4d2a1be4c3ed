// What follows the pointer: a line through the lanes, its address on the ruler, and the tooltip of a range.
import { formatSize, groupedHex } from '../../iova/format.ts';
import type { HitArea } from '../../timeline/scene/mark.ts';
import { styleOf } from '../../timeline/scene/styles.ts';

export interface OverlayElements {
  readonly line: HTMLElement;
  readonly readout: HTMLElement;
  readonly tip: HTMLElement;
}

/** All in pixels of the visible part of the picture, from its top left corner. */
export interface PointerPlace {
  readonly x: number;
  readonly y: number;
  readonly address: bigint;
  /** Where the ruler with its flags is. */
  readonly ruler: { readonly top: number; readonly bottom: number };
  /** Size of the visible part. */
  readonly width: number;
  readonly height: number;
  readonly hit: HitArea | undefined;
}

export function tooltip({ style, target: { start, last, count } }: HitArea): string {
  const message = count > 1 ? `${count} ranges` : styleOf(style).label;
  if (start === last) return `${message}\n${groupedHex(start)}`;
  return `${message}\n${groupedHex(start)} – ${groupedHex(last)}\n${formatSize(last - start + 1n)}`;
}

const EDGE = 4;

/** Shows the pointer at a place, or hides it. */
export function showOverlay({ line, readout, tip }: OverlayElements, place: PointerPlace | undefined): void {
  line.hidden = place === undefined;
  readout.hidden = place === undefined;
  tip.hidden = place?.hit === undefined;
  if (!place) return;
  const { x, y, address, ruler, width, height, hit } = place;
  line.style.transform = `translate(${x}px, ${Math.max(0, ruler.top)}px)`;
  line.style.height = `${Math.max(0, height - Math.max(0, ruler.top))}px`;
  readout.textContent = groupedHex(address);
  const half = readout.offsetWidth / 2;
  const left = Math.min(width - 2 * half - EDGE, Math.max(EDGE, x - half));
  readout.style.transform = `translate(${left}px, ${Math.max(0, ruler.top)}px)`;
  if (!hit) return;
  tip.textContent = tooltip(hit);
  const tipLeft = Math.max(EDGE, Math.min(x + 14, width - tip.offsetWidth - EDGE));
  const below = y + 16;
  const tipTop = below + tip.offsetHeight > height ? Math.max(EDGE, y - tip.offsetHeight - 8) : below;
  tip.style.transform = `translate(${tipLeft}px, ${tipTop}px)`;
}
