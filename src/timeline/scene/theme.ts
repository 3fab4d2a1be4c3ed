// Colors of the two themes, by the names that marks use: a painter resolves them and knows nothing else of a style.
import type { PatternTile } from './patterns.ts';
import { STYLE_NAMES, type StyleName } from './style-names.ts';
import { styleOf } from './styles.ts';
import type { Font } from './text-metrics.ts';
import {
  FORCED_INKS,
  INKS,
  type Inks,
  MONO_STACK,
  SANS_STACK,
  type SYSTEM_COLORS,
  type ThemeName,
  TYPE_COLORS,
} from './tokens.ts';

export type { InkName, ThemeName } from './tokens.ts';

/** How a style is painted in one theme. */
export interface Paint {
  readonly fill: string;
  readonly stroke: string;
  /** Color of the pattern's lines and dots. */
  readonly pattern: string;
  readonly tile?: PatternTile;
  readonly dash?: readonly number[];
}

/** What painters resolve names with: one of `THEMES`, `PRINT` for paper, or a `forcedTheme`. */
export interface Theme {
  readonly ink: Inks;
  readonly paint: Readonly<Record<StyleName, Paint>>;
  /** Width in pixels of the line around letters that covers what is below them. */
  readonly haloWidth: number;
}

function paintOf(name: StyleName, theme: ThemeName): Paint {
  const { tile, dash } = styleOf(name);
  const [fill, stroke, pattern] = TYPE_COLORS[name][theme];
  return { fill, stroke, pattern, ...(tile ? { tile } : {}), ...(dash ? { dash } : {}) };
}

/** A theme with a paint for every style. */
function themeOf(ink: Theme['ink'], paint: (style: StyleName) => Paint, haloWidth = 3): Theme {
  const paints = Object.fromEntries(STYLE_NAMES.map((style) => [style, paint(style)]));
  // Every name has a value: the keys are those of the table of styles.
  return { ink, paint: paints as Theme['paint'], haloWidth };
}

function theme(name: ThemeName): Theme {
  return themeOf(INKS[name], (style) => paintOf(style, name));
}

export const THEMES: Readonly<Record<ThemeName, Theme>> = {
  light: theme('light'),
  dark: theme('dark'),
};

/** For paper: white areas, told apart by outline and pattern; it is legible without color. */
export const PRINT: Theme = themeOf(INKS.print, (style) => ({ ...paintOf(style, 'light'), fill: INKS.print.ground }));

/** The colors that a system prescribes, as CSS colors. */
export type SystemColors = Readonly<Record<keyof typeof SYSTEM_COLORS, string>>;

/** A theme of prescribed colors only: styles differ by pattern and dashes. */
export function forcedTheme(colors: SystemColors): Theme {
  const ink = Object.entries(FORCED_INKS).map(([name, color]) => [name, colors[color]]);
  const { ground, text } = colors;
  return themeOf(
    // Every ink has a color: the keys are those of the table.
    Object.fromEntries(ink) as Theme['ink'],
    (style) => ({ ...paintOf(style, 'light'), fill: ground, stroke: text, pattern: text }),
    // The lines of patterns have the color of the letters: between those there must be none.
    7,
  );
}

/** How a font is written in CSS. */
export function cssFont(font: Font): { readonly weight: '' | '600'; readonly family: string } {
  const isMono = font === 'mono' || font === 'mono-bold';
  return { weight: font === 'bold' || font === 'mono-bold' ? '600' : '', family: isMono ? MONO_STACK : SANS_STACK };
}
