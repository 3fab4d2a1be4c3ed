import type { ThemeName } from '../../timeline/scene/theme.ts';
import { recall } from './local-store.ts';

export const THEME_KEY = 'iovascope-theme';

/** What the system asks for; undefined where there is no browser. */
export const darkQuery = () =>
  typeof matchMedia === 'undefined' ? undefined : matchMedia('(prefers-color-scheme: dark)');

/** The theme of the system; light where there is no browser. */
export const systemTheme = (): ThemeName => (darkQuery()?.matches ? 'dark' : 'light');

/** The theme that was chosen before, if it was another one than the system's. */
export function chosenTheme(): ThemeName | undefined {
  const stored = recall(THEME_KEY);
  return stored === 'light' || stored === 'dark' ? stored : undefined;
}
