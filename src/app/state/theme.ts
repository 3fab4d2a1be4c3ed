import type { ThemeName } from '../../timeline/scene/theme.ts';
import { useApp } from './app-state.ts';
import { THEME_KEY } from './initial-theme.ts';

/** Switches the theme and remembers it for the next visit. */
export function setTheme(theme: ThemeName): void {
  localStorage.setItem(THEME_KEY, theme);
  useApp.setState({ theme });
}
