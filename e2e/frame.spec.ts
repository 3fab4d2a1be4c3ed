// The frame of the page: panels beside each other or in one column, their sizes, storage, focus.
import type { BrowserContext, Locator, Page } from '@playwright/test';
import { dropText, expect, holdBack, isOpened, test, visit } from './page.ts';

const timeline = (page: Page) => page.getByTestId('timeline');
const panel = (page: Page, name: 'left' | 'right' | 'details') => page.locator(`#panel-${name}`);
const splitter = (page: Page, name: RegExp) => page.getByRole('separator', { name });

/** In whole pixels. */
async function boxOf(locator: Locator) {
  const box = await locator.boundingBox();
  if (!box) throw new Error('not visible');
  const { x, y, width, height } = box;
  return { x: Math.round(x), y: Math.round(y), width: Math.round(width), height: Math.round(height) };
}

/** A log of a host with many groups, with a line that cannot be read at its end. */
function manyGroups(count: number): string {
  const groups = Array.from(
    { length: count },
    (_, i) => `root@elm:~# cat /sys/kernel/iommu_groups/${i}/reserved_regions\n0xfee00000 0xfeefffff msi\n`,
  );
  return `${groups.join('')}\n0x10 0x5 direct\n`;
}

/** What of the page is scrolled although only its panels may be. */
function scrolledFrame(page: Page) {
  return page.evaluate(() => {
    const frame = [
      document.documentElement,
      document.body,
      ...document.querySelectorAll('#root, .app, .screen, .middle'),
    ];
    return frame.flatMap(({ tagName, className, scrollTop, scrollLeft }) =>
      scrollTop === 0 && scrollLeft === 0 ? [] : [`${tagName} ${className}: ${scrollTop}, ${scrollLeft}`],
    );
  });
}

test('at any size of a wide window only panels scroll', async ({ app }) => {
  await dropText(app, [{ name: 'groups.log', text: manyGroups(60) }]);
  await isOpened(app, 'elm');
  for (const [width, height] of [
    [1025, 600],
    [1280, 800],
    [1920, 1080],
  ] as const) {
    await test.step(`${width} × ${height}`, async () => {
      await app.setViewportSize({ width, height });
      for (const name of ['Text', 'Events', 'Fit', 'Hosts', 'Models', 'Buffer', 'Diagnostics', 'Table']) {
        await app.getByRole('tab', { name }).click();
        await expect(app.getByRole('tabpanel', { name })).toBeVisible();
        expect(await scrolledFrame(app)).toEqual([]);
      }
      // To the last line of a text, and to a group far down in the tree.
      await app.getByRole('tab', { name: 'Text' }).click();
      await app.getByTestId('source-text').getByRole('row').first().focus();
      await app.keyboard.press('End');
      await app.locator('#panel-left [role=row]').last().focus();
      await app.keyboard.press('End');
      expect(await scrolledFrame(app)).toEqual([]);
      // What a script asks for, too: each element of the page, at the top and at the bottom.
      await app.evaluate(() => {
        for (const element of document.querySelectorAll('#root *')) {
          element.scrollIntoView();
          element.scrollIntoView({ block: 'end' });
        }
        scrollTo(0, 1000);
      });
      expect(await scrolledFrame(app)).toEqual([]);
      expect((await boxOf(app.locator('.toolbar'))).y).toBe(0);
    });
  }
});

test('panels are resized with the mouse and the keyboard, and keep their sizes', async ({ app }) => {
  const left = panel(app, 'left');
  const usual = (await boxOf(left)).width;
  const edge = splitter(app, /left panel/);
  await expect(edge).toHaveAttribute('aria-valuenow', /^[1-9]/);
  const handle = await boxOf(edge);
  await app.mouse.move(handle.x + 3, handle.y + 300);
  await app.mouse.down();
  await app.mouse.move(handle.x + 63, handle.y + 320, { steps: 5 });
  await app.mouse.up();
  await expect.poll(async () => (await boxOf(left)).width).toBe(usual + 60);
  await edge.focus();
  await app.keyboard.press('ArrowLeft');
  await expect.poll(async () => (await boxOf(left)).width).toBe(usual + 44);

  const details = panel(app, 'details');
  const height = (await boxOf(details)).height;
  await splitter(app, /details/).focus();
  await app.keyboard.press('ArrowUp');
  await expect.poll(async () => (await boxOf(details)).height).toBe(height + 16);
  await splitter(app, /right panel/).focus();
  const right = (await boxOf(panel(app, 'right'))).width;
  await app.keyboard.press('ArrowLeft');
  await expect.poll(async () => (await boxOf(panel(app, 'right'))).width).toBe(right + 16);

  await app.reload();
  await expect.poll(async () => (await boxOf(left)).width).toBe(usual + 44);
  await expect.poll(async () => (await boxOf(details)).height).toBe(height + 16);
  await edge.dblclick();
  await expect.poll(async () => (await boxOf(left)).width).toBe(usual);
});

test('a panel keeps a useful size and leaves room for the picture', async ({ app }) => {
  const edge = splitter(app, /left panel/);
  const handle = await boxOf(edge);
  await app.mouse.move(handle.x + 3, handle.y + 300);
  await app.mouse.down();
  await app.mouse.move(handle.x + 1100, handle.y + 300, { steps: 5 });
  await expect.poll(async () => (await boxOf(timeline(app))).width).toBeGreaterThan(300);
  await app.mouse.move(handle.x - 100, handle.y + 300, { steps: 5 });
  await expect.poll(async () => (await boxOf(panel(app, 'left'))).width).toBe(180);
  // Dragged to the edge it is folded away, and comes back when it is dragged out again.
  await app.mouse.move(2, handle.y + 300, { steps: 5 });
  await expect(panel(app, 'left')).toBeHidden();
  await app.mouse.move(240, handle.y + 300, { steps: 5 });
  await expect(panel(app, 'left')).toBeVisible();
  await app.mouse.up();
});

test('panels fold away by button, by key and at their edge, and the next visit remembers it', async ({ app }) => {
  const button = app.getByRole('button', { name: 'Left panel' });
  const width = (await boxOf(timeline(app))).width;
  await expect(button).toHaveAttribute('aria-expanded', 'true');
  await button.click();
  await expect(panel(app, 'left')).toBeHidden();
  await expect(button).toHaveAttribute('aria-expanded', 'false');
  await expect.poll(async () => (await boxOf(timeline(app))).width).toBeGreaterThan(width + 200);
  await app.keyboard.press('i');
  await expect(panel(app, 'right')).toBeHidden();
  await splitter(app, /details/).press('Enter');
  await expect(panel(app, 'details')).toBeHidden();
  await expect(splitter(app, /details/)).toHaveAttribute('aria-valuenow', '0');

  await app.reload();
  await expect(timeline(app)).toBeVisible();
  for (const name of ['left', 'right', 'details'] as const) await expect(panel(app, name)).toBeHidden();
  await splitter(app, /details/).press('Enter');
  await expect(panel(app, 'details')).toBeVisible();
  await app.keyboard.press('b');
  await expect(panel(app, 'details')).toBeHidden();
  await app.keyboard.press('l');
  await app.keyboard.press('i');
  await expect(panel(app, 'left')).toBeVisible();
  await expect(panel(app, 'right')).toBeVisible();
});

test('the picture is as high as it needs to be, the details take the rest', async ({ app }) => {
  await app.setViewportSize({ width: 1440, height: 1000 });
  const canvas = timeline(app).locator('canvas');
  await expect.poll(async () => (await boxOf(panel(app, 'details'))).y - (await boxOf(canvas)).y).toBeLessThan(420);
  const gap = async () => {
    const picture = await boxOf(canvas);
    return (await boxOf(panel(app, 'details'))).y - (picture.y + picture.height);
  };
  await expect.poll(gap).toBeLessThan(20);
  // In a low window both get their share.
  await app.setViewportSize({ width: 1440, height: 600 });
  await expect.poll(async () => (await boxOf(panel(app, 'details'))).height).toBeGreaterThanOrEqual(120);
  await expect.poll(async () => (await boxOf(app.getByTestId('timeline-scroll'))).height).toBeGreaterThanOrEqual(120);
});

/** Blocks of the page that must be below each other in one column. */
const BLOCKS = '.toolbar, [data-testid=answer], .placed, .minimap, .timeline-box, .right, .left, .details';

test('in a narrow or low window the page is one column, and nothing covers anything', async ({ app }) => {
  await dropText(app, [{ name: 'groups.log', text: manyGroups(12) }]);
  await isOpened(app, 'elm');
  for (const [width, height] of [
    [360, 640],
    [640, 400],
    [768, 1024],
    [1024, 768],
    [1280, 560],
  ] as const) {
    await test.step(`${width} × ${height}`, async () => {
      await app.setViewportSize({ width, height });
      await app.evaluate(() => scrollTo(0, 0));
      await app.getByRole('tab', { name: 'Table' }).click();
      await app.evaluate(() => scrollTo(0, 0));
      const overlaps = () =>
        app.evaluate((selector) => {
          const boxes = [...document.querySelectorAll(selector)]
            .map((element) => ({ name: element.className, box: element.getBoundingClientRect() }))
            .filter(({ box }) => box.height > 0)
            .sort((a, b) => a.box.top - b.box.top);
          return boxes.flatMap(({ name, box }, i) => {
            const next = boxes[i + 1];
            const problems = next && next.box.top < box.bottom - 0.5 ? [`${name} covers ${next.name}`] : [];
            return box.left < 0 || box.right > innerWidth
              ? [...problems, `${name} is wider than the window`]
              : problems;
          });
        }, BLOCKS);
      await expect.poll(overlaps).toEqual([]);
      const scrolls = () =>
        app.evaluate(() => {
          const { scrollHeight, scrollWidth, clientHeight, clientWidth } = document.documentElement;
          return { down: scrollHeight > clientHeight, across: scrollWidth > clientWidth };
        });
      // The panels below the picture are loaded after it.
      await expect.poll(scrolls).toEqual({ down: true, across: false });
      await expect(app.getByRole('separator', { name: /panel|details/ })).toHaveCount(0);
      // The answer and the picture come first, and the end can be reached.
      expect((await boxOf(app.getByTestId('answer'))).y).toBeLessThan((await boxOf(panel(app, 'left'))).y);
      await app.getByRole('tab', { name: 'Diagnostics' }).click();
      await app.evaluate(() => scrollTo(0, document.documentElement.scrollHeight));
      await expect(app.getByRole('tabpanel')).toBeInViewport();
      // What was folded in a wide window is still here.
      await app.keyboard.press('l');
      await expect(panel(app, 'left')).toBeVisible();
    });
  }
});

test.describe('on a phone', () => {
  test.use({ viewport: { width: 360, height: 640 }, hasTouch: true, ownContext: true });

  async function swipe(context: BrowserContext, page: Page, from: { x: number; y: number }, dx: number, dy: number) {
    const session = await context.newCDPSession(page);
    const touch = (type: 'touchStart' | 'touchMove' | 'touchEnd', share: number) =>
      session.send('Input.dispatchTouchEvent', {
        type,
        touchPoints: type === 'touchEnd' ? [] : [{ x: from.x + dx * share, y: from.y + dy * share }],
      });
    await touch('touchStart', 0);
    for (let i = 1; i <= 10; i++) await touch('touchMove', i / 10);
    await touch('touchEnd', 1);
  }

  test('a finger on picture or overview scrolls the page up and down, and moves the picture sideways', async ({
    app,
  }) => {
    const context = app.context();
    const shown = await app.getByTestId('minimap').getAttribute('aria-label');
    const overview = await boxOf(app.getByTestId('minimap'));
    await swipe(context, app, { x: overview.x + 200, y: overview.y + 15 }, 0, -120);
    await expect.poll(() => app.evaluate(() => scrollY)).toBeGreaterThan(60);
    expect(await app.getByTestId('minimap').getAttribute('aria-label')).toBe(shown);
    await app.evaluate(() => scrollTo(0, 0));
    const box = await boxOf(timeline(app));
    const start = { x: box.x + 220, y: box.y + 150 };
    await swipe(context, app, start, 0, -120);
    await expect.poll(() => app.evaluate(() => scrollY)).toBeGreaterThan(60);
    expect(await app.getByTestId('minimap').getAttribute('aria-label')).toBe(shown);
    await app.evaluate(() => scrollTo(0, 0));
    await app.getByTestId('timeline').focus();
    await app.keyboard.press('ArrowUp');
    await expect(app.getByTestId('minimap')).not.toHaveAttribute('aria-label', shown ?? '');
    const zoomed = await app.getByTestId('minimap').getAttribute('aria-label');
    const now = await boxOf(timeline(app));
    await swipe(context, app, { x: now.x + 220, y: now.y + 150 }, -80, 0);
    await expect(app.getByTestId('minimap')).not.toHaveAttribute('aria-label', zoomed ?? '');
  });
});

test('everything works where the browser allows no storage', async ({ page }) => {
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('console', (message) => {
    if (message.type() === 'error') complaints.push(message.text());
  });
  await page.addInitScript(() => {
    const refuse = () => {
      throw new DOMException('Access is denied for this document.', 'SecurityError');
    };
    for (const name of ['localStorage', 'sessionStorage', 'indexedDB']) {
      Object.defineProperty(window, name, { get: refuse });
    }
  });
  await visit(page, '/');
  await page.getByRole('button', { name: 'Dark theme' }).click();
  await expect(page.locator(':root')).toHaveAttribute('data-theme', 'dark');
  await dropText(page, [{ name: 'groups.log', text: manyGroups(3) }]);
  await isOpened(page, 'elm');
  await page.getByRole('button', { name: 'Details' }).click();
  await expect(panel(page, 'details')).toBeHidden();
  await splitter(page, /left panel/).press('ArrowRight');
  await expect(page.getByRole('status')).toContainText('does not allow storage');
  expect(complaints).toEqual([]);
});

/** Opens the page with its menus held back. */
async function openWithoutMenus(page: Page): Promise<() => void> {
  const release = await holdBack(page, '**/menus-*.js');
  await visit(page, '/');
  return release;
}

test.describe('the button of a menu that is being loaded', () => {
  test('keeps the focus', async ({ page }) => {
    const release = await openWithoutMenus(page);
    const button = page.getByRole('button', { name: 'Open' });
    await button.focus();
    // The rest of the page has come meanwhile.
    await expect(page.getByRole('tab', { name: 'Table' })).toBeVisible();
    await expect(button).toBeFocused();
    release();
    await expect(page.locator('.toolbar button[data-rac]').first()).toBeVisible();
    await expect(button).toBeFocused();
    await page.keyboard.press('Enter');
    await expect(page.getByRole('menu')).toBeVisible();
    await page.keyboard.press('Escape');
    await expect(page.getByRole('menu')).toBeHidden();
    await expect(button).toBeFocused();
  });

  test('opens its menu when that is there, and gets the focus back', async ({ page }) => {
    const release = await openWithoutMenus(page);
    const button = page.getByRole('button', { name: 'Open' });
    await button.focus();
    await page.keyboard.press('Enter');
    release();
    await expect(page.getByRole('menu', { name: 'Open' })).toBeVisible();
    await page.keyboard.press('ArrowDown');
    await expect(page.getByRole('menuitem').and(page.locator(':focus'))).toHaveCount(1);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('menu')).toBeHidden();
    await expect(button).toBeFocused();
  });
});

test('Export opens its dialog while menus are still being loaded, and gets the focus back', async ({ page }) => {
  const release = await openWithoutMenus(page);
  const button = page.getByRole('button', { name: 'Export' });
  await button.focus();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog', { name: 'Export' })).toBeVisible();
  release();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toBeHidden();
  await expect(button).toBeFocused();
});
