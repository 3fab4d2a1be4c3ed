// The lanes of a host's facts, one describe each.
import { describe, expect, test } from 'vitest';
import { range } from '../../iova/range.ts';
import { hostSource, reportedSource, rowsOf } from '../testing/sources.ts';
import { barsOfHost } from './bars.ts';
import { doorbellsOfHost } from './doorbells.ts';
import { faultsOfHost } from './faults.ts';
import { guestsOf } from './guest.ts';
import { mappingsOfHost } from './mappings.ts';
import { reservedOfHost } from './reserved.ts';
import { usableOfHost, usableOfReported } from './usable.ts';
import { windowsOfHost } from './windows.ts';

const A = '0000:01:00.0';
const B = '0000:02:00.0';
const MSI = { kind: 'reserved', start: '0xfee00000', last: '0xfeefffff', type: 'msi' };
const MSI_1 = { ...MSI, group: '1' };
const MSI_2 = { ...MSI, group: '2' };

describe('reserved regions', () => {
  const DIRECT_2 = { kind: 'reserved', start: '0x3f000000', last: '0x3f7fffff', type: 'direct', group: '2' };

  test('equal ones of several groups are one range; expanded each group has its row', () => {
    const lines = [MSI_1, MSI_2, DIRECT_2];
    const [merged] = reservedOfHost(hostSource(lines));
    expect(merged).toMatchObject({ id: 'h#reserved', subtitle: 'groups 1, 2', expandable: true, expanded: false });
    expect(rowsOf(merged)).toEqual([['0x3f000000-0x3f7fffff direct direct', '0xfee00000-0xfeefffff msi MSI window']]);
    expect(merged?.describe(0, 1)).toMatchObject({
      title: 'MSI window (msi)',
      parts: [
        { owner: 'group 1', provenance: [{ source: 'dump', line: 1 }] },
        { owner: 'group 2', provenance: [{ source: 'dump', line: 2 }] },
      ],
    });
    expect(merged?.describe(0, 0).title).toBe('direct');
    const [expanded] = reservedOfHost(hostSource(lines, { expanded: ['reserved'] }));
    expect(expanded?.expanded).toBe(true);
    expect(rowsOf(expanded)).toEqual([
      ['group 1:', '0xfee00000-0xfeefffff msi MSI window'],
      ['group 2:', '0x3f000000-0x3f7fffff direct direct', '0xfee00000-0xfeefffff msi MSI window'],
    ]);
  });

  test('each type has its style; an unknown one has a style of its own', () => {
    const types = ['msi', 'sw-msi', 'direct', 'direct-relaxable', 'reserved', 'usable', 'odd'];
    const lines = types.map((type, i) => ({
      kind: 'reserved',
      start: `0x${i}000`,
      last: `0x${i}fff`,
      type,
      group: '1',
    }));
    const [lane] = reservedOfHost(hostSource(lines));
    expect(rowsOf(lane)[0]?.map((text) => text.split(' ')[1])).toEqual([
      'msi',
      'msi',
      'direct',
      'direct-relaxable',
      'reserved',
      'reserved-other',
      'reserved-other',
    ]);
  });

  test('overlapping types are in rows of their own; names of many groups become their number', () => {
    const [lane] = reservedOfHost(hostSource([MSI_1, { ...MSI_1, type: 'reserved', last: '0xfeffffff' }]));
    expect(rowsOf(lane)).toEqual([
      ['0xfee00000-0xfeefffff msi MSI window'],
      ['0xfee00000-0xfeffffff reserved reserved'],
    ]);
    expect(lane?.subtitle).toBe('group 1');
    const groups = (n: number) => Array.from({ length: n }, (_, i) => ({ ...MSI, group: `${i}` }));
    expect(reservedOfHost(hostSource(groups(4)))[0]?.subtitle).toBe('groups 0, 1, 2, 3');
    expect(reservedOfHost(hostSource(groups(5)))[0]?.subtitle).toBe('5 groups');
  });

  test('a row names the devices of its group', () => {
    const notes = (devices: readonly string[]) => {
      const lines = [MSI_1, MSI_2, { kind: 'group', group: '1', devices }];
      return reservedOfHost(hostSource(lines, { expanded: ['reserved'] }))[0]?.rows[0]?.note;
    };
    expect(notes([A])).toBe(A);
    expect(notes([A, B])).toBe(`${A} and 1 more`);
  });

  test('devices have their names, in groups, BARs and faults', () => {
    const lines = [
      MSI_1,
      MSI_2,
      { kind: 'group', group: '1', devices: [A] },
      { kind: 'device', device: A, name: 'Acme Corporation GPU', driver: 'vfio-pci' },
      { kind: 'bar', start: '0x1000', last: '0x1fff', device: A, index: 0 },
      { kind: 'bar', start: '0x3000', last: '0x3fff', device: B, index: 0 },
      { kind: 'fault', address: '0x9000', device: A },
    ];
    const source = hostSource(lines, { expanded: ['reserved', 'bars'] });
    expect(reservedOfHost(source)[0]?.rows[0]?.note).toBe(`${A} Acme GPU (vfio-pci)`);
    const [bars] = barsOfHost(source);
    expect(bars?.rows.map(({ title, note }) => [title, note])).toEqual([
      [A, 'Acme GPU (vfio-pci)'],
      [B, ''],
    ]);
    expect(bars?.describe(0, 0).title).toBe(`BAR 0 of ${A} Acme GPU (vfio-pci)`);
    expect(faultsOfHost(source)[0]?.subtitle).toBe(`1 fault, ${A} Acme GPU (vfio-pci)`);
  });

  test('no lane without a group', () => {
    expect(reservedOfHost(hostSource([{ kind: 'host', address_width: 39 }]))).toEqual([]);
  });
});

describe('usable ranges', () => {
  test('are outside of the reserved ones; the largest is named', () => {
    const [lane] = usableOfHost(hostSource([MSI_1]));
    expect(rowsOf(lane)).toEqual([['0x0-0xfedfffff usable', '0xfef00000-0xffffffffffffffff usable']]);
    expect(lane).toMatchObject({ id: 'h#usable', subtitle: '2 ranges' });
    expect([0, 1].map((i) => lane?.describe(0, i).title)).toEqual(['usable', 'usable (largest)']);
    expect(lane?.describe(0, 0).sentence).toContain('aperture is unknown');
  });

  test('end with a known aperture, and then have a total', () => {
    const [lane] = usableOfHost(hostSource([MSI_1, { kind: 'host', address_width: 32 }]));
    expect(rowsOf(lane)[0]?.[1]).toBe('0xfef00000-0xffffffff usable');
    expect(lane?.subtitle).toBe('2 ranges, ≈ 3.99 GiB');
    expect(lane?.describe(0, 0).sentence).not.toContain('unknown');
  });

  test('a single one is not called the largest; without groups there is no lane', () => {
    const relaxable = { ...MSI_1, type: 'direct-relaxable' };
    const [lane] = usableOfHost(hostSource([relaxable]));
    expect([lane?.subtitle, lane?.describe(0, 0).title]).toEqual(['1 range', 'usable']);
    expect(usableOfHost(hostSource([{ kind: 'host', address_width: 32 }]))).toEqual([]);
  });

  test('as a kernel reported them, with all lines that say so', () => {
    const valid = (start: string, last: string) => ({ kind: 'valid_range', start, last, container: 'c' });
    const [lane] = usableOfReported(
      reportedSource([valid('0x0', '0xfff'), valid('0x1000', '0x1fff'), valid('0x4000', '0x4fff')]),
    );
    expect(lane).toMatchObject({ id: 'r#usable', kind: 'usable', title: 'valid', subtitle: '2 ranges, 12 KiB' });
    expect(rowsOf(lane)).toEqual([['0x0-0x1fff reported', '0x4000-0x4fff reported']]);
    const lines = (index: number) => lane?.describe(0, index).parts.map(({ provenance }) => provenance[0]?.line);
    expect([lines(0), lines(1)]).toEqual([[1, 2], [3]]);
  });
});

describe('doorbells', () => {
  const GROUP = { kind: 'group', group: '1', devices: [A, B] };
  const message = (device: string, address: string) => ({ kind: 'msi_message', device, address });

  test('are pages with the devices that write there; outside of an MSI window they are marked', () => {
    const [lane] = doorbellsOfHost(
      hostSource([MSI_1, GROUP, message(A, '0xfee00010'), message(B, '0xfee00fff'), message(B, '0x8000040')]),
    );
    expect(rowsOf(lane)).toEqual([
      [`0x8000000-0x8000fff doorbell-outside ${B}`, '0xfee00000-0xfee00fff doorbell 2 devices'],
    ]);
    expect(lane).toMatchObject({ id: 'h#doorbells', subtitle: '2 pages of 4 KiB' });
    expect(lane?.describe(0, 1)).toMatchObject({
      title: 'MSI doorbell page',
      values: { 'MSI address': '0xfee0_0010, 0xfee0_0fff' },
    });
    expect(lane?.describe(0, 0).title).toBe('MSI target outside the MSI windows');
    expect(lane?.describe(0, 1).parts.map(({ owner }) => owner)).toEqual([A, B]);
  });

  test('have the largest of the smallest page sizes of the apertures', () => {
    const aperture = (bitmap: string, iommu: string) => ({
      kind: 'aperture',
      start: '0x0',
      last: '0xffffffff',
      pgsize_bitmap: bitmap,
      iommu,
    });
    const [lane] = doorbellsOfHost(
      hostSource([MSI_1, GROUP, message(A, '0xfee12345'), aperture('0x1000', 'a'), aperture('0x20010000', 'b')]),
    );
    expect(rowsOf(lane)).toEqual([[`0xfee10000-0xfee1ffff doorbell ${A}`]]);
    expect(lane?.subtitle).toBe('1 page of 64 KiB');
  });

  test('no lane without messages of the selected devices', () => {
    expect(doorbellsOfHost(hostSource([MSI_1, GROUP]))).toEqual([]);
    expect(doorbellsOfHost(hostSource([MSI_1, GROUP, message('0000:03:00.0', '0xfee00000')]))).toEqual([]);
  });
});

describe('the memory map', () => {
  const window = (start: string, last: string, name: string, depth: number, type: string) => ({
    ...{ kind: 'window', start, last, name, depth, type },
  });
  const lines = [
    window('0x100000', '0x7fffffff', 'System RAM', 0, 'ram'),
    window('0x80000000', '0xfebfffff', 'PCI Bus', 0, 'pci'),
    window('0x1000000', '0x1ffffff', 'Kernel code', 1, 'other'),
    window('0xfec00000', '0xfec00fff', 'Reserved', 0, 'reserved'),
  ];

  test('has the outermost windows; expanded a row for each level', () => {
    const [lane] = windowsOfHost(hostSource(lines));
    expect(lane).toMatchObject({ id: 'h#windows', title: 'memory map', subtitle: 'physical, 4 windows' });
    expect([lane?.expandable, lane?.expanded]).toEqual([true, false]);
    expect(rowsOf(lane)).toEqual([
      [
        '0x100000-0x7fffffff window-ram System RAM',
        '0x80000000-0xfebfffff window-pci PCI Bus',
        '0xfec00000-0xfec00fff window-reserved Reserved',
      ],
    ]);
    const [expanded] = windowsOfHost(hostSource(lines, { expanded: ['windows'] }));
    expect(expanded?.expanded).toBe(true);
    expect(rowsOf(expanded).map(([title, ...ranges]) => [title, ranges.length])).toEqual([
      ['level 0:', 3],
      ['level 1:', 1],
    ]);
    expect(rowsOf(expanded)[1]?.[1]).toBe('0x1000000-0x1ffffff window-other Kernel code');
    expect(expanded?.describe(1, 0)).toMatchObject({ title: 'Kernel code (other)', values: { depth: '1' } });
  });

  test('of one level cannot be expanded', () => {
    const [lane] = windowsOfHost(hostSource(lines.slice(0, 2), { expanded: ['windows'] }));
    expect([lane?.expandable, lane?.expanded, lane?.rows.length]).toEqual([false, false, 1]);
  });
});

describe('BARs', () => {
  const bar = (device: string, index: number, start: string, last: string, more = {}) => ({
    ...{ kind: 'bar', device, index, start, last, ...more },
  });
  const lines = [
    bar(B, 6, '0xfe000000', '0xfe00ffff'),
    bar(A, 0, '0xfd000000', '0xfdffffff', { bits: 64, prefetchable: true }),
    bar(A, 2, '0xfc000000', '0xfc00ffff', { prefetchable: false }),
  ];

  test('are named; the expansion ROM is not called a BAR', () => {
    const [lane] = barsOfHost(hostSource(lines));
    expect(lane).toMatchObject({ id: 'h#bars', title: 'BARs', subtitle: '3 BARs of 2 devices' });
    expect(rowsOf(lane)).toEqual([
      [
        `0xfc000000-0xfc00ffff bar ${A} BAR 2`,
        `0xfd000000-0xfdffffff bar ${A} BAR 0`,
        `0xfe000000-0xfe00ffff bar ${B} ROM`,
      ],
    ]);
    expect(lane?.describe(0, 1)).toMatchObject({
      title: `BAR 0 of ${A}`,
      values: { kind: '64-bit', prefetchable: 'yes' },
    });
    expect(lane?.describe(0, 0).values).toEqual({ prefetchable: 'no' });
    expect(lane?.describe(0, 2).values).toEqual({});
  });

  test('expanded each device has its row; a single device cannot be expanded', () => {
    const [lane] = barsOfHost(hostSource(lines, { expanded: ['bars'] }));
    expect(rowsOf(lane).map(([title, ...ranges]) => [title, ranges.length])).toEqual([
      [`${A}:`, 2],
      [`${B}:`, 1],
    ]);
    const [single] = barsOfHost(hostSource(lines.slice(1), { expanded: ['bars'] }));
    expect([single?.expandable, single?.expanded, single?.subtitle]).toEqual([false, false, '2 BARs of 1 device']);
  });
});

describe('faults', () => {
  const fault = (address: string, more = {}) => ({ kind: 'fault', address, ...more });
  const lines = [
    fault('0x2000', { device: A, access: 'write', reason: 'not present' }),
    fault('0x1000', { device: A, access: 'read' }),
    fault('0x2000', { device: B, access: 'read', reason: 'not present' }),
    fault('0x2000'),
  ];

  test('are one mark for each address, with what is known of all of them', () => {
    const [lane] = faultsOfHost(hostSource(lines));
    expect(lane).toMatchObject({ id: 'h#faults', title: 'faults', subtitle: '4 faults from 3 devices' });
    expect(rowsOf(lane)).toEqual([['0x1000-0x1000 fault 0x1000', '0x2000-0x2000 fault 0x2000']]);
    expect(lane?.describe(0, 1)).toMatchObject({
      title: 'fault at 0x2000',
      sentence: 'The IOMMU blocked 3 DMA accesses at this address.',
      values: { access: 'write, read', reason: 'not present' },
    });
    expect(lane?.describe(0, 1).parts.map(({ owner }) => owner)).toEqual([A, B, 'unknown device']);
    expect(lane?.describe(0, 0)).toMatchObject({
      sentence: 'The IOMMU blocked one DMA access at this address.',
      values: { access: 'read' },
    });
  });

  test('expanded each device has its row', () => {
    const [lane] = faultsOfHost(hostSource(lines, { expanded: ['faults'] }));
    expect(rowsOf(lane)).toEqual([
      [`${A}:`, '0x1000-0x1000 fault 0x1000', '0x2000-0x2000 fault 0x2000'],
      [`${B}:`, '0x2000-0x2000 fault 0x2000'],
      ['unknown device:', '0x2000-0x2000 fault 0x2000'],
    ]);
    expect(lane?.describe(2, 0).values).toEqual({});
    const [single] = faultsOfHost(hostSource(lines.slice(0, 2), { expanded: ['faults'] }));
    expect([single?.expandable, single?.subtitle]).toEqual([false, `2 faults, ${A}`]);
  });
});

describe('a guest', () => {
  const part = (start: bigint, last: bigint, name: string, type: string) => ({ ...range(start, last), name, type });

  test('has its RAM and device memory; expanded its I/O too', () => {
    const ranges = [
      part(0x100000n, 0x7fffffffn, 'pc.ram', 'ram'),
      part(0xfe000000n, 0xfe0fffffn, 'vfio BAR', 'ramd'),
      part(0xfec00000n, 0xfec00fffn, 'ioapic', 'i/o'),
    ];
    const source = (expanded: readonly string[]) =>
      hostSource([MSI_1], { guests: [{ title: 'vm', ranges }], expanded });
    const [lane] = guestsOf(source([]));
    expect(lane).toMatchObject({ id: 'h#guest 0', subtitle: 'vm', expandable: true, expanded: false });
    expect(rowsOf(lane)).toEqual([
      ['0x100000-0x7fffffff guest-ram pc.ram', '0xfe000000-0xfe0fffff guest-device vfio BAR'],
    ]);
    const [expanded] = guestsOf(source(['guest 0']));
    expect(rowsOf(expanded)).toEqual([
      [
        'vm:',
        '0x100000-0x7fffffff guest-ram pc.ram',
        '0xfe000000-0xfe0fffff guest-device vfio BAR',
        '0xfec00000-0xfec00fff guest-io ioapic',
      ],
    ]);
    expect(lane?.describe(0, 0).title).toBe('pc.ram (ram)');
  });

  test('with nothing but I/O, or nothing but RAM, is shown whole and cannot be expanded', () => {
    for (const ranges of [[part(0n, 9n, 'io', 'i/o')], [part(0n, 9n, 'r', 'ram')]]) {
      const [lane] = guestsOf(hostSource([MSI_1], { guests: [{ title: 'vm', ranges }], expanded: ['guest 0'] }));
      expect([lane?.expandable, lane?.expanded, rowsOf(lane)[0]?.length]).toEqual([false, false, 1]);
    }
  });
});

describe('mappings', () => {
  const map = (start: string, last: string, more = {}) => ({
    ...{ kind: 'map', start, last, origin: 'page-table', device: A, domain: '1', ...more },
  });
  const request = (result: 0 | string, more = {}) => ({
    ...{ kind: 'request', op: 'map', api: 'vfio', start: '0x1000', last: '0x1fff', result, ...more },
  });

  test('of one domain: where they lead and where that was read', () => {
    const [lane] = mappingsOfHost(
      hostSource([map('0x1000', '0x1fff', { paddr: '0x9000', time: 1.5 }), map('0x3000', '0x3fff')]),
    );
    expect(lane).toMatchObject({ kind: 'mappings', expandable: false });
    expect(lane?.subtitle).toMatch(/^2 mappings/);
    expect(rowsOf(lane)).toEqual([['0x1000-0x1fff mapping → 0x9000', '0x3000-0x3fff mapping']]);
    expect(lane?.describe(0, 0)).toMatchObject({
      title: 'mapping',
      parts: [{ range: { start: 0x1000n, last: 0x1fffn }, provenance: [{ source: 'dump', line: 1 }] }],
      values: { 'physical address': '0x9000', time: '1.5 s', domain: '1' },
    });
    expect(() => lane?.caption(0, 2)).toThrow(RangeError);
    expect(() => lane?.describe(1, 0)).toThrow(RangeError);
  });

  test('of an unknown domain may overlap: each layer is a row', () => {
    const traced = { origin: 'ftrace', device: undefined, domain: undefined };
    const [lane] = mappingsOfHost(hostSource([map('0x1000', '0x1fff', traced), map('0x1000', '0x2fff', traced)]));
    expect(rowsOf(lane)).toEqual([['0x1000-0x1fff mapping-unsure'], ['0x1000-0x2fff mapping-unsure']]);
    expect(lane?.describe(1, 0).sentence).toContain('unknown domain');
  });

  test('at the moment of the state', () => {
    const lines = [map('0x1000', '0x1fff', { origin: 'ftrace' }), map('0x3000', '0x3fff', { origin: 'ftrace' })];
    const [lane] = mappingsOfHost(hostSource(lines, { position: 1 }));
    expect(rowsOf(lane)).toEqual([['0x1000-0x1fff mapping']]);
  });

  test('requests that succeeded are mappings, refused ones a lane below, equal ones once', () => {
    const refused = request('-EINVAL', { name: 'pc.ram', vaddr: '0x7000' });
    const lanes = mappingsOfHost(
      hostSource([request(0, { name: 'rom', start: '0x5000', last: '0x5fff' }), refused, refused]),
    );
    expect(lanes.map(({ kind }) => kind)).toEqual(['mappings', 'requests']);
    expect(lanes[0]?.caption(0, 0)).toBe('rom');
    expect(lanes[1]).toMatchObject({ id: `${lanes[0]?.id} refused`, title: 'refused' });
    expect(lanes[1]?.subtitle).toMatch(/^2 requests, /);
    expect(rowsOf(lanes[1])).toEqual([['0x1000-0x1fff request-refused pc.ram: -EINVAL']]);
    expect(lanes[1]?.describe(0, 0)).toMatchObject({
      title: 'map of 4 KiB refused: -EINVAL',
      values: { 'user address': '0x7000', region: 'pc.ram' },
    });
  });

  test('a set of refused requests has no lane of mappings; one of mappings no lane of requests', () => {
    const lanes = mappingsOfHost(hostSource([request('-EINVAL', { op: 'unmap' })]));
    expect(lanes.map(({ kind }) => kind)).toEqual(['requests']);
    expect(rowsOf(lanes[0])).toEqual([['0x1000-0x1fff request-refused unmap: -EINVAL']]);
    expect(lanes[0]?.describe(0, 0)).toMatchObject({ title: 'unmap of 4 KiB refused: -EINVAL', values: {} });
    expect(mappingsOfHost(hostSource([map('0x1000', '0x1fff')])).map(({ kind }) => kind)).toEqual(['mappings']);
  });
});
