import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { packTar } from 'modern-tar';
import { groupedHex } from '../src/iova/format.ts';
import { boxOf, dropText, expect, isOpened, pasteText, rowOf, selectAllGroups, test } from './page.ts';

const FIXTURES = new URL('../src/dumps/fixtures/reserved-regions/', import.meta.url).pathname;
const CAPTURES = readdirSync(FIXTURES).filter((name) => /^captured-.*-tail\.txt$/.test(name));

/** Bounds of every recorded region of a capture, as the table prints them, each once. */
function regionsOf(capture: string): string[][] {
  const facts = readFileSync(`${FIXTURES}${capture}.facts.jsonl`, 'utf8').trim().split('\n');
  const bounds = facts.map((line) => JSON.parse(line)).filter((fact) => fact.kind === 'reserved');
  const printed = bounds.map(({ start, last }) => [start, last].map((text) => groupedHex(BigInt(text))).join(' '));
  return [...new Set(printed)].map((text) => text.split(' '));
}

test('a first visit draws a sample', async ({ app }) => {
  await expect(app.getByRole('treegrid')).toContainText('Intel host with RMRRs');
  await expect(rowOf(app, 'reserved', '0xfee0_0000', '0xfeef_ffff')).toHaveCount(1);
  const painted = await app.locator('.timeline canvas').evaluate((canvas: HTMLCanvasElement) => {
    const data = canvas.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data ?? [];
    const colours = new Set<number>();
    for (let i = 0; i < data.length; i += 4) {
      colours.add(((data[i] as number) << 16) | ((data[i + 1] as number) << 8) | (data[i + 2] as number));
    }
    return colours.size;
  });
  expect(painted).toBeGreaterThan(40);
});

test('there are recordings of five machines to open', () => {
  expect(CAPTURES).toHaveLength(5);
});

for (const capture of CAPTURES) {
  test(`${capture}: picked, dropped under a name that says nothing, pasted with quote marks`, async ({ app }) => {
    const text = readFileSync(`${FIXTURES}${capture}`, 'utf8');
    const ways: readonly [title: string, open: () => Promise<void>][] = [
      [capture, () => app.getByTestId('pick-files').setInputFiles(`${FIXTURES}${capture}`)],
      ['whatever.bin', () => dropText(app, [{ name: 'whatever.bin', text }])],
      ['pasted text', () => pasteText(app, text.replace(/^/gm, '> '))],
    ];
    for (const [title, open] of ways) {
      await test.step(title, async () => {
        await open();
        await isOpened(app, title);
        await selectAllGroups(app);
        await expect(app.getByRole('treegrid')).not.toContainText('Intel host with RMRRs');
        for (const [start = '', last = ''] of regionsOf(capture)) {
          await expect(rowOf(app, 'reserved', start, last)).toHaveCount(1);
        }
        await app.evaluate(() => window.iovascope?.reset());
        await expect(app.getByTestId('empty-case')).toBeVisible();
      });
    }
  });
}

test('a folder of sysfs opens whole', async ({ app }) => {
  const folder = mkdtempSync(path.join(tmpdir(), 'iovascope-e2e-'));
  try {
    for (const group of ['3', '12']) {
      const groupFolder = path.join(folder, 'iommu_groups', group);
      mkdirSync(groupFolder, { recursive: true });
      writeFileSync(path.join(groupFolder, 'reserved_regions'), '0x00000000fee00000 0x00000000feefffff msi\n');
      writeFileSync(path.join(groupFolder, 'type'), 'DMA-FQ\n');
    }
    await app.getByTestId('pick-folder').setInputFiles(path.join(folder, 'iommu_groups'));
    await expect(app.getByRole('treegrid')).toContainText('iommu_groups');
    await expect(app.getByRole('row', { name: 'group 12' })).toContainText('DMA-FQ · msi');
    await expect(app.getByRole('row', { name: 'group 3' })).toContainText('DMA-FQ · msi');
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('a packed archive of sysfs opens with the devices behind its links', async ({ app }) => {
  const group = 'sys/kernel/iommu_groups/9';
  const archive = await packTar([
    {
      header: { name: `${group}/reserved_regions`, size: 4096 },
      body: '0x00000000000a0000 0x00000000000bffff direct\n'.padEnd(4096, '\0'),
    },
    {
      header: {
        name: `${group}/devices/0000:00:02.0`,
        size: 0,
        type: 'symlink',
        linkname: '../../../../devices/pci0000:00/0000:00:02.0',
      },
    },
  ]);
  await app
    .getByTestId('pick-files')
    .setInputFiles({ name: 'host.bin', mimeType: 'application/octet-stream', buffer: gzipSync(archive) });
  await expect(rowOf(app, 'reserved', '0xa_0000', '0xb_ffff')).toHaveCount(1);
  await app.getByRole('row', { name: 'group 9' }).getByRole('button', { name: 'Expand' }).click();
  await expect(app.getByRole('treegrid')).toContainText('0000:00:02.0');
});

test('a sample opens from the menu, and what is typed from the paste dialog', async ({ app }) => {
  await app.getByRole('button', { name: 'Open' }).click();
  await app.getByRole('menuitem', { name: 'AMD host' }).click();
  await expect(app.getByRole('treegrid')).toContainText('AMD host with the hole below 1 TiB');
  await expect(rowOf(app, 'reserved', '0xfd_0000_0000', '0xff_ffff_ffff')).toHaveCount(1);
  await app.getByRole('button', { name: 'Open' }).click();
  await app.getByRole('menuitem', { name: 'Paste text' }).click();
  await app.getByRole('dialog').getByRole('textbox').fill('0x1000 0x1fff msi');
  await app.getByRole('dialog').getByRole('button', { name: 'Open' }).click();
  await expect(rowOf(app, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
});

test('a second dump joins the first, and the host can be closed again', async ({ app }) => {
  await pasteText(app, '0x1000 0x1fff msi');
  await isOpened(app, 'pasted text');
  await dropText(app, [{ name: 'other.txt', text: '0x5000 0x5fff reserved' }]);
  await expect(rowOf(app, 'reserved', '0x5000', '0x5fff')).toHaveCount(1);
  await expect(rowOf(app, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
  await app.getByRole('button', { name: 'Close Host A' }).click();
  await expect(rowOf(app, 'reserved', '0x1000', '0x1fff')).toHaveCount(0);
  await expect(rowOf(app, 'reserved', '0x5000', '0x5fff')).toHaveCount(0);
});

test('selecting groups shows what remains usable for all of them', async ({ app }) => {
  await selectAllGroups(app);
  const host = boxOf(app.getByTestId('host'));
  const group = boxOf(app.getByRole('row', { name: 'group 3' }));
  const lane = app.getByRole('button', { name: /reserved: one row per contributor/ });
  await lane.click();
  await expect(lane).toHaveAttribute('aria-expanded', 'true');
  await expect(rowOf(app, 'group 3', '0x3f00_0000', '0x3f7f_ffff')).toHaveCount(1);
  await expect(rowOf(app, 'usable', '0x3f80_0000', '0xfedf_ffff')).toHaveCount(1);
  // Without group 3 its RMRR at 0x3f000000 no longer cuts the usable range.
  await group.uncheck();
  await expect(rowOf(app, 'usable', '0x3f80_0000', '0xfedf_ffff')).toHaveCount(0);
  await expect(rowOf(app, 'usable', '0x3e30_0000', '0xfedf_ffff')).toHaveCount(1);
  // The host shows that it is selected in part, and selecting it selects all of it.
  await expect(host).toBeChecked({ indeterminate: true });
  await host.click();
  await expect(group).toBeChecked();
  await expect(host).toBeChecked();
  await host.click();
  await expect(group).not.toBeChecked();
  await expect(host).not.toBeChecked();
});

test('a session file opens with its address space, its events and the reasons for refusals', async ({ app }) => {
  const lines = [
    '{"format":"iova-trace","version":1,"model":"iommufd","title":"two maps"}',
    '{"op":"ioas.alloc","ioas":"a"}',
    '{"op":"ioas.map","ioas":"a","flags":["fixed","read","write"],"user_va":"0x10000","length":"0x2000","iova":"0x4000"}',
    '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x20000","length":"0x1000","iova":"0x5000"}',
  ];
  await dropText(app, [{ name: 'two.iova.jsonl', text: `${lines.join('\n')}\n` }]);
  await expect(rowOf(app, 'areas', '0x4000', '0x5fff')).toHaveCount(1);
  await expect(rowOf(app, 'holes', '0x6000', '0xffff_ffff_ffff_ffff')).toHaveCount(1);
  await app.getByRole('tab', { name: 'Events' }).click();
  const refused = app.getByTestId('events').locator('tbody tr').filter({ hasText: '-EEXIST' });
  await expect(refused).toContainText('0x4000 – 0x5fff');
  await app.getByTestId('events').getByRole('button', { name: 'create IOAS a' }).click();
  await app.getByRole('tab', { name: 'Table' }).click();
  await expect(rowOf(app, 'areas', '0x4000', '0x5fff')).toHaveCount(0);
});
