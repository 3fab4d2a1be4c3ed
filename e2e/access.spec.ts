import type { Locator, Page } from '@playwright/test';
import { expect, pasteText, test, violations, violationsInBothThemes } from './page.ts';

// One look of axe takes seconds on a busy machine, and some tests take ten.
test.setTimeout(240_000);

/** A host with groups of two functions each, one of which cannot be assigned. */
function hostDump(host: string): string {
  const groups = Array.from({ length: 30 }, (_, i) => {
    const slot = i.toString(16).padStart(2, '0');
    const path = `/sys/kernel/iommu_groups/${i}`;
    return `${path}/devices/0000:${slot}:00.0\n${path}/devices/0000:${slot}:00.1\n${path}/reserved_regions:0xfee00000 0xfeefffff msi\n`;
  });
  const direct = '/sys/kernel/iommu_groups/3/reserved_regions:0x3f000000 0x3f7fffff direct\n';
  return `root@${host}:~# grep -r . /sys/kernel/iommu_groups\n${groups.join('')}${direct}`;
}

const FAILED =
  'qemu-system-aarch64: -device vfio-pci,host=0000:05:00.0: vfio 0000:05:00.0: failed to setup container for group 5: memory listener initialization failed: Region mach-virt.ram: vfio_dma_map(0x1, 0x40000000, 0x100000000, 0x7fb2a3e00000) = -22 (Invalid argument)\n';

/** The ground of the timeline, as a CSS color. */
function firstPixel(app: Page): Promise<string> {
  return app.getByTestId('timeline').evaluate((timeline) => {
    const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
    const canvas = timeline.querySelector('canvas');
    if (canvas) context?.drawImage(canvas, -1, -1);
    const [r, g, b] = context?.getImageData(0, 0, 1, 1).data ?? [];
    return `rgb(${r}, ${g}, ${b})`;
  });
}

test('axe finds nothing on the page', async ({ app }) => {
  await app.getByTestId('timeline').focus();
  await app.keyboard.press('n');
  await expect(app.getByTestId('start')).toBeVisible();
  expect(await violationsInBothThemes(app)).toEqual([]);
  // The picture follows the theme of the system, too.
  for (const theme of ['dark', 'light'] as const) {
    await app.emulateMedia({ colorScheme: theme });
    await expect(app.locator(':root')).toHaveAttribute('data-theme', theme);
    await expect
      .poll(() => firstPixel(app))
      .toEqual(await app.evaluate(() => getComputedStyle(document.body).backgroundColor));
  }
});

test('axe finds nothing in dialogs and menus', async ({ app }) => {
  const dialog = app.getByRole('dialog');
  await app.keyboard.press('?');
  await expect(dialog).toBeVisible();
  expect(await violationsInBothThemes(app)).toEqual([]);
  await expect(dialog).toBeVisible();
  await app.keyboard.press('Escape');
  await app.getByRole('button', { name: 'Open' }).click();
  await expect(app.getByRole('menu')).toBeVisible();
  expect(await violationsInBothThemes(app)).toEqual([]);
  await expect(app.getByRole('menu')).toBeVisible();
  await app.keyboard.press('Escape');
  for (const item of [/^Paste text/, /^Live host/]) {
    await app.getByRole('button', { name: 'Open' }).click();
    await app.getByRole('menuitem', { name: item }).click();
    await expect(dialog.getByRole('textbox')).toBeFocused();
    // What is typed enables the button, which then has other colors.
    await dialog.getByRole('textbox').fill('no address');
    expect(await violationsInBothThemes(app)).toEqual([]);
    await expect(dialog).toBeVisible();
    await app.keyboard.press('Escape');
    await expect(dialog).toBeHidden();
  }
});

test('axe finds nothing in the other tabs', async ({ app }) => {
  for (const tab of [/Events/, /Fit/, /Hosts/, /Models/, /Buffer/, /Text/, /Diagnostics/]) {
    await app.getByRole('tab', { name: tab }).click();
    expect(await violationsInBothThemes(app)).toEqual([]);
  }
});

test('axe finds nothing with messages, a guest that does not fit, and folded panels', async ({ app }) => {
  await app.evaluate(() => window.iovascope?.setGuest('q35:1T'));
  await expect(app.getByTestId('answer')).toHaveAttribute('data-severity', 'fatal');
  await app.keyboard.press('c');
  await pasteText(app, 'nothing that could be read');
  await expect(app.getByTestId('problem')).toBeVisible();
  expect(await violationsInBothThemes(app)).toEqual([]);
  for (const name of ['Left panel', 'Details', 'Right panel']) await app.getByRole('button', { name }).click();
  expect(await violationsInBothThemes(app)).toEqual([]);
  await app.getByRole('button', { name: 'Left panel' }).click();
  await app.evaluate(() => window.iovascope?.reset());
  await expect(app.getByTestId('empty-case')).toBeVisible();
  expect(await violationsInBothThemes(app)).toEqual([]);
});

test('axe finds nothing with several hosts, open lists and a request that failed', async ({ app }) => {
  for (const host of ['oak', 'elm', 'ash']) {
    await app.evaluate(
      ([data]) => window.iovascope?.open([{ name: 'groups.txt', data: data ?? '' }]),
      [hostDump(host)],
    );
  }
  // Of so many rows only those near the visible ones exist.
  expect(await app.evaluate(async () => (await window.iovascope?.hosts())?.length)).toBe(3);
  await pasteText(app, FAILED);
  await expect(app.getByTestId('answer')).toHaveAttribute('data-severity', 'fatal');
  await app.getByTestId('conflicts').getByRole('button').first().click();
  expect(await violationsInBothThemes(app)).toEqual([]);
  await app.getByRole('button', { name: 'Show the devices' }).click();
  await expect(app.getByRole('option').first()).toBeVisible();
  expect(await violationsInBothThemes(app, '.popover')).toEqual([]);
  await app.keyboard.press('Escape');
  await app.getByRole('combobox', { name: /^Find/ }).fill('fee00');
  await expect(app.getByRole('option').first()).toBeVisible();
  expect(await violationsInBothThemes(app, '.popover')).toEqual([]);
});

test('axe finds nothing in one column', async ({ app }) => {
  for (const size of [
    { width: 360, height: 640 },
    { width: 640, height: 400 },
    { width: 1024, height: 768 },
  ]) {
    await app.setViewportSize(size);
    expect(await violationsInBothThemes(app)).toEqual([]);
  }
  await app.getByRole('button', { name: 'Open' }).click();
  await expect(app.getByRole('menu')).toBeVisible();
  expect(await violationsInBothThemes(app)).toEqual([]);
  await expect(app.getByRole('menu')).toBeVisible();
});

test.describe('with the colors of the system', () => {
  test.use({ forcedColors: 'active', ownContext: true });

  test('axe finds nothing, and what is selected is visible', async ({ app }) => {
    expect(await violations(app)).toEqual([]);
    const colorsOf = (locator: Locator) =>
      locator.evaluate((element) => {
        const { backgroundColor, color } = getComputedStyle(element);
        return { backgroundColor, color };
      });
    const selected = {
      tab: app.getByRole('tab', { name: 'Table' }),
      scale: app.locator('.segment', { hasText: 'fold' }),
    };
    const other = { tab: app.getByRole('tab', { name: 'Events' }), scale: app.locator('.segment', { hasText: 'log' }) };
    expect(await colorsOf(selected.tab)).not.toEqual(await colorsOf(other.tab));
    expect(await colorsOf(selected.scale)).not.toEqual(await colorsOf(other.scale));
    await app.getByRole('button', { name: 'Left panel' }).focus();
    await app.keyboard.press('Tab');
    const outline = await app
      .getByRole('button', { name: 'Details' })
      .evaluate((e) => getComputedStyle(e).outlineStyle);
    expect(outline).toBe('solid');
  });
});

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

test('nothing is wider than the window', async ({ app }) => {
  for (const width of [420, 700, 1280, 1920]) {
    await test.step(`${width}`, async () => {
      await app.setViewportSize({ width, height: 800 });
      await expect
        .poll(() => app.evaluate(() => document.documentElement.scrollWidth <= document.documentElement.clientWidth))
        .toBe(true);
    });
  }
});
