// npm run test:long: what takes too long for every contribution: the fuzz and property tests of the parsers fifty times as
// often, 100,000 random operations a model and version, the agent among 1,000 clients, and the page under 10,000 random
// actions, others each time. Each step is printed as the command that repeats it. Numbers as arguments shorten it: `-- --fuzz 5 --actions 500 --seed 7`.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { requireBrowser } from './browser.mjs';

/** Runs of each property that does not say how many. */
const PROPERTY_RUNS = '500';
const { values } = parseArgs({
  options: {
    fuzz: { type: 'string', default: '50' },
    operations: { type: 'string', default: '100000' },
    clients: { type: 'string', default: '1000' },
    actions: { type: 'string', default: '10000' },
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
  },
});

requireBrowser();
let failed = 0;
function run(title, env, command, ...args) {
  const settings = Object.entries(env).map(([name, value]) => `${name}=${value}`);
  console.log(`\n── ${title}: ${[...settings, 'npx', command, ...args].join(' ')}`);
  const { status } = spawnSync('npx', ['--no-install', command, ...args], {
    stdio: ['ignore', 'inherit', 'inherit'],
    env: { ...process.env, ...env },
  });
  if (status !== 0) failed++;
}

run(
  'parsers',
  { FUZZ_RUNS: values.fuzz, PROPERTY_RUNS, PROPERTY_SEED: values.seed },
  'vitest',
  'run',
  '--project',
  'node',
  'src/dumps',
  'src/uapi',
  'src/session',
);
run(
  'models',
  { RANDOM_OPERATIONS: values.operations, PROPERTY_RUNS, PROPERTY_SEED: values.seed },
  'vitest',
  'run',
  '--project',
  'node',
  'src/kernel',
  'src/iova',
);
run('agent', { AGENT_CLIENTS: values.clients }, 'vitest', 'run', '--project', 'node', 'src/agent/agent.test.ts');
run('page, built', {}, 'vite', 'build', '--logLevel', 'warn');
run(
  'random actions in the page',
  { MONKEY_ACTIONS: values.actions, MONKEY_SEED: values.seed },
  'playwright',
  'test',
  'e2e/monkey.spec.ts',
);
console.log(failed === 0 ? '\nall passed' : `\n${failed} steps failed`);
process.exit(failed === 0 ? 0 : 1);
