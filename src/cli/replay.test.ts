import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runCli } from './testing/run.ts';

const HEADER = '{"format":"iova-trace","version":1,"model":"iommufd"}';
const lines = (...text: string[]) => `${[HEADER, ...text].join('\n')}\n`;
const ALLOC = '{"op":"ioas.alloc","ioas":"a","expect":{"ret":0}}';
const UNMAP = '{"op":"ioas.unmap","ioas":"a","iova":"0x1000","length":"0x1000","expect":{"ret":"-ENOENT"}}';
const WRONG =
  '{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x0","length":"0x1000","iova":"0x2000","expect":{"ret":"-EEXIST"}}';

const clean = lines(ALLOC, UNMAP);
const dirty = lines(ALLOC, UNMAP, WRONG);

describe('iovascope replay', () => {
  it('ends with the sum, and 0 if all is as recorded', async () => {
    expect(await runCli(['replay', 'a.jsonl'], { 'a.jsonl': clean })).toMatchObject({
      code: 0,
      stdout: '2 ops, 0 mismatches\n',
      stderr: '',
    });
  });

  it('prints each mismatch with file, line, expected and got, sums up all files, and ends with 1', async () => {
    const files = { 'a.jsonl': clean, 'b.jsonl': dirty, 'c.jsonl': dirty };
    expect(await runCli(['replay', 'a.jsonl', 'b.jsonl', 'c.jsonl'], files)).toMatchObject({
      code: 1,
      stdout: [
        'b.jsonl:4: ioas.map: expected {"ret":"-EEXIST"}, got {"ret":0,"iova":"0x2000"}',
        'c.jsonl:4: ioas.map: expected {"ret":"-EEXIST"}, got {"ret":0,"iova":"0x2000"}',
        '8 ops, 2 mismatches',
        '',
      ].join('\n'),
      stderr: '',
    });
  });

  it('says which bugs of the kernel a session meets', async () => {
    const text = [
      '{"format":"iova-trace","version":1,"model":"type1","kernel":"6.12"}',
      '{"op":"container.open","container":"c","model":"type1v2"}',
      '{"op":"container.attach_group","container":"c","group":"1","domain":{"iommu":"amd","aperture":["0x0","0xffffffffffffffff"],"pgsize_bitmap":"0x1000"},"reserved":[]}',
      '{"op":"container.map_dma","container":"c","flags":["read"],"vaddr":"0x0","size":"0x1000","iova":"0xfffffffffffff000"}',
      '{"op":"container.close","container":"c"}',
      '',
    ].join('\n');
    const { code, stderr } = await runCli(['replay', 'a'], { a: text });
    expect(code).toBe(0);
    expect(stderr).toMatch(
      /^a:5: warning: kernel bug: The pages of a mapping that ends at 2\^64-1 stay pinned[^\n]+\n$/,
    );
    expect((await runCli(['replay', '--kernel', '6.18', 'a'], { a: text })).stderr).toBe('');
  });

  it('names the rule when the model refuses what the kernel did', async () => {
    const text = lines(
      ALLOC,
      '{"op":"ioas.unmap","ioas":"a","iova":"0x0","length":"0x0","expect":{"ret":0,"unmapped":"0x0"}}',
    );
    const { code, stdout } = await runCli(['replay', 'a'], { a: text });
    expect(code).toBe(1);
    expect(stdout).toContain('a:3: ioas.unmap: expected {"ret":0,"unmapped":"0x0"}, got {"ret":"-EINVAL"}');
    expect(stdout).toContain('unmap-length-zero');
  });

  it('prints JSON', async () => {
    const text = lines(
      '{"op":"ioas.alloc","ioas":"a"}',
      '{"op":"device.detach","device":"d"}',
      UNMAP.replace('NOENT', 'INVAL'),
    );
    const { code, stdout } = await runCli(['replay', '--json', 'x.jsonl'], { 'x.jsonl': text });
    expect(code).toBe(1);
    const objects = stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(objects).toEqual([
      {
        file: 'x.jsonl',
        line: 3,
        index: 1,
        op: 'device.detach',
        fields: [],
        fault: { code: 'unknown-object', message: "no attached device 'd'" },
      },
      {
        file: 'x.jsonl',
        line: 4,
        index: 2,
        op: 'ioas.unmap',
        fields: ['ret'],
        expected: { ret: '-EINVAL' },
        got: { ret: '-ENOENT' },
        refusal: { rule: 'unmap-nothing-mapped', message: expect.stringMatching(/^Nothing is mapped/) },
      },
      { ops: 3, mismatches: 2 },
    ]);
  });

  it('goes on after lines that cannot be run', async () => {
    const text = lines('{"op":"ioas.frob"}', '{"op":', '{"kind":"from-the-future"}', ALLOC);
    const { code, stdout, stderr } = await runCli(['replay', 'f'], { f: text });
    expect(code).toBe(1);
    expect(stdout).toMatch(
      /^f:2: ioas\.frob: expected an operation that can be run, got unknown operation 'ioas\.frob'$/m,
    );
    expect(stdout).toMatch(/^f:3: \?: expected an operation that can be run, got not JSON/m);
    expect(stdout).toMatch(/\n3 ops, 2 mismatches\n$/);
    expect(stderr).toMatch(/^f:4: warning: unknown kind 'from-the-future'/);
  });

  it('reads gzip and standard input', async () => {
    const packed = new Uint8Array(gzipSync(clean));
    expect((await runCli(['replay', 'a.gz', '-'], { 'a.gz': packed }, dirty)).stdout).toMatch(
      /^<stdin>:4: .*\n5 ops, 1 mismatches\n$/,
    );
    expect((await runCli(['replay', '-'], {}, packed)).stdout).toBe('2 ops, 0 mismatches\n');
  });

  it('runs events without a header, and says so', async () => {
    const { code, stderr } = await runCli(['replay', 'f'], { f: `${ALLOC}\n` });
    expect(code).toBe(0);
    expect(stderr).toMatch(/^f:1: warning: the header line is missing/);
  });

  it('takes the model from the option rather than the header', async () => {
    const text = clean.replace('"iommufd"', '"zircon"');
    expect((await runCli(['replay', '--model', 'iommufd', 'f'], { f: text })).code).toBe(0);
  });

  it('answers by the kernel of the header or of the option, and says what it assumes', async () => {
    const open = '{"op":"container.open","container":"c","model":"type1v2"}';
    const ask = '{"op":"container.check_extension","container":"c","extension":6,"expect":{"ret":1}}';
    const of = (kernel: string) => ({
      f: `{"format":"iova-trace","version":1,"model":"type1","kernel":"${kernel}"}\n${open}\n${ask}\n`,
    });
    expect(await runCli(['replay', 'f'], of('6.12'))).toMatchObject({ code: 0, stderr: '' });
    expect((await runCli(['replay', 'f'], of('7.3'))).code).toBe(1);
    expect((await runCli(['replay', '--kernel', '6.12', 'f'], of('7.3'))).code).toBe(0);
    const between = await runCli(['replay', 'f'], of('6.14'));
    expect(between).toMatchObject({ code: 0, stdout: '2 ops, 0 mismatches\n' });
    expect(between.stderr).toBe(
      'f: warning: Linux 6.14 is between 6.12 and 6.16, which differ; the older rule is used: Extension 6 (nesting) is 1 (1 answer depends on it, the first in line 3)\n',
    );
    const none = await runCli(['replay', 'f'], of('banana'));
    expect(none.stderr).toBe(
      "f: warning: 'banana' is not a kernel version such as 6.12: the newest known rules are used\n",
    );
    const old = await runCli(['replay', 'f'], { f: clean.replace('"iommufd"', '"iommufd","kernel":"6.1"') });
    expect(old).toMatchObject({ code: 0 });
    expect(old.stderr).toMatch(/^f: warning: Linux 6\.1 does not have iommufd \(since 6\.2\)/);
  });

  it('says what it did to run a session of one model in another', async () => {
    const text = lines(
      ALLOC,
      '{"op":"ioas.copy","dst":"a","src":"a","flags":["read"],"length":"0x1000","src_iova":"0x0","expect":{"ret":"-ENOENT"}}',
    );
    const { code, stdout, stderr } = await runCli(['replay', '--model', 'type1', 'f'], { f: text });
    expect({ code, stdout }).toEqual({ code: 1, stdout: '2 ops, 0 mismatches, 1 not compared\n' });
    const asJson = await runCli(['replay', '--json', '--model', 'type1', 'f'], { f: text });
    expect(JSON.parse(asJson.stdout)).toEqual({ ops: 2, mismatches: 0, not_compared: 1 });
    expect(stderr.trimEnd().split('\n')).toEqual([
      'f: recorded in iommufd, run in type1',
      'f: 1 × ioas.alloc as container.open, version 2',
      'f: 1 × ioas.copy skipped: type1 cannot copy a mapping',
    ]);
    const map = lines(
      ALLOC,
      WRONG.replace('"-EEXIST"', '0,"iova":"0x2000"'),
      UNMAP.replace('"0x1000"', '"0x2000"').replace('"-ENOENT"', '0,"unmapped":"0x1000"'),
    );
    const rfc = await runCli(['replay', '--model', 'iommufd-rfc', 'f'], { f: map });
    expect(rfc.stdout).toBe('3 ops, 0 mismatches\n');
    expect(rfc.stderr).toBe(
      'f: recorded in iommufd, run in iommufd-rfc\nf: 1 × ioas.unmap compared without unmapped\n',
    );
  });

  it.each<[string, string[], Record<string, string | Uint8Array>, RegExp]>([
    ['no file', [], {}, /no session file given/],
    ['a missing file, though the first is fine', ['a', 'b'], { a: dirty }, /b: no such file/],
    ['an unknown option', ['--frob', 'a'], { a: clean }, /--frob/],
    ['an option without its value', ['a', '--model'], { a: clean }, /--model/],
    ['a value for a switch', ['a', '--json=yes'], { a: clean }, /--json/],
    ['a kernel that is no version', ['--kernel', 'banana', 'a'], { a: clean }, /--kernel 'banana': expected a version/],
    ['an unknown model', ['--model', 'zircon', 'a'], { a: clean }, /unknown model 'zircon'; known: iommufd/],
    [
      'an unknown model in the header',
      ['a'],
      { a: clean.replace('"iommufd"', '"zircon"') },
      /a: unknown model 'zircon'/,
    ],
    ['an empty file', ['a'], { a: '' }, /a:1: not a session file/],
    ['another format', ['a'], { a: 'BIOS-provided physical RAM map\nmore\n' }, /a:1: not a session file/],
    ['binary data', ['a'], { a: new Uint8Array([0, 255, 254, 10, 7]) }, /a:1: not a session file/],
    ['a broken archive', ['a'], { a: new Uint8Array([0x1f, 0x8b, 1, 2, 3]) }, /a: malformed gzip data/],
    ['standard input twice', ['-', '-'], {}, /standard input/],
    [
      'a page size that is none',
      ['a'],
      { a: '{"format":"iova-trace","version":1,"page_size":"0x3000"}' },
      /powers of two/,
    ],
  ])('%s is unusable, and said in one line', async (_name, args, files, message) => {
    const { code, stdout, stderr } = await runCli(['replay', ...args], files);
    expect(code).toBe(2);
    expect(stdout).toBe('');
    expect(stderr).toMatch(/^iovascope: replay: [^\n]+\n$/);
    expect(stderr).toMatch(message);
  });
});
