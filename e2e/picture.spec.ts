// The picture as a person meets it: scrolling, measuring, fitting, touch.
import type { Page } from '@playwright/test';
import { plotLeft } from '../src/timeline/scene/layout.ts';
import { dropText, expect, holdBack, isOpened, test, visit } from './page.ts';

const timeline = (page: Page) => page.getByTestId('timeline');
const scroller = (page: Page) => page.getByTestId('timeline-scroll');

/** A host whose groups have an MSI window each, and its reserved lane expanded. */
async function openManyGroups(page: Page, count: number): Promise<void> {
  const lines = Array.from(
    { length: count },
    (_, i) =>
      `{"kind":"reserved","start":"0xfee00000","last":"0xfeefffff","type":"msi","origin":"sysfs","group":"${i}"}`,
  );
  const text = ['{"format":"iova-trace","version":1}', ...lines].join('\n');
  await dropText(page, [{ name: 'many.iova.jsonl', text }]);
  // The sample that it takes the place of has a lane of this name, too.
  await isOpened(page, 'many.iova.jsonl');
  const lane = page.getByRole('button', { name: 'reserved: one row per contributor' });
  await expect(lane).toBeVisible();
  await lane.click();
  await expect(lane).toHaveAttribute('aria-expanded', 'true');
}

test('a lane of 400 groups scrolls below the ruler, on a canvas of the size of the screen', async ({ app }) => {
  await openManyGroups(app, 400);
  await expect.poll(() => scroller(app).evaluate((e) => e.scrollHeight)).toBeGreaterThan(9000);
  const box = await timeline(app).locator('canvas').boundingBox();
  expect(box?.height).toBeLessThan(900);
  const area = await scroller(app).boundingBox();
  if (!area) throw new Error('no scroll area');
  await app.mouse.move(area.x + 30, area.y + area.height / 2);
  await app.mouse.wheel(0, 600);
  await expect.poll(() => scroller(app).evaluate((e) => e.scrollTop)).toBe(600);
  await app.mouse.move(area.x + area.width / 2, area.y + area.height / 2);
  await app.keyboard.down('Shift');
  await app.mouse.wheel(0, 400);
  await app.keyboard.up('Shift');
  await expect.poll(() => scroller(app).evaluate((e) => e.scrollTop)).toBe(1000);
  // The canvas and with it the ruler are still where they were.
  await expect.poll(async () => (await timeline(app).locator('canvas').boundingBox())?.y).toBe(area.y);
});

test('the address of the pointer is on the ruler; on the linear scale, 0 first fits the contents, then everything', async ({
  app,
}) => {
  const area = await scroller(app).boundingBox();
  if (!area) throw new Error('no scroll area');
  await app.mouse.move(area.x + area.width / 2, area.y + area.height / 2);
  const readout = app.getByTestId('readout');
  await expect(readout).toHaveText(/^0x/);
  const box = await readout.boundingBox();
  expect((box?.y ?? 0) - area.y).toBeLessThan(100);

  await app.getByText('linear', { exact: true }).click();
  const shown = app.getByTestId('minimap');
  await timeline(app).focus();
  await app.keyboard.press('0');
  await expect(shown).toHaveAttribute('aria-label', /to 0x1_[0-9a-f]{4}_[0-9a-f]{4}$/);
  await app.keyboard.press('0');
  await expect(shown).toHaveAttribute('aria-label', /to 0xffff_ffff_ffff_ffff$/);
  await app.keyboard.press('0');
  await expect(shown).toHaveAttribute('aria-label', /to 0x1_[0-9a-f]{4}_[0-9a-f]{4}$/);
});

test('measuring snaps to bounds and hides the tooltip; with Alt its ends are free', async ({ app }) => {
  const area = await scroller(app).boundingBox();
  if (!area) throw new Error('no scroll area');
  const canvas = await timeline(app).locator('canvas').boundingBox();
  const y = area.y + 130;
  const middle = area.x + area.width / 2;
  await app.mouse.move(middle, y);
  await app.keyboard.down('Shift');
  await app.mouse.down();
  // Three pixels beside the first address.
  await app.mouse.move(area.x + plotLeft(canvas?.width ?? 0) + 3, y, { steps: 4 });
  await expect(app.getByTestId('tooltip')).toBeHidden();
  await app.mouse.up();
  await app.keyboard.up('Shift');
  await app.keyboard.press('f');
  // The measurement begins exactly at address 0, some pixels from where the pointer was.
  await expect(app.getByTestId('minimap')).toHaveAttribute('aria-label', /Shown: 0x0 to/);
});

test('a measurement right after the first picture is not lost, while the rest of the page is still loading', async ({
  page,
}) => {
  const loadRest = await holdBack(page, '**/mouse-zoom-*.js');
  await visit(page, '/');
  const area = await timeline(page).locator('canvas').boundingBox();
  if (!area) throw new Error('no picture');
  const y = area.y + 130;
  await page.mouse.move(area.x + area.width / 2, y);
  await page.keyboard.down('Shift');
  await page.mouse.down();
  loadRest();
  await page.mouse.move(area.x + plotLeft(area.width) + 3, y, { steps: 4 });
  await expect(page.getByTestId('tooltip')).toBeHidden();
  await page.mouse.up();
  await page.keyboard.up('Shift');
  await page.keyboard.press('f');
  await expect(page.getByTestId('minimap')).toHaveAttribute('aria-label', /Shown: 0x0 to/);
});

test('no tooltip covers the picture while it is dragged', async ({ app }) => {
  const area = await timeline(app).locator('canvas').boundingBox();
  if (!area) throw new Error('no picture');
  const tooltip = app.getByTestId('tooltip');
  const [x, y] = [area.x + area.width / 2, area.y + 130];
  await app.mouse.move(x, y);
  await expect(tooltip).toBeVisible();
  await app.mouse.down();
  await app.mouse.move(x + 8, y, { steps: 3 });
  await expect(tooltip).toBeHidden();
  await expect(app.getByTestId('readout')).toBeVisible();
  await app.mouse.up();
  await app.mouse.move(x + 9, y);
  await expect(tooltip).toBeVisible();
});

test('f fits the conflict that is shown, with its surroundings', async ({ app }) => {
  await app.keyboard.press('c');
  await expect(app.getByTestId('conflicts').locator('.current')).toHaveCount(1);
  await app.keyboard.press('f');
  // The range is 0x3e2e_0000 – 0x3e2f_ffff.
  await expect(app.getByTestId('minimap')).toHaveAttribute(
    'aria-label',
    /Shown: 0x(?!3e2e)[0-9a-f_]+ to 0x(?!ffff_ffff_ffff)/,
  );
});
