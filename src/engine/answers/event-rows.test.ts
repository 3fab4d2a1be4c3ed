import { describe, expect, test } from 'vitest';
import { eventsOf } from '../../timeline/testing/sources.ts';
import { sessionDocument } from '../testing/documents.ts';
import { difference, eventRows } from './event-rows.ts';

const map = (iova: string, expected?: object) => ({
  ...{ op: 'ioas.map', ioas: 'a', flags: ['fixed', 'read'], user_va: '0x0', length: '0x1000', iova },
  ...(expected ? { expect: expected } : {}),
});
const LINES = [
  { op: 'ioas.alloc', ioas: 'a' },
  map('0x1000', { ret: 0, iova: '0x1000' }),
  map('0x1000', { ret: 0 }),
  { kind: 'host', name: 'maple' },
];

describe('the list of events', () => {
  test('has what the model answered, and what was expected instead', async () => {
    const rows = eventRows(await sessionDocument('d', LINES, { model: 'iommufd' }), 0, 10);
    expect(rows.map(({ position, answer, expected }) => [position, answer, expected])).toEqual([
      [1, '0', undefined],
      [2, '0 iova=0x1000', undefined],
      [3, '-EEXIST', '0'],
      [4, undefined, undefined],
    ]);
    expect(rows[2]?.refused?.requested).toEqual({ start: 0x1000n, last: 0x1fffn });
    expect(rows[3]).toEqual({ position: 4, text: 'host name=maple' });
  });

  test('comes in pages', async () => {
    const document = await sessionDocument('d', LINES, { model: 'iommufd' });
    const positions = (offset: number, limit: number) =>
      eventRows(document, offset, limit).map(({ position }) => position);
    expect([positions(1, 2), positions(3, 5), positions(4, 5), positions(-2, 3), positions(-5, 3)]).toEqual([
      [2, 3],
      [4],
      [],
      [1],
      [],
    ]);
  });

  test('without a model it has the events only', async () => {
    const [row] = eventRows(await sessionDocument('d', [{ kind: 'host', name: 'maple' }]), 0, 1);
    expect(row).toEqual({ position: 1, text: 'host name=maple' });
  });
});

describe('the difference of two moments', () => {
  const events = eventsOf([
    { kind: 'host', name: 'maple' },
    { kind: 'group', group: '1', devices: [] },
    { kind: 'gone', event: 2 },
    { kind: 'group', group: '1', devices: ['a'], seen: 5 },
    { kind: 'map', start: '0x0', last: '0xfff', origin: 'ftrace' },
    { kind: 'host', name: 'maple', seen: 9 },
  ]);

  test('is what was removed, then what was added', () => {
    expect(difference(events, 2, 4)).toEqual(['− group group=1 devices=[]', '+ group group=1 devices=["a"]']);
    expect(difference(events, 4, 2)).toEqual(['− group group=1 devices=["a"]', '+ group group=1 devices=[]']);
    expect(difference(events, 0, 2)).toEqual(['+ host name=maple', '+ group group=1 devices=[]']);
  });

  test('mappings do not count, nor a fact that was seen again', () => {
    expect(difference(events, 4, 6)).toEqual([]);
    expect(difference(events, 3, 3)).toEqual([]);
  });
});
