import { readFileSync } from 'node:fs';
import { dropText, expect, pasteText, rowOf, sampleFile, test } from './page.ts';

const HOSTS = [
  { id: 'x86-vtd-39bit-rmrr', groups: 8, reserved: ['0x3f00_0000', '0x3f7f_ffff'] },
  { id: 'x86-amd-vi', groups: 8, reserved: ['0xfd_0000_0000', '0xff_ffff_ffff'] },
  { id: 'arm64-smmuv3', groups: 1, reserved: ['0x800_0000', '0x80f_ffff'] },
] as const;

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

for (const host of HOSTS) {
  const [start, last] = host.reserved;
  const tail = sampleFile(`${host.id}/tail-reserved_regions.txt`);

  test(`picking the recorded regions of ${host.id}`, async ({ app }) => {
    await app.getByTestId('pick-files').setInputFiles(tail);
    await expect(app.getByRole('treegrid')).toContainText('tail-reserved_regions.txt');
    await expect(app.getByRole('treegrid')).not.toContainText('Intel host with RMRRs');
    await expect(rowOf(app, 'reserved', start, last)).toHaveCount(1);
    const words = host.groups === 1 ? '1 group' : `${host.groups} groups`;
    await expect(app.getByRole('treegrid')).toContainText(words);
  });

  test(`dropping the recorded regions of ${host.id}`, async ({ app }) => {
    await dropText(app, [{ name: 'whatever.bin', text: readFileSync(tail, 'utf8') }]);
    await expect(app.getByRole('treegrid')).toContainText('whatever.bin');
    await expect(rowOf(app, 'reserved', start, last)).toHaveCount(1);
  });

  test(`pasting the recorded regions of ${host.id}`, async ({ app }) => {
    await pasteText(app, readFileSync(tail, 'utf8').replace(/^/gm, '> '));
    await expect(app.getByRole('treegrid')).toContainText('pasted text');
    await expect(rowOf(app, 'reserved', start, last)).toHaveCount(1);
  });
}

test('the samples open from the menu', async ({ app }) => {
  await app.getByRole('button', { name: 'Open' }).click();
  await app.getByRole('menuitem', { name: 'AMD host' }).click();
  await expect(app.getByRole('treegrid')).toContainText('AMD host with the hole below 1 TiB');
  await expect(rowOf(app, 'reserved', '0xfd_0000_0000', '0xff_ffff_ffff')).toHaveCount(1);
});

test('the paste dialog opens what is typed into it', async ({ app }) => {
  await app.getByRole('button', { name: 'Open' }).click();
  await app.getByRole('menuitem', { name: 'Paste text' }).click();
  await app.getByRole('textbox', { name: /The text as you have it/ }).fill('0x1000 0x1fff msi');
  await app.getByRole('dialog').getByRole('button', { name: 'Open' }).click();
  await expect(rowOf(app, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
});

test('a second dump joins the first, and can be closed again', async ({ app }) => {
  await pasteText(app, '0x1000 0x1fff msi');
  await expect(app.getByRole('treegrid')).toContainText('pasted text');
  await dropText(app, [{ name: 'other.txt', text: '0x5000 0x5fff reserved' }]);
  await expect(rowOf(app, 'reserved', '0x5000', '0x5fff')).toHaveCount(1);
  await expect(rowOf(app, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
  await app.getByRole('button', { name: 'Close pasted text' }).click();
  await expect(rowOf(app, 'reserved', '0x1000', '0x1fff')).toHaveCount(0);
  await expect(rowOf(app, 'reserved', '0x5000', '0x5fff')).toHaveCount(1);
});

test('ticking groups shows what remains usable for them together', async ({ app }) => {
  await expect(rowOf(app, 'usable', '0x3f80_0000', '0xfedf_ffff')).toHaveCount(1);
  // Without group 3 its RMRR at 0x3f000000 no longer cuts the usable range.
  await app.getByRole('row', { name: 'group 3' }).locator('.tick').click();
  await expect(rowOf(app, 'usable', '0x3f80_0000', '0xfedf_ffff')).toHaveCount(0);
  await expect(rowOf(app, 'usable', '0x3e30_0000', '0xfedf_ffff')).toHaveCount(1);
});

test('the reserved lane opens into a row for each group', async ({ app }) => {
  const head = app.getByRole('button', { name: /reserved: a row for each contributor/ });
  await head.click();
  await expect(head).toHaveAttribute('aria-expanded', 'true');
  await expect(rowOf(app, 'group 3 0000:00:05.0', '0x3f00_0000', '0x3f7f_ffff')).toHaveCount(1);
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
  const refused = app.getByRole('listitem').filter({ hasText: '-EEXIST' });
  await expect(refused).toContainText('0x4000 – 0x5fff');
  await app.getByRole('button', { name: /^1 ioas.alloc/ }).click();
  await app.getByRole('tab', { name: 'Table' }).click();
  await expect(rowOf(app, 'areas', '0x4000', '0x5fff')).toHaveCount(0);
});
