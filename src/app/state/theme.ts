import type { ThemeName } from '../../timeline/scene/theme.ts';
import { useApp } from './app-state.ts';
import { THEME_KEY } from './initial-theme.ts';
import { remember } from './local-store.ts';

/** Switches the theme and remembers it for the next visit. */
export function setTheme(theme: ThemeName): void {
  remember(THEME_KEY, theme);
  useApp.setState({ theme });
}
