import { defineConfig } from '@playwright/test';
import { BROWSER_ARGS, findBrowser } from './scripts/browser.mjs';

const executablePath = findBrowser();

/** Real kernels in virtual machines: slow, so apart from the others. `npm run test:vm` builds what they need. */
export default defineConfig({
  testDir: 'e2e/vm',
  outputDir: 'test-results/vm',
  fullyParallel: true,
  forbidOnly: Boolean(process.env.CI),
  retries: 0,
  // Each machine keeps a core busy while it boots.
  workers: 2,
  timeout: 300_000,
  expect: { timeout: 120_000 },
  use: {
    viewport: { width: 1280, height: 800 },
    launchOptions: { args: BROWSER_ARGS, ...(executablePath ? { executablePath } : {}) },
  },
});
