import { expect, test } from './page.ts';

test('QEMU’s unmap under three kernels: who refuses, why, and what each holds', async ({ app }) => {
  await app.getByRole('button', { name: 'Open' }).click();
  await app.getByRole('menuitem', { name: 'three kernels' }).click();
  await app.getByRole('tab', { name: 'Models' }).click();
  const table = app.getByTestId('comparison');
  await expect(table.getByRole('row')).toHaveCount(6);
  const unmap = table.getByRole('row').filter({ hasText: 'ioas.unmap' });
  await expect(unmap).toContainText('-ENOENT');
  await expect(unmap).toContainText('differs');
  await expect(unmap).toContainText('unmapped=0x1000');
  await expect(app.getByRole('tabpanel')).toContainText('iommufd-rfc lacks areas that iommufd and type1 have');
  await app.getByRole('button', { name: 'First difference: event 4' }).click();
  await expect(unmap).toHaveAttribute('aria-current', 'step');
  await app.getByRole('checkbox', { name: 'each in the picture' }).click();
  await app.getByRole('tab', { name: 'Table' }).click();
  const areas = app.getByTestId('table').getByRole('row').filter({ hasText: 'areas' });
  // After the unmap only the old version still holds the area.
  await expect(areas).toHaveCount(1);
  await expect(areas).toContainText('0xffff_f000');
});
