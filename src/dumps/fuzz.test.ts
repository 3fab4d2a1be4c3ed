// Bad input of every kind: nothing throws, no fact is impossible, and neither work nor output grows faster than the
// input. FUZZ_RUNS=50 in the environment makes the runs so many times as many.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isIova } from '../iova/iova.ts';
import { type Fact, isFact } from '../session/events.ts';
import { newSession } from '../session/session.ts';
import { writeSession } from '../session/write.ts';
import { LOOKAHEAD } from './format.ts';
import { DIAGNOSTIC_LIMIT } from './input/collector.ts';
import type { DumpEvent } from './input/event-queue.ts';
import { openInputs } from './input/open.ts';
import { FORMATS } from './registry.ts';
import {
  firstLines,
  IS_LONG,
  inputOf,
  OFFERED_ALL,
  ofAnyInterest,
  openAll,
  fuzzRuns as runs,
  FUZZ_TIMEOUT as TIMEOUT,
  withParsers,
} from './testing/read.ts';

const ROOT = fileURLToPath(new URL('./fixtures/', import.meta.url));
const FIXTURES = readdirSync(ROOT, { recursive: true, encoding: 'utf8' })
  .filter((name) => name.includes('/') && !name.endsWith('.facts.jsonl'))
  .sort()
  .map((name) => ({ name, bytes: new Uint8Array(readFileSync(join(ROOT, name))) }));
const TABLES = FIXTURES.filter(({ name }) => name.endsWith('.dat')).map(({ bytes }) => bytes);
const TEXTS = FIXTURES.filter(({ name }) => !name.endsWith('.dat')).map(({ bytes }) =>
  firstLines(new TextDecoder().decode(bytes), 200),
);
const LINES = [...new Set(TEXTS.flatMap((text) => text.split('\n')))];

/** Looks at other lines that one line may cause in one reader: a few attempts to join it with the next. */
const LOOKS_EACH = 32;
const KNOWN_KINDS = [
  'start',
  'last',
  'paddr',
  'vaddr',
  'address',
  'data',
  'cap',
  'ecap',
  'unmapped',
  'pgsize_bitmap',
] as const;

/** How often the formats below were offered a line and looked at others. */
const count = { offers: 0, looks: 0 };

/** The formats, counting. One list for all inputs: the matcher of its interests takes longer to make than most of them to read. */
const COUNTED = withParsers((parser, { name }) => ({
  ...parser,
  open: (source, sink) => {
    const reader = parser.open(source, sink);
    return {
      line: (line, ahead) => {
        count.offers++;
        const taken = reader.line(line, (n) => {
          count.looks++;
          return ahead(n);
        });
        if (!(taken >= 0 && taken <= LOOKAHEAD + 1)) expect.fail(`${name} takes ${taken}: ${line.text}`);
        return taken;
      },
      end: () => reader.end?.(),
    };
  },
}));

function checkFact(fact: Fact): void {
  const said = () =>
    JSON.stringify(fact, (_, value) => (typeof value === 'bigint' ? `0x${value.toString(16)}` : value));
  const fields: Partial<Record<string, unknown>> = fact;
  for (const name of KNOWN_KINDS) {
    const value = fields[name];
    if (value !== undefined && !(typeof value === 'bigint' && isIova(value))) expect.fail(`${name} of ${said()}`);
  }
  const { start, last } = fields;
  if (typeof start === 'bigint' && typeof last === 'bigint' && start > last) expect.fail(said());
  if (fact.kind === 'diagnostic' && !/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(fact.code)) expect.fail(said());
  if (fact.kind === 'diagnostic' && fact.message.length > 4000) expect.fail(said());
  for (const name of ['address_width', 'time', 'depth', 'line']) {
    const value = fields[name];
    if (value !== undefined && !(typeof value === 'number' && Number.isFinite(value) && value >= 0)) {
      expect.fail(`${name} of ${said()}`);
    }
  }
}

/** Facts that were found so far, diagnostics aside: what finds none tries nothing. */
let found = 0;

async function survives(content: string | Uint8Array, chunk?: number): Promise<void> {
  const events: DumpEvent[] = [];
  count.offers = 0;
  count.looks = 0;
  const { sources } = await openInputs([inputOf('x', content, chunk)], {
    formats: COUNTED,
    onEvents: (batch) => events.push(...batch),
  });
  const [source] = sources;
  const facts = events.filter(isFact);
  const byCode = new Map<string, number>();
  for (const fact of facts) {
    checkFact(fact);
    // A session file may name any other.
    if (typeof fact.source !== 'string') expect.fail('a fact without source');
    if (fact.kind === 'diagnostic') byCode.set(fact.code, (byCode.get(fact.code) ?? 0) + 1);
  }
  for (const [code, times] of byCode) expect([code, times <= DIAGNOSTIC_LIMIT + 1]).toEqual([code, true]);
  expect(byCode.size).toBeLessThan(100);
  expect(source?.samples.length).toBeLessThanOrEqual(5);
  const lines = source?.lines ?? 0;
  // A log entry may hold lines of its own.
  const most = lines + content.length;
  expect(source?.unrecognized).toBeLessThanOrEqual(most);
  expect(events.length).toBeLessThanOrEqual(64 + content.length);
  expect(count.offers).toBeLessThanOrEqual(FORMATS.length * most);
  expect(count.looks).toBeLessThanOrEqual(LOOKS_EACH * count.offers);
  found += facts.filter(({ kind }) => kind !== 'diagnostic').length;
}

/** Numbers at which arithmetic goes wrong. */
const NUMBERS = [
  '0',
  '1',
  'fff',
  '1000',
  'fee00000',
  '7fffffff',
  'ffffffff',
  '100000000',
  '7fffffffffffffff',
  '8000000000000000',
  'fffffffffffff000',
  'ffffffffffffffff',
  '10000000000000000',
  'ffffffffffffffffffff',
  '18446744073709551615',
  '18446744073709551616',
  '9007199254740993',
  '-1',
  '1e400',
  '999999999',
];

/** Words of the formats, one list a family. */
const TOKENS = [
  [
    '0x',
    '0',
    'f',
    ' ',
    '\t',
    '\n',
    '\n',
    '\n',
    '\r',
    '=',
    '>',
    '> ',
    '|',
    '/',
    ':',
    ',',
    '- ',
    ' - ',
    '...',
    '\0',
    '*',
    '(',
    ')',
    '[',
    ']',
  ],
  [
    '$ ',
    '# ',
    'cat ',
    'cd ',
    'ls ',
    'group 7',
    'msi',
    'direct-',
    'reserved_regions',
    '/sys/kernel/iommu_groups/',
    '7',
    '/devices/',
    '0000:00:1f.0',
    '==> ',
    ' <==',
  ],
  [
    'msg="',
    '{"log":"',
    '"}',
    'Jan  3 12:00:01 maple kernel: ',
    '[    1.500000] ',
    '<6>',
    '(XEN) ',
    '&gt; ',
    '12:34 <x> ',
    '\u001b[0m',
  ],
  [
    '/sys/class/iommu/',
    'dmar0',
    '/intel-iommu/',
    'cap',
    'ecap',
    '/amd-iommu/',
    'features',
    'ivhd0',
    ' -> ',
    'smmu3.0x1000',
  ],
  [
    'address-space: memory',
    'memory-region: system',
    'FlatView #1',
    ' AS "memory", root: system',
    '  ',
    '0000000000000000-ffffffffffffffff',
    ' (prio 0, i/o): ',
    ' (prio -1, ram): ',
    'alias x @y ',
    'system',
    'pci',
    ' @0000000000001000',
    ' KVM',
    ' [disabled]',
    'Dispatch',
    ' Physical sections',
    '      #0 @0..fff ',
    'Root memory region: x',
  ],
  [
    '00:02.0 VGA compatible controller',
    '\tRegion 0: Memory at ',
    '\tMemory at ',
    ' (64-bit, prefetchable)',
    ' [size=',
    '256M',
    '16E',
    '4K',
    ']',
    '[virtual] ',
    '\tCapabilities: [90] MSI: Enable+',
    '\t\tAddress: ',
    '  Data: 4021',
    ' MSI-X: Enable+ Count=9',
    '\t\tVector table: BAR=0 offset=',
    '\tPBA: BAR=4 offset=',
    '\tIOMMU group: 7',
    '\tExpansion ROM at ',
    '\tMemory behind bridge: ',
  ],
  [
    'vfio_dma_map(',
    'vfio_container_dma_unmap(',
    ', ',
    ') = -22 (Invalid argument)',
    ') = -',
    'qemu-system-x86_64: ',
    'VFIO_MAP_DMA failed: ',
    'IOMMU_IOAS_MAP failed: ',
    'Address space limit ',
    ' < ',
    ' phys-bits too low (40)',
    'Region x: ',
    'host=0000:65:00.0',
  ],
  [
    'vfio_listener_region_add_ram region_add [ram] ',
    'region_del ',
    'SKIPPING region_add ',
    'iommufd_backend_map_dma  iommufd=1 ioas=2 iova=0x',
    'iommufd_backend_unmap_dma',
    ' size=',
    ' addr=',
    ' readonly=0 (0)',
    '4711@17.5:',
    'vfio_region_setup ',
    'virtio_iommu_map ',
  ],
  [
    'qemu-kvm-4575 [000] ....... 1.5: ',
    'map: IOMMU: ',
    'unmap: IOMMU: ',
    'iova=0x',
    ' - 0x',
    ' paddr=0x',
    ' size=',
    ' unmapped_size=',
    'io_page_fault: IOMMU:x 0000:00:02.0 ',
    ' flags=0x',
    'add_device_to_group: IOMMU: groupID=',
    ' device=',
    '[LOST 3 EVENTS]',
    'iommu: map: iova ',
    ' pa ',
    'mapping: iova ',
    'unmapped: iova ',
  ],
  [
    'Device 0000:00:02.0 @0x',
    ' with pasid 3 ',
    'IOVA_PFN PML5E PML4E',
    '\t|\t',
    '0x0000000000001',
    '0x000000000fee0',
    'Register Base Address: ',
    'IOMMU: dmar0 ',
    'CAP ',
    'FEADDR',
    '0x08 ',
    'IOMMU dmar0: Root Table Address: ',
    'B.D.F Root_entry Context_entry',
    '00:02.0 ',
    '0x0000000000000000:0x000000010b201001',
    'Interrupt supported on IOMMU: dmar0',
  ],
  [
    '[024h 0036 001h] ',
    '[0040] ',
    'Signature : "DMAR"',
    'Signature : "IVRS"',
    'Signature : "IORT"',
    'Host Address Width : ',
    'Subtable Type : ',
    '0001 [Reserved Memory Region]',
    'Base Address : ',
    'End Address (limit) : ',
    'Length : ',
    'Memory Length : ',
    'PCI Path : 1F,00',
    'PCI Bus Number : ',
    'Device ID : ',
    'Type : ',
    'Input base : ',
    'Remapping Permitted : 1',
    'Start Address : ',
    'Raw Table Data: Length 240 (0xF0)',
  ],
  [
    '00000000: ',
    '00000000  ',
    '0000000 ',
    '8800 0000 ',
    '88 00 00 00 ',
    '|....|',
    '0x7ffd0:\t',
    '0x88\t',
    '<buf+16>:',
    'unsigned char x[] = {',
    '};',
    '0x88, ',
    '\\x88\\x00',
    '\n*\n',
    '00000088',
  ],
  [
    'DMAR: Host address width ',
    'DMAR: dmar0: reg_base_addr ',
    ' ver 1:0 cap ',
    'RMRR base: 0x',
    ' end: 0x',
    'DMAR: [DMA Read NO_PASID] Request device [02:00.0] fault addr 0x',
    ' [fault reason 0x06] x',
    'AMD-Vi: Event logged [IO_PAGE_FAULT device=',
    ' domain=0x',
    ' address=0x',
    ' flags=0x0000]',
    'IVMD_TYPE',
    'arm-smmu-v3 a.b: event 0x10 received:',
    '\t0x',
    'Unhandled context fault: fsr=0x',
    ', iova=0x',
    'F_TRANSLATION client: ',
    'Adding to iommu group ',
    'iommu: Default domain type: Translated',
    'RLIMIT_MEMLOCK (',
    ') exceeded',
  ],
  [
    '[VT-D]',
    'dmaru->address = ',
    'cap = ',
    ' ecap = ',
    'RMRR region: base_addr ',
    ' end_addr ',
    'smmu: /axi/smmu@f: ',
    '-bit VA ',
    'IVMD Block: ',
    'Start_Addr_Phys ',
    'Mem_Length ',
  ],
  [
    'EAL: ',
    'DPDK dma_map vaddr: ',
    ', iova: ',
    ', size: ',
    ', ret: ',
    'Cannot set up DMA remapping, error 28 (',
    'Could not unmap mmio region',
    ' iova 0x',
    'exceed',
    'DMA mask',
    'ret=-1, errno was set to ',
    'failed to map region',
  ],
  ['00000000-00000fff : Reserved', '00001000-0009fbff : ', '  ', 'System RAM', 'PCI Bus 0000:00', '-', ' : '],
  NUMBERS,
];
const token = fc.oneof(...TOKENS.map((words) => fc.constantFrom(...words)));
/** Words of one family are more likely to make sense together. */
const family = fc
  .constantFrom(...TOKENS)
  .chain((words) =>
    fc.array(
      fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...words) }, fc.constantFrom(...NUMBERS, ' ', '\n', '0x')),
      { maxLength: 40 },
    ),
  );
/** What the formats read, with a number in the place of each N. */
const FORMS = [
  '0xN 0xN msi',
  '/sys/kernel/iommu_groups/7/reserved_regions:0xN 0xN direct',
  '/sys/class/iommu/dmar0/intel-iommu/cap:N',
  'N-N : System RAM\n  N-N : Kernel code',
  'DMAR: Host address width N',
  'DMAR: dmar0: reg_base_addr N ver 1:0 cap N ecap N',
  'DMAR: RMRR base: 0xN end: 0xN',
  'DMAR: [DMA Read] Request device [02:00.0] PASID N fault addr N [fault reason N] x',
  'AMD-Vi: Event logged [IO_PAGE_FAULT device=02:00.0 domain=0xN address=0xN flags=0xN]',
  'AMD-Vi:   DEV_RANGE_END devid: ff:1f.6\nAMD-Vi:   IVMD_TYPE_ALL range_start: N range_end: N flags: N',
  'arm-smmu-v3 a.b: event 0x10 received:\narm-smmu-v3 a.b: \t0xN\narm-smmu-v3 a.b: \t0xN\narm-smmu-v3 a.b: \t0xN\narm-smmu-v3 a.b: \t0xN',
  'arm-smmu a.b: Unhandled context fault: fsr=0xN, iova=0xN, fsynr=0xN, cb=N',
  'riscv,iommu a.b: Fault N devid: 0xN iotval: N iotval2: N',
  'virtio_iommu virtio0: page fault from EP N at 0xN [RW]',
  'iommu: map: iova 0xN pa 0xN size 0xN',
  'qemu-system-x86_64: vfio_dma_map(0xN, 0xN, 0xN, 0xN) = -22 (Invalid argument)',
  'qemu-system-x86_64: vfio_container_dma_unmap(0xN, 0xN, 0xN) = -22 (Invalid argument)',
  'qemu-system-x86_64: Address space limit 0xN < 0xN phys-bits too low (N)',
  '4711@17.5:vfio_listener_region_add_ram region_add [ram] 0xN - 0xN [0xN]',
  'iommufd_backend_map_dma  iommufd=1 ioas=N iova=0xN size=0xN addr=0xN readonly=0 (N)',
  'iommufd_backend_unmap_dma  iommufd=1 ioas=N iova=0xN size=0xN (0)',
  'map: IOMMU: iova=0xN - 0xN paddr=0xN size=N',
  'x-1 [000] ....... N.N: unmap: IOMMU: iova=0xN - 0xN size=N unmapped_size=N',
  'io_page_fault: IOMMU:x 0000:00:02.0 iova=0xN flags=0xN',
  'FlatView #0\n AS "memory", root: system\n Root memory region: system\n  N-N (prio N, ram): x @N',
  'address-space: memory\n  0000000000000000-ffffffffffffffff (prio 0, i/o): system\n    N-N (prio 1, ram): x\n    N-N (prio N, i/o): alias y @x N-N',
  '00:02.0 VGA compatible controller: x\n\tRegion 0: Memory at N (64-bit, prefetchable) [size=NM]\n\tCapabilities: [90] MSI: Enable+ Count=1/1 Maskable- 64bit+\n\t\tAddress: N  Data: N',
  'Device 0000:00:02.0 @0xN\nIOVA_PFN\tPML5E\tPML4E\tPDPE\tPDE\tPTE\n0xN\t|\t0xN\t0xN\t0xN\t0xN\t0xN',
  'IOMMU: dmar0 Register Base Address: N\nName Offset Contents\nCAP 0x08 0xN\nECAP 0x10 0xN\nFEADDR 0x40 0xN',
  'IOMMU dmar0: Root Table Address: 0xN\n00:02.0 0xN:0xN 0xN:0xN N 0xN:0xN:0xN',
  '[000h 0000 004h] Signature : "DMAR"\n[024h 0036 001h] Host Address Width : N\n[030h 0048 002h] Subtable Type : 0001 [Reserved Memory Region]\n[038h 0056 008h] Base Address : N\n[040h 0064 008h] End Address (limit) : N',
  '(XEN) [VT-D]dmar.c:615:   RMRR region: base_addr N end_addr N',
  'DPDK dma_map vaddr: 0xN, iova: 0xN, size: 0xN, ret: N',
  '00000000: 8800 0000 0300 0000 00f0 ffff ffff ffff\n00000010: 1800 0000 0000 0000 0100 0100 0000 0000\n00000020: N',
];
const digits = fc.oneof(
  fc.constantFrom(...NUMBERS),
  fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }).map((n) => n.toString(16)),
  fc.nat().map(String),
);
const form = fc
  .tuple(fc.constantFrom(...FORMS), fc.array(digits, { minLength: 10, maxLength: 10 }), fc.boolean())
  .map(([text, numbers, isPadded]) => {
    let at = 0;
    return text.replace(/(?<![A-Z])N(?![A-Za-z_])|N(?=M\])/g, () =>
      (numbers[at++ % 10] ?? '').padStart(isPadded ? 16 : 1, '0'),
    );
  });
const soup = fc.oneof(
  fc.array(token, { maxLength: 200 }).map((tokens) => tokens.join('')),
  fc.array(family, { maxLength: 6 }).map((lines) => lines.flat().join('')),
  fc.array(form, { maxLength: 12 }).map((lines) => lines.join('\n')),
);

/** A line of a fixture with something wrong with it. */
const mutated = fc
  .record({
    line: fc.constantFrom(...LINES),
    how: fc.nat(7),
    at: fc.nat(1000),
    number: fc.constantFrom(...NUMBERS),
    other: token,
  })
  .map(({ line, how, at, number, other }) => {
    const place = at % (line.length + 1);
    switch (how) {
      case 0:
        return line;
      case 1:
        return line.slice(0, place) + line.slice(place + 1);
      case 2:
        return line.slice(0, place) + other + line.slice(place);
      case 3:
        return `${line.slice(0, place)}\n${line.slice(place)}`;
      case 4:
        return line.slice(0, place);
      case 5:
        return line.slice(place);
      case 6:
        return `${line}${line}`;
      default: {
        // One of its numbers is another.
        const found = [...line.matchAll(/[0-9a-fA-F]{2,}/g)];
        const match = found[at % Math.max(1, found.length)];
        return match ? line.slice(0, match.index) + number + line.slice(match.index + match[0].length) : number;
      }
    }
  });

describe('nothing throws, and nothing grows without bounds', () => {
  test('random bytes', { timeout: TIMEOUT }, async () => {
    const bytes = fc.uint8Array({ maxLength: 2000 });
    await fc.assert(fc.asyncProperty(bytes, fc.integer({ min: 1, max: 300 }), survives), runs(100));
  });

  test('random text of the words that dumps are made of', { timeout: TIMEOUT }, async () => {
    const before = found;
    await fc.assert(
      fc.asyncProperty(soup, (text) => survives(text)),
      runs(250),
    );
    expect(found - before).toBeGreaterThan(100);
  });

  test('lines of fixtures with something wrong with them', { timeout: TIMEOUT }, async () => {
    const before = found;
    await fc.assert(
      fc.asyncProperty(fc.array(mutated, { maxLength: 40 }), fc.integer({ min: 1, max: 5000 }), (lines, chunk) =>
        survives(lines.join('\n'), chunk),
      ),
      runs(150),
    );
    expect(found - before).toBeGreaterThan(100);
  });

  test('the same facts in pieces of any size', { timeout: TIMEOUT }, async () => {
    const read = async (text: string, chunk?: number) => {
      const events: DumpEvent[] = [];
      const { sources } = await openInputs([inputOf('x', text, chunk)], { onEvents: (batch) => events.push(...batch) });
      return { events, sources };
    };
    const lines = fc.array(fc.oneof({ weight: 3, arbitrary: mutated }, soup), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(lines, fc.integer({ min: 1, max: 2000 }), async (parts, chunk) => {
        const text = parts.join('\n');
        expect(await read(text, chunk)).toEqual(await read(text));
      }),
      runs(80),
    );
  });

  test('what the formats read is never kept from them by their interest', { timeout: TIMEOUT }, async () => {
    let facts = 0;
    await fc.assert(
      fc.asyncProperty(fc.oneof(form, mutated), async (text) => {
        const inputs = [inputOf('x', text)];
        const opened = await openAll(inputs);
        expect(ofAnyInterest(opened.facts)).toEqual(ofAnyInterest((await openAll(inputs, OFFERED_ALL)).facts));
        facts += opened.facts.length;
      }),
      runs(300),
    );
    expect(facts).toBeGreaterThan(100);
  });

  test('fixtures with a few lines that are wrong', { timeout: TIMEOUT }, async () => {
    const before = found;
    const change = fc.tuple(fc.nat(), mutated, fc.boolean());
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...TEXTS), fc.array(change, { maxLength: 8 }), async (text, changes) => {
        const lines = text.split('\n');
        for (const [at, line, replace] of changes) lines.splice(at % (lines.length + 1), replace ? 1 : 0, line);
        await survives(lines.join('\n'));
      }),
      runs(150),
    );
    expect(found - before).toBeGreaterThan(100);
  });

  test('fixtures cut and put together again', { timeout: TIMEOUT }, async () => {
    const before = found;
    const share = fc.nat(1000).map((n) => n / 1000);
    const piece = fc.record({ text: fc.constantFrom(...TEXTS), from: share, to: share });
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { minLength: 1, maxLength: 5 }), async (pieces) => {
        const cut = pieces.map(({ text, from, to }) => text.slice(from * text.length, to * text.length));
        await survives(cut.join(''));
      }),
      runs(150),
    );
    expect(found - before).toBeGreaterThan(100);
  });

  test('the bytes of a session file', { timeout: TIMEOUT }, async () => {
    const session = newSession();
    session.events.push({ kind: 'host', name: 'x', source: 'x' });
    const text = writeSession(session);
    await fc.assert(
      fc.asyncProperty(fc.nat(text.length), fc.nat(text.length), fc.string(), (a, b, middle) =>
        survives(text.slice(0, a) + middle + text.slice(b)),
      ),
      runs(200),
    );
  });
});

describe('ACPI tables that are damaged', () => {
  /** Lengths and counts that firmware got wrong. */
  const VALUES = [0, 1, 2, 7, 0x7f, 0xff, 0xffff, 0x7fff_ffff, 0xffff_ffff];
  const change = fc.record({
    table: fc.constantFrom(...TABLES),
    flips: fc.array(fc.nat(), { maxLength: 6 }),
    values: fc.array(fc.record({ at: fc.nat(), size: fc.constantFrom(1, 2, 4), value: fc.constantFrom(...VALUES) }), {
      maxLength: 4,
    }),
    cut: fc.option(fc.nat(1000).map((n) => n / 1000)),
    behind: fc.constantFrom(0, 0, 1, 4096),
  });

  test('bits turned, lengths that are wrong, ends cut off, more behind them', { timeout: TIMEOUT }, async () => {
    const before = found;
    expect(TABLES.length).toBeGreaterThan(3);
    await fc.assert(
      fc.asyncProperty(
        change,
        fc.integer({ min: 1, max: 400 }),
        async ({ table, flips, values, cut, behind }, chunk) => {
          const bytes = new Uint8Array(table.length + behind);
          bytes.set(table);
          for (const bit of flips) {
            const at = (bit >> 3) % table.length;
            bytes[at] = (bytes[at] ?? 0) ^ (1 << (bit & 7));
          }
          for (const { at, size, value } of values) {
            for (let i = 0; i < size; i++) bytes[(at + i) % table.length] = (value >>> (8 * i)) & 0xff;
          }
          await survives(cut === null ? bytes : bytes.slice(0, cut * bytes.length), chunk);
        },
      ),
      runs(300),
    );
    expect(found - before).toBeGreaterThan(100);
  });

  test.each(VALUES.map((value, index) => [value, index] as const))(
    '%i in the places where a length may stand',
    { timeout: TIMEOUT },
    async (value, index) => {
      let tried = 0;
      for (const [row, table] of TABLES.entries()) {
        // Lengths stand at even places. Each place gets every third value, the long form all of them.
        for (let at = 4; at < table.length; at += 2) {
          if (!IS_LONG && (at / 2 + index + row) % 3 !== 0) continue;
          const bytes = table.slice();
          const view = new DataView(bytes.buffer);
          const before = at + 4 <= bytes.length ? view.getUint32(at, true) : undefined;
          if (at + 2 <= bytes.length) view.setUint16(at, value & 0xffff, true);
          await survives(bytes);
          tried++;
          // The same bytes again, unless there is something in the upper half.
          if (before === undefined || before >>> 16 === value >>> 16) continue;
          view.setUint32(at, value, true);
          await survives(bytes);
        }
      }
      expect(tried).toBeGreaterThan(100);
    },
  );
});

describe('long runs of one thing', () => {
  /** In characters: longer than a line may be. */
  const LENGTH = IS_LONG ? 60_000 : 20_000;
  const STARTS = ['', '0x0 ', '/sys/kernel/iommu_groups/', '[', 'a@b:', 'time="', 'IOMMU: ', 'Device 0 ', '00:02.0 '];
  // Where a pattern would go back and forth, this would not come to an end.
  const REPEATED = [
    ...[
      '0x',
      '0x0 ',
      '0x0 0x',
      '>',
      '> ',
      '| ',
      ' ',
      '\t',
      '=',
      '/',
      '[',
      '(',
      '<',
      'a ',
      'a=',
      'a="',
      '\\',
      '1:',
      '#',
      '$',
      '-',
      '- ',
      '.',
    ],
    ...[
      '7/',
      'group ',
      'iommu_groups/7/devices/',
      'reserved_regions',
      '0000:00:1f.0 ',
      'msg="\\"',
      '{"log":"',
      '&gt;',
      '==> ',
      ' <==',
    ],
    ...[
      '\u001b[',
      '\u001b]',
      'direct-',
      'Jan 1 ',
      '=3D',
      '=\n',
      '0x0\n',
      '\0',
      '\r',
      '~/',
      'x@',
      'x@y:',
      'cd ',
      '; cd ',
      '<pre>',
    ],
    ...[
      'a',
      'f',
      '0',
      '00 ',
      '00',
      '0,',
      '0x00, ',
      '\\x00',
      ', ',
      'A ',
      'A : ',
      ' : ',
      'Z',
      '_',
      '"',
      "'",
      '{',
      '}',
      '*\n',
      '~',
      '@',
      '+',
      '%',
    ],
    ...['/sys/class/iommu/', 'dmar0/', 'intel-iommu/cap ', 'cap:', 'dmar0 ', '-iommu/', ' -> ', '/iommu', '{a,'],
    ...[
      '0000000000000000-',
      '(prio ',
      'i/o): ',
      '@',
      'alias ',
      '  ',
      'AS "',
      '#0 @0..',
      'FlatView ',
      '0-0\n',
      '    0000000000000000-00000000000000ff (prio 0, i/o): x\n',
    ],
    ...['Memory at ', '[size=', '(64-bit', 'Region 0: ', 'MSI: Enable+ ', 'Address: ', 'BAR=0 offset=', '00:02.0 '],
    ...[
      'vfio_dma_map(',
      ', 0x0',
      'region_add ',
      ' - ',
      'IOMMU: ',
      'map: ',
      'iova=0x',
      'iova=0x0 - ',
      'size=',
      'IOMMU:iova',
      'IOMMU:a ',
    ],
    ...[
      'Device ',
      'Device 0000:00:02.0 @',
      '0x0\t',
      '|\t',
      '0x0000000000001\t|\t0x0 ',
      '0x0:',
      'CAP 0x08 0x0\n',
      'Register Base Address: ',
    ],
    ...[
      '[024h ',
      '[0040] ',
      'Base Address : ',
      'Length : ',
      'Signature : "DMAR"\n',
      '00000000: ',
      '00000000: 00\n',
      '<a>',
      '<a+1>:',
    ],
    ...[
      'DMAR: ',
      'RMRR base: ',
      '[DMA Read] ',
      'fault addr ',
      'Event logged [',
      'event 0x10 received:\n',
      '\t0x0',
      'iova: ',
      'sid: ',
      'fsr=',
      '[VT-D]',
    ],
    ...[
      'EAL: ',
      'iova 0x0 ',
      'DMA remapping ',
      'error ',
      'exceed ',
      '0-0 : ',
      '00000000-00000fff : x\n',
      'region_del 0x0 - 0x1\n',
    ],
    ...[
      'x-1 [0] 1.5: ',
      '[0] ',
      '1.',
      'x-1 [0] 1.5: map: IOMMU: iova=0x1000 - 0x2000 paddr=0x5000 size=4096\n',
      '[LOST 1 EVENTS]\n',
      '...\n',
      '# \n',
    ],
  ];

  test.each(REPEATED.map((text, index) => [text, index] as const))('%j over and over', async (text, index) => {
    // Each text gets every third start, the long form all of them.
    for (const [at, start] of STARTS.entries()) {
      if (!IS_LONG && (at + index) % 3 !== 0) continue;
      await survives(start + text.repeat(Math.ceil(LENGTH / text.length)));
    }
  });
});
