// npm run -s bench:ui [-- N…]: frames of the real page while a person zooms and pans over N areas, one JSON object per line.
import { createWriteStream, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import { chromium } from '@playwright/test';
import { build, preview } from 'vite';
import { BROWSER_ARGS, requireBrowser } from './browser.mjs';

const given = process.argv.slice(2).map(Number);
const sizes = given.length > 0 ? given : [1_000, 100_000, 1_000_000];
if (sizes.some((n) => !Number.isInteger(n) || n < 1)) {
  console.error('usage: npm run -s bench:ui [-- N…], each N a number of areas of at least 1');
  process.exit(2);
}

/** A session that maps n areas of 0x2000 bytes at 0x100000000 + i × 0x3000, as the engine's benchmark does. */
async function writeSession(file, n) {
  const out = createWriteStream(file);
  const header = { format: 'iova-trace', version: 1, model: 'iommufd', title: `${n} areas` };
  let block = `${JSON.stringify(header)}\n{"op":"ioas.alloc","ioas":"a"}\n`;
  for (let i = 0; i < n; i++) {
    const iova = (0x100000000 + i * 0x3000).toString(16);
    const va = (0x100000000000 + i * 0x3000).toString(16);
    block += `{"op":"ioas.map","ioas":"a","flags":["fixed","read","write"],"user_va":"0x${va}","length":"0x2000","iova":"0x${iova}"}\n`;
    if (block.length > 1 << 20) {
      out.write(block);
      block = '';
    }
  }
  out.end(block);
  await finished(out);
}

async function wheel(page, times, dx, dy) {
  for (let i = 0; i < times; i++) {
    await page.mouse.wheel(dx, dy);
    await page.waitForTimeout(16);
  }
}

await build({ logLevel: 'warn' });
const server = await preview({ logLevel: 'warn', preview: { host: '127.0.0.1', port: 4197 } });
const { port } = server.httpServer.address();
const browser = await chromium.launch({ executablePath: requireBrowser(), args: BROWSER_ARGS });
const folder = mkdtempSync(path.join(tmpdir(), 'iovascope-bench-'));
try {
  for (const n of sizes) {
    const file = path.join(folder, `${n}.iova.jsonl`);
    await writeSession(file, n);
    const page = await browser.newPage({ viewport: { width: 1440, height: 900 } });
    await page.goto(`http://127.0.0.1:${port}/`);
    await page.locator('[data-drawn=true]').waitFor();
    const opened = Date.now();
    await page.getByTestId('pick-files').setInputFiles(file);
    await page.getByRole('treegrid').getByText(`${n} areas`, { exact: true }).waitFor({ timeout: 300_000 });
    console.log(JSON.stringify({ bench: 'open', n, ms: Date.now() - opened }));
    await page.waitForTimeout(1000);
    const box = await page.getByTestId('timeline').boundingBox();
    await page.mouse.move(box.x + box.width / 2, box.y + 200);
    await page.evaluate(() => {
      window.frames_ms = [];
      window.long_tasks = 0;
      new PerformanceObserver((list) => {
        window.long_tasks += list.getEntries().length;
      }).observe({ type: 'longtask' });
      let before = performance.now();
      const frame = (now) => {
        window.frames_ms.push(now - before);
        before = now;
        requestAnimationFrame(frame);
      };
      requestAnimationFrame(frame);
    });
    await wheel(page, 40, 0, -120);
    await wheel(page, 40, -100, 0);
    await wheel(page, 40, 0, 120);
    const { frames, longTasks } = await page.evaluate(() => ({
      frames: window.frames_ms,
      longTasks: window.long_tasks,
    }));
    frames.sort((a, b) => a - b);
    const quantile = (q) => Number(frames[Math.floor((frames.length - 1) * q)].toFixed(1));
    console.log(
      JSON.stringify({ bench: 'pan-zoom', n, p50_ms: quantile(0.5), p95_ms: quantile(0.95), long_tasks: longTasks }),
    );
    await page.close();
  }
} finally {
  rmSync(folder, { recursive: true });
  await browser.close();
  await server.close();
}
