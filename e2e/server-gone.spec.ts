// The page's server may end before the page does: that of an agent, or of the command line.
import { expect, test } from '@playwright/test';

test('a part that cannot be loaded says so, and the rest of the page stays usable', async ({ page }) => {
  await page.goto('/');
  await expect(page.getByTestId('table')).toBeVisible();
  await page.route('**/assets/hosts-*.js', (route) => route.abort());
  await page.getByRole('tab', { name: 'Hosts' }).click();
  await expect(page.getByRole('tabpanel')).toContainText('This part of the page could not be loaded');
  await page.getByRole('tab', { name: 'Table' }).click();
  await expect(page.getByTestId('table')).toBeVisible();
});
