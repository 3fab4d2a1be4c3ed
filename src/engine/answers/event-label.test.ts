import { describe, expect, test } from 'vitest';
import { OPERATIONS } from '../../session/schema.ts';
import { eventsOf } from '../../timeline/testing/sources.ts';
import { answerLabel, eventLabel, eventName, eventObjects, eventSentence, eventTime } from './event-label.ts';

const eventOf = (line: object) => {
  const [event] = eventsOf([line]);
  if (!event) throw new Error('no event');
  return event;
};
const labelOf = (line: object) => eventLabel(eventOf(line));

const MSI = { start: '0xfee00000', last: '0xfeefffff', type: 'msi' };
const DOMAIN = { iommu: 'vtd', aperture: ['0x0', '0x7fffffffff'], pgsize_bitmap: '0x1000' };

describe('operations in words', () => {
  test.each<[string, object]>([
    ['create IOAS a', { op: 'ioas.alloc', ioas: 'a' }],
    [
      'map 8 KiB at 0x6000 rw, user address 0x7f00_0000_0000',
      {
        op: 'ioas.map',
        ioas: 'a',
        flags: ['fixed', 'read', 'write'],
        user_va: '0x7f0000000000',
        length: '0x2000',
        iova: '0x6000',
      },
    ],
    [
      'map 4 KiB anywhere r, user address 0x1000',
      { op: 'ioas.map', ioas: 'a', flags: ['read'], user_va: '0x1000', length: '0x1000' },
    ],
    [
      'copy 4097 bytes from 0x1000 of IOAS a to IOAS b at 0x2000 w',
      {
        op: 'ioas.copy',
        dst: 'b',
        src: 'a',
        flags: ['fixed', 'write'],
        length: '0x1001',
        src_iova: '0x1000',
        dst_iova: '0x2000',
      },
    ],
    ['unmap 4 KiB at 0x1000', { op: 'ioas.unmap', ioas: 'a', iova: '0x1000', length: '0x1000' }],
    ['unmap all', { op: 'ioas.unmap', ioas: 'a', iova: '0x0', length: '0xffffffffffffffff' }],
    ['unmap 0 bytes at 0x0', { op: 'ioas.unmap', ioas: 'a', iova: '0x0', length: '0x0' }],
    [
      'allow 0x0 – 0xfff, 0x1_0000',
      {
        op: 'ioas.allow_iovas',
        ioas: 'a',
        ranges: [
          ['0x0', '0xfff'],
          ['0x10000', '0x10000'],
        ],
      },
    ],
    ['allow none', { op: 'ioas.allow_iovas', ioas: 'a', ranges: [] }],
    ['reserve 4 KiB at 0x1000', { op: 'ioas.reserve', ioas: 'a', start: '0x1000', length: '0x1000' }],
    ['huge pages off', { op: 'ioas.option_huge_pages', ioas: 'a', value: 0 }],
    [
      'attach device nic to IOAS a: vtd, aperture 0x0 – 0x7f_ffff_ffff, reserved msi 0xfee0_0000 – 0xfeef_ffff',
      { op: 'device.attach', device: 'nic', ioas: 'a', domain: DOMAIN, reserved: [MSI] },
    ],
    [
      'pin 4 KiB at 0x1000 r as p',
      { op: 'access.pin', access: 'x', pin: 'p', iova: '0x1000', length: '0x1000', write: false },
    ],
    ['open container c (type1v2)', { op: 'container.open', container: 'c', model: 'type1v2' }],
    [
      'attach group 1 to container c: vtd, aperture 0x0 – 0x7f_ffff_ffff',
      { op: 'container.attach_group', container: 'c', group: '1', domain: DOMAIN, reserved: [] },
    ],
    [
      'map 2 MiB at 0x1000 without access, user address 0x0',
      { op: 'container.map_dma', container: 'c', flags: [], vaddr: '0x0', size: '0x200000', iova: '0x1000' },
    ],
    ['unmap all', { op: 'container.unmap_dma', container: 'c', flags: ['all'], iova: '0x0', size: '0x0' }],
    ['query info, 120 bytes', { op: 'container.get_info', container: 'c', argsz: 120 }],
  ])('%s', (label, line) => {
    expect(labelOf(line)).toBe(label);
  });

  test('keep fields that the words do not say, and not what was expected', () => {
    expect(
      labelOf({ op: 'ioas.unmap', ioas: 'a', iova: '0x0', length: '0x1000', memory: 'hole', expect: { ret: 0 } }),
    ).toBe('unmap 4 KiB at 0x0, memory hole');
  });

  test('a long list is counted, not cut in the middle of an entry', () => {
    const ranges = Array.from({ length: 9 }, (_, i) => [`0x${i}000`, `0x${i}0ff`]);
    expect(labelOf({ op: 'ioas.allow_iovas', ioas: 'a', ranges })).toMatch(/0x5000 – 0x50ff and 3 more$/);
  });

  test('no operation of the format is left without words', () => {
    const fields = {
      ...{ ioas: 'a', src: 'a', dst: 'a', device: 'd', access: 'x', pin: 'p', container: 'c', group: '1' },
      ...{
        flags: [],
        ranges: [],
        reserved: [],
        domain: DOMAIN,
        model: 'type1',
        value: 1,
        write: true,
        argsz: 1,
        extension: 1,
      },
      ...{
        fd: 'f',
        hwpt: 'h',
        start: '0x0',
        iova: '0x0',
        src_iova: '0x0',
        user_va: '0x0',
        vaddr: '0x0',
        length: '0x1',
        size: '0x1',
      },
    };
    const dma = {
      ...{ domain: 'dom', aperture: ['0x0', '0xfff'], force_aperture: true, pgsize_bitmap: '0x1000', pci: true },
      ...{ forcedac: false, windows: [], phys: '0x0', dma_mask: '0xf', dma_addr: '0x0' },
    };
    for (const op of Object.keys(OPERATIONS)) {
      const line = { op, ...fields, ...(op.startsWith('dma.') ? dma : {}) };
      expect(labelOf(line), op).not.toMatch(/[{}[\]"]|\bundefined\b/);
    }
  });
});

describe('facts in words', () => {
  test.each<[string, object]>([
    ['reserved: 0xfee0_0000 – 0xfeef_ffff, type msi, group 1', { kind: 'reserved', ...MSI, group: '1' }],
    ['group 1, devices a b', { kind: 'group', group: '1', devices: ['a', 'b'] }],
    [
      'map 4 KiB at 0x1000, physical address 0x5000, origin ftrace',
      { kind: 'map', start: '0x1000', last: '0x1fff', paddr: '0x5000', origin: 'ftrace' },
    ],
    ['unmap 4 KiB at 0x1000, unmapped 2 KiB', { kind: 'unmap', start: '0x1000', last: '0x1fff', unmapped: '0x800' }],
    [
      'map 4 GiB at 0x4000_0000 (pc.ram), api vfio',
      {
        kind: 'request',
        op: 'map',
        api: 'vfio',
        start: '0x40000000',
        last: '0x13fffffff',
        result: '-EINVAL',
        name: 'pc.ram',
      },
    ],
    [
      'fault at 0x1000, device d, access write',
      { kind: 'fault', address: '0x1000', device: 'd', access: 'write', time: 4 },
    ],
    [
      'warning: something is cut, code cut',
      { kind: 'diagnostic', severity: 'warning', code: 'cut', message: 'something is cut' },
    ],
    [
      'machine win11, monitor qemu, machine q35, ram 16 GiB, options (highmem off)',
      {
        kind: 'machine',
        name: 'win11',
        monitor: 'qemu',
        machine: 'q35',
        ram: '0x400000000',
        options: { highmem: 'off' },
      },
    ],
  ])('%s', (label, line) => {
    expect(labelOf({ ...line, source: 'a.log', line: 3 })).toBe(label);
  });

  test('a value of very many characters ends with an ellipsis', () => {
    expect(labelOf({ kind: 'ineligible', device: 'd', reason: 'y'.repeat(1000) })).toHaveLength(
      'ineligible d: reason '.length + 401,
    );
  });

  test('further fields can be left out', () => {
    expect(eventLabel(eventOf({ kind: 'iommu', name: 'dmar0', driver: 'intel', seen: 5 }), ['seen'])).toBe(
      'iommu dmar0, driver intel',
    );
  });

  test('an unknown event is its name', () => {
    expect(eventLabel({ unknown: 'op', name: 'ioas.frobnicate' })).toBe('unknown event: ioas.frobnicate');
  });
});

describe('what an event is about', () => {
  test('its name, its objects with the one that it acts on first, its time', () => {
    const copy = eventOf({ op: 'ioas.copy', dst: 'b', src: 'a', flags: [], length: '0x1', src_iova: '0x0' });
    expect(eventName(copy)).toBe('ioas.copy');
    expect(eventObjects(copy)).toEqual(['IOAS b', 'IOAS a']);
    const request = eventOf({
      kind: 'request',
      op: 'map',
      api: 'vfio',
      start: '0x0',
      last: '0x0',
      result: 0,
      time: 2.5,
    });
    expect([eventName(request), eventObjects(request), eventTime(request)]).toEqual(['request', [], 2.5]);
    const fault = eventOf({ kind: 'fault', address: '0x0', access: 'write', device: 'nic' });
    expect(eventObjects(fault)).toEqual(['device nic']);
    expect([eventName({ unknown: 'op', name: 'x' }), eventTime(copy)]).toEqual(['unknown', undefined]);
  });

  test('a sentence names the object where the label does not', () => {
    const unmap = eventOf({ op: 'ioas.unmap', ioas: 'a', iova: '0x1000', length: '0x1000' });
    expect(eventSentence(unmap)).toBe('IOAS a: unmap 4 KiB at 0x1000');
    expect(eventSentence(eventOf({ op: 'ioas.alloc', ioas: 'a' }))).toBe('create IOAS a');
  });
});

test('answers have what the call returned first', () => {
  expect(answerLabel({ ret: 0 })).toBe('0');
  expect(answerLabel({ iova: 0x4000n, ret: 0, unmapped: undefined } as never)).toBe('0 (iova 0x4000)');
  expect(answerLabel({ ret: '-ENOENT' })).toBe('-ENOENT');
  expect(answerLabel({ ret: 0, ranges: [[0n, 0xfffn]] } as never)).toBe('0 (ranges 0x0 – 0xfff)');
});
