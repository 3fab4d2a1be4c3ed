// The table of styles: how a range can look, one row each; their names are in style-names.ts, which is all that lanes need. A style is a meaning ("an MSI window"), not a color:
// the lanes choose it, the legend names it, the painters draw it. Its colors are in tokens.ts.
import { carets, cross, diagonal, dots, falling, grid, horizontal, type PatternTile, vertical } from './patterns.ts';
import type { StyleName } from './style-names.ts';

interface Style {
  /** In the legend, and where a range has no caption of its own. */
  readonly label: string;
  readonly tile?: PatternTile;
  /** Dashes of the outline; solid if left out. */
  readonly dash?: readonly number[];
}

const STYLES: Readonly<Record<StyleName, Style>> = {
  aperture: {
    label: 'aperture',
  },
  beyond: {
    label: 'outside the aperture',
    tile: dots(5, 0.8),
  },
  unknown: {
    label: 'unknown',
    tile: diagonal(14, 0.8),
    dash: [4, 3],
  },
  msi: {
    label: 'MSI window',
    tile: diagonal(8, 2.6),
  },
  direct: {
    label: 'direct (blocks assignment)',
    tile: cross(7),
  },
  'direct-relaxable': {
    label: 'direct-relaxable',
    tile: dots(6, 1.1),
    dash: [3, 2],
  },
  reserved: {
    label: 'reserved',
    tile: horizontal(5),
  },
  'reserved-other': {
    label: 'reserved, unknown type',
    tile: vertical(5),
    dash: [2, 2],
  },
  doorbell: {
    label: 'MSI doorbell page',
    tile: diagonal(4, 1.2),
  },
  'doorbell-outside': {
    label: 'MSI target outside the MSI windows',
    tile: cross(5),
  },
  'window-ram': {
    label: 'host RAM',
    tile: horizontal(12),
  },
  'window-pci': {
    label: 'host PCI window',
    tile: diagonal(6, 1),
  },
  'window-reserved': {
    label: 'reserved by host firmware',
    tile: grid(6),
  },
  'window-other': {
    label: 'other host range',
    tile: dots(7, 0.8),
  },
  bar: {
    label: 'device BAR',
    tile: vertical(4),
  },
  'guest-ram': {
    label: 'guest RAM',
    tile: falling(10, 0.7),
  },
  'guest-device': {
    label: 'guest device memory',
    tile: vertical(8),
  },
  'guest-io': {
    label: 'guest I/O, not mapped',
    tile: dots(6, 0.9),
    dash: [2, 3],
  },
  allowed: {
    label: 'allowed',
    dash: [8, 3],
  },
  area: {
    label: 'area, read/write',
    tile: grid(14),
  },
  'area-read-only': {
    label: 'area, read-only',
    tile: vertical(6),
  },
  'area-write-only': {
    label: 'area, write-only',
    tile: horizontal(6),
  },
  'area-no-access': {
    label: 'area, no access',
    tile: cross(9),
  },
  mapping: {
    label: 'mapping (from dump)',
    tile: falling(6, 0.6),
  },
  'mapping-unsure': {
    label: 'mapping, unknown domain',
    tile: diagonal(10, 0.9),
    dash: [4, 2],
  },
  'request-refused': {
    label: 'refused request',
    tile: falling(8, 1.2),
  },
  fault: {
    label: 'fault',
    tile: carets(6),
  },
  kept: {
    label: 'free, but kept in a cache',
    tile: dots(4, 0.9),
    dash: [3, 3],
  },
  cursor: {
    label: 'allocator cursor',
    tile: vertical(3),
  },
  hole: {
    label: 'hole',
    dash: [5, 3],
  },
  usable: {
    label: 'usable',
    tile: falling(18, 0.7),
  },
  reported: {
    label: 'valid range (reported by the kernel)',
    tile: dots(8, 0.9),
  },
  note: {
    label: 'note',
    tile: horizontal(9),
    dash: [1, 2],
  },
  differs: {
    label: 'differs between models or versions',
    tile: carets(9),
  },
  several: {
    label: 'multiple ranges (zoom in)',
    tile: diagonal(5, 1.2),
  },
  counted: {
    label: 'earlier maps, only counted',
    tile: dots(5, 1.1),
  },
};

export function styleOf(name: StyleName): Style {
  return STYLES[name];
}
