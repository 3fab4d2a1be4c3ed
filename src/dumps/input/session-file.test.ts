import { gzipSync } from 'node:zlib';
import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { anyAddress, assertProperty } from '../../iova/testing/arbitraries.ts';
import { isFact, isOperation, isUnknownEvent } from '../../session/events.ts';
import { readSession } from '../../session/read.ts';
import { inputOf, openAll, regionsOf } from '../testing/read.ts';
import { Collector } from './collector.ts';
import { type DumpEvent, EventQueue } from './event-queue.ts';
import { openInputs } from './open.ts';
import { SessionFileReader } from './session-file.ts';

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

  test('events, problems and lines do not depend on how the text arrives', () => {
    const hex = anyAddress.map((address) => `"0x${address.toString(16)}"`);
    const line = fc.oneof(
      {
        weight: 6,
        arbitrary: fc.tuple(hex, hex).map(([a, b]) => `{"op":"ioas.unmap","ioas":"a","iova":${a},"length":${b}}`),
      },
      {
        weight: 3,
        arbitrary: fc.tuple(hex, hex).map(([a, b]) => `{"kind":"aperture","start":${a},"last":${b},"line":7}`),
      },
      { weight: 2, arbitrary: hex.map((a) => `{"kind":"valid_range","start":${a},"last":"0xffffffffffffffff"}`) },
      hex.map((a) => `{"op":"ioas.unmap","ioas":"ä","iova":${a},"length":"0x1"}`),
      hex.map((a) => ` {"op":"ioas.unmap","ioas":"a","iova":${a},"length":"0x1"}`),
      fc.constantFrom('', ' ', '{', '{"op":"ioas.frob","x":"0x1"}', '\uFEFF{"op":"ioas.alloc","ioas":"a"}'),
    );
    const lines = fc.array(fc.tuple(line, fc.constantFrom('\n', '\n', '\n', '\r\n')), { minLength: 8, maxLength: 40 });
    assertProperty(
      fc.property(lines, fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 5 }), (body, sizes) => {
        const text = `${HEADER}\n${body.flat().join('')}`;
        const events: DumpEvent[] = [];
        const queue = new EventQueue((batch) => events.push(...batch));
        const collector = new Collector('s', queue);
        const reader = new SessionFileReader('s', collector);
        for (let at = 0, i = 0; at < text.length; i++) {
          const size = sizes[i % sizes.length] ?? 1;
          reader.push(text.slice(at, at + size));
          at += size;
        }
        reader.end();
        queue.flush();
        const { session, problems } = readSession(text);
        const isDiagnostic = (event: DumpEvent) => isFact(event) && event.kind === 'diagnostic';
        expect(events.filter((event) => !isDiagnostic(event))).toEqual(
          session.events.map((event, i) => {
            const place = { source: 's', line: session.lines[i] };
            if (isUnknownEvent(event)) return { ...event, text: expect.any(String), ...place };
            return isFact(event) ? { ...event, ...place } : event;
          }),
        );
        expect(collector.reported).toBe(problems.length);
        expect(events.filter(isDiagnostic)).toMatchObject(
          problems
            .filter((p, i) => problems.slice(0, i).filter(({ code }) => code === p.code).length < 20)
            .map(({ line, code, message }) => ({ line, code, message })),
        );
        expect(collector.lines).toBe(text.trimEnd() === text ? text.split('\n').length : text.split('\n').length - 1);
      }),
    );
  });
});
