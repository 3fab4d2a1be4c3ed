import { gzipSync } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';
import { describe, expect, test } from 'vitest';
import { diagnosticsOf, FUZZ_TIMEOUT, groupsOf, inputOf, openAll, regionsOf } from '../testing/read.ts';
import type { DumpInput } from './open.ts';

const MSI = '0x00000000fee00000 0x00000000feefffff msi\n';
const ISA = '0x0000000000000000 0x0000000000ffffff direct\n';

/** As sysfs files come in some archives: 4096 bytes whatever they hold. */
const padded = (text: string) => text.padEnd(4096, '\0');

function file(name: string, body: string): TarEntry {
  return { header: { name, size: new TextEncoder().encode(body).length, type: 'file' }, body };
}
function symlink(name: string, linkname: string): TarEntry {
  return { header: { name, size: 0, type: 'symlink', linkname } };
}
function directory(name: string): TarEntry {
  return { header: { name, size: 0, type: 'directory' } };
}

const SYSFS: TarEntry[] = [
  directory('sys/kernel/iommu_groups/7/'),
  file('sys/kernel/iommu_groups/7/reserved_regions', padded(ISA + MSI)),
  file('sys/kernel/iommu_groups/7/type', padded('DMA-FQ\n')),
  directory('sys/kernel/iommu_groups/7/devices/'),
  symlink('sys/kernel/iommu_groups/7/devices/0000:00:1f.0', '../../../../devices/pci0000:00/0000:00:1f.0'),
  symlink('sys/kernel/iommu_groups/7/devices/0000:00:1f.2', '../../../../devices/pci0000:00/0000:00:1f.2'),
  file('sys/kernel/iommu_groups/8/reserved_regions', padded('')),
  file('sys/devices/pci0000:00/0000:00:02.0/vendor', padded('0x8086\n')),
  symlink('sys/devices/pci0000:00/0000:00:02.0/iommu_group', '../../../kernel/iommu_groups/8'),
];

const SYSFS_GROUPS = ['7 DMA-FQ: 0000:00:1f.0 0000:00:1f.2', '8: 0000:00:02.0'];
const SYSFS_REGIONS = ['7: 0-ffffff direct', '7: fee00000-feefffff msi'];

describe('whole trees', () => {
  test.each([65_536, 512, 100, 1])('a tar of sysfs, in chunks of %i', async (chunk) => {
    const opened = await openAll([inputOf('lab.tar', await packTar(SYSFS), chunk)]);
    expect(groupsOf(opened)).toEqual(SYSFS_GROUPS);
    expect(regionsOf(opened)).toEqual(SYSFS_REGIONS);
    expect(diagnosticsOf(opened)).toEqual([]);
    expect(opened.sources).toHaveLength(1);
    expect(opened.sources[0]).toMatchObject({ name: 'lab.tar', kinds: { group: 2, reserved: 2 } });
    expect(opened.facts.find((fact) => fact.kind === 'reserved')).toMatchObject({
      source: 'lab.tar/sys/kernel/iommu_groups/7/reserved_regions',
      line: 1,
    });
  });

  test('packed, and packed in an archive, under any name', async () => {
    const plain = await openAll([inputOf('x', await packTar(SYSFS))]);
    const packed = await openAll([inputOf('x', gzipSync(await packTar(SYSFS)))]);
    expect(packed.facts).toEqual(plain.facts);
    const inner = gzipSync(await packTar(SYSFS));
    const outer = await packTar([{ header: { name: 'inner', size: inner.length, type: 'file' }, body: inner }]);
    const nested = await openAll([inputOf('x', outer)]);
    expect(groupsOf(nested)).toEqual(SYSFS_GROUPS);
    expect(regionsOf(nested)).toEqual(SYSFS_REGIONS);
  });

  test('a folder', async () => {
    const inputs: DumpInput[] = SYSFS.flatMap(({ header, body }): DumpInput[] => {
      if (header.type === 'directory') return [];
      const input = inputOf(`lab/${header.name}`, typeof body === 'string' ? body : '');
      return [{ ...input, tree: 'lab', ...(header.linkname === undefined ? {} : { link: header.linkname }) }];
    });
    const opened = await openAll(inputs);
    expect(groupsOf(opened)).toEqual(SYSFS_GROUPS);
    expect(regionsOf(opened)).toEqual(SYSFS_REGIONS);
    expect(opened.sources.map(({ name, files }) => [name, files])).toEqual([['lab', inputs.length]]);
  });

  test('entries that are no plain files are named and left alone', async () => {
    const opened = await openAll([
      inputOf(
        'odd.tar',
        await packTar([
          file('../outside', MSI),
          file('/sys/kernel/iommu_groups/1/reserved_regions', MSI),
          file('a/../../../b', MSI),
          { header: { name: 'hard', size: 0, type: 'link', linkname: 'a' } },
          { header: { name: 'null', size: 0, type: 'character-device' } },
          symlink('loop', 'loop'),
          symlink('iommu_groups/3/devices/0000:00:01.0', '/etc/passwd'),
          file('tab\there', MSI),
          file('sys/kernel/iommu_groups/2/reserved_regions', ISA),
        ]),
      ),
    ]);
    expect(regionsOf(opened)).toEqual(['1: fee00000-feefffff msi', '2: 0-ffffff direct']);
    expect(groupsOf(opened)).toEqual(['3: 0000:00:01.0']);
    expect(diagnosticsOf(opened).sort()).toEqual([
      'info tar-absolute-path -',
      ...Array(5).fill('warning tar-bad-entry -'),
    ]);
    const messages = opened.facts.map((fact) => (fact.kind === 'diagnostic' ? fact.message : '')).join('\n');
    for (const part of ['outside', 'absolute', 'hard link', 'character device', 'control characters']) {
      expect(messages).toContain(part);
    }
  });

  test('a tar that is cut off', async () => {
    const archive = await packTar([
      file('iommu_groups/1/reserved_regions', ISA),
      file('iommu_groups/2/reserved_regions', MSI.repeat(100)),
    ]);
    const opened = await openAll([inputOf('cut.tar', archive.subarray(0, 512 * 3 + 300))]);
    expect(regionsOf(opened)[0]).toBe('1: 0-ffffff direct');
    expect(regionsOf(opened)[1]).toBe('2: fee00000-feefffff msi');
    expect(diagnosticsOf(opened)).toContain('warning tar-truncated -');
  });

  test('every single damaged byte of a small archive: no exception', { timeout: FUZZ_TIMEOUT }, async () => {
    const archive = await packTar(SYSFS.slice(0, 5));
    for (let at = 0; at < archive.length; at += 37) {
      const broken = archive.slice();
      broken[at] = (broken[at] ?? 0) ^ 0x5a;
      const { sources } = await openAll([inputOf('broken.tar', broken)]);
      expect(sources).toHaveLength(1);
    }
  });
});
