// The built page below a path of any web server, in a frame of another page, and with a policy that the server adds.
import { createReadStream, existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { test as base } from '@playwright/test';
import { expect, HOST_ALPHA, pasteText, rowOf, visit } from './page.ts';

const WEB = path.resolve(import.meta.dirname, '../dist/web');
const TYPES: Readonly<Record<string, string>> = {
  ...{ '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' },
};
/** As strict as the page's own. */
const POLICY = "default-src 'self'; script-src 'self'; object-src 'none'; base-uri 'none'; img-src 'self' data: blob:";
const FRAME = '<!doctype html><title>Documentation</title><iframe title="IOVA layout" width="900" height="420" src=';

/** Files below /docs/tools/iova/, and a page with a frame at /docs/. */
function serve(): Server {
  return createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'http://localhost');
    if (pathname === '/docs/') {
      response
        .writeHead(200, { 'content-type': 'text/html' })
        .end(`${FRAME}"tools/iova/#${searchParams.get('at')}"></iframe>`);
      return;
    }
    const [, name = ''] = /^\/docs\/tools\/iova\/([\w./-]*)$/.exec(pathname) ?? [];
    const file = path.join(WEB, name === '' ? 'index.html' : name);
    const isThere = pathname.startsWith('/docs/tools/iova/') && !name.includes('..') && existsSync(file);
    response.writeHead(isThere ? 200 : 404, {
      'content-type': TYPES[path.extname(file)] ?? 'text/plain',
      'content-security-policy': `${POLICY}; style-src 'self' 'unsafe-inline'`,
    });
    if (isThere) createReadStream(file).pipe(response);
    else response.end();
  });
}

const test = base.extend<{ readonly address: string }>({
  // biome-ignore lint/correctness/noEmptyPattern: Playwright reads the parameter's names
  address: async ({}, use) => {
    const server = serve();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    await use(`http://127.0.0.1:${(server.address() as AddressInfo).port}/docs/`);
    server.closeAllConnections();
    server.close();
  },
});

test('below a path: samples, own dumps, links and the page for work without a network', async ({ page, address }) => {
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('response', (response) => {
    if (response.status() >= 400) complaints.push(response.url());
  });
  await visit(page, `${address}tools/iova/`);
  await expect.poll(() => page.url()).toContain('/docs/tools/iova/#sample=');
  await pasteText(page, HOST_ALPHA);
  await expect(rowOf(page, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
  const link = (await page.evaluate(() => window.iovascope?.link())) ?? '';
  expect(link.startsWith(`${address}tools/iova/#v1.`)).toBe(true);
  await page.getByRole('button', { name: 'Export…' }).click();
  await page.getByRole('radio', { name: /HTML/ }).check();
  await expect(page.getByTestId('export-preview')).toContainText('one file');
  const fresh = await page.context().newPage();
  await visit(fresh, link);
  await expect(rowOf(fresh, 'reserved', '0x1000', '0x1fff')).toHaveCount(1);
  expect(complaints).toEqual([]);
});

test('in a frame of another page', async ({ page, address }) => {
  const complaints: string[] = [];
  page.on('console', (message) => complaints.push(message.text()));
  await page.goto(`${address}?at=${encodeURIComponent('sample=x86-amd-vi&embed=1')}`);
  const frame = page.frameLocator('iframe');
  await expect(frame.getByTestId('timeline')).toBeVisible();
  await expect(frame.locator('[data-drawn=true]')).toBeVisible();
  await expect(frame.getByTestId('answer')).toBeVisible();
  await expect(frame.getByRole('button', { name: 'Export…' })).toBeHidden();
  expect(complaints).toEqual([]);
});
