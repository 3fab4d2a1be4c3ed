import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import type { SessionEvent } from '../../session/events.ts';
import {
  conflictsOf,
  fault,
  group,
  MSI,
  map,
  markBounds,
  onlyConflict,
  request,
  reserved,
  width,
} from '../testing/facts.ts';

const message = (...events: SessionEvent[]) => onlyConflict(events).message;
const PLAIN_REMEDY =
  'Find the mapping that the device should have: trace iommu:map and iommu:unmap from the start of the driver.';
const DEVICE = '0000:03:00.0';

describe('a fault', () => {
  test('who did what, how often, and what the IOMMU reported', () => {
    const found = onlyConflict([
      fault(0x7000_0000n, { reason: 'PTE Write access is not set', driver: 'intel' }),
      fault(0x7000_0000n, { reason: 'PTE Write access is not set', driver: 'intel', line: 8 }),
    ]);
    expect(found).toEqual({
      id: 'fault 1879048192 0000:03:00.0 write PTE Write access is not set',
      rule: 'fault',
      severity: 'warning',
      title: 'Fault: 0000:03:00.0 wrote to 0x70000000, 2 times',
      message:
        'The IOMMU reported: PTE Write access is not set. These dumps contain no mappings to compare with: a trace of the iommu events does.',
      source: 'intel',
      remedy: PLAIN_REMEDY,
      marks: [{ role: 'requested', ...range(0x7000_0000n, 0x7000_0000n), message: '0000:03:00.0 wrote to 0x70000000' }],
      provenance: [
        { source: 'log', line: 7 },
        { source: 'log', line: 8 },
      ],
      answer:
        '0000:03:00.0 wrote 0x70000000 (PTE Write access is not set): nothing in these dumps is mapped there. The DMA API places buffers just below 4 GiB, so this is probably a physical address: firmware memory with no RMRR to keep it mapped, or memory of a driver that bypasses the DMA API (or guest RAM that is not mapped). Add /proc/iomem and the RMRR lines of the kernel log, or trace iommu:map and iommu:unmap, to see which.',
      remedies: [
        {
          text: 'Add /proc/iomem and the RMRR lines of the kernel log, or trace iommu:map and iommu:unmap, to see which',
        },
      ],
      kind: 'fault 0000:03:00.0 physical-address',
      count: 2,
    });
  });

  test('use after unmap: neither message nor remedy says that nothing was mapped', () => {
    const at = (event: SessionEvent, time: number): SessionEvent => ({ ...event, time }) as SessionEvent;
    const found = onlyConflict([
      at(map(0x7000_0000n, 0x7000_ffffn), 1),
      at({ ...map(0x7000_0000n, 0x7000_ffffn), kind: 'unmap' }, 2),
      fault(0x7000_0000n, { time: 2.5 }),
    ]);
    expect(found.message).toContain(
      'wrote to 0x70000000 500 ms after 0x70000000-0x7000ffff was unmapped: use after unmap',
    );
    expect(found.message).not.toContain('Nothing is mapped');
    expect(found.remedy).toBe('Make the driver stop the device before it unmaps the buffer.');
  });

  test('reads, other accesses, unknown devices', () => {
    const title = (more: Parameters<typeof fault>[1]) => onlyConflict([fault(0x7000_0000n, more)]).title;
    expect(title({ access: 'read' })).toBe(`Fault: ${DEVICE} read from 0x70000000`);
    expect(title({ access: 'execute' })).toBe(`Fault: ${DEVICE} made a execute access to 0x70000000`);
    expect(title({ access: undefined })).toBe(`Fault: ${DEVICE} accessed 0x70000000`);
    expect(title({ device: undefined })).toBe('Fault: a device wrote to 0x70000000');
  });

  test('without any mapping near it', () => {
    expect(message(map(0x1000n, 0x1fffn), { ...map(0x1000n, 0x1fffn), kind: 'unmap' }, fault(0x7000_0000n))).toBe(
      'Nothing is mapped near it.',
    );
  });

  test('200 of them are listed, the last one counts the rest', () => {
    const many = (n: number) => conflictsOf(Array.from({ length: n }, (_, i) => fault(0x7000_0000n + BigInt(i))));
    expect(many(200)).toHaveLength(200);
    expect(many(200).at(-1)?.message).not.toContain('not listed');
    const found = many(202);
    expect(found).toHaveLength(200);
    expect(found.at(-1)?.message).toMatch(/ 2 more faults not listed\.$/);
    expect(found.at(-2)?.message).not.toContain('not listed');
  });

  test('an interrupt: nothing else is compared', () => {
    const found = onlyConflict([MSI, fault(0xfee0_0000n, { reason: 'blocked interrupt request' })]);
    expect(found.message).toContain('The request was an interrupt');
    expect(found.remedy).toContain('MSI registers');
    expect(found.marks).toHaveLength(1);
    expect(message(MSI, fault(0xfee0_0000n, { reason: 'uninterrupted' }))).not.toContain('was an interrupt');
  });
});

describe('an address in a known range', () => {
  test('a region of any group, at both bounds, with the advice of its type', () => {
    const found = onlyConflict([MSI, fault(0xfee0_0000n)]);
    expect(found.message).toBe('The address is in 0xfee00000-0xfeefffff (1 MiB), MSI window (msi).');
    expect(found.remedy).toContain('check whether interrupt remapping blocks it');
    expect(markBounds(found)[1]).toEqual(['obstacle', 0xfee0_0000n, 0xfeef_ffffn]);
    expect(found.provenance.at(-1)).toEqual({ source: 'host', line: 1 });
    expect(message(MSI, fault(0xfeef_ffffn))).toContain('MSI window');
    expect(message(MSI, fault(0xfef0_0000n))).not.toContain('MSI window');
    const remedy = (type: string) => onlyConflict([reserved(0x5000n, 0x5fffn, type), fault(0x5000n)]).remedy;
    expect(remedy('direct-relaxable')).toContain('still active when its mapping was removed');
    expect(remedy('reserved')).toBe('Nothing can be mapped there: the driver uses an address that it must not use.');
  });

  test('a firmware region that the kernel does not list for the group of its device', () => {
    const rmrr: SessionEvent = {
      ...reserved(0x5000n, 0x5fffn, 'direct'),
      origin: 'rmrr',
      group: undefined,
      source: 'acpi',
    };
    const events = [MSI, group('1', ['0000:00:14.0']), { ...rmrr, device: '0000:00:14.0' }];
    const faultAt = (address: bigint) =>
      conflictsOf([...events, fault(address)]).find(({ rule }) => rule === 'fault') ?? onlyConflict([]);
    const found = faultAt(0x5fffn);
    expect(found.message).toBe(
      'The address is in 0x5000-0x5fff (4 KiB), which firmware requires to stay mapped for 0000:00:14.0.',
    );
    expect(found.remedy).toContain('it needs that mapping, or a reset first');
    expect(markBounds(found)[1]).toEqual(['obstacle', 0x5000n, 0x5fffn]);
    expect(found.provenance.at(-1)).toEqual({ source: 'acpi', line: 1 });
    expect(faultAt(0x6000n).message).not.toContain('firmware');
    // A region without a device is one of an unknown group.
    expect(message(rmrr, fault(0x5000n))).toBe('The address is in 0x5000-0x5fff (4 KiB), direct (direct).');
  });

  test('what the platform reserves, if the dumps list nothing and show the platform', () => {
    const arm: SessionEvent = { kind: 'host', arch: 'aarch64', source: 'log' };
    const found = onlyConflict([arm, fault(0x800_0040n)]);
    expect(found.message).toBe(
      'On ARM the address is in 0x8000000-0x80fffff, the ARM software MSI window; these dumps do not list it.',
    );
    expect(found.remedy).toContain('check whether the doorbell is mapped');
    expect(markBounds(found)[1]).toEqual(['obstacle', 0x800_0000n, 0x80f_ffffn]);
    const amd: SessionEvent = { kind: 'iommu', name: 'ivhd0', driver: 'amd', source: 'log' };
    expect(onlyConflict([amd, fault(0xfd_0000_0000n)]).remedy).toContain('Nothing can be mapped there');
    expect(message(fault(0x800_0040n))).not.toContain('ARM');
    expect(message(arm, fault(0xfee0_0000n))).not.toContain('x86');
  });

  test('beyond the aperture', () => {
    const found = onlyConflict([width(39), fault(0x80_0000_0000n)]);
    expect(found.message).toBe('The address needs 40 bits, the IOMMU has 39.');
    expect(found.remedy).toContain('used an invalid address');
    expect(markBounds(found)[1]).toEqual(['obstacle', 0x80_0000_0000n, 0xffff_ffff_ffff_ffffn]);
    expect(found.provenance.at(-1)).toEqual({ source: 'log', line: 5 });
    expect(message(width(39), fault(0x7f_ffff_ffffn))).not.toContain('bits');
  });
});

describe('an address and the mappings', () => {
  test('mapped at the end of the dumps: no neighbor is looked for', () => {
    const events = [map(0x1000n, 0x1fffn), map(0x3000n, 0x3fffn)];
    const found = onlyConflict([...events, fault(0x1000n)]);
    expect(found.message).toBe(
      'At the end of the dumps 0x1000-0x1fff (4 KiB) is mapped there: it was mapped later, was unmapped in between, or does not permit write access.',
    );
    expect(found.remedy).toContain('Compare the times');
    expect(found.provenance.at(-1)).toEqual({ source: 'trace', line: 3 });
    expect(message(...events, fault(0x1fffn, { access: undefined }))).toContain('does not permit this access');
  });

  test('just past the end of a mapping, up to 64 KiB', () => {
    const there = map(0x10_0000n, 0x10_0fffn);
    expect(message(there, fault(0x10_1000n))).toBe(
      'It is just past the end of 0x100000-0x100fff (4 KiB), immediately after it.',
    );
    expect(message(there, fault(0x10_1001n))).toContain('1 byte after it');
    expect(message(there, fault(0x11_1000n))).toContain(
      'just past the end of 0x100000-0x100fff (4 KiB), 64 KiB after it',
    );
    expect(onlyConflict([there, fault(0x11_1000n)]).remedy).toContain('ran past the end of a buffer');
    expect(message(there, fault(0x11_1001n))).toContain('The nearest mapping, 0x100000-0x100fff (4 KiB), ends');
    expect(onlyConflict([there, fault(0x11_1001n)]).remedy).toBe(PLAIN_REMEDY);
  });

  test('below a mapping: however near, it is no overrun', () => {
    const there = map(0x10_0000n, 0x10_0fffn);
    expect(message(there, fault(0xf_ffffn))).toBe(
      'The nearest mapping, 0x100000-0x100fff (4 KiB), starts 1 byte above.',
    );
    expect(onlyConflict([there, fault(0xf_ffffn)]).remedy).toBe(PLAIN_REMEDY);
  });

  test('the nearer of two, on either side', () => {
    const two = [map(0x10_0000n, 0x10_0fffn), map(0x90_0000n, 0x90_0fffn)];
    expect(message(...two, fault(0x4f_ffffn))).toContain('0x100000-0x100fff (4 KiB), ends');
    expect(message(...two, fault(0x51_0000n))).toContain('0x900000-0x900fff (4 KiB), starts');
    const marks = markBounds(onlyConflict([...two, fault(0x51_0000n)]));
    expect(marks[1]).toEqual(['obstacle', 0x90_0000n, 0x90_0fffn]);
  });

  test('the mappings of the device itself count, if there are any; requests of programs never are its own', () => {
    const own = map(0x10_0000n, 0x10_0fffn, { device: DEVICE });
    const other = map(0x40_0000n, 0x40_0fffn, { device: '0000:04:00.0' });
    expect(message(own, other, fault(0x40_1000n))).toContain('The nearest mapping, 0x100000-0x100fff');
    expect(message(other, fault(0x40_1000n))).toContain('just past the end of 0x400000');
    expect(message(request(0x40_0000n, 0x40_0fffn, 0, { source: DEVICE }), fault(0x40_1000n))).toContain(
      'just past the end of 0x400000',
    );
  });
});

describe('an address that was truncated or extended', () => {
  test('low bits of a mapping above: the narrowest width that explains it', () => {
    const high = map(0x12_3456_0000n, 0x12_3457_ffffn);
    const found = onlyConflict([high, fault(0x3457_ffffn)]);
    expect(found.message).toContain('It looks truncated to 32 bits: 0x123457ffff has the same low bits and is mapped.');
    expect(found.remedy).toBe('Check what holds only 32 bits on the way: a DMA mask, a descriptor field, a register.');
    expect(markBounds(found)[1]).toEqual(['obstacle', 0x12_3456_0000n, 0x12_3457_ffffn]);
    expect(message(high, fault(0x3458_0000n))).not.toContain('truncated');
    expect(message(high, fault(0x3455_ffffn))).not.toContain('truncated');
    expect(message(map(0x80_0000_0000n, 0x80_0000_0fffn), fault(0n))).toContain('truncated to 32 bits: 0x8000000000');
    expect(message(map(0x1234_5678_0000n, 0x1234_5678_0fffn), fault(0x234_5678_0000n))).toContain(
      'truncated to 44 bits: 0x123456780000',
    );
  });

  test('the first address with these bits may be deep in a set of many mappings', () => {
    const many = Array.from({ length: 40 }, (_, i) =>
      map((BigInt(i + 1) << 33n) + 0x1000n, (BigInt(i + 1) << 33n) + 0x1fffn),
    );
    const found = message(...many, map(0x100_0000_5000n, 0x100_0000_5fffn), fault(0x5000n));
    expect(found).toContain('truncated to 32 bits: 0x10000005000');
  });

  test('bits too many: sign-extended, or invalid', () => {
    const low = map(0xf800_0000n, 0xf800_ffffn);
    const found = onlyConflict([low, fault(0xffff_ffff_f800_ffffn)]);
    expect(found.message).toContain(
      'Without the bits from 32 up it would be 0xf800ffff, which is mapped: the address looks sign-extended, or has invalid high bits.',
    );
    expect(found.remedy).toBe('Check where the device or its driver extends a 32-bit address.');
    expect(message(low, fault(0xffff_ffff_f801_0000n))).not.toContain('sign-extended,');
    expect(message(map(0x7f_0000_0000n, 0x7f_0000_ffffn), fault(0xff80_007f_0000_0000n))).toContain(
      'Without the bits from 39 up it would be 0x7f00000000',
    );
  });
});

describe('where no dump helps, the number itself', () => {
  const arm = { driver: 'arm-smmu-v3' };

  test.each<[bigint, Parameters<typeof fault>[1], RegExp]>([
    [0n, {}, /^The address is 0: a pointer that was never set/],
    [0n, arm, /^The address is 0:/],
    [1n, {}, /^The address is small: an offset without its base\.$/],
    [0xffffn, {}, /^The address is small: an offset/],
    [0x1_0000n, {}, /^These dumps contain no mappings/],
    [0x40n, arm, /^The address is small: 0x40 looks like the offset of a doorbell/],
    [0xffffn, arm, /doorbell/],
    [0x1_0000n, arm, /^These dumps contain no mappings/],
    [0xffff_7fff_ffff_ffffn, {}, /^These dumps contain no mappings/],
    [0xffff_8000_0000_0000n, {}, /^All high bits are set: a sign-extended 32-bit address, or a kernel pointer/],
  ])('%s', (address, more, expected) => {
    expect(message(fault(address, more))).toMatch(expected);
  });

  test('the doorbell has its advice; what is known comes first', () => {
    expect(onlyConflict([fault(0x40n, arm)]).remedy).toBe(
      'Check whether the MSI window (usually at 0x8000000) is set up for the device.',
    );
    expect(message(map(0x10_0000n, 0x10_0fffn), fault(1n))).not.toContain('small');
  });
});

describe('addresses that the kernel gave a driver', () => {
  const nic = '0000:03:00.0';
  const host = [group('1', [nic]), MSI, width(48)];
  const answerOf = (events: readonly SessionEvent[]) => conflictsOf(events)[0]?.answer;

  test.each([
    [0xffff_f040n, 'first'],
    [0xffff_efffn, 'second'],
    [0xffff_c000n, 'fourth'],
  ])('%s is in one of the first pages of a PCI device', (address, ordinal) => {
    expect(answerOf([...host, fault(address)])).toContain(`(in the ${ordinal} page that a PCI device is given)`);
  });

  test('pages that are reserved do not count, later ones have no number', () => {
    const top = reserved(0xffff_0000n, 0xffff_ffffn, 'reserved');
    expect(answerOf([...host, top, fault(0xfffe_f123n)])).toContain('(in the first page');
    expect(answerOf([...host, fault(0xfff0_0000n)])).toContain('just below 4 GiB, where');
  });

  test('a device whose 32 bits ran out, as the log says', () => {
    const wide: SessionEvent = { kind: 'device', device: nic, dma_bits: 48, source: 'log', line: 3 };
    const answer = answerOf([...host, wide, fault((1n << 48n) - 0x2000n)]);
    expect(answer).toContain('the kernel log says "Using 48-bit DMA addresses" for the device');
    expect(answerOf([...host, fault((1n << 48n) - 0x2000n)])).not.toContain('Using 48-bit');
  });
});
