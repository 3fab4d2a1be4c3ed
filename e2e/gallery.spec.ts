// The gallery (src/app/gallery), from the development server: what each mark is made of, in each theme. Pixels of text differ
// between machines; what is compared is drawn without text, or against another picture of the same machine.
import type { Page } from '@playwright/test';
import { createServer, type ViteDevServer } from 'vite';
import { STYLE_NAMES } from '../src/timeline/scene/style-names.ts';
import { INKS } from '../src/timeline/scene/tokens.ts';
import { expect, test, violations } from './page.ts';

let server: ViteDevServer;
test.beforeAll(async () => {
  server = await createServer({ logLevel: 'error', server: { host: '127.0.0.1', port: 0, hmr: false, watch: null } });
  await server.listen();
});
test.afterAll(() => server.close());

interface Drawn {
  readonly name: string;
  readonly isPaper: boolean;
  /** Of the outline to the ground, by WCAG; 1: it cannot be seen. */
  readonly contrast: number;
  /** A bar that continues outside, which has no text, as lightness: equal only if two types look the same without color. */
  readonly gray: string;
  readonly pixels: string;
}

/** What is on the canvases of one kind. */
function drawn(page: Page, kind: 'type' | 'ink' | 'state' | 'lanes'): Promise<Drawn[]> {
  return page.evaluate(async (attribute) => {
    const linear = (value: number) => (value <= 10 ? value / 3294.6 : ((value / 255 + 0.055) / 1.055) ** 2.4);
    const luminance = (data: Uint8ClampedArray, i: number) =>
      0.2126 * linear(data[i] ?? 0) + 0.7152 * linear(data[i + 1] ?? 0) + 0.0722 * linear(data[i + 2] ?? 0);
    const hash = async (data: Uint8Array | Uint8ClampedArray) =>
      [...new Uint8Array(await crypto.subtle.digest('SHA-256', Uint8Array.from(data)))].slice(0, 12).join('.');
    const found = [];
    for (const canvas of document.querySelectorAll<HTMLCanvasElement>(`canvas[${attribute}]`)) {
      // A copy: a canvas that is drawn by the graphics processor is not made to be read.
      const copy = new OffscreenCanvas(canvas.width, canvas.height);
      const context = copy.getContext('2d', { willReadFrequently: true });
      if (!context) throw new Error('no canvas');
      context.drawImage(canvas, 0, 0);
      const { data } = context.getImageData(0, 0, canvas.width, canvas.height);
      const ground = luminance(data, 0);
      let contrast = 1;
      for (let i = 0; attribute === 'data-ink' && i < data.length; i += 4) {
        const light = luminance(data, i);
        contrast = Math.max(contrast, (Math.max(light, ground) + 0.05) / (Math.min(light, ground) + 0.05));
      }
      const bar = context.getImageData(2 * 174, 2 * 4, 2 * 60, 2 * 32).data;
      const gray = Uint8Array.from({ length: bar.length / 4 }, (_, i) => Math.round(255 * luminance(bar, 4 * i)));
      // The mark of one pixel, in the color of the outline alone.
      const line = context.getImageData(2 * 246, 2 * 20, 1, 1).data;
      const edge = luminance(line, 0);
      found.push({
        name: canvas.getAttribute(attribute) ?? '',
        isPaper: canvas.dataset.painted === 'print',
        contrast:
          attribute === 'data-type' ? (Math.max(edge, ground) + 0.05) / (Math.min(edge, ground) + 0.05) : contrast,
        gray: await hash(gray),
        pixels: await hash(data),
      });
    }
    return found;
  }, `data-${kind}`);
}

/** The names of drawings that look like another one. */
function alike(drawings: readonly Drawn[], look: (drawing: Drawn) => string): string[] {
  const names = new Map<string, string[]>();
  for (const drawing of drawings) names.set(look(drawing), [...(names.get(look(drawing)) ?? []), drawing.name]);
  return [...names.values()].filter(({ length }) => length > 1).map((list) => list.join(' = '));
}

test('every type, ink, state and widget can be seen and told from the others, in each theme', async ({ page }) => {
  test.setTimeout(300_000);
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  const [origin = ''] = server.resolvedUrls?.local ?? [];
  const looks = new Map<string, string>();
  for (const [theme, media] of [
    ['light', { colorScheme: 'light', forcedColors: 'none' }],
    ['dark', { colorScheme: 'dark', forcedColors: 'none' }],
    ['prescribed', { colorScheme: 'light', forcedColors: 'active' }],
  ] as const) {
    await test.step(theme, async () => {
      await page.emulateMedia(media);
      // The page follows the system: it is loaded once.
      if (looks.size === 0) await page.goto(`${origin}gallery.html`);
      const screen = page.locator(`canvas[data-painted=${media.colorScheme}]`);
      await expect(screen).not.toHaveCount(0);
      await expect(page.locator('canvas:not([data-painted])')).toHaveCount(0);
      const types = await drawn(page, 'type');
      const onScreen = types.filter(({ isPaper }) => !isPaper);
      expect(onScreen.map(({ name }) => name)).toEqual([...STYLE_NAMES]);
      expect(types.filter(({ contrast }) => contrast < 1.5)).toEqual([]);
      expect(alike(onScreen, ({ gray }) => gray)).toEqual([]);
      expect(
        alike(
          types.filter(({ isPaper }) => isPaper),
          ({ gray }) => gray,
        ),
      ).toEqual([]);
      const inks = await drawn(page, 'ink');
      expect(inks.map(({ name }) => name)).toEqual(Object.keys(INKS.light));
      const unseen = inks.filter(({ contrast }) => contrast < 1.15).map(({ name }) => name);
      // These are what is behind the rest.
      expect(unseen).toEqual(theme === 'prescribed' ? ['strip', 'ground', 'halo'] : ['ground', 'halo']);
      const states = await drawn(page, 'state');
      expect(states.length).toBeGreaterThan(7);
      expect(alike(states, ({ pixels }) => pixels)).toEqual([]);
      looks.set(theme, onScreen.map(({ pixels }) => pixels).join());
      expect(await violations(page)).toEqual([]);
    });
  }
  expect(new Set(looks.values()).size).toBe(3);
  // The page itself, with its worker, from the same server.
  await page.emulateMedia({ forcedColors: 'none' });
  await page.goto(origin);
  await expect(page.locator('[data-drawn=true]')).toBeVisible();
  await expect(page.getByTestId('answer')).toBeVisible();
  expect(complaints).toEqual([]);
});
