import type { ThemeName } from '../../timeline/scene/theme.ts';
import { useApp } from './app-state.ts';
import { darkQuery, systemTheme, THEME_KEY } from './initial-theme.ts';
import { forget, remember } from './local-store.ts';

/**
 * Switches the theme and remembers it for the next visit. Switching back to the system's theme counts as no choice: the page
 * then follows the system again.
 */
export function setTheme(theme: ThemeName): void {
  const isSystemTheme = theme === systemTheme();
  if (isSystemTheme) forget(THEME_KEY);
  else remember(THEME_KEY, theme);
  useApp.setState({ theme, isSystemTheme });
}

/** Changes the theme when the system's changes, unless one was chosen, here or by a link. */
export function followSystemTheme(): void {
  darkQuery()?.addEventListener('change', () => {
    if (useApp.getState().isSystemTheme) useApp.setState({ theme: systemTheme() });
  });
}
