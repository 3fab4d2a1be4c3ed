// Lists of more rows than a browser could lay out: all of them can be scrolled to, with the mouse and with the keyboard.
import type { Page } from '@playwright/test';
import { dropText, expect, rowOf, test } from './page.ts';

const COUNT = 150_000;
const hex = (value: number) => `0x${value.toString(16)}`;

/** Mappings of a page each, two pages apart. */
function mappings(): string {
  const lines = Array.from({ length: COUNT }, (_, i) => {
    const start = 0x1000_0000 + i * 0x2000;
    return `{"kind":"map","start":"${hex(start)}","last":"${hex(start + 0xfff)}","origin":"ftrace"}\n`;
  });
  return `{"format":"iova-trace","version":1}\n${lines.join('')}`;
}

const panel = (app: Page) => app.getByRole('tabpanel');

async function scrollTo(app: Page, share: number): Promise<void> {
  await panel(app).evaluate((element, to) => {
    element.scrollTop = to * (element.scrollHeight - element.clientHeight);
  }, share);
}

test('every row of a long table is reached by scrolling and by keys, and keeps the focus while others scroll by', async ({
  app,
}) => {
  await dropText(app, [{ name: 'trace.iova.jsonl', text: mappings() }]);
  const table = app.getByTestId('table');
  await expect.poll(async () => Number(await table.getAttribute('aria-rowcount'))).toBeGreaterThan(COUNT);
  const total = Number(await table.getAttribute('aria-rowcount'));
  const row = (index: number) => table.locator(`[aria-rowindex="${index}"]`);
  await scrollTo(app, 1);
  await expect(row(total)).toBeInViewport();
  await expect(row(total).getByRole('gridcell').nth(2)).toHaveText(/^0x/);
  await scrollTo(app, 0.5);
  await expect(row(Math.round(total / 2))).toBeInViewport();
  expect(await table.locator('tbody tr').count()).toBeLessThan(200);

  const focused = table.locator('tr:focus-within');
  await scrollTo(app, 0);
  await table.locator('[aria-rowindex="2"]').getByRole('button').focus();
  await app.keyboard.press('Control+End');
  await expect(focused).toHaveAttribute('aria-rowindex', String(total));
  await expect(focused.getByRole('button')).toBeFocused();
  await expect(focused).toBeInViewport({ ratio: 0.9 });
  await app.keyboard.press('ArrowUp');
  await app.keyboard.press('ArrowUp');
  await expect(focused).toHaveAttribute('aria-rowindex', String(total - 2));
  await scrollTo(app, 0);
  await expect(focused).toHaveAttribute('aria-rowindex', String(total - 2));
  await expect(focused).not.toBeInViewport();
  await app.keyboard.press('ArrowDown');
  await expect(focused).toHaveAttribute('aria-rowindex', String(total - 1));
  await expect(focused).toBeInViewport({ ratio: 0.9 });
  await app.keyboard.press('Control+Home');
  await expect(focused).toHaveAttribute('aria-rowindex', '2');
  await expect(focused).toBeInViewport({ ratio: 0.9 });
});

test('a line far down in a long text is shown', async ({ app }) => {
  const log = `${'nothing of interest in this line\n'.repeat(COUNT)}0x0000000000700000 0x00000000007fffff msi\n`;
  await dropText(app, [{ name: 'long.log', text: log }]);
  await rowOf(app, 'reserved', '0x70_0000', '0x7f_ffff').getByRole('button').click();
  await app
    .getByTestId('inspector')
    .getByRole('button', { name: `long.log, line ${COUNT + 1}` })
    .click();
  const line = app.getByTestId('source-text').locator('tr.current');
  await expect(line).toContainText('0x00000000007fffff msi');
  await expect(line).toBeInViewport();
});
