import { expect, test } from 'vitest';
import { isFact, isOperation, type SessionEvent } from '../../session/events.ts';
import { OpenCase } from '../case/open-case.ts';
import { readSources, relabel } from '../case/source.ts';
import { spacesFor } from '../picture/spaces.ts';
import { mappingKey } from './keys.ts';
import { finalMappingState } from './mapping-states.ts';

const CONTEXT = { signal: new AbortController().signal, progress: () => undefined };

/** A trace of maps and exact unmaps, in which a few mappings remain. */
function traceText(events: number): string {
  const hex = (page: number) => `0x${(page * 0x1000).toString(16).padStart(16, '0')}`;
  const live: number[] = [];
  return Array.from({ length: events }, (_, i) => {
    const stamp = `     qemu-kvm-4575    [000] .......   ${(100 + i / 1000).toFixed(6)}: `;
    const page = i % 7 < 4 ? 0x100 + ((i * 37) % 500) * 4 : live.shift();
    if (page === undefined) return `${stamp}attach_device_to_domain: IOMMU: device=0000:01:00.0`;
    if (i % 7 < 4) {
      live.push(page);
      return `${stamp}map: IOMMU: iova=${hex(page)} - ${hex(page + 2)} paddr=${hex(page + 0x1000)} size=8192`;
    }
    return `${stamp}unmap: IOMMU: iova=${hex(page)} - ${hex(page + 2)} size=8192 unmapped_size=8192`;
  }).join('\n');
}

async function opened(texts: readonly { readonly name: string; readonly text: string }[], kept: number | undefined) {
  const inputs = texts.map(({ name, text }) => {
    const data = new Blob([text]);
    return { input: { name, size: data.size, stream: () => data.stream() }, file: { name, data } };
  });
  const current = new OpenCase([]);
  const sources = await readSources(inputs, { context: CONTEXT, kept });
  current.add(sources);
  const [document] = current.documents.values();
  if (!document) throw new Error('no document');
  return { document, sources, documents: [...current.documents.values()] };
}

const isMapping = (event: SessionEvent) => isFact(event) && (event.kind === 'map' || event.kind === 'unmap');

test('of a long trace the last events are kept one by one, and the mappings that remain; the rest is said', async () => {
  const text = traceText(3000);
  const { document: whole } = await opened([{ name: 'trace.txt', text }], undefined);
  const { document } = await opened([{ name: 'trace.txt', text }], 200);
  const all = whole.session.events.filter(isMapping);
  const [set] = document.mappings;
  const [wholeSet] = whole.mappings;
  if (!set?.folded || !wholeSet) throw new Error('not folded');
  expect(document.session.events.filter(isMapping).slice(-200)).toEqual(all.slice(-200));
  const gone = all.length - document.session.events.filter(isMapping).length;
  expect(document.diagnostics).toContainEqual(
    expect.objectContaining({
      code: 'events-folded',
      message: expect.stringContaining(
        `${gone.toLocaleString('en-US')} of ${all.length.toLocaleString('en-US')} mapping`,
      ),
    }),
  );
  const drawn = (of: typeof set) =>
    finalMappingState(of)
      .layers()
      .map((layer) => layer.map(({ start, last }) => [start, last]));
  expect(drawn(set)).toEqual(drawn(wholeSet));
  // Each fact of the set is at its position.
  for (const [index, fact] of set.facts.entries()) {
    expect(document.session.events.at((set.positions[index] ?? 0) - 1)).toBe(fact);
  }
});

test('what is not listed is drawn as counts of maps, in a lane below that of the mappings', async () => {
  const { document } = await opened([{ name: 'trace.txt', text: traceText(3000) }], 200);
  const [set] = document.mappings;
  if (!set?.folded) throw new Error('not folded');
  const spaces = await spacesFor(new Map([[document.id, document]]), {
    selectedGroups: [mappingKey(document, set)],
    expanded: [],
    scale: 'fold',
  });
  const lanes = spaces.flatMap((space) => space.lanes);
  expect(lanes.map(({ title }) => title)).toEqual(['aperture', 'kernel trace', 'kernel trace, earlier']);
  const lane = lanes[2];
  const [row] = lane?.rows ?? [];
  expect([...(row?.starts ?? [])]).toEqual(set.folded.density.map(({ start }) => start));
  const captions = set.folded.density.map((_, index) => lane?.caption(0, index));
  expect(captions).toEqual(set.folded.density.map(({ maps }) => `${maps} map${maps === 1 ? '' : 's'}`));
  expect(lane?.subtitle).toContain('counted, not listed');
});

test('a long trace beside another source keeps its own set, under the name that the other gives its text', async () => {
  const text = traceText(3000);
  const { document, sources } = await opened(
    [
      {
        name: 'host/dmesg.txt',
        text: '[    1.000000] DMAR: dmar0: reg_base_addr fed90000 ver 1:0 cap 1c0000c40660462 ecap 7e1ff0505e',
      },
      { name: 'trace.txt', text },
    ],
    200,
  );
  const [set] = document.mappings;
  if (!set?.folded) throw new Error('not folded');
  for (const [index, fact] of set.facts.entries()) {
    expect(document.session.events.at((set.positions[index] ?? 0) - 1)).toBe(fact);
  }
  const source = sources.find(({ name }) => name === 'trace.txt');
  if (!source) throw new Error('no trace');
  relabel(source, new Map([['trace.txt', 'trace.txt (2)']]));
  const { events } = source.read.session;
  const [renamed] = source.read.folded?.setsIn(events, 0, events.length) ?? [];
  expect(renamed?.note).toContain('trace.txt (2)');
  expect(renamed?.folded?.until.source).toBe('trace.txt (2)');
});

test('facts that end others still name them', async () => {
  const lines = [
    { format: 'iova-trace', version: 1 },
    { kind: 'group', group: '1', devices: ['0000:01:00.0'] },
    ...Array.from({ length: 1000 }, (_, i) => ({
      kind: i % 2 === 0 ? 'map' : 'unmap',
      start: '0x1000',
      last: '0x1fff',
      origin: 'ftrace',
    })),
    { kind: 'group', group: '2', devices: ['0000:02:00.0'] },
    { kind: 'gone', event: 1 },
    { kind: 'gone', event: 1002 },
    { kind: 'later', by: 'another version' },
  ];
  const text = lines.map((line) => JSON.stringify(line)).join('\n');
  const { document } = await opened([{ name: 'host.iova.jsonl', text }], 100);
  const { events, verbatim } = document.session;
  expect(events.length).toBeLessThan(200);
  const groups = events.flatMap((event) =>
    isFact(event) && event.kind === 'gone' ? [events.at(event.event - 1)] : [],
  );
  expect(groups).toMatchObject([{ group: '1' }, { group: '2' }]);
  expect(verbatim.events.get(events.length - 1)).toBe('{"kind":"later","by":"another version"}\n');
});

test('a source of many operations and many mapping events keeps its operations', async () => {
  const page = (i: number) => `"0x${(i * 4096).toString(16)}"`;
  const operations = Array.from(
    { length: 5000 },
    (_, i) => `{"op":"ioas.unmap","ioas":"a","iova":${page(i)},"length":"0x1000"}`,
  );
  const facts = Array.from({ length: 900 }, (_, i) => `{"kind":"map","start":${page(i)},"last":${page(i)}}`);
  const text = ['{"format":"iova-trace","version":1}', ...operations, ...facts, ...operations, ''].join('\n');
  const { documents } = await opened([{ name: 'a.iova.jsonl', text }], 200);
  const kept = documents.flatMap(({ session }) => session.events.filter(isOperation));
  expect(kept.length).toBe(2 * operations.length);
  expect(kept[4999]).toEqual(kept[9999]);
  expect(documents.flatMap(({ mappings }) => mappings.map(({ folded }) => folded?.maps))).toEqual([facts.length - 200]);
});

test('of a long trace it is known when all events happened, which are listed, and where', async () => {
  const text = traceText(3000);
  const { document: whole } = await opened([{ name: 'trace.txt', text }], undefined);
  const { document } = await opened([{ name: 'trace.txt', text }], 200);
  expect(whole.densities).toBeUndefined();
  const [density] = document.densities ?? [];
  if (!density) throw new Error('no density');
  const { start, length, counts, listed, positions } = density;
  const all = whole.session.events.filter(isMapping);
  const sum = (numbers: readonly number[]) => numbers.reduce((before, n) => before + n, 0);
  expect([sum(counts), sum(listed)]).toEqual([all.length, 200]);
  const timeAt = (position: number) => {
    const event = document.session.events.at(position - 1);
    return event && isFact(event) && 'time' in event ? event.time : undefined;
  };
  for (const [span, count] of counts.entries()) {
    const [from, to] = [start + span * length, start + (span + 1) * length];
    const here = all.filter(
      (event) => isFact(event) && 'time' in event && (event.time ?? 0) >= from && (event.time ?? 0) < to,
    );
    expect(count).toBe(here.length);
    const position = positions[span] ?? 0;
    if (position > 0) expect(timeAt(position)).toBeLessThan(to);
    // The event after it is later.
    const next = document.session.events.slice(position).find(isMapping);
    if (next && isFact(next) && 'time' in next) expect(next.time).toBeGreaterThanOrEqual(to);
  }
});

test('events of a long trace that are not in the order of time are reported with the first line', async () => {
  const lines = traceText(1000).split('\n');
  const swapped = lines.with(700, lines[701] ?? '').with(701, lines[700] ?? '');
  const unordered = async (text: string, kept: number | undefined) =>
    (await opened([{ name: 'trace.txt', text }], kept)).document.diagnostics.filter(
      ({ code }) => code === 'events-unordered',
    );
  expect(await unordered(swapped.join('\n'), 100)).toEqual([
    {
      severity: 'warning',
      code: 'events-unordered',
      message: expect.stringMatching(/^1 mapping event of a long trace has an earlier time/),
      source: 'trace.txt',
      line: 702,
    },
  ]);
  expect(await unordered(lines.join('\n'), 100)).toEqual([]);
  // These are sorted.
  expect(await unordered(swapped.join('\n'), undefined)).toEqual([]);
});
