// npm run picture: makes the README's picture, docs/iovascope.png, from the real page with its first sample.
import { chromium } from '@playwright/test';
import { build, preview } from 'vite';
import { BROWSER_ARGS, requireBrowser } from './browser.mjs';

await build({ logLevel: 'warn' });
const server = await preview({ logLevel: 'warn', preview: { host: '127.0.0.1', port: 4198 } });
const { port } = server.httpServer.address();
const browser = await chromium.launch({ executablePath: requireBrowser(), args: BROWSER_ARGS });
const page = await browser.newPage({ viewport: { width: 1440, height: 820 }, colorScheme: 'light' });
await page.goto(`http://127.0.0.1:${port}/`);
await page.locator('[data-drawn=true]').waitFor();
// A guest of four gigabytes where arm64's machine puts its memory: over the MSI window.
await page.getByTestId('guest').getByLabel('Guest to try').selectOption('virt');
await page.locator('.conflict').filter({ hasText: 'MSI window' }).getByRole('button').first().click();
await page.locator('.conflict-details').waitFor();
await page.locator('.notice').waitFor({ state: 'hidden' });
await page.screenshot({ path: 'docs/iovascope.png' });
await browser.close();
await server.close();
