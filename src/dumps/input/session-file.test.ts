import { gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { isOperation } from '../../session/events.ts';
import { inputOf, openAll, regionsOf } from '../testing/read.ts';
import type { DumpEvent } from './event-queue.ts';
import { openInputs } from './open.ts';

describe('session files', () => {
  const HEADER = '{"format":"iova-trace","version":1,"title":"A title","page_size":"0x1000"}';
  const RESERVED = '{"kind":"reserved","start":"0x0","last":"0xfff","type":"msi","source":"lab","line":9}';

  test('facts keep their source, operations keep their order, problems are reported, the unknown is kept', async () => {
    const text = [
      HEADER,
      RESERVED,
      '{"op":"ioas.alloc","ioas":"a"}',
      '{"kind":"reserved","start":"0x1000","last":"0x1fff","type":"msi"}',
      '{"kind":"novelty", "x":1}',
      '{"op":"ioas.dance"}',
      '{"kind":"reserved","start":"0x2","last":"0x1","type":"msi"}',
      'not json',
    ].join('\n');
    const events: DumpEvent[] = [];
    const { header, sources } = await openInputs([inputOf('s', text)], { onEvents: (batch) => events.push(...batch) });
    expect(header).toMatchObject({ title: 'A title', page_size: 0x1000n });
    const short = events.map((event) =>
      isOperation(event) ? event.op : 'kind' in event ? `${event.kind} ${event.source} ${event.line}` : event,
    );
    expect(short).toEqual([
      'reserved lab 9',
      'ioas.alloc',
      'reserved s 4',
      'diagnostic s 5',
      { unknown: 'kind', name: 'novelty', text: '{"kind":"novelty", "x":1}', source: 's', line: 5 },
      'diagnostic s 6',
      { unknown: 'op', name: 'ioas.dance', text: '{"op":"ioas.dance"}', source: 's', line: 6 },
      'diagnostic s 7',
      expect.objectContaining({ unknown: 'line', line: 7 }),
      'diagnostic s 8',
      expect.objectContaining({ unknown: 'line', line: 8 }),
    ]);
    expect(sources[0]).toMatchObject({ operations: 1, lines: 8, formats: [{ name: 'session', facts: 2 }] });
  });

  test('without a header, packed, with a mark of byte order', async () => {
    for (const content of [`${RESERVED}\n`, `\uFEFF${HEADER}\r\n${RESERVED}\r\n`, gzipSync(`${HEADER}\n${RESERVED}`)]) {
      expect(regionsOf(await openAll([inputOf('s', content)]))).toEqual(['?: 0-fff msi']);
    }
  });

  test('only a header, and two sessions', async () => {
    const one = await openInputs([inputOf('s', HEADER)], { onEvents: () => undefined });
    expect(one.header?.title).toBe('A title');
    expect(one.sources[0]?.diagnostics).toEqual([]);
    const two = await openInputs([inputOf('s', HEADER), inputOf('t', HEADER)], { onEvents: () => undefined });
    expect(two.header).toBeUndefined();
  });
});
