// The suite in a browser: scripts/bench.mjs opens the page and calls `runBench`, which the page's script puts in place.
import { runSuite, type SuiteOptions } from './suite.ts';

declare global {
  interface Window {
    /** Put in place by the script that opens the page: takes one line of JSON. */
    reportBench?: (line: string) => Promise<void>;
    runBench?: (options: SuiteOptions) => Promise<void>;
  }
}

window.runBench = async (options) => {
  const lines: Promise<void>[] = [];
  await runSuite(options, (line) => {
    const reported = window.reportBench?.(JSON.stringify(line));
    if (reported) lines.push(reported);
  });
  await Promise.all(lines);
};
