import { writeFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import {
  dropText,
  expect,
  HOST_ALPHA,
  pasteText,
  rowOf,
  savedFile,
  selectAllGroups,
  test,
  violations,
  visit,
} from './page.ts';

/** Opens the export dialog at a form and waits for its preview. */
async function chooseForm(page: Page, form: RegExp): Promise<void> {
  await page.getByRole('button', { name: 'Export…' }).click();
  await page.getByRole('radio', { name: form }).check();
  await expect(page.getByTestId('export-preview')).toBeVisible();
}

async function exported(page: Page, form: RegExp): Promise<{ name: string; data: Buffer }> {
  await chooseForm(page, form);
  const file = await savedFile(page);
  await page.getByRole('button', { name: 'Close', exact: true }).click();
  return file;
}

/** Opens a file in a page of its own and returns it, drawn. */
async function opened(page: Page, name: string, data: Buffer): Promise<Page> {
  const fresh = await page.context().newPage();
  await visit(fresh, '/');
  await fresh.getByTestId('pick-files').setInputFiles({ name, mimeType: 'application/octet-stream', buffer: data });
  await expect(fresh.locator('p[role=status]')).toContainText(name);
  return fresh;
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
  expect(root.texts.some((t) => t?.startsWith('Not to scale'))).toBe(true);
  expect(root.texts.some((t) => /^iovascope \d/.test(t ?? ''))).toBe(true);
});

test('the PNG is twice the size of the picture, shows its marks, and opens again', async ({ app }) => {
  await pasteText(app, HOST_ALPHA);
  await expect(rowOf(app, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
  const { name, data } = await exported(app, /PNG/);
  const picture = await app.evaluate(
    async (bytes) => {
      const bitmap = await createImageBitmap(new Blob([Uint8Array.from(bytes)], { type: 'image/png' }));
      const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
      const context = canvas.getContext('2d');
      if (!context) throw new Error('no drawing context');
      context.drawImage(bitmap, 0, 0);
      const pixels = context.getImageData(0, 0, bitmap.width, bitmap.height).data;
      let msi = 0;
      for (let i = 0; i < pixels.length; i += 4) {
        if (`${pixels[i]},${pixels[i + 1]},${pixels[i + 2]}` === '255,243,196') msi++;
      }
      return { width: bitmap.width, msi };
    },
    [...data],
  );
  expect(picture.width).toBe(2560);
  expect(picture.msi).toBeGreaterThan(500);
  const fresh = await opened(app, name, data);
  await expect(rowOf(fresh, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
  await expect(fresh.getByTestId('host')).toContainText('alpha');
});

test('a saved session of two hosts opens again as two hosts', async ({ app }) => {
  await pasteText(app, HOST_ALPHA);
  // The sample that was open is one host, too.
  await expect(app.getByTestId('host')).toContainText('alpha');
  await expect(app.getByTestId('host')).toHaveCount(1);
  await pasteText(app, HOST_ALPHA.replaceAll('alpha', 'beta').replace('00:06.0', '00:07.0'));
  await expect(app.getByTestId('host')).toHaveCount(2);
  const { name, data } = await exported(app, /Session file/);
  expect(name).toBe('case.iova.jsonl');
  expect(data.toString('utf8')).toContain('"kind":"reserved","start":"0x1000","last":"0x1fff"');
  const fresh = await opened(app, name, data);
  await expect(fresh.getByTestId('host')).toHaveCount(2);
  await expect(fresh.getByTestId('host').first()).toContainText('alpha');
  await expect(fresh.getByTestId('host').nth(1)).toContainText('beta');
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
  // The moment is part of the picture.
  expect(svg).toContain('after event 3 of 4');
});

test('reports name nothing that is replaced, and say what is', async ({ app }) => {
  await pasteText(app, HOST_ALPHA);
  await expect(app.getByTestId('host')).toContainText('alpha');
  await chooseForm(app, /Markdown/);
  await expect(app.getByTestId('replacements')).toContainText('alpha');
  await expect(app.getByTestId('export-preview')).toContainText('host-1');
  await expect(app.getByTestId('export-preview')).not.toContainText('alpha');
  await app.getByLabel('Title').fill('Guest does not start');
  await expect(app.getByTestId('export-preview')).toContainText('## Guest does not start');
  expect(await violations(app)).toEqual([]);
  await app.getByRole('checkbox', { name: /Replace names/ }).uncheck();
  await expect(app.getByTestId('export-preview')).toContainText('alpha');
  // What was made with other choices cannot be saved meanwhile.
  const save = await app.getByRole('button', { name: 'Save' }).elementHandle();
  const isDisabled = await app.getByRole('checkbox', { name: /Replace names/ }).evaluate(async (box, button) => {
    (box as HTMLInputElement).click();
    await Promise.resolve();
    return (button as HTMLButtonElement | null)?.disabled;
  }, save);
  expect(isDisabled).toBe(true);
  await expect(app.getByRole('button', { name: 'Save' })).toBeEnabled();
  await expect(app.getByTestId('export-preview')).not.toContainText('alpha');
  // What a report replaces is decided for each form.
  await app.getByRole('radio', { name: /^Link/ }).check();
  await expect(app.getByRole('checkbox', { name: /Replace names/ })).toBeChecked();
});

test('a keyboard opens the dialog, chooses a form and gets back to its button', async ({ app }) => {
  await app.getByRole('button', { name: 'Export…' }).focus();
  await app.keyboard.press('Enter');
  await expect(app.getByRole('dialog')).toBeVisible();
  await app.getByRole('radio', { name: /PNG/ }).focus();
  await app.keyboard.press('ArrowDown');
  await expect(app.getByRole('radio', { name: /SVG/ })).toBeChecked();
  await app.keyboard.press('Escape');
  await expect(app.getByRole('dialog')).toHaveCount(0);
  await expect(app.getByRole('button', { name: 'Export…' })).toBeFocused();
  // Also while nothing has the focus, as in the moment in which a dialog above it closes.
  await app.keyboard.press('Enter');
  await expect(app.getByRole('dialog')).toBeVisible();
  await app.evaluate(() => {
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    document.body.dispatchEvent(new KeyboardEvent('keydown', { key: 'Escape', bubbles: true }));
  });
  await expect(app.getByRole('dialog')).toHaveCount(0);
});

test('the text report is what scripts get, and a PNG is copied with its session', async ({ app }) => {
  const context = app.context();
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await chooseForm(app, /PNG/);
  await app.getByRole('button', { name: 'Copy' }).click();
  await expect(app.locator('p[role=status]')).toContainText('Copied');
  const types = await app.evaluate(async () => (await navigator.clipboard.read()).flatMap((item) => item.types));
  expect(types).toEqual(expect.arrayContaining(['image/png', 'web image/png']));
  const hasSession = await app.evaluate(async () => {
    const [item] = await navigator.clipboard.read();
    const blob = await item?.getType('web image/png');
    return (await blob?.text())?.includes('iTXtiovascope');
  });
  expect(hasSession).toBe(true);
  const text = await app.evaluate(() => window.iovascope?.text());
  for (const line of text?.split('\n') ?? ['']) expect(line).toMatch(/^[ -~]{0,72}$/);
});

test('the web page opens from the disk without a network, is the explorer, and exports itself again', async ({
  app,
  browser,
}, info) => {
  await pasteText(app, HOST_ALPHA);
  await expect(rowOf(app, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
  const { data } = await exported(app, /HTML/);
  expect(data.length).toBeLessThan(1_200_000);
  const context = await browser.newContext({ offline: true });
  const complaints: string[] = [];
  for (const name of ['first.html', 'second.html']) {
    const file = info.outputPath(name);
    if (name === 'first.html') writeFileSync(file, data);
    const page = await context.newPage();
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    await page.goto(`file://${file}`);
    await expect(rowOf(page, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
    await expect(page.getByTestId('host')).toContainText('alpha');
    await page.evaluate(() => window.iovascope?.setGuest('q35:8G'));
    await expect(page.getByTestId('answer')).toContainText('8 GiB');
    // Its samples and scripts are in it.
    await page.getByRole('button', { name: 'Open ▾' }).click();
    await page.getByRole('menuitem', { name: 'Live host…' }).click();
    await page.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
    await page.getByRole('button', { name: 'Copy the script' }).click();
    await expect(page.getByRole('textbox', { name: 'collect.sh' })).toHaveValue(/^#!\/bin\/sh/);
    await page.keyboard.press('Escape');
    await page.keyboard.press('Escape');
    if (name === 'first.html') {
      const again = await exported(page, /HTML/);
      writeFileSync(info.outputPath('second.html'), again.data);
    }
    await page.getByRole('button', { name: 'New case' }).click();
    await page.getByRole('button', { name: 'Open ▾' }).click();
    await page.getByRole('menuitem', { name: /AMD host/ }).click();
    await expect(rowOf(page, 'reserved', '0xfd_0000_0000', '0xff_ffff_ffff')).toHaveCount(1);
  }
  expect(complaints).toEqual([]);
  await context.close();
});

test('a note on a range, by keyboard: in the picture, the SVG, and a fresh browser that gets the SVG', async ({
  app,
  browser,
}) => {
  await pasteText(app, HOST_ALPHA);
  await rowOf(app, 'reserved', '0x1000', '0x1fff').getByRole('button').press('Enter');
  const own = app.getByTestId('note-of-range');
  await own.getByRole('button', { name: 'Add a note' }).press('Enter');
  await app.keyboard.type('This page <b>blocks</b> the guest.');
  await app.keyboard.press('Control+Enter');
  const row = rowOf(app, 'notes', '0x1000', '0x1fff');
  await expect(row).toContainText('This page <b>blocks');
  await expect(own.getByRole('button', { name: 'Add a note' })).toBeFocused();
  await row.getByRole('button').press('Enter');
  await own.getByRole('button', { name: 'Edit note' }).press('Enter');
  expect(await violations(app)).toEqual([]);
  await app.keyboard.press('End');
  await app.keyboard.type(' See the log.');
  await app.keyboard.press('Control+Enter');
  await expect(app.getByTestId('inspector')).toContainText('the guest. See the log.');
  // Redaction keeps what a person wrote, unless they say otherwise.
  await chooseForm(app, /Markdown/);
  await expect(app.getByTestId('export-preview')).toContainText('See the log');
  await app.getByRole('checkbox', { name: 'Keep the texts of 1 note' }).uncheck();
  await expect(app.getByTestId('export-preview')).not.toContainText('See the log');
  await app.getByRole('button', { name: 'Close', exact: true }).click();
  const { name, data } = await exported(app, /SVG/);
  const context = await browser.newContext();
  const fresh = await context.newPage();
  await visit(fresh, '/');
  await dropText(fresh, [{ name, text: data.toString('utf8') }]);
  await rowOf(fresh, 'notes', '0x1000', '0x1fff').getByRole('button').click();
  await expect(fresh.getByTestId('inspector')).toContainText('This page <b>blocks</b> the guest. See the log.');
  await fresh.getByRole('button', { name: /^Remove the note/ }).press('Enter');
  await expect(rowOf(fresh, 'notes', '0x1000', '0x1fff')).toHaveCount(0);
  await fresh.getByRole('button', { name: 'Undo', exact: true }).click();
  await expect(rowOf(fresh, 'notes', '0x1000', '0x1fff')).toHaveCount(1);
  await context.close();
});

test('a clipboard that refuses: what was to be copied is shown, the text selected', async ({ app }) => {
  await app.evaluate(() => Object.defineProperty(navigator, 'clipboard', { value: undefined }));
  const box = app.getByRole('dialog', { name: 'Nothing was copied' });
  const selection = () =>
    app.evaluate(() => {
      const field = document.activeElement;
      return field instanceof HTMLTextAreaElement ? field.value.slice(field.selectionStart, field.selectionEnd) : '';
    });
  const rows = app.getByTestId('table').locator('tbody tr');
  await rows.filter({ hasText: 'MSI window' }).first().getByRole('button').click();
  await app.getByTestId('inspector').getByRole('button', { name: 'Copy range' }).click();
  await expect(box).toContainText('denied access');
  expect(await selection()).toBe('0xfee00000-0xfeefffff');
  expect(await violations(app)).toEqual([]);
  await app.keyboard.press('Escape');
  for (const form of [/^Text/, /^Link/]) {
    await chooseForm(app, form);
    const text = await app.getByTestId('export-preview').textContent();
    await app.getByRole('button', { name: 'Copy', exact: true }).click();
    await expect(box).toBeVisible();
    expect((await selection()).trim()).toBe(text?.trim());
    await app.keyboard.press('Escape');
    await expect(box).toHaveCount(0);
    await app.getByRole('button', { name: 'Close', exact: true }).click();
  }
  await chooseForm(app, /PNG/);
  await app.getByRole('button', { name: 'Copy', exact: true }).click();
  await expect(box.getByRole('img')).toBeVisible();
  expect(
    await box.getByRole('img').evaluate((img: HTMLImageElement) => img.decode().then(() => img.naturalWidth)),
  ).toBe(2560);
});
