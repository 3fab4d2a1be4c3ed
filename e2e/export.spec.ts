import { readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import { dropText, expect, pasteText, rowOf, selectAllGroups, test } from './page.ts';

async function exported(page: Page, item: RegExp): Promise<{ name: string; data: Buffer }> {
  await page.getByRole('button', { name: 'Export' }).click();
  const download = page.waitForEvent('download');
  await page.getByRole('menuitem', { name: item }).click();
  const file = await download;
  return { name: file.suggestedFilename(), data: readFileSync(await file.path()) };
}

test('the SVG has the title, every lane, the legend, the exact bounds and their sources', async ({ app }) => {
  await selectAllGroups(app);
  const { name, data } = await exported(app, /SVG/);
  expect(name).toMatch(/\.svg$/);
  const root = await app.evaluate((text) => {
    const parsed = new DOMParser().parseFromString(text, 'image/svg+xml');
    const error = parsed.querySelector('parsererror')?.textContent ?? '';
    return { error, texts: [...parsed.querySelectorAll('text')].map((t) => t.textContent) };
  }, data.toString('utf8'));
  expect(root.error).toBe('');
  for (const message of ['aperture', 'reserved', 'usable', 'MSI window', 'direct (blocks assignment)']) {
    expect(root.texts).toContain(message);
  }
  expect(root.texts.some((t) => t?.includes('Intel host with RMRRs'))).toBe(true);
  expect(root.texts).toContain('0xfee0_0000 – 0xfeef_ffff');
  expect(root.texts.some((t) => t?.startsWith('groups-after.txt:1'))).toBe(true);
});

test('the PNG is twice the size of the picture and shows its marks', async ({ app }) => {
  await selectAllGroups(app);
  const { data } = await exported(app, /Picture as PNG/);
  const picture = await app.evaluate(
    async (bytes) => {
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(bytes)], { type: 'image/png' }));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext('2d');
      if (!context) throw new Error('no drawing context');
      context.drawImage(bitmap, 0, 0);
      const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
      const count = { msi: 0, direct: 0 };
      for (let i = 0; i < pixels.length; i += 4) {
        const colour = `${pixels[i]},${pixels[i + 1]},${pixels[i + 2]}`;
        if (colour === '255,243,196') count.msi++;
        if (colour === '236,217,244') count.direct++;
      }
      return { width: bitmap.width, height: bitmap.height, ...count };
    },
    [...data],
  );
  expect(picture.width).toBeGreaterThanOrEqual(1920);
  expect(picture.width % 2).toBe(0);
  expect(picture.msi).toBeGreaterThan(500);
  expect(picture.direct).toBeGreaterThan(500);
});

test('a saved session opens again with the same ranges', async ({ app }) => {
  await pasteText(app, 'cat /sys/kernel/iommu_groups/4/reserved_regions\n0x0000000000001000 0x0000000000001fff msi\n');
  await expect(rowOf(app, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
  const { name, data } = await exported(app, /Host A/);
  expect(name).toBe('Host-A.iova.jsonl');
  expect(data.toString('utf8')).toContain('"kind":"reserved","start":"0x1000","last":"0x1fff"');
  await app.getByRole('button', { name: 'Close Host A' }).click();
  await app.getByTestId('pick-files').setInputFiles({ name: 'again', mimeType: 'text/plain', buffer: data });
  await expect(rowOf(app, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
  await expect(app.getByRole('treegrid')).toContainText('group 4');
});

test('a refused operation is explained in the picture: the requested range and what blocked it', async ({ app }) => {
  const lines = [
    '{"format":"iova-trace","version":1,"model":"iommufd"}',
    '{"op":"ioas.alloc","ioas":"a"}',
    '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x10000","length":"0x2000","iova":"0x4000"}',
    '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x20000","length":"0x1000","iova":"0x5000"}',
    '{"op":"ioas.unmap","ioas":"a","iova":"0x4000","length":"0x2000"}',
  ];
  await dropText(app, [{ name: 'refused.iova.jsonl', text: lines.join('\n') }]);
  await app.getByRole('tab', { name: 'Events' }).click();
  const refused = app.getByTestId('events').locator('tbody tr').filter({ hasText: '-EEXIST' });
  await refused.getByRole('button').click();
  await expect(refused).toHaveAttribute('aria-current', 'step');
  await app.getByRole('tab', { name: 'Table' }).click();
  await expect(rowOf(app, 'areas', '0x4000', '0x5fff')).toHaveCount(1);
  const { data } = await exported(app, /SVG/);
  const svg = data.toString('utf8');
  expect(svg).toContain('requested, -EEXIST · 4 KiB');
  expect(svg).toContain('area 0x4000 – 0x5fff · 8 KiB');
});
