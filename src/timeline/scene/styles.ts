// The table of styles: how a range can look, one row each; their names are in style-names.ts, which is all that lanes need. A style is a meaning ("an MSI window"), not a color:
// the lanes choose it, the legend names it, the painters draw it.
import { carets, cross, diagonal, dots, falling, grid, horizontal, type PatternTile, vertical } from './patterns.ts';
import type { StyleName } from './style-names.ts';

/** Colors as `#rrggbb`: of the area, of its outline, and of the lines and dots of its pattern. */
type Colors = readonly [fill: string, stroke: string, pattern: string];

interface Style {
  /** In the legend, and where a range has no caption of its own. */
  readonly label: string;
  readonly light: Colors;
  readonly dark: Colors;
  readonly tile?: PatternTile;
  /** Dashes of the outline; solid if left out. */
  readonly dash?: readonly number[];
}

const STYLES: Readonly<Record<StyleName, Style>> = {
  aperture: {
    label: 'aperture',
    light: ['#eaf1f8', '#a9bbcf', '#a9bbcf'],
    dark: ['#1d2a3a', '#486079', '#486079'],
  },
  beyond: {
    label: 'outside the aperture',
    light: ['#f2f3f5', '#c3c9d1', '#a5adb8'],
    dark: ['#181e27', '#3a4553', '#4c5868'],
    tile: dots(5, 0.8),
  },
  unknown: {
    label: 'unknown',
    light: ['#f7f7f4', '#a3a69c', '#d5d6cf'],
    dark: ['#1d2024', '#6c7068', '#34382f'],
    tile: diagonal(14, 0.8),
    dash: [4, 3],
  },
  msi: {
    label: 'MSI window',
    light: ['#fff3c4', '#a87900', '#e6ad14'],
    dark: ['#3d3211', '#e0a92e', '#a67c17'],
    tile: diagonal(8, 2.6),
  },
  direct: {
    label: 'direct (blocks assignment)',
    light: ['#ecd9f4', '#74338f', '#a565c0'],
    dark: ['#36224a', '#c78fe0', '#8d55a8'],
    tile: cross(7),
  },
  'direct-relaxable': {
    label: 'direct-relaxable',
    light: ['#f7eefb', '#8546a0', '#a565c0'],
    dark: ['#251b30', '#b57fcd', '#8d55a8'],
    tile: dots(6, 1.1),
    dash: [3, 2],
  },
  reserved: {
    label: 'reserved',
    light: ['#e3e6ea', '#5d6673', '#aab2bd'],
    dark: ['#2b323c', '#9aa5b3', '#56616f'],
    tile: horizontal(5),
  },
  'reserved-other': {
    label: 'reserved, unknown type',
    light: ['#ece8e0', '#6f6551', '#b9ad96'],
    dark: ['#312c22', '#b7a685', '#695d45'],
    tile: vertical(5),
    dash: [2, 2],
  },
  doorbell: {
    label: 'MSI doorbell page',
    light: ['#f2c94c', '#7a5800', '#b98f1c'],
    dark: ['#8a6a12', '#f5d06a', '#c9a02f'],
    tile: diagonal(4, 1.2),
  },
  'doorbell-outside': {
    label: 'MSI target outside the MSI windows',
    light: ['#fbdcd8', '#b3261e', '#e57368'],
    dark: ['#4a1f1c', '#ff8a80', '#b3483f'],
    tile: cross(5),
  },
  'window-ram': {
    label: 'host RAM',
    light: ['#e9edf4', '#6b7b94', '#cbd4e1'],
    dark: ['#212a37', '#8fa0ba', '#35445a'],
    tile: horizontal(12),
  },
  'window-pci': {
    label: 'host PCI window',
    light: ['#e6f0ea', '#4c7f66', '#9cc3ae'],
    dark: ['#1b2c24', '#7fb89a', '#3f6b55'],
    tile: diagonal(6, 1),
  },
  'window-reserved': {
    label: 'reserved by host firmware',
    light: ['#e3e6ea', '#5d6673', '#aab2bd'],
    dark: ['#2b323c', '#9aa5b3', '#56616f'],
    tile: grid(6),
  },
  'window-other': {
    label: 'other host range',
    light: ['#f1f2f4', '#8a94a1', '#b3bac4'],
    dark: ['#1e242c', '#7b8796', '#48525f'],
    tile: dots(7, 0.8),
  },
  bar: {
    label: 'device BAR',
    light: ['#d5efe2', '#2c7a56', '#7dbb9c'],
    dark: ['#17352a', '#6fc79e', '#35795b'],
    tile: vertical(4),
  },
  'guest-ram': {
    label: 'guest RAM',
    light: ['#fbd9bd', '#b45309', '#eab487'],
    dark: ['#573113', '#f2a65e', '#7d4a20'],
    tile: falling(10, 0.7),
  },
  'guest-device': {
    label: 'guest device memory',
    light: ['#fdecd9', '#b45309', '#e6a063'],
    dark: ['#3a2613', '#f2a65e', '#8f5f2f'],
    tile: vertical(8),
  },
  'guest-io': {
    label: 'guest I/O, not mapped',
    light: ['#fbf6f0', '#a37a52', '#d8bd9f'],
    dark: ['#241d17', '#b08a66', '#5d4a37'],
    tile: dots(6, 0.9),
    dash: [2, 3],
  },
  allowed: {
    label: 'allowed',
    light: ['#e3f4f4', '#23807f', '#23807f'],
    dark: ['#10302f', '#4fb3b1', '#4fb3b1'],
    dash: [8, 3],
  },
  area: {
    label: 'area, read/write',
    light: ['#9fd3ee', '#1f76a1', '#84c0e0'],
    dark: ['#1d5470', '#69bfe8', '#2a6a8b'],
    tile: grid(14),
  },
  'area-read-only': {
    label: 'area, read-only',
    light: ['#cfe8f6', '#1f76a1', '#7fbbd9'],
    dark: ['#163a4d', '#69bfe8', '#2f718f'],
    tile: vertical(6),
  },
  'area-write-only': {
    label: 'area, write-only',
    light: ['#cfe8f6', '#1f76a1', '#7fbbd9'],
    dark: ['#163a4d', '#69bfe8', '#2f718f'],
    tile: horizontal(6),
  },
  'area-no-access': {
    label: 'area, no access',
    light: ['#e9f1f5', '#1f76a1', '#a8c6d5'],
    dark: ['#17272f', '#69bfe8', '#28485a'],
    tile: cross(9),
  },
  mapping: {
    label: 'mapping (from dump)',
    light: ['#b9d7f5', '#2a62a8', '#98bfe8'],
    dark: ['#1c3a61', '#7fb2f0', '#2c527f'],
    tile: falling(6, 0.6),
  },
  'mapping-unsure': {
    label: 'mapping, unknown domain',
    light: ['#dceafb', '#2a62a8', '#93b6e0'],
    dark: ['#17293f', '#7fb2f0', '#385f8f'],
    tile: diagonal(10, 0.9),
    dash: [4, 2],
  },
  'request-refused': {
    label: 'refused request',
    light: ['#fbdcd8', '#b3261e', '#e57368'],
    dark: ['#4a1f1c', '#ff8a80', '#b3483f'],
    tile: falling(8, 1.2),
  },
  fault: {
    label: 'fault',
    light: ['#fbdcd8', '#b3261e', '#b3261e'],
    dark: ['#4a1f1c', '#ff8a80', '#ff8a80'],
    tile: carets(6),
  },
  kept: {
    label: 'free, but kept in a cache',
    light: ['#eef6f9', '#5b8ba3', '#a9c7d6'],
    dark: ['#14242c', '#6f9fb6', '#2c4a58'],
    tile: dots(4, 0.9),
    dash: [3, 3],
  },
  cursor: {
    label: 'allocator cursor',
    light: ['#d6e6f9', '#0b62c4', '#0b62c4'],
    dark: ['#16304f', '#6cb2ff', '#6cb2ff'],
    tile: vertical(3),
  },
  hole: {
    label: 'hole',
    light: ['#ffffff', '#8a96a6', '#8a96a6'],
    dark: ['#121821', '#79879a', '#79879a'],
    dash: [5, 3],
  },
  usable: {
    label: 'usable',
    light: ['#dcf1e0', '#5da06d', '#bfe0c6'],
    dark: ['#173522', '#5aa770', '#245034'],
    tile: falling(18, 0.7),
  },
  reported: {
    label: 'valid range (reported by the kernel)',
    light: ['#dcf1e0', '#2f7a45', '#6fb380'],
    dark: ['#173522', '#79c78d', '#397a4b'],
    tile: dots(8, 0.9),
  },
  note: {
    label: 'note',
    light: ['#fffbe0', '#4a5a8a', '#c3cbe6'],
    dark: ['#23263a', '#a9b6e8', '#3d456b'],
    tile: horizontal(9),
    dash: [1, 2],
  },
  differs: {
    label: 'differs between models or versions',
    light: ['#fbe0ef', '#a3195b', '#dc8fb6'],
    dark: ['#3f1730', '#ff8fc4', '#8c3a68'],
    tile: carets(9),
  },
  several: {
    label: 'multiple ranges (zoom in)',
    light: ['#eef0f2', '#3f4854', '#7c8794'],
    dark: ['#20262e', '#c4ccd6', '#7c8794'],
    tile: diagonal(5, 1.2),
  },
};

export function styleOf(name: StyleName): Style {
  return STYLES[name];
}
