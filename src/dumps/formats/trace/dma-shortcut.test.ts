// What goes by the shortcut must mean what it means the long way, and nothing to any other format, also among events of
// the IOMMU, which have a shortcut of their own.
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
import { DMA_SHORTCUT } from './dma-shortcut.ts';

beforeAll(loadForLongTexts);

const ROOT = fileURLToPath(new URL('../../fixtures/', import.meta.url));
const LINES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.endsWith('.txt'))
  .flatMap((name) => readFileSync(join(ROOT, name), 'utf8').split('\n'));
const LONG_WAY = withParsers(({ open }) => ({ open }));

function byShortcut(line: string): unknown {
  // Among others, as in a piece of a file.
  const bytes = new TextEncoder().encode(`7: ${line}\n7: `);
  const to = 3 + line.length;
  const end = DMA_SHORTCUT.freeTextEnd(bytes, 3, to);
  const fact = end < 0 ? undefined : DMA_SHORTCUT.read(bytes, end, to);
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

const LINE_FORMATS = FORMATS.filter((format) => format.kind === 'lines');
const INTERESTS = new InterestMatcher(LINE_FORMATS.map(({ interest }) => interest));

/** What the promise is about: whether the line needs no cleaning and interests this format alone. */
function isPlain(line: string): boolean {
  const [first, ...more] = cleanLine(line);
  if (!first || more.length > 0 || first.prompt || first.text !== line) return false;
  if (isDecoration(line) || isElision(line)) return false;
  const every = INTERESTS.everyFormat();
  INTERESTS.look(line, every);
  return LINE_FORMATS.every((format, i) => INTERESTS.matches(i, every) === (format.name === 'dma-events'));
}

const digits = fc.oneof(
  fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map((n) => n.toString(16)),
  fc.constantFrom('0', 'fee00000', 'ffffffffffffffff', '00000000fffff000', '10000000000000000', 'CAFE', '0x1000'),
);
const size = fc.oneof(fc.nat().map(String), fc.constantFrom('0', '4096', '0x1000', '99999999999999999999'));
const device = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat(0xffff), fc.nat(0xff), fc.nat(0x3f), fc.nat(9)).map(([d, b, s, f]) => {
      const hex = (n: number, length: number) => n.toString(16).padStart(length, '0');
      return `${hex(d, 4)}:${hex(b, 2)}:${hex(s, 2)}.${f}`;
    }),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom('03:00.0', '0000:03:00.A', 'ff150000.usb', '10000:e1:00.0', '0000\\:03:00.0'),
  },
);
const event = fc
  .record({
    start: fc.constantFrom(
      '[000] ....... 12.000250: ',
      '[7] 1.5: dma:',
      '[0003]  d..1.   0.000001: ',
      '[00f] 1.5: ',
      '[000] 7: ',
    ),
    isMap: fc.boolean(),
    what: fc.constantFrom('page', 'phys', 'resource', 'page', 'sg', 'pages'),
    device,
    dir: fc.constantFrom('TO_DEVICE', 'FROM_DEVICE', 'BIDIRECTIONAL', 'NONE', '0x7'),
    address: digits,
    size,
    paddr: digits,
    attrs: fc.constantFrom('', 'SKIP_CPU_SYNC', 'SKIP_CPU_SYNC|NO_WARN', 'WEAK_ORDERING', '0x400', 'MMIO ', 'a=b'),
  })
  .map(({ start, isMap, what, device: of, dir, address, size: bytes, paddr, attrs }) => {
    const physical = isMap ? ` phys_addr=${paddr}` : '';
    return `${start}dma_${isMap ? '' : 'un'}map_${what}: ${of} dir=${dir} dma_addr=${address} size=${bytes}${physical} attrs=${attrs}`;
  });
const word = fc.oneof(
  fc.constantFrom('qemu-kvm-4575 ', '  CPU 0/KVM-31337', '<...>-17', '<idle>-0', 'irq/31-nvme0q1-220   ', 'a-1 ('),
  fc.constantFrom(...LINES).map((line) => line.slice(0, 30)),
  fc.constantFrom(
    'Jan  3 12:00:01 maple x: ',
    '> ',
    '<6>',
    '# ',
    'root@oak:~# ',
    'dma_alloc: ',
    'vfio_dma_map(',
    '=3D',
    '"',
  ),
  fc.string({ unit: 'grapheme-ascii', maxLength: 8 }),
);
const free = fc.array(word, { minLength: 1, maxLength: 2 }).map((words) => words.join('').replace(/[\r\n]/g, ''));

describe('lines that go by the shortcut', () => {
  test.each(['qemu-kvm-4575', 'nvme-qid1-381', 'irq/31-nvme0q1-220', 'kworker/u16:3-123', '<idle>-0', '<...>-4242'])(
    '%s: no other format is interested in the task',
    (task) => {
      const map =
        'dma_map_page: 0000:03:00.0 dir=TO_DEVICE dma_addr=fffff000 size=4096 phys_addr=5000 attrs=SKIP_CPU_SYNC';
      const line = `${task.padStart(24)}    [003] .......    12.000250: ${map}`;
      expect(isPlain(line)).toBe(true);
      expect(byShortcut(line)).toEqual({
        kind: 'map',
        start: 0xfffff000n,
        last: 0xffffffffn,
        device: '0000:03:00.0',
        paddr: 0x5000n,
        origin: 'ftrace',
        time: 12.00025,
      });
    },
  );

  test.each([
    [
      'a device that is not translated',
      'dma_map_page: 0000:03:00.0 dir=NONE dma_addr=5000 size=4096 phys_addr=5000 attrs=',
    ],
    ['a failure', 'dma_map_page: 0000:03:00.0 dir=NONE dma_addr=ffffffffffffffff size=1 phys_addr=0 attrs='],
    ['no bytes', 'dma_unmap_page: 0000:03:00.0 dir=NONE dma_addr=5000 size=0 attrs='],
    ['more than 64 bits', 'dma_unmap_page: 0000:03:00.0 dir=NONE dma_addr=fffffffffffff000 size=8192 attrs='],
    ['a broken line', 'dma_unmap_page: 0000:03:00.0 dir=NONE dma_addr=5000 size=4096'],
    ['another device', 'dma_unmap_page: usb1 dir=NONE dma_addr=5000 size=4096 attrs='],
    ['an allocation', 'dma_alloc: 0000:03:00.0 dma_addr=5000 size=4096 virt_addr=0000000001 flags=0 attrs='],
  ])('%s takes the long way', (_, text) => {
    expect(byShortcut(`x-1 [0] 1.5: ${text}`)).toBeUndefined();
  });

  test('what they mean to others depends on their free text alone', { timeout: FUZZ_TIMEOUT }, () => {
    let plain = 0;
    let other = 0;
    const good = event.filter((text) => byShortcut(`x-1 ${text}`) !== undefined);
    const both = fc
      .tuple(free, good, good)
      .filter(([text, a, b]) => byShortcut(text + a) !== undefined && byShortcut(text + b) !== undefined);
    fc.assert(
      fc.property(both, ([text, a, b]) => {
        expect([text, a, b, isPlain(text + a)]).toEqual([text, a, b, isPlain(text + b)]);
        if (isPlain(text + a)) plain++;
        else other++;
      }),
      fuzzRuns(1000),
    );
    expect(plain).toBeGreaterThan(100);
    expect(other).toBeGreaterThan(50);
  });

  test('each by itself is the same fact the long way', { timeout: FUZZ_TIMEOUT }, async () => {
    const texts = fc.sample(fc.tuple(free, event), 10_000).map((parts) => parts.join(''));
    const lines = [...texts, ...LINES].filter((text) => byShortcut(text) !== undefined && isPlain(text));
    expect(lines.length).toBeGreaterThan(50);
    for (const line of lines) {
      const { facts } = await read(line, LONG_WAY);
      expect([line, ...facts]).toEqual([line, { ...(byShortcut(line) as Fact), source: 'x', line: 1 }]);
    }
  });

  test('among others, cut anywhere, everything is as it is the long way', { timeout: FUZZ_TIMEOUT }, async () => {
    const mapped = (i: number) =>
      `  qemu-kvm-4575    [00${i}] ....... 12.00000${i}: map: IOMMU: iova=0x${i}000 - 0x${i + 1}000 paddr=0x5000 size=4096\n`;
    const named = (i: number) =>
      `  qemu-kvm-4575    [00${i}] ....... 12.00000${i}: dma_map_page: 0000:03:00.${i % 3} dir=NONE dma_addr=${i}000 size=4096 phys_addr=${4 + (i % 3)}000 attrs=\n`;
    const lines = fc.oneof(
      { weight: 4, arbitrary: fc.nat(8).map(named) },
      { weight: 3, arbitrary: fc.nat(8).map(mapped) },
      { weight: 2, arbitrary: fc.nat(8).map((i) => [named(i), mapped(i), named(i), mapped(i)].join('')) },
      { weight: 2, arbitrary: fc.tuple(free, event).map((parts) => `${parts.join('')}\n`) },
      { weight: 1, arbitrary: fc.constantFrom(...LINES).map((line) => `${line}\n`) },
      {
        weight: 2,
        arbitrary: fc.constantFrom(
          ...[
            '\n',
            '\r\n',
            '4096\n',
            '...\n',
            '> ',
            '[LOST 3 EVENTS]\n',
            'vfio_dma_map\n',
            '(0x1, 0x0, 0x1000, 0x1)\n',
          ],
          'dma_map_sg: 0000:03:00.0 dir=NONE dma_addrs={0x1000} sizes={0x1000} phys_addrs={0x9000} attrs=\n',
          'dma_unmap_sg: 0000:03:00.0 dir=NONE phys_addrs={0x9000} attrs=\n',
          'dma_map_page: 0000:03:00.0 dir=NONE dma_addr=1000\n',
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
      fuzzRuns(300),
    );
  });
});
