import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { dropText, expect, pasteText, rowOf, test } from './page.ts';

const stillThere = ['reserved', '0xfee0_0000', '0xfeef_ffff'] as const;

test('a file with nothing in it is refused with its first lines, an empty or a binary one as such; what was open stays', async ({
  app,
}) => {
  await dropText(app, [{ name: 'notes.txt', text: 'shopping list\nmilk\nbread\n' }]);
  const problem = app.getByTestId('problem');
  await expect(problem).toContainText('notes.txt was not opened');
  // What was seen, what it resembles, what to give instead: a line each, and nothing twice.
  await expect(problem.locator('.problem-line')).toHaveText([
    "nothing recognized: line 1: 'shopping list', line 2: 'milk'.",
    'Resembles no known format.',
    /^Try the output of: /,
  ]);
  expect(((await problem.textContent()) ?? '').split('shopping list')).toHaveLength(2);
  await expect(rowOf(app, ...stillThere)).toHaveCount(1);
  await problem.getByRole('button', { name: 'Close' }).click();
  await expect(problem).toHaveCount(0);

  await dropText(app, [{ name: 'empty.txt', text: '' }]);
  await expect(app.getByTestId('problem')).toContainText(/empty/);
  await dropText(app, [
    { name: 'blob.bin', text: '\u0000\u0001\u0002\u0003\u0004\u0005\u0000\u0001ELF\u0000\u0007'.repeat(50) },
  ]);
  await expect(app.getByTestId('problem')).toContainText('blob.bin');
  await expect(rowOf(app, ...stillThere)).toHaveCount(1);
});

test('broken lines become diagnostics with their place, and the others still count', async ({ app }) => {
  await pasteText(app, '0x2000 0x1000 msi\n0x00000000000012345 0x20000 msi\r\n0x5000 0x5fff reserved\n');
  await expect(rowOf(app, 'reserved', '0x5000', '0x5fff')).toHaveCount(1);
  await app.getByRole('tab', { name: /Diagnostics \(/ }).click();
  const panel = app.getByRole('tabpanel');
  await expect(panel).toContainText('line 1');
  await expect(panel).toContainText('line 2');
  await expect(panel).toContainText(/more than 16 hexadecimal digits/);
});

function bigFile(line: string, megabytes: number, last: string): { file: string; remove: () => void } {
  const folder = mkdtempSync(path.join(tmpdir(), 'iovascope-e2e-'));
  const file = path.join(folder, 'large.log');
  const block = line.repeat(Math.ceil(2 ** 20 / line.length));
  writeFileSync(file, block.repeat(megabytes) + last);
  return { file, remove: () => rmSync(folder, { recursive: true }) };
}

test('fifty megabytes open while the page stays usable', async ({ app }) => {
  const region = '0x0000000000700000 0x00000000007fffff msi\n';
  const { file, remove } = bigFile('lorem ipsum dolor sit amet, consectetur adipiscing elit\n', 50, region);
  try {
    await app.evaluate(() => {
      const page = window as unknown as { longest: number };
      page.longest = 0;
      new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) page.longest = Math.max(page.longest, entry.duration);
      }).observe({ type: 'longtask' });
    });
    await app.getByTestId('pick-files').setInputFiles(file);
    await app.getByRole('radio', { name: 'log' }).click();
    await expect(app.getByRole('radio', { name: 'log' })).toBeChecked();
    await expect(rowOf(app, 'reserved', '0x70_0000', '0x7f_ffff')).toHaveCount(1, { timeout: 45_000 });
    const longest = await app.evaluate(() => (window as unknown as { longest: number }).longest);
    test.info().annotations.push({ type: 'longest task in ms', description: String(longest) });
  } finally {
    remove();
  }
});

test('reading a large file shows progress and can be cancelled', async ({ app }) => {
  // A million regions: work enough that the button is reached before the end.
  const { file, remove } = bigFile('0x0000000000700000 0x00000000007fffff msi\n', 50, '');
  try {
    await app.getByTestId('pick-files').setInputFiles(file);
    const busy = app.getByTestId('busy');
    await expect(busy).toContainText(/Reading large.log: .* of ≈ 50 MiB/);
    await busy.getByRole('button', { name: 'Cancel' }).click();
    await expect(busy).toHaveCount(0);
    await expect(app.getByRole('treegrid')).toContainText('Intel host with RMRRs');
    await expect(rowOf(app, ...stillThere)).toHaveCount(1);
  } finally {
    remove();
  }
});
