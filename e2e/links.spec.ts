import type { Page } from '@playwright/test';
import { expect, HOST_ALPHA, pasteText, rowOf, test, visit } from './page.ts';

async function linkOf(page: Page): Promise<string> {
  return (await page.evaluate(() => window.iovascope?.link())) ?? '';
}

async function withHost(page: Page): Promise<void> {
  await pasteText(page, HOST_ALPHA);
  await expect(page.getByTestId('host')).toContainText('alpha');
  await expect.poll(() => page.url()).not.toContain('sample=');
}

test('a link opens the same case in a fresh browser, without names', async ({ app, browser }) => {
  await withHost(app);
  await app.evaluate(() => window.iovascope?.setGuest('q35:8G'));
  const link = await linkOf(app);
  expect(link).toMatch(/#v1\.[\w-]+\.[0-9a-f]{8}&/);
  const context = await browser.newContext();
  const fresh = await context.newPage();
  await visit(fresh, link);
  await expect(rowOf(fresh, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
  await expect(fresh.getByTestId('host')).toContainText('host-1');
  expect(await fresh.evaluate(() => window.iovascope?.answer())).toMatchObject(
    await app.evaluate(async () => ({ severity: (await window.iovascope?.answer())?.severity })),
  );
  // What is open is in the address bar, so that a reload opens it again.
  await fresh.reload();
  await expect(rowOf(fresh, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
  await context.close();
});

test('the address bar follows the view, and a reload shows it again', async ({ app }) => {
  await expect.poll(() => app.url()).toContain('#sample=x86-vtd-39bit-rmrr');
  await app.getByRole('radio', { name: 'log' }).check();
  await expect.poll(() => app.url()).toContain('scale=log');
  await app.getByRole('tab', { name: 'Hosts' }).click();
  await expect.poll(() => app.url()).toContain('tab=hosts');
  await app.reload();
  await expect(app.getByRole('radio', { name: 'log' })).toBeChecked();
  await expect(app.getByRole('tab', { name: 'Hosts' })).toHaveAttribute('aria-selected', 'true');
});

test('back and forward go between samples and the own case', async ({ app }) => {
  await expect.poll(() => app.url()).toContain('#sample=x86-vtd-39bit-rmrr');
  await app.getByRole('button', { name: 'Open ▾' }).click();
  await app.getByRole('menuitem', { name: /AMD host/ }).click();
  await expect.poll(() => app.url()).toContain('#sample=x86-amd-vi');
  await withHost(app);
  await expect.poll(() => app.url()).not.toContain('sample=');
  // Until the browser keeps the case.
  await expect(app.getByTestId('kept')).toContainText('Saved in this browser');
  await app.goBack();
  await expect(app.getByTestId('host')).toContainText('AMD host');
  await app.goBack();
  await expect(app.getByTestId('host')).toContainText('Intel host');
  await app.goForward();
  await expect(app.getByTestId('host')).toContainText('AMD host');
  await app.goForward();
  await expect(app.getByTestId('host')).toContainText('alpha');
});

test('a link in the address bar of an open case takes its place; undo brings the case back', async ({ app }) => {
  const link = await linkOf(app);
  await withHost(app);
  await app.evaluate(
    (hash) => {
      location.hash = hash;
    },
    link.slice(link.indexOf('#')),
  );
  await expect(app.getByTestId('host')).toContainText('host-1');
  await app.goBack();
  await expect(app.getByTestId('host')).toContainText('alpha');
});

test('a link that cannot be read is explained, and the case stays', async ({ app }) => {
  const link = await linkOf(app);
  await withHost(app);
  for (const [what, change, message] of [
    ['cut in the middle', (hash: string) => hash.slice(0, 60), /cut|missing/],
    ['of a newer version', (hash: string) => hash.replace('v1.', 'v7.'), /version 7/],
    ['without anything readable', () => '#v1.AAAA.00000000', /recovered|checksum|damaged/],
    ['to a sample that is not there', () => '#sample=nothing', /no sample/],
  ] as const) {
    await test.step(what, async () => {
      await app.evaluate(
        (hash) => {
          location.hash = hash;
        },
        change(link.slice(link.indexOf('#'))),
      );
      await expect(app.getByTestId('problem')).toContainText(message);
      await expect(app.getByTestId('host').first()).toContainText(/alpha|host-1/);
    });
  }
});

test('a wrong checksum is said, and the session opens', async ({ app }) => {
  const link = await linkOf(app);
  const wrong = link.replace(/\.[0-9a-f]{8}/, '.00000000');
  const page = await app.context().newPage();
  await visit(page, wrong);
  await expect(page.getByTestId('problem')).toContainText('checksum');
  await expect(page.getByTestId('host')).toContainText('host-1');
});

test('a selection made by hand is in the link and in the address bar', async ({ app }) => {
  const direct = (page: Page) => rowOf(page, 'reserved', '0x3e2e_0000', '0x3e2f_ffff');
  await expect.poll(() => app.url()).toContain('#sample=');
  await expect(direct(app)).toHaveCount(0);
  await app
    .getByRole('row', { name: /^group 4/ })
    .getByRole('checkbox')
    .check();
  await expect(direct(app)).toHaveCount(1);
  await expect.poll(() => app.url()).toContain('groups=0-2,4,6-7');
  for (const address of [app.url(), await linkOf(app)]) {
    const page = await app.context().newPage();
    await visit(page, address);
    await expect(direct(page)).toHaveCount(1);
    await expect(page.getByRole('row', { name: /^group 4/ }).getByRole('checkbox')).toBeChecked();
    await expect(page.getByRole('row', { name: /^group 5/ }).getByRole('checkbox')).not.toBeChecked();
  }
});

test('a step of a session is in the link', async ({ app }) => {
  await visit(app, '/#sample=qemu-viommu-unmap');
  await app.reload();
  await expect(app.getByTestId('host').or(app.getByRole('treegrid'))).toContainText('QEMU unmap');
  await app.locator('body').click({ position: { x: 5, y: 5 } });
  await app.keyboard.press(',');
  await app.keyboard.press(',');
  await expect.poll(() => app.url()).toMatch(/at=\d+/);
  const at = /at=(\d+)/.exec(app.url())?.[1];
  const page = await app.context().newPage();
  await visit(page, await linkOf(app));
  await expect.poll(async () => (await page.evaluate(() => window.iovascope?.state()))?.step).toBe(Number(at));
});

test('in slides of another page: only answer and picture, read-only, stepped by messages', async ({ app }) => {
  await app.goto('/examples/slides.html');
  const frame = app.frameLocator('iframe');
  await expect(frame.getByTestId('timeline')).toBeVisible();
  await expect(frame.getByRole('button', { name: 'Export…' })).toBeHidden();
  await expect(app.getByRole('status')).toHaveText(/^Slide 1 of 3, event 0 of 5$/);
  await app.getByRole('button', { name: 'Next' }).click();
  await expect(app.getByRole('status')).toHaveText(/^Slide 2 of 3, event 3 of 5$/);
  // What would change something does nothing.
  await frame.getByTestId('timeline').press('>');
  await expect(frame.getByTestId('timeline')).toBeFocused();
  await expect(frame.getByTestId('operation-bar')).toHaveCount(0);
  // The link carries the moment, and opens everything.
  const link = frame.getByRole('link', { name: 'Open in full' });
  await link.focus();
  await expect(link).toHaveAttribute('href', /#sample=qemu-viommu-unmap(?:&.*)?&at=3/);
  await expect(link).not.toHaveAttribute('href', /embed/);
  const answer = await app.evaluate(
    () =>
      new Promise<{ error?: string; state: { step: number } }>((resolve) => {
        addEventListener('message', ({ data }) => {
          if (data.id === 7) resolve(data);
        });
        const inner = document.querySelector('iframe')?.contentWindow;
        inner?.postMessage({ type: 'iovascope', action: 'next' }, '*');
        inner?.postMessage({ type: 'iovascope', action: 'jump', id: 7 }, '*');
      }),
  );
  expect(answer.error).toContain("unknown action 'jump'");
  await expect(app.getByRole('status')).toHaveText(/event 4 of 5$/);
});
