import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { packTar, type TarEntry, unpackTar } from 'modern-tar';
import { describe, expect, test } from 'vitest';
import { diagnosticsOf, FUZZ_TIMEOUT, fuzzRuns, groupsOf, inputOf, openAll, regionsOf } from '../testing/read.ts';
import type { DumpInput } from './open.ts';
import { tarEntries } from './tar-entries.ts';

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

describe('an archive of several hosts', () => {
  const hostOf = (name: string, region: string): TarEntry[] => [
    directory(`${name}/`),
    file(`${name}/a-note`, 'nothing\n'),
    file(`${name}/sys/kernel/iommu_groups/7/reserved_regions`, region),
    symlink(`${name}/sys/kernel/iommu_groups/7/devices/0000:00:1f.0`, '../../../../devices/pci0000:00/0000:00:1f.0'),
    file(`${name}/dmesg.txt`, 'DMAR: Host address width 39\n'),
  ];
  const FLEET = [...hostOf('r1', MSI), ...hostOf('r2', ISA), ...hostOf('r3', MSI)];

  test.each([
    ['side by side', FLEET, 'fleet.tar/'],
    [
      'in one folder',
      FLEET.map(({ header, body }) => ({ header: { ...header, name: `fleet/${header.name}` }, body })),
      'fleet.tar/fleet/',
    ],
  ])('%s: each is a source of its own', async (_, entries, prefix) => {
    for (const packed of [false, true]) {
      const tar = await packTar(entries as TarEntry[]);
      const { sources, facts } = await openAll([inputOf('fleet.tar', packed ? gzipSync(tar) : tar)]);
      expect(sources.map(({ name, kinds, unread }) => [name, kinds.group, kinds.reserved, unread])).toEqual(
        ['r1', 'r2', 'r3'].map((name) => [`${prefix}${name}`, 1, 1, undefined]),
      );
      expect(facts.every(({ source }) => source?.startsWith(prefix))).toBe(true);
    }
  });

  test.each([
    ['one host', hostOf('r1', MSI)],
    [
      'groups by their numbers',
      ['7', '8'].flatMap((n) => [file(`${n}/type`, 'DMA\n'), file(`${n}/reserved_regions`, MSI)]),
    ],
    ['a copy of sys and proc', [...SYSFS, file('proc/iomem', '00000000-00000fff : Reserved\n')]],
  ])('%s is one source', async (_, entries) => {
    const { sources } = await openAll([inputOf('one.tar', await packTar(entries))]);
    expect(sources.map(({ name }) => name)).toEqual(['one.tar']);
  });

  test('one that is cut off counts as not read, and the hosts before the end do', async () => {
    const tar = await packTar([...FLEET, file('r4/dmesg.txt', 'x'.repeat(3000))]);
    const { sources, facts } = await openAll([inputOf('fleet.tar', tar.subarray(0, tar.length - 3000))]);
    expect(sources.map(({ unread }) => unread?.code)).toEqual([undefined, undefined, undefined, 'tar-truncated']);
    expect(facts.filter(({ kind }) => kind === 'reserved')).toHaveLength(3);
  });
});

describe('tar entries', () => {
  async function entriesOf(bytes: Uint8Array, chunk: number) {
    const found: { name: string; type: string; linkname: string; body: string }[] = [];
    for await (const entry of tarEntries(
      (async function* () {
        for (let at = 0; at < bytes.length; at += chunk) yield bytes.subarray(at, at + chunk);
      })(),
    )) {
      let text = '';
      for await (const piece of entry.body()) text += new TextDecoder().decode(piece);
      const { name, type, linkname } = entry;
      found.push({ name, type, linkname, body: text });
    }
    return found;
  }

  test('the same as another reader finds: long names, links, contents of any size, chunks of any size', async () => {
    const part = fc.stringMatching(/^[a-zé0-9_.-]{1,60}$/).filter((text) => !/^\.+$/.test(text));
    const path = fc.array(part, { minLength: 1, maxLength: 6 }).map((parts) => parts.join('/'));
    const entry = fc.oneof(
      fc.tuple(path, fc.stringMatching(/^[ -~]{0,1500}$/)).map(([name, body]) => file(name, body)),
      fc.tuple(path, path).map(([name, target]) => symlink(name, target)),
      path.map((name) => directory(`${name}/`)),
    );
    await fc.assert(
      fc.asyncProperty(fc.array(entry, { maxLength: 8 }), fc.integer({ min: 1, max: 3000 }), async (entries, chunk) => {
        const tar = await packTar(entries);
        const wanted = (await unpackTar(tar)).map(({ header, data }) => ({
          name: header.name,
          type: header.type,
          linkname: header.type === 'symlink' ? header.linkname : '',
          body: new TextDecoder().decode(data),
        }));
        expect(await entriesOf(tar, chunk)).toEqual(wanted);
      }),
      fuzzRuns(60),
    );
  });

  test('an extended header that claims a GiB ends the archive with a diagnostic; what was before it is read', async () => {
    const tar = await packTar([file('iommu_groups/1/reserved_regions', ISA), file('x', 'y')]);
    const claim = tar.slice();
    // The second header: its type, and its size in octal digits.
    claim[1024 + 156] = 'x'.charCodeAt(0);
    claim.set(new TextEncoder().encode('10000000000\0'), 1024 + 124);
    const opened = await openAll([inputOf('x.tar', claim), inputOf('other', MSI)]);
    expect(regionsOf(opened)).toEqual(['1: 0-ffffff direct', '?: fee00000-feefffff msi']);
    expect(diagnosticsOf(opened)).toEqual(['warning tar-damaged -']);
    expect(opened.sources.map(({ unread }) => unread?.code)).toEqual(['tar-damaged', undefined]);
  });
});
