import { defineConfig } from 'vitest/config';

// The unit tests that run in Node, without the browser project: what `npm run mutate` runs for each mutant.
export default defineConfig({
  test: { environment: 'node', include: ['**/*.test.ts'], exclude: ['**/*.browser.test.ts'] },
});
