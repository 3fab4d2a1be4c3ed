import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { assertProperty } from '../../iova/testing/arbitraries.ts';
import { toHex } from '../numbers.ts';
import { readHexDump } from './hex-dump.ts';

const hex2 = (byte: number) => byte.toString(16).padStart(2, '0');
const text = (bytes: readonly number[]) =>
  bytes.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');

/** Rows of `width` bytes with their offsets. */
function rows(bytes: Uint8Array, width = 16): [number, number[]][] {
  const out: [number, number[]][] = [];
  for (let at = 0; at < bytes.length; at += width) out.push([at, [...bytes.subarray(at, at + width)]]);
  return out;
}

/** Little-endian words of a row, as hex of `size` bytes; the last one is filled up with zeros. */
function words(row: readonly number[], size: number): string[] {
  return rows(Uint8Array.from(row), size).map(([, word]) => {
    const padded = [...word, ...Array.from({ length: size - word.length }, () => 0)];
    return padded.reverse().map(hex2).join('');
  });
}

/** hexdump and od print a row that repeats the one before as an asterisk, once. */
function squeezed(bytes: Uint8Array, line: (at: number, row: number[]) => string): string[] {
  let before = '';
  let isStarred = false;
  return rows(bytes).flatMap(([at, row]) => {
    const same = row.join() === before;
    before = row.join();
    const wasStarred = isStarred;
    isStarred = same;
    return same ? (wasStarred ? [] : ['*']) : [line(at, row)];
  });
}

/** What each tool prints for some bytes, word for word. */
const TOOLS: Readonly<Record<string, (bytes: Uint8Array) => string>> = {
  xxd: (bytes) =>
    rows(bytes)
      .map(([at, row]) => {
        const pairs = rows(Uint8Array.from(row), 2).map(([, pair]) => pair.map(hex2).join(''));
        return `${at.toString(16).padStart(8, '0')}: ${pairs.join(' ').padEnd(39)}  ${text(row)}`;
      })
      .join('\n'),
  'xxd -g1': (bytes) =>
    rows(bytes)
      .map(([at, row]) => `${at.toString(16).padStart(8, '0')}: ${row.map(hex2).join(' ').padEnd(47)}  ${text(row)}`)
      .join('\n'),
  'xxd -p': (bytes) =>
    rows(bytes, 30)
      .map(([, row]) => row.map(hex2).join(''))
      .join('\n'),
  'xxd -i': (bytes) => {
    const lines = rows(bytes, 12).map(([, row]) => `  ${row.map((byte) => `0x${hex2(byte)}`).join(', ')}`);
    return `unsigned char info[] = {\n${lines.join(',\n')}\n};\nunsigned int info_len = ${bytes.length};`;
  },
  'hexdump -C': (bytes) =>
    [
      ...squeezed(bytes, (at, row) => {
        const halves = [row.slice(0, 8), row.slice(8)].map((half) => half.map(hex2).join(' ').padEnd(23));
        return `${at.toString(16).padStart(8, '0')}  ${halves.join('  ')}  |${text(row)}|`;
      }),
      bytes.length.toString(16).padStart(8, '0'),
    ].join('\n'),
  hexdump: (bytes) =>
    [
      ...squeezed(bytes, (at, row) => `${at.toString(16).padStart(7, '0')} ${words(row, 2).join(' ')}`),
      bytes.length.toString(16).padStart(7, '0'),
    ].join('\n'),
  'od -A x -t x1': (bytes) =>
    [
      ...squeezed(bytes, (at, row) => `${at.toString(16).padStart(6, '0')} ${row.map(hex2).join(' ')}`),
      bytes.length.toString(16).padStart(6, '0'),
    ].join('\n'),
  'od -t x1z': (bytes) =>
    [
      ...squeezed(bytes, (at, row) => {
        return `${at.toString(8).padStart(7, '0')} ${row.map(hex2).join(' ').padEnd(47)}  >${text(row)}<`;
      }),
      bytes.length.toString(8).padStart(7, '0'),
    ].join('\n'),
  'od -t x8': (bytes) =>
    [
      ...squeezed(bytes, (at, row) => `${at.toString(8).padStart(7, '0')} ${words(row, 8).join(' ')}`),
      bytes.length.toString(8).padStart(7, '0'),
    ].join('\n'),
  'od -v -A d -t x1': (bytes) =>
    [
      ...rows(bytes).map(([at, row]) => `${at.toString().padStart(7, '0')} ${row.map(hex2).join(' ')}`),
      bytes.length.toString().padStart(7, '0'),
    ].join('\n'),
  'od -A n -t x1': (bytes) =>
    rows(bytes)
      .map(([, row]) => ` ${row.map(hex2).join(' ')}`)
      .join('\n'),
  'x/xb of gdb': (bytes) =>
    rows(bytes, 8)
      .map(([at, row]) => {
        const address = `0x${(0x7fff_ffff_e0a0n + BigInt(at)).toString(16)}`;
        return `${address}${at === 0 ? '' : ` <info+${at}>`}:\t${row.map((byte) => `0x${hex2(byte)}`).join('\t')}`;
      })
      .join('\n'),
  'plain digits': (bytes) => toHex(bytes),
  'digits with colons': (bytes) => [...bytes].map(hex2).join(':'),
  'numbers with 0x': (bytes) => [...bytes].map((byte) => `0x${hex2(byte)}`).join(' '),
  'a C string': (bytes) => `"${[...bytes].map((byte) => `\\x${hex2(byte)}`).join('')}"`,
};

/** Bytes as structures have them: many zeros, and rows that repeat. */
const someBytes = fc
  .array(
    fc.oneof(
      fc.constant(new Array<number>(16).fill(0)),
      fc.array(fc.integer({ min: 0, max: 255 }), { minLength: 1, maxLength: 16 }),
    ),
    { minLength: 1, maxLength: 8 },
  )
  .map((parts) => Uint8Array.from(parts.flat()));

describe('the output of a tool', () => {
  it.each(Object.keys(TOOLS))('%s gives the bytes back, with their places', (name) => {
    const tool = TOOLS[name] as (bytes: Uint8Array) => string;
    assertProperty(
      fc.property(someBytes, fc.constantFrom('\n', '\r\n'), fc.constantFrom('', '> '), (bytes, end, quote) => {
        const lines = tool(bytes)
          .split('\n')
          .map((line) => quote + line);
        const dump = readHexDump(lines.join(end));
        expect(dump.problems).toEqual([]);
        expect(toHex(dump.bytes)).toBe(toHex(bytes));
        for (const [i, byte] of dump.bytes.entries()) {
          const line = lines[(dump.lines[i] ?? 0) - 1] ?? '';
          const column = (dump.columns[i] ?? 0) - 1;
          if (line.trim().endsWith('*')) continue;
          const found =
            line.slice(column, column + 2) === '0x'
              ? line.slice(column + 2, column + 4)
              : line.slice(column, column + 2);
          expect(found).toBe(hex2(byte));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('with words is read in the order of bytes that is asked for', () => {
    const words = '0x7ffe1000 <info>:\t0x00001000\t0x00000003';
    expect(toHex(readHexDump(words).bytes)).toBe('0010000003000000');
    expect(toHex(readHexDump(words, { endian: 'big' }).bytes)).toBe('0000100000000003');
    const giants = '0x7ffe1000:\t0x0000000300001000\t0x0000000040201000\n';
    expect(toHex(readHexDump(giants).bytes)).toBe('00100000030000000010204000000000');
    expect(toHex(readHexDump('uint32_t info[] = { 0x1000, 0x3 };').bytes)).toBe('0010000003000000');
    expect(toHex(readHexDump('__u64 info[2] = { 0x40201000, 1 };', { endian: 'big' }).bytes)).toBe(
      '00000000402010000000000000000001',
    );
    expect(toHex(readHexDump('{ 0x1000, 0x3 }').bytes)).toBe('00100300');
  });

  it('says the address of the first byte', () => {
    expect(readHexDump('0x7ffe1000:\t0x00').address).toBe(0x7ffe_1000n);
    expect(readHexDump('00000040: 0010 0000').address).toBe(0x40n);
    expect(readHexDump('0010').address).toBeUndefined();
  });

  it('may begin with the command that made it', () => {
    const dump = readHexDump('user@host:~$ xxd -l 4 info\n00000000: 0010 0000                                ....\n');
    expect([toHex(dump.bytes), dump.problems]).toEqual(['00100000', []]);
    expect(readHexDump('(gdb) x/2xb &info\n0x7ffe1000:\t0x18\t0x19\n').problems).toEqual([]);
    expect(readHexDump('$ xxd -p info\n00100000\n')).toMatchObject({ form: 'plain', problems: [] });
  });

  it('with comments in C is read without them', () => {
    const dump = readHexDump('u8 info[] = {\n  /* argsz 0xff, */ 0x00, 0x10, // 0x22,\n  0x0a,\n};\n');
    expect([toHex(dump.bytes), dump.problems]).toEqual(['00100a', []]);
    expect([...dump.lines]).toEqual([2, 2, 3]);
    expect([...dump.columns]).toEqual([21, 27, 3]);
  });
});

describe('a damaged dump', () => {
  const XXD = [
    '00000000: 0010 0000 0300 0000 0010 2040 0000 0000  .......... @....',
    '00000010: 1800 0000 0000 0000 0200 0100 3800 0000  ............8...',
    '00000020: 0000 0000 0000 0000                      ........',
  ];
  const problemsOf = (lines: readonly string[]) =>
    readHexDump(lines.join('\n')).problems.map(({ code, line, column }) => `${code} ${line}:${column}`);

  it.each<[string, string[], string[], number]>([
    ['nothing wrong', XXD, [], 40],
    ['a letter that is no digit', XXD.map((l) => l.replace('2040', '2o40')), ['not-hex 1:36', 'address-jumps 2:1'], 40],
    ['a digit that is missing', XXD.map((l) => l.replace('2040', '204')), ['odd-digits 1:36', 'address-jumps 2:1'], 40],
    ['a line that is missing', XXD.filter((_, i) => i !== 1), ['address-jumps 2:1'], 40],
    ['a line twice', [...XXD.slice(0, 2), ...XXD.slice(1)], ['address-jumps 3:1', 'address-jumps 4:1'], 56],
    ['words between', [XXD[0] ?? '', '  [output trimmed]', ...XXD.slice(1)], ['not-hex 2:3'], 40],
    ['an asterisk at the start', ['*', ...XXD], [], 40],
    ['an address far away', [...XXD, '7fffffff: 00'], ['too-large 4:1'], 40],
    ['a gap of a page', [...XXD, '00001028: 00'], ['address-jumps 4:1'], 40 + 4096 + 1],
    ['a gap above a page', [...XXD, '00001029: 00', '00001039: 00'], ['too-large 4:1', 'too-large 5:1'], 40],
    ['more repeats than any buffer has', ['00000000: 00', '*', '00ffffff: 00'], ['too-large 3:1'], 1],
  ])('with %s names the place and keeps the rest', (_name, lines, problems, size) => {
    expect(problemsOf(lines)).toEqual(problems);
    expect(readHexDump(lines.join('\n')).bytes.length).toBe(size);
  });

  it('has no place for bytes that are missing', () => {
    const dump = readHexDump([XXD[0], XXD[2]].join('\n'));
    expect([...dump.lines.subarray(14, 34)]).toEqual([1, 1, ...new Array<number>(16).fill(0), 2, 2]);
    expect(dump.bytes.subarray(16, 32).every((byte) => byte === 0)).toBe(true);
  });

  it('of other forms is named as well', () => {
    expect(problemsOf(['00100', '0x', '12 34'])).toEqual(['odd-digits 1:5', 'not-hex 2:1']);
    expect(problemsOf(['0010', 'hello', '12g4'])).toEqual(['not-hex 2:1', 'not-hex 3:3']);
    expect(problemsOf(['{ 0x00, 0xzz, 0x100, 7 }'])).toEqual(['not-hex 1:9']);
    expect(problemsOf(['u8 x[] = { 0x00, 0x100 }'])).toEqual(['not-hex 1:18']);
    expect(problemsOf([''])).toEqual(['nothing-read 1:1']);
    expect(problemsOf(['00000010: 00', '*', '00000000'])).toEqual(['address-jumps 3:1']);
  });

  it('is no reason to throw, whatever it is', () => {
    const line = fc.oneof(
      fc.string(),
      fc.constantFrom(...XXD, '*', '0000000', '{', '0x1,', '\\x41', '0x7ffe:\t0x1', 'ffffffffffffffff 00', '> 00'),
    );
    assertProperty(
      fc.property(fc.array(line, { maxLength: 6 }), fc.constantFrom('\n', ' ', '\r'), (lines, end) => {
        const { bytes, lines: places, columns, problems } = readHexDump(lines.join(end));
        expect([places.length, columns.length]).toEqual([bytes.length, bytes.length]);
        for (const p of problems) expect([p.line > 0, p.column > 0, p.message !== '']).toEqual([true, true, true]);
      }),
      { numRuns: 1000 },
    );
  });
});

describe('the smallest differences', () => {
  const dumpOf = (...lines: readonly string[]) => readHexDump(lines.join('\n'));
  const bytesOf = (...lines: readonly string[]) => toHex(dumpOf(...lines).bytes);

  it('numbers in C: decimal, whatever their length, and as wide as is declared', () => {
    expect(bytesOf('u8 x[] = { 24, 0x10, 255 }')).toBe('1810ff');
    expect(bytesOf('u16 x[] = { 256, 0x1 }')).toBe('00010100');
    expect(bytesOf('u64 x[] = { 0x1ULL, 0x2 }')).toBe('01000000000000000200000000000000');
    expect(dumpOf('u8 x[] = { 256, 1x, 0x1 }').problems.map(({ message }) => message)).toEqual([
      expect.stringMatching(/256.*1 byte\b/),
      expect.stringMatching(/1x.*no number|1x.*not a number/),
    ]);
    expect(dumpOf('u16 x[] = { 65536, 0x1 }').problems[0]?.message).toMatch(/2 bytes/);
  });

  it.each<[string, number]>([
    ['uint8_t', 1],
    ['int16_t', 2],
    ['uint32_t', 4],
    ['int64_t', 8],
    ['u8', 1],
    ['__u16', 2],
    ['s32', 4],
    ['__s64', 8],
    ['unsigned char', 1],
    ['short', 2],
    ['int', 4],
    ['unsigned long', 8],
  ])('an element of %s has %i bytes', (type, width) => {
    const dump = dumpOf(`${type} x[] = { 0x1, 0x2 }`);
    expect([...dump.bytes]).toEqual([
      1,
      ...new Array<number>(width - 1).fill(0),
      2,
      ...new Array<number>(width - 1).fill(0),
    ]);
    expect(dump.problems).toEqual([]);
  });

  it('text of a tool after the bytes is text only at the end of the line', () => {
    expect(bytesOf('00000000  41 42  |AB|', '00000002')).toBe('4142');
    expect(dumpOf('00000000  41 >x< 42', '00000010').problems[0]).toMatchObject({ code: 'not-hex', line: 1 });
  });

  it('blanks before an address, an asterisk and a command do not matter', () => {
    expect(bytesOf('  00000000: 41', '  00000001: 42')).toBe('4142');
    expect(bytesOf('00000000 41 41', ' * ', '00000004 42 42', '00000006')).toBe('414141414242');
    expect(dumpOf('   $ xxd x', '00000000: 41').problems).toEqual([]);
    expect(dumpOf('00000000: 41', '   ', '00000001: 42').problems).toEqual([]);
  });

  it('an address after the last line cuts a padded word, and only that', () => {
    expect(bytesOf('0000000 4241 0043', '0000003')).toBe('414243');
    expect(bytesOf('0000000 4241 0043', '0000004')).toBe('41424300');
    expect(dumpOf('0000000 4241 0043', '0000002').problems[0]?.code).toBe('address-jumps');
  });

  it('keeps bytes, lines and columns beyond any size that was reserved at first', () => {
    const line = (i: number) => `${(i * 16).toString(16).padStart(8, '0')}: ${'ab '.repeat(16)}`;
    const dump = dumpOf(...Array.from({ length: 40 }, (_, i) => line(i)));
    expect(dump.problems).toEqual([]);
    expect(dump.bytes.length).toBe(640);
    expect([dump.lines[0], dump.lines[255], dump.lines[256], dump.lines[639]]).toEqual([1, 16, 17, 40]);
    expect([dump.columns[0], dump.columns[1], dump.columns[256], dump.columns[639]]).toEqual([11, 14, 11, 56]);
    expect(dump.bytes.every((byte) => byte === 0xab)).toBe(true);
  });

  it('a text of C wins over addresses unless most lines have one', () => {
    expect(dumpOf('u8 x[] = {', '  0x41,', '};').form).toBe('c-array');
    expect(dumpOf('00000000: 7b7d 3b00  { 0x41 };', '00000004: 7b7d 3b00  { 0x42 };').form).toBe('addressed');
  });

  it('says that nothing was read only if nothing else is wrong', () => {
    expect(dumpOf('', ' ').problems.map(({ code }) => code)).toEqual(['nothing-read']);
    expect(dumpOf('0x').problems.map(({ code }) => code)).toEqual(['not-hex']);
    expect(dumpOf('41').problems).toEqual([]);
  });
});
