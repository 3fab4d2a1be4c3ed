import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { FakeElement, stubBrowser } from '../testing/fake-element.ts';
import { attachGestures, type GestureHandlers } from './gestures.ts';
import { attachMouseZoom } from './mouse-zoom.ts';

const PLOT_LEFT = 150;

beforeEach(() => {
  stubBrowser();
  vi.useFakeTimers();
});
afterEach(() => {
  vi.unstubAllGlobals();
  vi.useRealTimers();
});

/** Gestures on an element, and the calls that they made. */
function attached(canScroll = true) {
  const element = new FakeElement();
  const calls: unknown[][] = [];
  const log =
    (name: string) =>
    (...args: readonly unknown[]) =>
      void calls.push([name, ...args]);
  const handlers: GestureHandlers = {
    zoom: log('zoom'),
    pan: log('pan'),
    scroll: (pixels) => {
      calls.push(['scroll', pixels]);
      return canScroll;
    },
    measure: log('measure'),
    click: log('click'),
    press: log('press'),
    hover: log('hover'),
  };
  const target = element as unknown as HTMLElement;
  const gestures = [
    attachGestures(target, () => PLOT_LEFT, handlers),
    attachMouseZoom(target, () => PLOT_LEFT, handlers),
  ];
  return { element, calls, gestures };
}

describe('the wheel', () => {
  test('zooms in at the pointer when turned up, out when turned down', () => {
    const { element, calls } = attached();
    expect(element.send('wheel', 350, 20, { deltaY: -500 })).toBe(true);
    expect(calls).toEqual([['zoom', 200, 2]]);
    element.send('wheel', 350, 20, { deltaY: 500 });
    expect(calls[1]).toEqual(['zoom', 200, 0.5]);
  });

  test('starts anew after a pause, so that the factor of a long zoom stays exact', () => {
    const { element, calls } = attached();
    for (let i = 0; i < 40; i++) {
      element.send('wheel', 350, 20, { deltaY: -5000 });
      vi.advanceTimersByTime(200);
    }
    expect(calls).toHaveLength(40);
    for (const [name, pixel, factor] of calls) expect([name, pixel, factor]).toEqual(['zoom', 200, 1024]);
  });

  test('with shift and over the names of lanes scrolls the lanes, whatever a browser makes of shift', () => {
    const { element, calls } = attached();
    expect(element.send('wheel', 350, 20, { deltaY: 30, shiftKey: true })).toBe(true);
    expect(element.send('wheel', 350, 20, { deltaX: 40, deltaY: 0, shiftKey: true })).toBe(true);
    expect(element.send('wheel', PLOT_LEFT - 1, 20, { deltaY: 50 })).toBe(true);
    expect(element.send('wheel', PLOT_LEFT - 1, 20, { deltaY: 2, deltaMode: 1 })).toBe(true);
    expect(calls).toEqual([
      ['scroll', 30],
      ['scroll', 40],
      ['scroll', 50],
      ['scroll', 40],
    ]);
  });

  test('there never zooms, even if all lanes are in view', () => {
    const { element, calls } = attached(false);
    element.send('wheel', 350, 20, { deltaY: 30, shiftKey: true });
    element.send('wheel', PLOT_LEFT - 1, 20, { deltaY: 50 });
    expect(calls.map(([name]) => name)).toEqual(['scroll', 'scroll']);
  });

  test('sideways on a trackpad pans', () => {
    const { element, calls } = attached();
    expect(element.send('wheel', 350, 20, { deltaX: -20, deltaY: 10 })).toBe(true);
    expect(calls).toEqual([['pan', 20]]);
  });

  test('two fingers up or down on a trackpad scroll the lanes; if all are in view, they zoom', () => {
    const trackpad = { deltaY: 40, wheelDeltaY: -120 };
    const scrolling = attached();
    scrolling.element.send('wheel', 350, 20, trackpad);
    expect(scrolling.calls).toEqual([['scroll', 40]]);
    const short = attached(false);
    short.element.send('wheel', 350, 20, trackpad);
    expect(short.calls.map(([name]) => name)).toEqual(['scroll', 'zoom']);
    const mouse = attached();
    mouse.element.send('wheel', 350, 20, { deltaY: 100, wheelDeltaY: -120 });
    const pinch = attached();
    pinch.element.send('wheel', 350, 20, { ...trackpad, ctrlKey: true });
    expect([...mouse.calls, ...pinch.calls].map(([name]) => name)).toEqual(['zoom', 'zoom']);
  });

  test('mostly up or down it zooms, even if it moves sideways a little', () => {
    const { element, calls } = attached();
    element.send('wheel', 350, 20, { deltaX: 5, deltaY: -500 });
    element.send('wheel', 350, 20, { deltaX: -500, deltaY: -500 });
    expect(calls.map(([name]) => name)).toEqual(['zoom', 'zoom']);
  });

  test('with shift but without movement does nothing', () => {
    const { element, calls } = attached();
    element.send('wheel', 350, 20, { shiftKey: true });
    expect(calls).toEqual([]);
  });
});

describe('dragging', () => {
  test('pans by what the mouse moved since the last event', () => {
    const { element, calls } = attached();
    element.send('mousedown', 300, 20);
    element.drag('mousemove', 310, 25);
    element.drag('mousemove', 305, 25);
    element.drag('mouseup', 305, 25);
    expect(calls).toEqual([
      ['pan', 10],
      ['pan', -5],
    ]);
    element.send('mousedown', 100, 20);
    element.drag('mousemove', 103, 20);
    expect(calls[2]).toEqual(['pan', 3]);
  });

  test('only the main button drags, and neither shift nor control', () => {
    const { element, calls } = attached();
    for (const more of [{ button: 1 }, { shiftKey: true }, { ctrlKey: true }]) {
      element.send('mousedown', 300, 20, more);
      element.drag('mousemove', 310, 20);
      element.drag('mouseup', 310, 20);
    }
    expect(calls).toEqual([]);
  });
});

describe('fingers', () => {
  const finger = (pointerId: number) => ({ pointerType: 'touch', pointerId });

  test('one pans', () => {
    const { element, calls } = attached();
    element.send('pointerdown', 300, 20, finger(1));
    element.send('pointermove', 320, 20, finger(1));
    element.send('pointerup', 320, 20, finger(1));
    element.send('pointermove', 340, 20, finger(1));
    expect(calls).toEqual([['pan', 20]]);
  });

  test('two zoom by their distance, around the one that does not move', () => {
    const { element, calls } = attached();
    element.send('pointerdown', 300, 20, finger(1));
    element.send('pointerdown', 400, 20, finger(2));
    element.send('pointermove', 500, 20, finger(2));
    element.send('pointermove', 400, 20, finger(1));
    expect(calls).toEqual([
      ['zoom', 300 - PLOT_LEFT, 2],
      ['zoom', 500 - PLOT_LEFT, 0.5],
    ]);
  });

  test('a third one is ignored', () => {
    const { element, calls } = attached();
    for (const id of [1, 2, 3]) element.send('pointerdown', 200 + 50 * id, 20, finger(id));
    element.send('pointermove', 600, 20, finger(3));
    expect(calls).toEqual([]);
  });

  test('one that rests presses, and its click selects nothing', () => {
    const { element, calls } = attached();
    element.send('pointerdown', 300, 20, finger(1));
    element.send('pointermove', 303, 20, finger(1));
    vi.advanceTimersByTime(499);
    expect(calls.map(([name]) => name)).toEqual(['pan']);
    vi.advanceTimersByTime(1);
    element.send('pointerup', 303, 20, finger(1));
    element.send('click', 303, 20);
    expect(calls.slice(1)).toEqual([['press', { x: 300, y: 20 }]]);
  });

  test('that move, are two, or leave do not press', () => {
    const { element, calls } = attached();
    element.send('pointerdown', 300, 20, finger(1));
    element.send('pointermove', 320, 20, finger(1));
    vi.advanceTimersByTime(1000);
    element.send('pointercancel', 320, 20, finger(1));
    element.send('pointerdown', 300, 20, finger(1));
    element.send('pointerdown', 400, 20, finger(2));
    vi.advanceTimersByTime(1000);
    element.send('pointerup', 300, 20, finger(1));
    element.send('pointerup', 300, 20, finger(2));
    element.send('pointerdown', 300, 20, finger(1));
    element.send('pointerup', 300, 20, finger(1));
    vi.advanceTimersByTime(1000);
    expect(calls.map(([name]) => name)).toEqual(['pan']);
  });
});

describe('clicks', () => {
  test('are reported in pixels of the element', () => {
    const { element, calls } = attached();
    element.send('click', 300, 20);
    expect(calls).toEqual([['click', { x: 300, y: 20 }]]);
  });

  test('a double click zooms in by four at its place', () => {
    const { element, calls } = attached();
    element.send('dblclick', 350, 20);
    expect(calls).toEqual([['zoom', 200, 4]]);
  });
});

describe('measuring', () => {
  test('is a drag with shift, from where it began to where the pointer is; its click selects nothing', () => {
    const { element, calls } = attached();
    element.send('pointerdown', 200, 20, { shiftKey: true, pointerId: 7, buttons: 1 });
    element.send('pointermove', 260, 20, { buttons: 1 });
    element.send('pointermove', 180, 20, { altKey: true, buttons: 1 });
    element.send('pointerup', 180, 20);
    element.send('click', 180, 20, { shiftKey: true });
    expect(element.captured).toEqual([7]);
    // The tooltip of what is below the pointer is hidden meanwhile, from the press on.
    expect(calls).toEqual([
      ['hover', undefined, true],
      ['hover', undefined, true],
      ['measure', 50, 110, false],
      ['hover', undefined, true],
      ['measure', 50, 30, true],
    ]);
    element.send('click', 190, 20);
    expect(calls[5]).toEqual(['click', { x: 190, y: 20 }]);
  });

  test('needs shift and the main button; without a move the click selects', () => {
    const { element, calls } = attached();
    element.send('pointerdown', 200, 20, { buttons: 1 });
    element.send('pointermove', 210, 20, { buttons: 1 });
    element.send('pointerdown', 200, 20, { shiftKey: true, button: 2, buttons: 2 });
    element.send('pointermove', 220, 20, { buttons: 2 });
    expect(element.captured).toEqual([]);
    element.send('pointerdown', 200, 20, { shiftKey: true, buttons: 1 });
    element.send('pointerup', 200, 20);
    element.send('click', 200, 20, { shiftKey: true });
    expect(calls.map(([name]) => name)).toEqual(['hover', 'hover', 'hover', 'click']);
  });

  test('is over when the button is no longer held, even if nobody told', () => {
    const { element, calls } = attached();
    element.send('pointerdown', 200, 20, { shiftKey: true, buttons: 1 });
    element.send('pointermove', 260, 20);
    expect(calls.map(([name]) => name)).toEqual(['hover', 'hover']);
    expect(calls[1]).toEqual(['hover', { x: 260, y: 20 }, false]);
  });
});

describe('the pointer', () => {
  test('is followed, and reported as gone when it leaves', () => {
    const { element, calls } = attached();
    element.send('pointermove', 10, 20);
    element.send('pointerleave', 0, 0);
    expect(calls).toEqual([
      ['hover', { x: 10, y: 20 }, false],
      ['hover', undefined, false],
    ]);
  });

  test('with a held button is reported as dragging, even if the press was not seen here', () => {
    const { element, calls } = attached();
    element.send('pointermove', 10, 20, { buttons: 1 });
    expect(calls).toEqual([['hover', { x: 10, y: 20 }, true]]);
  });
});

test('a destroyed listener hears nothing', () => {
  const { element, calls, gestures } = attached();
  for (const one of gestures) one.destroy();
  for (const type of ['pointermove', 'click', 'dblclick', 'pointerleave']) element.send(type, 300, 20);
  element.send('wheel', 300, 20, { deltaY: -500 });
  element.send('wheel', 300, 20, { deltaX: 500 });
  element.send('mousedown', 300, 20);
  element.drag('mousemove', 310, 20);
  expect(calls).toEqual([]);
});
