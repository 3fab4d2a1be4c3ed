// What goes by the shortcut must mean what it means the long way, and nothing to any other format.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import type { Fact } from '../../../session/events.ts';
import type { DumpFormat } from '../../format.ts';
import { openInputs } from '../../input/open.ts';
import { FORMATS } from '../../registry.ts';
import { FUZZ_TIMEOUT, fuzzRuns, inputOf, withParsers } from '../../testing/read.ts';
import { cleanLine } from '../../text/envelope.ts';
import { InterestMatcher } from '../../text/interest.ts';
import { isDecoration, isElision } from '../../text/separators.ts';
import { loadForLongTexts } from '../../text/shapes.ts';
import { FTRACE_SHORTCUT } from './ftrace-shortcut.ts';

beforeAll(loadForLongTexts);

const ROOT = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const LINES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.txt'))
  .flatMap((name) => readFileSync(join(ROOT, name), 'utf8').split('\n'));
const LONG_WAY = withParsers(({ open }) => ({ open }));

/** The fact of a line by the shortcut, without the fields that are not its own. */
function byShortcut(line: string): unknown {
  // Among others, as in a piece of a file.
  const bytes = new TextEncoder().encode(`7: ${line}\n7: `);
  const to = 3 + line.length;
  const end = FTRACE_SHORTCUT.freeTextEnd(bytes, 3, to);
  const fact = end < 0 ? undefined : FTRACE_SHORTCUT.read(bytes, end, to);
  if (!fact) return undefined;
  const { source: _source, line: _line, ...own } = fact;
  return own;
}

async function read(text: string, formats: readonly DumpFormat[], chunk?: number) {
  const facts: unknown[] = [];
  const { sources } = await openInputs([inputOf('x', text, chunk)], {
    formats,
    onEvents: (batch) => facts.push(...batch),
  });
  return { facts, sources };
}

/** A digit's string now and then of the digits that other formats look for. */
const hexDigits = fc.oneof(
  fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map((n) => n.toString(16).padStart(16, '0')),
  fc.constantFrom('0', 'f', 'fee00000', '00000000fee00000', 'ffffffffffffffff', '00000000000000000', 'cafe', 'PDE'),
);
const decimals = fc.oneof(
  fc.nat().map(String),
  fc.constantFrom('0', '4096', '2097152', '0x1000', '99999999999999999999'),
);
const prefix = fc.record({
  cpu: fc.constantFrom('[000] ', '[7] ', '[123]  ', '[0000]\t', '[00f] '),
  flags: fc.constantFrom('....... ', 'd..1. ', '....1..    ', 'dN.h2.. ', '', '.... '),
  time: fc.constantFrom('0.000000', '  12.5', '123456.123456789', '1234567890123.000001', '7', '1:2.5', '1.'),
  system: fc.constantFrom('', 'iommu:', ' iommu:'),
});
const start = prefix.map(({ cpu, flags, time, system }) => `${cpu}${flags}${time}: ${system}`);
const gap = fc.constantFrom(' ', ' ', ' ', '     ', '');
/** What stands behind the free text. Half of it is right, if a little strange. */
const rest = fc.oneof(
  fc
    .record({
      start,
      gap,
      iova: fc.bigInt({ min: 0n, max: 2n ** 48n }),
      pages: fc.integer({ min: 0, max: 600_000 }),
      paddr: hexDigits,
      isMap: fc.boolean(),
      hasEnd: fc.boolean(),
    })
    .map((event) => {
      const { iova, pages, paddr } = event;
      const size = pages * 4096;
      const end = event.hasEnd ? ` - 0x${(iova + BigInt(size)).toString(16).padStart(16, '0')}` : '';
      const ends = `IOMMU: iova=0x${iova.toString(16).padStart(16, '0')}${end}`;
      return event.isMap
        ? `${event.start}map:${event.gap}${ends} paddr=0x${paddr} size=${size}`
        : `${event.start}unmap:${event.gap}${ends} size=${size} unmapped_size=${size}`;
    }),
  fc
    .record({
      start,
      gap,
      a: hexDigits,
      b: hexDigits,
      c: hexDigits,
      size: decimals,
      more: decimals,
      tail: fc.constantFrom('', ' ', 'x', ' <<< here'),
    })
    .map(
      ({ start, gap, a, b, c, size, tail }) =>
        `${start}map:${gap}IOMMU: iova=0x${a} - 0x${b} paddr=0x${c} size=${size}${tail}`,
    ),
);
/** Names of programs, and what else may stand there: anything that formats look for, and envelopes. */
const word = fc.oneof(
  fc.constantFrom(
    'qemu-kvm-4575 ',
    '  CPU 0/KVM-31337',
    '<...>-17',
    '<idle>-0',
    'kworker/u16:2-events-9',
    'qemu 1234 ',
    'a-1 (',
  ),
  fc.constantFrom(...LINES).map((line) => line.slice(0, 30)),
  fc.constantFrom(
    'Jan  3 12:00:01 maple x: ',
    '> ',
    '[ 1.5] ',
    '<6>',
    '(XEN) ',
    '12:34 <x> ',
    '# ',
    '$ ',
    'root@oak:~# ',
    '{"log":"',
    'msg="',
    '//',
    ' <<',
    '&gt;',
    '=3D',
    '\t',
    '"',
  ),
  fc.string({ unit: 'grapheme-ascii', maxLength: 8 }),
);
const free = fc.array(word, { minLength: 1, maxLength: 2 }).map((words) => words.join('').replace(/[\r\n]/g, ''));

const LINE_FORMATS = FORMATS.filter((format) => format.kind === 'lines');
const INTERESTS = new InterestMatcher(LINE_FORMATS.map(({ interest }) => interest));

/** What the promise is about: whether the line needs no cleaning and interests ftrace alone. */
function isPlain(line: string): boolean {
  const [first, ...more] = cleanLine(line);
  if (!first || more.length > 0 || first.prompt || first.text !== line) return false;
  if (isDecoration(line) || isElision(line)) return false;
  const every = INTERESTS.everyFormat();
  INTERESTS.look(line, every);
  return LINE_FORMATS.every((format, i) => INTERESTS.matches(i, every) === (format.name === 'ftrace'));
}

describe('lines that go by the shortcut', () => {
  test.each([
    'qemu-kvm-4575',
    'kvm-4575',
    'qemu-system-x86-4575',
    'qemu-system-aar-4575',
    'CPU 0/KVM-4576',
    'vhost-4575-4580',
    'cloud-hypervis-88',
    'crosvm-91',
    'kworker/u16:3-123',
    'irq/31-nvme0q1-220',
    'swapper/0-1',
    'dpdk-testpmd-77',
    '<idle>-0',
    '<...>-4242',
  ])('%s: no other format is interested in the task', (task) => {
    const event = 'map: IOMMU: iova=0x00000000ffff0000 - 0x0000000100000000 paddr=0x5000 size=65536';
    expect(isPlain(`${task.padStart(24)}    [003] .......    12.000250: ${event}`)).toBe(true);
  });

  test('those of traces do', () => {
    const line = (event: string) => `        qemu-kvm-4575    [003] ....... 12.000250: ${event}`;
    expect(
      byShortcut(line('map: IOMMU: iova=0x00000000ffff0000 - 0x0000000100000000 paddr=0x5000 size=65536')),
    ).toEqual({
      kind: 'map',
      start: 0xffff0000n,
      last: 0xffffffffn,
      paddr: 0x5000n,
      origin: 'ftrace',
      time: 12.00025,
    });
    expect(byShortcut('x-1 [0] 1.5: iommu:unmap:   IOMMU: iova=0x0 size=4294967296 unmapped_size=8589934592')).toEqual({
      kind: 'unmap',
      start: 0n,
      last: 0xffffffffn,
      unmapped: 0x200000000n,
      origin: 'ftrace',
      time: 1.5,
    });
    const traces = LINES.filter((text) => /\bmap: *IOMMU: iova/.test(text));
    expect(traces.length).toBeGreaterThan(100);
    expect(traces.filter((text) => byShortcut(text) !== undefined).length / traces.length).toBeGreaterThan(0.9);
  });

  test.each([
    'map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4096',
    'x-1 [0] 1: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4096',
    'x-1 [0] 1.5: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4095',
    'x-1 [0] 1.5: map: IOMMU: iova=0x1000 - 0x1000 paddr=0x5000 size=0',
    'x-1 [0] 1.5: map: IOMMU: iova=0xfffffffffffff000 - 0x0 paddr=0x5000 size=4096',
    'x-1 [0] 1.5: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=0x1000',
    'x-1 [0] 1.5: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4096 ',
    'x-1 [0] 1.5: map: IOMMU: iova=0x00000000000001000 paddr=0x5000 size=4096',
    'x-1 [0] 1.5: map: IOMMU: dev=a iova=0x1000 - 0x2000 paddr=0x5000 size=4096',
    'IOMMU: x-1 [0] 1.5: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4096',
    'x-1 [0] 1.5: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=9999999999999999',
  ])('%j takes the long way', (line) => {
    expect(byShortcut(line)).toBeUndefined();
  });

  test('no event is read from a place where the free text does not end', () => {
    const text = 'x-1 y[0] 1.5: unmap: IOMMU: iova=0x1000 - 0x2000 size=4096 unmapped_size=4096';
    const bytes = new TextEncoder().encode(text);
    const places = [...text].flatMap((_, at) => (FTRACE_SHORTCUT.read(bytes, at, bytes.length) ? [at] : []));
    expect(places).toEqual([text.indexOf('[')]);
  });

  test('what they mean to others depends on their free text alone', { timeout: FUZZ_TIMEOUT }, () => {
    let plain = 0;
    let other = 0;
    // Half of what stands behind it is of no use: that is left out before, so that not all three are made again.
    const read = rest.filter((text) => byShortcut(`x-1 ${text}`) !== undefined);
    const both = fc
      .tuple(free, read, read)
      .filter(([text, a, b]) => byShortcut(text + a) !== undefined && byShortcut(text + b) !== undefined);
    fc.assert(
      fc.property(both, ([text, a, b]) => {
        expect([text, a, b, isPlain(text + a)]).toEqual([text, a, b, isPlain(text + b)]);
        if (isPlain(text + a)) plain++;
        else other++;
      }),
      fuzzRuns(600),
    );
    expect(plain).toBeGreaterThan(200);
    expect(other).toBeGreaterThan(200);
  });

  test('each by itself is the same fact the long way', { timeout: FUZZ_TIMEOUT }, async () => {
    const texts = fc.sample(fc.tuple(free, rest), 3000).map((parts) => parts.join(''));
    const lines = [...texts, ...LINES].filter((text) => byShortcut(text) !== undefined && isPlain(text));
    expect(lines.length).toBeGreaterThan(100);
    for (const line of lines) {
      const { facts: all } = await read(line, LONG_WAY);
      // A free text may look like a damaged number, which the shortcut does not look for.
      const facts = (all as readonly Fact[]).filter(
        (fact) => fact.kind !== 'diagnostic' || fact.code !== 'damaged-number',
      );
      expect([line, ...facts]).toEqual([line, { ...(byShortcut(line) as Fact), source: 'x', line: 1 }]);
    }
  });

  test('among others, cut anywhere, everything is as it is the long way', { timeout: FUZZ_TIMEOUT }, async () => {
    const good = (i: number) =>
      `  qemu-kvm-4575    [00${i}] ....... 12.00000${i}: map: IOMMU: iova=0x${i}000 - 0x${i + 1}000 paddr=0x5000 size=4096`;
    const lines = fc.oneof(
      { weight: 4, arbitrary: fc.nat(8).map((i) => `${good(i)}\n`) },
      {
        weight: 3,
        arbitrary: fc.nat(8).map((i) => [good(i), good(i), good(i), good(i), good(i), good(i), ''].join('\n')),
      },
      { weight: 2, arbitrary: fc.tuple(free, rest).map((parts) => `${parts.join('')}\n`) },
      { weight: 1, arbitrary: fc.constantFrom(...LINES).map((line) => `${line}\n`) },
      {
        weight: 3,
        arbitrary: fc.constantFrom(
          ...[
            '\n',
            '\r\n',
            '\r',
            ' ',
            '4096\n',
            '0\n',
            '...\n',
            '=\n',
            '> ',
            '[LOST 3 EVENTS]\n',
            'map: IOMMU: iova=0x1000 -\n',
            '\u00e9\n',
          ],
          ...[
            '# cat /sys/kernel/iommu_groups/7/reserved_regions\n',
            '0x00000000fee00000 0x00000000feefffff msi\n',
            'x=3D"y"\n',
          ],
          ...[
            'qemu-kvm-1 [000] 1.5: map: IOMMU: iova=0x1000 - 0x20',
            `${'y'.repeat(16_500)}\n`,
            `${' '.repeat(16_500)}\n`,
          ],
        ),
      },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(lines, { maxLength: 60 }), fc.integer({ min: 1, max: 2000 }), async (parts, chunk) => {
        const text = parts.join('');
        const long = await read(text, LONG_WAY);
        expect(await read(text, FORMATS)).toEqual(long);
        expect(await read(text, FORMATS, chunk)).toEqual(long);
      }),
      fuzzRuns(150),
    );
  });

  test('a trace in which every line has another process is read as well', async () => {
    const line = (i: number) => `sh-${i} [000] ....... 1.5: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4096\n`;
    const text = Array.from({ length: 5000 }, (_, i) => line(i)).join('');
    const short = await read(text, FORMATS);
    expect(short.facts.length).toBe(5000);
    expect(short).toEqual(await read(text, LONG_WAY));
  });
});
