import type { ThemeName } from '../../timeline/scene/theme.ts';
import { recall } from './local-store.ts';

export const THEME_KEY = 'iovascope-theme';

/** The system's color scheme; undefined outside a browser. */
export const darkQuery = () =>
  typeof matchMedia === 'undefined' ? undefined : matchMedia('(prefers-color-scheme: dark)');

/** The theme of the system; light outside a browser. */
export const systemTheme = (): ThemeName => (darkQuery()?.matches ? 'dark' : 'light');

/** The theme that was chosen before, if it differed from the system's. */
export function chosenTheme(): ThemeName | undefined {
  const stored = recall(THEME_KEY);
  return stored === 'light' || stored === 'dark' ? stored : undefined;
}
