import { dropText, expect, isOpened, rowOf, test, violations } from './page.ts';

test('QEMU unmap under three kernels: who refuses, why, and the state of each', async ({ app }) => {
  await app.getByRole('button', { name: 'Open' }).click();
  await app.getByRole('menuitem', { name: 'three kernels' }).click();
  await app.getByRole('tab', { name: 'Models' }).click();
  const table = app.getByTestId('comparison');
  await expect(table.getByRole('row')).toHaveCount(6);
  const unmap = table.getByRole('row').filter({ hasText: 'ioas.unmap' });
  await expect(unmap).toContainText('-ENOENT');
  await expect(unmap).toContainText('differs');
  await expect(unmap).toContainText('(unmapped 4 KiB)');
  await expect(app.getByRole('tabpanel')).toContainText(
    'iommufd-rfc lacks areas that iommufd, iommufd-vfio and type1 have',
  );
  await app.getByRole('button', { name: 'First difference: event 4' }).click();
  await expect(unmap).toHaveAttribute('aria-current', 'step');
  await app.getByRole('checkbox', { name: 'Show differences as a lane' }).check();
  await app.getByRole('tab', { name: 'Table' }).click();
  await expect(app.getByTestId('table').getByRole('row').filter({ hasText: 'event 4' })).toContainText(
    'answered differently',
  );
  await rowOf(app, 'what differs', '0xffff_f000', '0xffff_ffff').getByRole('button').first().click();
  await expect(app.getByTestId('inspector')).toContainText('Mapped, read and write under iommufd-rfc.');
  await app.getByRole('tab', { name: 'Models' }).click();
  await app.getByRole('checkbox', { name: 'Show each in the picture' }).click();
  await app.getByRole('tab', { name: 'Table' }).click();
  const areas = app.getByTestId('table').getByRole('row').filter({ hasText: 'areas' });
  // After the unmap only the old version still holds the area.
  await expect(areas).toHaveCount(1);
  await expect(areas).toContainText('0xffff_f000');
});

test('the model of a session can be changed, and events are walked one by one', async ({ app }) => {
  await app.getByRole('button', { name: 'Open' }).click();
  await app.getByRole('menuitem', { name: 'three kernels' }).click();
  await app.getByRole('tab', { name: 'Events' }).click();
  const last = app.getByTestId('events').locator('tbody tr').last();
  await expect(last).toContainText('-EADDRINUSE');
  await app.getByRole('combobox', { name: 'Model' }).selectOption('iommufd');
  await expect(last).toContainText('iova 0xfffc_0000');
  await expect(last).toContainText('recorded: -EADDRINUSE');
  await app.getByRole('tab', { name: 'Table' }).click();
  await expect(rowOf(app, 'areas', '0xfffc_0000', '0xffff_ffff')).toHaveCount(1);
  await app.getByTestId('timeline').focus();
  await app.keyboard.press('Control+z');
  await expect(rowOf(app, 'areas', '0xfffc_0000', '0xffff_ffff')).toHaveCount(0);
  await app.keyboard.press(',');
  await expect(rowOf(app, 'areas', '0xffff_f000', '0xffff_ffff')).toHaveCount(1);
  await app.keyboard.press('Control+y');
  await app.keyboard.press('.');
  await expect(rowOf(app, 'areas', '0xfffc_0000', '0xffff_ffff')).toHaveCount(1);
});

/** What a container answers with two ranges, a few mappings made; field by field, capability by capability. */
const GET_INFO = [
  ['00100000', '03000000', '0010402000000000', '18000000', '00000000'],
  ['0200', '0100', '38000000', '00000000', '00000000', '0010000000000000', '0000001000000000'],
  ['0300', '0100', '48000000', 'f9ff0000', '00000000'],
  ['0100', '0100', '00000000', '02000000', '00000000'],
  ['0000000000000000', 'ffffdffe00000000', '0000f0fe00000000', 'ffffffffff7f0000'],
]
  .flat()
  .join('');

test('a buffer is shown as bytes and fields, its ranges on the timeline, and a broken chain as far as it holds', async ({
  app,
}) => {
  await app.getByRole('tab', { name: 'Buffer' }).click();
  const text = app.getByRole('textbox', { name: /Hex dump/ });
  await text.fill(GET_INFO);
  const panel = app.getByRole('tabpanel');
  await expect(panel).toContainText('avail = 65529');
  await expect(panel).toContainText('0xfef0_0000 – 0x7fff_ffff_ffff');
  const field = panel.getByRole('button', { name: /avail = 65529/ });
  await field.focus();
  await expect(panel.locator('.hex .active')).toHaveText(['f9', 'ff', '00', '00']);
  await app.getByRole('button', { name: 'Show 2 ranges on the timeline' }).click();
  await app.getByRole('tab', { name: 'Table' }).click();
  await expect(rowOf(app, 'valid', '0xfef0_0000', '0x7fff_ffff_ffff')).toHaveCount(1);

  await app.getByRole('tab', { name: 'Buffer' }).click();
  await text.fill(GET_INFO.replace('020001003800', '020001001800'));
  await app.getByRole('combobox', { name: 'Structure' }).selectOption('vfio_iommu_type1_info');
  await expect(panel.locator('.refused').first()).toContainText('at offset 0x');
  await expect(panel).toContainText('vfio_iommu_type1_info_cap_migration');
  await text.fill('zz not hex');
  await expect(panel.locator('.refused').first()).toBeVisible();
});

test('a session under every kernel version: what differs, since when, why', async ({ app }) => {
  const lines = [
    { format: 'iova-trace', version: 1, model: 'type1', kernel: '6.12' },
    { op: 'container.open', container: 'c', model: 'type1v2' },
    { op: 'container.check_extension', container: 'c', extension: 6 },
  ];
  await dropText(app, [{ name: 'nesting.iova.jsonl', text: lines.map((line) => JSON.stringify(line)).join('\n') }]);
  await isOpened(app, 'nesting');
  await app.getByRole('tab', { name: 'Models' }).click();
  await app.getByRole('radio', { name: 'Kernel versions' }).check();
  const row = app.getByTestId('kernel-versions').locator('tbody tr');
  await expect(row).toHaveCount(1);
  await expect(row).toContainText('5.10 to 6.12: 1');
  await expect(row).toContainText('6.16 to 7.3: 0');
  await expect(row).toContainText('Since Linux 6.16: Extension 6 (nesting) is 0.');
  expect(await violations(app)).toEqual([]);
  await expect(app.getByTestId('kernel').locator('option').first()).toHaveText('auto: 6.12 (from nesting.iova.jsonl)');
  await dropText(app, [
    { name: 'newer.iova.jsonl', text: lines.map((line) => JSON.stringify(line).replace('6.12', '7.3')).join('\n') },
  ]);
  await expect(app.getByTestId('several-kernels')).toContainText(
    'different kernels: 6.12 (nesting.iova.jsonl), 7.3 (newer.iova.jsonl)',
  );
  await app.getByRole('button', { name: 'Undo', exact: true }).first().click();
  await expect(app.getByTestId('several-kernels')).toHaveCount(0);
  // Each version is also a choice of the kernel whose rules answer.
  await row.getByRole('button', { name: '5.10 to 6.12' }).click();
  await expect(app.getByTestId('kernel')).toHaveValue('6.12');
});
