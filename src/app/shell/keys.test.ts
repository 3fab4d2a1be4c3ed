import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { visibleRange } from '../../timeline/axis/viewport.ts';
import { useApp } from '../state/app-state.ts';
import { openText, startApp } from '../testing/app.ts';
import { KEYS } from './key-help.ts';
import { handleKey } from './keys.ts';

/** An element that is found by one selector, such as `[role=menu]`. */
class FakeElement {
  readonly #selector: string;

  constructor(selector: string) {
    this.#selector = selector;
  }

  closest(selectors: string): FakeElement | null {
    return selectors.split(', ').includes(this.#selector) ? this : null;
  }
}

const SESSION = [
  '{"format":"iova-trace","version":1,"model":"iommufd"}',
  '{"op":"ioas.alloc","ioas":"a"}',
  '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x10000","length":"0x2000","iova":"0x4000"}',
  '',
].join('\n');

const search = { focus: vi.fn() };
const body = new FakeElement('body');
/** The dialog that is open. */
let dialog: FakeElement | null = null;
const showHelp = vi.fn();

/** Presses a key. Returns whether the page took it. */
function press(key: string, modifiers: Partial<KeyboardEvent> = {}, target = body): boolean {
  const preventDefault = vi.fn();
  const event = {
    key,
    target,
    defaultPrevented: false,
    altKey: false,
    ctrlKey: false,
    metaKey: false,
    shiftKey: false,
  };
  const wasTaken = handleKey({ ...event, ...modifiers, preventDefault } as unknown as KeyboardEvent, showHelp);
  expect(preventDefault).toHaveBeenCalledTimes(wasTaken ? 1 : 0);
  return wasTaken;
}

const get = useApp.getState;
const position = () => get().documents[0]?.position;
function visible() {
  const { view, picture } = get();
  if (!view || !picture) throw new Error('there is no picture');
  const { start, last } = visibleRange(view, picture.arrangement.scale);
  return { start, size: last - start };
}

describe('keys', () => {
  beforeEach(async () => {
    vi.stubGlobal('Element', FakeElement);
    vi.stubGlobal('document', {
      body,
      querySelector: (selector: string) => dialog?.closest(selector) ?? null,
      getElementById: () => search,
    });
    startApp();
    await openText(SESSION, 's.iova.jsonl');
  });
  afterEach(() => {
    vi.unstubAllGlobals();
    vi.clearAllMocks();
    dialog = null;
  });

  test('fold panels away and show them', () => {
    const folded = () => get().frame.folded;
    press('l');
    press('B');
    expect(folded()).toEqual(['left', 'details']);
    press('i');
    press('l');
    press('b');
    expect(folded()).toEqual(['right']);
    press('i');
    expect(folded()).toEqual([]);
  });

  test('zoom, pan and show everything', () => {
    const all = visible();
    press('w');
    const zoomed = visible();
    expect(zoomed.size).toBeLessThan(all.size);
    press('D');
    expect(visible().start).toBeGreaterThan(zoomed.start);
    press('ArrowLeft');
    press('ArrowDown');
    expect(visible().size).toBeGreaterThan(zoomed.size);
    press('ArrowUp');
    press('0');
    expect(visible()).toEqual(all);
  });

  test('select ranges and fit the selected one', async () => {
    const all = visible();
    press('n');
    await expect.poll(() => get().selected).toBeDefined();
    press('n');
    await expect.poll(() => get().selected?.laneTitle).not.toBe('aperture');
    press('f');
    expect(visible().size).toBeLessThan(all.size);
    press('Escape');
    expect(get().selected).toBeUndefined();
  });

  test('go back and forward through the events', async () => {
    expect(press('z', { ctrlKey: true })).toBe(true);
    await expect.poll(() => position()).toBe(1);
    press(',');
    await expect.poll(() => position()).toBe(0);
    press('Z', { metaKey: true, shiftKey: true });
    await expect.poll(() => position()).toBe(1);
    press('y', { ctrlKey: true });
    await expect.poll(() => position()).toBe(2);
  });

  test('focus the search and show the help', () => {
    press('/');
    expect(search.focus).toHaveBeenCalledTimes(1);
    press('?');
    expect(showHelp).toHaveBeenCalledTimes(1);
  });

  test('belong to text fields, menus and dialogs while these have the focus', () => {
    for (const selector of ['textarea', 'select', '[role=menu]', '[role=dialog]', '[role=treegrid]']) {
      expect(press('0', {}, new FakeElement(selector)), selector).toBe(false);
    }
    expect(press('ArrowDown', {}, new FakeElement('[role=tabpanel]'))).toBe(false);
    expect(press('0', {}, new FakeElement('[role=tabpanel]'))).toBe(true);
  });

  test('belong to an open dialog while nothing has the focus', async () => {
    press('n');
    await expect.poll(() => get().selected).toBeDefined();
    dialog = new FakeElement('.overlay');
    for (const key of ['Escape', '0', 'ArrowLeft', '/']) expect(press(key), key).toBe(false);
    expect(get().selected).toBeDefined();
    dialog = null;
    expect(press('Escape')).toBe(true);
    expect(get().selected).toBeUndefined();
  });

  test('that have no action, or that somebody else has handled, are left alone', () => {
    expect(press('q')).toBe(false);
    expect(press('a', { ctrlKey: true })).toBe(false);
    expect(press('0', { altKey: true })).toBe(false);
    expect(press('0', { defaultPrevented: true })).toBe(false);
  });

  test('are all in the help that have an action', () => {
    const listed = KEYS.flatMap(({ keys }) => keys);
    for (const key of ['W', 'A', 'S', 'D', '0', 'F', 'N', 'P', 'C', ',', '.', '/', 'Esc', '?']) {
      expect(listed).toContain(key);
    }
  });
});
