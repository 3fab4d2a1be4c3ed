import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { runCli } from './testing/run.ts';

let folder = '';
let dump = '';
let empty = '';

beforeAll(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'iovascope-render-'));
  dump = path.join(folder, 'regions.txt');
  empty = path.join(folder, 'notes.txt');
  await writeFile(dump, '0x00000000fee00000 0x00000000feefffff msi\n0xffffffffffff0000 0xffffffffffffffff reserved\n');
  await writeFile(empty, 'nothing of interest\n');
  // Loads the modules, which takes its time on a busy machine.
  await runCli(['render', dump, '-o', '-']);
});
afterAll(() => rm(folder, { recursive: true }));

describe('iovascope render', () => {
  test('writes the picture with the exact bounds and their source', async () => {
    const result = await runCli(['render', dump, '-o', 'out.svg']);
    expect(result).toMatchObject({ code: 0, stdout: '', stderr: '' });
    const svg = String(result.written?.['out.svg']);
    expect(svg).toMatch(/^<svg /);
    expect(svg).toContain('0xfee0_0000 – 0xfeef_ffff');
    expect(svg).toContain('0xffff_ffff_ffff_0000 – 0xffff_ffff_ffff_ffff');
    expect(svg).toContain('regions.txt:2');
    expect(svg).toContain('width="1280"');
  });

  test('draws the same as before for the same input, to standard output, too', async () => {
    const one = await runCli(['render', dump, '-o', '-']);
    const two = await runCli(['render', dump, '-o', 'out.svg']);
    expect(one.stdout).toBe(two.written?.['out.svg']);
  });

  test('width, theme, scale and range change the picture', async () => {
    const render = async (...options: string[]) => (await runCli(['render', dump, '-o', '-', ...options])).stdout;
    const plain = await render();
    expect(await render('--width', '900')).toContain('width="900"');
    expect(await render('--theme', 'dark')).toContain('fill="#121821"');
    expect(await render('--scale', 'log')).toContain('log scale');
    const cut = await render('--range', '0xfee00000-0xfeefffff');
    expect(cut).not.toBe(plain);
    expect(cut).not.toContain('0xffff_ffff_ffff_0000 –');
  });

  test('of very many address spaces it draws the first, and says how many more there are', async () => {
    const session = path.join(folder, 'spaces.iova.jsonl');
    const lines = [{ format: 'iova-trace', version: 1, model: 'iommufd' }];
    const spaces = Array.from({ length: 103 }, (_, i) => ({ op: 'ioas.alloc', ioas: `a${i}` }));
    await writeFile(session, [...lines, ...spaces].map((line) => `${JSON.stringify(line)}\n`).join(''));
    const rendered = async (form: string) => {
      const { code, written } = await runCli(['render', session, '-o', `out.${form}`]);
      expect(code).toBe(0);
      return String(written?.[`out.${form}`]);
    };
    const svg = await rendered('svg');
    expect(svg).toContain('103 address spaces');
    expect(svg).toContain('Not in this picture: 3 more address spaces.');
    for (const form of ['txt', 'md']) {
      const text = await rendered(form);
      expect(text).toContain('103 address spaces');
      expect(text).toContain('Not drawn: 3 more address spaces.');
      expect(text).toContain('a99');
    }
    expect(await rendered('txt')).not.toContain('a100');
  });

  test('as text: ASCII, 72 columns, the answer first, the same bytes each time', async () => {
    const { code, written } = await runCli(['render', dump, '-o', 'out.txt']);
    expect(code).toBe(0);
    const text = String(written?.['out.txt']);
    expect(text).toMatch(/^IOVA layout: .+\n\n[A-Z]+: /);
    expect(text).toMatch(/^b {2}0xfee00000 +- 0xfeefffff +1M {2}MSI window/m);
    for (const line of text.split('\n')) expect(line).toMatch(/^[ -~]{0,72}$/);
    expect((await runCli(['render', dump, '-o', 'out.txt'])).written?.['out.txt']).toBe(text);
  });

  test('the picture begins with the answer', async () => {
    const { stdout } = await runCli(['render', dump, '-o', '-']);
    const { stdout: answer } = await runCli(['check', dump]);
    expect(stdout).toContain(answer.split(/[:;,.\n]/, 1)[0]);
  });

  test('a session is drawn with its address spaces', async () => {
    const trace = path.join(folder, 'a.iova.jsonl');
    const lines = [
      '{"format":"iova-trace","version":1,"title":"two areas"}',
      '{"op":"ioas.alloc","ioas":"a"}',
      '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x10000","length":"0x2000","iova":"0x4000"}',
    ];
    await writeFile(trace, lines.join('\n'));
    const { stdout } = await runCli(['render', trace, '-o', '-']);
    expect(stdout).toContain('two areas: a');
    expect(stdout).toContain('0x4000 – 0x5fff');
  });

  test.each([
    [['render'], /no file given/],
    [['render', 'x.txt'], /no output file given/],
    [['render', 'x.txt', '-o', 'x.bmp'], /x\.bmp/],
    [['render', 'x.txt', '-o', 'x.svg', '--width', '12.5'], /--width '12\.5'/],
    [['render', 'x.txt', '-o', 'x.svg', '--theme', 'pink'], /--theme 'pink'/],
    [['render', 'x.txt', '-o', 'x.svg', '--scale', 'up'], /--scale 'up'/],
    [['render', 'x.txt', '-o', 'x.svg', '--range', '5-3'], /ends before it starts \(at character 3\)/],
    [['render', '/not/there', '-o', 'x.svg'], /\/not\/there/],
    [['render', '--nonsense'], /nonsense/],
  ])('%j is unusable, in one line', async (args, message) => {
    const result = await runCli(args);
    expect(result.code).toBe(2);
    expect(result.stdout).toBe('');
    expect(result.stderr).toMatch(/^iovascope: [^\n]+\n$/);
    expect(result.stderr).toMatch(message);
    expect(result.written).toBeUndefined();
  });

  test('what holds nothing, and a place that cannot be written, are unusable', async () => {
    expect((await runCli(['render', empty, '-o', 'x.svg'])).stderr).toContain('notes.txt');
    const nowhere = await runCli(['render', dump, '-o', '/nowhere/x.svg']);
    expect(nowhere).toMatchObject({ code: 2, stdout: '' });
    expect(nowhere.stderr).toContain('/nowhere/x.svg cannot be written');
    expect(await readFile(dump, 'utf8')).toContain('msi');
  });
});

describe('reports and pictures that leave', () => {
  test('a picture is opened again with the same facts', async () => {
    const { written } = await runCli(['render', dump, '-o', 'out.svg']);
    const file = path.join(folder, 'again.svg');
    await writeFile(file, String(written?.['out.svg']));
    const facts = async (name: string) => (await runCli(['inspect', name, '--json'])).stdout;
    expect(await facts(file)).toBe(await facts(dump));
  });

  test('Markdown has the answer first, a link and the session', async () => {
    const result = await runCli([
      'render',
      dump,
      '-o',
      'out.md',
      '--base',
      'https://example.org/',
      '--title',
      'My bug',
    ]);
    const text = String(result.written?.['out.md']);
    expect(text).toMatch(/^## My bug\n\n\*\*CLEAN: /);
    expect(text).toMatch(/^\[Open it in iovascope\]\(https:\/\/example\.org\/#v1\.[\w-]+\.[0-9a-f]{8}\)$/m);
    expect(text).toContain('"kind":"reserved","start":"0xfee00000"');
    const again = await runCli(['render', dump, '-o', 'out.md', '--base', 'https://example.org/', '--title', 'My bug']);
    expect(again.written?.['out.md']).toBe(text);
  });

  test('Markdown quotes the lines of a file and of standard input', async () => {
    const line =
      'DMAR: [DMA Read] Request device [00:1f.2] fault addr 0x7e000000 [fault reason 06] PTE Read access is not set';
    const log = path.join(folder, 'fault.log');
    await writeFile(log, `${line}\n`);
    for (const [name, stdin] of [
      [log, ''],
      ['-', `${line}\n`],
    ] as const) {
      const { written } = await runCli(['render', name, '-o', 'out.md'], {}, stdin);
      expect(written?.['out.md']).toContain(line);
    }
  });

  test.each(['svg', 'txt', 'md'])('--redact: .%s has no name of a file or folder', async (form) => {
    const { written } = await runCli(['render', dump, '-o', `out.${form}`, '--redact']);
    const text = String(written?.[`out.${form}`]);
    expect(text).not.toContain('regions.txt');
    expect(text).not.toContain(folder);
    expect(text).toContain('file-1');
  });
});

describe('iovascope link', () => {
  test('prints a link that opens the session, and what was replaced', async () => {
    const result = await runCli(['link', dump, '--base', 'https://example.org/x/', '--guest', 'q35:8G']);
    expect(result.code).toBe(0);
    expect(result.stdout).toMatch(/^https:\/\/example\.org\/x\/#v1\.[\w-]+\.[0-9a-f]{8}&guest=q35:8G\n$/);
    expect(result.stderr).toContain('-> file-1 (2 times)');
    const opened = await runCli(['inspect', '-', '--json'], {}, result.stdout);
    expect(opened.stdout).toContain('"start":"0xfee00000"');
    expect(opened.stdout).not.toContain('regions.txt');
    const argument = await runCli(['inspect', result.stdout.trim(), '--json']);
    expect(argument.stdout.split('\n')[0]).toContain('"kind":"reserved","start":"0xfee00000"');
    const plain = await runCli(['link', dump, '--no-redact']);
    expect(plain.stderr).toBe('');
    expect((await runCli(['inspect', '-', '--json'], {}, plain.stdout)).stdout).toContain('regions.txt');
  });

  test.each([
    [['link'], /no file given/],
    [['link', 'x.txt', '--base', 'nowhere'], /--base 'nowhere'/],
    [['link', 'x.txt', '--base', 'javascript:alert(1)'], /expected http/],
    [['link', '/not/there'], /not\/there/],
  ])('%j is unusable, in one line', async (args, message) => {
    const { code, stdout, stderr } = await runCli(args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(/^iovascope: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });
});
