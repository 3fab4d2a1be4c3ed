// What the page exports is, byte for byte, what `render` and `link` write.
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findBrowser } from '../scripts/browser.mjs';
import { runCli } from '../src/cli/testing/run.ts';
import { expect, sampleFiles, savedFile, test } from './page.ts';

const ERROR =
  'qemu-system-x86_64: -device vfio-pci,host=0000:00:05.0: vfio 0000:00:05.0: failed to setup container for group 3: memory listener initialization failed: Region pc.ram: vfio_dma_map(0x55d0, 0x0, 0x80000000, 0x7f12) = -22 (Invalid argument)\n';
const fault = (address: string, second: number) =>
  `[  ${second}.506400] pci 0000:a1:00.0: AMD-Vi: Event logged [IO_PAGE_FAULT domain=0x0011 address=${address} flags=0x0020]\n`;

const sample = (name: string) => Object.fromEntries(sampleFiles(name).map((file) => [file.name, file.data]));

const CASES: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  host: { ...sample('x86-vtd-39bit-rmrr'), 'error.txt': ERROR },
  session: sample('qemu-viommu-unmap'),
  faults: { 'dmesg.txt': fault('0xfffffe0000', 140) + fault('0xfd410000', 141) },
};

const FORMS = [
  [/PNG/, 'png'],
  [/SVG/, 'svg'],
  [/Markdown/, 'md'],
  [/^Text/, 'txt'],
  [/HTML/, 'html'],
] as const;

for (const [name, files] of Object.entries(CASES)) {
  test(`${name}: every form is the same from the page and from the command line`, async ({ app }, info) => {
    process.env.IOVASCOPE_CHROMIUM ??= findBrowser();
    const folder = info.outputPath(name);
    // In the order in which the command line reads a folder.
    const given = Object.keys(files)
      .sort()
      .map((file) => ({ name: `${folder}/${file}`, data: files[file] ?? '' }));
    mkdirSync(folder, { recursive: true });
    for (const { name: file, data } of given) writeFileSync(file, data);
    const opened = given.map(({ name: file, data }) => ({ name: join(name, file.slice(folder.length + 1)), data }));
    await app.evaluate(async (list) => {
      await window.iovascope?.open(list);
    }, opened);
    await expect.poll(() => app.url()).not.toContain('sample=');
    const base = app.url().replace(/#.*$/, '');
    const cwd = process.cwd();
    await app.getByRole('button', { name: 'Export…' }).click();
    for (const [form, extension] of FORMS) {
      // It starts a browser of its own, which one case shows.
      if (extension === 'png' && name !== 'host') continue;
      await app.getByRole('radio', { name: form }).check();
      const replaces = app.getByRole('checkbox', { name: /Replace names/ });
      await replaces.uncheck();
      await expect(app.getByTestId('export-preview')).toBeVisible();
      await expect(app.getByTestId('replacements')).toHaveCount(0);
      // A preview that is still of the names replaced.
      await expect(app.getByRole('button', { name: 'Save' })).toBeEnabled();
      if (extension === 'md' || extension === 'txt') {
        await expect(app.getByTestId('export-preview')).not.toContainText('file-1');
      }
      const out = `out.${extension}`;
      try {
        process.chdir(dirname(folder));
        const { code, stderr, written } = await runCli(['render', name, '-o', out, '--base', base]);
        expect([code, stderr]).toEqual([0, '']);
        const data = Buffer.from(written?.[out] ?? '');
        expect((await savedFile(app)).data.equals(data), `${out} of ${data.length} bytes`).toBe(true);
        if (extension !== 'md') continue;
        expect(data.toString()).toContain(`${name === 'session' ? 'refused operation' : 'Lines of the dumps'}`);
      } finally {
        process.chdir(cwd);
      }
    }
    await app.getByRole('radio', { name: /^Link/ }).check();
    await expect(app.getByTestId('export-preview')).toContainText('#v1.');
    const link = await runCli(['link', folder, '--base', base]);
    expect(`${(await savedFile(app)).data}\n`).toBe(link.stdout);
  });
}
