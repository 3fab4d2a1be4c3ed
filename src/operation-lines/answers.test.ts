import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyAddress, assertProperty } from '../iova/testing/arbitraries.ts';
import type { Answer, OperationName } from '../session/events.ts';
import { parseAnswer, printAnswer } from './answers.ts';

function read(text: string, op?: OperationName): Answer | string {
  const parsed = parseAnswer(text, op);
  return parsed.ok ? parsed.answer : `${parsed.mistake.start}: ${parsed.mistake.message}`;
}

describe('answers in words', () => {
  test.each<[string, OperationName | undefined, Answer]>([
    ['0', undefined, { ret: 0 }],
    ['ok', undefined, { ret: 0 }],
    ['1', 'container.check_extension', { ret: 1 }],
    ['-EINVAL', 'ioas.map', { ret: '-EINVAL' }],
    ['EADDRINUSE', undefined, { ret: '-EADDRINUSE' }],
    ['0, iova 0x1000', undefined, { ret: 0, iova: 0x1000n as never }],
    ['0x1000', 'ioas.map', { ret: 0, iova: 0x1000n as never }],
    ['0 0x8000', 'container.unmap_dma', { ret: 0, unmapped: 0x8000n as never }],
    ['unmapped 32K', 'ioas.unmap', { ret: 0, unmapped: 0x8000n as never }],
    ['-ENOENT, unmapped 0x4000', 'ioas.unmap', { ret: '-ENOENT', unmapped: 0x4000n as never }],
    ['0xfffff000', 'dma.map', { ret: 0, dma_addr: 0xfffff000n as never }],
    [
      '0, alignment 0x1000, 0x0-0xfedfffff + 0xfef00000-0x7fffffffff',
      'ioas.iova_ranges',
      {
        ret: 0,
        alignment: 0x1000n as never,
        ranges: [
          [0n, 0xfedfffffn],
          [0xfef00000n, 0x7fffffffffn],
        ] as never,
      },
    ],
    ['success, unmapped=0x1000', undefined, { ret: 0, unmapped: 0x1000n as never }],
    ['0 iova: 0x1000', undefined, { ret: 0, iova: 0x1000n as never }],
    ['0, ranges none', undefined, { ret: 0, ranges: [] }],
    ['0, argsz 120', undefined, { ret: 0, argsz: 120 }],
  ])('%s', (text, op, answer) => {
    expect(read(text, op)).toEqual(answer);
  });

  test.each([
    ['', undefined, "0: expected an answer such as '0' or '-EINVAL'"],
    [
      '0, iva 0x1000',
      undefined,
      "3: expected an errno, 'iova', 'unmapped', 'alignment', 'sw_msi_start', 'dma_addr', 'argsz', 'num_iovas' or …, found 'iva'; did you mean 'iova'?",
    ],
    ['0, iova', undefined, "7: a value must follow 'iova'"],
    ['0, iova here', undefined, "8: 'here': expected a hexadecimal digit, found 'h'"],
    ['0, iova 0x1000, iova 0x2000', undefined, "16: 'iova' is there twice"],
    ['0, argsz many', undefined, "9: 'many': expected a whole number"],
    ['0x1000', 'ioas.alloc', undefined],
  ] as const)('mistake: %s', (text, op, message) => {
    const got = read(text, op);
    if (message === undefined) expect(got).toBeTypeOf('string');
    else expect(got).toBe(message);
  });

  test('printed and read again, an answer is the same', () => {
    const address = anyAddress;
    const answer = fc.record(
      {
        ret: fc.oneof(fc.integer(), fc.constantFrom('-EINVAL', '-ENOENT', '-E2BIG')),
        ...{ iova: address, unmapped: address, alignment: address, sw_msi_start: address, dma_addr: address },
        ranges: fc.array(
          fc.tuple(address, address).map(([a, b]) => (a < b ? [a, b] : [b, a])),
          { maxLength: 3 },
        ),
        ...{ argsz: fc.nat(), num_iovas: fc.nat(), hex: fc.constantFrom('00', 'deadbeef') },
      },
      { requiredKeys: ['ret'], noNullPrototype: true },
    );
    assertProperty(
      fc.property(answer, (a) => {
        expect(read(printAnswer(a as unknown as Answer))).toEqual(a);
      }),
    );
  });
});
