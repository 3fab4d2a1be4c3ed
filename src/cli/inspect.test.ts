import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { INSPECT } from './inspect.ts';

const MSI = '0x00000000fee00000 0x00000000feefffff msi\n';
let root = '';
const at = (name: string) => join(root, name);
function put(name: string, content: string | Uint8Array): string {
  mkdirSync(dirname(at(name)), { recursive: true });
  writeFileSync(at(name), content);
  return at(name);
}

beforeAll(() => {
  root = mkdtempSync(join(tmpdir(), 'inspect-'));
});
afterAll(() => rmSync(root, { recursive: true }));

async function inspect(args: readonly string[], stdin = '') {
  const out = { stdout: '', stderr: '' };
  const code = await INSPECT.run(args, {
    stdout: (text) => {
      out.stdout += text;
    },
    stderr: (text) => {
      out.stderr += text;
    },
    stdin: async () => new TextEncoder().encode(stdin),
    readFile,
    readFolder: () => Promise.reject(new Error('inspect reads folders by itself')),
    writeFile: () => Promise.reject(new Error('inspect writes no files')),
  });
  return { code, ...out, lines: out.stdout.split('\n').slice(0, -1) };
}

describe('--json', () => {
  test('the facts, one a line, in the order of the inputs', async () => {
    const a = put('a.txt', `group 7\n${MSI}`);
    const b = put('b.gz', gzipSync('IOMMU Group 3 00:1f.0 ISA bridge\n'));
    const { code, lines, stderr } = await inspect([a, b, '--json']);
    expect(lines).toEqual([
      `{"kind":"reserved","start":"0xfee00000","last":"0xfeefffff","type":"msi","origin":"sysfs","group":"7","source":${JSON.stringify(a)},"line":2}`,
      `{"kind":"group","group":"3","devices":["0000:00:1f.0"],"source":${JSON.stringify(b)},"line":1}`,
    ]);
    expect([code, stderr]).toEqual([0, '']);
  });

  test('standard input; the name of a file says nothing', async () => {
    const { code, lines } = await inspect(['--json', '-'], MSI);
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ source: '<stdin>', line: 1 });
    expect(code).toBe(0);
  });

  test('a session: facts only, unknown kinds as they were', async () => {
    const unknown = '{"kind":"novelty",  "z":1,"a":"0x00F"}';
    const session = put('s', `{"format":"iova-trace","version":1}\n{"op":"ioas.alloc","ioas":"a"}\n${unknown}\n`);
    const { lines, code } = await inspect(['--json', session]);
    expect(lines.map((line) => JSON.parse(line).kind)).toEqual(['diagnostic', 'novelty']);
    expect(lines[1]).toBe(unknown);
    expect(code).toBe(0);
  });

  test('a folder, links recorded and not followed, what is unreadable told', async () => {
    put('sys/kernel/iommu_groups/10/reserved_regions', MSI);
    put('sys/kernel/iommu_groups/9/reserved_regions', MSI);
    put('sys/kernel/iommu_groups/9/type', 'DMA\n');
    put('sys/devices/pci0000:00/0000:00:1f.0/vendor', '0x8086\n');
    mkdirSync(at('sys/kernel/iommu_groups/9/devices'));
    symlinkSync('../../../../devices/pci0000:00/0000:00:1f.0', at('sys/kernel/iommu_groups/9/devices/0000:00:1f.0'));
    symlinkSync('../../../kernel/iommu_groups/10', at('sys/devices/pci0000:00/0000:00:1f.0/iommu_group'));
    symlinkSync('.', at('sys/devices/loop'));
    const { code, lines } = await inspect(['--json', at('sys')]);
    const facts = lines.map((line) => JSON.parse(line));
    expect(facts.map(({ kind, group, type, devices }) => [kind, group, type, devices])).toEqual([
      ['group', '10', undefined, ['0000:00:1f.0']],
      ['group', '9', 'DMA', ['0000:00:1f.0']],
      ['reserved', '9', 'msi', undefined],
      ['reserved', '10', 'msi', undefined],
    ]);
    expect(facts[2].source).toBe(at('sys/kernel/iommu_groups/9/reserved_regions'));
    expect(code).toBe(0);
  });

  test('something in a folder that cannot be read', async () => {
    put('odd/good', MSI);
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(at('odd/a-socket'), resolve));
    const { code, lines } = await inspect(['--json', at('odd')]);
    server.close();
    expect(lines.map((line) => JSON.parse(line).code ?? 'fact')).toEqual(['unreadable', 'fact']);
    expect(code).toBe(0);
  });
});

test('the summary', async () => {
  const path = put('mixed', `what is this\ngroup 7\n${MSI}0x2 0x1 msi\ngroup 7 device 00:1f.0\n`);
  const { code, lines } = await inspect([path]);
  expect(code).toBe(0);
  expect(lines[0]).toBe(`${path}: 98 bytes, 5 lines`);
  const text = lines.join('\n');
  expect(text).toContain('sysfs: reserved_regions: 1 fact');
  expect(text).toContain('facts: 1 reserved, 1 group');
  expect(text).toContain(`not recognized: 1 line; the first\n    ${path}:1: what is this`);
  expect(text).toContain(`error: ${path}:4: '0x2 0x1 msi'`);
});

describe('unusable', () => {
  test.each([
    ['no file', () => [], /no file given/],
    ['an unknown option', () => ['--frob'], /--frob/],
    ['standard input twice', () => ['-', '-'], /only once/],
    ['a file that is not there', () => [at('nowhere')], /nowhere: cannot be read: no such file/],
    ['nothing recognized', () => [put('prose', 'Hello\n')], /prose: nothing recognized: .*line 1: 'Hello'/],
    ['nothing at all', () => [put('empty', '')], /empty: the file is empty/],
    ['an empty folder', () => [dirname(put('hollow/x/.keep', ''))], /hollow/],
  ])('%s: exit 2 and one line that says what and where', async (_, args, message) => {
    const { code, stderr } = await inspect(args());
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr).toMatch(/^iovascope: inspect: [^\n]+\n$/);
  });

  test('what can be read is read all the same', async () => {
    const { code, lines } = await inspect([at('nowhere'), put('good', MSI), put('bad', 'Hello\n'), '--json']);
    expect(code).toBe(2);
    expect(lines.map((line) => JSON.parse(line).code ?? 'fact')).toEqual(['unreadable', 'fact', 'nothing-recognized']);
  });

  test('nothing recognized in one of several: the others are printed, it is named', async () => {
    const { code, stdout, stderr } = await inspect([put('good', MSI), put('bad', 'Hello\n')]);
    expect(code).toBe(2);
    expect(stdout).toContain('facts: 1 reserved');
    expect(stderr).toMatch(/^iovascope: inspect: [^\n]*bad: nothing recognized: line 1: 'Hello'[^\n]*\n$/);
  });

  test('a file that holds only a finding is usable', async () => {
    const finding = 'iommu: unaligned: iova 0xfee01000 pa 0x00000000fee01000 size 0x800 min_pagesz 0x1000\n';
    const { code, stdout, stderr } = await inspect([put('finding', finding)]);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toContain('  Kernel log: IOMMU debug messages: 0 facts\n  warning: ');
  });
});
