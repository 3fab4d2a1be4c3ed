// Colours and patterns. A style is a meaning ("an MSI window"), a pattern tells it apart without colour, and a palette
// gives both for a light or a dark ground. The painters know styles by name only.

export const STYLE_NAMES = [
  'aperture',
  'beyond',
  'unknown',
  'msi',
  'direct',
  'direct-relaxable',
  'reserved',
  'reserved-other',
  'doorbell',
  'doorbell-outside',
  'window-ram',
  'window-pci',
  'window-reserved',
  'window-other',
  'bar',
  'guest-ram',
  'guest-device',
  'guest-io',
  'allowed',
  'area',
  'area-read-only',
  'area-write-only',
  'area-no-access',
  'mapping',
  'mapping-unsure',
  'request-refused',
  'fault',
  'hole',
  'usable',
  'reported',
  'several',
] as const;
export type StyleName = (typeof STYLE_NAMES)[number];

export function styleIndex(name: StyleName): number {
  return STYLE_NAMES.indexOf(name);
}

export type ThemeName = 'light' | 'dark';

/** One repeat of a pattern: lines and dots on a square of `size` pixels; what leaves on one side enters on the other. */
export interface PatternTile {
  readonly size: number;
  readonly lines: readonly (readonly [x1: number, y1: number, x2: number, y2: number])[];
  readonly dots: readonly (readonly [x: number, y: number, radius: number])[];
  readonly lineWidth: number;
}

const diagonal = (size: number, lineWidth: number): PatternTile => ({
  size,
  lineWidth,
  lines: [
    [-2, 2, 2, -2],
    [-2, size + 2, size + 2, -2],
    [size - 2, size + 2, size + 2, size - 2],
  ],
  dots: [],
});
const cross = (size: number): PatternTile => ({
  size,
  lineWidth: 0.9,
  lines: [
    [0, 0, size, size],
    [size, 0, 0, size],
  ],
  dots: [],
});
const dots = (size: number, radius: number): PatternTile => ({
  size,
  lineWidth: 0,
  lines: [],
  dots: [[size / 2, size / 2, radius]],
});
const horizontal = (size: number): PatternTile => ({
  size,
  lineWidth: 1.2,
  lines: [[0, size / 2, size, size / 2]],
  dots: [],
});
const vertical = (size: number): PatternTile => ({
  size,
  lineWidth: 1.2,
  lines: [[size / 2, 0, size / 2, size]],
  dots: [],
});

const TILES: Partial<Record<StyleName, PatternTile>> = {
  beyond: dots(5, 0.8),
  unknown: diagonal(14, 0.8),
  msi: diagonal(8, 2.6),
  direct: cross(7),
  'direct-relaxable': dots(6, 1.1),
  reserved: horizontal(5),
  'reserved-other': vertical(5),
  'doorbell-outside': cross(6),
  'window-pci': diagonal(6, 1),
  'window-reserved': horizontal(5),
  'window-other': dots(7, 0.8),
  bar: vertical(4),
  'guest-device': vertical(5),
  'guest-io': dots(6, 0.9),
  'mapping-unsure': diagonal(10, 0.9),
  'request-refused': cross(6),
  'area-read-only': vertical(6),
  'area-write-only': horizontal(6),
  'area-no-access': cross(9),
  reported: dots(8, 0.9),
  several: diagonal(5, 1.2),
};

/** Dashes of the outline; solid where there is none. */
const DASHES: Partial<Record<StyleName, readonly number[]>> = {
  unknown: [4, 3],
  'direct-relaxable': [3, 2],
  'reserved-other': [2, 2],
  hole: [5, 3],
  allowed: [8, 3],
  'guest-io': [2, 3],
  'mapping-unsure': [4, 2],
};

export interface Paint {
  readonly fill: string;
  readonly stroke: string;
  /** Colour of the pattern's lines and dots. */
  readonly pattern: string;
  readonly tile?: PatternTile;
  readonly dash?: readonly number[];
}

export type InkName =
  | 'alarm'
  | 'ink'
  | 'muted'
  | 'faint'
  | 'hairline'
  | 'grid'
  | 'ground'
  | 'accent'
  | 'halo'
  | 'badge';

interface Theme {
  readonly name: ThemeName;
  readonly ink: Readonly<Record<InkName, string>>;
  readonly paint: Readonly<Record<StyleName, Paint>>;
}

type Triple = readonly [fill: string, stroke: string, pattern: string];

function theme(name: ThemeName, ink: Theme['ink'], colours: Readonly<Record<StyleName, Triple>>): Theme {
  const paint = Object.fromEntries(
    STYLE_NAMES.map((style): [StyleName, Paint] => {
      const [fill, stroke, pattern] = colours[style];
      const tile = TILES[style];
      const dash = DASHES[style];
      return [style, { fill, stroke, pattern, ...(tile ? { tile } : {}), ...(dash ? { dash } : {}) }];
    }),
  ) as Record<StyleName, Paint>;
  return { name, ink, paint };
}

export const THEMES: Readonly<Record<ThemeName, Theme>> = {
  light: theme(
    'light',
    {
      ink: '#1b2430',
      muted: '#566274',
      faint: '#8a96a6',
      hairline: '#e8ecf1',
      grid: '#d9dfe6',
      ground: '#ffffff',
      accent: '#0b62c4',
      alarm: '#b3261e',
      halo: '#ffffffd9',
      badge: '#1b2430',
    },
    {
      aperture: ['#eaf1f8', '#a9bbcf', '#a9bbcf'],
      beyond: ['#f2f3f5', '#c3c9d1', '#a5adb8'],
      unknown: ['#f7f7f4', '#a3a69c', '#d5d6cf'],
      msi: ['#fff3c4', '#a87900', '#e6ad14'],
      direct: ['#ecd9f4', '#74338f', '#a565c0'],
      'direct-relaxable': ['#f7eefb', '#8546a0', '#a565c0'],
      reserved: ['#e3e6ea', '#5d6673', '#aab2bd'],
      'reserved-other': ['#ece8e0', '#6f6551', '#b9ad96'],
      doorbell: ['#f2c94c', '#7a5800', '#7a5800'],
      'doorbell-outside': ['#fbdcd8', '#b3261e', '#e57368'],
      'window-ram': ['#e9edf4', '#6b7b94', '#6b7b94'],
      'window-pci': ['#e6f0ea', '#4c7f66', '#9cc3ae'],
      'window-reserved': ['#e3e6ea', '#5d6673', '#aab2bd'],
      'window-other': ['#f1f2f4', '#8a94a1', '#b3bac4'],
      bar: ['#d5efe2', '#2c7a56', '#7dbb9c'],
      'guest-ram': ['#fbd9bd', '#b45309', '#b45309'],
      'guest-device': ['#fdecd9', '#b45309', '#e6a063'],
      'guest-io': ['#fbf6f0', '#a37a52', '#d8bd9f'],
      allowed: ['#e3f4f4', '#23807f', '#23807f'],
      area: ['#9fd3ee', '#1f76a1', '#1f76a1'],
      'area-read-only': ['#cfe8f6', '#1f76a1', '#7fbbd9'],
      'area-write-only': ['#cfe8f6', '#1f76a1', '#7fbbd9'],
      'area-no-access': ['#e9f1f5', '#1f76a1', '#a8c6d5'],
      mapping: ['#b9d7f5', '#2a62a8', '#2a62a8'],
      'mapping-unsure': ['#dceafb', '#2a62a8', '#93b6e0'],
      'request-refused': ['#fbdcd8', '#b3261e', '#e57368'],
      fault: ['#b3261e', '#b3261e', '#b3261e'],
      hole: ['#ffffff', '#8a96a6', '#8a96a6'],
      usable: ['#dcf1e0', '#5da06d', '#5da06d'],
      reported: ['#dcf1e0', '#2f7a45', '#6fb380'],
      several: ['#eef0f2', '#3f4854', '#7c8794'],
    },
  ),
  dark: theme(
    'dark',
    {
      ink: '#e7ecf3',
      muted: '#a6b2c2',
      faint: '#79879a',
      hairline: '#232c38',
      grid: '#303b49',
      ground: '#121821',
      accent: '#6cb2ff',
      alarm: '#ff8a80',
      halo: '#121821d9',
      badge: '#e7ecf3',
    },
    {
      aperture: ['#1d2a3a', '#486079', '#486079'],
      beyond: ['#181e27', '#3a4553', '#4c5868'],
      unknown: ['#1d2024', '#6c7068', '#34382f'],
      msi: ['#3d3211', '#e0a92e', '#a67c17'],
      direct: ['#36224a', '#c78fe0', '#8d55a8'],
      'direct-relaxable': ['#251b30', '#b57fcd', '#8d55a8'],
      reserved: ['#2b323c', '#9aa5b3', '#56616f'],
      'reserved-other': ['#312c22', '#b7a685', '#695d45'],
      doorbell: ['#8a6a12', '#f5d06a', '#f5d06a'],
      'doorbell-outside': ['#4a1f1c', '#ff8a80', '#b3483f'],
      'window-ram': ['#212a37', '#8fa0ba', '#8fa0ba'],
      'window-pci': ['#1b2c24', '#7fb89a', '#3f6b55'],
      'window-reserved': ['#2b323c', '#9aa5b3', '#56616f'],
      'window-other': ['#1e242c', '#7b8796', '#48525f'],
      bar: ['#17352a', '#6fc79e', '#35795b'],
      'guest-ram': ['#573113', '#f2a65e', '#f2a65e'],
      'guest-device': ['#3a2613', '#f2a65e', '#8f5f2f'],
      'guest-io': ['#241d17', '#b08a66', '#5d4a37'],
      allowed: ['#10302f', '#4fb3b1', '#4fb3b1'],
      area: ['#1d5470', '#69bfe8', '#69bfe8'],
      'area-read-only': ['#163a4d', '#69bfe8', '#2f718f'],
      'area-write-only': ['#163a4d', '#69bfe8', '#2f718f'],
      'area-no-access': ['#17272f', '#69bfe8', '#28485a'],
      mapping: ['#1c3a61', '#7fb2f0', '#7fb2f0'],
      'mapping-unsure': ['#17293f', '#7fb2f0', '#385f8f'],
      'request-refused': ['#4a1f1c', '#ff8a80', '#b3483f'],
      fault: ['#ff8a80', '#ff8a80', '#ff8a80'],
      hole: ['#121821', '#79879a', '#79879a'],
      usable: ['#173522', '#5aa770', '#5aa770'],
      reported: ['#173522', '#79c78d', '#397a4b'],
      several: ['#20262e', '#c4ccd6', '#7c8794'],
    },
  ),
};

/** How much of a wash is seen over what lies below it. */
export const WASH_OPACITY = 0.12;

export const SANS_STACK = 'system-ui, "DejaVu Sans", sans-serif';
export const MONO_STACK = 'ui-monospace, "DejaVu Sans Mono", monospace';
