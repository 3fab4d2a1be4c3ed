// Facts of a host changed by hand, by keys alone: in the picture, the table, a report, and undone.
import { dropText, expect, rowOf, rows, test, violations } from './page.ts';

const HOST = [
  '[    0.004196] DMAR: Host address width 39',
  '/sys/kernel/iommu_groups/4/devices/0000:04:00.0',
  '/sys/kernel/iommu_groups/4/reserved_regions:0x000000003e2e0000 0x000000003e2fffff direct-relaxable',
  '/sys/kernel/iommu_groups/4/reserved_regions:0x00000000fee00000 0x00000000feefffff msi',
  '',
].join('\n');

test('what if: a region reserved, one ignored, another aperture; marked everywhere, undone', async ({ app }) => {
  await dropText(app, [{ name: 'host.txt', text: HOST }]);
  const inspector = app.getByTestId('inspector');
  const form = app.getByRole('form', { name: 'What if' });
  const opener = inspector.getByRole('button', { name: 'What if…' });
  const notes = rows(app).filter({ has: app.getByRole('gridcell', { name: 'notes', exact: true }) });
  // The sample has a region with the bounds of the other one, too.
  await expect(rowOf(app, 'reserved', '0x3e2e_0000', '0x3e2f_ffff')).toBeVisible();
  // A selected reserved region suggests that it were not there.
  await rowOf(app, 'reserved', '0xfee0_0000', '0xfeef_ffff').getByRole('button').press('Enter');
  await expect(inspector.getByTestId('start')).toHaveText('0xfee0_0000');
  await opener.press('Enter');
  await expect(form.getByLabel('What if')).toBeFocused();
  await expect(form.getByLabel('What if')).toHaveValue('ignore');
  await expect(form.getByLabel('Range')).toHaveValue('0xfee00000-0xfeefffff');
  expect(await violations(app)).toEqual([]);
  await form.getByLabel('Range').press('Enter');
  await expect(opener).toBeFocused();
  await expect(rowOf(app, 'reserved', '0xfee0_0000', '0xfeef_ffff')).toHaveCount(0);
  await expect(notes).toContainText('By hand: msi region of group 4 ignored');
  // What is wrong is said at the field, and Escape closes the form.
  await opener.press('Enter');
  await form.getByLabel('What if').selectOption('reserve');
  await form.getByLabel('Range').fill('0x5000-0x4000');
  await form.getByLabel('Range').press('Enter');
  await expect(form.getByRole('alert')).toContainText('the range ends before it starts');
  await form.getByLabel('Range').fill('0x100000-0x1fffff');
  await form.getByLabel('Range').press('Enter');
  await expect(rowOf(app, 'reserved', '0x10_0000', '0x1f_ffff')).toContainText('entered by hand');
  await opener.press('Enter');
  await form.getByLabel('What if').press('Escape');
  await expect(opener).toBeFocused();
  await opener.press('Enter');
  await form.getByLabel('What if').selectOption('aperture');
  await form.getByLabel('Range').fill('0x0-0xffffffffffff');
  await form.getByLabel('Range').press('Enter');
  await expect(rowOf(app, 'aperture', '0x0', '0xffff_ffff_ffff')).toContainText('entered by hand');
  const text = await app.evaluate(() =>
    (window as unknown as { iovascope: { text(): Promise<string> } }).iovascope.text(),
  );
  for (const said of ['msi region of group 4 ignored', 'reserved region of group 4 added', 'aperture replaced by']) {
    expect(text.replace(/\s+/g, ' ')).toContain(`By hand: ${said}`);
  }
  for (const left of [2, 1, 0]) {
    await app.getByRole('button', { name: 'Undo', exact: true }).press('Enter');
    await expect(notes).toHaveCount(left);
  }
  await expect(rowOf(app, 'reserved', '0xfee0_0000', '0xfeef_ffff')).toHaveCount(1);
});
