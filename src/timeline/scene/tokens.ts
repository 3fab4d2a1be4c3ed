// The look, in one place: type scale, spacing, corners, fonts, and every color of page and picture, in light, dark, on paper, and
// where the system prescribes colors. Painters import it; the page's style sheets have the same values as custom
// properties, which vite.tokens.ts writes. No other file has a color or a size of text (look.test.ts).
import type { StyleName } from './style-names.ts';

export type ThemeName = 'light' | 'dark';

/** Sizes of text in pixels. */
export const TEXT = {
  /** Badges, ticks, second lines of lanes. */
  tiny: 10,
  /** Legend, lists below the picture, small print of the page. */
  small: 11,
  /** Labels and titles in the picture; addresses and details in the page. */
  label: 12,
  /** The page. */
  body: 13,
  /** Answers, lessons. */
  large: 14,
  /** Headings. */
  title: 16,
  /** What is read from across a room, or is alone on a page. */
  display: 20,
} as const;

/** Size of second lines and of addresses in running text, relative to the text around them. */
export const SECOND = 0.92;

/** Distances in pixels, for padding, margins and gaps of the page: `--space-1` is the first. */
export const SPACES = [2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32] as const;

/** Radii of corners in pixels. */
export const CORNERS = { small: 4, medium: 6, large: 10 } as const;

export const SANS_STACK = 'system-ui, "DejaVu Sans", sans-serif';
export const MONO_STACK = 'ui-monospace, "DejaVu Sans Mono", monospace';

/** Opacity of a wash over what is below it. */
export const WASH_OPACITY = 0.12;

const LIGHT = {
  ink: '#1b2430',
  muted: '#566274',
  faint: '#8a96a6',
  hairline: '#e8ecf1',
  strip: '#e8ecf1',
  grid: '#d9dfe6',
  ground: '#ffffff',
  accent: '#0b62c4',
  alarm: '#b3261e',
  halo: '#ffffffd9',
  badge: '#1b2430',
  caution: '#7a5200',
  good: '#2f7a45',
};

export type InkName = keyof typeof LIGHT;
export type Inks = Readonly<Record<InkName, string>>;

/** Colors of lines and text in the picture; the page has them too. */
export const INKS: Readonly<Record<ThemeName | 'print', Inks>> = {
  light: LIGHT,
  dark: {
    ink: '#e7ecf3',
    muted: '#a6b2c2',
    faint: '#79879a',
    hairline: '#232c38',
    strip: '#232c38',
    grid: '#303b49',
    ground: '#121821',
    accent: '#6cb2ff',
    alarm: '#ff8a80',
    halo: '#121821d9',
    badge: '#e7ecf3',
    caution: '#f0c05a',
    good: '#79c78d',
  },
  print: {
    ...LIGHT,
    ink: '#000000',
    muted: '#333333',
    faint: '#555555',
    hairline: '#dddddd',
    grid: '#bbbbbb',
    halo: '#ffffff',
    badge: '#000000',
  },
};

/** The colors that a system prescribes, by their names in CSS. */
export const SYSTEM_COLORS = {
  ground: 'Canvas',
  text: 'CanvasText',
  dimmed: 'GrayText',
  highlight: 'Highlight',
} as const;

/** Which of them each ink becomes. */
export const FORCED_INKS: Readonly<Record<InkName, keyof typeof SYSTEM_COLORS>> = {
  ink: 'text',
  muted: 'text',
  faint: 'dimmed',
  hairline: 'dimmed',
  strip: 'ground',
  grid: 'dimmed',
  ground: 'ground',
  accent: 'highlight',
  alarm: 'text',
  halo: 'ground',
  badge: 'text',
  caution: 'text',
  good: 'text',
};

interface Surfaces {
  readonly panel: string;
  /** Borders. */
  readonly line: string;
  /** Text on the accent. */
  readonly 'accent-ink': string;
  readonly 'accent-soft': string;
  readonly 'alarm-soft': string;
  readonly shadow: string;
  /** Over the page, behind a dialog. */
  readonly backdrop: string;
  /** Over the page while nothing is shown to an audience. */
  readonly curtain: string;
}

/** What only the page has. */
export const SURFACES: Readonly<Record<ThemeName | 'print' | 'forced', Surfaces>> = {
  light: {
    panel: '#f6f8fa',
    line: LIGHT.grid,
    'accent-ink': '#ffffff',
    'accent-soft': '#e4effb',
    'alarm-soft': '#fdeceb',
    shadow: '0 6px 24px #1b243026',
    backdrop: '#00000088',
    curtain: '#000000',
  },
  dark: {
    panel: '#19212c',
    line: '#303b49',
    'accent-ink': '#0c1420',
    'accent-soft': '#1d3048',
    'alarm-soft': '#3b1d1c',
    shadow: '0 6px 24px #00000080',
    backdrop: '#00000088',
    curtain: '#000000',
  },
  print: {
    panel: '#ffffff',
    line: '#bbbbbb',
    'accent-ink': '#ffffff',
    'accent-soft': '#e4effb',
    'alarm-soft': '#fdeceb',
    shadow: 'none',
    backdrop: 'none',
    curtain: '#000000',
  },
  forced: {
    panel: 'Canvas',
    line: 'CanvasText',
    'accent-ink': 'HighlightText',
    'accent-soft': 'Canvas',
    'alarm-soft': 'Canvas',
    shadow: 'none',
    backdrop: '#00000088',
    curtain: '#000000',
  },
};

/** Colors as `#rrggbb`: of the area, of its outline, and of the lines and dots of its pattern. */
export type Colors = readonly [fill: string, stroke: string, pattern: string];

/** Colors of the types of ranges. Their patterns are in styles.ts: no type is told from another by color alone. */
export const TYPE_COLORS: Readonly<Record<StyleName, Readonly<Record<ThemeName, Colors>>>> = {
  aperture: {
    light: ['#eaf1f8', '#a9bbcf', '#a9bbcf'],
    dark: ['#1d2a3a', '#486079', '#486079'],
  },
  beyond: {
    light: ['#f2f3f5', '#c3c9d1', '#a5adb8'],
    dark: ['#181e27', '#3a4553', '#4c5868'],
  },
  unknown: {
    light: ['#f7f7f4', '#a3a69c', '#d5d6cf'],
    dark: ['#1d2024', '#6c7068', '#34382f'],
  },
  msi: {
    light: ['#fff3c4', '#a87900', '#e6ad14'],
    dark: ['#3d3211', '#e0a92e', '#a67c17'],
  },
  direct: {
    light: ['#ecd9f4', '#74338f', '#a565c0'],
    dark: ['#36224a', '#c78fe0', '#8d55a8'],
  },
  'direct-relaxable': {
    light: ['#f7eefb', '#8546a0', '#a565c0'],
    dark: ['#251b30', '#b57fcd', '#8d55a8'],
  },
  reserved: {
    light: ['#e3e6ea', '#5d6673', '#aab2bd'],
    dark: ['#2b323c', '#9aa5b3', '#56616f'],
  },
  'reserved-other': {
    light: ['#ece8e0', '#6f6551', '#b9ad96'],
    dark: ['#312c22', '#b7a685', '#695d45'],
  },
  doorbell: {
    light: ['#f2c94c', '#7a5800', '#b98f1c'],
    dark: ['#7d5f0f', '#f5d06a', '#c9a02f'],
  },
  'doorbell-outside': {
    light: ['#fbdcd8', '#b3261e', '#e57368'],
    dark: ['#4a1f1c', '#ff8a80', '#b3483f'],
  },
  'window-ram': {
    light: ['#e9edf4', '#6b7b94', '#cbd4e1'],
    dark: ['#212a37', '#8fa0ba', '#35445a'],
  },
  'window-pci': {
    light: ['#e6f0ea', '#4c7f66', '#9cc3ae'],
    dark: ['#1b2c24', '#7fb89a', '#3f6b55'],
  },
  'window-reserved': {
    light: ['#e3e6ea', '#5d6673', '#aab2bd'],
    dark: ['#2b323c', '#9aa5b3', '#56616f'],
  },
  'window-other': {
    light: ['#f1f2f4', '#8a94a1', '#b3bac4'],
    dark: ['#1e242c', '#7b8796', '#48525f'],
  },
  bar: {
    light: ['#d5efe2', '#2c7a56', '#7dbb9c'],
    dark: ['#17352a', '#6fc79e', '#35795b'],
  },
  'guest-ram': {
    light: ['#fbd9bd', '#b45309', '#eab487'],
    dark: ['#573113', '#f2a65e', '#7d4a20'],
  },
  'guest-device': {
    light: ['#fdecd9', '#b45309', '#e6a063'],
    dark: ['#3a2613', '#f2a65e', '#8f5f2f'],
  },
  'guest-io': {
    light: ['#fbf6f0', '#a37a52', '#d8bd9f'],
    dark: ['#241d17', '#b08a66', '#5d4a37'],
  },
  allowed: {
    light: ['#e3f4f4', '#23807f', '#23807f'],
    dark: ['#10302f', '#4fb3b1', '#4fb3b1'],
  },
  area: {
    light: ['#9fd3ee', '#1f76a1', '#84c0e0'],
    dark: ['#1d5470', '#69bfe8', '#2a6a8b'],
  },
  'area-read-only': {
    light: ['#cfe8f6', '#1f76a1', '#7fbbd9'],
    dark: ['#163a4d', '#69bfe8', '#2f718f'],
  },
  'area-write-only': {
    light: ['#cfe8f6', '#1f76a1', '#7fbbd9'],
    dark: ['#163a4d', '#69bfe8', '#2f718f'],
  },
  'area-no-access': {
    light: ['#e9f1f5', '#1f76a1', '#a8c6d5'],
    dark: ['#17272f', '#69bfe8', '#28485a'],
  },
  mapping: {
    light: ['#b9d7f5', '#2a62a8', '#98bfe8'],
    dark: ['#1c3a61', '#7fb2f0', '#2c527f'],
  },
  'mapping-unsure': {
    light: ['#dceafb', '#2a62a8', '#93b6e0'],
    dark: ['#17293f', '#7fb2f0', '#385f8f'],
  },
  'request-refused': {
    light: ['#fbdcd8', '#b3261e', '#e57368'],
    dark: ['#4a1f1c', '#ff8a80', '#b3483f'],
  },
  fault: {
    light: ['#fbdcd8', '#b3261e', '#b3261e'],
    dark: ['#4a1f1c', '#ff8a80', '#ff8a80'],
  },
  kept: {
    light: ['#eef6f9', '#5b8ba3', '#a9c7d6'],
    dark: ['#14242c', '#6f9fb6', '#2c4a58'],
  },
  cursor: {
    light: ['#d6e6f9', '#0b62c4', '#0b62c4'],
    dark: ['#16304f', '#6cb2ff', '#6cb2ff'],
  },
  hole: {
    light: ['#ffffff', '#8a96a6', '#8a96a6'],
    dark: ['#121821', '#79879a', '#79879a'],
  },
  usable: {
    light: ['#dcf1e0', '#5da06d', '#bfe0c6'],
    dark: ['#173522', '#5aa770', '#245034'],
  },
  reported: {
    light: ['#dcf1e0', '#2f7a45', '#6fb380'],
    dark: ['#173522', '#79c78d', '#397a4b'],
  },
  note: {
    light: ['#fffbe0', '#4a5a8a', '#c3cbe6'],
    dark: ['#23263a', '#a9b6e8', '#3d456b'],
  },
  differs: {
    light: ['#fbe0ef', '#a3195b', '#dc8fb6'],
    dark: ['#3f1730', '#ff8fc4', '#8c3a68'],
  },
  several: {
    light: ['#eef0f2', '#3f4854', '#7c8794'],
    dark: ['#20262e', '#c4ccd6', '#7c8794'],
  },
  counted: {
    light: ['#eef0f2', '#3f4854', '#7c8794'],
    dark: ['#20262e', '#c4ccd6', '#7c8794'],
  },
};
