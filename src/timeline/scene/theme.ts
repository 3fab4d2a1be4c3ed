// Colors of the two themes, by the names that marks use: a painter resolves them and knows nothing else of a style.
import type { PatternTile } from './patterns.ts';
import { STYLE_NAMES, type StyleName, styleOf } from './styles.ts';

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

function paintOf(name: StyleName, theme: ThemeName): Paint {
  const { [theme]: colors, tile, dash } = styleOf(name);
  const [fill, stroke, pattern] = colors;
  return { fill, stroke, pattern, ...(tile ? { tile } : {}), ...(dash ? { dash } : {}) };
}

function theme(name: ThemeName, ink: Theme['ink']): Theme {
  const paint = Object.fromEntries(STYLE_NAMES.map((style) => [style, paintOf(style, name)]));
  return { name, ink, paint: paint as Record<StyleName, Paint> };
}

export const THEMES: Readonly<Record<ThemeName, Theme>> = {
  light: theme('light', {
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
  }),
  dark: theme('dark', {
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
  }),
};

/** Opacity of a wash over what is below it. */
export const WASH_OPACITY = 0.12;

export const SANS_STACK = 'system-ui, "DejaVu Sans", sans-serif';
export const MONO_STACK = 'ui-monospace, "DejaVu Sans Mono", monospace';
