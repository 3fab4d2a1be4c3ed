import { describe, expect, test } from 'vitest';
import { diagnosticsOf, faultsOf, openText, regionsOf } from '../../testing/read.ts';

const open = (...lines: string[]) => openText(`${lines.join('\n')}\n`);

describe('faults', () => {
  const read = '0000:03:00.1 read fff01000 (PTE Read access is not set)';
  const forms: [name: string, lines: string[], expected: string[]][] = [
    [
      'no PASID, hex',
      [
        'DMAR: [DMA Read NO_PASID] Request device [03:00.1] fault addr 0xfff01000 [fault reason 0x06] PTE Read access is not set',
      ],
      [read],
    ],
    [
      'hex marks in the device',
      [
        'DMAR: [DMA Read NO_PASID] Request device [0x03:0x00.1] fault addr 0xfff01000 [fault reason 0x6] PTE Read access is not set',
      ],
      [read],
    ],
    [
      'a segment, a time, nothing before it',
      [
        '[  +0,000004] [DMA Read] Request device [0000:03:00.1] fault addr fff01000 [fault reason 06] PTE Read access is not set',
      ],
      [read],
    ],
    [
      'all ones for no PASID',
      [
        'DMAR: [DMA Read] Request device [03:00.1] PASID ffffffff fault addr fff01000 [fault reason 06] PTE Read access is not set',
      ],
      [read],
    ],
    [
      'a PASID behind the device',
      [
        'DMAR: [DMA Write] Request device [03:00.1] PASID 1a fault addr 1000 [fault reason 05] PTE Write access is not set',
      ],
      ['0000:03:00.1 write 1000 (PTE Write access is not set) pasid 26'],
    ],
    [
      'a PASID before it, 64 bits',
      ['DMAR: [DMA Write PASID 0x2] Request device [03:00.1] fault addr 0xfffffffffffff000 [fault reason 0x58] SM: x'],
      ['0000:03:00.1 write fffffffffffff000 (SM: x) pasid 2'],
    ],
    [
      'the reason on a line of its own',
      [
        '[ 1.5] DMAR:[DMA Read] Request device [03:00.1] fault addr fff01000 ',
        '[ 1.5] DMAR:[fault reason 06] PTE Read access is not set',
      ],
      [read],
    ],
    [
      "Xen's",
      [
        '(XEN) [VT-D]DMAR:[DMA Read] Request device [0000:03:00.1] fault addr fff01000, iommu reg = ffff82c00021d000',
        '(XEN) [VT-D]DMAR: reason 06 - PTE Read access is not set',
      ],
      [read],
    ],
    [
      'a number alone, and no reason at all',
      [
        'DMAR: [DMA Read] Request device [03:00.1] fault addr 0x10 [fault reason 0x7f]',
        'DMAR: [DMA Read] Request device [03:00.1] fault addr 0x2000',
        'usb 1-1: reset',
      ],
      ['0000:03:00.1 read 10 (fault reason 7f)', '0000:03:00.1 read 2000 (?)'],
    ],
    [
      'the text broken, and what is written below it',
      [
        '> DMAR: [DMA Read] Request device [03:00.1] fault addr fff01000 [fault reason 06] PTE Read',
        '> access is not set',
        '> and then it hangs',
      ],
      [read],
    ],
    [
      'a sentence directly below a whole text',
      [
        'DMAR: [DMA Read] Request device [03:00.1] fault addr fff01000 [fault reason 06] PTE Read access is not set',
        'set it in the firmware',
      ],
      [read],
    ],
  ];
  test.each(forms)('%s', async (_, lines, expected) => {
    const opened = await open(...lines);
    expect(faultsOf(opened)).toEqual(expected);
    expect(diagnosticsOf(opened)).toEqual([]);
  });

  test('wherever a mail program breaks the line, it is the same one', async () => {
    const whole =
      'DMAR: [DMA Read NO_PASID] Request device [03:00.1] fault addr 0xfff01000 [fault reason 0x06] PTE Read access is not set';
    for (let cut = whole.indexOf('Request'); cut < whole.length; cut++) {
      const parts = [whole.slice(0, cut), whole.slice(cut)];
      expect([cut, faultsOf(await open(...parts))]).toEqual([cut, [read]]);
    }
  });

  test('an interrupt has an index, no address; it is understood all the same', async () => {
    const opened = await open(
      'DMAR: DRHD: handling fault status reg 2',
      'DMAR: [INTR-REMAP] Request device [f0:1f.7] fault index 0xff00 [fault reason 0x25] Blocked a compatibility format interrupt request',
      'INTR-REMAP: Request device [[f0:1f.7] fault index 2b',
      'INTR-REMAP:[fault reason 38] Blocked an interrupt request due to source-id verification failure',
    );
    expect(opened.facts.filter(({ kind }) => kind === 'fault')).toEqual([]);
    expect(opened.sources[0]?.unrecognized).toBe(0);
  });

  test('a damaged one is told', async () => {
    const opened = await open(
      'DMAR: [DMA Read] Request device [03:00.1] fault',
      'DMAR: [DMA Read] Request device [03:00.1] fault addr 0x1ffffffffffffffff [fault reason 06] PTE Read access is not set',
    );
    expect(faultsOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual(['warning damaged-fault 1', 'warning damaged-fault 2']);
  });
});

describe('units and widths', () => {
  const units = async (...lines: string[]) =>
    (await open(...lines)).facts.flatMap((fact) =>
      fact.kind === 'iommu'
        ? [`${fact.name} ${fact.address_width} ${fact.cap?.toString(16)} ${fact.ecap?.toString(16)}`]
        : [],
    );

  test.each([
    'DMAR: dmar1: reg_base_addr fed91000 ver 1:0 cap d2008c40660462 ecap f050da',
    '[    0.018096] IOMMU 1: reg_base_addr fed91000 ver 1:0 cap d2008c40660462 ecap f050da',
    'dmar: IOMMU 1: reg_base_addr fed91000 ver 1:0 cap d2008c40660462 ecap f050da',
    'DMAR: dmar1: reg_base_addr fed91000 ver 1:0 cap d2008c40660462\necap f050da',
    'DMAR: dmar1: reg_base_addr fed91000 ver 1:0 cap d2008c40660462 ecap f05\n0da',
  ])('%j', async (line) => {
    expect(await units(line)).toEqual(['dmar1 39 d2008c40660462 f050da']);
  });

  test('the width is the field of the capabilities, plus one', async () => {
    const line = (cap: string) => `DMAR: dmar0: reg_base_addr 0 ver 1:0 cap ${cap} ecap 0`;
    expect(await units(line('3f0000'), line('0'), line('c08fffff'))).toEqual([
      'dmar0 64 3f0000 0',
      'dmar0 1 0 0',
      'dmar0 16 c08fffff 0',
    ]);
  });

  test('the width of the host, if it can be one', async () => {
    const { facts } = await open('DMAR:Host address width 36', 'Host address width 0', 'Host address width 65');
    expect(facts).toMatchObject([{ kind: 'host', address_width: 36, line: 1 }]);
  });

  test('lines that hold nothing for a layout are understood, others are left alone', async () => {
    const { sources } = await open(
      'DMAR: DRHD base: 0x000000fed90000 flags: 0x0',
      'DMAR-IR: IOAPIC id 2 under DRHD base  0xfed91000 IOMMU 1',
      'DMAR: ATSR flags: 0x0',
      'DMAR: Host address width 39',
      'DMAR: something that nobody knows',
    );
    expect(sources[0]).toMatchObject({ unrecognized: 1, samples: [{ line: 5 }] });
  });

  test('an address that does not fit', async () => {
    const opened = await open(
      'DMAR: intel_iommu_map: iommu width (39) is not sufficient for the mapped address (ffff008000)',
    );
    expect(opened.facts).toMatchObject([
      { kind: 'aperture', start: 0n, last: 0x7f_ffff_ffffn },
      { message: '0xffff008000 needs 40 address bits; the IOMMU has 39' },
    ]);
  });
});

describe('reserved memory', () => {
  const line = (start: string, end: string) => `DMAR: RMRR base: 0x${start} end: 0x${end}`;

  test('both ends belong to it, and no group is known', async () => {
    const { facts } = await open(line('00000064000000', '000000687fffff'));
    expect(facts).toMatchObject([{ start: 0x64000000n, last: 0x687fffffn, type: 'direct', origin: 'rmrr', line: 1 }]);
    expect(facts[0]).not.toHaveProperty('group');
  });

  test('a number broken at the end of a line goes on in the next one, if that is all there is', async () => {
    expect(regionsOf(await open(line('00000064000000', '000000687ff'), 'fff'))).toEqual([
      '?: 64000000-687fffff direct',
    ]);
    expect(regionsOf(await open(line('00000064000000', '000000687fffff'), 'fff'))).toEqual([
      '?: 64000000-687fffff direct',
    ]);
    const cut = await open(line('00000064000000', '000000687ff'), 'DMAR: No ATSR found');
    expect(regionsOf(cut)).toEqual([]);
    expect(diagnosticsOf(cut)).toEqual(['warning damaged-rmrr 1']);
  });

  test('the wrong way round', async () => {
    const opened = await open(line('00000064000000', '00000063ffffff'));
    expect(regionsOf(opened)).toEqual([]);
    expect(diagnosticsOf(opened)).toEqual(['error start-above-last 1']);
  });

  test("what the firmware's map does not cover is a region, and said", async () => {
    const opened = await open(
      'DMAR: [Firmware Bug]: No firmware reserved region can cover this RMRR',
      '[0x0000000041d92000-0x0000000041d94fff], contact BIOS vendor for fixes',
    );
    expect(regionsOf(opened)).toEqual(['?: 41d92000-41d94fff direct']);
    expect(opened.facts).toMatchObject([
      { kind: 'reserved', origin: 'rmrr' },
      { kind: 'diagnostic', code: 'rmrr-not-reserved', line: 1 },
    ]);
    expect(opened.facts[1]).toHaveProperty('message', expect.stringContaining('0x41d92000-0x41d94fff'));
  });

  test('devices that may not be given away, with the words of old and new kernels', async () => {
    const { facts } = await open(
      'vfio-pci 0000:05:00.1: Device is ineligible for IOMMU domain attach due to platform RMRR requirement.  Contact your platform vendor.',
      'vfio-pci 0000:05:00.2: DMAR: Device is ineligible for IOMMU domain attach due to platform',
      'RMRR requirement.  Contact your platform vendor.',
      'vfio-pci 0000:05:00.3: Firmware has requested this device have a 1:1 IOMMU mapping, rejecting configuring',
      'the device without a 1:1 mapping. Contact your platform vendor.',
    );
    const old = 'Device is ineligible for IOMMU domain attach due to platform RMRR requirement';
    expect(facts).toMatchObject([
      { kind: 'ineligible', device: '0000:05:00.1', reason: old, line: 1 },
      { kind: 'ineligible', device: '0000:05:00.2', reason: old, line: 2 },
      {
        kind: 'ineligible',
        device: '0000:05:00.3',
        reason: expect.stringMatching(/^Firmware .* 1:1 mapping$/),
        line: 4,
      },
    ]);
  });
});

test('identity maps of RMRRs: the end is inclusive, and was not in the first kernels', async () => {
  const { facts, sources } = await open(
    '[    0.6] DMAR: Setting identity map for device 0000:00:1d.0 [0xbf7e2000 - 0xbf7effff]',
    '[    0.6] IOMMU: Setting identity map for device 0000:00:1f.0 [0x0 - 0x1000000]',
    '> DMAR: Setting identity map for device 0000:00:14.0 [0xbf7e2000 -',
    '> 0xbf7effff]',
    '[    0.9] DMAR: Ignoring identity map for HW passthrough device 0000:00:02.0 [0xc3800000 - 0xc7ffffff]',
    'IOMMU: Setting identity map for device 0000:00:1a.0 [0x2000 - 0x1fff]',
  );
  expect(facts).toEqual([
    expect.objectContaining({
      kind: 'map',
      start: 0xbf7e2000n,
      last: 0xbf7effffn,
      paddr: 0xbf7e2000n,
      device: '0000:00:1d.0',
      origin: 'kernel-log',
    }),
    expect.objectContaining({ kind: 'map', start: 0n, last: 0xffffffn, device: '0000:00:1f.0' }),
    expect.objectContaining({ kind: 'map', start: 0xbf7e2000n, last: 0xbf7effffn, device: '0000:00:14.0', line: 3 }),
    expect.objectContaining({ kind: 'diagnostic', code: 'start-above-last', line: 6 }),
  ]);
  expect(sources[0]?.unrecognized).toBe(0);
});

test("faults of Xen's older versions", async () => {
  const opened = await open(
    '(XEN) [VT-D]iommu.c:859:     DMAR:[DMA Write] Request device [03:00.1] fault addr fff01000, iommu reg = ffff82c3fff56000',
    '(XEN) DMAR:[fault reason 05h] PTE Write access is not set',
  );
  expect(faultsOf(opened)).toEqual(['0000:03:00.1 write fff01000 (PTE Write access is not set)']);
  expect(opened.sources[0]?.unrecognized).toBe(0);
});
