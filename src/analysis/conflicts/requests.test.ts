import { describe, expect, test } from 'vitest';
import { iova } from '../../iova/iova.ts';
import { range } from '../../iova/range.ts';
import type { FactOf, SessionEvent } from '../../session/events.ts';
import {
  aperture,
  bar,
  conflictsOf,
  MSI,
  map,
  markBounds,
  onlyConflict,
  request,
  reserved,
  unmap,
  width,
} from '../testing/facts.ts';

const EINVAL = '-EINVAL';
const RAM = { name: 'pc.ram' };
const unmapping = { op: 'unmap' } as const;
const rules = (...events: SessionEvent[]) => conflictsOf(events).map(({ rule }) => rule);

describe('a refused map', () => {
  test('says what was refused, by which rule, and marks it', () => {
    const found = onlyConflict([MSI, request(0xfe00_0000n, 0xfeff_ffffn, EINVAL, RAM)]);
    expect(found).toEqual({
      answer:
        'Map of 0xfe000000-0xfeffffff (guest RAM "pc.ram", 16 MiB) refused (EINVAL): it covers 0xfee00000-0xfeefffff, the MSI window of group 1. Map at most 14 MiB from 0xfe000000.',
      remedies: [{ text: 'Map at most 14 MiB from 0xfe000000' }],
      kind: 'refused map EINVAL ram',
      kindLabel: { unit: 'request', text: 'map refused (EINVAL)' },
      position: 2,
      id: 'request-refused map 4261412864-4278190079 -EINVAL',
      rule: 'request-refused',
      severity: 'fatal',
      title: 'The kernel refused to map 16 MiB at 0xfe000000 of "pc.ram"',
      message:
        '0xfee00000-0xfeefffff (1 MiB) inside it is reserved (msi, group 1). If it is RAM, the guest does not start.',
      errno: 'EINVAL',
      source: 'Linux 6.12, vfio_iommu_iova_dma_valid',
      remedy: 'The first 14 MiB, from 0xfe000000 up to the obstacle, would fit. A range of this size would fit at 0x0.',
      marks: [
        { role: 'requested', ...range(0xfe00_0000n, 0xfeff_ffffn), message: 'request for "pc.ram"' },
        { role: 'obstacle', ...range(0xfee0_0000n, 0xfeef_ffffn), message: 'msi of group 1' },
      ],
      provenance: [
        { source: 'qemu', line: 2 },
        { source: 'host', line: 1 },
      ],
    });
    const starts = onlyConflict([MSI, request(0xfee0_0000n, 0xfeff_ffffn, EINVAL, RAM)]);
    expect(starts.remedy).toBe('A range of this size would fit at 0x0.');
  });

  test('the rule of the interface; what iommufd answers otherwise is not quoted', () => {
    const iommufd = request(0xfee0_0000n, 0xfee0_0fffn, EINVAL, { ...RAM, api: 'iommufd' });
    expect(onlyConflict([MSI, iommufd]).source).toBe('Linux 6.12, iopt_check_iova');
    const other = request(0n, 0xfffn, '-EADDRINUSE', { ...RAM, api: 'iommufd' });
    expect(onlyConflict([other]).source).toBe('iommufd, as reported in the dump');
    expect(onlyConflict([request(0n, 0xfffn, '-EIO', RAM)])).toMatchObject({
      errno: 'EIO',
      source: 'VFIO, as reported in the dump',
      message: 'The kernel answered -EIO. If it is RAM, the guest does not start.',
    });
    expect(onlyConflict([request(0n, 0xfffn, '-unknown', RAM)]).errno).toBeUndefined();
  });

  test('beyond the aperture', () => {
    const found = onlyConflict([width(39), request(0x7f_ffff_f000n, 0x80_0000_0fffn, EINVAL, RAM)]);
    expect(found.message).toContain('It needs 40 bits, the IOMMU has 39.');
    expect(found.remedy).toBe('Keep addresses below 0x8000000000: limit the guest to phys-bits=39.');
    expect(markBounds(found)[1]).toEqual(['obstacle', 0x80_0000_0000n, 0x80_0000_0fffn]);
    const odd = [MSI, aperture(0x10_0000n, 0xffff_ffffn, { group: '1' }), request(0n, 0xfffn, EINVAL, RAM)];
    expect(onlyConflict(odd).remedy).toBe('Keep addresses inside 0x100000-0xffffffff.');
    const apart = [MSI, aperture(0n, 0xfffn, { group: '1' }), aperture(0x1000n, 0x1fffn, { group: '1' })];
    expect(onlyConflict([...apart, request(0n, 0xfffn, EINVAL, RAM)]).remedy).toBe('No free range.');
  });

  test('a region counts before the aperture, a relaxable one not at all', () => {
    const relaxed = reserved(0n, 0xfffn, 'direct-relaxable');
    const found = onlyConflict([relaxed, width(39), request(0n, 0x7fn, EINVAL, RAM)]);
    expect(found.message).toContain('size is not a multiple of the page size, 4 KiB');
  });

  test('not aligned: the address, or the size', () => {
    const message = (start: bigint, last: bigint) =>
      onlyConflict([MSI, width(39), request(start, last, EINVAL, RAM)]).message;
    expect(message(0x800n, 0x17ffn)).toContain('Its address is not a multiple of the page size, 4 KiB.');
    expect(message(0x1000n, 0x17ffn)).toContain('Its size is not a multiple of the page size, 4 KiB.');
    expect(message(0x1000n, 0x1fffn)).toContain('The range or its alignment is not accepted');
    expect(onlyConflict([MSI, width(39), request(0x800n, 0x17ffn, EINVAL, RAM)])).toMatchObject({
      source: 'Linux 6.12, vfio_dma_do_map',
      remedy: 'Align address and size to 4 KiB.',
    });
  });

  test('without a list of regions: what platforms reserve, the likely ones', () => {
    const found = onlyConflict([request(0n, 0xffff_ffffn, EINVAL, RAM)]);
    expect(found.message).toContain(
      'on x86 it overlaps 0xfee00000-0xfeefffff, the x86 MSI window; on ARM it overlaps 0x8000000-0x80fffff, the ARM software MSI window.',
    );
    expect(found.remedy).toBe(
      "The first ≈ 3.98 GiB, from 0x0 up to the obstacle, would fit. Add the host's reserved_regions to confirm this.",
    );
    expect(found.marks.slice(1).map(({ start, message }) => [start, message])).toEqual([
      [0xfee0_0000n, 'the x86 MSI window (if this is x86)'],
      [0x800_0000n, 'the ARM software MSI window (if this is ARM)'],
    ]);
    expect(found.source).toBe('VFIO, as reported in the dump');
    const arm: SessionEvent = { kind: 'host', arch: 'aarch64', source: 'log' };
    expect(onlyConflict([arm, request(0n, 0xffff_ffffn, EINVAL, RAM)]).message).not.toContain('x86');
  });

  test('an unknown width: the narrower ones that would refuse it', () => {
    const at = (start: bigint) => onlyConflict([MSI, request(start, start + 0xfffn, EINVAL, RAM)]).message;
    expect(at(0x1f_0000_0000n)).toContain(
      'It needs 37 bits. These dumps do not show the width of the IOMMU; one of 36 bits',
    );
    expect(at(0x80_0000_0000n)).toContain('It needs 40 bits.');
    expect(at(0x80_0000_0000n)).toContain('one of 36, 39 bits would refuse it.');
    expect(at(0xf_ffff_f000n)).toContain('The range or its alignment is not accepted');
    const known = onlyConflict([MSI, width(48), request(0x80_0000_0000n, 0x80_0000_0fffn, EINVAL, RAM)]);
    expect(known.message).toContain('The range or its alignment is not accepted');
  });

  test('over a mapping: which, how many, and where they were made', () => {
    const made = [request(0n, 0xfffn, 0, { line: 11 }), request(0x1000n, 0x1fffn, 0), request(0x2000n, 0x2fffn, 0)];
    const found = onlyConflict([...made, request(0x3000n, 0x3fffn, 0), request(0n, 0xffffn, '-EEXIST', RAM)]);
    expect(found).toMatchObject({ errno: 'EEXIST', source: 'Linux 6.12, vfio_dma_do_map' });
    expect(found.message).toContain('0x0-0xfff (4 KiB) is already mapped there, and 3 more mappings.');
    expect(markBounds(found).slice(1)).toEqual([
      ['obstacle', 0n, 0xfffn],
      ['obstacle', 0x1000n, 0x1fffn],
      ['obstacle', 0x2000n, 0x2fffn],
    ]);
    expect(found.provenance).toEqual([
      { source: 'qemu', line: 2 },
      { source: 'qemu', line: 11 },
    ]);
    const one = onlyConflict([request(0n, 0xfffn, 0), request(0n, 0xfffn, '-EEXIST', RAM)]);
    expect(one.message).toContain('is already mapped there.');
    const unseen = onlyConflict([request(0n, 0xfffn, '-EADDRINUSE', RAM)]);
    expect(unseen.message).toContain('these dumps do not show what');
    expect(unseen.marks).toHaveLength(1);
  });

  test('the mappings of that moment count, not later ones', () => {
    const events = [request(0n, 0xfffn, '-EEXIST', RAM), request(0n, 0xfffn, 0)];
    expect(onlyConflict(events).message).toContain('these dumps do not show what');
  });

  test('no space left: the limit of a container, which iommufd does not have', () => {
    const full = onlyConflict([request(0n, 0xfffn, 0), request(0x1000n, 0x1fffn, '-ENOSPC', RAM)]);
    expect(full.message).toContain('has reached its limit of 65535 mappings (1 mapping in these dumps).');
    expect(full).toMatchObject({ errno: 'ENOSPC', source: 'Linux 6.12, vfio_dma_do_map' });
    const iommufd = onlyConflict([request(0n, 0xfffn, '-ENOSPC', { ...RAM, api: 'iommufd' })]);
    expect(iommufd.message).toContain('No free range is large enough (0 mappings in these dumps).');
  });

  test('memory that cannot be locked or pinned', () => {
    expect(onlyConflict([request(0n, 0xfffn, '-ENOMEM', RAM)]).remedy).toContain('Raise RLIMIT_MEMLOCK');
    expect(onlyConflict([request(0n, 0xfffn, '-EFAULT', RAM)]).remedy).toContain('exists and is writable');
    expect(onlyConflict([request(0xfebd_0000n, 0xfebd_0fffn, '-EFAULT')]).remedy).toContain('Usually none is needed');
  });

  test('the same request again is one conflict; another result is another', () => {
    const twice = [request(0n, 0xfffn, '-EIO', RAM), request(0n, 0xfffn, '-EIO', RAM)];
    expect(rules(...twice)).toEqual(['request-refused']);
    expect(rules(...twice, request(0n, 0xfffn, '-ENOMEM', RAM))).toHaveLength(2);
    expect(rules(request(0n, 0xfffn, 0))).toEqual([]);
  });

  test('at most 50 are listed; the last one says how many more there are', () => {
    const many = (n: number) =>
      conflictsOf(
        Array.from({ length: n }, (_, i) => request(BigInt(i) << 12n, (BigInt(i) << 12n) + 0xfffn, '-EIO', RAM)),
      );
    expect(many(50)).toHaveLength(50);
    expect(many(50).at(-1)?.message).not.toContain('not listed');
    expect(many(53)).toHaveLength(50);
    expect(many(53).at(-1)?.message).toMatch(/ 3 more conflicts of this kind not listed\.$/);
    expect(many(51).at(-1)?.message).toMatch(/ 1 more conflict of this kind not listed\.$/);
  });
});

describe('RAM or a BAR', () => {
  const severity = (start: bigint, last: bigint, result: string, name?: string, ...more: SessionEvent[]) =>
    conflictsOf([...more, request(start, last, result, name === undefined ? {} : { name })]).find(
      ({ rule }) => rule === 'request-refused',
    )?.severity;

  test('by the name of the region', () => {
    for (const name of ['pc.ram', 'mem0', 'pc.rom', 'pc.bios', 'dimm1']) {
      expect(severity(1n << 40n, (1n << 40n) + 0xfffn, EINVAL, name)).toBe('fatal');
    }
    for (const name of ['0000:01:00.0 BAR 1', 'vfio mmap', 'msix-table', 'ram BAR 2']) {
      expect(severity(0n, 0xfffn, EINVAL, name)).toBe('note');
    }
    expect(severity(1n << 40n, (1n << 40n) + 0xfffn, EINVAL, 'other')).toBe('fatal');
  });

  test('by its address: BARs of the host, 64-bit BARs at the top; memory that cannot be pinned above 1 MiB', () => {
    const known = bar(0x8000_0000n, 0x8000_ffffn);
    expect(severity(0x8000_0000n, 0x8000_ffffn, EINVAL, undefined, known)).toBe('note');
    expect(severity(0x8000_0000n, 0x8001_0fffn, EINVAL, undefined, known)).toBe('fatal');
    const high = 1n << 37n;
    expect(severity(high, high + 0xfffn, EINVAL)).toBe('note');
    expect(severity(high - 0x1000n, high - 1n, EINVAL)).toBe('fatal');
    expect(severity(1n << 38n, (1n << 39n) - 1n, EINVAL)).toBe('note');
    expect(severity(1n << 38n, 1n << 39n, EINVAL)).toBe('fatal');
    expect(severity(high, high + 0xfffn, '-EIO')).toBe('fatal');
    expect(severity(0x10_0000n, 0x10_0fffn, '-EFAULT')).toBe('note');
    expect(severity(0xf_f000n, 0xf_ffffn, '-EFAULT')).toBe('fatal');
  });

  test('a limit that is reached is fatal for BARs as well', () => {
    expect(severity(0n, 0xfffn, '-ENOMEM', 'BAR 0')).toBe('fatal');
    expect(severity(0n, 0xfffn, '-ENOSPC', 'BAR 0')).toBe('fatal');
    expect(severity(0n, 0xfffn, '-EEXIST', 'BAR 0')).toBe('note');
    const found = onlyConflict([request(0n, 0xfffn, '-EEXIST', { name: 'BAR 0' })]);
    expect(found.message).toContain('It looks like a BAR, not RAM');
  });
});

describe('unmaps', () => {
  test('refused: what is mapped there', () => {
    const made = request(0n, 0x3fffn, 0);
    const cut = onlyConflict([made, request(0n, 0xfffn, '-ENOENT', { ...unmapping, api: 'vfio' })]);
    expect(cut.title).toBe('The kernel refused to unmap 4 KiB at 0x0');
    expect(cut.message).toBe('0x0-0x3fff (16 KiB) is mapped there: the range does not match it.');
    expect(markBounds(cut)).toEqual([
      ['requested', 0n, 0xfffn],
      ['obstacle', 0n, 0x3fffn],
    ]);
    const iommufd = { ...unmapping, api: 'iommufd' } as const;
    const nothing = onlyConflict([request(0n, 0xfffn, '-ENOENT', iommufd)]);
    expect(nothing).toMatchObject({
      message: 'These dumps show no mapping there.',
      source: 'Linux 6.12, iopt_unmap_iova_range',
    });
    const cutThere = onlyConflict([
      request(0n, 0x3fffn, 0, { api: 'iommufd' }),
      request(0n, 0xfffn, '-ENOENT', iommufd),
    ]);
    expect(cutThere.source).toBe('Linux 6.12, iopt_unmap_iova_range');
  });

  test('that cut a mapping: by the rule of the interface', () => {
    const made = request(0n, 0x3fffn, 0);
    const cut = onlyConflict([made, request(0x1000n, 0x1fffn, 0, { ...unmapping, line: 5 })]);
    expect(cut).toMatchObject({
      rule: 'unmap-cuts-mapping',
      severity: 'warning',
      errno: 'EINVAL',
      source: 'Linux 6.12, vfio_dma_do_unmap',
      title: 'An unmap at 0x1000 cuts a mapping',
      provenance: [{ source: 'qemu', line: 5 }],
    });
    expect(cut.marks).toEqual([
      { role: 'requested', ...range(0x1000n, 0x1fffn), message: 'unmapped' },
      { role: 'obstacle', ...range(0n, 0x3fffn), message: 'mapping' },
    ]);
    const iommufd = [
      request(0n, 0x3fffn, 0, { api: 'iommufd' }),
      request(0x1000n, 0x1fffn, 0, { ...unmapping, api: 'iommufd' }),
    ];
    expect(onlyConflict(iommufd)).toMatchObject({ errno: 'ENOENT', source: 'Linux 6.12, iopt_unmap_iova_range' });
    expect(rules(made, request(0n, 0x3fffn, 0, unmapping))).toEqual([]);
    // Traces of the kernel unmap in other pieces than they map.
    expect(rules(map(0n, 0x3fffn), unmap(0x1000n, 0x1fffn))).toEqual([]);
  });

  test('that removed less than was requested', () => {
    const short = (unmapped: bigint) => unmap(0n, 0x1fffn, { unmapped: iova(unmapped), line: 4 });
    const found = onlyConflict([short(0x1000n)]);
    expect(found).toMatchObject({
      rule: 'unmap-short',
      severity: 'warning',
      title: 'An unmap of 8 KiB at 0x0 removed 4 KiB',
      provenance: [{ source: 'trace', line: 4 }],
    });
    expect(found.errno).toBeUndefined();
    expect(found.source).toBeUndefined();
    expect(rules(short(0x1fffn))).toEqual(['unmap-short']);
    expect(rules(short(0x2000n))).toEqual([]);
    expect(rules(unmap(0n, 0x1fffn))).toEqual([]);
    const many = conflictsOf(Array.from({ length: 52 }, () => short(0n)));
    expect(many).toHaveLength(50);
    expect(many.at(-1)?.message).toMatch(/[a-zA-Z.] 2 more conflicts of this kind not listed\.$/);
  });

  test('that cut mappings, many of them', () => {
    const events: FactOf<'request'>[] = [];
    for (let i = 0n; i < 53n; i++) {
      events.push(request(i << 16n, (i << 16n) + 0x1fffn, 0), request(i << 16n, (i << 16n) + 0xfffn, 0, unmapping));
    }
    const found = conflictsOf(events);
    expect(found).toHaveLength(50);
    expect(found.at(-1)?.message).toMatch(/[a-zA-Z.] 3 more conflicts of this kind not listed\.$/);
  });
});

describe('groups that could not be attached now', () => {
  test('a mapping over a region or outside of the aperture, by interface', () => {
    const mapped = [request(0xfee0_0000n, 0xfee0_0fffn, 0), request(0xfee0_1000n, 0xfee0_1fffn, 0)];
    const found = onlyConflict([MSI, ...mapped]);
    expect(found).toMatchObject({
      rule: 'attach-over-mapping',
      severity: 'warning',
      errno: 'EINVAL',
      source: 'Linux 6.12, vfio_iommu_resv_conflict',
      title: 'A mapping overlaps 0xfee00000-0xfeefffff (msi of group 1)',
    });
    expect(found.message).toContain('is mapped, and 1 more mapping: attaching group 1 to the same address space');
    expect(markBounds(found)).toEqual([
      ['requested', 0xfee0_0000n, 0xfee0_0fffn],
      ['obstacle', 0xfee0_0000n, 0xfeef_ffffn],
    ]);
    expect(found.provenance).toEqual([
      { source: 'qemu', line: 2 },
      { source: 'host', line: 1 },
    ]);
    const beyond = onlyConflict([width(39), request(0x80_0000_0000n, 0x80_0000_0fffn, 0)]);
    expect(beyond).toMatchObject({ errno: 'EINVAL', source: 'Linux 6.12, vfio_iommu_aper_conflict' });
    expect(beyond.title).toContain('(outside the aperture)');
    expect(beyond.message).toContain('attaching dmar0, 39 bits to');
    const iommufd = onlyConflict([MSI, request(0xfee0_0000n, 0xfee0_0fffn, 0, { api: 'iommufd' })]);
    expect(iommufd).toMatchObject({
      errno: 'EADDRINUSE',
      source: 'Linux 6.12, iopt_table_enforce_dev_resv_regions',
    });
  });

  test('not a relaxable region, not what was unmapped again, not what a kernel trace shows', () => {
    const relaxed = reserved(0n, 0xffffn, 'direct-relaxable');
    expect(rules(relaxed, request(0n, 0xfffn, 0))).toEqual([]);
    expect(
      rules(MSI, request(0xfee0_0000n, 0xfee0_0fffn, 0), request(0xfee0_0000n, 0xfee0_0fffn, 0, unmapping)),
    ).toEqual([]);
    expect(rules(MSI, map(0xfee0_0000n, 0xfee0_0fffn))).toEqual([]);
  });
});

describe('the limit of mappings', () => {
  const many = (n: number, api: 'vfio' | 'iommufd' = 'vfio') =>
    Array.from({ length: n }, (_, i) => request(BigInt(i) << 13n, (BigInt(i) << 13n) + 0xfffn, 0, { api, line: i }));

  test('one below it, by the request that made the most at once, though all are unmapped later', () => {
    const events = [...many(65_534), request(0n, (65_534n << 13n) - 1n, 0, unmapping)];
    expect(onlyConflict(events)).toMatchObject({
      rule: 'mapping-limit',
      severity: 'warning',
      errno: 'ENOSPC',
      source: 'Linux 6.12, vfio_dma_do_map',
      title: '65,534 mappings at once, of at most 65535',
      provenance: [{ source: 'qemu', line: 65_533 }],
    });
  });

  test('iommufd has none', () => {
    expect(rules(...many(60_000, 'iommufd'))).toEqual([]);
  });
});

test('ENOENT of a map is not explained as a missing mapping: the address space is gone', () => {
  const found = onlyConflict([request(0xc0000n, 0xdffffn, '-ENOENT', RAM)]);
  expect(found?.answer).toContain('no longer existed');
  expect(found?.answer).not.toContain('nothing is mapped there');
});

test('a refusal of vfio-user is not the kernel’s', () => {
  const found = onlyConflict([request(0xc4000n, 0xe7fffn, EINVAL, { origin: 'vfio-user' })]);
  expect(found?.source).toBe('vfio-user, as reported in the dump');
  expect(found?.answer).toContain('not the kernel');
});
