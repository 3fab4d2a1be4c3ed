import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyAddress, anyRange, assertProperty } from '../iova/testing/arbitraries.ts';
import { toHex } from './numbers.ts';
import { fromHex, patched } from './testing/bytes.ts';
import { decodeType1Info, encodeType1Info, type Type1Capability, type Type1Info } from './type1-info.ts';

const TRACES = new URL('../kernel/fixtures/', import.meta.url);

/** Every buffer that a recorded kernel filled in, once: the argsz that it was given, and the one in the answer. */
const recorded = new Map<string, { argsz: number; answered: number; padded: boolean }>();
for (const name of readdirSync(TRACES).filter((file) => file.startsWith('type1'))) {
  for (const line of readFileSync(new URL(name, TRACES), 'utf8').split('\n')) {
    if (!line.includes('container.get_info')) continue;
    const { argsz, expect: answer } = JSON.parse(line) as { argsz: number; expect: { hex?: string; argsz: number } };
    if (answer.hex === undefined) continue;
    // Linux 6.1 puts the capabilities one after the other.
    recorded.set(answer.hex, { argsz, answered: answer.argsz, padded: !name.startsWith('type1-6.1-') });
  }
}

const capability: fc.Arbitrary<Type1Capability> = fc.oneof(
  fc.record({
    kind: fc.constant('migration' as const),
    flags: fc.constant(0),
    pageSizes: anyAddress,
    maxBitmapSize: anyAddress,
  }),
  fc.record({ kind: fc.constant('dma-avail' as const), avail: fc.integer({ min: 0, max: 0xffff_ffff }) }),
  fc.record({ kind: fc.constant('iova-range' as const), ranges: fc.array(anyRange, { maxLength: 4 }) }),
);
const anyInfo: fc.Arbitrary<Type1Info> = fc.record({
  pageSizes: anyAddress,
  capabilities: fc.oneof(fc.constant(undefined), fc.array(capability, { minLength: 1, maxLength: 5 })),
});
const endian = fc.constantFrom('little' as const, 'big' as const);

describe('the answer of VFIO_IOMMU_GET_INFO', () => {
  it('is encoded again as the recorded kernels wrote it', () => {
    expect(recorded.size).toBeGreaterThan(20);
    let whole = 0;
    for (const [hex, { argsz, padded }] of recorded) {
      const decoded = decodeType1Info(fromHex(hex));
      expect(decoded?.problems).toEqual([]);
      if (!decoded || decoded.truncated) continue;
      expect(toHex(encodeType1Info(decoded.info, argsz, { padded })?.bytes ?? new Uint8Array())).toBe(hex);
      whole++;
    }
    expect(whole).toBeGreaterThan(10);
  });

  it('tells that a small buffer was filled in part only', () => {
    for (const [hex, { argsz, answered }] of recorded) {
      expect(decodeType1Info(fromHex(hex))?.truncated).toBe(argsz !== answered);
    }
  });

  it('gives the values back that went in, and the bytes again', () => {
    assertProperty(
      fc.property(anyInfo, endian, fc.integer({ min: 0, max: 400 }), (info, order, more) => {
        const needed = encodeType1Info(info, 24, { endian: order })?.argsz ?? 0;
        const encoded = encodeType1Info(info, needed + more, { endian: order });
        const decoded = decodeType1Info(encoded?.bytes ?? new Uint8Array(), order);
        expect(decoded).toEqual({ argsz: needed + more, info, truncated: false, problems: [] });
        expect(encodeType1Info(decoded?.info ?? info, needed + more, { endian: order })).toEqual(encoded);
      }),
    );
  });

  it('never throws on any bytes', () => {
    assertProperty(
      fc.property(fc.uint8Array({ maxLength: 200 }), endian, (bytes, order) => {
        expect(decodeType1Info(bytes, order) === undefined).toBe(bytes.length < 16);
      }),
      { numRuns: 1000 },
    );
  });

  it('is refused below 16 bytes', () => {
    const info = { pageSizes: 0x1000n, capabilities: [{ kind: 'dma-avail', avail: 1 } as const] };
    expect(encodeType1Info(info, 15)).toBeUndefined();
    expect(encodeType1Info(info, 16)).toEqual({
      argsz: 40,
      bytes: fromHex('28000000 03000000 0010000000000000'),
    });
  });

  it('keeps the capabilities that hold when others do not', () => {
    const [hex = ''] = [...recorded].flatMap(([text, { padded }]) => (padded && text.length === 240 ? text : []));
    const bytes = fromHex(hex);
    const kinds = (buffer: Uint8Array) => decodeType1Info(buffer)?.info.capabilities?.map(({ kind }) => kind);
    const codes = (buffer: Uint8Array) => decodeType1Info(buffer)?.problems.map(({ code, offset }) => [code, offset]);
    expect(kinds(bytes)).toEqual(['migration', 'dma-avail', 'iova-range']);
    const version = patched(bytes, 0x3a, 2, 2);
    expect(kinds(version)).toEqual(['migration', 'iova-range']);
    expect(codes(version)).toEqual([['unknown-version', 0x3a]]);
    const id = patched(bytes, 0x18, 2, 99);
    expect(kinds(id)).toEqual(['dma-avail', 'iova-range']);
    expect(codes(id)).toEqual([['unknown-capability', 0x18]]);
    expect(codes(bytes.slice(0, -1))).toEqual([['capability-too-small', 0x50]]);
    expect(codes(bytes.slice(0, 0x44))).toEqual([['link-outside', 0x3c]]);
    expect(codes(bytes.slice(0, 0x42))).toEqual([
      ['link-outside', 0x3c],
      ['capability-too-small', 0x40],
    ]);
  });
});
