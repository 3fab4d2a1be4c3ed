import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runWith } from '../documents/model-states.ts';
import type { EventFilter } from '../protocol/sessions.ts';
import { sessionDocument } from '../testing/documents.ts';
import { eventIndex, eventOverview, eventRows, failureFrom } from './event-list.ts';

const map = (ioas: string, iova: string, length = '0x1000') => ({
  ...{ op: 'ioas.map', ioas, flags: ['fixed', 'read'], user_va: '0x0' },
  ...{ length, iova },
});
const LINES = [
  { op: 'ioas.alloc', ioas: 'a' },
  { op: 'ioas.alloc', ioas: 'b' },
  map('a', '0x1000'),
  map('a', '0x1000'),
  map('b', '0x1000', '0x4000'),
  { kind: 'host', name: 'maple' },
  { op: 'ioas.unmap', ioas: 'b', iova: '0x9000', length: '0x1000' },
  { kind: 'fault', address: '0x2000', device: '0000:03:00.0', time: 2 },
];

const open = (lines: readonly object[] = LINES) => sessionDocument('d', lines, { model: 'iommufd' });

async function positions(filter: EventFilter, document = open()): Promise<number[]> {
  const opened = await document;
  const rows = await eventRows(opened, { offset: 0, limit: 1000, filter });
  const { total, filter: of } = await eventOverview(opened, filter);
  expect(total).toBe(rows.length);
  expect(of).toBe(filter);
  return rows.map(({ position }) => position);
}

describe('filters', () => {
  test.each<[string, EventFilter, number[]]>([
    ['nothing', {}, [1, 2, 3, 4, 5, 6, 7, 8]],
    ['failures', { failed: true }, [4, 7, 8]],
    ['an operation', { name: 'ioas.map' }, [3, 4, 5]],
    ['the kind of a fact', { name: 'host' }, [6]],
    ['an object', { object: 'IOAS b' }, [2, 5, 7]],
    ['words of the label, in any case', { text: ' UNMAP 4 kib ' }, [7]],
    ['an address, in the ranges that hold it', { text: '0x1fff' }, [3, 4, 5]],
    ['an address in another notation', { text: '0x0000_4fff' }, [5]],
    ['an address of a fault', { text: '2000' }, [5, 8]],
    ['an errno', { text: 'eexist' }, [4]],
    ['all of them', { failed: true, name: 'ioas.map', object: 'IOAS a', text: 'map' }, [4]],
    ['nothing at all', { object: 'IOAS c' }, []],
  ])('%s', async (_, filter, expected) => {
    expect(await positions(filter)).toEqual(expected);
  });

  test('one after the other they leave what each leaves alone', async () => {
    const filter = fc.record({
      failed: fc.boolean(),
      name: fc.constantFrom(undefined, 'ioas.map', 'fault'),
      object: fc.constantFrom(undefined, 'IOAS a', 'IOAS b'),
      text: fc.constantFrom('', 'm', 'ma', 'map', '0x1', '0x1000', '1000', '1', 'un'),
    });
    const document = await open();
    await fc.assert(
      fc.asyncProperty(fc.array(filter, { maxLength: 6 }), async (filters) => {
        for (const each of filters) {
          expect(await positions(each, Promise.resolve(document))).toEqual(await positions(each));
        }
      }),
      { numRuns: 15 },
    );
  });

  test('come in pages', async () => {
    const document = await open();
    const page = async (offset: number, limit: number, filter?: EventFilter) =>
      (await eventRows(document, { offset, limit, filter })).map(({ position }) => position);
    expect(await page(1, 2)).toEqual([2, 3]);
    expect(await page(7, 5)).toEqual([8]);
    expect(await page(8, 5)).toEqual([]);
    expect(await page(-2, 3)).toEqual([1]);
    expect(await page(1, 1, { failed: true })).toEqual([7]);
  });

  test('know events that are added, and another model', async () => {
    const document = await open();
    expect(await positions({ failed: true }, Promise.resolve(document))).toEqual([4, 7, 8]);
    const more = (await open([...LINES, map('a', '0x1000')])).session.events.at(-1);
    if (more) document.session.events.push(more);
    expect(await positions({ failed: true }, Promise.resolve(document))).toEqual([4, 7, 8, 9]);
    // Its unmap succeeds where nothing is mapped.
    await runWith(document, 'iommufd-rfc');
    const rows = await eventRows(document, { offset: 0, limit: 100, filter: { failed: true } });
    expect(rows.every(({ refused, text }) => refused !== undefined || text.startsWith('fault'))).toBe(true);
  });

  test('stop when they are cancelled, and go on later', async () => {
    const document = await open();
    const cancelled = AbortSignal.abort();
    await expect(eventOverview(document, { failed: true }, cancelled)).rejects.toThrow();
    expect(await positions({ failed: true }, Promise.resolve(document))).toEqual([4, 7, 8]);
  });
});

describe('the overview', () => {
  test('counts names, objects and failures', async () => {
    const overview = await eventOverview(await open(), { text: 'nothing has this' });
    expect(overview.total).toBe(0);
    expect(overview.names.slice(0, 2)).toEqual([
      { name: 'ioas.map', count: 3 },
      { name: 'ioas.alloc', count: 2 },
    ]);
    expect(overview.objects).toEqual([
      { name: 'IOAS a', count: 3 },
      { name: 'IOAS b', count: 3 },
      { name: 'device 0000:03:00.0', count: 1 },
    ]);
    expect(overview).toMatchObject({ failed: 3, hasTimes: true });
    expect(overview.marks).toEqual([4, 7, 8].map((position) => ({ position, count: 1 })));
  });

  test('has one mark for failures that are too close to draw apart', async () => {
    const fault = { kind: 'fault', address: '0x0' };
    const { marks, failed } = await eventOverview(await open(Array.from({ length: 4000 }, () => fault)), {});
    expect(failed).toBe(4000);
    expect(marks.length).toBeLessThanOrEqual(400);
    expect(marks.reduce((sum, mark) => sum + mark.count, 0)).toBe(4000);
    expect(marks[1]).toEqual({ position: 11, count: 10 });
  });
});

test('the place of a moment in a filtered list', async () => {
  const document = await open();
  const at = (filter: EventFilter, position: number) => eventIndex(document, filter, position);
  expect(await at({}, 0)).toBe(-1);
  expect(await at({}, 99)).toBe(7);
  expect(await Promise.all([3, 4, 6, 7, 8].map((p) => at({ failed: true }, p)))).toEqual([-1, 0, 0, 1, 2]);
});

test('from a moment to the next and the previous failure', async () => {
  const document = await open();
  const from = async (position: number, direction: 'next' | 'previous') =>
    (await failureFrom(document, position, direction))?.position;
  expect(await from(0, 'next')).toBe(4);
  expect(await from(4, 'next')).toBe(7);
  expect(await from(8, 'next')).toBeUndefined();
  expect(await from(8, 'previous')).toBe(7);
  expect(await from(4, 'previous')).toBeUndefined();
});
