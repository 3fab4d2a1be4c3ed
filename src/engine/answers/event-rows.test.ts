import { describe, expect, test } from 'vitest';
import { eventsOf } from '../../timeline/testing/sources.ts';
import { sessionDocument } from '../testing/documents.ts';
import { difference, eventRow } from './event-rows.ts';

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

describe('a row of the list of events', () => {
  test('has what the model answered, and what was expected instead', async () => {
    const document = await sessionDocument('d', LINES, { model: 'iommufd' });
    const rows = LINES.map((_, index) => eventRow(document, index));
    expect(rows.map((row) => [row?.position, row?.answer, row?.expected])).toEqual([
      [1, '0', undefined],
      [2, '0 (iova 0x1000)', undefined],
      [3, '-EEXIST', '0'],
      [4, undefined, undefined],
    ]);
    expect(rows[2]?.refused?.requested).toEqual({ start: 0x1000n, last: 0x1fffn });
    expect(rows[3]).toEqual({ position: 4, text: 'host maple', source: 'd.jsonl', line: 5 });
    expect(eventRow(document, 4)).toBeUndefined();
  });

  test('has the object, the time and the line of an event', async () => {
    const document = await sessionDocument('d', [
      { kind: 'fault', address: '0x1000', device: '0000:03:00.0', time: 1.5, source: 'a.log', line: 7 },
    ]);
    expect(eventRow(document, 0)).toEqual({
      ...{ position: 1, time: 1.5, object: 'device 0000:03:00.0', source: 'a.log', line: 7 },
      text: 'fault at 0x1000, device 0000:03:00.0',
    });
  });

  test('has the result of a request that a log reports', async () => {
    const request = { kind: 'request', op: 'map', api: 'vfio', start: '0x1000', last: '0x1fff' };
    const document = await sessionDocument('d', [
      { ...request, result: '-EINVAL' },
      { ...request, result: 0 },
    ]);
    expect(eventRow(document, 0)).toMatchObject({
      text: 'map 4 KiB at 0x1000, api vfio',
      answer: '-EINVAL',
      refused: { requested: { start: 0x1000n, last: 0x1fffn } },
    });
    expect(eventRow(document, 1)?.answer).toBe('0');
    expect(eventRow(document, 1)?.refused).toBeUndefined();
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
    expect(difference(events, 2, 4)).toEqual(['− group 1, devices none', '+ group 1, devices a']);
    expect(difference(events, 4, 2)).toEqual(['− group 1, devices a', '+ group 1, devices none']);
    expect(difference(events, 0, 2)).toEqual(['+ host maple', '+ group 1, devices none']);
  });

  test('mappings do not count, nor a fact that was seen again', () => {
    expect(difference(events, 4, 6)).toEqual([]);
    expect(difference(events, 3, 3)).toEqual([]);
  });
});
