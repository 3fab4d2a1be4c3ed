// Random actions, as nobody plans them: keys, clicks, drags, pastes, files, and an engine that dies. Nothing may be thrown,
// and the page must answer at the end. MONKEY_ACTIONS and MONKEY_SEED in the environment: how many, and which.
import { readdirSync, readFileSync } from 'node:fs';
import type { Page } from '@playwright/test';
import fc from 'fast-check';
import { dropText, expect, pasteText, test } from './page.ts';

const ACTIONS = Number(process.env.MONKEY_ACTIONS) || 120;
const SEED = Number(process.env.MONKEY_SEED) || 1;

const FIXTURES = new URL('../src/dumps/fixtures/', import.meta.url);
/** One text of each format. */
const TEXTS = readdirSync(FIXTURES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .map(({ name }) => new URL(`${name}/`, FIXTURES))
  .flatMap((folder) => {
    const [file] = readdirSync(folder).filter((name) => /\.(?:txt|log)$/.test(name));
    return file === undefined
      ? []
      : [{ name: file, text: readFileSync(new URL(file, folder), 'utf8').slice(0, 20_000) }];
  });

const KEYS = [
  ...['w', 's', 'a', 'd', '0', 'f', 'n', 'p', 'c', ',', '.', 'r', 'R', 'l', 'b', 'i', '/', '?', '>'],
  ...['Escape', 'Tab', 'Shift+Tab', 'Enter', 'Space', 'ArrowLeft', 'ArrowRight', 'ArrowUp', 'ArrowDown', 'Home', 'End'],
  ...['Control+z', 'Control+y', 'PageDown', 'x', '5', 'Backspace', 'Delete'],
];

/** Presses a button, tab, row or box that can be seen; not those that end in a file or leave the page. */
async function clickAnything(page: Page, share: number): Promise<void> {
  const places = await page.evaluate(() =>
    [...document.querySelectorAll('button, [role=tab], [role=row], [role=menuitem], [role=option], input, summary')]
      .filter((element) => !/Save|Download|Print|second window|notes in/i.test(element.textContent ?? ''))
      .map((element) => element.getBoundingClientRect())
      .filter(({ width, height, top, left }) => width > 0 && height > 0 && top >= 0 && left >= 0)
      .filter(({ bottom, right }) => bottom <= innerHeight && right <= innerWidth)
      .map(({ left, top, width, height }) => [left + width / 2, top + height / 2] as const),
  );
  const place = places[Math.floor(share * places.length)];
  if (place) await page.mouse.click(...place);
}

test.use({ ownContext: true });

test('random actions throw nothing, and the page still answers', async ({ app }) => {
  test.info().annotations.push({ type: 'seed', description: `${SEED}` });
  test.setTimeout(180_000 + ACTIONS * 2000);
  await app.addInitScript(() => {
    const workers: Worker[] = [];
    const Own = Worker;
    Object.assign(window, {
      Worker: class extends Own {
        constructor(...given: ConstructorParameters<typeof Worker>) {
          super(...given);
          workers.push(this);
        }
      },
      killWorkers: () => {
        for (const worker of workers.splice(0)) {
          worker.terminate();
          worker.dispatchEvent(new ErrorEvent('error', { message: 'out of memory' }));
        }
      },
    });
  });
  await app.reload();
  await expect(app.getByTestId('answer')).toBeVisible();
  const choices = fc.sample(
    fc.tuple(fc.integer({ min: 0, max: 99 }), fc.double({ min: 0, max: 0.999, noNaN: true }), fc.nat()),
    { numRuns: ACTIONS, seed: SEED },
  );
  for (const [kind, share, number] of choices) {
    const text = TEXTS[number % TEXTS.length];
    const [x, y] = [share * 1279, (number % 799) + 1];
    if (kind < 40) await app.keyboard.press(KEYS[number % KEYS.length] ?? 'Escape');
    else if (kind < 65) await clickAnything(app, share);
    else if (kind < 75) {
      await app.mouse.move(x, y);
      await app.mouse.down();
      await app.mouse.move(1279 - x, y, { steps: 3 });
      await app.mouse.up();
    } else if (kind < 85) {
      await app.mouse.move(x, y);
      await app.mouse.wheel(0, number % 2 === 0 ? 300 : -300);
    } else if (kind < 90) await app.keyboard.type('map a 0x4');
    else if (kind < 93) await pasteText(app, text?.text ?? '');
    else if (kind < 96) await dropText(app, text ? [text] : []);
    else if (kind < 98) await app.setViewportSize({ width: 360 + (number % 1200), height: 400 + (number % 600) });
    else await app.evaluate(() => (window as unknown as { killWorkers(): void }).killWorkers());
    await expect(app.locator('.app')).toBeVisible();
  }
  await app.keyboard.press('Escape');
  await app.keyboard.press('Escape');
  const state = await app.evaluate(async () => {
    const page = (window as unknown as { iovascope: Record<string, (...given: unknown[]) => Promise<unknown>> })
      .iovascope;
    await page.reset?.();
    await page.open?.([{ name: 'host.txt', data: '/sys/kernel/iommu_groups/4/reserved_regions:0x1000 0x1fff msi\n' }]);
    return await page.hosts?.();
  });
  expect(state).toMatchObject([{ groups: ['group 4'] }]);
});
