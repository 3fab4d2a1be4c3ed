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
