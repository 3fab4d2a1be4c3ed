import { playwright } from '@vitest/browser-playwright';
import { defineConfig } from 'vitest/config';
import { BROWSER_ARGS, findBrowser } from './scripts/browser.mjs';

const executablePath = findBrowser();

/** In milliseconds: for what never ends. No test is to fail because a machine is slow or has other work. */
const testTimeout = 120_000;
/** Less, so that a test that waits in vain says for what. */
const poll = { timeout: 60_000 };

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: 'node',
          setupFiles: ['vitest.setup.ts'],
          // All processors: the tests compute, they do not wait.
          maxWorkers: '100%',
          // A process for several files, which saves the start of one for each. vitest.setup.ts takes back what a file changed, and
          // lets the next one load its modules anew.
          isolate: false,
          // A large space for new objects, collected without threads of its own; and only what runs for longer is optimized, as each
          // file begins with unoptimized modules. Together a fifth of the processor time.
          execArgv: [
            '--min-semi-space-size=64',
            '--max-semi-space-size=64',
            '--single-threaded-gc',
            '--interrupt-budget=400000',
          ],
          environment: 'node',
          testTimeout,
          hookTimeout: testTimeout,
          expect: { poll },
          include: ['src/**/*.test.ts'],
          exclude: ['src/**/*.browser.test.ts'],
        },
      },
      {
        // All at the start: what is found later reloads the page in the middle of a test.
        optimizeDeps: { include: ['fflate', 'fzstd', 'modern-tar', 'valibot', 'xz-decompress'] },
        test: {
          name: 'browser',
          testTimeout,
          hookTimeout: testTimeout,
          expect: { poll },
          include: ['src/**/*.browser.test.ts'],
          browser: {
            enabled: true,
            headless: true,
            // Not every small container knows the name localhost.
            api: { host: '127.0.0.1' },
            screenshotFailures: false,
            provider: playwright({
              launchOptions: { args: BROWSER_ARGS, ...(executablePath ? { executablePath } : {}) },
            }),
            instances: [{ browser: 'chromium' }],
          },
        },
      },
    ],
  },
});
