import { defineConfig } from '@playwright/test';
import { BROWSER_ARGS, findBrowser } from './scripts/browser.mjs';

const executablePath = findBrowser();
const PORT = Number(process.env.E2E_PORT ?? 4199);

export const VIEWPORT = { width: 1280, height: 800 };

/**
 * The network in the browser's own process: a tenth of the processor time of a load, with its hundred requests. The list
 * replaces Playwright's, whose one entry it repeats.
 */
const FEATURES = '--enable-features=CDPScreenshotNewSurface,NetworkServiceInProcess2';

export default defineConfig({
  testDir: 'e2e',
  testIgnore: 'vm/**',
  outputDir: 'test-results',
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  // In CI one slow moment of the machine must not fail everything: npm test counts and lists what needed its second run.
  retries: process.env.CI ? 1 : 0,
  workers: 2,
  timeout: 180_000,
  // A machine with other work draws its first picture late.
  expect: { timeout: 45_000 },
  use: {
    baseURL: `http://127.0.0.1:${PORT}`,
    viewport: VIEWPORT,
    launchOptions: { args: [...BROWSER_ARGS, FEATURES], ...(executablePath ? { executablePath } : {}) },
  },
  webServer: {
    command: `node scripts/serve-web.mjs ${PORT}`,
    url: `http://127.0.0.1:${PORT}`,
    reuseExistingServer: false,
  },
});
