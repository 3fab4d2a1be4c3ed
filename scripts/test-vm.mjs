// npm run test:vm: real kernels in virtual machines, and the page that shows them. Missing programs are installed on
// Debian as root, else named.
import { spawnSync } from 'node:child_process';
import { requireBrowser } from './browser.mjs';
import { vmImage } from './vm-image.mjs';

try {
  requireBrowser();
  for (const arch of ['amd64', 'arm64']) await vmImage(arch);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
const run = (...args) =>
  spawnSync('npx', ['--no-install', ...args], { stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1;
process.exit(
  run('vite', 'build', '--logLevel', 'warn') ||
    run('playwright', 'test', '--config', 'playwright.vm.config.ts', ...process.argv.slice(2)),
);
