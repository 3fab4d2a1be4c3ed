// Archives and packed files as people attach them.
import { zipSync } from 'fflate';
import { describe, expect, test } from 'vitest';
import { diagnosticsOf, inputOf, openAll, regionsOf } from '../testing/read.ts';
import { Collector } from './collector.ts';
import { EventQueue } from './event-queue.ts';
import type { SourceReading } from './source-reading.ts';
import { limited } from './unpack.ts';

const MSI = '0x00000000fee00000 0x00000000feefffff msi\n';
const bytesOf = (text: string) => new TextEncoder().encode(text);
const decoded = (base64: string) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

/** A tar of `sos/sys/kernel/iommu_groups/7/reserved_regions` and `sos/proc/iomem`. */
const TAR_XZ =
  '/Td6WFoAAATm1rRGAgAhARwAAAAQz1jM4Cf/ALddADmbyskk62ydZhc3IYPluwm3WP0q5JfUIV951bUuhFLnVfea8lyI8bbU4+lC' +
  'FlDjwxm5RTFMo8BA+u7yEg8zEY5IxWoOvKyfSyL+tdYVLWY1uYU2U1S2xuO5fyXD51lh29V8/PUx1eztBxR7S+i8kCZ12HxEGB5X' +
  'RjleL6ZDSRSjl2taKgMtVyjK9s65zecMWB71pVSIv+JtP08ZUDLfEG3Q7+eQE43cMuv2YL1+hQOm5yDD4wmFAAAAeWIDqOd5x8IA' +
  'AdMBgFAAAGcLeuuxxGf7AgAAAAAEWVo=';
const TAR_ZSTD =
  'KLUv/QRozQQAYscXGIBtAwAQJiFYmHEtmJMRET17BCU9kDw0BccyNiBY20YkZNhPlfZIvz+B93Axa5mZpTZ30xPpY+5KN6wTNjeH' +
  'tslYsflQv4YdWXhyfnZ1+lFsb5AIYT99GHJ29KvX7w8XIGApKYoHCmDweaC2TwXyE5/3Cy7kBjKVQIc0wBRoqvQV0qvY3YHIxpw6' +
  'QPKQGAMcHBRg18n1IC/fwQ==';
/** A text, packed twice. */
const XZ_XZ =
  '/Td6WFoAAATm1rRGAgAhARYAAAB0L+WjAQBT/Td6WFoAAATm1rRGAgAhARYAAAB0L+Wj4AApABddABgeAhqmUzWm7S017Dbo0LCO' +
  'OcHvMXsAAACoGDhEdCwXfwABMyrNGVYPH7bzfQEAAAAABFlaACudQ47GjoF4AAFsVG0EyIUftvN9AQAAAAAEWVo=';

describe.each([
  ['xz', TAR_XZ],
  ['zstd', TAR_ZSTD],
])('%s', (packing, base64) => {
  test.each([65_536, 7])('a tar, in chunks of %i', async (chunk) => {
    const opened = await openAll([inputOf('sos.tar', decoded(base64), chunk)]);
    expect(regionsOf(opened)).toEqual(['7: fee00000-feefffff msi']);
    expect(opened.facts.map(({ kind, source }) => [kind, source])).toContainEqual(['window', 'sos.tar/sos/proc/iomem']);
    expect(opened.sources).toMatchObject([{ files: 2 }]);
    expect(diagnosticsOf(opened)).toEqual([]);
  });

  test('cut anywhere, or with a wrong byte, it ends with a diagnostic, and the next file is read', async () => {
    const whole = decoded(base64);
    for (let cut = 8; cut < whole.length; cut += 23) {
      const wrong = whole.slice();
      wrong[cut] = (wrong[cut] ?? 0) ^ 0x55;
      for (const damaged of [whole.subarray(0, cut), wrong]) {
        const opened = await openAll([inputOf('bad', damaged), inputOf('good', MSI)]);
        expect(regionsOf(opened)).toContain('?: fee00000-feefffff msi');
        if (damaged !== wrong) expect([cut, packing, diagnosticsOf(opened).length > 0]).toEqual([cut, packing, true]);
      }
    }
  });
});

test('xz in xz does not wait for itself', async () => {
  const opened = await openAll([inputOf('twice.xz', decoded(XZ_XZ)), inputOf('good', MSI)]);
  expect(regionsOf(opened)).toEqual(['?: fee00000-feefffff msi', '?: fee00000-feefffff msi']);
});

describe('zip', () => {
  const DIAGNOSTICS = {
    'tower/system/lspci.txt': bytesOf('0b:00.0 VGA compatible controller: NVIDIA Corporation GA104\n'),
    'tower/logs/syslog.txt': bytesOf(
      'Jan  3 12:00:01 tower kernel: DMAR: [DMA Read NO_PASID] Request device [0b:00.0] fault addr 0xfff01000 [fault reason 0x06] PTE Read access is not set\n',
    ),
    'tower/config/': new Uint8Array(0),
    'tower/config/logo.png': Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13),
    'sys/kernel/iommu_groups/7/reserved_regions': bytesOf(MSI),
  };

  test.each([65_536, 100, 1])('the files of a diagnostics archive, in chunks of %i', async (chunk) => {
    const opened = await openAll([inputOf('diagnostics.zip', zipSync(DIAGNOSTICS), chunk)]);
    expect(opened.facts.map(({ kind, source }) => [kind, source])).toEqual([
      ['device', 'diagnostics.zip/tower/system/lspci.txt'],
      ['host', 'diagnostics.zip/tower/logs/syslog.txt'],
      ['fault', 'diagnostics.zip/tower/logs/syslog.txt'],
      ['reserved', 'diagnostics.zip/sys/kernel/iommu_groups/7/reserved_regions'],
    ]);
    expect(diagnosticsOf(opened)).toEqual([]);
  });

  test('stored, in a zip, and with a path that leads out', async () => {
    const inner = zipSync({ 'iommu_groups/7/reserved_regions': bytesOf(MSI) }, { level: 0 });
    const opened = await openAll([inputOf('a.zip', zipSync({ 'b.zip': inner, '../x': bytesOf(MSI) }))]);
    expect(regionsOf(opened)).toEqual(['7: fee00000-feefffff msi']);
    expect(diagnosticsOf(opened)).toEqual(['warning tar-bad-entry -']);
  });

  test('one bad entry does not take the others with it', async () => {
    const zip = zipSync({
      'first/reserved_regions': bytesOf(`${MSI}0x0000000000000000 0x0000000000ffffff direct\n`),
      'iommu_groups/7/reserved_regions': bytesOf(MSI),
    });
    // A block of a kind that does not exist.
    zip[30 + 'first/reserved_regions'.length] = 0xff;
    const opened = await openAll([inputOf('a.zip', zip)]);
    expect(diagnosticsOf(opened)).toEqual(['warning zip-bad-entry -']);
    expect(regionsOf(opened)).toEqual(['7: fee00000-feefffff msi']);
  });

  test('cut anywhere: what came before is read, and the end is told', async () => {
    const zip = zipSync({ 'iommu_groups/7/reserved_regions': bytesOf(MSI), 'x.txt': bytesOf('hello '.repeat(99)) });
    const entry = zip.indexOf(0x50, 40);
    for (let cut = 31; cut < zip.length - 100; cut += 5) {
      const opened = await openAll([inputOf('a.zip', zip.subarray(0, cut)), inputOf('good', MSI)]);
      expect(regionsOf(opened)).toContain('?: fee00000-feefffff msi');
      if (cut > entry + 40) expect(regionsOf(opened)).toContain('7: fee00000-feefffff msi');
    }
  });
});

test.each([
  ['bunzip2', [0x42, 0x5a, 0x68, 0x39]],
  ['7z x', [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c]],
  ['unrar x', [0x52, 0x61, 0x72, 0x21, 0x1a, 0x07, 0]],
])('what is not read is named, with the command: %s', async (command, head) => {
  const { sources } = await openAll([inputOf('x', Uint8Array.from([...head, 0, 1, 2, 3]))]);
  expect(sources[0]?.unread).toMatchObject({ code: 'binary-file', message: expect.stringContaining(`\`${command}\``) });
});

test('what unpacks to more than the limit is cut, and that is said', async () => {
  const events: unknown[] = [];
  const collector = new Collector('bomb', new EventQueue((batch) => events.push(...batch)));
  async function* bomb(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) yield new Uint8Array(1000);
  }
  let length = 0;
  for await (const piece of limited({ collector } as SourceReading, 'bomb', bomb(), 10_500)) length += piece.length;
  expect(length).toBe(10_000);
  expect(collector.finish()).toMatchObject({ unread: { code: 'unpacked-too-large' } });
});
