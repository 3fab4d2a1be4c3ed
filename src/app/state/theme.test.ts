import { afterEach, expect, test, vi } from 'vitest';

/** A fresh page on a system with a dark or light theme that can change; with what was kept by earlier visits. */
async function pageOn(isDark: boolean, kept: Map<string, string> | undefined) {
  vi.resetModules();
  const query = Object.assign(new EventTarget(), { matches: isDark });
  vi.stubGlobal('matchMedia', () => query);
  vi.stubGlobal(
    'localStorage',
    kept && {
      getItem: (key: string) => kept.get(key) ?? null,
      setItem: (key: string, text: string) => kept.set(key, text),
      removeItem: (key: string) => kept.delete(key),
    },
  );
  const { useApp } = await import('./app-state.ts');
  const { followSystemTheme, setTheme } = await import('./theme.ts');
  const { applyView } = await import('./link-view.ts');
  followSystemTheme();
  return {
    theme: () => useApp.getState().theme,
    setTheme,
    applyView,
    becomes(isDarkNow: boolean) {
      query.matches = isDarkNow;
      query.dispatchEvent(new Event('change'));
    },
  };
}

afterEach(() => void vi.unstubAllGlobals());

test.each([
  ['kept', new Map<string, string>()],
  ['blocked', undefined],
])('follows the system until another theme is chosen, and again after a switch back (storage %s)', async (_, kept) => {
  const page = await pageOn(false, kept);
  expect(page.theme()).toBe('light');
  page.becomes(true);
  expect(page.theme()).toBe('dark');
  page.setTheme('light');
  page.becomes(false);
  page.becomes(true);
  expect(page.theme()).toBe('light');
  page.setTheme('dark');
  page.becomes(false);
  expect(page.theme()).toBe('light');
});

test('a chosen theme is that of the next visit; the system’s is not kept', async () => {
  const kept = new Map<string, string>();
  (await pageOn(false, kept)).setTheme('dark');
  const next = await pageOn(false, kept);
  expect(next.theme()).toBe('dark');
  next.becomes(true);
  next.becomes(false);
  expect(next.theme()).toBe('dark');
  next.setTheme('light');
  expect((await pageOn(true, kept)).theme()).toBe('dark');
});

test('the theme of a link stays, and is not kept', async () => {
  const kept = new Map<string, string>();
  const page = await pageOn(true, kept);
  await page.applyView({ theme: 'light' });
  page.becomes(false);
  page.becomes(true);
  expect(page.theme()).toBe('light');
  expect(kept.size).toBe(0);
});
