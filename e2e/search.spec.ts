// Search: what people type, and where it leads.
import type { Page } from '@playwright/test';
import { dropText, expect, isOpened, test } from './page.ts';

const HOST = [
  '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi',
  '/sys/kernel/iommu_groups/2/reserved_regions:0x0000000040000000 0x00000000bfffffff direct-relaxable',
  '/sys/kernel/iommu_groups/2/reserved_regions:0x00000000fee00000 0x00000000feefffff msi',
  'IOMMU Group 2 0b:00.0 VGA compatible controller [0300]: NVIDIA Corporation GA104 [10de:2484] (rev a1)',
  '',
].join('\n');

async function find(app: Page, text: string): Promise<void> {
  await app.getByRole('combobox', { name: /Find an address/ }).fill(text);
  await expect(app.getByRole('option').first()).toBeVisible();
}

const options = (app: Page) => app.getByRole('option');
const scrolled = (app: Page) => app.evaluate(() => document.scrollingElement?.scrollTop ?? 0);

test('what is typed leads to ranges, lines and devices, without scrolling the page', async ({ app }) => {
  await dropText(app, [{ name: 'host.txt', text: HOST }]);
  await isOpened(app, 'host.txt');
  await app.getByRole('combobox', { name: /Find an address/ }).fill('nothing has this name');
  await expect(app.getByText('No matches.')).toBeVisible();

  await find(app, '2G');
  await expect(options(app).first()).toContainText('0x4000_0000 – 0xbfff_ffff');
  await find(app, '0x40000000-0xbfffffff');
  await expect(options(app).first()).toContainText('0x4000_0000 – 0xbfff_ffff');
  await find(app, '0x50000123');
  await expect(options(app).first()).toContainText('contains 0x5000_0123');
  // Enter takes the first result; the key for the next search selects what is there.
  await app.keyboard.press('Enter');
  await expect(app.getByTestId('start')).toHaveText('0x4000_0000');
  await app.getByTestId('timeline').focus();
  await app.keyboard.press('/');
  await app.keyboard.type('fee0_0000');
  await app.keyboard.press('Enter');
  await expect(app.getByTestId('start')).toHaveText('0xfee0_0000');
  await expect(app.getByTestId('last')).toHaveText('0xfeef_ffff');
  expect(await scrolled(app)).toBe(0);

  await find(app, 'GA104');
  await options(app).filter({ hasText: 'host.txt:4' }).click();
  await expect(app.getByTestId('source-text').locator('tr.current')).toContainText('GA104');
  await expect(app.getByTestId('source-text').locator('tr.current')).toBeInViewport();
  expect(await scrolled(app)).toBe(0);

  await find(app, '0b:00.0');
  await expect(options(app).first()).toContainText('GA104');
  await options(app).first().click();
  await expect(app.getByRole('treegrid').getByText('0b:00.0').first()).toBeInViewport();
  expect(await scrolled(app)).toBe(0);
});
