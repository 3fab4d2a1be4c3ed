import { describe, expect, it } from 'vitest';
import { parseEventLine } from './event-line.ts';
import { isFact, isOperation, isUnknownEvent } from './events.ts';
import { FACTS, OPERATIONS } from './schema.ts';
import { writeEvent } from './write.ts';

type Fields = Readonly<Record<string, unknown>>;

const RANGE = { start: '0x1000', last: '0x1fff' };
const DOMAIN = {
  iommu: 'vtd',
  aperture: ['0x0', '0x7fffffffff'],
  pgsize_bitmap: '0x1000',
  enforce_cache_coherency: true,
};
const REGIONS = [{ ...RANGE, type: 'msi' }];
const MAPPING = {
  'paddr?': '0x5000',
  'vaddr?': '0x7f0000000000',
  'device?': '0000:00:02.0',
  'domain?': '1',
  'time?': 1.5,
  'origin?': 'ftrace',
};

/** Every field of every fact; a question mark after the name means that it may be absent. */
const FACT_FIELDS: Readonly<Record<keyof typeof FACTS, Fields>> = {
  host: {
    'name?': 'a',
    'kernel?': '6.12',
    'arch?': 'x86_64',
    'address_width?': 48,
    'options?': 'intel_iommu=on',
    'efr?': '0x29d3',
    'efr2?': '0x0',
    'ivinfo?': '0x203043',
    'part?': 1,
  },
  note: { text: 'see line 7', 'start?': '0x1000', 'last?': '0x1fff', 'space?': 'a' },
  iommu: { name: 'dmar0', driver: 'intel', 'address_width?': 39, 'cap?': '0xd2008c40660462', 'ecap?': '0xf050da' },
  group: { group: '7', 'type?': 'DMA', devices: ['0000:00:02.0'] },
  reserved: { ...RANGE, type: 'msi', 'origin?': 'sysfs', 'group?': '7', 'device?': '0000:00:02.0' },
  aperture: {
    ...RANGE,
    'pgsize_bitmap?': '0x1000',
    'group?': '7',
    'iommu?': 'dmar0',
    'container?': '1',
    'origin?': 'manual',
  },
  valid_range: {
    ...RANGE,
    'container?': '1',
    'ioas?': '2',
    'pid?': 42,
    'process?': 'qemu',
    'guest?': 'vm',
    'mappings_left?': 65535,
    'pgsize_bitmap?': '0x1000',
    'alignment?': '0x1000',
  },
  window: { ...RANGE, name: 'System RAM', depth: 0, type: 'ram' },
  bar: { ...RANGE, device: '0000:00:02.0', index: 2, 'prefetchable?': true, 'bits?': 64 },
  msi_message: { device: '0000:00:02.0', address: '0xfee00000', 'data?': '0x41', 'enabled?': true },
  device: {
    device: '0000:00:02.0',
    'name?': 'nic',
    'class?': 'network',
    'ids?': '8086:10fb',
    'subsystem?': '8086:0003',
    'driver?': 'vfio-pci',
    'group?': '7',
    'iommu?': 'dmar0',
    'numa_node?': 1,
    'dma_bits?': 64,
  },
  machine: {
    'name?': 'win11',
    monitor: 'qemu',
    machine: 'pc-q35-7.2',
    'version?': '7.2.0',
    'cpu?': 'EPYC',
    'vendor?': 'amd',
    'ram?': '0x100000000',
    'max_ram?': '0x200000000',
    'slots?': 4,
    'phys_bits?': 43,
    'options?': { 'pci-hole64-size': '64G' },
    'backend?': 'memfd',
    'viommu?': { kind: 'intel' },
    'assigned?': ['0000:0b:00.0'],
    'iommufd?': true,
    'accelerator?': 'kvm',
    'arch?': 'x86_64',
  },
  guest: { ...RANGE, name: 'pc.ram', type: 'ram', 'space?': 'memory' },
  map: { ...RANGE, ...MAPPING },
  unmap: { ...RANGE, ...MAPPING, 'unmapped?': '0x1000' },
  request: {
    ...RANGE,
    op: 'map',
    api: 'vfio',
    'vaddr?': '0x1',
    result: '-EINVAL',
    'name?': 'x',
    'device?': 'y',
    'group?': '4',
  },
  fault: {
    address: '0xfee00000',
    'device?': '0000:00:02.0',
    'access?': 'write',
    'reason?': 'no entry',
    'driver?': 'intel',
    'pasid?': 3,
  },
  ignored: { ...RANGE, type: 'direct', 'group?': '7', 'origin?': 'manual' },
  gone: { event: 3, 'time?': 1.5 },
  ineligible: { device: '0000:00:02.0', reason: 'reserved region' },
  diagnostic: { severity: 'warning', code: 'x', message: 'y' },
};

const SPACE = { ioas: 'a' };
const EXPECTATION = {
  ret: 0,
  iova: '0x1000',
  unmapped: '0x1000',
  alignment: '0x1000',
  ranges: [['0x0', '0xfff']],
  sw_msi_start: '0x8000000',
  argsz: 120,
  hex: '78',
  dma_addr: '0x1000',
};

const BACKING = { 'memory?': 'tail-hole', 'present?': '0x1000' };

/** The same for every operation. */
const OPERATION_FIELDS: Readonly<Record<keyof typeof OPERATIONS, Fields>> = {
  'ioas.alloc': SPACE,
  'ioas.destroy': SPACE,
  'ioas.map': {
    ...SPACE,
    flags: ['fixed', 'read'],
    user_va: '0x1000',
    length: '0x1000',
    'iova?': '0x1000',
    ...BACKING,
  },
  'ioas.copy': { dst: 'a', src: 'b', flags: ['write'], length: '0x1000', src_iova: '0x1000', 'dst_iova?': '0x2000' },
  'ioas.unmap': { ...SPACE, iova: '0x0', length: '0x1000' },
  'ioas.map_file': {
    ...SPACE,
    flags: ['write'],
    fd: 'memfd',
    'file_size?': '0x4000',
    start: '0x1000',
    length: '0x1000',
    'iova?': '0x2000',
    'memory?': 'past-eof',
    'present?': '0x0',
  },
  'ioas.iova_ranges': { ...SPACE, 'capacity?': 3 },
  'ioas.allow_iovas': { ...SPACE, ranges: [['0x0', '0xfff']] },
  'ioas.reserve': { ...SPACE, start: '0x0', length: '0x1000' },
  'ioas.option_huge_pages': { ...SPACE, value: 1 },
  'device.attach': { device: 'd', 'ioas?': 'a', 'hwpt?': 'h', 'group?': '7', domain: DOMAIN, reserved: REGIONS },
  'device.replace': { device: 'd', 'ioas?': 'a', 'hwpt?': 'h' },
  'hwpt.alloc': { hwpt: 'h', device: 'd', ...SPACE, flags: ['nest-parent'] },
  'hwpt.destroy': { hwpt: 'h' },
  'device.detach': { device: 'd' },
  'access.create': { access: 'x', ...SPACE },
  'access.destroy': { access: 'x' },
  'access.pin': { access: 'x', pin: 'p', iova: '0x0', length: '0x1000', write: true },
  'access.unpin': { access: 'x', pin: 'p' },
  'container.open': { container: 'c', model: 'type1v2' },
  'container.close': { container: 'c' },
  'container.attach_group': { container: 'c', group: '7', domain: DOMAIN, reserved: REGIONS },
  'container.detach_group': { container: 'c', group: '7' },
  'container.map_dma': { container: 'c', flags: ['read'], vaddr: '0x0', size: '0x1000', iova: '0x0', ...BACKING },
  'container.unmap_dma': { container: 'c', flags: ['all'], iova: '0x0', size: '0x0' },
  'container.get_info': { container: 'c', argsz: 120 },
  'container.check_extension': { container: 'c', extension: 4 },
  'dma.attach': {
    device: 'd',
    domain: 'm',
    aperture: ['0x0', '0xffffffff'],
    force_aperture: true,
    pgsize_bitmap: '0x1000',
    pci: true,
    forcedac: false,
    'bus_dma_limit?': '0xffffffff',
    windows: [['0x0', '0xfff']],
    reserved: REGIONS,
  },
  'dma.map': { device: 'd', phys: '0x1000', size: '0x1000', dma_mask: '0xffffffff' },
  'dma.unmap': { device: 'd', dma_addr: '0x1000', size: '0x1000' },
};

/** A value of another type than `value`. */
function wrongFor(value: unknown): unknown {
  return typeof value === 'object' && !Array.isArray(value) ? 5 : {};
}

const nameOf = (field: string) => field.replace('?', '');
const isOptional = (field: string) => field.endsWith('?');

/** Reads the line of an object; what is wrong with it, or undefined. */
function problemOf(object: Fields) {
  return parseEventLine(JSON.stringify(object)).problem;
}

const cases = [
  ...Object.entries(FACT_FIELDS).map(
    ([kind, fields]) => [kind, { kind }, { ...fields, 'source?': 'dump.txt', 'line?': 3 }] as const,
  ),
  ...Object.entries(OPERATION_FIELDS).map(
    ([op, fields]) => [op, { op }, { ...fields, 'expect?': { ret: '-EINVAL' } }] as const,
  ),
];

describe.each(cases)('%s', (_name, head, fields) => {
  const whole = { ...head, ...Object.fromEntries(Object.entries(fields).map(([field, v]) => [nameOf(field), v])) };
  const { event, problem } = parseEventLine(JSON.stringify(whole));

  it('is read with all of its fields, and written back', () => {
    expect(problem).toBeUndefined();
    expect('unknown' in event ? '' : writeEvent(event)).toBe(JSON.stringify(whole));
    expect([isFact(event), isOperation(event), isUnknownEvent(event)]).toEqual(['kind' in head, 'op' in head, false]);
  });

  it('is read without the fields that may be absent', () => {
    const required = Object.entries(fields).filter(([field]) => !isOptional(field));
    expect(problemOf({ ...head, ...Object.fromEntries(required) })).toBeUndefined();
  });

  it.each(Object.entries(fields))('names its field %s if it has the wrong type or is missing', (field, value) => {
    const name = nameOf(field);
    const pattern = expect.stringMatching(`field .${name}\\b`);
    expect(problemOf({ ...whole, [name]: wrongFor(value) })).toMatchObject({ code: 'bad-field', message: pattern });
    if (isOptional(field)) return;
    const { [name]: _, ...rest } = whole as Record<string, unknown>;
    expect(problemOf(rest)).toMatchObject({ code: 'bad-field', message: pattern });
  });
});

describe('fields inside of others', () => {
  const attach = { op: 'device.attach', device: 'd', ioas: 'a', domain: DOMAIN, reserved: REGIONS };

  it.each(Object.keys(EXPECTATION))('an answer has a %s of its type', (name) => {
    const expect_ = { ...EXPECTATION, [name]: {} };
    expect(problemOf({ op: 'ioas.alloc', ioas: 'a', expect: EXPECTATION })).toBeUndefined();
    expect(problemOf({ op: 'ioas.alloc', ioas: 'a', expect: expect_ })?.message).toMatch(`expect.${name}`);
  });

  it.each(Object.keys(DOMAIN))('a domain has a %s of its type', (name) => {
    expect(problemOf({ ...attach, domain: { ...DOMAIN, [name]: {} } })?.message).toMatch(`domain.${name}`);
  });

  it.each(['start', 'last', 'type'])('a reserved region has a %s of its type', (name) => {
    const reserved = [{ ...REGIONS[0], [name]: {} }];
    expect(problemOf({ ...attach, reserved })?.message).toMatch(`reserved.0.${name}`);
  });

  it.each([
    [{ kind: 'machine', monitor: 'qemu', machine: 'virt', viommu: {} }, 'viommu.kind'],
    [
      { kind: 'machine', monitor: 'qemu', machine: 'virt', viommu: { kind: 'x', address_width: '48' } },
      'viommu.address',
    ],
    [{ kind: 'machine', monitor: 'qemu', machine: 'virt', options: { highmem: 5 } }, 'options.highmem'],
    [{ kind: 'machine', monitor: 'qemu', machine: 'virt', assigned: [5] }, 'assigned.0'],
    [{ kind: 'group', group: '1', devices: [5] }, 'devices.0'],
    [{ op: 'ioas.map', ioas: 'a', flags: [5], user_va: '0x0', length: '0x1' }, 'flags.0'],
    [{ op: 'container.map_dma', container: 'c', flags: [null], vaddr: '0x0', size: '0x1', iova: '0x0' }, 'flags.0'],
    [{ op: 'container.unmap_dma', container: 'c', flags: [true], iova: '0x0', size: '0x1' }, 'flags.0'],
    [{ op: 'container.open', container: 'c', model: 'type2' }, 'model'],
    [{ op: 'ioas.allow_iovas', ioas: 'a', ranges: [['0x0']] }, 'ranges.0.1'],
    [{ kind: 'request', op: 'pin', api: 'vfio', ...RANGE, result: 0 }, 'op'],
    [{ kind: 'request', op: 'map', api: 'xen', ...RANGE, result: 0 }, 'api'],
    [{ kind: 'request', op: 'map', api: 'vfio', ...RANGE, result: 1 }, 'result'],
    [{ kind: 'diagnostic', severity: 'fatal', code: 'x', message: 'y' }, 'severity'],
  ])('%j is refused at %s', (object, path) => {
    expect(problemOf(object)).toMatchObject({ code: 'bad-field', message: expect.stringMatching(path) });
  });
});

describe('numbers', () => {
  const reserve = (start: unknown) => ({ op: 'ioas.reserve', ioas: 'a', start, length: '0x1' });

  it.each(['0x0', '0xffffffffffffffff', '0xABC'])('%s is an address', (text) => {
    expect(problemOf(reserve(text))).toBeUndefined();
  });

  it.each(['0x10000000000000000', '0x', '0xg', '0x1 ', ' 0x1', '4096', '-0x1', 4096, null])(
    '%j is no address',
    (value) => {
      expect(problemOf(reserve(value))).toMatchObject({ code: 'bad-field' });
    },
  );

  it.each([-1, 1.5, '1'])('%j is no count', (value) => {
    expect(problemOf({ op: 'container.get_info', container: 'c', argsz: value })?.code).toBe('bad-field');
    expect(problemOf({ op: 'container.get_info', container: 'c', argsz: 0 })).toBeUndefined();
  });

  it.each(Object.entries(FACT_FIELDS).filter(([, fields]) => 'start' in fields))(
    '%s: start is at most last',
    (kind, fields) => {
      const whole = Object.fromEntries(Object.entries(fields).map(([field, value]) => [nameOf(field), value]));
      expect(problemOf({ kind, ...whole, start: '0x1fff' })).toBeUndefined();
      expect(problemOf({ kind, ...whole, start: '0x2000' })?.message).toMatch('start is above last');
    },
  );
});

describe('what the file holds', () => {
  it('has an example here of every fact and every operation', () => {
    expect(Object.keys(FACT_FIELDS).sort()).toEqual(Object.keys(FACTS).sort());
    expect(Object.keys(OPERATION_FIELDS).sort()).toEqual(Object.keys(OPERATIONS).sort());
  });

  it('tells facts, operations and unknown lines apart by kind and op', () => {
    const { event } = parseEventLine(
      '{"kind":"request","op":"map","api":"vfio","start":"0x0","last":"0xfff","result":0}',
    );
    expect([isFact(event), isOperation(event), isUnknownEvent(event)]).toEqual([true, false, false]);
    const unknown = parseEventLine('{"op":"ioas.frob"}').event;
    expect([isFact(unknown), isOperation(unknown), isUnknownEvent(unknown)]).toEqual([false, false, true]);
  });
});
