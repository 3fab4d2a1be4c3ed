// npm run test:firefox: tests the page in Firefox, driven by WebDriver BiDi: opening, keys, zoom, selection, export, a worker
// that dies. Not part of npm test, which runs in Chromium. Builds the page first; `-- --no-build` uses the existing build.
import assert from 'node:assert/strict';
import { parseArgs } from 'node:util';
import puppeteer from 'puppeteer-core';
import { build, preview } from 'vite';
import { findProgram, installPackages } from './debian.mjs';

const { values } = parseArgs({ options: { 'no-build': { type: 'boolean', default: false } } });

const NAMES = ['firefox-esr', 'firefox'];
const find = () => process.env.IOVASCOPE_FIREFOX ?? NAMES.map(findProgram).find(Boolean);
const executablePath = find() ?? (installPackages(['firefox-esr', 'fonts-dejavu-core']) ? find() : undefined);
if (!executablePath) {
  console.error('No Firefox found. Get one with: sudo apt install firefox-esr');
  process.exit(1);
}

/** Files to open: a host that reserves 0x1000-0x1fff, and a session with an operation that is refused. */
const HOST = '/sys/kernel/iommu_groups/4/reserved_regions:0x0000000000001000 0x0000000000001fff msi\n';
const SESSION = [
  '{"format":"iova-trace","version":1,"model":"iommufd","title":"tried"}',
  '{"op":"ioas.alloc","ioas":"a","expect":{"ret":0}}',
  '{"op":"ioas.unmap","ioas":"a","iova":"0x1000","length":"0x1000","expect":{"ret":"-ENOENT"}}',
  '',
].join('\n');

if (!values['no-build']) await build({ logLevel: 'warn' });
const server = await preview({ logLevel: 'warn', preview: { host: '127.0.0.1', port: 4196 } });
const { port } = server.httpServer.address();
const browser = await puppeteer.launch({ browser: 'firefox', executablePath, headless: true });
console.log(await browser.version());

const consoleErrors = [];
let failed = 0;
/** Runs a named check. The others run even if it fails. */
async function check(name, run) {
  try {
    await run();
    console.log(`ok    ${name}`);
  } catch (error) {
    failed++;
    console.log(`FAIL  ${name}: ${error.message}`);
  }
}

try {
  const page = await browser.newPage();
  page.setDefaultTimeout(60_000);
  await page.setViewport({ width: 1280, height: 800 });
  page.on('console', (message) => {
    if (['error', 'warn'].includes(message.type())) consoleErrors.push(message.text());
  });
  page.on('pageerror', (error) => consoleErrors.push(String(error)));
  // Records the workers, to end them later.
  await page.evaluateOnNewDocument(() => {
    const workers = [];
    const Own = Worker;
    window.Worker = class extends Own {
      constructor(...given) {
        super(...given);
        workers.push(this);
      }
    };
    window.killWorkers = () => {
      for (const worker of workers.splice(0)) {
        worker.terminate();
        worker.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
      }
    };
  });
  const visible = (selector) => page.waitForSelector(selector, { visible: true });
  const textOf = (selector) => page.$eval(selector, (element) => element.textContent);
  /** Waits until a function returns true in the page. */
  const until = (what, ...given) => page.waitForFunction(what, {}, ...given);
  const hash = () => page.evaluate(() => location.hash);
  const openText = (name, data) => page.evaluate((file) => window.iovascope.open([file]), { name, data });

  await check('the sample is drawn, with its answer', async () => {
    await page.goto(`http://127.0.0.1:${port}/`);
    await visible('[data-drawn=true]');
    await visible('[data-testid=answer]');
    const isDrawn = () =>
      page.$$eval('canvas', (all) =>
        all.some((canvas) => {
          const { width, height } = canvas;
          const data = canvas.getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
          return new Set(new Uint32Array(data.buffer ?? [])).size > 8;
        }),
      );
    assert(await isDrawn(), 'the canvas is empty');
  });

  await check('keys and wheel zoom, and the address bar follows', async () => {
    const all = await hash();
    await page.focus('[data-testid=timeline]');
    await page.keyboard.press('w');
    await until((old) => location.hash !== old, all);
    const before = await hash();
    const box = await (await page.$('[data-testid=timeline]')).boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + 150);
    await page.mouse.wheel({ deltaY: -400 });
    await until((old) => location.hash !== old, before);
    await page.keyboard.press('0');
  });

  await check('c selects a conflict and announces its range', async () => {
    await page.focus('[data-testid=timeline]');
    await page.keyboard.press('c');
    await until(() => /0x[\da-f_]+/.test(document.querySelector('p[role=status]')?.textContent ?? ''));
  });

  await check('a host joins the case, and a session opens with its refusal', async () => {
    await openText('host.txt', HOST);
    const hosts = await page.evaluate(() => window.iovascope.hosts());
    assert(
      hosts.some(({ groups }) => groups.includes('group 4')),
      JSON.stringify(hosts),
    );
    await openText('tried.iova.jsonl', SESSION);
    await until(() => /ENOENT|not mapped/.test(document.body.textContent));
  });

  await check('every export format has a preview', async () => {
    const button = await page.waitForSelector('::-p-aria([name="Export…"][role="button"])');
    await button.click();
    await visible('input[name=export-form]');
    const forms = await page.$$('input[name=export-form]');
    assert(forms.length >= 5, `${forms.length} forms`);
    for (const form of forms) {
      await form.click();
      await visible('[data-testid=export-preview]');
    }
    await page.keyboard.press('Escape');
  });

  await check('everything is restored after the worker died', async () => {
    const before = await page.evaluate(() => window.iovascope.hosts());
    await page.evaluate(() => window.killWorkers());
    const after = await page.evaluate(() => window.iovascope.hosts());
    assert.deepEqual(after, before);
    await visible('[data-drawn=true]');
    assert.match(await textOf('[data-testid=answer]'), /\S/);
  });

  await check('nothing was written to the console', () => assert.deepEqual(consoleErrors, []));
} finally {
  await browser.close();
  await server.close();
}
console.log(failed === 0 ? 'all passed' : `${failed} failed`);
process.exit(failed === 0 ? 0 : 1);
