// What the three kinds of tables of Intel's debugfs give, line by line.
import { describe, expect, test } from 'vitest';
import { diagnosticsOf, type Opened, openText } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);
const unrecognized = ({ sources }: Opened) => sources[0]?.unrecognized;

const entry = (value: number | bigint) => `0x${value.toString(16).padStart(16, '0')}`;
/** A row as the kernel prints it. */
const row = (frame: number | bigint, ...entries: (number | bigint)[]) =>
  `0x${frame.toString(16).padStart(13, '0')} |\t${entries.map(entry).join('\t')}`;
const TABLES = [0, 0x200a01003, 0x200a02003];
const page = (frame: number | bigint, pte: number | bigint) => row(frame, ...TABLES, 0x200a03003, pte);

/** Maps in short: `2: 1000-1fff pa 5000`, with what is missing of read and write. */
function mapsOf({ facts }: Opened): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'map') return [];
    expect(fact.origin).toBe('page-table');
    const about = [fact.device, fact.domain, fact.pasid].filter((part) => part !== undefined).join(' ');
    const access = 'read' in fact || 'write' in fact ? ` read ${fact.read} write ${fact.write}` : '';
    const range = `${fact.start.toString(16)}-${fact.last.toString(16)} pa ${fact.paddr?.toString(16)}`;
    return [`${fact.line}: ${range}${access}${about && ` (${about})`}`];
  });
}

describe('page tables', () => {
  const HEAD = 'Device 0000:3b:00.0 @0x2FE44A000';

  test('pages that run on are one map; others are not', async () => {
    const opened = await open(
      HEAD,
      'IOVA_PFN         \tPML5E             \tPML4E             \tPDPE              \tPDE               \tPTE',
      page(0x100, 0x311000003),
      page(0x101, 0x311001003),
      page(0x102, 0x311003003),
      page(0x104, 0x311004003),
      page(0x105, 0x311005001),
      page(0x106, 0x311006002),
    );
    const where = '(0000:3b:00.0 0x2fe44a000)';
    expect(mapsOf(opened)).toEqual([
      `3: 100000-101fff pa 311000000 ${where}`,
      `5: 102000-102fff pa 311003000 ${where}`,
      `6: 104000-104fff pa 311004000 ${where}`,
      `7: 105000-105fff pa 311005000 read true write false ${where}`,
      `8: 106000-106fff pa 311006000 read false write true ${where}`,
    ]);
    expect(unrecognized(opened)).toBe(0);
  });

  test('large pages, with the last entry missing or 0; small ones run on into them', async () => {
    const opened = await open(
      HEAD,
      page(0x1ff, 0x3443ff003),
      row(0x200, ...TABLES, 0x344400883),
      row(0x400, ...TABLES, 0x344600883, 0),
      row(0x40000, 0, 0x200a01003, 0x400000883n),
      row(0x80000, 0, 0x200a01003, 0x440000883n, 0, 0),
    );
    expect(mapsOf(opened)).toEqual([
      '2: 1ff000-5fffff pa 3443ff000 (0000:3b:00.0 0x2fe44a000)',
      '5: 40000000-bfffffff pa 400000000 (0000:3b:00.0 0x2fe44a000)',
    ]);
  });

  test('bits of an entry that are no address', async () => {
    const opened = await open(HEAD, page(1, 0xfff0000000001fffn), row(0x200, ...TABLES, 0x80000003445ff8e7n));
    expect(mapsOf(opened).map((map) => map.replace(/ \(.*/, ''))).toEqual([
      '2: 1000-1fff pa 1000',
      '3: 200000-3fffff pa 344400000',
    ]);
  });

  test('up to the top of 64 bits', async () => {
    const opened = await open(HEAD, page(0xffffffffffffen, 0x1003), page(0xfffffffffffffn, 0x2003));
    expect(mapsOf(opened)).toEqual(['2: ffffffffffffe000-ffffffffffffffff pa 1000 (0000:3b:00.0 0x2fe44a000)']);
  });

  test('a PASID, which is hex; another device ends what runs on', async () => {
    const opened = await open(HEAD, page(1, 0x1003), 'Device 0000:3b:00.1 with pasid 1f @0x2fe44b000', page(2, 0x2003));
    expect(mapsOf(opened)).toEqual([
      '2: 1000-1fff pa 1000 (0000:3b:00.0 0x2fe44a000)',
      '4: 2000-2fff pa 2000 (0000:3b:00.1 0x2fe44b000 31)',
    ]);
  });

  test.each(['0x0000000000', '0x000\n0000000100 |\t0x0000000000000000'])(
    'a row that is cut in its frame: %s',
    async (cut) => {
      const opened = await open(HEAD, cut, page(0x101, 0x311001003));
      expect(mapsOf(opened).length).toBe(1);
      expect(diagnosticsOf(opened)).toContain('warning damaged-page-table 2');
    },
  );

  test('what is damaged', async () => {
    const opened = await open(
      HEAD,
      row(0x200, ...TABLES),
      row(0x200, ...TABLES, 0x344400003),
      row(0x201, ...TABLES, 0x344400883),
      page(0x10000000000000n, 0x1003),
      page(1, 0x1000),
      `${page(1, 0x1003)}\t${entry(1)}`,
      page(1, 0x1003).replace('0x0000000200a01003', '0x00000000200a01003z'),
      page(1, 0x1003).replace('0x0000000200a01003', '0x10000000200a01003'),
      page(2, 0x1003),
    );
    expect(mapsOf(opened)).toEqual(['10: 2000-2fff pa 1000 (0000:3b:00.0 0x2fe44a000)']);
    expect(diagnosticsOf(opened)).toEqual([2, 3, 4, 5, 6, 7, 8, 9].map((line) => `warning damaged-page-table ${line}`));
  });

  test('facts stand in the order of their lines, whatever follows', async () => {
    const opened = await open(HEAD, page(1, 0x1003), 'map: IOMMU: iova=0x1000 paddr=0x5000 size=4096');
    expect(opened.facts.map(({ line }) => line)).toEqual([2, 3]);
  });

  test('rows that a mail program broke, in any one place', async () => {
    const lines = [HEAD, page(0x100, 0x311000003), row(0x200, ...TABLES, 0x344400883), page(0x500, 0x311001003)];
    const whole = mapsOf(await open(...lines)).map((map) => map.replace(/^\d+/, ''));
    expect(whole).toHaveLength(3);
    for (let index = 1; index < lines.length; index++) {
      const line = lines[index] ?? '';
      for (let at = 15; at < line.length; at++) {
        const broken = `${line.slice(0, at)}\n${line.slice(at).replace(/^[ \t]/, '')}`;
        const opened = await open(...lines.with(index, broken));
        expect([broken, mapsOf(opened).map((map) => map.replace(/^\d+/, ''))]).toEqual([broken, whole]);
      }
    }
  });
});

/** Facts of the tables in short: `1: dmar0`, `3: dmar0 0-ffffffffffff`. */
function rootsOf({ facts }: Opened): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind === 'iommu') return [`${fact.line}: ${fact.name} ${fact.driver}`];
    return fact.kind === 'aperture' ? [`${fact.line}: ${fact.iommu} ${fact.start}-${fact.last.toString(16)}`] : [];
  });
}

describe('root tables', () => {
  const HEAD = 'IOMMU dmar0: Root Table Address: 0x10b200000';
  const TITLE = 'B.D.F\tRoot_entry\t\t\t\tContext_entry\t\t\t\tPASID\tPASID_table_entry';
  const context = (upper: number, lower: number, pasid = -1) =>
    `3b:00.0\t${entry(0)}:${entry(0x10b201001)}\t${entry(upper)}:${entry(lower)}\t${pasid}    \t${entry(0)}:${entry(0)}:${entry(0)}`;

  const widths: [upper: number, lower: number, pasid: number, last: string | undefined][] = [
    [0x0701, 0x10b202001, -1, '7fffffffff'],
    [0x0702, 0x10b202001, -1, 'ffffffffffff'],
    [0x0703, 0x10b202005, -1, '1ffffffffffffff'],
    [0x0700, 0x10b202001, -1, undefined],
    [0x0704, 0x10b202001, -1, undefined],
    [0x0702, 0x10b202009, -1, undefined],
    [0x0702, 0x10b202000, -1, undefined],
    [0x0702, 0x10b202001, 0, undefined],
  ];
  test.each(widths)('context %i, %i, PASID %i', async (upper, lower, pasid, last) => {
    const opened = await open(HEAD, TITLE, context(upper, lower, pasid), context(upper, lower, pasid));
    expect(rootsOf(opened)).toEqual(['1: dmar0 intel', ...(last === undefined ? [] : [`3: dmar0 0-${last}`])]);
    expect(unrecognized(opened)).toBe(0);
    expect(diagnosticsOf(opened)).toEqual([]);
  });

  test('an aperture for each IOMMU and width', async () => {
    const other = HEAD.replace('dmar0', 'dmar1');
    const opened = await open(
      HEAD,
      context(1, 1),
      context(2, 1),
      context(1, 1),
      other,
      context(1, 1),
      HEAD,
      context(2, 1),
    );
    expect(rootsOf(opened)).toEqual([
      '1: dmar0 intel',
      '2: dmar0 0-7fffffffff',
      '3: dmar0 0-ffffffffffff',
      '5: dmar1 intel',
      '6: dmar1 0-7fffffffff',
    ]);
  });

  test('each column below its own title', async () => {
    const opened = await open(
      HEAD,
      'B.D.F   Root_entry',
      `3b:00.0 ${entry(0)}:${entry(1)}`,
      '',
      'Context_entry',
      `${entry(2)}:${entry(0x10b202005)}`,
      '',
      'PASID   PASID_table_entry',
      `-1      ${entry(0)}:${entry(0)}:${entry(0)}`,
    );
    expect(rootsOf(opened)).toEqual(['1: dmar0 intel', '3: dmar0 0-ffffffffffff']);
    expect(unrecognized(opened)).toBe(0);
  });

  test('rows that a mail program broke, in any one place; a note in a row', async () => {
    const line = context(2, 0x10b202005).replace('\t-1', ' (5 - device tlb enable)  -1');
    for (let at = 10; at < line.length; at++) {
      // A minus is not left behind.
      if (line[at - 1] === '-' || line.slice(0, at).includes('(') !== line.slice(0, at).includes(')')) continue;
      const broken = `${line.slice(0, at)}\n${line.slice(at).replace(/^[ \t]/, '')}`;
      const opened = await open(HEAD, TITLE, broken);
      expect([broken, rootsOf(opened)]).toEqual([broken, ['1: dmar0 intel', '3: dmar0 0-ffffffffffff']]);
      expect([broken, unrecognized(opened)]).toEqual([broken, 0]);
    }
  });

  test('what is damaged, and what is none of it', async () => {
    const opened = await open(
      HEAD,
      context(2, 1).replace('0x', '0y'),
      `${entry(0)}:${entry(0)}`,
      context(3, 1),
      'the end',
    );
    expect(rootsOf(opened)).toEqual(['1: dmar0 intel', '4: dmar0 0-1ffffffffffffff']);
    expect(diagnosticsOf(opened)).toEqual(['warning damaged-root-table 2']);
    expect(opened.sources[0]?.samples.map(({ line }) => line)).toEqual([3, 5]);
    expect(rootsOf(await open(context(2, 1)))).toEqual([]);
  });

  test('tables of interrupts', async () => {
    const opened = await open(
      'Remapped Interrupt supported on IOMMU: dmar0',
      ' IR table address:10d500000',
      ' Entry SrcID   DstID    Vct IRTE_high\t\tIRTE_low',
      ' 0     00:1e.7 00000100 24  00000000000400f7\t000001000024000d',
      ' 1     00:1e.7 00000100 25  00000000000400f7',
      '000001000025000d',
      '****',
      'Posted Interrupt supported on IOMMU: dmar0',
      ' IR table address:10d500000',
      ' Entry SrcID   PDA_high PDA_low  Vct IRTE_high\t\tIRTE_low',
      ' 4     3b:00.0 00000001 0abcdef0 41  0000000100043b00\t0abcdef000418001',
    );
    expect(rootsOf(opened)).toEqual(['1: dmar0 intel']);
    expect(unrecognized(opened)).toBe(0);
  });
});

describe('registers', () => {
  const HEAD = ['IOMMU: dmar0 Register Base Address: fed90000', 'Name\t\t\tOffset\t\tContents'];
  const register = (name: string, offset: string, value: string) => `${name.padEnd(16)}\t${offset}\t\t${value}`;
  const facts = (opened: Opened) => opened.facts.filter(({ kind }) => kind !== 'diagnostic');

  test('what the IOMMU can do, and the interrupt of its faults', async () => {
    const opened = await open(
      ...HEAD,
      register('FECTL', '0x38', '0x0000000000000000'),
      register('FEDATA', '0x3c', '0x0000000000000021'),
      register('FEADDR', '0x40', '0x00000000fee00000'),
      register('FEUADDR', '0x44', '0x0000000000000002'),
      register('CAP', '0x08', '0x00d2008c222f0686'),
      register('ECAP', '0x10', '0xffffffffffffffff'),
      register('MTRR_FIX64K_00000', '0x120', '0x0000000000000000'),
    );
    const source = 'paste.txt';
    expect(facts(opened)).toEqual([
      {
        kind: 'iommu',
        name: 'dmar0',
        driver: 'intel',
        address_width: 48,
        cap: 0xd2008c222f0686n,
        ecap: 0xffffffffffffffffn,
        source,
        line: 1,
      },
      {
        kind: 'msi_message',
        device: 'dmar0',
        address: 0x2fee00000n,
        data: 0x21n,
        enabled: true,
        source,
        line: 5,
      },
    ]);
    expect(unrecognized(opened)).toBe(0);
  });

  test('masked; not programmed; left out', async () => {
    const masked = await open(
      ...HEAD,
      register('FECTL', '0x38', '0x0000000080000000'),
      register('FEADDR', '0x40', '0x00000000fee00000'),
    );
    expect(facts(masked)[1]).toMatchObject({ address: 0xfee00000n, enabled: false });
    const none = await open(...HEAD, register('FEADDR', '0x40', '0x0000000000000000'));
    expect(facts(none)).toEqual([{ kind: 'iommu', name: 'dmar0', driver: 'intel', source: 'paste.txt', line: 1 }]);
    const elided = await open(...HEAD, '[...]', register('FEADDR', '0x40', '0x00000000fee00000'), '[...]', ...HEAD);
    expect(facts(elided).map(({ kind, line }) => [kind, line])).toEqual([
      ['iommu', 1],
      ['msi_message', 4],
      ['iommu', 6],
    ]);
  });

  test('more than 64 bits; registers of nobody', async () => {
    const opened = await open(
      register('CAP', '0x08', '0x00d2008c222f0686'),
      ...HEAD,
      register('CAP', '0x08', '0x100d2008c222f0686'),
    );
    expect(diagnosticsOf(opened)).toEqual(['warning damaged-register 4']);
    expect(facts(opened)).toEqual([{ kind: 'iommu', name: 'dmar0', driver: 'intel', source: 'paste.txt', line: 2 }]);
    expect(unrecognized(opened)).toBe(1);
  });
});

test('a table in two halves: the second one is below the first', async () => {
  const { facts } = await openText(
    [
      'Device 0000:00:02.0 with pasid 0 @0x1017f8000',
      'IOVA_PFN                PML5E                   PML4E',
      '0x000000008d800 |       0x0000000000000000      0x00000001017f9003',
      '0x000000008d801 |       0x0000000000000000      0x00000001017f9003',
      '',
      'PDPE                    PDE                     PTE',
      '0x00000001017fa003      0x00000001017fb003      0x000000009d800003',
      '0x00000001017fa003      0x00000001017fb003      0x000000009d801003',
    ].join('\n'),
  );
  expect(facts).toMatchObject([
    { kind: 'map', start: 0x8d800000n, last: 0x8d801fffn, paddr: 0x9d800000n, device: '0000:00:02.0', line: 3 },
  ]);
});

test('without the second half nothing is mapped, and that is said', async () => {
  const { facts } = await openText(
    'IOVA_PFN                PML5E                   PML4E\n0x000000008d800 |       0x0000000000000000      0x00000001017f9003\n',
  );
  expect(facts).toMatchObject([{ kind: 'diagnostic', code: 'damaged-page-table', line: 2 }]);
});
