// A live host: what an agent tells, as a person follows it. The probe prints what the test writes.
import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type Agent, startAgent } from '../src/agent/agent.ts';
import { test as base, expect, rowOf, violations, visit } from './page.ts';

const FAKE = new URL('../src/agent/testing/fake-probe.mjs', import.meta.url).pathname;
const WEB = new URL('../dist/web', import.meta.url).pathname;

class Host {
  agent: Agent | undefined;
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'live-'));
  readonly #script = path.join(this.#folder, 'script');
  readonly #name: string;

  constructor(name: string) {
    this.#name = name;
    writeFileSync(this.#script, '');
  }

  async start(origins: readonly string[] = []): Promise<Agent> {
    this.agent = await startAgent({
      probe: `node ${FAKE} ${this.#script}`,
      host: '127.0.0.1',
      port: 0,
      web: WEB,
      origins,
      timings: { firstPause: 100, longestPause: 300, hangsAfter: 10_000 },
    });
    return this.agent;
  }

  say(...lines: string[]): void {
    appendFileSync(this.#script, lines.map((line) => `${line}\n`).join(''));
  }

  /** The host as it is now. */
  tell(...facts: string[]): void {
    const header = `{"format":"iova-trace","version":1,"title":"${this.#name}"}`;
    this.say('{"probe":"begin","id":2,"what":"snapshot"}', header, ...facts, '{"probe":"end","id":2}');
  }

  async end(): Promise<void> {
    await this.agent?.end();
    rmSync(this.#folder, { recursive: true });
  }
}

const test = base.extend<{ readonly maple: Host; readonly oak: Host }>({
  // biome-ignore lint/correctness/noEmptyPattern: a fixture names what it needs, and this one needs nothing
  maple: async ({}, use) => {
    const host = new Host('maple');
    await use(host);
    await host.end();
  },
  // biome-ignore lint/correctness/noEmptyPattern: as above
  oak: async ({}, use) => {
    const host = new Host('oak');
    await use(host);
    await host.end();
  },
});

const group = (n: number, ...devices: string[]) =>
  `{"kind":"group","group":"${n}","type":"DMA","devices":${JSON.stringify(devices)}}`;
const MSI = '{"kind":"reserved","start":"0xfee00000","last":"0xfeefffff","type":"msi","origin":"sysfs","group":"1"}';
const CONTAINER =
  '{"kind":"valid_range","start":"0x0","last":"0xfedfffff","container":"pid 812 fd 31","pid":812,"process":"qemu-system-x86","guest":"vm1"}';
const mapping = (start: number) =>
  `{"kind":"map","start":"0x${start.toString(16)}","last":"0x${(start + 0xfff).toString(16)}","origin":"ftrace","time":${start},"stream":"trace"}`;

test('the page of an agent shows its host, and keeps up with it', async ({ page, maple }) => {
  maple.tell(group(1, '0000:00:02.0'), MSI);
  const { url, token } = await maple.start();
  await page.goto(url);
  const tree = page.getByRole('treegrid');
  await expect(tree).toContainText('maple');
  await expect(tree).toContainText('Live');
  await expect(rowOf(page, 'reserved', '0xfee0_0000', '0xfeef_ffff')).toHaveCount(1);
  expect(page.url()).not.toContain(token);

  // A device is plugged in, a guest starts.
  await page.getByRole('tab', { name: 'Events' }).click();
  maple.tell(group(1, '0000:00:02.0'), MSI, group(7, '0000:05:00.0'));
  await expect(tree).toContainText('group 7');
  await expect(page.getByTestId('changes').getByRole('listitem').first()).toContainText('+ group 7: 0000:05:00.0');
  maple.tell(group(1, '0000:00:02.0'), MSI, group(7, '0000:05:00.0'), CONTAINER);
  await expect(tree).toContainText('pid 812 fd 31');
  await expect(tree).toContainText('guest vm1, qemu-system-x86 (812)');

  // Paused, the picture stays while the host goes on; then it follows again.
  await page.getByRole('button', { name: 'Pause' }).click();
  maple.tell(group(1, '0000:00:02.0'), MSI, CONTAINER);
  await expect(page.getByTestId('changes').getByRole('listitem').first()).toContainText('− group 7');
  await expect(tree).toContainText('group 7');
  await page.getByRole('button', { name: 'Resume' }).click();
  await expect(tree).not.toContainText('group 7');

  // Back to the moment at which the device was there, and what differs.
  await page
    .getByTestId('changes')
    .getByRole('button', { name: /\+ group 7/ })
    .click();
  await expect(tree).toContainText('group 7');
  await page.getByRole('button', { name: 'Compare' }).click();
  await expect(page.getByTestId('difference')).toContainText('+ valid range');
});

test('a reload keeps the live hosts, in this tab alone', async ({ page, maple, oak, context }) => {
  maple.tell(group(1, '0000:00:02.0'), MSI);
  oak.tell(group(5, '0000:07:00.0'));
  const own = await maple.start();
  const other = await oak.start([new URL(own.url).origin]);
  const tree = page.getByRole('treegrid');
  await page.goto(own.url);
  await expect(tree).toContainText('group 1');
  await page.getByRole('button', { name: 'Open' }).click();
  await page.getByRole('menuitem', { name: 'Live host' }).click();
  await page.getByRole('dialog').getByRole('textbox').fill(other.url);
  await page.getByRole('dialog').getByRole('button', { name: 'Connect' }).click();
  await expect(tree).toContainText('group 5');
  await page.reload();
  await expect(tree).toContainText('maple');
  await expect(tree).toContainText('oak');
  await page.getByRole('tab', { name: 'Events' }).click();
  await expect(page.getByTestId('connection')).toHaveText(['Live', 'Live']);
  expect(page.url()).not.toContain(own.token);
  const second = await context.newPage();
  await visit(second, new URL(own.url).origin);
  await expect(second.getByRole('treegrid')).not.toContainText('Live');
});

test('mappings move while they are traced', async ({ page, maple }) => {
  maple.tell(group(1, '0000:00:02.0'), MSI);
  const { url } = await maple.start();
  await page.goto(url);
  await expect(page.getByRole('treegrid')).toContainText('group 1');
  maple.say(mapping(0x100000), mapping(0x200000));
  await expect(rowOf(page, 'kernel trace', '0x10_0000', '0x10_0fff')).toHaveCount(1);
  maple.say(mapping(0x200000).replace('"map"', '"unmap"').replace('"time":2097152', '"time":2097153'));
  await expect(rowOf(page, 'kernel trace', '0x20_0000', '0x20_0fff')).toHaveCount(0);
});

test('a probe that dies is said, and the host is back when it is', async ({ page, maple }) => {
  maple.tell(group(1, '0000:00:02.0'), MSI);
  const { url } = await maple.start();
  await page.goto(url);
  await expect(page.getByRole('treegrid')).toContainText('group 1');
  await page.getByRole('tab', { name: 'Events' }).click();
  maple.say('!exit 5');
  await expect(page.getByTestId('live')).toContainText('ended with exit code 5');
  // What is known stays drawn.
  await expect(page.getByRole('treegrid')).toContainText('group 1');
});

test('an agent that is gone: said at once, and what was received can still be saved', async ({ page, maple }) => {
  maple.tell(group(1, '0000:00:02.0'), MSI);
  const agent = await maple.start();
  await page.goto(agent.url);
  await expect(page.getByRole('treegrid')).toContainText('group 1');
  await page.getByRole('tab', { name: 'Events' }).click();
  await expect(page.getByTestId('connection')).toHaveText('Live');
  await agent.end();
  await expect(page.getByTestId('connection')).toHaveText('Reconnecting…');
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export…' }).click();
  await page.getByRole('radio', { name: /Session file/ }).check();
  await page.getByRole('button', { name: 'Save' }).click();
  expect((await download).suggestedFilename()).toBe('maple.iova.jsonl');
});

test('several hosts at once, by their addresses', async ({ app, maple, oak }) => {
  const here = new URL(app.url()).origin;
  maple.tell(group(1, '0000:00:02.0'), MSI);
  oak.tell(group(1, '0000:00:03.0'));
  for (const host of [maple, oak]) {
    const { url } = await host.start([here]);
    await app.getByRole('button', { name: 'Open' }).click();
    await app.getByRole('menuitem', { name: 'Live host' }).click();
    const dialog = app.getByRole('dialog');
    await dialog.getByRole('textbox').fill('http://127.0.0.1:1/');
    await dialog.getByRole('button', { name: 'Connect' }).click();
    await expect(dialog).toContainText('missing token');
    await dialog.getByRole('textbox').fill(url);
    await dialog.getByRole('button', { name: 'Connect' }).click();
    await expect(dialog).toHaveCount(0);
  }
  await expect(app.getByRole('treegrid')).toContainText('maple');
  await expect(app.getByRole('treegrid')).toContainText('oak');
  await expect(app.getByRole('treegrid')).not.toContainText('Intel host');
  await app.getByRole('tab', { name: 'Events' }).click();
  await expect(app.getByTestId('connection')).toHaveText(['Live', 'Live']);
  expect(await violations(app)).toEqual([]);
});

test('an agent that does not know this page refuses it, and the page says so', async ({ app, maple }) => {
  maple.tell(group(1, '0000:00:02.0'));
  const { url } = await maple.start();
  await app.getByRole('button', { name: 'Open' }).click();
  await app.getByRole('menuitem', { name: 'Live host' }).click();
  await app.getByRole('dialog').getByRole('textbox').fill(url);
  await app.getByRole('dialog').getByRole('button', { name: 'Connect' }).click();
  await expect(app.getByTestId('problem')).toContainText('origin not allowed');
});
