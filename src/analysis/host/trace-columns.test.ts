import fc from 'fast-check';
import { expect, test } from 'vitest';
import { sizeOf } from '../../iova/range.ts';
import { anyRange, assertProperty } from '../../iova/testing/arbitraries.ts';
import { FactHeads, TraceColumns, type TraceFact } from './trace-columns.ts';

const address = fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn });
const name = fc.constantFrom('a', 'b', '');
const fact = fc
  .tuple(
    anyRange,
    fc.constantFrom('map', 'unmap'),
    fc.record(
      {
        origin: fc.constantFrom('ftrace', 'qemu'),
        source: name,
        device: name,
        domain: name,
        line: fc.nat(),
        time: fc.double({ noNaN: true }),
        paddr: address,
        unmapped: address,
        vaddr: address,
        note: name,
        seen: fc.constant(undefined),
      },
      { requiredKeys: [] },
    ),
  )
  .map(([{ start, last }, kind, fields]) => ({ kind, start, last, ...fields }) as unknown as TraceFact);

test('facts are read as they were written last, also from copies', () => {
  assertProperty(
    fc.property(fc.array(fc.tuple(fc.nat(7), fact), { maxLength: 40 }), (writes) => {
      const heads = new FactHeads();
      const columns = new TraceColumns(4, heads);
      columns.grow(8);
      const copies = new TraceColumns(8, heads);
      const expected = new Map<number, TraceFact>();
      for (const [slot, one] of writes) {
        columns.write(slot, one);
        copies.copy(7 - slot, columns, slot);
        expected.set(slot, one);
      }
      for (const [slot, one] of expected) {
        expect(columns.read(slot)).toStrictEqual(one);
        expect(copies.read(7 - slot)).toStrictEqual(one);
        expect(columns.timeAt(slot)).toBe(one.time);
        expect(columns.isUnmap(slot)).toBe(one.kind === 'unmap');
        const isShort = one.kind === 'unmap' && one.unmapped !== undefined && one.unmapped < sizeOf(one);
        expect(columns.isShort(slot)).toBe(isShort);
      }
    }),
  );
});
