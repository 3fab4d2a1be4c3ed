// Colors of the two themes, by the names that marks use: a painter resolves them and knows nothing else of a style.
import type { PatternTile } from './patterns.ts';
import { STYLE_NAMES, type StyleName } from './style-names.ts';
import { styleOf } from './styles.ts';
import type { Font } from './text-metrics.ts';

export type ThemeName = 'light' | 'dark';

/** How a style is painted in one theme. */
export interface Paint {
  readonly fill: string;
  readonly stroke: string;
  /** Color of the pattern's lines and dots. */
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
  | 'strip'
  | 'grid'
  | 'ground'
  | 'accent'
  | 'halo'
  | 'badge'
  | 'caution'
  | 'good';

/** What painters resolve names with: one of `THEMES`, `PRINT` for paper, or a `forcedTheme`. */
export interface Theme {
  readonly ink: Readonly<Record<InkName, string>>;
  readonly paint: Readonly<Record<StyleName, Paint>>;
}

function paintOf(name: StyleName, theme: ThemeName): Paint {
  const { [theme]: colors, tile, dash } = styleOf(name);
  const [fill, stroke, pattern] = colors;
  return { fill, stroke, pattern, ...(tile ? { tile } : {}), ...(dash ? { dash } : {}) };
}

/** A theme with a paint for every style. */
function themeOf(ink: Theme['ink'], paint: (style: StyleName) => Paint): Theme {
  // Every name has a value: the keys are those of the table of styles.
  return { ink, paint: Object.fromEntries(STYLE_NAMES.map((style) => [style, paint(style)])) as Theme['paint'] };
}

function theme(name: ThemeName, ink: Theme['ink']): Theme {
  return themeOf(ink, (style) => paintOf(style, name));
}

export const THEMES: Readonly<Record<ThemeName, Theme>> = {
  light: theme('light', {
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
  }),
  dark: theme('dark', {
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
  }),
};

/** For paper: white areas, told apart by outline and pattern; it is legible without color. */
export const PRINT: Theme = themeOf(
  {
    ...THEMES.light.ink,
    ink: '#000000',
    muted: '#333333',
    faint: '#555555',
    hairline: '#dddddd',
    grid: '#bbbbbb',
    halo: '#ffffff',
    badge: '#000000',
  },
  (style) => {
    const { stroke, pattern, ...rest } = paintOf(style, 'light');
    return { ...rest, stroke, pattern, fill: '#ffffff' };
  },
);

/** The colors that a system prescribes, as CSS colors. */
export interface SystemColors {
  readonly ground: string;
  readonly text: string;
  readonly dimmed: string;
  readonly highlight: string;
}

/** A theme of prescribed colors only: styles differ by pattern and dashes. */
export function forcedTheme({ ground, text, dimmed, highlight }: SystemColors): Theme {
  return themeOf(
    {
      ...{ ink: text, muted: text, badge: text, alarm: text, caution: text, good: text },
      ...{ ground, halo: ground, strip: ground, accent: highlight, faint: dimmed, hairline: dimmed, grid: dimmed },
    },
    (style) => ({ ...paintOf(style, 'light'), fill: ground, stroke: text, pattern: text }),
  );
}

/** How a font is written in CSS. */
export function cssFont(font: Font): { readonly weight: '' | '600'; readonly family: string } {
  const isMono = font === 'mono' || font === 'mono-bold';
  return { weight: font === 'bold' || font === 'mono-bold' ? '600' : '', family: isMono ? MONO_STACK : SANS_STACK };
}

/** Opacity of a wash over what is below it. */
export const WASH_OPACITY = 0.12;

/** Of badges. */
export const SANS_STACK = 'system-ui, "DejaVu Sans", sans-serif';
const MONO_STACK = 'ui-monospace, "DejaVu Sans Mono", monospace';
