// As much of a browser as gestures need, so that their tests run without one.
import { setMaxListeners } from 'node:events';
import { vi } from 'vitest';

/** An event with the fields of mouse, wheel and pointer events. */
export class FakeInput extends Event {
  constructor(type: string, fields: object) {
    super(type, { cancelable: true });
    const usual = {
      clientX: 0,
      clientY: 0,
      button: 0,
      buttons: 0,
      shiftKey: false,
      ctrlKey: false,
      altKey: false,
      deltaX: 0,
      deltaY: 0,
    };
    Object.assign(this, usual, { deltaMode: 0, pointerId: 1, view: fakeWindow }, fields);
  }
}

class FakeWheelEvent extends FakeInput {}

/** Node's EventTarget does not take a boolean where listeners are removed. */
class FakeTarget extends EventTarget {
  override removeEventListener(type: string, listener: EventListener | null, options?: EventListenerOptions | boolean) {
    super.removeEventListener(type, listener, typeof options === 'boolean' ? { capture: options } : options);
  }
}

const root = Object.assign(new FakeTarget(), { onselectstart: null });
const fakeWindow = Object.assign(new FakeTarget(), { document: { documentElement: root } });

/** An element of 800 × 400 pixels whose corner is at (100, 50) in the window. */
export class FakeElement extends FakeTarget {
  readonly clientWidth = 800;
  readonly clientHeight = 400;
  readonly clientLeft = 0;
  readonly clientTop = 0;
  readonly style = { setProperty: () => undefined };
  /** Pointers that were captured. */
  readonly captured: number[] = [];

  getBoundingClientRect() {
    return { left: 100, top: 50, width: this.clientWidth, height: this.clientHeight };
  }

  setPointerCapture(pointer: number): void {
    this.captured.push(pointer);
  }

  /** Sends an event at a point of the element; returns whether its default action was prevented. */
  send(type: string, x: number, y: number, more: object = {}): boolean {
    const fields = { clientX: 100 + x, clientY: 50 + y, ...more };
    const event = type === 'wheel' ? new FakeWheelEvent(type, fields) : new FakeInput(type, fields);
    return !this.dispatchEvent(event);
  }

  /** Moves or releases the mouse during a drag: these events arrive at the window. */
  drag(type: 'mousemove' | 'mouseup', x: number, y: number): void {
    fakeWindow.dispatchEvent(new FakeInput(type, { clientX: 100 + x, clientY: 50 + y }));
  }
}

/** Call before a test, and `vi.unstubAllGlobals` after it. */
export function stubBrowser(): void {
  // Browsers do not count the listeners of a signal.
  setMaxListeners(40);
  vi.stubGlobal('SVGElement', class {});
  vi.stubGlobal('WheelEvent', FakeWheelEvent);
  vi.stubGlobal('navigator', { maxTouchPoints: 5 });
}
