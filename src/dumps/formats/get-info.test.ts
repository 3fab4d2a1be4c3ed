import { describe, expect, test } from 'vitest';
import { diagnosticsOf, type Opened, openText } from '../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);

/** Ranges in short: `1: 0-fedfffff`, with the IOAS or the page sizes. */
function rangesOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'valid_range') return [];
    const about = fact.ioas ?? (fact.pgsize_bitmap === undefined ? undefined : `0x${fact.pgsize_bitmap.toString(16)}`);
    return [`${fact.line}: ${fact.start.toString(16)}-${fact.last.toString(16)} ${about}`];
  });
}

type Fields = readonly (readonly [width: 2 | 4 | 8, value: bigint])[];

function bytesOf(fields: Fields, little = true): Uint8Array {
  const bytes = new Uint8Array(fields.reduce((sum, [width]) => sum + width, 0));
  const view = new DataView(bytes.buffer);
  let at = 0;
  for (const [width, value] of fields) {
    if (width === 2) view.setUint16(at, Number(value), little);
    else if (width === 4) view.setUint32(at, Number(value), little);
    else view.setBigUint64(at, value, little);
    at += width;
  }
  return bytes;
}

/** VFIO_IOMMU_GET_INFO with one capability, the ranges. */
const info = (ranges: readonly (readonly [bigint, bigint])[], argsz = 40n + 16n * BigInt(ranges.length)): Fields => [
  ...([
    [4, argsz],
    [4, 3n],
    [8, 0x4020_1000n],
    [4, 24n],
    [4, 0n],
  ] as const),
  ...([
    [2, 1n],
    [2, 1n],
    [4, 0n],
    [4, BigInt(ranges.length)],
    [4, 0n],
  ] as const),
  ...ranges.flatMap(
    ([start, last]) =>
      [
        [8, start],
        [8, last],
      ] as const,
  ),
];
const RANGES = [
  [0n, 0xfedf_ffffn],
  [0xfef0_0000n, 0xffff_ffff_ffff_ffffn],
] as const;
const INFO = bytesOf(info(RANGES));
const FOUND = (line: number) => [`${line}: 0-fedfffff 0x40201000`, `${line}: fef00000-ffffffffffffffff 0x40201000`];

const hexOf = (bytes: Uint8Array) => [...bytes].map((byte) => byte.toString(16).padStart(2, '0'));
const rows = (bytes: Uint8Array, size: number) =>
  Array.from({ length: Math.ceil(bytes.length / size) }, (_, i) => bytes.slice(i * size, (i + 1) * size));
const at = (i: number, size: number) => (i * size).toString(16).padStart(8, '0');
const plain = (bytes: Uint8Array, size = 16) => rows(bytes, size).map((row) => hexOf(row).join(' '));
const xxd = (bytes: Uint8Array) =>
  rows(bytes, 16).map(
    (row, i) =>
      `${at(i, 16)}: ${hexOf(row)
        .join('')
        .replace(/(.{4})(?=.)/g, '$1 ')}  ${'.'.repeat(row.length)}`,
  );
const canonical = (bytes: Uint8Array) => [
  ...rows(bytes, 16).map((row, i) => `${at(i, 16)}  ${hexOf(row).join(' ')}  |${'.'.repeat(row.length)}|`),
  bytes.length.toString(16).padStart(8, '0'),
];
const words = (bytes: Uint8Array, little = true) =>
  rows(bytes, 16).map((row, i) => {
    const view = new DataView(row.buffer, row.byteOffset, row.length);
    const numbers = Array.from({ length: row.length / 4 }, (_, n) => view.getUint32(n * 4, little));
    return `0x7ffc10${at(i, 16).slice(2)}:\t${numbers.map((n) => `0x${n.toString(16).padStart(8, '0')}`).join('\t')}`;
  });
const array = (bytes: Uint8Array) =>
  rows(bytes, 12).map(
    (row) =>
      `  ${hexOf(row)
        .map((byte) => `0x${byte}`)
        .join(', ')},`,
  );

describe('VFIO_IOMMU_GET_INFO', () => {
  const forms: [name: string, lines: string[]][] = [
    ['digits in a row', [hexOf(INFO).join('')]],
    ['digits in several rows', rows(INFO, 30).map((row) => hexOf(row).join(''))],
    ['digits with blanks', plain(INFO)],
    ['digits with blanks, a short last row', plain(INFO, 14)],
    ['digits with blanks, short rows', plain(INFO, 8)],
    ['xxd', xxd(INFO)],
    ['hexdump -C', canonical(INFO)],
    ["a debugger's words", words(INFO)],
    ['an array', array(INFO)],
  ];
  test.each(forms)('%s', async (_, lines) => {
    const opened = await open('Before it.', ...lines, 'Behind it.');
    expect(rangesOf(opened)).toEqual(FOUND(2));
    expect(diagnosticsOf(opened)).toEqual([]);
    expect(opened.sources[0]?.samples.map(({ line }) => line)).toEqual([1, lines.length + 2]);
  });

  test.each(forms)('%s, quoted', async (_, lines) => {
    expect(rangesOf(await open(...lines.map((line) => `> > ${line}`)))).toEqual(FOUND(1));
  });

  test('an array with its declaration', async () => {
    const opened = await open('static const unsigned char info[] = {', ...array(INFO), '};');
    expect(rangesOf(opened)).toEqual(FOUND(1));
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });

  test('big-endian', async () => {
    const bytes = bytesOf(info(RANGES), false);
    expect(rangesOf(await open(...xxd(bytes)))).toEqual(FOUND(1));
    expect(rangesOf(await open(...words(bytes, false)))).toEqual(FOUND(1));
  });

  test('a buffer that was larger than the answer, with rows left out', async () => {
    const bytes = new Uint8Array(4096);
    bytes.set(bytesOf(info(RANGES, 4096n)));
    const lines = canonical(bytes);
    const opened = await open(...lines.slice(0, 6), '*', ...lines.slice(-1));
    expect(rangesOf(opened)).toEqual(FOUND(1));
    expect(diagnosticsOf(opened)).toEqual([]);
    expect(rangesOf(await open(...lines))).toEqual(FOUND(1));
  });

  test('two of them below each other', async () => {
    expect(rangesOf(await open(...plain(INFO), '', ...plain(INFO)))).toEqual([...FOUND(1), ...FOUND(7)]);
  });

  test('zeros at the end that were left off', async () => {
    const bytes = bytesOf(info([RANGES[0], [0xfef0_0000n, 0xffff_ffff_ffffn]], 4096n));
    const opened = await open(...plain(bytes.slice(0, -2)));
    expect(rangesOf(opened)).toEqual(['1: 0-fedfffff 0x40201000', '1: fef00000-ffffffffffff 0x40201000']);
    expect(diagnosticsOf(opened)).toEqual(['warning zeros-left-off 1']);
  });

  test('an answer that is cut: what is there', async () => {
    const opened = await open(...plain(INFO.slice(0, 64)));
    expect(rangesOf(opened)).toEqual(['1: 0-fedfffff 0x40201000']);
    expect(diagnosticsOf(opened)).toEqual(['warning damaged-buffer 1']);
  });

  test('a damaged row', async () => {
    const lines = xxd(INFO);
    const opened = await open(...lines.slice(0, 3), ...lines.slice(4));
    expect(diagnosticsOf(opened)).toEqual(['warning damaged-hex-dump 4']);
  });

  test('a range that ends before it starts is left out', async () => {
    const opened = await open(...plain(bytesOf(info([RANGES[0], [0x2000n, 0x1000n]]))));
    expect(rangesOf(opened)).toEqual(['1: 0-fedfffff 0x40201000']);
    expect(diagnosticsOf(opened)).toEqual(['warning damaged-buffer 1']);
  });
});

describe('IOMMU_IOAS_IOVA_RANGES', () => {
  const head = (count: bigint): Fields => [
    ...([
      [4, 32n],
      [4, 7n],
      [4, count],
      [4, 0n],
      [8, 0x7f2a_0000_1000n],
      [8, 0x1000n],
    ] as const),
  ];
  const array2: Fields = RANGES.flatMap(
    ([start, last]) =>
      [
        [8, start],
        [8, last],
      ] as const,
  );

  test('the structure and the array behind it', async () => {
    for (const little of [true, false]) {
      const opened = await open('x', ...xxd(bytesOf([...head(2n), ...array2], little)));
      expect(rangesOf(opened)).toEqual(['2: 0-fedfffff 7', '2: fef00000-ffffffffffffffff 7']);
      expect(diagnosticsOf(opened)).toEqual([]);
    }
  });

  test('fewer ranges than there are, and reversed ones', async () => {
    const few = await open(...xxd(bytesOf([...head(3n), ...array2])));
    expect(rangesOf(few)).toHaveLength(2);
    expect(diagnosticsOf(few)).toEqual(['warning damaged-buffer 1']);
    const reversed = await open(...xxd(bytesOf([...head(1n), [8, 2n], [8, 1n]])));
    expect(diagnosticsOf(reversed)).toContain('warning damaged-buffer 1');
  });
});

describe('what is no answer is left alone', () => {
  const others: [name: string, lines: string[]][] = [
    [
      'configuration space',
      ['00: 86 80 00 0c 07 05 10 00 00 00 00 06 00 00 00 00', '10: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00'],
    ],
    [
      'a stack in an oops',
      [
        ' ffff88003e2b3d68 ffffffff8108b3e5 ffff88003e2b3d88 0000000000000246',
        ' ffffffff810b1d5a 0000000000000003 0000000000001000 0000000000000018',
      ],
    ],
    ['code in an oops', ['Code: 48 89 df e8 2c 0f 00 00 48 8b 43 08 48 85 c0 74 0a 48 89 c7']],
    [
      'an ACPI table',
      [
        '    0000: 44 4D 41 52 88 00 00 00 01 2E 49 4E 54 45 4C 20',
        '    0010: 45 44 4B 32 20 20 20 20 02 00 00 00 49 4E 54 4C',
      ],
    ],
    ['an answer in the middle of another dump', [...xxd(new Uint8Array(16)), ...xxd(INFO)]],
    ['a hash', ['da39a3ee5e6b4b0d3255bfef95601890afd80709da39a3ee5e6b4b0d3255bfef95601890afd80709']],
    ['zeros', plain(new Uint8Array(64))],
    [
      'an info without ranges',
      plain(
        bytesOf([
          [4, 32n],
          [4, 1n],
          [8, 0x1000n],
          [8, 0n],
        ]),
      ),
    ],
    ['an info with other flags', plain(bytesOf(info(RANGES).with(1, [4, 7n])))],
    ['an info with page sizes that are none', plain(bytesOf(info(RANGES).with(2, [8, 3n])))],
    ['an info with a chain that begins outside', plain(bytesOf(info(RANGES).with(3, [4, 0x2000n])))],
    ['too few bytes', plain(INFO.slice(0, 16))],
  ];
  test.each(others)('%s', async (_, lines) => {
    const opened = await open(...lines);
    expect(opened.facts.map((fact) => fact.kind === 'diagnostic' && fact.code)).toEqual(['nothing-recognized']);
    expect(opened.sources[0]?.unrecognized).toBe(lines.length);
  });

  test('a dump without end is cut', async () => {
    const lines = Array.from({ length: 10_000 }, () => plain(INFO, 16)[4] ?? '');
    const opened = await open(...plain(INFO, 16), ...lines);
    expect(rangesOf(opened)).toEqual(FOUND(1));
    expect(opened.sources[0]?.unrecognized).toBe(10_000 + 5 - 4096);
  });
});
