// Finds a Chromium to test with; installs Debian's where that is possible without asking.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium } from '@playwright/test';

const NAMES = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Flags that a test browser needs on machines without a network and in containers run as root. */
export const BROWSER_ARGS = ['--no-sandbox', '--disable-background-networking', '--disable-component-update'];

/** Path of a Chromium: `IOVASCOPE_CHROMIUM`, Playwright's own, or one on the PATH; undefined if there is none. */
export function findBrowser() {
  const named = process.env.IOVASCOPE_CHROMIUM;
  if (named) return named;
  const own = chromium.executablePath();
  if (existsSync(own)) return own;
  for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
    for (const name of NAMES) {
      const candidate = path.join(folder, name);
      if (existsSync(candidate)) return candidate;
    }
  }
  return undefined;
}

/** The same, after an attempt to install one. Throws an error that names the command to run. */
export function requireBrowser() {
  const found = findBrowser();
  if (found) return found;
  if (process.getuid?.() === 0 && spawnSync('apt-get', ['--version']).status === 0) {
    console.error('No Chromium found: installing Debian’s with apt-get.');
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    execFileSync('apt-get', ['update', '-qq'], { stdio: ['ignore', 'ignore', 'inherit'], env });
    const packages = ['chromium', 'fonts-dejavu-core'];
    execFileSync('apt-get', ['install', '-y', '-qq', ...packages], { stdio: ['ignore', 'ignore', 'inherit'], env });
    const installed = findBrowser();
    if (installed) return installed;
  }
  throw new Error(
    'No Chromium found. Get one with: npx playwright install chromium (or, on Debian: sudo apt install chromium)',
  );
}
