import { expect, test, violations } from './page.ts';

for (const theme of ['light', 'dark'] as const) {
  test.describe(theme, () => {
    test.use({ colorScheme: theme });

    test(`axe finds nothing on the page (${theme})`, async ({ app }) => {
      await expect(app.locator(':root')).toHaveAttribute('data-theme', theme);
      await app.getByTestId('timeline').focus();
      await app.keyboard.press('n');
      await expect(app.getByTestId('start')).toBeVisible();
      expect(await violations(app)).toEqual([]);
    });

    test(`axe finds nothing in dialogs, menus and the other tabs (${theme})`, async ({ app }) => {
      await app.keyboard.press('?');
      await expect(app.getByRole('dialog')).toBeVisible();
      expect(await violations(app)).toEqual([]);
      await app.keyboard.press('Escape');
      await app.getByRole('button', { name: 'Open' }).click();
      await expect(app.getByRole('menu')).toBeVisible();
      expect(await violations(app)).toEqual([]);
      await app.keyboard.press('Escape');
      for (const tab of [/Events/, /Models/, /Buffer/, /Diagnostics/]) {
        await app.getByRole('tab', { name: tab }).click();
        expect(await violations(app)).toEqual([]);
      }
    });
  });
}

test('with the keyboard alone: a sample, a group, a lane, a range, the scale, the theme', async ({ app }) => {
  const tabTo = async (name: string) => {
    for (let i = 0; i < 60; i++) {
      await app.keyboard.press('Tab');
      const label = await app.evaluate(() => {
        const active = document.activeElement;
        return active?.getAttribute('aria-label') ?? active?.textContent ?? '';
      });
      if (label.startsWith(name)) return;
    }
    throw new Error(`the Tab key does not reach '${name}'`);
  };
  // The menu is loaded after the first picture.
  await expect(app.locator('.toolbar button[data-rac]').first()).toBeVisible();
  await tabTo('Open');
  await app.keyboard.press('Enter');
  await expect(app.getByRole('menu')).toBeVisible();
  await app.keyboard.press('End');
  await app.keyboard.press('ArrowUp');
  await app.keyboard.press('Enter');
  await expect(app.getByRole('treegrid')).toContainText('ARM host with its MSI window');
  await tabTo('fold');
  await app.keyboard.press('ArrowRight');
  await app.keyboard.press('Enter');
  await expect(app.getByRole('radio', { name: 'linear' })).toBeChecked();
  await tabTo('Dark theme');
  await app.keyboard.press('Enter');
  await expect(app.locator(':root')).toHaveAttribute('data-theme', 'dark');
  await tabTo('Timeline');
  await app.keyboard.press('n');
  await app.keyboard.press('n');
  await expect(app.getByTestId('start')).toHaveText('0x800_0000');
  await app.keyboard.press('f');
  await app.keyboard.press('ArrowDown');
  await app.keyboard.press('d');
  await expect(app.getByTestId('minimap')).not.toHaveAttribute('aria-label', /Shown: 0x0 to/);
  await app.keyboard.press('/');
  await expect(app.getByRole('combobox', { name: /^Find/ })).toBeFocused();
  await app.keyboard.type('0x8000abc');
  await expect(app.getByRole('option').first()).toBeVisible();
  await app.keyboard.press('ArrowDown');
  await app.keyboard.press('Enter');
  await expect(app.getByTestId('inspector')).toBeVisible();
});

for (const width of [420, 700, 1280, 1920]) {
  test(`nothing is wider than the window at ${width}`, async ({ app }) => {
    await app.setViewportSize({ width, height: 800 });
    await expect
      .poll(() => app.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth))
      .toBe(true);
  });
}
