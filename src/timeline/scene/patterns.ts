// Patterns that distinguish styles without color.

/** One repeat of a pattern: lines and dots on a square of `size` pixels. It must continue seamlessly on every side. */
export interface PatternTile {
  readonly size: number;
  readonly lines: readonly (readonly [x1: number, y1: number, x2: number, y2: number])[];
  readonly dots: readonly (readonly [x: number, y: number, radius: number])[];
  readonly lineWidth: number;
}

export const diagonal = (size: number, lineWidth: number): PatternTile => ({
  size,
  lineWidth,
  lines: [
    [-2, 2, 2, -2],
    [-2, size + 2, size + 2, -2],
    [size - 2, size + 2, size + 2, size - 2],
  ],
  dots: [],
});
export const cross = (size: number): PatternTile => ({
  size,
  lineWidth: 0.9,
  lines: [
    [0, 0, size, size],
    [size, 0, 0, size],
  ],
  dots: [],
});
export const dots = (size: number, radius: number): PatternTile => ({
  size,
  lineWidth: 0,
  lines: [],
  dots: [[size / 2, size / 2, radius]],
});
export const horizontal = (size: number): PatternTile => ({
  size,
  lineWidth: 1.2,
  lines: [[0, size / 2, size, size / 2]],
  dots: [],
});
export const vertical = (size: number): PatternTile => ({
  size,
  lineWidth: 1.2,
  lines: [[size / 2, 0, size / 2, size]],
  dots: [],
});
/** Diagonals that fall from left to right. */
export const falling = (size: number, lineWidth: number): PatternTile => ({
  size,
  lineWidth,
  lines: [
    [-2, size - 2, 2, size + 2],
    [-2, -2, size + 2, size + 2],
    [size - 2, -2, size + 2, 2],
  ],
  dots: [],
});
export const grid = (size: number): PatternTile => ({
  size,
  lineWidth: 0.7,
  lines: [
    [0, size / 2, size, size / 2],
    [size / 2, 0, size / 2, size],
  ],
  dots: [],
});
/** Points that lead up, as the arrows of faults do. */
export const carets = (size: number): PatternTile => ({
  size,
  lineWidth: 1.4,
  lines: [
    [0, size * 0.75, size / 2, size * 0.25],
    [size / 2, size * 0.25, size, size * 0.75],
  ],
  dots: [],
});
