// Property tests try the same inputs in every run, so that a failure belongs to the change that is tested.
// PROPERTY_SEED=N tries others, PROPERTY_RUNS=N as many of them for each property that does not say how many;
// npm run test:long takes a new seed each time, and ten times the runs.
import * as fc from 'fast-check';
import { afterAll, expect, vi } from 'vitest';

fc.configureGlobal({ seed: Number(process.env.PROPERTY_SEED ?? 1), numRuns: Number(process.env.PROPERTY_RUNS ?? 50) });

// Several files run in one process, one after the other: each begins with what the first one found.
const folder = process.cwd();
const variables = { ...process.env };
const globals = new Set(Object.getOwnPropertyNames(globalThis));

/** What the file changed for the ones after it: a folder, variables of the environment, globals. */
function leftovers(): string[] {
  const names = new Set([...Object.keys(variables), ...Object.keys(process.env)]);
  return [
    ...(process.cwd() === folder ? [] : [process.cwd()]),
    ...[...names].filter((name) => process.env[name] !== variables[name]),
    ...Object.getOwnPropertyNames(globalThis).filter((name) => !globals.has(name)),
  ];
}

afterAll(() => {
  vi.useRealTimers();
  vi.unstubAllGlobals();
  vi.unstubAllEnvs();
  vi.restoreAllMocks();
  // What a module keeps (parsers that are loaded, the state of the page) is not for the next file.
  vi.resetModules();
  expect(leftovers()).toEqual([]);
});
