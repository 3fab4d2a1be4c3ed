// Wheel, drag, touch and pointer on the picture, as deltas. d3-zoom recognizes gestures (wheel, drag, pinch, trackpads,
// momentum); its own transform is in doubles and would lose addresses, so only the change since the last event is used.
import { type D3ZoomEvent, select, zoom, zoomIdentity } from 'd3';

export interface GestureHandlers {
  /** `pixel` from the left edge of the plot; `factor` above 1 zooms in. */
  zoom(pixel: number, factor: number): void;
  /** Positive moves the picture right. */
  pan(pixels: number): void;
  /** A drag with the shift key, both ends in plot pixels. */
  measure(from: number, to: number): void;
  /** A click without a drag, in pixels of the element. */
  click(x: number, y: number): void;
  /** The pointer moved (undefined: it left), in pixels of the element. */
  hover(point: { readonly x: number; readonly y: number } | undefined): void;
}

export interface Gestures {
  destroy(): void;
}

const DOUBLE_CLICK_FACTOR = 4;

/** Listens on `element`. `plotLeft` answers where the plot begins inside it, in pixels. */
export function attachGestures(element: HTMLElement, plotLeft: () => number, handlers: GestureHandlers): Gestures {
  let before = zoomIdentity;
  const at = (event: { clientX: number; clientY: number }) => {
    const box = element.getBoundingClientRect();
    return { x: event.clientX - box.left, y: event.clientY - box.top };
  };

  const behaviour = zoom<HTMLElement, unknown>()
    // Touch events have no button.
    .filter((event: MouseEvent) => !event.shiftKey && !event.button && !(event.ctrlKey && event.type === 'mousedown'))
    .on('zoom', (event: D3ZoomEvent<HTMLElement, unknown>) => {
      const { transform, sourceEvent } = event;
      const factor = transform.k / before.k;
      if (factor === 1) {
        handlers.pan(transform.x - before.x);
      } else {
        // The pixel that a zoom by `factor` with this shift leaves in place; for a wheel that is the pointer itself.
        const point = sourceEvent instanceof WheelEvent ? at(sourceEvent).x : undefined;
        const still = point ?? (transform.x - factor * before.x) / (1 - factor);
        handlers.zoom(still - plotLeft(), factor);
      }
      before = transform;
    })
    .on('end', () => {
      // Back to the start, so that the factor never saturates however far a person zooms.
      before = zoomIdentity;
      Object.assign(element, { __zoom: zoomIdentity });
    });

  let measureFrom: number | undefined;
  /** The click that ends a measurement selects nothing. */
  let isMeasuring = false;
  const listeners = new AbortController();
  const { signal } = listeners;
  // Before d3-zoom's own listener, which would zoom.
  element.addEventListener(
    'wheel',
    (event) => {
      // With shift, or sideways on a trackpad, the wheel pans. Browsers differ in how they report shift and wheel.
      const sideways = event.shiftKey ? event.deltaY || event.deltaX : event.deltaX;
      if (sideways === 0 || (!event.shiftKey && Math.abs(event.deltaX) <= Math.abs(event.deltaY))) return;
      event.preventDefault();
      event.stopImmediatePropagation();
      handlers.pan(-sideways);
    },
    { signal, passive: false, capture: true },
  );

  const selection = select(element);
  selection.call(behaviour).on('dblclick.zoom', null);
  element.addEventListener('dblclick', (event) => handlers.zoom(at(event).x - plotLeft(), DOUBLE_CLICK_FACTOR), {
    signal,
  });
  element.addEventListener(
    'click',
    (event) => {
      if (!isMeasuring) handlers.click(at(event).x, at(event).y);
      isMeasuring = false;
    },
    { signal },
  );
  element.addEventListener(
    'pointerdown',
    (event) => {
      if (!event.shiftKey || event.button !== 0) return;
      measureFrom = at(event).x - plotLeft();
      isMeasuring = false;
      element.setPointerCapture(event.pointerId);
    },
    { signal },
  );
  element.addEventListener(
    'pointermove',
    (event) => {
      const point = at(event);
      if (measureFrom === undefined) {
        handlers.hover(point);
        return;
      }
      isMeasuring = true;
      handlers.measure(measureFrom, point.x - plotLeft());
    },
    { signal },
  );
  element.addEventListener(
    'pointerup',
    () => {
      measureFrom = undefined;
    },
    { signal },
  );
  element.addEventListener('pointerleave', () => handlers.hover(undefined), { signal });

  return {
    destroy() {
      listeners.abort();
      selection.on('.zoom', null);
    },
  };
}
