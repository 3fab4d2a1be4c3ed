import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_MAX, IOVA_SPACE } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import { foldScale, linearScale, logScale, type Scale, segmentAt, toAddress, toWorld, unitsPerByte } from './scale.ts';
import {
  addressAt,
  boundsInView,
  fitAll,
  fitRange,
  pan,
  pixelOf,
  pixelOfEdge,
  pixelSpanOf,
  resize,
  visibleRange,
  worldAt,
  zoomAt,
} from './viewport.ts';

const corners = [0n, 1n << 12n, 0xfee00000n, 1n << 32n, 1n << 39n, 1n << 53n, 1n << 63n, IOVA_MAX];
const address = fc.oneof(
  fc.bigInt(0n, IOVA_MAX),
  fc
    .tuple(fc.constantFrom(...corners), fc.bigInt(-3n, 3n))
    .map(([base, delta]) => base + delta)
    .filter((a) => a >= 0n && a <= IOVA_MAX),
);
const scale: fc.Arbitrary<Scale> = fc.oneof(
  fc.constant(linearScale()),
  fc.constant(logScale()),
  fc.array(address, { maxLength: 40 }).map((edges) => foldScale({ edges, isOccupied: (s) => s % 3n === 0n })),
);

describe('scales', () => {
  test('every address comes back from its world position', () => {
    fc.assert(
      fc.property(scale, address, (s, a) => {
        expect(toAddress(s, toWorld(s, a))).toBe(a);
      }),
    );
  });

  test('the world position before the next edge still belongs to the byte', () => {
    fc.assert(
      fc.property(scale, address, (s, a) => {
        expect(toAddress(s, toWorld(s, a + 1n) - 1n)).toBe(a);
      }),
    );
  });

  test('world positions grow strictly with the edge, from 0 to the length', () => {
    fc.assert(
      fc.property(scale, address, address, (s, a, b) => {
        if (a < b) expect(toWorld(s, a)).toBeLessThan(toWorld(s, b));
        expect(toWorld(s, 0n)).toBe(0n);
        expect(toWorld(s, IOVA_SPACE)).toBe(s.length);
      }),
    );
  });

  test('positions outside give the first and the last address', () => {
    const s = linearScale();
    expect(toAddress(s, -1n)).toBe(0n);
    expect(toAddress(s, s.length)).toBe(IOVA_MAX);
  });

  test('fold gives every edge a segment of its own and marks long empty stretches as torn', () => {
    const s = foldScale({ edges: [0xfee00000n, 0xfef00000n], isOccupied: (start) => start === 0xfee00000n });
    expect(s.segments.map((x) => [x.start, x.end, x.isAxisBreak])).toEqual([
      [0n, 0xfee00000n, true],
      [0xfee00000n, 0xfef00000n, false],
      [0xfef00000n, IOVA_SPACE, true],
    ]);
    expect(segmentAt(s, 0xfeefffffn)).toBe(1);
    expect(segmentAt(s, IOVA_SPACE)).toBe(2);
  });
});

describe('viewport', () => {
  const width = 1100;

  test('zooming in to the bytes and out again leaves the address under the cursor unchanged', () => {
    fc.assert(
      fc.property(scale, fc.integer({ min: 0, max: width - 1 }), fc.integer({ min: 1, max: 60 }), (s, x, steps) => {
        const all = fitAll(s, width);
        const under = addressAt(all, s, x);
        let view = all;
        for (let i = 0; i < steps; i++) {
          view = zoomAt(s, view, x, 2);
          expect(addressAt(view, s, x)).toBe(under);
        }
        for (let i = 0; i < steps + 3; i++) {
          view = zoomAt(s, view, x, 0.5);
          expect(addressAt(view, s, x)).toBe(under);
        }
        expect(pixelOfEdge(view, s, 0n)).toBeCloseTo(0, 5);
        expect(pixelOfEdge(view, s, IOVA_SPACE)).toBeCloseTo(width, 5);
      }),
    );
  });

  test('the deepest zoom tells neighbouring bytes apart anywhere in the space', () => {
    fc.assert(
      fc.property(scale, address, (s, a) => {
        const view = fitRange(s, range(a, a), width);
        const middle = (pixelOfEdge(view, s, a) + pixelOfEdge(view, s, a + 1n)) / 2;
        expect(addressAt(view, s, middle)).toBe(a);
        expect(pixelOfEdge(view, s, a + 1n) - pixelOfEdge(view, s, a)).toBeGreaterThan(1);
      }),
    );
  });

  test('a fitted range is wholly visible', () => {
    fc.assert(
      fc.property(scale, address, address, (s, a, b) => {
        const r = a <= b ? range(a, b) : range(b, a);
        const seen = visibleRange(fitRange(s, r, width), s);
        expect(seen.start <= r.start && seen.last >= r.last).toBe(true);
      }),
    );
  });

  test('panning never leaves the axis, and there and back is where it was', () => {
    fc.assert(
      fc.property(scale, address, fc.integer({ min: -5000, max: 5000 }), (s, a, pixels) => {
        const view = zoomAt(s, fitAll(s, width), 300, 1000);
        const moved = pan(s, view, pixels);
        expect(pixelOfEdge(moved, s, 0n)).toBeLessThanOrEqual(1e-6);
        expect(pixelOfEdge(moved, s, IOVA_SPACE)).toBeGreaterThanOrEqual(width - 1e-6);
        expect(a).toBeGreaterThanOrEqual(0n);
      }),
    );
  });

  test('a new width keeps everything visible if everything was', () => {
    const s = linearScale();
    expect(resize(s, fitAll(s, 1100), 700)).toEqual(fitAll(s, 700));
    const zoomed = zoomAt(s, fitAll(s, 1100), 0, 8);
    expect(addressAt(resize(s, zoomed, 700), s, 0)).toBe(addressAt(zoomed, s, 0));
  });
});

describe('stretches', () => {
  const span = fc.tuple(address, address).map(([a, b]) => (a < b ? range(a, b) : range(b, a)));
  const width = fc.integer({ min: 80, max: 2400 });
  const isInside = ({ x0, x1 }: { x0: number; x1: number }, w: number) => x0 >= 0 && x1 <= w && x1 - x0 > 0.999;

  test('with everything in the window, everything has at least a pixel, also the last byte', () => {
    const anything = fc.oneof(
      span,
      address.map((a) => range(a, a)),
      fc.constant(range(IOVA_MAX, IOVA_MAX)),
    );
    fc.assert(
      fc.property(scale, anything, width, (s, r, w) => {
        const span = pixelSpanOf(fitAll(s, w), s, r.start, r.last);
        expect(span && isInside(span, w)).toBe(true);
      }),
      { numRuns: 500 },
    );
  });

  test('in a window: what is in it has at least a pixel, what is not has none', () => {
    fc.assert(
      fc.property(scale, span, span, width, (s, window, r, w) => {
        const view = fitRange(s, window, w);
        const span = pixelSpanOf(view, s, r.start, r.last);
        const seen = visibleRange(view, s);
        const isSeen = r.start <= seen.last && seen.start <= r.last;
        if (span) expect([isSeen, isInside(span, w)]).toEqual([true, true]);
        const [from, to] = [pixelOfEdge(view, s, r.start), pixelOfEdge(view, s, r.last + 1n)];
        if (!span) expect(from > w || to < 1).toBe(true);
      }),
      { numRuns: 500 },
    );
  });
});

describe('exact views', () => {
  const s = linearScale();
  const BYTE = unitsPerByte(s, 0n);
  const all = fitAll(s, 1000);
  const quarter = IOVA_SPACE / 4n;

  test('everything fits exactly', () => {
    expect(all).toEqual({ anchor: 0n, anchorPixel: 0, unitsPerPixel: Number(s.length) / 1000, width: 1000 });
    expect([pixelOf(all, 0n), pixelOf(all, s.length / 2n), worldAt(all, 500)]).toEqual([0, 500, s.length / 2n]);
    expect(fitAll(s, 0).unitsPerPixel).toBe(Number(s.length));
  });

  test('a fitted range has a margin on both sides, 8 % of the width by default', () => {
    const r = range(quarter, 2n * quarter - 1n);
    const view = fitRange(s, r, 1000);
    expect([pixelOfEdge(view, s, r.start), pixelOfEdge(view, s, r.last + 1n)]).toEqual([80, expect.closeTo(920, 6)]);
    const exact = fitRange(s, r, 1000, 0);
    expect([pixelOfEdge(exact, s, r.start), pixelOfEdge(exact, s, r.last + 1n)]).toEqual([0, expect.closeTo(1000, 6)]);
  });

  test('a fitted range at an end of the space has no empty margin there', () => {
    const low = fitRange(s, range(0n, quarter - 1n), 1000);
    expect(pixelOfEdge(low, s, 0n)).toBe(0);
    const high = fitRange(s, range(3n * quarter, IOVA_MAX), 1000);
    expect(pixelOfEdge(high, s, IOVA_SPACE)).toBeCloseTo(1000, 6);
    expect(fitRange(s, range(0n, IOVA_MAX), 1000).unitsPerPixel).toBe(all.unitsPerPixel);
  });

  test('zooming keeps the pixel, and changes the scale by the factor', () => {
    const view = zoomAt(s, all, 400, 8);
    expect(view).toMatchObject({ anchorPixel: 400, unitsPerPixel: all.unitsPerPixel / 8 });
    expect(worldAt(view, 400)).toBe(worldAt(all, 400));
    expect(zoomAt(s, view, 400, 2).anchor).toBe(view.anchor);
  });

  test('zooming ends at 64 pixels for a byte, and at everything', () => {
    const deepest = zoomAt(s, all, 400, 1e30);
    expect(BYTE / deepest.unitsPerPixel).toBe(64);
    expect(zoomAt(s, deepest, 400, 2).unitsPerPixel).toBe(deepest.unitsPerPixel);
    expect(zoomAt(s, deepest, 400, 1e-40)).toMatchObject({
      unitsPerPixel: all.unitsPerPixel,
      anchorPixel: expect.any(Number),
    });
    expect(zoomAt(s, all, 400, 0.5)).toMatchObject({ unitsPerPixel: all.unitsPerPixel });
  });

  test('panning stops at both ends', () => {
    const view = zoomAt(s, all, 500, 4);
    expect(pixelOfEdge(pan(s, view, 10), s, 2n * quarter) - pixelOfEdge(view, s, 2n * quarter)).toBe(10);
    expect(pan(s, view, 1e9)).toMatchObject({ anchor: 0n, anchorPixel: 0 });
    expect(pan(s, view, -1e9)).toMatchObject({ anchor: s.length, anchorPixel: 1000 });
  });

  test('an address is under every pixel of its byte', () => {
    const view = { anchor: 0n, anchorPixel: 0, unitsPerPixel: BYTE / 10, width: 1000 };
    expect([0, 9.9, 10, 19.9, 20].map((pixel) => addressAt(view, s, pixel))).toEqual([0n, 0n, 1n, 1n, 2n]);
    expect(visibleRange(view, s)).toEqual({ start: 0n, last: 100n });
  });

  test('spans end at the borders of the plot, and are at least a pixel wide', () => {
    const view = { anchor: toWorld(s, 100n), anchorPixel: 0, unitsPerPixel: BYTE, width: 1000 };
    const span = (start: bigint, last: bigint) => {
      const found = pixelSpanOf(view, s, start, last);
      return found && [found.x0, found.x1];
    };
    expect(span(100n, 109n)).toEqual([0, 10]);
    expect(span(50n, 109n)).toEqual([0, 10]);
    expect(span(1050n, 2000n)).toEqual([950, 1000]);
    expect(span(50n, 99n)).toBeUndefined();
    expect(span(50n, 100n)).toEqual([0, 1]);
    expect(span(1101n, 1101n)).toBeUndefined();
    expect(span(1099n, 1099n)).toEqual([999, 1000]);
    const far = { ...view, unitsPerPixel: BYTE * 100 };
    const tiny = pixelSpanOf(far, s, 50_100n, 50_100n);
    expect([tiny?.x0, tiny?.x1]).toEqual([500, 501]);
  });

  test('another width keeps the left edge, the scale, and everything if everything was shown', () => {
    const view = zoomAt(s, all, 0, 4);
    expect(resize(s, view, 600)).toEqual({ ...view, width: 600 });
    expect(resize(s, { ...all, unitsPerPixel: all.unitsPerPixel * 0.9995 }, 600)).toEqual(fitAll(s, 600));
    expect(resize(s, { ...all, unitsPerPixel: all.unitsPerPixel * 0.99 }, 600)).not.toEqual(fitAll(s, 600));
    expect(resize(s, view, 10_000).unitsPerPixel).toBeLessThan(view.unitsPerPixel);
  });
});

test('the right edge of the whole space is its last byte, at every width, also after zooming in there', () => {
  fc.assert(
    fc.property(scale, fc.integer({ min: 200, max: 4000 }), fc.integer({ min: 1, max: 60 }), (s, width, steps) => {
      let view = fitAll(s, width);
      expect(addressAt(view, s, width)).toBe(IOVA_MAX);
      for (let i = 0; i < steps; i++) view = zoomAt(s, view, width, 2);
      expect(addressAt(view, s, width)).toBe(IOVA_MAX);
    }),
  );
});

describe('the range in view, for links', () => {
  test('is the range that was fitted, on whole addresses', () => {
    for (const s of [
      linearScale(),
      logScale(),
      foldScale({ edges: [0xfee00000n, 0xfef00000n], isOccupied: () => true }),
    ]) {
      for (const [start, last] of [
        [0n, 0x2ffffn],
        [0x1000n, 0x100fn],
        [0xfee00000n, 0xfeefffffn],
        [0n, 0xffffffffn],
        [IOVA_MAX - 0xfffn, IOVA_MAX],
        [0n, IOVA_MAX],
      ] as const) {
        for (const width of [320, 923, 1440]) {
          expect(boundsInView(fitRange(s, range(start, last), width, 0), s)).toEqual({ start, last });
        }
      }
    }
  });

  test('is exact where a double can tell its bytes apart, and otherwise off by no visible part of a pixel', () => {
    fc.assert(
      fc.property(
        scale,
        address,
        fc.bigInt(0n, 1n << 40n),
        fc.integer({ min: 100, max: 3000 }),
        (s, a, more, width) => {
          const r = range(a, a + more > IOVA_MAX ? IOVA_MAX : a + more);
          const view = fitRange(s, r, width, 0);
          const read = boundsInView(view, s);
          if (s.kind !== 'fold' && more > 1n << 8n) expect(read).toEqual(r);
          expect(pixelOfEdge(view, s, read.start)).toBeLessThan(1e-6);
          expect(pixelOfEdge(view, s, read.last + 1n)).toBeGreaterThan(view.width - 1e-6);
        },
      ),
    );
  });
});
