// What people come with: a guest that does not start, a device that cannot be assigned, a fault.
import type { Page } from '@playwright/test';
import {
  dropText,
  expect,
  holdBack,
  isOpened,
  rowOf,
  selectAllGroups,
  test,
  violations,
  violationsInBothThemes,
  visit,
} from './page.ts';

const regions = (group: number, ...lines: string[]) =>
  lines.map((line) => `/sys/kernel/iommu_groups/${group}/reserved_regions:${line}\n`).join('');
const MSI = '0x00000000fee00000 0x00000000feefffff msi';
const HOLE = '0x000000fd00000000 0x000000ffffffffff reserved';

async function open(app: Page, files: readonly { name: string; text: string }[]): Promise<void> {
  const [first] = files;
  await dropText(app, files);
  await isOpened(app, first?.name ?? '');
}

const conflicts = (app: Page) => app.getByTestId('conflicts').locator('.conflict');
const guest = (app: Page) => app.getByTestId('guest').getByLabel('Guest to try');

test('a guest of 4 GiB over the MSI window, and what would fit; the hole below 1 TiB', async ({ app }) => {
  await open(app, [{ name: 'host.txt', text: regions(1, MSI) }]);
  await expect(conflicts(app)).toHaveCount(0);
  await guest(app).selectOption('virt');
  await expect(conflicts(app)).toHaveCount(1);
  await expect(rowOf(app, 'guest', '0x4000_0000', '0x1_3fff_ffff')).toHaveCount(1);
  await conflicts(app).getByRole('button').first().click();
  await expect(app.getByTestId('conflicts')).toContainText('EINVAL');
  await expect(app.getByTestId('conflicts')).toContainText('up to ≈ 2.98 GiB');

  // The slider shows at once when it fits, and the largest that does.
  await expect(app.getByTestId('guest-fits')).toContainText('Does not fit');
  await app.getByTestId('guest').getByRole('button', { name: 'Largest that fits' }).click();
  await expect(app.getByTestId('guest-fits')).toContainText('Fits.');
  await expect(conflicts(app)).toHaveCount(0);
  await app.getByTestId('guest').getByRole('slider').focus();
  await app.keyboard.press('ArrowRight');
  await expect(conflicts(app)).toHaveCount(1);
  await expect(app.getByTestId('guest-ram')).toHaveText('3 GiB');

  await app.evaluate(() => window.iovascope?.reset());
  await open(app, [{ name: 'amd.txt', text: regions(1, MSI, HOLE) }]);
  await guest(app).selectOption('q35');
  await app.getByTestId('guest').getByRole('textbox').fill('1100G');
  await app.keyboard.press('Enter');
  await expect(conflicts(app)).toHaveCount(1);
  await expect(conflicts(app).first()).toContainText('0xfd00000000-0xffffffffff');
  await guest(app).selectOption('q35-amd');
  await expect(conflicts(app)).toHaveCount(0);
  await expect(rowOf(app, 'guest', '0x100_0000_0000', '0x212_7fff_ffff')).toHaveCount(1);
});

test('conflicts are flagged in the picture: a click, the key c, and Escape', async ({ app }) => {
  await open(app, [{ name: 'host.txt', text: regions(1, MSI) + regions(2, '0x1000 0x1fff direct') }]);
  await selectAllGroups(app);
  await guest(app).selectOption('virt');
  await expect(conflicts(app)).toHaveCount(2);
  await app.getByTestId('timeline').focus();
  await app.keyboard.press('c');
  await expect(conflicts(app).first()).toHaveClass(/current/);
  await app.keyboard.press('c');
  await expect(conflicts(app).nth(1)).toHaveClass(/current/);
  await app.keyboard.press('Escape');
  await expect(app.locator('.conflict.current')).toHaveCount(0);

  // The flags are above the lanes: click along the strip until one is hit.
  const box = await app.getByTestId('timeline').boundingBox();
  if (!box) throw new Error('no timeline');
  for (let y = 60; y < 130 && (await app.locator('.conflict.current').count()) === 0; y += 8) {
    for (let x = 110; x < box.width - 20 && (await app.locator('.conflict.current').count()) === 0; x += 14) {
      await app.mouse.click(box.x + x, box.y + y);
    }
  }
  await expect(app.locator('.conflict.current')).toHaveCount(1);
});

test('a device that cannot be assigned: its region, and the line of the log that said so', async ({ app }) => {
  // The sample of a first visit has one; its group is not selected at first.
  await selectAllGroups(app);
  const entry = conflicts(app).filter({ hasText: /0000:00:05\.0 .*cannot be assigned/ });
  await entry.getByRole('button').first().click();
  await expect(entry).toContainText('0x3f000000-0x3f7fffff');
  await entry
    .getByRole('button', { name: /^dmesg\.txt, line \d+/ })
    .first()
    .click();
  const line = app.getByTestId('source-text').locator('tr.current');
  await expect(line).toContainText('1:1 IOMMU mapping');
  await expect(line).toBeInViewport();
});

test('from a range to its line and back; search finds lines that no lane shows', async ({ app }) => {
  await open(app, [{ name: 'host.txt', text: `nothing of interest here\n${regions(1, MSI, HOLE)}` }]);
  await rowOf(app, 'reserved', '0xfd_0000_0000', '0xff_ffff_ffff').getByRole('button').click();
  await app.getByTestId('inspector').getByRole('button', { name: 'host.txt, line 3' }).click();
  const text = app.getByTestId('source-text');
  await expect(text.locator('tr.current')).toContainText('reserved_regions:0x000000fd00000000');
  await expect(text.locator('tr.text-left-over')).toContainText('nothing of interest');
  await expect(text.locator('tr.text-recognized')).toHaveCount(2);
  await text.locator('tr').filter({ hasText: 'fee00000' }).getByRole('button', { name: 'reserved' }).click();
  await expect(app.getByTestId('start')).toHaveText('0xfee0_0000');

  await app.evaluate(() => window.iovascope?.reset());
  const log = 'DMAR: dmar7: reg_base_addr fed91000 ver 1:0 cap d2008c22260286 ecap f00f4a\n';
  await open(app, [{ name: 'log.txt', text: `first line\n${log}` }]);
  await app.keyboard.press('/');
  await app.keyboard.type('d2008c22260286');
  await app.getByRole('option').filter({ hasText: 'log.txt:2' }).click();
  await expect(app.getByTestId('source-text').locator('tr.current')).toContainText('dmar7');
});

test('a fault with its nearest mapping, and a refused request over the region that refused it', async ({ app }) => {
  const trace = [
    'qemu-1 [000] ..... 10.000001: map: IOMMU: iova=0x0000000000400000 - 0x0000000000600000 paddr=0x0000000197800000 size=2097152',
    'qemu-1 [000] ..... 11.000001: map: IOMMU: iova=0x0000000000800000 - 0x0000000000a00000 paddr=0x0000000297800000 size=2097152',
    'qemu-1 [000] ..... 12.000001: unmap: IOMMU: iova=0x0000000000800000 - 0x0000000000a00000 size=2097152 unmapped_size=2097152',
  ].join('\n');
  const log =
    'DMAR: [DMA Write NO_PASID] Request device [03:00.0] fault addr 0x601000 [fault reason 0x05] PTE Write access is not set\n';
  await open(app, [
    { name: 'trace.txt', text: trace },
    { name: 'log.txt', text: log },
  ]);
  await expect(rowOf(app, 'faults', '0x60_1000', '0x60_1000')).toHaveCount(1);
  await conflicts(app).getByRole('button').first().click();
  await expect(conflicts(app).first()).toContainText('just past the end of 0x400000-0x5fffff');
  await expect(rowOf(app, 'kernel trace', '0x40_0000', '0x5f_ffff')).toHaveCount(1);
  await expect(rowOf(app, 'kernel trace', '0x80_0000', '0x9f_ffff')).toHaveCount(0);
  // Two events back the second mapping is there.
  await app.keyboard.press(',');
  await app.keyboard.press(',');
  await expect(rowOf(app, 'kernel trace', '0x80_0000', '0x9f_ffff')).toHaveCount(1);

  await app.evaluate(() => window.iovascope?.reset());
  const qemu =
    'qemu-system-aarch64: -device vfio-pci,host=0000:29:00.0: vfio 0000:29:00.0: failed to setup container for group 28: memory listener initialization failed: Region mach-virt.ram: vfio_dma_map(0x1, 0x40000000, 0x100000000, 0x7fb2a3e00000) = -22 (Invalid argument)\n';
  await open(app, [
    { name: 'host.txt', text: regions(1, MSI) },
    { name: 'qemu.txt', text: qemu },
  ]);
  await expect(rowOf(app, 'refused', '0x4000_0000', '0x1_3fff_ffff')).toHaveCount(1);
  await expect(conflicts(app).first()).toContainText('mach-virt.ram');
  await conflicts(app).getByRole('button').first().click();
  await expect(conflicts(app).first()).toContainText('0xfee00000-0xfeefffff (1 MiB) inside it is reserved');
});

test('would this fit? places, and what blocks them; where the DMA API puts the next buffers of a device', async ({
  app,
}) => {
  await open(app, [{ name: 'host.txt', text: regions(1, MSI) }]);
  await app.getByRole('tab', { name: 'Fit' }).click();
  const fit = app.getByTestId('fit');
  await expect(fit).toContainText('Fits in Host A: group 1');
  await fit.getByLabel('Size').fill('8E');
  await expect(fit).toContainText('up to 1 fit');
  await fit.getByLabel('Size').fill('4G');
  await fit.getByLabel('Address').fill('0x80000000');
  await expect(fit).toContainText('Does not fit');
  await expect(fit).toContainText('MSI window (msi)');
  await expect(fit).toContainText('0x8000_0000 – 0xfedf_ffff');
  await fit.getByLabel('Size').fill('lots');
  await expect(fit).toContainText('Size:');

  await app.evaluate(() => window.iovascope?.reset());
  const bridge = 'c0000000-fedfffff : PCI Bus 0000:00\n';
  const text = `${regions(1, MSI)}/sys/kernel/iommu_groups/1/devices/0000:01:00.0\n${bridge}`;
  await open(app, [{ name: 'host.txt', text }]);
  await app.getByRole('tab', { name: 'Fit' }).click();
  const panel = app.getByTestId('next-dma');
  await expect(panel).toContainText('0xffff_f000, then 0xffff_e000, then 0xffff_d000');
  await panel.getByLabel('Buffer size').fill('16M');
  // Not over the MSI window, nor over the bridge's below it.
  await expect(panel).toContainText('0xbf00_0000');
  await panel.getByLabel('Device').fill('0000:09:00.0');
  await expect(panel).toContainText('no selected host has a device 0000:09:00.0');
  await panel.getByLabel('Address bits').fill('99');
  await expect(panel).toContainText('Address bits: a number from 12 to 64');
  expect(await violations(app)).toEqual([]);
});

test('several hosts: differences, and a copyable list', async ({ app }) => {
  await open(app, [{ name: 'amd.txt', text: regions(1, MSI, HOLE) }]);
  await open(app, [{ name: 'intel.txt', text: regions(1, MSI) }]);
  await app.getByRole('tab', { name: 'Hosts' }).click();
  await expect(app.getByTestId('paste-line')).toHaveText('12G@1012G,1M@4078M');
  await expect(app.getByTestId('hosts').locator('tbody tr')).toHaveCount(1);
  await expect(app.getByTestId('hosts')).toContainText('0xfd_0000_0000 – 0xff_ffff_ffff');
});

test('the dump of a guest on another host, and custom ranges', async ({ app }) => {
  await open(app, [{ name: 'host.txt', text: regions(1, MSI) }]);
  const mtree =
    'FlatView #0\n AS "memory", root: system\n Root memory region: system\n  00000000fe000000-00000000ffffffff (prio 0, ram): odd.ram\n';
  await open(app, [{ name: 'mtree.txt', text: mtree }]);
  await guest(app).selectOption({ label: 'Guest in mtree.txt, Host A' });
  await expect(conflicts(app)).toHaveCount(1);
  await expect(conflicts(app).first()).toContainText('odd.ram');
  await guest(app).selectOption('ranges');
  await app.getByTestId('guest').getByRole('textbox').fill('0xfee00000-0xfee00fff ram page');
  await app.getByTestId('guest').getByRole('button', { name: 'Check' }).click();
  await expect(conflicts(app).filter({ hasText: '"page"' })).toHaveCount(1);
  await app.getByTestId('guest').getByRole('textbox').fill('from here to there');
  await app.getByTestId('guest').getByRole('button', { name: 'Check' }).click();
  await expect(app.getByTestId('conflicts')).toContainText('The guest was not checked');
});

test('a BAR that is smaller than a page of a host with large pages', async ({ app }) => {
  const bar =
    '00:02.0 Ethernet controller: a card\n\tRegion 0: Memory at 80004000 (64-bit, prefetchable) [size=16K]\n\tIOMMU group: 1\n';
  await open(app, [{ name: 'host.txt', text: `${regions(1, MSI)}${bar}` }]);
  await expect(conflicts(app)).toHaveCount(0);
  const pages = app.getByTestId('guest').getByLabel('Host page size');
  await pages.selectOption('64 KiB');
  await expect(conflicts(app)).toHaveCount(1);
  await expect(conflicts(app).first()).toContainText(
    'BAR 0 of 0000:00:02.0 a card (16 KiB) is not aligned to pages of 64 KiB',
  );
  await pages.selectOption('16 KiB');
  await expect(conflicts(app)).toHaveCount(0);
});

test('what is typed before the search box is loaded is searched', async ({ page }) => {
  const release = await holdBack(page, /search-box-.*[.]js$/);
  await visit(page, '/');
  await page.keyboard.press('/');
  await page.keyboard.type('fee00');
  release();
  await expect(page.getByRole('option').first()).toContainText('MSI window');
  await expect(page.getByRole('combobox', { name: /Find an address/ })).toBeFocused();
  await page.keyboard.type('000');
  await expect(page.getByRole('combobox', { name: /Find an address/ })).toHaveValue('fee00000');
});

test('axe finds nothing in the conflicts, the guest and their tabs', async ({ app }) => {
  await guest(app).selectOption('q35');
  await conflicts(app).getByRole('button').first().click();
  expect(await violationsInBothThemes(app)).toEqual([]);
  await guest(app).selectOption('ranges');
  for (const tab of ['Fit', 'Hosts', 'Text']) {
    await app.getByRole('tab', { name: tab }).click();
    await expect(app.getByRole('tabpanel')).not.toContainText('Loading');
    expect(await violationsInBothThemes(app)).toEqual([]);
  }
});

test('which conflicts depend on the version of the kernel, and on which versions the guest works', async ({ app }) => {
  // EFR 0 in the IVRS: 48 bits from 6.17 on, 64 before.
  const log = 'AMD-Vi: Using global IVHD EFR:0x0, EFR2:0x0\n';
  await open(app, [{ name: 'host.txt', text: log + regions(1, MSI) }]);
  await guest(app).selectOption({ label: 'Custom ranges' });
  await app.getByTestId('guest').getByRole('textbox').fill('0x1000000000000-0x1000000000fff');
  const panel = app.getByTestId('conflicts');
  await panel.getByText('By kernel version').click();
  await expect(panel.getByTestId('version-verdicts')).toHaveText('Works on 5.10 to 6.16; fails on 6.17 to 7.3.');
  await expect(panel).toContainText('1 conflict depends on the version (5.10 to 7.3), 0 do not.');
  expect(await violations(app)).toEqual([]);
  await panel.getByTestId('version-verdicts').getByRole('button', { name: '5.10 to 6.16' }).click();
  await expect(app.getByTestId('kernel')).toHaveValue('6.16');
  await expect(conflicts(app)).toHaveCount(0);
});
