// The tokens of the look (src/timeline/scene/tokens.ts) as custom properties of the page: fills src/app/shell/tokens.css.
import { fileURLToPath } from 'node:url';
import { type Plugin, runnerImport } from 'vite';

type Tokens = typeof import('./src/timeline/scene/tokens.ts');

const TOKENS = fileURLToPath(new URL('src/timeline/scene/tokens.ts', import.meta.url));

/** The inks that the page has too. */
const PAGE_INKS = ['ground', 'ink', 'muted', 'accent', 'alarm', 'caution', 'good'] as const;

type Properties = Readonly<Record<string, string>>;

const block = (selector: string, properties: Properties): string =>
  `${selector} {\n${Object.entries(properties)
    .map(([name, value]) => `  ${name}: ${value};\n`)
    .join('')}}\n`;

const prefixed = (prefix: string, values: Readonly<Record<string, string | number>>, unit = ''): Properties =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [`--${prefix}${name}`, `${value}${unit}`]));

/** The style sheet: `:root` in light and dark, with prescribed colors, and on paper. */
export function tokensCss(tokens: Tokens): string {
  const { TEXT, SECOND, SPACES, CORNERS, SANS_STACK, MONO_STACK, INKS, FORCED_INKS, SYSTEM_COLORS, SURFACES } = tokens;
  const colors = (name: keyof typeof SURFACES): Properties => {
    const inks = PAGE_INKS.map((ink) => [
      `--${ink}`,
      name === 'forced' ? SYSTEM_COLORS[FORCED_INKS[ink]] : INKS[name][ink],
    ]);
    return { ...Object.fromEntries(inks), ...prefixed('', { ...SURFACES[name] }) };
  };
  const all = ':root,\n:root[data-theme="dark"]';
  return [
    block(':root', {
      ...prefixed('text-', TEXT, 'px'),
      '--text-second': `${SECOND}em`,
      ...prefixed('space-', Object.fromEntries(SPACES.map((space, i) => [i + 1, space])), 'px'),
      ...prefixed('corner-', CORNERS, 'px'),
      '--sans': SANS_STACK,
      '--mono': MONO_STACK,
      ...colors('light'),
      'color-scheme': 'light',
    }),
    block(':root[data-theme="dark"]', { ...colors('dark'), 'color-scheme': 'dark' }),
    // Colors that the system prescribes, whatever the theme: browsers keep those and replace all others.
    `@media (forced-colors: active) {\n${block(all, colors('forced'))}}\n`,
    `@media print {\n${block(all, { ...colors('print'), 'color-scheme': 'light' })}}\n`,
  ].join('');
}

/** Fills tokens.css, again after each edit of the tokens while the development server runs. */
export function tokens(): Plugin {
  return {
    name: 'tokens',
    enforce: 'pre',
    async transform(_code, id) {
      if (!/\/shell\/tokens\.css(?:\?|$)/.test(id)) return null;
      this.addWatchFile(TOKENS);
      const { module } = await runnerImport<Tokens>(TOKENS);
      return { code: tokensCss(module), map: null };
    },
  };
}
