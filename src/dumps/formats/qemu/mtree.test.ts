import { describe, expect, test } from 'vitest';
import { diagnosticsOf, type Opened, openText } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);

/** Guest ranges in short: `memory: 0-9ffff ram pc.ram (3)`, the line in brackets. */
function guestOf({ facts }: Pick<Opened, 'facts'>): string[] {
  return facts.flatMap((fact) => {
    if (fact.kind !== 'guest') return [];
    const range = `${fact.start.toString(16)}-${fact.last.toString(16)}`;
    const offset = fact.offset === undefined ? '' : ` @${String(fact.offset)}`;
    return [`${fact.space ?? '?'}: ${range} ${fact.type} ${fact.name}${offset} (${fact.line})`];
  });
}

async function check(lines: string[], expected: string[], diagnostics: string[] = []): Promise<void> {
  const opened = await open(...lines);
  expect(guestOf(opened)).toEqual(expected);
  expect(diagnosticsOf(opened)).toEqual(diagnostics);
  expect(opened.sources[0]?.unrecognized).toBe(0);
}

describe('flat', () => {
  test('one set of facts for all address spaces of a view, named after the memory', () =>
    check(
      [
        '(qemu) info mtree -f',
        'FlatView #0',
        ' AS "cpu-memory-0", root: system',
        ' AS "memory", root: system',
        ' Root memory region: system',
        '  0000000000000000-000000000009ffff (prio 0, ram): pc.ram',
        '  00000000000c0000-00000000000cafff (prio 0, rom): pc.ram @00000000000c0000 KVM',
        'FlatView #1',
        ' AS "e1000", root: bus master container',
        ' AS "nvme", root: bus master container',
        ' Root memory region: (none)',
        '  No rendered FlatView',
        'FlatView #2',
        ' AS "nvme", root: x, alias y',
        ' AS "xhci", root: x',
        ' Root memory region: x',
        '  ffffffffffff0000-ffffffffffffffff (prio -1, nv-ram): top kvm',
      ],
      [
        'memory: 0-9ffff ram pc.ram (6)',
        'memory: c0000-cafff rom pc.ram @0xc0000 (7)',
        'nvme: ffffffffffff0000-ffffffffffffffff nv-ram top (17)',
      ],
    ));

  test('with owners and the tables of the dispatch', () =>
    check(
      [
        'FlatView #0',
        ' AS "memory", root: system',
        ' Root memory region: system',
        '  0000000000000000-0000000007ffffff (prio 0, ram): mem 0 @0000000000001000 KVM owner:{obj path=/objects/m}',
        '  Dispatch',
        '    Physical sections',
        '      #0 @0000000000000000..ffffffffffffffff (noname) [unassigned]',
        '    Nodes (9 bits per level, 6 levels) ptr=[1] skip=3',
        '      [0]',
        '          0       skip=2  ptr=[0]',
        '          1..511  skip=1  ptr=NIL',
      ],
      ['memory: 0-7ffffff ram mem 0 @0x1000 (4)'],
    ));

  test('as QEMU 2.9 had it', () =>
    check(
      [
        'address-space (flat view): memory',
        '  0000000000000000-0000000007ffffff (prio 0, ram): mem',
        'address-space (flat view): I/O',
        "  No rendered FlatView for address space 'I/O'",
      ],
      ['memory: 0-7ffffff ram mem (2)'],
    ));
});

describe('tree', () => {
  test('children, priorities and aliases; the same content is told once', () =>
    check(
      [
        'address-space: memory',
        '  0000000000000000-ffffffffffffffff (prio 0, i/o): system',
        '    0000000000000000-000000003fffffff (prio 0, ram): alias low @ram 0000000000000000-000000003fffffff',
        '    00000000000a0000-00000000000affff (prio 1, i/o): vga',
        '    0000000100000000-000000013fffffff (prio 0, ram): alias high @ram 0000000040000000-000000007fffffff',
        '',
        'address-space: cpu-memory-0',
        '  0000000000000000-ffffffffffffffff (prio 0, i/o): system',
        '    0000000000000000-000000003fffffff (prio 0, ram): alias low @ram 0000000000000000-000000003fffffff',
        '    00000000000a0000-00000000000affff (prio 1, i/o): vga',
        '    0000000100000000-000000013fffffff (prio 0, ram): alias high @ram 0000000040000000-000000007fffffff',
        '',
        'memory-region: ram',
        '  0000000000000000-000000007fffffff (prio 0, ram): ram',
      ],
      [
        'memory: 0-9ffff ram ram (14)',
        'memory: a0000-affff i/o vga (4)',
        'memory: b0000-3fffffff ram ram (14)',
        'memory: 100000000-13fffffff ram ram (14)',
      ],
    ));

  test('what is disabled or empty gives nothing', () =>
    check(
      [
        'address-space: e1000',
        'address-space: nvme',
        '  0000000000000000-ffffffffffffffff (prio 0, i/o): bus master container',
        '    0000000000000000-ffffffffffffffff (prio 0, i/o): alias bus master @system 0000000000000000-ffffffffffffffff [disabled]',
        'address-space: xhci',
        '  0000000000000000-ffffffffffffffff (prio 0, i/o): bus master container',
        'address-space: ahci',
        '  0000000000000000-0000000000000fff (prio 0, i/o): x owner:{dev id=a} [disabled]',
      ],
      [],
    ));

  test('a paste that starts in the middle', () =>
    check(
      [
        '      00000000febd0000-00000000febd3fff (prio 1, i/o): nvme-bar0',
        '        00000000febd2000-00000000febd240f (prio 0, i/o): msix-table',
        '    0000000040000000-000000007fffffff (prio 0, ram): dram0',
      ],
      ['?: 40000000-7fffffff ram dram0 (3)', '?: febd2000-febd240f i/o msix-table (2)'],
    ));

  test('an alias of what is not there', () =>
    check(
      [
        'address-space: a',
        '  0000000000000000-0000000000000fff (prio 0, romd): alias f [#0/4] @f.flash 0000000000000000-0000000000000fff',
      ],
      ['a: 0-fff romd f.flash (2)'],
      ['info mtree-alias-unresolved 2'],
    ));

  test.each(['@ram 00000000000c00', '@ram 0000000000000000-0000000000000f', '@ram XXXXXXXXXXXXXXXX-0000000000000fff'])(
    'an alias whose target is cut or masked: %s',
    (target) =>
      check(
        [
          'address-space: a',
          `  0000000000000000-0000000000000fff (prio 0, ram): alias low ${target}`,
          '  0000000000001000-0000000000001fff (prio 0, ram): high',
        ],
        ['a: 1000-1fff ram high (3)'],
        ['warning damaged-memory-region 2'],
      ),
  );

  test('an alias that is cut takes nothing from the region below', () =>
    check(
      [
        'address-space: a',
        '  0000000000000000-0000000000000fff (prio 0, i/o): alias low @pci 00000000000a00',
        '  0000000000001000-0000000000001fff (prio 0, ram): alias high @ram 0000000000000000-0000000000000fff',
        'memory-region: ram',
        '  0000000000000000-0000000000000fff (prio 0, ram): ram',
      ],
      ['a: 1000-1fff ram ram (5)'],
      ['warning damaged-memory-region 2'],
    ));

  test('targets alone: only those over the whole space have its addresses', async () => {
    await check(
      [
        'memory-region: iommu root',
        '  0000000000000000-ffffffffffffffff (prio 0, i/o): iommu root',
        '    00000000fee00000-00000000feefffff (prio 64, i/o): ir',
        'memory-region: gic',
        '  0000000000000000-0000000000000fff (prio 0, i/o): gic',
      ],
      ['iommu root: fee00000-feefffff i/o ir (3)'],
    );
    await check(
      ['memory-region: gic', '  0000000000000000-0000000000000fff (prio 0, i/o): gic'],
      [],
      ['info mtree-without-address-space 2'],
    );
  });

  test('two dumps: aliases are resolved in their own', () =>
    check(
      [
        'address-space: memory',
        '  0000000000000000-0000000000000fff (prio 0, ram): alias a @ram 0000000000000000-0000000000000fff',
        'memory-region: ram',
        '  0000000000000000-0000000000001fff (prio 0, ram): first',
        'address-space: memory',
        '  0000000000000000-0000000000000fff (prio 0, ram): alias a @ram 0000000000000000-0000000000000fff',
        'memory-region: ram',
        '  0000000000000000-0000000000001fff (prio 0, ram): second',
      ],
      ['memory: 0-fff ram first (4)', 'memory: 0-fff ram second (8)'],
    ));

  test("QEMU 1's headings and types", () =>
    check(
      [
        'memory',
        '00000000-7ffffffe (prio 0, RW): system',
        '  00000000-07ffffff (prio 0, RW): alias ram-below-4g @pc.ram 00000000-07ffffff',
        'aliases',
        'pc.ram',
        '00000000-07ffffff (prio 0, RW): pc.ram',
      ].map((line, i) => (i === 1 || i === 2 || i === 5 ? `  ${line}` : line)),
      ['memory: 0-7ffffff RW pc.ram (6)', 'memory: 8000000-7ffffffe RW system (2)'],
    ));

  test('lines that a mail program broke', () =>
    check(
      [
        '> address-space: memory',
        '>   0000000000000000-ffffffffffffffff (prio 0, i/o): system',
        '>     0000000000000000-00000000007fffff (prio 0, i/o): masked board.flash',
        '> [span of 8 MiB]',
        '>     0000000001000000-00000000017fffff (prio 0, romd): alias',
        '> board.flash [#1/4] @board.flash 0000000000000000-00000000007fffff',
        '>     0000000002000000-00000000027fffff (prio 0, romd): alias f @board.flash',
        '> 0000000000000000-00000000007fffff [disabled]',
        '>     0000000003000000-00000000037fffff',
        '> (prio 0, ram): sram',
        '> memory-region: board.flash',
        '>   0000000000000000-00000000007fffff (prio 0, romd): board.flash',
      ],
      [
        'memory: 0-7fffff i/o masked board.flash [span of 8 MiB] (3)',
        'memory: 1000000-17fffff romd board.flash (12)',
        'memory: 3000000-37fffff ram sram (9)',
      ],
    ));
});

test('what cannot be is told, with its line', async () => {
  const opened = await open(
    'FlatView #0',
    ' AS "memory", root: system',
    '  0000000000002000-0000000000001fff (prio 0, ram): a',
    '  00000000000000000000000000000000f-1ffffffffffffffff (prio 0, ram): b',
    '  [DETECTED OVERFLOW!] 0000000140000000-00000000bfffffff (prio 0, i/o): c',
  );
  expect(guestOf(opened)).toEqual([]);
  expect(diagnosticsOf(opened)).toEqual([
    'error start-above-last 3',
    'error too-many-digits 4',
    'warning range-beyond-64-bits 5',
  ]);
});

test('other lists of addresses are not of QEMU', async () => {
  const opened = await open('memory', '  00001000-0009ffff : System RAM', 'aliases', 'x (qemu) y');
  expect(guestOf(opened)).toEqual([]);
  expect(opened.sources[0]?.formats.map(({ name }) => name)).toEqual(['iomem']);
});
