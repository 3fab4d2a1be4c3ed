import { beforeEach, describe, expect, test, vi } from 'vitest';
import { useApp } from './app-state.ts';
import { foldPanel, resizePanel, togglePanel } from './frame.ts';
import { FRAME_KEY, parseFrame } from './initial-frame.ts';
import { showTab } from './tabs.ts';

const frame = () => useApp.getState().frame;

let stored: Map<string, string>;
beforeEach(() => {
  stored = new Map();
  vi.stubGlobal('localStorage', {
    getItem: (key: string) => stored.get(key) ?? null,
    setItem: (key: string, value: string) => void stored.set(key, value),
  });
  useApp.setState({ frame: parseFrame(undefined) });
  return () => vi.unstubAllGlobals();
});

describe('panels', () => {
  test('keep their sizes and what is folded', () => {
    resizePanel('left', 311.4);
    togglePanel('details');
    expect(frame()).toEqual({ sizes: { left: 311 }, folded: ['details'] });
    expect(parseFrame(stored.get(FRAME_KEY))).toEqual(frame());
    togglePanel('details');
    resizePanel('left', undefined);
    expect(frame()).toEqual({ sizes: {}, folded: [] });
  });

  test('unfold when they are resized, with the size that they had when they are unfolded', () => {
    resizePanel('right', 400);
    foldPanel('right', true);
    foldPanel('right', true);
    expect(frame()).toEqual({ sizes: { right: 400 }, folded: ['right'] });
    foldPanel('right', false);
    expect(frame()).toEqual({ sizes: { right: 400 }, folded: [] });
    foldPanel('right', true);
    resizePanel('right', 250);
    expect(frame()).toEqual({ sizes: { right: 250 }, folded: [] });
  });

  test('with the details show the tab that is requested', () => {
    foldPanel('details', true);
    showTab('text');
    expect(frame().folded).toEqual([]);
  });

  test('change although nothing can be kept', () => {
    vi.stubGlobal('localStorage', {
      setItem: () => {
        throw new DOMException('full', 'QuotaExceededError');
      },
    });
    resizePanel('left', 300);
    expect(frame().sizes).toEqual({ left: 300 });
  });
});

describe('what was kept', () => {
  test.each([undefined, '', 'x', 'null', '[]', '7', '{"sizes":7,"folded":"left"}', '{"sizes":[],"folded":{}}'])(
    'is ignored if it is %s',
    (text) => {
      expect(parseFrame(text)).toEqual({ sizes: {}, folded: [] });
    },
  );

  test('is taken piece by piece', () => {
    expect(parseFrame('{"sizes":{"left":-1,"right":"5","details":200,"top":3},"folded":["right","top"]}')).toEqual({
      sizes: { details: 200 },
      folded: ['right'],
    });
  });
});
