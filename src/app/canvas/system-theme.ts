// The theme to draw with: the chosen one, or the colors that the system prescribes.
import { forcedTheme, type Theme, type ThemeName } from '../../timeline/scene/theme.ts';
import { SYSTEM_COLORS } from '../../timeline/scene/tokens.ts';
import { darkQuery } from '../state/initial-theme.ts';

const FORCED = matchMedia('(forced-colors: active)');

/** A system color as a browser resolves it: a canvas that is not in the document may not know the prescribed one. */
function resolved(name: string): string {
  const probe = document.createElement('span');
  probe.style.color = name;
  probe.style.setProperty('forced-color-adjust', 'none');
  document.body.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

let prescribed: Theme | undefined;

/** The theme of the screen. */
export function screenTheme(chosen: ThemeName): Theme | ThemeName {
  if (!FORCED.matches) return chosen;
  prescribed ??= forcedTheme({
    ground: resolved(SYSTEM_COLORS.ground),
    text: resolved(SYSTEM_COLORS.text),
    dimmed: resolved(SYSTEM_COLORS.dimmed),
    highlight: resolved(SYSTEM_COLORS.highlight),
  });
  return prescribed;
}

/** Calls back when the prescribed colors begin, change or end, until the signal. */
export function onSystemTheme(changed: () => void, signal: AbortSignal): void {
  const onChange = () => {
    prescribed = undefined;
    changed();
  };
  // With another theme of the system, other colors are prescribed.
  for (const query of [FORCED, darkQuery()]) query?.addEventListener('change', onChange, { signal });
}
