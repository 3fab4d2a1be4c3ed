// The Events tab as a log tool: filters, failures, stepping one of several sessions; long tables as grids; long traces.
import { gzipSync } from 'node:zlib';
import type { Page } from '@playwright/test';
import { dropText, expect, isOpened, test, violations, violationsInBothThemes } from './page.ts';

const header = (title: string) => JSON.stringify({ format: 'iova-trace', version: 1, model: 'iommufd', title });
const map = (ioas: string, iova: number) =>
  JSON.stringify({
    ...{ op: 'ioas.map', ioas, flags: ['fixed', 'read', 'write'], user_va: '0x10000', length: '0x2000' },
    iova: `0x${iova.toString(16)}`,
  });
const session = (title: string, ioas: string, iovas: readonly number[]) =>
  [header(title), JSON.stringify({ op: 'ioas.alloc', ioas }), ...iovas.map((iova) => map(ioas, iova)), ''].join('\n');

/** Maps two pages each; the third and the fifth overlap others. */
const LOG = session('first log', 'a', [0x6000, 0x10_0000, 0x6000, 0x20_0000, 0x20_1000]);

async function open(app: Page, title: string, text: string): Promise<void> {
  await dropText(app, [{ name: `${title}.iova.jsonl`, text }]);
  await isOpened(app, title);
}

const events = (app: Page) => app.getByTestId('events').locator('tbody tr');
const shown = (app: Page) => app.getByTestId('events').locator('tr[aria-current=step]');

test('refused operations belong to the events: readable, filtered, each with its reason; walked and copied', async ({
  app,
}) => {
  await open(app, 'first log', LOG);
  await expect(app.getByTestId('conflicts')).toContainText('No conflicts');
  await app.getByRole('tab', { name: 'Events' }).click();
  await expect(events(app)).toHaveCount(6);
  await expect(events(app).nth(1)).toContainText('map 8 KiB at 0x6000 rw');
  await expect(events(app).nth(3)).toContainText('-EEXIST');
  await expect(events(app).nth(3)).toContainText('0x6000 – 0x7fff');

  await app.getByRole('checkbox', { name: 'Failed only (2)' }).check();
  await expect(events(app)).toHaveCount(2);
  await expect(app.getByTestId('event-count')).toHaveText('2 of 6 events');
  await app.getByRole('checkbox', { name: /Failed only/ }).uncheck();
  await app.getByRole('combobox', { name: 'Event' }).selectOption('ioas.alloc');
  await expect(events(app)).toHaveCount(1);
  await app.getByRole('combobox', { name: 'Event' }).selectOption('all');
  // An address that no event names: the ranges that hold it.
  await app.getByRole('searchbox', { name: 'Text' }).fill('0x6fff');
  await expect(events(app)).toHaveCount(2);
  await app.getByRole('searchbox', { name: 'Text' }).fill('nothing like it');
  await expect(app.getByText('No event matches the filter.')).toBeVisible();
  await app.getByRole('searchbox', { name: 'Text' }).fill('');
  await expect(events(app)).toHaveCount(6);

  expect(await violationsInBothThemes(app)).toEqual([]);

  await app.getByTestId('timeline').focus();
  await app.keyboard.press('Shift+R');
  await expect(shown(app)).toContainText('0x6000');
  await expect(shown(app)).toContainText('-EEXIST');
  await expect(app.locator('p[role=status]')).toContainText(/event 4 of 6: .*refused: -EEXIST/);
  await app.keyboard.press('r');
  await expect(shown(app)).toContainText('0x20_1000');
  const strip = app.getByTestId('failures');
  await strip.focus();
  await app.keyboard.press('Home');
  await expect(shown(app)).toHaveAttribute('aria-rowindex', '5');
  await app.keyboard.press('ArrowRight');
  await expect(shown(app)).toHaveAttribute('aria-rowindex', '7');
  const box = await strip.boundingBox();
  if (!box) throw new Error('no strip');
  await app.mouse.click(box.x + (box.width * 4) / 6, box.y + box.height / 2);
  await expect(shown(app)).toHaveAttribute('aria-rowindex', '5');

  await events(app).nth(1).getByRole('button').focus();
  await app.keyboard.press('ArrowDown');
  await app.keyboard.press('ArrowRight');
  await app.keyboard.press('Enter');
  await expect(shown(app)).toHaveAttribute('aria-rowindex', '4');
  // Listening before the key is pressed.
  const listener = await app.evaluateHandle(() => ({
    copied: new Promise<string>((resolve) => {
      addEventListener('copy', (event) => resolve(event.clipboardData?.getData('text/plain') ?? ''), { once: true });
    }),
  }));
  await app.keyboard.press('Control+c');
  expect(await listener.evaluate(({ copied }) => copied)).toMatch(/^3\tIOAS a\tmap 8 KiB at 0x10_0000 rw/);
});

test('the keys step the session that is shown, and its name is there in every tab', async ({ app }) => {
  await open(app, 'first log', LOG);
  await open(app, 'second log', session('second log', 'b', [0x1000, 0x4000]));
  const bar = app.getByTestId('session');
  await expect(bar.getByRole('combobox')).toHaveValue(/.+/);
  await expect(bar.locator('option:checked')).toHaveText('second log');
  await app.getByTestId('timeline').focus();
  await app.keyboard.press(',');
  await expect(app.getByTestId('moment')).toHaveText('2 / 3');
  await expect(app.locator('p[role=status]')).toContainText('second log, event 2 of 3: IOAS b: map 8 KiB at 0x1000 rw');
  await bar.getByRole('combobox').selectOption('first log');
  await expect(app.getByTestId('moment')).toHaveText('6 / 6');
  await bar.getByRole('button', { name: 'Previous event' }).click();
  await expect(app.getByTestId('moment')).toHaveText('5 / 6');
  await bar.getByRole('combobox').selectOption('second log');
  await expect(app.getByTestId('moment')).toHaveText('2 / 3');
  // Space steps as well, what comes next can be hidden, and the session can be played.
  await app.getByTestId('timeline').focus();
  await app.keyboard.press('Shift+Space');
  await expect(app.getByTestId('moment')).toHaveText('1 / 3');
  await bar.getByRole('checkbox', { name: 'Hide later events' }).check();
  await expect(app.getByTestId('moment')).toHaveText('1 / ?');
  await app.getByTestId('timeline').focus();
  await app.keyboard.press('Space');
  await expect(app.getByTestId('moment')).toHaveText('2 / ?');
  await bar.getByRole('checkbox', { name: 'Hide later events' }).uncheck();
  await app.getByTestId('timeline').focus();
  await app.keyboard.press('k');
  await expect(app.getByTestId('moment')).toHaveText('3 / 3');
  await expect(bar.getByRole('button', { name: 'Play' })).toBeVisible();
  await app.keyboard.press('b');
  await expect(bar.getByText('3 / 3')).toBeVisible();
  // A third one can take the place of the others.
  await open(app, 'third log', session('third log', 'c', []));
  await app.getByTestId('placed').getByRole('button', { name: 'Close the other sessions' }).click();
  await expect(bar).toContainText('third log');
  await expect(bar.getByRole('combobox')).toHaveCount(0);
});

test('a table is one tab stop with arrow keys from cell to cell', async ({ app }) => {
  const table = app.getByTestId('table');
  await expect(table.locator('tbody tr').first()).toBeVisible();
  await expect(table.locator('[tabindex="0"]')).toHaveCount(1);
  await table.locator('[tabindex="0"]').focus();
  const focused = app.locator(':focus');
  const row = table.locator('tr:focus-within');
  await expect(row).toHaveAttribute('aria-rowindex', '2');
  await app.keyboard.press('ArrowDown');
  await expect(row).toHaveAttribute('aria-rowindex', '3');
  await app.keyboard.press('ArrowRight');
  await expect(focused).toHaveText(/^0x/);
  await app.keyboard.press('ArrowUp');
  await expect(row).toHaveAttribute('aria-rowindex', '2');
  await expect(focused).toHaveText(/^0x/);
  await app.keyboard.press('Home');
  await expect(focused).toHaveAttribute('role', 'gridcell');
  await app.keyboard.press('Enter');
  await expect(row).toHaveAttribute('aria-current', 'true');
  await expect(table.locator('[tabindex="0"]')).toHaveCount(1);
  await app.keyboard.press('Tab');
  await expect(table.locator(':focus')).toHaveCount(0);
});

test('n, p and c say the range with its bounds', async ({ app }) => {
  // Sliders have outputs, which are no live regions.
  const status = app.locator('p[role=status]');
  await expect(status).toHaveCount(1);
  await app.getByTestId('timeline').focus();
  await app.keyboard.press('n');
  await expect(status).toHaveText(/, 0x[0-9a-f_]+ to 0x[0-9a-f_]+, [\d.]+ \w+$/);
  const first = (await status.textContent()) ?? '';
  await app.keyboard.press('n');
  await expect(status).not.toHaveText(first);
  await app.keyboard.press('p');
  await expect(status).toHaveText(first);
  await app.getByTestId('guest').getByLabel('Guest to try').selectOption('virt');
  await expect(app.getByTestId('conflicts').locator('.conflict').first()).toBeVisible();
  await app.getByTestId('timeline').focus();
  await app.keyboard.press('c');
  await expect(status).toHaveText(/^Conflict 1 of \d+, \w+: .*: 0x[0-9a-f]+ to 0x[0-9a-f]+$/);
});

test('conflicts of one kind are one item that opens', async ({ app }) => {
  const regions = Array.from(
    { length: 12 },
    (_, i) =>
      `/sys/kernel/iommu_groups/${i + 1}/reserved_regions:0x${(i + 1).toString(16)}000 0x${(i + 1).toString(16)}fff direct\n`,
  );
  await dropText(app, [{ name: 'host.txt', text: regions.join('') }]);
  await isOpened(app, 'host.txt');
  const list = app.getByTestId('conflicts');
  const group = list.locator('.conflict-group');
  await expect(group).not.toHaveCount(0);
  const title = group.first().locator('> .conflict-title');
  await expect(title).toHaveAttribute('aria-expanded', 'false');
  await title.click();
  await expect(group.first().locator('.conflict')).toHaveCount(12);
  await group.first().locator('.conflict').nth(2).getByRole('button').first().click();
  await expect(group.first().locator('.conflict.current')).toHaveCount(1);
});

test('very many events are filtered', async ({ app }) => {
  const iovas = Array.from({ length: 20_000 }, (_, i) => (i === 15_000 ? 0x6000 : 0x6000 + i * 0x2000));
  await open(app, 'long log', session('long log', 'a', iovas));
  await app.getByRole('tab', { name: 'Events' }).click();
  await app.getByRole('checkbox', { name: 'Failed only (1)' }).check();
  await expect(events(app)).toHaveCount(1);
  await expect(events(app)).toContainText('15002');
  await app.getByRole('checkbox', { name: /Failed only/ }).uncheck();
  await app.getByRole('searchbox', { name: 'Text' }).fill('at 0x10_6000');
  await expect(app.getByTestId('event-count')).toHaveText('1 of 20,001 events');
  await expect(events(app)).toHaveCount(1);
});

test("the kernel's DMA allocator explains how it found an address", async ({ app }) => {
  const attach = {
    op: 'dma.attach',
    device: 'nic',
    domain: 'd',
    aperture: ['0x0', '0xffffffffffff'],
    force_aperture: true,
    pgsize_bitmap: '0x1000',
    pci: true,
    forcedac: false,
    windows: [['0xe0000000', '0xffffffff']],
    reserved: [],
  };
  const map = { op: 'dma.map', device: 'nic', phys: '0x10000', size: '0x1000', dma_mask: '0xffffffffffffffff' };
  const lines = [{ format: 'iova-trace', version: 1, model: 'dma-iommu' }, attach, map, map];
  await dropText(app, [{ name: 'nic.iova.jsonl', text: lines.map((line) => JSON.stringify(line)).join('\n') }]);
  await isOpened(app, 'nic.iova.jsonl');
  await app.getByRole('tab', { name: 'Events' }).click();
  const steps = app.getByTestId('decision');
  await steps.getByText('How the kernel decided about event 3').click();
  await expect(steps.getByRole('listitem')).toContainText([
    'PCI device: addresses below 4 GiB are tried first',
    'no freed range of this size is kept',
    'search down from the 32-bit cursor at 0xdffff000',
    'found 0xdfffe000-0xdfffefff',
    'Answer: 0, DMA address 0xdfff_e000',
  ]);
  // Each step is lit; the present one is said.
  await steps.getByRole('button', { name: 'found' }).click();
  await expect(steps.getByRole('status')).toHaveText('Step 4 of 5: found 0xdfffe000-0xdfffefff');
  await steps.getByRole('button', { name: 'Previous step' }).click();
  await expect(steps.getByRole('listitem').nth(2)).toHaveAttribute('aria-current', 'step');
  expect(await violations(app)).toEqual([]);
  await app.getByTestId('timeline').focus();
  await app.keyboard.press(',');
  await expect(steps).toContainText('event 2');
});

/** A page is mapped and unmapped in turn; most events happen in one second of nine. */
function longTrace(count: number): Buffer {
  const lines: string[] = [];
  for (let i = 0; i < count; i++) {
    const left = count - i;
    const seconds = i < 1000 ? i / 250 : left > 1000 ? 4 + i / count : 9 - left / 250;
    const event =
      i % 2 === 0
        ? 'map: IOMMU: iova=0x1000 paddr=0x0 size=4096'
        : 'unmap: IOMMU: iova=0x1000 size=4096 unmapped_size=4096';
    lines.push(`a-1 [0] ${seconds.toFixed(6)}: ${event}\n`);
  }
  return gzipSync(lines.join(''), { level: 1 });
}

test('a long trace shows when its events happened, also those that are only counted', async ({ app }) => {
  const name = 'long.txt.gz';
  const buffer = longTrace(500_200);
  await app.getByTestId('pick-files').setInputFiles({ name, mimeType: 'application/gzip', buffer });
  await isOpened(app, name);
  await app.getByRole('tab', { name: 'Events' }).click();
  const strip = app.getByTestId('density');
  await expect(strip.getByRole('img')).toHaveAccessibleName(
    'long.txt.gz, 0.00 s to 9.00 s: 250,200 of 500,200 mapping events only counted. At most 15,632 events in 0.03 s, from 4.03 s on.',
  );
  expect(await violationsInBothThemes(app)).toEqual([]);
  const bars = strip.getByRole('img');
  const { width = 0, height = 0 } = (await bars.boundingBox()) ?? {};
  const at = (share: number) => ({ position: { x: width * share, y: height / 2 } });
  await bars.hover(at(0.1));
  await expect(strip).toContainText(/0\.\d+ s to \d\.\d+ s: \d+ events?, \d+ only counted/);
  const row = async () => Number(await shown(app).getAttribute('aria-rowindex'));
  // At the end of the trace, and in the busiest second, of which the second half is listed.
  await bars.click(at(0.95));
  await expect.poll(async () => Math.round((await row()) / 1000)).toBe(250);
  await bars.click(at(0.52));
  await expect.poll(row).toBeLessThan(200_000);
  expect(await row()).toBeGreaterThan(20_000);
});
