import { readdirSync, readFileSync } from 'node:fs';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { anyAddress, assertProperty } from '../iova/testing/arbitraries.ts';
import { parseEventLine } from './event-line.ts';
import { isFact, isOperation } from './events.ts';
import { LineSplitter } from './lines.ts';
import { readSession, SessionReader } from './read.ts';
import { newSession } from './session.ts';
import { writeEvent, writeSession } from './write.ts';

const FOLDERS = ['fixtures/', '../kernel/fixtures/'].map((path) => new URL(path, import.meta.url));
const traces = FOLDERS.flatMap((folder) =>
  readdirSync(folder).map((name) => [name, readFileSync(new URL(name, folder), 'utf8')] as const),
);

const HEADER = '{"format":"iova-trace","version":1}';
const ALLOC = '{"op":"ioas.alloc","ioas":"a"}';

/** Problems as `line severity code`. */
function problemsOf(text: string): string[] {
  return readSession(text).problems.map((p) => `${p.line} ${p.severity} ${p.code}`);
}

describe('reading and writing', () => {
  it.each(traces)('gives the same bytes: %s', (_name, text) => {
    const { session, problems } = readSession(text);
    expect(problems).toEqual([]);
    expect(session.events.length).toBe(text.trimEnd().split('\n').length - 1);
    expect(session.events.every((event) => isOperation(event))).toBe(true);
    expect(session.lines).toEqual(session.events.map((_, i) => i + 2));
    expect(writeSession(session)).toBe(text);
  });

  it.each<[string, string]>([
    ['CRLF', `${HEADER}\r\n${ALLOC}\r\n`],
    ['a byte order mark', `\uFEFF${HEADER}\n${ALLOC}\n`],
    ['blank lines anywhere', `\n \n${HEADER}\n\n\t\n${ALLOC}\n\r\n\n`],
    ['no final newline', `${HEADER}\n${ALLOC}`],
    ['blanks around, and other spelling', `  ${HEADER} \n { "ioas" : "a", "op":"ioas.alloc" }\t\n`],
    ['upper-case hex', `${HEADER}\n{"op":"ioas.unmap","ioas":"a","iova":"0xFEE00000","length":"0x01"}\n`],
    ['fields of the future', `${HEADER}\n{"op":"ioas.alloc","ioas":"a","colour":"0xG","deep":[{"x":1.0}]}\n`],
    ['a key twice', `${HEADER}\n{"op":"ioas.alloc","ioas":"a","ioas":"b"}\n`],
    ['numbers beyond a double', `${HEADER}\n{"op":"ioas.alloc","ioas":"a","n":9007199254740993}\n`],
    ['a key called __proto__', `${HEADER}\n{"op":"ioas.alloc","ioas":"a","__proto__":{"x":1}}\n`],
    ['unknown kinds and ops', `${HEADER}\n{"kind":"dream","x":1}\n{"op":"ioas.frob"}\n`],
    ['broken lines', `${HEADER}\n{\n[]\nnull\n"x"\n{}\n${ALLOC}\n`],
    ['no header', `${ALLOC}\n`],
    ['a broken header', `{"format":"other"}\n${ALLOC}\n`],
    ['nothing', ''],
    ['nothing but blank lines', '\n\n'],
  ])('gives the same bytes: %s', (_name, text) => {
    expect(writeSession(readSession(text).session)).toBe(text);
  });

  it('gives the same bytes for any lines, in any chunks', () => {
    const line = fc.oneof(
      fc.constantFrom(HEADER, ALLOC, '', ' ', '{"kind":"host"}', '{"kind":1}', '{"op":null}', '\uFEFF'),
      fc.json(),
      fc.string().map((s) => s.replaceAll('\n', '')),
      anyAddress.map((a) => `{"op":"ioas.unmap","ioas":"a","iova":"0x${a.toString(16)}","length":"${a}"}`),
      fc
        .record({
          kind: fc.constantFrom('host', 'reserved', 'map', 'fault', 'dream'),
          start: fc.jsonValue(),
          last: fc.jsonValue(),
        })
        .map((o) => JSON.stringify(o)),
    );
    const file = fc
      .array(fc.tuple(line, fc.constantFrom('\n', '\n', '\r\n')), { maxLength: 8 })
      .map((lines) => lines.flat().join(''));
    assertProperty(
      fc.property(file, fc.boolean(), fc.nat(), (text, cutEnd, at) => {
        const whole = cutEnd ? text.trimEnd() : text;
        const { session, problems } = readSession(whole);
        expect(writeSession(session)).toBe(whole);
        for (const p of problems) expect(p.message).not.toBe('');
        const reader = new SessionReader();
        const splitter = new LineSplitter();
        const cut = at % (whole.length + 1);
        for (const l of splitter.push(whole.slice(0, cut))) reader.push(l);
        for (const l of splitter.push(whole.slice(cut))) reader.push(l);
        for (const l of splitter.end()) reader.push(l);
        expect(reader.finish()).toEqual(session);
        expect(reader.problems).toEqual(problems);
      }),
      { numRuns: 300 },
    );
  });

  it('writes a session made in memory so that it reads the same', () => {
    assertProperty(
      fc.property(anyAddress, anyAddress, fc.string(), (iova, length, ioas) => {
        const made = newSession({ title: ioas, page_size: iova });
        made.events.push({ op: 'ioas.unmap', ioas, iova, length, expect: { ret: 0, unmapped: length } });
        made.events.push({ kind: 'reserved', start: 0n as typeof iova, last: iova, type: ioas });
        const { session, problems } = readSession(writeSession(made));
        expect(problems).toEqual([]);
        expect(session.header).toEqual(made.header);
        expect(session.events).toEqual(made.events);
        expect(session.verbatim.events.size).toBe(0);
      }),
    );
  });

  it('reads a guest definition with its sizes, and writes the same bytes', () => {
    const line =
      '{"kind":"machine","name":"win11","monitor":"qemu","machine":"pc-q35-7.2","cpu":"EPYC","vendor":"amd",' +
      '"ram":"0x400000000","max_ram":"0x1000000000","slots":4,"phys_bits":43,"options":{"pci-hole64-size":"64G"},' +
      '"backend":"memfd","viommu":{"kind":"intel","address_width":48},"assigned":["0000:0b:00.0"],"iommufd":true,"later":1}';
    const { event, problem } = parseEventLine(line);
    expect(problem).toBeUndefined();
    expect(event).toMatchObject({
      ram: 0x4_0000_0000n,
      max_ram: 0x10_0000_0000n,
      options: { 'pci-hole64-size': '64G' },
    });
    expect('unknown' in event ? '' : writeEvent(event)).toBe(line);
  });

  it('keeps every bit of an address', () => {
    const { event } = parseEventLine(
      '{"op":"ioas.unmap","ioas":"a","iova":"0xffffffffffffffff","length":"0x20000000000001"}',
    );
    expect(event).toEqual({ op: 'ioas.unmap', ioas: 'a', iova: 0xffff_ffff_ffff_ffffn, length: 0x20_0000_0000_0001n });
    expect('unknown' in event ? '' : writeEvent(event)).toContain('"0xffffffffffffffff"');
  });
});

describe('problems', () => {
  it('have the line of the file, blank lines counted', () => {
    expect(problemsOf(`\n${HEADER}\n\n{"kind":"dream"}\n{\n\n{"op":"ioas.frob"}\n3\n{"x":1}\n`)).toEqual([
      '4 warning unknown-kind',
      '5 error not-json',
      '7 warning unknown-op',
      '8 error not-json',
      '9 error not-an-event',
    ]);
  });

  it('name memory that nothing is known about, each time', () => {
    const map = (memory: string, iova: string) =>
      `{"op":"ioas.map","ioas":"a","flags":["fixed","read"],"user_va":"0x0","length":"0x1000","iova":"${iova}","memory":"${memory}"}`;
    const request =
      '{"kind":"request","op":"map","api":"vfio","start":"0x0","last":"0xfff","result":0,"memory":"moon"}';
    const lines = [
      HEADER,
      map('hole', '0x1000'),
      ...['0x0', '0x1000', '0x2000'].map((iova) => map('moon', iova)),
      request,
    ];
    const expected = [3, 4, 5, 6].map((line) => `${line} warning unknown-memory`);
    expect(problemsOf(`${lines.join('\n')}\n`)).toEqual(expected);
  });

  it.each<[string, string]>([
    ['', '1 error no-header'],
    ['\n\n', '1 error no-header'],
    [`\n${ALLOC}\n`, '2 warning no-header'],
    ['hello\n', '1 error bad-header'],
    ['{"format":"iova-trace","version":2}\n', '1 error bad-header'],
    ['{"format":"iova-trace","version":1,"page_size":4096}\n', '1 error bad-header'],
    ['[]\n', '1 error bad-header'],
  ])('of the header of %j', (text, problem) => {
    expect(problemsOf(text)).toEqual([problem]);
  });

  it('with a header do not affect the events after it', () => {
    for (const text of [`${ALLOC}\n${ALLOC}\n`, `hello\n${ALLOC}\n${ALLOC}\n`]) {
      const { session } = readSession(text);
      expect(session.events).toEqual([
        { op: 'ioas.alloc', ioas: 'a' },
        { op: 'ioas.alloc', ioas: 'a' },
      ]);
      expect(session.header).toEqual({ format: 'iova-trace', version: 1 });
    }
  });

  it.each<[string, RegExp]>([
    ['{"op":"ioas.alloc"}', /ioas\.alloc: field 'ioas'/],
    ['{"op":"ioas.alloc","ioas":5}', /field 'ioas'/],
    ['{"op":"ioas.unmap","ioas":"a","iova":4096,"length":"0x1"}', /field 'iova': expected a hex string/],
    ['{"op":"ioas.unmap","ioas":"a","iova":"4096","length":"0x1"}', /field 'iova': expected a hex string/],
    ['{"op":"ioas.unmap","ioas":"a","iova":"0x10000000000000000","length":"0x1"}', /field 'iova': larger than 64 bits/],
    ['{"op":"ioas.map","ioas":"a","flags":[5],"user_va":"0x0","length":"0x1"}', /field 'flags\.0'/],
    ['{"op":"ioas.allow_iovas","ioas":"a","ranges":[["0x1"]]}', /field 'ranges\.0\.1'/],
    ['{"op":"ioas.alloc","ioas":"a","expect":{}}', /field 'expect\.ret'/],
    ['{"kind":"reserved","start":"0x2","last":"0x1","type":"msi"}', /reserved: start is above last/],
    ['{"kind":"host","address_width":-1}', /field 'address_width'/],
    ['{"kind":"device","name":"GA104"}', /device: field 'device'/],
    ['{"kind":"device","device":"0000:0b:00.0","numa_node":-1}', /field 'numa_node'/],
    ['{"kind":"machine","monitor":"qemu"}', /machine: field 'machine'/],
    ['{"kind":"machine","monitor":"qemu","machine":"q35","ram":1024}', /field 'ram': expected a hex string/],
    ['{"kind":"machine","monitor":"qemu","machine":"q35","options":{"highmem":true}}', /field 'options\.highmem'/],
    ['{"kind":"machine","monitor":"qemu","machine":"q35","viommu":{}}', /field 'viommu\.kind'/],
    ['{"kind":"machine","monitor":"qemu","machine":"q35","assigned":["0000:0b:00.0",4]}', /field 'assigned\.1'/],
  ])('of the fields of %s', (line, message) => {
    const { event, problem } = parseEventLine(line);
    expect(problem).toMatchObject({ severity: 'error', code: 'bad-field', message: expect.stringMatching(message) });
    expect(event).toMatchObject({ unknown: 'line' });
  });
});

describe('parseEventLine', () => {
  it('tells facts from operations; a request is a fact', () => {
    const request = parseEventLine(
      '{"kind":"request","op":"map","api":"vfio","start":"0x0","last":"0xfff","result":"-EINVAL"}',
    );
    expect(request.problem).toBeUndefined();
    expect([isFact(request.event), isOperation(request.event)]).toEqual([true, false]);
    const alloc = parseEventLine(ALLOC);
    expect([isFact(alloc.event), isOperation(alloc.event)]).toEqual([false, true]);
    const dream = parseEventLine('{"kind":"dream","op":"ioas.alloc"}');
    expect([isFact(dream.event), isOperation(dream.event)]).toEqual([false, false]);
  });

  it('is not led astray by names that every object has', () => {
    for (const name of ['toString', '__proto__', 'constructor']) {
      expect(parseEventLine(`{"kind":"${name}"}`).problem?.code).toBe('unknown-kind');
      expect(parseEventLine(`{"op":"${name}"}`).problem?.code).toBe('unknown-op');
    }
  });
});
