import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { assertProperty } from '../iova/testing/arbitraries.ts';
import { createModel, MODEL_NAMES } from '../kernel/models.ts';
import { answerOf } from '../kernel/replay/replay.ts';
import { anyContainerOperation, anyOperation, anyPageTableOperation } from '../kernel/testing/any-operation.ts';
import { isOperation, type Operation } from '../session/events.ts';
import { readSession } from '../session/read.ts';
import { OPERATIONS } from '../session/schema.ts';
import { parseOperationLine } from './parse.ts';
import { printOperation } from './print.ts';
import { anyLineOperation } from './testing/any-line-operation.ts';

/** The operation of a line; the mistake as text if there is one. */
function read(line: string, model?: string): Operation | string {
  const parsed = parseOperationLine(line, { model });
  return parsed.ok ? parsed.operation : `${parsed.mistake.start}: ${parsed.mistake.message}`;
}

/** What is wrong with a line of the model iommufd. */
function mistakeIn(line: string, model?: string) {
  const parsed = parseOperationLine(line, { model });
  return parsed.ok ? undefined : parsed.mistake;
}

/** Absent fields and fields that are undefined are the same; key order does not matter. */
const plain = (operation: Operation) =>
  JSON.parse(JSON.stringify(operation, (_key, v: unknown) => (typeof v === 'bigint' ? `0x${v.toString(16)}` : v)));

describe('the words of the contract', () => {
  const RW = ['read', 'write'];
  test.each([
    ['alloc a', { op: 'ioas.alloc', ioas: 'a' }],
    [
      'attach nic to a: iommu vtd, aperture 0x0-0x7fffffffff, msi 0xfee00000-0xfeefffff',
      {
        op: 'device.attach',
        device: 'nic',
        ioas: 'a',
        domain: { iommu: 'vtd', aperture: ['0x0', '0x7fffffffff'], pgsize_bitmap: '0x40201000' },
        reserved: [{ start: '0xfee00000', last: '0xfeefffff', type: 'msi' }],
      },
    ],
    [
      'map a 0x40000000 4G rw',
      {
        ...{ op: 'ioas.map', ioas: 'a', flags: ['fixed', ...RW], user_va: '0x7f0000000000' },
        ...{ length: '0x100000000', iova: '0x40000000' },
      },
    ],
    ['map a any 2M r', { op: 'ioas.map', ioas: 'a', flags: ['read'], user_va: '0x7f0000000000', length: '0x200000' }],
    ['unmap a 0x1000 4K', { op: 'ioas.unmap', ioas: 'a', iova: '0x1000', length: '0x1000' }],
    ['unmap a all', { op: 'ioas.unmap', ioas: 'a', iova: '0x0', length: '0xffffffffffffffff' }],
    ['copy a 0x1000 4K to b', { op: 'ioas.copy', src: 'a', dst: 'b', src_iova: '0x1000', length: '0x1000', flags: RW }],
    ['ranges a', { op: 'ioas.iova_ranges', ioas: 'a' }],
    ['allow a 0x1000-0xffff', { op: 'ioas.allow_iovas', ioas: 'a', ranges: [['0x1000', '0xffff']] }],
    ['reserve a 0x1000 4K', { op: 'ioas.reserve', ioas: 'a', start: '0x1000', length: '0x1000' }],
    ['detach nic', { op: 'device.detach', device: 'nic' }],
    ['open c type1v2', { op: 'container.open', container: 'c', model: 'type1v2' }],
    [
      'attach group 1 to c: iommu vtd, aperture 0x0-0xffff',
      {
        ...{ op: 'container.attach_group', container: 'c', group: '1', reserved: [] },
        domain: {
          ...{ iommu: 'vtd', aperture: ['0x0', '0xffff'], pgsize_bitmap: '0x40201000', enforce_cache_coherency: false },
        },
      },
    ],
    ['info c argsz 120', { op: 'container.get_info', container: 'c', argsz: 120 }],
    ['extension c 4', { op: 'container.check_extension', container: 'c', extension: 4 }],
    [
      'dma nic map 0x12345000 8K mask 32',
      { op: 'dma.map', device: 'nic', phys: '0x12345000', size: '0x2000', dma_mask: '0xffffffff' },
    ],
  ])('%s', (line, operation) => {
    const parsed = parseOperationLine(line);
    expect(parsed.ok && plain(parsed.operation)).toEqual(operation);
  });

  test('the model decides whether a map or an unmap is about a container', () => {
    expect(read('map c 0x0 1G rw', 'type1')).toMatchObject({ op: 'container.map_dma', flags: RW, size: 1n << 30n });
    expect(read('map c 0x0 1G rw', 'iommufd-vfio')).toMatchObject({ op: 'container.map_dma' });
    expect(read('map c 0x0 1G rw', 'iommufd-rfc')).toMatchObject({ op: 'ioas.map' });
    expect(read('unmap c all', 'type1')).toMatchObject({
      op: 'container.unmap_dma',
      flags: ['all'],
      iova: 0n,
      size: 0n,
    });
    expect(read('map container c 0x0 1G rw', 'iommufd')).toMatchObject({ op: 'container.map_dma', container: 'c' });
    expect(read('map "container" 0x0 1G rw', 'iommufd')).toMatchObject({ op: 'ioas.map', ioas: 'container' });
  });

  test('what the short examples leave out can be said', () => {
    const line =
      'attach gpu to hwpt h: aperture 0x0+4G, iommu "my iommu", pages 4K+2M, coherent, region odd 0x5..0x9 # why';
    expect(read(line)).toEqual({
      ...{ op: 'device.attach', device: 'gpu', hwpt: 'h', reserved: [{ start: 5n, last: 9n, type: 'odd' }] },
      domain: {
        ...{
          iommu: 'my iommu',
          aperture: [0n, 0xffff_ffffn],
          pgsize_bitmap: 0x20_1000n,
          enforce_cache_coherency: true,
        },
      },
    });
    expect(read('map a 0x1000 4K r file memfd offset 8K size 64K, memory past-eof present 4K')).toMatchObject({
      ...{ op: 'ioas.map_file', fd: 'memfd', start: 0x2000n, file_size: 0x10000n },
      ...{ memory: 'past-eof', present: 0x1000n, flags: ['fixed', 'read'] },
    });
    expect(read('dma nic attach to d: aperture 0x0-0xffff, platform, window 0x10-0x1f, limit 0xfff')).toMatchObject({
      ...{ op: 'dma.attach', pci: false, force_aperture: true, windows: [[0x10n, 0x1fn]], bus_dma_limit: 0xfffn },
    });
  });
});

describe('printed and read again, an operation is the same', () => {
  const models = fc.constantFrom(undefined, ...MODEL_NAMES);

  test('every operation, with any names, flags and numbers', () => {
    const seen = new Set<string>();
    assertProperty(
      fc.property(anyLineOperation, models, (operation, model) => {
        seen.add(operation.op);
        const line = printOperation(operation, { model });
        expect(line).not.toContain('\n');
        expect(read(line, model)).toEqual(operation);
        // The words of a line are the same again, so that it does not matter how often it is written.
        expect(printOperation(read(line, model) as Operation, { model })).toBe(line);
      }),
      { numRuns: 4000 },
    );
    expect([...seen].sort()).toEqual(Object.keys(OPERATIONS).sort());
  });

  const folder = path.join(import.meta.dirname, '..', 'kernel', 'fixtures');
  test.each(readdirSync(folder))('every operation of the recording %s', (file) => {
    const { session } = readSession(readFileSync(path.join(folder, file), 'utf8'));
    const { model } = session.header;
    for (const event of session.events) {
      if (!isOperation(event)) continue;
      const { expect: _expect, ...operation } = event;
      const read = parseOperationLine(printOperation(event, { model }), { model });
      expect(read.ok && plain(read.operation)).toMatchObject(plain(operation as Operation));
    }
  });
});

describe('lines answer as the operations of a session do', () => {
  test.each([
    ['iommufd', fc.oneof(anyOperation, anyPageTableOperation)],
    ['iommufd-rfc', anyOperation],
    ['type1', anyContainerOperation],
    ['iommufd-vfio', anyContainerOperation],
  ] as const)('%s', (name, operations) => {
    assertProperty(
      fc.property(fc.array(operations, { maxLength: 40 }), (list) => {
        const [direct, typed] = [1, 2].map(() => createModel({}, name));
        if (!direct?.ok || !typed?.ok) throw new Error('no model');
        for (const [i, operation] of list.entries()) {
          const line = read(printOperation(operation, { model: name }), name);
          if (typeof line === 'string') throw new Error(line);
          const wanted = direct.model.apply(operation, i);
          const got = typed.model.apply(line, i);
          expect(answerOf(got)).toEqual(answerOf(wanted));
          expect(got.ok || got.refusal?.rule).toEqual(wanted.ok || wanted.refusal?.rule);
        }
      }),
      { numRuns: 60 },
    );
  });
});

describe('mistakes', () => {
  test.each([
    [
      'mpa a 0x1000 4K rw',
      "expected 'alloc', 'attach', 'map', 'unmap', 'copy', 'ranges', 'allow', 'reserve' or …, found 'mpa'; did you mean 'map'?",
      0,
    ],
    ['map', 'expected the name of an IOAS, found the end of the line', 3],
    ['map a', "expected 'any' or an address such as 0x40000000, found the end of the line", 5],
    ['map a ayn 4K rw', "expected 'any' or an address such as 0x40000000, found 'ayn'; did you mean 'any'?", 6],
    ['map a 0x1000 4Q rw', "'4Q': expected a size such as 4096, 4K, 2M, 1.5GiB or 0x1000", 13],
    [
      'map a 0x11111111111111111 4K rw',
      "'0x11111111111111111': larger than 64 bits (17 hexadecimal digits, at most 16 fit)",
      6,
    ],
    ['map a 0x1000 16E rw', "'16E': larger than 64 bits", 13],
    [
      'map a 0x1000 4K wr',
      "expected 'rw', 'r', 'w', 'none', 'from', 'file', 'memory', 'present' or …, found 'wr'; did you mean 'rw'?",
      16,
    ],
    ['map a 0x1000 4K rw,', "expected 'from', 'file', 'memory', 'present' or 'flags', found the end of the line", 19],
    ['attach nic to a', "'iommu NAME' is missing", 15],
    ['attach nic to a: iommu vtd', "'aperture START-LAST' is missing", 26],
    [
      'attach nic to a: iomu vtd, aperture 0x0-0xff',
      "expected 'iommu', 'aperture', 'pages', 'coherent', 'dirty-tracking', 'driver', 'msi', 'sw-msi' or …, found 'iomu'; did you mean 'iommu'?",
      17,
    ],
    ['attach nic to a: iommu vtd, aperture 0x0', "'0x0': expected START-LAST, START+SIZE or SIZE@START", 37],
    ['alloc "a', 'missing closing quote', 6],
    ['alloc a b', "nothing more was expected, found 'b'", 8],
    [
      '',
      "expected 'alloc', 'attach', 'map', 'unmap', 'copy', 'ranges', 'allow', 'reserve' or …, found the end of the line",
      0,
    ],
    ['info c argsz -1', "expected a number, found '-1'", 13],
    ['attach nic to a: iommu v, aperture 0x0-0xff, pages 3K', "'3K': 3K is not a power of two", 51],
  ])('%s', (line, message, start) => {
    expect(mistakeIn(line)).toMatchObject({ message, start });
  });

  test('any text is an operation or has a mistake within it', () => {
    const word = fc.oneof(
      fc.constantFrom(
        'map',
        'attach',
        'to',
        'a',
        ':',
        ',',
        '0x1000',
        '4K',
        'iommu',
        'aperture',
        '0x0-0xff',
        'rw',
        '"',
        '=>',
        '#',
      ),
      fc.constantFrom(
        'flags',
        'none',
        'dma',
        'nic',
        'hwpt',
        'from',
        'file',
        'memory',
        'pages',
        'coherent',
        'region',
        'window',
      ),
      fc.string(),
    );
    assertProperty(
      fc.property(fc.array(word, { maxLength: 12 }), fc.constantFrom(...MODEL_NAMES), (list, model) => {
        const line = list.join(' ');
        const parsed = parseOperationLine(line, { model });
        if (parsed.ok) {
          expect(read(printOperation(parsed.operation, { model }), model)).toEqual(parsed.operation);
        } else {
          const { start, end, message } = parsed.mistake;
          expect(message).not.toBe('');
          expect(0 <= start && start <= end && end <= line.length).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
