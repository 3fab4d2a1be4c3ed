// Finds a Chromium to test with; installs Debian's where that is possible without asking.
import { existsSync } from 'node:fs';
import { chromium } from '@playwright/test';
import { findProgram, installPackages } from './debian.mjs';

/**
 * Debian's packages (since version 12) for a test browser: one without windows, which takes about 60 % of the processor time
 * of the whole browser. Without a font it draws no text.
 */
export const BROWSER_PACKAGES = ['chromium-headless-shell', 'fonts-dejavu-core'];

const NAMES = ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];

/** Flags that a test browser needs on machines without a network and in containers run as root. */
export const BROWSER_ARGS = ['--no-sandbox', '--disable-background-networking', '--disable-component-update'];

/** Path of a Chromium: `IOVASCOPE_CHROMIUM`, Playwright's own, or one on the PATH; undefined if there is none. */
export function findBrowser() {
  const named = process.env.IOVASCOPE_CHROMIUM;
  if (named) return named;
  const own = chromium.executablePath();
  if (existsSync(own)) return own;
  for (const name of NAMES) {
    const program = findProgram(name);
    if (program) return program;
  }
  return undefined;
}

/** Finds or installs a Chromium. Throws an error that names the command to run. */
export function requireBrowser() {
  const found = findBrowser();
  if (found) return found;
  const installed = installPackages(BROWSER_PACKAGES) ? findBrowser() : undefined;
  if (installed) return installed;
  throw new Error(
    'No Chromium found. Get one with: npx playwright install chromium (or, on Debian: sudo apt install chromium-headless-shell)',
  );
}
