import type { ThemeName } from '../../timeline/scene/theme.ts';
import { useApp } from './app-state.ts';
import { darkQuery, systemTheme, THEME_KEY } from './initial-theme.ts';
import { forget, remember } from './local-store.ts';

/**
 * Switches the theme and remembers it for the next visit. Whoever switches back to the system's theme has chosen nothing:
 * the page then follows the system again.
 */
export function setTheme(theme: ThemeName): void {
  const isSystemTheme = theme === systemTheme();
  if (isSystemTheme) forget(THEME_KEY);
  else remember(THEME_KEY, theme);
  useApp.setState({ theme, isSystemTheme });
}

/** Changes the theme with that of the system, unless one was chosen, here or by a link. */
export function followSystemTheme(): void {
  darkQuery()?.addEventListener('change', () => {
    if (useApp.getState().isSystemTheme) useApp.setState({ theme: systemTheme() });
  });
}
