// Operations by hand: completion, the answer before and after Enter, addresses from the timeline, editing, undo.
import type { Page } from '@playwright/test';
import { dragWithShift, expect, test, violations } from './page.ts';

const line = (page: Page) => page.getByRole('combobox', { name: 'Operation', exact: true });
const preview = (page: Page) => page.getByTestId('operation-preview');
const result = (page: Page) => page.getByTestId('operation-result');

/** Types an operation and runs it; waits for its answer. */
async function run(page: Page, text: string, answer: string | RegExp): Promise<void> {
  await line(page).fill(text);
  await line(page).press('Enter');
  await expect(result(page)).toContainText(answer);
  await expect(line(page)).toHaveValue('');
}

test('operations by keys: completed, tried, run, edited and undone', async ({ app: page }) => {
  await page.keyboard.press('>');
  await expect(line(page)).toBeFocused();
  // Nothing is changed by trying.
  await line(page).pressSequentially('mpa');
  await expect(preview(page)).toContainText("did you mean 'map'?");
  await line(page).fill('map b any 4K r');
  await expect(preview(page)).toContainText('cannot be run');
  await line(page).press('Enter');
  await expect(result(page)).toContainText('Not added');
  await line(page).fill('');
  await line(page).pressSequentially('al');
  await expect(page.getByRole('listbox').getByRole('option')).toHaveText([/^alloc/, /^allow/]);
  await line(page).press('ArrowDown');
  await expect(page.getByRole('option', { name: 'alloc' })).toHaveAttribute('aria-selected', 'true');
  await line(page).press('Enter');
  await expect(line(page)).toHaveValue('alloc ');
  await line(page).pressSequentially('a');
  await expect(preview(page)).toContainText('would answer 0');
  await line(page).press('Enter');
  await expect(result(page)).toContainText('Event 1: create IOAS a → 0');
  await expect(page.getByTestId('moment')).toHaveText('1 / 1');

  await run(page, 'attach nic to a: iommu vtd, aperture 0x0-0x7fffffffff, msi 0xfee00000-0xfeefffff', 'Event 2');
  await line(page).fill('map a 0xfee00000 4K rw');
  await expect(preview(page)).toContainText('would be refused: -EINVAL');
  await expect(preview(page)).toContainText('map-over-reserved · Linux 6.12.117, iopt_check_iova');
  await line(page).press('Enter');
  await expect(result(page)).toContainText('-EINVAL');
  await run(page, 'map a 0xfef00000 4K rw', 'iova 0xfef0_0000');
  await run(page, 'map a 0xfef00000 4K rw', '-EEXIST');
  // The key with the arrow gives the operation before.
  await line(page).press('ArrowUp');
  await expect(line(page)).toHaveValue('map a 0xfef00000 4K rw');
  await line(page).press('Escape');

  await page.getByRole('button', { name: 'Previous event' }).click();
  await page.getByRole('button', { name: 'Edit event 4' }).click();
  await line(page).fill('map a 0x1000 4K rw');
  await line(page).press('Enter');
  await expect(result(page)).toContainText('1 later event is answered differently now: event 5');
  await page.getByRole('button', { name: '1 later event' }).click();
  await expect(page.getByTestId('moment')).toHaveText('5 / 5');
  await page.getByRole('button', { name: 'Remove event 5' }).click();
  await expect(page.getByTestId('moment')).toHaveText('4 / 4');
  await line(page).press('Control+z');
  await expect(page.getByTestId('moment')).toHaveText('5 / 5');
  await line(page).press('Control+y');
  await expect(page.getByTestId('moment')).toHaveText('4 / 4');
  expect(await violations(page)).toEqual([]);
  await line(page).press('Escape');
  await expect(page.getByTestId('operation-bar')).toBeHidden();
});

test('addresses and ranges come from the timeline', async ({ app: page }) => {
  await page.keyboard.press('>');
  await page.getByLabel('Model').selectOption('type1');
  await run(page, 'open c type1v2', 'Event 1');
  await run(page, 'attach group 1 to c: iommu vtd, aperture 0x0-0x7fffffffff', 'Event 2');
  await line(page).fill('map c ');
  const box = await page.getByTestId('timeline-scroll').boundingBox();
  if (!box) throw new Error('no timeline');
  const [x, y] = [box.x + box.width / 2, box.y + 60];
  await page.mouse.click(x, y);
  await expect(line(page)).toHaveValue(/^map c 0x[\da-f]+ $/);
  await line(page).pressSequentially('2M rw');
  await expect(preview(page)).toContainText('would');
  await line(page).fill('map c ');
  await expect(preview(page)).toContainText('found the end of the line');
  await dragWithShift(page, [x, y], [x + 120, y]);
  await expect(line(page)).toHaveValue(/^map c 0x[\da-f]+ (?:0x[\da-f]+|\d+[KMGTPE]) $/);

  // The same on a page that is enlarged, as in the presenter's view: the address is one that the ruler shows there.
  await line(page).fill('map c ');
  await page.locator('.app').evaluate((app: HTMLElement) => app.style.setProperty('zoom', '1.5'));
  const enlarged = await page.getByTestId('timeline-scroll').boundingBox();
  if (!enlarged) throw new Error('no timeline');
  const [middle, ruler] = [enlarged.x + enlarged.width / 2, enlarged.y + 90];
  const at = async (pixel: number) => {
    await page.mouse.move(pixel, ruler);
    return BigInt(((await page.getByTestId('readout').textContent()) ?? '').replace(/_|\s.*$/g, ''));
  };
  await expect(async () => expect(await at(middle)).toBeGreaterThan(0n)).toPass();
  const [low, high] = [await at(middle - 16), await at(middle + 16)];
  await page.mouse.click(middle, ruler);
  await expect(line(page)).toHaveValue(/^map c 0x[\da-f]+ $/);
  const picked = BigInt((await line(page).inputValue()).split(' ')[2] ?? '');
  expect(picked >= low && picked <= high).toBe(true);
  // The list of completions covers nothing of the bar.
  await line(page).fill('');
  await line(page).press('ArrowDown');
  const list = await page.getByRole('listbox', { name: 'Completions' }).boundingBox();
  const bar = await page.getByTestId('operation-bar').boundingBox();
  if (!list || !bar) throw new Error('no list or no bar');
  expect(list.y >= bar.y + bar.height || list.y + list.height <= bar.y).toBe(true);
});
