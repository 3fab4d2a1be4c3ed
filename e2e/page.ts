import { readdirSync, readFileSync } from 'node:fs';
import AxeBuilder from '@axe-core/playwright';
import {
  type Browser,
  test as base,
  type CDPSession,
  type ConsoleMessage,
  expect,
  type Locator,
  type Page,
} from '@playwright/test';
import { VIEWPORT } from '../playwright.config.ts';

/** Options of the page `app`, and what its tests share. */
interface Options {
  /** True for tests with other options of the browser's, or with scripts that run before the page's. */
  readonly ownContext: boolean;
}

/** The page of a test whose size, media, storage and history are those of a new one. */
class Tab {
  #page: Page | undefined;
  #session: CDPSession | undefined;

  async fresh(browser: Browser, origin: string): Promise<Page> {
    if (this.#page) {
      await this.#reset(this.#page, origin);
      return this.#page;
    }
    const context = await browser.newContext();
    this.#page = await context.newPage();
    this.#session = await context.newCDPSession(this.#page);
    return this.#page;
  }

  async #reset(page: Page, origin: string): Promise<void> {
    const context = page.context();
    for (const other of context.pages()) if (other !== page) await other.close();
    await page.unrouteAll({ behavior: 'ignoreErrors' });
    // A document of the same origin, without scripts: nothing stores anything from here on.
    await page.goto('/favicon.svg');
    await page.evaluate(() => {
      sessionStorage.clear();
      window.name = '';
    });
    await this.#session?.send('Storage.clearDataForOrigin', { origin, storageTypes: 'all' });
    await context.clearPermissions();
    await page.mouse.move(-1, -1);
    await page.emulateMedia({
      media: null,
      colorScheme: null,
      reducedMotion: null,
      forcedColors: null,
      contrast: null,
    });
    await page.setViewportSize(VIEWPORT);
    await this.#session?.send('Page.resetNavigationHistory');
  }
}

/**
 * `app` is the page, opened, with its first picture. It fails its test if anything was written to the console as an error, or
 * thrown and not caught.
 *
 * The tests of a process use one tab in turn, which is reset and loads the page again: half the processor time of a new
 * context, where all of the page's code is requested and compiled again. `page` is in a new context, as always.
 */
export const test = base.extend<Options & { readonly app: Page }, { readonly tab: Tab }>({
  ownContext: [false, { option: true }],
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's names
  tab: [async ({}, use) => use(new Tab()), { scope: 'worker' }],
  app: async ({ browser, baseURL, ownContext, tab }, use) => {
    const page = ownContext ? await (await browser.newContext()).newPage() : await tab.fresh(browser, baseURL ?? '');
    const complaints: string[] = [];
    const complain = (message: ConsoleMessage) => {
      if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
    };
    const complainOf = (error: Error) => complaints.push(String(error));
    page.on('console', complain);
    page.on('pageerror', complainOf);
    await visit(page, '/');
    await expect(page.getByTestId('answer')).toBeVisible();
    await use(page);
    expect(complaints).toEqual([]);
    page.off('console', complain);
    page.off('pageerror', complainOf);
    if (ownContext) await page.context().close();
  },
});

/** Opens an address and waits for the first picture. */
export async function visit(page: Page, address: string): Promise<void> {
  await page.goto(address);
  await expect(page.locator('[data-drawn=true]')).toBeVisible();
}

/** Holds back the answers to requests for a part of the page until the result is called. */
export async function holdBack(page: Page, part: string | RegExp): Promise<() => void> {
  let release = () => {};
  const released = new Promise<void>((resolve) => {
    release = resolve;
  });
  await page.route(part, async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

/** A paste of one host, alpha, whose group 4 reserves 0x1000-0x1fff. */
export const HOST_ALPHA = [
  'root@alpha:~# uname -a',
  'Linux alpha 6.1.0-18-amd64 #1 SMP x86_64 GNU/Linux',
  '/sys/kernel/iommu_groups/4/devices/0000:00:06.0',
  '/sys/kernel/iommu_groups/4/reserved_regions:0x0000000000001000 0x0000000000001fff msi',
  '',
].join('\n');

export const rows = (page: Page) => page.getByTestId('table').locator('tbody tr');

/** The table row of a range, by its exact bounds as they are printed. */
export function rowOf(page: Page, lane: string, start: string, last: string) {
  return rows(page)
    .filter({ has: page.getByRole('gridcell', { name: lane, exact: true }) })
    .filter({ has: page.getByRole('gridcell', { name: start, exact: true }) })
    .filter({ has: page.getByRole('gridcell', { name: last, exact: true }) });
}

/** Drops files given as text onto the page, as a person does with the mouse. */
export async function dropText(page: Page, files: readonly { name: string; text: string }[]): Promise<void> {
  const transfer = await page.evaluateHandle((list) => {
    const data = new DataTransfer();
    for (const { name, text } of list) data.items.add(new File([text], name));
    return data;
  }, files);
  await page.dispatchEvent('body', 'dragover', { dataTransfer: transfer });
  await page.dispatchEvent('body', 'drop', { dataTransfer: transfer });
}

/** Waits until the page has announced that something was opened. */
export async function isOpened(page: Page, title: string): Promise<void> {
  await expect(page.locator('p[role=status]')).toContainText(title);
}

/** Drags with Shift from one point of the window to another: measures in the timeline. */
export async function dragWithShift(
  page: Page,
  [x, y]: readonly [number, number],
  to: readonly [number, number],
): Promise<void> {
  await page.keyboard.down('Shift');
  await page.mouse.move(x, y);
  await page.mouse.down();
  await page.mouse.move(...to, { steps: 4 });
  await page.mouse.up();
  await page.keyboard.up('Shift');
}

/** Presses Save in the open export dialog. */
export async function savedFile(page: Page): Promise<{ readonly name: string; readonly data: Buffer }> {
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Save' }).click();
  const file = await download;
  return { name: file.suggestedFilename(), data: readFileSync(await file.path()) };
}

/** The files of a sample. */
export function sampleFiles(sample: string): { readonly name: string; readonly data: string }[] {
  const folder = `public/samples/${sample}`;
  return readdirSync(folder).map((name) => ({ name, data: readFileSync(`${folder}/${name}`, 'utf8') }));
}

/** The check box of a row of the tree. */
export const boxOf = (row: Locator) => row.getByRole('checkbox');

/** Selects every group of the first host, also those whose devices cannot be assigned. */
export async function selectAllGroups(page: Page): Promise<void> {
  const box = boxOf(page.getByTestId('host').first());
  await box.check();
  await expect(box).toBeChecked();
}

/** Pastes text outside of any text field. */
export async function pasteText(page: Page, text: string): Promise<void> {
  await page.evaluate((value) => {
    const data = new DataTransfer();
    data.setData('text/plain', value);
    document.body.dispatchEvent(new ClipboardEvent('paste', { clipboardData: data, bubbles: true, cancelable: true }));
  }, text);
}

/**
 * What axe finds wrong with the page as it is now, or with an open list of a combo box alone (its widget hides the rest of
 * the page from screen readers until it is closed): each rule with the elements that break it.
 */
export async function violations(page: Page, list?: string): Promise<string[]> {
  // In the page itself, and without a list of everything that passes: a fifth of the processor time. The other way is for
  // frames of other origins, which the page has none of.
  const builder = new AxeBuilder({ page }).setLegacyMode().options({ resultTypes: ['violations'] });
  if (list !== undefined) builder.include(list).disableRules(['region', 'page-has-heading-one']);
  const { violations: found } = await builder.analyze();
  return found.map((v) => `${v.id}: ${v.nodes.map((n) => n.target.join(' ')).join(', ')}`);
}

/** What axe finds wrong in the light theme and in the dark one, in a page that follows the system's. It is light again then. */
export async function violationsInBothThemes(page: Page, list?: string): Promise<string[]> {
  const found: string[] = [];
  for (const theme of ['dark', 'light'] as const) {
    await page.emulateMedia({ colorScheme: theme });
    await expect(page.locator(':root')).toHaveAttribute('data-theme', theme);
    found.push(...(await violations(page, list)).map((text) => `${theme}: ${text}`));
  }
  return found;
}

export { expect };
