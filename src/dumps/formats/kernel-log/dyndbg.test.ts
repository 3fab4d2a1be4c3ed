import { describe, expect, test } from 'vitest';
import { diagnosticsOf, type Opened, openText } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);

/** Mappings in short: `3: map 1000-1fff pa 5000 @1.5`, `4: unmap 1000-1fff took 1000`. */
function eventsOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'map' && fact.kind !== 'unmap') return [];
    expect(fact.origin).toBe('dyndbg');
    const detail = fact.kind === 'map' ? `pa ${fact.paddr?.toString(16)}` : `took ${fact.unmapped?.toString(16)}`;
    const time = fact.time === undefined ? '' : ` @${fact.time}`;
    return [`${fact.line}: ${fact.kind} ${fact.start.toString(16)}-${fact.last.toString(16)} ${detail}${time}`];
  });
}

describe('maps', () => {
  const forms: [name: string, line: string, expected: string][] = [
    [
      'with the time of the stamp',
      '[ 1189.113527] iommu: map: iova 0x6e200000 pa 0x00000004f4800000 size 0x400000',
      '1: map 6e200000-6e5fffff pa 4f4800000 @1189.113527',
    ],
    [
      'in a journal',
      'Jan  3 12:00:01 maple kernel: [   12.000345] iommu: map: iova 0x1000 pa 0x2000 size 0x1000',
      '1: map 1000-1fff pa 2000 @12.000345',
    ],
    ['without a stamp', 'iommu: map: iova 0x1000 pa 0x2000 size 0x1000', '1: map 1000-1fff pa 2000'],
    [
      'a stamp since the line before',
      '[  +0.000014] iommu: map: iova 0x1000 pa 0x2000 size 0x1000',
      '1: map 1000-1fff pa 2000',
    ],
    ['named by its function', 'iommu_map: map: iova 0x1000 pa 0x0x000002000 size 0x1000', '1: map 1000-1fff pa 2000'],
    [
      'with module and thread',
      '[4107] iommu:__iommu_map:2410: iommu: map: iova 0x1000 pa 2000 size 0x1000',
      '1: map 1000-1fff pa 2000',
    ],
    [
      'up to the top',
      'iommu: map: iova 0xfffffffffffff000 pa 0xffffffffffe00000 size 0x1000',
      '1: map fffffffffffff000-ffffffffffffffff pa ffffffffffe00000',
    ],
  ];
  test.each(forms)('%s', async (_, line, expected) => {
    const opened = await open(line);
    expect(eventsOf(opened)).toEqual([expected]);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });

  test('how they were carried out is understood and adds nothing', async () => {
    const opened = await open(
      '[1.5] iommu: map: iova 0x200000 pa 0x0000000694200000 size 0x200000',
      '[1.6] iommu: mapping: iova 0x200000 pa 0x0000000694200000 pgsize 0x200000 count 1',
      '[1.7] iommu: mapping: iova 0x200000 pa 0x694200000 pgsize 0x200000',
    );
    expect(eventsOf(opened)).toEqual(['1: map 200000-3fffff pa 694200000 @1.5']);
    expect(opened.sources[0]?.unrecognized).toBe(0);
    const alone = await open('iommu: mapping: iova 0x200000 pa 0x694200000 pgsize 0x200000');
    expect(alone.facts).toEqual([]);
  });
});

describe('unmaps', () => {
  test('the pieces are put together', async () => {
    const opened = await open(
      '[ 2.5] iommu: unmap this: iova 0x1aa00000 size 0x401000',
      '[ 2.6] iommu: unmapped: iova 0x1aa00000 size 0x200000',
      '[ 2.7] iommu: unmapped: iova 0x1ac00000 size 0x200000',
      '[ 2.8] iommu: unmapped: iova 0x1ae00000 size 0x1000',
      '[ 2.9] iommu: map: iova 0x1000 pa 0x2000 size 0x1000',
    );
    expect(eventsOf(opened)).toEqual(['1: unmap 1aa00000-1ae00fff took 401000 @2.5', '5: map 1000-1fff pa 2000 @2.9']);
  });

  test('one that ends early, one that takes more, one that finds nothing', async () => {
    const opened = await open(
      'iommu: unmap this: iova 0x1000 size 0x3000',
      'iommu: unmapped: iova 0x1000 size 0x1000',
      'iommu: unmap this: iova 0x200000 size 0x1000',
      'iommu: unmapped: iova 0x200000 size 0x200000',
      'iommu: unmap this: iova 0x800000 size 0x1000',
    );
    expect(eventsOf(opened)).toEqual([
      '1: unmap 1000-3fff took 1000',
      '3: unmap 200000-200fff took 200000',
      '5: unmap 800000-800fff took 0',
    ]);
  });

  test('a piece whose beginning is missing stands for itself', async () => {
    const opened = await open(
      '[7.5] iommu: unmapped: iova 0x1a600000 size 0x400000',
      '[7.6] iommu: unmap this: iova 0x1aa00000 size 0x1000',
      '[7.7] iommu: unmapped: iova 0x1bb00000 size 0x1000',
    );
    expect(eventsOf(opened)).toEqual([
      '1: unmap 1a600000-1a9fffff took 400000 @7.5',
      '3: unmap 1bb00000-1bb00fff took 1000 @7.7',
      '2: unmap 1aa00000-1aa00fff took 0 @7.6',
    ]);
  });

  test('messages of two processors, and others between them', async () => {
    const opened = await open(
      'iommu: unmap this: iova 0x1000 size 0x1000',
      'iommu: unmap this: iova 0x900000 size 0x2000',
      'nvme 0000:23:00.0: something else',
      'iommu: unmapped: iova 0x900000 size 0x1000',
      'iommu: unmapped: iova 0x1000 size 0x1000',
      'iommu: unmapped: iova 0x901000 size 0x1000',
    );
    expect(eventsOf(opened)).toEqual(['1: unmap 1000-1fff took 1000', '2: unmap 900000-901fff took 2000']);
  });

  test('many without a piece do not pile up', async () => {
    const lines = Array.from({ length: 50 }, (_, i) => `iommu: unmap this: iova 0x${i + 1}000 size 0x1000`);
    const opened = await open(...lines);
    expect(opened.facts.map(({ line }) => line)).toEqual(lines.map((_, i) => i + 1));
  });
});

describe('what is not to be believed', () => {
  test('page tables of a device are not those of an IOMMU', async () => {
    const opened = await open(
      'ipu3-imgu 0000:00:05.0: map: iova 0x1000 pa 0x2000 size 0x1000',
      'ipu3-imgu 0000:00:05.0: unmap this: iova 0x1000 size 0x1000',
      'it prints “iommu: map: iova” and then numbers',
    );
    expect(eventsOf(opened)).toEqual([]);
    expect(opened.sources[0]?.unrecognized).toBe(3);
  });

  test('damaged messages', async () => {
    const opened = await open(
      'iommu: map: iova 0x1000 pa 0x2000 size',
      'iommu: map: iova 0x10000000000000000 pa 0x2000 size 0x1000',
      'iommu: map: iova 0x1000 pa 0x2g00 size 0x1000',
      'iommu: unmap this: iova 0xfffffffffffff000 size 0x2000',
      'iommu: unmapped: iova 0xfffffffffffff000 size 0x10000000000000000',
      'iommu: unmap this: iova 0x1000 size 0x0',
    );
    expect(eventsOf(opened)).toEqual([]);
    const damaged = [1, 2, 3, 4, 5].map((line) => `warning damaged-event ${line}`);
    expect(diagnosticsOf(opened).slice(0, 6)).toEqual([...damaged, 'info empty-range 6']);
  });

  test('what the kernel refused', async () => {
    const opened = await open(
      'iommu: unaligned: iova 0x1000 pa 0x0000000000002000 size 0x800 min_pagesz 0x1000',
      'iommu: unaligned: iova 0x1000 size 0x800 min_pagesz 0x1000',
    );
    expect(diagnosticsOf(opened).slice(0, 2)).toEqual(['warning unaligned-request 1', 'warning unaligned-request 2']);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });
});

test('lines that a mail program broke', async () => {
  const lines = [
    '[ 1189.113527] iommu: map: iova 0x6e200000 pa 0x00000004f4800000 size 0x400000',
    '[ 1189.113529] iommu: mapping: iova 0x6e200000 pa 0x00000004f4800000 pgsize 0x200000 count 2',
    '[ 1190.000000] iommu: unmap this: iova 0x6e200000 size 0x400000',
    '[ 1190.000001] iommu: unmapped: iova 0x6e200000 size 0x400000',
  ];
  const whole = eventsOf(await open(...lines)).map((event) => event.replace(/^\d+: /, ''));
  expect(whole).toHaveLength(2);
  for (const [index, line] of lines.entries()) {
    for (let at = line.indexOf('iova 0x') + 5; at < line.length - 1; at++) {
      const broken = `${line.slice(0, at)}\n${line.slice(at).replace(/^ /, '')}`;
      const opened = await open(...lines.with(index, broken));
      expect([broken, eventsOf(opened).map((event) => event.replace(/^\d+: /, ''))]).toEqual([broken, whole]);
    }
  }
});
