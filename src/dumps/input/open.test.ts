import { gzipSync } from 'node:zlib';
import { packTar, type TarEntry } from 'modern-tar';
import { describe, expect, test } from 'vitest';
import { isOperation } from '../../session/events.ts';
import type { BinaryFormat } from '../format.ts';
import { FORMATS } from '../registry.ts';
import { diagnosticsOf, groupsOf, inputOf, openAll, openText, regionsOf } from '../testing/read.ts';
import type { DumpEvent } from './event-queue.ts';
import { type DumpInput, openInputs, type Progress } from './open.ts';

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

  test('a folder whose links were followed or lost', async () => {
    const opened = await openAll([
      { ...inputOf('lab/iommu_groups/7/devices/0000:00:1f.0/vendor', '0x8086\n'), tree: 'lab' },
      { ...inputOf('lab/iommu_groups/7/reserved_regions', ISA), tree: 'lab' },
      { ...inputOf('lab/devices/0000:00:02.0/iommu_group/reserved_regions', MSI), tree: 'lab' },
    ]);
    expect(regionsOf(opened)).toEqual(['7: 0-ffffff direct', '0000:00:02.0: fee00000-feefffff msi']);
    expect(groupsOf(opened)).toEqual(['7: 0000:00:1f.0']);
  });

  test('the groups alone, in a folder of another name', async () => {
    const tree = 'lab';
    const opened = await openAll([
      { ...inputOf('lab/7/devices/0000:00:02.0', ''), tree, link: '../../../../devices/pci0000:00/0000:00:02.0' },
      { ...inputOf('lab/7/reserved_regions', ISA), tree },
      { ...inputOf('lab/7/type', 'DMA\n'), tree },
      { ...inputOf('lab/8/type', 'something\n'), tree },
      { ...inputOf('lab/9/devices/config', ''), tree, link: '../../etc/config' },
    ]);
    expect(groupsOf(opened)).toEqual(['7 DMA: 0000:00:02.0']);
    expect(regionsOf(opened)).toEqual(['7: 0-ffffff direct']);
  });

  test('trees and dumps of several machines stay apart', async () => {
    const opened = await openAll([
      { ...inputOf('all/a/sys/kernel/iommu_groups/7/type', 'DMA\n'), tree: 'all' },
      {
        ...inputOf('all/a/sys/devices/0000:00:02.0/iommu_group', ''),
        tree: 'all',
        link: '../../kernel/iommu_groups/7',
      },
      { ...inputOf('all/b/sys/kernel/iommu_groups/7/type', 'identity\n'), tree: 'all' },
      { ...inputOf('all/c.txt', 'group 7 device 00:03.0\ngroup 7 device 00:04.0\n'), tree: 'all' },
      { ...inputOf('all/d.txt', 'group 7 device 00:05.0\n'), tree: 'all' },
    ]);
    expect(groupsOf(opened)).toEqual([
      '7 DMA: 0000:00:02.0',
      '7 identity: ',
      '7: 0000:00:03.0 0000:00:04.0',
      '7: 0000:00:05.0',
    ]);
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

  test('every single damaged byte of a small archive: no exception', async () => {
    const archive = await packTar(SYSFS.slice(0, 5));
    for (let at = 0; at < archive.length; at += 37) {
      const broken = archive.slice();
      broken[at] = (broken[at] ?? 0) ^ 0x5a;
      const { sources } = await openAll([inputOf('broken.tar', broken)]);
      expect(sources).toHaveLength(1);
    }
  });
});

describe('packed files', () => {
  const text = Array.from(
    { length: 500 },
    (_, i) => `${i}/reserved_regions:0x${(i * 0x5000).toString(16)} 0xffffffffff msi\n`,
  ).join('');

  test('plain, and in several members', async () => {
    const plain = regionsOf(await openText(text));
    expect(plain).toHaveLength(500);
    expect(regionsOf(await openAll([inputOf('a.gz', gzipSync(text))]))).toEqual(plain);
    const half = text.indexOf('\n', 9000) + 1;
    const members = new Uint8Array([...gzipSync(text.slice(0, half)), ...gzipSync(text.slice(half))]);
    expect(regionsOf(await openAll([inputOf('a', members)]))).toEqual(plain);
  });

  test('cut off: everything up to there, and a word about it', async () => {
    const packed = gzipSync(text);
    const opened = await openAll([inputOf('a.gz', packed.subarray(0, packed.length >> 1))]);
    const found = regionsOf(opened).length;
    expect(found).toBeGreaterThan(100);
    expect(found).toBeLessThan(500);
    expect(diagnosticsOf(opened)).toContain('warning gzip-truncated -');
    const trailer = await openAll([inputOf('a.gz', packed.subarray(0, packed.length - 3))]);
    expect(diagnosticsOf(trailer)).toEqual(['warning gzip-truncated -']);
    expect(regionsOf(trailer)).toHaveLength(500);
  });

  test('damaged', async () => {
    const packed = new Uint8Array(gzipSync(text));
    packed[packed.length - 6] = (packed[packed.length - 6] ?? 0) ^ 1;
    const opened = await openAll([inputOf('a.gz', packed)]);
    expect(diagnosticsOf(opened)).toEqual(['warning gzip-damaged -']);
    const garbage = new Uint8Array([...gzipSync(text), 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
    const behind = await openAll([inputOf('a.gz', garbage)]);
    expect(regionsOf(behind)).toHaveLength(500);
    expect(diagnosticsOf(behind)).toHaveLength(1);
  });
});

describe('session files', () => {
  const HEADER = '{"format":"iova-trace","version":1,"title":"A title","page_size":"0x1000"}';
  const RESERVED = '{"kind":"reserved","start":"0x0","last":"0xfff","type":"msi","source":"lab","line":9}';

  test('facts keep their source, operations keep their order, problems are told, the unknown is kept', async () => {
    const text = [
      HEADER,
      RESERVED,
      '{"op":"ioas.alloc","ioas":"a"}',
      '{"kind":"reserved","start":"0x1000","last":"0x1fff","type":"msi"}',
      '{"kind":"novelty", "x":1}',
      '{"op":"ioas.dance"}',
      '{"kind":"reserved","start":"0x2","last":"0x1","type":"msi"}',
      'not json',
    ].join('\n');
    const events: DumpEvent[] = [];
    const { header, sources } = await openInputs([inputOf('s', text)], { onEvents: (batch) => events.push(...batch) });
    expect(header).toMatchObject({ title: 'A title', page_size: 0x1000n });
    const short = events.map((event) =>
      isOperation(event) ? event.op : 'kind' in event ? `${event.kind} ${event.source} ${event.line}` : event,
    );
    expect(short).toEqual([
      'reserved lab 9',
      'ioas.alloc',
      'reserved s 4',
      'diagnostic s 5',
      { unknown: 'kind', name: 'novelty', text: '{"kind":"novelty", "x":1}', source: 's', line: 5 },
      'diagnostic s 6',
      { unknown: 'op', name: 'ioas.dance', text: '{"op":"ioas.dance"}', source: 's', line: 6 },
      'diagnostic s 7',
      expect.objectContaining({ unknown: 'line', line: 7 }),
      'diagnostic s 8',
      expect.objectContaining({ unknown: 'line', line: 8 }),
    ]);
    expect(sources[0]).toMatchObject({ operations: 1, lines: 8, formats: [{ name: 'session', facts: 2 }] });
  });

  test('without a header, packed, with a mark of byte order', async () => {
    for (const content of [`${RESERVED}\n`, `\uFEFF${HEADER}\r\n${RESERVED}\r\n`, gzipSync(`${HEADER}\n${RESERVED}`)]) {
      expect(regionsOf(await openAll([inputOf('s', content)]))).toEqual(['?: 0-fff msi']);
    }
  });

  test('only a header, and two sessions', async () => {
    const one = await openInputs([inputOf('s', HEADER)], { onEvents: () => undefined });
    expect(one.header?.title).toBe('A title');
    expect(one.sources[0]?.diagnostics).toEqual([]);
    const two = await openInputs([inputOf('s', HEADER), inputOf('t', HEADER)], { onEvents: () => undefined });
    expect(two.header).toBeUndefined();
  });
});

describe('texts of all kinds', () => {
  test('two dumps, mixed line ends, NULs, UTF-16, no line end at the end', async () => {
    const text = `group 1\r\n${MSI}group 2\r${ISA.trim()}\r${'\0'.repeat(100)}group 3\r\r\n${MSI.trim()}`;
    const expected = ['1: fee00000-feefffff msi', '2: 0-ffffff direct', '3: fee00000-feefffff msi'];
    for (const chunk of [65_536, 7, 1]) {
      const opened = await openText(text, 'x', chunk);
      expect(regionsOf(opened)).toEqual(expected);
      expect(opened.facts.map((fact) => fact.line)).toEqual([2, 4, 6]);
    }
    const utf16 = new Uint8Array([0xff, 0xfe, ...[...text.replaceAll('\0', '')].flatMap((c) => [c.charCodeAt(0), 0])]);
    expect(regionsOf(await openAll([inputOf('x', utf16, 3)]))).toEqual(expected);
  });

  test('empty, binary, unreadable, of no use', async () => {
    const failing: DumpInput = {
      name: 'failing',
      // biome-ignore lint/correctness/useYield: it fails before there is anything
      async *stream() {
        throw new Error('EIO');
      },
    };
    const opened = await openAll([
      inputOf('empty', ''),
      inputOf('zip', new Uint8Array([0x50, 0x4b, 3, 4, 20, 0, 0, 0])),
      inputOf(
        'junk',
        new Uint8Array(5000).map((_, i) => (i * 7919) % 256),
      ),
      failing,
      inputOf('prose', 'Hello\n\nworld\n'),
      inputOf('good', MSI),
    ]);
    expect(opened.sources.map(({ name, diagnostics }) => [name, ...diagnostics.map(({ code }) => code)])).toEqual([
      ['empty', 'empty-file'],
      ['zip', 'binary-file'],
      ['junk', 'binary-file'],
      ['failing', 'unreadable'],
      ['prose', 'nothing-recognized'],
      ['good'],
    ]);
    const messages = opened.sources.flatMap(({ diagnostics }) => diagnostics.map(({ message }) => message));
    expect(messages[1]).toContain('zip');
    expect(messages[2]).toMatch(/begins with( [0-9a-f]{2}){16}/);
    expect(messages[3]).toContain('EIO');
    expect(messages[4]).toContain("line 1: 'Hello', line 3: 'world'");
    expect(regionsOf(opened)).toEqual(['?: fee00000-feefffff msi']);
  });

  test('a stream that fails half-way', async () => {
    const half: DumpInput = {
      name: 'half',
      async *stream() {
        yield new TextEncoder().encode(`group 7\n${MSI}`);
        throw new Error('EIO');
      },
    };
    const opened = await openAll([half]);
    expect(regionsOf(opened)).toEqual(['7: fee00000-feefffff msi']);
    expect(diagnosticsOf(opened)).toEqual(['error unreadable -']);
  });

  test('lines that nobody knows are counted, with the first of them', async () => {
    const { sources } = await openText(`a\nb\n\n${MSI}c\nd\n# \ne\nf\n${'g'.repeat(300)}\n`);
    expect(sources[0]).toMatchObject({ lines: 10, unrecognized: 7 });
    expect(sources[0]?.samples.map(({ line, text }) => [line, text])).toEqual([
      [1, 'a'],
      [2, 'b'],
      [5, 'c'],
      [6, 'd'],
      [8, 'e'],
    ]);
  });

  test('long lines are cut', async () => {
    const opened = await openText(`${MSI}${'x'.repeat(200_000)}\n${'y'.repeat(66_000)}\n${ISA}`, 'x', 10_000);
    expect(regionsOf(opened)).toEqual(['?: fee00000-feefffff msi', '?: 0-ffffff direct']);
    expect(diagnosticsOf(opened)).toEqual(['warning long-line-cut 2', 'warning long-line-cut 3']);
    expect(opened.facts.at(-1)?.line).toBe(4);
  });

  test('diagnostics are bounded, and the rest is counted', async () => {
    const opened = await openText('0x2 0x1 msi\n'.repeat(100));
    const codes = diagnosticsOf(opened).map((text) => text.split(' ')[1]);
    expect(codes).toEqual([...Array(20).fill('start-above-last'), 'nothing-recognized', 'start-above-last']);
    expect(opened.facts.at(-1)).toMatchObject({ message: 'and 80 more of this kind' });
  });

  test('a group is told in pieces rather than holding back everything behind it', async () => {
    const events: DumpEvent[] = [];
    let before = 0;
    const lines = 30_000;
    const input: DumpInput = {
      name: 'x',
      async *stream() {
        yield new TextEncoder().encode('group 1 device 00:01.0\nand so on\n');
        for (let i = 0; i < lines; i++) yield new TextEncoder().encode(MSI);
        before = events.length;
        yield new TextEncoder().encode('group 1 device 00:02.0\n');
      },
    };
    await openInputs([input], { onEvents: (batch) => events.push(...batch) });
    expect(before).toBeGreaterThan(10_000);
    expect(events).toHaveLength(lines + 2);
  });
});

describe('progress, abort, turns', () => {
  test('bytes read of bytes in total', async () => {
    const seen: Progress[] = [];
    const packed = gzipSync(MSI.repeat(1000));
    const inputs = [inputOf('a', MSI.repeat(2000), 1000), inputOf('b', packed)];
    await openInputs(inputs, { onEvents: () => undefined, onProgress: (progress) => seen.push(progress) });
    const total = MSI.length * 2000 + packed.length;
    expect(seen.at(-1)).toEqual({ bytes: total, total, name: 'b' });
    expect(seen.every(({ bytes }, i) => i === 0 || bytes > (seen[i - 1]?.bytes ?? 0))).toBe(true);
  });

  test('an abort is noticed in the middle of an endless input, which is then closed', async () => {
    const controller = new AbortController();
    let closed = false;
    let chunks = 0;
    const endless: DumpInput = {
      name: 'endless',
      stream: () =>
        new ReadableStream({
          pull(stream) {
            if (++chunks === 50) controller.abort(new Error('enough'));
            stream.enqueue(new TextEncoder().encode(MSI.repeat(100)));
          },
          cancel() {
            closed = true;
          },
        }),
    };
    await expect(openInputs([endless], { onEvents: () => undefined, signal: controller.signal })).rejects.toThrow(
      'enough',
    );
    expect(closed).toBe(true);
    expect(chunks).toBeLessThan(60);
  });

  test('a signal that was aborted before', async () => {
    const opening = openInputs([inputOf('a', MSI)], {
      onEvents: () => undefined,
      signal: AbortSignal.abort(new Error('no')),
    });
    await expect(opening).rejects.toThrow('no');
  });

  test('the event loop gets its turn during long work on one chunk', async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    await openAll([inputOf('a', MSI.repeat(100_000), 1 << 30)]);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(3);
  });
});

test('a whole-file format is found by its first bytes', async () => {
  const format: BinaryFormat = {
    kind: 'binary',
    name: 'test-blob',
    title: 'a blob',
    matches: (head) => head[0] === 0xca && head[1] === 0xfe,
    async read(bytes, _source, sink) {
      let length = 0;
      for await (const piece of bytes) length += piece.length;
      sink.fact({ kind: 'host', name: `${length} bytes` }, 1);
    },
  };
  const events: DumpEvent[] = [];
  const blob = new Uint8Array(10_000);
  blob.set([0xca, 0xfe]);
  const { sources } = await openInputs([inputOf('x', blob, 4000)], {
    onEvents: (batch) => events.push(...batch),
    formats: [...FORMATS, format],
  });
  expect(events).toEqual([{ kind: 'host', name: '10000 bytes', source: 'x', line: 1 }]);
  expect(sources[0]?.formats).toEqual([{ name: 'test-blob', title: 'a blob', facts: 1 }]);
});
