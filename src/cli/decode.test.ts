import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { runCli } from './testing/run.ts';

/** 120 bytes that Linux 6.12 filled in: an aperture of 39 bits around the msi window. */
const INFO =
  '00100000030000000010204000000000180000000000000002000100380000000000000000000000001000000000000000000010000000000300010048000000ffff000000000000010001000000000002000000000000000000000000000000ffffdffe000000000000f0fe00000000ffffffff7f000000';
const ONE_LINE = /^iovascope: decode: [^\n]+\n$/;

describe('iovascope decode', () => {
  it('prints every field with offset, bytes, name, value and meaning', async () => {
    const { code, stdout, stderr } = await runCli(['decode', 'info.hex'], { 'info.hex': INFO });
    expect([code, stderr]).toEqual([0, '']);
    const lines = stdout.split('\n');
    expect(lines[0]).toMatch(/^vfio_iommu_type1_info: VFIO_IOMMU_GET_INFO/);
    expect(lines[1]).toBe('120 bytes, little-endian');
    expect(lines[3]?.split(/\s+/)).toEqual(['offset', 'bytes', 'field', 'value', 'meaning']);
    const row = (name: string) => lines.find((line) => line.includes(` ${name} `))?.replace(/\s{2,}/g, ' | ');
    expect(row('iova_pgsizes')).toBe(
      '0008 | 00 10 20 40 00 00 00 00 | iova_pgsizes | 0x40201000 | 4 KiB, 2 MiB, 1 GiB',
    );
    expect(row('VFIO_IOMMU_INFO_CAPS')).toBe(' | bit 1 | VFIO_IOMMU_INFO_CAPS | 1 | has capabilities');
    expect(row('avail')).toBe('0040 | ff ff 00 00 | avail | 65535 | mappings left');
    expect(stdout).toMatch(/0068 +iova_ranges\[1\] +0xfef0_0000 – 0x7f_ffff_ffff, ≈ 508 GiB/);
    const starts = lines.flatMap((line) => /^([0-9a-f]{4}) {4}((?:[0-9a-f]{2} )+)/.exec(line)?.slice(1) ?? []);
    const bytes = starts.filter((_, i) => i % 2 === 1).join('');
    expect(bytes.replaceAll(' ', '')).toBe(INFO);
  });

  it.each<[string, string, string]>([
    ['a dash', '-', INFO],
    ['xxd', 'a', '00000000: 0c00 0000 0000 0000 0100 0000            ............\n'],
    ['hexdump -C', 'a', '00000000  0c 00 00 00 00 00 00 00  01 00 00 00              |............|\n0000000c\n'],
    ['a C array', 'a', '{ 0x0c, 0, 0, 0, 0, 0, 0, 0, 0x01, 0x00, 0x00, 0x00 }'],
  ])('reads %s', async (_name, path, text) => {
    const { code, stdout, stderr } = await runCli(['decode', path], path === '-' ? {} : { [path]: text }, text);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^(vfio_iommu_type1_info|iommu_ioas_alloc): /);
  });

  it('reads standard input without a name, and bytes that are no text', async () => {
    expect((await runCli(['decode'], {}, INFO)).code).toBe(0);
    const bytes = Uint8Array.from([12, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0]);
    expect((await runCli(['decode', 'x.bin'], { 'x.bin': bytes })).stdout).toContain('out_ioas_id');
  });

  it('shows what holds of a broken buffer, and ends with 1', async () => {
    const broken = INFO.replace('03000100480000', '03000100470000');
    const { code, stdout } = await runCli(['decode', 'a'], { a: broken });
    expect(code).toBe(1);
    expect(stdout).toMatch(/^! link-unaligned at 0047: the capability at offset 0x47 is not aligned/m);
    expect(stdout).toContain('vfio_iommu_type1_info_cap_migration');
  });

  it.each([
    ['packed', gzipSync(new Uint8Array(2 ** 26 + 1)), 'holds, unpacked,'],
    ['plain', new Uint8Array(2 ** 26 + 1), 'is'],
  ])('refuses more than 64 MiB, %s', async (_name, bytes, verb) => {
    const { code, stderr } = await runCli(['decode', 'a'], { a: bytes });
    expect(code).toBe(2);
    expect(stderr).toBe(`iovascope: decode: a: ${verb} more than 64 MiB, which is read at most\n`);
  });

  it('names damaged lines and goes on', async () => {
    const text = '00000000: 0c00 0000 0000 0000 0100 0000  .\n[output trimmed]\n';
    const { code, stderr } = await runCli(['decode', 'a'], { a: text });
    expect(code).toBe(0);
    expect(stderr).toBe('a:2:1: the line is not part of a hex dump and was skipped\n');
  });

  it('reads as the structure that is named, in the order of bytes that is named', async () => {
    const named = await runCli(['decode', '--struct', 'iommu_iova_range', '--endian', 'big', 'a'], { a: INFO });
    expect(named.stdout).toMatch(/^iommu_iova_range: .*\n120 bytes, big-endian\n/);
    expect(named.code).toBe(1);
  });

  it('says what else the bytes fit', async () => {
    const unmap = '18000000 01000000 0000000000000000 0010000000000000';
    const { code, stdout, stderr } = await runCli(['decode', 'a'], { a: unmap });
    expect(code).toBe(0);
    expect(stdout).toMatch(/^iommu_ioas_unmap: /);
    expect(stderr).toMatch(/^a: decoded as iommu_ioas_unmap; could also be .*vfio_iommu_type1_dma_unmap.*\n$/);
  });

  it.each<[string, string[], RegExp]>([
    [
      'an unknown structure, with those that are known',
      ['--struct', 'frob', 'a'],
      /'frob'.*vfio_iommu_type1_info, .*iommu_ioas_map/,
    ],
    ['an unknown order of bytes', ['--endian', 'middle', 'a'], /little or big/],
    ['two inputs', ['a', 'b'], /one input/],
    ['a file that is not there', ['none'], /none: no such file/],
    ['no bytes', ['empty'], /empty:1:1: the text has no hexadecimal digits/],
    ['words', ['words'], /words:1:1: 'h' is not a hexadecimal digit/],
    ['bytes that look like nothing', ['nothing'], /nothing: the 8 bytes fit no known structure.*--struct/],
    ['an unknown option', ['--frob'], /frob/],
  ])('%s is unusable, and said in one line', async (_name, args, message) => {
    const files = { a: INFO, empty: '\n', words: 'hello world', nothing: 'ffffffffffffffff' };
    const { code, stdout, stderr } = await runCli(['decode', ...args], files);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(ONE_LINE);
    expect(stderr).toMatch(message);
  });
});
