// The left side: the tree of the case, its hosts and sources.
import type { Page } from '@playwright/test';
import { boxOf, dropText, expect, rows, test, violations } from './page.ts';

/** A host's shell session: its name, and groups with a card of two functions each. */
function groupsOf(host: string, count: number, kernel = '6.12.0'): string {
  const hex = (value: number) => value.toString(16).padStart(2, '0');
  const lines = [`root@${host}:~# uname -a`, `Linux ${host} ${kernel} #1 SMP x86_64 GNU/Linux`];
  lines.push(`root@${host}:~# ./groups.sh`);
  for (let group = 0; group < count; group++) {
    const slot = `${hex(Math.floor(group / 200))}:${hex(group % 200)}`;
    lines.push(
      `IOMMU Group ${group}: ${slot}.0 VGA compatible controller [0300]: Vendor${group} Corporation Card ${group} [10de:${2000 + group}]`,
      `IOMMU Group ${group}: ${slot}.1 Audio device [0403]: Vendor${group} Corporation Sound [10de:228b]`,
    );
  }
  return `${lines.join('\n')}\n`;
}

const tree = (app: Page) => app.getByRole('treegrid');
const rowNamed = (app: Page, name: string) => tree(app).getByRole('row', { name, exact: true });
const placed = (app: Page) => app.getByTestId('placed');
const menuOf = async (app: Page, name: string) => {
  await app.getByRole('button', { name: `Actions for ${name}`, exact: true }).click();
  return app.getByRole('menu', { name: `Actions for ${name}` });
};

async function twoHosts(app: Page): Promise<void> {
  await dropText(app, [{ name: 'groups.txt', text: groupsOf('oak', 2) }]);
  await expect(rowNamed(app, 'oak')).toBeVisible();
  await dropText(app, [{ name: 'groups.txt', text: groupsOf('elm', 3) }]);
  await expect(rowNamed(app, 'elm')).toBeVisible();
}

test('among hundreds of devices, the filter finds one, and one that is chosen elsewhere is scrolled to', async ({
  app,
}) => {
  await dropText(app, [{ name: 'groups.txt', text: groupsOf('oak', 400) }]);
  await expect(rowNamed(app, 'oak')).toContainText('400 groups');
  // Only the rows near the visible ones exist.
  expect(await tree(app).getByRole('row').count()).toBeLessThan(100);
  const filter = app.getByLabel('Filter the tree');
  await filter.fill('vendor321 card');
  await expect(app.getByText('1 of 400 groups')).toBeVisible();
  await expect(tree(app)).toContainText('0000:01:79.0 Vendor321 Card 321');
  await app
    .getByRole('button', { name: 'Select none' })
    .or(app.getByRole('button', { name: 'Deselect these' }))
    .click();
  await expect(boxOf(rowNamed(app, 'group 321'))).not.toBeChecked();
  await filter.press('Escape');
  await expect(boxOf(rowNamed(app, 'oak'))).toBeChecked({ indeterminate: true });
  await app.getByRole('button', { name: 'Select none' }).click();
  await expect(boxOf(rowNamed(app, 'oak'))).not.toBeChecked();
  await app.getByRole('button', { name: 'Select all' }).click();
  await expect(boxOf(rowNamed(app, 'oak'))).toBeChecked();
  expect(await violations(app)).toEqual([]);

  await expect(rowNamed(app, 'oak')).toBeVisible();
  await app.evaluate(() => window.iovascope?.setDevice('0000:01:79.1'));
  await expect(tree(app).getByRole('row', { name: /^0000:01:79\.1/ })).toBeInViewport();
  await expect(tree(app).getByRole('row', { name: /^0000:01:79\.1/ })).toContainText('device to assign');
});

/** Pairs of rows of the tree of which one covers a part of the other. */
const coveredRows = (app: Page) =>
  tree(app)
    .getByRole('row')
    .evaluateAll((rows) => {
      const boxes = rows.map((row) => row.getBoundingClientRect()).sort((a, b) => a.top - b.top);
      return boxes.filter((box, i) => box.bottom > (boxes[i + 1]?.top ?? Number.POSITIVE_INFINITY) + 0.5).length;
    });

test('rows of different heights do not cover each other when others join them', async ({ app }) => {
  const direct = '/sys/kernel/iommu_groups/1/reserved_regions:0x000000003f000000 0x000000003f7fffff direct\n';
  const own = (host: string) => `${groupsOf(host, 4)}root@${host}:~# grep . /sys/kernel/iommu_groups/*/r*\n${direct}`;
  await dropText(app, [{ name: 'groups.txt', text: own('elm') }]);
  await expect(rowNamed(app, 'elm')).toBeVisible();
  await expect.poll(() => coveredRows(app)).toBe(0);
  await dropText(app, [{ name: 'groups.txt', text: own('a-host-with-a-name-that-takes-more-than-one-line') }]);
  await dropText(app, [{ name: 'regions.txt', text: '[ 1.0] DMAR: Host address width 39\n' }]);
  await expect(app.getByTestId('host')).toHaveCount(2);
  await expect.poll(() => coveredRows(app)).toBe(0);
  await rowNamed(app, 'elm').focus();
  await app.keyboard.press('ArrowLeft');
  await expect.poll(() => coveredRows(app)).toBe(0);
});

test('the keyboard walks the tree, folds, selects and assigns', async ({ app }) => {
  await dropText(app, [{ name: 'groups.txt', text: groupsOf('oak', 300) }]);
  await rowNamed(app, 'oak').focus();
  const focused = app.locator(':focus');
  await app.keyboard.press('ArrowDown');
  await expect(focused).toHaveAccessibleName('1 source');
  await app.keyboard.press('ArrowLeft');
  await expect(rowNamed(app, 'groups.txt')).toHaveCount(0);
  await app.keyboard.press('ArrowDown');
  await expect(focused).toHaveAccessibleName('group 0');
  await app.keyboard.press(' ');
  await expect(boxOf(rowNamed(app, 'group 0'))).not.toBeChecked();
  await app.keyboard.press('ArrowRight');
  await app.keyboard.press('ArrowRight');
  await expect(focused).toHaveAccessibleName(/^0000:00:00\.0 Vendor0 Card 0/);
  await app.keyboard.press('Enter');
  await expect(app.getByTestId('device')).toHaveValue(/0000:00:00\.0/);
  await app.keyboard.press('ArrowLeft');
  await expect(focused).toHaveAccessibleName('group 0');
  await app.keyboard.press('End');
  await expect(focused).toHaveAccessibleName('group 299');
  await app.keyboard.press('Home');
  await expect(focused).toHaveAccessibleName('oak');
  await app.keyboard.press('Shift+F10');
  await expect(app.getByRole('menu', { name: 'Actions for oak' })).toBeVisible();
  await app.keyboard.press('Escape');
  await expect(app.getByRole('menu')).toHaveCount(0);
});

test('a host is renamed by menu and by key; an empty name is taken back', async ({ app }) => {
  await dropText(app, [{ name: 'groups.txt', text: groupsOf('oak', 2) }]);
  await (await menuOf(app, 'oak')).getByRole('menuitem', { name: 'Rename' }).click();
  const box = app.getByRole('textbox', { name: 'Name of oak' });
  await expect(box).toBeFocused();
  await box.fill('test bench');
  await box.press('Enter');
  await expect(rowNamed(app, 'test bench')).toBeFocused();
  await app.keyboard.press('F2');
  await app.keyboard.press('Escape');
  await expect(rowNamed(app, 'test bench')).toBeFocused();
  await app.keyboard.press('F2');
  await app.getByRole('textbox', { name: 'Name of test bench' }).fill('');
  await app.keyboard.press('Enter');
  await expect(rowNamed(app, 'oak')).toBeVisible();
});

test('hosts with files of the same name are told apart, closed and undone; one group or device is chosen', async ({
  app,
}) => {
  await twoHosts(app);
  await expect(rowNamed(app, 'oak/groups.txt')).toBeVisible();
  await expect(rowNamed(app, 'elm/groups.txt')).toBeVisible();
  await expect(app.getByTestId('host')).toHaveCount(2);
  await app.getByRole('tab', { name: 'Hosts' }).click();
  await expect(app.getByTestId('hosts')).toContainText('oak, elm');
  const exported = (await app.evaluate(() => window.iovascope?.text())) ?? '';
  for (const name of ['oak/groups.txt', 'elm/groups.txt']) expect(exported).toContain(name);
  await (await menuOf(app, 'elm')).getByRole('menuitem', { name: 'Close' }).click();
  await expect(app.getByTestId('host')).toHaveCount(1);
  await expect(placed(app)).toContainText('elm closed');
  expect(await violations(app)).toEqual([]);
  await placed(app).getByRole('button', { name: 'Undo' }).click();
  await expect(app.getByTestId('host')).toHaveCount(2);

  await rowNamed(app, 'group 2').hover();
  await app.getByRole('button', { name: 'Only group 2' }).click();
  await expect(boxOf(rowNamed(app, 'group 2'))).toBeChecked();
  await expect(boxOf(rowNamed(app, 'oak'))).not.toBeChecked();
  await expect(boxOf(rowNamed(app, 'elm'))).toBeChecked({ indeterminate: true });

  await rowNamed(app, 'elm').focus();
  const hosts = await app.evaluate(() => window.iovascope?.hosts());
  expect(hosts?.map(({ name }) => name)).toEqual(['oak', 'elm']);
  await app.evaluate(() => window.iovascope?.setDevice('0000:00:01.0', 'elm'));
  await expect(boxOf(rowNamed(app, 'oak'))).toBeChecked();
  await expect(boxOf(rowNamed(app, 'elm'))).toBeChecked({ indeterminate: true });
});

const MSI = '/sys/kernel/iommu_groups/1/reserved_regions:0x00000000fee00000 0x00000000feefffff msi\n';

test('a source moves to another host by menu and back by undo', async ({ app }) => {
  await twoHosts(app);
  await dropText(app, [{ name: 'regions.txt', text: MSI }]);
  await expect(rowNamed(app, 'regions.txt')).toBeVisible();
  const menu = await menuOf(app, 'regions.txt');
  await expect(menu.getByRole('menuitem', { name: 'Move to a new host' })).toBeVisible();
  await menu.getByRole('menuitem', { name: 'Move to oak' }).click();
  await expect(placed(app)).toContainText('regions.txt moved to oak');
  const namesOf = () =>
    app.evaluate(async () => (await window.iovascope?.hosts())?.map(({ sources }) => sources.length));
  expect(await namesOf()).toEqual([2, 1]);
  await placed(app).getByRole('button', { name: 'Undo' }).click();
  await expect.poll(namesOf).toEqual([1, 2]);
});

test('a source is dragged to another host, and to a new one', async ({ app }) => {
  await twoHosts(app);
  await dropText(app, [{ name: 'regions.txt', text: MSI }]);
  const source = rowNamed(app, 'regions.txt').getByRole('gridcell');
  await source.dragTo(rowNamed(app, 'oak'));
  await expect(placed(app)).toContainText('regions.txt moved to oak');
  const from = await source.boundingBox();
  if (!from) throw new Error('no row to drag');
  await app.mouse.move(from.x + 60, from.y + 8);
  await app.mouse.down();
  await app.mouse.move(from.x + 60, from.y + 30, { steps: 4 });
  const target = app.getByText('Drop here for a new host');
  await expect(target).toBeVisible();
  await target.hover();
  await app.mouse.up();
  await expect(app.getByTestId('host')).toHaveCount(3);
  await expect(app.locator('.drop')).toHaveCount(0);
});

const LIBVIRT_LOG = [
  '2026-11-20 08:15:02.123+0000: starting up libvirt version: 9.0.0, qemu version: 7.2.5, kernel: 6.1.0-18-amd64, hostname: oak',
  'LC_ALL=C \\',
  '/usr/bin/qemu-system-x86_64 \\',
  '-name guest=win11,debug-threads=on \\',
  '-machine pc-q35-7.2,usb=off,dump-guest-core=off \\',
  '-accel kvm \\',
  '-cpu host,migratable=on \\',
  '-m 16384 \\',
  '-device \'{"driver":"vfio-pci","host":"0000:00:01.0","id":"hostdev0"}\'',
  '',
].join('\n');

test('the guest of a libvirt log is filled in; what is changed by hand is an override with a way back', async ({
  app,
}) => {
  await dropText(app, [{ name: 'groups.txt', text: groupsOf('oak', 3) }]);
  await dropText(app, [{ name: 'win11.log', text: LIBVIRT_LOG }]);
  const guest = app.getByTestId('guest');
  const chooser = guest.getByLabel('Guest to try');
  await expect(chooser.locator('option:checked')).toHaveText('win11: q35 7.2, 16 GiB');
  await expect(guest).toContainText(/from win11\.log, line \d/);
  await expect(app.getByTestId('guest-ram')).toHaveText('16 GiB');
  await expect(app.getByTestId('device')).toHaveValue('0000:00:01.0');
  const lanes = rows(app).filter({ has: app.getByRole('gridcell', { name: 'guest', exact: true }) });
  await expect(lanes.first()).toBeVisible();
  expect(await violations(app)).toEqual([]);
  const box = guest.getByLabel('Exact size');
  await box.fill('1.2T');
  await box.press('Tab');
  const override = app.getByTestId('guest-override');
  await expect(override).toContainText('win11.log says 16 GiB');
  await override.getByRole('button', { name: 'Back to 16 GiB' }).click();
  await expect(app.getByTestId('guest-ram')).toHaveText('16 GiB');
  await expect(override).toHaveCount(0);
  await chooser.selectOption('virt');
  await expect(override).toContainText('Chosen by hand instead of win11: q35 7.2, 16 GiB.');
  await override.getByRole('button', { name: 'Back to win11' }).click();
  await expect(chooser.locator('option:checked')).toHaveText('win11: q35 7.2, 16 GiB');
});

test('a guest that the sources define can be left out', async ({ app }) => {
  await dropText(app, [
    { name: 'groups.txt', text: groupsOf('oak', 3) },
    { name: 'win11.log', text: LIBVIRT_LOG },
  ]);
  const chooser = app.getByTestId('guest').getByLabel('Guest to try');
  const lanes = rows(app).filter({ has: app.getByRole('gridcell', { name: 'guest', exact: true }) });
  await expect(lanes.first()).toBeVisible();
  await chooser.selectOption('none');
  await expect(lanes).toHaveCount(0);
  await expect(app.getByTestId('answer')).not.toContainText('win11');
  await app.getByRole('button', { name: 'Back to win11' }).click();
  await expect(lanes.first()).toBeVisible();
});

test('on an AMD host its machines are offered first, and the reason is said', async ({ app }) => {
  const hole = '0x000000fd00000000 0x000000ffffffffff reserved';
  const path = '/sys/kernel/iommu_groups/1/reserved_regions';
  await dropText(app, [{ name: 'host.txt', text: `${MSI}${path}:${hole}\n` }]);
  await expect(app.getByTestId('host')).toContainText('1 group');
  const chooser = app.getByTestId('guest').getByLabel('Guest to try');
  await expect(chooser.locator('option').nth(1)).toHaveText(/q35.*AMD/);
  await expect(chooser.locator('option[value=q35]')).toHaveText(/before QEMU 7\.1/);
  await chooser.selectOption({ index: 1 });
  await expect(app.getByTestId('guest-amd')).toContainText('HyperTransport');
  await app.getByLabel('Exact size').fill('1T');
  await app.getByLabel('Exact size').press('Tab');
  await expect(app.getByTestId('answer')).toContainText('fits');
  await expect(app.getByTestId('answer')).toContainText('needs phys-bits 42');
  expect(await violations(app)).toEqual([]);
});

test('a verdict belongs to what stands in the box', async ({ app }) => {
  await dropText(app, [{ name: 'host.txt', text: MSI }]);
  await app.getByLabel('Guest to try').selectOption('virt');
  const box = app.getByLabel('Exact size');
  const verdict = app.getByTestId('guest-fits');
  await expect(verdict).toContainText('Does not fit.');
  for (const [size, ram] of [
    ['2G', '2 GiB'],
    ['2048 MiB', '2 GiB'],
    ['0x80000000', '2 GiB'],
  ]) {
    await box.fill(size ?? '');
    await expect(verdict).toContainText('Fits.');
    await box.press('Tab');
    await expect(app.getByTestId('guest-ram')).toHaveText(ram ?? '');
  }
  await box.fill('abc');
  await expect(verdict).toHaveCount(0);
  await expect(box).toHaveAccessibleDescription(/expected a size/);
  await box.press('Tab');
  await expect(box).toHaveValue('abc');
  await box.press('Escape');
  await expect(verdict).toContainText('Fits.');
  await box.fill('0');
  await expect(box).toHaveAccessibleDescription(/at least one byte/);
});

test('a new case is empty and offers what can be opened; it can be undone, forgetting cannot', async ({ app }) => {
  await dropText(app, [{ name: 'groups.txt', text: groupsOf('oak', 2) }]);
  await expect(app.getByTestId('kept')).toContainText('Saved in this browser');
  await app.getByRole('button', { name: 'New case' }).click();
  const empty = app.getByTestId('empty-case');
  await expect(empty).toContainText('Drop files');
  await expect(app.getByTestId('kept')).toContainText('Not saved');
  expect(await violations(app)).toEqual([]);
  await empty.getByRole('button', { name: 'Paste text' }).click();
  await expect(app.getByRole('dialog')).toBeVisible();
  await app.keyboard.press('Escape');
  await app.getByRole('button', { name: 'Undo' }).click();
  await expect(rowNamed(app, 'oak')).toBeVisible();
  await app.getByRole('button', { name: 'Forget' }).click();
  await expect(empty).toBeVisible();
  await expect(app.getByRole('button', { name: 'Undo' })).toBeDisabled();
  await empty.getByRole('button', { name: 'AMD host' }).click();
  await expect(app.getByTestId('host')).toContainText('AMD host');
  await dropText(app, [{ name: 'groups.txt', text: groupsOf('elm', 2) }]);
  await expect(app.getByTestId('host')).toHaveCount(1);
  await expect(rowNamed(app, 'elm')).toBeVisible();
});

test('the kernel is that of the evidence until another one is chosen', async ({ app }) => {
  await dropText(app, [{ name: 'groups.txt', text: groupsOf('oak', 2, '6.1.0-18-amd64') }]);
  const kernel = app.getByLabel('Kernel');
  await expect(kernel.locator('option:checked')).toHaveText('auto: 6.1.0-18-amd64 (from groups.txt)');
  await kernel.selectOption('6.12');
  await expect(kernel).toHaveValue('6.12');
  await app.getByRole('button', { name: 'Undo' }).click();
  await expect(kernel.locator('option:checked')).toHaveText(/^auto: 6\.1/);
});
