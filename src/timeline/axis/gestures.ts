// Drag with shift, touch and pointer on the picture, as deltas; wheel and drag of a mouse are in mouse-zoom.ts. One finger
// that moves up or down scrolls the page or the lanes, which is the browser's work (touch-action: pan-y).

/** Pixels of the element, from its top left corner. */
export interface Point {
  readonly x: number;
  readonly y: number;
}

export interface GestureHandlers {
  /** `pixel` from the left edge of the plot; `factor` above 1 zooms in. */
  zoom(pixel: number, factor: number): void;
  /** Positive moves the picture right. */
  pan(pixels: number): void;
  /** Scrolls the lanes, positive down. Returns false if all of them are in view: there is nothing to scroll. */
  scroll(pixels: number): boolean;
  /** A drag with the shift key, both ends in plot pixels. `isFree`: with the alt key, the ends do not snap to bounds. */
  measure(from: number, to: number, isFree: boolean): void;
  /** A click without a drag. */
  click(point: Point): void;
  /** A finger that rests on a place. */
  press(point: Point): void;
  /** The pointer moved (undefined: it left, or it measures). `isDragging`: a button is held, whoever follows that drag. */
  hover(point: Point | undefined, isDragging: boolean): void;
}

export interface Gestures {
  destroy(): void;
}

const DOUBLE_CLICK_FACTOR = 4;
/** Milliseconds after which a finger that rests is a long press. */
const PRESS_TIME = 500;
/** A finger that moves less than this many pixels rests. */
const REST_PIXELS = 8;
/** Pixels of a wheel that reports lines. */
const LINE_PIXELS = 20;

/**
 * True for a scroll with two fingers on a trackpad. No browser says so; a trackpad reports pixels, and the older
 * `wheelDeltaY` field as exactly three times as many, while the notches of a mouse wheel are multiples of 120.
 */
function isTrackpad(event: WheelEvent): boolean {
  const notches = 'wheelDeltaY' in event ? event.wheelDeltaY : undefined;
  return event.deltaMode === 0 && event.deltaY !== 0 && notches === -3 * event.deltaY;
}

function pixelsOf(event: WheelEvent, delta: number): number {
  return event.deltaMode === 0 ? delta : delta * LINE_PIXELS;
}

/** The place of an event, in pixels of the element. */
type At = (event: { readonly clientX: number; readonly clientY: number }) => Point;

export function placeIn(element: HTMLElement): At {
  return (event) => {
    const box = element.getBoundingClientRect();
    // Of an enlarged page both are in pixels of the screen.
    const zoom = element.currentCSSZoom ?? 1;
    return { x: (event.clientX - box.left) / zoom, y: (event.clientY - box.top) / zoom };
  };
}

/** Listens on `element`. `plotLeft` answers where the plot begins inside it, in pixels. */
export function attachGestures(element: HTMLElement, plotLeft: () => number, handlers: GestureHandlers): Gestures {
  const at = placeIn(element);
  const listeners = new AbortController();
  const { signal } = listeners;
  /** The click that ends a measurement or a long press selects nothing. */
  const state = { isClickTaken: false };

  listenToWheel(element, at, plotLeft, handlers, signal);
  listenToMeasure(element, at, plotLeft, handlers, state, signal);
  listenToFingers(element, at, plotLeft, handlers, state, signal);
  element.addEventListener('dblclick', (event) => handlers.zoom(at(event).x - plotLeft(), DOUBLE_CLICK_FACTOR), {
    signal,
  });
  element.addEventListener(
    'click',
    (event) => {
      if (!state.isClickTaken) handlers.click(at(event));
      state.isClickTaken = false;
    },
    { signal },
  );
  element.addEventListener('pointerleave', () => handlers.hover(undefined, false), { signal });

  return { destroy: () => listeners.abort() };
}

/** Wheels that do not zoom: over the names of the lanes, with shift, sideways, and two fingers on a trackpad. */
function listenToWheel(
  element: HTMLElement,
  at: At,
  plotLeft: () => number,
  handlers: GestureHandlers,
  signal: AbortSignal,
): void {
  const isTaken = (event: WheelEvent): boolean => {
    const { deltaX, deltaY, shiftKey, ctrlKey } = event;
    // A pinch on a trackpad arrives as a wheel with control.
    if (ctrlKey) return false;
    // Browsers differ in how they report shift and wheel.
    if (shiftKey) return handlers.scroll(pixelsOf(event, deltaY || deltaX)) || true;
    if (Math.abs(deltaX) > Math.abs(deltaY)) {
      handlers.pan(-pixelsOf(event, deltaX));
      return true;
    }
    if (at(event).x < plotLeft()) return handlers.scroll(pixelsOf(event, deltaY)) || true;
    return isTrackpad(event) && handlers.scroll(deltaY);
  };
  // In the capture phase: before the listener of d3-zoom, which would zoom.
  element.addEventListener(
    'wheel',
    (event) => {
      if ((event.deltaX === 0 && event.deltaY === 0) || !isTaken(event)) return;
      event.preventDefault();
      event.stopImmediatePropagation();
    },
    { signal, passive: false, capture: true },
  );
}

/** A drag with shift, and the pointer otherwise. */
function listenToMeasure(
  element: HTMLElement,
  at: At,
  plotLeft: () => number,
  handlers: GestureHandlers,
  state: { isClickTaken: boolean },
  signal: AbortSignal,
): void {
  let from: number | undefined;
  element.addEventListener(
    'pointerdown',
    (event) => {
      state.isClickTaken = false;
      if (event.pointerType === 'touch' || !event.shiftKey || event.button !== 0) return;
      from = at(event).x - plotLeft();
      handlers.hover(undefined, true);
      element.setPointerCapture(event.pointerId);
    },
    { signal },
  );
  element.addEventListener(
    'pointermove',
    (event) => {
      if (event.pointerType === 'touch') return;
      const point = at(event);
      const isDragging = event.buttons !== 0;
      // The button was let go where no event told us.
      if (!isDragging) from = undefined;
      if (from === undefined) {
        handlers.hover(point, isDragging);
        return;
      }
      state.isClickTaken = true;
      handlers.hover(undefined, true);
      handlers.measure(from, point.x - plotLeft(), event.altKey);
    },
    { signal },
  );
  for (const type of ['pointerup', 'pointercancel'] as const) {
    element.addEventListener(
      type,
      () => {
        from = undefined;
      },
      { signal },
    );
  }
}

/** One finger pans sideways, two zoom, one that rests presses. */
function listenToFingers(
  element: HTMLElement,
  at: At,
  plotLeft: () => number,
  handlers: GestureHandlers,
  state: { isClickTaken: boolean },
  signal: AbortSignal,
): void {
  const fingers = new Map<number, Point>();
  let pressTimer: ReturnType<typeof setTimeout> | undefined;
  let pressed: Point = { x: 0, y: 0 };
  const stopPress = () => clearTimeout(pressTimer);

  element.addEventListener(
    'pointerdown',
    (event) => {
      if (event.pointerType !== 'touch') return;
      stopPress();
      fingers.set(event.pointerId, at(event));
      if (fingers.size > 1) return;
      pressed = at(event);
      pressTimer = setTimeout(() => {
        state.isClickTaken = true;
        handlers.press(pressed);
      }, PRESS_TIME);
    },
    { signal },
  );
  element.addEventListener(
    'pointermove',
    (event) => {
      const before = fingers.get(event.pointerId);
      if (!before) return;
      const now = at(event);
      if (Math.hypot(now.x - pressed.x, now.y - pressed.y) > REST_PIXELS) stopPress();
      fingers.set(event.pointerId, now);
      const [other, ...more] = [...fingers].filter(([id]) => id !== event.pointerId);
      if (!other) {
        handlers.pan(now.x - before.x);
        return;
      }
      if (more.length > 0) return;
      const [, still] = other;
      // Fingers are reported one by one: around the one that did not move.
      handlers.zoom(still.x - plotLeft(), spread(now, still) / spread(before, still));
    },
    { signal },
  );
  for (const type of ['pointerup', 'pointercancel'] as const) {
    element.addEventListener(
      type,
      (event) => {
        if (fingers.delete(event.pointerId)) stopPress();
      },
      { signal },
    );
  }
  signal.addEventListener('abort', stopPress);
  // A long press is for us, not for the browser's menu.
  element.addEventListener(
    'contextmenu',
    (event) => {
      if (fingers.size > 0) event.preventDefault();
    },
    { signal },
  );
}

/** Distance of two fingers, at least one pixel. */
function spread(a: Point, b: Point): number {
  return Math.max(1, Math.hypot(a.x - b.x, a.y - b.y));
}
