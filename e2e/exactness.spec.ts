import type { Page } from '@playwright/test';
import { dragWithShift, expect, pasteText, rowOf, selectAllGroups, test } from './page.ts';

/** First and last address of the window, as the minimap says them. */
async function shownRange(page: Page): Promise<[bigint, bigint]> {
  const label = (await page.getByTestId('minimap').getAttribute('aria-label')) ?? '';
  const [from = 0n, to = 0n] = [...label.matchAll(/0x[0-9a-f_]+/g)].map((m) => BigInt(m[0].replaceAll('_', '')));
  return [from, to];
}

test('Shift measures; the inspector shows exact bounds; f fits the range, 0 shows everything again, n and p walk', async ({
  app,
}) => {
  const box = await app.getByTestId('timeline').boundingBox();
  if (!box) throw new Error('the timeline has no box');
  await dragWithShift(app, [box.x + 200, box.y + 130], [box.x + 420, box.y + 130]);
  await expect(app.getByTestId('measured-start')).toHaveText(/^0x/);
  await app.keyboard.press('Escape');
  await expect(app.getByTestId('measured-start')).toHaveCount(0);

  await rowOf(app, 'reserved', '0xfee0_0000', '0xfeef_ffff').getByRole('button').click();
  const inspector = app.getByTestId('inspector');
  await expect(inspector.getByTestId('start')).toHaveText('0xfee0_0000');
  await expect(inspector.getByTestId('last')).toHaveText('0xfeef_ffff');
  await expect(inspector.getByTestId('size')).toHaveText('1 MiB');
  await expect(inspector).toContainText('4,276,092,928');
  await expect(inspector).toContainText('groups-after.txt, line 1');

  await selectAllGroups(app);
  await rowOf(app, 'reserved', '0xfee0_0000', '0xfeef_ffff').getByRole('button').click();
  await app.getByTestId('timeline').focus();
  await app.keyboard.press('f');
  const minimap = app.getByTestId('minimap');
  await expect(minimap).not.toHaveAttribute('aria-label', /Shown: 0x0 to/);
  const [from, to] = await shownRange(app);
  expect(from).toBeLessThanOrEqual(0xfee00000n);
  expect(to).toBeGreaterThanOrEqual(0xfeefffffn);
  await app.keyboard.press('p');
  await expect(app.getByTestId('inspector').getByTestId('start')).toHaveText('0x3f00_0000');
  await app.keyboard.press('n');
  await expect(app.getByTestId('inspector').getByTestId('start')).toHaveText('0xfee0_0000');
  await app.keyboard.press('0');
  await expect(minimap).toHaveAttribute('aria-label', /Shown: 0x0 to 0xffff_ffff_ffff_ffff/);
});

test('a range that ends at 0xffffffffffffffff keeps its last byte', async ({ app }) => {
  await pasteText(app, '0xfffffffffff00000 0xffffffffffffffff reserved');
  await rowOf(app, 'reserved', '0xffff_ffff_fff0_0000', '0xffff_ffff_ffff_ffff').getByRole('button').click();
  const inspector = app.getByTestId('inspector');
  await expect(inspector.getByTestId('last')).toHaveText('0xffff_ffff_ffff_ffff');
  await expect(inspector).toContainText('18,446,744,073,709,551,615');
  await expect(inspector.getByTestId('size')).toHaveText('1 MiB');
  await expect(rowOf(app, 'usable', '0x0', '0xffff_ffff_ffef_ffff')).toHaveCount(1);
});

test('zooming to a page at the top and back leaves the address under the cursor alone', async ({ app }) => {
  const timeline = app.getByTestId('timeline');
  // The panels around the timeline are loaded after the first picture.
  await expect(app.getByRole('tab').first()).toBeVisible();
  await expect(app.getByTestId('guest')).toBeVisible();
  const box = await timeline.boundingBox();
  if (!box) throw new Error('the timeline has no box');
  const readout = app.getByTestId('readout');
  for (const scale of ['fold', 'linear', 'log']) {
    await test.step(scale, async () => {
      await app.getByRole('radio', { name: scale }).click();
      // The right edge of the plot, so that the last byte of the space is under the cursor.
      const [x, y] = [box.x + box.width - 14, box.y + 120];
      await app.mouse.move(x, y);
      await expect(readout).toHaveText('0xffff_ffff_ffff_ffff');
      const under = await readout.textContent();
      let steps = 0;
      const shown = async () => {
        const [from, to] = await shownRange(app);
        return to - from + 1n;
      };
      while ((await shown()) > 4096n && steps < 200) {
        await app.mouse.wheel(0, -500);
        steps++;
      }
      expect(await shown()).toBeLessThanOrEqual(4096n);
      expect((await shownRange(app))[1]).toBe(2n ** 64n - 1n);
      await app.mouse.move(x, y);
      await expect(readout).toHaveText(under ?? '');
      for (let i = 0; i < steps + 3; i++) {
        await app.mouse.wheel(0, 500);
      }
      await expect.poll(shown).toBe(1n << 64n);
      await app.mouse.move(x, y);
      await expect(readout).toHaveText(under ?? '');
    });
  }
});
