import type { ThemeName } from '../../timeline/scene/theme.ts';
import { recall } from './local-store.ts';

export const THEME_KEY = 'iovascope-theme';

/** The theme that was chosen before, otherwise the system's; light where there is no browser. */
export function initialTheme(): ThemeName {
  if (typeof matchMedia === 'undefined') return 'light';
  const stored = recall(THEME_KEY);
  if (stored === 'light' || stored === 'dark') return stored;
  return matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light';
}
