import { defineConfig } from 'vitest/config';

// The unit tests that run in Node, without the browser project: what `npm run mutate` runs for each mutant.
// Instrumented code is slow: only the runner's own limit ends a test.
export default defineConfig({
  test: {
    environment: 'node',
    setupFiles: ['vitest.setup.ts'],
    include: ['**/*.test.ts'],
    exclude: ['**/*.browser.test.ts'],
    testTimeout: 120_000,
  },
});
