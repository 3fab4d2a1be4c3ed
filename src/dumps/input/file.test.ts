import { describe, expect, test } from 'vitest';
import type { BinaryFormat } from '../format.ts';
import { FORMATS } from '../registry.ts';
import { diagnosticsOf, inputOf, openAll, openText, regionsOf } from '../testing/read.ts';
import type { DumpEvent } from './event-queue.ts';
import { type DumpInput, openInputs } from './open.ts';

const MSI = '0x00000000fee00000 0x00000000feefffff msi\n';
const ISA = '0x0000000000000000 0x0000000000ffffff direct\n';

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
      ['zip', 'tar-damaged', 'nothing-recognized'],
      ['junk', 'binary-file'],
      ['failing', 'unreadable'],
      ['prose', 'nothing-recognized'],
      ['good'],
    ]);
    const messages = opened.sources.flatMap(({ diagnostics }) => diagnostics.map(({ message }) => message));
    expect(messages[1]).toContain('ends before its first file');
    expect(messages[3]).toMatch(/starts with( [0-9a-f]{2}){16}/);
    expect(messages[4]).toContain('EIO');
    expect(messages[5]).toContain("line 1: 'Hello', line 3: 'world'");
    expect(regionsOf(opened)).toEqual(['?: fee00000-feefffff msi']);
  });

  test('text of no format: what it is, what it resembles, what to open, in three lines of a terminal', async () => {
    const message = async (text: string) =>
      (await openText(text)).facts.flatMap((fact) => (fact.kind === 'diagnostic' ? fact.message : [])).join('\n');
    expect(await message('Hello\n\nworld\n')).toBe(
      "nothing recognized: line 1: 'Hello', line 3: 'world'. Resembles no known format. Try the output of: grep -H . /sys/kernel/iommu_groups/*/reserved_regions",
    );
    expect(await message('we saw RMRR and DRHD here\nand reg_base_addr\n')).toBe(
      "nothing recognized: line 1: 'we saw RMRR and DRHD here', line 2: 'and reg_base_addr'. Resembles: Kernel log: Intel VT-d. Try the output of: sudo dmesg",
    );
    expect((await message(`${'x'.repeat(5000)}\n`.repeat(20))).length).toBeLessThan(3 * 80);
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

  test('unrecognized lines are counted, and the first are kept', async () => {
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
    expect(codes).toEqual(Array(21).fill('start-above-last'));
    expect(opened.facts.at(-1)).toMatchObject({ message: 'and 80 more of this kind' });
  });

  test('a group is emitted in pieces rather than holding back everything after it', async () => {
    const events: DumpEvent[] = [];
    let before = 0;
    const lines = 30_000;
    const input: DumpInput = {
      name: 'x',
      async *stream() {
        yield new TextEncoder().encode('group 1 device 00:01.0\nand so on\n');
        for (let i = 0; i < lines; i += 100) yield new TextEncoder().encode(MSI.repeat(100));
        before = events.length;
        yield new TextEncoder().encode('group 1 device 00:02.0\n');
      },
    };
    await openInputs([input], { onEvents: (batch) => events.push(...batch) });
    expect(before).toBeGreaterThan(10_000);
    expect(events).toHaveLength(lines + 2);
  });
});

test('a whole-file format is found by its first bytes', async () => {
  const format: BinaryFormat = {
    kind: 'binary',
    name: 'test-blob',
    title: 'a blob',
    matches: (head) => head[0] === 0xca && head[1] === 0xfe,
    load: async () => ({
      async read(bytes, _source, sink) {
        let length = 0;
        for await (const piece of bytes) length += piece.length;
        sink.fact({ kind: 'host', name: `${length} bytes` }, 1);
      },
    }),
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
