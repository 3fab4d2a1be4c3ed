// Printing the page.
import { expect, selectAllGroups, test } from './page.ts';

test('printing shows title, answer, the whole picture, legend and table, and nothing else', async ({ app }) => {
  const sheet = app.getByTestId('print-sheet');
  await expect(sheet).toBeHidden();
  await expect(sheet).toBeAttached();
  await selectAllGroups(app);
  await expect(app.getByTestId('table')).toContainText('direct');
  const answer = await app.getByTestId('answer').locator('p').first().textContent();
  // The sheet is updated shortly after the picture, and is filled each time printing begins. Between two attempts the page
  // must have been in screen mode.
  const filled = app.locator('[data-testid=print-sheet][data-filled]');
  await expect(async () => {
    await app.emulateMedia({ media: 'screen' });
    await expect(filled).toHaveCount(0);
    await app.emulateMedia({ media: 'print' });
    await expect(filled).toContainText('8 groups', { timeout: 2000 });
  }).toPass();
  await expect(sheet).toBeVisible();
  const text = ((await sheet.textContent()) ?? '').replace(/\s+/g, ' ');
  for (const word of (answer ?? '').split(/\s+/).slice(3, 8)) expect(text).toContain(word);
  for (const legend of ['aperture', 'MSI window', 'usable']) expect(text).toContain(legend);
  await expect(sheet.getByRole('cell', { name: '0xfee0_0000' }).first()).toBeVisible();
  for (const chrome of ['.toolbar', '.minimap', '.timeline-box', '#panel-left', '#panel-right', '#panel-details']) {
    await expect(app.locator(chrome)).toBeHidden();
  }
  const { width, height } = (await sheet.locator('svg').boundingBox()) ?? { width: 0, height: 0 };
  expect(width).toBeGreaterThan(500);
  expect(height).toBeGreaterThan(200);
  await expect.poll(() => app.title()).toContain('groups');

  await app.emulateMedia({ media: 'screen' });
  await expect(app.locator('.toolbar')).toBeVisible();
  await expect(sheet).toBeHidden();
  await expect.poll(() => app.title()).toBe('iovascope');
});

test('a PDF of the page is made from the sheet', async ({ app }) => {
  await expect(app.getByTestId('print-sheet')).toBeAttached();
  await app.evaluate(() => {
    addEventListener('beforeprint', () => {
      document.body.dataset.printed = document.querySelector('[data-testid=print-sheet] svg')?.textContent ?? '';
    });
  });
  await expect
    .poll(async () => {
      await app.pdf();
      return app.evaluate(() => document.body.dataset.printed ?? '');
    })
    .toContain('Intel host with RMRRs');
  await expect(app.locator('.toolbar')).toBeVisible();
});
