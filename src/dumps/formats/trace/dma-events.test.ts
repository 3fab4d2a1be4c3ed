import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { IOVA_MAX } from '../../../iova/iova.ts';
import { anyRange, assertProperty } from '../../../iova/testing/arbitraries.ts';
import { diagnosticsOf, type Opened, openText } from '../../testing/read.ts';
import { readDmaEvent } from './dma-event-parser.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);

/** Events in short: `map 1000-1fff of 0000:01:00.0 pa 5000 @1.5`. */
function eventsOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'map' && fact.kind !== 'unmap') return [];
    expect(fact.origin).toBe('ftrace');
    const pa = fact.paddr === undefined ? '' : ` pa ${fact.paddr.toString(16)}`;
    const time = fact.time === undefined ? '' : ` @${fact.time}`;
    return [`${fact.kind} ${fact.start.toString(16)}-${fact.last.toString(16)} of ${fact.device}${pa}${time}`];
  });
}

const MAP = 'dma_map_page: 0000:01:00.0 dir=TO_DEVICE dma_addr=fffff200 size=512 phys_addr=144003200 attrs=';
const MAPPED = 'map fffff200-fffff3ff of 0000:01:00.0 pa 144003200';

describe('one event', () => {
  test.each([
    ['none', '', ''],
    ['ftrace', '     nvme-qid1-381     [002] .....    12.100204: ', ' @12.100204'],
    ['perf', 'nvme-qid1   381 [002]    12.100204: dma:', ' @12.100204'],
    ['trace-cmd', '       a b/c-1 [000]   7.5: ', ' @7.5'],
  ])('with the prefix of %s', async (_name, prefix, time) => {
    expect(eventsOf(await open(prefix + MAP))).toEqual([MAPPED + time]);
  });

  test.each([
    [
      'dma_map_phys: 01:00.0 dir=NONE dma_addr=1000 size=4096 phys_addr=0 attrs=MMIO',
      'map 1000-1fff of 0000:01:00.0 pa 0',
    ],
    ['dma_map_resource: a.b dir=TO_DEVICE dma_addr=1000 size=1 phys_addr=5 attrs=', 'map 1000-1000 of a.b pa 5'],
    [
      'dma_alloc: 01:00.0 dma_addr=1000 size=4096 virt_addr=00000000cafe flags=GFP_KERNEL|__GFP_ZERO attrs=',
      'map 1000-1fff of 0000:01:00.0',
    ],
    [
      'dma_alloc_pages: 01:00.0 dir=TO_DEVICE dma_addr=1000 size=4096 virt_addr=00000000cafe flags=0 attrs=NO_WARN',
      'map 1000-1fff of 0000:01:00.0',
    ],
    ['dma_unmap_phys: 01:00.0 dir=TO_DEVICE dma_addr=1000 size=4096 attrs=', 'unmap 1000-1fff of 0000:01:00.0'],
    ['dma_free: 01:00.0 dma_addr=1000 size=4096 virt_addr=00000000cafe attrs=', 'unmap 1000-1fff of 0000:01:00.0'],
    [
      'dma_free_sgt: 01:00.0 dir=TO_DEVICE dma_addr=1000 size=4096 phys_addrs={0x5000}',
      'unmap 1000-1fff of 0000:01:00.0',
    ],
    [
      'dma_map_page: a dir=NONE dma_addr=fffffffffffff000 size=4096 phys_addr=0 attrs=',
      'map fffffffffffff000-ffffffffffffffff of a pa 0',
    ],
  ])('%s', async (line, event) => {
    const opened = await open(line);
    expect(eventsOf(opened)).toEqual([event]);
    expect(diagnosticsOf(opened)).toEqual([]);
  });

  test('broken by a mail program, between two fields and inside a number', async () => {
    const [first = '', second = ''] = [MAP.slice(0, 40), MAP.slice(41)];
    for (const at of [40, 48, 60, 75]) {
      expect(eventsOf(await open(MAP.slice(0, at), MAP.slice(at)))).toEqual([MAPPED]);
    }
    expect(eventsOf(await open(first, second, MAP))).toHaveLength(2);
  });

  test('whose end was left out', async () => {
    // A number at the very end may be cut.
    const withoutMemory = MAPPED.replace(/ pa .*/, '');
    expect(eventsOf(await open(MAP.replace(' attrs=', ''), '...'))).toEqual([withoutMemory]);
    const cut = await open('dma_free: a dir=NONE dma_addr=fff80000 size=5242');
    expect(eventsOf(cut)).toEqual([]);
    expect(diagnosticsOf(cut)).toEqual(['warning damaged-event 1']);
  });

  test.each(['0000…', 'XXXXXXXXXXXXXXXX', '0_000_000'])('at 0 whose pointer cannot be read: %s', async (pointer) => {
    const opened = await open(`dma_alloc: a dir=NONE dma_addr=0 size=8192 virt_addr=${pointer} flags=0 attrs=`);
    expect(eventsOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual(['warning damaged-event 1']);
  });

  test('that failed is no mapping', async () => {
    const opened = await open(
      'dma_map_page: a dir=NONE dma_addr=ffffffffffffffff size=4096 phys_addr=5000 attrs=',
      'dma_alloc: a dir=NONE dma_addr=0 size=8192 virt_addr=0000000000000000 flags=0 attrs=',
      'dma_map_sg_err: a dir=NONE dma_addrs={0x1000} err=-5 attrs=',
    );
    expect(eventsOf(opened)).toEqual([]);
    expect(opened.facts.map((fact) => (fact.kind === 'diagnostic' ? fact.message : ''))).toEqual([
      'a DMA mapping of 0x1000 bytes for a failed',
      'a DMA mapping of 0x2000 bytes for a failed',
      'a DMA mapping for a failed',
    ]);
  });

  test('that is malformed is reported', async () => {
    const opened = await open(
      'dma_map_page: a dir=NONE dma_addr=fffffffffffff000 size=8192 phys_addr=0 attrs=',
      'dma_map_page: a dir=NONE dma_addr=12345678901234567 size=8192 phys_addr=0 attrs=',
      'dma_unmap_page: a dir=NONE dma_addr=1000 size=0 attrs=',
      'dma_map_sg: a dir=NONE dma_addrs={0x1000,0x2000} sizes={0x1000} phys_addrs={0x5000} attrs=',
    );
    expect(eventsOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual([
      'warning damaged-event 1',
      'warning damaged-event 2',
      'info empty-range 3',
      'warning damaged-event 4',
    ]);
    // Prose about events is none.
    const prose = await openText('call dma_alloc: it returns memory\nmap: IOMMU: iova=0x1000 paddr=0x0 size=4096\n');
    expect(diagnosticsOf(prose)).toEqual([]);
  });
});

describe('scatter lists', () => {
  const sg = (addresses: string, sizes: string, physical: string, counts = '') =>
    `dma_map_sg: a dir=NONE ${counts}dma_addrs={${addresses}} sizes={${sizes}} phys_addrs={${physical}} attrs=`;
  const unsg = (physical: string, device = 'a') => `dma_unmap_sg: ${device} dir=NONE phys_addrs={${physical}} attrs=`;

  test('are mapped and unmapped range by range', async () => {
    const opened = await open(sg('0xf000,0x8000', '0x1000,0x800', '0x5000,0x9000'), unsg('0x5000,0x9000'));
    expect(eventsOf(opened)).toEqual([
      'map f000-ffff of a pa 5000',
      'map 8000-87ff of a pa 9000',
      'unmap f000-ffff of a',
      'unmap 8000-87ff of a',
    ]);
    expect(diagnosticsOf(opened)).toEqual([]);
  });

  test('that were merged have no single physical address', async () => {
    const opened = await open(
      sg('0xf000', '0x3000', '0x5000,0x7000,0x9000', 'nents=3/3 ents=1/1 '),
      unsg('0x5000,0x7000,0x9000'),
    );
    expect(eventsOf(opened)).toEqual(['map f000-11fff of a', 'unmap f000-11fff of a']);
  });

  test('of which the event has only the first are reported, and what was mapped before the trace too', async () => {
    const opened = await open(
      sg('0xf000', '0x1000', '0x5000', 'nents=128/300 ents=1/173 [TRUNCATED] '),
      unsg('0x7000'),
      unsg('0x5000', 'b'),
    );
    expect(eventsOf(opened)).toEqual(['map f000-ffff of a pa 5000']);
    expect(diagnosticsOf(opened)).toEqual([
      'warning dma-list-cut 1',
      'info dma-unmap-without-map 2',
      'info dma-unmap-without-map 3',
    ]);
  });
});

test('a device that is not translated is named once', async () => {
  const line = 'dma_map_page: a dir=NONE dma_addr=5000 size=4096 phys_addr=5000 attrs=';
  expect(diagnosticsOf(await open(line, line))).toEqual(['info dma-untranslated 1']);
});

test('every range is read as it was printed', () => {
  assertProperty(
    fc.property(anyRange, fc.boolean(), ({ start, last }, isMap) => {
      const size = last - start + 1n;
      fc.pre(size >> 64n === 0n && start !== IOVA_MAX);
      const [name, phys] = isMap ? ['dma_map_page', ' phys_addr=1000'] : ['dma_unmap_page', ''];
      const event = readDmaEvent(`${name}: a dir=NONE dma_addr=${start.toString(16)} size=${size}${phys} attrs=`, true);
      expect(event).toMatchObject({ kind: isMap ? 'map' : 'unmap', ranges: [{ start, last }] });
    }),
  );
});
