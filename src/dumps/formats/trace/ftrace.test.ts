import { describe, expect, test } from 'vitest';
import { diagnosticsOf, FUZZ_TIMEOUT, groupsOf, type Opened, openText } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);

/** Events in short: `map 1000-1fff pa 5000 @1.5`, `unmap 1000-1fff took 1000`, `fault 0000:00:02.0 write 40 by x`. */
function eventsOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind === 'fault') {
      return [`fault ${fact.device} ${fact.access} ${fact.address.toString(16)} by ${fact.driver ?? '?'}`];
    }
    if (fact.kind !== 'map' && fact.kind !== 'unmap') return [];
    expect(fact.origin).toBe('ftrace');
    const details = [
      fact.kind === 'map' ? ` pa ${fact.paddr?.toString(16)}` : ` took ${(fact.unmapped as bigint).toString(16)}`,
      fact.time === undefined ? '' : ` @${fact.time}`,
      fact.device === undefined ? '' : ` of ${fact.device}`,
    ];
    return [`${fact.kind} ${fact.start.toString(16)}-${fact.last.toString(16)}${details.join('')}`];
  });
}

const MAP = 'map: IOMMU: iova=0x00000000fee00000 - 0x00000000fee03000 paddr=0x0000000345600000 size=12288';
const MAPPED = 'map fee00000-fee02fff pa 345600000';
const UNMAP = 'unmap: IOMMU: iova=0x0000000000200000 - 0x0000000000201000 size=4096 unmapped_size=2097152';
const UNMAPPED = 'unmap 200000-200fff took 200000';

const prefixes: [name: string, prefix: string, time: string][] = [
  ['none', '', ''],
  ['trace', '        qemu-kvm-4575    [008] .......   438.308478: ', ' @438.308478'],
  ['older flags', '   qemu-kvm-4575  [008] d..2   438.308478: ', ' @438.308478'],
  ['blanks and a slash in the comm', '        CPU 0/KVM-3046  [051] .... 63113.338894: ', ' @63113.338894'],
  ['dashes and a colon in the comm', '  kworker/u64:3-events-12  [011] .....   327.747763: ', ' @327.747763'],
  ['parentheses', '   (udev-worker)-532     [010] .....     4.878076: ', ' @4.878076'],
  ['the idle task', '          <idle>-0       [000] d.h..     2.298773: ', ' @2.298773'],
  ['an unknown comm', '           <...>-1417    [002] .....    12.000001: ', ' @12.000001'],
  ['a thread group', '           vhost-1417   (   1410) [002] .....    12.000001: ', ' @12.000001'],
  ['a counter for a clock', '            init-1       [000] .....   4711: ', ''],
  ['microseconds', '    init-1         0d..1    3us : ', ''],
  ['perf script', 'qemu-system-x86 12345 [003]  1234.567890: iommu:', ' @1234.56789'],
  ['perf script with a thread', 'CPU 0/KVM 12345/12350 [003]  1234.567890123: iommu:', ' @1234.567890123'],
  ['perf script with a period', 'init     1 [000]    10.250000:          1 iommu:', ' @10.25'],
  ['trace-cmd report', '          <idle>-0     [000]  6801.123456: ', ' @6801.123456'],
  ['trace-cmd report with flags', '       qemu-kvm-99    [001] ..s2.  6801.123456: ', ' @6801.123456'],
];

describe('whatever stands before an event', () => {
  test.each(prefixes)('%s', async (_, prefix, time) => {
    const opened = await open(`${prefix}${MAP}`, `${prefix}${UNMAP}`);
    expect(eventsOf(opened)).toEqual([MAPPED + time, UNMAPPED + time]);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });

  test('times are the numbers that are written, to the last digit', async () => {
    const times = [
      '0.000001',
      '0.1',
      '0.7',
      '4.308048',
      '123456789.123456',
      '63113.338894',
      '1234567890.123456789',
      '5.05',
    ];
    const { facts } = await open(...times.map((time) => ` init-1 [000] ${time}: ${MAP}`));
    expect(facts.map((fact) => fact.kind === 'map' && fact.time)).toEqual(times.map(Number));
  });

  test('trace-cmd fills up behind the name', async () => {
    const line = ` init-1  [000]     1.500000: ${MAP.replace('map: ', 'map:                  ')}`;
    expect(eventsOf(await open(line))).toEqual([`${MAPPED} @1.5`]);
  });

  test('perf script names its fields no differently', async () => {
    const opened = await open(
      'kworker/0:1    17 [000]    10.250000: iommu:io_page_fault: IOMMU:arm-smmu 5000000.iommu iova=0xffe1 flags=0x0001',
    );
    expect(eventsOf(opened)).toEqual(['fault 5000000.iommu write ffe1 by arm-smmu']);
  });
});

describe('fields', () => {
  test('older kernels print no end; the first ones print sizes in hex', async () => {
    const opened = await open(
      'map: IOMMU: iova=0x00000000f8007000 paddr=0x00000000fa007000 size=16748544',
      'unmap: IOMMU: iova=0x0000000ffff34000 size=4096 unmapped_size=4096',
      'map: IOMMU: iova=0x00000000f8007000 paddr=0x00000000fa007000 size=0x1000',
      'unmap: IOMMU: iova=0x0000000ffff34000 size=0x2000 unmapped_size=0x1000',
    );
    expect(eventsOf(opened)).toEqual([
      'map f8007000-f8ffffff pa fa007000',
      'unmap ffff34000-ffff34fff took 1000',
      'map f8007000-f8007fff pa fa007000',
      'unmap ffff34000-ffff35fff took 1000',
    ]);
    expect(diagnosticsOf(opened)).toEqual([]);
  });

  test('up to the top of 64 bits: the end is 0', async () => {
    const opened = await open(
      'map: IOMMU: iova=0xffffffffffe00000 - 0x0000000000000000 paddr=0xfffffffffffff000 size=2097152',
      'unmap: IOMMU: iova=0xfffffffffffff000 size=4096 unmapped_size=18446744073709551615',
    );
    expect(eventsOf(opened)).toEqual([
      'map ffffffffffe00000-ffffffffffffffff pa fffffffffffff000',
      'unmap fffffffffffff000-ffffffffffffffff took ffffffffffffffff',
    ]);
  });

  test('a device, where a kernel was made to print it', async () => {
    const opened = await open(
      'map: IOMMU: dev=1d84000.ufshc iova=0x00000000fffa8000 paddr=0x0000000100000000 size=4096',
      'unmap: IOMMU: dev=0000:23:00.0 iova=0x00000000fffa8000 size=4096 unmapped_size=4096',
    );
    expect(eventsOf(opened)).toEqual([
      'map fffa8000-fffa8fff pa 100000000 of 1d84000.ufshc',
      'unmap fffa8000-fffa8fff took 1000 of 0000:23:00.0',
    ]);
  });

  test('faults', async () => {
    const opened = await open(
      'io_page_fault: IOMMU:vfio-pci 0000:23:00.0 iova=0x00000000fff01000 flags=0x0000',
      'io_page_fault: IOMMU:my driver 0000:23:00.0 iova=0xffffffffffffffff flags=0x0003',
      'io_page_fault: IOMMU: 23:00.0 iova=0x0000000000000040 flags=0x0002',
    );
    expect(eventsOf(opened)).toEqual([
      'fault 0000:23:00.0 read fff01000 by vfio-pci',
      'fault 0000:23:00.0 write ffffffffffffffff by my driver',
      'fault 0000:23:00.0 read 40 by ?',
    ]);
  });

  test('groups; what is attached is said once to be of unknown domain', async () => {
    const opened = await open(
      'init-1 [000] ..... 1.0: add_device_to_group: IOMMU: groupID=7 device=0000:00:1f.0',
      'init-1 [000] ..... 1.1: add_device_to_group: IOMMU: groupID=7 device=0000:00:1f.2',
      'init-1 [000] ..... 1.2: attach_device_to_domain: IOMMU: device=0000:00:1f.2',
      'init-1 [000] ..... 1.3: detach_device_from_domain: IOMMU: device=0000:00:1f.2',
      'init-1 [000] ..... 1.4: remove_device_from_group: IOMMU: groupID=7 device=0000:00:1f.2',
    );
    expect(groupsOf(opened)).toEqual(['7: 0000:00:1f.0 0000:00:1f.2']);
    expect(diagnosticsOf(opened)).toEqual(['info attach-without-domain 3']);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });

  test('a trace of nothing but attachments is recognized', async () => {
    const opened = await open('init-1 [000] ..... 1.2: attach_device_to_domain: IOMMU: device=0000:00:1f.2');
    expect(diagnosticsOf(opened)).toEqual(['info attach-without-domain 1']);
    expect(opened.sources[0]?.formats.map(({ name }) => name)).toEqual(['ftrace']);
  });

  test('other events of the same trace, the header, and prose are not events', async () => {
    const opened = await open(
      '# tracer: nop',
      '#',
      '# entries-in-buffer/entries-written: 2/2   #P:4',
      '#                                _-----=> irqs-off/BH-disabled',
      '#                               / _----=> need-resched',
      '#                              | / _---=> hardirq/softirq',
      '#                              |||| /     delay',
      '#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION',
      '#              | |         |   |||||     |         |',
      '    init-1  [000] .....     1.0: kmem_cache_free: ptr=00000000fe980000 name=dma_addr',
      'The event prints "IOMMU: iova=0x%016llx - 0x%016llx" as of v5.19. The map: IOMMU: one, that is.',
      `    init-1  [000] .....     1.5: ${MAP}`,
    );
    expect(eventsOf(opened)).toEqual([`${MAPPED} @1.5`]);
    expect(diagnosticsOf(opened)).toEqual([]);
    expect(opened.sources[0]?.samples.map(({ line }) => line)).toEqual([10, 11]);
  });
});

describe('what is damaged or missing', () => {
  const damaged: [name: string, line: string][] = [
    ['the end does not fit the size', MAP.replace('12288', '8192')],
    ['a size that lost a digit', MAP.replace('12288', '1228')],
    ['no size', MAP.replace(' size=12288', ' siz')],
    ['no address of memory', MAP.replace(/paddr=\S+ /, '')],
    ['more than 64 bits', MAP.replace('0x0000000345600000', '0x10000000345600000')],
    ['a size of more than 64 bits', MAP.replace('12288', '18446744073709551616')],
    ['a range that ends above 64 bits', 'map: IOMMU: iova=0xfffffffffffff000 paddr=0x0000000000000000 size=8192'],
    ['a letter in a number', MAP.replace('fee00000', 'fee0000g')],
    ['a letter behind the number', MAP.replace('12288', '12288k')],
    ['flags that are none', 'io_page_fault: IOMMU:x 0000:23:00.0 iova=0x1000 flags='],
    ['a group without a number', 'add_device_to_group: IOMMU: groupID=7x device=a'],
  ];
  test.each(damaged)('%s', async (_, line) => {
    const opened = await open(line, MAP);
    expect(eventsOf(opened)).toEqual([MAPPED]);
    expect(diagnosticsOf(opened)).toEqual([expect.stringMatching(/^warning damaged-(?:event|number) 1$/)]);
  });

  test('a range of no bytes is none', async () => {
    const opened = await open('unmap: IOMMU: iova=0x1000 - 0x1000 size=0 unmapped_size=0', MAP);
    expect(eventsOf(opened)).toEqual([MAPPED]);
    expect(diagnosticsOf(opened)).toEqual(['info empty-range 1']);
  });

  const lost: [line: string][] = [
    ['CPU:3 [LOST 123 EVENTS]'],
    ['CPU:3 [LOST EVENTS]'],
    ['CPU:3 [123 EVENTS DROPPED]'],
    ['[123 events dropped]'],
    ['swapper     0 [000]     1.5: PERF_RECORD_LOST lost 12'],
    ['# entries-in-buffer/entries-written: 205/1000   #P:8'],
  ];
  test.each(lost)('%s', async (line) => {
    const opened = await open(line, MAP);
    expect(diagnosticsOf(opened)).toEqual(['warning events-lost 1']);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });
});

describe('lines that a mail program broke', () => {
  const LINES = [
    `   (udev-worker)-532     [010] .....     4.878076: ${MAP}`,
    `   (udev-worker)-532     [010] .....     4.878077: ${UNMAP}`,
    'map: IOMMU: iova=0x00000000f8007000 paddr=0x00000000fa007000 size=16748544',
    '   init-1  [000] .....     1.25: io_page_fault: IOMMU:vfio-pci 0000:23:00.0 iova=0x00000000fff01000 flags=0x0001',
    '   init-1  [000] .....     1.25: add_device_to_group: IOMMU: groupID=7 device=0000:00:1f.0',
  ];
  const breaks = LINES.flatMap((line, index) => {
    // Nobody breaks a line inside its first word.
    const first = (/\d: /.exec(line)?.index ?? 0) || line.indexOf('IOMMU');
    return Array.from({ length: line.length - first - 4 }, (_, i) => [index, first + i + 3] as const);
  });

  test('in any one place behind the time', { timeout: FUZZ_TIMEOUT }, async () => {
    expect(breaks.length).toBeGreaterThan(300);
    const whole = await open(...LINES);
    for (const [index, at] of breaks) {
      const line = LINES[index] ?? '';
      const broken = `${line.slice(0, at)}\n${line.slice(at).replace(/^ /, '')}`;
      const opened = await open(...LINES.with(index, broken));
      expect([broken, eventsOf(opened), groupsOf(opened)]).toEqual([broken, eventsOf(whole), groupsOf(whole)]);
      expect([broken, opened.sources[0]?.unrecognized]).toEqual([broken, 0]);
    }
  });

  test('a short line below a whole event is not part of it', async () => {
    const opened = await open(MAP, '17', 'add_device_to_group: IOMMU: groupID=7 device=5000000.iommu', '3a');
    expect(eventsOf(opened)).toEqual([MAPPED]);
    expect(groupsOf(opened)).toEqual(['7: 5000000.iommu']);
    expect(opened.sources[0]?.unrecognized).toBe(2);
  });
});
