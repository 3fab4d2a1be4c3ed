// A PNG as the page makes it: a Chromium without a window opens the offline page and is asked for its picture, over the
// DevTools protocol on two pipes (messages of JSON, each with a NUL behind it).
import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { Scene } from '../timeline/scene/mark.ts';
import type { ThemeName } from '../timeline/scene/theme.ts';
import { NotPossible } from './not-possible.ts';

const NAMES = [
  ...['chromium', 'chromium-browser', 'chromium-headless-shell'],
  ...['google-chrome', 'google-chrome-stable', 'chrome', 'msedge'],
];
/** Milliseconds for the browser to draw the picture. */
const PATIENCE = 120_000;

function findBrowser(): string {
  const named = process.env.IOVASCOPE_CHROMIUM;
  if (named) return named;
  for (const folder of (process.env.PATH ?? '').split(delimiter)) {
    const found = NAMES.map((name) => join(folder, name)).find((path) => existsSync(path));
    if (found) return found;
  }
  throw new NotPossible('no Chromium found for a PNG: install one, name it in IOVASCOPE_CHROMIUM, or write .svg');
}

interface Reply {
  readonly id?: number;
  readonly result?: Readonly<Record<string, unknown>>;
  readonly error?: { readonly message: string };
}

/** Calls of the DevTools protocol. */
class Devtools {
  readonly #to: Writable;
  readonly #waiting = new Map<
    number,
    { resolve(value: Readonly<Record<string, unknown>>): void; reject(e: Error): void }
  >();
  #id = 0;
  #text = '';

  constructor(browser: ChildProcess) {
    this.#to = browser.stdio[3] as Writable;
    const from = browser.stdio[4] as Readable;
    from.setEncoding('utf8');
    from.on('data', (piece: string) => this.#receive(piece));
    const ended = () => {
      for (const { reject } of this.#waiting.values()) reject(new NotPossible('the browser ended before its picture'));
    };
    browser.on('exit', ended);
    browser.on('error', ended);
    this.#to.on('error', ended);
  }

  #receive(piece: string): void {
    const messages = (this.#text + piece).split('\0');
    this.#text = messages.pop() ?? '';
    for (const message of messages) {
      const { id = -1, result = {}, error } = JSON.parse(message) as Reply;
      const call = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error) call?.reject(new NotPossible(`the browser refused: ${error.message}`));
      else call?.resolve(result);
    }
  }

  call(method: string, params: object, sessionId?: string): Promise<Readonly<Record<string, unknown>>> {
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#to.write(`${JSON.stringify({ id, method, params, ...(sessionId ? { sessionId } : {}) })}\0`);
    });
  }
}

/** What the page is asked: the picture as base64. What only a mouse needs of a scene is left out. */
function question({ hits: _hits, heads: _heads, flags: _flags, ...scene }: Scene, theme: ThemeName): string {
  return `(async () => {
    while (!window.iovascope) await new Promise((r) => setTimeout(r, 20));
    const png = await window.iovascope.paint(${JSON.stringify(scene)}, ${JSON.stringify(theme)});
    let text = '';
    for (const byte of new Uint8Array(await png.arrayBuffer())) text += String.fromCharCode(byte);
    return btoa(text);
  })()`;
}

/** The value of an expression in the page. It is asked again if the page was only being loaded. */
async function evaluated(devtools: Devtools, expression: string, sessionId: string) {
  const params = { expression, awaitPromise: true, returnByValue: true };
  for (let attempt = 1; ; attempt++) {
    try {
      return await devtools.call('Runtime.evaluate', params, sessionId);
    } catch (error) {
      const isLoading = error instanceof NotPossible && /context/i.test(error.message);
      if (!isLoading || attempt === 100) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

/** The scene as a PNG, painted by the page of one file (`page`: its text). Throws `NotPossible`. */
export async function paintPng(page: string, scene: Scene, theme: ThemeName): Promise<Uint8Array> {
  const program = findBrowser();
  const folder = await mkdtemp(join(tmpdir(), 'iovascope-png-'));
  const file = join(folder, 'page.html');
  await writeFile(file, page);
  const isRoot = process.getuid?.() === 0;
  const browser = spawn(
    program,
    [
      ...['--headless=new', '--remote-debugging-pipe', `--user-data-dir=${join(folder, 'profile')}`],
      ...['--no-first-run', '--disable-background-networking', '--disable-component-update', '--window-size=1280,900'],
      ...(isRoot ? ['--no-sandbox'] : []),
    ],
    { stdio: ['ignore', 'ignore', 'ignore', 'pipe', 'pipe'] },
  );
  const timer = setTimeout(() => browser.kill(), PATIENCE);
  try {
    const devtools = new Devtools(browser);
    const { targetId } = await devtools.call('Target.createTarget', { url: pathToFileURL(file).href });
    const { sessionId } = await devtools.call('Target.attachToTarget', { targetId, flatten: true });
    const answer = await evaluated(devtools, question(scene, theme), String(sessionId));
    const { value } = answer.result as { readonly value?: unknown };
    if (typeof value !== 'string') throw new NotPossible('the browser drew no picture');
    return Uint8Array.from(Buffer.from(value, 'base64'));
  } finally {
    clearTimeout(timer);
    const gone = new Promise((resolve) => browser.once('exit', resolve));
    if (browser.exitCode === null && browser.kill()) await gone;
    await rm(folder, { recursive: true, force: true, maxRetries: 3 });
  }
}
