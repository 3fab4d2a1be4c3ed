// npm run size: builds the page, opens it as a first visitor does and prints the gzipped size of everything that it fetches.
// Fails if the code that is fetched for the first picture is above its budget. --built: `npm run build` has just been run,
// and what it made stays.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { chromium } from '@playwright/test';
import { build } from 'vite';
import { BROWSER_ARGS, requireBrowser } from './browser.mjs';

/** In kB of 1000 bytes, gzipped. */
const BUDGET = 200;

const WEB = path.resolve(import.meta.dirname, '../dist/web');
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

if (!process.argv.includes('--built')) await build({ logLevel: 'warn' });

/** Requested when the first picture is drawn. */
const DRAWN = '/first-picture';

/** Path of each file that was fetched, to its gzipped bytes. */
const fetched = new Map();
/** Paths of what page and engine requested first after the first picture. */
const later = new Set();
let isDrawn = false;
const server = createServer((request, response) => {
  const { pathname } = new URL(request.url, 'http://127.0.0.1');
  if (pathname === DRAWN) {
    isDrawn = true;
    response.writeHead(204).end();
    return;
  }
  const file = pathname === '/' ? '/index.html' : pathname;
  try {
    const body = readFileSync(path.join(WEB, path.normalize(file)));
    if (isDrawn && !fetched.has(file)) later.add(file);
    fetched.set(file, gzipSync(body, { level: 9 }).length);
    response.writeHead(200, { 'content-type': TYPES[path.extname(file)] ?? 'text/plain' }).end(body);
  } catch {
    response.writeHead(404).end();
  }
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const browser = await chromium.launch({ executablePath: requireBrowser(), args: BROWSER_ARGS });
const page = await browser.newPage({ viewport: { width: 1280, height: 800 } });
// Without a picture the page loads the rest after a while: on a busy machine that must not count.
await page.addInitScript((drawn) => {
  const start = window.setTimeout.bind(window);
  window.setTimeout = (action, time, ...more) => start(action, time >= 1000 ? 2 ** 30 : time, ...more);
  // The page waits for the server to know it, so that what is requested next is certainly later.
  const mark = performance.mark.bind(performance);
  performance.mark = (name, options) => {
    if (name === 'first-picture') {
      const request = new XMLHttpRequest();
      request.open('GET', drawn, false);
      request.send();
    }
    return mark(name, options);
  };
}, DRAWN);
await page.goto(`http://127.0.0.1:${server.address().port}/`);
await page.locator('[data-drawn=true]').waitFor();
await page.waitForLoadState('networkidle');
await browser.close();
server.close();

const kB = (bytes) => `${(bytes / 1000).toFixed(1).padStart(7)} kB`;
const sum = (files) => files.reduce((total, file) => total + fetched.get(file), 0);
const bySize = [...fetched.keys()].sort((a, b) => fetched.get(b) - fetched.get(a));
const isData = (file) => file.startsWith('/samples/');
const sections = {
  'code for the first picture': bySize.filter((file) => !isData(file) && !later.has(file)),
  'data of the first sample': bySize.filter(isData),
  'code fetched after the first picture': bySize.filter((file) => !isData(file) && later.has(file)),
};
for (const [title, files] of Object.entries(sections)) {
  console.log(`${kB(sum(files))}  ${title}`);
  for (const file of files) console.log(`           ${kB(fetched.get(file))}  ${file}`);
}
const first = sum(sections['code for the first picture']);
if (first > BUDGET * 1000) {
  console.error(`The code for the first picture is above its budget of ${BUDGET} kB.`);
  process.exit(1);
}
